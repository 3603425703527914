"""Scans that are more likely broken than good news, and the series without them."""

import pandas as pd

from helpers.answers.answer import Answer
from helpers.changes import identity
from helpers.changes.scans import SCAN
from helpers.frames import FAILED, NO_OS, UNKNOWN_COUNT
from helpers.text.i18n import msg, t, word
from helpers.text.rich import bullets, name, number, paragraph, say
from helpers.vulnerabilities.captures import ONE_CAPTURE

ZERO = msg("nothing found, and the packages are the same")
COMES_BACK = msg("nothing found, and the same image has as many as before on another day")
FALLS = msg("a fifth or less found, and the same image has as many as before on another day")
NO_SYSTEM = msg("no operating system recognised, where the scan before did")

_FEW = 10
"""Findings that a database takes back at once now and then: cgr.dev/chainguard/go went from 8 to
none on 2023-12-05 by Grype, the image being the same, and that was right."""

_FALL = 5
"""A scan that finds so many times less than the one before lost what it found, or it was fixed."""


def marked(scans: pd.DataFrame) -> pd.DataFrame:
    """Return scans with `why_broken`: why one is more likely broken than good news, else empty.

    Needs `variant, at, findings` and, as far as they are known, `status, os_family, scanner,
    scanner_version, db_sha256`, and what tells an image (`identity.COLUMNS`; a name and a time are
    not enough). A scan without `findings` was not measured, which is a gap and no zero.
    Zeros in a row, after a scan that found something, are broken

    - as long as the packages are the same as in that scan, if it had ten findings or more, if
      scanner and database are known to be the same, or if the count comes back;
    - if only ids or digests are known: if all of them are of the image before, and the count comes
      back, to at least half of what it was or at most twice; or of the image after, too, if both
      have ten findings or more.

    So is a fall to a fifth or less, from ten findings or more, if it is of the image before, or of
    that and the one after, and the count comes back. A zero after fewer than ten that comes back is
    sound if a second scan of that image on the same day finds nothing either. A scan without an
    operating system after a sound one that recognised one is broken.
    """
    known = scans.reindex(columns=[*dict.fromkeys([*scans, *_OPTIONAL])])
    why = pd.Series("", index=scans.index, dtype="object")
    ordered = known.sort_values("at", kind="stable")
    zeros = ordered[ordered["findings"].eq(0).fillna(False)]
    for _, rows in ordered.groupby("variant", sort=False):
        why.update(_of_image(rows, zeros))
    return scans.assign(why_broken=why)


def sound(marked: pd.DataFrame) -> pd.DataFrame:
    """Return the measured scans that are not broken: those that trends and steps are made of."""
    measured = marked["findings"].notna() & ~marked["status"].isin(UNKNOWN_COUNT)
    return marked[measured & marked["why_broken"].eq("")]


def answer(scans: pd.DataFrame, images: pd.DataFrame) -> Answer:
    """Answer which scans are more likely broken than good news, and which failed, with the reason.

    `images` is the frame of that name.
    """
    columns = ["variant", "capture", "at", "findings", "why_broken"]
    rows = scans[scans["why_broken"].ne("") | scans["status"].eq(FAILED)]
    rows = rows.merge(images[[*SCAN, "reason"]], how="left", on=SCAN)
    is_sound = rows["why_broken"].eq("")
    told = rows["why_broken"].mask(is_sound, _FAILED)
    why = rows["why_broken"].mask(is_sound, rows["reason"].fillna(_FAILED).astype("object"))
    table = rows[columns].assign(why_broken=why)
    if scans["capture"].nunique() < 2:
        lacks = word(ONE_CAPTURE)
        return Answer("broken-scans", table=table, lacks=lacks)
    if table.empty:
        return Answer("broken-scans", text=paragraph(t("No scan looks broken.")), table=table)
    lines = []
    for (variant, why), rows in table.assign(told=told).groupby(["variant", "told"], sort=False):
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


_FAILED = msg("failed, so nothing is counted")

_SHOWN = 6
"""Days that a text lists."""

_SAME = ["scanner", "scanner_version", "db_sha256"]
_OPTIONAL = ["status", "os_family", *identity.COLUMNS, *_SAME]


def _of_image(rows: pd.DataFrame, all_zeros: pd.DataFrame) -> pd.Series:
    """Return why scans of one image are broken, for those that are; `all_zeros`: of all images."""
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
    """Return which scans from the first row on lost nearly all that was found until it is back."""
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
    """Return whether scans of the same image found as many before and after those that did not."""
    least, most = sorted((before["findings"], after["findings"]))
    if 2 * least < most:
        return False
    of_before = _are_of(low, before)
    # A new image may well have nothing until something is published; of many that is no chance.
    return bool(of_before.all() or (least >= _FEW and (of_before | _are_of(low, after)).all()))


def _zeros(
    before: pd.Series, zeros: list[pd.Series], after: pd.Series | None, all_zeros: pd.DataFrame
) -> dict[object, str]:
    """Return which of the zeros between two scans that found something are broken, and why."""
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
    """Return whether a second scan of that image on the same day finds nothing, too."""
    same_day = all_zeros["at"].dt.floor("D").eq(row["at"].floor("D"))
    others = all_zeros[same_day & (all_zeros.index != row.name)]
    return bool(_are_of(others, row).any())


def _are_of(rows: pd.DataFrame, other: pd.Series) -> pd.Series:
    """Return which scans are known to be of the same image as another one."""
    same = identity.compared(pd.DataFrame([other] * len(rows), index=rows.index), rows)
    return same["same"].fillna(False).astype("bool") & ~same["level"].isin(identity.WEAK)
