"""Two processors' images under one name: read from a registry and an archive, and compared."""

import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.capture import new_study
from helpers.capture.session import capture
from helpers.images import oci
from helpers.studies.load import load_files, load_study
from tests.support import debian_roots
from tests.support import image_archives as images
from tests.support.live import unless_live
from tests.support.registries import Registry

PLATFORMS = [oci.parse("linux/amd64"), oci.parse("linux/arm64")]
INTERPRETERS = {"amd64": "/lib64/ld-linux-x86-64.so.2", "arm64": "/lib/ld-linux-aarch64.so.1"}


@pytest.fixture(scope="module")
def two(registry_here: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The reference of an image of real Debian packages for two processors."""
    folder = tmp_path_factory.mktemp("roots")
    descriptors = []
    for architecture in INTERPRETERS:
        root = debian_roots.distroless(architecture, folder)
        descriptor, _ = registry_here.image("two", root, architecture=architecture)
        descriptors.append(descriptor | images.on_platform(architecture))
    return registry_here.index("two", *descriptors)


def check(name: str, db: Path) -> None:
    """Capture a study of both, and see that each is its own."""
    outcome = capture(name, db=db)
    assert outcome.failures == {}
    found = load_study(name)
    assert found.images["architecture"].tolist() == ["amd64", "arm64"]
    assert found.images["status"].tolist() == ["scanned", "scanned"]
    assert found.images["image_id"].nunique() == 2
    assert not outcome.broken
    files = load_files(name)
    for variant, architecture in zip(found.images["variant"], INTERPRETERS, strict=True):
        assert variant.endswith(f"-{architecture}")
        own = files[files["variant"].eq(variant)]
        assert INTERPRETERS[architecture] in set(own["elf_interpreter"].dropna())
        packages = found.packages[found.packages["variant"].eq(variant)]
        assert set(packages["package"]) >= set(debian_roots.PACKAGES)
        assert f"arch={architecture}" in packages["purl"].iloc[0]
        assert own["package"].notna().sum() > 100


def test_an_index_of_a_registry_gives_a_variant_a_platform(
    two: str, empty_data: Path, db: Path, trivy_on_path: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    check(new_study.make_study([two], "both", PLATFORMS), db)


def test_an_archive_of_several_gives_a_variant_a_platform(
    two: str, registry_here: Registry, empty_data: Path, db: Path, tmp_path: Path
) -> None:
    if not shutil.which("skopeo"):
        unless_live("skopeo is not installed")
    layout = tmp_path / "two"
    command = ["skopeo", "copy", "--all", "--src-tls-verify=false", f"docker://{two}"]
    subprocess.run([*command, f"oci:{layout}"], check=True, capture_output=True)
    check(new_study.make_study([str(layout)], "both", PLATFORMS), db)
