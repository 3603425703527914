"""Size against vulnerabilities: which variants are dominated, and how stated weights score them."""

import math
from collections.abc import Mapping

import pandas as pd

from helpers.comparability.scan_consistency import mark
from helpers.errors import ParameterInvalid
from helpers.frames import SCANNED
from helpers.sizes.image_sizes import COMPRESSED, PUBLISHED, UNPACKED
from helpers.text.i18n import msg, word
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.fixes import BLIND
from helpers.vulnerabilities.lenses import Lens

CRITERIA = {
    "fixable": msg("fixable {counted}"),
    "unfixed": msg("unfixed {counted}"),
    "size": msg("size"),
    "ended": msg("operating system past its support"),
    "old_runtime": msg("runtime past its end of life"),
}
"""What can be weighed, and what each is; less is better in all. Sizes have names of their own."""

SIZES = {
    UNPACKED: msg("unpacked size"),
    COMPRESSED: msg("compressed size"),
    PUBLISHED: msg("published size"),
}

NONE = 1e-9
"""A weight or a distance of scores that is none."""

_WHY_NOT = {
    "broken": msg("it did not answer when it was started"),
    "no-os": msg("its system packages were not looked at"),
    "not-looked": msg("its vulnerabilities were not looked for"),
    "missing": msg("there is no report of it"),
    "failed": msg("its capture failed"),
}


def candidates(
    findings: pd.DataFrame,
    images: pd.DataFrame,
    sizes: pd.DataFrame,
    support: pd.DataFrame,
    kind: str,
    lens: Lens,
) -> pd.DataFrame:
    """Return what is weighed of each variant of one capture, and what it takes to judge that.

    `variant, status, fixable, unfixed, size, ended, old_runtime, blind, serious, fixable_of_base,
    built_at, mixed, partial, candidate, why_not, front`. `unfixed` is NA where it cannot be seen
    (`blind`); `sizes` is `sizes.table`, of which `kind` counts; by `confounders.confounders`,
    `ended` and `old_runtime` say whether the support of operating system and runtime was past on
    the day of the database (1, 0, or NA). `serious` are HIGH or CRITICAL; `fixable_of_base` came
    with the base image, NA where its layers are not known; `mixed`: the images were not scanned
    alike; `partial`: the database says that it is not a whole one. `front`:
    no other candidate is as good in size and fixable vulnerabilities and better in one; NA if
    either is not known.
    """
    counts = counting.severity_counts(findings, images, lens._replace(fixable=False))
    whole = counting.totals(counts)
    serious = counting.totals(counts[counts["severity"].ge("HIGH")])
    fixed = _fixable(findings, images, lens)
    from_base = findings["from_base"].fillna(False)
    known = findings.assign(known=findings["from_base"].notna()).groupby("variant")["known"].all()
    of_base = _fixable(findings[from_base], images, lens)["total"]
    of_kind = sizes[sizes["kind"].eq(kind)].set_index("variant")["bytes"]
    blind = images["os_family"].isin(BLIND).to_numpy()
    unfixed = (whole["total"] - fixed["total"]).mask(blind)
    is_known = known.reindex(images["variant"]).fillna(True).astype("bool").to_numpy()
    table = pd.DataFrame(
        {
            "variant": images["variant"].array,
            "status": images["status"].array,
            "fixable": fixed["total"].array,
            "unfixed": unfixed.array,
            "size": of_kind.reindex(images["variant"]).astype("Int64").array,
            "ended": _past(support, "advisories_until"),
            "old_runtime": _past(support, "runtime_end_of_life"),
            "blind": blind,
            "serious": serious["total"].array,
            "fixable_of_base": of_base.where(is_known).array,
            "built_at": images["created_at"].array,
            "mixed": bool(mark(images)),
            "partial": images["db_coverage"].str.startswith("partial").fillna(False).array,
        }
    )
    table["candidate"] = table["status"].eq(SCANNED)
    table["why_not"] = table["status"].map(_WHY_NOT).astype("str")
    return table.assign(front=pareto(table))


def check(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights as they are. Raises `ParameterInvalid` for one below zero, or no number."""
    for criterion, weight in weights.items():
        if not math.isfinite(weight) or weight < 0:
            raise ParameterInvalid(f"weight_{criterion} {weight!r} is no number of 0 or more")
    return dict(weights)


def _fixable(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    fixed = lens._replace(fixable=True)
    return counting.totals(counting.severity_counts(findings, images, fixed))


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


def best(scores: pd.DataFrame) -> list[str]:
    """Return the variants with the best score: several on a tie."""
    lowest = scores["score"].le(scores["score"].min() + NONE)
    return [str(variant) for variant in scores[lowest]["variant"]]


def weighed(candidates: pd.DataFrame, weights: Mapping[str, float]) -> list[str]:
    """Return the criteria that count: those with a weight that are known of every candidate."""
    able = candidates[candidates["candidate"]]
    return [c for c in CRITERIA if weights.get(c) and not able[c].isna().any() and len(able)]


def named(criterion: str, lens: Lens, kind: str) -> str:
    """Return what a criterion is, in words: of what a lens counts, or of a kind of size."""
    if criterion == "size":
        return word(SIZES[kind])
    return word(CRITERIA[criterion]).format(counted=lens._replace(fixable=False).short)


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
    first = str(ranked["variant"].iloc[0])
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
                if other != first
                and (gap := share[first] - share[other]) * (1 if above else -1) > 0
                and (at := (rest[other] - rest[first]) / gap) > (-NONE if above else NONE)
                and (at >= weight - NONE if above else at <= weight + NONE)
            ]
            if met:
                at, other = min(met) if above else max(met)
                rows.append((criterion, max(at, 0.0), above, other))
    return pd.DataFrame(rows, columns=columns)


def _shares(values: pd.Series) -> pd.Series:
    most = float(values.max()) if len(values) else 0.0
    return values.astype("float64") / (most or 1.0)
