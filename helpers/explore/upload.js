// A place to drop files on, or to choose them: each is sent in pieces, for a message has a limit.
const PIECE = 2 ** 21;

function render({ model, el }) {
  const zone = document.createElement("label");
  zone.className = "kit-dropzone";
  const words = document.createElement("span");
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.accept = ".json,.gz";
  const state = document.createElement("span");
  state.setAttribute("role", "status");
  zone.append(words, input);
  el.append(zone, state);

  async function send(files) {
    for (const file of files) {
      const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
      for (let at = 0; at === 0 || at < file.size; at += PIECE) {
        const piece = await file.slice(at, at + PIECE).arrayBuffer();
        const last = at + PIECE >= file.size;
        model.send({ id, name: file.name, first: at === 0, last }, undefined, [piece]);
        state.textContent = last ? "" : `${Math.round((100 * at) / file.size)} %`;
      }
    }
  }

  function showWords() {
    words.textContent = model.get("words");
  }

  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    zone.addEventListener(kind, (event) => {
      // Else the browser leaves the page and opens the file.
      event.preventDefault();
      event.stopPropagation();
      zone.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    });
  }
  zone.addEventListener("drop", (event) => send(event.dataTransfer.files));
  input.addEventListener("change", () => send([...input.files]).then(() => (input.value = "")));
  showWords();
  model.on("change:words", showWords);
}
export default { render };
