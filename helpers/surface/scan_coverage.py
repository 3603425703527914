"""What the scanner cannot see: executables and libraries outside every package it knows."""

import re
from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.talk import SURFACE, Talk
from helpers.comparability import end_of_life
from helpers.frames import NO_OS, UNKNOWN_COUNT
from helpers.images import package_files
from helpers.sizes.image_sizes import stacked
from helpers.text import escape
from helpers.text.i18n import msg, t, told
from helpers.text.rich import (
    Phrase,
    Text,
    listed,
    name,
    names,
    paragraph,
    say,
)
from helpers.text.titles import Part, fitted, unknown
from helpers.text.units import MB

_RUNTIME_PACKAGES = {
    "node": r"node(?:js)?\d*",
    "python": r"python(?:3[\d.]*)?(?:-minimal)?|platform-python",
    "java": r"(?:openjdk|temurin|zulu|java)[-\d.]*\d(?:-.*)?|msopenjdk.*",
    "go": r"stdlib|golang[-\d.]*",
    "php": r"php[\d.]*(?:-cli)?",
}
"""Names under which a runtime is packaged; some have its version, as `nodejs24`. Scanners call what
Go compiles into each program `stdlib`."""

OF_PACKAGES, OF_NONE, OWNER_UNKNOWN = (
    msg("in packages"), msg("outside every package"), msg("not known"),
)  # fmt: skip
PARTS = (OF_PACKAGES, OF_NONE, OWNER_UNKNOWN)
"""Parts of the executables and libraries of an image."""

_COUNTS = ("binaries", "known_binaries", "size_of_binaries_bytes", "size_of_known_bytes")
_DARK = ("variant", "path", "size_bytes", "elf", "version", "layer")


def coverage(files: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> pd.DataFrame:
    """Return how many executables and libraries of each image are of a package, and their bytes.

    `variant, binaries, known_binaries, size_of_binaries_bytes, size_of_known_bytes, known_share,
    largest_unknown, version, gap`; NA for an image without a list of files, and for one that was
    not scanned. Counted are ELF files, by their first bytes; `known_share` is of their bytes, 0 to
    1, and a package is one that the scanner lists. `gap` is why not every file's owner is known
    (`package_files.gaps`), else empty. The share is then a lower bound, and not known at all if no
    OS package has a file, unless the scanner looked at none. The frames may be of several captures.
    """
    rows: list[dict[str, Any]] = []
    for image in images.itertuples():
        row: dict[str, Any] = {"variant": image.variant}
        rows.append(row)
        files_of_image = _of_image(files, image)
        if files_of_image.empty or image.status in UNKNOWN_COUNT:
            continue
        binaries = _binaries(files_of_image)
        whole = int(binaries["size_bytes"].sum())
        gap = package_files.gaps(files_of_image).get(image.variant, "")
        row |= {"binaries": len(binaries), "size_of_binaries_bytes": whole, "gap": gap}
        if gap and files_of_image["package"].isna().all() and image.status != NO_OS:
            continue
        if image.status == NO_OS:
            # Without an operating system that it recognises, a scanner looks at no OS package.
            binaries = binaries.assign(package=pd.NA)
        owned = package_files.known(binaries, _of_image(packages, image))["package"].notna()
        rest = binaries[~owned].nlargest(1, "size_bytes").fillna({"version": ""})
        part = int(binaries["size_bytes"][owned].sum())
        row |= {"known_binaries": int(owned.sum()), "size_of_known_bytes": part}
        row |= {"known_share": part / whole if whole else None}
        row |= {"largest_unknown": rest["path"].str.cat(), "version": rest["version"].str.cat()}
    types = dict.fromkeys(_COUNTS, "Int64") | {"known_share": "Float64"}
    texts = dict.fromkeys(("largest_unknown", "version"), "str")
    columns = {"variant": "str", **types, **texts, "gap": "object"}
    return pd.DataFrame(rows, columns=[*columns]).astype(columns)


def dark(files: pd.DataFrame, packages: pd.DataFrame) -> pd.DataFrame:
    """Return the executables and libraries that are of no package the scanner lists.

    `variant, path, size_bytes, elf, version, layer`, the largest of each image first; `version` is
    what a well-known program tells of itself, empty if none was read. What may be of a package all
    the same (`maybe_of`) is not among them.
    """
    elf = _binaries(files)
    rest = elf[package_files.known(elf, packages)["package"].isna() & elf["maybe_of"].isna()]
    places = {variant: at for at, variant in enumerate(dict.fromkeys(files["variant"]))}
    rest = rest.assign(place=rest["variant"].map(places), version=rest["version"].fillna(""))
    order = ["place", "size_bytes"]
    rest = rest.sort_values(order, ascending=[True, False], kind="stable", ignore_index=True)
    return rest[list(_DARK)]


def by_part(table: pd.DataFrame) -> pd.DataFrame:
    """Return `coverage` as `variant, part, size_bytes`, where files are known."""
    counted = table.dropna(subset="binaries")
    known = counted["size_of_known_bytes"].fillna(0)
    rest = counted["size_of_binaries_bytes"] - known
    is_known = counted["gap"].eq("")
    sizes = ((OF_PACKAGES, known), (OF_NONE, rest[is_known]), (OWNER_UNKNOWN, rest[~is_known]))
    parts = [
        pd.DataFrame({"variant": counted["variant"][size.index], "part": part, "size_bytes": size})
        for part, size in sizes
    ]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def answer(coverage: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> Answer:
    """Answer how much of the executables and libraries was scanned, of `coverage`."""
    parts = by_part(coverage)
    if parts.empty:
        lacks = package_files.no_files(parts)
        return Answer("coverage", text=paragraph(lacks), role=SLIDE, by_scanner=False, lacks=lacks)
    return Answer(
        "coverage",
        _title(coverage),
        _text(coverage, images, packages),
        parts,
        stacked(parts, "part", PARTS, "coverage", msg("executables and libraries")),
        t("bytes of ELF files"),
        role=SLIDE,
        by_scanner=False,
        talks=(_talk(coverage),),
    )


def totals_answer(coverage: pd.DataFrame) -> Answer:
    """Answer the same in numbers: the table of `coverage`."""
    return Answer("looked-at", table=coverage.drop(columns="gap"))


def runtimes_not_counted(images: pd.DataFrame, packages: pd.DataFrame) -> Phrase:
    """Return in which images the runtime is not a package, so that a scanner misses it."""
    each = images.drop_duplicates("variant")
    if missing := names(each[~runtime_listed(each, packages).fillna(True)]):
        return say(
            " The runtime is not a package in {variants}: its own vulnerabilities are not counted.",
            variants=missing,
        )
    return Phrase()


def runtime_listed(images: pd.DataFrame, packages: pd.DataFrame) -> pd.Series:
    """Return whether the runtime of each image is a package, and so scanned; NA if not known."""
    found = [
        _lists_runtime(image.runtime, _installed(packages, image.variant))
        for image in images.itertuples()
    ]
    return pd.Series(found, index=images.index, dtype="boolean")


def brief_answer(coverage: pd.DataFrame) -> Answer:
    """Answer in one line which share of the executable bytes was scanned."""
    known = coverage.dropna(subset="known_share")
    shares = [name(row.variant) + f" {_at_least(row)}" for row in known.itertuples()]
    line = say(
        "Share of executable bytes scanned: {images}.", images=listed(shares or [t("not known")])
    )
    if shares and (missing := names(coverage.drop(known.index))):
        line += " " + say("Not known: {variants}.", variants=missing)
    return Answer("looked-at-in-brief", text=paragraph(line))


def dark_answer(files: pd.DataFrame, packages: pd.DataFrame) -> Answer:
    """Answer which executables and libraries were not scanned."""
    table = dark(files, packages)
    shown = table.groupby("variant", sort=False).head(20)
    lacks = package_files.no_files(files)
    return Answer("not-looked-at", table=table, searchable=True, shown=shown, lacks=lacks)


def mark(table: pd.DataFrame) -> str:
    """Return how much of the images the counts on a figure are about, for its footer."""
    shares = table["known_share"].dropna()
    share = _between(shares) if len(shares) else t("not known")
    text = t("executable bytes scanned: {share}", share=share)
    lost = len(table) - len(shares)
    return text + t(", of {count} not known", count=lost) if lost and len(shares) else text


def _between(shares: pd.Series) -> str:
    """Return from what to what shares go, or the one that they all are."""
    low, high = f"{shares.min():.0%}", f"{shares.max():.0%}"
    return low if low == high else t("{low} to {high}", low=low.removesuffix("%"), high=high)


def _title(table: pd.DataFrame) -> str:
    """Return how many executable bytes of each image are outside every package, the most first."""
    known = table[table["gap"].eq("")].dropna(subset="known_share")
    rest = known["size_of_binaries_bytes"] - known["size_of_known_bytes"]
    head = t("Executables and libraries outside every package")
    if known.empty:
        return f"{head}: {t('not known')}"
    parts = [
        Part(
            t(
                "{variant} {part:,.1f} of {whole:,.1f} MB",
                variant=escape.short(known["variant"][at], 22),
                part=size / MB,
                whole=known["size_of_binaries_bytes"][at] / MB,
            ),
            (size / MB,),
        )
        for at, size in rest.sort_values(ascending=False, kind="stable").items()
    ]
    parts += [unknown(variant) for variant in table.drop(known.index)["variant"]]
    return fitted(head, parts, "{:,.1f} MB".format)


def _talk(table: pd.DataFrame) -> Talk:
    shares = table["known_share"].dropna()
    headline = ""
    if len(shares):
        headline = t("The scanner covers {share} of the executable bytes", share=_between(shares))
    spoken = (
        t("Scanners read package lists, so a file outside every package is in no count."),
        t("The rest, such as a runtime that was copied in, may be vulnerable as well."),
    )
    return Talk(SURFACE, headline, spoken=spoken)


def _text(table: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> Text:
    """Return what the scanner misses, and where it is not known whose the files are."""
    text = say(
        "Scanners read package lists, not the files themselves. Vulnerabilities of an executable "
        "outside every package are in no count."
    )
    text += runtimes_not_counted(images, packages)
    for why, some in table[table["gap"].fillna("").ne("")].groupby("gap", sort=False):
        text += say(" Incomplete in {variants}: {why}.", variants=names(some), why=told(why))
    return paragraph(text)


def _of_image(frame: pd.DataFrame, image: Any) -> pd.DataFrame:
    """Return the rows of one image of a capture."""
    of_capture = frame["capture"].fillna("").eq("" if pd.isna(image.capture) else image.capture)
    return frame[frame["variant"].eq(image.variant) & of_capture]


def _binaries(files: pd.DataFrame) -> pd.DataFrame:
    """Return the executables and libraries, each once, whatever number of names it has."""
    return files[files["elf"].isin(["executable", "static", "shared"]) & files["kind"].eq("file")]


def _at_least(row: Any) -> str:
    """Return the share that the scanner looked at; a lower bound if files may be of packages."""
    share = f"{row.known_share:.0%}"
    return t("at least {share}", share=share) if row.gap else share


def _lists_runtime(runtime: object, installed: set[str]) -> bool | None:
    """Return whether a runtime is among an image's packages; `None` if either is not known."""
    if pd.isna(runtime) or not installed:
        return None
    key = end_of_life.product(end_of_life.named(str(runtime))[0])
    named = re.compile(_RUNTIME_PACKAGES.get(key, re.escape(key)))
    return any(map(named.fullmatch, installed))


def _installed(packages: pd.DataFrame, variant: object) -> set[str]:
    """Return the names of a variant's packages."""
    return set(packages[packages["variant"].eq(variant)]["package"])
