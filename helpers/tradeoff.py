"""Size against vulnerabilities: which variants are dominated, and what stated weights recommend."""

from collections.abc import Mapping

import pandas as pd

from helpers import compare
from helpers.fixes import BLIND
from helpers.frames import SCANNED
from helpers.lenses import Lens
from helpers.sizes import MB
from helpers.words import listed, name

CRITERIA = {
    "fixable": "fixable {counted}",
    "unfixed": "unfixed {counted}",
    "size": "{kind} size",
    "ended": "operating system without advisories",
    "old_runtime": "runtime past its end of life",
}
"""What can be weighed, and what each is; less is better in all."""

_NONE = 1e-9
"""A weight or a distance of scores that is none."""

_ENDED = {
    "ended": "its operating system gets no more advisories",
    "old_runtime": "its runtime is past its end of life",
}

_WHY_NOT = {
    "broken": "it did not answer when it was started",
    "no-os": "its system packages were not looked at",
    "not-looked": "its vulnerabilities were not looked for",
    "missing": "there is no report of it",
    "failed": "its capture failed",
}


def candidates(
    findings: pd.DataFrame,
    images: pd.DataFrame,
    sizes: pd.DataFrame,
    support: pd.DataFrame,
    kind: str,
    lens: Lens,
) -> pd.DataFrame:
    """Return what is weighed of each variant of one capture.

    `variant, status, fixable, unfixed, size, ended, old_runtime, blind, candidate, why_not,
    front`. `sizes` is `sizes.table`, of which `kind` counts; by `confounders.confounders`,
    `ended` and `old_runtime` say whether the operating system's last advisory and the runtime's end
    of life were past on the day of the database (1, 0, or NA). `front`: no other candidate is as
    good in size and fixable vulnerabilities and better in one; NA if either is not known.
    """
    whole, fixed = (
        compare.totals(compare.severity_counts(findings, images, lens._replace(fixable=fixable)))
        for fixable in (False, True)
    )
    of_kind = sizes[sizes["kind"].eq(kind)].set_index("variant")["bytes"]
    table = pd.DataFrame(
        {
            "variant": images["variant"].array,
            "status": images["status"].array,
            "fixable": fixed["total"].array,
            "unfixed": (whole["total"] - fixed["total"]).array,
            "size": of_kind.reindex(images["variant"]).astype("Int64").array,
            "ended": _past(support, "advisories_until"),
            "old_runtime": _past(support, "runtime_end_of_life"),
            "blind": images["os_family"].isin(BLIND).array,
        }
    )
    table["candidate"] = table["status"].eq(SCANNED)
    table["why_not"] = table["status"].map(_WHY_NOT).astype("str")
    return table.assign(front=pareto(table))


def _past(support: pd.DataFrame, day: str) -> pd.Series:
    """Return of each image 1 where a day is past, 0 where it is not, NA where it is not known."""
    known = support["as_of"].notna() & support[day].notna()
    past = support["as_of"].gt(support[day]).astype("Int64")
    return past.where(known).array


def pareto(candidates: pd.DataFrame) -> pd.Series:
    """Return which candidates no other one dominates in size and fixable vulnerabilities."""
    front = pd.Series(pd.NA, index=candidates.index, dtype="boolean")
    placed = candidates[candidates["candidate"]].dropna(subset=["size", "fixable"])
    for row in placed.itertuples():
        no_worse = placed["size"].le(row.size) & placed["fixable"].le(row.fixable)
        better = placed["size"].lt(row.size) | placed["fixable"].lt(row.fixable)
        front[row.Index] = not (no_worse & better).any()
    return front


def scores(candidates: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """Return the candidates' scores, the best first: `variant, score`, and each criterion's part.

    A criterion's part is its weight times the variant's value as a share of the largest among the
    candidates, so the score of a candidate that is worst in everything is the sum of the weights.
    Less is better. A criterion that is not known of every candidate is left out for all.
    """
    able = candidates[candidates["candidate"]]
    parts = {
        criterion: _shares(able[criterion]) * float(weights[criterion])
        for criterion in weighed(candidates, weights)
    }
    table = pd.DataFrame({"variant": able["variant"], **parts})
    table.insert(1, "score", table[list(parts)].sum(axis=1) if parts else 0.0)
    return table.sort_values("score", kind="stable", ignore_index=True)


def weighed(candidates: pd.DataFrame, weights: Mapping[str, float]) -> list[str]:
    """Return the criteria that count: those with a weight that are known of every candidate."""
    able = candidates[candidates["candidate"]]
    return [c for c in CRITERIA if weights.get(c) and not able[c].isna().any() and len(able)]


def flips(candidates: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """Return at which weight of one criterion, all else equal, another variant comes first.

    `criterion, weight, above, variant`: with a weight `above` (else below) that one, `variant` has
    the best score. Scores are straight lines in each weight, so where two of them meet is exact.
    """
    columns = ["criterion", "weight", "above", "variant"]
    able = candidates[candidates["candidate"]]
    ranked = scores(candidates, weights)
    if len(ranked) < 2:
        return pd.DataFrame(columns=columns)
    best = str(ranked["variant"].iloc[0])
    rows = []
    for criterion in CRITERIA:
        if able[criterion].isna().any():
            continue
        share = pd.Series(_shares(able[criterion]).to_numpy(), able["variant"])
        weight = float(weights.get(criterion, 0))
        rest = ranked.set_index("variant")["score"] - weight * share
        for above in (True, False):
            met = [
                (at, other)
                for other in rest.index
                if other != best
                and (gap := share[best] - share[other]) * (1 if above else -1) > 0
                and (at := (rest[other] - rest[best]) / gap) > _NONE
                and (at >= weight if above else at <= weight)
            ]
            if met:
                at, other = min(met) if above else max(met)
                rows.append((criterion, at, above, other))
    return pd.DataFrame(rows, columns=columns)


def recommendation(
    candidates: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str, day: str = ""
) -> str:
    """Return what the weights recommend, why, and what must not be overlooked, as Markdown.

    `day` is that of the database: a choice is one of its time.
    """
    ranked, used = scores(candidates, weights), weighed(candidates, weights)
    choice = _choice(candidates, ranked, used, weights, lens, kind)
    lines = [f"By what was known on {day}: {choice}" if day else choice]
    if used:
        by_variant = candidates.set_index("variant")
        lines += [""] + [
            f"- {name(row.variant)}: score {row.score:.2f}; "
            f"{_values(by_variant.loc[row.variant], lens, kind)}"
            for row in ranked.itertuples()
        ]
        lines += [
            "",
            f"Counted: {lens._replace(fixable=False).label}. Less is better: a score adds up, "
            "criterion by criterion, the weight times the share of the largest value.",
        ]
    lines += ["", *_cautions(candidates, used, weights, lens, kind)]
    return "\n".join(lines).rstrip()


def mind(candidates: pd.DataFrame, weights: Mapping[str, float], lens: Lens, kind: str) -> str:
    """Return at which weights the recommendation would be another, as a list."""
    table = flips(candidates, weights)
    if table.empty:
        return "No other weight of any one criterion changes the choice, all else equal."
    lines = [
        f"- {_named(row.criterion, lens, kind)} weighing {'more' if row.above else 'less'} than "
        f"{row.weight:.2g} (now {weights.get(row.criterion, 0):g}): {name(row.variant)}"
        for row in table.itertuples()
    ]
    return "\n".join(
        ["**Another choice follows from another weight of one criterion:**", "", *lines]
    )


def headline(candidates: pd.DataFrame, lens: Lens, kind: str) -> str:
    """Return which variants are on the Pareto front, and which are dominated."""
    placed = candidates[candidates["front"].notna()]
    what = f"{kind} size against {_named('fixable', lens, kind)}"
    if len(placed) < 2:
        return f"{what.capitalize()}: fewer than two variants can be placed"
    front = placed[placed["front"].astype("bool")]["variant"].tolist()
    if len(front) == 1:
        return f"{front[0]} has the least of both: {what}"
    return f"{len(front)} of {len(placed)} undominated, {what}: {_some(front)}"


def _choice(
    candidates: pd.DataFrame,
    ranked: pd.DataFrame,
    used: list[str],
    weights: Mapping[str, float],
    lens: Lens,
    kind: str,
) -> str:
    if ranked.empty:
        return "**Nothing is recommended:** there is no candidate."
    if not used:
        return "**Nothing is recommended:** nothing that has a weight is known of every candidate."
    told = listed(f"{_named(c, lens, kind)} × {weights[c]:g}" for c in used)
    best = ranked[ranked["score"].le(ranked["score"].iloc[0] + _NONE)]["variant"].tolist()
    if len(best) > 1:
        return f"**No choice** between {listed(map(name, best), ' and ')}, weighing {told}."
    row = candidates.set_index("variant").loc[best[0]]
    ended = [what for what, words in _ENDED.items() if row[what] is not pd.NA and row[what]]
    if ended:
        why = listed((_ENDED[what] for what in ended), " and ")
        return (
            f"**Ship none of these as it is.** Weighing {told}, {name(best[0])} comes first, but "
            f"{why}: build on what is supported, then compare again."
        )
    if len(ranked) == 1:
        return f"{name(best[0])} is the only candidate, so nothing is weighed against it."
    return f"**Ship** {name(best[0])}, weighing {told}."


def _values(row: pd.Series, lens: Lens, kind: str) -> str:
    """Return what is known of one candidate, in words."""
    size = "size not known" if pd.isna(row["size"]) else f"{row['size'] / MB:,.1f} MB {kind}"
    hidden = " (in system packages not observable)" if row["blind"] else ""
    unfixed = f"{row['unfixed']:,} unfixed{hidden}"
    told = [f"{row['fixable']:,} fixable", unfixed, size]
    for what, words in _ENDED.items():
        if row[what] is not pd.NA and row[what]:
            told.append(words)
    return listed(told)


def _cautions(
    candidates: pd.DataFrame,
    used: list[str],
    weights: Mapping[str, float],
    lens: Lens,
    kind: str,
) -> list[str]:
    """Return what a reader of the recommendation must not overlook, as a list."""
    lines = []
    able = candidates[candidates["candidate"]]
    for criterion in CRITERIA:
        if weights.get(criterion) and criterion not in used and len(able):
            unknown = able[able[criterion].isna()]
            lines.append(
                f"- Not weighed: {_named(criterion, lens, kind)}, not known of "
                f"{listed(map(name, unknown['variant']))}."
            )
    if not weights.get("unfixed") and able["blind"].any():
        blind = listed(map(name, able[able["blind"]]["variant"]))
        lines.append(
            f"- Not weighed: {_named('unfixed', lens, kind)}, which cannot be seen in {blind}."
        )
    out = candidates[~candidates["candidate"]]
    lines += [f"- Not a candidate: {name(row.variant)}, {row.why_not}." for row in out.itertuples()]
    lines.append(
        "- Not assessed at all: whether the running app reaches what was found, how it is "
        "configured, and what no scanner lists, such as the runtime's own binary."
    )
    return lines


def _named(criterion: str, lens: Lens, kind: str) -> str:
    return CRITERIA[criterion].format(counted=lens.counted, kind=kind)


def _some(names: list[str]) -> str:
    return ", ".join(names if len(names) <= 3 else [names[0], "…", names[-1]])


def _shares(values: pd.Series) -> pd.Series:
    most = float(values.max()) if len(values) else 0.0
    return values.astype("float64") / (most or 1.0)
