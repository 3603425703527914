"""Scans in a container, where no Trivy is on the PATH: the same reports, and locked in."""

import json
import multiprocessing
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from helpers import processes
from helpers.containers.daemon import LABEL, Daemon
from helpers.errors import ScanFailed
from helpers.images.archive import open_archive
from helpers.scanning import scan, trivy_program, vulndb
from helpers.scanning.trivy_program import Trivy
from tests.scanning.test_scan import SBOM, comparable
from tests.support import image_archives as images
from tests.support.live import unless_live

HERE = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]

TRIVY = """
FROM scratch
COPY trivy /usr/local/bin/trivy
ENV PATH=/usr/local/bin
ENTRYPOINT ["trivy"]
"""

SPY = """
FROM rebuilt/alpine:3.23
COPY trivy /usr/local/bin/trivy
"""

SEES = """\
#!/bin/sh
{
  echo "user: $(id -u):$(id -g)"
  echo "command: $*"
  echo "folder: $(pwd)"
  echo "network: $(ls /sys/class/net | xargs)"
  echo "variables: $(env | grep -v -e ^PWD= -e ^SHLVL= | sort | xargs)"
  echo "capabilities: $(sed -n 's/^CapEff:.//p' /proc/self/status)"
  echo "no new privileges: $(sed -n 's/^NoNewPrivs:.//p' /proc/self/status)"
  echo "target: $(ls /target 2> /dev/null | xargs)"
  echo "mounted: $(awk '$2 !~ "^/(proc|sys|dev|etc)?(/|$)" { print $2 }' /proc/mounts \\
    | sort | xargs)"
  for folder in / /usr/local/bin /db /target; do
    touch $folder/x 2> /dev/null && echo "writes: $folder" && rm $folder/x
  done
} > /scratch/report.json
cp /scratch/report.json /db/seen 2> /dev/null
true
"""


def make(folder: Path, name: str, dockerfile: str) -> Iterator[str]:
    """Builds an image from a folder, yields its name and removes it."""
    (folder / "Dockerfile").write_text(dockerfile)
    client = docker.from_env()
    client.images.build(path=str(folder), tag=name, rm=True)
    yield name
    client.images.remove(name, force=True)


@pytest.fixture(scope="module")
def binary(trivy_on_path: None) -> Path:
    return Path(shutil.which("trivy") or "")


@pytest.fixture(scope="module")
def trivy_image(daemon: Daemon, binary: Path, tmp_path_factory: Any) -> Iterator[str]:
    """A stand-in for Trivy's own image."""
    if binary.read_bytes()[:4] != b"\x7fELF":
        unless_live("the trivy on the PATH is a script, which an image cannot have")
    folder = tmp_path_factory.mktemp("trivy")
    shutil.copy(binary, folder / "trivy")
    yield from make(folder, "kit-tests/trivy:0.76.0", TRIVY)


@pytest.fixture(scope="module")
def spy_image(daemon: Daemon, standins: list[str], tmp_path_factory: Any) -> Iterator[str]:
    """An image whose trivy reports its surroundings."""
    folder = tmp_path_factory.mktemp("spy")
    (folder / "trivy").write_text(SEES)
    (folder / "trivy").chmod(0o755)
    yield from make(folder, "kit-tests/spy:1", SPY)


@pytest.fixture
def nothing_left(daemon: Daemon) -> Iterator[None]:
    """No container of this process is left."""
    yield
    label = {"label": f"{LABEL}={processes.this_process()}"}
    assert docker.from_env().containers.list(all=True, filters=label) == []


def in_container(image: str, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> Trivy:
    """A Trivy in a container, with no other on the PATH."""
    monkeypatch.setenv("PATH", "/no/where")
    monkeypatch.setattr(trivy_program, "IMAGE", image)
    return trivy_program.find(daemon)


@pytest.fixture
def inside(trivy_image: str, daemon: Daemon, monkeypatch, nothing_left: None) -> Trivy:
    return in_container(trivy_image, daemon, monkeypatch)


@pytest.fixture
def spy(spy_image: str, daemon: Daemon, monkeypatch, nothing_left: None) -> Trivy:
    return in_container(spy_image, daemon, monkeypatch)


@pytest.fixture(scope="module")
def archive(daemon: Daemon, standins: list[str], tmp_path_factory: Any) -> Path:
    path = tmp_path_factory.mktemp("archive") / "nodejs:8, saved.tar"
    daemon.save("gcr.io/distroless/nodejs", path)
    return path


def parsed(text: str) -> dict[str, str]:
    """What the spy reports, by name."""
    return dict(line.split(": ", 1) for line in text.splitlines())


@pytest.fixture
def scan_both(binary: Path, inside: Trivy, db: Path, tmp_path: Path) -> Callable[..., Any]:
    """Scans with the binary and in a container; returns both reports."""

    def scanned(kind: str, target: Path, db: Path = db) -> list[dict[str, Any]]:
        reports = []
        for number, trivy in enumerate((Trivy("local"), inside)):
            path = tmp_path / f"{number}.json"
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("PATH", str(binary.parent))
                scan.scan(trivy, kind, target, path, db)
            reports.append(comparable(json.loads(path.read_text())))
        return reports

    return scanned


def test_the_image_has_the_version_of_the_tests(binary: Path) -> None:
    assert f"aquasec/trivy:{trivy_program.find().version}" == trivy_program.IMAGE


def test_it_is_used_where_there_is_no_binary(inside: Trivy, daemon: Daemon) -> None:
    image = daemon.find(trivy_program.IMAGE)
    assert image
    assert inside.label() == f"{trivy_program.IMAGE} {image['Id']}"
    assert inside.version == "0.76.0"


@pytest.mark.parametrize("link", [False, True])
def test_an_archive_scans_to_the_same(
    scan_both: Any, archive: Path, tmp_path: Path, link: bool
) -> None:
    target = tmp_path / "link.tar" if link else archive
    if link:
        target.symlink_to(archive)
    local, contained = scan_both("archive", target)
    assert local["Results"][0]["Vulnerabilities"]
    assert contained == local


# Words of the command, or like its options.
@pytest.mark.parametrize("name", ["DB", "REPORT", "--help", "a b:c,d"])
def test_an_sbom_scans_to_the_same(scan_both: Any, tmp_path: Path, name: str) -> None:
    local, contained = scan_both("sbom", Path(shutil.copy(SBOM, tmp_path / name)))
    assert len(local["Results"][0]["Vulnerabilities"]) > 20
    assert contained == local


PACKED = {"gzip": images.gzipped, "zstd": images.zstd, "xz": images.xz, "bzip2": images.bzip2}


@pytest.mark.parametrize("form", ["tar", "folder", "saved", *PACKED])
def test_trivy_scans_the_image_that_the_kit_reads(
    scan_both: Any, tmp_path: Path, form: str
) -> None:
    layers = [images.tar(images.file(name, b"ID=alpine")) for name in ("etc/os-release", "b", "c")]
    layout = images.Layout()
    other = layout.image(layers[1], **images.on_platform("s390x"))
    mine = layout.image(*layers, **images.on_platform(HERE))
    path = tmp_path / "app:1"
    match form:
        case "tar":
            layout.tar(path, other, mine)
        case "folder":
            layout.folder(path, other, mine)
        case "saved":
            # As the containerd store saves an image that was built on a loaded one.
            images.docker_save(path, *layers)
            with tarfile.open(path) as tar:
                files = {entry.name: tar.extractfile(entry).read() for entry in tar}
            name = f"blobs/sha256/{images.digest(layers[-1])[7:]}"
            files[name] = images.gzipped(files[name])
            zipped = f"blobs/sha256/{images.digest(files[name])[7:]}"
            files[zipped] = files.pop(name)
            files["manifest.json"] = files["manifest.json"].replace(name.encode(), zipped.encode())
            images.written(path, files)
        case _:
            images.docker_save(path, *layers)
            path.write_bytes(PACKED[form](path.read_bytes()))
    with open_archive(path) as archive:
        image_id, diff_ids = archive.image_id, [layer.diff_id for layer in archive.layers]
    assert len(diff_ids) == len(layers)
    local, contained = scan_both("archive", path)
    assert local["Metadata"]["ImageID"] == image_id
    assert local["Metadata"]["DiffIDs"] == diff_ids
    assert local["ArtifactName"] == ("app:1" if form == "gzip" else "app-1"), "Trivy opens gzip"
    assert contained == local


def test_a_scan_sees_its_target_its_db_and_no_network(
    spy: Trivy, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:1")
    for name in ("app.json", "beside.json"):
        (tmp_path / "targets" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "targets" / name).write_text("{}")
    scan.scan(spy, "sbom", tmp_path / "targets/app.json", tmp_path / "report", db)
    report = parsed((tmp_path / "report").read_text())
    assert report.pop("command").startswith("sbom --cache-dir /db --cache-backend memory --skip-db")
    variables = {variable.partition("=")[0] for variable in report.pop("variables").split()}
    assert variables == {"HOME", "HOSTNAME", "PATH", "TMPDIR"}
    assert report == {
        "user": f"{os.getuid()}:{os.getgid()}",
        "folder": "/target",
        "network": "lo",
        "capabilities": "0" * 16,
        "no new privileges": "1",
        "target": "app.json",
        "mounted": "/db /scratch /target/app.json",
    }
    assert not (tmp_path / "targets/x").exists()


def test_only_a_download_has_a_network_and_the_proxy(
    spy: Trivy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/mine.crt")
    vulndb.download(spy, tmp_path)
    report = parsed((tmp_path / "seen").read_text())
    assert report["command"].startswith("image --download-db-only --cache-dir /db")
    assert "eth0" in report["network"]
    assert (report["writes"], report["mounted"]) == ("/db", "/db /scratch")
    assert "HTTPS_PROXY=http://proxy.example:1" in report["variables"]
    assert "SSL_CERT_FILE" not in report["variables"], "a path of this machine"
    assert [path.name for path in tmp_path.iterdir()] == ["seen"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_files_that_it_writes_belong_to_the_user(spy: Trivy, db: Path) -> None:
    user_id = 4321
    socket = Path(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")[7:])
    folder = Path("/tmp") / f"kit-user-{os.getpid()}"
    folder.mkdir()
    shutil.copytree(db / "db", folder / "cache/db")
    (folder / "app.json").write_text("{}")
    os.chown(folder, user_id, user_id)

    def as_user() -> None:
        os.setgroups([socket.stat().st_gid])
        os.setgid(user_id)
        os.setuid(user_id)
        scan.scan(spy, "sbom", folder / "app.json", folder / "report", folder / "cache")

    try:
        process = multiprocessing.get_context("fork").Process(target=as_user)
        process.start()
        process.join()
        assert process.exitcode == 0
        written = (folder / "report").stat()
        assert (written.st_uid, written.st_gid) == (user_id, user_id)
        assert stat.S_IMODE(written.st_mode) & stat.S_IRUSR
        assert parsed((folder / "report").read_text())["user"] == f"{user_id}:{user_id}"
    finally:
        shutil.rmtree(folder)


def test_a_scan_that_fails_is_reported_with_its_last_output(
    inside: Trivy, db: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(ScanFailed) as caught:
        scan.scan(inside, "sbom", tmp_path / "broken.json", tmp_path / "report", db)
    assert str(caught.value).startswith("trivy failed on broken.json. Its last output:\n")
    assert "unknown scanning is not yet supported" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["broken.json"]
    with pytest.raises(ScanFailed, match="no such archive to scan") as caught:
        scan.scan(inside, "archive", tmp_path / "no", tmp_path / "report", db)
    assert caught.value.reason == "no-image"


def test_a_scan_that_takes_too_long_is_reported(
    inside: Trivy,
    archive: Path,
    db: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Trivy has a time limit, and its container a longer one.
    monkeypatch.setattr(scan, "LIMIT", ["--timeout", "1ms"])
    with pytest.raises(ScanFailed, match="The scan took too long") as caught:
        scan.scan(inside, "archive", archive, tmp_path / "report", db)
    assert caught.value.reason == "timeout"
    monkeypatch.undo()
    monkeypatch.setattr(trivy_program, "TIMEOUT_SECONDS", -30 + 0.01)
    with pytest.raises(ScanFailed, match="trivy did not end within 0 s") as caught:
        scan.scan(inside, "archive", archive, tmp_path / "report", db)
    assert caught.value.reason == "timeout"
    assert list(tmp_path.iterdir()) == []
