"""Executables and vulnerabilities: what a vulnerable package installed, and what the app needs.

The blog post says that each executable brings its vulnerabilities along. Here each finding is
compared with the executables and libraries of its package, and with what the app's process loads.
"""

from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import Point, Points
from helpers.answers.talk import SURFACE, Talk
from helpers.frames import UNKNOWN_COUNT
from helpers.images.package_files import no_files
from helpers.surface import tools
from helpers.surface.app_process import COULD_GO, DATA, UNSEEN
from helpers.text import escape, titles
from helpers.text.i18n import msg, t
from helpers.text.rich import Text, names, number, paragraph, say
from helpers.text.titles import Part, fitted, unknown
from helpers.vulnerabilities import lenses, once, shown_counts
from helpers.vulnerabilities.fixes import BLIND
from helpers.vulnerabilities.lenses import Lens

STAYS, PERHAPS, GOES = (
    msg("the app's own, or linked by it"), DATA, COULD_GO,
)  # fmt: skip
"""Parts of what is counted: what stays in any image of the app; what is in packages without a
program, which it may read as data; and what is in packages with programs that it is not linked
with. At most the last two could go."""

_PART = {DATA: PERHAPS, COULD_GO: GOES}
_ORDER = (STAYS, PERHAPS, GOES)


def counted(findings: pd.DataFrame, needed: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return what a lens counts, each with what its package installed and whether it could go.

    The columns of `findings`, then `executables, libraries, need, part`. A vulnerability in several
    packages could go only if all of these could.
    """
    found = lenses.each(findings, lens)
    keys = ["variant", "package", "package_path"]
    needs = needed.drop(columns="place").drop_duplicates(keys)
    both = found.merge(needs, on=keys, how="left", validate="many_to_one")
    both = both.assign(need=both["need"].fillna(UNSEEN), part=both["need"].map(_PART))
    both = both.assign(part=both["part"].fillna(STAYS)).set_axis(found.index)
    # What stays comes first, so that it is kept of a vulnerability in several packages.
    ordered = both.sort_values("part", key=lambda part: part.map(_ORDER.index), kind="stable")
    return once.distinct(ordered, lens.counted).sort_index()


def totals(
    table: pd.DataFrame, needed: pd.DataFrame, files: pd.DataFrame, images: pd.DataFrame
) -> pd.DataFrame:
    """Return what is counted beside executables: one row an image.

    `variant, status, executables, libraries, binaries, count, stays, no_program, not_linked, blind,
    most_libraries`. Counts are NA where an image was not scanned; numbers of files, and what could
    go, where files are not known, or not whose they are, or not what the command starts. `blind`:
    what has no fix cannot be seen there. `most_libraries` is the package with most of the
    libraries, and how many it has; empty if there is none, or that is not known of all packages.
    """
    counts = tools.binaries(files).set_index("variant")
    by_part = table.groupby(["variant", "part"]).size()
    rows: list[tuple[Any, ...]] = []
    for image in images.drop_duplicates("variant").itertuples():
        has_files = image.variant in counts.index
        numbers = tuple(counts.loc[image.variant]) if has_files else (pd.NA, pd.NA)
        parts = [int(by_part.get((image.variant, part), 0)) for part in _ORDER]
        needs = needed[needed["variant"].eq(image.variant)]
        scanned = image.status not in UNKNOWN_COUNT
        count: Any = sum(parts) if scanned else pd.NA
        is_split = has_files and scanned and len(needs) and not needs["need"].eq(UNSEEN).any()
        split = parts if is_split else [pd.NA] * len(parts)
        most = needs[needs["libraries"].notna().all() & needs["libraries"].gt(0)]
        most = most.nlargest(1, "libraries")
        most_libraries = [f"{row.package} {row.libraries:,}" for row in most.itertuples()]
        known = (image.variant, image.status, *numbers, sum(numbers), count, *split)
        rows.append((*known, image.os_family in BLIND, "".join(most_libraries)))
    columns = ["variant", "status", "executables", "libraries", "binaries", "count"]
    columns += ["stays", "no_program", "not_linked", "blind", "most_libraries"]
    types = dict.fromkeys(columns[2:9], "Int64") | {"blind": "boolean"}
    texts = dict.fromkeys(("variant", "status", "most_libraries"), "str")
    return pd.DataFrame(rows, columns=columns).astype(texts | types)


def split_by_need(table: pd.DataFrame) -> pd.DataFrame:
    """Return `totals` as `variant, part, count, status`, where it is known what could go."""
    known = table.dropna(subset="stays")
    parts = [
        known.assign(part=part, count=known[column])
        for part, column in zip(_ORDER, ("stays", "no_program", "not_linked"), strict=True)
    ]
    return pd.concat(parts)[["variant", "part", "count", "status"]].sort_index(kind="stable")


def answer(exposure: pd.DataFrame, lens: Lens) -> Answer:
    """Answer whether images with more executables have more that is counted, of `totals`."""
    placed, text = _placed(exposure), _text(exposure)
    if placed.empty:
        lacks = text.plain
        if missing := no_files(exposure.dropna(subset="binaries")):
            text, lacks = paragraph(missing), missing
        return Answer("executables", text=text, counted=lens.label, lacks=lacks)
    chart = _points(placed, exposure.drop(placed.index), lens.label)
    return Answer("executables", _title(exposure, lens.short), text, placed, chart, lens.label)


def totals_answer(exposure: pd.DataFrame, lens: Lens) -> Answer:
    """Answer the same in numbers: `totals` of each image."""
    shown = exposure.drop(columns=["blind", "most_libraries"])
    return Answer("executables-and-vulnerabilities", table=shown, counted=lens.label)


def packages_answer(exposed: pd.DataFrame, lens: Lens) -> Answer:
    """Answer in which packages what is counted sits, of `counted`."""
    keys = ["variant", "package", "place", "need", "executables", "libraries"]
    groups = exposed.groupby(keys, sort=False, dropna=False)
    sums = groups.agg(purl=("purl", "first"), count=("variant", "size")).reset_index()
    table = sums.sort_values("count", ascending=False, kind="stable", ignore_index=True)
    return Answer("vulnerable-packages", table=table, counted=lens.label, searchable=True)


def listing_answer(findings: pd.DataFrame, needed: pd.DataFrame, lens: Lens) -> Answer:
    """Answer what the package of each finding installed, whatever a lens counts them as."""
    lens = lens._replace(counted=once.FINDINGS)
    columns = ["variant", "vulnerability_id", "severity", "package", "installed_version", "purl"]
    columns += ["executables", "libraries", "need"]
    each = counted(findings, needed, lens)
    table = each.sort_values("severity", ascending=False, kind="stable")[columns]
    table = table.reset_index(drop=True)
    return Answer("findings-and-executables", table=table, counted=lens.label, searchable=True)


def slimmer_answer(exposure: pd.DataFrame, lens: Lens) -> Answer:
    """Answer what an image with only its app and what the app needs would keep, of `totals`."""
    split, text = split_by_need(exposure), _slimmer(exposure)
    if split.empty:
        nothing = t("No image has the data to tell what its app needs.")
        return Answer(
            "slimmer", text=paragraph(nothing), counted=lens.label, role=SLIDE, lacks=nothing
        )
    chart = shown_counts.stacked(split, "part", {p: p for p in _ORDER}, "need", lens.label)
    title = _slimmer_title(exposure, lens.short)
    return Answer(
        "slimmer",
        title,
        text,
        split,
        chart,
        lens.label,
        role=SLIDE,
        talks=(_slimmer_talk(),),
    )


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the images whose executables and count are known."""
    return table.dropna(subset=["binaries", "count"])


def _points(placed: pd.DataFrame, lost: pd.DataFrame, counted: str) -> Points:
    """Return a point an image: what is counted against its executables and libraries."""
    points = [
        Point(
            row.variant,
            float(row.binaries),
            float(row.count),
            f"{escape.short(row.variant, 24)}\n"
            + t("{files:,} files, {count:,}", files=row.binaries, count=row.count),
        )
        for row in placed.itertuples()
    ]
    variants = ", ".join(escape.short(variant, 28) for variant in lost["variant"].head(3))
    return Points(
        points,
        t("number of executables and shared libraries (ELF files)"),
        shown_counts.number_of(counted),
        note=t("not shown, no files or no scan: {variants}", variants=variants) if variants else "",
    )


def _title(table: pd.DataFrame, what: str) -> str:
    """Return what is counted of each image, beside the number of its executables and libraries."""
    placed = _placed(table).sort_values("binaries", kind="stable")
    parts = [
        Part(
            t(
                "{variant} {binaries:,} and {count}",
                variant=escape.short(row.variant, 22),
                binaries=row.binaries,
                count=shown_counts.total(row.count, row.status),
            ),
            (row.binaries, row.count),
            shown_counts.odd(row.status),
        )
        for row in placed.itertuples()
    ]
    parts += [unknown(variant) for variant in table.drop(placed.index)["variant"]]
    return fitted(t("Executables and libraries, and {what}", what=what), parts)


def _text(table: pd.DataFrame) -> Text:
    """Return whether more executables go with more that is counted, and what has none at all."""
    placed = _placed(table)
    if len(placed) < 2:
        return paragraph(
            t("Fewer than two images have a list of files and a scan, so none are compared.")
        )
    note = say(
        "The image with more executables and libraries has the higher count in {both}; by "
        "executables alone, in {alone}. A few images prove no rule.",
        both=_agreement(placed, "binaries"),
        alone=_agreement(placed, "executables"),
    )
    if blind := names(placed[placed["blind"].fillna(False)]):
        note += " " + say("{images}: advisories omit unfixed vulnerabilities.", images=blind)
    return paragraph(note)


def _slimmer_title(table: pd.DataFrame, what: str) -> str:
    """Return for the image that has most to lose how much of what is counted could go."""
    known = table.dropna(subset="stays")
    most = (known["count"] - known["stays"]).astype(int)
    row = known.loc[most.idxmax()]

    def title(what: str) -> str:
        return t(
            "A slimmer {variant} would lose at most {most:,} of {count:,} {what}",
            variant=escape.short(row["variant"], 26),
            most=row["count"] - row["stays"],
            count=row["count"],
            what=what,
        )

    return titles.around(what, title)


def _slimmer_talk() -> Talk:
    spoken = (
        t("This shows what an image would keep with only its app and what the app needs."),
        t("These are upper bounds: while it runs, the app may still open files and programs."),
    )
    return Talk(SURFACE, spoken=spoken)


def _slimmer(table: pd.DataFrame) -> Text:
    """Return what an image that held only its app and its needs would still have."""
    note = say(
        "These are upper bounds: while it runs, the app may still open files and programs. All of "
        "its own packages and all modules of its runtime count as needed."
    )
    if unknown_ := names(table[table["stays"].isna()]):
        note += " " + say("Not known: {variants}.", variants=unknown_)
    return paragraph(note)


def _agreement(table: pd.DataFrame, column: str) -> str:
    """Return in how many pairs of images that differ in a column and in count both go one way.

    Images that are the same in both are one.
    """
    numbers = list(dict.fromkeys(zip(table[column], table["count"], strict=True)))
    pairs = [(a, b) for n, a in enumerate(numbers) for b in numbers[n + 1 :]]
    differ = [(a, b) for a, b in pairs if a[0] != b[0] and a[1] != b[1]]
    agree = sum((a[0] - b[0]) * (a[1] - b[1]) > 0 for a, b in differ)
    return t("{agree} of {pairs}", agree=agree, pairs=number(len(differ), "pair"))
