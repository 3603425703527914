"""How much of the difference between two images is the age of their packages, how much the base."""

from typing import Any

import pandas as pd

from helpers import compare
from helpers.fixes import BLIND
from helpers.frames import SCANNED, Frames
from helpers.lenses import FINDINGS, VULNERABILITIES, Lens
from helpers.load import load_study
from helpers.study import open_study
from helpers.words import listed, name, number

COLUMNS = [
    *("study", "capture", "first", "second", "counted", "first_total", "second_total"),
    *("difference", "first_with_all_fixes", "second_with_all_fixes", "with_all_fixes"),
    *("of_age", "days_older", "not_observable"),
]

COUNTED = (FINDINGS, VULNERABILITIES)
"""As the post counts, and as vulnerabilities are: the two can differ in sign."""


def difference(
    study: str, frames: Frames, first: str | None, second: str | None, lens: Lens
) -> pd.DataFrame:
    """Return the first variant's count less the second's, as they are and with every fix in.

    Two rows a capture: counted as findings and as vulnerabilities, else by the lens.
    `with_all_fixes` is the difference if each image had had every fix that its distribution had
    out by then, so what is left of it for the bases; `of_age` is the rest. `days_older`: how much
    older the first image is; `not_observable` names the variants whose unfixed vulnerabilities
    cannot be seen, so that their part with all fixes is that of what can be. Captures in which not
    both were scanned are left out; all are, if the study has no variant for one of them.
    """
    rows: list[list[object]] = []
    for capture, images in frames.images.groupby("capture", sort=True):
        of = images[images["status"].eq(SCANNED)].set_index("variant")
        if first not in of.index or second not in of.index:
            continue
        findings = frames.findings[frames.findings["capture"].eq(capture)]
        built = of["created_at"].dt.normalize()
        known = pd.notna(built[first]) and pd.notna(built[second])
        days = (built[second] - built[first]).days if known else pd.NA
        blind = [str(v) for v in (first, second) if of["os_family"][v] in BLIND]
        for counted in COUNTED:
            view = lens._replace(counted=counted, fixable=False)
            whole = _totals(findings, images, view)
            left = whole - _totals(findings, images, view._replace(fixable=True))
            apart, then = whole[first] - whole[second], left[first] - left[second]
            numbers = [whole[first], whole[second], apart, left[first], left[second], then]
            told = [study, capture, first, second, view.label]
            rows.append([*told, *numbers, apart - then, days, " ".join(blind)])
    return pd.DataFrame(rows, columns=COLUMNS).astype({"days_older": "Int64"})


def of_study(name: str, lens: Lens) -> pd.DataFrame:
    """Return `difference` of the default capture of another study, as known by its own day.

    No row for an empty name. Raises `StudyInvalid` if there is no such study.
    """
    if not name:
        return pd.DataFrame(columns=COLUMNS)
    study = open_study(name)
    view = lens._replace(known_by=str(study.known_by or ""))
    roles = study.by_role("alpine"), study.by_role("distroless")
    return difference(name, load_study(name), *roles, view)


def of_capture(table: pd.DataFrame, capture: str) -> pd.DataFrame:
    """Return the rows of one capture, or none."""
    return table[table["capture"].eq(capture)].reset_index(drop=True)


def sentence(table: pd.DataFrame) -> str:
    """Return each difference as it is and with every fix in, as a list."""
    if table.empty:
        return "No capture has both images scanned, so no difference is taken apart."
    lines = [
        f"- {name(row.study)}, {row.capture}, {row.counted}: {row.first_total:,} on "
        f"{name(row.first)} against {row.second_total:,} on {name(row.second)} "
        f"({_signed(row.difference)}); **with every fix that was out, "
        f"{row.first_with_all_fixes:,} against {row.second_with_all_fixes:,}** "
        f"({_signed(row.with_all_fixes)})"
        for row in table.itertuples()
    ]
    ages = {(r.study, r.first): _age(r) for r in table.itertuples()}
    ages_told = listed(ages.values(), " ")
    note = f"{ages_told} What fixes would take away is the age of an image's packages."
    if blind := dict.fromkeys(" ".join(table["not_observable"]).split()):
        note += (
            f" What has no fix cannot be seen in {listed(map(name, blind))}: that side of the rest "
            "is not zero but **not observable**, so what the bases differ in is known in part only."
        )
    return "\n".join([*lines, "", note])


def lesson(ours: pd.DataFrame, matched: pd.DataFrame) -> str:
    """Return what a matched pair says of a study's difference; each of one capture, or empty."""
    if ours.empty or matched.empty:
        return "No matched pair is held beside it."
    own, pair = ours.iloc[0], matched.iloc[0]
    if own["study"] == pair["study"]:
        return (
            f"{name(own['study'])} is the matched pair: its images are {_days(own['days_older'])} "
            "apart, so that age has the least part in what they differ in."
        )
    text = (
        f"In {name(own['study'])} Alpine has {_more(own['difference'])} than distroless, its image "
        f"being {_days(own['days_older'])} apart; in {name(pair['study'])}, "
        f"{_days(pair['days_older'])} apart and with one Node.js, {_more(pair['difference'])} "
        f"({own['counted']} / {pair['counted']})."
    )
    if not own["difference"] * pair["difference"]:
        return f"{text} One of them is no difference, so there are no signs to compare."
    if own["difference"] * pair["difference"] < 0:
        return f"{text} **The sign is the other way: the base alone does not explain the first.**"
    return f"{text} The sign is the same, which fits the base but does not prove it."


def _totals(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.Series:
    counts = compare.severity_counts(findings, images, lens)
    return compare.totals(counts).set_index("variant")["total"]


def _age(row: Any) -> str:
    if pd.isna(row.days_older):
        return f"How much older one of {name(row.study)} is, is not known."
    if not row.days_older:
        return f"The images of {name(row.study)} are of the same day."
    older = row.first if row.days_older > 0 else row.second
    return f"In {name(row.study)}, {name(older)} is {_days(row.days_older)} older."


def _days(apart: Any) -> str:
    return "an unknown number of days" if pd.isna(apart) else number(abs(int(apart)), "day")


def _signed(value: int) -> str:
    return f"{value:+,}".replace("-", "−") if value else "no difference"


def _more(value: int) -> str:
    return f"{abs(value):,} {'more' if value >= 0 else 'fewer'}"
