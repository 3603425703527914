"""What a gate says, for code scanning: SARIF 2.1.0, a result for each finding that was brought.

The standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. What GitHub reads of
it: https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import contextlib
import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pandas as pd

from helpers import __version__
from helpers.gate import words
from helpers.gate.difference import UNCHANGED
from helpers.gate.judgement import Judgement
from helpers.images import reference
from helpers.text import escape, links
from helpers.text.rich import number

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

MOST = 5_000
"""Results of a run; GitHub shows no more."""

_NOTED = ("LOW", "UNKNOWN")
"""Severities of which what passes is a `note`, else a `warning`. What fails is an `error`, by which
GitHub fails its check."""

_SCORES = {"CRITICAL": (9.0, 10.0), "HIGH": (7.0, 8.9), "MEDIUM": (4.0, 6.9), "LOW": (0.1, 3.9)}
"""The scores that GitHub takes for each severity, which are those of CVSS 3."""


def text(judgements: Sequence[Judgement]) -> str:
    """Return the log as JSON, with one run. What fails comes first, if there are too many."""
    brought = pd.concat(
        [each.told.assign(artifact=_artifact(each)) for each in judgements], ignore_index=True
    )
    ordered = brought.sort_values(["fails", "severity"], ascending=False, kind="stable")
    shown = ordered.head(MOST)
    shown = shown.assign(
        rule=[words.text(each, 200, "without-id") for each in shown["vulnerability_id"]]
    )
    rules = shown.drop_duplicates("rule")
    places = {name: place for place, name in enumerate(rules["rule"])}
    driver = {
        "name": "base-image-notebooks gate",
        "version": __version__,
        "rules": [_rule(row) for row in rules.itertuples()],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "results": [_result(row, places) for row in shown.itertuples()],
    }
    if left := len(ordered) - len(shown):
        said = {"text": f"Left out: {number(left, 'finding')} that the image brought"}
        notifications = [{"level": "warning", "message": said}]
        run["invocations"] = [
            {"executionSuccessful": True, "toolExecutionNotifications": notifications}
        ]
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return escape.as_json(log)


def _rule(row: Any) -> dict[str, Any]:
    """Return the rule of a vulnerability; of several findings of it the first, the most severe."""
    brought = row.change != UNCHANGED
    about = f"{row.rule} {'in a package that the image brought' if brought else 'is rated higher'}"
    page = links.of_vulnerability(row.rule)
    rule = {
        "id": row.rule,
        "shortDescription": {"text": about},
        "help": {"text": f"Take a version of the package with a fix. {page}".strip()},
        "defaultConfiguration": {"level": _level(row)},
        "properties": {
            **_score(row),
            "tags": ["security", "vulnerability", row.severity],
        },
    }
    return {**rule, "helpUri": page} if page else rule


def _result(row: Any, places: dict[str, int]) -> dict[str, Any]:
    package = f"{words.text(row.package, 100)} {words.text(row.version_after, 100, '')}".strip()
    fix = words.text(row.fixed_version, 100, "")
    said = f"{package}: {row.severity}, {f'fixed in {fix}' if fix else 'no fix'}"
    identity = "\0".join(
        "" if pd.isna(part) else str(part)
        for part in (row.artifact, row.vulnerability_id, row.package, row.package_path)
    )
    return {
        "ruleId": row.rule,
        "ruleIndex": places[row.rule],
        "level": _level(row),
        "message": {"text": _unlinked(said)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(row)},
                    "region": {"startLine": 1},
                },
                "message": {"text": _unlinked(row.artifact)},
            }
        ],
        # The file is in no repository, so that GitHub could compute none.
        "partialFingerprints": {
            "primaryLocationLineHash": hashlib.sha256(identity.encode()).hexdigest()
        },
    }


def _level(row: Any) -> str:
    passing = "note" if row.severity in _NOTED else "warning"
    return "error" if row.fails else passing


def _score(row: Any) -> dict[str, str]:
    """Return NVD's score if the severity is of that level, else the middle of the severity's.

    So GitHub shows the severity by which the gate decided. For UNKNOWN there is none.
    """
    if row.severity not in _SCORES:
        return {}
    low, high = _SCORES[row.severity]
    is_its = pd.notna(row.cvss_score) and low <= row.cvss_score <= high
    return {"security-severity": f"{row.cvss_score if is_its else (low + high) / 2:.1f}"}


def _artifact(found: Judgement) -> str:
    """Return what an image is called: as its report says, else by its name or label."""
    side = found.pair.after
    artifact = side.image["artifact"]
    return escape.short(artifact if pd.notna(artifact) else found.pair.name or side.label, 200)


def _uri(row: Any) -> str:
    """Return the path of a package, or else the image's repository, as a path in a repository."""
    path = words.text(row.package_path, 500, "")
    if not path:
        path = row.artifact
        with contextlib.suppress(ValueError):
            path = reference.parse(path).name
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    return quote("/".join(parts)) or "image"


def _unlinked(text: str) -> str:
    """Return text of a message in which nothing is a link: brackets are escaped there."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
