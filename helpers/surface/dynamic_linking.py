"""What the programs of an image are linked with: their C library, and what is missing.

ELF files name their loader by path and their libraries by name, so nothing is run. The folders that
a loader searches are ignored: a library that is nowhere cannot be found anyway.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from helpers.answers.answer import Answer
from helpers.images.package_db import real_path
from helpers.images.package_files import no_files
from helpers.text.i18n import msg, t
from helpers.text.rich import Text, paragraph

MUSL, GLIBC, OTHER, STATIC = "musl", "glibc", msg("other"), msg("static")

NO_LOADER = msg("its loader is missing, so it cannot start")
NO_LIBRARY = msg("a library is missing, so it cannot be loaded")
OTHER_LIBC = msg("built for another C library, so it may fail")

_LOADERS = {MUSL: re.compile(r"ld-musl-"), GLIBC: re.compile(r"ld-linux|ld64\.so|/ld\.so\.1$")}

_LIBC = {
    MUSL: re.compile(r"libc\.musl-|libc\.so$|ld-musl-"),
    GLIBC: re.compile(r"libc\.so\.6$|ld-linux"),
}
"""Names by which an ELF file asks for a C library."""

_MUSL_IS = re.compile(r"lib(c|pthread|rt|m|dl|util|xnet)\.(?P<rest>.*)")
"""Libraries that musl's loader takes itself for, whatever comes after the name: `ldso/dynlink.c`,
load_library, https://git.musl-libc.org/cgit/musl/tree/ldso/dynlink.c. With nothing but `so` after
it, it is musl's own name; with a version, glibc's."""


_PROCESSOR = re.compile(
    r"x86[-_]64|aarch64|armhf|armv7|i386|i686|riscv64|s390x|p(?:ower)?pc64(?:le)?|loongarch64"
)
"""Processors as loaders are named after them: what is for another one is not for this image."""


class Image(NamedTuple):
    """The names in an image by which files find each other: paths, and names of ELF files."""

    paths: frozenset[str]
    names: frozenset[str]
    links: dict[str, str]

    def has(self, path: str) -> bool:
        """Return whether a path leads to a file, through whatever links, inside of the image."""
        return self.real(path) is not None

    def real(self, path: str) -> str | None:
        """Return the file that a path leads to, or `None` if there is none."""
        found = real_path(path, self.links.get)
        return found if found in self.paths else None


def image(files: pd.DataFrame) -> Image:
    """Return the names of the files of one variant."""
    is_file = files["kind"].isin(["file", "hardlink"])
    is_elf = is_file & files["elf"].notna()
    links = files[files["kind"].eq("symlink")].dropna(subset="target")
    paths = frozenset(files["path"][is_file])
    targets = dict(zip(links["path"], links["target"], strict=True))
    libraries = frozenset(files["path"][is_elf])
    unnamed = Image(paths, frozenset(), targets)
    # A link that leads nowhere is no library, and neither is a script for the linker.
    linked = {path for path in targets if ".so" in path and unnamed.real(path) in libraries}
    return unnamed._replace(names=frozenset(map(_base_name, libraries | linked)))


def libc(files: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return for which C library the programs of each image ask: numbers of ELF files.

    `variant, musl, glibc, other, static, libc`: programs by the loader that they name; `static`
    name none and are started as they are; `libc` is what most of them are, empty if there are no
    programs. NA where files are not known.
    """
    rows = []
    for variant in images["variant"]:
        files_of_image = files[files["variant"].eq(variant)]
        if files_of_image.empty:
            rows.append((variant, *([pd.NA] * 5)))
            continue
        counts = _asked(files_of_image)
        rows.append((variant, *counts.values(), _most(counts)))
    table = pd.DataFrame(rows, columns=["variant", MUSL, GLIBC, OTHER, STATIC, "libc"])
    types = dict.fromkeys((MUSL, GLIBC, OTHER, STATIC), "Int64") | {"libc": "str"}
    return table.astype({"variant": "str", **types})


def unloadable(files: pd.DataFrame) -> pd.DataFrame:
    """Return the ELF files that ask for what is nowhere in their image, the largest first.

    `variant, path, size_bytes, package, lacks, problem`: `lacks` are the loader and the libraries
    that are not there. What names another processor is left out.
    """
    elf = files[files["elf"].isin(["executable", "shared"]) & files["kind"].eq("file")]
    rows = []
    for variant, elf_of_image in elf.groupby("variant", sort=False):
        names_of_image = image(files[files["variant"].eq(variant)])
        asked = _asked(elf_of_image)
        # With a loader of a C library at hand, what was built for it is not of another one.
        main, at_hand = _most(asked), [kind for kind, count in asked.items() if count]
        processor = _processors(elf_of_image["elf_interpreter"].dropna())
        for file in elf_of_image.itertuples():
            needed = file.needed.split(" ") if isinstance(file.needed, str) else []
            loader = file.elf_interpreter if isinstance(file.elf_interpreter, str) else ""
            others = _processors([loader, *needed])
            if processor and others and not others & processor:
                continue
            no_loader = [loader] if loader and not names_of_image.has(loader) else []
            itself = _musl_itself(needed) if main == MUSL else {}
            missing = [
                library
                for library in needed
                if not _is_there(library, file.path, names_of_image) and itself.get(library) != "so"
            ]
            problem = (
                NO_LOADER if no_loader
                else NO_LIBRARY if any(library not in itself for library in missing)
                else OTHER_LIBC if missing or _is_of_another(main, at_hand, needed)
                else ""
            )  # fmt: skip
            if problem:
                lacks = ", ".join([*no_loader, *missing]) or pd.NA
                rows.append((variant, file.path, file.size_bytes, file.package, lacks, problem))
    columns = ["variant", "path", "size_bytes", "package", "lacks", "problem"]
    table = pd.DataFrame(rows, columns=columns)
    types = {**dict.fromkeys(columns, "str"), "size_bytes": "Int64"}
    # A frame without rows has no types of its own.
    return table.astype(types).sort_values(
        "size_bytes", ascending=False, kind="stable", ignore_index=True
    )


def closure(files: pd.DataFrame, roots: Iterable[str]) -> frozenset[str]:
    """Return the files of one variant that programs need to be loaded: themselves, their loaders,
    and all libraries that these name, directly or not.

    Of several libraries with one name all are taken. What a program opens only later is not seen.
    """
    names_of_image = image(files)
    elf = files[files["elf"].notna()].set_index("path")
    by_name: dict[str, list[str]] = {}
    for path in elf.index:
        by_name.setdefault(_base_name(path), []).append(path)
    for link in names_of_image.links:
        if ".so" in link and (real := names_of_image.real(link)):
            by_name.setdefault(_base_name(link), []).append(real)
    needed = elf["needed"].fillna("").str.split(" ").to_dict()
    loaders = elf["elf_interpreter"].dropna().to_dict()
    loaded: set[str] = set()
    ahead = [real for root in roots if (real := names_of_image.real(root)) and real in elf.index]
    while ahead:
        path = ahead.pop()
        if path in loaded:
            continue
        loaded.add(path)
        loader = names_of_image.real(loaders.get(path, ""))
        ahead += [loader] if loader and loader in elf.index else []
        ahead += [at for library in needed[path] for at in by_name.get(_base_name(library), [])]
    return frozenset(loaded)


def libc_answer(libcs: pd.DataFrame) -> Answer:
    """Answer which C library each image is of, of `libc`."""
    note = t(
        "Symbol versions and the folders that a loader searches are not checked, so a file may "
        "fail even if it lacks nothing."
    )
    lacks = no_files(libcs.dropna(subset="libc"))
    text = Text() if lacks else paragraph(note)
    return Answer("c-library", text=text, table=libcs, lacks=lacks)


def unloadable_answer(lacking: pd.DataFrame, files: pd.DataFrame) -> Answer:
    """Answer which files need a loader or a library that their image lacks, of `unloadable`."""
    shown, lacks = lacking.head(100), no_files(files)
    return Answer("lacking", table=lacking, searchable=True, shown=shown, lacks=lacks)


def _asked(files: pd.DataFrame) -> dict[str, int]:
    """Return the number of programs of one image by the C library of the loader that they name."""
    files = files[files["kind"].eq("file")]
    loaders = files[files["elf"].eq("executable")]["elf_interpreter"].dropna()
    counts = {kind: int(loaders.str.contains(form).sum()) for kind, form in _LOADERS.items()}
    counts[OTHER] = len(loaders) - sum(counts.values())
    counts[STATIC] = int(files["elf"].eq("static").sum())
    return counts


def _most(counts: dict[str, int]) -> str:
    """Return what most programs are; empty if there are none."""
    most = max(counts, key=lambda kind: counts[kind])
    return most if counts[most] else ""


def _base_name(path: str) -> str:
    return path.rpartition("/")[2]


def _musl_itself(needed: list[str]) -> dict[str, str]:
    """Return of these libraries those that musl takes itself for, with what follows their name."""
    matches = ((library, _MUSL_IS.match(library)) for library in needed)
    return {library: match["rest"] for library, match in matches if match}


def _is_there(library: str, path: str, names_of_image: Image) -> bool:
    """Return whether a library that a file needs is in the image, at its path if it has one.

    Such a path may begin with the folder of the file, `$ORIGIN`, as ld.so(8) says.
    """
    if "/" not in library:
        return library in names_of_image.names
    origin = f"/{path.rpartition('/')[0]}"
    return names_of_image.has(re.sub(r"\$(ORIGIN\b|\{ORIGIN\})", lambda _: origin, library))


def _processors(names: Iterable[str]) -> set[str]:
    """Return the processors that loaders and libraries are named after."""
    return {found[0].replace("_", "-") for name in names for found in _PROCESSOR.finditer(name)}


def _is_of_another(main: str, at_hand: list[str], needed: list[str]) -> bool:
    """Return whether a file names a C library that no program of the image has its loader of."""
    others = [form for kind, form in _LIBC.items() if main in _LIBC and kind not in at_hand]
    return any(form.match(library) for form in others for library in needed)
