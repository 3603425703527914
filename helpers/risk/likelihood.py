"""How many vulnerabilities are known to be exploited, how many likely to be, and how many unscored.

EPSS is the probability that exploitation of a CVE is seen anywhere within 30 days of a day
(https://www.first.org/epss/model); KEV is CISA's catalog of what is known to be exploited.
"""

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.talk import RISK, Talk
from helpers.frames import UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, code, listed, paragraph, say
from helpers.text.titles import begun, fitted, part_of, unknown, unmeasured
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
    return Answer(
        "exploitation",
        _title(wide, lens.short),
        paragraph(_known(lenses.apply(findings, lens), wide, lens)),
        counts,
        chart,
        lens.label,
        lens_evidence.sources(findings, images, lens),
        talks=(_talk(),),
    )


def brief_answer(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> Answer:
    """Answer the same in one sentence, for the summary."""
    if not looked_up(images).any():
        return Answer("exploitation-in-brief", counted=lens.label, lacks=nothing_known())
    wide = by_image(findings, images, lens, least)
    parts = []
    for row in wide.itertuples():
        if pd.isna(row.whole) or pd.isna(row.likely):
            parts.append(unknown(row.variant))
        else:
            short, odd = escape.short(row.variant, 24), shown_counts.odd(row.status)
            parts.append(part_of(short, row.likely, row.scored, odd))
    head = t("Others likely to be (EPSS ≥ {least:g}), of those with a score", least=least)
    text = _known(lenses.apply(findings, lens), wide, lens) + f" {fitted(head, parts)}."
    return Answer("exploitation-in-brief", text=paragraph(text), counted=lens.label, role=SUMMARY)


def _known(counted: pd.DataFrame, wide: pd.DataFrame, lens: Lens) -> Phrase:
    """Return which of the counted vulnerabilities are known to be exploited."""
    is_known = is_exploited(counted, lens.known_by)
    text = say("No vulnerability is known to be exploited.")
    if is_known.any():
        text = say("Known to be exploited: {ids}.", ids=_ids(counted[is_known]))
    elif wide.dropna(subset="whole")["exploited"].isna().any():
        text = say("Some images have no record of what is exploited.")
    if len(later := counted[counted["kev_added_at"].notna() & ~is_known]):
        text += " " + say("In the catalog only since then: {ids}.", ids=_ids(later))
    return text


def nothing_known() -> str:
    """Return that no scores and no catalog were recorded, and the command that adds them."""
    return t(
        "These images have no record of exploitation; add it: python -m helpers risk STUDY "
        "--epss FILE --kev FILE"
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
    return fitted(begun(t("{what} known to be exploited", what=what)), parts)


def _talk() -> Talk:
    spoken = (
        t("Each bar is an image."),
        word(lens_evidence.BY_EPSS),
        word(lens_evidence.NO_SCORE),
    )
    return Talk(RISK, spoken=spoken)
