"""The port that a server of the tests has got from the system."""

import subprocess
import time
from pathlib import Path

import psutil


def of(server: subprocess.Popen[bytes], log: Path) -> int:
    """Return the port that a server listens at, once it does.

    Nobody looks for a free port first: another program may take it before the server does.
    """
    for _ in range(300):
        assert server.poll() is None, f"The server ended: {log.read_text()[-2000:]}"
        for socket in psutil.Process(server.pid).net_connections("tcp"):
            if socket.status == psutil.CONN_LISTEN:
                return int(socket.laddr.port)
        time.sleep(0.1)
    raise AssertionError(f"The server does not listen: {log.read_text()[-2000:]}")
