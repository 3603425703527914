"""Whose doing each change is: by cases, and by laws over any frames."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings

from helpers import frames
from helpers.errors import NotComparable
from helpers.frames import Frames
from helpers.gate import accounting, difference, judgement
from helpers.gate.difference import (
    BROUGHT,
    CAME,
    DECLARED,
    HIDDEN,
    PUBLISHED,
    REMOVED,
    UNCHANGED,
    UNDECLARED,
    WENT,
    WITHDRAWN,
)
from helpers.gate.pair import AFTER, BEFORE, Pair, Side
from helpers.vulnerabilities import lenses
from tests.changes.strategies import image
from tests.conftest import finding, suppressing
from tests.gate.conftest import LODASH, listing, with_app
from tests.support.gate_example import judged, loaded


def became(first: Any, second: Any, **image: Any) -> list[tuple[str, str]]:
    """What became of each finding, by id; `image` is what differs in the image after."""
    given = loaded(first, second)
    if image:
        known = {"db_sha256": "a", "image_id": "1"}
        before = _with(given.before, **known)
        given = given._replace(before=before, after=_with(given.after, **known | image))
    table = difference.difference(given).table
    return sorted(zip(table["vulnerability_id"], table["change"], strict=True))


def _with(side: Side, **image: Any) -> Side:
    return side._replace(frames=side.frames._replace(images=side.frames.images.assign(**image)))


ONE, TWO, LODASHS = "CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0100"


A_SECOND = finding(1, InstalledVersion="2.0")
TWICE = listing(A_SECOND, finding(1), packages="openssl 3.0.1, openssl 2.0")
COPY = {**LODASH, "FilePath": "app/node_modules/x/node_modules/lodash/package.json"}
OLD = listing(finding(1, InstalledVersion="3.0.0"), packages="openssl 3.0.0")
CURL = listing(finding(2), packages="openssl 3.0.1, curl 1")
OTHER, OTHER_DATABASE = {"image_id": "2"}, {"image_id": "2", "db_sha256": "b"}


@pytest.mark.parametrize(
    ("before", "after", "image", "expected"),
    [
        # A finding of a new version was brought, and of a gone one removed.
        (OLD, listing(finding(2)), {}, [(ONE, REMOVED), (TWO, BROUGHT)]),
        (OLD, listing(), OTHER, [(ONE, REMOVED)]),
        # With one database nothing was published in between.
        (listing(finding(1)), CURL, OTHER, [(ONE, REMOVED), (TWO, BROUGHT)]),
        (listing(finding(1)), CURL, OTHER_DATABASE, [(ONE, WITHDRAWN), (TWO, PUBLISHED)]),
        # Another database may take back all of a few findings.
        (listing(finding(1)), listing(packages="openssl 3.0.1, curl 1"), OTHER_DATABASE,
         [(ONE, WITHDRAWN)]),
        # A version that does not help changes nothing.
        (listing(finding(1)),
         listing(finding(1, InstalledVersion="3.0.2"), packages="openssl 3.0.2"), {},
         [(ONE, UNCHANGED)]),
        # A second version beside the first, and a second copy of a package, were brought.
        (listing(finding(1)), TWICE, {}, [(ONE, BROUGHT), (ONE, UNCHANGED)]),
        (TWICE, listing(finding(1)), {}, [(ONE, REMOVED), (ONE, UNCHANGED)]),
        (with_app(listing(), LODASH), with_app(listing(), LODASH, COPY), {},
         [(LODASHS, BROUGHT), (LODASHS, UNCHANGED)]),
        # What a statement takes out, or no longer does, is neither's doing.
        (suppressing(listing(finding(1)), finding(2), finding(3)),
         suppressing(listing(finding(2)), finding(1), finding(3)), {},
         [(ONE, DECLARED), (TWO, UNDECLARED)]),
        # A new version brings what a statement had declared of the old one.
        (suppressing(listing(packages="openssl 3.0.0"), finding(1, InstalledVersion="3.0.0")),
         listing(finding(1)), {}, [(ONE, BROUGHT)]),
    ],
)  # fmt: skip
def test_what_became_of_each_finding(before, after, image, expected) -> None:
    assert became(before, after, **image) == expected


def test_a_package_in_another_folder_is_neither_brought_nor_removed() -> None:
    there = {**LODASH, "FilePath": "srv/node_modules/lodash/package.json"}
    first, second = with_app(listing(), LODASH), with_app(listing(), there)
    assert became(first, second) == [(LODASHS, UNCHANGED)]
    newer = {**there, "Version": "4.17.11"}
    both = [(LODASHS, BROUGHT), (LODASHS, REMOVED)]
    assert became(first, with_app(listing(), newer)) == both
    later = {"VulnerabilityID": "CVE-2024-0101"}
    gone, new = (LODASHS, WITHDRAWN), ("CVE-2024-0101", PUBLISHED)
    assert became(first, with_app(listing(), there, **later)) == [gone, new]
    copied = [gone, ("CVE-2024-0101", BROUGHT), new]
    assert became(first, with_app(listing(), LODASH, there, **later)) == copied
    elsewhere = {**there, "FilePath": "opt/node_modules/lodash/package.json"}
    doubled = [(LODASHS, BROUGHT), (LODASHS, UNCHANGED)]
    assert became(first, with_app(listing(), there, elsewhere)) == doubled


def test_without_lists_of_packages_the_database_must_be_one_or_the_image() -> None:
    before, after = (listing(finding(n), packages="") for n in (1, 2))
    with pytest.raises(NotComparable, match="databases are not recorded and a report"):
        became(before, after)
    with pytest.raises(NotComparable, match="databases differ and a report"):
        became(before, after, image_id="2", db_sha256="b")
    assert became(before, after, image_id="2") == [(ONE, REMOVED), (TWO, BROUGHT)]
    assert became(before, after, db_sha256="b") == [(ONE, WITHDRAWN), (TWO, PUBLISHED)]


def test_an_image_without_a_package_lists_them_all_the_same() -> None:
    empty = listing()
    empty["Results"][0]["Packages"] = []
    app = with_app(listing(), LODASH)
    assert became(listing(), app) == [(LODASHS, BROUGHT)]


def test_base_or_app_by_the_layer_or_else_the_app_by_the_place() -> None:
    table = difference.difference(loaded(listing(), with_app(listing(finding()), LODASH))).table
    assert dict(zip(table["vulnerability_id"], table["origin"], strict=True)) == {
        ONE: "unknown",
        LODASHS: "app",
    }
    known = pd.DataFrame(
        {"from_base": [False, True, None, None], "place": ["os", "app", "os", "app"]}
    )
    found = difference._origins(known["from_base"].astype("boolean"), known["place"])
    assert found.tolist() == ["app", "base", "unknown", "app"]


def test_the_versions_of_a_package_are_told_also_where_it_has_no_finding() -> None:
    before = listing(packages="openssl 3.0.2, zlib 1")
    after = listing(
        finding(1),
        finding(2, PkgName="curl", InstalledVersion="8"),
        packages="openssl 3.0.1, curl 8",
    )
    table = difference.difference(loaded(before, after)).table.set_index("vulnerability_id")
    assert table.loc[ONE, ["version_before", "version_after"]].tolist() == ["3.0.2", "3.0.1"]
    assert pd.isna(table.loc[TWO, "version_before"])


def _sides(*frames: Frames) -> Pair:
    return Pair("", *(Side(name, f) for name, f in zip((BEFORE, AFTER), frames, strict=True)))


@pytest.mark.slow
@settings(max_examples=40)
@given(image(), image())
def test_every_pair_adds_up(before: Frames, after: Frames) -> None:
    try:
        found = judgement.judge(_sides(before, after), ())
        again = difference.difference(_sides(after, before)).table["change"].value_counts()
    except NotComparable:
        return
    again = again.drop(HIDDEN, errors="ignore")
    counted = found.table["change"].value_counts()

    def of(*kinds: str) -> int:
        return int(sum(counted.get(kind, 0) for kind in kinds))

    assert of(*WENT, UNCHANGED) == len(lenses.standing(before.findings))
    assert of(*CAME, UNCHANGED) == len(lenses.standing(after.findings))
    lines = accounting.account(found)
    assert lines[-1].key == AFTER
    assert lines[-1].total == sum(line.total for line in lines[:-1])
    for level in range(len(accounting.LEVELS)):
        assert lines[-1].by_severity[level] == sum(line.by_severity[level] for line in lines[:-1])
    assert found.table["row"].dropna().is_unique
    counted = counted.drop(HIDDEN, errors="ignore")
    back = dict(zip((*CAME, *WENT, UNCHANGED), (*WENT, *CAME, UNCHANGED), strict=True))
    assert {back[kind]: count for kind, count in again.items()} == counted.to_dict()


@pytest.mark.parametrize("status", sorted(frames.UNKNOWN_COUNT))
def test_an_image_that_was_not_measured_has_no_answer(status: str) -> None:
    given = loaded(listing(), listing())
    for sides in (
        {"before": _with(given.before, status=status)},
        {"after": _with(given.after, status=status)},
    ):
        with pytest.raises(NotComparable, match=status):
            judgement.judge(given._replace(**sides), ())


def test_an_image_whose_system_is_not_recognised_has_none_unless_both_are_alike() -> None:
    bare = listing(Metadata={})
    with pytest.raises(NotComparable, match="no operating system"):
        judged(listing(finding()), bare, ())
    bare["Results"] = []
    with pytest.raises(NotComparable, match="no operating system"):
        judged(bare, bare, ())
    app = with_app({**bare, "Results": []}, LODASH)
    notes = judged(app, app, ()).notes
    assert notes[0].text.startswith("OS packages were not checked")


@pytest.mark.parametrize(("same", "findings"), [(True, 1), (False, 10)])
def test_a_scan_that_finds_nothing_any_more_in_what_stayed_is_no_answer(
    same: bool, findings: int
) -> None:
    """As of an operating system in a version that the scanner has no advisories for."""
    before = listing(*(finding(n) for n in range(1, findings + 1)))
    database = {} if same else {"db_sha256": "b"}
    with pytest.raises(NotComparable, match="scan may be broken"):
        became(before, listing(packages="openssl 3.0.1, curl 1"), image_id="2", **database)


BARE = listing()
del BARE["Trivy"]


@pytest.mark.parametrize(
    ("before", "after", "codes"),
    [
        (listing(finding(1)), listing(finding(1), finding(2)), {"same-image"}),
        (listing(finding(1)), listing(finding(1)), set()),
        (listing(finding(1)), listing(finding(1), packages="openssl 3.0.1, zlib 1"),
         {"database-not-recorded"}),
        (BARE, BARE, {"scanner-version-not-recorded"}),
    ],
)  # fmt: skip
def test_what_is_not_the_images_doing_has_a_note(before, after, codes: set[str]) -> None:
    assert {note.code for note in judged(before, after).notes} == codes
