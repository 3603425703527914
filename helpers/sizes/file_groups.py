"""What the bytes of an image are: every file is in one group, as `groups.csv` says.

A line of the table has a group, a part of it, and a pattern of a path or of an OS package's name
from its beginning; the first line that fits a file counts. What no line fits belongs to its OS
package, to the app, or to nobody; where packages' files are not known, neither is to whom.
"""

import csv
import re
from functools import cache
from typing import NamedTuple

import pandas as pd

from helpers import paths
from helpers.errors import StudyInvalid
from helpers.images import known_programs
from helpers.sizes.image_sizes import shown
from helpers.studies import package_files
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import listed, name, number
from helpers.text.titles import fits

OS, RUNTIME, TOOLS, APP = msg("OS packages"), msg("runtime"), msg("bundled tools"), msg("app")
CACHES, UNOWNED, HIDDEN = msg("caches and docs"), msg("unowned"), msg("hidden by later layers")
UNTOLD = msg("owner not known")
GROUPS = (OS, RUNTIME, TOOLS, APP, CACHES, UNOWNED, UNTOLD, HIDDEN)
"""All groups. The last has no file: bytes that a lower layer holds and no file shows any more."""

NPM, OWN = msg("npm packages"), msg("the app's own")
"""Parts of the app."""

UNKNOWN = msg("The files of no image are known here, so there is no picture of them.")

_NAMED = 4
"""Names that are kept of what a part of a group is made of, the largest first."""


class Line(NamedTuple):
    """A line of the table; `of` is `path` or `package`."""

    group: str
    component: str
    of: str
    pattern: re.Pattern[str]
    about: str


@cache
def table() -> tuple[Line, ...]:
    """Return the lines of the table, in order."""
    with paths.GROUPS.open(newline="", encoding="utf-8") as file:
        return tuple(
            Line(r["group"], r["component"], r["of"], _pattern(r["pattern"], r["of"]), r["about"])
            for r in csv.DictReader(file)
        )


def components() -> list[str]:
    """Return all parts of groups that have a name of their own, and not that of a package."""
    return list(dict.fromkeys([*(line.component for line in table()), NPM, OWN, HIDDEN]))


def grouped(files: pd.DataFrame, layers: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return `files` with `group`, `component` and `what`, the name of that which a file is of.

    The app is what no package brought and the image has on top of its base; where the base is not
    known, or what packages brought (`ownership.unread`), what is below the folder in which the
    image starts.
    """
    untold = files["variant"].isin(package_files.unread(files))
    told = files.assign(
        group=pd.Series(pd.NA, files.index, dtype="str"),
        component=pd.Series(pd.NA, files.index, dtype="str"),
    )
    paths_ = told["path"]
    names = told["package"].dropna().unique()
    left = pd.Series(True, index=told.index)
    for line in table():
        if line.of == "package":
            fits = told["package"].isin([name for name in names if line.pattern.match(name)])
        else:
            fits = paths_.str.match(line.pattern)
        chosen = left & fits
        told.loc[chosen, ["group", "component"]] = line.group, line.component
        left &= ~fits
    owned = left & told["package"].notna()
    told.loc[owned, "group"] = OS
    told.loc[owned, "component"] = told.loc[owned, "package"]
    app = left & ~owned & _is_app(told, layers, images, untold)
    in_modules = paths_.str.contains("node_modules/", regex=False)
    told.loc[app, "group"] = APP
    told.loc[app, "component"] = in_modules[app].map({True: NPM, False: OWN})
    rest = left & ~owned & ~app
    told.loc[rest, "group"] = untold[rest].map({True: UNTOLD, False: UNOWNED})
    told.loc[rest, "component"] = paths_[rest].str.split("/").str[:2].str.join("/")
    return told.assign(what=_what(told))


def sizes(grouped_files: pd.DataFrame, layers: pd.DataFrame) -> pd.DataFrame:
    """Return the bytes of each part of each group of each image, which add up to its unpacked size.

    Raises `StudyInvalid` for files and layers that are not of one image.

    `variant, group, component, size_bytes, files, what`; `what` names its largest contents. Only
    parts with bytes are listed, and only images whose files are known.
    """
    parts = grouped_files[grouped_files["size_bytes"].gt(0)]
    keys = ["variant", "group", "component"]
    of = parts.groupby(keys, sort=False)
    table_ = of.agg(size_bytes=("size_bytes", "sum"), files=("path", "size")).reset_index()
    largest = parts.groupby([*keys, "what"], sort=False)["size_bytes"].sum().reset_index()
    largest = largest.sort_values("size_bytes", ascending=False, kind="stable")
    named = largest.groupby(keys, sort=False)["what"].agg(_listed).reset_index()
    table_ = table_.merge(named, on=keys, validate="one_to_one")
    hidden = _hidden(grouped_files, layers)
    both = pd.concat([table_, hidden[hidden["size_bytes"].gt(0)]], ignore_index=True)
    order = pd.CategoricalDtype(list(GROUPS), ordered=True)
    variants = pd.CategoricalDtype(list(dict.fromkeys(grouped_files["variant"])), ordered=True)
    by = both.assign(group=both["group"].astype(order), own=both["variant"].astype(variants))
    by = by.sort_values(
        ["own", "group", "size_bytes"], ascending=[True, True, False], kind="stable"
    )
    return (
        by.drop(columns="own")
        .astype({"size_bytes": "Int64", "files": "Int64"})
        .reset_index(drop=True)
    )


def by_group(parts: pd.DataFrame) -> pd.DataFrame:
    """Return the bytes of each group of each image: `variant, group, size_bytes`, with zeros.

    What has no known owner is a group only if there is some.
    """
    all_ = [group for group in GROUPS if group != UNTOLD or parts["group"].eq(group).any()]
    sums = parts.groupby(["variant", "group"], sort=False, observed=True)["size_bytes"].sum()
    full = pd.MultiIndex.from_product(
        [list(dict.fromkeys(parts["variant"])), all_], names=["variant", "group"]
    )
    return sums.reindex(full, fill_value=0).reset_index()


def largest(grouped_files: pd.DataFrame, most: int = 10) -> pd.DataFrame:
    """Return each image's largest files: `variant, path, size_bytes, group, package, layer`.

    `package` is empty if there is none, and NA where that is not known.
    """
    columns = ["variant", "path", "size_bytes", "group", "package", "layer"]
    ordered = grouped_files.sort_values("size_bytes", ascending=False, kind="stable")
    first = ordered.groupby("variant", sort=False).head(most)
    place = {variant: n for n, variant in enumerate(dict.fromkeys(grouped_files["variant"]))}
    by = first.sort_values("variant", key=lambda v: v.map(place), kind="stable")
    told = ~by["variant"].isin(package_files.unread(grouped_files))
    return by[columns].assign(package=by["package"].fillna("").where(told)).reset_index(drop=True)


def headline(parts: pd.DataFrame) -> str:
    """Return which group takes most of each image; of many, how many images a group leads in."""
    first = _first(parts)
    told = [
        f"{escape.short(row.variant, 24)} {word(row.group)} {row.share:.0%}"
        for row in first.itertuples()
    ]
    whole = t("Most bytes: {images}", images=listed(told) or t("not known"))
    if len(told) <= 2 or fits(whole):
        return whole
    led = []
    for group, rows in first.groupby("group", sort=False, observed=True):
        low, high = (f"{share:.0%}" for share in (rows["share"].min(), rows["share"].max()))
        range_ = high if low == high else t("{low} to {high}", low=low.removesuffix("%"), high=high)
        where = escape.short(rows["variant"].iloc[0], 24)
        if len(rows) > 1:
            where = number(len(rows), "image")
        led.append(
            t("{group} in {images} ({range})", group=word(group), images=where, range=range_)
        )
    return t("Most bytes: {images}", images=listed(led))


def sentence(parts: pd.DataFrame, images: pd.DataFrame) -> str:
    """Return what each image is made of, the largest group first, as a list."""
    lines = []
    for variant in images["variant"].drop_duplicates():
        own = by_group(parts[parts["variant"].eq(variant)]) if len(parts) else parts
        if own.empty:
            lines.append(t("- {variant}: its files are not known", variant=name(variant)))
            continue
        whole = own["size_bytes"].sum()
        some = own[own["size_bytes"].gt(0)].sort_values("size_bytes", ascending=False)
        told = [f"{word(row.group)} {shown(row.size_bytes)}" for row in some.itertuples()]
        lines.append(f"- {name(variant)}, {shown(whole)}: {listed(told)}")
    if parts["group"].eq(UNTOLD).any():
        note = t(
            "Owner not known: no list of files in the package manager's database is read there, so "
            "which of these bytes are OS packages', the app's or nobody's is not known."
        )
        lines += ["", note]
    return "\n".join(lines)


def _first(parts: pd.DataFrame) -> pd.DataFrame:
    """Return the largest group of each image with its share, the largest image first."""
    sums = by_group(parts) if len(parts) else parts.assign(share=[])
    if sums.empty:
        return sums
    whole = sums.groupby("variant")["size_bytes"].transform("sum")
    told = sums.assign(whole=whole, share=(sums["size_bytes"] / whole).astype(float))
    ordered = told.sort_values("size_bytes", ascending=False, kind="stable")
    return ordered.drop_duplicates("variant").sort_values("whole", ascending=False, kind="stable")


def _hidden(files: pd.DataFrame, layers: pd.DataFrame) -> pd.DataFrame:
    """Return the bytes that layers hold and no file shows, one row an image."""
    visible = files.groupby("variant", sort=False)["size_bytes"].sum()
    held = layers.groupby("variant", sort=False)["size_bytes"].sum().reindex(visible.index)
    for variant in held.index[held.lt(visible).fillna(False)]:
        raise StudyInvalid(
            f"{escape.plain(variant)}: its files hold more bytes than its layers, so they are of "
            "two images. Capture it again, with --fresh"
        )
    return pd.DataFrame(
        {
            "variant": visible.index,
            "group": HIDDEN,
            "component": HIDDEN,
            "size_bytes": (held - visible).array,
            "files": 0,
            "what": "",
        }
    )


def _is_app(
    files: pd.DataFrame, layers: pd.DataFrame, images: pd.DataFrame, untold: pd.Series
) -> pd.Series:
    """Return which files are on top of the base, or below the folder that the image starts in.

    Of those that may be a package's, which are `untold`, those that are both.
    """
    own = layers[["variant", "position", "from_base"]].rename(columns={"position": "layer"})
    on = files[["variant", "layer"]].merge(
        own, on=["variant", "layer"], how="left", validate="many_to_one"
    )
    from_base = on["from_base"].set_axis(files.index)
    folders = images.drop_duplicates("variant").set_index("variant")["working_directory"]
    below = pd.Series(False, index=files.index)
    for variant, folder in folders.fillna("").items():
        if inside := folder.strip("/"):
            below |= files["variant"].eq(variant) & files["path"].str.startswith(f"{inside}/")
    return (~from_base).fillna(below).astype("bool") & (below | ~untold)


def _what(files: pd.DataFrame) -> pd.Series:
    """Return what a file is of: its OS package, its program with a version, or nothing."""
    told = files["package"].copy()
    versioned = told.isna() & files["version"].notna()
    tools = [known_programs.named(path) for path in files.loc[versioned, "path"]]
    told[versioned] = [
        f"{tool.name if tool else ''} {version}".strip()
        for tool, version in zip(tools, files.loc[versioned, "version"], strict=True)
    ]
    return told.fillna("")


def _listed(names: pd.Series) -> str:
    """Return the first few names that are some."""
    return ", ".join([name for name in names if name][:_NAMED])


def _pattern(text: str, of: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{text})$" if of == "package" else text)
