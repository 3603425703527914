const express = require("express");

const app = express();
app.get("/", (request, response) => {
  response.type("text").send(`Hello from Node.js ${process.version}\n`);
});
app.listen(3000);

// As process 1 of a container there is no default that ends it.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => process.exit(0));
}
