"""What appears whole or not at all, and what a killed process left of it."""

import contextlib
import os
import signal
import sys
import threading
import time
import uuid
from pathlib import Path

from helpers import processes, whole
from tests.support import killed

GONE = 4194305
"""A number that no process has."""


def test_what_a_killed_process_left_goes_with_the_next_file(tmp_path: Path) -> None:
    own = processes.this_process()
    gone = own.replace(f"{os.getpid()}@", f"{GONE}@")
    for name in (f".a[1].{gone}.part", f".a.{own}.part", ".a.part", ".a.1@abcdef01.part"):
        (tmp_path / name).touch()
    for name in (f".b.{gone}.part", f"kit-run.{gone}.x", f"gate-{gone.replace('@', '-')}"):
        (tmp_path / name / "in").mkdir(parents=True)
    whole.write(tmp_path / "a[1]", b"whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a[1]", f".a.{own}.part", ".a.part", ".a.1@abcdef01.part"}
    whole.clear_up(tmp_path, is_alone=True)
    assert {path.name for path in tmp_path.iterdir()} == {"a[1]", ".a.part"}


def test_a_lock_keeps_others_out_until_its_process_lets_go(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / ".lock"):
        with whole.alone(place) as first, whole.alone(place, wait=False) as second:
            assert (first, second) == (True, False)
        with whole.alone(place, wait=False) as third:
            assert third


def test_a_folder_that_threads_still_write_to_is_discarded_whole(tmp_path: Path) -> None:
    folder = tmp_path / ".capture.part"

    def write(is_over: threading.Event) -> None:
        with contextlib.suppress(FileNotFoundError):
            while not is_over.is_set():
                (folder / "one" / uuid.uuid4().hex).touch()

    for _ in range(20):
        (folder / "one").mkdir(parents=True)
        is_over = threading.Event()
        threads = [threading.Thread(target=write, args=(is_over,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        while not any((folder / "one").iterdir()):
            pass
        whole.discard(folder)
        time.sleep(0.001)
        is_over.set()
        for thread in threads:
            thread.join()
        assert [*tmp_path.iterdir()] == []
    whole.discard(folder)


def work() -> None:
    """Replace a file and a folder, as a process that is killed."""
    replace(Path(sys.argv[1]), "new")


def replace(folder: Path, text: str) -> None:
    with whole.alone(folder):
        whole.clear_up(folder)
        whole.write(folder / "file", text.encode())
        with whole.new_folder(folder / "place") as staged:
            for name in "ab":
                (staged / name).write_text(text)
            whole.move(staged, folder / "place")


def there(folder: Path) -> list[set[str]]:
    """What the file and the folder hold; nothing else is there."""
    assert {path.name for path in folder.iterdir()} == {"file", "place"}
    texts = {(folder / "place" / name).read_text() for name in "ab"}
    return [{(folder / "file").read_text()}, texts]


def test_killed_at_any_moment_what_is_there_is_old_or_new(tmp_path: Path) -> None:
    call, seen = "tests.test_whole:work", []
    replace(tmp_path, "old")
    for at in range(1, killed.changes(tmp_path, call=call) + 1):
        replace(tmp_path, "old")
        assert killed.run(at, tmp_path, call=call).returncode == -signal.SIGKILL
        whole.clear_up(tmp_path)
        seen.append(there(tmp_path))
        replace(tmp_path, "new")
        assert there(tmp_path) == [{"new"}, {"new"}]
    assert seen[0] == [{"old"}, {"old"}]
    assert [{"new"}, {"old"}] in seen
    assert seen[-1] == [{"new"}, {"new"}]
    assert all(len(texts) == 1 for state in seen for texts in state)
