"""Slides in somebody else's template: its layouts, fonts and colours, and nothing overlaps."""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from click.testing import CliRunner
from PIL import ImageFont
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE
from pptx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from pptx.opc.oxml import serialize_part_xml
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn
from pptx.util import Emu

from helpers import cli
from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.talk import Table, Talk
from helpers.charts import theme
from helpers.errors import TemplateInvalid
from helpers.slides import placeholder, pptx_deck
from helpers.slides.geometry import Box, overlap
from helpers.studies.study import open_study
from helpers.text import i18n
from helpers.text.rich import bullets, paragraph
from tests.support.executed_notebooks import ALIKE, CHARTS, CHOICE, record, run_of
from tests.support.live import unless_live

OFFICE = {"Midnightblue": (16, 9), "Portfolio": (16, 9), "Vintage": (4, 3)}
"""Templates of LibreOffice's, and their sides: on white, on black, and on a picture."""

TALK = Answer(
    "told",
    "A table",
    role=SUMMARY,
    talks=(
        Talk(table=Table(["image", "found"], [["alpine", "48"], ["debian", "19"]], [0.5, 0.5])),
        Talk(
            headline="What to take away, which takes more than a line in most of the templates",
            lines=paragraph("To take away:")
            + bullets([f"line {n} of a list that is rather long" for n in range(9)])
            + bullets(["a detail"], 2),
        ),
    ),
)
PARTS = ("# Which?", ALIKE, CHOICE, *CHARTS.values(), TALK)


def soffice(folder: Path, to: str, *files: Path) -> None:
    """Have LibreOffice convert files, with a profile of its own."""
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", to, "--outdir", folder, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Templates that LibreOffice brings along, saved by it as PowerPoint files."""
    program = shutil.which("soffice")
    if not program:
        unless_live("LibreOffice (soffice) is not installed")
    folder = tmp_path_factory.mktemp("office")
    shipped = Path(program).resolve().parent.parent / "share/template/common/presnt"
    soffice(folder, "pptx", *(shipped / f"{name}.otp" for name in OFFICE))
    return {name: folder / f"{name}.pptx" for name in OFFICE}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dark template as PowerPoint makes them, with a slide that tells of something secret."""
    deck = Presentation()
    file = deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    xml = parse_xml(file.blob)
    for name, colour in (("dk1", "F2F2F2"), ("lt1", "0B2545"), ("accent1", "FF8800")):
        (old,) = xml.iter(qn(f"a:{name}"))
        old[:] = [parse_xml(f'<a:srgbClr xmlns:a="{old.nsmap["a"]}" val="{colour}"/>')]
    file._blob = serialize_part_xml(xml)
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    slide.shapes.title.text = "SECRET"
    slide.notes_slide.notes_text_frame.text = "SECRET"
    sections = (
        '<p:extLst xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main">'
        '<p:ext uri="{521415D9-36F7-43E2-AB2F-B90AF26B5E84}"><p14:sectionLst '
        'xmlns:p14="http://schemas.microsoft.com/office/powerpoint/2010/main">'
        f'<p14:section name="SECRET" id="{{{"0" * 8}-0000-0000-0000-{"0" * 12}}}">'
        f'<p14:sldIdLst><p14:sldId id="{slide.slide_id}"/></p14:sldIdLst></p14:section>'
        "</p14:sectionLst></p:ext></p:extLst>"
    )
    deck.part._element.append(parse_xml(sections))
    path = tmp_path_factory.mktemp("company") / "company.pptx"
    deck.save(str(path))
    return path


Deck = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def deck(office: dict[str, Path], company: Path, tmp_path_factory: pytest.TempPathFactory) -> Deck:
    """Makes a deck in a template once, in a language; returns its path."""
    made: dict[tuple[str, str], Path] = {}

    def make(name: str, language: str) -> Path:
        if (name, language) not in made:
            run = run_of(tmp_path_factory.mktemp(f"{name}-{language}"), *PARTS)
            made[name, language] = written(run, {**office, "company": company}[name], language)
        return made[name, language]

    return make


def written(run: Path, file: Path, language: str = "en", study: str = "blog-2022") -> Path:
    with i18n.speaking(language):
        return pptx_deck.write(run, open_study(study), record(language=language), file)


NAMES = [*OFFICE, "company"]


@pytest.fixture(params=[(name, language) for name in NAMES for language in ("en", "ko")], ids=str)
def slides(request: pytest.FixtureRequest, deck: Deck) -> list[Any]:
    """The slides of a deck in a template."""
    return list(Presentation(str(deck(*request.param))).slides)


def box(shape: Any) -> Box:
    return Box(*(side.pt for side in (shape.left, shape.top, shape.width, shape.height)))


def bands(slide: Any) -> Iterator[Any]:
    """What is under a chart on purpose: days of which facts are not complete."""
    return (one for one in slide.shapes if one.shape_type == MSO_SHAPE_TYPE.AUTO_SHAPE)


def test_every_slide_is_in_a_layout_of_the_template(
    deck: Deck, office: dict[str, Path], company: Path
) -> None:
    for name, path in {**office, "company": company}.items():
        known = {layout.name for m in Presentation(str(path)).slide_masters
                 for layout in m.slide_layouts}  # fmt: skip
        found = Presentation(str(deck(name, "en")))
        assert {slide.slide_layout.name for slide in found.slides} <= known
        original = Presentation(str(path))
        assert found.slide_width == original.slide_width
        assert found.slide_height == original.slide_height
        across, up = OFFICE.get(name, (4, 3))
        assert found.slide_width / found.slide_height == pytest.approx(across / up, abs=0.01)


def test_layouts_are_chosen_by_what_they_have_room_for(deck: Deck) -> None:
    shown = list(Presentation(str(deck("company", "en"))).slides)
    layouts = {slide.slide_layout.name for slide in shown[1:]}
    assert shown[0].slide_layout.name == "Title Slide"
    assert layouts == {"Title and Content"}
    first, *_ = Presentation(str(deck("Midnightblue", "en"))).slides
    assert first.slide_layout._element.get("type") == "title"


def test_nothing_overlaps_and_all_is_on_the_slide(slides: list[Any]) -> None:
    deck = slides[0].part.package.presentation_part.presentation
    for number, slide in enumerate(slides, start=1):
        under = {one.shape_id for one in bands(slide)}
        boxes = [(one.name, box(one)) for one in slide.shapes if one.shape_id not in under]
        assert len(boxes) >= 2
        for name, one in boxes:
            assert min(one) >= -0.1, (number, name)
            assert one.right <= deck.slide_width.pt + 0.1, (number, name)
            assert one.bottom <= deck.slide_height.pt + 0.1, (number, name)
        for (name, one), (other, two) in combinations(boxes, 2):
            smaller = Box(one.left + 0.2, one.top + 0.2, one.width - 0.4, one.height - 0.4)
            assert not overlap(smaller, two), (number, name, other)


def test_text_is_in_placeholders_that_say_nothing_of_fonts_and_colours(slides: list[Any]) -> None:
    for slide in slides:
        assert not [one for one in slide.placeholders if not one.text_frame.text.strip()]
        kinds = [placeholder.kind(one) for one in slide.placeholders]
        given = {placeholder.kind(one) for one in slide.slide_layout.placeholders}
        assert (placeholder.NUMBER in kinds) == (placeholder.NUMBER in given)
        for place in slide.placeholders:
            for run in place._element.iter(qn("a:rPr")):
                assert not list(run), "neither a colour nor a font"
                assert {*run.attrib} <= {"lang", "sz", "b"}
    body = next(one for slide in slides[1:] for one in slide.placeholders
                if placeholder.kind(one) in placeholder.BODIES)  # fmt: skip
    marks = {child.tag for child in body._element.iter() if "}bu" in str(child.tag)}
    assert marks <= {qn("a:buNone")}, "bullets are the template's"


def lines(words: list[str], room: float, font: Any) -> int:
    count, used = 1, 0.0
    for word in words:
        wide = font.getlength(f"{word} ")
        if used and used + wide > room:
            count, used = count + 1, 0.0
        count, used = count + int(wide // room), used + wide % room
    return count


def test_text_fits_into_its_placeholder(slides: list[Any]) -> None:
    """Measured with letters that are wider than most."""
    folder = Path(mpl.get_data_path(), "fonts", "ttf")
    for number, slide in enumerate(slides, start=1):
        for place in slide.placeholders:
            (above,) = (one for one in slide.slide_layout.placeholders
                        if one.placeholder_format.idx == place.placeholder_format.idx)  # fmt: skip
            room, taken = placeholder.inner(above, box(place)), 0.0
            for line in place.text_frame.paragraphs:
                letters = placeholder.letters(above, line.level + 1)
                run = next(line._p.iter(qn("a:rPr")))
                size = int(run.get("sz", letters.size * 100)) / 100
                bold = "-Bold" if letters.bold else ""
                font = ImageFont.truetype(folder / f"DejaVuSans{bold}.ttf", size)
                properties = line._p.pPr
                margin = properties.get("marL") if properties is not None else None
                indent = letters.indent if margin is None else Emu(int(margin)).pt
                words = "".join(text.text for text in line._p.iter(qn("a:t"))).split(" ")
                taken += lines(words, room.width - indent, font) * size * 1.2
                taken += (line.space_after or Emu(0)).pt
            assert taken <= room.height + 1 or taken < 20, f"{number}: {place.text_frame.text[:60]}"


def test_charts_have_the_templates_letters_and_accent(deck: Deck) -> None:
    found = charts(deck("company", "en"))
    single, stacked = (found[name] for name in ("size-difference", "severity-by-capture"))
    assert '<a:schemeClr val="tx1"/>' in single
    assert '<a:schemeClr val="accent1"/>' in single
    assert "a:latin" not in single + stacked, "the theme's"
    assert "accent1" not in stacked, "severities have the kit's colours, here those on dark"
    assert f'val="{theme.dark("#BE3A34").lstrip("#").upper()}"' in stacked
    literal = charts(deck("Midnightblue", "en"))["severity-by-capture"]
    assert 'typeface="Noto Sans"' in literal
    assert 'val="2c3e50"' in literal.lower(), "a master of LibreOffice has no theme's colours"
    assert 'val="BE3A34"' in literal


def charts(path: Path) -> dict[str, str]:
    shapes = [shape for slide in Presentation(str(path)).slides for shape in slide.shapes]
    return {one.name: one.chart.part.blob.decode() for one in shapes if one.has_chart}


def test_a_template_is_only_read_and_its_slides_are_not_kept(company: Path, tmp_path: Path) -> None:
    before = company.read_bytes()
    path = written(run_of(tmp_path, *PARTS), company)
    assert company.read_bytes() == before
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            assert b"SECRET" not in file.read(name), name
        assert not [name for name in file.namelist() if "thumbnail" in name]
    shown = Presentation(str(path))
    assert len(shown.slides) > 10
    words = "\n".join(one.text_frame.text for slide in shown.slides for one in slide.placeholders)
    assert "--template company.pptx" in words
    assert str(tmp_path) not in words


def test_a_potx_is_a_template_too(company: Path, tmp_path: Path) -> None:
    potx = retyped(company, tmp_path / "company.potx", CONTENT_TYPE.PML_TEMPLATE_MAIN)
    with pytest.raises(ValueError, match="not a PowerPoint file"):
        Presentation(str(potx))
    path = written(run_of(tmp_path, *PARTS), potx)
    assert len(Presentation(str(path)).slides) > 10, "a presentation, not a template"


def retyped(path: Path, other: Path, kind: str) -> Path:
    """Write a deck as a file of another kind; return its path."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    own = CONTENT_TYPE.PML_PRESENTATION_MAIN.encode()
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(own, kind.encode())
    with zipfile.ZipFile(other, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return other


@pytest.fixture(params=["text", "zip", "macros", "nothing", "folder", "titles", "book"])
def invalid(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A file that is no template, and what is said of it."""
    path = tmp_path / "company.pptx"
    deck = Presentation()
    match request.param:
        case "text":
            path.write_text("no deck")
        case "zip":
            with zipfile.ZipFile(path, "w") as file:
                file.writestr("a.txt", "no deck")
        case "macros":
            deck.save(str(path))
            retyped(path, path, CONTENT_TYPE.PML_PRES_MACRO_MAIN)
            return path, "has macros"
        case "nothing":
            return path, "no such file"
        case "folder":
            path.mkdir()
            return path, "no such file"
        case "titles":
            for layout in deck.slide_layouts:
                for shape in [*layout.placeholders]:
                    if shape.placeholder_format.idx:
                        shape._element.getparent().remove(shape._element)
            deck.save(str(path))
            return path, "no layout has an upright title"
        case "book":
            deck.save(str(path))
            retyped(path, path, CONTENT_TYPE.SML_SHEET_MAIN)
    return path, "not a PowerPoint file"


def test_what_is_no_template_is_said_before_a_notebook_runs(
    invalid: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, why = invalid
    monkeypatch.setattr("helpers.runs.run.reproduce", lambda *_, **__: pytest.fail("it ran"))
    result = CliRunner().invoke(cli.commands, ["slides", "blog-2022", "--template", str(path)])
    assert isinstance(result.exception, TemplateInvalid)
    assert str(result.exception).startswith(f"{path}: ")
    assert why in str(result.exception)


def test_long_names_fit_too(
    presented: Callable[..., Path], office: dict[str, Path], tmp_path: Path
) -> None:
    """A study of six images with long names, hostile words and nothing measured."""
    run = presented("hostile", mixed="true")
    (tmp_path / "notebooks").symlink_to(run / "notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(run.parent.parent))
        found = list(
            Presentation(str(written(tmp_path, office["Vintage"], study="hostile"))).slides
        )
    test_nothing_overlaps_and_all_is_on_the_slide(found)
    test_text_fits_into_its_placeholder(found)


def test_libreoffice_makes_a_page_of_each_slide(deck: Deck, tmp_path: Path) -> None:
    copies = [Path(shutil.copy(deck(name, "ko"), tmp_path / f"{name}.pptx")) for name in NAMES]
    soffice(tmp_path, "pdf", *copies)
    for path in copies:
        pages = re.findall(rb"/Type\s*/Page\b", path.with_suffix(".pdf").read_bytes())
        assert len(pages) == len(Presentation(str(path)).slides), path.name
