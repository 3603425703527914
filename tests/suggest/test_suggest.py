"""Which tag to move to, of a real registry's small images, scanned by Trivy."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.errors import RegistryFailed
from helpers.images import dockerfile, oci, reference
from helpers.registry import connections
from helpers.registry.image_cache import ImageCache
from helpers.registry.repository import Repository
from helpers.suggest import candidates, constraints, given_dockerfile
from helpers.suggest.constraints import Wanted
from tests.support import image_archives as images
from tests.support.command_line import run
from tests.support.registries import Registry

LOADERS = {"glibc": "/lib64/ld-linux-x86-64.so.2", "musl": "/lib/ld-musl-x86_64.so.1"}
OLD, NEW = "3.5.0-1", "3.5.99-1"
"""Versions of OpenSSL in trixie: one with known vulnerabilities that are fixed, and one without."""


def layer(node: str, openssl: str = NEW, libc: str = "glibc", system: str = "13") -> bytes:
    """A root with Node.js for a C library: Debian's, or Alpine's for musl."""
    program = images.elf(interpreter=LOADERS[libc]) + f"node.js/v{node}\0".encode()
    files = [images.file("usr/local/bin/node", program, mode=0o755)]
    if libc == "musl":
        release, status = (
            "ID=alpine\nVERSION_ID=3.23.0\n",
            f"P:musl\nV:1.2.5-r{len(node)}\nA:x86_64\n\n",
        )
        files += [images.file("etc/alpine-release", b"3.23.0\n")]
        files += [images.file("lib/apk/db/installed", status.encode())]
    else:
        release = f'ID=debian\nVERSION_ID="{system}"\n'
        status = (
            f"Package: openssl\nStatus: install ok installed\nVersion: {openssl}\n"
            "Architecture: amd64\nMaintainer: x\nDescription: x\n\n"
        )
        files += [images.file("etc/debian_version", f"{system}.1\n".encode())]
        files += [images.file("var/lib/dpkg/status", status.encode())]
    return images.tar(*files, images.file("etc/os-release", release.encode()))


def push(there: Registry, name: str, tag: str, root: bytes, node: str = "", **fields: Any) -> str:
    settings = {"Env": [f"NODE_VERSION={node}"] if node else []}
    fields = {"created": "2026-11-01T00:00:00Z", "config": settings} | fields
    manifest, _ = there.image(name, root, tag=tag, **fields)
    return str(manifest["digest"])


@pytest.fixture
def repository(registry_here: Registry) -> str:
    """A repository with tags of an old and a new image, and what nobody should move to."""
    name = "move/node"
    there = registry_here
    push(there, name, "22-trixie", layer("22.1.0", OLD), "22.1.0")
    push(there, name, "22.1.0-trixie", layer("22.1.0", OLD), "22.1.0")
    push(there, name, "24-trixie", layer("24.2.0"), "24.2.0")
    push(there, name, "24.2.0-trixie", layer("24.2.0"), "24.2.0")
    push(there, name, "25-trixie", layer("25.0.0"), "25.0.0")
    push(there, name, "20-trixie", layer("20.1.0"), "20.1.0")
    push(there, name, "24-alpine", layer("24.2.0", libc="musl"), "24.2.0")
    push(there, name, "24-bookworm", layer("24.2.0", system="12"), "24.2.0")
    push(there, name, "24-other", layer("24.2.1"), "24.2.1", architecture="arm64")
    push(there, name, "24-broken", b"no tar", "24.2.0")
    push(there, name, "26-rc1", layer("26.0.0"), "26.0.0")
    return f"{there.host}/{name}"


@pytest.mark.slow
@pytest.mark.usefixtures("trivy_on_path", "empty_data")
def test_the_newer_line_with_fewer_to_fix_and_each_other_with_its_reason(
    repository: str, db: Path
) -> None:
    options = ("--db", db, "--platform", "linux/amd64", "--format", "json")
    done = run("suggest", f"{repository}:22-trixie", "--check", *options)
    assert done.status == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["move_to"] == [f"{repository}:24.2.0-trixie"]
    assert "runtime: from node 22.1.0 to node 24.2.0" in told["changes"]
    assert told["dockerfile"][1].startswith(f"FROM {repository}:24.2.0-trixie@sha256:")
    refused = {
        each["image"].rpartition(":")[2]: each.get("reason") or each["refused"]
        for each in (*told["refused"], *told["captured"])
    }
    assert refused.pop("22.1.0-trixie") == "it is the image in use"
    assert refused.pop("24-other").endswith("not for linux/amd64")
    assert refused == {
        "22-trixie": "",
        "24.2.0-trixie": "",
        "25-trixie": "node 25 is not a long-term release",
        "20-trixie": "node 20 is older than node 22",
        "24-alpine": "its C library is musl, not glibc",
        "24-bookworm": "the support of debian 12.1 ended on 2026-07-11",
        "24-broken": "it could not be scanned",
    }
    done = run("suggest", f"{repository}:24-trixie", "--check", *options[:4])
    assert done.status == 0, done.stderr
    assert done.stdout.startswith("# Stay on ")


def test_an_old_digest_of_a_tag_is_pulled_again(registry_here: Registry, data: Path) -> None:
    there = registry_here
    old = push(there, "again/node", "22", layer("22.1.0", OLD), "22.1.0")
    push(there, "again/node", "22", layer("22.2.0"), "22.2.0")
    wanted = Wanted("", "", False, date(2026, 6, 1))
    found = []
    for digest in ("", f"@{old}"):
        of = reference.parse(f"{there.host}/again/node:22{digest}")
        cache = ImageCache(data / "cache" / "images")
        listed = candidates.listed(of, [], oci.parse("amd64"), wanted, cache)
        found.append((listed.pull_again, [bool(each.refused) for each in listed.found]))
    assert found == [(False, [True]), (True, [False])]


def test_of_too_many_tags_short_ones_are_looked_at_and_it_is_said(
    registry_here: Registry, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, root = registry_here, layer("22.1.0")
    for tag in ("22", "22.1.0", "22.1", "22.0.9", "latest", "20260101"):
        push(there, "many/node", tag, root, "22.1.0")
    monkeypatch.setattr(candidates, "MAX_TAGS", 3)
    of = reference.parse(f"{there.host}/many/node:22.0.9")
    wanted = Wanted("", "", False, date(2026, 6, 1))
    cache = ImageCache(data / "cache" / "images")
    listed = candidates.listed(of, [], oci.parse("amd64"), wanted, cache)
    assert sorted(tag for each in listed.found for tag in each.tags) == ["22", "22.0.9", "22.1"]
    assert any("3 of 4 tags" in note for note in listed.notes)


def test_a_registry_that_needs_a_login_says_so_and_cannot_tell(
    registry_secured: Registry, empty_data: Path
) -> None:
    ca = {"SSL_CERT_FILE": str(registry_secured.ca), "REQUESTS_CA_BUNDLE": str(registry_secured.ca)}
    done = run("suggest", f"{registry_secured.host}/app:1", "--check", **ca)
    assert done.status == 2
    assert "denies access" in done.stderr


def listed_of(there: Registry, name: str, data: Path) -> candidates.Listed:
    of = reference.parse(f"{there.host}/{name}")
    cache = ImageCache(data / "cache" / "images")
    wanted = Wanted("", "", False, date(2026, 6, 1))
    return candidates.listed(of, [], oci.parse("amd64"), wanted, cache)


def test_a_second_run_asks_for_the_list_and_for_the_digest_of_each_tag(
    registry_here: Registry, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = registry_here
    for tag in ("22", "24", "26"):
        push(there, "twice/node", tag, layer(f"{tag}.1.0"), f"{tag}.1.0")
    first = listed_of(there, "twice/node:22", data)
    asked, ask = [], connections.Session.ask

    def counted(one: Any, method: str, url: str, *rest: Any, **named: Any) -> Any:
        asked.append((method, url.rpartition("/v2/twice/node/")[2].partition("?")[0]))
        return ask(one, method, url, *rest, **named)

    monkeypatch.setattr(connections.Session, "ask", counted)
    assert listed_of(there, "twice/node:22", data) == first
    # The image in use is asked for as such, too.
    heads = [("HEAD", f"manifests/{tag}") for tag in ("22", "22", "24", "26")]
    assert sorted(asked) == sorted([("GET", "tags/list"), *heads])


def test_no_more_than_the_newest_are_captured_and_older_builds_of_them_are_not(
    registry_here: Registry, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = registry_here
    monkeypatch.setattr(candidates, "MAX_CAPTURED", 1)
    for month, tag in enumerate(("22.1", "24.1-slim", "24.1", "24.2"), 1):
        created = f"2026-{month:02}-01T00:00:00Z"
        push(there, "newest/node", tag, layer(tag[:4]), f"{tag[:4]}.0", created=created)
    listed = listed_of(there, "newest/node:22.1", data)
    name = f"{there.host}/newest/node"
    assert [(each.tag, each.refused) for each in listed.found] == [
        ("22.1", "it is the image in use"),
        ("24.2", ""),
        ("24.1", f"{name}:24.2 is a newer build of it"),
        ("24.1-slim", "it is older than the 1 candidates that are captured"),
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("trivy_on_path", "empty_data")
def test_a_registry_that_limits_requests_is_no_reason_to_stay(
    registry_here: Registry, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = registry_here
    push(there, "limited/node", "22", layer("22.1.0"), "22.1.0")
    push(there, "limited/node", "24", layer("24.1.0"), "24.1.0")
    find = Repository.find

    def limited(one: Repository, wanted: oci.Platform = oci.ANY) -> Any:
        if one.name.endswith(":24"):
            raise RegistryFailed(f"{one.name}: 429\x1b[2J, too many requests")
        return find(one, wanted)

    monkeypatch.setattr(Repository, "find", limited)
    done = run("suggest", f"{there.host}/limited/node:22", "--check", "--db", db)
    assert (done.status, "429" in done.stdout, "\x1b" in done.stdout) == (2, True, False)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, ""),
        ({"shell": False}, "it has no shell"),
        ({"libc": ""}, "its C library is unknown"),
        ({"os": "wolfi 20230201"}, "the end of support of wolfi 20230201 is unknown"),
        ({"os": ""}, "its operating system is unknown"),
        ({"runtime": ""}, "its runtime is unknown"),
        ({"runtime": "python 3.14.0"}, "its runtime is python 3.14.0, not node"),
        ({"status": "failed"}, "it could not be scanned"),
    ],
)
def test_what_is_not_known_is_no_pass(changed: dict[str, Any], refused: str) -> None:
    wanted = Wanted("node 22.1.0", "glibc", True, date(2026, 6, 1))
    known = {"os": "debian 13.1", "runtime": "node 24.2.0", "libc": "glibc", "shell": True}
    facts = pd.DataFrame([{"status": "scanned", **known, **changed}])
    assert constraints.refusals(facts, wanted) == [refused]


@pytest.mark.slow
@pytest.mark.usefixtures("trivy_on_path", "empty_data")
def test_a_dockerfile_whose_last_stage_runs_a_command_needs_a_shell(
    repository: str, db: Path, tmp_path: Path
) -> None:
    file = tmp_path / "Dockerfile"
    options = ("--format", "json", "--db", db, "--platform", "linux/amd64")
    found = []
    for command in ('["npm", "ci"]', "npm ci"):
        file.write_text(f"FROM x AS y\nRUN make\nFROM {repository}:22-trixie\nRUN {command}\n")
        told = json.loads(run("suggest", file, *options).stdout)
        by_image = {each["image"].rpartition(":")[2]: each["refused"] for each in told["captured"]}
        found.append(by_image["24.2.0-trixie"])
    assert found == ["", "it has no shell"]


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("CMD node x.js", True),
        ('CMD ["node", "x.js"]', False),
        ("HEALTHCHECK --interval=5s CMD curl x", True),
        ('HEALTHCHECK CMD ["/x"]', False),
        ("HEALTHCHECK NONE", False),
        ("RUN --mount=type=cache,target=/x npm ci", True),
        ("COPY a b", False),
    ],
)
def test_only_the_shell_form_needs_a_shell(line: str, needs: bool) -> None:
    assert given_dockerfile.needs_shell(dockerfile.stages(f"FROM a\n{line}\n")) == needs


def test_a_dockerfile_on_scratch_has_nothing_to_move_from(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM scratch\nCOPY a b\n")
    done = run("suggest", file)
    assert (done.status, "no base image" in done.stderr) == (2, True)
