"""Changes between two captures: what became of each finding, and what caused it."""

from typing import Any

import pandas as pd
import pytest

from helpers.changes import between, scans
from helpers.changes.causes import DATABASE, IMAGE, SCANNER, STATEMENT, UNKNOWN
from helpers.changes.engine import APPEARED, GONE, RERATED, STAYED
from helpers.errors import ParameterInvalid
from helpers.frames import Frames
from tests.conftest import finding, suppressing, trivy
from tests.gate.conftest import listing

EARLIER, LATER = "2022-02", "2026-11"
ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
KNOWN = {"scanner_version": "0.76.0", "db_sha256": "a", "db_updated_at": pd.NaT}


@pytest.fixture
def captured(frames_of):
    """Two captures of one image, each a report and what differs from what is known."""

    def made(
        *captures: tuple[dict[str, Any], dict[str, Any]], image_id: str | None = None
    ) -> Frames:
        parts = []
        for day, (report, other) in zip((EARLIER, LATER), captures, strict=False):
            images, *rest = frames_of(app=report)
            images = images.assign(**KNOWN | {"image_id": image_id} | other)
            parts.append([frame.assign(capture=day) for frame in (images, *rest)])
        return Frames(*(pd.concat(two, ignore_index=True) for two in zip(*parts, strict=True)))

    return made


def reasons(frames: Frames) -> list[tuple[str, ...]]:
    """What became of each vulnerability, and the reason."""
    table = between.changes(frames, EARLIER, LATER)
    return list(table[["vulnerability_id", "change", "reason"]].itertuples(index=False, name=None))


def test_the_posts_images_with_a_later_database(both) -> None:
    table = between.changes(both, EARLIER, LATER)
    assert list(table) == between.COLUMNS
    assert table.index.is_unique
    assert table.groupby(["variant", "change"]).size().to_dict() == {
        (ALPINE, APPEARED): 1,
        (ALPINE, STAYED): 48,
        (DISTROLESS, APPEARED): 93,
        (DISTROLESS, GONE): 5,
        (DISTROLESS, STAYED): 14,
    }
    stayed = table["change"].eq(STAYED)
    assert table[~stayed]["reason"].unique().tolist() == [DATABASE]
    assert table[stayed]["reason"].unique().tolist() == [""]
    text = between.answer(both, EARLIER, LATER).text.plain
    assert text.count("(changed: database; unchanged: image, scanner)") == 2


def test_another_severity_is_re_rated_and_no_new_finding(captured) -> None:
    low, high = listing(finding(Severity="LOW")), listing(finding(Severity="HIGH"))
    frames = captured((low, {}), (high, {"db_sha256": "b"}))
    assert reasons(frames) == [("CVE-2024-0001", RERATED, DATABASE)]
    table = between.changes(frames, EARLIER, LATER)
    assert between.counted(table, ["variant"], [GONE, RERATED]).to_dict("records") == [
        {"variant": "app", GONE: 0, "re_rated": 1}
    ]


def test_findings_that_are_alike_each_have_one_other_only(captured) -> None:
    twice, once = (
        listing(*(finding(Severity=level) for level in levels))
        for levels in (("LOW", "CRITICAL", "MEDIUM"), ("MEDIUM", "CRITICAL"))
    )
    table = between.changes(captured((twice, {}), (once, {})), EARLIER, LATER)
    levels = table[["severity_before", "severity_after"]].astype("str").fillna("").to_numpy()
    expected = [["CRITICAL", "CRITICAL"], ["LOW", ""], ["MEDIUM", "MEDIUM"]]
    assert sorted(levels.tolist()) == expected


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({}, UNKNOWN),
        ({"db_sha256": "b"}, DATABASE),
        ({"scanner_version": "0.77.0"}, SCANNER),
        ({"scanner": "grype"}, SCANNER),
        ({"scanner_version": "0.77.0", "db_sha256": "b"}, f"{SCANNER} or {DATABASE}"),
        ({"db_sha256": None}, DATABASE),
        ({"scanner_version": None, "db_sha256": None}, f"{SCANNER} or {DATABASE}"),
        ({"scanner": "grype", "scanner_version": None}, SCANNER),
        ({"image_id": "2"}, UNKNOWN),
    ],
    ids=[
        *("nothing", "database", "version", "scanner", "both", "by-exclusion", "none", "part"),
        "same-packages",
    ],
)
def test_changes_in_the_same_packages_are_caused_by_scanner_or_database(
    captured, other, reason: str
) -> None:
    frames = captured((listing(finding(1)), {}), (listing(finding(2)), other))
    assert reasons(frames) == [("CVE-2024-0001", GONE, reason), ("CVE-2024-0002", APPEARED, reason)]


@pytest.mark.parametrize(
    ("digests", "later", "differs"),
    [
        ((None, None), LATER, True),
        ((None, None), EARLIER, False),
        (("a", "a"), LATER, False),
        (("a", "b"), EARLIER, True),
    ],
)
def test_a_database_is_known_by_its_digest_and_without_one_by_its_day(
    captured, digests: tuple[str | None, ...], later: str, differs: bool
) -> None:
    scans_ = (
        (listing(finding(1)), {"db_sha256": each, "db_updated_at": pd.Timestamp(day, tz="UTC")})
        for each, day in zip(digests, (EARLIER, later), strict=True)
    )
    text = between.answer(captured(*scans_), EARLIER, LATER).text.plain
    assert ("changed: database" in text) == differs


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"image_id": "1"}, UNKNOWN),
        ({}, IMAGE),
        ({"image_id": None}, IMAGE),
        ({"db_sha256": "b"}, "image or database"),
        ({"scanner": "grype"}, "image or scanner"),
        ({"scanner": "grype", "db_sha256": "b"}, "image or scanner or database"),
    ],
)
def test_without_lists_of_packages_an_image_is_known_by_its_id(
    captured, other, reason: str
) -> None:
    frames = captured((trivy(finding(1)), {"image_id": "1"}), (trivy(), {"image_id": "2", **other}))
    assert reasons(frames) == [("CVE-2024-0001", GONE, reason)]


def test_a_list_of_packages_in_one_capture_alone_compares_with_nothing(captured) -> None:
    one = {"image_id": "1"}
    frames = captured((listing(finding(1)), one), (trivy(), {"image_id": "2"}))
    assert reasons(frames) == [("CVE-2024-0001", GONE, IMAGE)]
    frames = captured((trivy(finding(1)), one), (listing(), {"scanner_version": None}))
    assert reasons(frames) == [("CVE-2024-0001", GONE, "image or scanner")]


def test_packages_as_findings_name_them_are_those_that_are_listed(both) -> None:
    """Otherwise the image would be the cause of all changes."""
    kept = scans.kept(both)
    assert kept.presence["named"].isin(kept.installed["named"]).all()


def test_a_variant_that_was_not_measured_twice_is_left_out(both) -> None:
    lost = both.images["variant"].eq(ALPINE) & both.images["capture"].eq(EARLIER)
    status = both.images["status"].mask(lost, "failed")
    frames = both._replace(images=both.images.assign(status=status))
    assert between.changes(frames, EARLIER, LATER)["variant"].unique().tolist() == [DISTROLESS]


def test_one_capture_has_no_changes_and_says_so(blog) -> None:
    earlier, later = between.pair(blog.images["capture"])
    assert earlier == later == EARLIER
    for found in (between.answer(blog, earlier, later), between.answer(blog, EARLIER, "2027-01")):
        assert found.table.empty
        assert list(found.table) == between.COLUMNS
        assert found.lacks


def test_the_two_captures_are_those_named_else_the_first_and_the_last(both) -> None:
    three = [EARLIER, EARLIER, "2024-01", LATER, LATER]
    assert between.pair(three) == (EARLIER, LATER)
    assert between.pair(three, "2024-01") == ("2024-01", LATER)
    assert between.pair(three, later="2024-01") == (EARLIER, "2024-01")
    assert between.pair(["2026-11-24.002", "2026-11-24"]) == ("2026-11-24.002", "2026-11-24")
    assert between.pair([]) == ("", "")
    with pytest.raises(ParameterInvalid, match="there is no capture '2023'; choose one of 2022"):
        between.pair(both.images["capture"], "2023")


def test_a_finding_that_a_statement_suppresses_is_gone_for_that_reason(captured) -> None:
    def now(*found: dict[str, Any]) -> dict[str, Any]:
        return suppressing(trivy(finding(3)), *found)

    declared = finding(1), finding(2), finding(4)
    frames = captured((trivy(finding(1), finding(3)), {}), (now(*declared), {"db_sha256": "b"}))
    assert reasons(frames) == [
        ("CVE-2024-0001", GONE, STATEMENT),
        ("CVE-2024-0003", STAYED, ""),
    ]
    (gone, _) = between.changes(frames, EARLIER, LATER).to_dict("records")
    assert (gone["severity_before"], pd.isna(gone["severity_after"])) == ("HIGH", True)
    back = captured((now(finding(1), finding(2)), {}), (now(finding(2)), {}))
    assert reasons(back) == [("CVE-2024-0003", STAYED, "")]
    back = captured((now(finding(1)), {}), (trivy(finding(1), finding(3)), {}))
    assert reasons(back)[0] == ("CVE-2024-0001", APPEARED, STATEMENT)
