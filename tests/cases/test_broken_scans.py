"""Scans that are more likely broken than good news, in a series."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import Comparison
from helpers.capture.kept_reports import take
from helpers.changes.identity import COLUMNS
from helpers.frames import FAILED, SCANNED
from helpers.history import broken_scans
from helpers.history.broken_scans import COMES_BACK, FALLS
from tests.cases.made import findings, report


def marked(*rows: tuple[str, int, dict[str, Any]], variant: str = "a") -> pd.DataFrame:
    """Scans of one image: day, findings, and what tells the image."""
    full = [
        {
            **{"variant": variant, "capture": f"{day}.{number}", "at": pd.Timestamp(day, tz="UTC")},
            **{"status": SCANNED, "findings": count, **dict.fromkeys(COLUMNS), **about},
        }
        for number, (day, count, about) in enumerate(rows)
    ]
    return pd.DataFrame(full).astype({"findings": "Int64"})


def why(*rows: tuple[str, int, dict[str, Any]]) -> list[str]:
    return broken_scans.marked(marked(*rows))["why_broken"].tolist()


def days(counts: list[int], **about: Any) -> list[tuple[str, int, dict[str, Any]]]:
    return [(f"2024-01-{day:02}", count, about) for day, count in enumerate(counts, 1)]


@pytest.mark.parametrize("by", ["digest", "image_id", "listed"])
@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([303, 6, 304], ["", FALLS, ""]),
        ([303, 6, 0, 7, 290], ["", FALLS, COMES_BACK, FALLS, ""]),
        ([303, 0, 6, 304], ["", COMES_BACK, FALLS, ""]),
        ([303, 61, 304], ["", "", ""]),
        ([303, 6, 6, 6], ["", "", "", ""]),
        ([303, 6, 100], ["", "", ""]),
        ([9, 1, 9], ["", "", ""]),
        ([303, 20, 2, 20], ["", "", FALLS, ""]),
    ],
)
def test_what_is_lost_and_comes_back_in_one_image_is_broken(
    by: str, counts: list[int], expected: list[str]
) -> None:
    assert why(*days(counts, **{by: "x"})) == expected


def test_a_fall_of_another_image_or_of_an_unknown_one_is_none() -> None:
    def digests(*pairs: tuple[int, str]) -> list[str]:
        rows = [(f"2024-01-{day:02}", n, {"digest": d}) for day, (n, d) in enumerate(pairs, 1)]
        return why(*rows)

    assert digests((303, "x"), (6, "y"), (304, "x")) == ["", "", ""]
    assert digests((303, "x"), (6, "y"), (304, "y")) == ["", FALLS, ""]
    assert why(*days([303, 6, 304])) == ["", "", ""]
    named = {"artifact": "app:1", "created_at": "2023-01-01T00:00:00Z"}
    assert why(*days([303, 6, 304], **named)) == ["", "", ""]


def test_a_small_zero_that_a_second_scan_of_the_day_confirms_is_sound() -> None:
    same = {"digest": "x"}
    first, last = ("2024-01-01", 3, same), ("2024-01-03", 2, same)
    zero = ("2024-01-02", 0, same)
    assert why(first, zero, zero, last) == ["", "", "", ""]
    assert why(first, zero, last) == ["", COMES_BACK, ""]
    assert why(("2024-01-01", 30, same), zero, zero, (*last[:1], 29, same)) == [
        *("", COMES_BACK, COMES_BACK, "")
    ]
    other = marked(("2024-01-02", 0, same), variant="b")
    both = pd.concat([marked(first, zero, last), other], ignore_index=True)
    assert broken_scans.marked(both)["why_broken"].tolist() == ["", "", "", ""]


def test_a_broken_day_is_left_out_of_steps_of_a_study_without_databases(
    empty_data: Path, tmp_path: Path
) -> None:
    for day, count in enumerate((40, 5, 41), 12):
        path = tmp_path / f"2023-01-{day}" / "app.json"
        path.parent.mkdir()
        path.write_text(json.dumps(report(*findings(count), image_id="a")))
    take("mine", tmp_path)
    comparison = Comparison("mine")
    assert comparison._history.scans["why_broken"].tolist() == ["", FALLS, ""]
    changed = comparison._history.steps.moves["change"].astype("str").value_counts().to_dict()
    assert changed == {"appeared": 1}


def test_a_day_whose_only_report_cannot_be_read_stays_visible(
    empty_data: Path, tmp_path: Path
) -> None:
    for day in (12, 13, 14):
        path = tmp_path / f"2023-01-{day}" / "app.json"
        path.parent.mkdir()
        path.write_text(json.dumps(report(*findings(2))) if day != 13 else '{"SchemaVersion": 2,')
    done = take("mine", tmp_path)
    assert done.made == ["2023-01-12", "2023-01-13", "2023-01-14"]
    comparison = Comparison("mine")
    table = comparison.history.counts().table
    assert table["status"].tolist() == [SCANNED, FAILED, SCANNED]
    assert table["count"].isna().tolist() == [False, True, False]
    left_out = comparison.history.broken_scans().table
    assert left_out[["capture", "variant"]].to_numpy().tolist() == [["2023-01-13", "app"]]
    assert left_out["why_broken"].str.len().gt(0).all()
    assert len(comparison._history.steps.pairs) == 1
