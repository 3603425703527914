"""What live tests share."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import paths
from helpers.capture.session import capture
from helpers.containers.daemon import Daemon

Captured = Callable[[str], Path]


@pytest.fixture(scope="session")
def captured(
    daemon: Daemon,
    standins: list[str],
    trivy_on_path: None,
    db: Path,
    cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Captured:
    """Captures a recorded study once; returns the data folder, which has no other capture of it."""
    data = tmp_path_factory.mktemp("captured")
    (data / "cache").symlink_to(cache)

    def captured_once(study: str) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KIT_DATA", str(data))
            folder = paths.study(study)
            if not folder.exists():
                folder.mkdir(parents=True)
                shutil.copy(paths.ROOT / "data/studies" / study / "study.toml", folder)
                outcome = capture(study, db=db, coverage="partial")
                assert outcome == (outcome.folder, {}, {}, False, {}, "", {})
        return data

    return captured_once
