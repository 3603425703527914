"""Size against vulnerabilities: which variants are dominated, and how weights score them."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart_data import Point, Points
from helpers.answers.talk import SIZE, Talk, some
from helpers.answers.talk import named as named_images
from helpers.comparability import scan_consistency
from helpers.comparability.end_of_life import spelled
from helpers.errors import ParameterInvalid
from helpers.frames import SCANNED
from helpers.sizes.image_sizes import SIZE_NAMES
from helpers.text import escape
from helpers.text.i18n import Listing, Message, columns, msg, t, word
from helpers.text.rich import AND, cut, number
from helpers.text.titles import around
from helpers.text.units import MB, megabytes
from helpers.vulnerabilities import counting, lenses, shown_counts
from helpers.vulnerabilities.fixes import BLIND
from helpers.vulnerabilities.lenses import LIKELY_FROM, Lens
from helpers.vulnerabilities.once import FINDINGS

EXPLOITED, LIKELY = "exploited", "likely"
"""The criteria of exploitation: what is known to be exploited, with a fix or without, and what of
the fixable scores high."""


class Criterion(NamedTuple):
    """What can be weighed: its name in full and in short, and its weight if nothing else is said.

    Less is better in all. `by_number`: each one costs the weight, and any difference counts.
    """

    text: str
    short: str
    weight: float
    by_number: bool = False


CRITERIA = {
    EXPLOITED: Criterion(
        msg("{counted} known to be exploited"), msg("known to be exploited"), 10.0, True
    ),
    LIKELY: Criterion(
        msg("fixable {counted} with EPSS ≥ {least:g}"), msg("likely to be exploited"), 0.0
    ),
    "fixable": Criterion(msg("fixable {counted}"), msg("fixable"), 1.0),
    "serious": Criterion(
        msg("fixable {counted} rated HIGH or CRITICAL"), msg("HIGH or CRITICAL"), 1.0
    ),
    "unfixed": Criterion(msg("unfixed {counted}"), msg("unfixed"), 0.0),
    "size": Criterion(msg("size"), msg("size"), 1.0),
    "ended": Criterion(msg("operating system past its support"), msg("ended"), 1.0, True),
    "old_runtime": Criterion(msg("runtime past its end of life"), msg("old runtime"), 1.0, True),
}
"""A kind of size has its own name. HIGH and CRITICAL ones count as fixable and as serious, and so
more than others. What is known to be exploited counts first, with a fix or without: one of it costs
more points than all other criteria together. What is likely to be has no weight, because too many
ids have no score."""

WEIGHTS = {name: criterion.weight for name, criterion in CRITERIA.items()}
"""What each criterion weighs if nothing else is said."""

ENDED = ("ended", "old_runtime")
"""The criteria of support that has ended."""

_NAMES_WIDTH = 40
"""Columns that the names of variants which share a place may take in a title."""

_WHY_NOT = {
    "broken": msg("it did not answer when it was started"),
    "no-os": msg("its system packages were not looked at"),
    "not-looked": msg("its vulnerabilities were not looked for"),
    "not-scanned": msg("there was no scanner"),
    "missing": msg("there is no report of it"),
    "failed": msg("its capture failed"),
}


def tradeoff_answer(candidates: pd.DataFrame, lens: Lens, kind: str) -> Answer:
    """Answer which variants are best in size, in what is fixable, or in both.

    `kind` is the kind of size that counts.
    """
    counted = lens._replace(fixable=True).label
    title, chart = _title(candidates, lens, kind), _points(candidates, kind, counted)
    return Answer(
        "trade-off",
        title,
        table=candidates,
        chart=chart,
        counted=counted,
        role=SUMMARY,
        talks=(_talk(candidates, lens._replace(fixable=True)),),
    )


def candidates(
    findings: pd.DataFrame,
    images: pd.DataFrame,
    sizes: pd.DataFrame,
    support: pd.DataFrame,
    kind: str,
    lens: Lens,
) -> pd.DataFrame:
    """Return what is weighed of each variant of one capture, and what qualifies it.

    `sizes` is `image_sizes.table`, of which `kind` counts (bytes); `support` is
    `confounders.confounders`: `ended` and `old_runtime` say whether the support of operating system
    and runtime is past on its day (1, 0, or NA), `past_support` which of them since when.
    `exploited_unfixed` are those known to be exploited that some package has no fix for; `likely`
    are fixable ones with EPSS from `LIKELY_FROM` on, and `unscored` those without a score: NA where
    no evidence says so, and `likely` also where images have scores of several days. `serious` are
    fixable ones rated HIGH or CRITICAL; what is unfixed is NA where it cannot be seen (`blind`).
    `fixable_of_base` came with the base image, NA where its layers are not known. `mixed`: the
    images were not scanned alike, or the lens counts by scores and they have some of several days.
    `partial`: the database says that it is incomplete. `front` is that of `pareto`.
    """
    whole = lens._replace(fixable=False)
    total = counting.image_counts(findings, images, whole)["count"]
    high = counting.image_counts(findings, images, whole, "HIGH")["count"]
    fixable = _fixable(findings, images, lens)
    serious = _fixable(findings, images, lens, "HIGH")
    from_base = findings["from_base"].fillna(False)
    fixable_of_base = _fixable(findings[from_base], images, lens)
    known = lenses.standing(findings)["from_base"].notna().groupby(findings["variant"]).all()
    is_known = known.reindex(images["variant"]).fillna(True).astype("bool").to_numpy()
    bytes_ = sizes[sizes["kind"].eq(kind)].set_index("variant")["bytes"]
    blind = images["os_family"].isin(BLIND).to_numpy()
    has_mixed_scores = bool(scan_consistency.unlike(images, scan_consistency.SCORES))
    known_exploited = _known_exploited(findings, lens)
    unfixed_ids = known_exploited[known_exploited["no_fix"]].groupby("variant").size()
    is_exploited = whole._replace(exploited=True)
    exploited = _where_known(findings, images, is_exploited, "exploited")
    scoring = lens._replace(fixable=True, epss=max(lens.epss, LIKELY_FROM))
    likely = _where_known(findings, images, scoring, "epss_day")
    without = findings[findings["epss"].isna()]
    unscored = _where_known(without, images, lens._replace(fixable=True, epss=0.0), "epss_day")
    exploited_unfixed = unfixed_ids.reindex(images["variant"], fill_value=0).astype("Int64").array
    table = pd.DataFrame(
        {
            "variant": images["variant"].array,
            "status": images["status"].array,
            "exploited": exploited.array,
            "exploited_unfixed": pd.Series(exploited_unfixed).mask(exploited.isna()),
            "likely": likely.mask([has_mixed_scores] * len(images)).array,
            "fixable": fixable.array,
            "serious": serious.array,
            "unfixed": (total - fixable).mask(blind).array,
            # A vulnerability counts at its highest, which may be that of a package with a fix.
            "unfixed_serious": (high - serious).clip(lower=0).mask(blind).array,
            "size": bytes_.reindex(images["variant"]).astype("Int64").array,
            "ended": _past(support, "advisories_until"),
            "old_runtime": _past(support, "runtime_end_of_life"),
            "unscored": unscored.array,
            "known_exploited": _since(known_exploited, images),
            "no_fix_exploited": _since(known_exploited[known_exploited["no_fix"]], images),
            "past_support": pd.Series(map(_past_support, support.itertuples()), dtype=object),
            "blind": blind,
            "fixable_of_base": fixable_of_base.where(is_known).array,
            "built_at": images["created_at"].array,
            "mixed": bool(scan_consistency.unlike(images)) or (lens.epss > 0 and has_mixed_scores),
            "partial": images["db_coverage"].str.startswith("partial").fillna(False).array,
        }
    )
    table["candidate"] = table["status"].eq(SCANNED)
    table["why_not"] = table["status"].map(_WHY_NOT).astype("str")
    return table.assign(front=pareto(table))


def check(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights as they are. Raises `ParameterInvalid` for a negative or infinite one."""
    for criterion, weight in weights.items():
        if not math.isfinite(weight) or weight < 0:
            raise ParameterInvalid(f"weight_{criterion} {weight!r} is not a number of 0 or more")
    return dict(weights)


def _fixable(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, least: str = "UNKNOWN"
) -> pd.Series:
    """Return how many fixable ones each image has, from a severity on."""
    return counting.image_counts(findings, images, lens._replace(fixable=True), least)["count"]


def _where_known(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, known_by: str
) -> pd.Series:
    """Return how many of a lens each image has; NA where a column of some finding is."""
    unknown = set(findings["variant"][findings[known_by].isna()])
    known = findings[~findings["variant"].isin(unknown)] if unknown else findings
    counts = counting.image_counts(known, images, lens)["count"]
    return counts.mask(images["variant"].isin(unknown).to_numpy())


def _known_exploited(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return what is known to be exploited, the longest first: `variant, id, since, no_fix`.

    `no_fix`: some package that has it in the image has no fix.
    """
    known = findings.dropna(subset=EXPLOITED)
    view = lens._replace(counted=FINDINGS, fixable=False, exploited=True)
    found = lenses.apply(known, view).sort_values(["kev_added_at", "vulnerability"])
    rows = pd.DataFrame(
        {
            "variant": found["variant"],
            "id": found["vulnerability"],
            "since": found["kev_added_at"],
            "no_fix": found["fixed_version"].isna(),
        }
    )
    grouped = rows.groupby(["variant", "id"], sort=False)
    return grouped.agg(since=("since", "first"), no_fix=("no_fix", "any")).reset_index()


def _since(exploited: pd.DataFrame, images: pd.DataFrame) -> pd.Series:
    """Return of each image which vulnerabilities have been known to be exploited since when."""
    found: dict[str, list[str]] = {}
    for row in exploited.itertuples():
        since = Message("{id} since {day}", id=row.id, day=f"{row.since:%Y-%m-%d}")
        found.setdefault(str(row.variant), []).append(since)
    told = [Listing(found[name]) if name in found else "" for name in images["variant"]]
    return pd.Series(told, dtype=object)


def _past(support: pd.DataFrame, day: str) -> pd.Series:
    """Return 1 for each image where a day is past, 0 where it is not, NA where it is unknown."""
    known = support["as_of"].notna() & support[day].notna()
    past = support["as_of"].gt(support[day]).astype("Int64")
    return past.where(known).array


def _past_support(row: Any) -> str:
    """Return which of an image's operating system and runtime lost its support, and when."""
    ends = ((row.os, row.advisories_until), (row.runtime, row.runtime_end_of_life))
    return Listing(
        Message("{product} since {day}", product=spelled(product), day=f"{end:%Y-%m-%d}")
        for product, end in ends
        if pd.notna(end) and pd.notna(row.as_of) and row.as_of > end
    )


def past_support(candidates: pd.DataFrame) -> dict[str, pd.Series]:
    """Return which variants are past the support of their system, and which of their runtime.

    A runtime's end stops no advisories for the system's packages.
    """
    return {c: candidates["variant"][candidates[c].eq(1).fillna(False)] for c in ENDED}


def pareto(candidates: pd.DataFrame) -> pd.Series:
    """Return which candidates no other one dominates in size and fixable vulnerabilities.

    One dominates if it is as good in both, better in one, and supported; what is past its support
    is never on the front. NA: not a candidate, or one of the two is not known.
    """
    front = pd.Series(pd.NA, index=candidates.index, dtype="boolean")
    placed = candidates[candidates["candidate"]].dropna(subset=["size", "fixable"])
    past = placed["past_support"].ne("")
    front[placed.index[past]] = False
    placed = placed[~past]
    for row in placed.itertuples():
        no_worse = placed["size"].le(row.size) & placed["fixable"].le(row.fixable)
        better = placed["size"].lt(row.size) | placed["fixable"].lt(row.fixable)
        front[row.Index] = not (no_worse & better).any()
    return front


def named(criterion: str, lens: Lens, kind: str, count: object = None) -> str:
    """Return the name of a criterion: of so many of what a lens counts, or of a kind of size."""
    if criterion == "size":
        return word(SIZE_NAMES[kind])
    counted = lens._replace(fixable=False)
    if criterion == EXPLOITED:
        counted = counted._replace(exploited=False)
    elif criterion == LIKELY:
        counted = counted._replace(epss=0.0)
    what = counted.one if count == 1 else counted.short
    return word(CRITERIA[criterion].text).format(counted=what, least=max(lens.epss, LIKELY_FROM))


def _title(candidates: pd.DataFrame, lens: Lens, kind: str) -> str:
    """Return which variant is best in size, in fixable vulnerabilities, or in both."""
    placed = candidates[candidates["front"].notna()]
    return around(
        lens._replace(fixable=True).short, lambda what: _best_in(candidates, placed, kind, what)
    )


def _best_in(candidates: pd.DataFrame, placed: pd.DataFrame, kind: str, what: str) -> str:
    """Return the title for what is counted, of the candidates and those that can be placed."""
    if len(placed) < 2:
        size = word(SIZE_NAMES[kind]).capitalize()
        return t("{size} and {what}: fewer than two variants can be placed", size=size, what=what)
    smallest, fewest = (placed[placed[c].eq(placed[c].min())] for c in ("size", "fixable"))
    values: dict[str, Any] = {"smallest": _together(smallest), "fewest": _together(fewest)}
    values |= {"what": what, "count": placed["fixable"].iloc[0], "placed": len(placed)}
    is_one = len(smallest) == 1
    if len(fewest) == len(placed):
        one, several = msg("{smallest} is the smallest"), msg("{smallest} are the smallest")
        are = t(one if is_one else several, **values)
        rest = msg("all {placed:,} that can be placed have {count:,} {what}")
        if len(placed) == len(candidates):
            rest = msg("all have {count:,} {what}")
        return f"{are}; {t(rest, **values)}"
    form = msg("Smallest: {smallest}; fewest {what}: {fewest}")
    if smallest.index.equals(fewest.index):
        one = msg("{smallest} is the smallest and has the fewest {what}")
        several = msg("{smallest} are the smallest and have the fewest {what}")
        form = one if is_one else several
    return t(form, **values)


def _talk(candidates: pd.DataFrame, lens: Lens) -> Talk:
    placed = candidates[candidates["front"].notna()].sort_values("fixable", kind="stable")
    each = [
        t(
            "{variant} has {count:,} {what} and takes {size} MB.",
            variant=escape.plain(row["variant"]),
            count=row["fixable"],
            what=lens.short,
            size=megabytes(row["size"]),
        )
        for _, row in placed.iterrows()
    ]
    past, old = (named_images(past_support(placed)[criterion]) for criterion in ENDED)
    unsupported = t("{variants}: past support, so few advisories follow.", variants=past)
    unfixed = t("{variants}: the runtime is past its end of life and gets no fixes.", variants=old)
    lost = named_images(candidates[candidates["front"].isna()]["variant"])
    not_placed = t(
        "Not in the chart, because its size or count is unknown: {variants}.", variants=lost
    )
    spoken = (
        t("Further left is smaller; further down has fewer {what}.", what=lens.short),
        *some(each),
        *([unsupported] if past else []),
        *([unfixed] if old else []),
        *([not_placed] if lost else []),
        t("Two numbers are compared here, and not everything that matters."),
    )
    return Talk(SIZE, spoken=spoken)


def _together(rows: pd.DataFrame) -> str:
    """Return the names of variants that share a place, or their number if that is shorter."""
    names = [
        escape.short(row["variant"], 24) + (t(" (unsupported)") if row["past_support"] else "")
        for _, row in rows.iterrows()
    ]
    together = word(AND).join(names)
    if len(names) == 1 or columns(together) <= _NAMES_WIDTH:
        return together
    return number(len(names), "variant")


def _points(candidates: pd.DataFrame, kind: str, counted: str) -> Points:
    """Return candidates as points, size (MB) against what is fixable, and the Pareto front."""
    placed = candidates[candidates["front"].notna()].sort_values("size", kind="stable")
    points = [
        Point(
            row["variant"],
            float(row["size"]) / MB,
            float(row["fixable"]),
            f"{escape.short(row['variant'], 24)}\n{megabytes(row['size'])} MB, {row['fixable']:,}"
            + (t(", unsupported") if row["past_support"] else ""),
            "unsupported" if row["past_support"] else "front" if row["front"] else "dominated",
        )
        for _, row in placed.iterrows()
    ]
    missing = _not_placed(candidates)
    return Points(
        points,
        t("image size, {measured_as} (MB = 10⁶ bytes)", measured_as=word(kind)),
        shown_counts.number_of(counted),
        {
            "front": t("on the Pareto front"),
            "dominated": t("dominated by another"),
            "unsupported": t("past its support"),
        },
        [(point.x, point.y) for point in points if point.group == "front"],
        t("not placed: {variants}", variants=missing) if missing else "",
    )


def _not_placed(candidates: pd.DataFrame) -> str:
    """Return which variants have no point, and why; at most three, else the number of others."""
    parts = [
        f"{escape.short(row.variant, 28)} "
        f"({t('size not known') if row.candidate else escape.plain(word(row.why_not))})"
        for row in candidates[candidates["front"].isna()].itertuples()
    ]
    return ", ".join(map(str, cut(parts, 2, most=3)))
