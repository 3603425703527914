"""Slides: which there are and what each says; the page that turns them, offline and inert."""

import base64
import hashlib
import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image
from pptx import Presentation

from helpers import paths
from helpers.answers.answer import ANSWER, BANNER, SLIDE, SUMMARY, Answer
from helpers.answers.chart import Points
from helpers.notebook import executed
from helpers.slides import outline, reveal
from helpers.slides.outline import Slide
from helpers.studies.study import open_study
from helpers.text.rich import bullets, paragraph
from tests.support import strange
from tests.support.executed_notebooks import (
    ALIKE,
    CHARTS,
    CHOICE,
    FOOTER,
    NO_TIME,
    notebook,
    recommended,
    record,
    run_of,
)
from tests.support.pages import Page

Present = Callable[..., Path]
PARTS = ("# Which one?", ALIKE, CHOICE, "## What grew?", *CHARTS.values(), NO_TIME)


def slides(*parts: Any) -> list[Slide]:
    return outline.of_answers(executed.parts(notebook(*parts)))


def texts(slide: Slide) -> list[str]:
    return [block.phrase.plain for block in slide.blocks]


@pytest.fixture
def all_slides(tmp_path: Path) -> dict[str, Slide]:
    """The slides of a run, by title."""
    found = outline.outline(run_of(tmp_path, *PARTS), open_study("blog-2022"), record())
    return {slide.title: slide for slide in found}


def test_the_question_then_the_answer_then_its_evidence_then_its_sources(
    all_slides: dict[str, Slide],
) -> None:
    assert list(all_slides)[:3] == [
        open_study("blog-2022").title,
        "By the database of 2026: ship alpine.",
        "Images differ in age.",
    ]
    figures = [slide.figure.name for slide in all_slides.values() if slide.figure]
    assert figures == list(CHARTS)
    assert list(all_slides)[3 + len(CHARTS)] == "What was not measured"
    assert list(all_slides)[-1].startswith("Where this comes from")


def test_the_answer_is_chosen_by_the_roles_of_its_parts() -> None:
    (slide,) = slides(CHOICE)
    assert [(block.level, block.phrase.plain) for block in slide.blocks] == [
        (0, "Counted: vulnerabilities."),
        (1, "alpine: penalty 0.00; 0 fixable"),
        (1, "debian: penalty 1.00; 9 fixable"),
        (1, "Not a candidate: broken, its capture failed."),
        (1, "A choice of these images, not of bases."),
    ]
    assert slide.notes == recommended().plain


def test_all_answers_are_in_the_notes_of_one_slide_whichever_notebook_is_first() -> None:
    brief = Answer("coverage", text=paragraph("Half was looked at."), role=ANSWER)
    (slide,) = slides(brief, Answer("none", role=ANSWER), CHOICE, brief)
    assert slide.title == "By the database of 2026: ship alpine."
    assert slide.notes.endswith("\n\nHalf was looked at.")


def test_what_a_title_cuts_off_is_below_it_and_what_does_not_fit_is_in_the_notes() -> None:
    head = " ".join(map("name-{}".format, range(60)))
    (slide,) = slides(ALIKE._replace(text=paragraph(head) + bullets(["a"])))
    assert slide.title.endswith(" …")
    assert texts(slide) == ["a", head]
    many = paragraph("Head.") + bullets(f"line {n}" for n in range(60))
    (slide,) = slides(ALIKE._replace(text=many))
    assert texts(slide)[-1] == "… more in the notes"
    assert "line 59" in slide.notes


def test_a_figure_that_draws_what_one_of_the_summary_draws_has_no_slide() -> None:
    summary = CHARTS["severity-by-capture"]
    same = summary._replace(name="severity-breakdown", role=SLIDE)
    (slide,) = slides(same, summary, same, Answer("plain", text=paragraph("x"), role=SUMMARY))
    assert slide.figure
    assert slide.figure.name == "severity-by-capture"


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
        if slide.title == "What was not measured"
    )
    assert texts(slide) == ["a reason", f"What? And this? {why}"]


def test_notes_say_what_is_counted_what_it_means_and_where_it_is_from() -> None:
    (slide,) = slides(CHARTS["severity-by-capture"])
    assert slide.notes.split("\n\n") == [
        "Findings: alpine 48, debian 19",
        "Counted: findings",
        "• alpine has fewer\n• as apk says",
        f"Evidence: {FOOTER}",
        "Data: tables/severity-by-capture.csv",
    ]
    assert slide.figure
    assert slide.figure.alt == "Findings: alpine 48, debian 19. alpine has fewer as apk says"
    assert slide.footer == FOOTER


def test_sources_are_studies_captures_versions_digests_and_the_command(tmp_path: Path) -> None:
    study = open_study("blog-2022")
    found = outline.outline(run_of(tmp_path), study, record(language="ko", theme="dark"))
    text = "\n".join(slide.notes for slide in found if slide.title.startswith("Where this"))
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
    assert "ship node-24-distroless" in titles[1]
    assert [place.get("class") for place in found.all("template")][:-1] == ["notes"] * len(titles)
    for slide in deck:
        assert slide.notes_slide.notes_text_frame.text.split("\n")[0] in found.words


@pytest.fixture(scope="module")
def rebuilt(presented: Present) -> Path:
    return presented("rebuilt-2026")


def test_three_figures_are_the_summary_and_none_has_two_slides(rebuilt: Path) -> None:
    books = sorted((rebuilt / "notebooks").glob("*.ipynb"))
    parts = [part for path in books for part in executed.read(path)]
    shown = [part.record for part in parts if isinstance(part, executed.Shown)]
    assert [answer.name for answer in shown if answer.role == SUMMARY and answer.chart] == [
        *("size-difference", "attack-surface", "trade-off"),
    ]
    assert {answer.name for answer in shown if answer.role == BANNER} == {"confounders"}
    figures = [slide.figure.name for slide in outline.of_answers(parts) if slide.figure]
    assert len(figures) == len(set(figures))
    # With no time passed nothing grows.
    wanted = {answer.name for answer in shown if answer.role in (SUMMARY, SLIDE) and answer.chart}
    assert wanted - {*figures} == {"growth"}


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
        for role in (ANSWER, BANNER, SLIDE)
    ]
    path = reveal.write(run_of(tmp_path, f"# {strange.WORDS[1]}", *answers), study, record())
    found = Page(path.read_text(encoding="utf-8"))
    assert len(found.scripts) == 3
    assert not found.all("svg")
    assert all((image["src"] or "").startswith("data:image/png") for image in found.all("img"))
    ours = {"class", "lang", "charset", "name", "content", "http-equiv", "style", "aria-label"}
    ours |= {"src", "alt", "id", "title", "role", "hidden", "tabindex"}
    assert {key for _, attributes in found.tags for key in attributes} <= ours
    for word in (strange.WORDS[0], strange.WORDS[1], strange.WORDS[2], strange.WORDS[8]):
        assert word in found.words
    assert "\\u202egnp" in found.words
    assert not {"\u202e", "\x1b", "\x07"} & set(found.words)


def test_make_passes_on_the_look_but_not_the_language_of_the_terminal() -> None:
    def command(*given: str) -> str:
        done = subprocess.run(
            ["make", "--dry-run", "--no-print-directory", "slides", *given],
            cwd=paths.ROOT,
            env={**os.environ, "LANGUAGE": "en_US:en", "THEME": "terminal", "TEMPLATE": "terminal"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip().splitlines()[-1]

    assert command("STUDY=x").endswith("-m helpers slides x")
    assert command("STUDY=x", "TEMPLATE=my own.pptx").endswith(
        '-m helpers slides x --template "my own.pptx"'
    )
    assert command("STUDY=x", "LANGUAGE=ko", "THEME=dark", "TRANSPARENT=1").endswith(
        "-m helpers slides x --param language=ko --param theme=dark --param transparent=1"
    )
