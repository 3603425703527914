"""Who made something that a killed process leaves behind, and whether that process still runs."""

import hashlib
import os
import socket

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


def _machine() -> str:
    # A host name may be too long for the path of a socket.
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
