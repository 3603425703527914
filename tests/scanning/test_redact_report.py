"""Reports as a capture keeps them: without the values of environment variables."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import ReportInvalid
from helpers.scanning.redact_report import keep, report
from helpers.scans import grype
from helpers.scans import reports as scans
from tests.conftest import finding, trivy
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


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    "odd",
    [
        *(b"1e999", b"-1E400", b"NaN", b"Infinity", b"9" * 5000, b"[" * 900 + b"]" * 900, b"01"),
        *(b'{"a":' * 900 + b"1" + b"}" * 900, b'"\xe9"', b'{"\xf0\x9f": 1}', b'"\xed\xa0\x80"'),
        *(b'"\\ud800"', b'"\\q"', b'"a\nb\x01"', b'{"a": 1, "a": [2]}', b"[1,]", b"tru", b"'a'"),
    ],
)
def test_what_is_kept_is_what_every_reader_takes_of_the_report(
    tmp_path: Path, odd: bytes, inside: bool
) -> None:
    """Where `summary` takes a report, a capture does, with the same rows; or both say why not."""
    known = {**finding(1), "Odd": "here"} if inside else finding(1)
    text = json.dumps({**trivy(known), **({} if inside else {"Odd": "here"})})
    raw = tmp_path / "raw.json"
    raw.write_bytes(text.encode().replace(b'"here"', odd))
    try:
        found = scans.read(raw)
    except ReportInvalid as error:
        with pytest.raises(ReportInvalid) as caught:
            keep(raw, tmp_path)
        assert str(caught.value) == str(error)
    else:
        assert keep(raw, tmp_path).results == found.results


@pytest.mark.parametrize("text", ["null", "[]", json.dumps([{"Target": "a (alpine 3.1)"}])])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_old_and_otherwise_encoded_reports_are_kept(
    tmp_path: Path, text: str, encoding: str
) -> None:
    raw = tmp_path / "raw.json"
    raw.write_bytes(text.encode(encoding))
    assert keep(raw, tmp_path) == scans.read(raw)


def test_a_report_that_could_not_be_read_when_kept_is_refused_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpers.scans.decoding.MAX_UNZIPPED", 2**16)
    raw = tmp_path / "raw.json"
    raw.write_text(json.dumps({**trivy(finding(1)), "Odd": "x" * 2**18}))
    with pytest.raises(ReportInvalid, match=r"raw\.json: cannot be stored: gzip of more than"):
        keep(raw, tmp_path)
    assert [*tmp_path.iterdir()] == [raw]
