"""What the scanner cannot see: executables and libraries that belong to no package it knows."""

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from helpers.frames import NO_OS, UNKNOWN_COUNT
from helpers.sizes.image_sizes import MB
from helpers.studies import package_files
from helpers.text import escape
from helpers.text.i18n import msg, t
from helpers.text.markdown import listed, name, number
from helpers.text.titles import Part, fitted, unknown

_RUNTIME_PACKAGES = {
    "node": r"node(?:js)?\d*",
    "python": r"python(?:3[\d.]*)?",
    "php": r"php[\d.]*(?:-cli)?",
}
"""Names under which distributions package a runtime; some have its version, as `nodejs24`."""

OF_PACKAGES, OF_NONE, UNTOLD = (
    msg("of packages"), msg("of no package"), msg("of packages or not: not known"),
)  # fmt: skip

_COUNTS = ("binaries", "known_binaries", "size_of_binaries_bytes", "size_of_known_bytes")
_DARK = ("variant", "path", "size_bytes", "elf", "version", "layer")


def coverage(files: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> pd.DataFrame:
    """Return how many executables and libraries of each image are of a package, and their bytes.

    `variant, binaries, known_binaries, size_of_binaries_bytes, size_of_known_bytes, known_share,
    largest_unknown, version, unread`; NA for an image without a list of files, and for one that was
    not scanned. Counted are ELF files, by their first bytes; `known_share` is of their bytes, 0 to
    1, and a package is one that the scanner lists. `unread` is as in `ownership.unread`, else
    empty: who owns the files is not known then, and neither is the share, unless the scanner looked
    at no OS package. The frames may be of several captures.
    """
    rows: list[tuple[Any, ...]] = []
    for image in images.itertuples():
        variant = image.variant
        of_image = _of(files, image)
        if of_image.empty or image.status in UNKNOWN_COUNT:
            rows.append((variant, *([pd.NA] * 8)))
            continue
        own = _binaries(of_image)
        whole = int(own["size_bytes"].sum())
        unread = package_files.unread(of_image).get(variant, "")
        if unread and image.status != NO_OS:
            rows.append((variant, len(own), pd.NA, whole, *([pd.NA] * 4), unread))
            continue
        if image.status == NO_OS:
            # Without an operating system that it recognises, a scanner looks at no OS package.
            own = own.assign(package=pd.NA)
        owned = package_files.known(own, _of(packages, image))["package"].notna()
        known = own[owned]
        rest = own[~owned].sort_values("size_bytes", ascending=False, kind="stable")
        part = int(known["size_bytes"].sum())
        first = rest.head(1).fillna({"version": ""})
        largest = [first[name].str.cat() for name in ("path", "version")]
        share = part / whole if whole else pd.NA
        rows.append((variant, len(own), len(known), whole, part, share, *largest, unread))
    texts = ["variant", "largest_unknown", "version", "unread"]
    table = pd.DataFrame(rows, columns=[texts[0], *_COUNTS, "known_share", *texts[1:]])
    types = dict.fromkeys(_COUNTS, "Int64") | {"known_share": "Float64"}
    return table.astype(types | dict.fromkeys(texts, "str"))


def dark(files: pd.DataFrame, packages: pd.DataFrame) -> pd.DataFrame:
    """Return the executables and libraries that are of no package the scanner lists.

    `variant, path, size_bytes, elf, version, layer`, the largest of each image first; `version` is
    what a well-known program tells of itself, empty if none was read. Of an image of which that is
    not known (`ownership.unread`) there are none.
    """
    elf = _binaries(files[~files["variant"].isin(package_files.unread(files))])
    rest = elf[package_files.known(elf, packages)["package"].isna()]
    order = dict(zip(dict.fromkeys(files["variant"]), range(len(files)), strict=False))
    placed = rest.assign(own=rest["variant"].map(order))
    placed = placed.sort_values(["own", "size_bytes"], ascending=[True, False], kind="stable")
    return placed[list(_DARK)].assign(version=placed["version"].fillna("")).reset_index(drop=True)


def parts(table: pd.DataFrame) -> pd.DataFrame:
    """Return `coverage` as `variant, part, size_bytes`, where files are known: for the chart."""
    seen = table.dropna(subset="binaries")
    known = seen["size_of_known_bytes"].fillna(0)
    rest = seen["size_of_binaries_bytes"] - known
    told = seen["unread"].eq("")
    frames = [
        pd.DataFrame({"variant": seen["variant"][sizes.index], "part": part, "size_bytes": sizes})
        for part, sizes in ((OF_PACKAGES, known), (OF_NONE, rest[told]), (UNTOLD, rest[~told]))
    ]
    return pd.concat(frames).sort_index(kind="stable").reset_index(drop=True)


def headline(table: pd.DataFrame) -> str:
    """Return how many executable bytes of each image are of no package, the most first."""
    seen = table[table["unread"].eq("")].dropna(subset="known_share")
    dark_ = (seen["size_of_binaries_bytes"] - seen["size_of_known_bytes"]).sort_values(
        ascending=False, kind="stable"
    )
    head = t("Binaries of no package")
    if seen.empty:
        return f"{head}: {t('not known')}"
    parts = [
        Part(
            t(
                "{variant} {part:,.1f} of {whole:,.1f} MB",
                variant=escape.short(seen["variant"][at], 22),
                part=size / MB,
                whole=seen["size_of_binaries_bytes"][at] / MB,
            ),
            (size / MB,),
        )
        for at, size in dark_.items()
    ]
    parts += [unknown(variant) for variant in table.drop(seen.index)["variant"]]
    return fitted(head, parts, "{:,.1f} MB".format)


def mark(table: pd.DataFrame) -> str:
    """Return how much of the images the counts on a figure are about, for its footer."""
    shares = table["known_share"].dropna()
    if shares.empty:
        return t("share of executable bytes looked at: not known")
    low, high = f"{shares.min():.0%}", f"{shares.max():.0%}"
    between = low
    if low != high:
        between = t("{low} to {high}", low=low.removesuffix("%"), high=high)
    text = t("the scanner looked at {share} of the executable bytes", share=between)
    lost = len(table) - len(shares)
    return text + t(", of {count} not known", count=lost) if lost else text


def brief(table: pd.DataFrame) -> str:
    """Return the share of each image's executable bytes that the scanner looked at, in a line."""
    told = [
        f"{name(row.variant)} "
        + (t("not known") if pd.isna(row.known_share) else f"{row.known_share:.0%}")
        for row in table.itertuples()
    ]
    return t("Of the executable bytes the scanner looked at: {images}.", images=listed(told))


def sentence(table: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> str:
    """Return how much of each image the counts are about, and whether the runtime is among it."""
    runtimes = images.drop_duplicates("variant").set_index("variant")["runtime"]
    lines = []
    for row in table.itertuples():
        installed = set(packages[packages["variant"].eq(row.variant)]["package"])
        told = [*_share(row), *_runtime(runtimes[row.variant], installed)]
        lines.append(f"- {name(row.variant)}: {listed(told, '; ')}")
    note = t(
        "What belongs to no package is in no total: a scanner reads package lists, so a binary "
        "that was copied in brings vulnerabilities that nobody counts. Looked at are ELF files of "
        "packages that it lists; it reads the list and none of their bytes, so what a package "
        "bundles counts with it, and scripts and archives are in neither part. A larger share is "
        "no merit: every shell adds to it."
    )
    return "\n".join([*lines, "", note])


def beside(totals: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of totals, one row an image in the order of `coverage`, with its share.

    `known_share`, of the executable bytes that the scanner looked at, comes after the totals.
    """
    assert list(totals["variant"]) == list(table["variant"]), "the same images"
    return totals.assign(known_share=table["known_share"].array)


def _of(frame: pd.DataFrame, image: Any) -> pd.DataFrame:
    """Return the rows of one image of a capture."""
    of_capture = frame["capture"].fillna("").eq("" if pd.isna(image.capture) else image.capture)
    return frame[frame["variant"].eq(image.variant) & of_capture]


def _binaries(files: pd.DataFrame) -> pd.DataFrame:
    """Return the executables and libraries, each once, whatever number of names it has."""
    return files[files["elf"].isin(["executable", "static", "shared"]) & files["kind"].eq("file")]


def _share(row: Any) -> Iterator[str]:
    if pd.isna(row.binaries):
        yield t("its files are not known, so neither is how much of it the scanner looked at")
        return
    if not row.size_of_binaries_bytes:
        yield t("it holds no executables or libraries")
        return
    if pd.isna(row.known_share):
        yield t(
            "who owns its files is not known, for no list of files in {manager}'s database is "
            "read, so neither is how much of it the scanner looked at",
            manager=row.unread,
        )
        return
    yield t(
        "the scanner looked at **{share:.0%} of the executable bytes** ({known:,} of {files}, "
        "{size:,.1f} of {whole:,.1f} MB)",
        share=row.known_share,
        known=row.known_binaries,
        files=number(row.binaries, "file"),
        size=row.size_of_known_bytes / MB,
        whole=row.size_of_binaries_bytes / MB,
    )
    if row.largest_unknown:
        version = f" {escape.markdown(row.version)}" if row.version else ""
        told = f"{escape.markdown(row.largest_unknown)}{version}"
        yield t("largest of the rest: {file}", file=told)


def _runtime(runtime: object, installed: set[str]) -> Iterator[str]:
    """Yield that an image's runtime is not among its packages, if so."""
    if pd.isna(runtime) or not installed:
        return
    product = str(runtime).split()[0].lower()
    named = re.compile(_RUNTIME_PACKAGES.get(product, re.escape(product)))
    if not any(map(named.fullmatch, installed)):
        yield t(
            "{runtime} is no package there, so its own vulnerabilities are not counted",
            runtime=escape.markdown(runtime),
        )
