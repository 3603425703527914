"""Executables and vulnerabilities: what a package that has some brings along, and what is needed.

The blog post says that each executable brings its vulnerabilities along. Here each finding is held
beside the executables and libraries of its package, and beside what the app's own process loads.
"""

from typing import Any

import pandas as pd

from helpers.frames import UNKNOWN_COUNT
from helpers.surface import tools
from helpers.surface.app_process import COULD_GO, DATA, UNSEEN
from helpers.text import escape
from helpers.text.i18n import msg, t
from helpers.text.markdown import name, names, number, share
from helpers.text.titles import Part, fitted, odd, total, unknown
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.fixes import BLIND
from helpers.vulnerabilities.lenses import Lens

STAYS, PERHAPS, GOES = (
    msg("the app's own, or linked by it"), msg("no program in it"), msg("not linked by it"),
)  # fmt: skip
"""Parts of what is counted: what stays in any image of the app; what is in packages without a
program, which it may read as data; and what is in packages with programs that it is not linked
with. At most the last two could go."""

UNKNOWN = msg("What the app needs is known of no image here, so there is no picture of it.")

_PART = {DATA: PERHAPS, COULD_GO: GOES}
_ORDER = (STAYS, PERHAPS, GOES)


def counted(findings: pd.DataFrame, needed: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return what a lens counts, each with what its package installed and whether it could go.

    The columns of `findings`, then `executables, libraries, need, part`. A vulnerability in several
    packages could go only if all of these could.
    """
    seen = lenses.apply(findings, lens._replace(counted=lenses.FINDINGS))
    keys = ["variant", "package", "package_path"]
    one = needed.drop(columns="place").drop_duplicates(keys)
    both = seen.merge(one, on=keys, how="left", validate="many_to_one")
    both = both.assign(need=both["need"].fillna(UNSEEN), part=both["need"].map(_PART))
    both = both.assign(part=both["part"].fillna(STAYS)).set_axis(seen.index)
    # What stays comes first, and so is what is kept of several.
    ordered = both.sort_values("part", key=lambda part: part.map(_ORDER.index), kind="stable")
    return lenses.distinct(ordered, lens.counted).sort_index()


def listing(table: pd.DataFrame) -> pd.DataFrame:
    """Return `counted` for readers: each row with what its package installed, most severe first."""
    columns = ["variant", "vulnerability_id", "severity", "package", "installed_version"]
    columns += ["executables", "libraries", "need"]
    ordered = table.sort_values("severity", ascending=False, kind="stable")
    return ordered[columns].reset_index(drop=True)


def by_package(table: pd.DataFrame) -> pd.DataFrame:
    """Return the packages that what is counted sits in, and what each installed, most first."""
    keys = ["variant", "package", "place", "need", "executables", "libraries"]
    sums = table.groupby(keys, sort=False, dropna=False).size().rename("count").reset_index()
    return sums.sort_values("count", ascending=False, kind="stable", ignore_index=True)


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
        own = needed[needed["variant"].eq(image.variant)]
        scanned = image.status not in UNKNOWN_COUNT
        count: Any = sum(parts) if scanned else pd.NA
        seen = has_files and scanned and len(own) and not own["need"].eq(UNSEEN).any()
        split_ = parts if seen else [pd.NA] * len(parts)
        most = own[own["libraries"].notna().all() & own["libraries"].gt(0)]
        most = most.nlargest(1, "libraries")
        told = [f"{p.package} {p.libraries:,}" for p in most.itertuples()]
        known = (image.variant, image.status, *numbers, sum(numbers), count, *split_)
        rows.append((*known, image.os_family in BLIND, "".join(told)))
    names = ["variant", "status", "executables", "libraries", "binaries", "count"]
    names += ["stays", "no_program", "not_linked", "blind", "most_libraries"]
    types = dict.fromkeys(names[2:9], "Int64") | {"blind": "boolean"}
    texts = dict.fromkeys(("variant", "status", "most_libraries"), "str")
    return pd.DataFrame(rows, columns=names).astype(texts | types)


def split(table: pd.DataFrame) -> pd.DataFrame:
    """Return `totals` as `variant, part, count, status`: for the chart."""
    seen = table.dropna(subset="stays")
    columns = ("stays", "no_program", "not_linked")
    parts = [
        seen.assign(part=part, count=seen[column])
        for part, column in zip(_ORDER, columns, strict=True)
    ]
    return pd.concat(parts)[["variant", "part", "count", "status"]].sort_index(kind="stable")


def headline(table: pd.DataFrame, what: str) -> str:
    """Return what is counted of each image, beside the number of its executables and libraries."""
    head = t("Executables and libraries, and {what}", what=what)
    seen = table.dropna(subset=["binaries", "count"]).sort_values("binaries", kind="stable")
    if seen.empty:
        return f"{head}: {t('not known')}"
    parts = [
        Part(
            t(
                "{variant} {binaries:,} and {count}",
                variant=escape.short(r.variant, 22),
                binaries=r.binaries,
                count=total(r.count, r.status),
            ),
            (r.binaries, r.count),
            odd(r.status),
        )
        for r in seen.itertuples()
    ]
    parts += [unknown(variant) for variant in table.drop(seen.index)["variant"]]
    return fitted(head, parts)


def sentence(table: pd.DataFrame, each: pd.DataFrame, what: str) -> str:
    """Return whether more executables go with more that is counted, and what has none at all.

    `table` are `totals`, `each` what they add up, as `counted` returns it.
    """
    seen = table.dropna(subset=["binaries", "count"])
    if len(seen) < 2:
        return t("The files of two images are not known, so executables are held beside nothing.")
    lines = []
    for row in seen.itertuples():
        own = each[each["variant"].eq(row.variant)]
        most = ""
        if row.most_libraries:
            most = t(" ({package} of them)", package=escape.markdown(row.most_libraries))
        beside = {
            "variant": name(row.variant),
            "count": row.count,
            "executables": number(row.executables, "executable"),
            "libraries": row.libraries,
            "most": most,
        }
        if own["executables"].isna().any():
            told = t(
                "- {variant}: {count:,} beside {executables} and {libraries:,} shared libraries"
                "{most}; how many of them are in packages without an ELF file is not known",
                **beside,
            )
        else:
            without = int((own["executables"].eq(0) & own["libraries"].eq(0)).sum())
            told = t(
                "- {variant}: {count:,} beside {executables} and {libraries:,} shared libraries"
                "{most}; {without} in packages without an ELF file, such as JavaScript",
                without=share(without, row.count),
                **beside,
            )
        lines.append(told)
    note = t(
        "Counted: {what}. Of two images that differ in both, the one with more executables and "
        "libraries has more in {both}; the one with more executables alone in {alone}. A few "
        "images show no rule, and what belongs to no package is counted among the files and in no "
        "total.",
        what=what,
        both=_agreement(seen, "binaries"),
        alone=_agreement(seen, "executables"),
    )
    if blind := names(seen[seen["blind"].fillna(False)]):
        note += " " + t(
            "What has no fix cannot be seen in {images}, so it may have more than is counted.",
            images=blind,
        )
    return "\n".join([*lines, "", note])


def slimmer_headline(table: pd.DataFrame, what: str) -> str:
    """Return for the image that has most to lose how much of what is counted could go."""
    seen = table.dropna(subset="stays")
    if seen.empty:
        return t("What a slimmer image would lose is not known")
    could = (seen["no_program"] + seen["not_linked"]).astype(int)
    row, most = seen.loc[could.idxmax()], could.max()
    if not seen["count"].any():
        return t("Slimmer images: no {what} are counted that could go", what=what)
    if not most:
        return t("Slimmer images: the apps and what they link have all of the {what}", what=what)
    return t(
        "Slimmer images, {what}: in {variant} at most {most:,} of {count:,} could go",
        what=what,
        variant=escape.short(row["variant"], 26),
        most=most,
        count=row["count"],
    )


def slimmer(table: pd.DataFrame, what: str) -> str:
    """Return what could go at most if an image held only its app and what that needs, as a list."""
    lines = [f"- {name(row.variant)}: {_could_go(row)}" for row in table.itertuples()]
    note = t(
        "Counted: {what}. An upper bound: the app is taken to be started without a shell and "
        "without an installer of packages, and may still open libraries, files and programs while "
        "it runs, which files do not tell. Whether the app needs all of its own packages was not "
        "asked.",
        what=what,
    )
    return "\n".join([*lines, "", note])


def _could_go(row: Any) -> str:
    if pd.isna(row.stays) and pd.notna(row.binaries) and pd.notna(row.count):
        return t("which program its command starts is not known, or who owns its files")
    if pd.isna(row.stays):
        return t("its files are not known, or not which program its command starts")
    if not row.count:
        return t("nothing is counted that could go")
    if row.stays == row.count:
        return t(
            "none of {count:,} could go: all are the app's own or in what it links", count=row.count
        )
    return t(
        "**at most {most:,} of {count:,} could go**: {not_linked:,} in packages with programs that "
        "the app does not link, {no_program:,} in packages without a program; {stays:,} are the "
        "app's own or in what it links",
        most=row.count - row.stays,
        count=row.count,
        not_linked=row.not_linked,
        no_program=row.no_program,
        stays=row.stays,
    )


def _agreement(table: pd.DataFrame, column: str) -> str:
    """Return in how many pairs of images that differ in a column and in count both go one way.

    Images that are the same in both are one.
    """
    numbers = list(dict.fromkeys(zip(table[column], table["count"], strict=True)))
    pairs = [(a, b) for n, a in enumerate(numbers) for b in numbers[n + 1 :]]
    differ = [(a, b) for a, b in pairs if a[0] != b[0] and a[1] != b[1]]
    agree = sum((a[0] - b[0]) * (a[1] - b[1]) > 0 for a, b in differ)
    return t("{agree} of {pairs}", agree=agree, pairs=number(len(differ), "pair"))
