"""What a picture leaves out because it has no date or no score."""

from collections.abc import Iterator

import pandas as pd

from helpers.notebook.comparison import Comparison
from helpers.text import escape
from helpers.text.i18n import t
from helpers.vulnerabilities import growth, lenses


def notes(compared: Comparison, is_curve: bool) -> Iterator[str]:
    """Yield what is not counted, where counting is by a day or a score, and what no curve has."""
    findings, lens = compared.findings, compared.lens._replace(known_by="")
    for study, day in compared.days_beside.items():
        if day != compared.lens.known_by:
            yield t(
                "limit of {study} off: published by {day}",
                study=study,
                day=day,
            )

    def count(rows: pd.DataFrame) -> pd.Series:
        return lenses.apply(rows, lens)["variant"].value_counts()

    if lens.epss:
        without = lenses.apply(findings[findings["epss"].isna()], compared.lens._replace(epss=0.0))
        if lost := _listed(without["variant"].value_counts()):
            yield t("not counted, no EPSS score: {variants}", variants=lost)
    if not compared.lens.known_by and not is_curve:
        return
    ever = count(findings)
    if compared.lens.known_by and (
        lost := _more(ever, count(findings[findings["published_at"].notna()]))
    ):
        yield t("not counted, no date: {variants}", variants=lost)
    if is_curve:
        curve = growth.growth(findings, compared.images, lens)
        if lost := _more(ever, curve.groupby("variant")["count"].last()):
            yield t(
                "not on the curve, no date or newer than the database: {variants}",
                variants=lost,
            )


def _more(whole: pd.Series, part: pd.Series) -> str:
    """Return which images have more in one count than in another, and how many more."""
    return _listed(whole.sub(part.reindex(whole.index), fill_value=0))


def _listed(counts: pd.Series) -> str:
    """Return each image that has some, and how many."""
    return ", ".join(
        f"{escape.plain(variant)} {count:,.0f}" for variant, count in counts.items() if count > 0
    )
