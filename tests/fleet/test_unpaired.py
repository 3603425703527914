from helpers.fleet import image_table, pairs, unpaired
from tests.support import fleet_frames as fleets


def test_each_image_is_in_a_pair_or_is_listed_with_the_first_reason_that_holds():
    debian = {"os_family": "debian", "os_version": "12"}
    alpine = {"os_family": "alpine", "os_version": "3.19"}
    scanned = fleets.images(
        {"name": "a:1-bookworm", "count": 3, "created_at": "2026-01-02", **debian},
        {"name": "a:1-alpine", "count": 1, "created_at": "2026-01-01", **alpine},
        # A name says that it is the same app on the same base, and it is older.
        {"name": "a:1-alpine3.19", "count": 2, "created_at": "2025-01-01", **alpine},
        {"name": "arm:1-bookworm", "count": 3, **debian},
        {"name": "arm:1-alpine", "count": 3, "architecture": "arm64", **alpine},
        {"name": "one:1-bookworm", "count": 3, **debian},
        {"name": "failed:1-bookworm", "count": None, "status": "failed", **debian},
        {"name": "failed:1-alpine", "count": 5, **alpine},
        {"name": "untagged", "count": 3, **debian},
        {"name": "scratch:1", "count": 3, "os_family": None, "os_version": None},
    )
    images = image_table.once(scanned)
    table = unpaired.found(images)
    assert dict(zip(table["name"], table["unpaired_because"], strict=True)) == {
        "a:1-alpine3.19": unpaired.NOT_NEWEST,
        "arm:1-bookworm": unpaired.ARCHITECTURE,
        "arm:1-alpine": unpaired.ARCHITECTURE,
        "one:1-bookworm": unpaired.ONE_BASE,
        "failed:1-bookworm": unpaired.NOT_MEASURED,
        "failed:1-alpine": unpaired.ONE_BASE,
        "untagged": unpaired.NO_APP,
        "scratch:1": unpaired.NO_BASE,
    }
    paired = pairs.found(images)
    assert paired[["first_variant", "second_variant"]].to_numpy().tolist() == [
        [images.set_index("name").loc[name, "variant"] for name in ("a:1-alpine", "a:1-bookworm")]
    ]
