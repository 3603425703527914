"""What was declared harmless, by whom and why: counted apart, and never gone."""

import pandas as pd

from helpers.answers.answer import Answer
from helpers.text import escape
from helpers.text.i18n import msg, t
from helpers.text.rich import paragraph
from helpers.text.titles import begun, fitted, part_of, unmeasured
from helpers.vulnerabilities import counting, shown_counts
from helpers.vulnerabilities.lenses import Lens

COUNTS, HARMLESS = msg("counts"), msg("declared harmless")


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
                "No report suppresses a finding; pass VEX statements with `vex` in study.toml or "
                "VEX=FILE."
            ),
        )
    text = paragraph(
        t("A statement is its author's claim, not a measurement; the table lists what it covers.")
    )
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
                "The VEX documents were not kept; the reports list only the statements that the "
                "scanner used."
            ),
        )
    if statements.empty:
        return Answer("statements", lacks=t("The scanner got no VEX document."))
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
