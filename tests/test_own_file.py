"""Files of the kit's own: what is wrong with one is said with its name."""

import os
from pathlib import Path
from typing import Any

import pytest

from helpers import own_file
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


def test_no_file_is_none_and_what_is_none_is_not_waited_for(tmp_path: Path) -> None:
    assert own_file.read(tmp_path / "x" / "y", dict, FileInvalid, "") is None
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileInvalid, match="pipe: not a file"):
        own_file.read(tmp_path / "pipe", dict, FileInvalid, "")


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
