"""What of an image its app's own process needs: the programs it is, and what these are linked with.

Only files are read and nothing is run, so what a process opens later is not seen.
"""

import shlex
from collections.abc import Collection, Sequence
from posixpath import basename
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.images import known_programs, package_files
from helpers.sizes import file_groups
from helpers.surface import dynamic_linking, tools
from helpers.surface.dynamic_linking import Image
from helpers.text.i18n import msg

FOLDERS = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")
"""Where a command without a path is looked for, in this order: the usual PATH."""

LAUNCHERS = frozenset(
    {"catatonit", "dumb-init", "env", "exec", "gosu", "nice", "setpriv", "su-exec", "tini"}
)
"""Words that start the program which comes after them."""

SERVERS = frozenset(
    {"celery", "daphne", "django-admin", "fastapi", "flask", "gunicorn", "hypercorn", "next"}
    | {"pm2-runtime", "streamlit", "uvicorn", "waitress-serve", "catalina.sh"}
)
"""Scripts of an app's packages that serve it, and so start the runtime."""

_COMPOUND = frozenset(";&|$`()<>\n")
"""Characters by which a line for a shell is more than one command."""


NEEDED, DATA, APP, COULD_GO, UNSEEN = (
    msg("linked by the app"),
    msg("no program in it"),
    msg("the app's own"),
    msg("not linked by the app"),
    msg("not known"),
)
"""What of an image's packages the app's process needs, as far as can be seen without running it."""


class Programs(NamedTuple):
    """The files of an image that can be started: ELF programs, and all of them, scripts too."""

    names: Image
    elf: Collection[str]
    runs: Collection[str]


def program(command: str, folder: str, programs: Programs, runtime: Sequence[str]) -> list[str]:
    """Return the program that a command starts in the end; empty if that is not known.

    Launchers, shells and a script of an entrypoint, which by custom starts its arguments, are
    passed over; an installer of an app's packages (`npm start`) and a server of it (`gunicorn app`)
    start the `runtime`. Not known are a line for a shell that is more than one command, a program
    that is not where a PATH usually looks nor the only one of its name, and a script without
    arguments.
    """
    try:
        ahead = shlex.split(command)[::-1]
        while ahead:
            word = ahead.pop()
            if word.startswith("-") or "=" in word or word == "exec":
                continue
            path = _find(word, folder, programs.names)
            if path not in programs.runs:
                return []
            tool = known_programs.named(word)
            kind = tool.kind if tool else ""
            if path not in programs.elf:
                if kind == known_programs.APP_INSTALLER or basename(word) in SERVERS:
                    return list(runtime)
            elif kind == known_programs.SHELL:
                if ahead and ahead[-1] == "-c":
                    line = ahead[-2] if len(ahead) > 1 else ""
                    ahead = [] if _COMPOUND & set(line) else shlex.split(line)[::-1]
            elif basename(word) not in LAUNCHERS:
                return [str(path)]
    except ValueError:  # an unclosed quotation
        return []
    return []


def _find(word: str, folder: str, names: Image) -> str | None:
    """Return the file that a word of a command names, if there is one."""
    if word.startswith("/"):
        return names.real(word)
    if "/" in word:
        return names.real(f"{folder}/{word}")
    usual = next((real for at in FOLDERS if (real := names.real(f"{at}/{word}"))), None)
    if usual:
        return usual
    # What a PATH holds is not recorded. Java and virtual environments have folders of their own.
    paths = [path for path in (*names.paths, *names.links) if path.endswith(f"/bin/{word}")]
    found = {real for path in paths if (real := names.real(path))}
    return found.pop() if len(found) == 1 else None


def roots(grouped: pd.DataFrame, image: Any) -> list[str]:
    """Return the ELF files that the app of one image begins with; empty if that is not known.

    `grouped` are the files of that image. They are the program that its command starts, the app's
    own add-ons, and the runtime's own libraries and modules, which it opens by itself.
    """
    is_elf = grouped["elf"].isin(["executable", "static"])
    elf = frozenset(grouped["path"][is_elf])
    programs = Programs(
        dynamic_linking.image(grouped), elf, frozenset(grouped["path"][grouped["executable"]])
    )
    found = tools.found(grouped)
    found = found[found["kind"].eq(known_programs.INTERPRETER) & found["path"].isin(elf)]
    product, _, version = str(image.runtime).partition(" ")
    # A program may be only the start of a library that has the version.
    is_runtime = found["tool"].eq(product) & found["version"].fillna(version).eq(version)
    command = image.command if isinstance(image.command, str) else ""
    folder = image.working_directory if isinstance(image.working_directory, str) else ""
    app = program(command, folder, programs, list(found["path"][is_runtime])[:1])
    of_app = grouped["group"].eq(file_groups.APP) & grouped["elf"].isin(["shared", "executable"])
    of_runtime = grouped["group"].eq(file_groups.RUNTIME) & grouped["elf"].eq("shared")
    more = grouped["path"][(of_app | of_runtime).astype("bool")]
    return [*dict.fromkeys([*app, *more])] if app else []


def needs(grouped: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> pd.DataFrame:
    """Return what each package installed, and whether the app is linked with any of it.

    `variant, package, package_path, place, executables, libraries, need`, a row a package that the
    scanner lists; numbers are of ELF files. Where an image's files are not known, and for OS
    packages of which none is where some are not (`package_files.gaps`), numbers are NA and `need`
    is not known.
    """
    owners = package_files.known(grouped, packages)
    owned = grouped.assign(package=owners["package"], at=owners["place"].fillna(""))
    images = images.drop_duplicates("variant")
    begun, loaded = set(), set()
    for image in images.itertuples():
        files = owned[owned["variant"].eq(image.variant)]
        if len(files) and (start := roots(files, image)):
            begun.add(image.variant)
            loaded |= {(image.variant, path) for path in dynamic_linking.closure(files, start)}
    order = {variant: place for place, variant in enumerate(images["variant"])}
    at = [package_files.folder(row.package, row.package_path) for row in packages.itertuples()]
    table = packages.assign(at=pd.Series(at, index=packages.index, dtype="str"))
    table = table[table["variant"].isin(order)].sort_values(
        "variant", key=lambda column: column.map(order), kind="stable"
    )
    table = table.merge(_contents(owned, loaded), how="left", on=["variant", "package", "at"])
    keys = ["variant", "package"]
    has_files = pd.MultiIndex.from_frame(table[keys]).isin(pd.MultiIndex.from_frame(owned[keys]))
    in_doubt = table["package_class"].eq(package_files.OS_CLASS) & ~has_files
    in_doubt &= table["variant"].isin(package_files.gaps(grouped))
    numbers = ["executables", "libraries"]
    is_known = table["variant"].isin(owned["variant"]) & ~in_doubt
    counts = table[numbers].astype("Int64").fillna(0).where(is_known)
    runs, is_loaded = (table[name].fillna(False).astype("bool") for name in ("runs", "loaded"))
    needs_ = {
        UNSEEN: in_doubt | ~table["variant"].isin(begun),
        APP: table["place"].eq("app"),
        NEEDED: is_loaded,
        COULD_GO: runs | table["place"].eq("tools"),
    }
    need = np.select([*needs_.values()], [*needs_], DATA)
    texts = ["variant", "package", "package_path", "place"]
    return table[texts].astype("str").join(counts).assign(need=pd.Series(need, dtype="str"))


def _contents(owned: pd.DataFrame, loaded: set[tuple[str, str]]) -> pd.DataFrame:
    """Return each package's executables and libraries, whether any of it runs, and is loaded."""
    regular = owned[owned["kind"].eq("file") & owned["package"].notna()]
    is_program = regular["elf"].isin(["executable", "static"])
    is_library = regular["elf"].isin(["shared"])
    paths = zip(regular["variant"], regular["path"], strict=True)
    contents = regular[["variant", "package", "at"]].assign(
        executables=is_program,
        libraries=is_library,
        runs=is_program | is_library | regular["executable"],
        loaded=[path in loaded for path in paths],
    )
    sums = contents.groupby(["variant", "package", "at"], as_index=False)
    return sums.agg({"executables": "sum", "libraries": "sum", "runs": "any", "loaded": "any"})
