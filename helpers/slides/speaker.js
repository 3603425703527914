// The speaker's window: this slide, the next one, notes and clocks. The page fills the window and listens
// in it; no script runs in the window itself, for the page's policy would forbid it.
(() => {
  const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", " "];
  const [SMALLEST, LARGEST] = [16, 64];
  const byId = (id) => document.getElementById(id);
  const language = document.documentElement.lang;
  // A browser may refuse to store anything; then a reload sets the clock back.
  const stored = (() => { try { return sessionStorage; } catch { return {}; } })();
  let speaker = null;
  let started = Number(stored.started) || null;
  let size = 26;
  delete stored.started;

  const find = (selector) => speaker.document.querySelector(selector);

  const copy = (stage, slide) => {
    stage.querySelector(".slides").replaceChildren();
    stage.classList.toggle("none", !slide);
    stage.setAttribute("aria-label", slide ? slide.getAttribute("aria-label") : "");
    if (!slide) return;
    const copied = speaker.document.importNode(slide, true);
    for (const name of ["style", "hidden", "aria-hidden"]) copied.removeAttribute(name);
    copied.className = "present";
    copied.inert = true;
    copied.querySelector(".notes").remove();
    stage.querySelector(".slides").append(copied);
  };

  const show = () => {
    if (!speaker) return;
    const slides = Reveal.getSlides();
    const at = slides.indexOf(Reveal.getCurrentSlide());
    copy(find(".this .stage"), slides[at]);
    copy(find(".next .stage"), slides[at + 1]);
    find(".place").textContent = `${at + 1} / ${slides.length}`;
    find(".said").textContent = slides[at].querySelector(".notes").content.textContent;
    find(".said").scrollTop = 0;
  };

  const tick = () => {
    if (!speaker) return;
    const now = new Date();
    const seconds = Math.floor((now - started) / 1000);
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    find(".elapsed").textContent = `${hours}:${two(minutes)}:${two(seconds % 60)}`;
    find(".now").textContent = now.toLocaleTimeString(language, { hour: "numeric", minute: "2-digit" });
  };

  const fit = (changes) => {
    for (const { target } of changes) target.style.setProperty("--scale", target.clientWidth / 1280);
  };

  const enlarge = (by) => {
    size = Math.min(Math.max(size + by, SMALLEST), LARGEST);
    find(".said").style.fontSize = `${size}px`;
  };

  const press = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "+" || event.key === "-") return enlarge(event.key === "+" ? 4 : -4);
    // Space presses a button, and arrows scroll the notes, where the keyboard has chosen them.
    const own = event.target.closest("button") ? [" "] : event.target.closest(".said") ? ["ArrowUp", "ArrowDown"] : [];
    if (!KEYS.includes(event.key) || own.includes(event.key)) return;
    event.preventDefault();
    const { key, code, keyCode, shiftKey } = event;
    document.dispatchEvent(new KeyboardEvent("keydown", { key, code, keyCode, shiftKey }));
  };

  const ACTIONS = {
    previous: () => Reveal.prev(),
    next: () => Reveal.next(),
    reset: () => { started = Date.now(); tick(); },
    smaller: () => enlarge(-4),
    larger: () => enlarge(4),
  };

  const click = (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    ACTIONS[button.name]();
    // After a click of the mouse, Space turns the slides again.
    if (event.detail) button.blur();
  };

  const fill = () => {
    const there = speaker.document;
    there.documentElement.lang = language;
    there.title = byId("speaker").getAttribute("aria-label");
    for (const style of document.querySelectorAll("head > style")) there.head.append(there.importNode(style, true));
    there.body.className = "speaker";
    there.body.append(there.importNode(byId("speaker").content, true));
    there.addEventListener("keydown", press);
    there.addEventListener("click", click);
    const watch = new speaker.ResizeObserver(fit);
    for (const stage of there.querySelectorAll(".stage")) watch.observe(stage);
    // A window that is loaded anew is empty, and this page may not write into it: it closes.
    speaker.addEventListener("pagehide", close);
    // Of that window's timers: a page behind others has slow ones.
    speaker.setInterval(tick, 500);
  };

  const close = () => {
    const gone = speaker;
    speaker = null;
    if (gone) gone.close();
  };

  const open = () => {
    if (speaker && !speaker.closed) return speaker.focus();
    speaker = window.open("", "", "popup,width=1280,height=720");
    byId("blocked").hidden = Boolean(speaker);
    if (!speaker) return setTimeout(() => { byId("blocked").hidden = true; }, 10000);
    started ??= Date.now();
    fill();
    enlarge(0);
    tick();
    show();
    speaker.focus();
  };

  const button = byId("open-speaker");
  button.addEventListener("click", open);
  // Space on the button presses it; elsewhere it turns the slides.
  button.addEventListener("keydown", (event) => { if (event.key === " ") event.stopPropagation(); });
  Reveal.addKeyBinding({ keyCode: 83, key: "S", description: button.title }, open);
  Reveal.on("slidechanged", show);
  addEventListener("pagehide", () => {
    if (speaker) stored.started = started;
    close();
  });
})();
