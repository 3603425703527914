"""The user that an image starts as: the numbers of the name in its config."""

import re
from typing import NamedTuple

PASSWD, GROUP = "etc/passwd", "etc/group"

_NUMBER = re.compile(r"[0-9]{1,10}")
_USER_LINE = re.compile(r"([^:]+):[^:]*:([0-9]{1,10}):([0-9]{1,10})(?::|$)")
_GROUP_LINE = re.compile(r"([^:]+):[^:]*:([0-9]{1,10})(?::([^:]*))?$")


class User(NamedTuple):
    """A user's number and those of its groups, the primary group first."""

    uid: int
    gids: tuple[int, ...]


def resolve(named: str, passwd: bytes = b"", group: bytes = b"") -> User | None:
    r"""Return the user of `user[:group]` in an image's config; `None` for an unknown name.

    As in container engines, an empty user is root; `/etc/passwd` has a name's numbers, `/etc/group`
    its further groups; an unlisted number has group 0; and a given group is the only one.
    https://github.com/opencontainers/image-spec/blob/main/config.md and GetExecUser in
    https://github.com/moby/sys/blob/main/user/user.go

    >>> resolve("node", b"node:x:1000:1001::/:\n", b"staff:x:50:node\n")
    User(uid=1000, gids=(1001, 50))
    >>> resolve("65532:7"), resolve(""), resolve("nobody")
    (User(uid=65532, gids=(7,)), User(uid=0, gids=(0,)), None)
    """
    user, _, wanted = named.strip().partition(":")
    user = user or "0"
    lines = _lines(passwd, _USER_LINE)
    found = next((line for line in lines if line[1] == user), None)
    if found is None and _NUMBER.fullmatch(user):
        found = next((line for line in lines if int(line[2]) == int(user)), None)
    if found is None and not _NUMBER.fullmatch(user):
        return None
    uid = int(found[2] if found else user)
    groups = _lines(group, _GROUP_LINE)
    if wanted:
        gid = next((int(line[2]) for line in groups if line[1] == wanted), None)
        gid = int(wanted) if gid is None and _NUMBER.fullmatch(wanted) else gid
        return None if gid is None else User(uid, (gid,))
    if found is None:
        return User(uid, (0,))
    more = [int(line[2]) for line in groups if found[1] in (line[3] or "").split(",")]
    return User(uid, tuple(dict.fromkeys([int(found[3]), *more])))


def _lines(content: bytes, form: re.Pattern[str]) -> list[re.Match[str]]:
    """Return the lines of a file that have a form."""
    lines = content.decode("utf-8", "backslashreplace").splitlines()
    return [found for line in lines if (found := form.match(line))]
