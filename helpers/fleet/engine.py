"""The two engines over a fleet's parts: pandas in this process, and Dask. Both answer the same."""

from typing import Any, NamedTuple

import pandas as pd

from helpers import frames
from helpers.fleet import extra
from helpers.fleet import store as stores
from helpers.fleet.cluster import Cluster
from helpers.fleet.partition import Reduction
from helpers.fleet.store import Part, Store
from helpers.fleet.tasks import Tasks

_RETRIES = 3


class Pandas(NamedTuple):
    """Reduces parts one after the other in this process."""

    store: Store

    def reduced(self, reduction: Reduction) -> pd.DataFrame:
        """Return what is kept of all parts, in their order. Raises `FleetInvalid`."""
        return _joined([stores.reduced(part, reduction) for part in self.store.parts], reduction)

    def frame(self, name: str) -> pd.DataFrame:
        """Return a whole frame: `fleet`, `images`, `findings` or `packages`."""
        return pd.concat(
            [_frame(part, name) for part in self.store.parts or [None]], ignore_index=True
        )


class Dask(NamedTuple):
    """Reduces parts on the workers of a cluster."""

    store: Store
    cluster: Cluster

    def reduced(self, reduction: Reduction) -> pd.DataFrame:
        """Return what is kept of all parts, in their order.

        Raises `FleetInvalid` and `ClusterFailed`.
        """
        tasks = Tasks(self.cluster, stores.reduced, _told, _RETRIES, reduction=reduction)
        tasks.add(self.store.parts)
        kept = {}
        for end in tasks.ended():
            if end.error:
                raise end.error
            kept[end.place] = end.result
        return _joined([kept[place] for place in sorted(kept)], reduction)

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


def pandas(store: Store) -> Pandas:
    """Return the engine in this process. Raises `KitError` if its packages are not installed."""
    extra.require()
    return Pandas(store)


def dask(store: Store, cluster: Cluster) -> Dask:
    """Return the engine on a cluster. Raises `KitError` if its packages are not installed."""
    extra.require()
    return Dask(store, cluster)


def _frame(part: Part | None, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    return stores.frame(part, name, frames.columns(name) if columns is None else columns)


def _told(part: Part) -> str:
    return str(part.folder)


def _joined(kept: list[pd.DataFrame], reduction: Reduction) -> pd.DataFrame:
    return pd.concat(kept or [stores.reduced(None, reduction)], ignore_index=True)
