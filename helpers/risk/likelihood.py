"""How many vulnerabilities are known to be exploited, how many likely to be, and how many unscored.

EPSS is the probability that exploitation of a CVE is seen anywhere within 30 days of a day
(https://www.first.org/epss/model); KEV is CISA's catalog of what is known to be exploited.
"""

from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.talk import RISK, Talk, some
from helpers.frames import UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, t
from helpers.text.rich import Phrase, bullets, code, listed, name, paragraph, say, share
from helpers.text.titles import Part, fitted
from helpers.vulnerabilities import counting, lens_evidence, lenses
from helpers.vulnerabilities.lenses import LIKELY_FROM, Lens

EXPLOITED, LIKELY = msg("known to be exploited"), msg("likely")
LESS, UNSCORED = msg("less likely"), msg("not scored")
PARTS = (EXPLOITED, LIKELY, LESS, UNSCORED)
"""What is known of the exploitation of a vulnerability, the worst first: each is in one part."""

_NAMED = 3
"""Exploited vulnerabilities that a sentence names."""


def part(findings: pd.DataFrame, least: float = LIKELY_FROM) -> pd.Series:
    """Return for each finding which of `PARTS` its vulnerability is in."""
    found = pd.Series(UNSCORED, index=findings.index, dtype="str")
    found[findings["epss"].notna()] = LESS
    found[findings["epss"].ge(least).fillna(False)] = LIKELY
    found[findings["exploited"].fillna(False)] = EXPLOITED
    return found


def looked_up(images: pd.DataFrame) -> pd.Series:
    """Return for each image whether scores or a catalog say anything of its vulnerabilities."""
    return images["epss_day"].notna() | images["kev_source"].notna()


def table(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> pd.DataFrame:
    """Return counts by what is known of exploitation: `capture, variant, status, part, count`.

    Four rows an image, one a part; NA where its vulnerabilities were not looked for, or not looked
    up in scores nor in a catalog.
    """
    counted = lenses.apply(findings, lens)
    keys = ["capture", "variant"]
    sums = counted.assign(part=part(counted, least)).groupby([*keys, "part"]).size()
    every = images[[*keys, "status"]].merge(pd.DataFrame({"part": PARTS}), how="cross")
    counts = every.merge(sums.rename("count").reset_index(), "left", [*keys, "part"])
    known = images["status"].isin(UNKNOWN_COUNT).eq(False) & looked_up(images)
    is_known = known.repeat(len(PARTS)).to_numpy()
    return counts.assign(count=counts["count"].fillna(0).astype("Int64").where(is_known))


def answer(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> Answer:
    """Answer how many are known to be exploited, since when, and how many are likely to be."""
    if not looked_up(images).any():
        return Answer("exploitation", counted=lens.label, lacks=nothing_known())
    counts = table(findings, images, lens, least)
    names = {
        EXPLOITED: t("exploited (KEV)"),
        LIKELY: t("EPSS ≥ {least:g}", least=least),
        LESS: t("EPSS < {least:g}", least=least),
        UNSCORED: UNSCORED,
    }
    there = {EXPLOITED, *counts[counts["count"].gt(0).fillna(False)]["part"]}
    shown = {key: text for key, text in names.items() if key in there}
    chart = counting.stacked(counts, "part", shown, "exploitation", lens.label)
    counted = lenses.apply(findings, lens)
    text = bullets(
        name(image.variant)
        + ": "
        + _of_image(counted[counted["variant"].eq(image.variant)], image, least)
        for image in images.itertuples()
    )
    return Answer(
        "exploitation",
        _title(counts, lens.short),
        text + paragraph(sources(images)),
        counts,
        chart,
        lens.label,
        lens_evidence.sources(findings, images, lens),
        talks=(_talk(counts, counted, lens, least),),
    )


def brief_answer(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> Answer:
    """Answer the same in one sentence, for the summary."""
    if not looked_up(images).any():
        return Answer("exploitation-in-brief", counted=lens.label, lacks=nothing_known())
    counts = table(findings, images, lens, least)
    counted = lenses.apply(findings, lens)
    wide = _wide(counts).dropna()
    exploited = counted[part(counted, least).eq(EXPLOITED)]
    parts = [
        t(
            "{variant} {exploited:,} and {likely:,} of {whole:,}",
            variant=escape.plain(row.variant),
            exploited=row.exploited,
            likely=row.likely,
            whole=row.whole,
        )
        + (t(" ({scored:,} scored)", scored=row.whole - row.unscored) if row.unscored else "")
        for row in wide.itertuples()
    ]
    text = say(
        "**Known to be exploited, and likely to be** (EPSS ≥ {least:g}) of the {what}: {parts}.",
        least=least,
        what=lens.short,
        parts=listed(parts, "; "),
    )
    if len(exploited):
        text += " " + say("First of all: {ids}.", ids=_ids(exploited))
    return Answer("exploitation-in-brief", text=paragraph(text), counted=lens.label, role=SUMMARY)


def nothing_known() -> str:
    """Return that no scores and no catalog were recorded, and the command that adds them."""
    return t(
        "What is known of exploitation was not recorded of these images; python -m helpers risk "
        "STUDY --epss FILE --kev FILE adds it."
    )


def sources(images: pd.DataFrame) -> Phrase:
    """Return whose scores and catalog these are, of which days, and of which models."""
    scores = images.dropna(subset="epss_day").drop_duplicates(["epss_day", "epss_model"])
    days = [f"{row.epss_day:%Y-%m-%d} ({model(row.epss_model)})" for row in scores.itertuples()]
    catalogs = sorted({f"{day:%Y-%m-%d}" for day in images["kev_day"].dropna()})
    known = images[images["kev_source"].notna()]
    text = say("No EPSS scores were recorded.")
    if days:
        text = say("Scores: EPSS by FIRST.org, of {days}.", days=listed(days))
    if catalogs:
        return text + " " + say("Catalog: KEV by CISA, of {days}.", days=listed(catalogs))
    if len(known):
        return text + " " + say("Catalog: KEV by CISA, as Grype's database has it.")
    return text + " " + say("No catalog of what is exploited was recorded.")


def model(name: object) -> str:
    """Return the version of EPSS's model, or that it is not stated."""
    return t("model not stated") if pd.isna(name) else str(name)


def _of_image(counted: pd.DataFrame, image: Any, least: float) -> Phrase:
    """Return what is known of one image: what is exploited, likely, and not scored."""
    if image.status in UNKNOWN_COUNT:
        return say("not measured")
    if pd.isna(image.epss_day) and pd.isna(image.kev_source):
        return say("neither scores nor a catalog were recorded")
    parts = part(counted, least)
    exploited = counted[parts.eq(EXPLOITED)]
    if pd.isna(image.kev_source):
        text = say("no catalog was recorded, so what is exploited is not known")
    elif exploited.empty:
        text = say("none of {count:,} known to be exploited", count=len(counted))
    else:
        text = say(
            "**{some} known to be exploited**: {ids}",
            some=share(len(exploited), len(counted)),
            ids=_ids(exploited),
        )
    later = counted[counted["kev_added_at"].notna() & parts.ne(EXPLOITED)]
    if len(later):
        text += say("; added to the catalog after the image's day: {ids}", ids=_ids(later))
    if pd.isna(image.epss_day):
        return text + say("; no scores were recorded")
    likely = counted["epss"].ge(least).fillna(False)
    return text + say(
        "; {likely:,} with EPSS ≥ {least:g}, and a score for {scored}",
        likely=int(likely.sum()),
        least=least,
        scored=share(int(counted["epss"].notna().sum()), len(counted)),
    )


def _ids(findings: pd.DataFrame) -> Phrase:
    """Return vulnerabilities with their package and since when they are in the catalog."""
    rows = findings.sort_values(["kev_added_at", "vulnerability_id"]).drop_duplicates("cve_id")
    named = [
        code(row.vulnerability_id)
        + t(" ({package}, since {day:%Y-%m-%d})", package=row.package, day=row.kev_added_at)
        for row in rows.head(_NAMED).itertuples()
    ]
    if len(rows) > _NAMED:
        named.append(say("{count:,} more", count=len(rows) - _NAMED))
    return listed(named)


def _wide(counts: pd.DataFrame) -> pd.DataFrame:
    """Return one row an image: `variant, status, exploited, likely, unscored, whole`."""
    rows = []
    for (_, variant, status), image in counts.groupby(["capture", "variant", "status"], sort=False):
        by_part = image.set_index("part")["count"]
        rows.append(
            (
                variant,
                status,
                by_part[EXPLOITED],
                by_part[LIKELY],
                by_part[UNSCORED],
                by_part.sum(skipna=False),
            )
        )
    columns = ["variant", "status", "exploited", "likely", "unscored", "whole"]
    return pd.DataFrame(rows, columns=columns)


def _title(counts: pd.DataFrame, what: str) -> str:
    """Return how many are known to be exploited in each image."""
    parts = []
    for row in _wide(counts).itertuples():
        short = escape.short(row.variant, 24)
        if pd.isna(row.whole):
            parts.append(
                Part(t("{variant} not measured", variant=short), odd=counting.odd("failed"))
            )
            continue
        text = t(
            "{variant} {part:,} of {whole}", variant=short, part=row.exploited, whole=row.whole
        )
        parts.append(Part(text, (row.exploited,), counting.odd(row.status)))
    return fitted(t("Known to be exploited, {what}", what=what), parts)


def _talk(counts: pd.DataFrame, counted: pd.DataFrame, lens: Lens, least: float) -> Talk:
    wide = _wide(counts).dropna()
    each = [
        t(
            "In {variant} {exploited:,} are known to be exploited, and {likely:,} others likely to "
            "be.",
            variant=escape.plain(row.variant),
            exploited=row.exploited,
            likely=row.likely,
        )
        for row in wide.itertuples()
    ]
    spoken = (
        t(
            "These colours say what is known of the exploitation of the {what}.",
            what=lens.short,
        ),
        *some(each),
        t(
            "Likely means a probability of {least:.0%} or more within thirty days, anywhere in the "
            "world.",
            least=least,
        ),
        t("What has no score is not harmless: nobody has scored it yet."),
    )
    return Talk(RISK, spoken=spoken)
