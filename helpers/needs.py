"""What of an image its app's own process needs: the programs it is, and what these load.

Told from files alone, without running anything, so what a process opens later is not seen.
"""

import shlex
from collections.abc import Iterator
from typing import Any

import pandas as pd

from helpers import groups, linking, ownership, toolbox, tools

NEEDED, DATA, APP, COULD_GO, UNSEEN = (
    "loaded by the app",
    "no programs in it",
    "the app's own",
    "not loaded by the app",
    "not known",
)
"""What of an image's packages the app's process needs, as far as can be seen without running it."""

_FOLDERS = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")
"""Where a command without a path is looked for, in this order: the usual PATH."""

_NOT_THE_APP = (toolbox.SHELL, toolbox.OS_INSTALLER, toolbox.APP_INSTALLER)


def roots(grouped: pd.DataFrame, image: Any) -> list[str]:
    """Return the programs that the app of one image is: what its command starts, and its add-ons.

    `grouped` are the files of that image. Shells and installers of packages are passed over: a
    slimmer image would start the app without them. Where the command names no other program, it is
    the runtime's. Empty if that is not there either.
    """
    there = linking.image(grouped)
    is_elf = grouped["elf"].isin(["executable", "static"])
    programs = set(grouped["path"][is_elf])
    started = [_program(word, image, there) for word in _words(image)]
    app = [path for path in started if path in programs and not _is_helper(str(path))]
    if not app:
        own = tools.found(grouped)
        own = own[own["kind"].eq(toolbox.INTERPRETER) & own["path"].isin(programs)]
        told = own["tool"] + " " + own["version"].fillna("")
        app = list(own[told.eq(str(image.runtime))]["path"])
    addons = grouped["group"].eq(groups.APP) & grouped["elf"].isin(["shared", "executable"])
    return [*dict.fromkeys([*app, *grouped["path"][addons]])] if app else []


def needs(grouped: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> pd.DataFrame:
    """Return what each package installed, and whether the app's process loads any of it.

    `variant, package, package_path, place, executables, libraries, need`, a row a package that the
    scanner lists; numbers are of ELF files and NA, and `need` not known, where files are not.
    """
    owners = ownership.known(grouped, packages)
    owned = grouped.assign(package=owners["package"], at=owners["place"].fillna(""))
    rows: list[tuple[Any, ...]] = []
    for image in images.drop_duplicates("variant").itertuples():
        own = owned[owned["variant"].eq(image.variant)]
        start = roots(grouped[grouped["variant"].eq(image.variant)], image) if len(own) else []
        loaded = linking.closure(own, start) if start else frozenset()
        by_package = _by_package(own, loaded)
        for package in packages[packages["variant"].eq(image.variant)].itertuples():
            at = ownership.folder(package.package, package.package_path)
            runs, shared, any_runs, is_loaded = by_package.get(
                (package.package, at), (0, 0, False, False)
            )
            need = _need(package, any_runs, is_loaded) if start else UNSEEN
            known = (runs, shared) if len(own) else (pd.NA, pd.NA)
            path = package.package_path
            rows.append((image.variant, package.package, path, package.place, *known, need))
    columns = ["variant", "package", "package_path", "place", "executables", "libraries", "need"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(
        {**dict.fromkeys(columns, "str"), "executables": "Int64", "libraries": "Int64"}
    )


def _by_package(
    own: pd.DataFrame, loaded: frozenset[str]
) -> dict[tuple[str, str], tuple[int, int, bool, bool]]:
    """Return each package's executables and libraries, whether any of it runs, and is loaded."""
    regular = own[own["kind"].eq("file") & own["package"].notna()]
    is_program = regular["elf"].isin(["executable", "static"])
    is_library = regular["elf"].eq("shared").fillna(False)
    told = pd.DataFrame(
        {
            "package": regular["package"],
            "at": regular["at"],
            "runs": is_program,
            "shared": is_library,
            "any": is_program | is_library | regular["executable"],
            "loaded": regular["path"].isin(loaded),
        }
    )
    sums = told.groupby(["package", "at"]).agg(
        {"runs": "sum", "shared": "sum", "any": "any", "loaded": "any"}
    )
    return {key: (int(r), int(s), bool(a), bool(n)) for key, r, s, a, n in sums.itertuples()}


def _need(package: Any, runs: bool, loaded: bool) -> str:
    """Return whether the app's process needs a package, as far as can be seen."""
    if package.place == "app":
        return APP
    if loaded:
        return NEEDED
    return COULD_GO if runs or package.place == "tools" else DATA


def _words(image: Any) -> Iterator[str]:
    """Yield the words of what an image starts; those of a shell's script too."""
    if not isinstance(image.command, str):
        return
    try:
        words = shlex.split(image.command)
    except ValueError:
        return
    for word in words:
        yield from word.split()


def _program(word: str, image: Any, there: linking.Image) -> str | None:
    """Return the file that a word of a command starts, if it names one."""
    folder = image.working_directory if isinstance(image.working_directory, str) else ""
    if word.startswith("/"):
        return there.real(word)
    if "/" in word:
        return there.real(f"{folder}/{word}")
    return next((real for at in _FOLDERS if (real := there.real(f"{at}/{word}"))), None)


def _is_helper(path: str) -> bool:
    tool = toolbox.named(path)
    return tool is not None and tool.kind in _NOT_THE_APP
