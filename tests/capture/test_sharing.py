"""Captures share what has not changed, and say what they cost."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpers import paths
from helpers.capture import record_exploitation, sharing
from tests.conftest import finding, trivy
from tests.support.command_line import run
from tests.support.studies import write_study


@pytest.fixture
def two(empty_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders of two captures of two reports, one of which has changed."""
    # Records of exploitation say when they were made, to the second: two are seldom one file.
    monkeypatch.setattr(record_exploitation, "_now", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for number, name in enumerate("ab"):
        (tmp_path / f"{name}.json").write_text(json.dumps(trivy(finding(number))))
    sources = {name: f'report = "{tmp_path / name}.json"' for name in "ab"}
    write_study(empty_data, **sources)
    assert run("capture", "mine", "2026-01-01").status == 0
    (tmp_path / "b.json").write_text(json.dumps(trivy(finding(7))))
    return [paths.capture("mine", "2026-01-01"), paths.capture("mine", "2026-01-02")]


def test_what_has_not_changed_is_one_file(two: list[Path]) -> None:
    done = run("capture", "mine", "2026-01-02")
    first, second = two
    assert (first / "a" / paths.REPORT).samefile(second / "a" / paths.REPORT)
    assert not (first / "b" / paths.REPORT).samefile(second / "b" / paths.REPORT)
    new = sum((second / name).stat().st_size for name in ("capture.json", f"b/{paths.REPORT}"))
    assert sharing.freed_bytes([second]) == new
    assert f"2026-01-02 ({new / 1000:,.0f} kB new)" in done.stdout


def test_without_links_it_is_copied(two: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(sharing.os, "link", refuse)
    assert run("capture", "mine", "2026-01-02").status == 0
    files = [folder / "a" / paths.REPORT for folder in two]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert not files[0].samefile(files[1])
    assert not [*two[1].rglob(".*")]


def test_a_copy_that_is_stopped_leaves_no_half_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fleet takes what is there for a whole scan."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"whole")

    def refuse(*_: object) -> None:
        raise OSError("no links here")

    def stop(_: object, place: Path) -> None:
        Path(place).write_bytes(b"wh")
        raise KeyboardInterrupt

    monkeypatch.setattr(sharing.os, "link", refuse)
    with monkeypatch.context() as patch:
        patch.setattr(sharing.shutil, "copy2", stop)
        with pytest.raises(KeyboardInterrupt):
            sharing.link(str(source), str(target))
    assert [*tmp_path.iterdir()] == [source]
    sharing.link(str(source), str(target))
    assert target.read_bytes() == b"whole"


def test_of_a_capture_that_is_pruned_meanwhile_nothing_is_shared(
    two: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    shutil.copytree(first, second)
    compare = sharing.filecmp.cmp

    def pruned(*paths: Path, **options: Any) -> bool:
        shutil.rmtree(first, ignore_errors=True)
        return bool(compare(*paths, **options))

    monkeypatch.setattr(sharing.filecmp, "cmp", pruned)
    before = {path: path.read_bytes() for path in second.rglob("*") if path.is_file()}
    sharing.share(second, first)
    assert {path: path.read_bytes() for path in second.rglob("*") if path.is_file()} == before
