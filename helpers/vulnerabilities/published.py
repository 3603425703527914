"""Numbers of findings that others published, beside those that are counted here."""

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.text.i18n import word
from helpers.text.rich import Phrase, listed, name, paragraph, say
from helpers.vulnerabilities import counting, shown_counts


def reproduction(counts: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return published findings beside counted ones: `variant, severity, published, reproduced`.

    A row for each severity that was published and one for `TOTAL`; `counts` are of one capture.
    """
    wanted = published[published["metric"].eq("findings")]
    summed = (
        counting.totals(counts).rename(columns={"total": "count"}).assign(severity=counting.TOTAL)
    )
    both = pd.concat([counts.astype({"severity": "str"}), summed])
    table = wanted[["variant", "severity"]].assign(published=wanted["value"].astype("Int64"))
    found = both[["variant", "severity", "count"]].rename(columns={"count": "reproduced"})
    return table.merge(found, how="left", on=["variant", "severity"], validate="one_to_one")


def answer(findings: pd.DataFrame, images: pd.DataFrame, published_numbers: pd.DataFrame) -> Answer:
    """Answer whether the counts are those that others published, and where not."""
    table = reproduction(counting.severity_counts(findings, images), published_numbers)
    text = _reproduced(table)
    lacks = text.plain if table.empty else ""
    return Answer("reproduction", text=paragraph(text), table=table, role=SUMMARY, lacks=lacks)


def _reproduced(table: pd.DataFrame) -> Phrase:
    """Return whether the counted numbers are the published ones, and where not."""
    if table.empty:
        return say("This study has no published numbers.")
    same = table["published"].eq(table["reproduced"]).fillna(False)
    pairs = listed(
        say(
            "{variant} {reproduced} of {published}",
            variant=name(row.variant),
            reproduced=shown_counts.shown(row.reproduced),
            published=row.published,
        )
        for row in table[table["severity"].eq(counting.TOTAL)].itertuples()
    )
    text = say(
        "{same} of {count} published numbers reproduced ({pairs}).",
        same=int(same.sum()),
        count=len(table),
        pairs=pairs,
    )
    if same.all():
        return text
    wrong = listed(
        name(row.variant) + f" {word(row.severity)}" for row in table[~same].itertuples()
    )
    return text + say(" Not reproduced: {wrong}.", wrong=wrong)
