"""Sentences that answer: every number in them is computed from a frame.

They are Markdown, in which names are escaped.
"""

from typing import Any

import pandas as pd

from helpers import compare, escape
from helpers.compare import TOTAL
from helpers.frames import BROKEN, FAILED, MISSING, NO_OS, NOT_LOOKED, SCANNED, UNKNOWN_COUNT
from helpers.headlines import MEASURED_AS, broken, difference, shown
from helpers.lenses import FINDINGS, PLAIN, Lens
from helpers.sizes import MB, PUBLISHED, SIZES
from helpers.study import Study
from helpers.words import listed, name, names, number, share


def about(study: Study) -> str:
    """Return what a study's evidence is."""
    return " ".join(study.about.split())


def variants(study: Study) -> str:
    """Return where each variant of a study comes from, as a list."""
    lines = [
        f"- {name(v.name)}"
        + (f" (on `{v.base}`)" if v.base else "")
        + (f": {v.about}" if v.about else "")
        for v in study.variants
    ]
    return "\n".join(lines)


def not_shown(study: Study) -> str:
    """Return what a study's evidence cannot show, as a list."""
    if not study.not_shown:
        return "The study names nothing that its evidence cannot show."
    listed = "\n".join(f"- {reason}" for reason in study.not_shown)
    return f"**Not measured in this study:**\n\n{listed}"


def images(frame: pd.DataFrame) -> str:
    """Return how many images were scanned, and which must be read with care and why."""
    scanned = int((~frame["status"].isin(UNKNOWN_COUNT)).sum())
    parts = [f"{scanned} of {number(len(frame), 'image')} scanned for vulnerabilities."]
    for status, told in _CARE.items():
        if named := names(frame[frame["status"].eq(status)]):
            parts.append(f"{told}: {named}.")
    return " ".join(parts)


_CAVEATS = {
    NO_OS: " (its system packages were not looked at)",
    BROKEN: " (it is broken: it did not answer when started)",
}

_CARE = {
    BROKEN: "Did not answer when it was started, so it is no candidate, however small",
    FAILED: "Its capture failed, so nothing is known",
    MISSING: "No report, so nothing is known",
    NOT_LOOKED: "Only secrets, licences or misconfigurations were looked for, so nothing is known",
    NO_OS: (
        "No operating system was recognised, so system packages were not looked at, and a low "
        "count is no good sign"
    ),
}


def reproduction(table: pd.DataFrame) -> str:
    """Return whether the counted numbers are the published ones, and where not."""
    if table.empty:
        return "Nobody published numbers for this study, so there is nothing to reproduce."
    same = table["published"].eq(table["reproduced"]).fillna(False)
    total = table[table["severity"].eq(TOTAL)]
    pairs = listed(
        f"{name(t.variant)} {shown(t.reproduced)} of {t.published}" for t in total.itertuples()
    )
    if same.all():
        every = f"All {len(table)} published numbers come"
        if len(table) == 1:
            every = "The one published number comes"
        return f"{every} out to the digit ({pairs})."
    wrong = listed(f"{name(t.variant)} {t.severity}" for t in table[~same].itertuples())
    return f"{int(same.sum())} of {len(table)} published numbers come out ({pairs}). Not: {wrong}."


def breakdown(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return each image's total and how much of it is HIGH or CRITICAL."""
    serious = compare.totals(counts[counts["severity"].ge("HIGH")])["total"]
    parts = []
    for t in compare.totals(counts).assign(serious=serious).itertuples():
        if pd.isna(t.total):
            parts.append(f"{name(t.variant)}: not measured")
            continue
        caveat = _CAVEATS.get(t.status, "")
        told = f"{name(t.variant)} has {t.total:,} {what}{caveat}"
        parts.append(f"{told}, {t.serious:,} of them HIGH or CRITICAL")
    return f"{listed(parts, '; ')}."


def hidden(table: pd.DataFrame, images: pd.DataFrame) -> str:
    """Return what an image's total of findings hides: distinct vulnerabilities, and fixes."""
    lines = [f"- {name(t.variant)}: {_told(t)}" for t in table.itertuples()]
    note = (
        "A finding is a vulnerability in one package, so one vulnerability in two packages is two "
        "findings."
    )
    if alpine := names(images[images["os_family"].eq("alpine")]):
        note += (
            " Alpine's advisories name only what has a fix, Debian's also what has none: what is "
            f"unfixed in {alpine} cannot be seen here."
        )
    return "\n".join([*lines, "", note])


def _told(row: Any) -> str:
    if pd.isna(row.findings):
        return "not measured"
    vulnerabilities = number(row.vulnerabilities, "vulnerability")
    told = f"{number(row.findings, 'finding')}, **{vulnerabilities}**"
    if row.findings:
        fixable = share(row.fixable_findings, row.findings)
        told += f", of the findings **{fixable}** fixable with a newer package"
    return told


def lens(view: Lens, study: Study) -> str:
    """Return what is counted from here on, and why by that day if by one."""
    text = f"Counted here, unless a figure says otherwise: **{view.label}**."
    if view.known_by and view.known_by == str(study.known_by):
        text += f" That day is the study's: {escape.markdown(study.known_by_why)}."
    if view.known_by:
        text += (
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
        for lens, told in compare.LENS_LABELS.items():
            fewest = tuple(rows[rows[lens].eq(rows[lens].min())]["variant"])
            lenses_won.setdefault(fewest, []).append(told)
        winners |= set(lenses_won)
        for fewest, won in lenses_won.items():
            under = "every way of counting" if len(lenses_won) == 1 else listed(won)
            when = f"{escape.markdown(capture)}, " if capture else ""
            lines.append(f"- {when}{under}: {listed(map(name, fewest))}")
    if not winners:
        return "No capture measured two images, so none has fewer than another."
    first, *others = winners
    if others:
        head = "**Which image has the fewest depends on how and when one counts.** Fewest:"
    elif len(first) > 1:
        head = f"As few in every way that is counted here: {listed(map(name, first))}."
    else:
        head = f"{name(first[0])} has the fewest in every way that is counted here:"
    if narrowed := view.narrowed:
        head += f" Counted is only what is {narrowed}."
    return "\n".join([head, "", *lines])


def sizes(table: pd.DataFrame, size: str) -> str:
    """Return each variant's size and its difference to the baseline."""
    known = table.dropna(subset="bytes")
    if known.empty:
        return "No size of any variant is known, so none is compared."
    base = known["baseline"].iloc[0]
    parts = [
        f"{name(k.variant)} is {k.bytes / MB:,.1f} MB{broken(k.status)}"
        + ("" if k.variant == base else f", {difference(k.difference_bytes)} than {name(base)}")
        for k in known.itertuples()
    ]
    text = f"{listed(parts, '; ')} ({MEASURED_AS[size]})."
    if missing := names(table[table["bytes"].isna()]):
        text += f" Not known: {missing}."
    return text


def size_kinds(table: pd.DataFrame) -> str:
    """Return which sizes the evidence has, and what each is."""
    known = table[table["bytes"].notna()]["kind"].unique()
    lacking = [size for size in SIZES if size not in known]
    have = listed(f"`{size}`" for size in known) or "none"
    text = (
        "An image has several sizes: unpacked (its layers on disk), compressed (what a registry "
        f"sends) and what a daemon prints, which differs by version. Known here: {have}."
    )
    return text + (f" Not measured: {listed(f'`{size}`' for size in lacking)}." if lacking else "")


def size_reach(table: pd.DataFrame, size: str) -> str:
    """Return what the compared size does and does not say."""
    known = table[table["kind"].eq(size) & table["bytes"].notna()]
    if known.empty:
        return "No size is known in this study."
    origin = listed(dict.fromkeys(escape.markdown(o) for o in known["origin"].dropna()))
    measured = "was measured here" if size != PUBLISHED else "was not measured here"
    text = (
        f"The size that was compared, {MEASURED_AS[size]}, {measured}; it comes from: {origin}. "
        "A smaller image is not a better one: what it leaves out may be missed."
    )
    if size == PUBLISHED:
        text += " A printed size is rounded, and its differences are no finer than that."
    return text


def verdicts(table: pd.DataFrame) -> str:
    """Return each claim with its verdict and what that rests on, as a list."""
    if table["evidence"].nunique() == 1:
        return f"No claim of the post is tested: {escape.markdown(table['evidence'].iloc[0])}."
    lines = [
        f"- {escape.markdown(c.claim)}: **{c.verdict}**"
        + f" ({escape.markdown(c.measured or c.evidence)})"
        for c in table.itertuples()
    ]
    note = (
        "A count is not a risk: whether anything found can be reached in the running app was not "
        "looked at."
    )
    return "\n".join([*lines, "", note])


def claims(table: pd.DataFrame) -> str:
    """Return how many of the blog's claims got which verdict."""
    counts = table["verdict"].value_counts(sort=False)
    parts = [f"{count} × *{verdict}*" for verdict, count in counts.items()]
    return f"Of {number(len(table), 'claim')}: {listed(parts)}."
