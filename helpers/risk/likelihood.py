"""How many vulnerabilities are known to be exploited, how many likely to be, and how many unscored.

EPSS is the probability that exploitation of a CVE is seen anywhere within 30 days of a day
(https://www.first.org/epss/model); KEV is CISA's catalog of what is known to be exploited.
"""

from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.talk import RISK, Talk, some
from helpers.comparability import scan_consistency
from helpers.frames import UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, t
from helpers.text.rich import Phrase, bullets, code, listed, name, paragraph, say, share
from helpers.text.titles import fitted, part_of, unknown, unmeasured
from helpers.vulnerabilities import lens_evidence, lenses, shown_counts
from helpers.vulnerabilities.lenses import LIKELY_FROM, Lens

EXPLOITED, LIKELY = msg("known to be exploited"), msg("likely")
LESS, UNSCORED = msg("less likely"), msg("not scored")
PARTS = (EXPLOITED, LIKELY, LESS, UNSCORED)
"""What is known of the exploitation of a vulnerability, the worst first: each is in one part."""

_NAMED = 3
"""Exploited vulnerabilities that a sentence names."""


def is_exploited(findings: pd.DataFrame, known_by: str = "") -> pd.Series:
    """Return which findings were known to be exploited by their image's day, and by a given one."""
    found = findings["exploited"].fillna(False).astype("bool")
    return found & findings["kev_added_at"].le(known_by).fillna(False) if known_by else found


def part(findings: pd.DataFrame, least: float = LIKELY_FROM, known_by: str = "") -> pd.Series:
    """Return for each finding which of `PARTS` its vulnerability is in, as known by a day."""
    found = pd.Series(UNSCORED, index=findings.index, dtype="str")
    found[findings["epss"].notna()] = LESS
    found[findings["epss"].ge(least).fillna(False)] = LIKELY
    found[is_exploited(findings, known_by)] = EXPLOITED
    return found


def joined(values: pd.Series) -> str:
    """Return the texts of a column that are known, each once."""
    return ", ".join(dict.fromkeys(values.dropna().astype(str)))


def looked_up(images: pd.DataFrame) -> pd.Series:
    """Return for each image whether scores or a catalog say anything of its vulnerabilities."""
    return images["epss_day"].notna() | images["kev_source"].notna()


def by_image(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> pd.DataFrame:
    """Return what is known of each image: `capture, variant, status, whole` and counts of it.

    `exploited` is NA without a catalog; `likely` (others with a score from `least` on), `less` and
    `scored` are without scores. All are NA where vulnerabilities were not looked for.
    """
    counted = lenses.apply(findings, lens)
    keys = ["capture", "variant"]
    is_in = part(counted, least, lens.known_by)
    columns = {
        "whole": True,
        **dict(zip(("exploited", "likely", "less"), map(is_in.eq, PARTS), strict=False)),
        "scored": counted["epss"].notna(),
    }
    sums = counted[keys].assign(**columns).groupby(keys).sum().reset_index()
    table = images[[*keys, "status"]].merge(sums, "left", keys)
    measured = ~images["status"].isin(UNKNOWN_COUNT).to_numpy()
    known = {
        "whole": measured & looked_up(images).to_numpy(),
        "exploited": measured & images["kev_source"].notna().to_numpy(),
        **dict.fromkeys(
            ("likely", "less", "scored"), measured & images["epss_day"].notna().to_numpy()
        ),
    }
    return table.assign(
        **{n: table[n].fillna(0).astype("Int64").where(is_known) for n, is_known in known.items()}
    )


def table(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> pd.DataFrame:
    """Return counts by what is known of exploitation: `capture, variant, status, part, count`.

    Four rows an image, one a part; NA where that is not known, which is no zero.
    """
    wide = by_image(findings, images, lens, least)
    known = ["exploited", "likely", "less"]
    wide["unscored"] = wide["whole"] - wide[known].fillna(0).sum(axis=1)
    by_part = dict(zip(PARTS, [*known, "unscored"], strict=True))
    keys = ["capture", "variant", "status"]
    parts = [wide[keys].assign(part=name, count=wide[of]) for name, of in by_part.items()]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def answer(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> Answer:
    """Answer how many are known to be exploited, since when, and how many are likely to be."""
    if not looked_up(images).any():
        return Answer("exploitation", counted=lens.label, lacks=nothing_known())
    wide, counts = (make(findings, images, lens, least) for make in (by_image, table))
    names = {
        EXPLOITED: t("exploited (KEV)"),
        LIKELY: t("EPSS ≥ {least:g}", least=least),
        LESS: t("EPSS < {least:g}", least=least),
        UNSCORED: UNSCORED,
    }
    there = {EXPLOITED, *counts[counts["count"].gt(0).fillna(False)]["part"]}
    shown = {key: text for key, text in names.items() if key in there}
    # A part of one is too narrow for a number.
    notes = {
        (row.variant, row.capture): t(", {count:,} exploited", count=row.exploited)
        if pd.notna(row.exploited)
        else t(", exploited: not known")
        for row in wide.itertuples()
        if pd.notna(row.whole) and (pd.isna(row.exploited) or row.exploited)
    }
    chart = shown_counts.stacked(counts, "part", shown, "exploitation", lens.label, notes=notes)
    counted = lenses.apply(findings, lens)
    text = bullets(
        name(image.variant)
        + ": "
        + _of_image(counted[counted["variant"].eq(image.variant)], image, least, lens.known_by)
        for image in images.itertuples()
    )
    return Answer(
        "exploitation",
        _title(wide, lens.short),
        text + paragraph(sources(images)),
        counts,
        chart,
        lens.label,
        lens_evidence.sources(findings, images, lens),
        talks=(_talk(wide, lens, least),),
    )


def brief_answer(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> Answer:
    """Answer the same in one sentence, for the summary."""
    if not looked_up(images).any():
        return Answer("exploitation-in-brief", counted=lens.label, lacks=nothing_known())
    counted = lenses.apply(findings, lens)
    exploited = counted[is_exploited(counted, lens.known_by)]
    wide = by_image(findings, images, lens, least).dropna(subset="whole")
    known = say("No vulnerability is known to be exploited.")
    if len(exploited):
        known = say("Known to be exploited: {ids}.", ids=_ids(exploited))
    elif wide["exploited"].isna().any():
        known = say("It is not known of each image whether something is exploited.")
    # What has no score is not unlikely: an image without some is named, whatever its count.
    has_all = wide["scored"].eq(wide["whole"])
    rest = wide[wide["likely"].isna() | wide["likely"].gt(0) | ~has_all.fillna(False)]
    likely = [
        t(
            "{variant} {likely} of {whole:,}",
            variant=escape.plain(row.variant),
            likely=t("not known") if pd.isna(row.likely) else row.likely,
            whole=row.whole,
        )
        + (
            t(" ({scored:,} scored)", scored=row.scored)
            if pd.notna(row.scored) and row.scored < row.whole
            else ""
        )
        for row in rest.itertuples()
    ]
    form = msg("Others likely to be (EPSS ≥ {least:g}): {parts}.")
    if not likely:
        form = msg("No other is likely to be (EPSS ≥ {least:g}).")
    text = known + " " + say(form, least=least, parts=listed(likely))
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
    text = say("No EPSS scores were recorded.")
    if days:
        text = say("Scores: EPSS by FIRST.org, of {days}.", days=listed(days))
    if catalog := lens_evidence.catalog(images):
        text += " " + say("Catalog: by CISA, {catalog}.", catalog=catalog)
    else:
        text += " " + say("No catalog of what is exploited was recorded.")
    if scan_consistency.unlike(images, scan_consistency.SCORES):
        text += " " + say(
            "**The scores of these images are of several days or models, so they cannot be "
            "compared.**"
        )
    return text


def model(name: object) -> str:
    """Return the version of EPSS's model, or that it is not stated."""
    return t("model not stated") if pd.isna(name) else str(name)


def _of_image(counted: pd.DataFrame, image: Any, least: float, known_by: str) -> Phrase:
    """Return what is known of one image: what is exploited, likely, and not scored."""
    if image.status in UNKNOWN_COUNT:
        return say("not measured")
    if pd.isna(image.epss_day) and pd.isna(image.kev_source):
        return say("neither scores nor a catalog were recorded")
    is_known = is_exploited(counted, known_by)
    exploited = counted[is_known]
    if pd.isna(image.kev_source):
        text = say("no catalog was recorded, so what is exploited is not known")
    elif exploited.empty:
        text = say("none of {count:,} known to be exploited", count=len(counted))
    else:
        text = say(
            "**{some:,} of {count:,} known to be exploited**: {ids}",
            some=len(exploited),
            count=len(counted),
            ids=_ids(exploited),
        )
    later = counted[counted["kev_added_at"].notna() & ~is_known]
    if len(later):
        text += say("; added to the catalog after that day: {ids}", ids=_ids(later))
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
    rows = findings.sort_values(["kev_added_at", "vulnerability"]).drop_duplicates("vulnerability")
    named = [
        code(row.vulnerability)
        + t(" ({package}, since {day:%Y-%m-%d})", package=row.package, day=row.kev_added_at)
        for row in rows.head(_NAMED).itertuples()
    ]
    if len(rows) > _NAMED:
        named.append(say("{count:,} more", count=len(rows) - _NAMED))
    return listed(named)


def _title(wide: pd.DataFrame, what: str) -> str:
    """Return how many are known to be exploited in each image."""
    parts = []
    for row in wide.itertuples():
        if pd.isna(row.whole):
            parts.append(unmeasured(row.variant, shown_counts.odd("failed")))
        elif pd.isna(row.exploited):
            parts.append(unknown(row.variant))
        else:
            short = escape.short(row.variant, 24)
            parts.append(part_of(short, row.exploited, row.whole, shown_counts.odd(row.status)))
    return fitted(t("Known to be exploited, {what}", what=what), parts)


def _talk(wide: pd.DataFrame, lens: Lens, least: float) -> Talk:
    each = [
        t(
            "In {variant} {exploited:,} are known to be exploited, and {likely:,} others likely to "
            "be.",
            variant=escape.plain(row.variant),
            exploited=row.exploited,
            likely=row.likely,
        )
        for row in wide.dropna().itertuples()
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
