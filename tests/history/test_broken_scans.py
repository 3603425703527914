"""Broken scans: real series with known broken days, and what is no broken scan."""

import pandas as pd
import pytest

from helpers.frames import NO_OS, SCANNED
from helpers.history import broken_scans
from helpers.history.broken_scans import COMES_BACK, FALLS, NO_SYSTEM, ZERO

SAME = {"scanner": "trivy", "scanner_version": "1"}


def scans(*rows: dict) -> pd.DataFrame:
    """Scans of one image, one a day."""
    days = pd.date_range("2024-01-01", periods=len(rows), tz="UTC")
    full = [
        {"variant": "a", "capture": str(day.date()), "at": day, "status": SCANNED, **row}
        for day, row in zip(days, rows, strict=True)
    ]
    return pd.DataFrame(full).astype({"findings": "Int64"})


def why(*rows: dict) -> list[str]:
    return broken_scans.marked(scans(*rows))["why_broken"].tolist()


def recorded(shared, name: str, count: str, image: str) -> pd.DataFrame:
    path = shared / "fleet" / "history" / f"{name}.tsv.gz"
    if not path.is_file():
        pytest.skip("no fleet/history among other projects' reports")
    raw = pd.read_csv(path, sep="\t", dtype={image: "str"})
    variant = raw["image"] + (" " + raw["scanner"] if "scanner" in raw else "")
    at = pd.to_datetime(raw["time"], format="ISO8601", utc=True)
    columns = {"variant": variant, "at": at, "image_id": raw[image]}
    return pd.DataFrame({**columns, "findings": raw[count].astype("Int64")})


def test_the_known_broken_days_are_marked_and_no_other(shared) -> None:
    found = broken_scans.marked(recorded(shared, "image-comparison", "total", "digest"))
    found = found[found["why_broken"].ne("")]
    days = found["at"].dt.strftime("%Y-%m-%d")
    assert set(zip(found["variant"], days, strict=True)) == {
        ("nginx:latest trivy", "2023-01-12"),
        ("nginx:latest trivy", "2023-01-13"),
        ("golang:latest grype", "2023-09-28"),
        ("nginx:latest grype", "2023-09-28"),
    }
    assert len(found) == 4


def test_so_are_those_of_the_pages_where_empty_is_a_gap(shared) -> None:
    found = broken_scans.marked(recorded(shared, "image-comparison-pages", "cves", "built"))
    found = found[found["why_broken"].ne("")]
    days = found["at"].dt.strftime("%Y-%m-%d")
    assert list(zip(found["variant"], days, strict=True)) == [
        ("golang:latest", "2023-10-01"),
        ("nginx:latest", "2023-10-01"),
    ]


@pytest.mark.parametrize(
    ("rows", "marks"),
    [
        ([10, 0, 0], ["", ZERO, ZERO]),
        ([9, 0, 0], ["", "", ""]),
        ([8, 0, 4], ["", COMES_BACK, ""]),
        ([8, 0, 3], ["", "", ""]),
        ([10, 2, 10], ["", FALLS, ""]),
        ([10, 3, 10], ["", "", ""]),
        ([40, None, 0, None, 41], ["", "", COMES_BACK, "", ""]),
        ([0, 0, 3], ["", "", ""]),
    ],
    ids=[
        *("many", "few-may-be-taken-back", "comes-back", "less-than-half-comes-back"),
        *("to-a-fifth", "to-more-than-a-fifth", "gaps-are-no-zeros", "clean-at-first"),
    ],
)
def test_zeros_of_packages_that_stayed(rows: list, marks: list) -> None:
    assert why(*({"findings": count, "listed": "x"} for count in rows)) == marks


def test_with_the_same_database_and_scanner_no_zero_is_right() -> None:
    row = {"listed": "x", "db_sha256": "d", **SAME}
    assert why({"findings": 1, **row}, {"findings": 0, **row}) == ["", ZERO]
    assert why({"findings": 1, **row}, {"findings": 0, **row, "db_sha256": "e"}) == ["", ""]


def test_zeros_of_other_packages_are_good_news_until_the_count_comes_back() -> None:
    def listed(*pairs: tuple[int, str]) -> list[str]:
        return why(*({"findings": count, "listed": name} for count, name in pairs))

    assert listed((40, "x"), (0, "y"), (0, "y")) == ["", "", ""]
    assert listed((40, "x"), (0, "y"), (2, "y")) == ["", "", ""], "published since"
    assert listed((40, "x"), (0, "y"), (40, "y")) == ["", COMES_BACK, ""]
    assert listed((40, "x"), (0, "y"), (40, "x")) == ["", "", ""], "another image in between"


def test_no_operating_system_where_there_was_one_is_broken_until_it_is_back() -> None:
    lost = {"findings": 2, "status": NO_OS}
    assert why({"findings": 9}, lost, lost, {"findings": 9}) == ["", NO_SYSTEM, NO_SYSTEM, ""]
    assert why(lost, lost) == ["", ""], "it never had one"
    marked = broken_scans.marked(scans({"findings": 9}, lost, {"findings": 9}))
    assert len(broken_scans.sound(marked)) == 2
