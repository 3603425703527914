"""Whose something is that a process leaves behind if it is killed: this machine's and its own."""

import hashlib
import os
import socket

import psutil


def own() -> str:
    """Return what names this process: its id and its machine. A file may have it in its name."""
    return f"{os.getpid()}@{_machine()}"


def runs(owner: str) -> bool:
    """Return whether a process runs that is named so; one of another machine is taken to.

    Containers are machines of their own: the processes of one are not seen from another.
    """
    pid, _, machine = owner.partition("@")
    return machine != _machine() or not pid.isdecimal() or psutil.pid_exists(int(pid))


def _machine() -> str:
    # Its name may be long, and the path of a socket must not be.
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
