"""The benchmark itself: what it reads, and how it counts."""

import json
import time
from pathlib import Path

import pytest

from helpers.studies.load import load_reports
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
