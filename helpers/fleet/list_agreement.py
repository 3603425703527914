"""How far the package lists agree that different tools made of the same images."""

import re
from collections.abc import Collection
from functools import partial
from urllib.parse import unquote

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart_data import Bars
from helpers.comparability import agreement
from helpers.fleet import bars, views
from helpers.fleet.partition import Partition, Reduction
from helpers.text.i18n import msg, t, word
from helpers.text.rich import paragraph, say
from helpers.vex import purl

PURL, NORMALISED = msg("package URL"), msg("normalised package URL")
NAME_VERSION, TYPE_NAME, NAME = msg("name and version"), msg("type and name"), msg("name")
KEYS = {
    "purl": PURL,
    "normalised": NORMALISED,
    "name_version": NAME_VERSION,
    "type_name": TYPE_NAME,
    "name": NAME,
}
"""By what packages are told apart, by the columns of `items`."""

_KINDS = {"alpine": "apk"}
"""Types of package URLs that some tools write otherwise than the specification."""

COLUMNS = [
    *(*views.PAIR, "told_by", "images", "not_comparable", "median_share", "mean_share"),
    "none_shared",
]

_GROUP = re.compile(r"^.+[/:]")
_EPOCH = re.compile(r"^\d+:")

ONE_TOOL = msg("No image was read by two tools, so nothing is known of their agreement.")

_ONLY_ITSELF = 1
"""Packages of a list that may be of the image alone: some tools list the image itself."""


def items(variants: Collection[str]) -> Reduction:
    """Return the reduction to one row a package of some images.

    `variant, ecosystem` (the type of its package URL, normalised), and a column for each of `KEYS`;
    NA: it has no package URL.
    """
    columns = {"packages": ["variant", "package", "version", "purl"]}
    return Reduction(partial(_items, variants=frozenset(variants)), columns)


def _items(part: Partition, variants: Collection[str]) -> pd.DataFrame:
    rows = part.packages[part.packages["variant"].isin(variants)]
    rows = rows[["variant", "package", "version", "purl"]].astype("object").drop_duplicates()
    told = rows[["package", "version", "purl"]].apply(tuple, axis=1)
    known = {each: _keys(*each) for each in told.unique()} if len(rows) else {}
    keys = pd.DataFrame(
        [known[each] for each in told], rows.index, ["ecosystem", *KEYS], dtype="object"
    )
    return pd.concat([rows[["variant"]], keys], axis=1).drop_duplicates(ignore_index=True)


def _keys(package: object, version: object, url: object) -> tuple[str | None, ...]:
    """Return the ecosystem and the keys of a package: of its package URL, if it has one.

    All but the normalised URL are as the URL is written; names are compared in lower case.
    """
    if not isinstance(url, str):
        # As a package URL has it: apart from its group, which scanners write before it.
        name = _GROUP.sub("", package).lower() if isinstance(package, str) else None
        release = version if isinstance(version, str) else ""
        return None, None, None, f"{name}@{release}" if name else None, None, name
    exact = url.partition("#")[0].partition("?")[0]
    path, _, release = exact.removeprefix("pkg:").partition("@")
    if "/" in release:
        # The namespace of npm begins with an `@` that some do not escape.
        path, _, release = exact.removeprefix("pkg:").rpartition("@")
    kind, name = path.partition("/")[0].lower(), unquote(path.rpartition("/")[2]).lower()
    ecosystem = _KINDS.get(kind, kind)
    return (
        ecosystem,
        exact,
        _normalised(exact),
        f"{name}@{unquote(release)}",
        f"{kind}/{name}",
        name,
    )


def _normalised(url: str) -> str:
    """Return a package URL as the specification writes it, and as others write the same.

    `pkg:alpine/x` is `pkg:apk/alpine/x`. A package of RPM has no namespace, for which tools have
    words of their own. It has no epoch, as none of Debian has: for some tools that is a qualifier,
    for others it is in the version.
    """
    found = purl.parse(url)
    if found is None:
        return url
    namespace, release = found.namespace or "", found.version or ""
    if found.type == "alpine":
        namespace = "alpine"
    elif found.type == "rpm":
        namespace, release = "", release.rpartition(":")[2]
    elif found.type == "deb":
        release = _EPOCH.sub("", release)
    return f"{_KINDS.get(found.type, found.type)}/{namespace}/{found.name}@{release}"


def table(seen: pd.DataFrame, listed: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return how far each two tools agree: `COLUMNS`, a row for each of `KEYS`.

    `seen` is `views.found`, `listed` the scans with their `packages`, `found` are `items` of them.
    The shares are Jaccard's index over `images`; `none_shared` are those of which it is 0.
    A list of packages without package URLs is not comparable by these: that is not 0.
    """
    rows = []
    own = seen.merge(listed[["variant", "packages"]], on="variant", how="left")
    named = found.groupby("variant")[[*KEYS]].count()
    for first, second in views.pairs(seen):
        both = views.of(own, first, second)
        packages = both.merge(found, on="variant")
        for key, told_by in KEYS.items():
            has_any = both["variant"].map(named[key]).fillna(0).gt(0)
            is_list = has_any | both["packages"].le(_ONLY_ITSELF).fillna(False).astype(bool)
            known = is_list.groupby(both["image"]).all()
            kept = packages[packages["image"].map(known)]
            shared = agreement.shared(kept, ["image"], key, "tool")["jaccard"]
            rows.append(
                (
                    *(first, second, told_by, len(shared), int((~known).sum())),
                    *(shared.median(), shared.mean(), int(shared.eq(0).sum())),
                )
            )
    return pd.DataFrame(rows, columns=COLUMNS)


WRITTEN = {
    "same": "purl",
    "rewritten": "normalised",
    "spelled": "name_version",
    "other_version": "name",
}
"""How a package of one list is in the other, the strictest first, and the key that tells."""


def by_ecosystem(seen: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return why package URLs are in one list and not in the other, by ecosystem.

    `first_tool, second_tool, ecosystem, purls` (of all lists of both), and how many of these the
    other list has: the `same`; `rewritten`, once both are written alike; `spelled`, with the same
    name and version, in another namespace or case; `other_version`; and `one_only`, not at all.
    """
    made = []
    for first, second in views.pairs(seen):
        both = views.of(seen, first, second).merge(found, on="variant").dropna(subset="purl")
        both = both.drop_duplicates(["image", "tool", "purl"])
        if both["tool"].nunique() < 2:
            continue
        why = pd.Series("one_only", both.index, dtype="object")
        for reason, key in reversed(WRITTEN.items()):
            in_both = both.groupby(["image", key], sort=False)["tool"].transform("nunique").eq(2)
            why = why.mask(in_both, reason)
        counts = pd.crosstab(both["ecosystem"], why).reindex(
            columns=[*WRITTEN, "one_only"], fill_value=0
        )
        counts.insert(0, "purls", counts.sum(axis=1))
        counts = counts.sort_values("purls", ascending=False, kind="stable").reset_index()
        made.append(counts.assign(first_tool=first, second_tool=second))
    columns = ["first_tool", "second_tool", "ecosystem", "purls", *WRITTEN, "one_only"]
    if not made:
        return pd.DataFrame(columns=columns)
    return pd.concat(made, ignore_index=True)[columns].rename_axis(columns=None)


def answer(seen: pd.DataFrame, scanned: pd.DataFrame, items: pd.DataFrame) -> Answer:
    """Answer how far the package lists of different tools agree on the same images."""
    made = table(seen, scanned, items)
    if made.empty:
        return Answer("lists", table=made, lacks=word(ONE_TOOL), by_scanner=False)
    shares = made.pivot(index=views.PAIR, columns="told_by", values="median_share")
    nearest = [*shares.dropna(subset=PURL).sort_values(NAME, ascending=False).index]
    title = t("No two lists can be compared by package URLs")
    if nearest:
        title = t(
            "{first} and {second} agree on {purl:.0%} of package URLs, on {name:.0%} of names",
            first=nearest[0][0],
            second=nearest[0][1],
            purl=shares.loc[nearest[0], PURL],
            name=shares.loc[nearest[0], NAME],
        )
    text = say(
        "Of the packages in either list, so many are in both: the median over images. A list "
        "without package URLs is not compared by them: that is not 0."
    )
    return Answer(
        "lists",
        title,
        paragraph(text),
        made,
        _chart(shares.loc[nearest[0]]) if nearest else None,
        role=SUMMARY,
        by_scanner=False,
        shown=_in_columns(made),
    )


def _chart(shares: pd.Series) -> Bars:
    """Return how far two tools agree by each key."""
    shown = shares[[*KEYS.values()]]
    return bars.of(
        map(word, shown.index),
        shown * 100,
        [*shown.map(share)],
        t("packages in both lists"),
        t("% of the packages in either list"),
    )


def _in_columns(made: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each two tools, with the medians by `KEYS`, the nearest first."""
    pairs = made.set_index([*views.PAIR, "told_by"])
    medians = pairs["median_share"].unstack("told_by")[[*KEYS.values()]]
    medians = medians.set_axis([*KEYS], axis=1).sort_values("name", ascending=False)
    counts = pairs[["images", "not_comparable"]].groupby(level=views.PAIR).max()
    return counts.loc[medians.index].join(medians.map(share)).reset_index()


def ecosystems_answer(seen: pd.DataFrame, items: pd.DataFrame) -> Answer:
    """Answer why two package lists of the same image differ, by ecosystem."""
    made = by_ecosystem(seen, items)
    if made.empty:
        return Answer("list-ecosystems", table=made, lacks=word(ONE_TOOL), by_scanner=False)
    sums = made.groupby(views.PAIR, sort=False)[["purls", *WRITTEN]].sum()
    sums["alike"] = sums["rewritten"] + sums["spelled"]
    nearest = ((sums["same"] + sums["alike"]) / sums["purls"]).idxmax()
    title = t(
        "{first} and {second}: of {differ:,} package URLs that only one list has, the other has "
        "{alike:,} by name and version",
        first=nearest[0],
        second=nearest[1],
        differ=int(sums.loc[nearest, "purls"] - sums.loc[nearest, "same"]),
        alike=int(sums.loc[nearest, "alike"]),
    )
    return Answer("list-ecosystems", title, table=made, by_scanner=False, searchable=True)


def share(value: float) -> str:
    """Return a share of 0 to 1 for readers; nothing where it is not known."""
    return "" if pd.isna(value) else f"{value:.1%}"
