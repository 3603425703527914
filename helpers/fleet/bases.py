"""Which images of a fleet are built on which others, and what comes with those bases.

An image is built on another one whose layers are the lowest of its own, or else on one whose
packages, in their versions, are all in it. Of several it is the one with most.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart import Bars, Series
from helpers.fleet import image_table
from helpers.text import escape
from helpers.text.i18n import msg, t
from helpers.text.rich import Phrase, Text, bullets, name, number, paragraph, say, share
from helpers.text.titles import first_fitting
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import Lens

BY_LAYERS, BY_PACKAGES = msg("layers"), msg("packages")
"""How a base was found."""

_MOST = 12
"""Rows of a figure."""


def found(images: pd.DataFrame, lists: pd.DataFrame) -> pd.DataFrame:
    """Return what each image is built on: `variant, base, found_by`, a row an image.

    `base` is the variant of another image (NA: none was found), `found_by` is `layers` or
    `packages`. Images with the same layers or packages are represented by the operating system's
    own image if there is one (`debian:9`), else by the one that was created first. `lists` is
    `tally.package_lists` of all parts.
    """
    by_layers = _by_layers(images)
    by_packages = _by_packages(images, lists)
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
    columns = {
        "variant": [*images["variant"]],
        "base": [bases.get(variant) for variant in images["variant"]],
        "found_by": [how.get(variant) for variant in images["variant"]],
    }
    return pd.DataFrame(columns, dtype="str")


def brought(images: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return what each image brings to those that are built on it: a row an image.

    `variant, name, family, base, found_by, on_it, count, fixable, added, carried, removed`: how
    many images are built on it, directly or on another one that is; what is counted in its
    packages, and what of it is fixable; what it has more than its own base, once and in all images
    that it is in; and what rebuilding it with today's fixed packages would remove from these.
    Images that were not measured are left out.
    """
    known = image_table.counted(images)[["variant", "name", "family", "count", "fixable"]]
    bases = found.set_index("variant")["base"].dropna().to_dict()
    on_it = dict.fromkeys(known["variant"], 0)
    for variant in known["variant"]:
        for base in _chain(bases.get(variant, ""), bases):
            if base in on_it:
                on_it[base] += 1
    table = known.merge(found, how="left", on="variant", validate="one_to_one")
    counts = known.set_index("variant")["count"]
    own = table["base"].map(counts.to_dict()).astype("Int64").fillna(0)
    table = table.assign(
        on_it=table["variant"].map(on_it).astype("Int64"),
        added=(table["count"] - own).clip(lower=0),
    )
    everywhere = table["on_it"] + 1
    table = table.assign(carried=table["added"] * everywhere, removed=table["fixable"] * everywhere)
    columns = ["variant", "name", "family", "base", "found_by", "on_it"]
    return table[[*columns, "count", "fixable", "added", "carried", "removed"]]


def answer(images: pd.DataFrame, found: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which base images bring the most, counted once each."""
    whole = brought(images, found)
    table = whole[whole["on_it"].gt(0)].sort_values(
        ["carried", "on_it", "variant"], ascending=[False, False, True], ignore_index=True
    )
    if table.empty:
        return Answer("bases", table=table, counted=lens.label, lacks=_unknown(images))
    first = table.iloc[0]
    values = {"base": short_name(first["name"]), "count": first["added"]}
    values |= {"images": number(first["on_it"] + 1, "image"), "what": lens.short}
    title = first_fitting(
        (
            t("{base} brings the most: {count:,} {what}, once in each of {images}", **values),
            t("{base} brings the most: {count:,}, once in each of {images}", **values),
        )
    )
    shown = table.head(_MOST)
    ends = [
        t("{count:,} in {images}", count=row.added, images=number(row.on_it + 1, "image"))
        for row in shown.itertuples()
    ]
    return Answer(
        "bases",
        title,
        bullets(_line(row) for row in shown.head(5).itertuples()) + _sums(whole, lens),
        table,
        _bars(
            shown["name"],
            shown["carried"],
            ends,
            t("number of {counted} in all images", counted=lens.label),
        ),
        lens.label,
        role=SLIDE,
    )


def rebuild_answer(images: pd.DataFrame, found: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which one rebuild, with today's fixed packages, would remove most."""
    counted = lens._replace(fixable=True)
    table = brought(images, found).sort_values(
        ["removed", "on_it", "variant"], ascending=[False, False, True], ignore_index=True
    )
    if table.empty:
        return Answer("rebuild", table=table, counted=counted.label, lacks=_unmeasured())
    first = table.iloc[0]
    if not first["removed"]:
        chart = _bars([], [], [], counting.number_of(counted.label))
        text = paragraph(t("No newer package fixes any of what is counted."))
        return Answer("rebuild", "", text, table, chart, counted.label)
    values = {"base": short_name(first["name"]), "count": first["removed"]}
    values |= {"images": number(first["on_it"] + 1, "image"), "what": counted.short}
    title = first_fitting(
        (
            t("Rebuilding {base} removes most: {count:,} {what} from {images}", **values),
            t("Rebuilding {base} removes most: {count:,} from {images}", **values),
        )
    )
    shown = table[table["removed"].gt(0)].head(_MOST)
    ends = [
        t("{count:,} from {images}", count=row.removed, images=number(row.on_it + 1, "image"))
        for row in shown.itertuples()
    ]
    note = say(
        "What is fixable in a base's packages, times the images that it is in: once it is rebuilt "
        "with today's fixed versions, so must they be. A base on another one has what is in that, "
        "too, so rows do not add up."
    )
    if lost := int((table["base"].isna() & table["on_it"].eq(0)).sum()):
        note += " " + say(
            "{images} whose base is not in the fleet stand for themselves.",
            images=number(lost, "image"),
        )
    return Answer(
        "rebuild",
        title,
        paragraph(note),
        table,
        _bars(shown["name"], shown["removed"], ends, counting.number_of(counted.label)),
        counted.label,
        role=SLIDE,
        searchable=True,
    )


def _unmeasured() -> str:
    return t("No image was measured, so it is not known what is in them.")


def _unknown(images: pd.DataFrame) -> str:
    """Return why no image is known to be built on another."""
    if image_table.counted(images).empty:
        return _unmeasured()
    return t(
        "Of no image it is known that others are built on it: the scans have no layers and package "
        "lists, or the base images were not scanned."
    )


def _line(row: Any) -> Phrase:
    text = name(row.name) + ": "
    text += say(
        "{count:,} in its packages, {fixable:,} of them fixable, in {images} besides itself",
        count=row.count,
        fixable=row.fixable,
        images=number(row.on_it, "image"),
    )
    if isinstance(row.base, str):
        text += say("; {added:,} more than what it is built on", added=row.added)
    return text


def _sums(whole: pd.DataFrame, lens: Lens) -> Text:
    """Return how much of all images came with bases, counted in each and once each."""
    known = whole["base"].notna()
    counts = whole.set_index("variant")["count"]
    inherited = int(whole["base"].map(counts.to_dict()).astype("Int64").fillna(0).sum())
    once = int(whole[whole["on_it"].gt(0)]["added"].sum())
    text = say(
        "Of {all:,} {what} in {images}, {inherited:,} came with a base of the fleet; counted once "
        "each, these bases bring {once:,}.",
        all=int(whole["count"].sum()),
        what=lens.label,
        images=number(len(whole), "image"),
        inherited=inherited,
        once=once,
    )
    parts = whole["found_by"].value_counts()
    text += " " + say(
        "The base is known of {known}: by layers of {layers:,}, by package lists of {packages:,}.",
        known=share(int(known.sum()), len(whole)),
        layers=int(parts.get(BY_LAYERS, 0)),
        packages=int(parts.get(BY_PACKAGES, 0)),
    )
    if BY_PACKAGES in parts:
        text += " " + t(
            "An image that has all packages of another one, in the same versions, need not be "
            "built on it; but what is in these packages is in both."
        )
    return paragraph(text)


def _bars(names: Any, values: Any, ends: list[str], across: str) -> Bars:
    rows = [(escape.plain(text), "") for text in names]
    lengths: list[float | None] = [float(value) for value in values]
    return Bars(rows, [Series("size", across, lengths)], ends, across, "size", [True] * len(rows))


def _chain(base: str, bases: Mapping[str, str]) -> list[str]:
    """Return a base, its own base, and so on."""
    chain: list[str] = []
    while base and base not in chain:
        chain.append(base)
        base = bases.get(base, "")
    return chain


def _representatives(images: pd.DataFrame, key: pd.Series) -> dict[Any, str]:
    """Return the image that stands for those with an equal key, by the key."""
    order = images.assign(_key=key, _own=~_is_system(images), _length=images["name"].str.len())
    order = order.dropna(subset="_key").sort_values(
        ["_own", "created_at", "_length", "variant"], kind="stable"
    )
    return dict(
        order.drop_duplicates("_key")[["_key", "variant"]].itertuples(index=False, name=None)
    )


def _by_layers(images: pd.DataFrame) -> dict[str, str]:
    """Return the base of each image whose layers begin with all layers of another one."""
    layers = images["diff_ids"].astype("object")
    stands = _representatives(images, layers)
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


def _by_packages(images: pd.DataFrame, lists: pd.DataFrame) -> dict[str, str]:
    """Return the base of each image whose packages contain all those of another one."""
    key = images["package_list"].astype("object")
    distinct = lists.drop_duplicates("package_list")
    distinct = distinct[distinct["package_list"].isin(set(key.dropna()))]
    names = distinct["package_list"].tolist()
    largest = contained([np.frombuffer(items, np.uint64) for items in distinct["items"]])
    stands = _representatives(images, key.where(key.isin(set(names))))
    systems = set(images[_is_system(images)]["variant"])
    bases: dict[str, str] = {}
    below = {names[place]: names[base] for place, base in enumerate(largest) if base is not None}
    for variant, text in zip(images["variant"], key, strict=True):
        same = stands.get(text, "")
        if same in systems and same != variant:
            # The same packages as the operating system's own image.
            bases[variant] = same
        elif text in below:
            bases[variant] = stands[below[text]]
    return bases


def _is_system(images: pd.DataFrame) -> pd.Series:
    """Return which images are those of an operating system itself, by their repository."""
    last = [repository.rpartition("/")[2] for repository in images["repository"]]
    return images["os_family"].astype("object").eq(pd.Series(last, images.index, dtype="object"))


def contained(lists: Sequence[np.ndarray]) -> list[int | None]:
    """Return of each list of distinct items the largest other one that is wholly in it, by place.

    None if there is none. Equal lists are not in one another. A list can only be in those that have
    its rarest item, so it is looked for nowhere else.
    """
    if not lists:
        return []
    every, places = np.unique(np.concatenate(lists), return_inverse=True)
    rows = np.split(places, np.cumsum([len(items) for items in lists])[:-1])
    frequency = np.bincount(places, minlength=len(every))
    by_rarest: dict[int, list[int]] = {}
    for place in sorted(range(len(lists)), key=lambda place: -len(lists[place])):
        if len(rows[place]):
            rarest = int(rows[place][frequency[rows[place]].argmin()])
            by_rarest.setdefault(rarest, []).append(place)
    sets = [frozenset(row.tolist()) for row in rows]
    found: list[int | None] = []
    for items in sets:
        candidates = (other for item in items for other in by_rarest.get(item, ()))
        smaller = [other for other in candidates if len(sets[other]) < len(items)]
        smaller.sort(key=lambda other: (-len(sets[other]), other))
        found.append(next((other for other in smaller if sets[other] <= items), None))
    return found
