"""The images of a fleet, each once, with the family of its base and the app that it is."""

from datetime import date
from typing import Any

import pandas as pd

from helpers.comparability import end_of_life, scan_consistency
from helpers.fleet import base_words, views
from helpers.frames import NO_OS, UNKNOWN_COUNT
from helpers.text.i18n import msg

NO_FAMILY = msg("no operating system known")
"""The family of images in which the scanner recognised no operating system."""

NONE_COUNTED = msg("No image was measured with a database that knows it.")
"""Why there is nothing to answer."""


Place = tuple[str, str]
"""An app and a base that an image is labelled with."""


def once(reduced: pd.DataFrame, labelled: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return `tally.images` of all parts with each image once, by its image id or digest.

    Of the images that one tagged reference stood for on several days, the last day's are kept.

    Of several scans of one image the newest that looked for vulnerabilities is kept, with the
    references of all; `scans` is how many there were, `passed_over` how many of them are newer and
    are not the one that counts, as they looked for something else, failed, or found nothing where
    another one found `scan_consistency.MANY` or more. Added are `repository`; `family`, the
    operating system with its release and form, as in `debian 9 slim`; `app`, the repository and tag
    without the words that name a base (NA without a tag); `measured`: whether its vulnerabilities
    were looked for and its system was recognised; and `unknown_to_db`: nothing was found in any
    image of its release, so the database may not know it. `labelled` is what `labels.of` says of
    scans, and goes before what names say: `places` has each app of an image with its base, `group`
    and `owner` what else is said.
    """
    lost = reduced["status"].isin(UNKNOWN_COUNT) | _false_zeros(reduced)
    order = reduced.assign(_lost=lost).sort_values(
        ["_lost", "scanned_at", "db_updated_at", "variant"],
        ascending=[True, False, False, True],
        kind="stable",
        na_position="last",
    )
    own = views.known(order)
    order = order.assign(_key=own.fillna(_in_views(order, own)).fillna(order["variant"]))
    kept = _last_day(order.drop_duplicates("_key")).set_index("_key")
    order = order[order["_key"].isin(kept.index)]
    counted_at = kept["scanned_at"].reindex(order["_key"]).set_axis(order.index)
    newer = order["scanned_at"].gt(counted_at)
    references = _references(order).groupby(order["_key"])
    kept = kept.drop(columns="_lost").assign(
        references=references.agg(lambda texts: " ".join(dict.fromkeys(" ".join(texts).split()))),
        scans=references.size(),
        passed_over=newer.groupby(order["_key"]).sum(),
    )
    described = _described(kept)
    said = None
    if labelled is not None:
        image = labelled["variant"].map(order.set_index("variant")["_key"])
        said = labelled.assign(image=image).dropna(subset="image")
    return _labelled(described, said).sort_values("variant", ignore_index=True)


def _in_views(scans: pd.DataFrame, known: pd.Series) -> pd.Series:
    """Return of scans without id and digest the image that other tools read as well; NA: none.

    `known` are the names of images by id and digest.
    """
    if scans["scanner"].nunique() < 2:
        return pd.Series(pd.NA, scans.index, dtype="object")
    seen = views.found(scans).set_index("variant")["image"]
    image = scans["variant"].astype("object").map(seen)
    # An image that one of the tools gives an id is known by it.
    return known.groupby(image).transform("first").fillna(image)


def _last_day(kept: pd.DataFrame) -> pd.DataFrame:
    """Return images without those of which a tagged reference was another image on a later day.

    Of the scans of one day none is the newer one: a name does not say so. Without a tag it may be a
    file's name, which says nothing of an image.
    """
    is_tagged = kept["name"].map(lambda text: bool(base_words.reference(text).tag)).astype(bool)
    key = [kept["name"], kept["architecture"].astype("object").fillna("")]
    day = kept["scanned_at"].dt.floor("D")
    usable = day.where(~kept["_lost"])
    last = usable.groupby(key).transform("max")
    return kept[~is_tagged | last.isna() | usable.eq(last) | day.isna()]


def _labelled(images: pd.DataFrame, said: pd.DataFrame | None) -> pd.DataFrame:
    """Return images with `places`, `group` and `owner`; the first place is its app and family."""
    of_images: dict[Any, list[Any]] = {}
    for row in said.itertuples() if said is not None else ():
        of_images.setdefault(row.image, []).append(row)
    places, groups, owners = [], [], []
    for key, app, family in zip(images.index, images["app"], images["family"], strict=True):
        rows = of_images.get(key, [])
        found = dict.fromkeys((row.app or app, row.base or family) for row in rows)
        places.append(tuple(found) or ((app, family),))
        groups.append(next((row.group for row in rows if row.group), None))
        owners.append(next((row.owner for row in rows if row.owner), None))
    first = pd.DataFrame([each[0] for each in places], images.index, ["app", "family"], "object")
    return images.assign(
        app=first["app"],
        family=first["family"],
        places=pd.Series(places, images.index, dtype="object"),
        group=pd.Series(groups, images.index, dtype="object"),
        owner=pd.Series(owners, images.index, dtype="object"),
    )


def placed(images: pd.DataFrame) -> pd.DataFrame:
    """Return images with a row for each of their places: an `app` on a `family`."""
    rows = images.explode("places", ignore_index=True)
    app, family = zip(*rows["places"], strict=True) if len(rows) else ((), ())
    return rows.assign(
        app=pd.Series(app, rows.index, dtype="object"), family=pd.Series(family, rows.index)
    )


def _false_zeros(reduced: pd.DataFrame) -> pd.Series:
    """Return which scans found nothing in an image in which another scan found many."""
    most = reduced["found"].groupby(reduced["image_id"]).transform("max")
    return reduced["found"].eq(0).fillna(False) & most.ge(scan_consistency.MANY).fillna(False)


def uncounted(reduced: pd.DataFrame, images: pd.DataFrame) -> frozenset[str]:
    """Return the variants that vulnerabilities are not counted in.

    Those are other scans of an image that is counted already, and images whose counts say nothing.
    """
    return frozenset(reduced["variant"]) - frozenset(counted(images)["variant"])


def counted(images: pd.DataFrame) -> pd.DataFrame:
    """Return the images whose counts say something: measured, by a database that knows them."""
    return images[images["measured"] & ~images["unknown_to_db"]]


def ended(images: pd.DataFrame) -> dict[str, date]:
    """Return the families whose advisories had ended when they were scanned, and on which day.

    One that labels make of several releases has ended if all of them have, on the last's day.
    Later vulnerabilities are in no count of theirs, so that it is low is no good sign.
    """
    found: dict[str, date] = {}
    going: set[str] = set()
    columns = ["family", "os_family", "os_version"]
    last = images.dropna(subset=columns).groupby(columns)["scanned_at"].max().reset_index()
    for row in last.itertuples():
        until = end_of_life.advisories_until(row.os_family, row.os_version)
        if until and pd.notna(row.scanned_at) and row.scanned_at.date() > until:
            found[row.family] = max(until, found.get(row.family, until))
        else:
            going.add(row.family)
    return {family: until for family, until in found.items() if family not in going}


def _references(images: pd.DataFrame) -> pd.Series:
    others = images["references"].astype("object")
    return images["name"].astype("object") + (" " + others).where(others.notna(), "")


def _described(images: pd.DataFrame) -> pd.DataFrame:
    """Return images with repository, family, app, and whether their counts say something."""
    rows = []
    columns = (
        images[c].astype("object") for c in ("name", "references", "os_family", "os_version")
    )
    for name, references, system, version in zip(*columns, strict=True):
        system, version = (_text(value) for value in (system, version))
        all_ = [text for text in dict.fromkeys((name, *references.split(" "))) if text]
        rows.append(
            (
                base_words.reference(name).repository,
                family(system, version, all_),
                app(system, version, all_),
                family(system, version, []),
            )
        )
    names = ["repository", "family", "app", "release"]
    described = pd.DataFrame(rows, columns=names, index=images.index)
    images = images.assign(**{column: described[column] for column in names[:3]})
    measured = ~images["status"].isin({*UNKNOWN_COUNT, NO_OS}) & images["count"].notna()
    # A filter of the lens, or a small form of a system, is no reason to distrust the database.
    found = images["found"].fillna(0).astype("int64").where(measured, 0)
    nothing = found.groupby(described["release"]).transform("sum").eq(0)
    return images.assign(measured=measured.astype(bool), unknown_to_db=nothing & measured)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


_TWO_NUMBERS = frozenset({"alpine", "opensuse.leap", "opensuse-leap", "ubuntu"})
"""Operating systems whose releases have two numbers."""


def family(system: str, version: str, references: list[str]) -> str:
    """Return the family of a base: operating system, release, and form by the references.

    A release is what has an end of life of its own: `debian 9`, `alpine 3.11`, `ubuntu 16.04`.

    >>> family("debian", "9.3", ["node:8-slim"]), family("ubuntu", "17.10", ["ros:lunar"])
    ('debian 9 slim', 'ubuntu 17.10')
    """
    if not system:
        return NO_FAMILY
    release = end_of_life.release(f"{system} {version}") if version else None
    if system in _TWO_NUMBERS:
        # Also of releases that the table does not know.
        release = f"{system} {'.'.join(version.split('.')[:2])}"
    parts = (release or f"{system} {version}", base_words.form(references))
    return " ".join(part.strip() for part in parts if part)


def app(system: str, version: str, references: list[str]) -> str | None:
    """Return repository and tag without the words of the base; `None` without a tag.

    Of several references it is the most specific: with the most numbers, then the most words.

    >>> app("debian", "9.3", ["node:8-stretch", "node:8.9.4-stretch", "node:carbon"])
    'node:8.9.4'
    """
    found = []
    for text in references:
        repository, tag = base_words.reference(text)
        if tag:
            words = base_words.without(tag, system, version)
            numbers = sum(word[:1].isdigit() * (word.count(".") + 1) for word in words)
            rest = "-".join(words) or "latest"
            found.append((numbers, len(words), f"{repository}:{rest}"))
    return max(found)[2] if found else None


def is_system(images: pd.DataFrame) -> pd.Series:
    """Return which images are those of an operating system itself, by their repository."""
    last = [repository.rpartition("/")[2] for repository in images["repository"]]
    return images["os_family"].astype("object").eq(pd.Series(last, images.index, dtype="object"))
