"""What changed between two captures of the same variants, and what caused it."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from helpers.answers.answer import Answer
from helpers.errors import ParameterInvalid
from helpers.frames import SEVERITY, UNKNOWN_COUNT, Frames
from helpers.text.i18n import msg, t, word
from helpers.text.rich import AND, Phrase, bullets, listed, name, number, paragraph, phrase, say

APPEARED, GONE = msg("appeared"), msg("gone")
RERATED, STAYED = msg("re-rated"), msg("stayed")
IMAGE, SCANNER, DATABASE = msg("image"), msg("scanner"), msg("database")
STATEMENT = msg("statement")
UNKNOWN = msg("not known")

_EITHER = {
    (SCANNER, DATABASE): msg("scanner or database"),
    (IMAGE, SCANNER): msg("image or scanner"),
    (IMAGE, DATABASE): msg("image or database"),
    (IMAGE, SCANNER, DATABASE): msg("image or scanner or database"),
}
"""Reasons of which any may be the one."""

COLUMNS = [
    *("variant", "earlier", "later", "vulnerability_id", "package", "change"),
    *("severity_before", "severity_after", "reason"),
]

_KEYS = ["vulnerability_id", "package", "package_path"]


def pair(captures: Iterable[str], earlier: str = "", later: str = "") -> tuple[str, str]:
    """Return the two of some captures, oldest first: those named, else the first and the last.

    A single capture is both. Raises `ParameterInvalid` for an unknown capture.
    """
    found = [*dict.fromkeys(captures)]
    for wanted in filter(None, (earlier, later)):
        if wanted not in found:
            raise ParameterInvalid(f"unknown capture {wanted!r}; known: {', '.join(found)}")
    return earlier or (found[0] if found else ""), later or (found[-1] if found else "")


def changes(frames: Frames, earlier: str, later: str) -> pd.DataFrame:
    """Return how every finding of two captures changed, one row each.

    `variant, earlier, later, vulnerability_id, package, change, severity_before, severity_after,
    reason`; a change is one of `appeared`, `gone`, `re-rated` and `stayed`. A suppressed finding is
    none. The reason is the `image` where the package was not installed in that version both times,
    `statement` where the finding is suppressed in one capture, else whichever of `scanner` and
    `database` differs. A finding is the same if id, package and path are. Variants that were not
    measured in both captures are left out.
    """
    parts = []
    for variant in _measured_twice(frames.images, earlier, later):
        before, after = (_findings(frames, variant, capture) for capture in (earlier, later))
        both = before.merge(after, how="outer", on=_KEYS, suffixes=("_before", "_after"))
        then, now = both["there_before"].eq(True), both["there_after"].eq(True)
        both = both[then | now]
        change = pd.Series(STAYED, index=both.index)
        change = change.mask(both["severity_before"].ne(both["severity_after"]), RERATED)
        change = change.mask(~then, APPEARED).mask(~now, GONE)
        both = both.assign(variant=variant, earlier=earlier, later=later, change=change)
        parts.append(both.assign(reason=_reasons(both, frames, variant, earlier, later))[COLUMNS])
    if not parts:
        return pd.DataFrame({column: pd.Series(dtype="str") for column in COLUMNS})
    whole = pd.concat(parts, ignore_index=True)
    return whole.astype({"severity_before": SEVERITY, "severity_after": SEVERITY})


def movers(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that appeared, went or were re-rated; a missing severity is empty."""
    table = changes[changes["change"].ne(STAYED)].reset_index(drop=True)
    levels = ["severity_before", "severity_after"]
    return table.assign(**{level: table[level].astype("str").fillna("") for level in levels})


def moved(changes: pd.DataFrame) -> pd.DataFrame:
    """Return how many findings of each variant appeared, went, were re-rated and stayed."""
    keys = ["variant", "earlier", "later"]
    counted = changes.groupby([*keys, "change"], sort=False).size().unstack(fill_value=0)
    kinds = [APPEARED, GONE, RERATED, STAYED]
    table = counted.reindex(columns=kinds, fill_value=0).astype("int64").reset_index()
    return table.rename(columns={RERATED: "re_rated"}).rename_axis(columns=None)


def causes(frames: Frames, earlier: str, later: str) -> pd.DataFrame:
    """Return whether each cause differs in the later capture: `variant, image, scanner, database`.

    NA where that is not known. The image is the same if its packages are, or else its id is.
    """
    rows = [
        (variant, *_differing(frames, variant, earlier, later))
        for variant in _measured_twice(frames.images, earlier, later)
    ]
    named = [IMAGE, SCANNER, DATABASE]
    return pd.DataFrame(rows, columns=["variant", *named]).astype(dict.fromkeys(named, "boolean"))


def answer(frames: Frames, earlier: str, later: str) -> Answer:
    """Answer what appeared and went between two captures, and what caused it."""
    table = changes(frames, earlier, later)
    lacks = ""
    if table.empty:
        lacks = t("No image was measured in two captures, so it is not known how counts changed.")
        text = paragraph(lacks)
    else:
        by_variant = causes(frames, earlier, later).set_index("variant")
        text = bullets(_line(row, by_variant.loc[row.variant]) for row in moved(table).itertuples())
    return Answer("changes", text=text, table=movers(table), searchable=True, lacks=lacks)


def _line(row: Any, differs: pd.Series) -> Phrase:
    """Return how many findings of a variant changed; `differs` are its causes."""
    known = differs.dropna()
    return say(
        "{variant}, {earlier} → {later}: {appeared} appeared, {gone:,} went, {re_rated:,} "
        "re-rated, {stayed:,} stayed ({why})",
        variant=name(row.variant),
        earlier=row.earlier,
        later=row.later,
        appeared=number(row.appeared, "finding"),
        gone=row.gone,
        re_rated=row.re_rated,
        stayed=row.stayed,
        why=_why(list(known.index[known]), list(known.index[~known])),
    )


def _why(different: list[str], same: list[str]) -> Phrase:
    """Return which causes differ in the later capture and which are the same."""
    text = phrase(t("nothing known differs"))
    if different:
        text = say("another {causes}", causes=listed(map(word, different), " and another "))
    if same:
        text += say(", the same {causes}", causes=listed(map(word, same), AND))
    return text


def _measured_twice(images: pd.DataFrame, earlier: str, later: str) -> list[str]:
    known = images[~images["status"].isin(UNKNOWN_COUNT)]
    by_capture = known.groupby("capture")["variant"].agg(list)
    if earlier == later or not {earlier, later} <= set(by_capture.index):
        return []
    return [variant for variant in by_capture[later] if variant in by_capture[earlier]]


def _findings(frames: Frames, variant: str, capture: str) -> pd.DataFrame:
    rows = _rows(frames.findings, variant, capture)
    text = {key: rows[key].fillna("") for key in _KEYS}
    there = ~rows["suppressed"].fillna(False)
    severity = rows["severity"].where(there)
    kept = rows.assign(**text, there=there.astype("object"), severity=severity)
    # One that is suppressed in one place and not in another is there.
    kept = kept.sort_values(["there", "severity"], ascending=False, kind="stable")
    columns = [*_KEYS, "severity", "installed_version", "there"]
    return kept.drop_duplicates(_KEYS)[columns].astype({"severity": "str"})


def _rows(frame: pd.DataFrame, variant: str, capture: str) -> pd.DataFrame:
    return frame[frame["variant"].eq(variant) & frame["capture"].eq(capture)]


def _reasons(
    both: pd.DataFrame, frames: Frames, variant: str, earlier: str, later: str
) -> pd.Series:
    image, *others = _differing(frames, variant, earlier, later)
    differing = [
        cause
        for cause, differs in zip((SCANNER, DATABASE), others, strict=True)
        if differs is not pd.NA and differs
    ]
    reason = pd.Series(either(differing), index=both.index)
    if image is pd.NA or image:
        before, after = (_installed(frames, variant, capture) for capture in (earlier, later))
        then = _named(both["package"], both["installed_version_before"])
        now = _named(both["package"], both["installed_version_after"])
        if before is not None and after is not None:
            appeared = both["change"].eq(APPEARED) & ~now.isin(before)
            gone = both["change"].eq(GONE) & ~then.isin(after)
            reason = reason.mask(appeared | gone, IMAGE)
        elif image is not pd.NA:
            # Without lists of packages it is not known which of them it was.
            reason = pd.Series(either([IMAGE, *differing]), index=both.index)
    suppressed = both["there_before"].eq(False) | both["there_after"].eq(False)
    return reason.mask(suppressed, STATEMENT).mask(both["change"].eq(STAYED), "")


def either(reasons: list[str]) -> str:
    """Return one of several reasons as one, or that none is known."""
    return _EITHER.get(tuple(reasons)) or "".join(reasons) or UNKNOWN


def _differing(frames: Frames, variant: str, earlier: str, later: str) -> tuple[object, ...]:
    """Return whether image, scanner and database of a variant differ; NA: not known."""
    before, after = (_rows(frames.images, variant, capture).iloc[0] for capture in (earlier, later))
    installed = [_installed(frames, variant, capture) for capture in (earlier, later)]
    if None not in installed:
        image: object = installed[0] != installed[1]
    else:
        image = _differ(before, after, ["image_id"])
    scanner = _differ(before, after, ["scanner", "scanner_version"])
    database = _differ(before, after, ["db_sha256"])
    if database is pd.NA:
        database = _differ(before, after, ["db_updated_at"])
    return image, scanner, database


def _differ(before: pd.Series, after: pd.Series, columns: list[str]) -> object:
    if before[columns].isna().any() or after[columns].isna().any():
        return pd.NA
    return bool(before[columns].ne(after[columns]).any())


def _installed(frames: Frames, variant: str, capture: str) -> frozenset[str] | None:
    """Return an image's packages with their versions, `None` where a report lists none."""
    rows = _rows(frames.packages, variant, capture)
    return frozenset(_named(rows["package"], rows["version"])) if len(rows) else None


def _named(package: pd.Series, version: pd.Series) -> pd.Series:
    return package.astype("str").str.cat(version.astype("str"), " ", na_rep="")
