"""Starts a variant locked down, and sees whether it answers and whether a shell can be started."""

import ctypes
import http
import os
import re
import socket
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from helpers.capture.daemon import Container, Daemon, Mount, log, read_only_volumes
from helpers.errors import NotStarted
from helpers.images.metadata import Smoke

pass

SECONDS = 20.0
"""How long a variant has to answer."""

SHELLS = ("/bin/sh", "/bin/bash", "/bin/ash", "/bin/dash", "/busybox/sh", "/usr/bin/sh")
"""Where a shell is looked for."""

LOCKED: dict[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m"},
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "mem_limit": "512m",
    "memswap_limit": "512m",
    "pids_limit": 256,
    "log_config": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
}
"""How anything from an image is started: https://docs.docker.com/engine/security/"""

_PROOF = 42


def answers(
    daemon: Daemon, image: str, port: int, seconds: float, volumes: Iterable[str] = ()
) -> Smoke:
    """Start an image locked down and return whether it answers on its port.

    It has a read-only root and read-only `volumes`, no capabilities, no new privileges, and limits
    of memory, processes and time. It has no network but its own loopback, where it is asked;
    to enter there takes root on the daemon's machine. Else it is on a network without a way out, on
    which it could still reach what listens on all addresses of the daemon's machine.
    """
    begin = time.monotonic()
    mounts = _mounts(volumes)
    try:
        told = None
        if may_enter(daemon.socket):
            with daemon.running(image, network_mode="none", mounts=mounts, **LOCKED) as container:
                told = _ask(container, "", port, seconds)
        if told is None:
            with (
                daemon.lonely_network() as network,
                daemon.running(image, network=network, mounts=mounts, **LOCKED) as container,
            ):
                told = _ask(container, network, port, seconds)
    except NotStarted as error:
        told = (False, None, str(error), "none")
    answered, status, why, reached = told or (None, None, "it cannot be reached from here", "none")
    return Smoke(port, answered, status, round(time.monotonic() - begin, 2), why, reached)


def shell(
    daemon: Daemon, image: str, paths: Iterable[str], volumes: Iterable[str] = ()
) -> tuple[str, list[str]]:
    """Return the first of these shells that can be started in an image, and those tried.

    The shell is empty if none can be.
    """
    tried: list[str] = []
    for path in paths:
        tried.append(path)
        if _starts(daemon, image, path, _mounts(volumes)):
            return path, tried
    return "", tried


Told = tuple[bool | None, int | None, str, str]


def _ask(container: Container, network: str, port: int, seconds: float) -> Told | None:
    """Return whether a container answers in time, with which HTTP status, why not, and by what.

    Without a network it is asked on its own loopback; `None` if that cannot be entered.
    """
    end = time.monotonic() + seconds
    by = "network without a way out" if network else "loopback"
    reached = not network
    while time.monotonic() < end:
        container.reload()
        if container.status not in ("created", "running"):
            code = container.attrs["State"]["ExitCode"]
            return False, None, f"it ended with status {code}: {_last_words(container)}", by
        address, pid = "127.0.0.1", int(container.attrs["State"]["Pid"])
        if network:
            address = container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
        elif not is_of(pid, str(container.id)):
            return None
        # One that has accepted may take its time; one that has not, is asked again.
        found = ask(address, port, end, 0 if network else pid)
        reached = reached or found.reached
        if found.answered:
            if found.status is None:
                return True, None, "it answered, but not in HTTP", by
            failed = found.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
            why = f"it answered with HTTP {found.status}" if failed else ""
            return not failed, found.status, why, by
        time.sleep(0.1)
    if not reached:
        return None, None, "its address cannot be reached from here (is the daemon elsewhere?)", by
    words = _last_words(container)
    return False, None, f"no answer on port {port} within {seconds:.0f} s: {words}", by


def _last_words(container: Container) -> str:
    """Return the first line that speaks of an error, if there is one, and the last ones."""
    lines = [line.strip() for line in log(container, 40).splitlines() if line.strip()]
    named = next((line for line in lines if re.search(r"error|fatal|panic", line, re.I)), "")
    last = [line for line in lines[-3:] if line != named]
    return "\n".join(filter(None, [named, *last])) or "it printed nothing"


def _starts(daemon: Daemon, image: str, shell: str, mounts: list[Mount]) -> bool:
    """Return whether a shell can be started in an image, in a container without any network."""
    try:
        ended = daemon.run(
            image,
            10,
            entrypoint=[shell],
            command=["-c", f"exit {_PROOF}"],
            network_mode="none",
            mounts=mounts,
            **LOCKED,
        )
    except NotStarted:
        return False
    return ended.status == _PROOF


def _mounts(volumes: Iterable[str]) -> list[Mount]:
    return read_only_volumes(volumes, but=LOCKED["tmpfs"])


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
        found[0] = _ask_port(address, port, deadline)

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


def _ask_port(address: str, port: int, deadline: float) -> Answer:
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
