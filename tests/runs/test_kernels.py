"""Kernels: forked from one process, and each as new as if it had been started."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers import paths
from helpers.errors import NotebookFailed
from helpers.runs import kernels, run

pytestmark = pytest.mark.slow

CHANGE = """\
import builtins, os, sys, types
import matplotlib as mpl, pandas as pd
from helpers import frames
from helpers.notebook.display import ShownAnswer
from helpers.text import i18n
mine = 1
os.environ["KIT_DATA"] = "/nowhere"
os.chdir("/")
builtins.mine = 1
sys.modules["mine"] = types.ModuleType("mine")
sys.path.append("/nowhere")
frames.SEVERITIES = ()
ShownAnswer.title = "another"
ShownAnswer._first_searchable = "mine"
i18n.use("ko")
mpl.rcParams["font.size"] = 99
pd.options.display.max_rows = 1
get_ipython().display_formatter.formatters["text/html"].for_type(int, str)
"""

LOOK = """\
import builtins, json, os, sys
import matplotlib as mpl, numpy as np, pandas as pd
from helpers import frames
from helpers.notebook.display import ShownAnswer
from helpers.text import i18n
html = get_ipython().display_formatter.formatters["text/html"]
seen = {
    "variable": "mine" in globals(),
    "last output": repr(_),
    "outputs": len(Out),
    "environment": os.environ.get("KIT_DATA"),
    "folder": os.getcwd(),
    "builtin": hasattr(builtins, "mine"),
    "module": "mine" in sys.modules,
    "path": sys.path,
    "constant of helpers": len(frames.SEVERITIES),
    "method of helpers": str(type(ShownAnswer.title)),
    "library of tables": ShownAnswer._first_searchable,
    "language": i18n.spoken(),
    "look of figures": mpl.rcParams["font.size"],
    "option of pandas": pd.options.display.max_rows,
    "display hook": int in html.type_printers,
    "random": np.random.random(),
}
with open(save_to, "w") as file:
    json.dump([seen, os.getppid()], file)
"""


RESOLVED = """\
import sys, threading
from pathlib import Path
from traitlets.traitlets import ClassBasedTraitType
resolve = ClassBasedTraitType._resolve_string
def noted(trait, name):
    if threading.current_thread() is not threading.main_thread():
        print(name)
    return resolve(trait, name)
ClassBasedTraitType._resolve_string = noted
from helpers.runs import run
run.reproduce("blog-2022", notebooks=[*map(Path, sys.argv[1:])])
"""


def notebook(folder: Path, name: str, *cells: str) -> Path:
    """A notebook of cells, the first with parameters."""
    declared = 'study: str = ""\nsave_to: str = ""'
    parameters = new_code_cell(declared, metadata={"tags": ["parameters"]})
    book = new_notebook(cells=[parameters, *map(new_code_cell, cells)])
    book.metadata = {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}}
    folder.mkdir(exist_ok=True)
    nbformat.write(book, folder / name)
    return folder / name


def executed(
    path: Path, folder: Path, server: kernels.Server | None, to: Path
) -> nbformat.NotebookNode:
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    run.execute_one(path, {"save_to": str(to)}, folder, server=server)
    return nbformat.read(folder / "notebooks" / path.name, as_version=4)


def test_what_takes_long_to_import_is_imported_while_the_server_starts() -> None:
    code = "import sys, helpers.cli, helpers.runs.run; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "matplotlib", "papermill", "nbformat", "nbconvert"} & {*loaded}


def test_what_one_notebook_sets_no_other_sees(tmp_path: Path) -> None:
    changes = notebook(tmp_path, "changes.ipynb", CHANGE, "42", LOOK)
    looks = notebook(tmp_path, "looks.ipynb", LOOK)
    seen, parents = {}, set()
    with kernels.server() as server:
        for when, path in {"before": looks, "meanwhile": changes, "after": looks}.items():
            book = executed(path, tmp_path / "run", server, tmp_path / when)
            counts = [cell.execution_count for cell in book.cells]
            assert counts == list(range(1, len(counts) + 1))
            seen[when], parent = json.loads((tmp_path / when).read_text())
            parents.add(parent)
    assert (parents == {os.getpid()}) == (server is None), "they are forked where that is possible"
    assert len(parents) == 1
    assert len({numbers.pop("random") for numbers in seen.values()}) == 3
    assert seen["after"] == seen["before"]
    same = {what for what in seen["before"] if seen["meanwhile"][what] == seen["before"][what]}
    assert not same, "the first notebook changes all that the others look at"


def test_no_two_threads_resolve_the_class_of_a_trait(data: Path, tmp_path: Path) -> None:
    books = [str(notebook(tmp_path, f"0{number}-x.ipynb", "1")) for number in (1, 2)]
    # Each process resolves them once.
    command = [sys.executable, "-c", RESOLVED, *books]
    ran = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "", "one may read a class where a name was, and fails"


def test_a_plot_is_shown_as_in_any_kernel(tmp_path: Path) -> None:
    path = notebook(tmp_path, "plots.ipynb", "import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    with kernels.server() as server:
        book = executed(path, tmp_path / "run", server, tmp_path)
    [output] = book.cells[-1].outputs
    assert "image/png" in output.data


def test_a_kernel_that_dies_fails_its_own_notebook_alone(data: Path, tmp_path: Path) -> None:
    dies = notebook(tmp_path, "01-dies.ipynb", "import os\nos._exit(1)")
    lives = notebook(tmp_path, "02-lives.ipynb", "2")
    with pytest.raises(NotebookFailed, match="1 of 2 notebooks failed") as caught:
        run.reproduce("blog-2022", notebooks=[dies, lives])
    assert "01-dies.ipynb: the kernel stopped" in str(caught.value)


def test_where_the_process_that_forks_has_ended_a_notebook_fails_at_once(tmp_path: Path) -> None:
    path = notebook(tmp_path, "one.ipynb", "1")
    with kernels.server() as server:
        if not server:
            pytest.skip("kernels are not forked here")
        server.close()
        with pytest.raises(ConnectionError):
            executed(path, tmp_path / "run", server, tmp_path)


def test_a_killed_kernel_that_nobody_waits_for_has_ended() -> None:
    with subprocess.Popen(["sleep", "1000"]) as process:
        kernel = kernels.Forked(process.pid)
        assert kernel.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        # It stays a zombie, as it does where the first process waits for no orphans.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert kernel.poll() == 0
