"""What changed between two captures of the same variants, and whose doing that is."""

import pandas as pd

from helpers.errors import ParameterInvalid
from helpers.frames import SEVERITY, UNKNOWN_COUNT, Frames
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import listed, name, number

APPEARED, GONE = msg("appeared"), msg("gone")
RERATED, STAYED = msg("re-rated"), msg("stayed")
IMAGE, SCANNER, DATABASE = msg("image"), msg("scanner"), msg("database")
UNTOLD = msg("not known")

_EITHER = {
    (SCANNER, DATABASE): msg("scanner or database"),
    (IMAGE, SCANNER): msg("image or scanner"),
    (IMAGE, DATABASE): msg("image or database"),
    (IMAGE, SCANNER, DATABASE): msg("image or scanner or database"),
}
"""What a reason is called that may be one of several."""

COLUMNS = [
    *("variant", "earlier", "later", "vulnerability_id", "package", "change"),
    *("severity_before", "severity_after", "reason"),
]

_KEYS = ["vulnerability_id", "package", "package_path"]


def pair(images: pd.DataFrame, earlier: str = "", later: str = "") -> tuple[str, str]:
    """Return the two captures to compare: those named, else the first and the last.

    With a single capture both are that one. Raises `ParameterInvalid` for one that there is not.
    """
    found = sorted(images["capture"].unique())
    for wanted in filter(None, (earlier, later)):
        if wanted not in found:
            raise ParameterInvalid(f"there is no capture {wanted!r}; there is {', '.join(found)}")
    return earlier or (found[0] if found else ""), later or (found[-1] if found else "")


def changes(frames: Frames, earlier: str, later: str) -> pd.DataFrame:
    """Return every finding of two captures with what became of it, one row each.

    `variant, earlier, later, vulnerability_id, package, change, severity_before, severity_after,
    reason`; a change is one of `appeared`, `gone`, `re-rated` and `stayed`. The reason is the
    `image` where the package was not installed in that version both times, else whichever of
    `scanner` and `database` is another. A finding is the same if id, package and path are.
    Variants that were not measured in both captures are left out.
    """
    parts = []
    for variant in _measured_twice(frames.images, earlier, later):
        before, after = (_findings(frames, variant, capture) for capture in (earlier, later))
        both = before.merge(after, how="outer", on=_KEYS, suffixes=("_before", "_after"))
        change = pd.Series(STAYED, index=both.index)
        change = change.mask(both["severity_before"].ne(both["severity_after"]), RERATED)
        change = change.mask(both["there_before"].isna(), APPEARED)
        change = change.mask(both["there_after"].isna(), GONE)
        told = both.assign(variant=variant, earlier=earlier, later=later, change=change)
        parts.append(told.assign(reason=_reasons(told, frames, variant, earlier, later))[COLUMNS])
    if not parts:
        return pd.DataFrame({column: pd.Series(dtype="str") for column in COLUMNS})
    whole = pd.concat(parts, ignore_index=True)
    return whole.astype({"severity_before": SEVERITY, "severity_after": SEVERITY})


def movers(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that came, went or were re-rated; a severity is empty where none was."""
    told = changes[changes["change"].ne(STAYED)].reset_index(drop=True)
    levels = ["severity_before", "severity_after"]
    return told.assign(**{level: told[level].astype("str").fillna("") for level in levels})


def moved(changes: pd.DataFrame) -> pd.DataFrame:
    """Return how many findings of each variant came, went, were re-rated and stayed."""
    keys = ["variant", "earlier", "later"]
    counted = changes.groupby([*keys, "change"], sort=False).size().unstack(fill_value=0)
    kinds = [APPEARED, GONE, RERATED, STAYED]
    table = counted.reindex(columns=kinds, fill_value=0).astype("int64").reset_index()
    return table.rename(columns={RERATED: "re_rated"}).rename_axis(columns=None)


def causes(frames: Frames, earlier: str, later: str) -> pd.DataFrame:
    """Return what is another in the later capture: `variant, image, scanner, database`.

    NA where that is not known. The image is the same if its packages are, or else its id is.
    """
    rows = [
        (variant, *_other(frames, variant, earlier, later))
        for variant in _measured_twice(frames.images, earlier, later)
    ]
    told = [IMAGE, SCANNER, DATABASE]
    return pd.DataFrame(rows, columns=["variant", *told]).astype(dict.fromkeys(told, "boolean"))


def sentence(changes: pd.DataFrame, causes: pd.DataFrame) -> str:
    """Return what came and went between two captures, and whether image, scanner or DB did it."""
    if changes.empty:
        return t(
            "No image was measured in two captures, so nothing can be said of how counts moved."
        )
    by_variant = causes.set_index("variant")
    lines = []
    for m in moved(changes).itertuples():
        other = by_variant.loc[m.variant]
        same = [what for what in other.index if other[what] is not pd.NA and not other[what]]
        moved_by = [what for what in other.index if other[what] is not pd.NA and other[what]]
        told = t(
            "- {variant}, {earlier} → {later}: {appeared} appeared, {gone:,} went, "
            "{re_rated:,} re-rated, {stayed:,} stayed ({why})",
            variant=name(m.variant),
            earlier=m.earlier,
            later=m.later,
            appeared=number(m.appeared, "finding"),
            gone=m.gone,
            re_rated=m.re_rated,
            stayed=m.stayed,
            why=_why(moved_by, same),
        )
        lines.append(told)
    return "\n".join(lines)


def _why(other: list[str], same: list[str]) -> str:
    """Return what is another in the later capture and what is the same, in words."""
    text = t("nothing known differs")
    if other:
        text = t("another {causes}", causes=listed(map(word, other), t(" and another ")))
    if same:
        text += t(", the same {causes}", causes=listed(map(word, same), t(" and ")))
    return text


def _measured_twice(images: pd.DataFrame, earlier: str, later: str) -> list[str]:
    known = images[~images["status"].isin(UNKNOWN_COUNT)]
    by_capture = known.groupby("capture")["variant"].agg(list)
    if earlier == later or not {earlier, later} <= set(by_capture.index):
        return []
    return [variant for variant in by_capture[later] if variant in by_capture[earlier]]


def _findings(frames: Frames, variant: str, capture: str) -> pd.DataFrame:
    rows = _of(frames.findings, variant, capture)
    text = {key: rows[key].fillna("") for key in _KEYS}
    kept = rows.assign(**text, there=True).sort_values("severity", ascending=False, kind="stable")
    told = [*_KEYS, "severity", "installed_version", "there"]
    return kept.drop_duplicates(_KEYS)[told].astype({"severity": "str"})


def _of(frame: pd.DataFrame, variant: str, capture: str) -> pd.DataFrame:
    return frame[frame["variant"].eq(variant) & frame["capture"].eq(capture)]


def _reasons(
    told: pd.DataFrame, frames: Frames, variant: str, earlier: str, later: str
) -> pd.Series:
    image, scanner, database = _other(frames, variant, earlier, later)
    others = [w for w, o in ((SCANNER, scanner), (DATABASE, database)) if o is not pd.NA and o]
    reason = pd.Series(_either(others), index=told.index)
    if image is pd.NA or image:
        before, after = (_installed(frames, variant, capture) for capture in (earlier, later))
        then = _named(told["package"], told["installed_version_before"])
        now = _named(told["package"], told["installed_version_after"])
        if before is not None and after is not None:
            came = told["change"].eq(APPEARED) & ~now.isin(before)
            went = told["change"].eq(GONE) & ~then.isin(after)
            reason = reason.mask(came | went, IMAGE)
        elif image is not pd.NA:
            # Without lists of packages nobody can tell which of them it was.
            reason = pd.Series(_either([IMAGE, *others]), index=told.index)
    return reason.mask(told["change"].eq(STAYED), "")


def _either(reasons: list[str]) -> str:
    """Return the reason that one of several is, or that none is known."""
    return _EITHER.get(tuple(reasons)) or "".join(reasons) or UNTOLD


def _other(frames: Frames, variant: str, earlier: str, later: str) -> tuple[object, ...]:
    """Return whether image, scanner and database of a variant are another; NA: not known."""
    before, after = (_of(frames.images, variant, capture).iloc[0] for capture in (earlier, later))
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
    rows = _of(frames.packages, variant, capture)
    return frozenset(_named(rows["package"], rows["version"])) if len(rows) else None


def _named(package: pd.Series, version: pd.Series) -> pd.Series:
    return package.astype("str").str.cat(version.astype("str"), " ", na_rep="")
