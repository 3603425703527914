"""The matrix of what an attacker finds: each cell by its own rule, with the paths behind it."""

import pandas as pd
import pytest

from helpers.answers.answer import Answer
from helpers.answers.chart import Cell
from helpers.sizes import file_groups
from helpers.surface import attack_surface
from helpers.surface.checks import FOUND, NO_PACKAGE, NONE, PLAIN, UNKNOWN, questions
from helpers.text import i18n
from tests.conftest import file, files_of, image_of, layers_of, link, packages_of, program

ROOT = {"user": "", "user_id": 0, "group_ids": "0"}


def matrix(*files, packages=None, **image) -> tuple[pd.DataFrame, pd.DataFrame]:
    images = image_of(**{**ROOT, **image})
    layers = layers_of((0, "base", True), (0, "app", False))
    grouped = file_groups.grouped(files_of(*files), layers, images)
    return attack_surface.surface(grouped, images, packages_of(*packages or []))


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


def test_every_image_has_a_cell_for_every_property_in_one_order() -> None:
    table, _ = matrix(SOMETHING)
    assert table["property"].tolist() == list(questions())
    assert len(set(questions())) == 17


def test_tools_are_named_and_each_path_of_them_is_evidence() -> None:
    files = program("bin/busybox", version="1.37.0"), link("bin/sh", "busybox")
    assert cell("shells", *files) == (FOUND, "busybox, sh", 2, ["bin/busybox", "bin/sh"])
    assert cell("compilers", *files) == (NONE, "none", 0, [])
    _, behind = matrix(*files)
    assert behind["detail"].tolist()[:2] == [
        "busybox 1.37.0: program",
        "sh: link to bin/busybox",
    ]


def test_without_files_packages_are_asked_and_silence_is_not_none() -> None:
    listed = [{"package": "busybox"}, {"package": "musl"}]
    by = matrix(packages=listed)[0].set_index("property")
    assert by.loc["shells", "state"] == UNKNOWN, "the report is not known to list packages"
    images = image_of(**ROOT, packages=2)
    grouped = file_groups.grouped(files_of(), layers_of(), images)
    table, behind = attack_surface.surface(grouped, images, packages_of(*listed))
    by = table.set_index("property")
    assert by.loc["shells", ["state", "value"]].tolist() == [FOUND, "busybox (by its packages)"]
    assert by.loc["compilers", ["state", "value"]].tolist() == [NO_PACKAGE, "no such package"]
    assert by.loc["C library", ["state", "value"]].tolist() == [PLAIN, "musl (by its packages)"]
    assert by.loc["certificates", "state"] == UNKNOWN
    by_package = behind["detail"].str.contains("a package by that name")
    assert behind[by_package]["what"].tolist() == ["busybox", "musl"]
    shown = answer(table, behind)
    assert shown.title.endswith("by package lists: shells in 1 of 1 image, package managers in 0")
    assert "no package by such a name, so perhaps none: package managers" in shown.text.plain
    assert shown.counted == "tools by the names of packages", "there are no files"
    assert shown.chart.rows == ["shells", "starts as", "C library"]
    assert ". In none: " in attack_surface.limits_answer(table).text.plain


@pytest.mark.parametrize(
    ("starts", "shell", "expected"),
    [
        (True, "/bin/sh", (FOUND, "/bin/sh", 1, ["/bin/sh"])),
        (False, None, (NONE, "none", 0, [])),
        (None, None, (UNKNOWN, "not tried", None, [])),
    ],
)
def test_a_shell_starts_if_it_was_started(starts, shell, expected) -> None:
    assert cell("shell that starts", SOMETHING, shell_starts=starts, shell=shell) == expected


@pytest.mark.parametrize(
    ("user", "uid", "state", "value"),
    [
        ("", 0, FOUND, "root"),
        ("root", 0, FOUND, "root"),
        ("0:0", 0, FOUND, "root"),
        ("node", 1000, NONE, "not root (uid 1000)"),
        ("65532", 65532, NONE, "not root (uid 65532)"),
        ("ghost", None, PLAIN, "ghost"),
        (None, None, UNKNOWN, "not measured"),
    ],
)
def test_whom_it_starts_as(user, uid, state: str, value: str) -> None:
    assert cell("starts as", SOMETHING, user=user, user_id=uid)[:2] == (state, value)


def test_setuid_and_setgid_files_but_no_devices_or_folders() -> None:
    files = (
        program("bin/su", mode=0o4755),
        program("bin/wall", mode=0o2755),
        file("var/mail", kind="dir", mode=0o2775),
        file("dev/x", kind="char", mode=0o4666),
        program("bin/ls"),
    )
    assert cell("setuid or setgid files", *files) == (FOUND, "2", 2, ["bin/su", "bin/wall"])


def test_what_anybody_may_write_links_and_devices_aside_sticky_folders_apart() -> None:
    files = (
        file("tmp", kind="dir", mode=0o1777),
        file("srv", kind="dir", mode=0o777),
        file("etc/x", mode=0o666),
        file("dev/null", kind="char", mode=0o666),
        link("bin/sh", "x"),
        file("etc/y", mode=0o664),
    )
    assert cell("paths anybody may write", *files) == (
        FOUND,
        "3 (1 of them sticky)",
        3,
        ["tmp", "srv", "etc/x"],
    )
    assert cell("paths anybody may write", files[0])[:3] == (FOUND, "1 (all sticky)", 1)


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


def test_without_an_app_or_without_knowing_the_user_there_is_none_or_nothing_known() -> None:
    assert cell("app files its user may change", SOMETHING)[:2] == (NONE, "no app files")
    assert cell("app files its user may change", *APP, user_id=None)[0] == UNKNOWN
    closed = file("app/x.js", layer=1)
    assert cell("app files its user may change", closed, user_id=1000)[:2] == (NONE, "none")


def test_executables_and_libraries_are_elf_files_each_once() -> None:
    files = (
        program("bin/a"),
        program("bin/b", elf="static"),
        program("bin/c", kind="hardlink", target="bin/a"),
        file("lib/x.so", elf="shared"),
        file("bin/script", mode=0o755),
    )
    assert cell("executables (ELF)", *files) == (PLAIN, "2", 2, ["bin/a", "bin/b"])
    assert cell("shared libraries (ELF)", *files) == (PLAIN, "1", 1, ["lib/x.so"])
    assert cell("executables (ELF)", SOMETHING) == (NONE, "none", 0, [])


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


def test_the_c_library_and_what_lacks_something() -> None:
    loader = "/lib/ld-musl-x86_64.so.1"
    files = (
        file("lib/ld-musl-x86_64.so.1", elf="shared"),
        program("bin/x", elf_interpreter=loader),
        file("app/y.node", elf="shared", needed=("libgone.so",)),
    )
    assert cell("C library", *files)[:2] == (PLAIN, "musl")
    assert cell("ELF files that lack something", *files) == (FOUND, "1", 1, ["app/y.node"])
    assert cell("C library", SOMETHING)[:2] == (NONE, "none")


def test_the_table_has_a_column_an_image_and_the_first_paths_beside_each_value() -> None:
    files = [program(f"bin/{name}") for name in ("bash", "dash", "sh", "zsh")]
    table = attack_surface.wide(*matrix(*files), shown=2)
    assert list(table) == ["property", "app"]
    assert table["app"].iloc[0] == "bash, dash, sh, zsh (bin/bash, bin/dash, and 2 more)"
    assert table["app"].iloc[1] == "none"


def test_of_much_evidence_the_first_is_shown_and_how_much_more_there_is() -> None:
    _, behind = matrix(*(program(f"bin/{n:03}") for n in range(30)))
    shown = attack_surface.first(behind, 5)
    executables = shown[shown["property"].eq("executables (ELF)")]
    assert executables["what"].tolist() == [*(f"bin/{n:03}" for n in range(5)), "and 25 more"]
    assert attack_surface.first(behind, 30).reset_index(drop=True).equals(behind)


def test_the_answer_counts_images_and_says_what_is_not_there() -> None:
    table, behind = matrix(program("bin/sh"), shell_starts=True, shell="/bin/sh")
    answered = answer(table, behind)
    assert answered.title.endswith(
        "shells in 1 of 1 image, package managers in 0, setuid or setgid files in 0"
    )
    lines = answered.text.plain.splitlines()
    assert lines[0].startswith("• app: none: package managers, app installers, ")
    assert "most: shells 1" in lines[0]
    assert not answered.by_scanner
    assert answered.counted == "tools by name, files by kind and mode"
    limits = attack_surface.limits_answer(table).text.plain
    assert limits.startswith("Measured in every image: 17 of 17 properties. Not looked at")


def test_the_chart_has_the_first_properties_to_look_for_in_groups() -> None:
    chart = answer(*matrix(program("bin/sh"), program("bin/x")), known_share=0.35).chart
    assert chart.columns == ["app"]
    assert len(chart.rows) == len(chart.groups) == len(chart.cells) <= 8
    assert list(dict.fromkeys(chart.groups)) == ["Ways in", "Privileges", "Programs"]
    cells = {row: cells[0] for row, cells in zip(chart.rows, chart.cells, strict=True)}
    assert cells["shells"] == Cell("found", "sh", 1)
    assert cells["executables not scanned"] == Cell("plain", "65% of the bytes", None, "65%")


def test_the_chart_leaves_out_what_no_image_was_measured_in_and_the_table_does_not() -> None:
    table, behind = matrix(program("bin/sh"), user=None, user_id=None)
    answered = answer(table, behind)
    assert not {"starts as", "executables not scanned"} & set(answered.chart.rows)
    assert answered.table["property"].tolist() == list(questions())
    assert answer(table.iloc[:0], behind.iloc[:0]).chart.rows == []


def test_frames_stay_english_and_tell_their_cells_in_korean() -> None:
    files = program("bin/sh"), program("bin/bash"), program("bin/none")
    english = matrix(*files)
    with i18n.speaking("ko"):
        table, behind = matrix(*files)
        cells = dict(answer(table, behind).table.map(i18n.told).itertuples(index=False, name=None))
        evidence = attack_surface.evidence_answer(table, behind).shown.map(i18n.told)
    assert table.equals(english[0])
    assert behind.equals(english[1])
    assert cells["shells"] == "sh, bash (bin/sh, bin/bash)"
    assert cells["compilers"] == "없음"
    assert cells["starts as"] == "root (지정된 사용자 없음)"
    assert evidence.iloc[0, 2:].tolist() == ["bin/sh", "sh: 프로그램"]


@pytest.mark.parametrize("user", ["none", "{count}", "user {user}", "x" * 99, "\x1b[31m"])
def test_a_name_out_of_an_image_is_no_word_of_the_kits(user: str) -> None:
    with i18n.speaking("ko"):
        table, behind = matrix(SOMETHING, user=user, user_id=1000)
        row = behind[behind["property"].eq("starts as")].iloc[0]
        shown = attack_surface.wide(table, behind).set_index("property").loc["starts as", "app"]
        assert i18n.told(row["what"]) == f"사용자 {user}"
        assert "\x1b" not in i18n.told(shown)
