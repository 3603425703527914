"""Whatever a user may name becomes a study of it, with and without daemon and scanner."""

import base64
import gzip
import json
import lzma
import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import compressed, paths, processes
from helpers.capture import evidence, new_study
from helpers.capture.session import capture
from helpers.containers.daemon import Daemon
from helpers.errors import CaptureFailed, StudyInvalid
from helpers.images.archive import open_archive
from helpers.studies import study, variant_names
from helpers.studies.load import load_study
from tests.conftest import Write, finding, trivy
from tests.scanning.test_scan import SBOM
from tests.scans.test_grype import TARGET, match
from tests.scans.test_grype import report_of as grype
from tests.support import image_archives as images
from tests.support.command_line import run

LAYER = images.tar(images.file("etc/os-release", b"ID=alpine\nVERSION_ID=3.23.0\n"))
SPDX = {"spdxVersion": "SPDX-2.3", "packages": []}
TAGS = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\n"

SECRET = "hunter2-hunter2"
CONFIG = base64.b64encode(json.dumps({"config": {"Env": [f"TOKEN={SECRET}"]}}).encode()).decode()


@pytest.fixture(autouse=True)
def in_a_folder(empty_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run in a folder of their own, with a data folder without studies."""
    monkeypatch.chdir(tmp_path)


def variants_of(*sources: object, name: str = "") -> list[study.Variant]:
    """The variants of the study that is made of sources."""
    return study.open_study(new_study.make_study([str(each) for each in sources], name)).variants


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
        images.written(tmp_path / "empty", {})
        (tmp_path / "link").symlink_to(saved)
        for name in ("saved", "saved.tgz", "oci.tar", "oci", "oci/", "link", "empty"):
            assert new_study.kind(str(tmp_path / name)) == "archive", name
            assert new_study.kind(name) == "archive", "also relative to the working folder"

    @pytest.mark.parametrize("compress", [images.gzipped, images.zstd, images.xz, images.bzip2])
    def test_compressed_archives(self, tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
        path = images.docker_save(tmp_path / "saved", LAYER)
        path.write_bytes(compress(path.read_bytes()))
        assert new_study.kind(str(path)) == "archive", path
        with open_archive(path) as archive:
            assert len(archive.layers) == 1
        path.write_bytes(compress(b"text " * 999))
        assert "neither an image archive" in refused(str(path))

    def test_an_archive_that_needs_too_much_memory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compressed, "MAX_MEMORY", 2**25)
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
            # The kit removes the mark of these before Trivy gets them.
            assert new_study.kind(str(write(marked))) == "sbom"
            marked = gzip.compress(marked)
        for content in (
            gzip.compress(text.encode()),
            marked,
            text.encode("utf-16"),
            text.encode("utf-16-le"),
        ):
            assert refused(str(write(content))).endswith("as UTF-8 only; unpack or convert it")

    @pytest.mark.parametrize("text", [SBOM.read_bytes(), json.dumps(SPDX).encode()])
    def test_an_sbom_that_is_cut_off_is_no_report(self, write: Write, text: bytes) -> None:
        assert "an SBOM, but JSON that is cut off" in refused(
            str(write(text[: len(text) // 2 + 9]))
        )

    def test_reports(self, write: Write) -> None:
        report = trivy(finding())
        text = json.dumps(report).encode()
        legacy = [{"Target": "app (alpine 3.10)", "Vulnerabilities": [finding()]}]
        about_sboms = trivy(finding(PkgName="bomFormat", Title='a "spdxVersion": "1"'))
        for content in (
            *(report, text, b"\n" + text, gzip.compress(text), legacy, about_sboms),
            *(grype(match()), grype(matches=None)),
            *(b"\xef\xbb\xbf" + text, text.decode().encode("utf-16")),
        ):
            assert new_study.kind(str(write(content, "any.name"))) == "report"

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

    @pytest.mark.parametrize(
        "name",
        [
            *("", " ", "-", "--help", ".", "..", "/", "../a", "a/../b", "./a", "a b", "a..b", "ä"),
            *("node:24\n", "no\nde", 'no"de', "no'de", "node:", "node@", "a\0b", "\udcff", "a//b"),
            *("no.tar", "no.json", "no.spdx", "no.json.gz", "no.tgz", "/no/such/file", "~nobody/a"),
            *("no.tar.xz", "no.tar.bz2", "no.tar.zst", "no.txz", "no.tbz", "no.tbz2", "no.tzst"),
            *("node@sha256:1", "a" * 300 + "!", "a/" * 3000, "-" * 10**6),
        ],
    )
    def test_nonsense(self, name: str) -> None:
        assert re.search("not an image reference|cannot be read|a folder", refused(name))

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
    def test_other_files(self, write: Write, content: bytes) -> None:
        path = write(content, "thing")
        assert refused(str(path)).startswith(f"{path}: neither an image archive")

    def test_a_folder_is_not_looked_for_in_a_registry(self, tmp_path: Path) -> None:
        (tmp_path / "node").mkdir()
        assert "the image write node:latest" in refused("node")
        assert refused(str(tmp_path)).startswith(f"{tmp_path}: a folder")

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        assert "no such file" in refused(str(tmp_path / "pipe"))

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_a_file_without_permission(self, tmp_path: Path) -> None:
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
    def test_it_has_the_sources_as_variants(self, tmp_path: Path, write: Write) -> None:
        saved = images.docker_save(tmp_path / "app.tar", LAYER)
        sbom = write(SPDX, "a.spdx.json")
        report = write(trivy(ArtifactName="team/web:2"), "trivy-report.json")
        name = new_study.make_study([saved.name, sbom.name, report.name, "r.example:1/c/d:1"])
        assert name == "app-vs-a-vs-web-vs-d-1"
        assert [(v.name, v.kind, v.source) for v in study.open_study(name).variants] == [
            ("app", "archive", str(saved)),
            ("a", "sbom", str(sbom)),
            ("web", "report", str(report)),
            ("d-1", "image", "r.example:1/c/d:1"),
        ]

    def test_the_same_again_is_the_same_study(self) -> None:
        assert new_study.make_study(["a", "b"]) == new_study.make_study(["a", "b"]) == "a-vs-b"
        assert [path.name for path in paths.study("a-vs-b").glob("[!.]*")] == ["study.toml"]

    def test_another_of_the_same_name_is_left_alone(self) -> None:
        new_study.make_study(["a", "b"], "mine")
        path = paths.study("mine") / "study.toml"
        text = path.read_text()
        with pytest.raises(StudyInvalid, match="another study has this name; choose one"):
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

    def test_a_name_that_is_not_utf8(self, tmp_path: Path) -> None:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.json"))
        path.write_text(json.dumps(trivy()))
        with pytest.raises(StudyInvalid, match="the name is not valid UTF-8"):
            new_study.make_study([str(path)])
        assert not paths.studies().exists()

    def test_files_with_the_same_name_are_numbered(self, tmp_path: Path) -> None:
        files = []
        for place in ("x/app.json", "y/App.json", "x/app.2.json", "y/app.1.json"):
            path = tmp_path / place
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(trivy()))
            files.append(str(path))
        variants = variants_of(*files, name="alike")
        assert [variant.name for variant in variants] == ["app.3", "app.4", "app.2", "app.1"]
        assert [variant.source for variant in variants] == files


JUICE = "bkimminich/juice-shop"


class TestNames:
    """A variant is named after what a report is of, or as the user says."""

    @pytest.fixture
    def reports(self, write: Write) -> Callable[..., list[str]]:
        """Writes a report for each artifact, `one.json`, `two.json` and so on."""

        def written(*artifacts: str | None) -> list[str]:
            files = zip(("one", "two", "three"), artifacts, strict=False)
            return [str(write(trivy(ArtifactName=each), f"{name}.json")) for name, each in files]

        return written

    @pytest.mark.parametrize(
        ("artifacts", "names"),
        [
            ([f"{JUICE}:v20.0.0"], ["juice-shop"]),
            ([f"{JUICE}:v1", "node:24"], ["juice-shop", "node"]),
            ([f"{JUICE}:v1", f"{JUICE}:v2"], ["juice-shop-v1", "juice-shop-v2"]),
            ([JUICE, f"{JUICE}:v2"], ["juice-shop", "juice-shop-v2"]),
            ([f"{JUICE}:v1", f"{JUICE}:v1", "node"], ["one", "two", "node"]),
            ([f"{JUICE}:v1", f"{JUICE}:v1", f"{JUICE}:v2"], ["one", "two", "juice-shop-v2"]),
            (["localhost:5000/app@sha256:abcdef0123456789"], ["app"]),
            (["testdata/alpine-310.tar.gz", "package-lock.json"], ["alpine-310", "package-lock"]),
            ([f"sha256:{'a' * 64}", "d96602913a98"], ["one", "two"]),
            ([None, "", "."], ["one", "two", "three"]),
            (["../../etc/passwd", "a/..", "C:\\images\\app.tar"], ["passwd", "two", "app"]),
            (["x/Severity:1", "bases.log", "한국"], ["Severity-1", "two", "three"]),
            (["-rf", "a\x1b[31m\n/b\0c", "\u202e"], ["rf", "b-c", "three"]),
            ([f"{'x' * 300}:v1"], [f"{'x' * 23}-{'x' * 24}"]),
            ([f"{'x' * 99}:v1", f"{'x' * 99}:v2"], [f"{'x' * 23}-{'x' * 21}-v{n}" for n in (1, 2)]),
        ],
    )
    def test_after_what_it_is_of(self, reports, artifacts: list[Any], names: list[str]) -> None:
        variants = variants_of(*reports(*artifacts), name="named")
        assert [variant.name for variant in variants] == names

    def test_an_sbom_after_its_component(self, write: Write) -> None:
        components = ({"name": "team/app", "version": v} for v in ("1.0", "2.0"))
        sboms = [{"bomFormat": "CycloneDX", "metadata": {"component": c}} for c in components]
        sboms.append({"bomFormat": "CycloneDX", "metadata": {"component": "app"}})
        files = [write(sbom, f"{n}.cdx.json") for n, sbom in enumerate(sboms)]
        assert [v.name for v in variants_of(*files)] == ["app-1.0", "app-2.0", "2"]

    def test_as_the_user_says(self, reports, write: Write) -> None:
        one, two = reports("theirs", "node:24")
        write(trivy(ArtifactName="web"), "a=b.json")
        sources = [f"mine={one}", f"theirs={two}", "a=b.json", "Two.2=node:24", one]
        variants = variants_of(*sources, name="named")
        assert [variant.name for variant in variants] == ["mine", "theirs", "web", "Two.2", "one"]
        assert variants[3].image == "node:24"

    @pytest.mark.parametrize(
        ("sources", "error"),
        [
            (["a b=node"], "'a b' cannot name a variant"),
            (["=node"], "'' cannot name a variant"),
            (["../a=node"], "no such file, and '../a' cannot name"),
            (["severity=node"], "'severity' cannot name a variant: use another"),
            ([f"{'a' * 65}=node"], "cannot name"),
            (["a="], "not an image reference"),
            (["a=none.json"], "none.json: no such file"),
            (["a=node:24", "A=node:22"], "two variants are named 'a'"),
        ],
    )
    def test_names_that_are_none(self, sources: list[str], error: str) -> None:
        with pytest.raises(StudyInvalid, match=error):
            new_study.make_study(sources)
        assert not paths.studies().exists()


class TestTwoScanners:
    """A Trivy and a Grype report of one image are one variant, and captured as one."""

    @pytest.fixture
    def ours(self, write: Write) -> Callable[..., str]:
        """Writes Trivy's report of an image."""

        def written(image_id: str = "sha256:1", name: str = "app.json") -> str:
            described = {"ImageID": image_id, "OS": {"Family": "debian", "Name": "12"}}
            return str(write(trivy(finding(), Metadata=described), name))

        return written

    @pytest.fixture
    def theirs(self, write: Write) -> Callable[..., str]:
        """Writes Grype's report of an image, with secrets in its config and labels."""

        def written(image_id: str = "sha256:1", name: str = "app.grype.json") -> str:
            target = {**TARGET, "imageID": image_id, "config": CONFIG, "labels": {"token": SECRET}}
            found = grype(match(1), match(2), source={"type": "image", "target": target})
            return str(write(found, name))

        return written

    @pytest.fixture
    def both(self, ours, theirs) -> str:
        """The study of both reports."""
        return new_study.make_study([ours(), theirs()])

    def test_of_one_image_they_are_one_variant(self, ours, theirs) -> None:
        files = [ours(), theirs()]
        for sources in (files, files[::-1]):
            [variant] = variants_of(*sources)
            assert (variant.name, variant.kind) == ("app", "report")
            assert [variant.report, variant.grype] == files

    @pytest.mark.parametrize("image_id", ["", "sha256:2"])
    def test_of_two_images_they_are_two(self, ours, theirs, image_id: str) -> None:
        assert len(variants_of(ours(image_id), theirs(image_id[:-1]))) == 2

    def test_a_name_for_one_or_both_is_of_the_variant_and_two_names_are_of_two(
        self, ours, theirs
    ) -> None:
        files = [ours(), theirs()]
        for names in (("mine=", ""), ("", "mine="), ("mine=", "mine=")):
            [variant] = variants_of(*map("".join, zip(names, files, strict=True)), name="one")
            assert (variant.name, variant.report, variant.grype) == ("mine", *files)
        both = variants_of(f"mine={files[0]}", f"theirs={files[1]}")
        assert [variant.name for variant in both] == ["mine", "theirs"]

    def test_both_are_kept_and_loaded_without_secrets(self, both: str) -> None:
        folder = capture(both).folder / "app"
        assert sorted(path.name for path in folder.iterdir()) == [paths.GRYPE, paths.REPORT]
        assert len(load_study(both).findings) == 1
        assert len(load_study(both, scanner="grype").findings) == 2
        kept = gzip.decompress((folder / paths.GRYPE).read_bytes()).decode()
        assert SECRET not in kept
        assert CONFIG not in kept
        assert '"token"' in kept, "names of labels stay"
        assert capture(both).unchanged

    @pytest.mark.parametrize("part", [paths.REPORT, paths.GRYPE])
    @pytest.mark.parametrize("damage", ["cut", "gone"])
    def test_damaged_evidence_is_not_complete(self, both: str, part: str, damage: str) -> None:
        folder = capture(both).folder
        facts = study.open_study(both).facts(folder.name).variants["app"]
        assert "grype" in facts.settings
        assert evidence.is_complete(folder / "app", facts)
        path = folder / "app" / part
        path.write_bytes(path.read_bytes()[:40]) if damage == "cut" else path.unlink()
        assert not evidence.is_complete(folder / "app", facts)

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (None, r"app\.grype\.json: the Grype report of 'app' is missing"),
            (trivy(), "a second Trivy report, but the study needs one from Grype"),
            (grype(source={"target": {"imageID": "sha256:9"}}), "of image sha256:9, but"),
            ({}, "neither a Trivy nor a Grype report"),
        ],
    )
    def test_another_file_than_a_grype_report_of_the_image_fails_the_variant(
        self, both: str, write: Write, content: Any, error: str
    ) -> None:
        path = write(content, "app.grype.json")
        if content is None:
            path.unlink()
        with pytest.raises(CaptureFailed, match=error) as caught:
            capture(both)
        assert str(path.parent) not in str(caught.value), "a path of this machine is not recorded"


def tag_value(folder: Path) -> Path:
    """The SBOM as Trivy writes it in SPDX's tags and values.

    Trivy writes the source packages only where it has scanned an image itself; here they are added.
    """
    path = folder / "made.spdx"
    offline = ["--cache-dir", folder / "cache", "--offline-scan", "--skip-version-check"]
    command = ["trivy", "sbom", "--quiet", *offline, "--format", "spdx", "--output", path, SBOM]
    subprocess.run(command, check=True)
    text = path.read_text()
    for component in json.loads(SBOM.read_text())["components"]:
        properties = {each["name"]: each["value"] for each in component["properties"]}
        if source := properties.get("aquasecurity:trivy:SrcName"):
            line = f"ExternalRef: PACKAGE-MANAGER purl {component['purl']}\n"
            assert line in text
            version = properties["aquasecurity:trivy:SrcVersion"]
            added = f"PackageSourceInfo: built package from: {source} {version}\n"
            text = text.replace(line, added + line)
    path.write_text(text)
    return path


def test_an_sbom_of_tags_and_values_is_captured_to_the_same_findings(
    trivy_on_path: None, db: Path, tmp_path: Path
) -> None:
    spdx, commented = tag_value(tmp_path), tmp_path / "commented.spdx"
    commented.write_text(f"# Made from {SBOM.name}\n\n{spdx.read_text()}")
    name = new_study.make_study([str(SBOM), str(spdx), str(commented)])
    assert capture(name, "2030-01", db).failures == {}
    loaded = load_study(name)
    assert loaded.images["status"].tolist() == ["scanned"] * 3
    assert loaded.images["os_version"].tolist() == ["3.11.2"] * 3
    columns = ["vulnerability_id", "package", "installed_version", "fixed_version", "severity"]
    found = {
        variant: sorted(findings[columns].itertuples(index=False, name=None))
        for variant, findings in loaded.findings.groupby("variant", observed=True)
    }
    assert len(found["node"]) == 49
    assert found == dict.fromkeys(("commented", "made", "node"), found["node"])


PIECES = st.sampled_from(["a", "A", "b", "a.1", "a.2", "a.1.1", "node", "0", "x" * 60])
REFERENCES = st.builds(
    lambda host, parts, end: "/".join([*host, *parts]) + end,
    st.sampled_from([[], ["localhost:5000"], ["r.example"]]),
    st.lists(PIECES, min_size=1, max_size=2),
    st.sampled_from(["", ":1", ":1.1", ":a-b_c", f"@sha256:{'a' * 64}"]),
)


@given(names=st.lists(REFERENCES, min_size=1, max_size=12))
def test_any_names_make_a_study_that_reads_back(tmp_path_factory: Any, names: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(tmp_path_factory.mktemp("data")))
        found = study.open_study(new_study.make_study(names))
    assert [variant.image for variant in found.variants] == names
    assert len({name.casefold() for name in found.names()}) == len(names)


@given(name=st.text(max_size=30))
def test_any_text_is_a_reference_or_refused(name: str) -> None:
    try:
        assert new_study.kind(name) == "image"
    except StudyInvalid:
        return
    assert name.isascii()
    assert ".." not in name.rpartition(":")[0]


@given(artifacts=st.lists(st.text(max_size=9) | PIECES | REFERENCES, max_size=9))
def test_whatever_reports_are_of_each_has_a_folder_of_its_own(artifacts: list[str]) -> None:
    candidates = [variant_names.of_artifact(each) for each in artifacts]
    names = variant_names.unique([variant_names.Names(each) for each in candidates])
    assert all(map(study.is_variant_name, names))
    assert len({name.casefold() for name in names}) == len(artifacts)


@given(text=st.text(st.characters(codec="utf-8")))
def test_any_text_reads_back_from_a_study(text: str) -> None:
    assert tomllib.loads(f"x = {new_study._string(text)}") == {"x": text}


SIZES = ["size_unpacked_bytes", "size_compressed_bytes", "layers"]


def missing(name: str) -> dict[str, dict[str, str]]:
    """Why parts of the evidence are missing, by variant."""
    return {name: each.missing for name, each in study.open_study(name).facts().variants.items()}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No daemon answers."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/where.sock")


def test_archives_are_captured_without_a_daemon(
    daemon: Daemon, standins: list[str], trivy_on_path: None, alone: None, db: Path, tmp_path: Path
) -> None:
    daemon.save("rebuilt/alpine:3.23", tmp_path / "alpine.tar")
    layout = images.Layout()
    layout.folder(tmp_path / "made", layout.image(LAYER))
    name = new_study.make_study(["alpine.tar", "made"])
    assert capture(name, db=db).failures == {}
    found = load_study(name).images.set_index("variant")
    assert found["source"].tolist() == ["archive", "archive"]
    # The one that is made has no package, which is no clean scan.
    assert found["status"].tolist() == ["scanned", "no-os"]
    assert found["os_family"].tolist() == ["alpine", "alpine"]
    assert found[SIZES].notna().all(axis=None)
    assert found["size_compressed_source"].tolist() == ["gzip", "archive"]
    assert found.loc["alpine", "packages"] > 10
    assert found["answers"].isna().all()
    why = {"smoke": "archives are not started; load it into a daemon and pass the image"}
    assert missing(name) == {"alpine": why, "made": why}


def test_reports_are_captured_without_daemon_scanner_and_db(
    alone: None, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/no/where")
    write(gzip.compress(json.dumps(trivy(finding(), finding(2))).encode()), "before.json.gz")
    write(trivy(finding()), "after.json")
    monkeypatch.setattr("helpers.runs.run.reproduce", lambda name, _: Path(name))
    compare = ["compare", "before.json.gz", "after.json", "--study", "reports"]
    assert run(*compare).status == 0
    found = load_study("reports").images.set_index("variant")
    assert found["source"].tolist() == ["report", "report"]
    assert found["status"].tolist() == ["scanned", "scanned"]
    assert found[[*SIZES, "answers", "shell", "db_updated_at"]].isna().all(axis=None)
    assert load_study("reports").findings["variant"].tolist() == ["before", "before", "after"]
    facts = study.open_study("reports").facts()
    assert facts.scanner_is == "others"
    why = "a report only has findings and packages"
    assert missing("reports")["after"] == dict.fromkeys(("image", "files", "smoke"), why)
    again = run(*compare)
    assert again.stdout.startswith(
        f"nothing has changed since data/studies/reports/{facts.capture}"
    )
    assert study.open_study("reports").captures() == [facts.capture]
    another = run("compare", "after.json", "--study", "reports")
    assert (another.status, "another study has this name" in another.stderr) == (1, True)


def test_an_sbom_is_compared_with_a_local_image_and_an_archive(
    daemon: Daemon, standins: list[str], trivy_on_path: None, db: Path, empty_data: Path
) -> None:
    layout = images.Layout()
    layout.folder(Path("made"), layout.image(LAYER))
    done = run("compare", SBOM, "rebuilt/alpine:3.23", "made", "--study", "mixed", "--db", db)
    assert done.status == 0, done.stderr
    assert "report   data/runs/mixed/report.html\n" in done.stdout
    assert (empty_data / "runs/mixed/report.html").stat().st_size > 100_000
    found = load_study("mixed").images.set_index("variant")
    assert found["source"].tolist() == ["sbom", "image", "archive"]
    assert found.loc["node", SIZES].isna().all()
    assert found.loc[["alpine-3.23", "made"], SIZES].notna().all(axis=None)
    assert found.loc["node", "packages"] > 10
    assert found.loc["node", "os_family"] == "alpine"
    why = "an SBOM lists packages, nothing else of an image"
    reasons = missing("mixed")
    assert reasons["node"] == dict.fromkeys(("image", "files", "smoke"), why)
    why = "the image exposes no port, and study.toml names none"
    assert reasons["alpine-3.23"] == {"smoke": why}


def test_a_study_that_another_process_works_on_is_not_removed(empty_data: Path) -> None:
    name = new_study.make_study(["a", "b"])
    other = processes.this_process().replace(f"{os.getpid()}@", f"{os.getppid()}@")
    mark = paths.study(name) / f".made.{other}.part"
    mark.touch()
    new_study.remove_unused(name)
    assert study.open_study(name).names() == ["a", "b"]
    mark.rename(mark.with_name(f".made.{other.replace(str(os.getppid()), '4194305')}.part"))
    new_study.remove_unused(name)
    assert not paths.study(name).exists()
