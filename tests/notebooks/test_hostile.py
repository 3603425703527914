"""A damaged report is loaded or refused by name, whatever the damage."""

import json
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from helpers import frames
from helpers.errors import ReportInvalid
from helpers.studies.load import load_reports
from tests.conftest import finding, trivy
from tests.scans.test_grype import match, nvd, report_of

STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "\ud800", "\0", "=1+1"]),
    st.just([]),
    st.just({}),
    st.lists(st.none(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)

WHOLE = trivy(
    finding(
        1,
        FixedVersion="3.0.2",
        Status="fixed",
        PkgIdentifier={"PURL": "pkg:deb/debian/openssl@3.0.1", "UID": "1"},
        Layer={"DiffID": "sha256:1"},
        SeveritySource="nvd",
        VendorSeverity={"nvd": 3},
        CVSS={"nvd": {"V2Score": 5.0, "V3Score": 7.5}},
        PublishedDate="2021-08-03T14:15:08.233Z",
    ),
    finding(2, Severity="LOW"),
    Trivy={"Version": "0.76.0"},
    CreatedAt="2026-11-24T07:42:32.292603555+09:00",
    Metadata={
        "Size": 1000,
        "OS": {"Family": "debian", "Name": "12.1", "EOSL": True},
        "ImageID": "sha256:2",
        "DiffIDs": ["sha256:1"],
        "ImageConfig": {"architecture": "amd64", "created": "2021-08-03T14:15:08.233Z"},
    },
)
WHOLE["Results"][0]["Packages"] = [
    {
        "Name": "openssl",
        "Version": "3.0.1",
        "Release": "1",
        "Epoch": 1,
        "SrcName": "openssl",
        "Licenses": ["Apache-2.0"],
        "Layer": {"DiffID": "sha256:1"},
    }
]
LEGACY = [
    {"Target": "app (alpine 3.9)", "Type": "alpine", "Vulnerabilities": [finding(1), finding(2)]},
    {"Target": "package-lock.json", "Vulnerabilities": None},
]
GRYPE = report_of(
    match(related=[nvd("CVE-2024-0001", "Low", ("3.1", 5.0, "nvd@nist.gov"), ("2.0", 4.0, None))]),
    match(2, package={"type": "npm"}, fixedInVersion="1"),
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON document, as the keys that lead to it."""
    children: Any = node.items() if isinstance(node, dict) else ()
    if isinstance(node, list):
        children = enumerate(node)
    found = [path] if path else []
    for key, child in children:
        found += places(child, (*path, key))
    return found


def deep(levels: int) -> Any:
    value: Any = "end"
    for level in range(levels):
        value = [value] if level % 2 else {"Results": value}
    return value


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A report with fields deleted, retyped, duplicated or deeply nested, and its bytes cut."""
    document: Any = json.loads(json.dumps(draw(st.sampled_from([WHOLE, LEGACY, GRYPE]))))
    for _ in range(draw(st.integers(0, 4))):
        every = places(document)
        if not every:
            break
        *parents, key = draw(st.sampled_from(every))
        parent = document
        for step in parents:
            parent = parent[step]
        match draw(st.sampled_from(["delete", "retype", "duplicate", "nest"])):
            case "delete":
                del parent[key]
            case "retype":
                parent[key] = draw(STRANGE)
            case "duplicate" if isinstance(parent, list):
                parent += [parent[key]] * draw(st.integers(1, 50))
            case "duplicate":
                parent[f"{key}2"] = parent[key]
            case "nest":
                parent[key] = deep(draw(st.integers(1, 300)))
    text = json.dumps(document).encode()
    if draw(st.booleans()):
        return text
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    cuts = [text[:start], text[start:], text[:start] + text[end:], text[:end] + text[start:]]
    return draw(st.sampled_from(cuts))


def loads_or_refuses(path: Path) -> None:
    try:
        loaded = load_reports([path])
    except ReportInvalid as error:
        assert error.path == str(path)
        assert error.problem
        assert error.remedy
        return
    assert len(loaded.images) == 1
    for name, frame in loaded._asdict().items():
        assert list(frame) == frames.columns(name)


@given(content=mutated())
def test_a_mutated_report_loads_or_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mutated.json"
    path.write_bytes(content)
    loads_or_refuses(path)


@given(content=st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bytes.json"
    path.write_bytes(content)
    loads_or_refuses(path)


@pytest.mark.parametrize("opening", [b'{"Results":[', b"[", b'{"x":', b'[{"Target":"a","x":'])
@pytest.mark.parametrize("depth", [500, 5_000, 1_000_000])
def test_nesting_of_any_depth_is_refused(tmp_path: Path, opening: bytes, depth: int) -> None:
    path = tmp_path / "deep.json"
    path.write_bytes(opening * depth)
    with pytest.raises(ReportInvalid):
        load_reports([path])
