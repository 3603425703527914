"""Changes between two captures: what became of each finding, and whose doing that is."""

from typing import Any

import pandas as pd
import pytest

from helpers.errors import ParameterInvalid
from helpers.frames import Frames
from helpers.text import i18n
from helpers.vulnerabilities import changes
from helpers.vulnerabilities.changes import (
    APPEARED,
    DATABASE,
    GONE,
    IMAGE,
    RERATED,
    SCANNER,
    STAYED,
    UNTOLD,
)
from tests.conftest import finding, missing_image, trivy

EARLIER, LATER = "2022-02", "2026-11"
ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
KNOWN = {"scanner_version": "0.76.0", "db_sha256": "a", "db_updated_at": pd.NaT, "image_id": "1"}


def listing(*found: dict[str, Any], packages: str = "openssl 3.0.1") -> dict[str, Any]:
    """A report with findings and with the packages that are installed."""
    report = trivy(*found)
    named = [package.split() for package in packages.split(", ") if package]
    report["Results"][0]["Packages"] = [{"Name": n, "Version": version} for n, version in named]
    return report


@pytest.fixture
def captured(frames_of):
    """Two captures of one image, each a report and what is another of the image than known."""

    def made(*captures: tuple[dict[str, Any], dict[str, Any]]) -> Frames:
        parts = []
        for day, (report, other) in zip((EARLIER, LATER), captures, strict=False):
            images, *rest = frames_of(app=report)
            told = images.assign(**KNOWN | other)
            parts.append([frame.assign(capture=day) for frame in (told, *rest)])
        return Frames(*(pd.concat(two, ignore_index=True) for two in zip(*parts, strict=True)))

    return made


def told(frames: Frames) -> list[tuple[str, ...]]:
    """What became of each vulnerability, and the reason."""
    table = changes.changes(frames, EARLIER, LATER)
    return list(table[["vulnerability_id", "change", "reason"]].itertuples(index=False, name=None))


def test_the_posts_images_with_a_later_database(both) -> None:
    table = changes.changes(both, EARLIER, LATER)
    assert list(table) == changes.COLUMNS
    assert table.index.is_unique
    assert table.groupby(["variant", "change"]).size().to_dict() == {
        (ALPINE, APPEARED): 1,
        (ALPINE, STAYED): 48,
        (DISTROLESS, APPEARED): 93,
        (DISTROLESS, GONE): 5,
        (DISTROLESS, STAYED): 14,
    }
    gone = table[table["change"].eq(GONE)]
    assert gone["vulnerability_id"].value_counts().to_dict() == {
        "CVE-2007-6755": 2,
        "CVE-2010-0928": 2,
        "CVE-2021-3998": 1,
    }


def test_only_the_database_is_the_reason_there_and_what_stayed_needs_none(both) -> None:
    table = changes.changes(both, EARLIER, LATER)
    stayed = table["change"].eq(STAYED)
    assert table[~stayed]["reason"].unique().tolist() == [DATABASE]
    assert table[stayed]["reason"].unique().tolist() == [""]
    causes = changes.causes(both, EARLIER, LATER).set_index("variant")
    assert causes.loc[ALPINE].to_dict() == {IMAGE: False, SCANNER: False, DATABASE: True}


def test_every_finding_of_both_captures_is_there_once(both) -> None:
    table = changes.changes(both, EARLIER, LATER)
    before, after = (both.findings["capture"].eq(c).sum() for c in (EARLIER, LATER))
    assert table["severity_before"].notna().sum() == before == 48 + 19
    assert table["severity_after"].notna().sum() == after == 49 + 107


def test_backwards_what_appeared_is_gone(both) -> None:
    back = changes.moved(changes.changes(both, LATER, EARLIER)).set_index("variant")
    assert back.loc[DISTROLESS, [APPEARED, GONE, "re_rated", STAYED]].tolist() == [5, 93, 0, 14]


def test_another_severity_is_re_rated_and_no_new_finding(captured) -> None:
    low, high = listing(finding(Severity="LOW")), listing(finding(Severity="HIGH"))
    frames = captured((low, {}), (high, {"db_sha256": "b"}))
    assert told(frames) == [("CVE-2024-0001", RERATED, DATABASE)]
    moved = changes.moved(changes.changes(frames, EARLIER, LATER))
    assert moved.to_dict("records") == [
        {"variant": "app", "earlier": EARLIER, "later": LATER, APPEARED: 0, GONE: 0}
        | {"re_rated": 1, STAYED: 0}
    ]


def test_a_finding_that_is_listed_twice_is_one_at_its_highest_severity(captured) -> None:
    twice = listing(*(finding(Severity=level) for level in ("LOW", "CRITICAL", "MEDIUM")))
    table = changes.changes(captured((twice, {}), (twice, {})), EARLIER, LATER)
    assert table[["severity_before", "severity_after"]].to_numpy().tolist() == [["CRITICAL"] * 2]


def test_one_vulnerability_in_two_files_is_two_findings(captured) -> None:
    one, two = finding(PkgPath="a/package.json"), finding(PkgPath="b/package.json")
    frames = captured((listing(one), {}), (listing(one, two), {}))
    assert [change for _, change, _ in told(frames)] == [STAYED, APPEARED]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({}, UNTOLD),
        ({"db_sha256": "b"}, DATABASE),
        ({"scanner_version": "0.77.0"}, SCANNER),
        ({"scanner": "grype"}, SCANNER),
        ({"scanner_version": "0.77.0", "db_sha256": "b"}, f"{SCANNER} or {DATABASE}"),
        ({"scanner_version": None, "db_sha256": None}, UNTOLD),
        ({"scanner": "grype", "scanner_version": None}, UNTOLD),
        ({"image_id": "2"}, UNTOLD),
    ],
    ids=["nothing", "database", "version", "scanner", "both", "none", "part", "same-packages"],
)
def test_what_came_and_went_in_the_same_packages_is_of_scanner_or_database(
    captured, other, reason: str
) -> None:
    frames = captured((listing(finding(1)), {}), (listing(finding(2)), other))
    assert told(frames) == [("CVE-2024-0001", GONE, reason), ("CVE-2024-0002", APPEARED, reason)]


def test_a_database_without_a_digest_is_known_by_its_day(captured) -> None:
    days = [
        {"db_sha256": None, "db_updated_at": pd.Timestamp(day, tz="UTC")}
        for day in (EARLIER, LATER)
    ]
    report = listing(finding(1))
    assert changes.causes(captured((report, days[0]), (report, days[1])), EARLIER, LATER)[
        DATABASE
    ].tolist() == [True]
    assert changes.causes(captured((report, days[0]), (report, days[0])), EARLIER, LATER)[
        DATABASE
    ].tolist() == [False]


def test_what_came_and_went_with_its_package_is_of_the_image(captured) -> None:
    curl = {"PkgName": "curl", "InstalledVersion": "8"}
    before = listing(finding(1), finding(3), packages="openssl 3.0.1, zlib 1")
    after = listing(finding(2, **curl), finding(3), packages="curl 8, zlib 1")
    frames = captured((before, {}), (after, {"db_sha256": "b"}))
    assert dict(row[::2] for row in told(frames)) == {
        "CVE-2024-0001": IMAGE,
        "CVE-2024-0002": IMAGE,
        "CVE-2024-0003": "",
    }


def test_in_a_changed_image_a_package_that_stayed_is_of_the_database_all_the_same(captured) -> None:
    before = listing(finding(1), packages="openssl 3.0.1, zlib 1")
    after = listing(finding(1), finding(2), packages="openssl 3.0.1, zlib 2")
    frames = captured((before, {}), (after, {"db_sha256": "b"}))
    assert told(frames)[1] == ("CVE-2024-0002", APPEARED, DATABASE)


def test_an_upgraded_package_takes_its_findings_with_it_by_the_image(captured) -> None:
    frames = captured(
        (listing(finding(1), packages="openssl 3.0.1"), {}),
        (listing(packages="openssl 3.0.2"), {"db_sha256": "b"}),
    )
    assert told(frames) == [("CVE-2024-0001", GONE, IMAGE)]


@pytest.mark.parametrize(
    ("image_id", "image", "reason"),
    [("1", False, UNTOLD), ("2", True, IMAGE), (None, None, UNTOLD)],
)
def test_without_lists_of_packages_an_image_is_known_by_its_id(
    captured, image_id, image, reason: str
) -> None:
    frames = captured((trivy(finding(1)), {}), (trivy(), {"image_id": image_id}))
    (cause,) = changes.causes(frames, EARLIER, LATER)[IMAGE]
    assert cause is pd.NA if image is None else cause == image
    assert told(frames) == [("CVE-2024-0001", GONE, reason)]


def test_without_lists_of_packages_another_image_may_be_the_reason_as_well(captured) -> None:
    other = {"image_id": "2", "db_sha256": "b"}
    frames = captured((trivy(finding(1)), {}), (trivy(), other))
    assert told(frames) == [("CVE-2024-0001", GONE, f"{IMAGE} or {DATABASE}")]


def test_a_list_of_packages_in_one_capture_alone_compares_with_nothing(captured) -> None:
    frames = captured((listing(finding(1)), {}), (trivy(), {"image_id": "2"}))
    assert told(frames) == [("CVE-2024-0001", GONE, IMAGE)]
    frames = captured((trivy(finding(1)), {}), (listing(), {"image_id": None}))
    assert told(frames) == [("CVE-2024-0001", GONE, UNTOLD)]


def test_packages_as_findings_name_them_are_those_that_are_listed(both) -> None:
    """Else all that came or went would be laid to the image."""
    for variant in (ALPINE, DISTROLESS):
        found = changes._findings(both, variant, LATER)
        named = changes._named(found["package"], found["installed_version"])
        assert set(named) <= (changes._installed(both, variant, LATER) or set())


def test_movers_are_all_that_did_not_stay_with_empty_severities(both) -> None:
    movers = changes.movers(changes.changes(both, EARLIER, LATER))
    assert len(movers) == 1 + 93 + 5
    assert movers[movers["change"].eq(APPEARED)]["severity_before"].unique().tolist() == [""]
    assert movers[movers["change"].eq(GONE)]["severity_after"].unique().tolist() == [""]
    first = movers.iloc[0]
    assert [first["vulnerability_id"], first["severity_after"]] == ["CVE-2022-37434", "CRITICAL"]


def test_a_variant_that_was_not_measured_twice_is_left_out(both) -> None:
    lost = both.images["variant"].eq(ALPINE) & both.images["capture"].eq(EARLIER)
    status = both.images["status"].mask(lost, "failed")
    frames = both._replace(images=both.images.assign(status=status))
    assert changes.changes(frames, EARLIER, LATER)["variant"].unique().tolist() == [DISTROLESS]
    assert changes.causes(frames, EARLIER, LATER)["variant"].tolist() == [DISTROLESS]


def test_one_capture_has_no_changes_and_says_so(blog) -> None:
    earlier, later = changes.pair(blog.images)
    assert earlier == later == EARLIER
    table = changes.changes(blog, earlier, later)
    assert table.empty
    assert list(changes.movers(table)) == changes.COLUMNS
    assert changes.sentence(table, changes.causes(blog, earlier, later)) == (
        "No image was measured in two captures, so nothing can be said of how counts moved."
    )


def test_a_capture_that_there_is_not_has_nothing_to_compare(both) -> None:
    assert changes.changes(both, EARLIER, "2027-01").empty


def test_the_two_captures_are_those_named_else_the_first_and_the_last(both) -> None:
    shuffled = missing_image(both.images.iloc[::-1], "lost")
    middle = pd.concat([shuffled, shuffled.iloc[:1].assign(capture="2024-01")])
    assert changes.pair(middle) == (EARLIER, LATER)
    assert changes.pair(middle, "2024-01") == ("2024-01", LATER)
    assert changes.pair(middle, later="2024-01") == (EARLIER, "2024-01")
    assert changes.pair(both.images.iloc[:0]) == ("", "")
    with pytest.raises(ParameterInvalid, match=r"no capture '2023'; there is 2022-02, 2026-11"):
        changes.pair(both.images, "2023")


def test_the_sentence_says_what_moved_and_what_is_another(both) -> None:
    table = changes.changes(both, EARLIER, LATER)
    assert changes.sentence(table, changes.causes(both, EARLIER, LATER)).splitlines() == [
        "- **nodejs-alpine**, 2022-02 → 2026-11: 1 finding appeared, 0 went, 0 re-rated, "
        "48 stayed (another database, the same image and scanner)",
        "- **nodejs-distroless**, 2022-02 → 2026-11: 93 findings appeared, 5 went, 0 re-rated, "
        "14 stayed (another database, the same image and scanner)",
    ]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"image_id": "2", "scanner_version": "1"}, "another image and another scanner, the same "),
        ({"image_id": None, "scanner_version": None}, "nothing known differs, the same database)"),
        (
            {"image_id": None, "scanner_version": None, "db_sha256": None},
            "stayed (nothing known differs)",
        ),
    ],
    ids=["several", "some-not-known", "none-known"],
)
def test_the_sentence_claims_nothing_that_is_not_known(captured, other, why: str) -> None:
    frames = captured((trivy(finding()), {}), (trivy(finding()), other))
    table = changes.changes(frames, EARLIER, LATER)
    assert why in changes.sentence(table, changes.causes(frames, EARLIER, LATER))


def test_in_korean_what_moved_and_why(both) -> None:
    table, causes = changes.changes(both, EARLIER, LATER), changes.causes(both, EARLIER, LATER)
    with i18n.speaking("ko"):
        said = changes.sentence(table, causes).splitlines()
    assert all("심각도 변경" in line for line in said)
    assert all(
        line.endswith("(달라진 것: 데이터베이스; 같은 것: 이미지 및 스캐너)") for line in said
    ), said


def test_a_reason_that_is_one_of_several_is_a_text_of_its_own() -> None:
    assert changes._either([IMAGE, SCANNER, DATABASE]) == "image or scanner or database"
    assert changes._either([SCANNER]) == SCANNER
    assert changes._either([]) == UNTOLD
