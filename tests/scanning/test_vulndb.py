"""The vulnerability DB and the Java DB: by digest, downloaded once, and recorded."""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from helpers import paths, processes
from helpers.capture.session import capture
from helpers.errors import ScanFailed
from helpers.scanning import trivy_program, vulndb
from helpers.scanning.vulndb import VulnDb
from helpers.studies import provenance, study
from helpers.studies.load import load_study
from tests.support import image_archives as images
from tests.support.registries import Registry
from tests.support.studies import write_study

pytestmark = pytest.mark.usefixtures("trivy_on_path")


def in_folder(folder: Path, metadata: str) -> Path:
    """A folder with a DB that says this of itself."""
    (folder / "db").mkdir(parents=True)
    (folder / "db" / "trivy.db").write_bytes(b"x")
    (folder / "db" / "metadata.json").write_text(metadata)
    return folder


@pytest.mark.parametrize(
    "metadata",
    [
        *("", '{"Version": 2, "Upd', "null", "{}", '{"UpdatedAt": "soon"}'),
        '{"UpdatedAt": "2026-11-24T00:00:00Z", "Version": ' + "9" * 400 + "}",
    ],
)
def test_a_database_that_says_nothing_of_itself_is_named(tmp_path: Path, metadata: str) -> None:
    folder = in_folder(tmp_path / "given", metadata)
    with pytest.raises(ScanFailed, match=r"given/db/metadata\.json: invalid content") as raised:
        VulnDb(folder, is_given=True).refresh(trivy_program.Trivy("0"))
    assert raised.value.reason == "no-db"


def test_without_a_network_both_the_database_and_the_network_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*_: object) -> None:
        raise ScanFailed("trivy failed:\ndial tcp: lookup ghcr.io", "no-db")

    monkeypatch.setattr(vulndb, "download", download)
    with pytest.raises(ScanFailed, match=r"(?s)no vulnerability DB .*network.*--db FOLDER.*ghcr"):
        VulnDb(tmp_path, False).refresh(trivy_program.Trivy("0"))
    in_folder(tmp_path, "{}")
    with pytest.raises(ScanFailed, match=f"an old .*--db {tmp_path}"):
        VulnDb(tmp_path, False).refresh(trivy_program.Trivy("0"))


def test_while_one_capture_scans_with_it_no_other_changes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the first records one database, and scans with another or with none."""
    downloads: list[int] = []

    def download(*_: object) -> None:
        downloads.append(len(downloads))
        shutil.rmtree(tmp_path / "db", ignore_errors=True)
        day = f"2026-11-{len(downloads):02}"
        in_folder(tmp_path, json.dumps({"UpdatedAt": f"{day}T00:00:00Z", "Version": 2}))

    monkeypatch.setattr(vulndb, "download", download)
    first, second = VulnDb(tmp_path, False), VulnDb(tmp_path, False)
    first.refresh(trivy_program.Trivy("0"))
    recorded = first.describe()
    second.refresh(trivy_program.Trivy("0"))
    assert first.describe() == second.describe() == recorded
    first.release()
    second.release()
    first.refresh(trivy_program.Trivy("0"))
    assert first.describe() != recorded
    assert downloads == [0, 1]
    first.release()


def test_a_java_database_that_two_captures_need_is_downloaded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads: list[Path] = []

    def download(_: object, folder: Path, *__: str) -> None:
        downloads.append(folder)
        time.sleep(0.2)
        java_db(folder)

    monkeypatch.setattr(vulndb, "download", download)
    two = [VulnDb(tmp_path / "cache", False) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda one: one.ensure_java_db(trivy_program.Trivy("0")), two)
        assert [*found] == [True, True]
    assert len(downloads) == 1


ANY = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def pinned(registry_here: Registry, db: Path) -> str:
    """A vulnerability DB in a registry, by digest."""
    return registry_here.database("trivy-db", "db", db / "db", "trivy.db")


@pytest.fixture(scope="module")
def pinned_java(registry_here: Registry, tmp_path_factory: Any) -> str:
    """A Java DB in a registry, by digest."""
    folder = java_db(tmp_path_factory.mktemp("java"))
    return registry_here.database("trivy-java-db", "javadb", folder / "java-db", "trivy-java.db")


def jar() -> bytes:
    """A Java archive that does not name itself."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("org/Some.class"), b"\xca\xfe\xba\xbe")
    return packed.getvalue()


def java_db(folder: Path) -> Path:
    """Write a Java DB into a folder; it knows only that archive.

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
    metadata = {"Version": 1, "NextUpdate": "2999-01-01T00:00:00Z", **times}
    (folder / "java-db/metadata.json").write_text(json.dumps(metadata))
    return folder


@pytest.fixture
def java_study(empty_data: Path) -> str:
    """A study of two images with a Java archive each, and of one without."""
    # DBs that are downloaded are this test's.
    (empty_data / "cache").unlink()
    release = images.file("etc/os-release", b"ID=alpine\nVERSION_ID=3.23.0\n")
    variants = {name: f'archive = "{name}.tar"' for name in ("one", "two", "none")}
    name = write_study(empty_data, "java", **variants)
    for variant in variants:
        app = [images.file("app/app.jar", jar())] if variant != "none" else []
        layer = images.tar(release, *app, images.file(variant))
        images.docker_save(paths.study(name) / f"{variant}.tar", layer)
    return name


LOG4J = "org.apache.logging.log4j:log4j-core"


def with_log4j() -> list[str]:
    """The variants in which that package was found."""
    packages = load_study("java").packages
    return packages[packages["package"].eq(LOG4J)]["variant"].tolist()


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "db/trivy.db").read_bytes()).hexdigest()


class TestADbPinnedByDigest:
    def test_also_over_a_recent_one(
        self, pinned: str, db: Path, shared: Path, tmp_path: Path
    ) -> None:
        shutil.copytree(shared / "evidence/blog-2022/asof-2022-02/db", tmp_path / "db")
        metadata = json.loads((tmp_path / "db/metadata.json").read_text())
        fresh = {"NextUpdate": "2999-01-01T00:00:00Z", "DownloadedAt": "2998-12-31T00:00:00Z"}
        (tmp_path / "db/metadata.json").write_text(json.dumps(metadata | fresh))
        vulndb.download(trivy_program.find(), tmp_path, pinned)
        assert sha256(tmp_path) == sha256(db)
        assert [path.name for path in tmp_path.iterdir()] == ["db"]

    def test_a_failed_download_is_reported_and_keeps_the_old_one(
        self, pinned: str, db: Path, tmp_path: Path
    ) -> None:
        shutil.copytree(db / "db", tmp_path / "db")
        wrong = f"{pinned.partition('@')[0]}@{ANY}"
        with pytest.raises(ScanFailed, match="MANIFEST_UNKNOWN") as caught:
            vulndb.download(trivy_program.find(), tmp_path, wrong)
        assert caught.value.reason == "no-db"
        assert sha256(tmp_path) == sha256(db)

    def test_it_is_not_downloaded_again(self, pinned: str, tmp_path: Path) -> None:
        vulndb = VulnDb(tmp_path, False, pinned)
        vulndb.refresh(trivy_program.find())
        before = (tmp_path / "db/metadata.json").stat().st_mtime_ns
        # As one leaves it that is killed when the DB is in its place.
        left = processes.this_process().replace(f"{os.getpid()}@", "999999999@")
        (tmp_path / f"kit-db.{left}.x" / "db").mkdir(parents=True)
        vulndb.refresh(trivy_program.find())
        assert (tmp_path / "db/metadata.json").stat().st_mtime_ns == before
        assert [path.name for path in tmp_path.iterdir()] == ["db"]


class TestJavaArchives:
    def test_offline_they_need_a_java_db_and_one_that_comes_later_is_a_change(
        self, java_study: str, db: Path, tmp_path: Path
    ) -> None:
        copy = tmp_path / "db"
        shutil.copytree(db / "db", copy / "db")
        outcome = capture(java_study, db=copy)
        assert sorted(outcome.failures) == ["one", "two"]
        assert "trivy failed on one.tar. Java archives need Trivy's Java DB" in str(outcome)
        assert "trivy image --download-java-db-only --cache-dir" in outcome.failures["one"]
        assert study.open_study(java_study).facts().db.java_updated_at is None
        java_db(copy)
        outcome = capture(java_study, db=copy)
        assert (outcome.failures, outcome.unchanged) == ({}, False)
        assert with_log4j() == ["one", "two"]
        facts = study.open_study(java_study).facts()
        assert f"{facts.db.java_updated_at:%F}" == "2026-11-01"
        text = provenance.answer(study.open_study(java_study), facts).text.plain
        assert "the Java database of 2026-11-01" in text
        assert not any(variant.unchanged_since for variant in facts.variants.values())
        assert capture(java_study, db=copy).unchanged

    def test_online_it_is_downloaded_once_when_an_image_needs_it(
        self, java_study: str, pinned: str, pinned_java: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        downloaded, download = [], vulndb.download

        def counted(scanner: trivy_program.Trivy, folder: Path, *of: str) -> None:
            downloaded.append(of)
            download(scanner, folder, *of)

        monkeypatch.setattr(vulndb, "download", counted)
        repositories = {"db_repository": pinned, "java_db_repository": pinned_java}
        assert capture(java_study, **repositories).failures == {}
        assert downloaded == [(pinned,), (pinned_java, vulndb.JAVA_DB)], (
            "not for each image that needs it"
        )
        assert with_log4j() == ["one", "two"]
        assert capture(java_study, **repositories).unchanged
