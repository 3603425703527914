"""Record, check and stop the process that owns a leftover."""

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil


def this_process() -> str:
    """Return the id of this process and its machine, as part of a file name or a label."""
    return f"{os.getpid()}@{_machine()}"


def runs(owner: str) -> bool:
    """Return whether the process named by `this_process` runs; on another machine it may.

    A container is a machine of its own: its processes are not visible from outside.
    """
    pid, _, machine = owner.partition("@")
    return machine != _machine() or not pid.isdecimal() or psutil.pid_exists(int(pid))


@contextlib.contextmanager
def threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Have threads for a block. Whatever ends it early stops at once.

    Nothing waits for the threads then, and the processes that were started in the block are killed.
    """
    before = psutil.Process().children()
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    except BaseException:
        pool.shutdown(cancel_futures=True, wait=False)
        for child in set(psutil.Process().children()).difference(before):
            kill(child)
        raise
    pool.shutdown()


def kill(process: psutil.Process) -> None:
    """Kill a process and what it has started; those that have ended are no error."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in (*process.children(recursive=True), process):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


def _machine() -> str:
    name = socket.gethostname()
    # A container may have its host's name, or another one's: its processes have numbers of its own.
    with contextlib.suppress(OSError):
        name += os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    # A host name may be too long for the path of a socket.
    return hashlib.sha256(name.encode()).hexdigest()[:8]
