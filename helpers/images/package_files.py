"""Which package that the scanner knows a file belongs to: the operating system's, or the app's.

Where no list of a package's files is read, a file without an owner may be its: `files.maybe_of`.
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
"""What a Python package has beside its folder: compiled modules, and libraries of its wheel."""


def gaps(files: pd.DataFrame) -> dict[str, Message]:
    """Return the images in which it is not known of every file who owns it, and why.

    `files` are those of one capture's images.
    """
    open_ = files.dropna(subset="maybe_of").drop_duplicates("variant")
    owned = set(files["variant"][files["package"].notna()])
    return {
        row.variant: why_unknown(row.maybe_of, row.variant in owned) for row in open_.itertuples()
    }


def why_unknown(maybe_of: str, some_are_known: bool) -> Message:
    """Return why it is not known whose files of an image are that have no package.

    `maybe_of` is as in the frame `files`. If some files have an owner, it names packages.
    """
    if some_are_known:
        return Message(
            "Trivy lists no files of some packages, of other vendors or for two architectures "
            "({names})",
            names=maybe_of,
        )
    if maybe_of == "RPM":
        return Message(
            "no report of Trivy lists the files of its RPM packages; Trivy 0.47 and later do, with "
            "`--list-all-pkgs`, for systems that it has advisories of"
        )
    return Message("no list of files in {manager}'s database is read", manager=maybe_of)


def known(files: pd.DataFrame, packages: pd.DataFrame) -> pd.DataFrame:
    """Return for each file the package that the scanner lists and that brought it.

    `package, place`, with the index of `files`; NA: none, or perhaps that of `maybe_of`. An OS
    package owns what its database says, if the scanner lists it, or lists no packages at all; its
    place is NA. A language package owns its folder, or the one program that it was compiled into;
    of several in a program it is the first.
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
    """Return `packages` with the bytes of each one's files; NA where these are not known.

    Packages of one name and place, such as one for two architectures, each have the bytes of all;
    of packages that were compiled into one program the first has its bytes, the others NA.
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
    # A package for two architectures is listed twice, each time with the bytes of both.
    once = packages.drop_duplicates(["variant", "package", "version", "package_path"])
    sizes = sized(once, files)
    columns = ["variant", "package", "version", "purl", "place", "size_bytes"]
    shown = sizes[sizes["size_bytes"].gt(0).fillna(False)][columns]
    return shown.sort_values("size_bytes", ascending=False, kind="stable", ignore_index=True)


def largest_answer(packages: pd.DataFrame, files: pd.DataFrame, images: pd.DataFrame) -> Answer:
    """Answer which packages are the largest, and of which images that is not known."""
    table, text = largest(packages, files), _gaps(files, images)
    lacks = no_files(files)
    return Answer(
        "largest-packages", "", text, table, searchable=True, shown=table.head(100), lacks=lacks
    )


def no_files(files: pd.DataFrame) -> str:
    """Return why an answer about files, or their table, lacks evidence; empty if it does not."""
    return t("The files of no image are known here.") if files.empty else ""


def _gaps(files: pd.DataFrame, images: pd.DataFrame) -> Text:
    """Return in which images it is not known how large packages are, and why."""
    reasons = gaps(files)
    have_files = set(files["variant"])
    lines = []
    for variant in images["variant"].drop_duplicates():
        if variant not in have_files:
            lines.append(say("{variant}: its files are not known", variant=name(variant)))
        elif why := reasons.get(variant):
            line = say(
                "{variant}: not every OS package has a size, because {why}",
                variant=name(variant),
                why=told(why),
            )
            lines.append(line)
    if not lines:
        return paragraph(
            t("A package is as large as its files; packages without files are not listed.")
        )
    return paragraph(t("In these images not every package has a size:")) + bullets(lines)


def folder(package: object, path: object) -> str:
    """Return where a package's files are, as `known` names it; empty for an OS package."""
    if not isinstance(package, str) or not isinstance(path, str):
        return ""
    return next(_is_at(package, path))


def _of_os(packages: pd.DataFrame) -> pd.Series:
    return packages["package_class"].eq(OS_CLASS).fillna(False).astype("bool")


def _places(packages: pd.DataFrame) -> dict[str, str]:
    """Return language packages by the folder or the program that each is."""
    located = packages.dropna(subset=["package", "package_path"])
    places: dict[str, str] = {}
    for package, path in zip(located["package"], located["package_path"], strict=True):
        for place in _is_at(package, path):
            places.setdefault(place, package)
    return places


def _is_at(package: str, path: str) -> Iterator[str]:
    """Yield where the files of a language package are, by the file that describes it."""
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
    """Return the innermost of the places that a path is in, or is itself."""
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
