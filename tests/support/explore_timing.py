"""`python -m tests.support.explore_timing [STUDY]`: how fast the explore notebook follows.

Twenty changes of the lens in a real JupyterLab in Chromium, each until the first picture shows its
new title; then six in a row, until the last one's does. Prints seconds: median, worst, the six.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support import browser, jupyter_lab

_CHANGES = [
    (count, fixable)
    for fixable in (False, True)
    for count in ("findings", "vulnerabilities", "vulnerabilities × source packages")
]


def _changes(page: Page, count: str, fixable: bool) -> None:
    if page.get_by_label("only what has a fix").is_checked() != fixable:
        page.get_by_label("only what has a fix").set_checked(fixable)
    if page.get_by_label("lens: count").input_value() != count:
        page.get_by_label("lens: count").select_option(count)


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
        picture = page.locator(".kit-picture img").first
        picture.wait_for(timeout=60_000)
        page.wait_for_timeout(5_000)
        titles: dict[object, str] = {}

        def follow(change: tuple[str, bool], *, learning: bool = False) -> float:
            before = picture.get_attribute("alt")
            began = time.perf_counter()
            _changes(page, *change)
            if learning:
                expect(picture).not_to_have_attribute("alt", str(before), timeout=30_000)
                page.wait_for_timeout(3_000)
                titles[change] = str(picture.get_attribute("alt"))
            page.wait_for_function(
                "alt => document.querySelector('.kit-picture img').alt === alt",
                arg=titles[change],
                polling=5,
            )
            return time.perf_counter() - began

        titles[_CHANGES[0]] = str(picture.get_attribute("alt"))
        # One widget a change: the other one follows in the next round.
        order = [_CHANGES[place] for place in (1, 2, 5, 4, 3, 0)]
        for change in order:
            follow(change, learning=True)
        times = [follow(order[number % 6]) for number in range(20)]
        page.wait_for_timeout(3_000)
        follow(_CHANGES[0])
        page.wait_for_timeout(3_000)
        began = time.perf_counter()
        for change in order[:5]:
            _changes(page, *change)
        _changes(page, *order[1])
        after = time.perf_counter()
        page.wait_for_function(
            "alt => document.querySelector('.kit-picture img').alt === alt",
            arg=titles[order[1]],
            polling=5,
        )
        page.wait_for_timeout(1)
        six = time.perf_counter() - after
        print(
            f"{study}: median {statistics.median(times):.3f} s, worst {max(times):.3f} s of 20; "
            f"six in a row {six:.3f} s after the last (they took {after - began:.3f} s)"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
