"""`python -m tests.support.explore_timing [STUDY]`: how fast the explore notebook follows.

Changes of the lens in a real JupyterLab in Chromium, timed in the page: from the change of a list
until the picture of the new title can be seen. Twenty, each a second after the last one is shown;
then six in a row, 60 ms apart. Prints seconds: median, worst, and the six after the last of them.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from tests.support import browser, jupyter_lab

_CHANGE = """async ([changes, apart]) => {
  const list = [...document.querySelectorAll("select")].find(
    (one) => [...one.options].some((option) => option.text === "findings"));
  const image = document.querySelector(".kit-picture img");
  const pause = (time) => new Promise((done) => setTimeout(done, time));
  const before = image.alt;
  let last = 0;
  for (const change of changes) {
    if (last) await pause(apart);
    list.value = [...list.options].find((option) => option.text === change).value;
    last = performance.now();
    list.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const what = changes.at(-1);
  const begins = what[0].toUpperCase() + what.slice(1) + ": ";
  while (!image.alt.startsWith(begins)) await pause(1);
  await image.decode();
  return (performance.now() - last) / 1000;
}"""


def main(study: str = "rebuilt-2026") -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        jupyter_lab.started(Path(folder)) as lab,
        browser.launched() as chromium,
    ):
        jupyter_lab.with_parameters(lab, "timed", study=study)
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{lab.address}/lab/tree/timed.ipynb?reset")
        jupyter_lab.run_all(page)
        page.locator(".kit-picture img").first.wait_for(timeout=60_000)
        page.locator(".kit-picture").first.scroll_into_view_if_needed()
        page.wait_for_timeout(6_000)

        def change(*names: str) -> float:
            took: float = page.evaluate(_CHANGE, [[*names], 60])
            page.wait_for_timeout(3_000 if len(names) > 1 else 1_500)
            return took

        two = ("vulnerabilities", "findings")
        change(*two[:1])
        times = [change(two[number % 2 - 1]) for number in range(20)]
        six = [change(*two * 3)]
        change(*two[:1])
        six.append(change(*two * 3))
    print(
        f"{study}: median {statistics.median(times):.3f} s, worst {max(times):.3f} s of 20; "
        f"six in a row {', '.join(f'{time:.3f}' for time in six)} s after the last"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
