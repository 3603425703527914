"""What scores and catalogs do not say, and where they mislead here."""

from itertools import pairwise

import pandas as pd

from helpers.answers.answer import Answer
from helpers.risk import likelihood
from helpers.text.i18n import msg
from helpers.text.rich import Phrase, bullets, listed, name, number, say
from helpers.vulnerabilities import lenses, once
from helpers.vulnerabilities.lenses import LIKELY_FROM, Lens


def across_days(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> pd.DataFrame:
    """Return how scores of the same vulnerabilities moved from one capture to the next.

    `variant, earlier, later, earlier_day, later_day, earlier_model, later_model, same_model, both,
    was_likely, is_likely`, one row a variant and pair of captures with scores. `both` counts the
    vulnerabilities that are in both and have a score in each; `was_likely` and `is_likely` those of
    them with a score from `least` on. Nothing but the scores differs between them.
    """
    counted = lenses.each(findings, lens)
    counted = counted.drop_duplicates(["capture", "variant", "vulnerability"])
    scored = images.dropna(subset="epss_day")
    rows = []
    for variant, captures in scored.groupby("variant", sort=False):
        of = counted[counted["variant"].eq(variant)].dropna(subset="epss")
        by_capture = {c: r.set_index("vulnerability")["epss"] for c, r in of.groupby("capture")}
        ordered = captures.sort_values("epss_day", kind="stable")
        for before, after in pairwise(ordered.itertuples()):
            if before.epss_day == after.epss_day or not {before.capture, after.capture} <= {
                *by_capture
            }:
                continue
            was, now = by_capture[before.capture].align(by_capture[after.capture], join="inner")
            is_same = str(before.epss_model) == str(after.epss_model)
            facts = (
                getattr(at, c)
                for c in ("capture", "epss_day", "epss_model")
                for at in (before, after)
            )
            likely = (int(scores.ge(least).sum()) for scores in (was, now))
            rows.append((variant, *facts, is_same, len(was), *likely))
    columns = ["variant", "earlier", "later", "earlier_day", "later_day", "earlier_model"]
    columns += ["later_model", "same_model", "both", "was_likely", "is_likely"]
    return pd.DataFrame(rows, columns=columns)


def answer(
    findings: pd.DataFrame,
    images: pd.DataFrame,
    every_findings: pd.DataFrame,
    every_images: pd.DataFrame,
    lens: Lens,
    least: float = LIKELY_FROM,
) -> Answer:
    """Answer what the scores of these images do not say; `every_…` are those of all captures."""
    counted = lens._replace(counted=once.VULNERABILITIES)
    if not likelihood.looked_up(images).any():
        return Answer("limits-of-scores", counted=counted.label, lacks=likelihood.nothing_known())
    table = across_days(every_findings, every_images, lens, least)
    lines = [
        say(
            "EPSS is the probability that exploitation of a vulnerability is seen **anywhere** "
            "within 30 days of its day. It is the same for every image, package and configuration, "
            "and says nothing of how bad that would be."
        ),
        *_days_apart(images),
        *_old_catalog(images),
        *(_moved(rows, least) for _, rows in table.groupby("variant", sort=False)),
        *_aliases(findings, counted),
        say(
            "KEV is a list for agencies of the United States: what is not on it may be exploited "
            "all the same. What it took up after an image's day does not count as exploited by "
            "that day."
        ),
        say(
            "More vulnerabilities give a higher maximum and a higher sum by themselves. Compare "
            "images by what is on the list, and not by sums of scores."
        ),
    ]
    return Answer("limits-of-scores", text=bullets(lines), table=table, counted=counted.label)


def _days_apart(images: pd.DataFrame) -> list[Phrase]:
    """Return how far the days of scores are from those of the images' databases, if they are."""
    as_of = images["db_updated_at"].fillna(images["scanned_at"])
    days = (images["epss_day"] - as_of).dt.days.dropna()
    if days.empty or days.abs().max() < 2:
        return []
    furthest = int(days.loc[days.abs().idxmax()])
    younger = msg(
        "The scores are up to **{days} younger** than the database: what was expected then is not "
        "known."
    )
    older = msg(
        "The scores are up to **{days} older** than the database: what was published since has "
        "none."
    )
    return [say(younger if furthest > 0 else older, days=number(abs(furthest), "day"))]


def _old_catalog(images: pd.DataFrame) -> list[Phrase]:
    """Return how much older the catalog is than an image's database, if it is."""
    as_of = images["db_updated_at"].fillna(images["scanned_at"])
    days = (as_of - images["kev_day"]).dt.days.dropna()
    if days.empty or days.max() < 2:
        return []
    return [
        say(
            "The catalog is up to **{days} older** than the database: what it took up since is not "
            "known to be exploited here.",
            days=number(int(days.max()), "day"),
        )
    ]


def _moved(rows: pd.DataFrame, least: float) -> Phrase:
    """Return how the scores of one image's vulnerabilities moved between captures."""
    lines = [
        say(
            "of {both} in both, {was:,} had EPSS ≥ {least:g} on {earlier:%Y-%m-%d} ({old}), and "
            "{now:,} on {later:%Y-%m-%d} ({new})",
            both=number(row.both, "vulnerability"),
            was=row.was_likely,
            least=least,
            earlier=row.earlier_day,
            old=likelihood.model(row.earlier_model),
            now=row.is_likely,
            later=row.later_day,
            new=likelihood.model(row.later_model),
        )
        for row in rows.itertuples()
    ]
    text = name(rows["variant"].iloc[0]) + ": " + listed(lines, "; ")
    if rows["same_model"].all():
        return text
    return (
        text
        + ". "
        + say(
            "**That is another model and no trend**: how much of it changed in these "
            "vulnerabilities is not known."
        )
    )


def _aliases(findings: pd.DataFrame, counted: Lens) -> list[Phrase]:
    """Return how many were looked up by another id of theirs, if some were."""
    found = lenses.apply(findings, counted)
    by_alias = found["cve_id"].notna() & found["cve_id"].ne(found["vulnerability_id"])
    if not by_alias.any():
        return []
    return [
        say(
            "Scores and catalog know CVE ids only. Looked up by a CVE alias: {count}.",
            count=number(int(by_alias.sum()), "vulnerability"),
        )
    ]
