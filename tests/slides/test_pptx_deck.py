"""The deck: its charts hold the tables' numbers, its text fits, and nothing in it acts."""

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
import pandas as pd
import pytest
from PIL import ImageFont
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE
from pptx.oxml.ns import qn
from pptx.util import Pt

from helpers.charts import chart_data, look
from helpers.slides import pptx_bars, pptx_xy, style
from helpers.text import i18n
from tests.conftest import unless_live
from tests.support import strange
from tests.support.strange import STUDIES

Present = Callable[..., Path]


@pytest.fixture(scope="module", params=STUDIES)
def run(request: pytest.FixtureRequest, presented: Present) -> Path:
    return presented(request.param, **STUDIES[request.param])


@pytest.fixture(scope="module")
def rebuilt(presented: Present) -> Path:
    return presented("rebuilt-2026")


@pytest.fixture(scope="module")
def korean(presented: Present) -> Path:
    return presented("blog-2022", **STUDIES["blog-2022"])


@pytest.fixture(scope="module")
def hostile(presented: Present) -> Path:
    return presented("hostile", **STUDIES["hostile"])


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


def runs(shape: Any) -> Iterator[Any]:
    if shape.has_text_frame:
        for paragraph in shape.text_frame.paragraphs:
            yield from paragraph.runs


@pytest.mark.parametrize(
    ("name", "by", "value", "unit"),
    [
        ("severity-by-capture", "severity", "count", 1),
        ("slimmer", "part", "count", 1),
        ("size-by-group", "group", "size_bytes", 1e6),
        ("coverage", "part", "size_bytes", 1e6),
    ],
)
def test_bars_hold_what_the_table_says(
    rebuilt: Path, name: str, by: str, value: str, unit: float
) -> None:
    rows = pd.read_csv(rebuilt / f"tables/{name}.csv")
    table = rows.pivot_table(index="variant", columns=by, values=value, aggfunc="sum")
    shown = bars(charts(rebuilt)[name])
    assert set(shown.index) == set(table.index)
    expected = table.loc[shown.index].fillna(0) / unit
    assert set(shown) == {part for part in expected if expected[part].any() or part in shown}
    for part in shown:
        assert shown[part].tolist() == pytest.approx(expected[part].tolist()), part


def test_totals_stand_at_the_ends_of_stacked_bars(rebuilt: Path) -> None:
    chart = charts(rebuilt)["severity-by-capture"]
    unseen = chart.plots[0].series[-1]
    assert unseen.name == " "
    assert list(unseen.values) == bars(chart).sum(axis=1).tolist()
    assert [unseen.points[n].data_label.position is not None for n in range(4)] == [True] * 4


def test_sizes_are_those_of_the_table_with_their_difference(rebuilt: Path) -> None:
    table = pd.read_csv(rebuilt / "tables/size-difference.csv").set_index("variant")
    chart = charts(rebuilt)["size-difference"]
    (series,) = chart.plots[0].series
    for place, name in enumerate(chart.plots[0].categories):
        assert series.values[place] == table["bytes"][name] / 1e6
        label = series.points[place].data_label.text_frame.text.split("\n")
        assert label[0] == f"{table['bytes'][name] / 1e6:,.1f} MB"
    assert label == ["319.5 MB", "baseline"]


def test_the_trade_off_is_the_candidates(rebuilt: Path) -> None:
    table = pd.read_csv(rebuilt / "tables/trade-off.csv")
    chart = charts(rebuilt)["trade-off"]
    names = [one.name for one in chart.plots[0].series]
    drawn = dict(zip(names, points(chart), strict=True))
    found = drawn["on the Pareto front"] + drawn["dominated by another"]
    expected = zip(table["size"] / 1e6, table["fixable"].astype(float), strict=True)
    assert sorted(found) == sorted(expected)


def test_curves_are_what_was_published_by_each_day(korean: Path) -> None:
    table = pd.read_csv(korean / "tables/growth.csv", parse_dates=["day"])
    chart = charts(korean)["growth"]
    days = (table["day"].dt.tz_convert(None) - pd.Timestamp("1970-01-01")).dt.days
    for variant, own in table.assign(x=days + chart_data.EXCEL_EPOCH).groupby("variant"):
        named = zip(chart.plots[0].series, points(chart), strict=True)
        drawn = {point for one, found in named if one.name == variant for point in found}
        assert set(zip(own["x"], own["count"], strict=True)) <= drawn
    assert chart.category_axis.tick_labels.number_format == "yyyy"
    lengths = list(map(len, points(chart)))
    assert all(a >= b for a, b in pairwise(lengths)), (
        "LibreOffice loses what is before a longer one"
    )


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


def test_a_band_is_under_its_chart_where_its_days_are() -> None:
    begin = (date(2026, 7, 1) - EXCEL_ZERO).days
    line = chart_data.Trace("a", [(begin, 0.0), (begin + 100, 8.0)], "#3c6e99", 2.0)
    about = {"days": True, "bands": [(begin + 50.0, begin + 200.0, "#f0f0f0")]}
    told = chart_data.Points([line], "day", "n", (begin, begin + 100), (0, 10), (1, 1), **about)
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    pptx_xy.points(slide, told, (10, 20, 1000, 400), style.theme("light"))
    band, chart = slide.shapes
    assert chart.has_chart
    assert str(band.fill.fore_color.rgb) == "F0F0F0"
    manual = chart.chart._chartSpace.chart.plotArea.find(f"{qn('c:layout')}/{qn('c:manualLayout')}")
    x, y, wide, tall = (float(manual.find(qn(f"c:{name}")).get("val")) for name in "xywh")
    # From the middle of the plot to its end, as high as it is; what is beyond is cut off.
    assert band.left.pt == pytest.approx(10 + 1000 * (x + wide / 2), abs=0.1)
    assert band.left.pt + band.width.pt == pytest.approx(10 + 1000 * (x + wide), abs=0.1)
    assert band.top.pt == pytest.approx(20 + 400 * y, abs=0.1)
    assert band.height.pt == pytest.approx(400 * tall, abs=0.1)


def test_what_was_not_measured_has_no_bar_and_its_name_says_so(hostile: Path) -> None:
    shown = bars(charts(hostile)["severity-by-capture"])
    lost = [name for name in shown.index if name.endswith(": not measured")]
    assert len(lost) == 1
    assert shown.loc[lost].isna().all(axis=None)
    assert shown.drop(lost).notna().all(axis=None)
    sizes = bars(charts(hostile)["size-difference"])
    assert sizes.isna().sum().tolist() == [4]


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


def test_an_outline_shows_titles_and_text(run: Path) -> None:
    for slide in slides(run):
        figure = any(s.has_chart or s.shape_type == MSO_SHAPE_TYPE.PICTURE for s in slide.shapes)
        assert [one.placeholder_format.idx for one in slide.placeholders] == (
            [0] if figure else [0, 1]
        )


def test_a_slide_that_is_inserted_later_looks_like_the_others(korean: Path, rebuilt: Path) -> None:
    for run, ink, paper in ((rebuilt, "222222", "FFFFFF"), (korean, "EAEAEA", "16181B")):
        deck = Presentation(str(run / "deck.pptx"))
        with zipfile.ZipFile(run / "deck.pptx") as file:
            (name,) = (p.target_ref for p in deck.slide_master.part.rels.values()
                       if p.reltype.endswith("/theme"))  # fmt: skip
            theme = file.read(f"ppt/{name.removeprefix('../')}").decode()
        assert f'<a:dk1><a:srgbClr val="{ink}"/></a:dk1>' in theme
        assert f'<a:lt1><a:srgbClr val="{paper}"/></a:lt1>' in theme
        assert theme.count('<a:latin typeface="Arial"/>') == 2
        assert theme.count('<a:ea typeface="Malgun Gothic"/>') == 2
        for layout in deck.slide_layouts:
            for shape in layout.placeholders:
                assert shape.left + shape.width <= deck.slide_width
        title = deck.slide_layouts[1].placeholders[0]
        assert title.left + title.width > 0.9 * deck.slide_width


def test_every_figure_has_its_footer_notes_and_an_alternative_text(run: Path) -> None:
    study = {"ko": "연구"}.get(STUDIES[run.name].get("language", ""), "study")
    shown = 0
    for slide in slides(run):
        for shape in slide.shapes:
            if not shape.has_chart and shape.shape_type != MSO_SHAPE_TYPE.PICTURE:
                continue
            shown += 1
            notes = slide.notes_slide.notes_text_frame.text
            title, *_ = notes.split("\n")
            told = shape._element.find(f".//{qn('p:cNvPr')}").get("descr")
            assert told.startswith(f"{title}. ")
            # Besides the title it says what the notes say of the figure.
            assert told.removeprefix(f"{title}. ")[:40] in " ".join(notes.replace("• ", "").split())
            assert len(title) + 10 < len(told) <= 251
            assert f"tables/{shape.name}.csv" in notes
            assert (run / "tables" / f"{shape.name}.csv").is_file()
            texts = [one.text_frame.text for one in slide.shapes if one.has_text_frame]
            assert any(text.startswith(f"{study} {run.name} · ") for text in texts)
    assert shown >= (1 if run.name == "alone" else 2)


def test_a_picture_is_without_the_title_that_the_slide_has(rebuilt: Path) -> None:
    pictures = [
        shape for slide in slides(rebuilt) for shape in slide.shapes if shape.shape_type == 13
    ]
    assert {shape.name for shape in pictures} == {"size-steps", "attack-surface"}
    assert all(shape.crop_top > 0.05 and shape.crop_bottom > 0.02 for shape in pictures)


def test_letters_are_large_enough_for_the_back_row(run: Path) -> None:
    for slide in slides(run):
        sizes = [one.font.size for shape in slide.shapes for one in runs(shape)]
        assert min(sizes) >= Pt(10)
        assert max(sizes) >= Pt(22)
    for name, chart in charts(run).items():
        found = re.findall(r'\bsz="(\d+)"', chart.part.blob.decode())
        assert min(map(int, found)) >= 1400, name


def test_titles_are_the_largest_letters_on_their_slide(run: Path) -> None:
    for number, slide in enumerate(slides(run), start=1):
        (title,) = {one.font.size.pt for one in runs(slide.shapes.title)}
        others = [shape for shape in slide.shapes if shape.shape_id != slide.shapes.title.shape_id]
        below = max(one.font.size.pt for shape in others for one in runs(shape))
        assert below <= title - 4, f"slide {number}"
        assert title >= 24 or run.name in ("hostile", "blog-2022"), f"slide {number}"


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
            for paragraph in (one for one in shape.text_frame.paragraphs if one.runs):
                size = paragraph.runs[0].font.size.pt
                bold = "-Bold" if all(one.font.bold for one in paragraph.runs) else ""
                font = ImageFont.truetype(folder / f"DejaVuSans{bold}.ttf", size)
                words = "".join(one.text for one in paragraph.runs).split(" ")
                room = shape.width.pt - 36 * (paragraph._p.pPr.get("marL", "0") != "0")
                taken += lines(words, room, font) * size * 1.2 + paragraph.space_after.pt
            assert taken <= shape.height.pt + 1, f"slide {number}: {shape.text_frame.text[:60]}"
            assert shape.left >= 0
            assert shape.left + shape.width <= Pt(960)
            assert shape.top + shape.height <= Pt(540)


def parts(deck: Path) -> Iterator[tuple[str, bytes]]:
    """All files in a deck, and in the workbooks in it."""
    with zipfile.ZipFile(deck) as file:
        for name in file.namelist():
            yield name, file.read(name)
            if name.endswith(".xlsx"):
                with file.open(name) as inner, zipfile.ZipFile(inner) as book:
                    yield from ((f"{name}/{part}", book.read(part)) for part in book.namelist())


def test_hostile_words_are_words_and_nothing_else(hostile: Path) -> None:
    deck = hostile / "deck.pptx"
    for name, content in parts(deck):
        if name.endswith(".rels"):
            assert b'TargetMode="External"' not in content, name
        if "sheets/sheet" in name:
            assert b"<f>" not in content, f"a formula in {name}"
            assert b"hyperlink" not in content.lower(), name
        assert b"hlinkClick" not in content, name
        assert "vbaProject" not in name
    text = "\n".join(
        shape.text_frame.text
        for slide in slides(hostile)
        for shape in slide.shapes
        if shape.has_text_frame
    )
    for shown in ("<script>alert(1)</script>", "=cmd|", "\\x1b[31m", "\\u202egnp", "שלום"):
        assert shown in text
    assert "\u202e" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize("word", [*strange.WORDS, "-1+1", "@x", "  =1", "HTTP://x", "mailto:x"])
def test_no_cell_of_a_chart_is_a_formula_or_a_link(word: str, tmp_path: Path) -> None:
    one = chart_data.Series("a", [1.0], ["#3c6e99"])
    told = chart_data.Bars([word], [one, one], ["1"], "n", 2.0)
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    told.categories = [chart_data._plain(word)]
    pptx_bars.bars(slide, told, (0, 0, 500, 300), style.theme("light"))
    deck.save(str(tmp_path / "deck.pptx"))
    for name, content in parts(tmp_path / "deck.pptx"):
        if "sheets/sheet" in name:
            assert b"<f>" not in content
            assert b"hyperlink" not in content.lower()


def test_korean_letters_have_a_font_and_a_language(korean: Path) -> None:
    seen = 0
    for slide in slides(korean):
        for one in (one for shape in slide.shapes for one in runs(shape)):
            face = one.font._rPr.find(qn("a:ea"))
            assert face is not None
            assert face.get("typeface") == "Malgun Gothic"
            assert one.font._rPr.get("lang") == "ko-KR"
            seen += any(i18n.columns(letter) == 2 for letter in one.text)
    assert seen >= 5
    for chart in charts(korean).values():
        text = chart.part.blob.decode()
        assert text.count('<a:ea typeface="Malgun Gothic"/>') >= text.count("<a:r>") > 0


def test_a_dark_deck_is_dark_and_its_charts_too(korean: Path) -> None:
    for slide in slides(korean):
        assert str(slide.background.fill.fore_color.rgb) == look.PAPER["dark"].lstrip("#")
    colours = charts(korean)["severity-by-capture"].part.blob.decode()
    assert f'val="{look.dark("#BE3A34").lstrip("#").upper()}"' in colours
    assert 'val="BE3A34"' not in colours


def test_its_properties_say_what_it_is(rebuilt: Path) -> None:
    about = Presentation(str(rebuilt / "deck.pptx")).core_properties
    assert about.title.startswith("One Node.js app")
    assert about.author == "base-image-notebooks"
    assert about.language == "en"


def test_libreoffice_makes_as_many_pages_as_there_are_slides(
    rebuilt: Path, korean: Path, hostile: Path, tmp_path: Path
) -> None:
    if not shutil.which("soffice"):
        unless_live("LibreOffice (soffice) is not installed")
    decks = [
        shutil.copy(run / "deck.pptx", tmp_path / f"{run.name}.pptx")
        for run in (rebuilt, korean, hostile)
    ]
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path]
    subprocess.run(
        [*command, *decks], check=True, capture_output=True, timeout=300, env={**os.environ}
    )
    for run in (rebuilt, korean, hostile):
        pages = (tmp_path / f"{run.name}.pdf").read_bytes()
        assert len(re.findall(rb"/Type\s*/Page\b", pages)) == len(slides(run)), run.name
    assert b"NotoSansCJK" in (tmp_path / "blog-2022.pdf").read_bytes() or not _noto()


def _noto() -> bool:
    found = subprocess.run(["fc-list"], capture_output=True, text=True, check=False).stdout
    return "Noto Sans CJK KR" in found
