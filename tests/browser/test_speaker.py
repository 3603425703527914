"""The speaker's window: in step with the slides, offline, and the only place that shows notes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright import sync_api as playwright

from helpers.answers.talk import Talk
from helpers.slides import reveal
from helpers.studies.study import open_study
from helpers.text import i18n
from tests.support import browser
from tests.support.browser import Watched, opened
from tests.support.executed_notebooks import (
    ALIKE,
    CHARTS,
    CHOICE,
    record,
    run_of,
)

NOTE = "Nobody but the speaker reads this."
"""Words that are in the notes of a slide, and on none."""

TOLD = CHARTS["severity-by-capture"]._replace(talks=(Talk(spoken=(NOTE,)),))
PARTS = ("# Which?", ALIKE, CHOICE, *{**CHARTS, TOLD.name: TOLD}.values())


class Show(NamedTuple):
    """The slides, the speaker's window, and what both said."""

    watched: Watched
    slides: playwright.Page
    speaker: playwright.Page


LATER = re.compile(r"^0:0\d:(?!00)\d\d$")
"""The clock's text once it runs: a busy machine may not see each second."""

EACH = pytest.mark.parametrize("path", ["en", "ko"], indirect=True)
"""For what words, letters and colours decide."""


@pytest.fixture(scope="module")
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slides in a light theme, and in Korean in a dark one."""
    language = getattr(request, "param", "en")
    given = {"language": language, "theme": "dark"} if language == "ko" else {}
    run = run_of(tmp_path_factory.mktemp("speaker"), *PARTS)
    with i18n.speaking(language):
        return reveal.write(run, open_study("blog-2022"), record(**given))


@pytest.fixture
def show(chromium: playwright.Browser, path: Path) -> Iterator[Show]:
    """Both windows, opened by the key S."""
    with opened(chromium, path) as watched:
        page = watched.page
        page.context.on("console", lambda message: watched.said.append(message.text))
        page.wait_for_selector(".reveal.ready")
        with page.context.expect_page() as opening:
            page.keyboard.press("s")
        yield Show(watched, page, opening.value)


def at(page: playwright.Page) -> int:
    """The place of the slide that is shown."""
    return int(page.evaluate("Reveal.getIndices().h"))


def to_the_note(page: playwright.Page) -> None:
    """Turn to the slide that has the note."""
    sections = page.locator(".slides > section")
    note = "(all, note) => all.findIndex((one) => one.querySelector('.notes').innerHTML === note)"
    for _ in range(sections.evaluate_all(note, NOTE)):
        page.keyboard.press("ArrowRight")


def title(page: playwright.Page, place: int) -> str:
    section = page.locator(".slides section").nth(place)
    return str(section.get_attribute("aria-label"))


def in_step(show: Show, place: int) -> None:
    """Both windows are at a slide, and the speaker's shows that one and the next."""
    count = show.slides.locator(".slides > section").count()
    assert at(show.slides) == place
    assert show.speaker.locator(".place").inner_text() == f"{place + 1} / {count}"
    for name, shown in (("this", place), ("next", place + 1)):
        heading = show.speaker.locator(f".{name} .stage section").locator("h1, h2")
        expected = [title(show.slides, shown)] if shown < count else []
        assert heading.all_inner_texts() == expected
        assert show.speaker.locator(f".{name} .last").is_visible() is not bool(expected)
    note = "one => one.querySelector('.notes').content.textContent"
    expected_note = show.slides.locator(".slides > section").nth(place).evaluate(note)
    assert show.speaker.locator(".said").evaluate("one => one.textContent") == expected_note


def test_keys_in_either_window_move_both(show: Show) -> None:
    last = show.slides.locator(".slides > section").count() - 1
    in_step(show, 0)
    for window in (show.speaker, show.slides):
        window.bring_to_front()
        for key, place in (
            *(("ArrowRight", 1), (" ", 2), ("PageDown", 3), ("ArrowDown", 4), ("ArrowLeft", 3)),
            *(("PageUp", 2), ("ArrowUp", 1), ("Shift+ ", 0), ("End", last), ("Home", 0)),
        ):
            window.keyboard.press(key)
            in_step(show, place)
    show.slides.keyboard.press("End")
    in_step(show, last)


def test_the_clock_runs_from_the_start_and_can_be_set_back(show: Show) -> None:
    elapsed = show.speaker.locator(".elapsed")
    playwright.expect(elapsed).to_have_text(LATER, timeout=20_000)
    # At once, before the clock goes on.
    reset = "elapsed => (document.querySelector('[name=reset]').click(), elapsed.innerText)"
    assert elapsed.evaluate(reset) == "0:00:00"
    assert ":" in show.speaker.locator(".now").inner_text()


def test_the_audience_never_sees_notes(show: Show) -> None:
    to_the_note(show.slides)
    assert NOTE in show.speaker.locator(".said").inner_text()
    for width in (1280, 700, 390):
        show.slides.set_viewport_size({"width": width, "height": 800})
        for key in ("s", "o", "o", "?", "Escape", "b", "b"):
            show.slides.keyboard.press(key)
            assert NOTE not in show.slides.locator("body").inner_text(), (width, key)
    show.slides.emulate_media(media="print")
    assert NOTE not in show.slides.locator("body").inner_text()
    assert not show.watched.said
    show.slides.set_viewport_size({"width": 1280, "height": 720})
    show.slides.wait_for_selector(".slides > section")
    pages = re.findall(rb"/Type\s*/Page\b", show.slides.pdf())
    assert len(pages) == show.slides.locator(".slides > section").count()


@pytest.mark.parametrize("options", [{"java_script_enabled": False}, {}])
def test_no_notes_without_scripts_or_by_an_address(
    chromium: playwright.Browser, path: Path, options: dict[str, bool]
) -> None:
    with opened(chromium, path, **options) as watched:
        place = path.read_text(encoding="utf-8").partition(NOTE)[0].count("<section aria-label") - 1
        watched.page.goto(f"{path.as_uri()}?showNotes=true&view=print#/{place}")
        assert watched.page.locator(f"template:text('{NOTE}')").count() == 0
        main = watched.page.locator("main")
        playwright.expect(main).to_contain_text(TOLD.title, use_inner_text=True)
        assert NOTE not in main.inner_text()


def test_closing_or_reloading_either_window_is_harmless(show: Show) -> None:
    playwright.expect(show.speaker.locator(".elapsed")).to_have_text(LATER, timeout=20_000)
    with show.speaker.expect_event("close"):
        # A window that is loaded anew is empty; it closes instead.
        show.speaker.evaluate("location.reload()")
    show.slides.keyboard.press("ArrowRight")
    again = reopened(show)
    in_step(again, 1)
    assert again.speaker.locator(".elapsed").inner_text() >= "0:00:01", "the clock went on"
    with again.speaker.expect_event("close"):
        again.slides.reload()
    again.slides.wait_for_selector(".reveal.ready")
    last = reopened(show)
    in_step(last, 1)
    assert last.speaker.locator(".elapsed").inner_text() >= "0:00:01"
    last.speaker.close()
    last.slides.keyboard.press("ArrowRight")
    assert at(last.slides) == 2
    assert not show.watched.said


def reopened(show: Show) -> Show:
    with show.slides.context.expect_page() as opening:
        show.slides.locator("#open-speaker").click()
    return show._replace(speaker=opening.value)


@EACH
def test_a_blocked_window_is_told_of_in_one_line_without_notes(
    chromium: playwright.Browser, path: Path
) -> None:
    with opened(chromium, path) as watched:
        page = watched.page
        page.wait_for_selector(".reveal.ready")
        page.keyboard.press("End")
        page.evaluate("window.open = () => null")
        assert not page.locator("#blocked").is_visible()
        page.locator("#open-speaker").focus()
        page.keyboard.press("Enter")
        told = page.locator("#blocked")
        assert told.is_visible()
        assert told.bounding_box()["height"] < 40
        assert "S" in told.inner_text()
        page.keyboard.press("Home")
        assert not watched.said


@EACH
def test_no_script_runs_in_the_window_and_nothing_is_asked_for(show: Show, path: Path) -> None:
    show.watched.quiet(path.as_uri())
    assert show.speaker.locator("script").count() == 0
    assert show.speaker.locator("[onclick], [onload], [onerror]").count() == 0
    assert browser.serious(show.slides) == []
    # What is written into the window is under the policy of the page.
    show.speaker.evaluate(
        "() => { const one = document.createElement('script'); one.textContent = 'window.ran = 1';"
        " document.body.append(one); }"
    )
    assert show.speaker.evaluate("window.ran") is None
    assert any("violates" in said for said in show.watched.said)


@EACH
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (600, 900)])
def test_everything_of_the_window_is_in_it(show: Show, width: int, height: int) -> None:
    show.speaker.set_viewport_size({"width": width, "height": height})
    to_the_note(show.slides)
    # What is observed is told after the next frame.
    show.speaker.wait_for_timeout(200)
    assert Watched(show.speaker).overflowing() == []
    stage = show.speaker.locator(".this .stage")
    box, slide = stage.bounding_box(), stage.locator("section").bounding_box()
    assert slide["width"] == pytest.approx(box["width"], abs=2)
    assert slide["height"] == pytest.approx(box["height"], abs=2)
    if width > 700:
        for one in (".next .stage", ".told"):
            shown = show.speaker.locator(one).bounding_box()
            assert shown["y"] + shown["height"] <= height
