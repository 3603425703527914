"""Progress: lines in a notebook while it lasts, none left at the end; bars on a terminal only."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from helpers import paths, progress

LINES = """
import threading
from helpers.progress import bar
together = threading.Barrier(4)
def work(position):
    with bar(f"image {position}", 3, position) as shown:
        shown.update()
        shown.set_description_str(f"image {position}: scan")
        together.wait()
threads = [threading.Thread(target=work, args=(position,)) for position in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def run(*cells: str) -> tuple[list[nbformat.NotebookNode], list[str]]:
    """Run cells; return them as they are left, and every text that was shown on the way."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    texts: list[str] = []

    class Client(NotebookClient):
        def process_message(self, msg, cell, cell_index):  # type: ignore[no-untyped-def]
            if msg["msg_type"] in ("display_data", "update_display_data"):
                texts.append(msg["content"]["data"]["text/plain"])
            return super().process_message(msg, cell, cell_index)

    Client(book, kernel_name="python3").execute()
    return book.cells, texts


def test_a_notebook_shows_lines_while_it_lasts_and_keeps_none() -> None:
    cells, texts = run(LINES, "1 + 1")
    assert any("image 3: scan" in text and "1/3" in text for text in texts)
    assert max(text.count("\n") for text in texts) == 3, "one line each"
    assert cells[0].outputs == []
    assert cells[1].outputs[0]["data"]["text/plain"] == "2"


def test_without_a_terminal_nothing_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.bar("image", 3) as bar:
        bar.update()
    assert capfd.readouterr() == ("", "")


def test_a_capture_in_a_notebook_shows_what_it_does_and_leaves_a_clean_copy(
    data: Path, db: Path, tmp_path: Path, monkeypatch, trivy_on_path: None
) -> None:
    slow = tmp_path / "bin/trivy"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\nPATH="{os.environ["PATH"]}"\nsleep 0.3\nexec trivy "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)
    book = nbformat.read(paths.NOTEBOOKS / "01-build-and-scan.ipynb", as_version=4)
    sources = [cell.source for cell in book.cells if cell.cell_type == "code"][:3]
    parameters = f"study, source, db = 'blog-2022', 'live', {str(db)!r}"
    cells, texts = run(sources[0], parameters, *sources[1:])
    assert any("nodejs-alpine: scan, read, start" in text for text in texts)
    assert all(cell.outputs == [] for cell in cells)
