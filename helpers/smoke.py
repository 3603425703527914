"""Starts a variant locked down, and sees whether it answers and whether a shell can be started."""

import http.client
import time
from collections.abc import Iterable
from typing import Any

from helpers.daemon import Container, Daemon, log
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


def answers(daemon: Daemon, image: str, port: int, seconds: float) -> Smoke:
    """Start an image locked down and return whether it answers on its port.

    It has no network but one without a way out, on which this machine alone can ask it; a read-only
    root, no capabilities, no new privileges, and limits of memory, processes and time.
    """
    begin = time.monotonic()
    try:
        with (
            daemon.lonely_network() as network,
            daemon.running(image, network=network, **LOCKED) as container,
        ):
            answered, status, why = _ask(container, network, port, seconds)
    except NotStarted as error:
        answered, status, why = False, None, str(error)
    return Smoke(port, answered, status, round(time.monotonic() - begin, 2), why)


def shell(daemon: Daemon, image: str, paths: Iterable[str]) -> tuple[str, list[str]]:
    """Return the first of these shells that can be started in an image, and those tried.

    The shell is empty if none can be.
    """
    tried: list[str] = []
    for path in paths:
        tried.append(path)
        if _starts(daemon, image, path):
            return path, tried
    return "", tried


def _ask(
    container: Container, network: str, port: int, seconds: float
) -> tuple[bool | None, int | None, str]:
    """Return whether a container answers in time, with which HTTP status, and why not."""
    end = time.monotonic() + seconds
    reached = False
    while time.monotonic() < end:
        container.reload()
        if container.status not in ("created", "running"):
            code = container.attrs["State"]["ExitCode"]
            return False, None, f"it ended with status {code}: {_last_words(container)}"
        address = container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
        try:
            status = _status(address, port, min(2.0, max(0.1, end - time.monotonic())))
        except (ConnectionRefusedError, ConnectionResetError):
            reached = True
            time.sleep(0.1)
        except http.client.HTTPException:
            return True, None, "it answered, but not in HTTP"
        except TimeoutError:
            reached = reached or _connects(address, port)
        except OSError:
            time.sleep(0.1)
        else:
            failed = status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
            return not failed, status, f"it answered with HTTP {status}" if failed else ""
    if not reached:
        return None, None, "its address cannot be reached from here (is the daemon elsewhere?)"
    words = _last_words(container)
    return False, None, f"no answer on port {port} within {seconds:.0f} s: {words}"


def _status(address: str, port: int, seconds: float) -> int:
    connection = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


def _connects(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=1)
    try:
        connection.connect()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    connection.close()
    return True


def _last_words(container: Container) -> str:
    return log(container, 5) or "it printed nothing"


def _starts(daemon: Daemon, image: str, shell: str) -> bool:
    """Return whether a shell can be started in an image, in a container without any network."""
    ended = daemon.run(
        image,
        10,
        entrypoint=[shell],
        command=["-c", f"exit {_PROOF}"],
        network_mode="none",
        **LOCKED,
    )
    return ended.status == _PROOF
