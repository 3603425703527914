"""Sensitivity: the choice under every capture and way of counting, and what it depends on."""

import numpy as np
import pandas as pd
import pytest

from helpers.frames import Frames, make
from helpers.studies.load import load_published, load_study
from helpers.text.units import MB
from helpers.verdict import sensitivity
from helpers.vulnerabilities.lenses import Lens
from helpers.vulnerabilities.once import COUNTED
from tests.conftest import trivy

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
EVEN = {"fixable": 1.0, "unfixed": 0.0, "size": 1.0, "ended": 1.0, "old_runtime": 1.0}
NOTHING = make("published", {})
WAYS = [Lens(counted).short for counted in COUNTED]


def choices(frames: Frames, weights: dict[str, float] | None = None, size: str = ""):
    return sensitivity.choices(
        "blog-2022", frames, load_published("blog-2022"), size, Lens(), weights or EVEN
    )


def lines(table: pd.DataFrame) -> list[str]:
    """What is said of choices."""
    return sensitivity.answer(table).text.plain.splitlines()


def sized(*found: dict, megabytes: int = 10) -> dict:
    system = {"OS": {"Family": "debian", "Name": "12.1"}, "Size": megabytes * MB}
    return trivy(*found, Metadata=system)


def test_the_post_is_chosen_for_and_against_by_capture(both: Frames) -> None:
    table = choices(both)
    assert list(table) == sensitivity.COLUMNS
    assert table["counted"].tolist() == [*WAYS, *WAYS]
    chosen = table[["capture", "published_by", "choice", "next", "supported"]].drop_duplicates()
    assert chosen.to_numpy().tolist() == [
        ["2022-02", "ever", DISTROLESS, ALPINE, True],
        ["2026-11", "ever", ALPINE, DISTROLESS, False],
    ]
    assert table["weighed"].unique().tolist() == ["fixable, size, ended, old runtime"]
    assert table["score"].iloc[0] == pytest.approx(0.1 * np.log2(1 + 118))
    next_score = 2 + 0.1 * np.log2((1 + 48) * (1 + 76.9))
    assert table["next_score"].iloc[0] == pytest.approx(next_score)


def test_other_weights_choose_otherwise(both: Frames) -> None:
    assert choices(both, {"size": 1.0})["choice"].unique().tolist() == [ALPINE]
    assert choices(both, {"size": 1.0})["weighed"].unique().tolist() == ["size"]
    assert choices(both, {"old_runtime": 1.0}).iloc[0]["choice"] == DISTROLESS


def test_what_cannot_be_weighed_is_no_choice(both: Frames) -> None:
    assert choices(both, {"size": 0.0}).empty
    failed = both._replace(images=both.images.assign(status="failed"))
    assert choices(failed).empty
    assert list(choices(failed)) == sensitivity.COLUMNS
    assert lines(choices(failed)) == ["No capture could be weighed."]
    first = both.images["capture"].eq("2022-02")
    status = both.images["status"].mask(first, "failed")
    later = both._replace(images=both.images.assign(status=status))
    assert choices(later)["capture"].unique().tolist() == ["2026-11"]


def test_a_choice_without_an_alternative_has_no_next(frames_of) -> None:
    frames = frames_of(a=sized(), b=trivy(Metadata={}))
    table = sensitivity.choices("s", frames, NOTHING, "unpacked", Lens(), {"size": 1.0})
    assert table["choice"].tolist() == ["a"] * 3
    assert table[["next", "next_score"]].isna().all(axis=None)
    assert table["supported"].tolist() == [True] * 3


def test_on_a_tie_all_of_the_best_are_the_choice(frames_of) -> None:
    frames = frames_of(a=sized(), b=sized(), c=sized(megabytes=20))
    table = sensitivity.choices("s", frames, NOTHING, "", Lens(), {"size": 1.0})
    assert table[["choice", "next"]].drop_duplicates().to_numpy().tolist() == [["a or b", "c"]]
    two = frames._replace(images=frames.images.iloc[:2])
    only = sensitivity.choices("s", two, NOTHING, "", Lens(), {"size": 1.0})
    assert only[["next", "next_score"]].isna().all(axis=None)


def chosen(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Choices of one study by capture, day and what is counted."""
    table = pd.DataFrame(rows, columns=["capture", "published_by", "counted", "choice"])
    return table.assign(study="s", supported=True, ships=True, weighed="size", next="b")


@pytest.mark.parametrize(
    ("other", "depends"),
    [
        (("1", "ever", "findings"), "depends on the capture."),
        (("0", "2026-01-01", "findings"), "depends on the day counted by."),
        (("0", "ever", "vulnerabilities"), "depends on what is counted."),
    ],
    ids=["capture", "day", "counted"],
)
def test_the_choice_depends_on_what_alone_makes_it_another(other: tuple, depends: str) -> None:
    first = ("0", "ever", "findings", "a")
    assert lines(chosen(first, (*other, "b")))[0] == f"• s: the choice {depends}"
    (same,) = lines(chosen(first, (*other, "a")))[:1]
    assert same.startswith("• s: the choice is the same by every ")
    assert same.count(" and ") + same.count(", ") == 0, "nothing else was tried"


def test_a_choice_whose_runtime_is_past_its_end_is_not_fit_as_it_is() -> None:
    rebuilt = load_study("rebuilt-2026")
    lens = Lens()
    old = rebuilt._replace(images=rebuilt.images.assign(runtime="node 8.17.0"))
    ended = sensitivity.choices("rebuilt-2026", old, NOTHING, "", lens, EVEN)
    assert ended[["choice", "supported"]].iloc[0].tolist() == ["node-8-distroless", False]
    assert "none; node-8-distroless comes first" in lines(ended)[1]
    even = sensitivity.choices("rebuilt-2026", rebuilt, NOTHING, "", lens, EVEN)
    assert even[["choice", "supported"]].iloc[0].tolist() == ["node-24-distroless", True]
