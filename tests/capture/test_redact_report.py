"""Reports as a capture keeps them: without the values of environment variables."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.capture.redact_report import keep, report
from helpers.errors import ReportInvalid
from helpers.scans import grype, summary
from tests.conftest import Write, finding, trivy
from tests.scans.test_grype import DESCRIPTOR, TARGET, match, report_of


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=30))
def test_no_value_is_left_in_a_report(value: str) -> None:
    secret = f"#{value}#"
    redacted = report(
        {
            "ArtifactName": "app",
            "Metadata": {
                "ImageConfig": {
                    "config": {
                        "Env": [f"TOKEN={secret}", "PATH=/bin"],
                        "Cmd": ["npm", f"--t={secret}"],
                        "Labels": {"token": secret},
                        "OnBuild": [f"ENV OTHER={secret}-2"],
                    },
                    "container_config": {"Env": [f"TOKEN={secret}"]},
                    "history": [{"created_by": f"/bin/sh -c #(nop)  ENV TOKEN={secret}"}],
                }
            },
            "Results": [
                {"Packages": [{"Layer": {"CreatedBy": f"ENV TOKEN={secret}"}}]},
                {
                    "Misconfigurations": [
                        {"ID": "DS-31", "CauseMetadata": {"Code": {"Lines": [{"Content": secret}]}}}
                    ],
                    "Secrets": [{"RuleID": "x", "Code": {"Lines": [secret]}, "Match": secret}],
                    "ExperimentalModifiedFindings": [
                        {
                            "Type": "secret",
                            "Finding": {"Code": {"Lines": [secret]}, "Match": secret},
                        },
                        {"Type": "vulnerability", "Source": "a.json", "Finding": finding(1)},
                    ],
                },
            ],
        }
    )
    assert secret not in json.dumps(redacted, ensure_ascii=False)
    assert redacted["Metadata"]["ImageConfig"]["config"]["Env"] == ["TOKEN", "PATH"]
    assert redacted["ArtifactName"] == "app"
    assert redacted["Results"][1]["Misconfigurations"][0]["ID"] == "DS-31"
    assert redacted["Results"][1]["ExperimentalModifiedFindings"][1]["Finding"] == finding(1)
    assert "TOKEN" in redacted["Results"][0]["Packages"][0]["Layer"]["CreatedBy"]


def test_a_grype_report_keeps_its_matches_and_loses_configurations() -> None:
    target = {
        **TARGET,
        "config": "aHVudGVyMg==",
        "manifest": "aHVudGVyMg==",
        "labels": {"token": "hunter2"},
        "tags": ["app:hunter2"],
    }
    raw = report_of(
        match(),
        source={"type": "image", "target": target},
        descriptor={**DESCRIPTOR, "configuration": {"registry": {"auth": "hunter2"}}},
    )
    redacted = report(raw, ["hunter2"])
    assert "hunter2" not in json.dumps(redacted)
    assert "aHVudGVyMg" not in json.dumps(redacted)
    assert redacted["source"]["target"]["labels"] == {"token": "…"}
    assert redacted["matches"] == raw["matches"]
    before, after = (grype.parse(json.dumps(text).encode(), "any") for text in (raw, redacted))
    assert before == after


@pytest.mark.parametrize("odd", [None, 3, [], "x", {"target": 3}, {"target": [{"config": 1}]}])
def test_a_report_of_any_shape_comes_through(odd: Any) -> None:
    assert report({"matches": odd, "descriptor": odd, "source": odd})["matches"] == odd
    assert report({"matches": [], "descriptor": {}}) == {"matches": [], "descriptor": {}}
    for trivys in (odd, {"Metadata": odd}, {"Metadata": {"ImageConfig": {"config": odd}}}):
        assert report(trivys) == trivys


def test_many_values_and_a_long_history_are_refused_at_once(tmp_path: Path) -> None:
    config = {"Env": [f"V{n}=value-{n:09}" for n in range(30_000)]}
    raw = tmp_path / "raw.json"
    history = [{"created_by": "x" * 100}] * 30_000
    image = {"config": config, "history": history}
    raw.write_text(json.dumps({"SchemaVersion": 2, "Metadata": {"ImageConfig": image}}))
    with pytest.raises(ReportInvalid, match="more than 4,294,967,296 letters"):
        keep(raw, tmp_path)
    assert [*tmp_path.iterdir()] == [raw]


@pytest.mark.parametrize(
    "odd",
    [b"1e999", b"-1e999", b"1" + b"0" * 400, b"9" * 5000, b"1e-999", b"-0", b'"\xe9"'],
)
def test_what_the_loader_passes_over_does_not_spoil_what_is_kept(
    write: Write, tmp_path: Path, odd: bytes
) -> None:
    given = write(
        json.dumps(trivy(finding())).encode().replace(b'{"Sch', b'{"x":' + odd + b',"Sch')
    )
    assert summary.row(given)["findings"] == 1
    keep(given, tmp_path)
    kept = tmp_path / "trivy.json.gz"
    assert summary.row(kept) == {**summary.row(given), "file": str(kept)}


def test_a_report_that_is_nested_too_deep_is_not_kept(write: Write, tmp_path: Path) -> None:
    deep = b'{"x":' + b"[" * 900 + b"]" * 900
    given = write(json.dumps(trivy()).encode().replace(b'{"Sch', deep + b',"Sch'))
    with pytest.raises(ReportInvalid, match=r"report.json: nested too deep"):
        keep(given, tmp_path)
    assert [*tmp_path.iterdir()] == [given]
