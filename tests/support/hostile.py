"""A study of hostile files, packages and words."""

import gzip
import json
import shutil
from pathlib import Path

from helpers import paths
from helpers.images import file_inventory
from tests.conftest import file, link, program

NAMES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a\x1b[31mred\x07\r\n",
    "\u202egnp.exe",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "@SUM(A1)",
    "$x_1$ **bold** `code` [x](http://x)",
    "한국어 이름",
    "\\xff\\xfe",
    "x" * 4000,
    ".",
    " ",
)
HOSTILE = (
    *(program(f"app/{name}", 2_000_000, layer=1, package=name) for name in NAMES),
    *(program(f"bin/{name}", 3_000_000, version=name) for name in NAMES),
    *(file(f"{name}/lib.so", 4_000_000, elf="shared", needed=(name,)) for name in NAMES),
    program("usr/bin/node", 5_000_000, elf_interpreter="/lib/<b>ld</b>.so", needed=("\u202e.so",)),
    link("bin/sh", "bash"),
    link("bin/bash", "sh"),
    link("bin/loop", "/bin/loop/loop"),
    link("lib/a", "../../../../../../etc"),
    file("dev/<b>", kind="char", mode=0o6777),
    file("dev/sda", kind="block", mode=0o4666),
    file("srv/" + "/".join(["d" * 200] * 20), 1),
    file("huge", 2**40, layer=1, uid=2**32, gid=2**32),
    file("empty", 0),
    file("", 7),
)


def spoil(data: Path) -> Path:
    """Put hostile files, findings and words into a copy of a recorded study; return the data."""
    study = data / "studies" / "rebuilt-2026"
    capture = study / "2026-11-24"
    for name in ("node-24-debian", "node-8-distroless"):
        shutil.rmtree(capture / name)
    evidence = capture / "node-24-alpine"
    file_inventory.write(evidence / paths.FILES, sorted(HOSTILE, key=lambda file: file.path))
    image = json.loads((evidence / paths.IMAGE).read_text())
    for layer in image["layers"]:
        layer["size_bytes"] = 2**42
        layer["created_by"] = "RUN <script>alert(2)</script> \x1b[31m \u202e =1+1"
    image.update(user="<b>root</b>", user_id=None, working_directory="/<i>app</i>")
    image.update(entrypoint=["<script>", "'unclosed"], runtime="<u>node</u> 1.0")
    (evidence / paths.IMAGE).write_text(json.dumps(image))
    _spoil_report(evidence / paths.REPORT)
    text = (study / "study.toml").read_text()
    for name in ("title", "question"):
        text = text.replace(f'{name} = "', f'{name} = "{NAMES[0]}{NAMES[1]}', 1)
    (study / "study.toml").write_text(text)
    return data


def _spoil_report(path: Path) -> None:
    """Give every package, version and fix of a report one of the names."""
    report = json.loads(gzip.decompress(path.read_bytes()))
    findings = [v for result in report["Results"] for v in result.get("Vulnerabilities", [])]
    packages = [p for result in report["Results"] for p in result.get("Packages", [])]
    for number, finding in enumerate(findings):
        name = NAMES[number % len(NAMES)]
        finding.update(PkgName=name, InstalledVersion=name, FixedVersion=name)
        finding["VulnerabilityID"] = f"CVE-{number}-{name}"
    for number, package in enumerate(packages):
        package.update(Name=NAMES[number % len(NAMES)], Version=NAMES[-number % len(NAMES)])
    path.write_bytes(gzip.compress(json.dumps(report).encode()))
