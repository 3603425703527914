"""Exhibits: what a notebook shows, what it leaves in a folder, and nothing where none is named."""

import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.axes import Axes
from PIL import Image

from helpers.charts import bar_charts
from helpers.frames import Frames
from helpers.notebook import display
from helpers.notebook.display import Exhibits
from helpers.text import escape, i18n
from helpers.vulnerabilities import counting
from tests.conftest import finding, trivy


@pytest.fixture
def counts(blog: Frames) -> pd.DataFrame:
    return counting.severity_counts(blog.findings, blog.images)


def test_a_figure_leaves_a_slide_a_drawing_and_its_data(tmp_path, blog, counts) -> None:
    show = Exhibits("blog-2022", blog.images, str(tmp_path))
    shown = show.figure("severity", bar_charts.severity_breakdown, counts, "48 and 19")
    with Image.open(tmp_path / "figures/severity.png") as png:
        assert png.size == (2560, 1440)
    svg = ElementTree.parse(tmp_path / "figures/severity.svg").getroot()
    words = {element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"48 and 19", "CRITICAL", "48"} <= words, "text stays text"
    table = pd.read_csv(tmp_path / "tables/severity.csv")
    assert table["count"].sum() == 67
    assert shown.alt == "48 and 19"


def test_the_same_evidence_gives_the_same_files(tmp_path, blog, counts) -> None:
    for name in ("one", "two"):
        show = Exhibits("blog-2022", blog.images, str(tmp_path / name))
        show.figure("severity", bar_charts.severity_breakdown, counts, "title")
    for path in sorted((tmp_path / "one").rglob("*.*")):
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes(), path.name


def test_a_quick_figure_has_half_the_pixels_and_the_same_message(blog, counts) -> None:
    shown = [
        Exhibits("blog-2022", blog.images, quick=quick).figure(
            "severity", bar_charts.severity_breakdown, counts, "title"
        )
        for quick in (False, True)
    ]
    sizes = [Image.open(io.BytesIO(one.png)).size for one in shown]
    assert sizes[0] == tuple(2 * pixels for pixels in sizes[1])
    assert shown[0].told["footer"] == shown[1].told["footer"]


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch, blog, counts) -> None:
    monkeypatch.chdir(tmp_path)
    show = Exhibits("blog-2022", blog.images)
    show.figure("severity", bar_charts.severity_breakdown, counts, "title")
    show.table("counts", counts)
    assert list(tmp_path.iterdir()) == []


def test_the_footer_says_where_the_numbers_come_from(blog, both, frames_of) -> None:
    assert display.footer("blog-2022", blog.images) == (
        "study blog-2022 · capture 2022-02 · Trivy 0.76.0 · partial DB of 2022-02-28 · "
        "scanned 2026-11-24 · not like with like: OS\nend of life, image age, runtime"
    )
    told = display.footer("blog-2022", blog.images, lens="fixable findings")
    assert " · capture 2022-02 · lens: fixable findings · Trivy 0.76.0 · " in told
    assert "DB of 2022-02-28 and 2026-11-24" in display.footer("blog-2022", both.images)
    long = display.footer("blog-2022", both.images, "sizes: blog post, output of docker images")
    assert max(map(len, long.split("\n"))) <= display.FOOTER_WIDTH
    assert " · sizes: blog post, output of docker images · " in long.replace("\n", " ")
    legacy = frames_of(old=[{"Target": "x", "Vulnerabilities": None}])
    assert "Trivy of unknown version · DB of unknown date" in display.footer("s", legacy.images)


def test_tables_are_for_readers_and_files_are_raw(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "variant": ["a", "b"],
            "bytes": pd.array([76_900_000, None], dtype="Int64"),
            "difference_bytes": pd.array([-41_100_000, None], dtype="Int64"),
            "os_eol": pd.array([True, None], dtype="boolean"),
            "db_updated_at": pd.to_datetime(["2022-02-28T00:00:00Z", None]),
        }
    )
    html = Exhibits("s", pd.DataFrame(), str(tmp_path)).table("sizes", frame).data
    for shown in (
        "76.9 MB",
        "-41.1 MB",
        "2022-02-28",
        "past end of life when scanned",
        "yes",
        "not measured",
    ):
        assert shown in html
    assert "76900000" in (tmp_path / "tables/sizes.csv").read_text()


def test_what_comes_from_a_report_is_inert_in_tables_and_files(tmp_path, frames_of) -> None:
    hostile = "=cmd|' /C calc'!A0<script>alert(1)</script>"
    loaded = frames_of(app=trivy(finding(PkgName=hostile)))
    show = Exhibits("s", loaded.images, str(tmp_path))
    html = show.table("findings", loaded.findings).data
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert pd.read_csv(tmp_path / "tables/findings.csv")["package"].tolist() == [f"'{hostile}"]


def test_a_long_title_takes_two_lines_and_no_more(blog, counts) -> None:
    lines = display._wrapped("word " * 100).split("\n")
    assert len(lines) == 2
    assert max(map(len, lines)) <= display.TITLE_WIDTH + 2
    assert lines[-1].endswith("…")


def test_a_long_searchable_table_begins_in_the_report_and_its_file_has_all(
    blog: Frames, tmp_path: Path
) -> None:
    long = pd.DataFrame({"n": range(500)})
    show = Exhibits("blog-2022", blog.images, str(tmp_path))
    told = show.searchable("numbers", long)._repr_mimebundle_()
    plain = told[escape.STATIC]
    assert plain.count("<tr>") == 1 + display.PLAIN_ROWS
    assert plain.endswith("<p>300 of 500 rows; a run's tables/numbers.csv has all.</p>")
    assert "rows; a run" not in told["text/html"], "there all rows are"
    assert len((tmp_path / "tables/numbers.csv").read_text().splitlines()) == 501
    part = show.searchable("numbers", long, long.head(60))._repr_mimebundle_()["text/html"]
    assert part.endswith("<p>60 of 500 rows; a run's tables/numbers.csv has all.</p>")


def test_a_chart_of_nothing_is_a_sentence_where_one_is_given(blog: Frames, tmp_path: Path) -> None:
    show = Exhibits("blog-2022", blog.images, str(tmp_path))
    told = show.figure(
        "x", bar_charts.fixable, pd.DataFrame(), "title", without="Nothing is known."
    )
    assert told.data == "Nothing is known."
    assert not (tmp_path / "figures").exists()


def test_what_was_looked_at_is_on_figures_of_scans_and_on_no_other(
    blog: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    feet: list[str] = []
    real = display.footer

    def noted(*parts: Any) -> str:
        feet.append(real(*parts))
        return feet[-1]

    monkeypatch.setattr(display, "footer", noted)
    show = Exhibits("blog-2022", blog.images, lens="findings", seen="looked at 5%")
    frame = pd.DataFrame({"x": [1]})

    def chart(_: pd.DataFrame, ax: Axes) -> Axes:
        return ax

    show.figure("a", chart, frame, "title")
    show.figure("b", chart, frame, "title", of_scan=False)
    assert ["looked at 5%" in foot for foot in feet] == [True, False]


def test_in_korean_the_footer_is_korean(blog: Frames) -> None:
    with i18n.speaking("ko"):
        told = display.footer("blog-2022", blog.images, lens="findings").replace("\n", " ")
    assert told == (
        "연구 blog-2022 · 수집본 2022-02 · 집계 기준: 발견 항목 · Trivy 0.76.0 · "
        "부분 DB 2022-02-28 · 스캔 2026-11-24 · "
        "동일 조건 비교 아님: OS 지원 종료, 빌드 후 경과 기간, 런타임"
    )


def test_a_title_of_wide_letters_is_broken_before_it_is_too_wide() -> None:
    with i18n.speaking("ko"):
        lines = display._wrapped("한국어 제목 " * 20).split("\n")
    assert len(lines) == 2
    assert lines[1].endswith(" …")
    assert all(i18n.columns(line.removesuffix(" …")) <= 66 for line in lines)


def test_in_korean_a_searchable_table_has_korean_controls(blog: Frames) -> None:
    show = Exhibits("blog-2022", blog.images)
    with i18n.speaking("ko"):
        bundle = show.searchable("findings", blog.findings, blog.findings.head(60))
        told = bundle._repr_mimebundle_()["text/html"]
        assert '"search": "검색"' in told or "\\uac80\\uc0c9" in told
    assert "전체 67행 중 60행" in told
