"""Tables for readers: words and units, and nothing of a value is markup."""

from pathlib import Path

import pandas as pd
import pytest

from helpers import paths
from helpers.notebook import tables
from helpers.studies.study import open_study


def cells(frame: pd.DataFrame) -> list[str]:
    return tables.readable(frame).iloc[:, 0].tolist()


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("size_bytes", 12_345_678, "12.3 MB"),
        ("size_bytes", 0, "0.0 MB"),
        ("size_bytes", 3_384, "3,384 bytes"),
        ("difference_bytes", 12_345_678, "+12.3 MB"),
        ("difference_bytes", -32, "-32 bytes"),
        ("files", 1_234, "1,234"),
        ("known_share", 0.3518, "35%"),
        ("score", 0.3518, "0.35"),
        ("epss", 0.00042, "0.00042"),
    ],
)
def test_numbers_have_their_unit(name: str, value: float, shown: str) -> None:
    assert cells(pd.DataFrame({name: [value]})) == [shown]


def test_what_is_missing_was_not_measured_and_an_empty_text_is_a_dash() -> None:
    frame = pd.DataFrame({"x": pd.array([1, None], dtype="Int64")})
    assert cells(frame) == ["1", "not measured"]
    assert cells(pd.DataFrame({"x": ["", "y"]})) == ["—", "y"]
    assert cells(pd.DataFrame({"epss": [0.5, None]})) == ["0.50000", "not scored"]
    days = pd.to_datetime(["2023-11-21", None], utc=True)
    assert cells(pd.DataFrame({"kev_added_at": days})) == ["2023-11-21", "—"]


def test_what_was_not_measured_at_all_is_named_below_the_table() -> None:
    frame = pd.DataFrame(
        {
            "variant": ["alpine", "broken", "debian"],
            "count": pd.array([48, None, 19], dtype="Int64"),
            "known_share": pd.array([None] * 3, dtype="Float64"),
            "status": ["scanned", "failed", "scanned"],
        }
    )
    kept, left_out = tables.measured(frame)
    assert kept.drop(columns="status").to_numpy().tolist() == [["alpine", 48], ["debian", 19]]
    assert left_out == "Not measured: share scanned. Not measured: broken (failed)."
    assert tables.to_html(frame).endswith(f"</table><p>{left_out}</p>")
    nothing = tables.to_html(frame.assign(count=pd.NA))
    assert nothing == "<p>Not measured: count, share scanned.</p>"


def test_ids_and_packages_lead_to_their_pages_and_purls_are_not_shown() -> None:
    frame = pd.DataFrame(
        {
            "vulnerability_id": ["CVE-2021-44228", "x"],
            "package": ["@a/b<", "libc6"],
            "purl": ["pkg:npm/%40a/b@1", None],
        }
    )
    shown = tables.to_html(frame)
    blank = 'rel="noreferrer noopener" target="_blank"'
    page = "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"
    assert f'<a href="{page}" {blank}>CVE-2021-44228</a>' in shown
    assert f'<a href="https://www.npmjs.com/package/@a/b" {blank}>@a/b&lt;</a>' in shown
    assert shown.count("<a ") == 2
    assert "purl" not in shown
    assert list(tables.readable(frame)) == ["vulnerability id", "package"]


def test_values_and_headings_are_no_markup() -> None:
    shown = tables.to_html(pd.DataFrame({"<b>": ["<script>alert(1)</script>"]}))
    assert "<script" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;" in shown


def headings(run: Path) -> set[str]:
    """Return the headings of a run's tables, but for those that are names of variants."""
    columns = {c for path in run.glob("tables/*.csv") for c in pd.read_csv(path, nrows=0)}
    own = sorted(columns - {*open_study(run.name).names()})
    return set(tables.readable(pd.DataFrame(columns=own)))


def test_every_heading_has_a_translation(finished: Path) -> None:
    known = set(pd.read_csv(paths.LANGUAGES, keep_default_na=False)["en"])
    found = headings(finished)
    assert len(found) > 100
    assert found <= known
