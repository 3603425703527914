// A picture with a button over each of its parts, between its title and its footer. All text comes from reports: none is markup.
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "kit-picture";
  const image = document.createElement("img");
  const title = document.createElement("p");
  title.className = "kit-title";
  const footer = document.createElement("p");
  footer.className = "kit-footer";
  box.append(image);
  el.append(title, box, footer);
  let address = "";

  const buttons = () => [...box.querySelectorAll("button")];

  function showPicture() {
    const before = address;
    const isEmpty = !model.get("png").byteLength;
    image.hidden = isEmpty;
    title.textContent = model.get("alt");
    title.classList.toggle("empty", isEmpty);
    footer.textContent = model.get("footer");
    address = URL.createObjectURL(new Blob([model.get("png")], { type: "image/png" }));
    image.src = address;
    image.alt = model.get("alt");
    for (const part of [title, box, footer]) part.style.maxWidth = `${model.get("width")}px`;
    if (before) URL.revokeObjectURL(before);
  }

  function showParts() {
    const hadFocus = box.contains(document.activeElement);
    buttons().forEach((button) => button.remove());
    model.get("parts").forEach((part, number) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = part.label;
      button.setAttribute("aria-label", part.label);
      // One stop of the Tab key a picture: arrows lead from part to part.
      button.tabIndex = number ? -1 : 0;
      for (const side of ["left", "top", "width", "height"]) {
        button.style[side] = `${100 * part[side]}%`;
      }
      button.addEventListener("click", () => {
        model.set("pressed", model.get("pressed") === number ? -1 : number);
        model.save_changes();
      });
      box.append(button);
    });
    if (hadFocus) buttons()[0]?.focus();
    showPressed();
  }

  function showPressed() {
    buttons().forEach((button, number) =>
      button.setAttribute("aria-pressed", String(number === model.get("pressed"))),
    );
  }

  box.addEventListener("keydown", (event) => {
    const all = buttons();
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (!all[to]) return;
    all[at].tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  });

  function showBusy() {
    box.classList.toggle("busy", model.get("busy"));
    box.setAttribute("aria-busy", String(model.get("busy")));
  }

  // Otherwise keys that choose on a list or press a button are JupyterLab's shortcuts.
  requestAnimationFrame(() => {
    el.closest(".kit-panel")?.addEventListener("focusin", (event) => {
      event.target.setAttribute("data-lm-suppress-shortcuts", "true");
    });
  });
  showPicture();
  showParts();
  showBusy();
  model.on("change:png", showPicture);
  model.on("change:alt", showPicture);
  model.on("change:footer", showPicture);
  model.on("change:parts", showParts);
  model.on("change:pressed", showPressed);
  model.on("change:busy", showBusy);
  return () => URL.revokeObjectURL(address);
}
export default { render };
