"""Slides: which there are and what each says; the page that turns them, offline and inert."""

import base64
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image
from pptx import Presentation

from helpers.answers import talk
from helpers.answers.answer import ANSWER, BANNER, SLIDE, SUMMARY, Answer
from helpers.answers.chart_data import Bars, Points
from helpers.answers.talk import Talk
from helpers.notebook import executed
from helpers.slides import outline, reveal, text_layout
from helpers.slides.geometry import KIT
from helpers.slides.outline import Slide
from helpers.studies.study import open_study
from helpers.text import i18n
from helpers.text.rich import bullets, paragraph
from tests.support import golden_runs, strange
from tests.support.executed_notebooks import (
    ALIKE,
    CHARTS,
    CHOICE,
    CLOSE,
    NO_TIME,
    notebook,
    record,
    run_of,
    talks_of,
)
from tests.support.pages import Page
from tests.support.spoken import can_be_said

Present = Callable[..., Path]
PARTS = ("# Which one?", CLOSE, ALIKE, CHOICE, "## What grew?", *CHARTS.values(), NO_TIME)


def slides(*parts: Any) -> list[Slide]:
    return outline.of_answers(executed.parts(notebook(*parts)))


def texts(slide: Slide) -> list[str]:
    return [block.phrase.plain for block in slide.blocks]


@pytest.fixture
def all_slides(tmp_path: Path) -> dict[str, Slide]:
    """The slides of a run, by title."""
    found = outline.outline(run_of(tmp_path, *PARTS), open_study("blog-2022"), record())
    return {slide.title: slide for slide in found}


def test_the_question_an_agenda_the_answer_its_evidence_what_to_do_and_an_appendix(
    all_slides: dict[str, Slide],
) -> None:
    titles = list(all_slides)
    assert titles[:4] == [
        open_study("blog-2022").question,
        "First the answer, then what it rests on",
        "Ship alpine: 0 fixable against 9",
        "Images differ in age",
    ]
    figures = [slide.figure.name for slide in all_slides.values() if slide.figure]
    assert figures == list(CHARTS)
    closing, lost, *origins = titles[4 + len(CHARTS) :]
    assert closing == "In short: ship alpine"
    assert lost == "Appendix: what was not measured"
    assert all(title.startswith("Appendix: where this comes from") for title in origins)


def test_of_the_banner_the_last_notebook_has_the_slide() -> None:
    earlier = ALIKE._replace(talks=(Talk(talk.ALIKE, "Earlier", ALIKE.text),))
    assert [slide.title for slide in slides(earlier, CHOICE, ALIKE)][1:] == ["Images differ in age"]


@pytest.mark.parametrize("language", i18n.known())
@pytest.mark.parametrize("study", ["blog-2022", "matched-2026", "rebuilt-2026"])
def test_what_is_said_of_each_answer_can_be_said(study: str, language: str) -> None:
    """Of golden runs, which hold every sentence."""
    folder = golden_runs.FOLDER / f"{study}.{language}"
    spoken: list[list[str]] = []
    for path in folder.glob("*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("  slide ("):
                spoken.append([])
            elif line.startswith("    say: "):
                spoken[-1].append(line.removeprefix("    say: "))
    assert len(spoken) >= 10
    assert [sentences for sentences in spoken if not can_be_said(sentences)] == []


def test_a_table_that_does_not_fit_ends_with_how_many_rows_are_left_out() -> None:
    rows = [[f"image-{n}", "2022-01-01"] for n in range(40)]
    table = talk.Table(["image", "built"], rows, [0.5, 0.5])
    (slide,) = slides(ALIKE._replace(talks=(Talk(talk.ALIKE, "Many", table=table),)))
    assert slide.table
    shown = len(slide.table.rows) - 1
    assert slide.table.rows[-1] == [f"and {40 - shown} more", ""]
    box = KIT.tables.box
    heights = text_layout.row_heights(slide.table, box.width, slide.size)
    assert sum(heights) <= box.height


def test_figures_that_draw_the_same_have_one_slide() -> None:
    summary = CHARTS["severity-by-capture"]
    same = summary._replace(name="severity-breakdown", role=SLIDE)
    (slide,) = slides(same, summary, same, Answer("plain", text=paragraph("x"), role=SUMMARY))
    assert slide.figure
    assert slide.figure.name == "severity-by-capture"
    size = CHARTS["size-difference"]
    assert isinstance(size.chart, Bars)
    other = msgspec.structs.replace(size.chart, baseline=0, ends=["a", "b", "c"])
    decided = CHOICE._replace(chart=other, talks=(*CHOICE.talks, Talk(talk.CHOICE, "Smallest")))
    assert [slide.title for slide in slides(size, decided)][1:] == ["Smallest"]


@pytest.mark.parametrize(
    ("chart", "why"),
    [
        (NO_TIME.chart, "No image was measured, so its growth is not known."),
        (None, "The files of no image are known."),
        (Points([], "x", "y", note="not placed: a (failed)"), "Not placed: a (failed)."),
    ],
)
def test_a_figure_on_which_nothing_is_measured_has_no_slide_but_a_reason(
    tmp_path: Path, chart: Any, why: str
) -> None:
    text = paragraph("First.") + paragraph("The files of no image are known.")
    answer = Answer("empty", "Title", text, chart=chart, role=SLIDE)
    assert slides("# What?", answer) == []
    run = run_of(tmp_path, "# What?", answer, "# And this?", answer._replace(name="other"))
    study = msgspec.structs.replace(open_study("blog-2022"), not_shown=["a *reason*"])
    (slide,) = (
        slide
        for slide in outline.outline(run, study, record())
        if slide.title == "Appendix: what was not measured"
    )
    assert texts(slide) == ["a reason", f"What? And this? {why}"]


def test_sources_are_studies_captures_versions_digests_and_the_command(tmp_path: Path) -> None:
    study = open_study("blog-2022")
    found = outline.outline(run_of(tmp_path), study, record(language="ko", theme="dark"))
    text = "\n".join(
        line for slide in found if "where this comes from" in slide.title for line in texts(slide)
    )
    assert study.facts("2026-11").db.sha256 in text
    for captured in open_study("matched-2026").facts().variants.values():
        assert captured.identity in text, "the study beside it is a source as well"
    assert "Trivy 0.76.0" in text
    assert "python -m helpers slides blog-2022 --param language=ko --param theme=dark" in text
    assert "base-image-notebooks 0.1.0" in text


@pytest.fixture
def page(tmp_path: Path) -> Page:
    run = run_of(tmp_path, *PARTS)
    return Page(reveal.write(run, open_study("blog-2022"), record()).read_text(encoding="utf-8"))


def test_the_page_has_the_slides_of_the_deck(rebuilt: Path) -> None:
    found = Page((rebuilt / "slides.html").read_text(encoding="utf-8"))
    deck = list(Presentation(str(rebuilt / "deck.pptx")).slides)
    titles = [slide.shapes.title.text_frame.text for slide in deck]
    sections = [
        section["aria-label"] for section in found.all("section") if not section.get("class")
    ]
    assert sections == titles
    assert titles[2].startswith("Ship node-24-distroless")
    assert [place.get("class") for place in found.all("template")][:-1] == ["notes"] * len(titles)
    for slide in deck:
        assert slide.notes_slide.notes_text_frame.text.split("\n")[0] in found.words
    tables = sum(shape.has_table for slide in deck for shape in slide.shapes)
    assert len(found.all("table")) == tables == 2


@pytest.fixture(scope="module")
def rebuilt(presented: Present) -> Path:
    return presented("rebuilt-2026")


def test_it_loads_nothing_and_runs_nothing_but_its_own_scripts(page: Page) -> None:
    (policy,) = [meta["content"] or "" for meta in page.all("meta") if "http-equiv" in meta]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digests = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in page.scripts
    ]
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": "'unsafe-inline'",
        "font-src": "data:",
        "script-src": " ".join(f"'sha256-{digest}'" for digest in digests),
    }
    assert len(digests) == 3
    assert not page.all("link")
    assert not page.all("iframe")
    assert not page.all("a")
    assert all("src" not in script for script in page.all("script"))


def test_pictures_are_inlined_and_say_what_they_show(page: Page) -> None:
    pictures = page.all("img")
    assert len(pictures) == len(CHARTS)
    for picture in pictures:
        assert len(picture["alt"] or "") > 20
        head, _, data = (picture["src"] or "").partition(",")
        assert head == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.size == (2560, 1160)


def test_hostile_words_are_read_and_do_nothing(tmp_path: Path) -> None:
    study = msgspec.structs.replace(
        open_study("blog-2022"),
        title=" ".join(strange.WORDS),
        question=f"{strange.WORDS[1]} {strange.WORDS[3]}",
        not_shown=[*strange.WORDS],
    )
    text = paragraph(strange.WORDS[0]) + bullets(strange.WORDS)
    answers = [
        Answer("a", strange.WORDS[1], text, chart=CHARTS["overlap"].chart, role=role)
        for role in (ANSWER, SLIDE)
    ]
    answers.append(Answer("b", role=BANNER, talks=talks_of([*strange.WORDS, "\r"])))
    path = reveal.write(run_of(tmp_path, f"# {strange.WORDS[1]}", *answers), study, record())
    found = Page(path.read_text(encoding="utf-8"))
    assert len(found.scripts) == 3
    assert not found.all("svg")
    assert all((image["src"] or "").startswith("data:image/png") for image in found.all("img"))
    ours = {"class", "lang", "charset", "name", "content", "http-equiv", "style", "aria-label"}
    ours |= {"src", "alt", "id", "title", "role", "hidden", "tabindex", "scope"}
    assert {key for _, attributes in found.tags for key in attributes} <= ours
    for word in (strange.WORDS[0], strange.WORDS[1], strange.WORDS[2], strange.WORDS[8]):
        assert word in found.words
    assert "\\u202egnp" in found.words
    assert not {"\u202e", "\x1b", "\x07"} & set(found.words)
