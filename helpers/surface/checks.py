"""The properties of an image that an attacker would look for: one check each, of its files.

To add a property, add a question to `questions`: a function of an `Image` that returns a `Cell`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from helpers.answers.chart_data import FOUND, NO_PACKAGE, NONE, PLAIN, UNKNOWN
from helpers.images import known_programs
from helpers.sizes import file_groups
from helpers.surface import dynamic_linking, tools
from helpers.text.i18n import Message, msg

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
WORLD_WRITABLE = msg("paths anybody may write")
FIRST_LOOK = (PLURALS[known_programs.SHELL], PLURALS[known_programs.OS_INSTALLER], SETUID)
"""Properties that a title names."""

_CERTIFICATES = (
    r"etc/ssl/(?:certs/|cert\.pem$)|usr/share/ca-certificates/|usr/local/share/ca-certificates/"
    r"|etc/pki/(?:tls/certs|ca-trust)/|(?:.*/)?(?:cacert|ca-bundle)\.(?:pem|crt)$"
)

_STICKY = 0o1000
_REGULAR = ("file", "hardlink")


class Cell(NamedTuple):
    """One cell: its state, what is shown, how many it counts, and the paths or words behind it.

    Words are messages; names and numbers are plain text.
    """

    state: str
    value: str
    counted: int | None = None
    evidence: Sequence[tuple[str, str]] = ()


_NOTHING = Cell(NONE, Message("none"), 0)
_NOT_MEASURED = Cell(UNKNOWN, Message("not measured"))


class Image(NamedTuple):
    """What is known of one image."""

    row: Any
    files: pd.DataFrame
    tools: pd.DataFrame
    packages: frozenset[str]
    libc: Any
    unloadable: pd.DataFrame


Check = Callable[[Image], Cell]


def _of_files(check: Check) -> Check:
    """Return a check that measures nothing where files are not known."""
    return lambda image: _NOT_MEASURED if image.files.empty else check(image)


def _files(pick: Callable[[pd.DataFrame], pd.Series], state: str = PLAIN) -> Check:
    """Return a check that counts the files which are picked."""
    return _of_files(lambda image: _counted(image.files[pick(image.files)], state))


def _is_elf(*kinds: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda files: files["kind"].eq("file") & files["elf"].isin(kinds)


def questions() -> dict[str, Check]:
    """Return what is asked of an image, by the title of its row."""
    kinds = {PLURALS.get(kind, kind): _tools(kind) for kind in known_programs.kinds()}
    return {
        **kinds,
        SHELL_STARTS: _shell,
        STARTS_AS: _user,
        SETUID: _files(lambda files: files["setuid"] | files["setgid"], FOUND),
        WORLD_WRITABLE: _world_writable,
        msg("app files its user may change"): _app_files,
        msg("executables (ELF)"): _files(_is_elf("executable", "static")),
        msg("shared libraries (ELF)"): _files(_is_elf("shared")),
        msg("certificates"): _files(
            lambda files: files["kind"].isin(_REGULAR) & files["path"].str.match(_CERTIFICATES)
        ),
        LIBC: _libc,
        UNLOADABLE: _unloadable,
    }


def _tools(kind: str) -> Check:
    def ask(image: Image) -> Cell:
        by_packages = image.files.empty
        if by_packages and pd.isna(image.row.packages):
            return _NOT_MEASURED
        runtime = image.row.runtime
        if by_packages and kind == known_programs.INTERPRETER and pd.notna(runtime):
            stated = (str(runtime), Message("as the study states"))
            return Cell(FOUND, str(runtime), 1, [stated])
        found = image.tools[image.tools["kind"].eq(kind)]
        if found.empty and by_packages:
            return Cell(NO_PACKAGE, Message("no such package"))
        if found.empty:
            return _NOTHING
        evidence = [
            (row.path if isinstance(row.path, str) else row.package, _tool_detail(row))
            for row in found.itertuples()
        ]
        names = list(dict.fromkeys(found["tool"]))
        value = ", ".join(names)
        if by_packages:
            value = Message("{value} (by its packages)", value=value)
        return Cell(FOUND, value, len(names), evidence)

    return ask


def _shell(image: Image) -> Cell:
    starts, shell = image.row.shell_starts, str(image.row.shell)
    if pd.isna(starts):
        return Cell(UNKNOWN, Message("not tried"))
    if not starts:
        return _NOTHING
    return Cell(FOUND, shell, 1, [(shell, Message("started in a locked-down container"))])


def _user(image: Image) -> Cell:
    user, uid = image.row.user, image.row.user_id
    if pd.isna(user):
        return _NOT_MEASURED
    who = Message("user {user}", user=user) if user else Message("no user named")
    if pd.isna(uid):
        return Cell(PLAIN, user, None, [(who, Message("not in /etc/passwd"))])
    evidence = [(who, Message("uid {uid}", uid=uid))]
    if uid == 0:
        return Cell(FOUND, "root", None, evidence)
    return Cell(NONE, Message("not root (uid {uid})", uid=uid), None, evidence)


@_of_files
def _world_writable(image: Image) -> Cell:
    files = image.files
    is_kind = files["kind"].isin([*_REGULAR, "dir", "fifo"])
    anybody = files[is_kind & (files["mode"] & 0o002).ne(0)]
    cell = _counted(anybody)
    sticky = ((anybody["mode"] & _STICKY).ne(0) & anybody["kind"].eq("dir")).sum()
    if not sticky:
        return cell
    some = Message("{value} ({count} sticky)", value=cell.value, count=f"{sticky:,}")
    return cell._replace(value=some)


@_of_files
def _app_files(image: Image) -> Cell:
    files, uid = image.files, image.row.user_id
    app = files[files["group"].eq(file_groups.APP) & files["kind"].isin(_REGULAR)]
    if pd.isna(uid) or (app.empty and files["group"].eq(file_groups.OWNER_UNKNOWN).any()):
        return _NOT_MEASURED
    if app.empty:
        return Cell(NONE, Message("no app files"), 0)
    mode, gids = app["mode"], image.row.group_ids
    groups = [int(gid) for gid in gids.split()] if isinstance(gids, str) else []
    is_owner, is_member = app["uid"].eq(uid), app["gid"].isin(groups)
    by_owner = is_owner & (mode & 0o200).ne(0)
    by_group = ~is_owner & is_member & (mode & 0o020).ne(0)
    by_all = ~is_owner & ~is_member & (mode & 0o002).ne(0)
    cell = _counted(app if uid == 0 else app[by_owner | by_group | by_all])
    if cell.state == NONE:
        return cell
    share = Message("{count} of {whole}", count=cell.value, whole=f"{len(app):,}")
    return cell._replace(value=share)


def _libc(image: Image) -> Cell:
    libc = image.libc["libc"]
    if pd.isna(libc):
        return _libc_by_package(image)
    kinds = (
        dynamic_linking.MUSL, dynamic_linking.GLIBC, dynamic_linking.OTHER, dynamic_linking.STATIC,
    )  # fmt: skip
    by_loader = Message("by their loader")
    evidence = [
        (_programs(count, kind), by_loader) for kind in kinds if (count := image.libc[kind])
    ]
    return Cell(PLAIN, Message(libc), None, evidence) if libc else _NOTHING._replace(counted=None)


def _programs(count: int, libc: str) -> str:
    return Message("{libc} programs: {count}", count=f"{count:,}", libc=Message(libc))


def _libc_by_package(image: Image) -> Cell:
    for kind, names in ((dynamic_linking.MUSL, tools.MUSL), (dynamic_linking.GLIBC, tools.GLIBC)):
        if found := sorted(names & image.packages):
            evidence = [(found[0], Message("a package by that name"))]
            return Cell(PLAIN, Message("{value} (by its packages)", value=kind), None, evidence)
    return _NOT_MEASURED


@_of_files
def _unloadable(image: Image) -> Cell:
    if image.unloadable.empty:
        return _NOTHING
    evidence = [(row.path, _lacking(row)) for row in image.unloadable.itertuples()]
    return Cell(FOUND, f"{len(evidence):,}", len(evidence), evidence)


def _lacking(row: Any) -> str:
    problem = Message(row.problem)
    if pd.isna(row.lacks):
        return problem
    return Message("{problem}: {lacks}", problem=problem, lacks=row.lacks)


def _counted(files: pd.DataFrame, state: str = FOUND) -> Cell:
    """Return a cell that counts files."""
    if files.empty:
        return _NOTHING
    evidence = [(row.path, _mode(row)) for row in files.itertuples()]
    return Cell(state, f"{len(files):,}", len(files), evidence)


def _mode(row: Any) -> str:
    values = {"mode": f"{row.mode:04o}", "owner": f"{row.uid}:{row.gid}"}
    return Message("{kind}, mode {mode}, owner {owner}", kind=Message(row.kind), **values)


def _tool_detail(row: Any) -> str:
    version = f" {row.version}" if isinstance(row.version, str) else ""
    return Message("{tool}: {what}", tool=f"{row.tool}{version}", what=row.what)
