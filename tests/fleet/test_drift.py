import pandas as pd

from helpers import frames
from helpers.fleet import drift
from helpers.fleet.partition import Partition, Reduction
from tests.support import fleet_frames as fleets


class Here:
    """Reduces scans without a cluster; of each id in `ids` a scan has a finding."""

    def __init__(self, scanned: pd.DataFrame, ids: dict[str, list[str]]) -> None:
        shared = [c for c in frames.columns("images") if c in scanned]
        images = frames.make("images", scanned[shared].to_dict("list"))
        rows = [(variant, id_) for variant, found in ids.items() for id_ in found]
        findings = {
            "variant": [variant for variant, _ in rows],
            "vulnerability_id": [id_ for _, id_ in rows],
            "severity": ["HIGH"] * len(rows),
        }
        made = {name: frames.make(name, {}) for name in ("fleet", "packages")}
        self.part = Partition(images=images, findings=frames.make("findings", findings), **made)

    def kept(self, reduction: Reduction) -> list[object]:
        return [reduction.of(self.part)]


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
    variants = scanned["variant"].tolist()
    here = Here(scanned, {variants[0]: ["CVE-1", "CVE-2"], variants[1]: ["CVE-2", "CVE-3"]})
    found = drift.between(scanned, here, "2026-01-01", "2026-01-08")
    table = found.parts.set_index("part")
    moved = table.loc["same image", ["appeared", "gone", "re_rated"]].tolist()
    assert moved == [1, 1, 0]
    assert table.loc[["came", "went"], "gone"].isna().all()
    assert found.causes["part"].unique().tolist() == ["same image"]
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
