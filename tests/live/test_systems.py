"""Wolfi and Chainguard: Alpine's real packages and database, at the path where these have it.

No repository of Wolfi's is asked for packages; its own differ from Alpine's in what apk does not
tell.
"""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from helpers.capture.session import capture
from helpers.containers.daemon import Daemon
from helpers.frames import SCANNED
from helpers.images import package_files
from helpers.notebook.comparison import Comparison
from tests.support import image_archives as images

ALPINE = "rebuilt/alpine:3.23"
OS_RELEASE, DATABASE = "etc/os-release", "lib/apk/db/"


def moved(content: bytes, system: str) -> bytes:
    """Alpine's file system as a system's that has apk's database below /usr."""
    release = f'ID={system}\nNAME="{system}"\nVERSION_ID="20230201"\n'.encode()
    written = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(content)) as alpine,
        tarfile.open(fileobj=written, mode="w") as made,
    ):
        for info in alpine:
            if info.name in (OS_RELEASE, "usr/lib/os-release", "etc/alpine-release"):
                continue
            file = alpine.extractfile(info) if info.isreg() else None
            if info.name.startswith(DATABASE):
                info.name = f"usr/{info.name}"
            made.addfile(info, file)
        entry, text = images.file(OS_RELEASE, release)
        made.addfile(entry, io.BytesIO(text))
    return written.getvalue()


@pytest.mark.usefixtures("standins", "trivy_on_path")
@pytest.mark.parametrize("system", ["wolfi", "chainguard"])
def test_all_is_known_of_a_system_with_apks_database_below_usr(
    system: str, daemon: Daemon, db: Path, empty_data: Path, tmp_path: Path
) -> None:
    content = moved(b"".join(daemon.export(ALPINE)), system)
    archive = images.docker_save(tmp_path / "app.tar", content)
    study = empty_data / "studies/mine"
    study.mkdir(parents=True)
    text = 'title = "t"\nquestion = "q?"\nabout = "a"\n[[variants]]\nname = "app"\n'
    (study / "study.toml").write_text(f'{text}archive = "{archive}"\n')
    assert capture("mine", db=db).failures == {}
    compared = Comparison("mine")
    image: Any = next(compared.images.itertuples())
    assert (image.os_family, image.status) == (system, SCANNED)
    assert image.packages > 10
    files = compared.files.set_index("path")
    assert files.loc["bin/busybox", "package"] == "busybox"
    assert package_files.gaps(compared.files) == {}
    sizes = package_files.sized(compared.packages, compared.files).set_index("package")
    assert sizes.loc["musl", "size_bytes"] > 500_000
    assert compared.coverage["known_share"].tolist() == [1.0]
