"""The explore notebook in a real JupyterLab: hands on widgets, bars and files, and what follows."""

import contextlib
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from playwright import sync_api as playwright

from helpers import Comparison, paths
from tests.conftest import finding, trivy
from tests.scans.test_grype import match, report_of
from tests.support import hostile, jupyter_lab
from tests.support.browser import Watched
from tests.support.jupyter_lab import Lab

expect = playwright.expect
expect.set_options(timeout=20_000)

PANEL = ".kit-panel"
PICTURE, PARTS = f"{PANEL} .kit-picture img", f"{PANEL} .kit-picture button"
ROWS = f"{PANEL} span[role=status]:has-text('rows')"


@contextlib.contextmanager
def opened(chromium: playwright.Browser, address: str) -> Iterator[Watched]:
    """A page of JupyterLab in a window of 1280 by 800 pixels."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    try:
        watched = Watched(context.new_page())
        watched.page.goto(address)
        yield watched
    finally:
        context.close()


@contextlib.contextmanager
def explored(chromium: playwright.Browser, lab: Lab, name: str = "explore") -> Iterator[Watched]:
    """The notebook, opened and run from the menu."""
    with opened(chromium, f"{lab.address}/lab/tree/{name}.ipynb?reset") as watched:
        jupyter_lab.run_all(watched.page)
        watched.page.wait_for_selector(PARTS, timeout=60_000)
        watched.page.wait_for_selector(f"{PANEL} .dt-container", timeout=60_000)
        watched.page.locator(PANEL).evaluate("panel => panel.scrollIntoView()")
        yield watched
        assert not watched.dialogs
        assert [text for text in watched.said if "Error setting state" in text] == []
        assert elsewhere(watched, lab) == []


def save(page: playwright.Page, path: Path) -> None:
    """Save a notebook from the menu, and wait until it is."""
    before = path.stat().st_mtime_ns
    page.locator(".lm-MenuBar-itemLabel", has_text="File").click()
    page.locator("#jp-mainmenu-file").get_by_text("Save Notebook", exact=True).click()
    for _ in range(100):
        # The server writes it in place.
        if path.stat().st_mtime_ns > before and path.read_bytes().endswith(b"}\n"):
            return
        page.wait_for_timeout(100)
    raise AssertionError("it was not saved")


def elsewhere(watched: Watched, lab: Lab) -> list[str]:
    """What was asked of anybody but the server."""
    return [url for url in watched.asked if not url.startswith(f"{lab.address}/")]


def alt(page: playwright.Page, text: str) -> None:
    """The first picture comes to say a text."""
    expect(page.locator(PICTURE).first).to_have_attribute("alt", text)


def rows(page: playwright.Page, text: str) -> None:
    expect(page.locator(ROWS)).to_have_text(text)


@pytest.fixture(scope="module")
def page(chromium: playwright.Browser, lab: Lab) -> Iterator[playwright.Page]:
    with explored(chromium, lab) as watched:
        yield watched.page


def test_it_opens_on_the_index_and_asks_nobody_anything(
    chromium: playwright.Browser, lab: Lab
) -> None:
    with opened(chromium, f"{lab.address}/") as watched:
        jupyter_lab.run_all(watched.page)
        watched.page.get_by_text("Alpine or distroless: the comparison").wait_for(timeout=60_000)
        assert "index.ipynb" in watched.page.title()
        watched.page.get_by_role("link", name="07-verdict").click()
        watched.page.locator("h1:visible", has_text="Which image should I ship").wait_for()
        # News would be asked about here, once all is restored.
        assert watched.page.locator(".Toastify__toast").count() == 0
        assert not [url for url in watched.asked if "/lab/api/news" in url or "update" in url]
        assert not watched.dialogs
        assert elsewhere(watched, lab) == []


def test_saving_adds_nothing_that_the_user_did_not_write(
    chromium: playwright.Browser, lab: Lab
) -> None:
    name = "01-build-and-scan.ipynb"
    saved = lab.notebooks / name
    bare = (paths.NOTEBOOKS / name).read_bytes()
    with opened(chromium, f"{lab.address}/lab/tree/{name}?reset") as watched:
        page = watched.page
        jupyter_lab.run_all(page)
        page.locator(".jp-OutputArea-output table").last.wait_for(timeout=60_000)
        save(page, saved)
        assert saved.read_bytes() == bare
        assert page.locator(".jp-OutputArea-output table").count() > 1, "the page still shows them"
        page.locator(".jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Control+End")
        page.keyboard.type("  # mine")
        save(page, saved)
        assert not watched.dialogs
        before, after = bare.splitlines(), saved.read_bytes().splitlines()
        (changed,) = (line for line in after if line not in before)
        assert changed.endswith(b'  # mine"')
        assert len(after) == len(before)


def test_another_lens_changes_picture_and_table_to_the_kits_numbers(page: playwright.Page) -> None:
    blog = Comparison("blog-2022")
    alt(page, "48 findings in nodejs-alpine, 19 in nodejs-distroless")
    rows(page, "67 of 67 rows")
    picture = page.locator(PICTURE)
    before = picture.get_attribute("src")
    distinct = blog.where(lens="vulnerabilities")
    page.get_by_label("lens: count").select_option("vulnerabilities")
    alt(page, distinct.vulnerabilities.severity().title)
    assert picture.get_attribute("src") != before
    rows(page, "41 of 41 rows")
    expect(page.locator(f"{PANEL} .dt-info")).to_have_text("1 to 10 of 41 rows")
    assert picture.evaluate("image => image.naturalWidth > 1000")
    ssl = blog.where(lens="vulnerabilities", package="ssl")
    page.get_by_label("package", exact=True).fill("ssl")
    alt(page, ssl.vulnerabilities.severity().title)
    page.get_by_role("button", name="In which images?").click()
    alt(page, ssl.vulnerabilities.overlap().title)
    page.get_by_role("button", name="Since when?").click()
    alt(page, ssl.history.growth().title)
    page.get_by_role("button", name="In which images?").click()
    page.get_by_label("package", exact=True).fill("no-such-package")
    expect(page.get_by_text("no vulnerability is counted in any image").first).to_be_visible()
    expect(picture).to_be_hidden()
    page.get_by_role("button", name="Reset").click()
    alt(page, "48 findings in nodejs-alpine, 19 in nodejs-distroless")
    rows(page, "67 of 67 rows")


def test_controls_and_picture_are_seen_together(page: playwright.Page) -> None:
    for name in ("study", "capture", "lens: count", "package", "published by"):
        box = page.get_by_label(name, exact=True).first.bounding_box()
        picture = page.locator(PICTURE).bounding_box()
        assert box
        assert picture
        assert 0 < box["y"] < 800 - box["height"]
        assert box["x"] + box["width"] < picture["x"], "beside it"
    assert picture["x"] + picture["width"] < 1280
    assert picture["y"] + picture["height"] < 800
    assert picture["width"] > 500


def test_a_click_on_a_part_or_a_key_filters_the_table(page: playwright.Page) -> None:
    part = page.get_by_role("button", name="nodejs-alpine HIGH: 31")
    part.click()
    rows(page, "31 of 67 rows")
    expect(part).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"{PANEL} .dt-info")).to_have_text("1 to 10 of 31 rows")
    expect(page.locator(f"{PANEL} .itables_anywidget tbody")).not_to_contain_text("CRITICAL")
    page.get_by_role("button", name="✕ clear").click()
    rows(page, "67 of 67 rows")
    expect(part).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="nodejs-distroless HIGH: 1", exact=True).focus()
    page.keyboard.press("Enter")
    rows(page, "1 of 67 rows")
    page.keyboard.press("Enter")
    rows(page, "67 of 67 rows")
    page.get_by_label("show", exact=True).select_option("nodejs-alpine LOW: 2")
    rows(page, "2 of 67 rows")
    page.get_by_label("show", exact=True).select_option("all")
    blog = Comparison("blog-2022")
    for picture, title, name, left in (
        (
            "In which images?",
            blog.vulnerabilities.overlap().title,
            "nodejs-distroless HIGH: 1",
            "1 of 67 rows",
        ),
        (
            "Since when?",
            blog.history.growth().title,
            "nodejs-alpine until 2019-12-24",
            "4 of 67 rows",
        ),
    ):
        page.get_by_role("button", name=picture).click()
        alt(page, title)
        part = page.get_by_role("button", name=name).first
        part.click()
        rows(page, left)
        expect(part).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="How severe?").click()
    rows(page, "67 of 67 rows")


def test_the_keyboard_alone_chooses_presses_folds_and_takes_back(page: playwright.Page) -> None:
    page.get_by_label("lens: count").focus()
    page.keyboard.press("v")
    alt(
        page, Comparison("blog-2022").where(lens="vulnerabilities").vulnerabilities.severity().title
    )
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.kit-picture') !== null"):
            break
    name = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(name) == "nodejs-alpine CRITICAL: 2"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(name) == "nodejs-alpine HIGH: 16"
    page.keyboard.press("Enter")
    rows(page, "16 of 41 rows")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.kit-picture') === null"), "one stop"
    fold = page.get_by_role("button", name="What counts")
    fold.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("lens: count")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.get_by_label("lens: count")).to_be_visible()
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    rows(page, "67 of 67 rows")


def test_what_is_shown_is_kept_as_files_code_and_parameters(
    page: playwright.Page, tmp_path: Path
) -> None:
    page.get_by_label("only fixable").check()
    wanted = Comparison("blog-2022").where(fixable=True).vulnerabilities.severity()
    alt(page, wanted.title)
    page.get_by_role("button", name="Keep it").click()
    for words, end, begins in (
        ("PNG", "png", b"\x89PNG"),
        ("SVG", "svg", b"<?xml"),
        ("CSV", "csv", b"capture,variant"),
    ):
        with page.expect_download() as download:
            page.get_by_role("button", name=words, exact=True).click()
        assert (
            download.value.suggested_filename
            == f"blog-2022_2022-02_findings_fixable.severity.{end}"
        )
        download.value.save_as(tmp_path / end)
        assert (tmp_path / end).read_bytes().startswith(begins)
    page.get_by_role("button", name="Copy code").click()
    expect(page.get_by_text("copied")).to_be_visible()
    code = page.evaluate("navigator.clipboard.readText()")
    names = run_in_a_fresh_kernel(code, tmp_path)
    assert names["title"] == wanted.title
    assert names["footer"] == wanted.footer
    assert names["findings"] == 48
    page.get_by_role("button", name="Copy parameters").click()
    page.wait_for_timeout(200)
    assert "view: str = 'capture=2022-02&fixable=1'" in page.evaluate(
        "navigator.clipboard.readText()"
    )
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Reset").click()
    rows(page, "67 of 67 rows")


def run_in_a_fresh_kernel(code: str, folder: Path) -> dict[str, Any]:
    """Run code in a kernel that knows nothing, and return the answer's title and its findings."""
    told = "print(json.dumps([_.title, _.footer, len(findings)]))"
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell(f"import json\n{told}")]
    )
    ran = NotebookClient(book, resources={"metadata": {"path": str(folder)}}).execute()
    title, footer, findings = json.loads(ran.cells[1].outputs[0].text)
    return {"title": title, "footer": footer, "findings": findings}


def test_the_table_searches_sorts_filters_and_downloads(
    page: playwright.Page, tmp_path: Path
) -> None:
    box = page.locator(f"{PANEL} .dt-container")
    # The status is there before the rows are; what is typed into the table before goes with it.
    expect(page.locator(f"{PANEL} .dt-info")).to_have_text("1 to 10 of 67 rows")
    box.locator("input[type=search]").fill("CVE-2021-36159")
    expect(page.locator(f"{PANEL} .dt-info")).to_contain_text("1 to 1 of 1")
    with page.expect_download() as download:
        page.get_by_text("Download CSV").click()
    assert download.value.suggested_filename == "blog-2022_2022-02_findings.findings.csv"
    download.value.save_as(tmp_path / "found.csv")
    with (tmp_path / "found.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["vulnerability id"] == "CVE-2021-36159"
    assert row["severity"] == "CRITICAL"
    box.locator("input[type=search]").fill("")
    page.get_by_placeholder("severity").press_sequentially("LOW")
    expect(page.locator(f"{PANEL} .dt-info")).to_contain_text("of 14")
    page.get_by_placeholder("severity").clear()
    page.keyboard.press("Backspace")
    expect(page.locator(f"{PANEL} .dt-info")).to_have_text("1 to 10 of 67 rows")
    heading = box.locator("thead th", has_text="severity")
    heading.click()
    first = box.locator("tbody tr").first
    expect(first).to_contain_text("LOW")
    heading.click()
    expect(first).to_contain_text("CRITICAL")


def test_a_report_that_is_dropped_joins_the_comparison(
    page: playwright.Page, tmp_path: Path
) -> None:
    content = json.dumps(trivy(*(finding(number) for number in range(5))))
    moved = page.evaluate_handle(
        """text => {
          const moved = new DataTransfer();
          moved.items.add(new File([text], "mine.json", { type: "application/json" }));
          return moved;
        }""",
        content,
    )
    page.get_by_role("button", name="Own reports").click()
    page.locator(".kit-dropzone").dispatch_event("drop", {"dataTransfer": moved})
    alt(page, "48 findings in nodejs-alpine, 5 to 19 in the other 2")
    expect(page.locator(f"{PANEL} [role=note]")).to_contain_text("DIFFERENT scanners or databases")
    # Larger than one message: it comes in pieces.
    many = report_of(*(match(number, description="x" * 400) for number in range(6_000)))
    (tmp_path / "large.json").write_text(json.dumps(many))
    (tmp_path / "bad.json").write_text("no json")
    assert (tmp_path / "large.json").stat().st_size > 4_200_000
    page.locator(".kit-dropzone input").set_input_files(tmp_path / "large.json")
    rows(page, "5,000 of 6,072 rows")
    page.locator(".kit-dropzone input").set_input_files(tmp_path / "bad.json")
    expect(page.locator(f"{PANEL} [role=alert]")).to_contain_text("bad.json: ")
    rows(page, "5,000 of 6,072 rows")
    page.get_by_role("button", name="Remove own reports").click()
    rows(page, "67 of 67 rows")


def test_nothing_is_cut_off_at_1280_pixels(page: playwright.Page) -> None:
    cells = page.locator(".jp-Notebook .jp-OutputArea-output")
    for place in range(cells.count()):
        cells.nth(place).scroll_into_view_if_needed()
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".jp-OutputArea-output img, .kit-dropzone, "
            + ".jp-OutputArea-output select, .kit-picture button")]
          .filter((one) => one.getBoundingClientRect().right > innerWidth)
          .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert cut == []
    table = page.locator(".itables_anywidget table").first
    assert table.evaluate(
        """one => {
          for (let over = one.parentElement; over; over = over.parentElement)
            if (["auto", "scroll"].includes(getComputedStyle(over).overflowX)) return true;
          return false;
        }"""
    ), "a wide table scrolls in a box of its own"


def test_a_hostile_study_is_inert(chromium: playwright.Browser, lab: Lab, tmp_path: Path) -> None:
    with explored(chromium, lab, "explore-hostile") as watched:
        page = watched.page
        named = tmp_path / "<img src=x onerror=alert(1)>.json"
        named.write_text(json.dumps(trivy(finding(PkgName=hostile.NAMES[1]))))
        page.locator(".kit-dropzone input").set_input_files(named)
        expect(page.get_by_label("variants")).to_contain_text("img-src-x-onerror-alert-1")
        page.get_by_label("package", exact=True).fill(hostile.NAMES[1])
        page.get_by_label("package", exact=True).fill("")
        box = page.locator(f"{PANEL} .dt-container")
        box.locator("input[type=search]").fill("<script>alert(1)")
        expect(box.locator("tbody")).to_contain_text("<script>alert(1)</script>")
        box.locator("input[type=search]").fill("")
        with page.expect_download() as download:
            page.get_by_text("Download CSV").click()
        download.value.save_as(tmp_path / "all.csv")
        assert page.locator(".jp-Notebook [onerror], .jp-OutputArea script").count() == 0
        with (tmp_path / "all.csv").open(encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert hostile.NAMES[0] in cells
        assert not [cell for cell in cells if cell.lstrip()[:1] in ("=", "+", "-", "@")]
