"""Words for a finding and an image, as the table and the comment have them: plain texts."""

from typing import Any

import pandas as pd

from helpers.gate.difference import BASE
from helpers.gate.pair import Pair
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.units import megabytes, signed

_SIZES = {
    "size_compressed_bytes": msg("size compressed"),
    "size_unpacked_bytes": msg("size unpacked"),
}

PLACES = {"os": msg("OS package"), "tools": msg("bundled tool"), "app": msg("app dependency")}
ORIGINS = {BASE: msg("base"), "app": msg("app")}


def text(value: Any, width: int, nothing: str = "-") -> str:
    """Return a value as inert text of at most a width; of a missing one what stands for it."""
    return nothing if pd.isna(value) or value == "" else escape.short(value, width)


def place(row: Any) -> str:
    """Return where a finding's package sits, and whether it came with the base if that is known."""
    where = word(PLACES.get(row.place, msg("package")))
    return f"{where}, {word(ORIGINS[row.origin])}" if row.origin in ORIGINS else where


def evidence(row: Any) -> str:
    """Return what is known of the exploitation of a finding; empty if nothing is."""
    parts = [t("exploited")] if pd.notna(row.exploited) and row.exploited else []
    return ", ".join([*parts, *([f"EPSS {row.epss:.3g}"] if pd.notna(row.epss) else [])])


def sizes(pair: Pair) -> list[str]:
    """Return a line for each size that is known, with the difference where it is of both."""
    lines = []
    for column, label in _SIZES.items():
        before, after = pair.before.image[column], pair.after.image[column]
        sources = [side.image[column.replace("bytes", "source")] for side in pair.sides.values()]
        if pd.isna(before) and pd.isna(after):
            continue
        values = [
            t("not measured") if pd.isna(s) else f"{megabytes(s)} MB" for s in (before, after)
        ]
        line = f"{word(label)}: {values[0]} → {values[1]}"
        # Sizes that were measured in another way do not compare.
        is_alike = pd.notna(before) and pd.notna(after) and sources[0] == sources[1]
        lines.append(f"{line} ({signed(after - before)} MB)" if is_alike else line)
    return lines
