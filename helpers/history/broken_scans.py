"""Scans that look broken, and the series without them."""

import pandas as pd

from helpers.answers.answer import Answer
from helpers.changes import identity
from helpers.changes.scans import SCAN
from helpers.frames import FAILED, NO_OS, UNKNOWN_COUNT
from helpers.text.i18n import msg, t, word
from helpers.text.rich import number, paragraph, say
from helpers.vulnerabilities.captures import ONE_CAPTURE

ZERO = msg("nothing found in the same packages")
COMES_BACK = msg("nothing found, but the same image has as many as before on another day")
FALLS = msg("a fifth or less found, but the same image has as many as before on another day")
NO_SYSTEM = msg("operating system not recognised, unlike in the scan before")

_FEW = 10
"""A database sometimes withdraws fewer than this many findings at once: Grype's count of the
unchanged cgr.dev/chainguard/go fell from 8 to 0 on 2023-12-05, rightly."""

_FALL = 5
"""A fall by this factor means lost findings, or fixed ones."""


def marked(scans: pd.DataFrame) -> pd.DataFrame:
    """Return scans with `why_broken`: why a scan looks broken, else empty.

    Needs `variant, at, findings` and, where known, `status, os_family, scanner, scanner_version,
    db_sha256` and `identity.COLUMNS` (a name and a time do not identify an image). A scan without
    `findings` was not measured: a gap, not a zero. Consecutive zeros after a scan with findings are
    broken

    - while the packages stay the same, if that scan had ten findings or more, if scanner and
      database are known to be the same, or if the count comes back;
    - with ids or digests only: if all zeros are of the image before and the count comes back to
      between half and twice what it was; or of the image before or after, if both have ten
      findings or more.

    A fall to a fifth or less from ten findings or more is broken if it is of the image before, or
    of the images before and after, and the count comes back. A zero after fewer than ten findings
    is sound if a second scan of that image on the same day finds nothing either. A scan that
    recognises no operating system is broken if the sound scan before it did.
    """
    known = scans.reindex(columns=[*dict.fromkeys([*scans, *_OPTIONAL])])
    why = pd.Series("", index=scans.index, dtype="object")
    ordered = known.sort_values("at", kind="stable")
    zeros = ordered[ordered["findings"].eq(0).fillna(False)]
    for _, rows in ordered.groupby("variant", sort=False):
        why.update(_of_image(rows, zeros))
    return scans.assign(why_broken=why)


def sound(marked: pd.DataFrame) -> pd.DataFrame:
    """Return the measured scans that are not broken; trends and steps use these."""
    measured = marked["findings"].notna() & ~marked["status"].isin(UNKNOWN_COUNT)
    return marked[measured & marked["why_broken"].eq("")]


def answer(scans: pd.DataFrame, images: pd.DataFrame) -> Answer:
    """Answer which scans look broken or failed, and why."""
    columns = ["variant", "capture", "at", "findings", "why_broken"]
    rows = scans[scans["why_broken"].ne("") | scans["status"].eq(FAILED)]
    rows = rows.merge(images[[*SCAN, "reason"]], how="left", on=SCAN)
    is_sound = rows["why_broken"].eq("")
    why = rows["why_broken"].mask(is_sound, rows["reason"].fillna(_FAILED).astype("object"))
    table = rows[columns].assign(why_broken=why)
    if scans["capture"].nunique() < 2:
        lacks = word(ONE_CAPTURE)
        return Answer("broken-scans", table=table, lacks=lacks)
    if table.empty:
        return Answer("broken-scans", text=paragraph(t("No scan looks broken.")), table=table)
    note = say(
        "Trends and fix times leave out {scans} that failed or look broken. Scan again to confirm.",
        scans=number(len(table), "scan"),
    )
    return Answer("broken-scans", text=paragraph(note), table=table)


_FAILED = msg("scan failed")

_SAME = ["scanner", "scanner_version", "db_sha256"]
_OPTIONAL = ["status", "os_family", *identity.COLUMNS, *_SAME]


def _of_image(rows: pd.DataFrame, all_zeros: pd.DataFrame) -> pd.Series:
    """Return why scans of one image look broken; `all_zeros` has the zeros of all images."""
    rows = rows[rows["findings"].notna()]
    found: dict[object, str] = {}
    last: pd.Series | None = None
    zeros: list[pd.Series] = []
    for at, (index, row) in enumerate(rows.iterrows()):
        if index in found:
            continue
        if last is not None and row["status"] == NO_OS and last["status"] != NO_OS:
            found[index] = NO_SYSTEM
            continue
        if last is not None and not zeros and (fallen := _fallen(last, rows.iloc[at:])):
            found |= fallen
            continue
        if last is not None and row["findings"] == 0 and last["findings"] > 0:
            zeros.append(row)
            continue
        if zeros and last is not None:
            found |= _zeros(last, zeros, row, all_zeros)
        last, zeros = row, []
    if zeros and last is not None:
        found |= _zeros(last, zeros, None, all_zeros)
    return pd.Series(found, dtype="object")


def _fallen(before: pd.Series, rows: pd.DataFrame) -> dict[object, str]:
    """Return the scans that lost nearly all findings, up to the scan that has them again."""
    if before["findings"] < _FEW or rows["findings"].iloc[0] * _FALL > before["findings"]:
        return {}
    if before["status"] != NO_OS:
        rows = rows[rows["status"].ne(NO_OS).fillna(True)]
    is_back = (rows["findings"] * _FALL).gt(before["findings"]).to_numpy()
    if not is_back.any():
        return {}
    low = rows.iloc[: is_back.argmax()]
    if not _comes_back(before, low, rows.iloc[is_back.argmax()]):
        return {}
    return {row: COMES_BACK if count == 0 else FALLS for row, count in low["findings"].items()}


def _comes_back(before: pd.Series, low: pd.DataFrame, after: pd.Series) -> bool:
    """Return whether the same image has about as many findings before and after the low scans."""
    least, most = sorted((before["findings"], after["findings"]))
    if 2 * least < most:
        return False
    of_before = _are_of(low, before)
    # A new image may have no findings yet, but many findings do not return by chance.
    return bool(of_before.all() or (least >= _FEW and (of_before | _are_of(low, after)).all()))


def _zeros(
    before: pd.Series, zeros: list[pd.Series], after: pd.Series | None, all_zeros: pd.DataFrame
) -> dict[object, str]:
    """Return which zeros between two scans with findings are broken, and why."""
    if after is not None and _comes_back(before, pd.DataFrame(zeros), after):
        if before["findings"] < _FEW and any(_is_confirmed(row, all_zeros) for row in zeros):
            return {}
        return {row.name: COMES_BACK for row in zeros}
    found = {}
    for row in zeros:
        if pd.isna(row["listed"]) or row["listed"] != before["listed"]:
            break
        same = all(pd.notna(row[part]) and row[part] == before[part] for part in _SAME)
        if before["findings"] >= _FEW or same:
            found[row.name] = ZERO
    return found


def _is_confirmed(row: pd.Series, all_zeros: pd.DataFrame) -> bool:
    """Return whether a second scan of that image on the same day finds nothing either."""
    same_day = all_zeros["at"].dt.floor("D").eq(row["at"].floor("D"))
    others = all_zeros[same_day & (all_zeros.index != row.name)]
    return bool(_are_of(others, row).any())


def _are_of(rows: pd.DataFrame, other: pd.Series) -> pd.Series:
    """Return which scans are known to be of the same image as `other`."""
    same = identity.compared(pd.DataFrame([other] * len(rows), index=rows.index), rows)
    return same["same"].fillna(False).astype("bool") & ~same["level"].isin(identity.WEAK)
