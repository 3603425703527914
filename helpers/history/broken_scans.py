"""Scans that are more likely broken than good news, and the series without them."""

import pandas as pd

from helpers.answers.answer import Answer
from helpers.frames import NO_OS, UNKNOWN_COUNT
from helpers.text.i18n import msg, t, word
from helpers.text.rich import bullets, name, number, paragraph, say

ZERO = msg("nothing found, and the packages are the same")
COMES_BACK = msg("nothing found, and the same image has as many as before on another day")
NO_SYSTEM = msg("no operating system recognised, where the scan before did")

_FEW = 10
"""Findings that a database takes back at once now and then: cgr.dev/chainguard/go went from 8 to
none on 2023-12-05 by Grype, the image being the same, and that was right."""


def marked(scans: pd.DataFrame) -> pd.DataFrame:
    """Return scans with `why_broken`: why one is more likely broken than good news, else empty.

    Needs `variant, at, findings` and, as far as they are known, `status, os_family, listed,
    image_id, scanner, scanner_version, db_sha256`. A scan without `findings` was not measured,
    which is a gap and no zero. Zeros in a row, after a scan that found something, are broken

    - as long as the packages are the same as in that scan, if it had ten findings or more, if
      scanner and database are known to be the same, or if the count comes back;
    - if only digests are known: if all of them are of the image before, and the count comes back,
      to at least half of what it was or at most twice; or of the image after, too, if both have ten
      findings or more.

    So is a scan without an operating system after a sound one that recognised one.
    """
    known = scans.reindex(columns=[*dict.fromkeys([*scans, *_OPTIONAL])])
    why = pd.Series("", index=scans.index, dtype="object")
    for _, rows in known.sort_values("at", kind="stable").groupby("variant", sort=False):
        why.update(_of_image(rows))
    return scans.assign(why_broken=why)


def sound(marked: pd.DataFrame) -> pd.DataFrame:
    """Return the measured scans that are not broken: those that trends and steps are made of."""
    measured = marked["findings"].notna() & ~marked["status"].isin(UNKNOWN_COUNT)
    return marked[measured & marked["why_broken"].eq("")]


def answer(marked: pd.DataFrame) -> Answer:
    """Answer which scans are more likely broken than good news."""
    columns = ["variant", "capture", "at", "findings", "why_broken"]
    table = marked[marked["why_broken"].ne("")][columns].reset_index(drop=True)
    if marked["capture"].nunique() < 2:
        lacks = t("There is one capture, so no scan has another to be held against.")
        return Answer("broken-scans", table=table, lacks=lacks)
    if table.empty:
        return Answer("broken-scans", text=paragraph(t("No scan looks broken.")), table=table)
    lines = []
    for (variant, why), rows in table.groupby(["variant", "why_broken"], sort=False):
        days = [f"{day:%Y-%m-%d}" for day in rows["at"]]
        shown = ", ".join(days if len(days) <= _SHOWN else [*days[: _SHOWN - 1], "…", days[-1]])
        lines.append(
            say(
                "{variant}, {scans}: {why} ({days})",
                variant=name(variant),
                scans=number(len(rows), "scan"),
                why=word(str(why)),
                days=shown,
            )
        )
    note = t(
        "They are more likely broken than good news, and are left out of lines, steps and days to "
        "fix. Scan again to know."
    )
    return Answer("broken-scans", text=bullets(lines) + paragraph(note), table=table)


_SHOWN = 6
"""Days that a text lists."""

_SAME = ["scanner", "scanner_version", "db_sha256"]
_OPTIONAL = ["status", "os_family", "listed", "image_id", *_SAME]


def _of_image(rows: pd.DataFrame) -> pd.Series:
    """Return why scans of one image are broken, for those that are."""
    rows = rows[rows["findings"].notna()]
    found: dict[object, str] = {}
    last: pd.Series | None = None
    zeros: list[pd.Series] = []
    for index, row in rows.iterrows():
        if last is not None and row["status"] == NO_OS and last["status"] != NO_OS:
            found[index] = NO_SYSTEM
            continue
        if last is not None and row["findings"] == 0 and last["findings"] > 0:
            zeros.append(row)
            continue
        if zeros and last is not None:
            found |= _zeros(last, zeros, row)
        last, zeros = row, []
    if zeros and last is not None:
        found |= _zeros(last, zeros, None)
    return pd.Series(found, dtype="object")


def _zeros(before: pd.Series, zeros: list[pd.Series], after: pd.Series | None) -> dict[object, str]:
    """Return which of the zeros between two scans that found something are broken, and why."""
    low, high = 0, 1
    if after is not None:
        low, high = sorted((before["findings"], after["findings"]))
    returns = 2 * low >= high
    same_as_before = all(_is_of(row, before) for row in zeros)
    # A new image may well have nothing until something is published; of many that is no chance.
    are_of_either = all(_is_of(row, before) or _is_of(row, after) for row in zeros)
    if returns and (same_as_before or (are_of_either and low >= _FEW)):
        return {row.name: COMES_BACK for row in zeros}
    found = {}
    for row in zeros:
        if pd.isna(row["listed"]) or row["listed"] != before["listed"]:
            break
        same = all(pd.notna(row[part]) and row[part] == before[part] for part in _SAME)
        if before["findings"] >= _FEW or same:
            found[row.name] = ZERO
    return found


def _is_of(row: pd.Series, other: pd.Series | None) -> bool:
    """Return whether two scans are of the same packages, or else of the same image."""
    if other is None:
        return False
    for part in ("listed", "image_id"):
        if pd.notna(row[part]) and pd.notna(other[part]):
            return bool(row[part] == other[part])
    return False
