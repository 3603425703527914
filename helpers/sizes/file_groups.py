"""What the bytes of an image are: every file is in one group, as `file_groups.csv` says.

To add a group or a part of one, add a line to that table: the group, the part, whether the line
`matches` a path or the name of an OS package, a pattern from its beginning, and what it is good
for. The first line that fits a file counts, so a special line stands before a general one. A new
group also needs its name in `GROUPS` and a style in the charts; every new word a translation.

A file that no line fits belongs to its OS package, to the app, or to nobody. Where packages do not
list their files, its owner is not known.
"""

import csv
import re
from functools import cache
from typing import NamedTuple

import pandas as pd

from helpers import paths
from helpers.answers.answer import SLIDE, Answer
from helpers.answers.talk import SIZE, Talk
from helpers.errors import StudyInvalid
from helpers.images import known_programs, package_files
from helpers.sizes.image_sizes import SIZE_NAMES, UNPACKED, stacked
from helpers.text import escape
from helpers.text.i18n import Message, msg, t, word
from helpers.text.rich import Text, listed, number, paragraph
from helpers.text.titles import first_fitting, fits, is_whole

OS, RUNTIME, TOOLS, APP = msg("OS packages"), msg("runtime"), msg("bundled tools"), msg("app")
CACHES, UNOWNED, HIDDEN = msg("caches and docs"), msg("unowned"), msg("hidden by later layers")
OWNER_UNKNOWN = msg("owner not known")
GROUPS = (OS, RUNTIME, TOOLS, APP, CACHES, UNOWNED, OWNER_UNKNOWN, HIDDEN)
"""All groups. The last has no file: bytes that a lower layer holds and no file shows any more."""

NPM, PYPI, JARS = msg("npm packages"), msg("Python packages"), msg("Java archives")
OWN = msg("the app's own")
"""Parts of the app."""

_JAR = r"\.[jwe]ar$"
_DIST_INFO = r"^((?:.*/)?)[^/]+\.(?:dist|egg)-info/"
_IN_SITE_PACKAGES = r"/|\.so$"

_NAMED = 4
"""Names that are kept of what a part of a group is made of, the largest first."""


class Line(NamedTuple):
    """A line of the table; it matches a `path` or the name of a `package`."""

    group: str
    component: str
    matches: str
    pattern: re.Pattern[str]
    about: str


@cache
def table() -> tuple[Line, ...]:
    """Return the lines of the table, in order."""
    with paths.GROUPS.open(newline="", encoding="utf-8") as file:
        return tuple(
            Line(
                group,
                component,
                matches,
                re.compile(rf"(?:{pattern})$" if matches == "package" else pattern),
                about,
            )
            for group, component, matches, pattern, about in list(csv.reader(file))[1:]
        )


def components() -> list[str]:
    """Return all parts of groups that have a name of their own, and not that of a package."""
    return list(
        dict.fromkeys([*(line.component for line in table()), NPM, PYPI, JARS, OWN, HIDDEN])
    )


def component_cell(component: str) -> str:
    """Return a part of a group for a cell: a message, or the name of a package or folder as is."""
    return Message(component) if component in components() else component


def grouped(files: pd.DataFrame, layers: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return `files` with `group`, `component` and `what`, the name of that which a file is of.

    The app is what no package brought and the image has on top of its base. Where the base is not
    known, or whether a package brought a file (`files.maybe_of`), it is what is below the folder in
    which the image starts.
    """
    owner_unknown = files["maybe_of"].notna()
    table_ = files.assign(
        group=pd.Series(pd.NA, files.index, dtype="str"),
        component=pd.Series(pd.NA, files.index, dtype="str"),
    )
    paths_ = table_["path"]
    packages = table_["package"].dropna().unique()
    left = pd.Series(True, index=table_.index)
    for line in table():
        if line.matches == "package":
            matching = [package for package in packages if line.pattern.match(package)]
            fitting = table_["package"].isin(matching)
        else:
            fitting = paths_.str.match(line.pattern)
        chosen = left & fitting
        table_.loc[chosen, ["group", "component"]] = line.group, line.component
        left &= ~fitting
    owned = left & table_["package"].notna()
    table_.loc[owned, "group"] = OS
    table_.loc[owned, "component"] = table_.loc[owned, "package"]
    app = left & ~owned & _is_app(table_, layers, images, owner_unknown)
    table_.loc[app, "group"] = APP
    table_.loc[app, "component"] = _part_of_app(table_[app])
    rest = left & ~owned & ~app
    table_.loc[rest, "group"] = owner_unknown[rest].map({True: OWNER_UNKNOWN, False: UNOWNED})
    table_.loc[rest, "component"] = paths_[rest].str.split("/").str[:2].str.join("/")
    return table_.assign(what=_what(table_))


def sizes(grouped_files: pd.DataFrame, layers: pd.DataFrame) -> pd.DataFrame:
    """Return the bytes of each part of each group of each image, which add up to its unpacked size.

    `variant, group, component, size_bytes, files, what`; `what` names its largest contents. Only
    parts with bytes are listed, and only images whose files are known. Raises `StudyInvalid` for
    files and layers that are not of one image.
    """
    files = grouped_files[grouped_files["size_bytes"].gt(0)]
    keys = ["variant", "group", "component"]
    by_part = files.groupby(keys, sort=False)
    parts = by_part.agg(size_bytes=("size_bytes", "sum"), files=("path", "size")).reset_index()
    contents = files.groupby([*keys, "what"], sort=False)["size_bytes"].sum().reset_index()
    contents = contents.sort_values("size_bytes", ascending=False, kind="stable")
    what = contents.groupby(keys, sort=False)["what"]
    what = what.agg(lambda names: ", ".join(list(filter(None, names))[:_NAMED])).reset_index()
    parts = parts.merge(what, on=keys, validate="one_to_one")
    hidden = _hidden(grouped_files, layers)
    parts = pd.concat([parts, hidden[hidden["size_bytes"].gt(0)]], ignore_index=True)
    groups = pd.CategoricalDtype(list(GROUPS), ordered=True)
    parts = parts.astype({"group": groups, "size_bytes": "Int64", "files": "Int64"})
    parts = parts.sort_values(["group", "size_bytes"], ascending=[True, False], kind="stable")
    return _by_image(parts, grouped_files)


def by_group(parts: pd.DataFrame) -> pd.DataFrame:
    """Return the bytes of each group of each image: `variant, group, size_bytes`, with zeros.

    What has no known owner is a group only if there is some.
    """
    groups = [group for group in GROUPS if group != OWNER_UNKNOWN or parts["group"].eq(group).any()]
    sums = parts.groupby(["variant", "group"], sort=False, observed=True)["size_bytes"].sum()
    full = pd.MultiIndex.from_product(
        [list(dict.fromkeys(parts["variant"])), groups], names=["variant", "group"]
    )
    return sums.reindex(full, fill_value=0).reset_index()


def largest(grouped_files: pd.DataFrame, most: int = 10) -> pd.DataFrame:
    """Return each image's largest files: `variant, path, size_bytes, group, package, layer`.

    `package` is empty if there is none, and NA where that is not known.
    """
    columns = ["variant", "path", "size_bytes", "group", "package", "layer"]
    ordered = grouped_files.sort_values("size_bytes", ascending=False, kind="stable")
    first = _by_image(ordered.groupby("variant", sort=False).head(most), grouped_files)
    package = first["package"].fillna("").where(first["maybe_of"].isna())
    return first[columns].assign(package=package)


def _by_image(rows: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return rows with those of one image together, in the order that the images' files have."""
    places = {variant: at for at, variant in enumerate(files["variant"].unique())}
    place = rows["variant"].map(places)
    return rows.iloc[place.argsort(kind="stable")].reset_index(drop=True)


def answer(parts: pd.DataFrame) -> Answer:
    """Answer what the bytes of each image are, of `sizes`."""
    groups = by_group(parts)
    if groups.empty:
        lacks = package_files.no_files(groups)
        return Answer("size-by-group", text=paragraph(lacks), role=SLIDE, lacks=lacks)
    return Answer(
        "size-by-group",
        _title(parts),
        _text(parts),
        groups,
        stacked(groups, "group", GROUPS, "group", SIZE_NAMES[UNPACKED]),
        word(SIZE_NAMES[UNPACKED]),
        role=SLIDE,
        by_scanner=False,
        talks=(_talk(),),
    )


def parts_answer(parts: pd.DataFrame) -> Answer:
    """Answer what each group of bytes is made of, of `sizes`."""
    cells = [component_cell(component) for component in parts["component"]]
    shown = parts.assign(component=pd.Series(cells, parts.index, dtype=object))
    lacks = package_files.no_files(parts)
    return Answer("size-by-part", table=shown, searchable=True, shown=shown.head(300), lacks=lacks)


def largest_files_answer(grouped_files: pd.DataFrame) -> Answer:
    """Answer which files of each image are the largest."""
    lacks = package_files.no_files(grouped_files)
    return Answer("largest-files", table=largest(grouped_files), lacks=lacks)


def _title(parts: pd.DataFrame) -> str:
    """Return which group takes most of each image; of many, how many images a group leads in."""
    first = _first(parts)
    shares = [
        f"{escape.short(row.variant, 24)} {word(row.group)} {row.share:.0%}"
        for row in first.itertuples()
    ]
    whole = t("Most bytes: {images}", images=listed(shares).plain)
    if len(shares) == 1 or (is_whole(whole) and fits(whole)):
        return whole
    led: list[str] = []
    for group, rows in first.groupby("group", sort=False, observed=True):
        low, high = (f"{share:.0%}" for share in (rows["share"].min(), rows["share"].max()))
        range_ = high if low == high else t("{low} to {high}", low=low.removesuffix("%"), high=high)
        where = escape.short(rows["variant"].iloc[0], 24)
        if len(rows) > 1 or (led and not is_whole(where)):
            where = number(len(rows), "image")
        led.append(
            t("{group} in {images} ({range})", group=word(group), images=where, range=range_)
        )
    most = (led[:count] for count in range(len(led), 0, -1))
    return first_fitting(t("Most bytes: {images}", images=listed(some).plain) for some in most)


def _talk() -> Talk:
    spoken = (
        t("Each bar is an image, split by what its bytes are."),
        t("This shows where an image can become smaller, and nothing about vulnerabilities."),
    )
    return Talk(SIZE, spoken=spoken)


def _text(parts: pd.DataFrame) -> Text:
    """Return what an unknown owner means, if there is one."""
    if not parts["group"].eq(OWNER_UNKNOWN).any():
        return Text()
    return paragraph(
        t("Owner not known: some OS packages do not list their files, and these may be theirs.")
    )


def _first(parts: pd.DataFrame) -> pd.DataFrame:
    """Return the largest group of each image with its share, the largest image first."""
    sums = by_group(parts)
    whole = sums.groupby("variant")["size_bytes"].transform("sum")
    sums = sums.assign(whole=whole, share=(sums["size_bytes"] / whole).astype(float))
    ordered = sums.sort_values("size_bytes", ascending=False, kind="stable")
    return ordered.drop_duplicates("variant").sort_values("whole", ascending=False, kind="stable")


def _hidden(files: pd.DataFrame, layers: pd.DataFrame) -> pd.DataFrame:
    """Return the bytes that layers hold and no file shows, one row an image."""
    visible = files.groupby("variant", sort=False)["size_bytes"].sum()
    held = layers.groupby("variant", sort=False)["size_bytes"].sum().reindex(visible.index)
    for variant in held.index[held.lt(visible).fillna(False)]:
        raise StudyInvalid(
            f"{escape.plain(variant)}: its files hold more bytes than its layers, so they come "
            "from two images; capture it again with --fresh"
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
    files: pd.DataFrame, layers: pd.DataFrame, images: pd.DataFrame, owner_unknown: pd.Series
) -> pd.Series:
    """Return which files are on top of the base, or else what the image starts and is below the
    folder that it starts in.

    A file that may be a package's, since its owner is not known, has to be both.
    """
    brought = layers[["variant", "position", "from_base"]].rename(columns={"position": "layer"})
    placed = files[["variant", "layer"]].merge(
        brought, on=["variant", "layer"], how="left", validate="many_to_one"
    )
    from_base = placed["from_base"].set_axis(files.index)
    folders = images.drop_duplicates("variant").set_index("variant")["working_directory"]
    started = _started(images)
    at = pd.MultiIndex.from_frame(files[["variant", "path"]])
    below = pd.Series(at.isin(started), index=files.index)
    for variant, folder in folders.fillna("").items():
        if inside := folder.strip("/"):
            below |= files["variant"].eq(variant) & files["path"].str.startswith(f"{inside}/")
    return (~from_base).fillna(below).astype("bool") & (below | ~owner_unknown)


def _started(images: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the variants and the paths that their commands begin with."""
    commands = images.dropna(subset="command")[["variant", "command"]]
    return [
        (variant, command.split()[0].strip("'").lstrip("/"))
        for variant, command in commands.itertuples(index=False)
        if command.lstrip("'").startswith("/")
    ]


def _part_of_app(files: pd.DataFrame) -> pd.Series:
    """Return the part of the app that each of its files is of.

    Python packages are in a folder that describes one (`NAME.dist-info`), in folders of their own
    or compiled.
    """
    at = files["path"]
    parts = pd.Series(OWN, files.index, dtype="str").mask(at.str.contains(_JAR), JARS)
    described = at.str.extract(_DIST_INFO)[0].str.cat(files["variant"], sep="\n").dropna()
    for place in described.unique():
        folder, _, variant = place.partition("\n")
        rest = at.str.removeprefix(folder).where(at.str.startswith(folder))
        inside = rest.str.contains(_IN_SITE_PACKAGES).fillna(False) & files["variant"].eq(variant)
        parts = parts.mask(inside, PYPI)
    return parts.mask(at.str.contains("node_modules/", regex=False), NPM)


def _what(files: pd.DataFrame) -> pd.Series:
    """Return what a file is of: its OS package, its program with a version, or nothing."""
    what = files["package"].copy()
    versioned = what.isna() & files["version"].notna()
    tools = [known_programs.named(path) for path in files.loc[versioned, "path"]]
    what[versioned] = [
        f"{tool.name if tool else path.rpartition('/')[2]} {version}"
        for tool, path, version in zip(
            tools, files.loc[versioned, "path"], files.loc[versioned, "version"], strict=True
        )
    ]
    return what.fillna("")
