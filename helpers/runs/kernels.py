"""The kernels of a run: each a process of its own, forked from one that imports the kit once."""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Lock
from typing import Any
from uuid import uuid4

import psutil
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from helpers import processes

_LAUNCHER = "ipykernel_launcher"

_INLINE = "module://matplotlib_inline.backend_inline"

_IMPORTED = (
    *("helpers.notebook.comparison", "helpers.charts.figure", "itables"),
    *("ipykernel.kernelapp", "ipykernel.debugger"),
)
"""What most notebooks import sooner or later, and what each kernel does."""

_SERVE = "import sys; sys.path.remove(''); from helpers.runs import kernels; kernels.serve()"
"""As for any kernel, the folder in which it starts holds no modules."""


class Server:
    """The process that kernels are forked from.

    It is no kernel and runs no cell. What a notebook changes, its kernel changes in its own memory,
    so the next kernel is as new as the first.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._requests = ours.makefile("rwb")
            self._process = psutil.Popen(
                [sys.executable, "-Xfrozen_modules=off", "-c", _SERVE, str(theirs.fileno())],
                # The user's folder may hold a matplotlibrc, a kernel's does not.
                cwd="/",
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Ctrl-C is for the run, which then ends the kernels.
                start_new_session=True,
            )

    def fork(self, arguments: list[str], folder: str, environment: dict[str, str]) -> "Forked":
        """Return a new kernel. Raises `ConnectionError` if the server has ended."""
        request = json.dumps([arguments, folder, environment]).encode() + b"\n"
        with self._lock:
            self._requests.write(request)
            self._requests.flush()
            answer = self._requests.readline()
        if not answer:
            raise ConnectionError("the process that kernels are forked from has ended")
        return Forked(int(answer))

    def close(self) -> None:
        """End the server, and all kernels that still run."""
        with suppress(psutil.NoSuchProcess):
            # It forks no more while its kernels are looked for.
            self._process.suspend()
            processes.kill(self._process)
        self._process.wait()

    @property
    def manager_class(self) -> type[AsyncKernelManager]:
        """Return the class of kernel managers whose kernels this server forks."""
        return type("ForkedKernelManager", (_Manager,), {"server": self})


class Forked(psutil.Process):  # type: ignore[misc]
    """A forked kernel, with what Jupyter asks of a `Popen`; it is no child of this process."""

    stdin = stdout = stderr = None

    def poll(self) -> int | None:
        """Return `None` while the kernel runs, then 0: its exit status is not known.

        One whose server was killed stays a zombie where the first process, as in a container, does
        not wait for orphans: it has ended.
        """
        with suppress(psutil.NoSuchProcess):
            if self.is_running() and self.status() != psutil.STATUS_ZOMBIE:
                return None
        return 0


class _Manager(AsyncKernelManager):
    server: Server

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.kernel_id = str(uuid4())
        self.provisioner = _Provisioner(
            kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
        )


class _Provisioner(LocalProvisioner):
    parent: _Manager

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Fork a kernel of this Python; start any other."""
        if cmd[0] != sys.executable or _LAUNCHER not in cmd:
            return await super().launch_kernel(cmd, **options)
        arguments = cmd[cmd.index(_LAUNCHER) + 1 :]
        self.process = self.parent.server.fork(arguments, options["cwd"], options["env"])
        self.pid = self.pgid = self.process.pid
        return self.connection_info


@contextmanager
def server() -> Iterator[Server | None]:
    """Start a server for as long as the block runs; `None` where kernels cannot be forked.

    macOS can fork, but its own libraries do not survive it.
    """
    if sys.platform != "linux":
        _resolve_classes()
        yield None
        return
    started = Server()
    try:
        _resolve_classes()
        yield started
    finally:
        started.close()


def _resolve_classes() -> None:
    """Make a kernel manager, and nothing of it, before threads make theirs.

    The first instance of a class imports what its traits name. traitlets looks at the name and
    reads it again: where two threads do so, one reads a class there and ends with a `TypeError`.
    """
    _Manager()


def serve() -> None:
    """Import what notebooks import; then fork a kernel for each request, until the run ends.

    A request is a line of JSON: a kernel's arguments, folder and environment. The answer is the
    kernel's process id.
    """
    # Kernels end when this process does; and they show plots of matplotlib, as ipykernel has it.
    os.environ["JPY_PARENT_PID"] = str(os.getpid())
    os.environ["MPLBACKEND"] = os.environ.get("MPLBACKEND") or _INLINE
    for module in _IMPORTED:
        import_module(module)
    signal.signal(signal.SIGCHLD, _reap)
    # The memory of modules stays shared: no kernel looks there for garbage.
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as run, run.makefile("rwb") as requests:
        while request := requests.readline():
            kernel = os.fork()
            if not kernel:
                break
            requests.write(b"%d\n" % kernel)
            requests.flush()
        else:
            return
    _become_kernel(*json.loads(request))


def _become_kernel(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """Be what a process would be that the launcher of ipykernel had started."""
    import numpy as np
    from ipykernel import kernelapp

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(folder)
    os.environ |= {**environment, "JPY_PARENT_PID": str(os.getppid())}
    # Python's own random numbers are seeded anew in each process that is forked; NumPy's are not.
    np.random.seed()
    sys.argv = [_LAUNCHER, *arguments]
    kernelapp.launch_new_instance()


def _reap(*_: object) -> None:
    """Let ended kernels go."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
