"""Two reports in which a change of every kind is, and what the gate prints of them.

`python -m tests.support.gate_example` renews the texts in `tests/data`.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from helpers import paths
from helpers.gate import fail_on, judgement, markdown, pair, record, sarif, table
from helpers.studies.load import load_reports
from tests.conftest import finding, suppressing
from tests.gate.conftest import listing

HOSTILE = "a|b`c`**@team**<img src=x>[x](http://e.example)#1\x1b[31m"
FOLDER = paths.ROOT / "tests" / "data"
FORMS = {"table.txt": table, "md": markdown, "json": record, "sarif": sarif}
RULES = fail_on.parse([fail_on.DEFAULT])


def before() -> dict[str, Any]:
    """The report before: openssl 3.0.2, curl and zlib, and one dependency."""
    told = [
        finding(1, PkgName="curl", InstalledVersion="8.0", Severity="LOW"),
        finding(2, PkgName="zlib", InstalledVersion="1.2", Severity="MEDIUM"),
        finding(3, PkgName="zlib", InstalledVersion="1.2", FixedVersion="1.3"),
        finding(4, PkgName="zlib", InstalledVersion="1.2"),
    ]
    report = listing(*told, packages="openssl 3.0.2, curl 8.0, zlib 1.2")
    report["Metadata"]["Size"] = 76_900_000
    return suppressing(report, finding(6, PkgName="zlib", InstalledVersion="1.2"))


def after() -> dict[str, Any]:
    """The report after: openssl is older, curl is gone, and there is one more dependency."""
    told = [
        finding(5, FixedVersion="3.0.2", CVSS={"nvd": {"V3Score": 7.5}}),
        finding(9, Severity="LOW"),
        finding(3, PkgName="zlib", InstalledVersion="1.2", FixedVersion="1.3", Severity="CRITICAL"),
        finding(6, PkgName="zlib", InstalledVersion="1.2"),
        finding(7, PkgName="zlib", InstalledVersion="1.2"),
    ]
    report = listing(*told, packages="openssl 3.0.1, zlib 1.2")
    report["Metadata"]["Size"] = 80_100_000
    suppressing(report, finding(4, PkgName="zlib", InstalledVersion="1.2"))
    where = {"PkgName": HOSTILE, "InstalledVersion": "1", "PkgPath": "../app/a b|c.json"}
    dependency = finding(8, **where, FixedVersion="2", Severity="CRITICAL")
    report["Results"].append(
        {
            "Target": "Node.js",
            "Class": "lang-pkgs",
            "Type": "node-pkg",
            "Packages": [{"Name": HOSTILE, "Version": "1", "FilePath": where["PkgPath"]}],
            "Vulnerabilities": [dependency, {**dependency, "VulnerabilityID": HOSTILE}],
        }
    )
    return report


def loaded(first: Any, second: Any) -> pair.Pair:
    """The pair of two reports, given as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        sides = []
        for name, report in ((pair.BEFORE, first), (pair.AFTER, second)):
            path = Path(folder) / f"{name}.json"
            path.write_text(json.dumps(report))
            sides.append(pair.Side(name, load_reports(path)))
    return pair.Pair("", *sides)


def judged(first: Any, second: Any, rules: Any = RULES) -> judgement.Judgement:
    """The judgement of two reports, given as JSON."""
    return judgement.judge(loaded(first, second), rules)


def texts() -> dict[str, str]:
    """What the gate prints of the two, by the name of the file that has it."""
    found = judged(before(), after())
    return {f"gate.{name}": module.text([found]) for name, module in FORMS.items()}


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text)
