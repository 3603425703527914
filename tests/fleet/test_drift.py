from helpers.fleet import drift
from tests.support import fleet_frames as fleets


def test_a_change_splits_by_whether_an_image_is_the_same_and_adds_up():
    def scan(name, day, count, **more):
        return {"name": name, "scanned_at": f"2026-01-0{day}", "count": count, **more}

    scanned = fleets.images(
        scan("same:1", 1, 5, image_id="a"),
        # By the id it is the same, whatever its date says.
        scan("same:1", 8, 7, image_id="a", created_at="2026-01-05"),
        scan("new:1", 1, 4, image_id="b"),
        scan("new:1", 8, 1, image_id="c"),
        scan("undated:1", 1, 2, created_at=None),
        scan("undated:1", 8, 2, created_at=None),
        scan("dated:1", 1, 2, created_at="2025-12-01"),
        scan("dated:1", 8, 3, created_at="2025-12-01"),
        scan("gone:1", 1, 9),
        scan("here:1", 8, 6),
        # Of another architecture, so another image; and one that could not be scanned.
        scan("same:1", 8, 1, image_id="d", architecture="arm64"),
        scan("gone:1", 8, None, status="failed"),
    )
    table = drift.between(scanned, "2026-01-01", "2026-01-08").set_index("part")
    found = table[["images", "before", "after", "change"]].to_numpy().tolist()
    assert dict(zip(table.index, found, strict=True)) == {
        "same image": [2, 7, 10, 3],
        "rebuilt": [1, 4, 1, -3],
        "not known if rebuilt": [1, 2, 2, 0],
        "came": [2, 0, 7, 7],
        "went": [1, 9, 0, -9],
    }
    days = drift.days(scanned).set_index("day")["count"]
    assert days["2026-01-08"] - days["2026-01-01"] == table["change"].sum()
