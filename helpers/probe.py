"""Asks a port for an answer, by a deadline, also from inside the network of another process."""

import ctypes
import os
import re
import socket
import threading
import time
from pathlib import Path
from typing import NamedTuple

_CLONE_NEWNET = 0x40000000
"""A network namespace, for setns(2): https://man7.org/linux/man-pages/man2/setns.2.html"""

_MOST_BYTES = 2**16
_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


class Answer(NamedTuple):
    """What a port gave: whether it was reached, whether it said anything, and its HTTP status."""

    reached: bool
    answered: bool
    status: int | None


def may_enter(daemon_socket: str) -> bool:
    """Return whether this process may enter the network of one that a local daemon has started."""
    return daemon_socket.startswith("unix://") and hasattr(os, "geteuid") and os.geteuid() == 0


def is_of(pid: int, container_id: str) -> bool:
    """Return whether a process is here, and of that container: the daemon may be elsewhere."""
    try:
        return container_id in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def ask(address: str, port: int, deadline: float, pid: int = 0) -> Answer:
    """Ask a port over HTTP until a `time.monotonic` deadline, in the network of process `pid`.

    Whatever is sent, it is read until its first line is there, and no longer than the deadline.
    """
    found = [Answer(False, False, None)]

    def inside() -> None:
        if pid:
            _enter(pid)
        found[0] = _ask(address, port, deadline)

    # A thread of its own: the network that one has entered is that thread's until it ends.
    thread = threading.Thread(target=inside, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()) + 1)
    return found[0]


def _enter(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(namespace, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(namespace)


def _ask(address: str, port: int, deadline: float) -> Answer:
    reached = False
    said = b""
    try:
        with socket.create_connection((address, port), _left(deadline, 2)) as connection:
            reached = True
            connection.settimeout(_left(deadline))
            connection.sendall(_REQUEST)
            while b"\n" not in said and len(said) < _MOST_BYTES:
                connection.settimeout(_left(deadline))
                part = connection.recv(4096)
                if not part:
                    break
                said += part
    except (ConnectionRefusedError, ConnectionResetError):
        reached = True
    except OSError:
        pass
    if not said:
        return Answer(reached, False, None)
    status = _STATUS.match(said)
    # What has begun to speak HTTP and then falls silent has not answered.
    if not status and b"HTTP/".startswith(said[:5]):
        return Answer(reached, False, None)
    return Answer(reached, True, int(status[1]) if status else None)


def _left(deadline: float, most: float = 3600) -> float:
    return min(most, max(0.05, deadline - time.monotonic()))
