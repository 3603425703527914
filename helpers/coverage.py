"""What the scanner cannot see: executables and libraries that belong to no package it knows."""

import pandas as pd

from helpers import escape
from helpers.sizes import MB
from helpers.words import listed, name, number

_RUNTIME_PACKAGES = {"node": ("node", "nodejs"), "python": ("python", "python3")}
"""Names under which distributions package a runtime."""


def coverage(files: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return how many executables and libraries of each image an OS package owns, and their bytes.

    `variant, binaries, owned_binaries, size_of_binaries_bytes, size_of_owned_bytes, owned_share,
    largest_unowned`; NA for an image without a list of files. Counted are ELF files, by their first
    bytes.
    """
    elf = files[files["elf"].notna() & files["elf"].ne("object")]
    rows = []
    for variant in images["variant"]:
        own = elf[elf["variant"].eq(variant)]
        if not files["variant"].eq(variant).any():
            rows.append((variant, *([pd.NA] * 6)))
            continue
        owned = own[own["package"].notna()]
        whole = int(own["size_bytes"].sum())
        rest = own[own["package"].isna()].sort_values("size_bytes", ascending=False)
        part = int(owned["size_bytes"].sum())
        largest = str(rest["path"].iloc[0]) if len(rest) else ""
        shares = part / whole if whole else pd.NA
        rows.append((variant, len(own), len(owned), whole, part, shares, largest))
    columns = ["variant", "binaries", "owned_binaries"]
    columns += ["size_of_binaries_bytes", "size_of_owned_bytes"]
    table = pd.DataFrame(rows, columns=[*columns, "owned_share", "largest_unowned"])
    types = dict.fromkeys(columns[1:], "Int64") | {"owned_share": "Float64"}
    return table.astype({**types, "variant": "str", "largest_unowned": "str"})


def sentence(table: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> str:
    """Return how much of each image the counts are about, and whether the runtime is among it."""
    runtimes = images.set_index("variant")["runtime"]
    lines = []
    for row in table.itertuples():
        installed = set(packages[packages["variant"].eq(row.variant)]["package"])
        told = [_share(row), _runtime(runtimes[row.variant], installed)]
        lines.append(f"- {name(row.variant)}: {listed(filter(None, told), '; ')}")
    note = (
        "What belongs to no package is in no total: a scanner reads package lists, so a binary "
        "that was copied in brings vulnerabilities that nobody counts."
    )
    return "\n".join([*lines, "", note])


def _share(row: object) -> str:
    if pd.isna(row.binaries):  # type: ignore[attr-defined]
        return "its files are not known, so neither is how much of it the scanner looked at"
    if not row.size_of_binaries_bytes:  # type: ignore[attr-defined]
        return "it holds no executables or libraries"
    told = (
        f"the scanner knows the packages of **{row.owned_share:.0%} of the executable bytes** "  # type: ignore[attr-defined]
        f"({row.owned_binaries:,} of {number(row.binaries, 'file')}, "  # type: ignore[attr-defined]
        f"{row.size_of_owned_bytes / MB:,.1f} of {row.size_of_binaries_bytes / MB:,.1f} MB)"  # type: ignore[attr-defined]
    )
    if row.largest_unowned:  # type: ignore[attr-defined]
        told += f"; largest of the rest: {escape.markdown(row.largest_unowned)}"  # type: ignore[attr-defined]
    return told


def _runtime(runtime: object, installed: set[str]) -> str:
    """Return whether an image's stated runtime is among its packages."""
    if pd.isna(runtime) or not installed:
        return ""
    product = str(runtime).split()[0].lower()
    found = installed & set(_RUNTIME_PACKAGES.get(product, (product,)))
    if found:
        return ""
    told = escape.markdown(runtime)
    return f"{told} is no package there, so its own vulnerabilities are not counted"
