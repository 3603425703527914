"""Age or base: gaps of pairs with their signs and both ways of counting, and no share of age."""

import pandas as pd
import pytest

from helpers import Comparison
from helpers.comparability import confounders
from helpers.comparability.confounders import AGE, OS_END
from helpers.frames import Frames, make
from helpers.verdict import attribution
from helpers.vulnerabilities.lenses import Lens
from tests.cases.made import Report, findings, report, study

TODAY = "2026-11-01T00:00:00Z"


def aged(**images: Report) -> pd.DataFrame:
    """Return the confounders of images scanned today."""
    return confounders.confounders(of(images).images)


def of(images: dict[str, Report]) -> Frames:
    columns: dict[str, list[object]] = {
        "variant": list(images),
        "capture": ["now"] * len(images),
        "status": ["scanned"] * len(images),
        "scanned_at": [pd.Timestamp(TODAY)] * len(images),
    }
    os = [each["Metadata"]["OS"] for each in images.values()]
    columns["os_family"] = [each["Family"] for each in os]
    columns["os_version"] = [each["Name"] for each in os]
    built = [each["Metadata"]["ImageConfig"]["created"] for each in images.values()]
    columns["created_at"] = list(map(pd.Timestamp, built))
    return Frames(make("images", columns), make("findings", {}), make("packages", {}))


def test_an_image_built_today_on_an_ended_base_is_old() -> None:
    """The build's day says nothing of packages that get no fixes any more."""
    old = report(os="alpine 3.11.2", created=TODAY)
    new = report(os="debian 13.1", created=TODAY)
    table = aged(old=old, new=new)
    assert table["age_days"].tolist() == [0, 0]
    assert confounders.packages_age(table).tolist() == [1826, 0]
    assert confounders.unlike(table) == [OS_END, AGE]
    pair = attribution.difference("s", of({"old": old, "new": new}), "old", "new", Lens())
    assert pair["days_older"].tolist() == [1826, 1826]
    assert pair["built_after_end"].tolist() == ["old", "old"]
    assert attribution.headline(attribution.compared(pair, "now")) == ""


def test_an_image_built_before_its_base_ended_is_as_old_as_its_build() -> None:
    old = report(os="alpine 3.11.2", created="2020-01-01T00:00:00Z")
    new = report(os="debian 13.1", created=TODAY)
    pair = attribution.difference("s", of({"old": old, "new": new}), "old", "new", Lens())
    assert pair["days_older"].tolist() == [2496, 2496]
    assert pair["built_after_end"].tolist() == ["", ""]


def pair(name: str, days: int, gaps: tuple[int, int]) -> pd.DataFrame:
    rows = [
        {
            **dict.fromkeys(attribution.COLUMNS, 0),
            **{"study": name, "capture": "now", "first": "a", "second": "b", "counted": counted},
            **{"fixable_difference": gap, "days_older": days, "built_after_end": ""},
        }
        for counted, gap in zip(("findings", "vulnerabilities"), gaps, strict=True)
    ]
    return pd.DataFrame(rows, columns=attribution.COLUMNS)


@pytest.mark.parametrize("gaps", [(1, -8), (24, -24), (23, 60)])
def test_both_pairs_are_there_with_both_counts_whatever_their_size_and_sign(gaps) -> None:
    """There is no cut at half: gaps of -24 and 23 beside 48 are told alike."""
    ours, theirs = pair("ours", 783, (48, 25)), pair("theirs", 18, gaps)
    table = attribution.lesson_answer(ours, "now", theirs).table
    assert table["days_older"].tolist() == [783, 783, 18, 18]
    assert table["counted"].tolist() == ["findings", "vulnerabilities"] * 2
    assert table["fixable_difference"].tolist() == [48, 25, *gaps]


def test_a_study_of_one_pair_has_both_counts(empty_data) -> None:
    """As findings the first has two more, as vulnerabilities one fewer."""
    twice = ["openssl 3.0.1", "libssl 3.0.1", "libcrypto 3.0.1"]
    first = [one for name in twice for one in findings(1, package=name.split()[0], fix="3.0.2")]
    second = findings(1, fix="3.0.2") + findings(2, fix="3.0.2")[1:]
    held = {
        "alpine": report(*first, packages=twice, created=TODAY),
        "distroless": report(*second, created=TODAY),
    }
    c = Comparison(study(empty_data, {"2026-11-01": held}))
    table = attribution.difference("s", c.every.frames, "alpine", "distroless", Lens())
    assert table["fixable_difference"].tolist() == [1, -1]
