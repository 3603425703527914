"""Ends of releases: the table is well-formed, and a version finds its line."""

import csv
import re
from datetime import date

import pytest

from helpers import paths
from helpers.comparability import end_of_life


def test_the_table_is_well_formed() -> None:
    with paths.LIFECYCLE.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    releases = [(line["product"], line["cycle"]) for line in lines]
    assert len(releases) == len(set(releases))
    for line in lines:
        assert re.fullmatch(r"\d+(\.\d+)*", line["cycle"])
        assert line["source"].strip() == line["source"] != ""
        ends = [line["released"], line["end_of_life"]]
        ends += [line["end_of_lts"]] if line["end_of_lts"] else []
        assert ends == [date.fromisoformat(day).isoformat() for day in ends]
        assert ends == sorted(set(ends)), line


@pytest.mark.parametrize(
    ("product", "version", "end", "advisories"),
    [
        ("alpine", "3.11.2", date(2021, 11, 1), date(2021, 11, 1)),
        # Not 3.1, which is another release and not in the table.
        ("alpine", "3.10.1", date(2021, 5, 1), date(2021, 5, 1)),
        ("alpine", "3.1", None, None),
        ("debian", "11.2", date(2024, 8, 14), date(2026, 8, 31)),
        ("debian", "12", date(2026, 7, 11), date(2028, 6, 30)),
        ("ubuntu", "22.04", date(2027, 6, 1), date(2027, 6, 1)),
        ("node", "8.17.0", date(2019, 12, 31), date(2019, 12, 31)),
        ("Node.js", "v16.14.0", date(2023, 9, 11), date(2023, 9, 11)),
        ("python", "3.12.1", date(2028, 10, 31), date(2028, 10, 31)),
        ("java", "21.0.13.1", date(2029, 12, 31), date(2029, 12, 31)),
        ("OpenJDK", "1.8.0_412", date(2030, 12, 31), date(2030, 12, 31)),
        ("go", "1.24.4", date(2026, 2, 10), date(2026, 2, 10)),
        # Previews and rolling distributions end nowhere.
        ("alpine", "3.24.0_alpha20251224", None, None),
        ("debian", "forky/sid", None, None),
        ("wolfi", "20230201", None, None),
        ("alpine", "", None, None),
    ],
)
def test_a_version_finds_its_release(product, version, end, advisories) -> None:
    assert end_of_life.end_of_life(product, version) == end
    assert end_of_life.advisories_until(product, version) == advisories
