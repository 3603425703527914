"""The deck: its charts hold the answers' numbers, its text fits, and nothing in it acts."""

import copy
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import msgspec
import pandas as pd
import pytest
from PIL import ImageFont
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from helpers.answers.answer import ANSWER, SLIDE, Answer
from helpers.answers.chart_data import Curves
from helpers.charts import look, theme
from helpers.slides import outline, pptx_bars, pptx_deck, pptx_xy, style
from helpers.slides.outline import Slide
from helpers.studies.study import open_study
from helpers.text import i18n
from helpers.text.rich import bullets, paragraph
from tests.support import strange
from tests.support.executed_notebooks import (
    ALIKE,
    CHARTS,
    CHOICE,
    counts,
    record,
    run_of,
    talks_of,
)
from tests.support.live import unless_live
from tests.support.spoken import can_be_said
from tests.support.strange import STUDIES

Present = Callable[..., Path]
PARTS = ("# Which?", ALIKE, CHOICE, *CHARTS.values())


def made(folder: Path, *parts: Any, study: Any = None, **parameters: str) -> Path:
    """A run's folder with a deck of some answers."""
    run = run_of(folder, *parts)
    with i18n.speaking(parameters.get("language", "en")):
        pptx_deck.write(run, study or open_study("blog-2022"), record(**parameters))
    return run


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("deck"), *PARTS)


@pytest.fixture(scope="module")
def dark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dark")
    return made(folder, *PARTS, language="ko", theme="dark", transparent="true")


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deck whose every word is hostile."""
    words = strange.WORDS
    bars = counts(*((word, [1, 2]) for word in words))
    bars.series[0].name, bars.axis, bars.ends[0] = words[3], words[2], words[1]
    # Copies: the same charts are on the other decks.
    growth, trade_off = (copy.deepcopy(CHARTS[name].chart) for name in ("growth", "trade-off"))
    points = msgspec.structs.replace(trade_off, note=words[3], across=words[4])
    points.points[0].label = "\n".join(words)
    curves = msgspec.structs.replace(growth, upward=words[2])
    curves.curves[0].name, curves.marks[0].label = words[3], words[4]
    curves.events[0] = (curves.events[0][0], words[4])
    text = paragraph(words[0]) + bullets(words)
    answers = [
        Answer(f"figure-{place}", words[place], text, chart=chart, counted=words[3], role=SLIDE)
        for place, chart in enumerate((bars, points, curves))
    ]
    answers.append(Answer("text", words[1], role=ANSWER, talks=talks_of(words)))
    study = open_study("blog-2022")
    study = msgspec.structs.replace(
        study, title=" ".join(words), question=words[3], about=words[4], not_shown=[*words]
    )
    return made(tmp_path_factory.mktemp("hostile"), "# \u202ex", *answers, study=study)


@pytest.fixture(scope="module", params=["deck", "dark", "spoilt", *STUDIES])
def run(request: pytest.FixtureRequest, presented: Present) -> Path:
    """Runs whose every slide is looked at: of answers, and of whole studies."""
    if request.param in STUDIES:
        return presented(request.param, **STUDIES[request.param])
    found: Path = request.getfixturevalue(request.param)
    return found


def slides(run: Path) -> list[Any]:
    return list(Presentation(str(run / "deck.pptx")).slides)


def charts(run: Path) -> dict[str, Any]:
    """The native charts of a deck, by the name of their figure."""
    shapes = [shape for slide in slides(run) for shape in slide.shapes]
    return {shape.name: shape.chart for shape in shapes if shape.has_chart}


def bars(chart: Any) -> pd.DataFrame:
    """A chart's bars as a table: a row a category, a column a series that has a name."""
    plot = chart.plots[0]
    named = {one.name: list(one.values) for one in plot.series if one.name.strip()}
    return pd.DataFrame(named, index=list(plot.categories), dtype="float64")


def points(chart: Any) -> list[list[tuple[float, float]]]:
    """The points of each series of a chart."""
    found = []
    for one in chart.plots[0].series:
        axes = (one._element.find(qn(name)) for name in ("c:xVal", "c:yVal"))
        xs, ys = ([float(v.text) for v in axis.iter(qn("c:v"))] for axis in axes)
        found.append(list(zip(xs, ys, strict=True)))
    return found


def frames(shape: Any) -> list[Any]:
    """The text of a shape, or of each cell of a table."""
    if shape.has_table:
        return [cell.text_frame for cell in shape.table.iter_cells()]
    return [shape.text_frame] if shape.has_text_frame else []


def runs(shape: Any) -> Iterator[Any]:
    for frame in frames(shape):
        for line in frame.paragraphs:
            yield from line.runs


def test_bars_hold_the_numbers_and_what_was_not_measured_has_none(deck: Path) -> None:
    shown = bars(charts(deck)["severity-by-capture"])
    assert list(shown.index) == ["alpine", "debian", "broken: not measured"]
    assert shown["HIGH"].tolist()[:2] == [40, 0]
    assert shown["LOW"].tolist()[:2] == [8, 19]
    assert shown.loc["broken: not measured"].isna().all()


def test_totals_stand_at_the_ends_of_stacked_bars(deck: Path) -> None:
    unseen = charts(deck)["severity-by-capture"].plots[0].series[-1]
    assert (unseen.name, list(unseen.values)) == (" ", [48, 19, None])
    assert [unseen.points[n].data_label.position is not None for n in range(2)] == [True] * 2
    fixable = charts(deck)["fixable"].plots[0].series[-1].points[0].data_label
    assert fixable.text_frame.text == "40\nOS unfixed: cannot be seen"


def test_curves_are_what_was_published_by_each_day(deck: Path) -> None:
    chart, answer = charts(deck)["growth"], CHARTS["growth"].chart
    assert isinstance(answer, Curves)
    for curve in answer.curves:
        named = zip(chart.plots[0].series, points(chart), strict=True)
        drawn = {point for series, found in named if series.name == curve.name for point in found}
        assert {((day - EXCEL_ZERO).days, count) for day, count in curve.points} <= drawn
    assert chart.category_axis.tick_labels.number_format == "yyyy"
    lengths = list(map(len, points(chart)))
    assert all(a >= b for a, b in pairwise(lengths)), (
        "LibreOffice loses what is before a longer one"
    )
    text = chart.part.blob.decode()
    for words in ("alpine 8", "debian 30", "Alpine 3.15:", "end of support", "the post"):
        assert text.count(f"<a:t>{words}</a:t>") == 1, words


EXCEL_ZERO = date(1899, 12, 30)


@pytest.mark.parametrize("begin", [date(2019, 6, 7), date(2026, 7, 3), date(2000, 2, 29)])
@pytest.mark.parametrize("span", [1, 5, 40, 144, 300, 547, 900, 1100, 2700, 9000, 25000])
def test_marks_of_days_are_on_the_days_that_they_name(begin: date, span: int) -> None:
    left = (begin - EXCEL_ZERO).days + 0.4
    first, step, form = pptx_xy.marks(left, left + span)
    marks = []
    while first + len(marks) * step <= left + span:
        marks.append(EXCEL_ZERO + timedelta(days=int(first + len(marks) * step)))
    assert marks[0] <= begin
    assert 1 <= len(marks) <= 11
    if form == "yyyy":
        assert {(day.month, day.day) for day in marks} == {(1, 1)}
    else:
        assert form == "yyyy-mm-dd"
        assert step == int(step)
        assert first == int(first)
        assert step < 28 or marks[0].day == 1


def test_every_slide_has_a_title_notes_a_number_and_no_empty_place(run: Path) -> None:
    found = slides(run)
    assert len(found) >= 6
    for number, slide in enumerate(found, start=1):
        assert slide.shapes.title.text_frame.text.strip()
        assert slide.notes_slide.notes_text_frame.text.strip()
        for place in slide.placeholders:
            assert place.text_frame.text.strip(), f"slide {number}: an empty {place.name}"
        (field,) = slide._element.iter(qn("a:fld"))
        assert field.get("type") == "slidenum"
        assert field.find(qn("a:t")).text == str(number)


def test_every_figure_has_its_footer_and_an_alternative_text(run: Path) -> None:
    shown = 0
    for slide in slides(run):
        for shape in slide.shapes:
            if not shape.has_chart and shape.shape_type != MSO_SHAPE_TYPE.PICTURE:
                continue
            shown += 1
            about = shape._element.find(f".//{qn('p:cNvPr')}").get("descr")
            title = slide.shapes.title.text_frame.text
            # What does not fit into a title is in the alternative text.
            assert about.startswith(title.removesuffix(" …"))
            assert len(about) <= 251
            texts = [one.text_frame.text for one in slide.shapes if one.has_text_frame]
            assert any(text.startswith(("study ", "연구 ")) for text in texts)
    assert shown >= 1


def test_what_powerpoint_cannot_draw_is_a_picture_within_its_box(deck: Path) -> None:
    pictures = {
        shape.name: shape
        for slide in slides(deck)
        for shape in slide.shapes
        if shape.shape_type == MSO_SHAPE_TYPE.PICTURE
    }
    assert set(pictures) == {"size-steps", "attack-surface", "overlap", "trade-off"}
    for shape in pictures.values():
        assert (shape.top.pt, shape.height.pt) == (138, 342)
        assert shape.width / shape.height == pytest.approx(2560 / 1160, abs=0.01)
        assert shape.left.pt + shape.width.pt / 2 == pytest.approx(480, abs=0.1)


def lines(words: list[str], room: float, font: Any) -> int:
    """How many lines words take, as a word processor breaks them."""
    count, used = 1, 0.0
    for word in words:
        wide = font.getlength(f"{word} ")
        if used and used + wide > room:
            count, used = count + 1, 0.0
        count, used = count + int(wide // room), used + wide % room
    return count


def test_text_fits_into_its_box(run: Path) -> None:
    """Measured with letters that are wider than those of slides."""
    folder = Path(mpl.get_data_path(), "fonts", "ttf")
    for number, slide in enumerate(slides(run), start=1):
        for shape in (one for one in slide.shapes if one.has_text_frame):
            taken = 0.0
            for line in (one for one in shape.text_frame.paragraphs if one.runs):
                size = line.runs[0].font.size.pt
                bold = "-Bold" if all(one.font.bold for one in line.runs) else ""
                # Small letters are rounded to whole points where Pillow finds no FriBiDi.
                font = ImageFont.truetype(folder / f"DejaVuSans{bold}.ttf", 10 * size)
                words = "".join(one.text for one in line.runs).split(" ")
                indent = Emu(int(line._p.pPr.get("marL", "0"))).pt
                room = shape.width.pt - indent
                taken += lines(words, 10 * room, font) * size * 1.2 + line.space_after.pt
            assert taken <= shape.height.pt + 1, f"slide {number}: {shape.text_frame.text[:60]}"
            assert shape.left >= 0
            assert shape.left + shape.width <= Pt(960)
            assert shape.top + shape.height <= Pt(540)


def test_a_table_is_as_high_as_its_rows_and_on_its_slide(run: Path) -> None:
    for number, slide in enumerate(slides(run), start=1):
        for shape in (one for one in slide.shapes if one.has_table):
            rows = sum(row.height for row in shape.table.rows)
            assert shape.height == pytest.approx(rows, abs=len(shape.table.rows))
            assert shape.top + rows <= Pt(482), f"slide {number}"
            assert sum(column.width for column in shape.table.columns) <= Pt(889)


RECORDED = {study: given for study, given in STUDIES.items() if study != "hostile"}


@pytest.fixture(scope="module", params=RECORDED)
def talk_of_a_study(request: pytest.FixtureRequest, presented: Present) -> list[Slide]:
    """The slides of a recorded study."""
    given = RECORDED[request.param]
    run = presented(request.param, **given)
    with i18n.speaking(given.get("language", "en")):
        return outline.outline(run, open_study(request.param), record(**given))


def test_notes_can_be_said_aloud(talk_of_a_study: list[Slide]) -> None:
    for number, slide in enumerate(talk_of_a_study, start=1):
        assert can_be_said(slide.notes.split("\n")), f"slide {number}: {slide.notes}"


def parts(deck: Path) -> Iterator[tuple[str, bytes]]:
    """All files in a deck, and in the workbooks in it."""
    with zipfile.ZipFile(deck) as file:
        for name in file.namelist():
            yield name, file.read(name)
            if name.endswith(".xlsx"):
                with file.open(name) as inner, zipfile.ZipFile(inner) as book:
                    yield from ((f"{name}/{part}", book.read(part)) for part in book.namelist())


def test_hostile_words_are_words_and_nothing_else(spoilt: Path) -> None:
    seen = b""
    for name, content in parts(spoilt / "deck.pptx"):
        if name.endswith(".rels"):
            assert b'TargetMode="External"' not in content, name
        if "sheets/sheet" in name:
            assert b"<f>" not in content, f"a formula in {name}"
            assert b"hyperlink" not in content.lower(), name
        assert b"hlinkClick" not in content, name
        assert "vbaProject" not in name
        if name.endswith(".xml"):
            seen += content
    text = seen.decode()
    for shown in ("&lt;script&gt;alert(1)", "=cmd|", "\\x1b[31m", "\\u202egnp", "שלום"):
        assert shown in text
    assert "\u202e" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize("word", [*strange.WORDS, "-1+1", "@x", "  =1", "HTTP://x", "mailto:x"])
def test_no_cell_of_a_chart_is_a_formula_or_a_link(word: str, tmp_path: Path) -> None:
    chart = counts((word, [1, 2]))
    chart.series[0].name = word
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    pptx_bars.bars(slide, chart, (0, 0, 500, 300), style.theme({}))
    deck.save(str(tmp_path / "deck.pptx"))
    for name, content in parts(tmp_path / "deck.pptx"):
        if "sheets/sheet" in name:
            assert b"<f>" not in content
            assert b"hyperlink" not in content.lower()


def test_korean_letters_have_a_font_and_a_language(dark: Path) -> None:
    seen = 0
    for slide in slides(dark):
        for one in (one for shape in slide.shapes for one in runs(shape)):
            face = one.font._rPr.find(qn("a:ea"))
            assert face is not None
            assert face.get("typeface") == "Malgun Gothic"
            assert one.font._rPr.get("lang") == "ko-KR"
            seen += any(i18n.columns(letter) == 2 for letter in one.text)
    assert seen >= 5
    for chart in charts(dark).values():
        text = chart.part.blob.decode()
        assert text.count('<a:ea typeface="Malgun Gothic"/>') >= max(text.count("<a:r>"), 1)


@pytest.mark.slow
def test_libreoffice_makes_as_many_pages_as_there_are_slides(
    deck: Path, dark: Path, spoilt: Path, tmp_path: Path
) -> None:
    if not shutil.which("soffice"):
        unless_live("LibreOffice (soffice) is not installed")
    found = {"deck": deck, "dark": dark, "spoilt": spoilt}
    copies = [
        shutil.copy(folder / "deck.pptx", tmp_path / f"{name}.pptx")
        for name, folder in found.items()
    ]
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path]
    subprocess.run(
        [*command, *copies], check=True, capture_output=True, timeout=300, env={**os.environ}
    )
    for name, folder in found.items():
        pages = (tmp_path / f"{name}.pdf").read_bytes()
        assert len(re.findall(rb"/Type\s*/Page\b", pages)) == len(slides(folder)), name
    assert b"NotoSansCJK" in (tmp_path / "dark.pdf").read_bytes() or not _noto()


def _noto() -> bool:
    found = subprocess.run(["fc-list"], capture_output=True, text=True, check=False).stdout
    return "Noto Sans CJK KR" in found


def test_letters_are_large_enough_for_the_back_row(run: Path) -> None:
    for slide in slides(run):
        sizes = [one.font.size for shape in slide.shapes for one in runs(shape)]
        assert min(sizes) >= Pt(10)
        assert max(sizes) >= Pt(22)
    for name, chart in charts(run).items():
        found = re.findall(r'\bsz="(\d+)"', chart.part.blob.decode())
        assert min(map(int, found)) >= 1400, name


def test_a_dark_deck_is_dark_and_its_charts_too(dark: Path) -> None:
    for slide in slides(dark):
        assert str(slide.background.fill.fore_color.rgb) == look.PAPER["dark"].lstrip("#")
    colours = charts(dark)["severity-by-capture"].part.blob.decode()
    assert f'val="{theme.dark("#BE3A34").lstrip("#").upper()}"' in colours
    assert 'val="BE3A34"' not in colours
