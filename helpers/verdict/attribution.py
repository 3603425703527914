"""How much of the difference between two images is the age of their packages, how much the base."""

from typing import Any

import pandas as pd

from helpers.frames import SCANNED, Frames
from helpers.studies.load import load_study
from helpers.studies.study import open_study
from helpers.text.i18n import t
from helpers.text.markdown import listed, name, number
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.fixes import BLIND
from helpers.vulnerabilities.lenses import FINDINGS, VULNERABILITIES, Lens

COLUMNS = [
    *("study", "capture", "first", "second", "counted", "first_total", "second_total"),
    *("difference", "first_with_all_fixes", "second_with_all_fixes", "with_all_fixes"),
    *("fixable_difference", "days_older", "not_observable"),
]

COUNTED = (FINDINGS, VULNERABILITIES)
"""As the post counts, and as vulnerabilities are: the two can differ in sign."""


def difference(
    study: str, frames: Frames, first: str | None, second: str | None, lens: Lens
) -> pd.DataFrame:
    """Return the first variant's count less the second's, as they are and with every fix in.

    Two rows a capture: counted as findings and as vulnerabilities, else by the lens.
    `with_all_fixes` is the difference if each image had had every fix that its distribution had
    out by then; NA where what is unfixed cannot be seen in one of them (`not_observable` names
    which). `fixable_difference` is that of what has a fix, which can be seen in both: what the age
    of an image's packages makes. `days_older`: how much older the first image is. Captures in which
    not both were scanned are left out; all are, if the study has no variant for one of them.
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
            fixed = _totals(findings, images, view._replace(fixable=True))
            left = (whole - fixed).mask(whole.index.isin(blind))
            then = [left[first], left[second], left[first] - left[second]]
            told = [study, capture, first, second, view.label]
            apart = [whole[first], whole[second], whole[first] - whole[second]]
            rows.append([*told, *apart, *then, fixed[first] - fixed[second], days, " ".join(blind)])
    numbers = ["days_older", "first_with_all_fixes", "second_with_all_fixes", "with_all_fixes"]
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(numbers, "Int64"))


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


def sentence(table: pd.DataFrame, beside: bool = False) -> str:
    """Return each difference as it is and with every fix in, as a list.

    `beside`: the table is that of another study, of which there may be none.
    """
    if table.empty and beside:
        return t("No other study is held beside this one.")
    if table.empty:
        return t("No capture has both images scanned, so no difference is taken apart.")
    lines = [
        t(
            "- {study}, {capture}, {counted}: {first_total:,} on {first} against "
            "{second_total:,} on {second} ({difference}); of those with a fix, {fixable}; "
            "**with every fix in, {first_left} against {second_left}**",
            study=name(row.study),
            capture=row.capture,
            counted=row.counted,
            first_total=row.first_total,
            first=name(row.first),
            second_total=row.second_total,
            second=name(row.second),
            difference=_signed(row.difference),
            fixable=_signed(row.fixable_difference),
            first_left=_left(row.first_with_all_fixes),
            second_left=_left(row.second_with_all_fixes),
        )
        for row in table.itertuples()
    ]
    ages = {(r.study, r.first): _age(r) for r in table.itertuples()}
    age = t("What fixes would take away is the age of an image's packages.")
    note = listed([*ages.values(), age], " ")
    if blind := dict.fromkeys(" ".join(table["not_observable"]).split()):
        note += t(
            " What has no fix cannot be seen in {variants}: that is **not observable**, and not "
            "zero, so what the bases differ in is known in part only.",
            variants=listed(map(name, blind)),
        )
    return "\n".join([*lines, "", note])


def lesson(ours: pd.DataFrame, matched: pd.DataFrame) -> str:
    """Return what a matched pair says of a study's difference; each of one capture, or empty."""
    if ours.empty or matched.empty:
        return t("No matched pair is held beside it.")
    own, pair = ours.iloc[0], matched.iloc[0]
    if own["study"] == pair["study"]:
        return t(
            "{study} is the matched pair: its images are {days} apart, so that age has the least "
            "part in what they differ in.",
            study=name(own["study"]),
            days=_days(own["days_older"]),
        )
    then, now = own["fixable_difference"], pair["fixable_difference"]
    text = t(
        "In {study}, {days} apart, Alpine has {more} than distroless, of those with a fix "
        "{fixable}; in {pair}, {pair_days} apart and with one Node.js, {pair_more}, of those with "
        "a fix {pair_fixable} ({counted} / {pair_counted}).",
        study=name(own["study"]),
        days=_days(own["days_older"]),
        more=_more(own["difference"]),
        fixable=_more(then),
        pair=name(pair["study"]),
        pair_days=_days(pair["days_older"]),
        pair_more=_more(pair["difference"]),
        pair_fixable=_more(now),
        counted=own["counted"],
        pair_counted=pair["counted"],
    )
    if 2 * abs(now) < abs(then):
        return text + t(
            " **Of what can be seen in both, {then} becomes {now}: age and runtime explain the "
            "most of it.** What is left to the base is not known.",
            then=_signed(then),
            now=_signed(now),
        )
    return text + t(
        " Of what can be seen in both, {then} becomes {now}: age does not explain the most of it.",
        then=_signed(then),
        now=_signed(now),
    )


def _totals(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.Series:
    counts = counting.severity_counts(findings, images, lens)
    return counting.totals(counts).set_index("variant")["total"]


def _age(row: Any) -> str:
    if pd.isna(row.days_older):
        return t("How much older one of {study} is, is not known.", study=name(row.study))
    if not row.days_older:
        return t("The images of {study} are of the same day.", study=name(row.study))
    return t(
        "In {study}, {older} is {days} older.",
        study=name(row.study),
        older=name(row.first if row.days_older > 0 else row.second),
        days=_days(row.days_older),
    )


def _days(apart: Any) -> str:
    return t("an unknown number of days") if pd.isna(apart) else number(abs(int(apart)), "day")


def _left(count: Any) -> str:
    return t("not observable") if pd.isna(count) else f"{count:,}"


def _signed(value: int) -> str:
    return f"{value:+,}".replace("-", "−") if value else t("no difference")


def _more(value: int) -> str:
    if value < 0:
        return t("{count:,} fewer", count=-value)
    return t("{count:,} more", count=value)
