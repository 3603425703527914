"""Which package that the scanner knows a file belongs to: the operating system's, or the app's.

Where the list of files of an image's package manager is not read, the former is not known.
"""

from collections.abc import Iterator

import pandas as pd

from helpers.images import package_db
from helpers.text.i18n import msg, t
from helpers.text.markdown import name

OS_CLASS = "os-pkgs"

UNREAD = msg("no list of files in {manager}'s database is read")
"""Why it is not known who owns the files of an image."""

_DESCRIBES_ITS_FOLDER = ("package.json",)
_DESCRIBES_ITS_NEIGHBOUR = (".dist-info", ".egg-info")


def unread(files: pd.DataFrame) -> dict[str, str]:
    """Return the images in which which OS package a file is of is not known, each with the reason.

    That is the package manager whose database is there and of which no list of files is read; no
    file of such an image has a package. `files` are all files of one capture's images.
    """
    told = {}
    for variant, own in files.groupby("variant", sort=False):
        if own["package"].isna().all():
            told[str(variant)] = package_db.unread(own["path"][own["kind"].ne("dir")])
    return {variant: manager for variant, manager in told.items() if manager}


def known(files: pd.DataFrame, packages: pd.DataFrame) -> pd.DataFrame:
    """Return for each file the package that the scanner lists and that brought it.

    `package, place`, with the index of `files`; NA: none, or, in the images that `unread` names,
    none but an OS package perhaps. An OS package owns what its database
    says, if the scanner lists it, or lists no packages at all; its place is NA. A language
    package owns its folder, or the one program that it was compiled into.
    """
    parts = []
    for variant, own in files.groupby("variant", sort=False):
        listed = packages[packages["variant"].eq(variant)]
        is_os = _of_os(listed)
        names = listed[is_os]["package"]
        by_os = own["package"].where(own["package"].isin(names)) if len(listed) else own["package"]
        places = _places(listed[~is_os])
        rest = own[by_os.isna()] if places else own.iloc[:0]
        at = pd.Series([_within(path, places) for path in rest["path"]], rest.index, dtype="str")
        at = at.reindex(own.index)
        parts.append(
            pd.DataFrame({"package": by_os.fillna(at.map(places).astype("str")), "place": at})
        )
    if not parts:
        return pd.DataFrame({"package": [], "place": []}, dtype="str")
    return pd.concat(parts).reindex(files.index)


def weighed(packages: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return `packages` with the bytes of each one's files; NA where these are not known."""
    told = known(files, packages)
    whose = pd.DataFrame(
        {
            "variant": files["variant"],
            "package": told["package"],
            "place": told["place"].fillna(""),
            "size_bytes": files["size_bytes"],
        }
    )
    sums = whose.dropna(subset="package").groupby(["variant", "package", "place"])["size_bytes"]
    at = zip(packages["package"], packages["package_path"], strict=True)
    keys = packages[["variant", "package"]].assign(place=[folder(*told) for told in at])
    found = sums.sum().reindex(pd.MultiIndex.from_frame(keys)).fillna(0).astype("Int64").array
    has_files = packages["variant"].isin(files["variant"].unique())
    has_files &= ~(_of_os(packages) & packages["variant"].isin(unread(files)))
    return packages.assign(size_bytes=pd.Series(found, packages.index).where(has_files))


def largest(packages: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return the packages with bytes, the largest first.

    `variant, package, version, place, size_bytes`, of packages whose files are known.
    """
    of = weighed(packages, files)
    shown = of[of["size_bytes"].gt(0).fillna(False)]
    columns = ["variant", "package", "version", "place", "size_bytes"]
    return shown.sort_values("size_bytes", ascending=False, kind="stable")[columns].reset_index(
        drop=True
    )


def sentence(files: pd.DataFrame, images: pd.DataFrame) -> str:
    """Return of which images it is not known what packages weigh, and why, as a list."""
    managers = unread(files)
    there = set(files["variant"])
    lines = []
    for variant in images["variant"].drop_duplicates():
        if variant not in there:
            lines.append(t("- {variant}: its files are not known", variant=name(variant)))
        elif manager := managers.get(variant):
            told = t(
                "- {variant}: which of its files are an OS package's is not known, for no list of "
                "files in {manager}'s database is read, so neither is what these packages weigh",
                variant=name(variant),
                manager=manager,
            )
            lines.append(told)
    if not lines:
        return t("Each package weighs what its files do; what has no file there is not listed.")
    return "\n".join([t("Of these images not all packages have a weight:"), "", *lines])


def folder(package: object, path: object) -> str:
    """Return where a package's files are, as `known` names it; empty for an OS package."""
    if not isinstance(package, str) or not isinstance(path, str):
        return ""
    return next(_is_at(package, path))


def _of_os(packages: pd.DataFrame) -> pd.Series:
    return packages["package_class"].eq(OS_CLASS).fillna(False).astype("bool")


def _places(packages: pd.DataFrame) -> dict[str, str]:
    """Return language packages by the folder or the program that each is."""
    told = packages.dropna(subset=["package", "package_path"])
    return {
        place: package
        for package, path in zip(told["package"], told["package_path"], strict=True)
        for place in _is_at(package, path)
    }


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
        at = at.rpartition("/")[0]
    return None
