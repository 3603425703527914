"""Whom an image starts as: the numbers behind the user that its config names."""

import re
from typing import NamedTuple

PASSWD = "etc/passwd"


_NUMBER = re.compile(r"[0-9]{1,10}")
_LINE = re.compile(r"([^:]+):[^:]*:([0-9]{1,10}):([0-9]{1,10})(?::|$)")


class User(NamedTuple):
    """A user's number and that of the first group."""

    uid: int
    gid: int


def resolve(named: str, passwd: bytes = b"") -> User | None:
    r"""Return who `user[:group]` of an image's config is; `None` if the image does not tell.

    As container engines do it: none is root, a name is looked up in `/etc/passwd`, and a number
    that is not there has group 0. A group that is named and no number is not known.
    https://github.com/opencontainers/image-spec/blob/main/config.md

    >>> resolve("node", b"root:x:0:0::/:\nnode:x:1000:1001::/:\n")
    User(uid=1000, gid=1001)
    >>> resolve("65532:7"), resolve(""), resolve("nobody")
    (User(uid=65532, gid=7), User(uid=0, gid=0), None)
    """
    user, _, group = named.strip().partition(":")
    user = user or "0"
    known = _users(passwd)
    found = known.get(user)
    if found is None and _NUMBER.fullmatch(user):
        listed = [one for one in known.values() if one.uid == int(user)]
        found = listed[0] if listed else User(int(user), 0)
    if found is None and user == "root":
        found = User(0, 0)
    if found is None or not group:
        return found
    return User(found.uid, int(group)) if _NUMBER.fullmatch(group) else None


def _users(passwd: bytes) -> dict[str, User]:
    """Return the users of a passwd file by name; a line that is none is left out."""
    lines = passwd.decode("utf-8", "backslashreplace").splitlines()
    found = [_LINE.match(line) for line in reversed(lines)]
    return {told[1]: User(int(told[2]), int(told[3])) for told in found if told}
