"""The user that an image starts as."""

import pytest

from helpers.images.etc_passwd import User, resolve

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1001::/home/node:\nnonroot:x:65532:65532:::\n"
GROUP = b"root:x:0:\nnode:x:1001:\nstaff:x:50:other,node\ndocker:x:999:node\nempty:x:7:\n"


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("", User(0, (0,))),
        ("root", User(0, (0,))),
        ("0", User(0, (0,))),
        ("node", User(1000, (1001, 50, 999))),
        ("1000", User(1000, (1001, 50, 999))),
        ("1000:0", User(1000, (0,))),
        ("node:50", User(1000, (50,))),
        ("node:staff", User(1000, (50,))),
        ("65532:65532", User(65532, (65532,))),
        ("4242", User(4242, (0,))),
        ("4242:staff", User(4242, (50,))),
        (":7", User(0, (7,))),
        ("ghost", None),
        ("node:ghosts", None),
        ("99999999999999", None),
        ("-1", None),
    ],
)
def test_the_user_is_the_one_of_a_container_engine(name: str, user: User | None) -> None:
    assert resolve(name, PASSWD, GROUP) == user


@pytest.mark.parametrize(
    "line",
    [b"node:x:abc:1", b"node:x:1000", b"node", b":x:1:1:", b"\xff\xfe", b"node:x:-1:1:", b""],
)
def test_invalid_lines_are_ignored(line: bytes) -> None:
    assert resolve("node", line + b"\n") is None
    assert resolve("") == resolve("0") == User(0, (0,)), "numbers need no passwd"


def test_the_first_of_two_lines_counts() -> None:
    assert resolve("node", b"node:x:1:1:::\nnode:x:2:2:::\n") == User(1, (1,))
