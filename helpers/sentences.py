"""Sentences that answer: every number in them is computed from a frame.

Titles are plain text; everything else is Markdown in which names are escaped.
"""

from collections.abc import Iterable

import pandas as pd

from helpers import compare, escape
from helpers.compare import FINDINGS, MB, TOTAL
from helpers.frames import MISSING, NO_OS
from helpers.study import Study

MEASURED_AS = {
    compare.UNPACKED: "unpacked",
    compare.COMPRESSED: "compressed",
    compare.PUBLISHED: "as published",
}


def about(study: Study) -> str:
    """Return what a study's evidence is, and where each variant comes from."""
    lines = [
        f"- {name(v.name)}" + (f" (on `{v.base}`)" if v.base else "") + f": {v.about}"
        for v in study.variants
    ]
    return "\n".join([" ".join(study.about.split()), "", *lines])


def not_shown(study: Study) -> str:
    """Return what a study's evidence cannot show, as a list."""
    if not study.not_shown:
        return "The study names nothing that its evidence cannot show."
    listed = "\n".join(f"- {reason}" for reason in study.not_shown)
    return f"**Not measured in this study:**\n\n{listed}"


def images(frame: pd.DataFrame) -> str:
    """Return how many images were scanned, and which must be read with care and why."""
    scanned = int(frame["status"].ne(MISSING).sum())
    parts = [f"{scanned} of {_number(len(frame), 'image')} scanned."]
    if names := _names(frame[frame["status"].eq(MISSING)]):
        parts.append(f"No report, so nothing is known: {names}.")
    if names := _names(frame[frame["status"].eq(NO_OS)]):
        parts.append(
            f"**No operating system was recognised in {names}:** its system packages were not "
            "looked at, so a low count there is no good sign."
        )
    if names := _names(frame[frame["os_eol"].fillna(False)]):
        days = " and ".join(sorted(frame["scanned_at"].dropna().dt.strftime("%Y-%m-%d").unique()))
        parts.append(
            f"Past the end of life of its operating system when scanned ({days}): {names}. "
            "Its advisories are complete only up to then."
        )
    return " ".join(parts)


def reproduction(table: pd.DataFrame) -> str:
    """Return whether the counted numbers are the published ones, and where not."""
    if table.empty:
        return "Nobody published numbers for this study, so there is nothing to reproduce."
    same = table["published"].eq(table["reproduced"]).fillna(False)
    total = table[table["severity"].eq(TOTAL)]
    pairs = _list(
        f"{name(t.variant)} {_of(t.reproduced)} of {t.published}" for t in total.itertuples()
    )
    if same.all():
        return f"All {len(table)} published numbers come out to the digit ({pairs})."
    wrong = _list(f"{name(t.variant)} {t.severity}" for t in table[~same].itertuples())
    return f"{int(same.sum())} of {len(table)} published numbers come out ({pairs}). Not: {wrong}."


def counted(lens: str, fixable: bool) -> str:
    """Return what a lens counts, for a label."""
    return f"{'fixable ' if fixable else ''}{lens}"


def breakdown_title(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return the headline of a severity breakdown: totals, the largest first."""
    totals = compare.totals(counts).sort_values("total", ascending=False, kind="stable")
    known = totals.dropna(subset="total")
    parts = [f"{_title_name(t.variant)} {t.total:,}" for t in known.itertuples()]
    lost = [f"{_title_name(v)} not measured" for v in totals[totals["total"].isna()]["variant"]]
    return f"{what.capitalize()}: {', '.join(filter(None, [_title_list(parts), *lost[:2]]))}"


def breakdown(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return each image's total and how much of it is HIGH or CRITICAL."""
    serious = counts[counts["severity"].ge("HIGH")]
    totals = compare.totals(counts).assign(serious=compare.totals(serious)["total"])
    parts = [
        f"{name(t.variant)} has {_of(t.total)} {what}, {_of(t.serious)} of them HIGH or CRITICAL"
        for t in totals.itertuples()
    ]
    return f"{_list(parts, '; ')}."


def hidden(table: pd.DataFrame) -> str:
    """Return what an image's total of findings hides: distinct vulnerabilities, and fixes."""
    lines = [
        f"- {name(t.variant)}: {_number(t.findings, 'finding')}, "
        f"**{_number(t.vulnerabilities, 'vulnerability')}**, of the findings "
        f"**{_share(t.fixable_findings, t.findings)}** fixable with a newer package"
        for t in table.itertuples()
    ]
    note = (
        "A finding is a vulnerability in one package, so one vulnerability in two packages is two "
        "findings. Alpine's advisories name only what has a fix, Debian's also what has none: "
        "an unfixed vulnerability of an Alpine image cannot be seen here."
    )
    return "\n".join([*lines, "", note])


def captures_title(counts: pd.DataFrame, what: str = FINDINGS) -> str:
    """Return the headline of the same images under several captures: every total, in time."""
    totals = compare.totals(counts).sort_values("capture", kind="stable")
    captures = totals["capture"].unique()
    parts = [
        f"{_title_name(variant)} {' → '.join(map(_of, rows['total']))}"
        for variant, rows in totals.groupby("variant", sort=False)
    ]
    return f"{what.capitalize()}, {' → '.join(captures)}: {_title_list(parts)}"


def captures(table: pd.DataFrame, moved: pd.DataFrame) -> str:
    """Return how the same images' counts moved between captures, and why that is no merit."""
    if table["capture"].nunique() < 2:
        return "This study has one capture, so nothing can be said of how its counts moved."
    parts = [
        f"{name(m.variant)}: {_number(m.appeared, 'vulnerability')} appeared, {m.gone} went"
        for m in moved.itertuples()
    ]
    return (
        f"Nothing changed in the images, only what is known of them. {_list(parts, '; ')}. "
        "A count that hardly moves is no merit of an image: a distribution past its end of life "
        "publishes no more advisories, and what is not published is not counted."
    )


def learned(by_lens: pd.DataFrame, across: pd.DataFrame) -> str:
    """Return which variant has the fewest under each lens and capture, and whether that changes."""
    lenses = [column for column in by_lens if column not in ("capture", "variant")]
    lines, winners = [], set()
    for capture, rows in across.groupby("capture"):
        for lens in lenses:
            known = rows.dropna(subset=lens)
            if known.empty:
                continue
            fewest = known[known[lens].eq(known[lens].min())]["variant"]
            winners.add(tuple(sorted(fewest)))
            label = f"{str(lens).replace('_', ' ')}, {escape.markdown(capture)}"
            lines.append(f"- {label}: fewest on {_list(name(v) for v in fewest)}")
    if not lines:
        return "No image was measured, so nothing was learned."
    steady = (
        "under every lens and capture"
        if len(winners) == 1
        else (
            "under some lenses and captures only: **the answer depends on how and when one counts**"
        )
    )
    return "\n".join([f"One image has the fewest {steady}.", "", *lines])


def size_title(table: pd.DataFrame, size: str) -> str:
    """Return the headline of a size comparison."""
    known = table.dropna(subset="bytes")
    if len(known) < 2:
        return f"Image size, {MEASURED_AS[size]}: nothing to compare"
    base = known["baseline"].iloc[0]
    others = known[known["variant"].ne(base)]
    parts = [
        f"{_title_name(o.variant)} {_difference(o.difference_bytes)}" for o in others.itertuples()
    ]
    return f"Size against {_title_name(base)}, {MEASURED_AS[size]}: {_title_list(parts)}"


def sizes(table: pd.DataFrame, size: str) -> str:
    """Return each variant's size and its difference to the baseline."""
    known = table.dropna(subset="bytes")
    if known.empty:
        return "No size of any variant is known, so none is compared."
    base = known["baseline"].iloc[0]
    parts = [
        f"{name(k.variant)} is {k.bytes / MB:,.1f} MB"
        + ("" if k.variant == base else f", {_difference(k.difference_bytes)} than {name(base)}")
        for k in known.itertuples()
    ]
    text = f"{_list(parts, '; ')} ({MEASURED_AS[size]})."
    if missing := _names(table[table["bytes"].isna()]):
        text += f" Not known: {missing}."
    return text


def size_kinds(table: pd.DataFrame) -> str:
    """Return which sizes the evidence has, and what each is."""
    known = table[table["bytes"].notna()]["size"].unique()
    lacking = [size for size in compare.SIZES if size not in known]
    have = _list(f"`{size}`" for size in known) or "none"
    text = (
        "An image has several sizes: unpacked (its layers on disk), compressed (what a registry "
        f"sends) and what a daemon prints, which differs by version. Known here: {have}."
    )
    return text + (f" Not measured: {_list(f'`{size}`' for size in lacking)}." if lacking else "")


def size_reach(table: pd.DataFrame, size: str) -> str:
    """Return what the compared size does and does not say."""
    known = table[table["size"].eq(size) & table["bytes"].notna()]
    if known.empty:
        return "No size is known in this study."
    origin = _list(dict.fromkeys(escape.markdown(o) for o in known["origin"].dropna()))
    measured = "was measured here" if size != compare.PUBLISHED else "was not measured here"
    return (
        f"The size that was compared, {MEASURED_AS[size]}, {measured}; it comes from: {origin}. "
        "Where the bytes of a difference are is not told by totals."
    )


def verdicts(table: pd.DataFrame) -> str:
    """Return each claim with its verdict, as a list."""
    lines = [
        f"- *{verdict}*: {escape.markdown(text)}"
        for text, verdict in zip(table["claim"], table["verdict"], strict=True)
    ]
    return "\n".join(
        [
            *lines,
            "",
            "A count is not a risk: whether anything found can be reached in "
            "the running app was not looked at.",
        ]
    )


def claims(table: pd.DataFrame) -> str:
    """Return how many of the blog's claims got which verdict."""
    counts = table["verdict"].value_counts(sort=False)
    parts = [f"{count} × *{verdict}*" for verdict, count in counts.items()]
    return f"Of {_number(len(table), 'claim')}: {_list(parts)}."


def name(variant: object) -> str:
    """Return a variant's name, for Markdown."""
    return f"**{escape.markdown(variant)}**"


def _title_name(variant: object) -> str:
    return escape.short(variant, 30)


def _title_list(parts: list[str]) -> str:
    """Return what fits into a headline: of many, the first and the last."""
    return ", ".join(parts if len(parts) <= 3 else [parts[0], "…", parts[-1]])


def _names(frame: pd.DataFrame) -> str:
    return _list(name(variant) for variant in dict.fromkeys(frame["variant"]))


def _list(parts: Iterable[str], separator: str = ", ") -> str:
    return separator.join(parts)


def _number(count: object, noun: str) -> str:
    """Return a count with its noun; `not measured` for NA."""
    if pd.isna(count):
        return f"{noun} count not measured"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def _of(count: object) -> str:
    return "not measured" if pd.isna(count) else f"{count:,}"


def _share(part: object, whole: object) -> str:
    if pd.isna(part) or pd.isna(whole):
        return "not measured"
    return "none" if part == 0 else "all" if part == whole else f"{part:,} of {whole:,}"


def _difference(size_bytes: float) -> str:
    return f"{abs(size_bytes) / MB:,.1f} MB {'larger' if size_bytes >= 0 else 'smaller'}"
