"""A registry that goes away at any request: an error of that variant, and the next run is right."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import paths
from helpers.capture.session import capture
from helpers.errors import ScanFailed
from helpers.registry import connections, image_cache
from helpers.scanning import trivy_program
from helpers.studies.load import load_study
from tests.conftest import Write, finding, trivy
from tests.support import faulty_registry
from tests.support import image_archives as images
from tests.support.faulty_registry import Faulty
from tests.support.studies import write_study

LONG = "KIT_LONG" in os.environ
"""Whether each request is the last one once, and not only each third."""

HERE = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """A registry that wants a token, with an image behind an index."""

    def none(_: object) -> None:
        raise ScanFailed("there is no scanner", "no-scanner")

    # Nothing is scanned, which takes no part in this.
    monkeypatch.setattr(trivy_program, "find", none)
    patient = connections._PATIENT.new(backoff_factor=0.0)
    monkeypatch.setattr(connections, "_PATIENT", patient)
    monkeypatch.setattr(image_cache, "_PAUSE_SECONDS", 0.0)
    with faulty_registry.serving() as registry:
        layer = images.tar(images.file("etc/os-release", b"ID=alpine\nVERSION_ID=3.23.0\n"))
        registry.add("small", "1", layer, os="linux", architecture=HERE)
        manifest = registry.files["/v2/small/manifests/1"]
        one = {"mediaType": images.MANIFEST, "size": len(manifest)}
        index = {
            "schemaVersion": 2,
            "mediaType": images.INDEX,
            "manifests": [
                {**one, "digest": images.digest(manifest), **images.on_platform(HERE)},
                {**one, "digest": "sha256:" + "0" * 64, **images.on_platform("s390x")},
            ],
        }
        text = json.dumps(index).encode()
        for tag in ("several", images.digest(text)):
            registry.files[f"/v2/small/manifests/{tag}"] = text
        registry.is_closed = True
        yield registry


@pytest.mark.slow
def test_cut_at_each_request_the_others_are_kept_and_the_next_run_is_right(
    served: Faulty, empty_data: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    (empty_data / "cache").unlink()
    study = write_study(
        empty_data,
        image=f'image = "{served.host}/small:several"',
        report=f'report = "{write(trivy(finding()))}"',
    )
    assert capture(study, images_from="registry").failures == {}, served.methods
    requests = len(served.asked)
    kinds = " ".join(path for path, _ in served.asked)
    assert all(kind in kinds for kind in ("/token", "/several", "/manifests/sha256", "/blobs"))
    for cut in range(1, requests + 1, 1 if LONG else 3):
        image_cache.ImageCache(paths.images_cache()).prune(0)
        served.asked.clear()
        served.cut = cut
        failures = capture(study, fresh=True, images_from="registry").failures
        assert [*failures] == ["image"], (cut, served.asked)
        assert served.host in failures["image"]
        assert "unexpected" not in failures["image"]
        served.cut = 0
        assert capture(study, fresh=True, images_from="registry").failures == {}
        assert load_study(study).images["status"].ne("failed").all()
        assert not [*(paths.images_cache() / "partial").iterdir()]
    assert "Traceback" not in capsys.readouterr().err
    assert not [*paths.study(study).glob(".*")]
