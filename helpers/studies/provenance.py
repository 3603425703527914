"""When and with what a study's captures were made."""

from collections.abc import Sequence

import pandas as pd

from helpers.answers.answer import Answer
from helpers.comparability import scanner_releases
from helpers.frames import FAILED, TIME
from helpers.studies.study import BUILDKIT, NONE, OTHERS, Facts, Study
from helpers.text.i18n import Message, t, word
from helpers.text.rich import Phrase, paragraph, say


def answer(study: Study, facts: Facts) -> Answer:
    """Answer when and with what a capture was made, beside the study's other captures."""
    return Answer("capture", text=paragraph(_made(facts)), table=captures(study))


def captures(study: Study) -> pd.DataFrame:
    """Return a study's captures, oldest first: with what each was made, and how it went.

    `capture, captured_at, scanner, db_updated_at, variants`; times are UTC.
    """
    rows = []
    for facts in map(study.facts, study.captures()):
        variants = Message(
            "{captured} of {count}",
            captured=sum(variant.status != FAILED for variant in facts.variants.values()),
            count=len(facts.variants),
        )
        scanner = f"{facts.scanner} {facts.scanner_version}".strip() or None
        rows.append((facts.capture, facts.captured_at, scanner, facts.db.updated_at, variants))
    columns = ["capture", "captured_at", "scanner", "db_updated_at", "variants"]
    types = {"capture": "str", "captured_at": TIME, "scanner": "str", "db_updated_at": TIME}
    return pd.DataFrame(rows, columns=columns, dtype=object).astype(types)


def some_of_many(shown: Sequence[str], count: int) -> Phrase:
    """Return that some captures are shown of many; empty if all are."""
    if len(shown) == count:
        return Phrase()
    return say(
        "{shown} of {count:,} captures are shown, spread evenly in time.",
        shown=len(shown),
        count=count,
    )


def _made(facts: Facts) -> Phrase:
    """Return when and with what a capture was made."""
    text = say(
        "Capture `{capture}` was made on {at:%Y-%m-%d at %H:%M} UTC with {scanner} and "
        "{database}{covered}.",
        capture=facts.capture,
        at=facts.captured_at,
        scanner=_scanner(facts),
        database=_database(facts),
        covered=f" ({word(facts.db.coverage)})" if facts.db.coverage else "",
    )
    if facts.scanner == "trivy" and scanner_releases.is_not_the_projects(facts.scanner_version):
        text += say(
            " **The Trivy project did not publish that release: scan again with another one.**"
        )
    return text + _built(facts) if facts.builder else text


def _built(facts: Facts) -> Phrase:
    """Return which builders built a capture's images."""
    keys = ("builder", "engine", "store", "platform", "buildx")
    known = {key: facts.builder.get(key, t("unknown")) for key in keys}
    if known["builder"] == BUILDKIT:
        known["builder"] += f", buildx {known['buildx']}"
    return say(
        " Docker {engine} built the images ({builder}, {store} store, {platform}); another builder "
        "gives other layers.",
        **known,
    )


def _scanner(facts: Facts) -> str:
    if facts.scanner_version:
        # The usual way to run it goes without saying.
        how = "" if facts.scanner_is in ("binary", OTHERS, NONE) else f" ({facts.scanner_is})"
        return f"Trivy {facts.scanner_version}{how}"
    return t("no scanner") if facts.scanner_is == NONE else t("the scanners of others")


def _database(facts: Facts) -> str:
    day, java = facts.db.updated_at, facts.db.java_updated_at
    if facts.scanner_is == NONE or not day:
        return t("no database")
    text = t("the database of {day:%Y-%m-%d}", day=day)
    if facts.db.origin:
        text += f" ({word(facts.db.origin)})"
    if java:
        text += t(", with the Java database of {day:%Y-%m-%d}", day=java)
    return text
