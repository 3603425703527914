"""Runs commands of the kit that are killed at a moment: when they are about to change a file."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

_CODE = """
import atexit, os, signal, sys
from helpers.cli import main
count, at = 0, int(sys.argv.pop(1))
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "shutil.rmtree"}
def hook(event, args):
    global count
    written = event == "open" and isinstance(args[1], str) and args[1][:1] in "wxa"
    if event in CHANGES or written:
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
atexit.register(lambda: print(f"changes: {count}", file=sys.stderr))
main()
"""


def run(at: int, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a command that is killed at its change of that number, if it makes so many."""
    words = [sys.executable, "-c", _CODE, str(at), *map(str, command)]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ)


def changes(*command: object) -> int:
    """Run a command to its end; return how many changes it makes."""
    done = run(0, *command)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.rpartition("changes: ")[2])


def moments(*command: object, step: int = 1, first: int = 1) -> Iterator[int]:
    """Run a command again and again, killed at its first change, at a later one, and so on.

    Yields the moment each time that it was killed, and ends when it comes to its end. A run begins
    with what the run before it left.
    """
    at = first
    while True:
        done = run(at, *command)
        if done.returncode != -signal.SIGKILL:
            assert done.returncode == 0, done.stderr
            return
        yield at
        at += step
