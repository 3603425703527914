"""Every question of a fleet: of nothing, of one image, of images without a count, and of names
that are hostile."""

import msgspec
import pandas as pd
import pytest

from helpers.answers import answer as answers
from helpers.errors import NotComparable
from helpers.fleet import (
    alike,
    bases,
    distributions,
    image_table,
    lessons,
    moving,
    overview,
    pairs,
    repeats,
    spread,
    tally,
)
from helpers.vulnerabilities.lenses import PLAIN
from tests.support import fleet_frames as fleets

LISTS = pd.DataFrame({"package_list": [], "size": [], "items": []})


def asked(reduced):
    """Every answer, by name."""
    images = image_table.once(reduced)
    occurrences = fleets.reduced([fleets.EMPTY], tally.occurrences())
    in_packages = fleets.reduced([fleets.EMPTY], tally.in_packages())
    known = bases.found(images, LISTS)
    found = [
        overview.answer(reduced, images),
        distributions.answer(images, PLAIN),
        distributions.fixable_answer(images, PLAIN),
        bases.answer(images, known, PLAIN),
        bases.rebuild_answer(images, known, PLAIN),
        spread.answer(occurrences, images, PLAIN),
        spread.updates_answer(in_packages, occurrences, images, PLAIN),
        pairs.answer(images, PLAIN, pairs.UNKNOWN),
        moving.answer(images, PLAIN, pairs.UNKNOWN),
        repeats.answer(images),
        lessons.answer(images, occurrences, in_packages, known, PLAIN),
    ]
    for one in found:
        # Both are what an executed notebook keeps.
        assert answers.decoded(msgspec.json.decode(msgspec.json.encode(answers.encoded(one))))
        assert one.lacks or one.text or one.title
        assert not (one.lacks and one.title)
    names = [one.name for one in found]
    assert len(set(names)) == len(names)
    return {one.name: one for one in found}


CASES = {
    "none": [],
    "one": [{"name": "a:1", "count": 3}],
    "not measured": [{"name": "a:1", "count": None, "status": "failed", "reason": "broken"}],
    "clean": [{"name": "a:1", "count": 0}, {"name": "b:1", "count": 0}],
    "no system": [{"name": "a:1", "count": 0, "os_family": None, "status": "no-os"}],
    "hostile": [{"name": "<b>`**{x}**\x1b[31m:=1", "count": 3}],
}


@pytest.mark.parametrize("case", CASES)
def test_every_question_has_an_answer(case):
    found = asked(fleets.images(*CASES[case]))
    counted = case in ("one", "hostile")
    for name in ("distributions", "most-spread", "lessons"):
        assert bool(found[name].lacks) is not counted, name
    assert all("\x1b" not in answer.text.plain + answer.title for answer in found.values())


def test_families_with_age_and_end_of_support():
    images = image_table.once(
        fleets.images(
            {"name": "a:1", "os_version": "11.2", "count": 1, "created_at": "2026-11-15"},
            {"name": "a:2", "os_version": "11.3", "count": 0, "created_at": "2026-11-05"},
            {"name": "b:1", "os_version": "11", "created_at": None, "scanned_at": "2024-01-01"},
            {"name": "c:1", "os_family": "scratch", "os_version": None, "count": 0},
        )
    )
    table = overview.families(images).set_index("family")
    row = table.loc["debian 11"]
    assert (row["images"], row["repositories"], row["found_in"]) == (3, 2, 1)
    assert (row["age_days"], str(row["end_of_life"]), row["past_end"]) == (15, "2024-08-14", 2)
    assert table.loc["scratch", "unknown_to_db"]


def test_small_families_are_one_and_blind_ones_are_left_out():
    rows = [{"name": f"a:{n}", "count": n, "os_version": "12"} for n in range(1, 6)]
    rows += [{"name": f"b:{n}", "count": 50, "os_version": v} for n, v in enumerate(("10", "11"))]
    rows += [{"name": "c:1", "count": 0, "os_family": "ubuntu", "os_version": "16.04"}]
    table = distributions.quartiles(image_table.once(fleets.images(*rows)))
    assert table.to_numpy().tolist() == [
        ["debian 12", 5, 1, 2, 3, 4, 5],
        [distributions.OTHERS, 2, 50, 50, 50, 50, 50],
    ]


def test_a_figure_has_the_largest_families_and_the_table_all():
    versions = [f"{n}.04" for n in range(10, 24)]
    rows = [
        {"name": f"{v}:{n}", "count": 1, "os_family": "ubuntu", "os_version": v}
        for v in versions
        for n in range(6 if v == "23.04" else 5)
    ]
    answer = distributions.answer(image_table.once(fleets.images(*rows)), PLAIN)
    assert len(answer.table) == 14
    boxes = answer.chart.boxes
    assert (len(boxes), boxes[-1].name) == (13, "all smaller families")
    assert "ubuntu 23.04" in {box.name for box in boxes}
    assert sum(box.count for box in boxes) == len(rows)


def test_images_of_no_known_system_come_last():
    rows = [{"name": f"a:{n}", "os_family": None, "status": "no-os"} for n in range(3)]
    images = image_table.once(fleets.images(*rows, {"name": "b:1"}))
    assert overview.families(images)["family"].tolist() == ["debian 12", image_table.NO_FAMILY]


def test_equal_lists_are_groups_and_lists_of_findings_are_not():
    rows = [{"name": f"a:{n}", "package_list": "x", "packages_known": True} for n in range(3)]
    rows += [{"name": "b:1", "package_list": "y", "packages_known": True}]
    rows += [{"name": f"c:{n}", "package_list": "z"} for n in range(2)]
    reduced = fleets.images(*rows)
    answer = repeats.answer(image_table.once(reduced))
    assert answer.table[["package_list", "images"]].to_numpy().tolist() == [["x", 3]]
    assert answer.title == "3 of 6 images have the same packages as another image"


def test_lists_of_several_tools_do_not_say_which_are_equal():
    rows = [
        {"name": f"{tool}:1", "package_list": "x", "packages_known": True, "scanner": tool}
        for tool in ("trivy", "syft")
    ]
    answer = repeats.answer(image_table.once(fleets.images(*rows)))
    assert "different tools" in answer.lacks
    assert "No scan lists" in repeats.answer(image_table.once(fleets.images({"name": "a:1"}))).lacks


def test_images_that_were_not_scanned_alike_are_refused_by_number_and_marked_if_allowed():
    same = [{"name": f"a:{n}", "scanned_at": f"2026-11-0{n + 1}"} for n in range(3)]
    images = fleets.images(*same)
    # One database: the days of the scans do not matter.
    assert alike.require(images) is images
    assert alike.mark(images) == ""
    mixed = fleets.images(*same, {"name": "b:1", "db_updated_at": "2026-01-01"})
    with pytest.raises(NotComparable, match=r"3 scans with trivy.*\n.*1 scan with"):
        alike.require(mixed)
    assert alike.require(mixed, mixed=True) is mixed
    assert alike.mark(mixed)
    unknown = fleets.images(
        *({"name": f"a:{n}", "db_updated_at": None, "scanned_at": f"2026-11-0{n}"} for n in (1, 2)),
        {"name": "c:1", "status": "failed", "scanner": None},
    )
    assert [*alike.ways(unknown).values()] == [1, 1]
