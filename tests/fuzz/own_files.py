"""The kit's own files, each in a study that is loaded with it: what a capture leaves, and TOML."""

import csv
import gzip
import io
import json
import os
import shutil
import tomllib
from collections.abc import Callable
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pandas as pd

import helpers.exploitation.evidence as known
import helpers.vex.evidence as said
from helpers import Comparison, paths
from helpers.studies import load
from helpers.studies.study import open_study
from tests.fuzz import mutations
from tests.fuzz.kind import Kind, plain_json, same
from tests.fuzz.reports import trivy_seeds
from tests.vex.test_evidence import openvex, statement

_FROM = paths.ROOT / "data" / "studies" / "rebuilt-2026" / "2026-11-24"
_NAME, _CAPTURE, _VARIANT = "fuzz", "2026-11-24", "node-24-alpine"

_STUDY = """title = "Which one?"
question = "Which of these?"
about = "**For** tests."
baseline = "node-24-alpine"
default_capture = "2026-11-24"
known_by = 2026-11-20
known_by_why = "because"
not_shown = ["one", "two"]
vex = ["vex.json"]

[events]
"node 24" = 2026-05-06

[[bases]]
tag = "rebuilt/node:24"
dockerfile = "bases/node/Dockerfile"
build_args = { NODE = "24.19.0" }

[[variants]]
name = "node-24-alpine"
about = "Alpine"
dockerfile = "node/Dockerfile"
platform = "linux/amd64"
base = "rebuilt/node:24"
port = 3000
runtime = "node 24.19.0"
built = 2026-11-01

[[variants]]
name = "other"
image = "node:24"
start = false

[translated.ko]
title = "x"
not_shown = ["y", "z"]

[translated.ko.variants]
other = "w"
"""


@cache
def _facts() -> Any:
    facts = json.loads((_FROM / "capture.json").read_text())
    variants = {_VARIANT: facts["variants"][_VARIANT]}
    failed = {
        "status": "failed",
        "source": "image",
        "error": "it failed",
        "missing": {"files": "x"},
    }
    return {**facts, "study": _NAME, "variants": {**variants, "other": failed}}


@cache
def _part(name: str) -> Any:
    return json.loads((_FROM / _VARIANT / name).read_text())


@cache
def _exploitation() -> Any:
    found = json.loads((_FROM / "exploitation.json").read_text())
    scores = dict([*found["epss"]["scores"].items()][:4])
    return {**found, "epss": {**found["epss"], "scores": scores}}


@cache
def _vex() -> Any:
    ids = [
        row["VulnerabilityID"]
        for result in trivy_seeds()[3]["Results"]
        for row in result.get("Vulnerabilities", [])
    ]
    text = json.dumps(openvex(statement(vulnerability={"name": ids[0]}))).encode()
    return msgspec.json.decode(msgspec.json.encode(said.parse(text, "x.json")))


@cache
def _rows() -> list[str]:
    """The lines of an inventory: a header, then a file each."""
    rows = gzip.decompress((_FROM / _VARIANT / paths.FILES).read_bytes()).decode().splitlines()
    kept = [row for row in rows[1:] if '"file"' in row or '"symlink"' in row][::40][:30]
    return [json.dumps({"format": 1, "files": len(kept)}), *kept]


_WEIGHT = 0.3
"""A whole study is loaded with each."""

_TOLD = f"study {_NAME!r}"
"""How messages name the study, where they are not about one file of it."""

_PUBLISHED = [
    ["variant", "metric", "severity", "value", "unit", "as_of", "source"],
    ["node-24-alpine", "findings", "LOW", "2", "findings", "early 2022", "a post"],
    ["node-24-alpine", "findings", "TOTAL", "12", "findings", "", "a post"],
    ["other", "image size", "", "110.5", "MB", "2022", "a post"],
]


def _data(folder: Path) -> Path:
    """Return the data folder of a study with one variant, which is made once."""
    data = folder / "data"
    os.environ["KIT_DATA"] = str(data)
    capture = data / "studies" / _NAME / _CAPTURE
    if not data.exists():
        (capture / _VARIANT).mkdir(parents=True)
        for name, content in _files().items():
            (data / "studies" / _NAME / name).write_bytes(content)
    return data / "studies" / _NAME


@cache
def _files() -> dict[str, bytes]:
    variant = f"{_CAPTURE}/{_VARIANT}"
    documents = {
        f"{_CAPTURE}/capture.json": _facts(),
        f"{_CAPTURE}/exploitation.json": _exploitation(),
        f"{variant}/image.json": _part("image.json"),
        f"{variant}/smoke.json": _part("smoke.json"),
        f"{variant}/vex.json": _vex(),
        f"{variant}/trivy.json": trivy_seeds()[3],
    }
    return {
        **{name: json.dumps(document).encode() for name, document in documents.items()},
        f"{variant}/files.jsonl.gz": gzip.compress("\n".join(_rows()).encode()),
        "study.toml": _STUDY.encode(),
        "published.csv": "\n".join(map(",".join, _PUBLISHED)).encode(),
    }


def _check(
    name: str, count: Callable[[bytes], Any], read: Callable[[], Any], path: Path, random: Random
) -> None:
    """Check a study with one of its files replaced: all of it is loaded, and a question asked."""
    study = _data(path.parent)
    shutil.copy(path, study / name)
    try:
        found = read()
        frames = load.load_study(_NAME, "all", "all")
        load.load_layers(_NAME)
        load.load_files(_NAME)
        load.load_statements(_NAME)
        load.load_published(_NAME)
        same("images", len(frames.images), len(open_study(_NAME).variants))
        same("what it has", found, count(path.read_bytes()))
        if random.random() < 0.15:
            _ask(random)
    finally:
        (study / name).write_bytes(_files()[name])


@cache
def _ask(random: Random) -> None:
    """Ask a question of a study, and let it be shown."""
    answer = attrgetter(random.choice([*Comparison.questions]))(Comparison(_NAME))()
    answer._text()
    answer._table()


def _capture_names(content: bytes) -> list[str]:
    return [*plain_json(content)["variants"]]


def _layers(content: bytes) -> list[int]:
    return [layer["size_bytes"] for layer in plain_json(content)["layers"]]


def _paths(content: bytes) -> list[str]:
    lines = gzip.decompress(content).decode().split("\n")[1:]
    return [json.loads(line)[0] for line in lines if line.strip()]


def _of_inventory(random: Random) -> bytes:
    """Return an inventory, some of whose rows are others."""
    rows = [*_rows()]
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(rows) or 1)
        match random.randrange(5):
            case 0:
                rows[at:at] = rows[at : at + 1] * random.choice((1, 3))
            case 1:
                del rows[at : at + 1]
            case _ if rows and rows[at] in _rows():
                made = mutations.document(random, json.loads(rows[at]))
                rows[at] = mutations.written(random, made).decode("latin-1").replace("\n", " ")
    rows[:1] = [json.dumps({"format": 1, "files": len(rows) - 1})] if random.random() < 0.8 else []
    content = "\n".join(rows).encode("latin-1")
    return mutations.finish(random, gzip.compress(content, 1)) if random.random() < 0.9 else content


def _json(name: str, seed: Callable[[], Any], count: Any, read: Any) -> Kind:
    return Kind(
        lambda random: mutations.of_json(random, [seed()]),
        partial(_check, name, count, read),
        name.rpartition("/")[2],
        _TOLD,
        _WEIGHT,
    )


_ONE = f"{_CAPTURE}/{_VARIANT}"

KINDS = {
    "study.toml": Kind(
        lambda random: mutations.of_toml(random, [_STUDY]),
        partial(
            _check,
            "study.toml",
            lambda content: [v["name"] for v in tomllib.loads(content.decode())["variants"]],
            lambda: open_study(_NAME).names(),
        ),
        "study.toml",
        _TOLD,
        _WEIGHT,
    ),
    "capture.json": _json(
        f"{_CAPTURE}/capture.json",
        _facts,
        _capture_names,
        lambda: [*open_study(_NAME).facts(_CAPTURE).variants],
    ),
    "exploitation.json": _json(
        f"{_CAPTURE}/exploitation.json",
        _exploitation,
        lambda content: len((plain_json(content).get("epss") or {}).get("scores", {})),
        lambda: len(_known().epss.scores if _known().epss else {}),
    ),
    "image.json": _json(
        f"{_ONE}/image.json",
        lambda: _part("image.json"),
        _layers,
        lambda: load.load_layers(_NAME)["size_bytes"].tolist(),
    ),
    "smoke.json": _json(
        f"{_ONE}/smoke.json",
        lambda: _part("smoke.json"),
        lambda content: plain_json(content)["answered"],
        lambda: load.load_study(_NAME).images["answers"].astype(object).replace(pd.NA, None)[0],
    ),
    "vex.json": _json(
        f"{_ONE}/vex.json",
        _vex,
        lambda content: len(plain_json(content).get("statements") or []),
        lambda: len(_said().statements),
    ),
    "files.jsonl.gz": Kind(
        _of_inventory,
        partial(
            _check,
            f"{_ONE}/files.jsonl.gz",
            _paths,
            lambda: load.load_files(_NAME)["path"].tolist(),
        ),
        "files.jsonl.gz",
        weight=_WEIGHT,
    ),
    "published.csv": Kind(
        lambda random: mutations.of_csv(random, [_PUBLISHED]),
        partial(
            _check,
            "published.csv",
            lambda content: (
                sum(
                    any(row)
                    for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
                )
                - 1
            ),
            lambda: len(load.load_published(_NAME)),
        ),
        "published.csv",
        weight=_WEIGHT,
    ),
}


def _known() -> Any:
    return known.read(paths.exploitation(_NAME, _CAPTURE))


def _said() -> Any:
    return said.read(paths.evidence(_NAME, _CAPTURE, _VARIANT) / paths.VEX)
