"""What questions of a fleet are asked of: its parts, reduced on the workers of a cluster."""

from typing import Any, NamedTuple, Protocol

import pandas as pd

from helpers import frames
from helpers.fleet import store as stores
from helpers.fleet import tally
from helpers.fleet.cluster import Cluster
from helpers.fleet.partition import Reduction
from helpers.fleet.store import Part, Store
from helpers.fleet.tasks import Tasks
from helpers.vulnerabilities.lenses import Lens

_RETRIES = 3


class Engine(Protocol):
    """What questions of many scans are asked of."""

    def kept(self, reduction: Reduction) -> list[Any]:
        """Return what is kept of each part, or raise `EvidenceLacking`."""


class Dask(NamedTuple):
    """Reduces parts on the workers of a cluster."""

    store: Store
    cluster: Cluster

    def check(self, lens: Lens) -> None:
        """Scans can be counted under any lens."""

    def images(self, lens: Lens) -> pd.DataFrame:
        """Return every scan with its counts under a lens. Raises as `kept`."""
        return self.reduced(tally.images(lens))

    def reduced(self, reduction: Reduction) -> pd.DataFrame:
        """Return what is kept of all parts as one frame, in their order. Raises as `kept`."""
        return pd.concat(self.kept(reduction), ignore_index=True)

    def kept(self, reduction: Reduction) -> list[Any]:
        """Return what is kept of each part, in their order; of no images if there is none.

        Raises `FleetInvalid` and `ClusterFailed`.
        """
        tasks = Tasks(self.cluster, stores.reduced, _told, _RETRIES, reduction=reduction)
        tasks.add(self.store.parts)
        kept = {}
        for end in tasks.ended():
            if end.error:
                raise end.error
            kept[end.place] = end.result
        return [kept[place] for place in sorted(kept)] or [stores.reduced(None, reduction)]

    def frame(self, name: str) -> Any:
        """Return a frame as a Dask DataFrame, a partition a part; only wanted columns are read.

        Dask 2026.8 repeats categories where many partitions are grouped with `observed=False`;
        `split_out=1` keeps it from that.
        """
        import dask.dataframe as dd

        return dd.from_map(
            _frame,
            list(self.store.parts) or [None],
            name=name,
            meta=frames.make(name, {}),
            label=name,
        )


def _frame(part: Part | None, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    return stores.frame(part, name, frames.columns(name) if columns is None else columns)


def _told(part: Part) -> str:
    return str(part.folder)
