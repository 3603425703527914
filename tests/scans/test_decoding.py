"""The text of JSON files, however it is encoded; other files are refused by their first bytes."""

import gzip
import json
import os
from pathlib import Path

import pytest

from helpers.errors import ReportInvalid
from helpers.scans import decoding
from tests.conftest import Write
from tests.support.image_archives import gzipped

TEXT = '{"name": "é"}'


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.encode("utf-32-le"),
        gzipped(TEXT.encode()),
        gzipped(TEXT.encode("utf-16")),
        b"\n  " + TEXT.encode(),
    ],
)
def test_every_encoding_gives_the_same_json(write: Write, content: bytes) -> None:
    assert json.loads(bytes(decoding.read(write(content)))) == {"name": "é"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"   \n ", "only white space"),
        (b"<html>", "HTML or XML"),
        (b"Total: 48 (UNKNOWN: 0, LOW: 2)", "tables cannot be loaded"),
        (b"\x7fELF\0\0", "binary data"),
        (b"\x1f\x8b\x08\0broken", "gzip"),
        (gzipped(TEXT.encode())[:-9], "cut off"),
        (gzip.compress(bytes(2**26)), "nothing but zeros"),
    ],
)
def test_other_files_are_refused(write: Write, content: bytes, problem: str) -> None:
    path = write(content)
    with pytest.raises(ReportInvalid, match=problem) as caught:
        decoding.read(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_file_over_the_limit_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch, compress
) -> None:
    monkeypatch.setattr(decoding, "MAX_BYTES", 2**20)
    path = write(compress(b'{"a": "' + b"x" * 2**21 + b'"}'))
    with pytest.raises(ReportInvalid, match="more than 1,048,576 bytes"):
        decoding.read(path)


def test_a_gzip_file_that_becomes_much_larger_than_reports_do_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_UNZIPPED", 2**20)
    path = write(gzipped(b"[" + b" " * 2**21 + b"]"))
    with pytest.raises(ReportInvalid, match="gzip of more than"):
        decoding.read(path)
    # As large, but not by repeating itself.
    path = write(gzipped(b'["' + os.urandom(2**20).hex().encode() + b'"]'))
    assert len(decoding.read(path)) == 2**21 + 4


def test_more_values_than_fit_into_memory_are_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_VALUES", 10_000)
    objects = b"[" + b"{}," * 12_000 + b"{}]"
    for content in (objects, gzipped(objects), b"[" + b" " * 100_000 + objects[1:]):
        with pytest.raises(ReportInvalid, match="more than 10,000 JSON values"):
            decoding.read(write(content))
    decoding.read(write(b"[" + b"{}," * 4_000 + b" " * 100_000 + b"{}]"))


def test_a_pipe_has_no_size_and_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, TEXT.encode())
    os.close(writing)
    assert bytes(decoding.read(f"/dev/fd/{reading}")) == TEXT.encode()
    os.close(reading)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReportInvalid, match=r"nope\.json: cannot be read \(No such file"):
        decoding.read("nope.json")
    with pytest.raises(ReportInvalid, match="Is a directory"):
        decoding.read(tmp_path)


def test_two_gigabytes_of_zeros_are_refused_at_once(write: Write) -> None:
    path = write(b"")
    os.truncate(path, 2 * 2**30)
    with pytest.raises(ReportInvalid, match=r"nothing but zeros \(2,147,483,648 bytes\)"):
        decoding.read(path)
