"""A real JupyterLab, as `make lab` starts it, on a copy of the notebooks and studies."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
from playwright.sync_api import Page

from helpers import paths
from tests.support import ports


class Lab(NamedTuple):
    """Where it answers, and the folders of its notebooks and data."""

    address: str
    notebooks: Path
    data: Path


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Lab]:
    """A JupyterLab in a folder, for as long as the block runs."""
    data, notebooks = folder / "data", folder / "notebooks"
    shutil.copytree(paths.ROOT / "data/studies", data / "studies")
    notebooks.mkdir()
    for path in paths.NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(path, notebooks)
    told = subprocess.run(
        # Within `make test` it would say in which folder it is.
        ["make", "--no-print-directory", "-n", "lab"],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    options = "--allow-root --no-browser --ServerApp.ip=127.0.0.1 --IdentityProvider.token="
    command = told[told.index("JUPYTER_CONFIG_PATH") :].strip()
    command = command.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    command = command.replace("--notebook-dir notebooks", f"--notebook-dir {notebooks}")
    home = {"HOME": str(folder), "IPYTHONDIR": str(folder), "KIT_DATA": str(data)}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            f"exec env {command} {options} --port 0",
            shell=True,
            cwd=paths.ROOT,
            env={**os.environ, **home},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{ports.of(server, folder / 'log')}"
        _wait(f"{address}/api", server, folder / "log")
        yield Lab(address, notebooks, data)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


def with_parameters(lab: Lab, name: str, **values: str) -> None:
    """Write a copy of the explore notebook with other parameters."""
    book = nbformat.read(lab.notebooks / "explore.ipynb", as_version=4)
    (cell,) = (cell for cell in book.cells if "parameters" in cell.metadata.get("tags", []))
    lines = cell.source.splitlines()
    for place, line in enumerate(lines):
        parameter = line.partition(":")[0]
        if parameter in values:
            lines[place] = f"{parameter}: str = {values[parameter]!r}"
    cell.source = "\n".join(lines)
    nbformat.write(book, lab.notebooks / f"{name}.ipynb")


def run_all(page: Page) -> None:
    """Run all cells of the notebook that is open, from the menu."""
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.get_by_text("| Idle").or_(page.get_by_text("| Unknown")).first.wait_for(timeout=60_000)
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
    page.locator("#jp-mainmenu-run").get_by_text("Run All Cells", exact=True).click()


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(address):
            return
        assert server.poll() is None, f"JupyterLab ended: {log.read_text()[-2000:]}"
        time.sleep(0.1)
    raise AssertionError("JupyterLab does not answer")
