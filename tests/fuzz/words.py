"""What users and programs say: Dockerfiles, conditions, references, Trivy's own words, settings."""

import io
import json
import os
import re
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pptx

from helpers import paths
from helpers.capture import gzip_sizes
from helpers.containers.daemon import credentials
from helpers.errors import ParameterInvalid
from helpers.gate import fail_on
from helpers.images import dockerfile, instructions, oci, reference
from helpers.notebook import index
from helpers.runs import parameters, run_folder
from helpers.scanning import trivy_program, vulndb
from helpers.slides import template
from helpers.studies import variant_names
from helpers.studies.load import load_reports
from helpers.vulnerabilities import lenses
from tests.fuzz import mutations
from tests.fuzz.kind import Kind, plain_json, same
from tests.fuzz.mutations import TEXTS

_DOCKERFILE = """# syntax=docker/dockerfile:1.9
ARG NODE=24 OTHER
FROM --platform=$BUILDPLATFORM node:${NODE:-22}-alpine AS build
RUN --mount=type=secret,id=x,required --mount=from=busybox:1,target=/b \\
  npm ci && \\
  # a comment
  true
COPY --from=build --link . .
COPY <<EOF /etc/x
hello ${NODE%.*} ${OTHER##*/}
EOF
ADD https://example.org/a.git#v1 /src
ONBUILD RUN echo $TARGETARCH
FROM "build"
ENTRYPOINT ["node", "a.js"]
"""


def _check_dockerfile(path: Path, random: Random) -> None:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    arguments = random.choice(({}, {"NODE": "24.19.0", "OTHER": "a/b*[c"}, {"TARGETARCH": "arm64"}))
    filled = random.choice(({}, dockerfile.automatic("linux/amd64", "linux/arm/v7")))
    target = random.choice(("", "build"))
    dockerfile.needs_buildkit(text, arguments)
    dockerfile.frontend(text, random.choice(("26.1.5", "", "x", "999")))
    dockerfile.required_secret(text)
    dockerfile.images(text, target, arguments, filled)
    dockerfile.final_base(text, target, arguments, filled)
    dockerfile.first_base(text, arguments)
    instructions.without_directive(text, "syntax")
    found = dockerfile.stages(text, "", arguments, filled)
    is_plain = all(
        mark not in text for mark in ("\\", "`", "<<", "\r", "\x0b", "\x0c", "\x1c", "\x85")
    )
    if is_plain and "\u2028" not in text:
        lines = [line.strip().upper() for line in text.split("\n")]
        same("stages", len(found), sum(line.split()[:1] == ["FROM"] for line in lines))


_RULES = (
    "fixable and severity>=high",
    "exploited, epss>=0.1",
    "place=app and severity = critical",
    "none",
)


@cache
def _findings() -> Any:
    path = paths.ROOT / "data/studies/matched-2026/2026-11/node-24-alpine" / paths.REPORT
    return load_reports(path).findings


def _check_fail_on(path: Path, random: Random) -> None:
    text = path.read_bytes().decode(errors="replace")
    texts = [text] if random.random() < 0.7 else text.split(" and ")
    rules = fail_on.parse(texts)
    same("rules", len(rules) in (len(texts), 0), True)
    for rule in rules:
        try:
            counted = lenses.each(_findings(), rule.lens)
        except ParameterInvalid:
            # Nothing is known of exploitation.
            continue
        levels = set(rule.lens.severities)
        same("levels", {*counted["severity"].astype("str")} <= levels, True)


_REFERENCES = (
    "node:24",
    "registry.example:5000/team/app:1@sha256:" + "a" * 64,
    "docker.io/library/node",
    "localhost:5000/a/b__c-d.e",
    "linux/arm64/v8",
)
_PART = re.compile(r"[a-z0-9._-]+", re.ASCII)


def _check_reference(path: Path, random: Random) -> None:
    text = path.read_bytes().decode(errors="surrogateescape")
    names = variant_names.of_reference(text) if reference.is_reference(text) else []
    same("names of variants", [name for name in names if not name.isprintable()], [])
    try:
        oci.parse(text)
    except ValueError as error:
        same("a message", str(error).isprintable(), True)
    try:
        found = reference.parse(text)
    except ValueError as error:
        same("a message", str(error).isprintable() and len(str(error)) < 2_400, True)
        return
    written = f"{found.host}/{found.name}"
    written += f":{found.tag}" * bool(found.tag) + f"@{found.digest}" * bool(found.digest)
    same("read again", reference.parse(written), found)
    same("parts", all(_PART.fullmatch(part) for part in found.name.split("/")), True)


def _check_version(path: Path, random: Random) -> None:
    """Check what Trivy says of itself: the text of its output."""
    text = path.read_bytes().decode(errors="replace")
    known = trivy_program._run_binary, trivy_program.shutil.which
    trivy_program._run_binary = lambda command: text  # type: ignore[assignment]
    trivy_program.shutil.which = lambda name: "trivy"  # type: ignore[assignment]
    try:
        found = trivy_program.find()
    finally:
        trivy_program._run_binary, trivy_program.shutil.which = known
    same("version", found.version, plain_json(text.encode())["Version"])
    same("label", found.label(), "binary")


def _check_metadata(path: Path, random: Random) -> None:
    for name, database in (("db", "trivy.db"), ("java-db", "trivy-java.db")):
        folder = path.parent / name
        folder.mkdir(exist_ok=True)
        (folder / database).write_bytes(b"x")
        (folder / "metadata.json").write_bytes(path.read_bytes())
    vulndb.check(path.parent)
    described = vulndb.VulnDb(path.parent, True).describe()
    same("version", described.version, plain_json(path.read_bytes()).get("Version"))


def _check_sizes(path: Path, random: Random) -> None:
    sizes = gzip_sizes.GzipSizes(path)
    cached = sizes._cached()
    if cached:
        same("sizes", cached, plain_json(path.read_bytes())[gzip_sizes._GZIP])
    kept = gzip_sizes.GzipSizes(path.with_name("sizes.json"))
    kept._sizes = sizes._sizes
    kept.save()
    same("sizes that are kept", gzip_sizes.GzipSizes(kept._path)._cached(), cached)


_RUN = {
    "study": "blog-2022",
    "started": "2026-11-24T22:52:29Z",
    "made": {"report.html": "a" * 64},
    "kept": {},
    "renamed": {"a": "b"},
}


def _check_run(path: Path, random: Random) -> None:
    """Check the record of a run: a damaged one is none."""
    os.environ["KIT_DATA"] = str(path.parent / "data")
    folder = paths.run("blog-2022")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / run_folder.RECORD).write_bytes(path.read_bytes())
    record = run_folder.read(folder)
    if record.made:
        same("files", len(record.made), len(plain_json(path.read_bytes())["made"]))
    index._last_runs()
    run_folder.check(folder, "blog-2022")


@cache
def _notebook() -> Any:
    notebook = json.loads((paths.NOTEBOOKS / "02-vulnerabilities.ipynb").read_text())
    return {**notebook, "cells": notebook["cells"][:5]}


def _check_notebook(path: Path, random: Random) -> None:
    cells = parameters.cells(path)
    same("cells", len(cells), len(plain_json(path.read_bytes())["cells"]))
    parameters.of_notebook(path)


@cache
def _slides() -> dict[str, bytes]:
    written = io.BytesIO()
    pptx.Presentation().save(written)
    with zipfile.ZipFile(written) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _of_template(random: Random) -> bytes:
    """Return a presentation, a part of which is another, or is away."""
    parts = {**_slides()}
    for _ in range(random.choice((1, 1, 2))):
        name = random.choice([name for name in parts if "slideLayout" not in name] or [*parts])
        name = name if random.random() < 0.7 else random.choice([*parts])
        match random.randrange(5):
            case 0:
                del parts[name]
            case 1:
                parts[name] = random.choice([*parts.values()])
            case 2:
                words = re.split(rb'(")', parts[name])
                at = random.randrange(len(words))
                words[at] = random.choice(TEXTS[:60]).encode("utf-8", "replace")
                parts[name] = b"".join(words)
            case _:
                parts[name] = mutations.content(random, parts[name])
        if not parts:
            break
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return mutations.finish(random, written.getvalue())


def _check_template(path: Path, random: Random) -> None:
    found = template.read(path)
    found.deck.save(io.BytesIO())


_AUTH = {"auths": {"registry.example": {"auth": "dXNlcjpwYXNz"}, "x": {"identitytoken": "t"}}}


def _check_login(path: Path, random: Random) -> None:
    """Check Docker's stored logins."""
    os.environ["DOCKER_CONFIG"] = str(path.parent)
    try:
        for host in ("registry.example", "x"):
            found = credentials(host)
            assert found is None or all(isinstance(text, str) for text in found)
    finally:
        del os.environ["DOCKER_CONFIG"]


KINDS = {
    "dockerfile": Kind(
        lambda random: mutations.of_lines(random, [_DOCKERFILE]), _check_dockerfile, "Dockerfile"
    ),
    "fail-on": Kind(
        lambda random: mutations.of_lines(random, _RULES, 2), _check_fail_on, told="known are"
    ),
    "reference": Kind(
        lambda random: mutations.of_lines(random, _REFERENCES, 2), _check_reference, told=""
    ),
    "trivy-version": Kind(
        lambda random: mutations.of_json(
            random, [{"Version": "0.76.0", "VulnerabilityDB": {"Version": 2}}]
        ),
        _check_version,
        told="trivy: ",
    ),
    "metadata.json": Kind(
        lambda random: mutations.of_json(
            random, [{"Version": 2, "UpdatedAt": "2026-11-24T00:00:00Z", "NextUpdate": "x"}]
        ),
        _check_metadata,
        "metadata.json",
    ),
    "gzip-sizes": Kind(
        lambda random: mutations.of_json(random, [{gzip_sizes._GZIP: {"sha256:1": 5, "b": 2**40}}]),
        _check_sizes,
    ),
    "run.json": Kind(
        lambda random: mutations.of_json(random, [_RUN]), _check_run, told="blog-2022"
    ),
    "notebook": Kind(
        lambda random: mutations.of_json(random, [_notebook()]), _check_notebook, "input.ipynb"
    ),
    "template": Kind(_of_template, _check_template, "input.pptx", weight=0.03),
    "login": Kind(lambda random: mutations.of_json(random, [_AUTH]), _check_login, "config.json"),
}
