"""Commands that end at a moment, and run again; `tests.support.kills` does it by chance."""

import shutil
import tempfile
from pathlib import Path

import pytest

from helpers import paths
from tests.support import kills


@pytest.mark.usefixtures("trivy_on_path")
@pytest.mark.parametrize(("name", "fault"), [("capture", "kill"), ("gate", "full")])
def test_what_was_recorded_stays_and_the_next_run_is_right(
    name: str,
    fault: str,
    empty_data: Path,
    tmp_path: Path,
    db: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    case = kills.cases(tmp_path, db)[name]
    for recorded in ("matched-2026", "rebuilt-2026", "rebuilt-python-2026"):
        shutil.rmtree(paths.study(recorded))
    assert kills.end(case, 20, fault)
