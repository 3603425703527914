// What the page does by itself: tables that can be searched, where one is, all code at once, colours.
function wake(DataTable) {
  const words = JSON.parse(document.getElementById("words").textContent);
  const byId = (id) => document.getElementById(id);

  for (const table of document.querySelectorAll(".table table")) {
    // A few rows can be sorted, and there is nothing to search or to turn.
    const [rows, searchable] = [table.tBodies[0].rows.length, table.closest(".searchable")];
    if (!searchable && (rows <= 15 || table.closest("details"))) continue;
    const long = rows > 10;
    new DataTable(table, {
      language: words,
      order: [],
      autoWidth: false,
      paging: long,
      layout: {
        topStart: long ? "search" : null,
        topEnd: null,
        bottomStart: long ? "info" : null,
        bottomEnd: long ? "paging" : null,
      },
    });
  }
  // Each table's pages are told apart, and what scrolls says so and can be reached without a mouse.
  for (const pages of document.querySelectorAll(".dt-paging nav"))
    pages.setAttribute("aria-label", pages.closest(".table").getAttribute("aria-label"));
  const boxes = [...document.querySelectorAll(".table, .table .dt-layout-table > div, figure, pre")];
  for (const box of boxes.filter((one) => one.matches(".table .dt-layout-table > div"))) {
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", box.closest(".table").getAttribute("aria-label"));
  }
  const reach = () => {
    for (const box of boxes) {
      const scrolls = box.scrollWidth > box.clientWidth + 1;
      scrolls ? (box.tabIndex = 0) : box.removeAttribute("tabindex");
      if (!box.querySelector("table")) continue;
      scrolls ? (box.dataset.scroll = words.scroll) : delete box.dataset.scroll;
      scrolls ? box.setAttribute("aria-description", words.scroll) : box.removeAttribute("aria-description");
    }
  };
  addEventListener("resize", reach);
  addEventListener("load", reach);
  // A folded table has no width until it opens. This event does not bubble, so capture it.
  addEventListener("toggle", reach, true);
  reach();

  // The contents mark the heading that was passed last.
  const contents = byId("contents");
  const links = new Map();
  for (const link of contents.querySelectorAll("a")) links.set(link.hash.slice(1), link);
  const headings = [...links.keys()].map(byId);
  let marked = null;
  const mark = () => {
    // A heading in a closed chapter is nowhere.
    const shown = headings.filter((one) => one.getClientRects().length);
    const passed = shown.filter((one) => one.getBoundingClientRect().top < 64);
    const link = links.get((passed.pop() || shown[0] || headings[0]).id);
    if (link === marked) return;
    if (marked) marked.removeAttribute("aria-current");
    link.setAttribute("aria-current", "location");
    marked = link;
    const [box, at] = [contents.getBoundingClientRect(), link.getBoundingClientRect()];
    if (at.top < box.top || at.bottom > box.bottom)
      contents.scrollTop += at.top - box.top - box.height / 3;
  };
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mark();
    });
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  mark();
  contents.addEventListener("toggle", () => {
    if (marked) marked.scrollIntoView({ block: "nearest" });
  });
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a") && contents.matches(":popover-open")) contents.hidePopover();
  });

  const press = (button, act) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      act(on);
    });
  };
  press(byId("all-chapters"), (on) => {
    for (const chapter of document.querySelectorAll(".chapter")) chapter.open = on;
  });
  // What a link leads to opens, and so does the chapter that it is in.
  const reveal = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const chapter = target.matches("summary > h2") ? target.closest("details") : target;
    for (let one = chapter.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  // A figure in a narrow window shows all of itself, or its words in a size that can be read.
  for (const button of document.querySelectorAll(".zoom")) {
    const figure = button.parentElement;
    press(button, (on) => {
      figure.classList.toggle("large", on);
      reach();
    });
    figure.querySelector("img").addEventListener("click", () => {
      if (getComputedStyle(button).display !== "none") button.click();
    });
  }
  // The button says what it does next.
  const colours = byId("colours");
  const root = document.documentElement;
  const isDark = () =>
    (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "")) === "dark";
  const name = () => (colours.textContent = isDark() ? colours.dataset.light : colours.dataset.dark);
  colours.hidden = false;
  colours.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();

  // On paper there is no next page to turn to.
  const tables = () => DataTable.tables({ api: true });
  let lengths = [];
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
    tables().iterator("table", (settings) => {
      const table = new DataTable.Api(settings);
      lengths.push([table, table.page.len()]);
      table.page.len(-1).draw();
    });
  });
  addEventListener("afterprint", () => {
    for (const [table, length] of lengths) table.page.len(length).draw();
    lengths = [];
    for (const one of closed) one.open = false;
    closed = [];
  });
}
