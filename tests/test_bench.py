"""The benchmark itself, on a tenth of its input and with room for a noisy machine."""

import json
from pathlib import Path

import pytest

from helpers.load import load_reports
from tests import bench


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
    alone, decoding, table = bench.loader_speed(report)
    assert decoding.figure > 1.5
    assert alone.figure > 4
    assert table.figure > 6


def test_a_report_costs_the_same_among_many(tmp_path: Path) -> None:
    assert bench.growth(tmp_path, few=50, many=200).figure < 2


def test_a_missed_target_is_called_missed() -> None:
    assert bench.ratio("x", 14.9, 15).met is False
    assert bench.ratio("x", 15.0, 15).met is True
