"""The properties of an image that an attacker would ask for: one question each, of its files."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

from helpers import groups, linking, toolbox, tools
from helpers.words import listed, number

FOUND, NONE, PLAIN, UNKNOWN = "found", "none", "plain", "not measured"
NO_PACKAGE = "no such package"
"""States of a cell: there is some; there is none; something that is no way in by itself; not known;
and, where only packages are known, that none of them is named so, which is not none."""

SHELL_STARTS = "shell that starts"
STARTS_AS = "starts as"
LIBC = "C library"
UNLOADABLE = "ELF files that lack something"

PLURALS = {
    toolbox.SHELL: "shells",
    toolbox.OS_INSTALLER: "package managers",
    toolbox.APP_INSTALLER: "app installers",
    toolbox.INTERPRETER: "interpreters",
    "network tool": "network tools",
    "debugging tool": "debugging tools",
    "compiler": "compilers",
}

SETUID = "setuid or setgid files"
FIRST_LOOK = (PLURALS[toolbox.SHELL], PLURALS[toolbox.OS_INSTALLER], SETUID)
"""Properties that a headline names."""

_CERTIFICATES = (
    r"etc/ssl/(?:certs/|cert\.pem$)|usr/share/ca-certificates/|usr/local/share/ca-certificates/"
    r"|etc/pki/(?:tls/certs|ca-trust)/|(?:.*/)?(?:cacert|ca-bundle)\.(?:pem|crt)$"
)

_BY_PACKAGES = " (by its packages)"
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


def questions() -> dict[str, Callable[[Seen], Cell]]:
    """Return what is asked of an image, by the title of its row."""
    kinds = {PLURALS.get(kind, kind): _tools(kind) for kind in toolbox.kinds()}
    return {
        **kinds,
        SHELL_STARTS: _shell,
        STARTS_AS: _user,
        SETUID: _setuid,
        "paths anybody may write": _world_writable,
        "app files its user may change": _app_files,
        "executables (ELF)": _elf("executable", "static"),
        "shared libraries (ELF)": _elf("shared"),
        "certificates": _certificates,
        LIBC: _libc,
        UNLOADABLE: _unloadable,
    }


def _tools(kind: str) -> Callable[[Seen], Cell]:
    def ask(seen: Seen) -> Cell:
        if seen.files.empty and not _lists_packages(seen):
            return _not_measured()
        own = seen.tools[seen.tools["kind"].eq(kind)]
        if seen.files.empty and kind == toolbox.INTERPRETER and pd.notna(seen.image.runtime):
            stated = str(seen.image.runtime)
            return Cell(FOUND, f"{stated} (as stated)", 1, [(stated, "the study states it")])
        named = list(dict.fromkeys(own["tool"]))
        evidence = [
            (row.path if isinstance(row.path, str) else row.package, _tool_detail(row))
            for row in own.itertuples()
        ]
        by = _BY_PACKAGES if seen.files.empty else ""
        if not named:
            return Cell(*_NO_PACKAGE if by else _NOTHING)
        return Cell(FOUND, f"{listed(named)}{by}", len(named), evidence)

    return ask


def _shell(seen: Seen) -> Cell:
    starts = seen.image.shell_starts
    if pd.isna(starts):
        return _not_measured("not tried")
    if not starts:
        return Cell(*_NOTHING)
    return Cell(
        FOUND, str(seen.image.shell), 1, [(str(seen.image.shell), "was started, locked down")]
    )


def _user(seen: Seen) -> Cell:
    user, uid = seen.image.user, seen.image.user_id
    if pd.isna(user):
        return _not_measured()
    who = f"user {user}" if user else "no user named"
    if pd.isna(uid):
        return Cell(PLAIN, f"{user}", None, [(who, "its number is not in /etc/passwd")])
    if uid == 0:
        return Cell(FOUND, "root", None, [(who, "uid 0")])
    return Cell(NONE, f"not root (uid {uid})", None, [(who, f"uid {uid}")])


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
    told = "all" if kept == len(anybody) else f"{kept:,} of them"
    return cell._replace(value=f"{cell.value} ({told} sticky)")


def _app_files(seen: Seen) -> Cell:
    if seen.files.empty or pd.isna(seen.image.user_id):
        return _not_measured()
    app = seen.files[seen.files["group"].eq(groups.APP) & seen.files["kind"].isin(_REGULAR)]
    if app.empty:
        return Cell(NONE, "no app files", 0, [])
    uid, mode = seen.image.user_id, app["mode"]
    groups_ = str(seen.image.group_ids).split() if pd.notna(seen.image.group_ids) else []
    is_owner, is_member = app["uid"].eq(uid), app["gid"].isin([int(gid) for gid in groups_])
    by_owner = is_owner & (mode & 0o200).ne(0)
    by_group = ~is_owner & is_member & (mode & 0o020).ne(0)
    by_all = ~is_owner & ~is_member & (mode & 0o002).ne(0)
    own = app if uid == 0 else app[by_owner | by_group | by_all]
    cell = _counted(own)
    return cell._replace(value=f"{cell.value} of {len(app):,}") if len(own) else cell


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
    asked = {k: seen.libc[k] for k in (linking.MUSL, linking.GLIBC, linking.OTHER, linking.STATIC)}
    told = [
        (f"{number(int(n), 'program')}: {kind}", "by the loader that they name")
        for kind, n in asked.items()
        if n
    ]
    return Cell(PLAIN if told else NONE, str(seen.libc["libc"] or "none"), None, told)


def _libc_by_package(seen: Seen) -> Cell:
    for kind, named in ((linking.MUSL, tools.MUSL), (linking.GLIBC, tools.GLIBC)):
        if own := sorted(named & seen.packages):
            return Cell(PLAIN, f"{kind}{_BY_PACKAGES}", None, [(own[0], "a package by that name")])
    return _not_measured()


def _unloadable(seen: Seen) -> Cell:
    if seen.files.empty:
        return _not_measured()
    own = seen.unloadable
    if own.empty:
        return Cell(*_NOTHING)
    evidence = [
        (r.path, r.problem + ("" if pd.isna(r.lacks) else f": {r.lacks}")) for r in own.itertuples()
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
    sticky = row.kind == "dir" and row.mode & _STICKY
    more = ", sticky: only owners may remove" if sticky else ""
    return f"{row.kind}, mode {row.mode:04o}, owner {row.uid}:{row.gid}{more}"


def _tool_detail(row: Any) -> str:
    version = f" {row.version}" if isinstance(row.version, str) else ""
    return f"{row.tool}{version}: {row.what}"


def _lists_packages(seen: Seen) -> bool:
    return bool(pd.notna(seen.image.packages))
