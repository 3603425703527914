"""Whom an image starts as: the numbers behind the user that its config names."""

import re
from typing import NamedTuple

PASSWD, GROUP = "etc/passwd", "etc/group"

_NUMBER = re.compile(r"[0-9]{1,10}")
_USER = re.compile(r"([^:]+):[^:]*:([0-9]{1,10}):([0-9]{1,10})(?::|$)")
_GROUP = re.compile(r"([^:]+):[^:]*:([0-9]{1,10})(?::([^:]*))?$")


class User(NamedTuple):
    """A user's number, and those of the groups, the first one first."""

    uid: int
    gids: tuple[int, ...]


def resolve(named: str, passwd: bytes = b"", group: bytes = b"") -> User | None:
    r"""Return who `user[:group]` of an image's config is; `None` if the image does not tell.

    As container engines do it: none is root; a name is looked up in `/etc/passwd`, with the groups
    that `/etc/group` has it in, and a number that is not there has group 0. A group that is named
    is the only one.
    https://github.com/opencontainers/image-spec/blob/main/config.md and GetExecUser in
    https://github.com/moby/sys/blob/main/user/user.go

    >>> resolve("node", b"node:x:1000:1001::/:\n", b"staff:x:50:node\n")
    User(uid=1000, gids=(1001, 50))
    >>> resolve("65532:7"), resolve(""), resolve("nobody")
    (User(uid=65532, gids=(7,)), User(uid=0, gids=(0,)), None)
    """
    user, _, asked = named.strip().partition(":")
    user = user or "0"
    lines = _lines(passwd, _USER)
    found = next((line for line in lines if line[1] == user), None)
    if found is None and _NUMBER.fullmatch(user):
        found = next((line for line in lines if int(line[2]) == int(user)), None)
    if found is None and not _NUMBER.fullmatch(user):
        return None
    uid = int(found[2] if found else user)
    groups = _lines(group, _GROUP)
    if asked:
        gid = next((int(line[2]) for line in groups if line[1] == asked), None)
        gid = int(asked) if gid is None and _NUMBER.fullmatch(asked) else gid
        return None if gid is None else User(uid, (gid,))
    if found is None:
        return User(uid, (0,))
    more = [int(line[2]) for line in groups if found[1] in (line[3] or "").split(",")]
    return User(uid, tuple(dict.fromkeys([int(found[3]), *more])))


def _lines(content: bytes, form: re.Pattern[str]) -> list[re.Match[str]]:
    """Return the lines of a file that are of a form; others are left out."""
    lines = content.decode("utf-8", "backslashreplace").splitlines()
    return [told for line in lines if (told := form.match(line))]
