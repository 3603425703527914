"""The vulnerability DB and the Java DB: by digest, once, and told of."""

import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers import paths
from helpers.capture import trivy_program, vulndb
from helpers.capture.session import capture
from helpers.capture.vulndb import VulnDb
from helpers.errors import ScanFailed
from helpers.studies import provenance, study
from helpers.studies.load import load_study
from tests.support import image_archives as images
from tests.support.registries import Registry, serving

pytestmark = pytest.mark.usefixtures("trivy_on_path")

ANY = "sha256:" + "0" * 64
KINDS = "application/vnd.aquasec.trivy"


@pytest.fixture(scope="module")
def registry_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with serving(tmp_path_factory.mktemp("registry")) as running:
        yield running


def artifact(registry: Registry, name: str, kind: str, folder: Path, names: list[str]) -> str:
    """Put a DB there as Trivy's own are, and return its reference by digest."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for file in names:
            tar.add(folder / file, file)
    told = registry.manifest(
        name,
        images.MANIFEST,
        config={"mediaType": f"{KINDS}.config.v1+json", **registry.blob(name, b"{}")},
        layers=[
            {
                "mediaType": f"{KINDS}.{kind}.layer.v1.tar+gzip",
                "annotations": {"org.opencontainers.image.title": f"{kind}.tar.gz"},
                **registry.blob(name, packed.getvalue()),
            }
        ],
    )
    return f"{registry.host}/{name}@{told['digest']}"


@pytest.fixture(scope="module")
def pinned(registry_here: Registry, shared: Path) -> str:
    """A vulnerability DB in a registry, by digest."""
    files = ["trivy.db", "metadata.json"]
    return artifact(registry_here, "trivy-db", "db", shared / "vulndb/db", files)


@pytest.fixture(scope="module")
def pinned_java(registry_here: Registry, tmp_path_factory: Any) -> str:
    """A Java DB in a registry, by digest."""
    folder = java_db(tmp_path_factory.mktemp("java"))
    files = ["trivy-java.db", "metadata.json"]
    return artifact(registry_here, "trivy-java-db", "javadb", folder / "java-db", files)


def jar() -> bytes:
    """A Java archive that does not say what it is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("org/Some.class"), b"\xca\xfe\xba\xbe")
    return packed.getvalue()


def java_db(folder: Path) -> Path:
    """Write a Java DB into a folder: all that it knows is that archive.

    https://github.com/aquasecurity/trivy-java-db has the tables.
    """
    (folder / "java-db").mkdir(parents=True)
    db = sqlite3.connect(folder / "java-db/trivy-java.db")
    db.executescript(
        "CREATE TABLE artifacts(id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT);"
        "CREATE TABLE indices(artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT);"
        "INSERT INTO artifacts VALUES(1, 'org.apache.logging.log4j', 'log4j-core');"
    )
    sha1 = hashlib.sha1(jar(), usedforsecurity=False).digest()
    db.execute("INSERT INTO indices VALUES(1, '2.14.1', ?, 'jar')", [sha1])
    db.commit()
    db.close()
    times = {"UpdatedAt": "2026-11-01T00:00:00Z", "DownloadedAt": "2026-11-02T00:00:00Z"}
    told = {"Version": 1, "NextUpdate": "2999-01-01T00:00:00Z", **times}
    (folder / "java-db/metadata.json").write_text(json.dumps(told))
    return folder


@pytest.fixture
def java_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A study of two images with a Java archive each, and of one without."""
    monkeypatch.setenv("KIT_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data/studies/java"
    folder.mkdir(parents=True)
    toml = 'title = "t"\nquestion = "q?"\nabout = "a"\n'
    release = images.file("etc/os-release", b"ID=alpine\nVERSION_ID=3.23.0\n")
    for name in ("one", "two", "none"):
        app = [images.file("app/app.jar", jar())] if name != "none" else []
        images.docker_save(folder / f"{name}.tar", images.tar(release, *app, images.file(name)))
        toml += f'[[variants]]\nname = "{name}"\narchive = "{name}.tar"\n'
    (folder / "study.toml").write_text(toml)
    return "java"


LOG4J = "org.apache.logging.log4j:log4j-core"


def with_log4j() -> list[str]:
    """The variants in which it was found."""
    packages = load_study("java").packages
    return packages[packages["package"].eq(LOG4J)]["variant"].tolist()


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "db/trivy.db").read_bytes()).hexdigest()


class TestADbPinnedByDigest:
    def test_it_is_brought(self, pinned: str, shared: Path, tmp_path: Path) -> None:
        vulndb.download(trivy_program.find(), tmp_path / "new", pinned)
        vulndb.check(tmp_path / "new")
        assert sha256(tmp_path / "new") == sha256(shared / "vulndb")

    def test_also_where_there_is_another(self, pinned: str, shared: Path, tmp_path: Path) -> None:
        shutil.copytree(shared / "evidence/blog-2022/asof-2022-02/db", tmp_path / "db")
        metadata = json.loads((tmp_path / "db/metadata.json").read_text())
        fresh = {"NextUpdate": "2999-01-01T00:00:00Z", "DownloadedAt": "2998-12-31T00:00:00Z"}
        (tmp_path / "db/metadata.json").write_text(json.dumps(metadata | fresh))
        vulndb.download(trivy_program.find(), tmp_path, pinned)
        assert sha256(tmp_path) == sha256(shared / "vulndb")
        assert [path.name for path in tmp_path.iterdir()] == ["db"]

    def test_one_that_is_not_there_is_told_and_leaves_what_was(
        self, pinned: str, shared: Path, tmp_path: Path
    ) -> None:
        shutil.copytree(shared / "vulndb/db", tmp_path / "db")
        wrong = f"{pinned.partition('@')[0]}@{ANY}"
        with pytest.raises(ScanFailed, match="MANIFEST_UNKNOWN") as caught:
            vulndb.download(trivy_program.find(), tmp_path, wrong)
        assert caught.value.reason == "no-db"
        assert sha256(tmp_path) == sha256(shared / "vulndb")

    def test_it_is_not_fetched_again(self, pinned: str, tmp_path: Path) -> None:
        db = VulnDb(tmp_path, False, pinned)
        db.refresh(trivy_program.find())
        before = (tmp_path / "db/metadata.json").stat().st_mtime_ns
        db.refresh(trivy_program.find())
        assert (tmp_path / "db/metadata.json").stat().st_mtime_ns == before

    def test_what_is_from_elsewhere_is_kept_elsewhere(self, pinned: str) -> None:
        own, other = paths.trivy_cache(), paths.trivy_cache(pinned, "")
        assert own == paths.trivy_cache("", "")
        assert len({own, other, paths.trivy_cache("", pinned)}) == 3


class TestJavaArchives:
    def test_without_a_java_db_offline_they_are_not_passed_over(
        self, java_study: str, shared: Path
    ) -> None:
        outcome = capture(java_study, db=shared / "vulndb")
        assert sorted(outcome.failures) == ["one", "two"]
        assert "trivy failed on one.tar. What Java archives hold is" in outcome.failures["one"]
        assert "trivy image --download-java-db-only --cache-dir" in outcome.failures["one"]
        assert study.open_study(java_study).facts().db.java_updated_at is None

    def test_with_one_they_are_looked_up_and_one_that_comes_later_is_a_change(
        self, java_study: str, shared: Path, tmp_path: Path
    ) -> None:
        db = tmp_path / "db"
        shutil.copytree(shared / "vulndb/db", db / "db")
        assert sorted(capture(java_study, db=db).failures) == ["one", "two"]
        java_db(db)
        outcome = capture(java_study, db=db)
        assert (outcome.failures, outcome.unchanged) == ({}, False)
        assert with_log4j() == ["one", "two"]
        facts = study.open_study(java_study).facts()
        assert f"{facts.db.java_updated_at:%F}" == "2026-11-01"
        assert (
            "the Java database of 2026-11-01"
            in provenance.answer(study.open_study(java_study), facts).text.plain
        )
        assert not any(told.unchanged_since for told in facts.variants.values())
        assert capture(java_study, db=db).unchanged

    def test_online_it_is_brought_once_an_image_needs_it(
        self, java_study: str, pinned: str, pinned_java: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        brought = []

        def download_java(scanner: trivy_program.Trivy, folder: Path, repository: str) -> None:
            brought.append(repository)
            really(scanner, folder, repository)

        really = vulndb.download_java
        monkeypatch.setattr(vulndb, "download_java", download_java)
        first = capture(java_study, db_repository=pinned, java_db_repository=pinned_java)
        assert first.failures == {}
        assert brought == [pinned_java], "not by each image that needs it"
        assert with_log4j() == ["one", "two"]
        again = capture(java_study, db_repository=pinned, java_db_repository=pinned_java)
        assert again.unchanged

    def test_one_that_cannot_be_brought_is_told(self, java_study: str, pinned: str) -> None:
        nowhere = "localhost:9/no/java"
        outcome = capture(java_study, db_repository=pinned, java_db_repository=nowhere)
        assert sorted(outcome.failures) == ["one", "two"]
        assert "trivy failed on the Java DB" in outcome.failures["one"]
        assert "connection refused" in outcome.failures["one"]
