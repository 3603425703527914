// Buttons that download what is shown and copy what makes it. All text comes from reports: none is markup.
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "kit-keep";
  const state = document.createElement("span");
  state.setAttribute("role", "status");
  el.append(box, state);

  function button(words, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "jupyter-button lm-Widget";
    made.textContent = words;
    made.addEventListener("click", act);
    return made;
  }

  async function copy(text, from) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without leave, or where the page came over plain HTTP: what is selected can be copied.
      from.open = true;
      const area = from.querySelector("textarea");
      area.focus();
      area.select();
      if (!document.execCommand("copy")) return;
    }
    state.textContent = model.get("copied");
    setTimeout(() => (state.textContent = ""), 2000);
  }

  function show() {
    const open = [...box.querySelectorAll("details")].map((one) => one.open);
    box.replaceChildren();
    for (const [kind, words] of model.get("kinds")) {
      box.append(button(words, () => model.send({ kind })));
    }
    model.get("texts").forEach(([words, heading, text], number) => {
      const whole = document.createElement("details");
      const summary = document.createElement("summary");
      const area = document.createElement("textarea");
      summary.textContent = heading;
      area.readOnly = true;
      area.value = text;
      area.rows = Math.min(text.split("\n").length + 1, 9);
      area.setAttribute("aria-label", heading);
      whole.append(summary, area);
      whole.open = Boolean(open[number]);
      box.append(button(words, () => copy(text, whole)), whole);
    });
  }

  function download(message, buffers) {
    const address = URL.createObjectURL(new Blob([buffers[0]], { type: message.type }));
    const link = document.createElement("a");
    link.href = address;
    link.download = message.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }

  show();
  model.on("change:texts", show);
  model.on("msg:custom", download);
  return () => model.off("msg:custom", download);
}
export default { render };
