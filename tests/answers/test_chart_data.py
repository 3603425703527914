"""Charts as data: one without data says why it has no figure."""

from datetime import date

import pytest

from helpers.answers.chart_data import (
    Bars,
    Chart,
    Combination,
    Curve,
    Curves,
    Matrix,
    Overlap,
    Point,
    Points,
    Series,
    why_empty,
)

DAY, WEEK_LATER = date(2026, 11, 1), date(2026, 11, 8)


def bars(*lengths: float | None) -> Bars:
    rows = [(f"v{n}", "") for n in range(len(lengths))]
    measured = [length is not None for length in lengths]
    return Bars(rows, [Series("HIGH", "HIGH", [*lengths])], [], "x", "severity", measured)


def curves(*days: date) -> Curves:
    found = [Curve("a", [(day, 1.0) for day in days])] if days else []
    return Curves(found, [], [], "x", "y")


@pytest.mark.parametrize(
    ("chart", "why"),
    [
        (bars(), "nothing is counted in any image"),
        (bars(None, None), "Nothing was measured"),
        (Points([], "x", "y", note="not placed: a (failed)"), "Not placed: a (failed)."),
        (Points([], "x", "y"), "Nothing is known"),
        (Points([Point(n, at, 7, n) for at, n in enumerate("ab")], "x", "y"), "Y: 7 each"),
        (curves(), "No image was measured"),
        (curves(DAY, DAY), "Too young to have grown"),
        (Overlap([], [], [], "x", "y"), "No variant was scanned"),
        (Overlap(["a", "b"], [], [], "x", "y"), "no vulnerability is counted"),
        (Matrix([], ["a"], []), "No image was looked at"),
    ],
)
def test_a_chart_without_data_says_why_in_a_sentence(chart: Chart, why: str) -> None:
    assert why in why_empty(chart)
    assert why_empty(chart).endswith(".")


@pytest.mark.parametrize(
    "chart",
    [
        None,
        bars(0.0, None),
        Points([Point("a", 0, 0, "a")], "x", "y", note="not placed: b (failed)"),
        curves(DAY, WEEK_LATER),
        Overlap(["a"], [("HIGH", "HIGH")], [Combination(["a"], [1])], "x", "y"),
        Matrix(["shells"], ["a"], [[]]),
    ],
)
def test_what_has_data_has_a_figure_also_if_all_counts_are_0(chart: Chart | None) -> None:
    assert why_empty(chart) == ""
