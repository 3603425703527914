"""What the scanner cannot see: executables and libraries that belong to no package it knows."""

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.talk import SURFACE, Talk, some
from helpers.comparability import end_of_life
from helpers.frames import NO_OS, UNKNOWN_COUNT
from helpers.images import package_files
from helpers.sizes.image_sizes import stacked
from helpers.text import escape
from helpers.text.i18n import msg, t, told
from helpers.text.rich import (
    AND,
    Phrase,
    Text,
    bullets,
    listed,
    name,
    names,
    number,
    paragraph,
    phrase,
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
    msg("of packages"), msg("of no package"), msg("of packages or not: not known"),
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
    """Answer how much of the executables and libraries the scanner looked at, of `coverage`."""
    parts, text = by_part(coverage), _text(coverage, images, packages)
    if parts.empty:
        # What is known of runtimes even so is in `totals_answer` too.
        lacks = package_files.no_files(parts)
        text += paragraph(lacks)
        return Answer("coverage", text=text, role=SLIDE, by_scanner=False, lacks=lacks)
    return Answer(
        "coverage",
        _title(coverage),
        text,
        parts,
        stacked(parts, "part", PARTS, "coverage", msg("executables and libraries")),
        t("bytes of ELF files"),
        role=SLIDE,
        by_scanner=False,
        talks=(_talk(coverage),),
    )


def totals_answer(coverage: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> Answer:
    """Answer the same in numbers: the table of `coverage`, and what it says of each image."""
    text = _text(coverage, images, packages)
    return Answer("looked-at", text=text, table=coverage.drop(columns="gap"))


def runtimes_counted(images: pd.DataFrame, packages: pd.DataFrame) -> Phrase:
    """Return in which images the runtime is a package, and so counted, if not in all or none."""
    each = images.drop_duplicates("variant")
    is_listed = runtime_listed(each, packages)
    counted = each["variant"][is_listed.fillna(False)]
    other = each["variant"][~is_listed.fillna(True)]
    if counted.empty or other.empty:
        return Phrase()
    return say(
        " The runtime is a package in {counted}, so its own vulnerabilities can be counted there; "
        "in {other} they cannot.",
        counted=listed(map(name, counted), last=AND),
        other=listed(map(name, other), last=AND),
    )


def runtime_listed(images: pd.DataFrame, packages: pd.DataFrame) -> pd.Series:
    """Return whether the runtime of each image is a package, and so scanned; NA if not known."""
    found = [
        _lists_runtime(image.runtime, _installed(packages, image.variant))
        for image in images.itertuples()
    ]
    return pd.Series(found, index=images.index, dtype="boolean")


def brief_answer(coverage: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> Answer:
    """Answer in one line which share of the executable bytes the scanner looked at."""
    known = coverage.dropna(subset="known_share")
    if known.empty:
        line = say("How much of the executables the scanner looked at is not known.")
        return Answer("looked-at-in-brief", text=paragraph(line))
    shares = [name(row.variant) + f" {_at_least(row)}" for row in known.itertuples()]
    line = say(
        "Share of the executables' bytes that the scanner looked at: {images}.",
        images=listed(shares),
    )
    if missing := names(coverage[coverage["known_share"].isna()]):
        line += say(" Not known: {variants}.", variants=missing)
    return Answer("looked-at-in-brief", text=paragraph(line + runtimes_counted(images, packages)))


def dark_answer(files: pd.DataFrame, packages: pd.DataFrame) -> Answer:
    """Answer which executables and libraries the scanner did not look at."""
    table = dark(files, packages)
    shown = table.groupby("variant", sort=False).head(20)
    lacks = package_files.no_files(files)
    return Answer("not-looked-at", table=table, searchable=True, shown=shown, lacks=lacks)


def mark(table: pd.DataFrame) -> str:
    """Return how much of the images the counts on a figure are about, for its footer."""
    shares = table["known_share"].dropna()
    if shares.empty:
        return t("share of executable bytes looked at: not known")
    text = t("the scanner looked at {share} of the executable bytes", share=_between(shares))
    lost = len(table) - len(shares)
    return text + t(", of {count} not known", count=lost) if lost else text


def _between(shares: pd.Series) -> str:
    """Return from what to what shares go, or the one that they all are."""
    low, high = f"{shares.min():.0%}", f"{shares.max():.0%}"
    return low if low == high else t("{low} to {high}", low=low.removesuffix("%"), high=high)


def _title(table: pd.DataFrame) -> str:
    """Return how many executable bytes of each image are of no package, the most first."""
    known = table[table["gap"].eq("")].dropna(subset="known_share")
    rest = known["size_of_binaries_bytes"] - known["size_of_known_bytes"]
    head = t("Binaries of no package")
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
    known = table.dropna(subset="known_share").sort_values("known_share", kind="stable")
    headline = ""
    if len(known):
        share = _between(known["known_share"])
        headline = t("The scanner looked at {share} of the executable bytes", share=share)
        if share != _between(known["known_share"].head(1)):
            headline = t(
                "The scanner looked at {share} of the executable bytes, image by image", share=share
            )
    each = [
        t(
            "Of {variant} it looked at {share} of the executable bytes.",
            variant=escape.plain(row.variant),
            share=_at_least(row),
        )
        for row in known.itertuples()
    ]
    spoken = (
        t("A scanner reads lists of packages: what belongs to no package is in no count."),
        *some(each),
        t("The rest, such as a runtime that was copied in, may bring vulnerabilities as well."),
        t("A larger share is no merit: every tool from a package adds to it."),
    )
    return Talk(SURFACE, headline, spoken=spoken)


def _text(table: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> Text:
    """Return how much of each image the counts are about, and whether the runtime is among it."""
    runtimes = images.drop_duplicates("variant").set_index("variant")["runtime"]
    lines = []
    for row in table.itertuples():
        installed = _installed(packages, row.variant)
        parts = [*_share(row), *_runtime(runtimes[row.variant], installed)]
        lines.append(name(row.variant) + ": " + listed(parts, "; "))
    note = t(
        "What belongs to no package is in no total: a scanner reads package lists, so a binary "
        "that was copied in brings vulnerabilities that nobody counts. Looked at are ELF files of "
        "packages that it lists; it reads the list and none of their bytes, so what a package "
        "bundles counts with it, and scripts and archives are in neither part. A larger share is "
        "no merit: every shell adds to it."
    )
    return bullets(lines) + paragraph(note)


def _of_image(frame: pd.DataFrame, image: Any) -> pd.DataFrame:
    """Return the rows of one image of a capture."""
    of_capture = frame["capture"].fillna("").eq("" if pd.isna(image.capture) else image.capture)
    return frame[frame["variant"].eq(image.variant) & of_capture]


def _binaries(files: pd.DataFrame) -> pd.DataFrame:
    """Return the executables and libraries, each once, whatever number of names it has."""
    return files[files["elf"].isin(["executable", "static", "shared"]) & files["kind"].eq("file")]


def _share(row: Any) -> Iterator[Phrase]:
    if pd.isna(row.binaries):
        yield say("its files are not known, so neither is how much of it the scanner looked at")
    elif not row.size_of_binaries_bytes:
        yield say("it holds no executables or libraries")
    elif pd.isna(row.known_share):
        yield say(
            "how much of it the scanner looked at is not known, because {why}",
            why=told(row.gap),
        )
    else:
        yield say(
            "the scanner looked at **{share} of the executable bytes** ({known:,} of {files}, "
            "{size:,.1f} of {whole:,.1f} MB)",
            share=_at_least(row),
            known=row.known_binaries,
            files=number(row.binaries, "file"),
            size=row.size_of_known_bytes / MB,
            whole=row.size_of_binaries_bytes / MB,
        )
        if row.largest_unknown:
            file = " ".join(filter(None, (row.largest_unknown, row.version)))
            yield say("largest of the rest: {file}", file=file)
        if row.gap:
            yield phrase(str(told(row.gap)))


def _at_least(row: Any) -> str:
    """Return the share that the scanner looked at; a lower bound if files may be of packages."""
    share = f"{row.known_share:.0%}"
    return t("at least {share}", share=share) if row.gap else share


def _runtime(runtime: object, installed: set[str]) -> Iterator[Phrase]:
    """Yield that an image's runtime is not among its packages, if so."""
    if _lists_runtime(runtime, installed) is False:
        yield say(
            "{runtime} is no package there, so its own vulnerabilities are not counted",
            runtime=end_of_life.spelled(str(runtime)),
        )


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
