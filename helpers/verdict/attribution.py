"""How two images differ, in pairs that are more or less apart in age; no share is given to age."""

from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import Bars, Series
from helpers.answers.talk import AGE, Talk
from helpers.comparability.confounders import APART_DAYS, packages_day
from helpers.frames import SCANNED, Frames
from helpers.text.i18n import msg, t, told, word
from helpers.text.rich import Phrase, Text, bullets, listed, name, number, paragraph, say
from helpers.vulnerabilities import counting, lenses
from helpers.vulnerabilities.fixes import BLIND
from helpers.vulnerabilities.lenses import Lens
from helpers.vulnerabilities.once import FINDINGS, VULNERABILITIES

COLUMNS = [
    *("study", "capture", "first", "second", "counted", "first_total", "second_total"),
    *("difference", "first_with_all_fixes", "second_with_all_fixes", "with_all_fixes"),
    *("first_fixable", "second_fixable", "fixable_difference", "days_older", "built_after_end"),
    "not_observable",
]

COUNTED = (FINDINGS, VULNERABILITIES)
"""As the post counts, and as vulnerabilities: the two can differ in sign."""

PAIRED = [
    *("study", "capture", "counted", "days_older", "built_after_end", "first", "first_total"),
    *("second", "second_total", "difference", "first_fixable", "second_fixable"),
    "fixable_difference",
]
"""Columns of the table of pairs."""

_TEXTS = ("study", "capture", "first", "second", "built_after_end", "not_observable")


def answer(table: pd.DataFrame) -> Answer:
    """Answer how two images differ, as they are and with every fix in; of `difference`."""
    text = paragraph(
        say("No capture has scans of both images, so age and base cannot be told apart.")
    )
    return Answer("difference", text=text if table.empty else _differences(table), table=table)


def beside_answer(table: pd.DataFrame | None = None) -> Answer:
    """Answer how the images of another study, with matched ones, differ, if there is one."""
    found = pd.DataFrame(columns=COLUMNS) if table is None else table
    text = paragraph(say("No other study stands beside this one."))
    text = text if found.empty else _differences(found)
    return Answer("difference-of-matched-pair", text=text, table=found)


def lesson_answer(
    table: pd.DataFrame,
    capture: str,
    matched: pd.DataFrame | None = None,
    lens: Lens = lenses.PLAIN,
    known_by: str = "",
) -> Answer:
    """Answer how the images of a study differ in one capture, and how matched ones do.

    `table` was counted through the lens, `matched` by its study's own day `known_by`. Two pairs are
    one contrast, so they say no share of age or base.
    """
    rows = compared(table, capture, matched)
    title = headline(rows)
    if not title:
        has_pair = rows["study"].nunique() > 1
        text = (
            _facts(rows)
            if has_pair
            else paragraph(say("No study of matched images stands beside it."))
        )
        return Answer("age-or-base", text=text, table=rows[PAIRED] if has_pair else None)
    drawn = [lens._replace(counted=counted, fixable=True).label for counted in COUNTED]
    source = ""
    if len(pairs := _pairs(rows)) > 1:
        pair = pairs[1].iloc[0]
        source = t("study {study}", study=pair["study"])
        source += ", " + t("capture {captures}", captures=pair["capture"])
        if known_by:
            source += ", " + t("published by {day}", day=known_by)
    return Answer(
        "age-or-base",
        title,
        _facts(rows),
        rows[PAIRED].infer_objects(),
        _chart(rows),
        counted=" / ".join(drawn),
        source=source,
        role=SLIDE,
        variants=(rows["first"].iloc[0], rows["second"].iloc[0]),
        talks=(Talk(AGE, title, spoken=_spoken(rows)),),
    )


def compared(
    table: pd.DataFrame, capture: str, matched: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the pairs: the differences of one capture, then those of another study's images.

    Both as `difference` has them, two rows a pair: findings and vulnerabilities.
    """
    found = table[table["capture"].eq(capture)]
    if len(found) and matched is not None and len(matched):
        pair = matched.iloc[0]
        if pair["study"] != found["study"].iloc[0]:
            found = pd.concat([found, matched[matched["capture"].eq(pair["capture"])]])
    return found.reset_index(drop=True)


def headline(rows: pd.DataFrame) -> str:
    """Return how far apart each pair of `compared` is, and its gaps in what has a fix.

    Empty for one pair alone, unless its images are of about one day.
    """
    pairs = _pairs(rows)
    if not pairs or (len(pairs) == 1 and not is_close(pairs[0].iloc[0]["days_older"])):
        return ""
    forms = [
        msg("{apart} {findings} findings, {vulnerabilities} vulnerabilities"),
        *[msg("{apart} {findings} and {vulnerabilities}")] * (len(pairs) - 1),
    ]
    each = [
        word(form).format(
            apart=_apart(pair.iloc[0]),
            findings=_sign(pair["fixable_difference"].iloc[0]),
            vulnerabilities=_sign(pair["fixable_difference"].iloc[-1]),
        )
        for form, pair in zip(forms, pairs, strict=True)
    ]
    return t("Fixable on Alpine minus distroless: {pairs}", pairs="; ".join(each))


def is_close(days_older: Any) -> bool:
    """Return whether two images are known to be of about one day."""
    return bool(pd.notna(days_older) and abs(days_older) <= APART_DAYS)


def _pairs(rows: pd.DataFrame) -> list[pd.DataFrame]:
    return [pair for _, pair in rows.groupby(["study", "capture"], sort=False)]


def _chart(rows: pd.DataFrame) -> Bars | None:
    """Return what is fixable in each image, counted both ways; `None` if all counts are equal."""
    kinds = (t("findings"), t("vulnerabilities"))
    names, counts = [], []
    for pair in _pairs(rows):
        for kind, (_, row) in zip(kinds, pair.iterrows(), strict=True):
            for side in ("first", "second"):
                names.append((row[side], kind))
                counts.append(int(row[f"{side}_fixable"]))
    if len({*counts}) == 1:
        return None
    label = t("fixable")
    return Bars(
        names,
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
        return t("same day")
    return t("{days} apart", days=_days(row["days_older"]))


def _spoken(rows: pd.DataFrame) -> tuple[str, ...]:
    each = [
        t(
            "In {study} the images are {apart}: {first} has {findings:,} fixable "
            "findings and {second} {others:,}; counted as vulnerabilities, {ids:,} "
            "and {other_ids:,}.",
            study=pair["study"].iloc[0],
            apart=_apart(pair.iloc[0]),
            first=pair["first"].iloc[0],
            second=pair["second"].iloc[0],
            findings=pair["first_fixable"].iloc[0],
            others=pair["second_fixable"].iloc[0],
            ids=pair["first_fixable"].iloc[-1],
            other_ids=pair["second_fixable"].iloc[-1],
        )
        for pair in _pairs(rows)
    ]
    return (
        *each,
        _no_share(rows).plain,
        t("Alpine's advisories omit unfixed vulnerabilities."),
    )


def difference(
    study: str, frames: Frames, first: str | None, second: str | None, lens: Lens
) -> pd.DataFrame:
    """Return the first variant's count less the second's, as they are and with every fix in.

    Two rows a capture: counted as findings and as vulnerabilities, else by the lens.
    `with_all_fixes` is the difference if each image had every fix that its distribution had out by
    then; NA where unfixed ones cannot be seen in one of them (`not_observable` names which).
    `first_fixable`, `second_fixable` and `fixable_difference` count what has a fix, which can be
    seen in both: an update of packages would take it away. `days_older`: how much older the first
    image's packages are at least, by `packages_day`; `built_after_end` names which images were
    built after the end of their base, whose build's day says nothing of their packages. A capture
    in which not both were scanned has no row, nor has a study without one of the variants.
    """
    rows: list[list[Any]] = []
    for capture, images in frames.images.groupby("capture", sort=False):
        scanned = images[images["status"].eq(SCANNED)].set_index("variant")
        if first not in scanned.index or second not in scanned.index:
            continue
        findings = frames.findings[frames.findings["capture"].eq(capture)]
        built = scanned["created_at"].dt.normalize()
        dated = {v: packages_day(scanned.loc[v]) for v in (first, second)}
        older, younger = dated[first], dated[second]
        days = pd.NA if older is None or younger is None else (younger - older).days
        after = [str(v) for v in (first, second) if (day := dated[v]) and day < built[v]]
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
            rows.append([*row, days, " ".join(after), " ".join(blind)])
    table = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
    types = {c: "str" if c in _TEXTS else "Int64" for c in COLUMNS if c != "counted"}
    return table.astype(types)


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
            difference=_sign(row.difference, t("no difference")),
            fixable=_sign(row.fixable_difference, t("no difference")),
            first_left=_unfixed(row.first_with_all_fixes),
            second_left=_unfixed(row.second_with_all_fixes),
        )
        for row in table.itertuples()
    ]
    ages = {(row.study, row.first): _age(row) for row in table.itertuples()}
    update = say("Updating the packages removes everything that has a fix.")
    note = listed([*ages.values(), *_ended(table), update], " ")
    if blind := dict.fromkeys(" ".join(table["not_observable"]).split()):
        note += say(
            " The advisories for {variants} omit unfixed vulnerabilities, so the "
            "number that would remain there is **unknown**, not zero.",
            variants=listed(map(name, blind)),
        )
    return bullets(lines) + paragraph(note)


def _facts(rows: pd.DataFrame) -> Text:
    """Return the gaps of each pair, counted both ways, and what they do not say."""
    lines = [
        say(
            "{study}, {apart}, {counted}: Alpine minus distroless is {gap} ({first} against "
            "{second}), of those with a fix {fixable} ({first_fixable} against {second_fixable})",
            study=name(row["study"]),
            apart=_apart(row),
            counted=told(row["counted"]),
            gap=_sign(row["difference"]),
            first=f"{row['first_total']:,}",
            second=f"{row['second_total']:,}",
            fixable=_sign(row["fixable_difference"]),
            first_fixable=f"{row['first_fixable']:,}",
            second_fixable=f"{row['second_fixable']:,}",
        )
        for _, row in rows.iterrows()
    ]
    return bullets(lines) + paragraph(listed([*_ended(rows), _no_share(rows)], " "))


def _no_share(rows: pd.DataFrame) -> Phrase:
    """Return that no share of a gap is known to be due to age, or to the base."""
    if len(_pairs(rows)) > 1:
        return say(
            "The pairs differ in more than age and base, so the share due to each is unknown."
        )
    return say("The share due to age and the share due to the base are unknown.")


def _ended(rows: pd.DataFrame) -> list[Phrase]:
    """Return which images were built after the end of their base, as a sentence; or nothing."""
    if not (variants := dict.fromkeys(" ".join(rows["built_after_end"]).split())):
        return []
    return [
        say(
            "Built after the last advisories for their base: {variants}. Their "
            "packages count as of the base's last day.",
            variants=listed(map(name, variants)),
        )
    ]


def _age(row: Any) -> Phrase:
    if pd.isna(row.days_older):
        return say("The age difference in {study} is unknown.", study=name(row.study))
    if not row.days_older:
        return say("The images of {study} were built on the same day.", study=name(row.study))
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


def _sign(count: int, zero: str = "0") -> str:
    return f"{count:+,}".replace("-", "−") if count else zero
