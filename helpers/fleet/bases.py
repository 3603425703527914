"""Which images of a fleet are built on which others, or share their packages, and what these bring.

An image is built on another one whose layers are the lowest of its own. Where layers say nothing,
packages may: an image can have all those of another one, in the same versions. It need not be built
on it, but what is in these packages is in both.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import Bars
from helpers.fleet import bars, image_table
from helpers.fleet.tally import Rebuilds
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, Text, number, paragraph, say, share
from helpers.text.titles import name as short_name
from helpers.vulnerabilities.lenses import Lens

BY_LAYERS, BY_PACKAGES = msg("layers"), msg("packages")
"""How it is known what an image has of another one."""


def found(images: pd.DataFrame, lists: pd.DataFrame) -> pd.DataFrame:
    """Return what each image has of others: a row an image.

    `variant, base, found_by, same_as, sharing, removed`: the variant of the image that it is built
    on, or else of the largest one whose packages are all in it (NA: there is none); whether
    `layers` or `packages` say so; the image that stands for all with the same packages, and how
    many counted images have all its packages, itself included (NA: its packages are not known);
    and what fixed packages in it would remove, which `with_removed` fills in. `lists` is
    `tally.package_lists` of all parts.

    For images with the same layers or packages stands the operating system's own image if there is
    one (`debian:9`), else one of the repository whose packages are in most images.
    """
    by_layers = _by_layers(images)
    by_packages, same_as, sharing = _by_packages(images, lists)
    bases: dict[str, str] = {}
    how: dict[str, str] = {}
    for variant in images["variant"]:
        if base := by_layers.get(variant):
            bases[variant], how[variant] = base, BY_LAYERS
    for variant in images["variant"]:
        base = by_packages.get(variant, "")
        # An image that removes packages may have fewer than what it is built on.
        if variant not in bases and base and variant not in _chain(base, bases):
            bases[variant], how[variant] = base, BY_PACKAGES
    variants = images["variant"]
    known = {"base": bases, "found_by": how, "same_as": same_as}
    columns = {name: [one.get(variant) for variant in variants] for name, one in known.items()}
    table = pd.DataFrame({"variant": [*variants], **columns}, dtype="str")
    counts = pd.array([sharing.get(variant) for variant in variants], dtype="Int64")
    return table.assign(sharing=counts, removed=pd.array([None] * len(images), "Int64"))


def rebuilds(images: pd.DataFrame, found: pd.DataFrame, lists: pd.DataFrame) -> Rebuilds:
    """Return which images a rebuild of each base, or an update of shared packages, reaches."""
    items = dict(zip(lists["package_list"], lists["items"], strict=True))
    known = image_table.counted(images)
    listed = {
        variant: items[text]
        for variant, text in zip(images["variant"], images["package_list"], strict=True)
        if text in items
    }
    table = brought(images, found)
    table = table[table["on_it"].gt(0)]
    by_layers = {*table.loc[table["on_it_by"].eq(BY_LAYERS), "variant"]}
    by_list: dict[bytes, list[str]] = {}
    for variant in table.loc[table["on_it_by"].eq(BY_PACKAGES), "variant"]:
        by_list.setdefault(listed[variant], []).append(variant)
    bases = _layered(found)
    distinct = [
        *dict.fromkeys(listed[variant] for variant in known["variant"] if variant in listed)
    ]
    within = contained([np.frombuffer(one, np.uint64) for one in distinct])
    inside = {
        one: [variant for place in smaller for variant in by_list.get(distinct[place], ())]
        + by_list.get(one, [])
        for one, smaller in zip(distinct, within, strict=True)
    }
    of = {}
    for variant in known["variant"]:
        below = [variant, *_chain(bases.get(variant, ""), bases)]
        reached = [one for one in below if one in by_layers]
        if reached := [*reached, *inside.get(listed.get(variant, b""), ())]:
            of[variant] = reached
    layers = images.set_index("variant")["diff_ids"]
    packages: dict[str, bytes | frozenset[str]] = {}
    for one in dict.fromkeys(one for reached in of.values() for one in reached):
        packages[one] = listed[one] if one in listed else frozenset(layers[one].split(" "))
    return Rebuilds(of, packages)


def with_removed(found: pd.DataFrame, removed: pd.DataFrame) -> pd.DataFrame:
    """Return what images have of others, with what `tally.removed` counted in all parts."""
    sums = removed.groupby("variant")["removed"].sum()
    return found.assign(removed=found["variant"].map(sums.to_dict()).astype("Int64"))


def _layered(found: pd.DataFrame) -> dict[str, str]:
    """Return the base of each image of which layers name one."""
    by_layers = found[found["found_by"].eq(BY_LAYERS).fillna(False)]
    return dict(zip(by_layers["variant"], by_layers["base"], strict=True))


def brought(images: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return what images bring to those that are built on them, or that have all their packages.

    `variant, name, family, base, found_by, on_it, on_it_by, count, fixable, added, carried,
    removed`: how many other images are built on it, directly or on another one that is, or else
    have all its packages, and which of the two it is; what is counted in its packages, and what of
    it is fixable; what it has more than its own base, once and in all images that it is in; and
    what today's fixed packages would remove from these. A row an image, but one for those with the
    same packages on which no other is built. Images that were not measured are left out.
    """
    known = image_table.counted(images)[["variant", "name", "family", "count", "fixable"]]
    bases = _layered(found)
    built = dict.fromkeys(known["variant"], 0)
    for variant in known["variant"]:
        for base in _chain(bases.get(variant, ""), bases):
            if base in built:
                built[base] += 1
    table = known.merge(found, how="left", on="variant", validate="one_to_one")
    counts = known.set_index("variant")["count"]
    own = table["base"].map(counts.to_dict()).astype("Int64").fillna(0)
    on_it = table["variant"].map(built).astype("Int64")
    is_base = on_it.gt(0)
    others = table["sharing"].fillna(1) - 1
    table = table.assign(
        on_it=on_it.where(is_base, others), added=(table["count"] - own).clip(lower=0)
    )
    how = pd.Series(BY_PACKAGES, table.index, dtype="str").mask(is_base, BY_LAYERS)
    table = table.assign(
        on_it_by=how.where(table["on_it"].gt(0)),
        carried=table["added"] * (table["on_it"] + 1),
    )
    stands = is_base | table["same_as"].isna() | table["same_as"].eq(table["variant"])
    columns = ["variant", "name", "family", "base", "found_by", "on_it", "on_it_by"]
    columns += ["count", "fixable", "added", "carried", "removed"]
    return table[stands.fillna(False)][columns].reset_index(drop=True)


def shared(images: pd.DataFrame, found: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return `brought` of images that others are built on or share, most of column `by` first."""
    table = brought(images, found)
    order = [by, "on_it", "variant"]
    return table[table["on_it"].gt(0)].sort_values(
        order, ascending=[False, False, True], ignore_index=True
    )


_OF_PACKAGES = msg("the packages of {base}")


def of(row: Any, base: str) -> str:
    """Return what a row of `shared` is about, by its name: a base, or packages that images have."""
    return base if row["on_it_by"] == BY_LAYERS else t(_OF_PACKAGES, base=base)


def answer(images: pd.DataFrame, found: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which base images, or packages that images share, bring the most."""
    table = shared(images, found, "carried")
    if table.empty:
        return Answer("bases", table=table, counted=lens.label, lacks=_unknown(images))
    ends = [
        t("{count:,} in each of {images}", count=row.added, images=number(row.on_it + 1, "image"))
        for row in table.head(bars.MOST).itertuples()
    ]
    return Answer(
        "bases",
        t("Most come from {base}: {ends}", base=_first(table), ends=ends[0]),
        _sums(images, found, lens),
        table,
        _chart(table, "carried", ends, lens),
        lens.label,
        role=SLIDE,
    )


def rebuild_answer(images: pd.DataFrame, found: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which one rebuild, or update of packages that images share, would remove most."""
    lens = lens._replace(fixable=True)
    table = shared(images, found, "removed")
    none = Answer("rebuild", table=table, counted=lens.label)
    if table.empty:
        return none._replace(lacks=_unknown(images))
    removing = table[table["removed"].gt(0)]
    if removing.empty:
        return none._replace(text=paragraph(t("Nothing that was counted has a fix.")))
    ends = [
        t("{count:,} in {images}", count=row.removed, images=number(row.on_it + 1, "image"))
        for row in removing.head(bars.MOST).itertuples()
    ]
    return none._replace(
        title=t("Updating {base} fixes most: {ends}", base=_first(table), ends=ends[0]),
        text=paragraph(_how(table)),
        chart=_chart(removing, "removed", ends, lens),
        role=SLIDE,
        searchable=True,
    )


def _first(table: pd.DataFrame) -> str:
    """Return what the first row is about, as it is named in a title."""
    return of(table.iloc[0], short_name(table["name"].iloc[0]))


def _chart(table: pd.DataFrame, column: str, ends: list[str], lens: Lens) -> Bars:
    """Return a column of the first rows as bars."""
    shown = table.head(bars.MOST)
    across = t("number of {counted} in all images", counted=lens.label)
    return bars.of(shown["name"], shown[column], ends, across, across)


_NOT_BUILT = msg("An image that contains all packages of another may not be built on it.")


def _how(table: pd.DataFrame) -> Phrase:
    """Return how what is removed was counted."""
    text = say(
        "Rows overlap, so do not add them up. Vulnerabilities that stay because another package "
        "has them or lacks a fix are not counted."
    )
    if table["on_it_by"].eq(BY_PACKAGES).any():
        text += " " + word(_NOT_BUILT)
    return text


def _unknown(images: pd.DataFrame) -> str:
    """Return why no image is known to be built on another."""
    if image_table.counted(images).empty:
        return word(image_table.NONE_COUNTED)
    return t(
        "No base images are known: the scans lack layers and package lists, or the bases were not "
        "scanned."
    )


def _sums(images: pd.DataFrame, found: pd.DataFrame, lens: Lens) -> Text:
    """Return how much of all images is in their bases too, and how bases were found."""
    known = image_table.counted(images)[["variant", "count"]].merge(found, on="variant")
    counts = known["base"].map(known.set_index("variant")["count"].to_dict()).astype("Int64")
    inherited = counts.fillna(0).clip(upper=known["count"])
    parts = known["found_by"].value_counts()
    text = say(
        "Of {all:,} {what} in all images, {inherited:,} are also in the image's base. Bases are "
        "known for {known}: {layers:,} by layers, {packages:,} by package lists.",
        all=int(known["count"].sum()),
        what=lens.label,
        inherited=int(inherited.sum()),
        known=share(int(known["base"].notna().sum()), len(known)),
        layers=int(parts.get(BY_LAYERS, 0)),
        packages=int(parts.get(BY_PACKAGES, 0)),
    )
    return paragraph(text + (" " + word(_NOT_BUILT) if BY_PACKAGES in parts else ""))


def _chain(base: str, bases: Mapping[str, str]) -> list[str]:
    """Return a base, its own base, and so on."""
    chain: list[str] = []
    while base and base not in chain:
        chain.append(base)
        base = bases.get(base, "")
    return chain


def _representatives(
    images: pd.DataFrame, key: pd.Series, ranks: Mapping[str, int]
) -> dict[Any, str]:
    """Return the image that stands for those with an equal key, by the key.

    `ranks` are of repositories; of those that are not in it the rank is zero.
    """
    order = images.assign(
        _key=key,
        _lost=~images["variant"].isin(image_table.counted(images)["variant"]),
        _own=~image_table.is_system(images),
        _rank=[-ranks.get(repository, 0) for repository in images["repository"]],
        _length=images["name"].str.len(),
    )
    order = order.dropna(subset="_key").sort_values(
        ["_lost", "_own", "_rank", "created_at", "_length", "variant"], kind="stable"
    )
    return dict(
        order.drop_duplicates("_key")[["_key", "variant"]].itertuples(index=False, name=None)
    )


def _by_layers(images: pd.DataFrame) -> dict[str, str]:
    """Return the base of each image whose layers begin with all layers of another one."""
    layers = images["diff_ids"].astype("object")
    stands = _representatives(images, layers, {})
    bases: dict[str, str] = {}
    for text in stands:
        below = text
        while " " in below:
            below = below.rpartition(" ")[0]
            if below in stands:
                bases[text] = stands[below]
                break
    pairs = zip(images["variant"], layers, strict=True)
    return {variant: bases[text] for variant, text in pairs if text in bases}


def _by_packages(
    images: pd.DataFrame, lists: pd.DataFrame
) -> tuple[dict[str, str], dict[str, str], dict[str, int]]:
    """Return what package lists say of each variant.

    The largest image within it, the one that stands for its list, and how many counted images have
    all of that list.
    """
    items = dict(zip(lists["package_list"], lists["items"], strict=True))
    key = images["package_list"].astype("object").map(lambda text: items.get(text))
    key = key.astype("object").where(key.notna(), None)
    distinct = [*dict.fromkeys(key.dropna())]
    within = contained([np.frombuffer(listed, np.uint64) for listed in distinct])
    is_counted = images["variant"].isin(image_table.counted(images)["variant"])
    alike = Counter(key[is_counted].dropna())
    shared_by = Counter(alike)
    for listed, smaller in zip(distinct, within, strict=True):
        for place in smaller:
            shared_by[distinct[place]] += alike[listed]
    stands = _representatives(images, key, _ranks(images["repository"], key, distinct, within))
    systems = {*images[image_table.is_system(images)]["variant"]}
    largest = {
        listed: stands[distinct[smaller[0]]]
        for listed, smaller in zip(distinct, within, strict=True)
        if smaller
    }
    bases, same_as, sharing = dict[str, str](), dict[str, str](), dict[str, int]()
    for variant, listed in zip(images["variant"], key, strict=True):
        if listed is None:
            continue
        same = stands[listed]
        same_as[variant], sharing[variant] = same, shared_by[listed]
        if same in systems and same != variant:
            # The same packages as the operating system's own image.
            bases[variant] = same
        elif listed in largest:
            bases[variant] = largest[listed]
    return bases, same_as, sharing


def _ranks(
    repositories: pd.Series, key: pd.Series, distinct: Sequence[bytes], within: list[list[int]]
) -> dict[str, int]:
    """Return of each repository how many images have all packages of one of its own."""
    owners: dict[bytes, set[str]] = {listed: set() for listed in distinct}
    for repository, listed in zip(repositories, key, strict=True):
        if listed is not None:
            owners[listed].add(repository)
    alike = Counter(key.dropna())
    ranks: Counter[str] = Counter()
    for listed, smaller in zip(distinct, within, strict=True):
        within_it = (owners[distinct[place]] for place in smaller)
        for owner in owners[listed].union(*within_it):
            ranks[owner] += alike[listed]
    return dict(ranks)


def contained(lists: Sequence[np.ndarray]) -> list[list[int]]:
    """Return of each list of distinct items all other ones that are wholly in it, by place.

    The largest is first; empty lists and equal ones are left out. A list can only be in those that
    have its rarest item, so it is looked for nowhere else.
    """
    if not lists:
        return []
    every, places = np.unique(np.concatenate(lists), return_inverse=True)
    rows = np.split(places, np.cumsum([len(items) for items in lists])[:-1])
    frequency = np.bincount(places, minlength=len(every))
    by_rarest: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        if len(row):
            rarest = int(row[frequency[row].argmin()])
            by_rarest.setdefault(rarest, []).append(place)
    sets = [frozenset(row.tolist()) for row in rows]
    found: list[list[int]] = []
    for items in sets:
        candidates = (other for item in items for other in by_rarest.get(item, ()))
        inside = [
            other for other in candidates if len(sets[other]) < len(items) and sets[other] <= items
        ]
        found.append(sorted(inside, key=lambda other: (-len(sets[other]), other)))
    return found
