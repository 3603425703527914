"""Many images: each once by its digest, each package list scanned once, and nothing lost."""

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from helpers import paths
from helpers.errors import NoSpace, StudyInvalid
from helpers.fleet_capture.fleet import capture
from helpers.fleet_capture.fleet_folder import FleetFolder
from helpers.images import oci
from helpers.registry import connections
from helpers.scanning.vulndb import VulnDb
from tests.support import faulty_registry
from tests.support import image_archives as images
from tests.support import package_lists as support
from tests.support.command_line import run
from tests.support.faulty_registry import Faulty
from tests.support.registries import PASSWORD, Registry, auths

pytestmark = pytest.mark.usefixtures("trivy_on_path")

ALPINE = images.file("etc/alpine-release", b"3.23.0\n")


def root(*packages: str) -> bytes:
    """The files of an Alpine image with packages."""
    listed = "".join(f"P:{name}\nV:1.2.5-r0\nA:x86_64\n\n" for name in packages).encode()
    release = images.file("etc/os-release", b'ID=alpine\nVERSION_ID="3.23.0"\n')
    return images.tar(ALPINE, release, images.file("lib/apk/db/installed", listed))


@pytest.fixture(scope="session")
def tags(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SBOMs of all tags of a repository."""
    place = tmp_path_factory.mktemp("tags")
    return support.sboms(shared, place, "--repo", support.REPOSITORY)


@pytest.fixture(scope="session")
def fleet_db(shared: Path) -> Path:
    return support.folder(shared) / "vulndb"


@pytest.fixture
def own_cache(empty_data: Path) -> Path:
    """A cache of this test alone."""
    (empty_data / "cache").unlink()
    return empty_data / "cache"


class TestPackageLists:
    """SBOMs of real images' tags."""

    def test_all_tags_give_each_list_one_scan_and_the_counts_of_every_image(
        self, tags: Path, fleet_db: Path, shared: Path, empty_data: Path
    ) -> None:
        done = run("fleet", "capture", tags, "--name", "all", "--db", fleet_db)
        assert done.status == 0
        assert "10 references: 4 distinct images, 3 distinct package lists" in done.stdout
        assert (
            "3 scans made, 0 reused; 1 images share another image's scan; 0 failed" in done.stdout
        )
        fleet, expected = paths.fleet("all"), support.counts(shared)
        found = support.images(fleet)
        assert sum(len(image["references"]) for image in found) == 10
        for image in found:
            row = expected[image["image_id"].removeprefix("sha256:")[:12]]
            counted = support.counted(fleet / image["scan"])
            assert counted == {name: row[name] for name in support.COUNTS}
        assert len({image["scan"] for image in found}) == 3
        assert len([*(fleet / "scans").rglob("*.json.gz")]) == 3
        facts = support.facts(fleet)
        assert facts["finished"]
        assert facts["db"]["sha256"]

    def test_with_another_database_all_are_scanned_again_and_none_are_mixed(
        self, tags: Path, fleet_db: Path, empty_data: Path, tmp_path: Path
    ) -> None:
        list_ = tmp_path / "list"
        copied = shutil.copytree(tags, tmp_path / "tags")
        list_.write_text("".join(f"{path}\n" for path in sorted(copied.iterdir())))
        fleet = capture(str(list_), db=fleet_db).folder
        before = support.content(fleet)
        other = shutil.copytree(fleet_db, tmp_path / "db")
        with (other / "db" / "trivy.db").open("ab") as file:
            file.write(b"\0")
        broken = sorted(copied.iterdir())[0]
        text = broken.read_bytes()
        # What cannot be scanned any more would be lost.
        broken.write_bytes(text[: len(text) // 2])
        outcome = capture(str(list_), db=other)
        assert outcome.made == 3
        broken.write_bytes(text)
        outcome = capture(str(list_), db=other)
        assert (outcome.made, outcome.kept, outcome.is_kept_back) == (0, 3, False)
        assert support.content(fleet) == before
        assert len([*(fleet / "scans").iterdir()]) == 1

    def test_a_second_capture_at_the_same_time_is_refused(
        self, tags: Path, fleet_db: Path, empty_data: Path
    ) -> None:
        with FleetFolder("one").locked(), pytest.raises(StudyInvalid, match="is running"):
            capture(str(tags), "one", db=fleet_db)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk to fill")
    def test_a_full_disk_leaves_what_was_there(
        self, tags: Path, fleet_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small = tmp_path / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", small], check=True)
        try:
            monkeypatch.setenv("KIT_DATA", str(small))
            one = sorted(tags.iterdir())[0]
            fleet = capture(str(one), "full", db=fleet_db).folder
            before = (fleet / "images.jsonl").read_bytes()
            (small / "filler").write_bytes(bytes(1_400_000))
            with pytest.raises(NoSpace, match="he disk is full"):
                capture(str(tags), "full", db=fleet_db)
            assert (fleet / "images.jsonl").read_bytes() == before
            assert support.facts(fleet)["finished"]
            (small / "filler").unlink()
            assert capture(str(tags), "full", db=fleet_db).failed == []
        finally:
            subprocess.run(["umount", small], check=True)


class TestARegistry:
    """A real registry with TLS and a login, without a daemon."""

    @pytest.fixture(autouse=True)
    def user(
        self,
        registry_secured: Registry,
        as_user: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(registry_secured.ca))
        monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
        as_user(auths=auths(registry_secured.host))

    def test_all_of_a_project_once_by_digest_and_layers_shared(
        self, registry_secured: Registry, empty_data: Path, db: Path, tmp_path: Path
    ) -> None:
        there, host = registry_secured, registry_secured.host
        first, first_id = there.image("team/one", root("musl"), tag="1")
        there.image("team/one", root("musl"), tag="1.0")
        there.image("team/two", root("musl"), tag="1", created="2025-01-02T03:04:05Z")
        there.image("team/two", root("musl", "zlib"), tag="2")
        there.image("other/three", root("busybox"), tag="1")
        archive = images.docker_save(tmp_path / "saved.tar", root("musl"), tags=("saved:1",))
        (tmp_path / "list").write_text(
            f"# all of it\n\n{host}/team/\n{archive}\n{host}/team/one:1\n"
        )
        outcome = capture(str(tmp_path / "list"), db=db)
        assert outcome.failed == []
        counts = (outcome.references, outcome.images, outcome.lists, outcome.made)
        assert counts == (5, 3, 2, 2)
        found = {image["image"]: image for image in support.images(outcome.folder)}
        one, two = found[f"{host}/team/one:1"], found[f"{host}/team/two:1"]
        assert one["references"] == [f"{host}/team/one:1", f"{host}/team/one:1.0", "saved:1"]
        assert (one["digest"], one["image_id"]) == (first["digest"], first_id)
        assert one["scan"] == two["scan"] != found[f"{host}/team/two:2"]["scan"]
        assert two["created_at"] == "2025-01-02T03:04:05Z"
        assert one["size_compressed_bytes"] == len(images.gzipped(root("musl")))
        names = {
            p["Name"] for r in support.results(outcome.folder / one["scan"]) for p in r["Packages"]
        }
        assert names == {"musl"}
        assert not any(
            PASSWORD in path.read_text(errors="replace") for path in outcome.folder.rglob("*.json*")
        )
        again = capture(str(tmp_path / "list"), db=db)
        assert (again.made, again.kept, again.failed) == (0, 2, [])

    def test_of_an_index_each_platform_that_is_wanted(
        self, registry_secured: Registry, empty_data: Path, db: Path
    ) -> None:
        there, made = registry_secured, []
        for architecture in ("amd64", "arm64"):
            image, _ = there.image("multi", root(architecture), architecture=architecture)
            made.append(image | images.on_platform(architecture))
        reference = there.index("multi", *made)
        wanted = [oci.parse(name) for name in ("arm64", "s390x", "amd64")]
        outcome = capture(reference, "multi", db=db, platforms=wanted)
        found = support.images(outcome.folder)
        assert [image.get("architecture") for image in found] == ["arm64", "amd64", None]
        assert {image["image"] for image in found} == {reference}
        assert "no image for linux/s390x" in found[-1]["reason"]
        assert [image.reason for image in outcome.failed] == [found[-1]["reason"]]


class TestAFaultyRegistry:
    """Whatever it does, the other images are there, and none is there twice."""

    @pytest.fixture
    def served(self, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
        monkeypatch.setattr(
            connections,
            "_PATIENT",
            connections._PATIENT.new(total=2, backoff_factor=0.01, backoff_jitter=0),
        )
        with faulty_registry.serving() as running:
            monkeypatch.setattr(connections, "SMALL_SECONDS", 2.0)
            for number in range(3):
                running.add("good", str(number), root("musl", f"p{number}"))
            running.add("bad", "1", root("bad"))
            yield running

    @pytest.fixture
    def listed(self, served: Faulty, tmp_path: Path) -> str:
        names = ["good:0", "bad:1", "good:1", "good:2"]
        (tmp_path / "list").write_text("".join(f"{served.host}/{name}\n" for name in names))
        return str(tmp_path / "list")

    @pytest.mark.parametrize(
        ("path", "fault", "reason"),
        [
            ("manifests/1", faulty_registry.status(500), "returned 500"),
            ("blobs", faulty_registry.other_bytes, "does not match"),
            ("manifests/1", faulty_registry.slow(20), "too slow"),
        ],
    )
    def test_one_that_fails_has_its_reason_and_is_tried_again(
        self, served: Faulty, listed: str, db: Path, path: str, fault, reason: str
    ) -> None:
        served.faulty_path = next(
            each for each in served.files if each.startswith(f"/v2/bad/{path}")
        )
        served.fault = fault
        done = run("fleet", "capture", listed, "--name", "x", "--db", db)
        assert done.status == 1
        assert "3 scans made" in done.stdout
        assert "1 failed" in done.stdout
        assert re.search(rf"Error: {served.host}/bad:1: .*{reason}", done.stderr)
        lines = {image["image"]: image for image in support.images(paths.fleet("x"))}
        assert lines[f"{served.host}/bad:1"]["status"] == "failed"
        assert reason in lines[f"{served.host}/bad:1"]["reason"]
        assert len(lines) == 4
        served.fault = None
        again = capture(listed, "x", db=db)
        assert (again.made, again.kept, again.failed) == (1, 3, [])

    def test_what_was_scanned_stays_while_its_registry_is_away(
        self, served: Faulty, listed: str, db: Path, tmp_path: Path
    ) -> None:
        fleet = capture(listed, "x", db=db).folder
        before = support.images(fleet)
        served.redirect = "http://localhost:1"
        outcome = capture(listed, "x", db=db)
        assert len(outcome.failed) == 4
        found = support.images(fleet)
        assert [image for image in found if image.get("status") != "failed"] == before
        other = shutil.copytree(db, tmp_path / "db")
        with (other / "db" / "trivy.db").open("ab") as file:
            file.write(b"\0")
        outcome = capture(listed, "x", db=other)
        assert outcome.is_kept_back
        assert support.images(fleet) == found

    def test_what_was_scanned_stays_while_the_catalog_cannot_be_read(
        self, served: Faulty, db: Path
    ) -> None:
        served.files["/v2/_catalog?n=1000"] = b'{"repositories": ["good", "bad"]}'
        served.files["/v2/good/tags/list?n=1000"] = b'{"tags": ["0", "1", "2"]}'
        served.files["/v2/bad/tags/list?n=1000"] = b'{"tags": ["1"]}'
        list_ = f"{served.host}/"
        fleet = capture(list_, "x", db=db).folder
        before = support.images(fleet)
        assert len(before) == 4
        for path in ("/v2/bad/tags/list?n=1000", "/v2/_catalog?n=1000"):
            content = served.files.pop(path)
            with contextlib.suppress(StudyInvalid):
                capture(list_, "x", db=db)
            found = [image for image in support.images(fleet) if image.get("status") != "failed"]
            assert sorted(map(str, found)) == sorted(map(str, before))
            served.files[path] = content

    def test_what_its_digest_names_is_asked_for_once_and_the_cache_keeps_its_limit(
        self,
        served: Faulty,
        listed: str,
        db: Path,
        own_cache: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        capture(listed, "x", db=db)
        served.methods.clear()
        capture(listed, "x", db=db)
        assert {method for method, path in served.methods} == {"HEAD"}
        monkeypatch.setenv("KIT_CACHE_GB", "0")
        assert capture(f"{served.host}/bad:1", "y", db=db).failed == []
        assert not [*(own_cache / "images" / "sha256").glob("*")]


def test_a_stop_ends_what_the_capture_has_started_and_nothing_else(
    fleet_db: Path, empty_data: Path, tmp_path: Path, check_stop: Callable[..., None]
) -> None:
    images.docker_save(tmp_path / "one.tar", root())
    command = partial(capture, str(tmp_path / "one.tar"), "mine", db=fleet_db)
    check_stop(command, FleetFolder, "keep")


def test_a_java_db_that_an_image_brings_is_of_the_scans_before_too(
    tags: Path, fleet_db: Path, empty_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_, other = sorted(tags.iterdir())
    (tmp_path / "list").write_text(f"{one}\n")
    fleet = capture(str(tmp_path / "list"), "java", db=fleet_db).folder
    before = support.content(fleet)
    answers = iter([None, *[datetime(2026, 11, 1, tzinfo=UTC)] * 9])
    monkeypatch.setattr(VulnDb, "java_updated_at", lambda _: next(answers))
    (tmp_path / "list").write_text(f"{one}\n{other}\n")
    outcomes = [capture(str(tmp_path / "list"), "java", db=fleet_db) for _ in range(2)]
    assert [outcome.made for outcome in outcomes] == [outcomes[0].lists - 1, 0]
    assert before.items() <= support.content(fleet).items()
    assert len([*(fleet / "scans").iterdir()]) == 1


def test_two_sboms_that_name_one_image_and_list_other_packages_are_two(
    tags: Path, fleet_db: Path, empty_data: Path, tmp_path: Path
) -> None:
    for number, path in enumerate(sorted(tags.iterdir())[:2]):
        document = json.loads(path.read_bytes())
        document["metadata"]["component"]["properties"][0] = {
            "name": "aquasecurity:trivy:ImageID",
            "value": f"sha256:{'1' * 64}",
        }
        document["components"] = document["components"][: 40 + number]
        (tmp_path / f"{number}.json").write_text(json.dumps(document))
    outcome = capture(str(tmp_path), "two", db=fleet_db)
    assert (outcome.images, outcome.lists) == (2, 2)
    assert len({image["digest"] for image in support.images(outcome.folder)}) == 2
