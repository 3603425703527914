"""What JupyterLab saves: the kit's notebooks bare, all others as they are."""

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from jupyter_server.services.contents.filemanager import FileContentsManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from traitlets.config import Config

from helpers import paths
from helpers.notebook import bare

SPEC = {
    "kernelspec": {"name": "python3", "display_name": "Python"},
    "language_info": {"name": "python"},
}


@pytest.fixture
def book() -> Any:
    cells = [new_markdown_cell("# Why?"), new_code_cell("1 + 1", metadata={"tags": ["a"]})]
    return new_notebook(cells=cells, metadata=SPEC)


def ran(book: Any) -> Any:
    """A notebook as JupyterLab has it once it ran."""
    book = copy.deepcopy(book)
    cell = book.cells[1]
    cell.outputs = [new_output("stream", text="2")]
    cell.execution_count = 7
    cell.metadata |= {"execution": {"iopub.status.idle": "2026"}, "scrolled": True}
    book.metadata.kernelspec |= {"display_name": "Other", "language": "python"}
    book.metadata.language_info |= {"version": "3.13", "mimetype": "text/x-python"}
    book.metadata.widgets = {"state": {}}
    return book


def saved(folder: Path, name: str, stored: Any, content: Any) -> Any:
    """What is saved of a notebook in place of the one that is stored."""
    nbformat.write(stored, folder / name)
    model = {"type": "notebook", "content": copy.deepcopy(content)}
    manager = SimpleNamespace(root_dir=str(folder))
    bare.before_save(model=model, path=f"/{name}", contents_manager=manager)
    return model["content"]


@pytest.mark.parametrize("path", [*paths.notebooks(), paths.NOTEBOOKS / "explore.ipynb"])
def test_one_of_the_kits_stays_as_it_was(tmp_path: Path, book: Any, path: Path) -> None:
    assert saved(tmp_path, path.name, book, ran(book)) == book


def test_what_the_user_changed_is_saved(tmp_path: Path, book: Any) -> None:
    content = ran(book)
    content.cells[1].source = "2 + 2"
    content.cells[1].metadata.tags = ["b"]
    content.metadata.kernelspec.name = "mine"
    content = saved(tmp_path, "index.ipynb", book, content)
    assert [content.cells[1].source, content.cells[1].metadata] == ["2 + 2", {"tags": ["b"]}]
    assert content.metadata.kernelspec.display_name == "Other"


def test_an_executed_copy_keeps_its_outputs(tmp_path: Path, book: Any) -> None:
    assert saved(tmp_path, "index.ipynb", ran(book), ran(book)) == ran(book)


def test_jupyter_calls_it_where_make_lab_starts_it() -> None:
    config = json.loads((paths.ROOT / ".jupyter/jupyter_server_config.json").read_text())
    manager = FileContentsManager(config=Config(config))
    assert manager.pre_save_hook == bare.before_save
