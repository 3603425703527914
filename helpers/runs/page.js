// What the page does by itself: tables that can be searched, all code at once, light or dark.
function wake(DataTable) {
  const words = JSON.parse(document.getElementById("words").textContent);
  for (const table of document.querySelectorAll(".searchable table")) {
    new DataTable(table, {
      language: words,
      order: [],
      autoWidth: false,
      layout: { topStart: "search", topEnd: null, bottomStart: "info", bottomEnd: "paging" },
    });
  }
  // Each table's pages are told apart, and what scrolls can be reached without a mouse.
  for (const pages of document.querySelectorAll(".dt-paging nav"))
    pages.setAttribute("aria-label", pages.closest(".table").getAttribute("aria-label"));
  const reach = () => {
    for (const box of document.querySelectorAll(".table, figure, pre"))
      box.scrollWidth > box.clientWidth ? (box.tabIndex = 0) : box.removeAttribute("tabindex");
  };
  addEventListener("resize", reach);
  addEventListener("load", reach);
  // A folded table has no width until it opens. This event does not bubble, so capture it.
  addEventListener("toggle", reach, true);
  reach();
  const press = (id, act) => {
    const button = document.getElementById(id);
    button.hidden = false;
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      act(on);
    });
    return button;
  };
  press("all-code", (on) => {
    for (const code of document.querySelectorAll("details.code")) code.open = on;
  });
  const theme = press("dark", (on) => {
    document.documentElement.dataset.theme = on ? "dark" : "light";
  });
  theme.setAttribute("aria-pressed", String(matchMedia("(prefers-color-scheme: dark)").matches));
  // On paper there is no next page to turn to.
  const tables = () => DataTable.tables({ api: true });
  let lengths = [];
  addEventListener("beforeprint", () => {
    tables().iterator("table", (settings) => {
      const table = new DataTable.Api(settings);
      lengths.push([table, table.page.len()]);
      table.page.len(-1).draw();
    });
  });
  addEventListener("afterprint", () => {
    for (const [table, length] of lengths) table.page.len(length).draw();
    lengths = [];
  });
}
