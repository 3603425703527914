"""Keep the kit's notebooks bare: JupyterLab saves them without outputs."""

from pathlib import Path
from typing import Any

import nbformat

from helpers import paths

_BY_RUNNING = ("collapsed", "execution", "scrolled")
"""Cell metadata about output."""


def before_save(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
    """Strip a notebook before it is saved, if it belongs to the kit and is stored bare.

    Jupyter Server calls it as `pre_save_hook`, which `.jupyter/jupyter_server_config.json` names.
    Other notebooks and executed copies keep their outputs.
    """
    file = Path(contents_manager.root_dir, path.strip("/"))
    is_kits = file.name in {each.name for each in _kits()} and file.is_file()
    if model.get("type") != "notebook" or not is_kits:
        return
    stored = nbformat.read(file, as_version=nbformat.NO_CONVERT)
    if not any(cell.get("outputs") for cell in stored["cells"]):
        strip(model["content"], stored["metadata"])


def strip(notebook: dict[str, Any], stored: dict[str, Any]) -> None:
    """Remove outputs and their metadata from a notebook.

    The descriptions of kernel and language become those of the `stored` metadata, unless the user
    has chosen another kernel or language.
    """
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
        for name in _BY_RUNNING:
            cell["metadata"].pop(name, None)
    metadata = notebook["metadata"]
    metadata.pop("widgets", None)
    for name in ("kernelspec", "language_info"):
        before = stored.get(name, {})
        if before.get("name") == metadata.get(name, {}).get("name"):
            metadata |= {name: before}


def _kits() -> list[Path]:
    return [*paths.notebooks(), paths.NOTEBOOKS / "explore.ipynb", paths.NOTEBOOKS / "index.ipynb"]
