"""Where a run's numbers come from, as text of a slide: captures, versions, digests, command."""

import shlex
from typing import Any

from helpers.studies.landmarks import landmarks
from helpers.studies.provenance import some_of_many
from helpers.studies.study import NONE, Captured, Facts, Study, Variant, open_study
from helpers.text.i18n import t, word
from helpers.text.rich import Text, bullets, join, paragraph


def opening(study: Study, record: dict[str, Any]) -> Text:
    """Return what the first slide says of a run: its images, its capture and its day."""
    facts = study.facts(str(record["parameters"].get("capture", "")))
    lines = (
        ", ".join(study.names()),
        f"{t('capture {name}', name=facts.capture)} · {_scanner(facts)}",
        t("run on {day:%Y-%m-%d}", day=record["started"]),
    )
    return join(map(paragraph, lines))


def listing(study: Study, record: dict[str, Any]) -> Text:
    """Return studies, captures and variants with versions and digests, and how to run it again."""
    given = record["parameters"]
    text = bullets([_run(study, record)])
    beside = str(given.get("beside") or study.beside)
    studies = [study, *([open_study(beside).spoken()] if beside and beside != study.name else [])]
    for shown in studies:
        facts = shown.facts(str(given.get("capture", "")) if shown is study else "")
        variants = (_variant(v, facts.variants.get(v.name)) for v in shown.variants)
        text += bullets([t("Study {name}: {title}", name=shown.name, title=shown.title)])
        captures = shown.captures()
        stand = landmarks(captures, [facts.capture])
        text += bullets((_capture(shown.facts(name)) for name in stand), 2)
        if some := some_of_many(stand, len(captures)):
            text += bullets([some], 2)
        text += bullets(variants, 2)
    return text


def command(study: Study, given: dict[str, Any], template: str = "") -> str:
    """Return the command that makes these slides again."""
    words = ["python", "-m", "helpers", "slides", study.name]
    words += ["--template", template] if template else []
    for name, value in given.items():
        words += ["--param", f"{name}={value}"]
    return shlex.join(words)


def _run(study: Study, record: dict[str, Any]) -> str:
    return t(
        "Made by base-image-notebooks {kit} with Python {python} on {day:%Y-%m-%d}: {command}",
        kit=record["kit"],
        python=record["python"],
        day=record["started"],
        command=command(study, record["parameters"], record.get("template", "")),
    )


def _scanner(facts: Facts) -> str:
    if facts.scanner_is == NONE:
        return t("no scanner")
    if not facts.scanner_version:
        return t("the scanners of others")
    scanner = f"{facts.scanner.capitalize()} {facts.scanner_version}"
    if facts.db.updated_at:
        scanner += " · " + t("database of {day:%Y-%m-%d}", day=facts.db.updated_at)
    return scanner


def _capture(facts: Facts) -> str:
    """Return how a capture was made, with the digest of its database."""
    digest = f"sha256:{facts.db.sha256}" if facts.db.sha256 else ""
    engine = facts.builder.get("engine", "")
    parts = [
        t("Capture {name} of {day:%Y-%m-%d}", name=facts.capture, day=facts.captured_at),
        _scanner(facts),
        digest,
        word(facts.db.coverage),
        t("built by Docker {version}", version=engine) if engine else "",
    ]
    return " · ".join(filter(None, parts))


def _variant(variant: Variant, captured: Captured | None) -> str:
    """Return what a variant was made from, and the digest of what was captured."""
    source = variant.source
    if variant.kind not in ("dockerfile", "image"):
        # The folder of a file on the user's machine is private.
        source = source.rpartition("/")[2]
    parts = [f"{variant.name}: {variant.kind} {source}", variant.base]
    if captured:
        parts.append(captured.identity or captured.error.partition("\n")[0])
    return " · ".join(filter(None, parts))
