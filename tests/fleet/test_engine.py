"""What workers reduce is what one process does, and what the kit's own loader gives."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import frames
from helpers.fleet import engine, reading
from helpers.fleet import store as stores
from helpers.fleet.cluster import Cluster
from helpers.fleet.partition import Partition
from helpers.fleet.store import Counted, Part, Store
from helpers.frames import Frames
from helpers.studies.load import load_reports
from helpers.text.i18n import Message
from tests.support import fleets


@pytest.fixture(scope="module")
def folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fleets.unpacked(shared, tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def store(
    folder: Path, opened: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(tmp_path_factory.mktemp("data")))
        yield reading.read(str(folder), "real", opened).store


@pytest.fixture(scope="module")
def whole(folder: Path, store: Store) -> Frames:
    """All reports as the kit loads them, with the names that they have in the fleet."""
    loaded = load_reports(sorted(folder.rglob("*.json")))
    fleet = fleets.Here(store).frame("fleet")
    by_file = dict(zip(fleet["file"], fleet["variant"], strict=True))
    names = dict(zip(loaded.images["variant"], loaded.images["report"].map(by_file), strict=True))
    renamed = [
        frame.assign(variant=frame["variant"].map(names).astype(frames.TEXT)) for frame in loaded
    ]
    return Frames(*renamed)


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("variant", kind="stable", ignore_index=True)


@pytest.mark.parametrize("name", ["images", "findings", "packages"])
def test_the_frames_are_those_of_the_loader(
    name: str, store: Store, opened: Cluster, whole: Frames
) -> None:
    expected = _in_order(getattr(whole, name))
    on_dask = engine.Dask(store, opened).frame(name)
    assert on_dask.dtypes.equals(getattr(whole, name).dtypes)
    pd.testing.assert_frame_equal(_in_order(fleets.Here(store).frame(name)), expected)
    pd.testing.assert_frame_equal(_in_order(on_dask.compute()), expected)


def test_a_message_comes_back_from_a_part_as_the_loader_has_it(data: Path) -> None:
    unused = [None, Message("about another image", image="a:1")]
    made = {name: frames.make(name, {}) for name in stores.FRAMES}
    made["findings"] = frames.make("findings", {"variant": ["a", "a"], "statement_unused": unused})
    part = stores.write_part(data, [], made)
    read = stores.frame(Part(data / part, Counted(None, {})), "findings", [*made["findings"]])
    assert read.dtypes.equals(made["findings"].dtypes)
    assert read["statement_unused"].dtype == object
    assert (
        read["statement_unused"].tolist() == made["findings"]["statement_unused"].tolist() == unused
    )
    assert read["statement_unused"][1].values == {"image": "a:1"}


@pytest.mark.parametrize("of", [fleets.severities, fleets.by_lens, fleets.places, fleets.fixed])
def test_the_kits_own_answers_are_the_same_by_parts_and_on_workers(
    of: Callable[[Partition], pd.DataFrame], store: Store, opened: Cluster, whole: Frames
) -> None:
    expected = of(Partition(pd.DataFrame(), whole.images, whole.findings, whole.packages))
    keys = [name for name in expected if expected[name].dtype in ("str", "object", "category")]

    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.sort_values(keys, ignore_index=True)

    by_parts = fleets.Here(store).reduced(fleets.reduction(of))
    pd.testing.assert_frame_equal(rows(by_parts), rows(expected))
    on_dask = engine.Dask(store, opened).reduced(fleets.reduction(of))
    pd.testing.assert_frame_equal(on_dask, by_parts)


def test_a_dask_frame_can_be_grouped(store: Store, opened: Cluster, whole: Frames) -> None:
    findings: Any = engine.Dask(store, opened).frame("findings")
    grouped = findings.groupby(["package", "severity"])["variant"].nunique().compute()
    expected = whole.findings.groupby(["package", "severity"], observed=True)["variant"].nunique()
    assert grouped.sort_index().to_dict() == expected.to_dict()
    assert [*findings["severity"].cat.categories] == [*frames.SEVERITIES]
