"""What a fleet may say of moves: a sum is predicted, as a condition, and the best one is shrunk."""

import numpy as np
import pandas as pd
import pytest

from helpers.fleet import image_table, moving, pairs
from tests.support import fleet_frames as fleets


def images(counts, alone=()):
    """Apps on Debian 12 and 13 with these counts, and such as are on one of them only."""
    rows = []
    for number, (before, after) in enumerate(counts):
        rows += [_row(f"app{number}:1-bookworm", "12", before)]
        rows += [_row(f"app{number}:1-trixie", "13", after)]
    rows += [_row(f"alone{number}:1-{word}", version, count)
             for number, (word, version, count) in enumerate(alone)]  # fmt: skip
    return image_table.once(fleets.images(*rows))


def _row(name, version, count):
    return {"name": name, "os_version": version, "count": count, "created_at": "2026-01-01"}


def to_trixie(found):
    table = moving.totals(found, pairs.found(found), {}).set_index("target")
    return table.loc["debian 13"]


SHARES = (0.1, 0.3, 0.5, 0.5, 0.7, 0.9, 0.4, 0.6)


def test_the_interval_of_a_sum_is_wider_than_that_of_its_mean():
    counts = [(100, round(100 * share)) for share in SHARES]
    one = to_trixie(images(counts, [("bookworm", "12", 1000)]))
    many = to_trixie(images(counts, [("bookworm", "12", 20)] * 50))
    sums = [row["change"] - row["observed_change"] for row in (one, many)]
    assert sums == pytest.approx([-500, -500])
    (share,) = pairs.compared(pairs.found(images(counts))).to_dict("records")
    mean_width = 1000 * (share["high"] - share["low"])
    # A single image may be like the group that loses most, or least; fifty are not all so.
    assert one["high"] - one["low"] > 1.5 * mean_width
    assert one["high"] - one["low"] > many["high"] - many["low"]


def test_moves_and_pairs_say_one_share_whichever_group_has_many_images():
    counts = [(100, round(100 * share)) for share in SHARES[:7]]
    found = images(counts, [("bookworm", "12", 1000)])
    # One repository with ten apps that lose nothing is one of eight groups.
    rows = [_row(f"many:{tag}-{word}", version, 100) for tag in range(10)
            for word, version in (("bookworm", "12"), ("trixie", "13"))]  # fmt: skip
    more = image_table.once(fleets.images(*rows))
    found = pd.concat([found, more], ignore_index=True)
    (share,) = pairs.compared(pairs.found(found))["share"]
    row = to_trixie(found)
    assert share == pytest.approx(-sum(1 - part for part in SHARES[:7]) / 8)
    assert row["change"] - row["observed_change"] == pytest.approx(1000 * share)


def test_a_share_of_large_images_takes_no_more_than_there_is():
    counts = [(2000 + 10 * number, 20) for number in range(8)]
    row = to_trixie(images(counts, [("bookworm", "12", 30)]))
    assert row["low"] >= -row["now"]


def test_it_shows_how_images_with_a_pair_and_without_differ():
    row = to_trixie(images([(100, 50)] * 8, [("bookworm", "12", 900), ("bookworm", "12", 700)]))
    assert (row["paired_median"], row["unpaired_median"]) == (100, 800)


def test_the_best_of_eight_moves_that_differ_by_chance_alone_is_told_smaller():
    rng = np.random.default_rng(1)
    words = ("7", "8", "9", "10", "11", "12", "13", "6")
    names = ("wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "squeeze")
    rows = []
    for number in range(10):
        for version, name in zip(words, names, strict=True):
            count = round(100 * rng.lognormal(0, 0.3))
            rows += [_row(f"app{number}:1-{name}", version, count)]
            rows += [_row(f"alone{number}-{name}:1-{name}", version, 100)]
    found = image_table.once(fleets.images(*rows))
    table = moving.totals(found, pairs.found(found), {})
    assert table["low"].notna().all()
    predicted = (table["change"] - table["observed_change"]).astype("float64")
    likely = (table["likely"] - table["observed_change"]).astype("float64")
    best = predicted.idxmin()
    assert predicted[best] < -200
    assert likely[best] > 0.7 * predicted[best]
    assert (likely.abs() <= predicted.abs() + 1e-9).all()
