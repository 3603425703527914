"""What two scanners find in one image, and how each rates it."""

import pandas as pd

from helpers.answers.answer import Answer
from helpers.frames import SEVERITY, TEXT, UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, t
from helpers.text.rich import Text, paragraph, say
from helpers.text.titles import fitted, part_of

BOTH = msg("both")
SAME, DIFFERENTLY = msg("same"), msg("differently")

_IMAGE = ["capture", "variant"]
_ROW = [*_IMAGE, "vulnerability_id", "_alone"]


def agreement(
    findings: pd.DataFrame,
    first: str = "trivy",
    second: str = "grype",
    images: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one row a capture, variant and vulnerability that either of two scanners found.

    `capture, variant, vulnerability_id, found_by` (`both` or a scanner's name), `trivy_severity,
    grype_severity` (the highest that each gives it there; named after the scanners), `rated`
    (`same`, `differently`; NA where one alone found it, or did not rate it) and `packages`, joined;
    the severest come first.

    Vulnerabilities are the same if they share an id or an alias, also by way of a third; one
    without an id equals no other. A row is named by a CVE if it has one. Variants that only one
    scanner scanned are left out: `images` say which did. Without `images`, a scanner that found
    nothing counts as one that did not scan. One of which all findings are suppressed is left out;
    where only one scanner was told to suppress it, both have found it.
    """
    scanned = findings if images is None else images[~images["status"].isin(UNKNOWN_COUNT)]
    scanned = scanned[scanned["scanner"].isin([first, second])]
    scanners = scanned.groupby(_IMAGE)["scanner"].nunique()
    by_both = scanners[scanners.eq(2)].reset_index()[_IMAGE]
    found = findings[findings["scanner"].isin([first, second])]
    found = found.merge(by_both, on=_IMAGE, validate="many_to_one")
    found = found.assign(
        vulnerability_id=found["vulnerability"],
        # A finding without an id is a row of its own.
        _alone=found.index.where(found["vulnerability_id"].isna(), -1),
        _image=found.groupby(_IMAGE, sort=False).ngroup(),
    )
    stands = found.assign(stands=~found["suppressed"].fillna(False))
    by_row = stands.groupby(_ROW, sort=False, dropna=False)
    found = found[by_row["stands"].transform("any").astype("bool")]
    rows = found.groupby(_ROW, sort=False, dropna=False)
    table = pd.DataFrame(
        {
            "_image": rows["_image"].first(),
            "_severity": rows["severity"].max(),
            "packages": rows["package"].agg(lambda names: ", ".join(sorted(set(names.dropna())))),
        }
    )
    for scanner in (first, second):
        by_row = found[found["scanner"].eq(scanner)].groupby(_ROW, sort=False, dropna=False)
        severity = by_row["severity"].max().reindex(table.index)
        table[scanner] = by_row.size().reindex(table.index).notna()
        table[f"{scanner}_severity"] = severity.astype(SEVERITY)
    table = table.reset_index().sort_values(
        ["_image", "_severity", "vulnerability_id"], ascending=[True, False, True], kind="stable"
    )
    names = table[first].map({True: first, False: second}).mask(table[first] & table[second], BOTH)
    table = table.assign(found_by=names, rated=_rated(table, first, second))
    columns = [*_IMAGE, "vulnerability_id", "found_by", f"{first}_severity", f"{second}_severity"]
    texts = dict.fromkeys(("vulnerability_id", "found_by", "rated", "packages"), TEXT)
    return table[[*columns, "rated", "packages"]].astype(texts).reset_index(drop=True)


def summary(agreement: pd.DataFrame, first: str = "trivy", second: str = "grype") -> pd.DataFrame:
    """Return how far two scanners agree: one row a capture and variant of an `agreement`.

    `capture, variant, both, only_trivy, only_grype, rated_differently`: numbers of vulnerabilities.
    """
    counted = {
        BOTH: agreement["found_by"].eq(BOTH),
        **{f"only_{scanner}": agreement["found_by"].eq(scanner) for scanner in (first, second)},
        "rated_differently": agreement["rated"].eq(DIFFERENTLY).fillna(False),
    }
    table = agreement[_IMAGE].assign(**counted).astype(dict.fromkeys(counted, "int64"))
    return table.groupby(_IMAGE, sort=False).sum().reset_index()


def answer(findings: pd.DataFrame, images: pd.DataFrame) -> Answer:
    """Answer how far Trivy and Grype agree on the images that both scanned."""
    table = summary(agreement(findings, images=images))
    text = _text(table)
    lacks = text.plain if table.empty else ""
    return Answer("agreement", text=text, table=table, lacks=lacks)


def listing_answer(findings: pd.DataFrame, images: pd.DataFrame) -> Answer:
    """Answer which vulnerability Trivy and Grype found, and how each rates it."""
    table = agreement(findings, images=images)
    lacks = _text(summary(table)).plain if table.empty else ""
    return Answer("agreement-by-vulnerability", table=table, searchable=True, lacks=lacks)


def _text(summary: pd.DataFrame) -> Text:
    """Return how far Trivy and Grype agree, image by image."""
    if summary.empty:
        return paragraph(
            say("No image was scanned by both Trivy and Grype; a variant's `grype` names a report.")
        )
    parts = [
        part_of(escape.short(row.variant, 24), row.both, row.both + row.only_trivy + row.only_grype)
        for row in summary.itertuples()
    ]
    text = fitted(t("Found by both scanners"), parts) + ". "
    text += t("What only one scanner finds may be right or wrong.")
    return paragraph(text)


def _rated(table: pd.DataFrame, first: str, second: str) -> pd.Series:
    """Return whether severities are the same; a scanner that says UNKNOWN has not rated."""
    severities = [table[f"{scanner}_severity"] for scanner in (first, second)]
    both = [severity.notna() & severity.ne("UNKNOWN") for severity in severities]
    same = severities[0].eq(severities[1]).map({True: SAME, False: DIFFERENTLY})
    return same.where(both[0] & both[1])
