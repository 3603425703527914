"""Whom an image starts as."""

import pytest

from helpers.images.etc_passwd import User, resolve

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1001::/home/node:\nnonroot:x:65532:65532:::\n"
GROUP = b"root:x:0:\nnode:x:1001:\nstaff:x:50:other,node\ndocker:x:999:node\nempty:x:7:\n"


@pytest.mark.parametrize(
    ("named", "who"),
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
def test_a_user_is_who_an_engine_would_start_it_as(named: str, who: User | None) -> None:
    assert resolve(named, PASSWD, GROUP) == who


def test_without_a_passwd_a_number_is_known_and_a_name_is_not() -> None:
    assert resolve("") == resolve("0") == User(0, (0,))
    assert resolve("root") is None
    assert resolve("node") is None


@pytest.mark.parametrize(
    "line", [b"node:x:abc:1", b"node:x:1000", b"node", b":x:1:1:", b"\xff\xfe", b"node:x:-1:1:"]
)
def test_a_line_that_is_none_is_left_out(line: bytes) -> None:
    assert resolve("node", line + b"\n") is None


def test_the_first_of_two_lines_counts_as_in_an_engine() -> None:
    assert resolve("node", b"node:x:1:1:::\nnode:x:2:2:::\n") == User(1, (1,))
