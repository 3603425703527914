"""Charts as data: what is read from the axes is what the frame says and what the picture shows."""

from datetime import date

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import paths
from helpers.charts import (
    bar_charts,
    chart_data,
    growth_curves,
    look,
    property_matrix,
    scatter,
    stacks,
    upset,
)
from helpers.comparability import confounders
from helpers.frames import Frames
from helpers.sizes import image_sizes as sizes_of
from helpers.studies.load import load_published, load_study
from helpers.surface import checks
from helpers.verdict import sensitivity
from helpers.vulnerabilities import counting, growth, overlap
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, missing_image, trivy


@pytest.fixture
def ax() -> Axes:
    with mpl.rc_context(fname=paths.STYLE):
        return Figure().subplots()


def read(chart, frame: pd.DataFrame, ax: Axes, **options):
    """What a chart draws, by way of JSON, as a notebook carries it."""
    drawn = chart_data.read(chart, frame, chart(frame, ax, **options), options)
    return chart_data.decoded(chart_data.encoded(drawn))


def test_bars_are_the_counts_with_their_names_colours_and_totals(ax: Axes, blog: Frames) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    told = read(bar_charts.severity_breakdown, counts, ax)
    assert told.categories == ["nodejs-alpine", "nodejs-distroless"]
    assert {one.name: one.values for one in told.series} == {
        "CRITICAL": [3, 3],
        "HIGH": [31, 1],
        "MEDIUM": [12, 3],
        "LOW": [2, 12],
        "UNKNOWN": [0, 0],
    }
    assert told.series[0].colours == [bar_charts.COLOURS["CRITICAL"].lower()] * 2
    assert told.ends == ["48", "19"]
    assert told.axis == "number of findings"


def test_captures_are_named_where_there_are_several(ax: Axes, both: Frames) -> None:
    counts = counting.severity_counts(both.findings, both.images)
    told = read(bar_charts.severity_breakdown, counts, ax)
    assert told.categories == [
        "nodejs-alpine, 2022-02",
        "nodejs-alpine, 2026-11",
        "nodejs-distroless, 2022-02",
        "nodejs-distroless, 2026-11",
    ]
    assert told.ends == ["48", "49", "19", "107"]


def test_what_was_not_measured_has_no_bar_and_its_name_says_so(ax: Axes, frames_of) -> None:
    loaded = frames_of(clean=trivy(), one=trivy(finding()))
    images = missing_image(loaded.images, "lost")
    told = read(
        bar_charts.severity_breakdown, counting.severity_counts(loaded.findings, images), ax
    )
    assert told.categories == ["clean", "one", "lost: not measured"]
    assert {one.name: one.values for one in told.series}["HIGH"] == [0, 1, None]
    assert told.ends == ["0", "1", ""]


def test_where_nothing_was_measured_there_is_no_chart(ax: Axes, frames_of) -> None:
    images = frames_of(a=trivy()).images
    sizes = sizes_of.table(images, load_published("blog-2022").iloc[:0])
    told = read(bar_charts.size_difference, sizes_of.differences(sizes, "unpacked"), ax)
    assert told == chart_data.Words("a: not measured")


def test_sizes_stand_out_from_the_baseline_and_say_how_far_they_are(ax: Axes, blog: Frames) -> None:
    sizes = sizes_of.table(blog.images, load_published("blog-2022"))
    table = sizes_of.differences(sizes, "published", "nodejs-alpine")
    told = read(bar_charts.size_difference, table, ax, measured_as="as published")
    (only,) = told.series
    assert only.values == [76.9, 118.0]
    assert only.colours == [bar_charts.BASELINE.lower(), bar_charts.BAR.lower()]
    assert told.ends == ["76.9 MB\nbaseline", "118.0 MB\n+41.1 MB, ×1.53"]


def test_a_hatched_part_is_told_by_the_colour_of_its_lines(ax: Axes) -> None:
    split = pd.DataFrame(
        {
            "variant": "a",
            "status": "scanned",
            "part": ["the app's own, or linked by it", "no program in it", "not linked by it"],
            "count": [3, 2, 1],
        }
    )
    told = read(bar_charts.slimmer, split, ax, counted="vulnerabilities")
    assert [(one.values, one.hatch, one.colours) for one in told.series] == [
        ([3.0], "", [bar_charts.BAR.lower()]),
        ([2.0], ".", [bar_charts.BAR.lower()]),
        ([1.0], "//", [bar_charts.BAR.lower()]),
    ]


def test_bytes_are_megabytes_and_parts_that_nobody_has_are_left_out(ax: Axes) -> None:
    parts = pd.DataFrame(
        {
            "variant": ["a", "a", "b"],
            "part": ["of packages", "of no package", "of packages"],
            "size_bytes": [1_500_000, 500_000, 3_000_000],
        }
    )
    told = read(stacks.stacked, parts, ax, styles=stacks.COVERED, by="part", label="files")
    assert {one.name: one.values for one in told.series} == {
        "of packages": [1.5, 3.0],
        "of no package": [0.5, 0.0],
    }
    assert told.ends == ["2.0 MB", "3.0 MB"]
    assert told.axis == "files (MB = 10⁶ bytes)"


def test_points_are_the_candidates_each_with_its_own_label(ax: Axes, blog: Frames) -> None:
    able, kind = sensitivity.candidates(
        blog, load_published("blog-2022"), "", Lens("vulnerabilities")
    )
    told = read(scatter.tradeoff, able, ax, kind=kind, counted="fixable vulnerabilities")
    front = next(one for one in told.traces if one.marked)
    assert front.name == "on the Pareto front"
    assert front.points == [(76.9, 25.0), (118.0, 0.0)]
    assert {one.point: one.text.split("\n")[0] for one in front.labels} == {
        0: "nodejs-alpine",
        1: "nodejs-distroless",
    }
    line = next(one for one in told.traces if one.width)
    assert (76.9, 25.0) in line.points
    assert (told.across, told.upward) == (
        "image size, published (MB = 10⁶ bytes)",
        "number of fixable vulnerabilities",
    )


def test_without_a_point_there_are_words(ax: Axes, frames_of) -> None:
    loaded = frames_of(a=trivy())
    able, kind = sensitivity.candidates(loaded, load_published("blog-2022").iloc[:0], "", Lens())
    told = read(scatter.tradeoff, able, ax, kind=kind, counted="findings")
    assert told == chart_data.Words("not placed: a (size not known)")


def test_curves_are_days_of_excel_that_rise_in_steps(ax: Axes) -> None:
    newest = load_study("blog-2022", "2026-11")
    table = growth.growth(newest.findings, newest.images, Lens())
    ends = confounders.ends(confounders.confounders(newest.images))
    post = {"the post": date(2022, 2, 28)}
    told = read(growth_curves.growth, table, ax, ends=ends, events=post, counted="findings")
    own = table[table["variant"].eq("nodejs-distroless")]
    drawn = {p for one in told.traces if one.name == "nodejs-distroless" for p in one.points}
    first = pd.Timestamp("1899-12-30", tz="UTC")
    assert told.days
    assert {((day - first).days, n) for day, n in zip(own["day"], own["count"], strict=True)} <= (
        drawn
    )
    assert any(one.dashed for one in told.traces if one.name == "nodejs-alpine")
    labels = {label.text: label for one in told.traces for label in one.labels}
    assert {"nodejs-alpine 49", "nodejs-distroless 107", "the post"} <= set(labels)
    assert labels["Alpine 3.11.2:\nend of life"].left


def test_days_on_which_facts_are_not_complete_are_a_band_of_its_colour(ax: Axes) -> None:
    newest = load_study("matched-2026")
    table = growth.growth(newest.findings, newest.images, Lens())
    ends = confounders.ends(confounders.confounders(newest.images))
    until = date(2026, 8, 31)
    told = read(growth_curves.growth, table, ax, ends=ends, events={}, counted="n", complete=until)
    last = (table["day"].max().tz_convert(None) - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
    (band,) = told.bands
    assert band == ((until - date(1899, 12, 30)).days, pytest.approx(last), "#f0f0f0")


def test_a_matrix_of_which_nothing_is_known_is_words(ax: Axes) -> None:
    told = {"property": "shells", "variant": ["a", "b"], "value": "not measured", "count": pd.NA}
    unknown = pd.DataFrame({**told, "state": checks.UNKNOWN})
    assert read(property_matrix.grid, unknown, ax) == chart_data.Words("not measured")
    known = unknown.assign(state=[checks.UNKNOWN, checks.NONE])
    assert read(property_matrix.grid, known, ax) is None


def test_before_time_has_passed_there_are_words(ax: Axes) -> None:
    newest = load_study("rebuilt-2026")
    table = growth.growth(newest.findings, newest.images, Lens())
    ends = confounders.ends(confounders.confounders(newest.images))
    told = read(growth_curves.growth, table, ax, ends=ends, events={}, counted="findings")
    assert isinstance(told, chart_data.Words)
    assert told.text.startswith("No time has passed")


def test_what_powerpoint_has_no_type_for_is_no_chart(ax: Axes, blog: Frames) -> None:
    listing = overlap.listing(blog.findings, blog.images, Lens())
    named = overlap.variants(listing)
    shared = overlap.combinations(listing)
    assert read(upset.overlap, shared, ax, variants=named, counted="vulnerabilities") is None


@pytest.mark.parametrize("name", ["a\x1b[31m", "a\u202eb", "x" * 300, "$x^2$\n<b>"])
def test_strange_names_are_text_on_one_line(ax: Axes, frames_of, name: str) -> None:
    loaded = frames_of(app=trivy(finding()))
    images, findings = (frame.assign(variant=name) for frame in (loaded.images, loaded.findings))
    told = read(bar_charts.severity_breakdown, counting.severity_counts(findings, images), ax)
    (shown,) = told.categories
    assert len(shown) <= 40
    assert shown.isprintable()


def test_a_dark_chart_has_dark_colours(ax: Axes, blog: Frames) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    bar_charts.severity_breakdown(counts, ax)
    look.use("dark")
    try:
        look.dress(ax.figure)
    finally:
        look.use()
    told = chart_data.read(bar_charts.severity_breakdown, counts, ax, {})
    assert told.series[0].colours[0] == look.dark(bar_charts.COLOURS["CRITICAL"])
