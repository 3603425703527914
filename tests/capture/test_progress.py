"""Progress: lines in a notebook while it lasts, nothing left of them, bars on a terminal only."""

import os
import stat
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from helpers import paths
from helpers.capture import progress

LINES = """
import threading
from helpers.capture.progress import bar
all_there = threading.Barrier(4)
def work(place):
    with bar(f"image {place}", 3, place) as shown:
        shown.update()
        shown.set_description_str(f"image {place}: scan")
        all_there.wait()
together = [threading.Thread(target=work, args=(place,)) for place in range(4)]
for one in together:
    one.start()
for one in together:
    one.join()
"""


def run(*cells: str) -> tuple[list[nbformat.NotebookNode], list[str]]:
    """The cells as they are left, and every text that was shown on the way."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    seen: list[str] = []

    class Client(NotebookClient):
        def process_message(self, msg, cell, cell_index):  # type: ignore[no-untyped-def]
            if msg["msg_type"] in ("display_data", "update_display_data"):
                seen.append(msg["content"]["data"]["text/plain"])
            return super().process_message(msg, cell, cell_index)

    Client(book, kernel_name="python3").execute()
    return book.cells, seen


def test_a_notebook_shows_lines_while_it_lasts_and_keeps_none() -> None:
    cells, seen = run(LINES, "1 + 1")
    assert any("image 3: scan" in text and "1/3" in text for text in seen)
    assert max(text.count("\n") for text in seen) == 3, "one line each"
    assert cells[0].outputs == []
    assert cells[1].outputs[0]["data"]["text/plain"] == "2"


def test_no_terminal_sees_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.bar("image", 3) as shown:
        shown.update()
    assert capfd.readouterr() == ("", "")


def test_a_capture_in_a_notebook_shows_what_it_does_and_leaves_a_clean_copy(
    data: Path, shared: Path, tmp_path: Path, monkeypatch, trivy_on_path: None
) -> None:
    slow = tmp_path / "bin/trivy"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\nPATH="{os.environ["PATH"]}"\nsleep 1\nexec trivy "$@"\n')
    slow.chmod(slow.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)
    book = nbformat.read(paths.NOTEBOOKS / "01-build-and-scan.ipynb", as_version=4)
    sources = [cell.source for cell in book.cells if cell.cell_type == "code"][:3]
    given = f"study, source, db = 'blog-2022', 'live', {str(shared / 'vulndb')!r}"
    cells, seen = run(sources[0], given, *sources[1:])
    assert any("nodejs-alpine: scan, take apart, start" in text for text in seen)
    assert all(cell.outputs == [] for cell in cells)
