"""The properties of an image that an attacker would ask for: one question each, of its files."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pandas as pd

from helpers.images import known_programs
from helpers.sizes import file_groups
from helpers.surface import dynamic_linking, tools
from helpers.text import i18n
from helpers.text.i18n import msg

FOUND, NONE, PLAIN, UNKNOWN = msg("found"), msg("none"), msg("plain"), msg("not measured")
NO_PACKAGE = msg("no such package")
"""States of a cell: there is some; there is none; something that is no way in by itself; not known;
and, where only packages are known, that none of them is named so, which is not none."""

SHELL_STARTS = msg("shell that starts")
STARTS_AS = msg("starts as")
LIBC = msg("C library")
UNLOADABLE = msg("ELF files that lack something")

PLURALS = {
    known_programs.SHELL: msg("shells"),
    known_programs.OS_INSTALLER: msg("package managers"),
    known_programs.APP_INSTALLER: msg("app installers"),
    known_programs.INTERPRETER: msg("interpreters"),
    "network tool": msg("network tools"),
    "debugging tool": msg("debugging tools"),
    "compiler": msg("compilers"),
}

SETUID = msg("setuid or setgid files")
FIRST_LOOK = (PLURALS[known_programs.SHELL], PLURALS[known_programs.OS_INSTALLER], SETUID)
"""Properties that a headline names."""

_CERTIFICATES = (
    r"etc/ssl/(?:certs/|cert\.pem$)|usr/share/ca-certificates/|usr/local/share/ca-certificates/"
    r"|etc/pki/(?:tls/certs|ca-trust)/|(?:.*/)?(?:cacert|ca-bundle)\.(?:pem|crt)$"
)

NOT_TRIED, NO_APP = msg("not tried"), msg("no app files")
NO_USER, USER = msg("no user named"), msg("user {user}")
NO_NUMBER, NUMBER = msg("its number is not in /etc/passwd"), msg("uid {uid}")
NOT_ROOT = msg("not root (uid {uid})")
BY_PACKAGES, STATED = msg("{value} (by its packages)"), msg("{value} (as stated)")
ALL_STICKY, SOME_STICKY = msg("{value} (all sticky)"), msg("{value} ({count} of them sticky)")
OF_ALL = msg("{count} of {whole}")
IN_STUDY, WAS_STARTED = msg("the study states it"), msg("was started, locked down")
ONE_ASKS, ASK = msg("{count} program: {libc}"), msg("{count} programs: {libc}")
BY_LOADER, BY_NAME = msg("by the loader that they name"), msg("a package by that name")
LACKS = msg("{problem}: {lacks}")
STICKY = msg("dir, mode {mode}, owner {owner}, sticky: only owners may remove")
MODE = msg("{kind}, mode {mode}, owner {owner}")

_WHO = (
    NO_USER, USER, msg("{count} program: {libc}, {others}"),
    msg("{count} programs: {libc}, {others}"), ONE_ASKS, ASK,
)  # fmt: skip
FORMS = (
    NONE, NO_PACKAGE, UNKNOWN, NOT_TRIED, NO_APP, *_WHO, NO_NUMBER, IN_STUDY, WAS_STARTED,
    BY_LOADER, BY_NAME, dynamic_linking.NO_LOADER, dynamic_linking.NO_LIBRARY,
    dynamic_linking.OTHER_LIBC, dynamic_linking.OTHER,
    dynamic_linking.STATIC, NOT_ROOT, NUMBER, BY_PACKAGES, STATED, ALL_STICKY, SOME_STICKY, OF_ALL,
    msg("{tool}: program"), msg("{tool}: script"), msg("{tool}: link to {path}"),
    msg("{tool}: other name of {path}"), STICKY, msg("dir, mode {mode}, owner {owner}"),
    msg("file, mode {mode}, owner {owner}"), msg("hardlink, mode {mode}, owner {owner}"),
)  # fmt: skip
"""Phrases that values and details are made of."""

_STICKY = 0o1000
_REGULAR = ("file", "hardlink")


class Cell(NamedTuple):
    """One cell: its state, what is shown, how many it counts, and the paths or words behind it."""

    state: str
    value: str
    counted: int | None
    evidence: list[tuple[str, str]]


_NOTHING: tuple[str, str, int | None, list[tuple[str, str]]] = (NONE, "none", 0, [])
_NO_PACKAGE: tuple[str, str, int | None, list[tuple[str, str]]] = (NO_PACKAGE, NO_PACKAGE, None, [])


class Seen(NamedTuple):
    """What is known of one image."""

    image: Any
    files: pd.DataFrame
    tools: pd.DataFrame
    packages: frozenset[str]
    libc: Any
    unloadable: pd.DataFrame


def said(text: str, more: Iterable[str] = ()) -> str:
    """Return a cell's value, or the detail of its evidence, in the language that is spoken.

    `more` are phrases that are made of such texts.
    """
    return i18n.said(text, (*FORMS, *more, LACKS))


def said_of(evidence: str) -> str:
    """Return what a cell counts in the language that is spoken: words, for paths are names."""
    return i18n.said(evidence, _WHO)


def questions() -> dict[str, Callable[[Seen], Cell]]:
    """Return what is asked of an image, by the title of its row."""
    kinds = {PLURALS.get(kind, kind): _tools(kind) for kind in known_programs.kinds()}
    return {
        **kinds,
        SHELL_STARTS: _shell,
        STARTS_AS: _user,
        SETUID: _setuid,
        msg("paths anybody may write"): _world_writable,
        msg("app files its user may change"): _app_files,
        msg("executables (ELF)"): _elf("executable", "static"),
        msg("shared libraries (ELF)"): _elf("shared"),
        msg("certificates"): _certificates,
        LIBC: _libc,
        UNLOADABLE: _unloadable,
    }


def _tools(kind: str) -> Callable[[Seen], Cell]:
    def ask(seen: Seen) -> Cell:
        if seen.files.empty and not _lists_packages(seen):
            return _not_measured()
        own = seen.tools[seen.tools["kind"].eq(kind)]
        if seen.files.empty and kind == known_programs.INTERPRETER and pd.notna(seen.image.runtime):
            stated = str(seen.image.runtime)
            return Cell(FOUND, STATED.format(value=stated), 1, [(stated, IN_STUDY)])
        named = list(dict.fromkeys(own["tool"]))
        evidence = [
            (row.path if isinstance(row.path, str) else row.package, _tool_detail(row))
            for row in own.itertuples()
        ]
        if not named:
            return Cell(*_NO_PACKAGE if seen.files.empty else _NOTHING)
        told = ", ".join(named)
        value = BY_PACKAGES.format(value=told) if seen.files.empty else told
        return Cell(FOUND, value, len(named), evidence)

    return ask


def _shell(seen: Seen) -> Cell:
    starts = seen.image.shell_starts
    if pd.isna(starts):
        return _not_measured(NOT_TRIED)
    if not starts:
        return Cell(*_NOTHING)
    return Cell(FOUND, str(seen.image.shell), 1, [(str(seen.image.shell), WAS_STARTED)])


def _user(seen: Seen) -> Cell:
    user, uid = seen.image.user, seen.image.user_id
    if pd.isna(user):
        return _not_measured()
    who = USER.format(user=user) if user else NO_USER
    if pd.isna(uid):
        return Cell(PLAIN, f"{user}", None, [(who, NO_NUMBER)])
    evidence = [(who, NUMBER.format(uid=uid))]
    if uid == 0:
        return Cell(FOUND, "root", None, evidence)
    return Cell(NONE, NOT_ROOT.format(uid=uid), None, evidence)


def _setuid(seen: Seen) -> Cell:
    if seen.files.empty:
        return _not_measured()
    own = seen.files[seen.files["setuid"] | seen.files["setgid"]]
    return _counted(own)


def _world_writable(seen: Seen) -> Cell:
    if seen.files.empty:
        return _not_measured()
    mode = seen.files["mode"]
    anybody = seen.files[seen.files["kind"].isin([*_REGULAR, "dir", "fifo"]) & (mode & 0o002).ne(0)]
    cell = _counted(anybody)
    kept = ((anybody["mode"] & _STICKY).ne(0) & anybody["kind"].eq("dir")).sum()
    if not kept:
        return cell
    form = ALL_STICKY if kept == len(anybody) else SOME_STICKY
    return cell._replace(value=form.format(value=cell.value, count=f"{kept:,}"))


def _app_files(seen: Seen) -> Cell:
    if seen.files.empty or pd.isna(seen.image.user_id):
        return _not_measured()
    app = seen.files[seen.files["group"].eq(file_groups.APP) & seen.files["kind"].isin(_REGULAR)]
    if app.empty and seen.files["group"].eq(file_groups.UNTOLD).any():
        return _not_measured()
    if app.empty:
        return Cell(NONE, NO_APP, 0, [])
    uid, mode = seen.image.user_id, app["mode"]
    groups_ = str(seen.image.group_ids).split() if pd.notna(seen.image.group_ids) else []
    is_owner, is_member = app["uid"].eq(uid), app["gid"].isin([int(gid) for gid in groups_])
    by_owner = is_owner & (mode & 0o200).ne(0)
    by_group = ~is_owner & is_member & (mode & 0o020).ne(0)
    by_all = ~is_owner & ~is_member & (mode & 0o002).ne(0)
    own = app if uid == 0 else app[by_owner | by_group | by_all]
    cell = _counted(own)
    if own.empty:
        return cell
    return cell._replace(value=OF_ALL.format(count=cell.value, whole=f"{len(app):,}"))


def _elf(*kinds: str) -> Callable[[Seen], Cell]:
    def ask(seen: Seen) -> Cell:
        if seen.files.empty:
            return _not_measured()
        own = seen.files[seen.files["kind"].eq("file") & seen.files["elf"].isin(kinds)]
        return _counted(own, PLAIN)

    return ask


def _certificates(seen: Seen) -> Cell:
    if seen.files.empty:
        return _not_measured()
    is_file = seen.files["kind"].isin(_REGULAR)
    return _counted(seen.files[is_file & seen.files["path"].str.match(_CERTIFICATES)], PLAIN)


def _libc(seen: Seen) -> Cell:
    if pd.isna(seen.libc["libc"]):
        return _libc_by_package(seen)
    asked = {
        k: seen.libc[k]
        for k in (
            dynamic_linking.MUSL,
            dynamic_linking.GLIBC,
            dynamic_linking.OTHER,
            dynamic_linking.STATIC,
        )
    }
    told = [
        ((ONE_ASKS if n == 1 else ASK).format(count=f"{n:,}", libc=kind), BY_LOADER)
        for kind, n in asked.items()
        if n
    ]
    return Cell(PLAIN if told else NONE, str(seen.libc["libc"] or "none"), None, told)


def _libc_by_package(seen: Seen) -> Cell:
    for kind, named in ((dynamic_linking.MUSL, tools.MUSL), (dynamic_linking.GLIBC, tools.GLIBC)):
        if own := sorted(named & seen.packages):
            return Cell(PLAIN, BY_PACKAGES.format(value=kind), None, [(own[0], BY_NAME)])
    return _not_measured()


def _unloadable(seen: Seen) -> Cell:
    if seen.files.empty:
        return _not_measured()
    own = seen.unloadable
    if own.empty:
        return Cell(*_NOTHING)
    evidence = [
        (r.path, r.problem if pd.isna(r.lacks) else LACKS.format(problem=r.problem, lacks=r.lacks))
        for r in own.itertuples()
    ]
    return Cell(FOUND, f"{len(own):,}", len(own), evidence)


def _counted(own: pd.DataFrame, state: str = FOUND) -> Cell:
    """Return a cell that counts files."""
    if own.empty:
        return Cell(*_NOTHING)
    evidence = [(row.path, _mode(row)) for row in own.itertuples()]
    return Cell(state, f"{len(own):,}", len(own), evidence)


def _not_measured(value: str = UNKNOWN) -> Cell:
    return Cell(UNKNOWN, value, None, [])


def _mode(row: Any) -> str:
    form = STICKY if row.kind == "dir" and row.mode & _STICKY else MODE
    return form.format(kind=row.kind, mode=f"{row.mode:04o}", owner=f"{row.uid}:{row.gid}")


def _tool_detail(row: Any) -> str:
    version = f" {row.version}" if isinstance(row.version, str) else ""
    return f"{row.tool}{version}: {row.what}"


def _lists_packages(seen: Seen) -> bool:
    return bool(pd.notna(seen.image.packages))
