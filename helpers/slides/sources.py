"""Where a run's numbers come from, as lines of a slide: captures, versions, digests, command."""

import shlex
from collections.abc import Iterator
from typing import Any

from helpers.studies.study import Captured, Facts, Study, Variant, open_study
from helpers.text import markdown
from helpers.text.i18n import t, word
from helpers.text.markdown import Line


def opening(study: Study, record: dict[str, Any]) -> Iterator[Line]:
    """Yield what the first slide says of a run: its images, its capture and its day."""
    facts = study.facts(str(record["parameters"].get("capture", "")))
    yield markdown.line(", ".join(study.names()))
    yield markdown.line(f"{t('capture {name}', name=facts.capture)} · {_scanner(facts)}")
    yield markdown.line(t("run on {day:%Y-%m-%d}", day=record["started"]))


def lines(study: Study, record: dict[str, Any]) -> list[Line]:
    """Return studies, captures and variants with versions and digests, and how to run it again."""
    given = record["parameters"]
    found = [_run(study, record)]
    beside = str(given.get("beside") or study.beside)
    for one in [study, *([open_study(beside).spoken()] if beside and beside != study.name else [])]:
        found.append(markdown.line(t("Study {name}: {title}", name=one.name, title=one.title), 1))
        found += [markdown.line(_capture(one.facts(name)), 2) for name in one.captures()]
        facts = one.facts(str(given.get("capture", "")) if one is study else "")
        found += [
            markdown.line(_variant(variant, facts.variants.get(variant.name)), 2)
            for variant in one.variants
        ]
    return found


def command(study: Study, given: dict[str, Any]) -> str:
    """Return the command that makes these slides again."""
    words = ["python", "-m", "helpers", "slides", study.name]
    for name, value in given.items():
        words += ["--param", f"{name}={value}"]
    return shlex.join(words)


def _run(study: Study, record: dict[str, Any]) -> Line:
    told = t(
        "Made by base-image-notebooks {kit} with Python {python} on {day:%Y-%m-%d}: {command}",
        kit=record["kit"],
        python=record["python"],
        day=record["started"],
        command=command(study, record["parameters"]),
    )
    return markdown.line(told, 1)


def _scanner(facts: Facts) -> str:
    if not facts.scanner_version:
        return t("the scanners of others")
    told = f"{facts.scanner.capitalize()} {facts.scanner_version}"
    if facts.db.updated_at:
        told += " · " + t("database of {day:%Y-%m-%d}", day=facts.db.updated_at)
    return told


def _capture(facts: Facts) -> str:
    """Return how a capture was made, with the digest of its database."""
    digest = f"sha256:{facts.db.sha256}" if facts.db.sha256 else ""
    engine = facts.builder.get("engine", "")
    told = [
        t("Capture {name} of {day:%Y-%m-%d}", name=facts.capture, day=facts.captured_at),
        _scanner(facts),
        digest,
        word(facts.db.coverage),
        t("built by Docker {version}", version=engine) if engine else "",
    ]
    return " · ".join(filter(None, told))


def _variant(variant: Variant, captured: Captured | None) -> str:
    """Return what a variant was made from, and the digest of what was captured."""
    given = variant.source
    if variant.kind not in ("dockerfile", "image"):
        # Of a file of whoever ran it, the folder is nobody's business.
        given = given.rpartition("/")[2]
    told = [f"{variant.name}: {variant.kind} {given}", variant.base]
    if captured:
        told.append(captured.identity or captured.error.partition("\n")[0])
    return " · ".join(filter(None, told))
