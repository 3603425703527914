"""Attribution: what of a difference fixes take away, and what is left of it for the bases."""

import pandas as pd
import pytest

from helpers.answers.chart_data import Bars
from helpers.frames import Frames
from helpers.studies.load import load_study
from helpers.text import i18n
from helpers.verdict import attribution
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import NVD, Lens
from tests.conftest import finding, trivy

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
PAIR = "node-24-alpine", "node-24-distroless"


@pytest.fixture(scope="module")
def matched() -> pd.DataFrame:
    frames = load_study("matched-2026")
    return attribution.difference("matched-2026", frames, *PAIR, Lens(known_by="2026-08-31"))


def posts(frames: Frames, lens: Lens = Lens()) -> pd.DataFrame:  # noqa: B008
    return attribution.difference("blog-2022", frames, ALPINE, DISTROLESS, lens)


def text_of(table: pd.DataFrame) -> str:
    return attribution.answer(table).text.plain


def images(frames: Frames, variant: str, **columns: object) -> Frames:
    """Frames whose images of one variant have another value in some columns."""
    changed = frames.images.copy()
    for column, value in columns.items():
        rest = changed[column].astype(object).where(changed["variant"].ne(variant), value)
        changed[column] = rest.astype(frames.images[column].dtype)
    return frames._replace(images=changed)


def test_the_posts_difference_is_the_age_of_its_alpine_image(both: Frames) -> None:
    table = posts(both)
    assert list(table) == attribution.COLUMNS
    keys = ["capture", "counted"]
    numbers = ["first_total", "second_total", "difference", "fixable_difference"]
    assert table.set_index(keys)[[*numbers, "second_with_all_fixes"]].T.to_dict("list") == {
        ("2022-02", "findings"): [48, 19, 29, 48, 19],
        ("2022-02", "vulnerabilities"): [25, 16, 9, 25, 16],
        ("2026-11", "findings"): [49, 107, -58, -47, 11],
        ("2026-11", "vulnerabilities"): [26, 66, -40, -31, 9],
    }
    # What Alpine has unfixed cannot be seen, and is not taken for zero.
    assert table[["first_with_all_fixes", "with_all_fixes"]].isna().all(axis=None)
    assert table["days_older"].unique().tolist() == [783]
    assert table["not_observable"].unique().tolist() == [ALPINE]


def totals(frames: Frames, lens: Lens) -> dict[tuple[str, str], int]:
    """What each image counts under a lens, by capture and variant."""
    counts = counting.severity_counts(frames.findings, frames.images, lens)
    return counting.totals(counts).set_index(["capture", "variant"])["total"].to_dict()


@pytest.mark.parametrize(
    "lens",
    [
        *(Lens(), Lens(fixable=True), Lens(known_by="2021-12-31"), Lens(place="os")),
        *(Lens(place="app", known_by="2022-06-01"), Lens(rated_by=NVD)),
    ],
    ids=["plain", "fixable", "day", "os", "app-by-a-day", "nvd"],
)
def test_the_parts_are_what_the_lens_counts_with_and_without_a_fix(both, lens: Lens) -> None:
    table = posts(images(both, ALPINE, os_family="debian"), lens)
    for row, counted in zip(table.itertuples(), ["findings", "vulnerabilities"] * 2, strict=True):
        view = lens._replace(counted=counted, fixable=False)
        whole, fixed = totals(both, view), totals(both, view._replace(fixable=True))
        first, second = (row.capture, ALPINE), (row.capture, DISTROLESS)
        assert row.counted == view.label
        with i18n.speaking("ko"):
            assert row.counted.told == view.label
        assert [row.first_total, row.second_total] == [whole[first], whole[second]]
        assert row.first_with_all_fixes == whole[first] - fixed[first]
        assert row.second_with_all_fixes == whole[second] - fixed[second]
        assert row.fixable_difference == fixed[first] - fixed[second]
        assert row.difference == row.first_total - row.second_total
        assert row.difference == row.fixable_difference + row.with_all_fixes


def test_a_vulnerability_that_is_fixed_in_one_package_only_is_gone_with_all_fixes(
    frames_of,
) -> None:
    """As vulnerabilities are counted, one is fixable if it is in any package."""
    half = [finding(1, PkgName="a", FixedVersion="2"), finding(1, PkgName="b"), finding(2)]
    frames = frames_of(a=trivy(*half), b=trivy())
    table = attribution.difference("s", frames, "a", "b", Lens()).set_index("counted")
    numbers = ["first_total", "first_with_all_fixes", "fixable_difference"]
    assert table[numbers].T.to_dict("list") == {
        "findings": [3, 2, 1],
        "vulnerabilities": [2, 1, 1],
    }


def test_the_matched_pair_has_the_other_sign_than_the_post(both: Frames, matched) -> None:
    findings, vulnerabilities = matched.to_dict("records")
    assert findings == {
        "study": "matched-2026",
        "capture": "2026-11",
        "first": "node-24-alpine",
        "second": "node-24-distroless",
        "counted": "findings, published by 2026-08-31",
        "first_total": 18,
        "second_total": 24,
        "difference": -6,
        "first_with_all_fixes": None,
        "second_with_all_fixes": 7,
        "with_all_fixes": None,
        "first_fixable": 18,
        "second_fixable": 17,
        "fixable_difference": 1,
        "days_older": 18,
        "built_after_end": "",
        "not_observable": "node-24-alpine",
    }
    assert [vulnerabilities["first_total"], vulnerabilities["second_total"]] == [9, 24]
    pairs = attribution.lesson_answer(posts(both), "2022-02", matched).table
    gaps = pairs[["days_older", "difference", "fixable_difference"]]
    assert gaps.to_numpy().tolist() == [[783, 29, 48], [783, 9, 25], [18, -6, 1], [18, -15, -8]]


@pytest.mark.parametrize("roles", [(None, DISTROLESS), (ALPINE, None), (None, None)])
def test_without_a_variant_of_each_role_there_is_no_row(both: Frames, roles) -> None:
    table = attribution.difference("blog-2022", both, *roles, Lens())
    assert list(table) == attribution.COLUMNS
    assert text_of(table).startswith("No capture has scans of both")


@pytest.mark.parametrize("status", ["failed", "missing", "no-os", "broken"])
def test_a_capture_in_which_not_both_were_scanned_is_left_out(both: Frames, status: str) -> None:
    lost = both.images["variant"].eq(ALPINE) & both.images["capture"].eq("2022-02")
    changed = both.images.assign(status=both.images["status"].mask(lost, status))
    assert posts(both._replace(images=changed))["capture"].tolist() == ["2026-11"] * 2


@pytest.mark.parametrize(
    ("built", "days"),
    [("2022-02-14T23:00", 0), ("2022-02-15", -1), ("2022-02-12T23:00", 2), (None, None)],
)
def test_which_image_is_older_and_by_how_much(blog: Frames, built, days: int | None) -> None:
    when = pd.Timestamp(built, tz="UTC") if built else pd.NaT
    # Debian 11 had advisories for long: of Alpine 3.11 nothing is newer than its end.
    changed = images(blog, ALPINE, created_at=when, os_family="debian", os_version="11.2")
    found = posts(changed)["days_older"].unique().tolist()
    assert found == [pd.NA if days is None else days]


def row(study: str, gap: int, days: int | None = 18) -> pd.DataFrame:
    """A pair with the same gap however it is counted."""
    more, fewer = max(gap, 0), max(-gap, 0)
    values = {"study": study, "capture": "1", "difference": gap, "days_older": days}
    values |= {"first": "a", "second": "b", "fixable_difference": gap, "built_after_end": ""}
    values |= {"first_fixable": more, "second_fixable": fewer}
    values |= {"first_total": more, "second_total": fewer}
    table = pd.DataFrame([{**values, "counted": counted} for counted in attribution.COUNTED])
    return table.astype({"days_older": "Int64"})


@pytest.mark.parametrize(
    ("ours", "pair", "bars"),
    [
        (row("ours", 48, 783), row("pair", 1), 8),
        (row("ours", 8, 18), None, 4),
        # Without matched images nothing tells age from base.
        (row("ours", 48, 783), None, 0),
        (row("ours", 48, None), None, 0),
        (row("ours", 0, 783), row("pair", 3), 8),
    ],
)
def test_age_or_base_has_a_slide_where_the_evidence_carries_one(ours, pair, bars: int) -> None:
    answer = attribution.lesson_answer(ours, "1", pair)
    assert len(answer.talks) == bool(bars)
    assert len(answer.chart.rows if isinstance(answer.chart, Bars) else []) == bars


def test_a_study_is_no_pair_of_its_own() -> None:
    assert attribution.compared(row("s", 1), "1", row("s", 1))["study"].tolist() == ["s", "s"]
