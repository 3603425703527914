"""Which package that the scanner knows a file belongs to: the operating system's, or the app's."""

from collections.abc import Iterator

import pandas as pd

OS_CLASS = "os-pkgs"

_FOLDER_OF = ("package.json",)
"""Files that describe the package whose folder they are in."""

_BESIDE = (".dist-info", ".egg-info")
"""Folders that describe a package that is in the folder beside them, under its name."""


def known_owners(files: pd.DataFrame, packages: pd.DataFrame) -> pd.Series:
    """Return for each file the package that the scanner lists and that brought it; NA: none.

    An OS package owns what its database says, if the scanner lists it or lists no OS packages. A
    language package owns its folder, or the one program that it was compiled into.
    """
    owned = pd.Series(pd.NA, index=files.index, dtype="str")
    for variant, own in files.groupby("variant", sort=False):
        listed = packages[packages["variant"].eq(variant)]
        of_os = listed[listed["package_class"].eq(OS_CLASS)]["package"]
        by_os = own["package"].where(own["package"].isin(of_os)) if len(of_os) else own["package"]
        places = _places(listed[listed["package_class"].ne(OS_CLASS)])
        rest = own[by_os.isna()] if places else own.iloc[:0]
        found = pd.Series([_found(p, places) for p in rest["path"]], rest.index, dtype="str")
        owned.loc[own.index] = by_os.fillna(found.reindex(own.index))
    return owned


def weighed(packages: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return `packages` with the bytes of each one's files; NA where the files are not known."""
    owners = known_owners(files, packages)
    keys = ["variant", "package"]
    sums = files.assign(package=owners).groupby(keys)["size_bytes"].sum()
    sizes = sums.reindex(pd.MultiIndex.from_frame(packages[keys])).fillna(0).array
    known = packages["variant"].isin(files["variant"])
    return packages.assign(size_bytes=pd.Series(sizes, packages.index).astype("Int64").where(known))


def _places(packages: pd.DataFrame) -> dict[str, str]:
    """Return language packages by the folder or the program that they are."""
    told = packages.dropna(subset=["package", "package_path"])
    return {
        place: package
        for package, path in zip(told["package"], told["package_path"], strict=True)
        for place in _is_at(package, path.lstrip("/"))
    }


def _is_at(package: str, path: str) -> Iterator[str]:
    folder, _, name = path.rpartition("/")
    if name in _FOLDER_OF:
        yield folder
    elif folder.endswith(_BESIDE):
        yield folder
        above = folder.rpartition("/")[0]
        yield f"{above}/{package.replace('-', '_')}"
        yield f"{above}/{package.lower().replace('-', '_')}"
    else:
        yield path


def _found(path: str, places: dict[str, str]) -> str | None:
    """Return the package of the innermost folder that is one, or of the path itself."""
    at = path
    while at:
        if at in places:
            return places[at]
        at = at.rpartition("/")[0]
    return None
