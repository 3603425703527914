"""How much of the difference between two images is the base, and how much the age of one."""

import pandas as pd

from helpers import compare
from helpers.fixes import BLIND
from helpers.frames import SCANNED, Frames
from helpers.lenses import Lens
from helpers.load import load_study
from helpers.study import open_study
from helpers.words import name, number

COLUMNS = [
    *("study", "capture", "first", "second", "counted", "first_total", "second_total"),
    *("difference", "of_age", "of_base", "days_apart", "blind"),
]


def difference(
    study: str, frames: Frames, first: str | None, second: str | None, lens: Lens
) -> pd.DataFrame:
    """Return the first variant's count less the second's and what it is made of, by capture.

    `of_age` is the difference of what newer packages of the same release would fix, `of_base` that
    of what is left then; they add up to `difference`. `days_apart`: how much older the first image
    is; `blind` names the variant whose unfixed vulnerabilities cannot be seen. Captures in which
    not both were scanned are left out; all are, if the study has no variant for one of them.
    """
    rows: list[list[object]] = []
    for capture, images in frames.images.groupby("capture", sort=True):
        of = images[images["status"].eq(SCANNED)].set_index("variant")
        if first not in of.index or second not in of.index:
            continue
        findings = frames.findings[frames.findings["capture"].eq(capture)]
        whole = _totals(findings, images, lens._replace(fixable=False))
        fixed = _totals(findings, images, lens._replace(fixable=True))
        apart = whole[first] - whole[second]
        of_age = fixed[first] - fixed[second]
        built = of["created_at"]
        known = pd.notna(built[first]) and pd.notna(built[second])
        days = (built[second] - built[first]).days if known else pd.NA
        blind = [str(v) for v in (first, second) if of["os_family"][v] in BLIND]
        told = [study, capture, first, second, lens._replace(fixable=False).label]
        numbers = [whole[first], whole[second], apart, of_age, apart - of_age]
        rows.append([*told, *numbers, days, " ".join(blind)])
    return pd.DataFrame(rows, columns=COLUMNS).astype({"days_apart": "Int64"})


def of_study(name: str, counted: str) -> pd.DataFrame:
    """Return `difference` of the default capture of another study, as known by its own day.

    No row for an empty name. Raises `StudyInvalid` if there is no such study.
    """
    if not name:
        return pd.DataFrame(columns=COLUMNS)
    study = open_study(name)
    lens = Lens(counted, known_by=str(study.known_by or ""))
    roles = study.by_role("alpine"), study.by_role("distroless")
    return difference(name, load_study(name), *roles, lens)


def of_capture(table: pd.DataFrame, capture: str) -> pd.DataFrame:
    """Return the row of one capture, or none."""
    return table[table["capture"].eq(capture)].reset_index(drop=True)


def sentence(table: pd.DataFrame) -> str:
    """Return how much of each difference was age and how much the base, as a list."""
    if table.empty:
        return "No capture has both images scanned, so no difference is taken apart."
    lines = []
    for row in table.itertuples():
        apart = "days apart not known" if pd.isna(row.days_apart) else _apart(row)
        lines.append(
            f"- {name(row.study)}, {row.capture} ({apart}): {name(row.first)} {row.first_total:,} "
            f"against {name(row.second)} {row.second_total:,}, {_signed(row.difference)}; "
            f"**{_signed(row.of_age)} by age** (a newer package fixes it), "
            f"**{_signed(row.of_base)} by the base** (nothing fixes it yet)"
        )
    note = f"Counted: {' / '.join(dict.fromkeys(table['counted']))}."
    if blind := dict.fromkeys(filter(None, " ".join(table["blind"]).split())):
        note += (
            f" What is unfixed in {', '.join(map(name, blind))} cannot be seen, so its part by the "
            "base is that of what can be."
        )
    return "\n".join([*lines, "", note])


def lesson(blogs: pd.DataFrame, matched: pd.DataFrame) -> str:
    """Return what a matched pair says of the first study's difference; each is one row or none."""
    if blogs.empty or matched.empty:
        return "No matched pair is at hand to hold beside it."
    ours, pair = blogs.iloc[0], matched.iloc[0]
    if ours["study"] == pair["study"]:
        return (
            f"{name(ours['study'])} is the matched pair: its images are built "
            f"{_days(ours['days_apart'])} apart, so that age has the least part in what is apart."
        )
    text = (
        f"In {name(ours['study'])} Alpine has {_more(ours['difference'])} than distroless; in the "
        f"matched pair of {name(pair['study'])}, built {_days(pair['days_apart'])} apart, "
        f"{_more(pair['difference'])}."
    )
    if ours["difference"] > 0 >= pair["difference"]:
        text += (
            " **With age taken out, the difference is gone or turned around: it was not the base.**"
        )
    elif ours["difference"] * pair["difference"] > 0:
        left = min(pair["difference"] / ours["difference"], 1)
        text += f" **With age taken out, {left:.0%} of the difference is left for the base.**"
    return text


def _totals(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.Series:
    counts = compare.severity_counts(findings, images, lens)
    return compare.totals(counts).set_index("variant")["total"]


def _apart(row: object) -> str:
    days = int(row.days_apart)  # type: ignore[attr-defined]
    if not days:
        return "built on the same day"
    older = row.first if days > 0 else row.second  # type: ignore[attr-defined]
    return f"{name(older)} is {number(abs(days), 'day')} older"


def _days(apart: object) -> str:
    return "an unknown number of days" if pd.isna(apart) else number(abs(int(apart)), "day")  # type: ignore[call-overload]


def _signed(value: int) -> str:
    return f"{value:+,}".replace("-", "−") if value else "no difference"


def _more(value: int) -> str:
    return f"{abs(value):,} {'more' if value >= 0 else 'fewer'}"
