"""The matrix of what an attacker finds: each cell by its own rule, with the paths behind it."""

import pandas as pd
import pytest

from helpers.answers.answer import Answer
from helpers.answers.chart_data import FOUND, NO_PACKAGE, NONE, PLAIN, UNKNOWN
from helpers.sizes import file_groups
from helpers.surface import attack_surface, dynamic_linking
from helpers.text import i18n
from tests.conftest import file, files_of, image_of, layers_of, link, packages_of, program

ROOT = {"user": "", "user_id": 0, "group_ids": "0"}


def surface(grouped, images, packages) -> tuple[pd.DataFrame, pd.DataFrame]:
    libcs, lacking = dynamic_linking.libc(grouped, images), dynamic_linking.unloadable(grouped)
    return attack_surface.surface(grouped, images, packages, libcs, lacking)


def matrix(*files, packages=None, **image) -> tuple[pd.DataFrame, pd.DataFrame]:
    images = image_of(**{**ROOT, **image})
    layers = layers_of((0, "base", True), (0, "app", False))
    grouped = file_groups.grouped(files_of(*files), layers, images)
    return surface(grouped, images, packages_of(*packages or []))


def answer(table: pd.DataFrame, behind: pd.DataFrame, known_share: object = pd.NA) -> Answer:
    """The answer for one image of whose executables the scanner looked at a share."""
    coverage = pd.DataFrame({"variant": ["app"], "known_share": [known_share], "gap": [""]})
    return attack_surface.answer(table, behind, coverage)


def cell(title: str, *files, **image) -> tuple[str, str, object, list[str]]:
    table, behind = matrix(*files, **image)
    row = table[table["property"].eq(title)].iloc[0]
    count = None if pd.isna(row["count"]) else row["count"]
    return row["state"], row["value"], count, behind[behind["property"].eq(title)]["what"].tolist()


SOMETHING = file("etc/os-release")


def test_without_files_packages_are_asked_and_silence_is_not_none() -> None:
    listed = [{"package": "busybox"}, {"package": "musl"}]
    by = matrix(packages=listed)[0].set_index("property")
    assert by.loc["shells", "state"] == UNKNOWN, "the report is not known to list packages"
    images = image_of(**ROOT, packages=2)
    grouped = file_groups.grouped(files_of(), layers_of(), images)
    table, behind = surface(grouped, images, packages_of(*listed))
    by = table.set_index("property")
    assert by.loc["shells", ["state", "value"]].tolist() == [FOUND, "busybox (by its packages)"]
    assert by.loc["compilers", ["state", "value"]].tolist() == [NO_PACKAGE, "no such package"]
    assert by.loc["C library", ["state", "value"]].tolist() == [PLAIN, "musl (by its packages)"]
    assert by.loc["certificates", "state"] == UNKNOWN
    by_package = behind["detail"].str.contains("a package by that name")
    assert behind[by_package]["what"].tolist() == ["busybox", "musl"]
    assert answer(table, behind).chart.rows == ["shells", "starts as", "C library"]


WRITABLE = (
    file("tmp", kind="dir", mode=0o1777),
    file("srv", kind="dir", mode=0o777),
    file("etc/x", mode=0o666),
    file("dev/null", kind="char", mode=0o666),
    link("bin/sh", "x"),
    file("etc/y", mode=0o664),
)
SETUID = (
    program("bin/su", mode=0o4755),
    program("bin/wall", mode=0o2755),
    file("var/mail", kind="dir", mode=0o2775),
    file("dev/x", kind="char", mode=0o4666),
    program("bin/ls"),
)
ELF = (
    program("bin/a"),
    program("bin/b", elf="static"),
    program("bin/c", kind="hardlink", target="bin/a"),
    file("lib/x.so", elf="shared"),
    file("bin/script", mode=0o755),
)
LACKING = (
    file("lib/ld-musl-x86_64.so.1", elf="shared"),
    program("bin/x", elf_interpreter="/lib/ld-musl-x86_64.so.1"),
    file("app/y.node", elf="shared", needed=("libgone.so",)),
)
MAY_CHANGE = "app files its user may change"


@pytest.mark.parametrize(
    ("title", "files", "image", "expected"),
    [
        ("shell that starts", (), {"shell_starts": True, "shell": "/bin/sh"},
         (FOUND, "/bin/sh", 1, ["/bin/sh"])),
        ("shell that starts", (), {"shell_starts": False}, (NONE, "none", 0, [])),
        ("shell that starts", (), {"shell_starts": None}, (UNKNOWN, "not tried", None, [])),
        ("setuid or setgid files", SETUID, {}, (FOUND, "2", 2, ["bin/su", "bin/wall"])),
        ("paths anybody may write", WRITABLE, {},
         (FOUND, "3 (1 sticky)", 3, ["tmp", "srv", "etc/x"])),
        ("paths anybody may write", WRITABLE[:1], {}, (FOUND, "1 (1 sticky)", 1, ["tmp"])),
        ("executables (ELF)", ELF, {}, (PLAIN, "2", 2, ["bin/a", "bin/b"])),
        ("executables (ELF)", (), {}, (NONE, "none", 0, [])),
        ("shared libraries (ELF)", ELF, {}, (PLAIN, "1", 1, ["lib/x.so"])),
        ("ELF files that lack something", LACKING, {}, (FOUND, "1", 1, ["app/y.node"])),
        (MAY_CHANGE, (), {}, (NONE, "no app files", 0, [])),
        (MAY_CHANGE, [file("app/x.js", layer=1)], {"user_id": None},
         (UNKNOWN, "not measured", None, [])),
        (MAY_CHANGE, [file("app/x.js", layer=1)], {"user_id": 1000}, (NONE, "none", 0, [])),
    ],
)  # fmt: skip
def test_a_cell_by_its_own_rule(title: str, files, image, expected) -> None:
    assert cell(title, SOMETHING, *files, **image) == expected


@pytest.mark.parametrize(
    ("user", "uid", "state", "value"),
    [
        ("", 0, FOUND, "root"),
        ("0:0", 0, FOUND, "root"),
        ("node", 1000, NONE, "not root (uid 1000)"),
        ("ghost", None, PLAIN, "ghost"),
        (None, None, UNKNOWN, "not measured"),
    ],
)
def test_whom_it_starts_as(user, uid, state: str, value: str) -> None:
    assert cell("starts as", SOMETHING, user=user, user_id=uid)[:2] == (state, value)


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("etc/ssl/certs/ca-certificates.crt", True),
        ("etc/ssl/cert.pem", True),
        ("usr/share/ca-certificates/mozilla/x.crt", True),
        ("etc/pki/tls/certs/ca-bundle.crt", True),
        ("opt/app/cacert.pem", True),
        ("etc/ssl/openssl.cnf", False),
        ("usr/share/doc/ca-certificates/copyright", False),
        ("app/cert.pem.js", False),
    ],
)
def test_certificates_are_told_by_where_they_are(path: str, is_one: bool) -> None:
    assert cell("certificates", file(path))[0] == (PLAIN if is_one else NONE)


APP = (
    file("app/own.js", layer=1, uid=1000, gid=1000, mode=0o644),
    file("app/group.js", layer=1, uid=0, gid=1000, mode=0o664),
    file("app/open.js", layer=1, uid=0, gid=0, mode=0o666),
    file("app/closed.js", layer=1, uid=0, gid=1000, mode=0o645),
    file("app/readonly.js", layer=1, uid=1000, gid=0, mode=0o466),
    file("app", kind="dir", layer=1, uid=1000, mode=0o755),
    file("etc/base", uid=1000, mode=0o666),
)


@pytest.mark.parametrize(
    ("uid", "gid", "value", "paths"),
    [
        (0, "0", "5 of 5", ["own", "group", "open", "closed", "readonly"]),
        (1000, "1000", "3 of 5", ["own", "group", "open"]),
        (1000, "0", "2 of 5", ["own", "open"]),
        (2000, "2000", "2 of 5", ["open", "readonly"]),
        (2000, "2000 1000", "3 of 5", ["group", "open", "readonly"]),
        (2000, None, "2 of 5", ["open", "readonly"]),
    ],
)
def test_app_files_it_may_change_by_the_rights_of_whom_it_starts_as(uid, gid, value, paths) -> None:
    found = cell("app files its user may change", *APP, user_id=uid, group_ids=gid)
    assert found == (FOUND, value, len(paths), [f"app/{name}.js" for name in paths])


def test_of_much_evidence_the_first_is_shown_and_how_much_more_there_is() -> None:
    _, behind = matrix(*(program(f"bin/{n:03}") for n in range(30)))
    shown = attack_surface.first(behind, 5)
    executables = shown[shown["property"].eq("executables (ELF)")]
    assert executables["what"].tolist() == [*(f"bin/{n:03}" for n in range(5)), "and 25 more"]
    assert attack_surface.first(behind, 30).reset_index(drop=True).equals(behind)


@pytest.mark.parametrize("user", ["none", "{count}", "user {user}", "x" * 99, "\x1b[31m"])
def test_a_name_out_of_an_image_is_no_word_of_the_kits(user: str) -> None:
    with i18n.speaking("ko"):
        table, behind = matrix(SOMETHING, user=user, user_id=1000)
        row = behind[behind["property"].eq("starts as")].iloc[0]
        shown = attack_surface.wide(table, behind).set_index("property").loc["starts as", "app"]
        assert i18n.told(row["what"]) == f"사용자 {user}"
        assert "\x1b" not in i18n.told(shown)
