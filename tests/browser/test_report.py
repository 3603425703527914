"""The report in a real browser: nothing asked of the network, nothing cut off, tables search."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright import sync_api as playwright

from helpers.frames import SEVERITIES
from tests.support import browser, hostile, strange
from tests.support.browser import Watched, opened

LISTING = ".searchable[aria-label*='the images share']"
"""The table of vulnerabilities, by the heading that it stands under."""


@pytest.fixture(scope="module")
def report(chromium: playwright.Browser, finished: Path) -> Iterator[Watched]:
    """The report of the blog's study, opened."""
    with opened(chromium, finished / "report.html") as watched:
        opened_up(watched.page)
        yield watched


def opened_up(page: playwright.Page) -> None:
    """Open all chapters and their details."""
    page.wait_for_selector(".dt-container", state="attached")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


def test_it_opens_without_network_and_without_a_word(report: Watched, finished: Path) -> None:
    report.quiet((finished / "report.html").as_uri())


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1280, "dark"), (390, "light")])
def test_nothing_reaches_beyond_the_window_and_everybody_can_use_it(
    chromium: playwright.Browser, finished: Path, width: int, scheme: str
) -> None:
    path = finished / "report.html"
    with opened(chromium, path, width, color_scheme=scheme) as watched:
        opened_up(watched.page)
        assert watched.overflowing() == []
        assert browser.serious(watched.page) == []
        watched.quiet(path.as_uri())


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 800), (390, 844)])
def test_the_first_screen_holds_the_answer_and_its_reason_and_cuts_nothing(
    chromium: playwright.Browser, finished: Path, width: int, height: int
) -> None:
    with opened(chromium, finished / "report.html", width, height=height) as watched:
        page = watched.page
        last = page.locator(".lead p").last
        # What was right earlier stands there too, with its numbers.
        assert "fixable vulnerabilities against 25" in last.inner_text()
        assert bottom(last) <= height
        if width > 1000:
            figure = page.locator(".summary figure img")
            assert figure.bounding_box()["y"] < height - 150, "the figure that decided begins"
        wide = page.locator(".summary img").evaluate_all(
            "all => all.filter((one) => one.getBoundingClientRect().right > innerWidth)"
        )
        assert wide == []


def bottom(box: playwright.Locator) -> float:
    found = box.bounding_box()
    return found["y"] + found["height"]


def test_in_a_narrow_window_a_figure_can_be_enlarged(
    chromium: playwright.Browser, finished: Path
) -> None:
    with opened(chromium, finished / "report.html", 390) as watched:
        figure = watched.page.locator("main figure").first
        width = "one => one.querySelector('img').clientWidth"
        assert figure.evaluate(width) == 390
        figure.locator("img").click()
        assert figure.evaluate(width) > 800
        assert figure.evaluate("one => one.scrollWidth > one.clientWidth && one.tabIndex === 0")
        figure.locator(".zoom").click()
        assert figure.evaluate(width) == 390
        assert watched.overflowing() == []


def test_in_a_narrow_window_the_contents_open_and_close(
    chromium: playwright.Browser, finished: Path
) -> None:
    with opened(chromium, finished / "report.html", 390) as watched:
        page = watched.page
        contents = page.locator("#contents")
        assert not contents.is_visible()
        page.locator(".bar button").click()
        assert contents.is_visible()
        assert page.locator("#colours").is_visible()
        contents.locator("a", has_text="How severe").click()
        assert not contents.is_visible()
        top = page.locator("h3", has_text="How severe").first.bounding_box()["y"]
        assert bottom(page.locator(".bar")) <= top < 200


def test_the_contents_mark_where_one_is(report: Watched) -> None:
    marked = report.page.locator("#contents [aria-current]")
    for words in ("How severe", "What changed", "In short"):
        report.page.locator("h2, h3", has_text=words).first.evaluate("one => one.scrollIntoView()")
        playwright.expect(marked).to_contain_text(words)
        assert marked.count() == 1
        inside = "one => one.getBoundingClientRect().bottom <= innerHeight"
        assert marked.evaluate(inside), "the contents follow"


def test_wide_tables_say_that_they_scroll(chromium: playwright.Browser, finished: Path) -> None:
    with opened(chromium, finished / "report.html", 390) as watched:
        page = watched.page
        opened_up(page)
        table = page.locator(".table[aria-label*='Do the images differ']").first
        playwright.expect(table).to_have_attribute("aria-description", "scroll →")
        table.evaluate("one => one.scrollTo(400, 0)")
        first = table.locator("tbody td").first
        assert first.bounding_box()["x"] == table.bounding_box()["x"], "the first column stays"
        wide = page.evaluate(
            "() => [...document.querySelectorAll('.table, .dt-layout-table > div')].filter((one) =>"
            " one.scrollWidth > one.clientWidth + 1 && !one.dataset.scroll).length"
        )
        assert wide == 0


def test_ids_and_packages_lead_to_their_pages_and_a_click_is_the_only_request(
    chromium: playwright.Browser, finished: Path
) -> None:
    with opened(chromium, finished / "report.html") as watched:
        page = watched.page
        opened_up(page)
        watched.quiet((finished / "report.html").as_uri())
        context, asked = page.context, []
        context.on("request", lambda request: asked.append(request))
        link = page.locator(LISTING).locator("tbody a").first
        wanted = f"https://nvd.nist.gov/vuln/detail/{link.inner_text()}"
        assert link.get_attribute("href") == wanted
        with context.expect_page() as opening:
            link.click()
        opening.value.wait_for_load_state()
        assert [request.url for request in asked] == [wanted]
        assert "referer" not in asked[0].headers
        assert opening.value.evaluate("window.opener") is None
        packages = page.locator("td a[href*='alpinelinux'], td a[href*='debian']")
        addresses = packages.evaluate_all("all => all.map((one) => one.href)")
        assert "https://packages.debian.org/libc6" in addresses
        assert any(
            one.startswith("https://pkgs.alpinelinux.org/packages?name=") for one in addresses
        )


def test_every_entry_of_the_contents_leads_somewhere(report: Watched) -> None:
    links = report.page.locator("#contents a")
    targets = links.evaluate_all("all => all.map((link) => link.getAttribute('href'))")
    assert len(targets) > 30
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
        opened_up(watched.page)
        over = watched.page.locator("td").evaluate_all(
            "all => all.filter((one) => one.scrollWidth > one.clientWidth + 1)"
            ".map((one) => one.textContent)"
        )
        assert over == []


def test_a_chapter_opens_by_a_click_by_a_link_and_all_at_once(report: Watched) -> None:
    page = report.page
    chapters = page.locator(".chapter")
    page.reload()
    page.wait_for_selector(".dt-container", state="attached")
    assert page.locator(".chapter[open]").count() == 0
    chapters.first.locator("summary h2").click()
    assert page.locator(".chapter[open]").count() == 1
    details = chapters.first.locator("details")
    assert not details.locator("pre").first.is_visible()
    details.locator("summary").click()
    assert "c = Comparison(study" in details.inner_text()
    page.locator("#contents a", has_text="How severe").click()
    heading = page.locator("h3", has_text="How severe").first
    assert heading.is_visible()
    page.locator("#all-chapters").click()
    assert page.locator(".chapter:not([open])").count() == 0
    page.locator("#all-chapters").click()
    assert page.locator(".chapter[open]").count() == 0
    opened_up(page)


def test_light_and_dark_can_be_chosen(report: Watched) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert report.page.evaluate(ground) == "rgb(255, 255, 255)"
    button = report.page.locator("#colours")
    assert button.inner_text() == "Dark colours"
    button.click()
    assert button.inner_text() == "Light colours"
    assert report.page.evaluate(ground) == "rgb(22, 24, 27)"
    report.page.emulate_media(media="print")
    assert report.page.evaluate(ground) == "rgb(255, 255, 255)", "paper is white"
    report.page.emulate_media(media="screen")
    button.click()
    assert report.page.evaluate(ground) == "rgb(255, 255, 255)"


def test_a_keyboard_reaches_the_content_the_code_and_the_tables(report: Watched) -> None:
    # Where a link within the page was followed before, keys would begin there.
    report.page.evaluate("history.replaceState(null, '', location.pathname)")
    report.page.reload()
    opened_up(report.page)
    report.page.keyboard.press("Tab")
    assert report.page.evaluate("document.activeElement.className") == "skip"
    report.page.keyboard.press("Enter")
    seen = set()
    report.page.set_viewport_size({"width": 700, "height": 800})
    for _ in range(90):
        report.page.keyboard.press("Tab")
        seen.add(report.page.evaluate("document.activeElement.tagName"))
    report.page.set_viewport_size({"width": 1280, "height": 800})
    assert {"SUMMARY", "DIV"} <= seen, "code, and tables that scroll"


def test_on_paper_tables_are_whole_and_nothing_is_cut(report: Watched) -> None:
    page = report.page
    rows = page.locator(".searchable tbody tr").count()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    whole = page.locator(".searchable tbody tr").count()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})  # A4 between its margins
    cut = "all => all.filter((one) => one.getBoundingClientRect().right > innerWidth + 1).length"
    assert page.locator("main *").evaluate_all(cut) == 0
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert whole > 3 * rows
    assert page.locator(".searchable tbody tr").count() == rows


def test_what_a_hostile_image_brings_is_text_in_it(
    chromium: playwright.Browser, hostile_run: Path
) -> None:
    path = hostile_run / "report.html"
    with opened(chromium, path) as watched:
        opened_up(watched.page)
        for box in watched.page.locator("input[type=search]").all():
            box.fill("<script>alert(1)")
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
        assert page.locator("script").count() == 3, "the page's own"
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
