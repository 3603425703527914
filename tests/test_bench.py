"""The benchmark itself, on a tenth of its input and with room for a noisy machine."""

import json
import shlex
import time
from pathlib import Path

import pytest

from helpers import paths
from helpers.studies.load import load_reports
from helpers.studies.study import Recipe
from tests.support import bench
from tests.support.package_lists import REPOSITORY, folder


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


def test_the_loader_is_faster_than_decoding_alone_and_far_faster_than_pandas(report: Path) -> None:
    # A machine that others use makes one measurement worse than another; a slow loader makes all.
    seen: list[list[float]] = []
    for _ in range(4):
        seen.append([each.figure for each in bench.loader_speed(report)])
        alone, decoding, table = map(max, zip(*seen, strict=True))
        if decoding > 1.5 and alone > 4 and table > 6:
            return
    pytest.fail(f"alone, decoding, table: {seen}")


def test_a_report_costs_the_same_among_many(tmp_path: Path) -> None:
    seen: list[float] = []
    while len(seen) < 4 and min(seen, default=2) >= 2:
        seen.append(bench.growth(tmp_path, few=50, many=200).figure)
    assert min(seen) < 2, seen


def test_a_missed_target_is_called_missed() -> None:
    assert bench.ratio("x", 14.9, 15).met is False
    assert bench.ratio("x", 15.0, 15).met is True


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
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = bench.inventory_speed(tmp_path)
    assert missing.what.endswith("not measured, syft is not on the PATH")
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/where.sock")
    monkeypatch.setenv("KIT_SHARED", str(tmp_path))
    [without_db] = bench.capture_speed(tmp_path)
    assert "KIT_SHARED names no folder with vulndb/" in without_db.what
    (tmp_path / "vulndb/db").mkdir(parents=True)
    [without_daemon] = bench.capture_speed(tmp_path)
    assert "no Docker daemon answers at unix:///no/where.sock" in without_daemon.what
    assert all(m.met and not m.target for m in (missing, without_db, without_daemon))


def test_a_fleet_is_measured_against_its_tags_one_by_one(
    tmp_path: Path, shared: Path, trivy_on_path: None
) -> None:
    folder(shared)
    captured, again = bench.fleet_speed(tmp_path, "--repo", REPOSITORY, one_in=5)
    assert "10 tags, 3 scans" in captured.what
    # Of so few scans the time is that of starting programs, so no target can be held here.
    assert captured.figure > 0
    assert again.figure > 0
