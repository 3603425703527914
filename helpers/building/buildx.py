"""Builds with BuildKit through `docker buildx`: the only module that starts it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from helpers import processes

INSTALL = (
    "Install it (Debian: sudo apt install docker-cli docker-buildx; from Docker's packages: "
    "docker-buildx-plugin)"
)

_KEPT = (
    *("PATH", "HOME", "SSH_AUTH_SOCK"),
    *("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
"""What of the environment says where the daemon and the registries are; the rest is not passed."""

_SECONDS = 30
"""Time that buildx has to say its version."""


def version() -> str:
    """Return the version of the plugin; empty if it is not installed."""
    executable = shutil.which("docker")
    if not executable:
        return ""
    try:
        done = subprocess.run(
            [executable, "buildx", "version"],
            env=_environment("", Path(tempfile.gettempdir())),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = done.stdout.split()
    return words[1].removeprefix("v") if done.returncode == 0 and len(words) > 1 else ""


def build(arguments: list[str], socket: str, scratch: Path) -> Iterator[str]:
    """Run `docker buildx build` on a daemon's own builder; yield the lines of its output.

    It is killed if the caller, or this process, is stopped; the daemon then ends the build.
    `scratch` is a folder for its own files.
    """
    executable = shutil.which("docker")
    assert executable is not None, "version() is asked first"
    # The builder "default" is the daemon's; an attestation would give each build another id.
    command = [executable, "buildx", "build", "--builder", "default", "--progress", "plain"]
    command += ["--load", "--provenance=false", "--sbom=false", *arguments]
    with psutil.Popen(
        command,
        env=_environment(socket, scratch / "buildx"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            for line in process.stdout:
                yield line.decode(errors="replace").rstrip("\n")
            process.wait()
        finally:
            if process.poll() is None:
                # `docker` starts its plugin as a child.
                processes.kill(process)


def _environment(socket: str, settings: Path) -> dict[str, str]:
    """Return where daemon and registries are, without the user's settings of builders."""
    kept = {name: os.environ[name] for name in _KEPT if os.environ.get(name)}
    return {"DOCKER_HOST": socket, **kept, "BUILDX_CONFIG": str(settings)}
