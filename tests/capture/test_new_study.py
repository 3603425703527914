"""What a user may name becomes a study that compares it, with and without daemon and scanner."""

import base64
import gzip
import json
import lzma
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from helpers import cli, paths
from helpers.capture import evidence, new_study, resolve
from helpers.capture.daemon import Daemon
from helpers.capture.session import capture
from helpers.errors import CaptureFailed, StudyInvalid
from helpers.images import compression
from helpers.images.archive import open_archive
from helpers.studies import study
from helpers.studies.load import load_study
from tests.capture.test_scan import SOURCES
from tests.conftest import Write, finding, trivy
from tests.scans.test_grype import TARGET, match
from tests.scans.test_grype import report_of as grype
from tests.support import image_archives as images

SBOM = SOURCES / "node-8-alpine.cdx.json"
LAYER = images.tar(images.file("etc/os-release", b"ID=alpine\nVERSION_ID=3.23.0\n"))
SPDX = {"spdxVersion": "SPDX-2.3", "packages": []}
TAGS = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\n"

SECRET = "hunter2-hunter2"
CONFIG = base64.b64encode(json.dumps({"config": {"Env": [f"TOKEN={SECRET}"]}}).encode()).decode()

NOWHERE = "unix:///no/where.sock"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder without any study."""
    monkeypatch.setenv("KIT_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def refused(source: str) -> str:
    with pytest.raises(StudyInvalid) as caught:
        new_study.kind(source)
    return str(caught.value)


class TestKind:
    def test_archives(self, tmp_path: Path) -> None:
        saved = images.docker_save(tmp_path / "saved", LAYER)
        (tmp_path / "saved.tgz").write_bytes(gzip.compress(saved.read_bytes()))
        layout = images.Layout()
        descriptor = layout.image(LAYER)
        layout.tar(tmp_path / "oci.tar", descriptor)
        layout.folder(tmp_path / "oci", descriptor)
        (tmp_path / "link").symlink_to(saved)
        for name in ("saved", "saved.tgz", "oci.tar", "oci", "oci/", "link"):
            assert new_study.kind(str(tmp_path / name)) == "archive", name
            assert new_study.kind(name) == "archive", "also relative to where one is"

    def test_what_is_opened_as_an_archive_is_called_one(self, tmp_path: Path) -> None:
        content = images.docker_save(tmp_path / "saved", LAYER).read_bytes()
        for compress in (images.gzipped, images.zstd, images.xz, images.bzip2):
            path = tmp_path / compress.__name__
            path.write_bytes(compress(content))
            assert new_study.kind(str(path)) == "archive", path
            with open_archive(path) as archive:
                assert len(archive.layers) == 1
            path.write_bytes(compress(b"text " * 999))
            assert "neither an image archive" in refused(str(path))
        assert new_study.kind(str(images.written(tmp_path / "empty", {}))) == "archive"
        # tarfile reads it, and no image comes so.
        (tmp_path / "lzma").write_bytes(lzma.compress(content, lzma.FORMAT_ALONE))
        assert "neither an image archive" in refused(str(tmp_path / "lzma"))

    def test_what_wants_too_much_memory_is_told_as_such(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compression, "MAX_MEMORY", 2**25)
        (tmp_path / "x.tar.xz").write_bytes(lzma.compress(LAYER, preset=9))
        assert "reading it takes more than" in refused(str(tmp_path / "x.tar.xz"))

    def test_sboms(self, write: Write) -> None:
        assert new_study.kind(str(SBOM)) == "sbom"
        assert new_study.kind(str(write(SPDX, "a.spdx.json"))) == "sbom"
        assert new_study.kind(str(write(b" \n" + json.dumps(SPDX).encode()))) == "sbom"

    @pytest.mark.parametrize(
        "before",
        ["", "\n", "# made by hand\n\n  # twice\r\n", pytest.param("#\n" * 9999, id="long")],
    )
    def test_sboms_of_tags_and_values(self, write: Write, before: str) -> None:
        for text in (TAGS, TAGS.replace("\n", "\r\n"), TAGS.replace(": ", ":")):
            assert new_study.kind(str(write((before + text).encode(), "a.spdx"))) == "sbom"

    @pytest.mark.parametrize(
        "text",
        [
            "SPDXVersion 2.3\n",
            "# SPDXVersion: SPDX-2.3\n",
            f"on {TAGS}",
            "#" * 99,
            pytest.param(" " * 9999, id="blank"),
        ],
    )
    def test_other_text_is_no_sbom(self, write: Write, text: str) -> None:
        assert "SPDX as JSON or tag-value" in refused(str(write(text.encode(), "a.spdx")))

    @pytest.mark.parametrize(
        "text", [SBOM.read_text(), TAGS, f"# by hand\n{TAGS}"], ids=["json", "tags", "commented"]
    )
    def test_sboms_that_trivy_cannot_read(self, write: Write, text: str) -> None:
        marked = b"\xef\xbb\xbf" + text.encode()
        if text != SBOM.read_text():
            # From these the mark is taken before Trivy gets them.
            assert new_study.kind(str(write(marked))) == "sbom"
            marked = gzip.compress(marked)
        for content in (
            gzip.compress(text.encode()),
            marked,
            text.encode("utf-16"),
            text.encode("utf-16-le"),
        ):
            assert refused(str(write(content))).endswith("as UTF-8 only; unpack or convert it")

    def test_reports(self, write: Write) -> None:
        report = trivy(finding())
        text = json.dumps(report).encode()
        legacy = [{"Target": "app (alpine 3.10)", "Vulnerabilities": [finding()]}]
        about_sboms = trivy(finding(PkgName="bomFormat", Title='a "spdxVersion": "1"'))
        for content in (
            *(report, text, b"\n" + text, gzip.compress(text), legacy, about_sboms),
            *(b"\xef\xbb\xbf" + text, text.decode().encode("utf-16")),
        ):
            assert new_study.kind(str(write(content, "any.name"))) == "report"

    def test_reports_of_grype(self, write: Write) -> None:
        assert new_study.kind(str(write(grype(match())))) == "report"
        assert new_study.kind(str(write(grype(matches=None), "clean.json"))) == "report"

    @pytest.mark.parametrize(
        "name",
        [
            *("node", "node:24", "node:24-alpine", "a/b", "a/b/c_d:v1.2_3-x", "docker.io/a/b"),
            *("localhost:5000/app:1", "gcr.io/distroless/nodejs24-debian13", "a__b/c--d"),
            *(f"node@sha256:{'a' * 64}", f"localhost:5000/b:1@sha256:{'0' * 64}"),
            *(f"sha256:{'f' * 64}", "d96602913a98", "Node:24"),
        ],
    )
    def test_references(self, name: str) -> None:
        assert new_study.kind(name) == "image"

    def test_a_folder_that_is_no_archive_does_not_hide_an_image(self, tmp_path: Path) -> None:
        (tmp_path / "node").mkdir()
        assert new_study.kind("node") == "image"
        assert "no such file or OCI layout" in refused("./node")

    @pytest.mark.parametrize(
        "name",
        [
            *("", " ", "-", "--help", ".", "..", "/", "../a", "a/../b", "./a", "a b", "a..b", "ä"),
            *("node:24\n", "no\nde", 'no"de', "no'de", "node:", "node@", "a\0b", "\udcff", "a//b"),
            *(
                "no.tar",
                "no.json",
                "no.spdx",
                "no.json.gz",
                "no.tgz",
                "/no/such/file",
                "~no-such-user/a",
            ),
            *("no.tar.xz", "no.tar.bz2", "no.tar.zst", "no.txz", "no.tbz", "no.tbz2", "no.tzst"),
            *("node@sha256:1", "a" * 300 + "!", "a/" * 3000, "-" * 10**6),
        ],
    )
    def test_nonsense(self, name: str) -> None:
        assert "it is no image's name" in refused(name) or "cannot be read" in refused(name)

    def test_a_name_as_long_as_no_file_can_have_is_quickly_refused(self) -> None:
        assert "cannot be read (File name too long)" in refused("a" * 10**5)

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b" \n", b"\0" * 100, b"\x7fELF" + bytes(60), b"<html>", b"text", b"\xff" * 99),
            *(
                b"\x1f\x8b",
                images.gzipped(b"x" * 10**5)[:15],
                images.gzipped(LAYER)[:12],
                b"PK\3\4",
            ),
            *(b"\x28\xb5\x2f\xfd" + bytes(9), b"BZh9", b"\xfd7zXZ\0", images.gzipped(b"text")),
        ],
    )
    def test_files_that_are_nothing_of_it(self, write: Write, content: bytes) -> None:
        path = write(content, "thing")
        assert refused(str(path)).startswith(f"{path}: neither an image archive")

    def test_what_is_no_file_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        assert "no such file" in refused(str(tmp_path / "pipe"))

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_one_that_may_not_be_read(self, tmp_path: Path) -> None:
        path = Path("/tmp") / f"kit-secret-{os.getpid()}"
        path.mkdir(mode=0o700)
        try:
            os.seteuid(65534)
            try:
                assert "cannot be read (Permission denied)" in refused(f"{path}/app.tar")
            finally:
                os.seteuid(0)
        finally:
            path.rmdir()


class TestMakeStudy:
    def test_it_says_what_is_compared(self, tmp_path: Path, write: Write) -> None:
        saved = images.docker_save(tmp_path / "app.tar", LAYER)
        sbom, report = write(SPDX, "a.spdx.json"), write(trivy(), "b.json")
        name = new_study.make_study([saved.name, sbom.name, report.name, "r.example:1/c/d:1"])
        assert name == "app-vs-a-vs-b-vs-d-1"
        variants = study.open_study(name).variants
        assert [(v.name, v.kind, v.source) for v in variants] == [
            ("app", "archive", str(saved)),
            ("a", "sbom", str(sbom)),
            ("b", "report", str(report)),
            ("d-1", "image", "r.example:1/c/d:1"),
        ]

    @pytest.mark.parametrize(
        "name", ["app.tar.xz", "app.txz", "app.tbz2", "app.tar.zst", "app.tgz"]
    )
    def test_a_variant_is_not_named_by_how_it_is_compressed(
        self, tmp_path: Path, name: str
    ) -> None:
        images.docker_save(tmp_path / name, LAYER)
        [variant] = study.open_study(new_study.make_study([name])).variants
        assert (variant.name, variant.kind) == ("app", "archive")

    def test_the_same_again_is_the_same_study(self, own_data: Path) -> None:
        assert new_study.make_study(["a", "b"]) == new_study.make_study(["a", "b"]) == "a-vs-b"
        assert [path.name for path in (own_data / "studies/a-vs-b").iterdir()] == ["study.toml"]

    def test_another_of_the_same_name_is_left_alone(self) -> None:
        new_study.make_study(["a", "b"], "mine")
        path = paths.study("mine") / "study.toml"
        text = path.read_text()
        with pytest.raises(StudyInvalid, match=r"another study 'mine'; give this one a name"):
            new_study.make_study(["a", "c"], "mine")
        assert path.read_text() == text
        path.write_bytes(b"\xff")
        with pytest.raises(StudyInvalid, match="another study"):
            new_study.make_study(["a", "b"], "mine")

    @pytest.mark.parametrize("name", ["../mine", "/mine", "a/b", ".", "..", "-a", "a\n", "a" * 65])
    def test_a_name_leads_nowhere_else(self, tmp_path: Path, name: str) -> None:
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(StudyInvalid, match="use letters, digits"):
            new_study.make_study(["a"], name)
        assert sorted(tmp_path.rglob("*")) == before

    @pytest.mark.parametrize(
        "name", ['"', "'", "\\", "a\nb", "\t", "]]\nname = 1", "é", "#", "{x}", "\x7f", "x" * 200]
    )
    def test_files_of_hostile_names(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(trivy()))
        [variant] = study.open_study(new_study.make_study([path.name])).variants
        assert variant.source == str(path)

    def test_a_name_that_is_not_utf8_is_told(self, tmp_path: Path, own_data: Path) -> None:
        path = os.fsencode(tmp_path) + b"/\xff.json"
        Path(os.fsdecode(path)).write_text(json.dumps(trivy()))
        done = compare([os.fsdecode(path)])
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
        assert "a name that is not UTF-8 cannot be written" in done.stderr
        assert not own_data.exists()

    def test_files_named_alike_are_told_apart(self, tmp_path: Path) -> None:
        given = []
        for place in ("x/app.json", "y/App.json", "x/app.2.json", "y/app.1.json"):
            path = tmp_path / place
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(trivy()))
            given.append(str(path))
        found = study.open_study(new_study.make_study(given, "alike"))
        assert found.names() == ["app.1.1", "App.2.2", "app.2", "app.1"]
        assert [variant.source for variant in found.variants] == given


class TestTwoScanners:
    """A Trivy and a Grype report of one image are one variant, and captured as one."""

    def ours(self, write: Write, name: str = "app.json", image_id: str = "sha256:1") -> str:
        system = {"Family": "debian", "Name": "12"}
        metadata = {"ImageID": image_id, "OS": system}
        return str(write(trivy(finding(), Metadata=metadata), name))

    def theirs(self, write: Write, name: str = "app.grype.json", image_id: str = "sha256:1") -> str:
        target = {**TARGET, "imageID": image_id, "config": CONFIG, "labels": {"token": SECRET}}
        found = grype(match(1), match(2), source={"type": "image", "target": target})
        return str(write(found, name))

    def test_of_one_image_they_are_one_variant(self, write: Write) -> None:
        ours, theirs = self.ours(write), self.theirs(write)
        for both in ([ours, theirs], [theirs, ours]):
            name = new_study.make_study(both)
            assert name == "app"
            [variant] = study.open_study(name).variants
            assert (variant.name, variant.kind) == ("app", "report")
            assert (variant.report, variant.grype) == (ours, theirs)

    def test_in_the_place_of_the_first(self, write: Write) -> None:
        ours, theirs = self.ours(write), self.theirs(write)
        other = self.ours(write, "other.json", "sha256:2")
        found = study.open_study(new_study.make_study([theirs, other, "node:24", ours])).variants
        assert [variant.name for variant in found] == ["app", "other", "node-24"]

    @pytest.mark.parametrize("image_id", ["", "sha256:2"])
    def test_of_two_images_they_are_two(self, write: Write, image_id: str) -> None:
        given = [self.ours(write, image_id=image_id), self.theirs(write, image_id=image_id[:-1])]
        assert len(study.open_study(new_study.make_study(given)).variants) == 2

    def test_which_of_several_belong_together_is_not_guessed(self, write: Write) -> None:
        given = [self.ours(write), self.ours(write, "then.json"), self.theirs(write)]
        found = study.open_study(new_study.make_study(given)).variants
        assert [variant.grype for variant in found] == ["", "", ""]

    def test_both_are_kept_and_loaded(self, write: Write, own_data: Path) -> None:
        name = new_study.make_study([self.ours(write), self.theirs(write)])
        folder = capture(name).folder / "app"
        assert sorted(path.name for path in folder.iterdir()) == [paths.GRYPE, paths.REPORT]
        assert len(load_study(name).findings) == 1
        assert len(load_study(name, scanner="grype").findings) == 2
        assert capture(name).unchanged

    def test_values_of_the_environment_are_not_kept(self, write: Write) -> None:
        name = new_study.make_study([self.ours(write), self.theirs(write)])
        kept = gzip.decompress((capture(name).folder / "app" / paths.GRYPE).read_bytes())
        for value in (SECRET, CONFIG):
            assert value.encode() not in kept
        assert b'"token"' in kept, "names of labels stay"

    def test_one_of_grype_alone_is_kept_under_its_name(self, write: Write) -> None:
        name = new_study.make_study([self.theirs(write)], "alone")
        folder = capture(name).folder / "app.grype"
        assert [path.name for path in folder.iterdir()] == [paths.GRYPE]
        images = load_study(name).images
        assert images[["scanner", "status", "source"]].to_numpy().tolist() == [
            ["grype", "scanned", "report"]
        ]
        assert images["db_updated_at"].notna().all(), "it tells the age of its DB"
        assert capture(name).unchanged

    @pytest.mark.parametrize("part", [paths.REPORT, paths.GRYPE])
    @pytest.mark.parametrize("damage", ["cut", "gone"])
    def test_damaged_evidence_is_captured_anew(self, write: Write, part: str, damage: str) -> None:
        name = new_study.make_study([self.ours(write), self.theirs(write)])
        then = capture(name).folder
        facts = study.open_study(name).facts(then.name).variants["app"]
        # As a capture records it.
        facts = structs.replace(facts, settings={**facts.settings, "grype": "0"})
        assert evidence.is_whole(then / "app", facts)
        path = then / "app" / part
        path.write_bytes(path.read_bytes()[:40]) if damage == "cut" else path.unlink()
        assert not evidence.is_whole(then / "app", facts)

    def test_another_report_of_grype_is_another_setting(self, write: Write) -> None:
        opened = study.open_study(new_study.make_study([self.ours(write), self.theirs(write)]))
        [variant] = opened.variants
        before = resolve.settings(opened, variant, None)
        assert resolve.settings(opened, variant, None) == before
        write(grype(match(3)), "app.grype.json")
        after = resolve.settings(opened, variant, None)
        assert {key for key in after if after[key] != before[key]} == {"grype"}
        without = structs.replace(variant, grype="")
        assert set(before) - set(resolve.settings(opened, without, None)) == {"grype"}

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (None, r"app\.grype\.json: the Grype report of 'app' is missing"),
            (trivy(), "a second report of Trivy, where the study names one of Grype"),
            (grype(source={"target": {"imageID": "sha256:9"}}), "of the image sha256:9, and"),
            ({}, "neither a Trivy nor a Grype report"),
        ],
    )
    def test_what_is_no_grype_report_of_the_image_fails_the_variant(
        self, write: Write, content: Any, told: str
    ) -> None:
        name = new_study.make_study([self.ours(write), self.theirs(write)])
        path = write(content, "app.grype.json")
        if content is None:
            path.unlink()
        with pytest.raises(CaptureFailed, match=told) as caught:
            capture(name)
        assert str(path.parent) not in str(caught.value), "a path of this machine is not recorded"

    def test_two_reports_of_grype_are_no_variant(self, write: Write, own_data: Path) -> None:
        name = new_study.make_study([self.ours(write), self.theirs(write)])
        write(grype(match(3)), "app.json")
        with pytest.raises(CaptureFailed, match="a second report of Grype"):
            capture(name)


def tag_value(folder: Path) -> Path:
    """The SBOM as Trivy writes it in SPDX's tags and values.

    Of which source packages are made it tells only where it has looked at an image itself.
    """
    made = folder / "made.spdx"
    offline = ["--cache-dir", folder / "cache", "--offline-scan", "--skip-version-check"]
    command = ["trivy", "sbom", "--quiet", *offline, "--format", "spdx", "--output", made, SBOM]
    subprocess.run(command, check=True)
    text = made.read_text()
    for component in json.loads(SBOM.read_text())["components"]:
        told = {one["name"]: one["value"] for one in component["properties"]}
        if source := told.get("aquasecurity:trivy:SrcName"):
            line = f"ExternalRef: PACKAGE-MANAGER purl {component['purl']}\n"
            assert line in text
            version = told["aquasecurity:trivy:SrcVersion"]
            named = f"PackageSourceInfo: built package from: {source} {version}\n"
            text = text.replace(line, named + line)
    made.write_text(text)
    return made


def test_an_sbom_of_tags_and_values_is_captured_to_the_same_findings(
    trivy_on_path: None, shared: Path, tmp_path: Path
) -> None:
    spdx, commented = tag_value(tmp_path), tmp_path / "commented.spdx"
    commented.write_text(f"# Made from {SBOM.name}\n\n{spdx.read_text()}")
    name = new_study.make_study([str(SBOM), str(spdx), str(commented)])
    assert capture(name, "2030-01", shared / "vulndb").failures == {}
    loaded = load_study(name)
    assert loaded.images["status"].tolist() == ["scanned"] * 3
    assert loaded.images["os_version"].tolist() == ["3.11.2"] * 3
    columns = ["vulnerability_id", "package", "installed_version", "fixed_version", "severity"]
    found = {
        variant: sorted(each[columns].itertuples(index=False, name=None))
        for variant, each in loaded.findings.groupby("variant", observed=True)
    }
    assert len(found["node-8-alpine"]) == 49
    assert found == dict.fromkeys(("commented", "made", "node-8-alpine"), found["node-8-alpine"])


PIECES = st.sampled_from(["a", "A", "b", "a.1", "a.2", "a.1.1", "node", "0", "x" * 60])
REFERENCES = st.builds(
    lambda host, parts, end: "/".join([*host, *parts]) + end,
    st.sampled_from([[], ["localhost:5000"], ["r.example"]]),
    st.lists(PIECES, min_size=1, max_size=2),
    st.sampled_from(["", ":1", ":1.1", ":a-b_c", f"@sha256:{'a' * 64}"]),
)


@settings(max_examples=200, deadline=None)
@given(names=st.lists(REFERENCES, min_size=1, max_size=12))
def test_any_names_make_a_study_that_reads_back(tmp_path_factory: Any, names: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(tmp_path_factory.mktemp("data")))
        found = study.open_study(new_study.make_study(names))
    assert [variant.image for variant in found.variants] == names
    assert len({name.casefold() for name in found.names()}) == len(names)


@settings(max_examples=300, deadline=None)
@given(name=st.text(max_size=30))
def test_any_text_is_a_reference_or_refused(name: str) -> None:
    try:
        assert new_study.kind(name) == "image"
    except StudyInvalid:
        return
    assert name.isascii()
    assert ".." not in name.rpartition(":")[0]


@given(text=st.text(st.characters(codec="utf-8")))
def test_any_text_reads_back_from_a_study(text: str) -> None:
    assert tomllib.loads(f"x = {new_study._string(text)}") == {"x": text}


def start(arguments: list[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "helpers", "compare", *arguments],
        env={**os.environ, "PYTHONPATH": str(paths.ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def compare(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    running = start(arguments)
    out, err = running.communicate()
    return subprocess.CompletedProcess(running.args, running.returncode, out, err)


@pytest.fixture(scope="module")
def compared(
    daemon: Daemon,
    standins: list[str],
    trivy_on_path: None,
    shared: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The data folder of three studies from the command line, side by side."""
    folder = tmp_path_factory.mktemp("compare")
    daemon.save("rebuilt/alpine:3.23", folder / "alpine.tar")
    layout = images.Layout()
    layout.folder(folder / "made", layout.image(LAYER))
    with gzip.open(folder / "before.json.gz", "wt") as file:
        json.dump(trivy(finding(), finding(2)), file)
    (folder / "after.json").write_text(json.dumps(trivy(finding())))
    db = ["--db", str(shared / "vulndb"), "--study"]
    data = folder / "data"
    running = {
        "archives": start(
            [str(folder / "alpine.tar"), str(folder / "made"), *db, "archives"],
            KIT_DATA=str(data),
            DOCKER_HOST=NOWHERE,
        ),
        "mixed": start([str(SBOM), "rebuilt/alpine:3.23", *db, "mixed"], KIT_DATA=str(data)),
        "reports": start(
            [str(folder / "before.json.gz"), str(folder / "after.json"), "--study", "reports"],
            KIT_DATA=str(data),
            DOCKER_HOST=NOWHERE,
            PATH="/no/where",
        ),
    }
    for name, process in running.items():
        said, wrong = process.communicate()
        assert process.returncode == 0, f"{name}: {said}{wrong}"
        assert said.endswith("\n")
        assert str(data / "runs" / name / "report.html") in said
    return data


@pytest.fixture
def of(compared: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The images of a study that was compared, and why parts of them are missing."""
    monkeypatch.setenv("KIT_DATA", str(compared))

    def found(name: str) -> tuple[pd.DataFrame, dict[str, dict[str, str]]]:
        facts = study.open_study(name).facts()
        missing = {variant: told.missing for variant, told in facts.variants.items()}
        report = compared / "runs" / name / "report.html"
        assert report.stat().st_size > 100_000
        return load_study(name).images.set_index("variant"), missing

    return found


SIZES = ["size_unpacked_bytes", "size_compressed_bytes", "layers"]


def test_archives_are_compared_without_a_daemon(of: Any) -> None:
    found, missing = of("archives")
    assert found["source"].tolist() == ["archive", "archive"]
    assert found["status"].tolist() == ["scanned", "scanned"]
    assert found["os_family"].tolist() == ["alpine", "alpine"]
    assert found[SIZES].notna().all(axis=None)
    assert found["size_compressed_source"].tolist() == ["gzip", "archive"]
    assert found.loc["alpine", "packages"] > 10
    assert found["answers"].isna().all()
    why = {"smoke": "an archive is not started; load it into a daemon and name the image"}
    assert missing == {"alpine": why, "made": why}


def test_an_sbom_is_compared_with_a_local_image(of: Any) -> None:
    found, missing = of("mixed")
    assert found["source"].tolist() == ["sbom", "image"]
    assert found.loc["node-8-alpine", SIZES].isna().all()
    assert found.loc["alpine-3.23", SIZES].notna().all()
    assert found.loc["node-8-alpine", "packages"] > 10
    assert found.loc["node-8-alpine", "os_family"] == "alpine"
    why = "an SBOM lists packages, nothing else of an image"
    assert missing["node-8-alpine"] == dict.fromkeys(("image", "files", "smoke"), why)
    why = "the image exposes no port, and study.toml names none"
    assert missing["alpine-3.23"] == {"smoke": why}


def test_reports_are_compared_without_daemon_scanner_and_db(of: Any) -> None:
    found, missing = of("reports")
    assert found["source"].tolist() == ["report", "report"]
    assert found["status"].tolist() == ["scanned", "scanned"]
    assert found[[*SIZES, "answers", "shell", "db_updated_at"]].isna().all(axis=None)
    assert study.open_study("reports").facts().scanner_is == "others"
    assert load_study("reports").findings["variant"].tolist() == ["before", "before", "after"]
    why = "a report has findings and packages, nothing else of an image"
    assert missing["after"] == dict.fromkeys(("image", "files", "smoke"), why)


def test_the_same_again_is_not_captured_again(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(compared / "studies", tmp_path / "data/studies")
    monkeypatch.setattr("helpers.runs.run.reproduce", lambda name, _: tmp_path / name)
    before = study.open_study("reports").captures()
    given = [str(compared.parent / name) for name in ("before.json.gz", "after.json")]
    again = CliRunner().invoke(cli.commands, ["compare", *given, "--study", "reports"])
    assert again.exit_code == 0
    assert again.output.startswith(f"nothing has changed since data/studies/reports/{before[-1]}\n")
    assert study.open_study("reports").captures() == before
    another = CliRunner().invoke(cli.commands, ["compare", given[0], "--study", "reports"])
    assert isinstance(another.exception, StudyInvalid)
