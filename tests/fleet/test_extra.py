"""Without Dask everything but fleets works, and fleets say what to install."""

import subprocess
import sys

import pytest

from helpers import paths

_WITHOUT = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("dask", "distributed", "fsspec", "pyarrow", "bokeh"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""

_IMPORTS = """
import pkgutil, importlib, helpers, sys
for module in pkgutil.walk_packages(helpers.__path__, "helpers."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
assert not {"dask", "distributed", "fsspec"} & set(sys.modules)
"""


def _python(code: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=paths.ROOT)


@pytest.mark.slow
def test_no_module_needs_or_imports_dask() -> None:
    for before in ("", _WITHOUT):
        done = _python(before + _IMPORTS)
        assert done.returncode == 0, done.stderr


def test_fleets_say_what_to_install() -> None:
    done = _python(f"{_WITHOUT}\nfrom helpers.fleet import cluster\nwith cluster.open(): pass")
    assert "make fleet" in done.stderr.splitlines()[-1]
