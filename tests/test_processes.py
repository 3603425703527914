"""Who made what a killed process leaves behind."""

import os
import shutil
import subprocess
import sys

import psutil
import pytest

from helpers import paths, processes

_RUNS = "from helpers import processes; import sys; print(processes.runs(sys.argv[1]))"


def test_this_process_runs_and_a_killed_one_does_not() -> None:
    own = processes.this_process()
    assert processes.runs(own)
    with subprocess.Popen(["true"]) as ended:
        pass
    assert not processes.runs(own.replace(f"{os.getpid()}@", f"{ended.pid}@"))


def test_one_that_has_ended_meanwhile_is_no_error() -> None:
    with subprocess.Popen(["true"]) as child:
        ended = psutil.Process(child.pid)
    processes.kill(ended)


def test_from_a_container_with_the_name_of_this_machine_this_process_may_run() -> None:
    """As with `docker run --network host`: what a living process stages would be removed."""
    inside = ["unshare", "--pid", "--fork", "--mount-proc"]
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], check=False).returncode:
        pytest.skip("no namespaces can be made here")
    command = [*inside, sys.executable, "-c", _RUNS, processes.this_process()]
    assert subprocess.check_output(command, cwd=paths.ROOT, text=True).strip() == "True"
