import numpy as np
import pandas as pd
import pytest

from helpers.fleet import (
    groups,
    image_table,
    moving,
    pairs,
)
from helpers.vulnerabilities.lenses import PLAIN
from tests.support import fleet_frames as fleets


def app(name, version, count, **more):
    return {"name": name, "os_version": version, "count": count, "created_at": "2026-01-01", **more}


def table(*rows):
    return image_table.once(fleets.images(*rows))


def test_an_app_is_paired_with_itself_on_another_base():
    images = table(
        app("node:8-jessie", "8.1", 10),
        app("node:8-stretch", "9.1", 4),
        # An older image of the same app on the same base.
        app("node:8-stretch", "9.0", 99, created_at="2025-01-01"),
        app("node:9-stretch", "9.1", 1),
        app("node:8-slim", "9.1", 2),
        # Of another architecture, and not measured.
        app("node:8-jessie-slim", "8.1", 1, architecture="arm64"),
        app("node:8-buster", "10.1", None, status="failed"),
        # The whole family has nothing: the database may not know it.
        app("node:8-xenial", "16.04", 0, os_family="ubuntu"),
    )
    found = pairs.found(images)
    assert found[["app", "first", "second", "difference"]].to_numpy().tolist() == [
        ["node:8", "debian 8", "debian 9", -6],
        ["node:8", "debian 8", "debian 9 slim", -8],
        ["node:8", "debian 9", "debian 9 slim", -2],
    ]


def test_of_several_images_the_newest_stands_for_an_app_and_never_the_first_by_name():
    def stands(*rows):
        rows = [app("x:1-jessie", "8.1", **row) for row in rows]
        images = table(*rows, app("x:1-stretch", "9.1", 1))
        return pairs.found(images)["first_count"].tolist()

    old, new = "2025-01-01", "2026-02-01"
    assert stands({"count": 1, "created_at": old}, {"count": 2, "created_at": new}) == [2]
    # When it was built is not known of both: the last scan.
    one, other = {"count": 1, "created_at": new, "scanned_at": old}, {"count": 2, "scanned_at": new}
    assert stands(one, {**other, "created_at": None}) == [2]
    undated = {"created_at": None, "scanned_at": None}
    assert stands({"count": 1, **undated}, {"count": 2, **undated}) == []
    assert stands({"count": 1, **undated}) == [1]
    twins = [{"count": 1, "created_at": new}, {"count": 2, "created_at": new}]
    both = table(
        *(app("x:1-jessie", "8.1", **row) for row in twins),
        *(app("x:1-wheezy", "7", **row) for row in twins),
        app("x:1", "9", 1),
        app("y:1-jessie", "8.1", 1),
        app("y:1", "9", 1),
    )
    assert pairs.found(both)["app"].tolist() == ["y:1"]
    # It is left out on two bases, and one app all the same.
    assert "1 app" in pairs.answer(both, PLAIN, pairs.UNKNOWN).text.plain


def fleet(difference, repositories=8, tags=2):
    rows = []
    for repository in range(repositories):
        for tag in range(tags):
            name = f"repo{repository}:{tag}"
            rows += [
                app(f"{name}-jessie", "8.1", 100 + repository),
                app(f"{name}-stretch", "9.1", 100 + repository + difference(repository, tag)),
            ]
    return table(*rows)


def test_means_are_of_repositories_and_medians_of_pairs():
    rows = [
        app(f"big:{tag}-{n}", v, c)
        for tag in range(3)
        for n, v, c in (("jessie", "8", 10), ("stretch", "9", 40))
    ]
    rows += [app("small:1-jessie", "8", 10), app("small:1-stretch", "9", 20)]
    (row,) = pairs.compared(pairs.found(table(*rows))).to_dict("records")
    assert (row["pairs"], row["repositories"]) == (4, 2)
    assert (row["first"], row["second"]) == ("debian 9", "debian 8")
    assert (row["mean"], row["median"]) == (-20, -30)
    # Of 40 and 20 on stretch, the means of two groups, 20 are missing.
    assert row["share"] == pytest.approx(-20 / 30)
    assert (row["first_fewer"], row["second_fewer"], row["equal"]) == (0, 4, 0)


def test_a_difference_is_found_with_six_repositories_and_not_told_with_five():
    found = pairs.compared(pairs.found(fleet(lambda repository, tag: -10 - repository, 6)))
    assert found.loc[0, "high"] < 0
    few = pairs.compared(pairs.found(fleet(lambda repository, tag: -10 - repository, 5)))
    assert few["low"].isna().all()
    answer = pairs.answer(fleet(lambda repository, tag: -10 - repository, 5), PLAIN, pairs.UNKNOWN)
    assert "Too few" in answer.title
    assert answer.chart.intervals[0].low is None


def test_of_the_same_repository_many_tags_say_no_more_than_one():
    rng = np.random.default_rng(2)
    by_repository = rng.normal(0, 20, 7).round()
    one, many = (
        pairs.compared(pairs.found(fleet(lambda r, tag: int(by_repository[r]), 7, tags)))
        for tags in (1, 30)
    )
    same = ["mean", "share", "low", "high"]
    assert one[same].equals(many[same])


def test_a_move_is_what_pairs_show_and_their_share_of_the_others():
    images = fleet(lambda repository, tag: -(100 + repository) // 2, 8, 1)
    alone = fleets.images(app("alone:1-jessie", "8.1", 1000), app("other:1-buster", "10.1", 70))
    images = image_table.once(pd.concat([images[alone.columns], alone], ignore_index=True))
    found = pairs.found(images)
    paired = sum(range(100, 108))
    saved = sum((100 + repository + 1) // 2 for repository in range(8))
    (share,) = pairs.compared(found)["share"]
    assert share == pytest.approx(-saved / paired)
    short = moving.totals(images, found, {}).set_index("target")
    assert short.index[0] == "debian 9"
    row = short.loc["debian 9"]
    assert (row["observed_now"], row["now"]) == (paired, paired + 1000)
    assert row["observed_change"] == -saved
    assert row["change"] == pytest.approx(-saved + 1000 * share)
    assert (row["images"], row["observed"], row["unknown"]) == (9, 8, 1)
    assert (row["paired_median"], row["unpaired_median"]) == (103.5, 1000)
    assert -row["now"] <= row["low"] <= row["change"] <= row["likely"] <= row["high"] < -saved


def test_what_few_groups_show_is_told_and_nothing_is_made_of_it():
    rows = [app("alone:1-bookworm", "12", 1000)]
    for repository in range(5):
        name = f"repo{repository}:1"
        rows += [app(f"{name}-bookworm", "12", 100), app(f"{name}-trixie", "13", 40)]
    images = table(*rows)
    (row, worse) = moving.totals(images, pairs.found(images), {}).to_dict("records")
    assert (row["target"], row["change"]) == ("debian 13", -300)
    assert (row["images"], row["unknown"]) == (5, 1)
    assert pd.isna(row["low"])
    assert pd.isna(row["high"])
    assert worse["change"] == 300
    answer = moving.answer(images, PLAIN, pairs.UNKNOWN)
    assert "5 images have 300 fewer" in answer.title
    # A move that makes it worse is in the table only.
    assert [(one.name, one.low) for one in answer.chart.intervals] == [("to debian 13", None)]


def test_repositories_that_share_packages_are_one_group_and_give_no_interval():
    images = fleet(lambda repository, tag: -10 - repository, 8, 1)
    first = images["repository"].isin([f"repo{number}" for number in range(4)])
    on_jessie = images["family"].eq("debian 8")
    images["packages_known"] = True
    images["package_list"] = images["variant"].mask(first & on_jessie, "of one base")
    none = pd.DataFrame({"variant": [], "base": []})
    found = pairs.found(images)
    (row,) = pairs.compared(found, groups.packages(images, none)).to_dict("records")
    assert (row["pairs"], row["repositories"], row["groups"]) == (8, 8, 5)
    # The four count once, with their mean.
    assert row["mean"] == pytest.approx(-(11.5 + 14 + 15 + 16 + 17) / 5 - 0)
    assert pd.isna(row["low"])
    answer = pairs.answer(images, PLAIN, groups.packages(images, none))
    assert "Too few" in answer.title
    assert "may be too narrow" not in answer.text.plain
    assert "may be too narrow" in pairs.answer(images, PLAIN, pairs.UNKNOWN).text.plain
    moves = moving.totals(images, found, groups.packages(images, none))
    assert moves["low"].isna().all()


def test_a_base_that_no_advisories_follow_is_no_place_to_move_to():
    def moved(version):
        rows = []
        for repository in range(8):
            name = f"repo{repository}:1"
            rows += [app(f"{name}-bookworm", "12", 100), app(f"{name}-slim", version, 50)]
        images = table(*rows)
        ended = image_table.ended(images)
        return [*ended], moving.best(moving.totals(images, pairs.found(images), {}), ended)

    ended, best = moved("7")
    assert (ended, best) == (["debian 7 slim"], None)
    ended, best = moved("13")
    assert (ended, best["target"]) == ([], "debian 13 slim")


def test_all_intervals_hold_together():
    # Of four comparisons two have groups enough for an interval.
    assert pairs.each_at([6, 2, 20, 5]) == pytest.approx(1 - (1 - pairs.LEVEL) / 2)
