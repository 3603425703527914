"""A capture on its way to its place, beside others."""

import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from helpers import paths
from helpers.capture import evidence, prune, record_exploitation
from helpers.capture.session import capture
from helpers.scanning import scan_input
from helpers.studies.load import load_study
from helpers.studies.study import open_study
from tests.conftest import Write, finding, trivy
from tests.support import image_archives as images
from tests.support.studies import write_study


@pytest.fixture
def mine(empty_data: Path, write: Write) -> str:
    """A study of a report."""
    return write_study(empty_data, app=f'report = "{write(trivy(finding()))}"')


def test_a_name_that_another_capture_took_meanwhile_is_numbered(
    mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = record_exploitation.keep

    def taken(*arguments: object) -> None:
        (paths.capture(mine, "2026-11") / "theirs").mkdir(parents=True, exist_ok=True)
        keep(*arguments)

    monkeypatch.setattr(record_exploitation, "keep", taken)
    assert capture(mine, "2026-11").folder.name == "2026-11.002"
    assert load_study(mine).images["capture"].tolist() == ["2026-11.002"]
    assert [path.name for path in paths.capture(mine, "2026-11").iterdir()] == ["theirs"]


def test_the_name_of_a_capture_that_is_being_removed_is_not_free(
    mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the new one went with the list, of which the old one's folder is removed already."""
    keep = record_exploitation.keep

    def pruned(*arguments: object) -> None:
        (paths.study(mine) / paths.GOING).write_text("2026-11\n")
        keep(*arguments)

    monkeypatch.setattr(record_exploitation, "keep", pruned)
    made = capture(mine, "2026-11").folder
    prune.finish(paths.study(mine))
    assert open_study(mine).captures() == [made.name] == ["2026-11.002"]


def test_a_thread_that_goes_on_after_a_stop_makes_no_folder_anew(
    mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture(mine)
    is_complete, threads = evidence.is_complete, list[threading.Thread]()

    def stopped(*arguments: Any) -> bool:
        threads.append(threading.current_thread())
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        while [*paths.study(mine).glob(".*")]:
            time.sleep(0.01)
        return is_complete(*arguments)

    monkeypatch.setattr(evidence, "is_complete", stopped)
    with pytest.raises(KeyboardInterrupt):
        capture(mine)
    for thread in threads:
        thread.join()
    assert [*paths.study(mine).glob(".*")] == []


def test_nor_does_one_that_makes_an_archive_readable(tmp_path: Path) -> None:
    layout = images.Layout()
    image = layout.image(images.tar(images.file("etc/os-release", b"ID=alpine\n")))
    archive = layout.folder(tmp_path / "layout", image)
    with pytest.raises(FileNotFoundError):
        scan_input.archive(archive, tmp_path / "staged" / "scratch")
    assert not (tmp_path / "staged").exists()


def test_a_stop_ends_what_the_capture_has_started_and_nothing_else(
    mine: str, check_stop: Callable[..., None]
) -> None:
    capture(mine)
    check_stop(partial(capture, mine), evidence, "is_complete")
