"""The cluster that reads scans and reduces parts: a local one, or any other by its address."""

import logging
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from helpers import whole
from helpers.errors import ClusterFailed, KitError, disk_error
from helpers.fleet import store

_SECONDS = 15
"""How long a scheduler and its workers may take to answer."""


class Cluster:
    """A cluster with workers: `dashboard` is the address of its dashboard, empty if it has none."""

    client: Any
    dashboard: str

    def __init__(self, scheduler: str, workers: int, stack: ExitStack) -> None:
        self._start = partial(_started, scheduler, workers)
        self._stack, self._running = stack, ExitStack()
        self.restart()

    def restart(self) -> None:
        """Start it anew, with other workers: what it was to do is forgotten."""
        # Of one that does not work, the end may not work either.
        with suppress(OSError, RuntimeError, TimeoutError, CancelledError):
            self.close()
        self.client, self._local = self._running.enter_context(self._start())
        self.dashboard = ""
        with suppress(KeyError, ValueError):
            self.dashboard = str(self.client.dashboard_link or "")

    def close(self) -> None:
        """End its workers, or what connects to them."""
        self._running.close()

    @property
    def is_local(self) -> bool:
        """Whether its workers are its own, on this machine."""
        return self._local is not None

    @property
    def workers(self) -> int:
        """How many threads its workers have in all."""
        return sum(self.client.nthreads().values()) or 1

    def at_end(self, action: Callable[[], object]) -> None:
        """Do something when its workers have ended, or are no longer ours."""
        self._stack.callback(action)

    def check(self, folder: Path) -> None:
        """Raise `ClusterFailed` for a worker without this kit, or without a folder of this machine.

        Raises `NoSpace` and `KitError` if nothing can be written into the folder.
        """
        token = folder / f".seen.{uuid.uuid4().hex}"
        try:
            token.touch()
        except OSError as error:
            raise disk_error(error, folder) from error
        try:
            with broken_off():
                answers = self.client.run(_seen, str(token), on_error="return")
        finally:
            token.unlink(missing_ok=True)
        for worker, answer in answers.items():
            if isinstance(answer, BaseException):
                raise ClusterFailed(
                    f"worker {worker}: the kit does not start ({answer}). Install the kit with its "
                    "fleet extra on all workers"
                )
            code, is_there = answer
            if code != store.code():
                raise ClusterFailed(
                    f"worker {worker} has another version of the kit. Install this version there"
                )
            if not is_there:
                raise ClusterFailed(
                    f"worker {worker} cannot see {folder}. Set KIT_DATA to a folder that all "
                    "workers share, or omit --scheduler"
                )

    def addresses(self) -> set[str]:
        """Return the addresses of its workers; one that is started again has another."""
        return set(self.client.scheduler_info()["workers"])

    def replace(self) -> bool:
        """Start the workers of a local cluster anew; return whether it is one."""
        if self._local:
            number = len(self._local.worker_spec) or 1
            with _without_script():
                self._local.scale(0)
                self._local.scale(number)
        return self.is_local


def require() -> None:
    """Raise `KitError` if Dask or what it needs is not installed."""
    for name in ("dask", "dask.dataframe", "distributed", "fsspec", "pyarrow.parquet"):
        try:
            import_module(name)
        except ImportError as error:
            raise KitError(
                f"Fleets need {name.partition('.')[0]}, which is not installed ({error}). "
                "Install it with: make fleet"
            ) from error


@contextmanager
def open(scheduler: str = "", workers: int = 0) -> Iterator[Cluster]:
    """Have a cluster: of so many local processes (0: one a core), or that of a scheduler's address.

    Nothing of a local one is left at the end. Raises `ClusterFailed`, and `KitError` if Dask is not
    installed.
    """
    require()
    # What is done at the end is done after the workers have ended, so it is the first here.
    with ExitStack() as late:
        opened = Cluster(scheduler, workers, late)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def _started(scheduler: str, workers: int) -> Iterator[tuple[Any, Any]]:
    """Have a client of a cluster, and that if it is a local one. Raises `ClusterFailed`."""
    import dask
    from distributed import Client, LocalCluster

    settings = {
        "distributed.scheduler.allowed-failures": 2,
        "distributed.comm.timeouts.connect": f"{_SECONDS}s",
        # The kit's frames have pandas' own texts.
        "dataframe.convert-string": False,
    }
    with ExitStack() as stack:
        local = None
        stack.enter_context(dask.config.set(settings))
        stack.enter_context(_quiet())
        try:
            if scheduler:
                at: Any = scheduler
            else:
                # Not for a client alone: a notebook's is killed with its kernel, and leaves it.
                whole.clear_up()
                scratch = stack.enter_context(whole.temporary_folder("fleet"))
                stack.enter_context(dask.config.set({"temporary-directory": scratch}))
                with _deaf(), _without_script():
                    made = LocalCluster(
                        n_workers=workers or None,
                        threads_per_worker=1,
                        processes=True,
                        dashboard_address="127.0.0.1:0",
                        local_directory=scratch,
                        silence_logs=logging.CRITICAL,
                    )
                at = local = stack.enter_context(made)
            client = stack.enter_context(Client(at, timeout=_SECONDS))
            if not client.nthreads():
                client.wait_for_workers(1, timeout=_SECONDS)
        except (OSError, ValueError, TimeoutError, RuntimeError, AssertionError) as error:
            # Dask says so of a scheduler, or a worker, that cannot write its files.
            reason = error.__cause__ or error.__context__
            if isinstance(error, RuntimeError | AssertionError) and isinstance(reason, OSError):
                raise disk_error(reason, Path(tempfile.gettempdir())) from error
            why = f"{scheduler or 'local cluster'}: no workers ({error or type(error).__name__}). "
            remedy = "Check that its scheduler and workers run, or omit --scheduler"
            if not scheduler:
                remedy = "Close other programs and try again"
            raise ClusterFailed(why + remedy) from error
        yield client, local


@contextmanager
def _without_script() -> Iterator[None]:
    """Hide the running script from processes that start: otherwise each runs it again."""
    script: dict[str, Any] = vars(sys.modules["__main__"])
    names: tuple[str, ...] = ("__file__", "__spec__")
    before = {name: script[name] for name in names if name in script}
    script.pop("__file__", None)
    script["__spec__"] = None
    try:
        yield
    finally:
        script.update(before)


@contextmanager
def _deaf() -> Iterator[None]:
    """Ignore SIGINT while processes start: they inherit that, so only this one acts on Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def broken_off() -> Iterator[None]:
    """Raise `ClusterFailed` if the cluster stops during the work."""
    try:
        yield
    except (OSError, CancelledError, TimeoutError) as error:
        raise ended(error) from error


def ended(error: object) -> ClusterFailed:
    """Return the error of a cluster that stopped during the work."""
    told = str(error).split("\n")[0] or type(error).__name__
    return ClusterFailed(f"the cluster stopped ({told}). Run the fleet again: it resumes")


def _seen(path: str) -> tuple[str, bool]:
    """Return which code a worker has, and whether it sees a file."""
    from helpers.fleet import batch  # noqa: F401

    require()
    return store.code(), Path(path).exists()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's log off the terminal: the kit raises its own errors."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
