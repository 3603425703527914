"""Calls of one function on the workers of a cluster, and what comes of them, as they end.

A cluster can have workers and still end nothing: the call is lost between it and a worker that
died. So it is looked whether workers work. That is told by their own signs of life and not by a
clock: on a busy machine these come later, and then it only takes longer.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

from helpers.errors import ClusterFailed
from helpers.fleet.cluster import Cluster, broken_off, ended

_LOOK = 0.02
"""Seconds between two looks for what has ended."""

_ALONE = 60
"""Seconds after which a cluster without workers is given up: killed ones may be replaced."""

_REPLACED = 10
"""Seconds after which local workers are started anew: one that dies while it starts stays dead."""

_SIGNS = 30
"""Signs of life in a row by which each worker says that it has nothing to do, while calls wait."""

_STARTS = 2
"""How often a local cluster is started anew before a call that never ends is an error."""


class End(NamedTuple):
    """The end of a call: its place among all, its item, and the result or the error."""

    place: int
    item: Any
    result: Any
    error: BaseException | None


class Tasks:
    """Calls of a function with one item each, and with what else it takes.

    `told` says of an item what a reader knows it by.
    """

    def __init__(
        self,
        cluster: Cluster,
        function: Callable[..., Any],
        told: Callable[[Any], str],
        retries: int = 0,
        **more: Any,
    ) -> None:
        self._cluster, self._told = cluster, told
        self._function, self._retries, self._more = function, retries, more
        self._places = 0
        self._waiting: dict[Any, tuple[int, Any]] = {}
        self._running: Any = None

    def add(self, items: Iterable[Any]) -> None:
        """Add a call for each item, also while others are awaited."""
        numbered = list(enumerate(items, start=self._places))
        self._places += len(numbered)
        self._submit(numbered)

    def _submit(self, numbered: list[tuple[int, Any]]) -> None:
        from distributed import as_completed

        if not numbered:
            return
        client = self._cluster.client
        futures = client.map(
            self._function,
            [item for _, item in numbered],
            retries=self._retries,
            pure=False,
            **self._more,
        )
        self._waiting |= dict(zip(futures, numbered, strict=True))
        if self._running is None:
            self._running = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        for future in futures:
            self._running.add(future)

    def ended(self) -> Iterator[End]:
        """Yield calls as they end.

        Where no worker works on what is left, a local cluster is started anew, and what is left is
        called again. Raises `ClusterFailed`.
        """
        starts = 0
        while self._waiting:
            for end in self._ended():
                starts = 0
                yield end
            if self._waiting:
                self._start_anew(starts)
                starts += 1

    def cancel(self) -> None:
        """Cancel what is left."""
        client = self._cluster.client
        if self._waiting and client.status == "running":
            client.cancel(list(self._waiting), force=True)

    def _ended(self) -> Iterator[End]:
        """Yield calls as they end, until none is left or no worker works on those that are."""
        client = self._cluster.client
        signs = _Signs()
        looked = worked = replaced = time.monotonic()
        while not self._running.is_empty():
            if done := self._running.next_batch(block=False):
                worked = time.monotonic()
                signs = _Signs()
                for future, result in done:
                    if isinstance(result, CancelledError):
                        raise ended("its scheduler is gone")
                    place, item = self._waiting.pop(future)
                    if future.status == "error":
                        yield End(place, item, None, result[1])
                    else:
                        yield End(place, item, result, None)
                continue
            time.sleep(_LOOK)
            if client.status != "running":
                raise ended("its scheduler is gone")
            if time.monotonic() - looked > 1:
                looked = time.monotonic()
                with broken_off():
                    workers = client.scheduler_info()["workers"]
                worked = looked if workers else worked
                if looked - worked > _ALONE:
                    raise ended("no worker is left")
                if looked - max(worked, replaced) > _REPLACED and self._cluster.replace():
                    replaced = looked
                if signs.are_of_no_work(workers):
                    return

    def _start_anew(self, starts: int) -> None:
        left = sorted(self._waiting.values(), key=lambda each: each[0])
        if starts == _STARTS or not self._cluster.is_local:
            what, more = self._told(left[0][1]), len(left) - 1
            others = f" and {more:,} more" if more else ""
            again = f", nor did those of {starts} new clusters" if starts else ""
            raise ClusterFailed(
                f"{what}{others}: the cluster's workers did not start on it{again}. Close other "
                "programs or restart your workers, and run the fleet again: it resumes"
            )
        self._waiting, self._running = {}, None
        self._cluster.restart()
        self._submit(left)


class _Signs:
    """What workers show of themselves while calls wait for an end."""

    def __init__(self) -> None:
        self._beats: dict[str, Any] = {}
        self._idle: Counter[str] = Counter()

    def are_of_no_work(self, workers: Mapping[str, Any]) -> bool:
        """Return whether all workers have sent many heartbeats in a row without a running call.

        `workers` are what the scheduler knows of them, by address. A worker that sends none is
        replaced by Dask.
        """
        for address, worker in workers.items():
            beat, counts = worker["last_seen"], worker["metrics"].get("task_counts", {})
            if counts.get("executing") or counts.get("long-running"):
                self._idle[address] = 0
            elif beat != self._beats.get(address, beat):
                self._idle[address] += 1
            self._beats[address] = beat
        return bool(workers) and min(self._idle[one] for one in workers) >= _SIGNS
