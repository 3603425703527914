"""Slides: which there are and what each says; the page that turns them, offline and inert."""

import base64
import hashlib
import io
import os
import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from PIL import Image
from pptx import Presentation

from helpers import cli, paths
from helpers.runs import run
from helpers.slides import outline
from helpers.studies import study
from helpers.text import markdown
from tests.support import strange

Present = Callable[..., Path]


class Page(HTMLParser):
    """Collects elements, what is in scripts and what is read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words = ""
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts[-1] += data
        elif self.inside != "style":
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(run: Path) -> Page:
    return Page((run / "slides.html").read_text(encoding="utf-8"))


def titles(run: Path) -> list[str]:
    slides = Presentation(str(run / "deck.pptx")).slides
    return [slide.shapes.title.text_frame.text for slide in slides]


def notes(run: Path) -> list[str]:
    slides = Presentation(str(run / "deck.pptx")).slides
    return [slide.notes_slide.notes_text_frame.text for slide in slides]


def body(run: Path, title: str) -> str:
    slides = Presentation(str(run / "deck.pptx")).slides
    return "\n".join(
        shape.text_frame.text
        for slide in slides
        if slide.shapes.title.text_frame.text.startswith(title)
        for shape in slide.shapes
        if shape.has_text_frame
    )


@pytest.fixture(scope="module")
def rebuilt(presented: Present) -> Path:
    return presented("rebuilt-2026")


@pytest.fixture(scope="module")
def korean(presented: Present) -> Path:
    return presented("blog-2022", language="ko", theme="dark", transparent="true")


@pytest.fixture(scope="module")
def hostile(presented: Present) -> Path:
    return presented("hostile", mixed="true")


def test_the_question_then_the_answer_then_its_evidence_then_its_sources(rebuilt: Path) -> None:
    found = titles(rebuilt)
    assert found[0] == study.open_study("rebuilt-2026").title
    assert "ship node-24-distroless" in found[1]
    assert found[2].startswith("Not like with like")
    assert found[3].startswith("Findings, 2026-11-24: node-24-debian 74")
    assert found[-2:] == ["What was not measured", "Where this comes from"]


def test_each_figure_for_slides_has_one_and_none_is_there_twice(rebuilt: Path) -> None:
    books = [nbformat.read(path, as_version=4) for path in paths.notebooks()]
    wanted = [
        re.search(r'\.figure\(\s*"([\w-]+)"', cell.source)[1]
        for book in books
        for cell in book.cells
        if {"slide", "summary"} & {*cell.metadata.get("tags", [])} and ".figure(" in cell.source
    ]
    files = [re.search(r"tables/([\w-]+)\.csv", note) for note in notes(rebuilt)]
    shown = [file[1] for file in files if file]
    # With one capture the first shows what the third does; with no time passed nothing grows.
    assert shown == [name for name in wanted if name not in ("severity-breakdown", "growth")]


def test_four_figures_are_the_summary() -> None:
    books = [nbformat.read(path, as_version=4) for path in paths.notebooks()]
    tagged = [
        re.search(r'\.figure\(\s*"([\w-]+)"', cell.source)[1]
        for book in books
        for cell in book.cells
        if "summary" in cell.metadata.get("tags", []) and ".figure(" in cell.source
    ]
    assert tagged == ["severity-by-capture", "size-difference", "attack-surface", "trade-off"]


def test_notes_say_what_is_counted_what_it_means_and_where_it_is_from(korean: Path) -> None:
    note = next(note for note in notes(korean) if "tables/severity-breakdown.csv" in note)
    assert "연구 blog-2022 · 수집본 2022-02" in note
    assert "Trivy 0.76.0" in note
    assert "nodejs-alpine" in note.split("연구 blog-2022")[0].partition("\n")[2]
    assert "**" not in note
    assert "\\_" not in note


def test_the_answer_says_what_is_counted_who_is_no_candidate_and_its_cautions(
    rebuilt: Path, korean: Path, hostile: Path
) -> None:
    told = body(rebuilt, "By the database of")
    assert "\nCounted: vulnerabilities; fixes are those of the database.\n" in told
    assert "Not weighed: unfixed vulnerabilities, which cannot be seen in node-24-alpine" in told
    assert "Weighed: fixable" not in told
    assert "Weighed: fixable" in notes(rebuilt)[1]
    told = body(korean, "2022-02-28 데이터베이스 기준")
    assert "\n집계 대상: 취약점. 수정 여부는 데이터베이스를 따릅니다.\n" in told
    assert "베이스가 아니라 이미지의 선택입니다" in told
    assert "가중치:" not in told
    told = body(hostile, "No choice between")
    assert "Counted: vulnerabilities" in told
    assert all(f"\n{name}: penalty 0.00; 0 fixable" in told for name in strange.NAMES[:4])
    assert f"\nNot a candidate: {strange.NAMES[4]}, its capture failed." in told
    assert f"\nNot a candidate: {strange.NAMES[5]}, " in told


def test_what_a_title_cuts_off_is_below_it() -> None:
    head = markdown.line(" ".join(map("name-{}".format, range(60))))
    told = outline._text(head, [markdown.line("a", 1)], [], "", (24, 18))
    assert told.title.endswith(" …")
    assert [one.text for one in told.lines] == ["a", head.text]


def test_a_figure_on_which_nothing_is_measured_has_no_slide(
    hostile: Path, presented: Present
) -> None:
    for one in (hostile, presented("alone")):
        assert not any("tables/attack-surface.csv" in note for note in notes(one))
        assert not any("What an attacker finds" in title for title in titles(one))
        assert "What is there? not measured" in body(one, "What was not measured")


def test_what_was_not_measured_is_the_studys_list_and_what_could_not_be_drawn(
    rebuilt: Path, hostile: Path
) -> None:
    told = body(rebuilt, "What was not measured")
    for reason in study.open_study("rebuilt-2026").not_shown:
        assert reason in told
    assert "No time has passed between these images and the database" in told
    assert "The files of no image are known" in body(hostile, "What was not measured")


def test_sources_are_studies_captures_versions_digests_and_the_command(
    rebuilt: Path, korean: Path
) -> None:
    told = body(rebuilt, "Where this comes from")
    facts = study.open_study("rebuilt-2026").facts()
    assert facts.db.sha256 in told
    for captured in facts.variants.values():
        assert captured.identity in told
    assert "Trivy 0.76.0" in told
    assert "python -m helpers slides rebuilt-2026" in told
    assert "base-image-notebooks 0.1.0" in told
    told = body(korean, "출처")
    assert "--param language=ko --param theme=dark --param transparent=true" in told
    assert "matched-2026" in told, "the study beside it is a source as well"
    assert study.open_study("blog-2022").facts("2026-11").db.sha256 in told


def test_the_page_has_the_slides_of_the_deck(rebuilt: Path) -> None:
    found = page(rebuilt)
    assert [one["aria-label"] for one in found.all("section")] == titles(rebuilt)
    assert len(found.all("aside")) == len(titles(rebuilt))
    assert [one["lang"] for one in found.all("html")] == ["en"]
    for note in notes(rebuilt):
        assert note.split("\n")[0] in found.words


def test_it_loads_nothing_and_runs_nothing_but_its_own_two_scripts(rebuilt: Path) -> None:
    found = page(rebuilt)
    (policy,) = [meta["content"] or "" for meta in found.all("meta") if "http-equiv" in meta]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digests = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in found.scripts
    ]
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": "'unsafe-inline'",
        "font-src": "data:",
        "script-src": " ".join(f"'sha256-{digest}'" for digest in digests),
    }
    assert len(digests) == 2
    assert not found.all("link")
    assert not found.all("iframe")
    assert not found.all("a")
    assert all("src" not in script for script in found.all("script"))


def test_pictures_are_inlined_without_their_own_title_and_say_what_they_show(rebuilt: Path) -> None:
    pictures = page(rebuilt).all("img")
    assert len(pictures) == 8
    for picture in pictures:
        assert len(picture["alt"] or "") > 20
        head, _, data = (picture["src"] or "").partition(",")
        assert head == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.width == 2560
            assert 1000 < image.height < 1300


def test_the_page_speaks_korean_in_the_dark(korean: Path) -> None:
    text = (korean / "slides.html").read_text(encoding="utf-8")
    assert '<html lang="ko"' in text
    assert "--paper: #16181b" in text
    assert "측정하지 않은 것" in text
    assert "Noto Sans CJK KR" in text


def test_hostile_words_are_read_and_do_nothing(hostile: Path) -> None:
    found = page(hostile)
    assert len(found.scripts) == 2
    assert not found.all("svg")
    assert all((one["src"] or "").startswith("data:image/png") for one in found.all("img"))
    ours = {"class", "lang", "charset", "name", "content", "http-equiv", "style", "aria-label"}
    assert {key for _, attributes in found.tags for key in attributes} <= ours | {"src", "alt"}
    for word in (strange.WORDS[0], strange.WORDS[1], strange.WORDS[2], strange.WORDS[8]):
        assert word in found.words
    assert "\\u202egnp" in found.words
    assert not {"\u202e", "\x1b", "\x07"} & set(found.words)


def test_slides_are_in_the_run_or_there_is_no_run(data: Path) -> None:
    def fails(*_: object) -> Path:
        raise OSError("no room")

    one = [paths.NOTEBOOKS / "05-verdict.ipynb"]
    with pytest.raises(OSError, match="no room"):
        run.reproduce("blog-2022", notebooks=one, finish=[fails])
    assert list((data / "runs").iterdir()) == []


def test_make_passes_on_the_look_but_not_the_language_of_the_terminal() -> None:
    def command(*given: str) -> str:
        done = subprocess.run(
            ["make", "--dry-run", "--no-print-directory", "slides", *given],
            cwd=paths.ROOT,
            env={**os.environ, "LANGUAGE": "en_US:en", "THEME": "terminal"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip().splitlines()[-1]

    assert command("STUDY=x").endswith("-m helpers slides x")
    assert command("STUDY=x", "LANGUAGE=ko", "THEME=dark", "TRANSPARENT=1").endswith(
        "-m helpers slides x --param language=ko --param theme=dark --param transparent=1"
    )


def test_the_command_says_what_it_takes() -> None:
    assert cli.slides.help
    assert {one.name for one in cli.slides.params} == {"study", "given"}
