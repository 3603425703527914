"""When and with what a study's captures were made."""

import pandas as pd

from helpers.frames import FAILED, TIME
from helpers.studies.study import Facts, Study
from helpers.text import escape
from helpers.text.i18n import t, word


def made(facts: Facts) -> str:
    """Return when and with what a capture was made."""
    text = t(
        "Capture `{capture}` was made on {at:%Y-%m-%d at %H:%M} UTC, with {scanner}{how} and "
        "{database}{covered}.",
        capture=facts.capture,
        at=facts.captured_at,
        scanner=_scanner(facts),
        how=_how(facts),
        database=_database(facts),
        covered=f" ({escape.markdown(word(facts.db.coverage))})" if facts.db.coverage else "",
    )
    if facts.builder:
        told = ("builder", "engine", "store", "platform")
        text += t(
            " Images were built by the {builder} builder of Docker {engine} ({store} store, "
            "{platform}); another builder gives other layers.",
            **{name: facts.builder.get(name, t("unknown")) for name in told},
        )
    return text


def _scanner(facts: Facts) -> str:
    if facts.scanner_version:
        return f"Trivy {facts.scanner_version}"
    return t("the scanners of others")


def _how(facts: Facts) -> str:
    """Return how the scanner was run; nothing if as anybody would."""
    if facts.scanner_is in ("binary", "others"):
        return ""
    return t(", run as {what}", what=escape.markdown(facts.scanner_is))


def _database(facts: Facts) -> str:
    day, java = facts.db.updated_at, facts.db.java_updated_at
    if not day:
        return t("no database of its own")
    told = t("the database of {day:%Y-%m-%d}", day=day)
    if facts.db.origin:
        origin = escape.markdown(word(facts.db.origin))
        told = t("the database of {day:%Y-%m-%d} from {origin}", day=day, origin=origin)
    if java:
        told += t(", with the Java database of {day:%Y-%m-%d}", day=java)
    return told


def when(study: Study) -> pd.DataFrame:
    """Return the study's captures, oldest first: with what each was made, and how it went."""
    rows = []
    for told in map(study.facts, study.captures()):
        captured = sum(variant.status != FAILED for variant in told.variants.values())
        of = t("{captured} of {count}", captured=captured, count=len(told.variants))
        scanner = f"{told.scanner} {told.scanner_version}".strip()
        rows.append((told.capture, told.captured_at, scanner, told.db.updated_at, of))
    columns = ["capture", "captured_at", "scanner", "db_updated_at", "variants"]
    table = pd.DataFrame(rows, columns=columns)
    times = dict.fromkeys(("captured_at", "db_updated_at"), TIME)
    return table.astype({"capture": "str", "scanner": "str", "variants": "str", **times})
