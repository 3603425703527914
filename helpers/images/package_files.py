"""Match files to the packages that the scanner lists: of the operating system or the app.

If a package's file list was not read, files without an owner may belong to it: `files.maybe_of`.
"""

import re
from collections.abc import Iterator

import pandas as pd

from helpers.answers.answer import Answer
from helpers.text.i18n import Message, t, told
from helpers.text.rich import Text, bullets, name, paragraph, say

OS_CLASS = "os-pkgs"

_DESCRIBES_ITS_FOLDER = ("package.json",)
_DESCRIBES_ITS_NEIGHBOUR = (".dist-info", ".egg-info")

_BESIDE = re.compile(r"_?([A-Za-z0-9]+)\w*\.(?:cpython-\d.*|abi3)\.so$|(\w+)\.libs$")
"""Files beside a Python package's folder: compiled modules, and libraries of its wheel."""


def gaps(files: pd.DataFrame) -> dict[str, Message]:
    """Return the images with files whose owner is unknown, and why.

    `files` are those of one capture's images.
    """
    open_ = files.dropna(subset="maybe_of").drop_duplicates("variant")
    owned = set(files["variant"][files["package"].notna()])
    return {
        row.variant: why_unknown(row.maybe_of, row.variant in owned) for row in open_.itertuples()
    }


def why_unknown(maybe_of: str, some_are_known: bool) -> Message:
    """Return why the owner of an image's files without a package is unknown.

    `maybe_of` is as in the frame `files`; if some files have an owner, it names packages.
    """
    if some_are_known:
        return Message("Trivy does not list the files of some packages ({names})", names=maybe_of)
    if maybe_of == "RPM":
        return Message(
            "its report does not list the files of RPM packages; Trivy 0.47 or later does, with "
            "`--list-all-pkgs`"
        )
    return Message("the kit does not read {manager}'s file lists", manager=maybe_of)


def known(files: pd.DataFrame, packages: pd.DataFrame) -> pd.DataFrame:
    """Return for each file the package that installed it, if the scanner lists that package.

    `package, place`, with the index of `files`; NA: none, or perhaps that of `maybe_of`. An OS
    package owns the files in its database, if the scanner lists it, or lists no packages at all;
    its place is NA. A language package owns its folder, or the program that it was compiled into;
    the first of several packages owns the program.
    """
    parts = []
    for variant, files_of_image in files.groupby("variant", sort=False):
        owners = files_of_image["package"]
        listed = packages[packages["variant"].eq(variant)]
        is_os = _of_os(listed)
        by_os = owners.where(owners.isin(listed[is_os]["package"])) if len(listed) else owners
        places = _places(listed[~is_os])
        rest = files_of_image[by_os.isna()] if places else files_of_image.iloc[:0]
        at = pd.Series([_within(path, places) for path in rest["path"]], rest.index, dtype="str")
        at = at.reindex(files_of_image.index)
        parts.append(
            pd.DataFrame({"package": by_os.fillna(at.map(places).astype("str")), "place": at})
        )
    if not parts:
        return pd.DataFrame({"package": [], "place": []}, dtype="str")
    return pd.concat(parts).reindex(files.index)


def sized(packages: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return `packages` with the bytes of their files; NA if unknown.

    Packages with the same name and place, as for two architectures, each have the bytes of all. Of
    packages compiled into one program the first has its bytes, the others NA.
    """
    keys = ["variant", "package", "place"]
    owners = known(files, packages).assign(variant=files["variant"], size_bytes=files["size_bytes"])
    owners = owners.assign(place=owners["place"].fillna("")).dropna(subset="package")
    at = zip(packages["package"], packages["package_path"], strict=True)
    wanted = packages[keys[:2]].assign(place=[folder(*package) for package in at])
    sums = owners.groupby(keys)["size_bytes"].sum().reindex(pd.MultiIndex.from_frame(wanted))
    sizes = pd.Series(sums.fillna(0).astype("Int64").array, packages.index)
    first = owners.drop_duplicates(["variant", "place"]).set_index(["variant", "place"])["package"]
    first = first.reindex(pd.MultiIndex.from_frame(wanted[["variant", "place"]]))
    has_files = packages["variant"].isin(files["variant"].unique())
    is_first = first.isna() | first.eq(wanted["package"].array)
    has_files &= wanted["place"].eq("") | is_first.array
    has_files &= ~(_of_os(packages) & packages["variant"].isin(gaps(files)) & sizes.eq(0))
    return packages.assign(size_bytes=sizes.where(has_files))


def largest(packages: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return the packages with bytes, the largest first.

    `variant, package, version, purl, place, size_bytes`, of packages whose files are known.
    """
    # A package for two architectures is listed twice, with the bytes of both.
    once = packages.drop_duplicates(["variant", "package", "version", "package_path"])
    sizes = sized(once, files)
    columns = ["variant", "package", "version", "purl", "place", "size_bytes"]
    shown = sizes[sizes["size_bytes"].gt(0).fillna(False)][columns]
    return shown.sort_values("size_bytes", ascending=False, kind="stable", ignore_index=True)


def largest_answer(packages: pd.DataFrame, files: pd.DataFrame, images: pd.DataFrame) -> Answer:
    """Answer which packages are the largest, and in which images sizes are unknown."""
    table, text = largest(packages, files), _gaps(files, images)
    lacks = no_files(files)
    return Answer(
        "largest-packages", "", text, table, searchable=True, shown=table.head(100), lacks=lacks
    )


def no_files(files: pd.DataFrame) -> str:
    """Return why an answer about files lacks evidence; empty if it does not."""
    return t("No files of any image were read.") if files.empty else ""


def _gaps(files: pd.DataFrame, images: pd.DataFrame) -> Text:
    """Return the images with packages whose size is unknown, and why."""
    reasons = gaps(files) | {
        variant: t("its files were not read")
        for variant in images["variant"].drop_duplicates()
        if variant not in set(files["variant"])
    }
    lines = [
        say("{variant}: {why}", variant=name(variant), why=told(reasons[variant]))
        for variant in images["variant"].drop_duplicates()
        if variant in reasons
    ]
    if not lines:
        return Text()
    return paragraph(t("The sizes of some packages are unknown:")) + bullets(lines)


def folder(package: object, path: object) -> str:
    """Return the place of a package's files, as in `known`; empty for an OS package."""
    if not isinstance(package, str) or not isinstance(path, str):
        return ""
    return next(_is_at(package, path))


def _of_os(packages: pd.DataFrame) -> pd.Series:
    return packages["package_class"].eq(OS_CLASS).fillna(False).astype("bool")


def _places(packages: pd.DataFrame) -> dict[str, str]:
    """Return language packages by their folder or program."""
    located = packages.dropna(subset=["package", "package_path"])
    places: dict[str, str] = {}
    for package, path in zip(located["package"], located["package_path"], strict=True):
        for place in _is_at(package, path):
            places.setdefault(place, package)
    return places


def _is_at(package: str, path: str) -> Iterator[str]:
    """Yield the places of a language package's files, from its description file."""
    path = path.lstrip("/")
    folder, _, name = path.rpartition("/")
    if name in _DESCRIBES_ITS_FOLDER:
        yield folder
    elif folder.endswith(_DESCRIBES_ITS_NEIGHBOUR):
        above = folder.rpartition("/")[0]
        yield f"{above}/{package.replace('-', '_').lower()}"
        yield folder
    else:
        yield path


def _within(path: str, places: dict[str, str]) -> str | None:
    """Return the innermost place that contains or is a path."""
    at = path
    while at:
        if at in places:
            return at
        folder, _, name = at.rpartition("/")
        if (beside := _BESIDE.match(name)) and (
            of := f"{folder}/{(beside[1] or beside[2]).lower()}"
        ) in places:
            return of
        at = folder
    return None
