"""What was declared harmless, by whom and why: counted apart, and never gone."""

from typing import Any

import pandas as pd

from helpers.answers.answer import Answer
from helpers.text import escape
from helpers.text.i18n import msg, t, told, word
from helpers.text.rich import Phrase, Text, bullets, name, number, paragraph, say
from helpers.text.titles import begun, fitted, part_of, unmeasured
from helpers.vulnerabilities import counting, shown_counts
from helpers.vulnerabilities.lenses import Lens

COUNTS, HARMLESS = msg("counts"), msg("declared harmless")

EFFECTS = {
    "used": msg("used"),
    "another-product": msg("about another product"),
    "later": msg("made later"),
    "no-effect": msg("without effect by their status"),
    "no-match": msg("about none of these packages"),
}
"""What statements do (`vex.matching`), in words."""


def table(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return counts with and without what was declared harmless.

    `capture, variant, status, part, count`, two rows an image: what counts, and what was declared
    harmless besides. NA where its vulnerabilities were not looked for.
    """
    without = counting.image_counts(findings, images, lens._replace(suppressed=False))
    whole = counting.image_counts(findings, images, lens._replace(suppressed=True))["count"]
    parts = [
        without.assign(part=COUNTS),
        without.assign(part=HARMLESS, count=whole - without["count"]),
    ]
    columns = ["capture", "variant", "status", "part", "count"]
    return pd.concat(parts, ignore_index=True)[columns]


def declared(findings: pd.DataFrame) -> pd.DataFrame:
    """Return each finding of which something was declared, and what: used or not.

    `capture, variant, vulnerability_id, package, installed_version, severity, suppressed,
    statement_status, statement_reason, statement_by, statement_at, statement_product,
    statement_unused`.
    """
    columns = ["capture", "variant", "vulnerability_id", "package", "installed_version", "severity"]
    columns += ["suppressed", *(c for c in findings.columns if c.startswith("statement_"))]
    return findings[findings["statement_status"].notna()][columns].reset_index(drop=True)


def answer(
    findings: pd.DataFrame, images: pd.DataFrame, statements: pd.DataFrame, lens: Lens
) -> Answer:
    """Answer what was declared harmless, by whom, and what the counts are with it and without.

    `statements` is the frame of that name: what documents state of the ids that were found.
    """
    found = declared(findings)
    if found.empty and statements.empty:
        return Answer(
            "declared-harmless",
            counted=lens.label,
            lacks=t(
                "Nobody declared any of it harmless: no report here suppresses a finding. vex in "
                "study.toml, or VEX=file, gives statements to the scanner."
            ),
        )
    text = _text(found, statements)
    if found.empty:
        return Answer("declared-harmless", text=text, table=found, counted=lens.label)
    counts = table(findings, images, lens)
    kinds = {COUNTS: COUNTS, HARMLESS: HARMLESS}
    both = lens._replace(suppressed=True).label
    chart = shown_counts.stacked(counts, "part", kinds, "declared", both)
    return Answer(
        "declared-harmless", _title(counts, lens), text, found, chart, lens.label, searchable=True
    )


def statements_answer(statements: pd.DataFrame, findings: pd.DataFrame) -> Answer:
    """Answer what documents state of the ids that were found, and what each statement does.

    Without them, reports may still have what a scanner took from a document that was not kept.
    """
    if statements.empty and findings["statement_status"].notna().any():
        return Answer(
            "statements",
            lacks=t(
                "The reports have the statements that the scanner used; the documents are not kept "
                "here, so what else they state is not known."
            ),
        )
    if statements.empty:
        return Answer("statements", lacks=t("No VEX document was given to the scanner."))
    return Answer("statements", table=statements, by_scanner=False, searchable=True)


def _title(counts: pd.DataFrame, lens: Lens) -> str:
    """Return how many count in each image, and how many there are with what was declared."""
    parts = []
    for (_, variant, status), image in counts.groupby(["capture", "variant", "status"], sort=False):
        by_part = image.set_index("part")["count"]
        whole = by_part.sum(skipna=False)
        odd = shown_counts.odd(status)
        parts.append(
            unmeasured(variant, odd)
            if pd.isna(whole)
            else part_of(escape.short(variant, 24), by_part[COUNTS], whole, odd)
        )
    return fitted(begun(t("{what} not declared harmless", what=lens.short)), parts)


def _text(declared: pd.DataFrame, statements: pd.DataFrame) -> Text:
    """Return who declared what, by document, and what is not used and why."""
    used = declared[declared["suppressed"]]
    lines = [
        _line(rows)
        for _, rows in used.groupby(["statement_by", "statement_status"], dropna=False, sort=False)
    ]
    unused = declared[~declared["suppressed"]]
    lines += [
        _unused(rows)
        for _, rows in unused.groupby(
            ["statement_by", "statement_unused"], dropna=False, sort=False
        )
    ]
    lines += [_document(rows) for _, rows in statements.groupby("document", sort=False)]
    note = say(
        "A statement is its author's claim about a product at a time, and not a measurement. What "
        "it takes out of the counts stays in the table, and the figure shows both."
    )
    return bullets(lines) + paragraph(note)


def _document(rows: pd.DataFrame) -> Phrase:
    """Return what the statements of a document do."""
    first = rows.iloc[0]
    counts = rows["effect"].value_counts()
    does = [
        t("{count:,} {effect}", count=counts[e], effect=word(EFFECTS[e]))
        for e in EFFECTS
        if e in counts
    ]
    day = t("no day") if pd.isna(first["said_at"]) else f"{rows['said_at'].max():%Y-%m-%d}"
    return say(
        "`{document}` ({author}, {day}) on ids that were found here: {does}",
        document=escape.plain(first["document"]),
        author=_known(first["author"]),
        day=day,
        does=", ".join(does),
    )


def _line(rows: pd.DataFrame) -> Phrase:
    """Return who declares what of how many findings, and why."""
    return say(
        "{by} declares {findings} in {images} `{status}`",
        status=escape.plain(rows.iloc[0]["statement_status"]),
        **_who(rows),
    ) + _reasons(rows)


def _unused(rows: pd.DataFrame) -> Phrase:
    """Return whose statements are not used, of how many findings, and why."""
    return say(
        "{by}: its statements on {findings} in {images} are **not used**: {why}",
        why=str(told(rows.iloc[0]["statement_unused"])),
        **_who(rows),
    )


def _who(rows: pd.DataFrame) -> dict[str, Any]:
    """Return whose statements they are, and on how many findings in how many images."""
    return {
        "by": name(_known(rows.iloc[0]["statement_by"])),
        "findings": number(len(rows), "finding"),
        "images": number(rows["variant"].nunique(), "image"),
    }


def _reasons(rows: pd.DataFrame) -> Phrase:
    """Return the justifications of statements, the most frequent first."""
    counts = rows["statement_reason"].value_counts()
    parts = [f"{reason.replace('_', ' ')} ({count:,})" for reason, count in counts.head(3).items()]
    return say(": {reasons}", reasons=", ".join(map(escape.plain, parts))) if parts else Phrase()


def _known(value: object) -> str:
    return t("somebody who is not named") if pd.isna(value) else str(value)
