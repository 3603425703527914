"""Origins of images: what is named, and how several stand side by side."""

import json
from pathlib import Path

import pytest

from helpers.errors import ReportInvalid, StudyInvalid
from helpers.studies import origin
from tests.conftest import Write, finding, trivy


def test_a_study_its_capture_and_a_report_are_told_apart(write: Write) -> None:
    newest = origin.named("blog-2022")
    assert (newest.study, newest.capture) == ("blog-2022", "2026-11")
    assert origin.named("blog-2022/2022-02").capture == "2022-02"
    report = origin.named(write(json.dumps(trivy(finding(1))).encode(), "mine.json"))
    assert (report.study, report.capture) == ("", "")
    assert report.frames.images["variant"].tolist() == ["mine"]
    assert report.layers.empty
    assert report.files.empty
    for wrong in ("blog-2023", "blog-2022/2021", "../blog-2022"):
        with pytest.raises(StudyInvalid):
            origin.named(wrong)
    with pytest.raises(ReportInvalid, match=r"^no-such\.json: cannot be read"):
        origin.named("no-such.json")


def test_names_of_own_reports() -> None:
    assert origin.variant_name("=cmd|'/C calc'!A0<script>.json") == "C-calc-A0-script"
    assert origin.variant_name("내 이미지.json") == "내-이미지"
    assert origin.variant_name("<>") == "report"
    assert len(origin.variant_name("a" * 500)) < 60
    with pytest.raises(ReportInvalid, match=r"^mine\.json: cannot be read"):
        origin.of_report("mine.json", Path("/no/such/file"))


def test_images_of_one_name_are_told_apart(write: Write) -> None:
    report = write(json.dumps(trivy(finding(1))).encode(), "node-24-alpine.json")
    origins = [*map(origin.named, ("matched-2026", "rebuilt-2026", report, report))]
    second, *reports = origin.names(origins)[1:]
    assert second["node-24-alpine"] == "rebuilt-2026-node-24-alpine"
    assert second["node-24-debian"] == "node-24-debian"
    assert [[*names.values()] for names in reports] == [["node-24-alpine.1"], ["node-24-alpine.2"]]
    joined = origin.joined(origins, lambda one: one.frames.images, "together")
    assert not joined["variant"].duplicated().any()
    assert set(joined["capture"]) == {"together"}
