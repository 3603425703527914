"""Starts an image locked down: does it answer over HTTP, and can a shell be started in it?"""

import contextlib
import ctypes
import http
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from helpers.containers.daemon import Container, Daemon, Mount, log, read_only_volumes
from helpers.errors import NotStarted
from helpers.images.metadata import Smoke

SECONDS = 20.0
"""Time that a variant has to answer."""

SHELLS = ("/bin/sh", "/bin/bash", "/bin/ash", "/bin/dash", "/busybox/sh", "/usr/bin/sh")
"""Usual paths of shells."""

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
"""Options of every container of an image: https://docs.docker.com/engine/security/"""

_SHELL_STATUS = 42
"""Exit status that proves that a shell ran the command."""

_CLONE_NEWNET = 0x40000000
"""A network namespace, for setns(2): https://man7.org/linux/man-pages/man2/setns.2.html"""


class Reply(NamedTuple):
    """What a port replied: was it reached, did it answer, and the HTTP status."""

    reached: bool
    answered: bool = False
    status: int | None = None


def run(
    daemon: Daemon, image: str, port: int, seconds: float, volumes: Iterable[str] = ()
) -> Smoke:
    """Start an image locked down and return whether it answers on its port.

    Its root and `volumes` are read-only; it has no capabilities, no new privileges, and limits of
    memory, processes and time. It is probed over its own loopback and has no other network. That
    needs root on the Docker host. Otherwise an internal network is used, on which the image can
    reach services that listen on all addresses of the Docker host.
    """
    begin = time.monotonic()
    mounts = _mounts(volumes)
    smoke = None
    try:
        if can_enter_network(daemon.socket):
            with daemon.running(image, network_mode="none", mounts=mounts, **LOCKED) as container:
                smoke = _wait_for_answer(container, "", port, seconds)
        if smoke is None:
            with (
                daemon.internal_network() as network,
                daemon.running(image, network=network, mounts=mounts, **LOCKED) as container,
            ):
                smoke = _wait_for_answer(container, network, port, seconds)
    except NotStarted as error:
        smoke = Smoke(port, False, None, 0, str(error), "none")
    smoke = smoke or Smoke(port, None, None, 0, "it cannot be reached from here", "none")
    return msgspec.structs.replace(smoke, seconds=round(time.monotonic() - begin, 2))


def find_shell(
    daemon: Daemon, image: str, paths: Iterable[str], volumes: Iterable[str] = ()
) -> tuple[str, list[str]]:
    """Return the first of these shells that can be started, else "", and the shells tried."""
    tried: list[str] = []
    for path in paths:
        tried.append(path)
        if _can_start(daemon, image, path, _mounts(volumes)):
            return path, tried
    return "", tried


def can_enter_network(daemon_socket: str) -> bool:
    """Return whether this process may enter the network namespaces of a daemon's containers."""
    return daemon_socket.startswith("unix://") and hasattr(os, "geteuid") and os.geteuid() == 0


def is_process_of(container_id: str, pid: int) -> bool:
    """Return whether a local process is a container's; the daemon may be on another machine."""
    try:
        return container_id in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def ask(address: str, port: int, deadline: float, pid: int = 0) -> Reply:
    """Ask a port over HTTP until a `time.monotonic` deadline, in the network of process `pid`."""
    replies = [Reply(False)]

    def inside() -> None:
        # A container that has ended has no network any more; its status tells the rest. Which error
        # that is depends on how much of its process is left.
        with contextlib.suppress(OSError):
            if pid:
                _enter_network(pid)
            replies.extend(_ask(address, port, deadline))

    # In a thread, because a thread stays in the network namespace that it enters. It is left alone
    # at the end: a server may send a letter now and then for ever.
    thread = threading.Thread(target=inside, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()) + 1)
    return replies[-1]


def _wait_for_answer(container: Container, network: str, port: int, seconds: float) -> Smoke | None:
    """Ask a container until it answers or the time is up.

    Without a network it is asked over its loopback; `None` if that cannot be entered.
    """
    end = time.monotonic() + seconds
    reached = not network

    def ended(answered: bool | None, why: str, status: int | None = None) -> Smoke:
        asked_by = "network without a way out" if network else "loopback"
        return Smoke(port, answered, status, seconds, why, asked_by)

    while time.monotonic() < end:
        container.reload()
        if container.status not in ("created", "running"):
            status = container.attrs["State"]["ExitCode"]
            return ended(False, f"it ended with status {status}: {_last_output(container)}")
        address, pid = "127.0.0.1", int(container.attrs["State"]["Pid"])
        if network:
            address = container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
        elif not is_process_of(str(container.id), pid):
            return None
        # A port that accepts has until the end to answer; one that refuses is asked again.
        reply = ask(address, port, end, 0 if network else pid)
        reached = reached or reply.reached
        if reply.status is not None:
            failed = reply.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
            why = f"it answered with HTTP {reply.status}" if failed else ""
            return ended(not failed, why, reply.status)
        if reply.answered:
            return ended(True, "it answered, but not in HTTP")
        time.sleep(0.1)
    if not reached:
        return ended(None, "its address cannot be reached from here (is the daemon elsewhere?)")
    why = f"no answer on port {port} within {seconds:.0f} s: {_last_output(container)}"
    return ended(False, why)


def _last_output(container: Container) -> str:
    """Return the first line that mentions an error, if any, and the last lines."""
    lines = [line.strip() for line in log(container, 40).splitlines() if line.strip()]
    error = next((line for line in lines if re.search(r"error|fatal|panic", line, re.I)), "")
    last = [line for line in lines[-3:] if line != error]
    return "\n".join(filter(None, [error, *last])) or "it printed nothing"


def _can_start(daemon: Daemon, image: str, shell: str, mounts: list[Mount]) -> bool:
    """Return whether a shell can be started in an image, in a container without any network."""
    try:
        ended = daemon.run(
            image,
            10,
            entrypoint=[shell],
            command=["-c", f"exit {_SHELL_STATUS}"],
            network_mode="none",
            mounts=mounts,
            **LOCKED,
        )
    except NotStarted:
        return False
    return ended.status == _SHELL_STATUS


def _mounts(volumes: Iterable[str]) -> list[Mount]:
    return read_only_volumes(volumes, except_for=LOCKED["tmpfs"])


def _enter_network(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(namespace, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(namespace)


def _ask(address: str, port: int, deadline: float) -> Iterator[Reply]:
    """Yield what is known of a port's reply, as soon as it is known."""

    def left(longest: float = 3600) -> float:
        return min(longest, max(0.05, deadline - time.monotonic()))

    connection = HTTPConnection(address, port, left(2))
    try:
        connection.connect()
        yield Reply(True)
        connection.sock.settimeout(left())
        connection.request("GET", "/", headers={"Host": "localhost", "Connection": "close"})
        yield Reply(True, True, connection.getresponse().status)
    except ConnectionError:
        yield Reply(True)
    except HTTPException:
        yield Reply(True, True)
    finally:
        connection.close()
