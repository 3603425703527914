"""Sentences that answer: every number in them is computed from a frame.

They are Markdown, in which names are escaped.
"""

from typing import Any

import pandas as pd

from helpers.frames import BROKEN, FAILED, MISSING, NO_OS, NOT_LOOKED, SCANNED, UNKNOWN_COUNT
from helpers.sizes.image_sizes import MB, PUBLISHED, SIZES
from helpers.studies.study import Study
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import listed, name, names, number, share
from helpers.text.titles import MEASURED_AS, broken, difference, shown
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.counting import TOTAL
from helpers.vulnerabilities.lenses import FINDINGS, PLAIN, Lens


def about(study: Study) -> str:
    """Return what a study's evidence is."""
    return " ".join(study.about.split())


def variants(study: Study) -> str:
    """Return where each variant of a study comes from, as a list."""
    lines = [
        f"- {name(v.name)}"
        + (t(" (on `{base}`)", base=v.base) if v.base else "")
        + (f": {v.about}" if v.about else "")
        for v in study.variants
    ]
    return "\n".join(lines)


def not_shown(study: Study) -> str:
    """Return what a study's evidence cannot show, as a list."""
    if not study.not_shown:
        return t("The study names nothing that its evidence cannot show.")
    lines = [f"- {reason}" for reason in study.not_shown]
    return "\n".join([t("**Not measured in this study:**"), "", *lines])


def images(frame: pd.DataFrame) -> str:
    """Return how many images were scanned, and which must be read with care and why."""
    scanned = int((~frame["status"].isin(UNKNOWN_COUNT)).sum())
    told = number(len(frame), "image")
    parts = [t("{scanned} of {images} scanned for vulnerabilities.", scanned=scanned, images=told)]
    for status, care in _CARE.items():
        if named := names(frame[frame["status"].eq(status)]):
            parts.append(f"{word(care)}: {named}.")
    return " ".join(parts)


_CAVEATS = {
    NO_OS: msg(" (its system packages were not looked at)"),
    BROKEN: msg(" (it is broken: it did not answer when started)"),
}

_CARE = {
    BROKEN: msg("Did not answer when it was started, so it is no candidate, however small"),
    FAILED: msg("Its capture failed, so nothing is known"),
    MISSING: msg("No report, so nothing is known"),
    NOT_LOOKED: msg(
        "Only secrets, licences or misconfigurations were looked for, so nothing is known"
    ),
    NO_OS: msg(
        "No operating system was recognised, or none that the scanner knows, so system packages "
        "were not looked at, and a low count is no good sign"
    ),
}


def reproduction(table: pd.DataFrame) -> str:
    """Return whether the counted numbers are the published ones, and where not."""
    if table.empty:
        return t("Nobody published numbers for this study, so there is nothing to reproduce.")
    same = table["published"].eq(table["reproduced"]).fillna(False)
    total = table[table["severity"].eq(TOTAL)]
    pairs = listed(
        t(
            "{variant} {reproduced} of {published}",
            variant=name(row.variant),
            reproduced=shown(row.reproduced),
            published=row.published,
        )
        for row in total.itertuples()
    )
    if same.all() and len(table) == 1:
        return t("The one published number comes out to the digit ({pairs}).", pairs=pairs)
    if same.all():
        return t(
            "All {count} published numbers come out to the digit ({pairs}).",
            count=len(table),
            pairs=pairs,
        )
    wrong = listed(f"{name(w.variant)} {word(w.severity)}" for w in table[~same].itertuples())
    return t(
        "{same} of {count} published numbers come out ({pairs}). Not: {wrong}.",
        same=int(same.sum()),
        count=len(table),
        pairs=pairs,
        wrong=wrong,
    )


def breakdown(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return each image's total and how much of it is HIGH or CRITICAL."""
    serious = counting.totals(counts[counts["severity"].ge("HIGH")])["total"]
    parts = []
    for row in counting.totals(counts).assign(serious=serious).itertuples():
        if pd.isna(row.total):
            parts.append(t("{variant}: not measured", variant=name(row.variant)))
            continue
        told = t(
            "{variant} has {total:,} {what}{caveat}, {serious:,} of them HIGH or CRITICAL",
            variant=name(row.variant),
            total=row.total,
            what=word(what),
            caveat=word(_CAVEATS.get(row.status, "")),
            serious=row.serious,
        )
        parts.append(told)
    return f"{listed(parts, '; ')}."


def hidden(table: pd.DataFrame, images: pd.DataFrame) -> str:
    """Return what an image's total of findings hides: distinct vulnerabilities, and fixes."""
    lines = [f"- {name(row.variant)}: {_told(row)}" for row in table.itertuples()]
    note = t(
        "A finding is a vulnerability in one package, so one vulnerability in two packages is two "
        "findings."
    )
    if alpine := names(images[images["os_family"].eq("alpine")]):
        note += t(
            " Alpine's advisories name only what has a fix, Debian's also what has none: what is "
            "unfixed in {alpine} cannot be seen here.",
            alpine=alpine,
        )
    return "\n".join([*lines, "", note])


def _told(row: Any) -> str:
    if pd.isna(row.findings):
        return t("not measured")
    vulnerabilities = number(row.vulnerabilities, "vulnerability")
    told = f"{number(row.findings, 'finding')}, **{vulnerabilities}**"
    if row.findings:
        told += t(
            ", of the findings **{fixable}** fixable with a newer package",
            fixable=share(row.fixable_findings, row.findings),
        )
    return told


def lens(view: Lens, study: Study) -> str:
    """Return what is counted from here on, and why by that day if by one."""
    text = t("Counted here, unless a figure says otherwise: **{label}**.", label=view.label)
    if view.known_by and view.known_by == str(study.known_by):
        why = escape.markdown(study.known_by_why)
        text += t(" That day is the study's: {why}.", why=why)
    if view.known_by:
        text += t(
            " What has no date is left out; a fix is one that the database knows, of its own day."
        )
    return text


def learned(across: pd.DataFrame, view: Lens = PLAIN) -> str:
    """Return which variant has the fewest under each lens and capture, and whether that changes.

    `view` is the lens that `across` was counted through, whatever it counts.
    """
    known = across[across["status"].eq(SCANNED)].dropna(subset=FINDINGS)
    lines = []
    winners = set()
    for capture, rows in known.groupby("capture"):
        if len(rows) < 2:
            continue
        lenses_won: dict[tuple[str, ...], list[str]] = {}
        for lens, (counted, fixable) in counting.LENS_COLUMNS.items():
            fewest = tuple(rows[rows[lens].eq(rows[lens].min())]["variant"])
            lenses_won.setdefault(fewest, []).append(Lens(counted, fixable).label)
        winners |= set(lenses_won)
        for fewest, won in lenses_won.items():
            under = t("every way of counting") if len(lenses_won) == 1 else listed(won)
            when = f"{escape.markdown(capture)}, " if capture else ""
            lines.append(f"- {when}{under}: {listed(map(name, fewest))}")
    if not winners:
        return t("No capture measured two images, so none has fewer than another.")
    first, *others = winners
    best = listed(map(name, first))
    if others:
        head = t("**Which image has the fewest depends on how and when one counts.** Fewest:")
    elif len(first) > 1:
        head = t("As few in every way that is counted here: {variants}.", variants=best)
    else:
        head = t("{variant} has the fewest in every way that is counted here:", variant=best)
    if narrowed := view.narrowed:
        head += t(" Counted is only what is {narrowed}.", narrowed=narrowed)
    return "\n".join([head, "", *lines])


def sizes(table: pd.DataFrame, size: str) -> str:
    """Return each variant's size and its difference to the baseline."""
    known = table.dropna(subset="bytes")
    if known.empty:
        return t("No size of any variant is known, so none is compared.")
    base = known["baseline"].iloc[0]
    parts = []
    for row in known.itertuples():
        told = t(
            "{variant} is {size:,.1f} MB{broken}",
            variant=name(row.variant),
            size=row.bytes / MB,
            broken=broken(row.status),
        )
        if row.variant != base:
            apart = difference(row.difference_bytes)
            told += t(", {difference} than {base}", difference=apart, base=name(base))
        parts.append(told)
    text = f"{listed(parts, '; ')} ({word(MEASURED_AS[size])})."
    if missing := names(table[table["bytes"].isna()]):
        text += t(" Not known: {variants}.", variants=missing)
    return text


def size_kinds(table: pd.DataFrame) -> str:
    """Return which sizes the evidence has, and what each is."""
    known = table[table["bytes"].notna()]["kind"].unique()
    lacking = [size for size in SIZES if size not in known]
    have = listed(f"`{word(size)}`" for size in known) or t("none")
    text = t(
        "An image has several sizes: unpacked (its layers on disk), compressed (what a registry "
        "sends) and what a daemon prints, which differs by version. Known here: {sizes}.",
        sizes=have,
    )
    if lacking:
        told = listed(f"`{word(size)}`" for size in lacking)
        text += t(" Not measured: {sizes}.", sizes=told)
    return text


def size_reach(table: pd.DataFrame, size: str) -> str:
    """Return what the compared size does and does not say."""
    known = table[table["kind"].eq(size) & table["bytes"].notna()]
    if known.empty:
        return t("No size is known in this study.")
    origins = dict.fromkeys(known["origin"].dropna())
    told = {
        "measured_as": word(MEASURED_AS[size]),
        "origin": listed(escape.markdown(word(origin)) for origin in origins),
    }
    if size != PUBLISHED:
        text = t(
            "The size that was compared, {measured_as}, was measured here; it comes from: "
            "{origin}.",
            **told,
        )
    else:
        text = t(
            "The size that was compared, {measured_as}, was not measured here; it comes from: "
            "{origin}.",
            **told,
        )
    text += t(" A smaller image is not a better one: what it leaves out may be missed.")
    if size == PUBLISHED:
        text += t(" A printed size is rounded, and its differences are no finer than that.")
    return text


def verdicts(table: pd.DataFrame) -> str:
    """Return each claim with its verdict and what that rests on, as a list."""
    if table["evidence"].nunique() == 1:
        why = escape.markdown(table["evidence"].iloc[0])
        return t("No claim of the post is tested: {why}.", why=why)
    lines = [
        f"- {escape.markdown(word(c.claim))}: **{word(c.verdict)}**"
        + f" ({escape.markdown(c.measured or c.evidence)})"
        for c in table.itertuples()
    ]
    note = t(
        "A count is not a risk: whether anything found can be reached in the running app was not "
        "looked at."
    )
    return "\n".join([*lines, "", note])


def claims(table: pd.DataFrame) -> str:
    """Return how many of the blog's claims got which verdict."""
    counts = table["verdict"].value_counts(sort=False)
    parts = [
        t("{count} × *{verdict}*", count=count, verdict=word(str(verdict)))
        for verdict, count in counts.items()
    ]
    return t("Of {claims}: {verdicts}.", claims=number(len(table), "claim"), verdicts=listed(parts))
