"""What a SARIF log lacks of a report: https://docs.oasis-open.org/sarif/sarif/v2.1.0/

It is written for the lines of code that findings are shown at, so it is not read.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, field

from helpers.scans.decoding import Text
from helpers.text import escape

REMEDY = "Write the report with `--format json`"


class _Driver(Struct, gc=False):
    name: str | None = None
    rules: list[dict[str, Any]] | None = None


class _Tool(Struct, gc=False):
    driver: _Driver = field(default_factory=_Driver)


class _Message(Struct, gc=False):
    text: str | None = None


class _Result(Struct, gc=False):
    message: _Message | None = None


class _Run(Struct, gc=False):
    tool: _Tool = field(default_factory=_Tool)
    results: list[_Result] | None = None
    properties: dict[str, Any] | None = None
    invocations: list[dict[str, Any]] | None = None


class _Log(Struct, gc=False):
    runs: list[_Run]


_LACKING: tuple[tuple[str, Callable[[_Run], bool]], ...] = (
    ("packages without a finding", lambda run: True),
    ("the operating system", lambda run: True),
    ("the image's id", lambda run: "imageID" not in (run.properties or {})),
    (
        "the time of the scan",
        lambda run: not any("endTimeUtc" in each for each in run.invocations or []),
    ),
    (
        "severities",
        lambda run: (
            bool(run.results)
            and not any("properties" in rule for rule in run.tool.driver.rules or [])
        ),
    ),
    (
        "versions of packages",
        lambda run: (
            not any(
                each.message and "Installed Version" in (each.message.text or "")
                for each in run.results or []
            )
        ),
    ),
)
"""What a report has, and whether a run of a log lacks it."""


def described(text: Text) -> str:
    """Return what a SARIF log is, and what it lacks of a report."""
    try:
        runs = msgspec.json.decode(text, type=_Log).runs
    except msgspec.MsgspecError:
        return "a SARIF log, not Trivy's own JSON"
    run = runs[0] if runs else _Run()
    who = escape.short(run.tool.driver.name or "an unnamed tool", 40)
    missing = [what for what, is_lacking in _LACKING if is_lacking(run)]
    listed = f"{', '.join(missing[:-1])} and {missing[-1]}"
    results = sum(len(each.results or []) for each in runs)
    return f"a SARIF log of {who} with {results:,} results, not a report: it lacks {listed}"
