"""Verdict: the choice under every capture and way of counting, and what it hangs on."""

import pandas as pd
import pytest

from helpers import verdict
from helpers.errors import ParameterInvalid, StudyInvalid
from helpers.frames import Frames, make
from helpers.lenses import COUNTED, Lens
from helpers.load import load_published, load_study
from helpers.sizes import MB
from tests.conftest import finding, trivy

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
EVEN = {"fixable": 1.0, "unfixed": 0.0, "size": 1.0, "ended": 1.0, "old_runtime": 1.0}
NOTHING = make("published", {})


def choices(frames: Frames, weights: dict[str, float] | None = None, size: str = ""):
    return verdict.choices(
        "blog-2022", frames, load_published("blog-2022"), size, Lens(), weights or EVEN
    )


@pytest.fixture(scope="module")
def matched() -> pd.DataFrame:
    return verdict.of_study("matched-2026", EVEN)


def sized(*found: dict, megabytes: int = 10) -> dict:
    about = {"OS": {"Family": "debian", "Name": "12.1"}, "Size": megabytes * MB}
    return trivy(*found, Metadata=about)


def test_the_size_is_the_wanted_one_else_the_first_that_all_have(blog, frames_of) -> None:
    published = load_published("blog-2022")
    table, kind = verdict.candidates(blog, published, "", Lens())
    assert kind == "published"
    assert table["size"].tolist() == [76_900_000, 118_000_000]
    assert verdict.candidates(frames_of(a=sized()), NOTHING, "", Lens())[1] == "unpacked"
    with pytest.raises(ParameterInvalid, match="known: published"):
        verdict.candidates(blog, published, "unpacked", Lens())


def test_the_post_is_chosen_for_and_against_by_capture(both: Frames) -> None:
    table = choices(both)
    assert list(table) == verdict.COLUMNS
    assert table["counted"].tolist() == [*COUNTED, *COUNTED]
    assert table[
        ["capture", "choice", "next", "as_it_is"]
    ].drop_duplicates().to_numpy().tolist() == [
        ["2022-02", DISTROLESS, ALPINE, True],
        ["2026-11", ALPINE, DISTROLESS, False],
    ]
    assert table["weighed"].unique().tolist() == ["fixable, size, ended, old runtime"]
    assert table["score"].iloc[0] == pytest.approx(1)
    assert table["next_score"].iloc[0] == pytest.approx(3 + 76.9 / 118)


def test_each_way_of_counting_is_counted(both: Frames) -> None:
    scores = choices(both).set_index(["capture", "counted"])["score"]
    shares = scores["2026-11"] - 2 - 76.9 / 118
    assert shares.tolist() == pytest.approx([49 / 96, 26 / 57, 26 / 57])


def test_other_weights_choose_otherwise(both: Frames) -> None:
    assert choices(both, {"size": 1.0})["choice"].unique().tolist() == [ALPINE]
    assert choices(both, {"size": 1.0})["weighed"].unique().tolist() == ["size"]
    assert choices(both, {"old_runtime": 1.0}).iloc[0]["choice"] == DISTROLESS


def test_what_cannot_be_weighed_is_no_choice(both: Frames) -> None:
    assert choices(both, {"size": 0.0}).empty
    failed = both._replace(images=both.images.assign(status="failed"))
    assert choices(failed).empty
    assert list(choices(failed)) == verdict.COLUMNS
    assert verdict.sentence(choices(failed)) == "Under no capture could anything be weighed."
    first = both.images["capture"].eq("2022-02")
    status = both.images["status"].mask(first, "failed")
    later = both._replace(images=both.images.assign(status=status))
    assert choices(later)["capture"].unique().tolist() == ["2026-11"]


def test_a_choice_without_an_alternative_has_no_next(frames_of) -> None:
    frames = frames_of(a=sized(), b=trivy(Metadata={}))
    table = verdict.choices("s", frames, NOTHING, "unpacked", Lens(), {"size": 1.0})
    assert table["choice"].tolist() == ["a"] * 3
    assert table[["next", "next_score"]].isna().all(axis=None)
    assert table["as_it_is"].tolist() == [True] * 3


def test_the_matched_pair_by_its_own_day_and_its_default_capture(matched: pd.DataFrame) -> None:
    assert matched["choice"].tolist() == ["node-24-slim"] * 3
    assert matched["capture"].unique().tolist() == ["2026-11"]
    assert matched["weighed"].unique().tolist() == ["fixable, ended, old runtime"]
    assert matched["score"].tolist() == pytest.approx([11 / 18, 6 / 17, 6 / 17])


def test_no_study_is_no_row_and_an_unknown_one_is_refused() -> None:
    assert verdict.of_study("", EVEN).empty
    with pytest.raises(StudyInvalid):
        verdict.of_study("matched", EVEN)


def test_two_studies_stand_together_and_the_same_study_once(both: Frames, matched) -> None:
    ours = choices(both)
    assert len(verdict.together(ours, matched)) == 9
    assert verdict.together(ours, matched)["study"].unique().tolist() == [
        "blog-2022",
        "matched-2026",
    ]
    assert len(verdict.together(matched, matched)) == 3
    none = verdict.of_study("", EVEN)
    pd.testing.assert_frame_equal(verdict.together(ours, none), ours)
    assert verdict.together(none, none).empty
    again = verdict.together(ours, verdict.of_study("blog-2022", EVEN))
    assert len(again) == 6


def test_the_sentence_says_what_the_choice_hangs_on(both: Frames, matched) -> None:
    assert verdict.sentence(verdict.together(choices(both), matched)).splitlines() == [
        "The choice at the same weights (**blog-2022**: it hangs on when and how one counts; "
        "**matched-2026**: the same however counted):",
        "",
        "- **blog-2022**, 2022-02: **nodejs-distroless**",
        "- **blog-2022**, 2026-11: none as it is; **nodejs-alpine** comes first, unsupported",
        "- **matched-2026**, 2026-11: **node-24-slim**",
    ]


def test_where_ways_of_counting_choose_otherwise_each_is_named(frames_of) -> None:
    """Three findings of one vulnerability in one source package against two of two."""
    often = [finding(1, PkgName=name, FixedVersion="2") for name in ("a", "b", "c")]
    twice = [finding(n, FixedVersion="2") for n in (1, 2)]
    frames = frames_of(often=sized(*often), twice=sized(*twice))
    findings = frames.findings.assign(source_package="same")
    table = verdict.choices(
        "s", frames._replace(findings=findings), NOTHING, "", Lens(), {"fixable": 1.0}
    )
    table = table.assign(capture="2026-11")
    assert verdict.sentence(table).splitlines() == [
        "The choice at the same weights (**s**: it hangs on when and how one counts):",
        "",
        "- **s**, 2026-11, by findings: **twice**",
        "- **s**, 2026-11, by vulnerabilities, vulnerability-packages: **often**",
    ]


def test_a_choice_whose_runtime_is_past_its_end_is_not_fit_as_it_is() -> None:
    rebuilt = load_study("rebuilt-2026")
    lens = Lens()
    by_size = verdict.choices("rebuilt-2026", rebuilt, NOTHING, "", lens, {"size": 1.0})
    assert by_size[["choice", "as_it_is"]].iloc[0].tolist() == ["node-8-distroless", False]
    even = verdict.choices("rebuilt-2026", rebuilt, NOTHING, "", lens, EVEN)
    assert even[["choice", "as_it_is"]].iloc[0].tolist() == ["node-24-distroless", True]
