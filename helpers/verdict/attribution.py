"""How much of the difference between two images is the age of their packages, how much the base."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart import Bars, Series
from helpers.answers.talk import AGE, Talk
from helpers.comparability.confounders import APART_DAYS
from helpers.frames import SCANNED, Frames
from helpers.text.i18n import t, told
from helpers.text.rich import Phrase, Text, bullets, listed, name, number, paragraph, say
from helpers.vulnerabilities import counting, lenses
from helpers.vulnerabilities.fixes import BLIND
from helpers.vulnerabilities.lenses import FINDINGS, VULNERABILITIES, Lens

COLUMNS = [
    *("study", "capture", "first", "second", "counted", "first_total", "second_total"),
    *("difference", "first_with_all_fixes", "second_with_all_fixes", "with_all_fixes"),
    *("first_fixable", "second_fixable", "fixable_difference", "days_older", "not_observable"),
]

COUNTED = (FINDINGS, VULNERABILITIES)
"""As the post counts, and as vulnerabilities: the two can differ in sign."""

_CHARTED = [
    *("study", "capture", "counted", "days_older", "first", "first_fixable"),
    *("second", "second_fixable", "fixable_difference"),
]
"""Columns of the table behind the figure."""

_TEXTS = ("study", "capture", "first", "second", "not_observable")


def answer(table: pd.DataFrame) -> Answer:
    """Answer how two images differ, as they are and with every fix in; of `difference`."""
    if table.empty:
        text = say(
            "No capture has both images scanned, so no difference is split into age and base."
        )
        return Answer("difference", text=paragraph(text), table=table)
    return Answer("difference", text=_differences(table), table=table)


def beside_answer(table: pd.DataFrame | None = None) -> Answer:
    """Answer how the images of another study, with matched ones, differ, if there is one."""
    if table is None or table.empty:
        text = paragraph(say("No other study is compared with this one."))
        table = pd.DataFrame(columns=COLUMNS)
    else:
        text = _differences(table)
    return Answer("difference-of-matched-pair", text=text, table=table)


def lesson_answer(
    table: pd.DataFrame,
    capture: str,
    matched: pd.DataFrame | None = None,
    lens: Lens = lenses.PLAIN,
    known_by: str = "",
) -> Answer:
    """Answer what matched images say of a study's difference in one capture: age, or base.

    `table` was counted through the lens, `matched` by its study's own day `known_by`.
    """
    rows = compared(table, capture, matched)
    if matched is None or matched.empty or not rows:
        text = paragraph(say("No study of matched images is compared with it."))
    else:
        text = paragraph(_lesson(rows[0], matched.iloc[0]))
    title = headline(rows)
    if not title:
        return Answer("age-or-base", text=text)
    # What is drawn has a fix, whatever the lens counts.
    drawn = lens._replace(counted=FINDINGS, fixable=True)
    source = ""
    if len(rows) > 1:
        pair = rows[1]
        source = t("study {study}", study=pair["study"])
        source += ", " + t("capture {captures}", captures=pair["capture"])
        if known_by:
            source += ", " + t("published by {day}", day=known_by)
    return Answer(
        "age-or-base",
        title,
        text,
        pd.DataFrame(rows)[_CHARTED].reset_index(drop=True).infer_objects(),
        _chart(rows, drawn),
        counted=drawn.label,
        source=source,
        role=SLIDE,
        variants=(rows[0]["first"], rows[0]["second"]),
        talks=(Talk(AGE, title, spoken=_spoken(rows)),),
    )


def compared(
    table: pd.DataFrame, capture: str, matched: pd.DataFrame | None = None
) -> list[pd.Series]:
    """Return the difference of one capture, and that of matched images of another study."""
    ours = table[table["capture"].eq(capture)]
    rows = [ours.iloc[0]] if len(ours) else []
    if rows and matched is not None and len(matched):
        pair = matched.iloc[0]
        rows += [pair] if pair["study"] != rows[0]["study"] else []
    return rows


def headline(rows: Sequence[pd.Series]) -> str:
    """Return whether age explains a difference, of `compared`; empty if that cannot be said.

    It takes a difference, and matched images, or images that are of about one day themselves.
    """
    if not rows:
        return ""
    ours, *others = rows
    days, then = _days(ours["days_older"]), ours["fixable_difference"]
    values = {"days": days, "then": _fixable_on_alpine(then)}
    if others:
        pair, now = others[0], others[0]["fixable_difference"]
        if not then and not now:
            return ""
        values |= {"now": _more_or_fewer(now), "pair_days": _days(pair["days_older"])}
        if 2 * abs(now) < abs(then):
            return t(
                "Mostly age and runtime: {days} apart, {then}; {pair_days} apart, {now}", **values
            )
        return t("Not mostly age: {days} apart, {then}; {pair_days} apart, {now}", **values)
    if pd.isna(ours["days_older"]) or abs(ours["days_older"]) > APART_DAYS:
        return ""
    if not ours["days_older"]:
        return t("Age has no part in it: {then}, built on one day", **values)
    return t("Age has little part in it: {days} apart, {then}", **values)


def _fixable_on_alpine(count: int) -> str:
    """Return how many fixable findings more or fewer Alpine has, as part of a sentence."""
    if not count:
        return t("both have as many with a fix")
    if count < 0:
        return t("Alpine has {count:,} fewer with a fix", count=-count)
    return t("Alpine has {count:,} more with a fix", count=count)


def _more_or_fewer(count: int) -> str:
    """Return the same in two words."""
    if not count:
        return t("as many of them")
    return (
        t("{count:,} fewer of them", count=-count)
        if count < 0
        else t("{count:,} more of them", count=count)
    )


def _chart(rows: Sequence[pd.Series], lens: Lens) -> Bars:
    """Return what is fixable in each image, the two of a study together."""
    names = [(row, side) for row in rows for side in ("first", "second")]
    counts = [int(row[f"{side}_fixable"]) for row, side in names]
    label = counting.number_of(lens.kind.told)
    return Bars(
        [(_apart(row), row[side]) for row, side in names],
        [Series("size", label, [float(count) for count in counts])],
        [f"{count:,}" for count in counts],
        label,
        # Of one colour: what is compared is their lengths.
        "size",
        [True] * len(names),
    )


def _apart(row: pd.Series) -> str:
    """Return how far apart two images are in age, as the name of the pair."""
    if pd.notna(row["days_older"]) and not row["days_older"]:
        return t("of one day")
    return t("{days} apart", days=_days(row["days_older"]))


def _spoken(rows: Sequence[pd.Series]) -> tuple[str, ...]:
    each = [
        t(
            "In {study} the two images are {apart}: {first} has {first_count:,} findings with a "
            "fix, {second} has {second_count:,}.",
            study=row["study"],
            apart=_apart(row),
            first_count=row["first_fixable"],
            first=row["first"],
            second_count=row["second_fixable"],
            second=row["second"],
        )
        for row in rows
    ]
    ours, *others = rows
    meaning = t("So close in time, what they differ in is hardly their age.")
    if others and 2 * abs(others[0]["fixable_difference"]) < abs(ours["fixable_difference"]):
        meaning = t("With age and runtime matched, most of the difference is gone.")
    elif others:
        meaning = t("With age and runtime matched, most of the difference is still there.")
    return (
        t("What has a fix shows the age of an image's packages: an update would take it away."),
        *each,
        meaning,
        t("What has no fix cannot be seen on Alpine, so what is left to the base is not known."),
    )


def difference(
    study: str, frames: Frames, first: str | None, second: str | None, lens: Lens
) -> pd.DataFrame:
    """Return the first variant's count less the second's, as they are and with every fix in.

    Two rows a capture: counted as findings and as vulnerabilities, else by the lens.
    `with_all_fixes` is the difference if each image had every fix that its distribution had out by
    then; NA where unfixed ones cannot be seen in one of them (`not_observable` names which).
    `first_fixable`, `second_fixable` and `fixable_difference` count what has a fix, which can be
    seen in both: it comes from the age of an image's packages. `days_older`: how much older the
    first image is. A capture in which not both were scanned has no row, nor has a study without one
    of the variants.
    """
    rows: list[list[Any]] = []
    for capture, images in frames.images.groupby("capture", sort=False):
        scanned = images[images["status"].eq(SCANNED)].set_index("variant")
        if first not in scanned.index or second not in scanned.index:
            continue
        findings = frames.findings[frames.findings["capture"].eq(capture)]
        built = scanned["created_at"].dt.normalize()
        is_known = pd.notna(built[first]) and pd.notna(built[second])
        days = (built[second] - built[first]).days if is_known else pd.NA
        blind = [str(v) for v in (first, second) if scanned["os_family"][v] in BLIND]
        for counted in COUNTED:
            view = lens._replace(counted=counted, fixable=False)
            total = _totals(findings, images, view)
            fixable = _totals(findings, images, view._replace(fixable=True))
            unfixed = (total - fixable).mask(total.index.isin(blind))
            row = [study, capture, first, second, view.cell]
            for counts in (total, unfixed):
                row += [counts[first], counts[second], counts[first] - counts[second]]
            row += [fixable[first], fixable[second], fixable[first] - fixable[second]]
            rows.append([*row, days, " ".join(blind)])
    table = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
    types = {c: "str" if c in _TEXTS else "Int64" for c in COLUMNS if c != "counted"}
    return table.astype(types)


def of_study(
    study: str,
    frames: Frames,
    roles: tuple[str | None, str | None],
    known_by: str,
    lens: Lens,
) -> pd.DataFrame:
    """Return `difference` of another study, as known by its own day, else by the lens."""
    return difference(study, frames, *roles, lens._replace(known_by=known_by))


def _totals(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.Series:
    return counting.image_counts(findings, images, lens).set_index("variant")["count"]


def _differences(table: pd.DataFrame) -> Text:
    """Return each difference as it is and with every fix in, as a list, and what that means."""
    lines = [
        say(
            "{study}, {capture}, {counted}: {first_total:,} on {first} against "
            "{second_total:,} on {second} ({difference}), of those with a fix {fixable}. **With "
            "every fix applied, {first_left} against {second_left} would remain**",
            study=name(row.study),
            capture=row.capture,
            counted=told(row.counted),
            first_total=row.first_total,
            first=name(row.first),
            second_total=row.second_total,
            second=name(row.second),
            difference=_signed(row.difference),
            fixable=_signed(row.fixable_difference),
            first_left=_unfixed(row.first_with_all_fixes),
            second_left=_unfixed(row.second_with_all_fixes),
        )
        for row in table.itertuples()
    ]
    ages = {(row.study, row.first): _age(row) for row in table.itertuples()}
    age = say("What fixes would take away is the age of an image's packages.")
    note = listed([*ages.values(), age], " ")
    if blind := dict.fromkeys(" ".join(table["not_observable"]).split()):
        note += say(
            " What has no fix cannot be seen in {variants}: how many would remain there is **not "
            "known**, and not zero, so what the bases differ in is known in part only.",
            variants=listed(map(name, blind)),
        )
    return bullets(lines) + paragraph(note)


def _lesson(ours: pd.Series, pair: pd.Series) -> Phrase:
    """Return what matched images say of a study's difference."""
    if ours["study"] == pair["study"]:
        return say(
            "{study} is the matched comparison itself: the two images are {days} apart, so age has "
            "the least part in what they differ in.",
            study=name(ours["study"]),
            days=_days(ours["days_older"]),
        )
    then, now = ours["fixable_difference"], pair["fixable_difference"]
    text = say(
        "In {study}, {days} apart, Alpine has {more} than distroless, of those with a fix "
        "{fixable}; in {pair}, {pair_days} apart and with one runtime, {pair_more}, of those with "
        "a fix {pair_fixable} ({counted} / {pair_counted}).",
        study=name(ours["study"]),
        days=_days(ours["days_older"]),
        more=_more(ours["difference"]),
        fixable=_more(then),
        pair=name(pair["study"]),
        pair_days=_days(pair["days_older"]),
        pair_more=_more(pair["difference"]),
        pair_fixable=_more(now),
        counted=told(ours["counted"]),
        pair_counted=told(pair["counted"]),
    )
    if not then and not now:
        return text
    if 2 * abs(now) < abs(then):
        return text + say(
            " **Of what can be seen in both, {then} becomes {now}: age and runtime explain the "
            "most of it.** What is left to the base is not known.",
            then=_signed(then),
            now=_signed(now),
        )
    return text + say(
        " Of what can be seen in both, {then} becomes {now}: age does not explain the most of it.",
        then=_signed(then),
        now=_signed(now),
    )


def _age(row: Any) -> Phrase:
    if pd.isna(row.days_older):
        return say("How much older one of {study} is, is not known.", study=name(row.study))
    if not row.days_older:
        return say("The images of {study} are of the same day.", study=name(row.study))
    return say(
        "In {study}, {older} is {days} older.",
        study=name(row.study),
        older=name(row.first if row.days_older > 0 else row.second),
        days=_days(row.days_older),
    )


def _days(apart: Any) -> str:
    return t("an unknown number of days") if pd.isna(apart) else number(abs(int(apart)), "day")


def _unfixed(count: Any) -> str:
    return t("an unknown number") if pd.isna(count) else f"{count:,}"


def _signed(count: int) -> str:
    return f"{count:+,}".replace("-", "−") if count else t("no difference")


def _more(count: int) -> str:
    if count < 0:
        return t("{count:,} fewer", count=-count)
    return t("{count:,} more", count=count)
