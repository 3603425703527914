"""The benchmark itself: what it reads, and how it counts."""

import json
import shlex
import time
from pathlib import Path

import pytest

from helpers import paths
from helpers.studies.load import load_reports
from helpers.studies.study import Recipe
from tests.support import bench


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "report.json"
    path.write_bytes(bench.large_report(10))
    return path


def test_its_report_is_as_large_as_asked_and_like_a_real_one(report: Path) -> None:
    assert 9_000_000 < report.stat().st_size < 11_000_000
    findings = json.loads(report.read_bytes())["Results"][0]["Vulnerabilities"]
    assert len(load_reports([report]).findings) == len(findings)
    count = len(findings)
    assert 400 < sum(len(found["Description"]) for found in findings) / count < 550
    assert 14 < sum(len(found["References"]) for found in findings) / count < 17


def test_those_who_are_compared_take_turns_at_being_first() -> None:
    turns: list[str] = []
    fast, slow = bench.medians(
        lambda: turns.append("fast"), lambda: (turns.append("slow"), time.sleep(0.01)), times=4
    )
    assert turns == ["fast", "slow", "slow", "fast"] * 2
    assert fast < 0.01 <= slow


def test_the_script_does_what_one_would_type() -> None:
    recipe = Recipe("a b/Dockerfile", "app", {"BASE": "x y"})
    lines = bench.script([recipe, recipe], Path("/db")).splitlines()
    assert len(lines) == 6
    folder = paths.dockerfiles()
    assert shlex.split(lines[0]) == [
        *("docker", "build", "--quiet", "--tag", "bench:0", "--file", f"{folder}/a b/Dockerfile"),
        *("--build-arg=BASE=x y", f"{folder}/app"),
    ]
    assert lines[1] == "docker save --output 0.tar bench:0"
    assert lines[2].startswith("trivy image --cache-dir /db ")
    assert lines[2].endswith(" --output 0.json bench:0")
    assert lines[5].endswith(" bench:1")


def test_what_cannot_be_measured_says_why_and_misses_no_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/where.sock")
    monkeypatch.setattr(bench, "SHARED", tmp_path)
    [without_db] = bench.capture_speed(tmp_path)
    assert "KIT_SHARED names no folder with vulndb/" in without_db.what
    (tmp_path / "vulndb/db").mkdir(parents=True)
    [without_daemon] = bench.capture_speed(tmp_path)
    assert "no Docker daemon answers at unix:///no/where.sock" in without_daemon.what
    assert all(m.met and not m.target for m in (without_db, without_daemon))
