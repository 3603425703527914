// A picture with a button over each of its bars; without a picture, its text in its place. All text comes from reports: none is markup.
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "kit-picture";
  const image = document.createElement("img");
  const sentence = document.createElement("p");
  box.append(image, sentence);
  el.append(box);
  let address = "";

  function showPicture() {
    const before = address;
    const isEmpty = !model.get("png").byteLength;
    image.hidden = isEmpty;
    sentence.textContent = isEmpty ? model.get("alt") : "";
    address = URL.createObjectURL(new Blob([model.get("png")], { type: "image/png" }));
    image.src = address;
    image.alt = model.get("alt");
    box.style.maxWidth = `${model.get("width")}px`;
    if (before) URL.revokeObjectURL(before);
  }

  function showBars() {
    box.querySelectorAll("button").forEach((button) => button.remove());
    for (const bar of model.get("bars")) {
      const button = document.createElement("button");
      button.type = "button";
      button.title = bar.label;
      button.setAttribute("aria-label", bar.label);
      button.dataset.variant = bar.variant;
      button.dataset.severity = bar.severity;
      for (const side of ["left", "top", "width", "height"]) {
        button.style[side] = `${100 * bar[side]}%`;
      }
      button.addEventListener("click", () => {
        const again = button.getAttribute("aria-pressed") === "true";
        model.set("pressed", again ? [] : [bar.variant, bar.severity]);
        model.save_changes();
      });
      box.append(button);
    }
    showPressed();
  }

  function showPressed() {
    const [variant, severity] = model.get("pressed");
    box.querySelectorAll("button").forEach((button) => {
      const { dataset } = button;
      const is = dataset.variant === variant && dataset.severity === severity;
      button.setAttribute("aria-pressed", String(is));
    });
  }

  showPicture();
  showBars();
  model.on("change:png", showPicture);
  model.on("change:alt", showPicture);
  model.on("change:bars", showBars);
  model.on("change:pressed", showPressed);
  return () => URL.revokeObjectURL(address);
}
export default { render };
