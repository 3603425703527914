"""One Chromium and one JupyterLab for all tests of browsers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import unless_live
from tests.support import browser, hostile, jupyter_lab
from tests.support.jupyter_lab import Lab


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Chromium; of these tests alone, for no other loop may run beside it."""
    if not browser.installed():
        unless_live("there is no Chromium (CHROMIUM names one)")
    with browser.launched() as launched:
        yield launched


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory, hostile_run: Path) -> Iterator[Lab]:
    """A JupyterLab with a hostile study, its executed notebooks, and others to explore."""
    with jupyter_lab.started(tmp_path_factory.mktemp("lab")) as lab:
        hostile.spoil(lab.data)
        for executed in (hostile_run / "notebooks").glob("*.ipynb"):
            shutil.copy(executed, lab.notebooks / f"hostile-{executed.name}")
        jupyter_lab.with_parameters(lab, "explore-ko", language="ko")
        jupyter_lab.with_parameters(lab, "explore-hostile", study="rebuilt-2026")
        yield lab
