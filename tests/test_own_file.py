"""Files of the kit's own: what is wrong with one is said with its name."""

import contextlib
import os
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from helpers import own_file, processes
from helpers.errors import FileInvalid


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "invalid content: Input data was truncated"),
        (b'{"a": 1', "invalid content: Input data was truncated"),
        (b'{"a": "\xff"}', "invalid content"),
        (b'{"a":' * 10**5, "nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "invalid content"),
        (b"[1]", "Expected `object`"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(FileInvalid, match=rf"x\.json: .*{problem}.*\. Make it anew$"):
        own_file.read(path, dict[str, Any], FileInvalid, "Make it anew")


def test_what_a_killed_process_left_of_a_file_goes_with_the_next(tmp_path: Path) -> None:
    machine = processes.this_process().partition("@")[2]
    for name in ("gate[1].md", "gate1.md"):
        (tmp_path / f".{name}.4194305@{machine}.part").touch()
    own_file.write(tmp_path / "gate[1].md", b"whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"gate[1].md", f".gate1.md.4194305@{machine}.part"}


def test_no_file_is_none_and_what_is_none_is_not_waited_for(tmp_path: Path) -> None:
    assert own_file.read(tmp_path / "x" / "y", dict, FileInvalid, "") is None
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileInvalid, match="pipe: not a file"):
        own_file.read(tmp_path / "pipe", dict, FileInvalid, "")


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
        own_file.discard(folder)
        time.sleep(0.001)
        is_over.set()
        for thread in threads:
            thread.join()
        assert [*tmp_path.iterdir()] == []
    own_file.discard(folder)


def test_a_large_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_file, "MAX_BYTES", 3)
    (tmp_path / "x").write_text("[12]")
    with pytest.raises(FileInvalid, match="more than 3 bytes"):
        own_file.read(tmp_path / "x", list, FileInvalid, "")


def test_what_an_error_quotes_of_a_file_is_one_short_line_that_is_seen() -> None:
    error = FileInvalid("a\x1b.json", "odd \ud800\n\u202e" + "x" * 10**6, "Make it anew")
    assert str(error).startswith(r"a\x1b.json: odd \ud800\n\u202exxx")
    assert len(str(error)) < 1100
    assert str(error).endswith("x…. Make it anew")
