"""Starts a variant locked down, and sees whether it answers and whether a shell can be started."""

import http
import re
import time
from collections.abc import Iterable
from typing import Any

from helpers import probe
from helpers.daemon import Container, Daemon, Mount, log, read_only_volumes
from helpers.errors import NotStarted
from helpers.image import Smoke

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
        if probe.may_enter(daemon.socket):
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
        elif not probe.is_of(pid, str(container.id)):
            return None
        # One that has accepted may take its time; one that has not, is asked again.
        found = probe.ask(address, port, end, 0 if network else pid)
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
