"""How an answer shows itself: figure, text and table, and the files that it leaves."""

from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from helpers.answers.answer import Answer, decoded, message
from helpers.answers.chart_data import Matrix
from helpers.charts.look import Look
from helpers.frames import Frames
from helpers.notebook import display
from helpers.notebook.display import Setting, ShownAnswer
from helpers.text import escape, html
from helpers.text.escape import ANSWER, STATIC
from helpers.text.rich import name, paragraph
from helpers.vulnerabilities import breakdowns
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, trivy

HOSTILE = "=cmd|' /C calc'!A0<script>alert(1)</script>\x1b[31m"


@pytest.fixture
def severity(blog: Frames) -> Answer:
    return breakdowns.severity_answer(blog.findings, blog.images, Lens())


def shown(answer: Answer, images: pd.DataFrame, folder: Path | None = None, **rest) -> ShownAnswer:
    return ShownAnswer(answer, Setting("blog-2022", images, folder=folder, **rest))


def test_an_answer_leaves_a_slide_a_drawing_and_its_data(tmp_path, blog, severity) -> None:
    shown(severity, blog.images, tmp_path)
    with Image.open(tmp_path / "figures/severity-breakdown.png") as png:
        assert png.width == 2560
    svg = ElementTree.parse(tmp_path / "figures/severity-breakdown.svg").getroot()
    words = {element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {message(severity), "CRITICAL", "48"} <= words, "text stays text"
    assert pd.read_csv(tmp_path / "tables/severity-breakdown.csv")["count"].sum() == 67


def test_the_same_evidence_gives_the_same_files(tmp_path, blog, severity) -> None:
    for folder in ("first", "second"):
        shown(severity, blog.images, tmp_path / folder)
    for path in sorted((tmp_path / "first").rglob("*.*")):
        other = tmp_path / "second" / path.relative_to(tmp_path / "first")
        assert path.read_bytes() == other.read_bytes(), path.name


def test_it_shows_figure_text_and_table_and_keeps_its_record_once(blog, severity) -> None:
    answer = shown(severity._replace(text=paragraph("Say.")), blog.images)
    figure, text, table = [data for data, _ in answer.outputs()]
    assert "image/png" in figure
    assert text["text/html"] == html.without_math("<p>Say.</p>")
    assert "><details><summary>" in table["text/html"], "the data of a figure are folded"
    record = decoded(figure[ANSWER])
    assert (record.title, record.chart, record.footer) == (
        message(severity),
        severity.chart,
        answer.footer,
    )
    assert ANSWER not in text
    assert ANSWER not in table


def test_it_goes_on_as_data(blog, severity) -> None:
    answer = shown(severity, blog.images)
    assert answer.table["count"].sum() == 67
    assert answer.chart == severity.chart
    picture = answer.figure(title="Another title")
    assert picture.title == "Another title"
    assert picture.png != answer.figure().png
    with pytest.raises(ValueError, match="no figure"):
        shown(Answer("plain"), blog.images).figure()


def test_figures_are_laid_out_together_with_room_for_a_users_titles(blog, severity) -> None:
    with mpl.rc_context({"font.size": 8}):
        figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
        before = dict(mpl.rcParams)
        answer = shown(severity, blog.images, look=Look("dark"))
        assert answer.plot(left) is left
        plt.sca(right)
        assert shown(severity, blog.images).plot() is right
        assert mpl.rcParams == before, "nothing is set for other figures"
    title, legend = left.set_title(answer.title), left.get_legend()
    figure.canvas.draw()
    assert not title.get_window_extent().overlaps(legend.get_window_extent())
    assert legend.get_window_extent().y0 >= 0, "nothing is cut off"
    assert answer.caption == f"{answer.subtitle}\n{answer.footer}"
    with pytest.raises(ValueError, match="has no figure: Say it"):
        shown(Answer("plain", text=paragraph("Say it.")), blog.images).plot(left)
    plt.close(figure)


def test_an_answer_is_saved_on_demand(blog, severity, tmp_path) -> None:
    saved = shown(severity, blog.images).save(tmp_path)
    assert {*saved} == {path for path in tmp_path.rglob("*.*") if path.is_file()}
    assert [path.suffix for path in saved] == [".png", ".svg", ".csv"]


def test_in_place_of_an_empty_figure_the_text_says_why(blog, tmp_path) -> None:
    why = "No image was looked at."
    table = pd.DataFrame({"a": [1]})
    empty = Answer("x", "A title", paragraph("First."), table, Matrix([], [], []))
    answer = shown(empty, blog.images, tmp_path)
    assert not (tmp_path / "figures").exists()
    assert (answer.chart, answer.title) == (None, "")
    assert answer.text.plain == f"First.\n{why}"
    assert all("image/png" not in data for data, _ in answer.outputs())
    with pytest.raises(ValueError, match=why):
        answer.figure()


def test_without_a_figure_the_title_begins_the_text(blog) -> None:
    table = pd.DataFrame({"a": [1]})
    answer = shown(Answer("a", "One of <b>", paragraph("Why."), table), blog.images)
    (text, _), *_ = answer.outputs()
    assert answer.text.plain.splitlines() == ["One of <b>", "Why."]
    assert "<strong>One of &lt;b&gt;</strong>" in text["text/html"]


def test_an_empty_table_is_not_shown_beside_what_says_why(blog) -> None:
    empty = Answer("x", table=pd.DataFrame({"n": []}))
    (table,) = [data for data, _ in shown(empty, blog.images).outputs()]
    assert table["text/html"] == html.without_math("<p>Nothing to list.</p>")
    for answer in (empty._replace(text=paragraph("None.")), empty._replace(lacks="None.")):
        (text,) = [data for data, _ in shown(answer, blog.images).outputs()]
        assert text["text/html"] == html.without_math("<p>None.</p>")
        assert decoded(text[ANSWER]).lacks == answer.lacks


def test_the_footer_says_where_the_numbers_come_from(blog, both, frames_of) -> None:
    def footer(images: pd.DataFrame, **fields) -> str:
        setting = Setting("blog-2022", images, lambda: "looked at 5%")
        return display.footer(Answer("x", **fields), setting)

    rests = Setting("blog-2022", blog.images, lens_evidence=lambda: "KEV of 2026-08-07")
    assert "· KEV of 2026-08-07" in display.footer(Answer("x", counted="findings"), rests)
    assert "KEV" not in display.footer(Answer("x"), rests)
    assert "DB of 2022-02-28 and 2026-11-24" in footer(both.images)
    legacy = frames_of(old=[{"Target": "x", "Vulnerabilities": None}])
    assert "Trivy of unknown version · DB of unknown date" in footer(legacy.images)
    # A report may state any: as long as it likes, it would cover the figure.
    assert len(footer(blog.images.assign(scanner_version="0" * 5_000))) < 300
    versions = [blog.images.assign(scanner_version=f"0.{n}") for n in range(10, 99)]
    many = pd.concat(versions, ignore_index=True)
    assert " · Trivy 0.10 to Trivy 0.98 (89) · " in footer(many)


def test_the_subtitle_says_what_is_drawn_and_under_which_conditions(blog, both, severity) -> None:
    def subtitle(answer: Answer, images: pd.DataFrame) -> str:
        return display.subtitle(answer, Setting("blog-2022", images, lambda: "looked at 5%"))

    drawn = subtitle(severity, blog.images)
    assert drawn == "Number of findings · capture 2022-02 · looked at 5%"
    counted = Answer("x", counted="findings")
    assert subtitle(counted, both.images).startswith("Findings · captures 2022-02 and 2026-11")
    assert "looked at" not in subtitle(counted._replace(by_scanner=False), blog.images)


def test_what_comes_from_a_report_is_inert_in_all_outputs_and_files(tmp_path, frames_of) -> None:
    loaded = frames_of(app=trivy(finding(PkgName=HOSTILE)))
    for searchable in (False, True):
        answer = Answer(
            "findings",
            text=paragraph(name(HOSTILE)),
            table=loaded.findings,
            searchable=searchable,
        )
        for data, _ in shown(answer, loaded.images, tmp_path).outputs():
            assert "<script>alert" not in data.get("text/html", "")
            assert "<script>alert" not in data.get(STATIC, "")
            assert "\x1b" not in data["text/plain"]
    table = pd.read_csv(tmp_path / "tables/findings.csv")
    assert table["package"].tolist() == [f"'{escape.plain(HOSTILE)}"]


def test_a_long_table_begins_in_the_report_and_its_file_has_all(blog, tmp_path) -> None:
    long = pd.DataFrame({"n": range(500)})
    answer = Answer("numbers", table=long, searchable=True)
    ((bundle, _),) = shown(answer, blog.images, tmp_path).outputs()
    assert bundle[STATIC].count("<tr>") == 1 + display.PLAIN_ROWS
    assert bundle[STATIC].endswith("<p>300 of 500 rows; a run saves all in tables/numbers.csv.</p>")
    assert "rows; a run" not in bundle["text/html"], "there all rows are"
    assert len((tmp_path / "tables/numbers.csv").read_text().splitlines()) == 501
    part = answer._replace(shown=long.head(60))
    ((bundle, _),) = shown(part, blog.images).outputs()
    assert "<p>60 of 500 rows; a run saves all in tables/numbers.csv.</p>" in bundle["text/html"]
