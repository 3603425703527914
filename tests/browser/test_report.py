"""The report in a real browser: nothing asked of the network, nothing cut off, tables search."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from helpers.frames import SEVERITIES

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.support import browser, hostile, strange  # noqa: E402
from tests.support.browser import Watched, opened  # noqa: E402

LISTING = ".searchable[aria-label*='in one image only']"
"""The table of vulnerabilities, by the heading that it stands under."""


@pytest.fixture(scope="module")
def report(chromium: playwright.Browser, finished: Path) -> Iterator[Watched]:
    """The report of the blog's study, opened."""
    with opened(chromium, finished / "report.html") as watched:
        watched.page.wait_for_selector(".dt-container")
        yield watched


def test_it_opens_without_network_and_without_a_word(report: Watched, finished: Path) -> None:
    report.quiet((finished / "report.html").as_uri())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_reaches_beyond_the_window_and_everybody_can_use_it(
    chromium: playwright.Browser, finished: Path, width: int, scheme: str
) -> None:
    path = finished / "report.html"
    with opened(chromium, path, width, color_scheme=scheme) as watched:
        watched.page.wait_for_selector(".dt-container")
        assert watched.overflowing() == []
        assert browser.serious(watched.page) == []
        watched.quiet(path.as_uri())


def test_every_entry_of_the_contents_leads_somewhere(report: Watched) -> None:
    links = report.page.locator("nav a")
    targets = links.evaluate_all("all => all.map((link) => link.getAttribute('href'))")
    assert len(targets) > 40
    assert all(target.startswith("#") for target in targets)
    for place in (0, 3, len(targets) // 2, len(targets) - 1):
        links.nth(place).click()
        target = report.page.locator(f"[id='{targets[place][1:]}']")
        assert target.evaluate("e => e.getBoundingClientRect().top < innerHeight"), targets[place]
        assert target.evaluate("e => e.getBoundingClientRect().top >= -1"), targets[place]


def test_tables_search(report: Watched, finished: Path) -> None:
    table = pd.read_csv(finished / "tables/vulnerabilities.csv")
    wanted = table["vulnerability_id"].iloc[3]
    box = report.page.locator(LISTING)
    assert box.locator("tbody tr").count() == 10
    box.locator("input[type=search]").fill(wanted)
    rows = int(table["vulnerability_id"].eq(wanted).sum())
    playwright.expect(box.locator("tbody tr")).to_have_count(rows)
    assert wanted in box.locator("tbody").inner_text()
    told = playwright.expect(box)
    told.to_contain_text(f"of {rows} row")
    box.locator("input[type=search]").fill("no such word")
    told.to_contain_text("Nothing found.")
    box.locator("input[type=search]").fill("")
    told.to_contain_text(f"of {len(table)} rows")


def test_a_table_is_sorted_by_what_is_meant_and_not_by_how_it_is_written(
    report: Watched, finished: Path
) -> None:
    table = pd.read_csv(finished / "tables/vulnerabilities.csv")
    levels = sorted(table["severity"], key=SEVERITIES.index)
    assert len({*levels[:10], *levels[-10:]}) > 2, "else any order would do"
    box = report.page.locator(LISTING)
    shown = playwright.expect(box.locator("tbody tr td:nth-child(2)"))
    for expected in (levels[:10], levels[::-1][:10]):
        box.locator("thead th", has_text="severity").click()
        shown.to_have_text(expected)


def test_no_cell_is_written_over_its_neighbour(
    chromium: playwright.Browser, presented: Callable[..., Path]
) -> None:
    with opened(chromium, presented("rebuilt-2026") / "report.html") as watched:
        watched.page.wait_for_selector(".dt-container")
        over = watched.page.locator("td").evaluate_all(
            "all => all.filter((one) => one.scrollWidth > one.clientWidth + 1)"
            ".map((one) => one.textContent)"
        )
        assert over == []


def test_dark_figures_keep_their_ground_on_a_light_page(
    chromium: playwright.Browser, presented: Callable[..., Path]
) -> None:
    run = presented("blog-2022", **strange.STUDIES["blog-2022"])
    with opened(chromium, run / "report.html") as watched:
        picture = watched.page.locator("figure img").first
        ground = picture.evaluate("one => getComputedStyle(one).backgroundColor")
        assert ground == "rgb(22, 24, 27)"
        assert watched.page.evaluate("document.documentElement.lang") == "ko"


def test_code_is_one_click_away(report: Watched) -> None:
    code = report.page.locator("details.code").first
    assert not code.locator("pre").is_visible()
    code.locator("summary").click()
    assert "c = Comparison(study" in code.inner_text()
    report.page.locator("#all-code").click()
    assert report.page.locator("details.code:not([open])").count() == 0
    report.page.locator("#all-code").click()
    assert report.page.locator("details.code[open]").count() == 0


def test_light_and_dark_can_be_chosen(report: Watched) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert report.page.evaluate(ground) == "rgb(255, 255, 255)"
    report.page.locator("#dark").click()
    assert report.page.evaluate(ground) == "rgb(22, 24, 27)"
    report.page.emulate_media(media="print")
    assert report.page.evaluate(ground) == "rgb(255, 255, 255)", "paper is white"
    report.page.emulate_media(media="screen")
    report.page.locator("#dark").click()
    assert report.page.evaluate(ground) == "rgb(255, 255, 255)"


def test_a_keyboard_reaches_the_content_the_code_and_the_tables(report: Watched) -> None:
    report.page.reload()
    report.page.wait_for_selector(".dt-container")
    report.page.keyboard.press("Tab")
    assert report.page.evaluate("document.activeElement.className") == "skip"
    report.page.keyboard.press("Enter")
    seen = set()
    for _ in range(60):
        report.page.keyboard.press("Tab")
        seen.add(report.page.evaluate("document.activeElement.tagName"))
    assert {"SUMMARY", "DIV"} <= seen, "code, and tables that scroll"


def test_on_paper_tables_are_whole(report: Watched) -> None:
    rows = report.page.locator(".searchable tbody tr").count()
    report.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    whole = report.page.locator(".searchable tbody tr").count()
    report.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert whole > 3 * rows
    assert report.page.locator(".searchable tbody tr").count() == rows


def test_what_a_hostile_image_brings_is_text_in_it(
    chromium: playwright.Browser, hostile_run: Path
) -> None:
    path = hostile_run / "report.html"
    with opened(chromium, path) as watched:
        watched.page.wait_for_selector(".dt-container")
        for box in watched.page.locator("input[type=search]").all():
            box.fill("<script>alert(1)")
        watched.page.locator("#all-code").click()
        watched.page.locator("thead th").first.click()
        assert watched.page.locator("h1").inner_text().startswith(hostile.NAMES[0])
        assert "<script>alert(1)</script>" in watched.page.locator("main").inner_text()
        assert watched.page.locator("script").count() == 2, "the page's own"
        assert watched.page.locator("[onerror], iframe, object, embed, svg").count() == 0
        assert watched.overflowing() == []
        watched.quiet(path.as_uri())


@pytest.mark.parametrize(("name", "given"), strange.STUDIES.items(), ids=str)
def test_slides_turn_offline_and_nothing_in_them_acts(
    chromium: playwright.Browser, presented: Callable[..., Path], name: str, given: dict[str, str]
) -> None:
    path = presented(name, **given) / "slides.html"
    with opened(chromium, path) as watched:
        page = watched.page
        page.wait_for_selector(".reveal.ready")
        sections = page.locator(".slides > section").count()
        assert sections >= 6
        seen = []
        for _ in range(sections):
            heading = page.locator(".slides > section.present").locator("h1, h2")
            seen.append(heading.inner_text())
            assert cut_off(page) == [], seen[-1]
            page.keyboard.press("ArrowRight")
        assert len(set(seen)) >= sections - 2, "a long list has several slides of one title"
        assert page.evaluate("Reveal.isLastSlide()")
        page.keyboard.press("s")
        assert page.locator(".speaker-notes").is_visible()
        assert page.locator("script").count() == 2, "the page's own"
        assert browser.serious(page) == []
        watched.quiet(path.as_uri())


def cut_off(page: playwright.Page) -> list[str]:
    """What of the slide that is shown reaches beyond it, or beyond its own box.

    Fonts may be higher than a line is, as Noto's for Korean: by their empty parts, not letters.
    """
    return page.evaluate("""() => {
      const slide = document.querySelector(".slides > section.present");
      const all = slide.getBoundingClientRect();
      return [...slide.querySelectorAll("h1, h2, .body, footer, img")].filter((one) => {
        const box = one.getBoundingClientRect();
        const above = 2 + 0.15 * parseFloat(getComputedStyle(one).fontSize);
        return box.right > all.right + 1 || box.bottom > all.bottom + 1
          || one.scrollHeight > one.clientHeight + above;
      }).map((one) => one.tagName + " " + one.textContent.slice(0, 60));
    }""")
