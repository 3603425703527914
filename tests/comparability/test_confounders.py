"""Ends of life, image age and runtime: what is known is computed, what is not is said."""

import pandas as pd
import pytest

from helpers import frames
from helpers.answers.answer import BANNER
from helpers.comparability.confounders import (
    AGE,
    APART_DAYS,
    COLUMNS,
    OS_END,
    PROCESSOR,
    RUNTIME,
    answer,
    confounders,
    ends,
    mark,
    unlike,
)
from helpers.studies.load import load_study
from helpers.text import i18n
from tests.conftest import missing_image


def made(*variants: dict[str, object]) -> pd.DataFrame:
    """Images of one capture, of a scan of 2022-02-28; `db`, `scanned` and `created` are days."""
    days = {"db": "db_updated_at", "scanned": "scanned_at", "created": "created_at"}
    rows = [
        {"variant": "abcde"[n], "capture": "now", "status": "scanned", "scanned": "2022-02-28", **v}
        for n, v in enumerate(variants)
    ]
    given = {column: [row.get(column) for row in rows] for row in rows for column in row}
    columns = {
        days.get(column, column): [v and pd.Timestamp(v, tz="UTC") for v in values]
        if column in days
        else values
        for column, values in given.items()
    }
    return frames.make("images", columns)


def text(images: pd.DataFrame) -> str:
    return answer(images).text.plain


ALPINE = {"os_family": "alpine", "os_version": "3.11.2"}
DEBIAN = {"os_family": "debian", "os_version": "11.2"}


def test_processors_are_told_only_if_they_differ() -> None:
    arm = {"architecture": "arm64", **DEBIAN}
    alike = made(arm, {"architecture": "arm64/v8", **DEBIAN})
    assert unlike(confounders(alike)) == []
    differing = made(arm, {"architecture": "amd64", **DEBIAN})
    assert unlike(confounders(differing)) == [PROCESSOR]


def test_the_posts_images_in_both_captures(both) -> None:
    table = confounders(both.images)
    assert table.dtypes.astype(str).to_dict() == {
        column: str(dtype) for column, dtype in COLUMNS.items()
    }
    assert table["variant"].tolist() == both.images["variant"].tolist()
    assert table["os"].tolist() == ["alpine 3.11.2", "debian 11.2"] * 2
    assert table["os_ended_days"].tolist() == [119, -898, 1849, 832]
    for capture, rows in table.groupby("capture"):
        # In 2026 both are past their ends; Debian's advisories went on for years after Alpine's.
        assert OS_END in unlike(rows), capture
    found = answer(both.images)
    assert found.role == BANNER
    pd.testing.assert_frame_equal(found.table, table)


def test_an_image_of_another_time_with_another_runtime_is_unlike() -> None:
    images = made(
        {**ALPINE, "db": "2022-02-28", "created": "2019-12-24", "runtime": "node 8.17.0"},
        {**DEBIAN, "db": "2022-02-28", "created": "2022-02-14", "runtime": "node 16"},
    )
    table = confounders(images)
    assert table["age_days"].tolist() == [797, 14]
    assert table["runtime_ended_days"].tolist() == [790, -560]
    assert unlike(table) == [OS_END, AGE, RUNTIME]
    assert mark(table) == "images also differ in OS end of life, image age, runtime"


def aged(*ages: int | None) -> str:
    """The verdict on images of those ages in days."""
    day = pd.Timestamp("2022-02-28")
    built = [{} if age is None else {"created": day - pd.Timedelta(days=age)} for age in ages]
    return text(made(*({**image, "db": "2022-02-28"} for image in built))).splitlines()[0]


def test_a_minority_stands_out_in_age_from_a_majority_within_a_month() -> None:
    assert "a and e differ in image age from the other 3" in (aged(300, 1, 20, 30, 500))


@pytest.mark.parametrize(
    "ages",
    [(1, 2, 300, 301), (1, 20, 40, 300), (1, 2, 300, None), (1, 300)],
    ids=["halves", "chain", "one-unknown", "two"],
)
def test_where_no_majority_is_known_to_be_alike_the_variants_differ(ages) -> None:
    assert aged(*ages).startswith("The images differ in more than their base: in image age. ")


def test_images_rebuilt_alike_differ_in_nothing_that_is_known() -> None:
    images = load_study("rebuilt-2026").images
    same = images[
        images["variant"].isin(["node-24-debian", "node-24-alpine", "node-24-distroless"])
    ]
    same = same.assign(runtime="node 24.19.0")
    table = confounders(same)
    assert unlike(table) == []
    assert mark(table) == ""
    assert table["age_days"].tolist() == [0, 0, 0]
    other = confounders(images.assign(runtime=["node 24.19.0"] * 3 + ["node 8.17.0"]))
    assert unlike(other) == [RUNTIME]


def test_what_is_not_known_is_said_and_not_compared() -> None:
    images = made(
        {"scanned": None},
        {"os_family": "wolfi", "os_version": "20230201", "runtime": "go"},
        {**DEBIAN, "os_version": None, "runtime": "node 16"},
    )
    table = confounders(images)
    assert table[["os_end_of_life", "os_ended_days", "built_at", "age_days"]].isna().all(axis=None)
    assert table["os"].tolist()[1:] == ["wolfi 20230201", "debian"]
    assert unlike(table) == []
    head, *lines = text(images).splitlines()[:4]
    assert head.startswith("It is unknown whether the images differ in more than their base.")
    assert [line.count("not known") for line in lines] == [3, 3, 2]


def test_an_image_without_a_count_is_compared_with_nothing(both) -> None:
    images = both.images[both.images["capture"].eq("2022-02")].iloc[1:]
    images = missing_image(images, "gone")
    table = confounders(images)
    assert table["variant"].tolist() == ["nodejs-distroless", "gone"]
    assert table.iloc[1].drop(["capture", "variant"]).isna().all()
    assert unlike(table) == []


@pytest.mark.parametrize(
    ("created", "age"),
    [
        ("2022-02-27", "image 1 day old"),
        ("2022-01-28", "image 1 month old"),
        ("2021-02-28", "image 1 year old"),
        ("2020-12-29", "image 1 year 1 month old"),
        ("2022-03-02", "image built 2 days after 2022-02-28"),
        # Reproducible builds date their images to the start of Unix time, or of DOS.
        (None, "image age not known"),
    ],
)
def test_an_age_is_in_years_months_or_days(created, age) -> None:
    found = text(made({**ALPINE, "created": created}))
    assert f"; {age}; " in found
    assert found.startswith("Nothing to compare: there is one variant only.")


def test_the_day_is_the_databases_and_else_the_scans() -> None:
    table = confounders(made({"db": "2022-02-01", "scanned": "2026-01-01"}, {}))
    assert table["as_of"].dt.strftime("%Y-%m-%d").tolist() == ["2022-02-01", "2022-02-28"]
    undated = made({**ALPINE, "scanned": None, "created": "2021-01-01"})
    assert "Alpine 3.11.2, end of life 2021-11-01; image built 2021-01-01; " in text(undated)


def test_the_last_day_is_not_past_it() -> None:
    on, after = (
        made({**ALPINE, "db": day}, {**DEBIAN, "db": day}) for day in ("2021-11-01", "2021-11-02")
    )
    assert unlike(confounders(on)) == []
    assert unlike(confounders(after)) == [OS_END]


def test_a_month_apart_is_not_unlike_and_more_is() -> None:
    near, far = (
        confounders(made({**DEBIAN, "created": "2022-02-28"}, {**DEBIAN, "created": created}))
        for created in ("2022-01-29", "2022-01-28")
    )
    assert near["age_days"].tolist() == [0, APART_DAYS]
    assert unlike(near) == []
    assert unlike(far) == [AGE]


def test_ends_are_english_in_the_frame_and_told_in_the_language_spoken(both) -> None:
    first = confounders(both.images[both.images["capture"].eq("2022-02")])
    with i18n.speaking("ko"):
        table = ends(first)
        assert [i18n.told(label) for label in table["label"]] == [
            "Alpine 3.11.2: 지원 종료",
            "Debian 11.2: 지원 종료",
            "Debian 11.2: LTS 종료",
        ]
        assert unlike(first) == [OS_END, AGE, RUNTIME]
    assert table["label"].tolist()[1:] == ["Debian 11.2: end of life", "Debian 11.2: end of LTS"]
    assert table["last"].tolist() == [True, False, True]
