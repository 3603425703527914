"""Metadata of an image: its layers, what its base brought, and no secret."""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from helpers.errors import ArchiveInvalid
from helpers.images import metadata
from helpers.images.metadata import Image, Layer


def described(base: Sequence[str] = ("sha256:a",), **config: object) -> Image:
    history = [
        {"created_by": "/bin/sh -c #(nop) ADD a"},
        {"created_by": "ENV TOKEN=hunter2-hunter2", "empty_layer": True},
        {"created_by": "|1 TOKEN=hunter2-hunter2 /bin/sh -c make hunter2-hunter2"},
    ]
    settings = {
        "Env": ["PATH=/bin", "TOKEN=hunter2-hunter2", "HOME_OF_APP=/usr/src/app/"],
        "Cmd": ["/usr/src/app/run", "--token=hunter2-hunter2"],
        "ExposedPorts": {"53/udp": {}, "8080/tcp": {}},
        "Labels": {"secret": "x"},
    }
    return metadata.describe(
        Path("a.tar"),
        "sha256:1",
        {"architecture": "arm", "variant": "v7", "config": settings, "history": history, **config},
        [("sha256:a", 10, 20), ("sha256:b", 1, 2)],
        ("gzip", [5, 1]),
        base=("base", {"Id": "sha256:9", "RootFS": {"Layers": [*base]}}),
        file_paths={"/usr", "/usr/src/app"},
    )


def test_an_image_is_described_without_values() -> None:
    image = described()
    assert b"hunter2" not in msgspec.json.encode(image)
    assert image.environment == ["PATH", "TOKEN", "HOME_OF_APP"]
    assert image.labels == ["secret"]
    assert (image.base, image.base_id) == ("base", "sha256:9")
    assert image.command == ["/usr/src/app/run", "--token=…"], "the program that is started"
    assert image.architecture == "arm/v7"
    assert metadata.port(image.ports) == 8080
    assert (image.size_unpacked_bytes, image.size_compressed_bytes) == (11, 6)
    assert image.layers == [
        Layer("sha256:a", 10, 20, 5, "/bin/sh -c #(nop) ADD a", True),
        Layer("sha256:b", 1, 2, 1, "|1 TOKEN … /bin/sh -c make …", False),
    ]


@pytest.mark.parametrize(
    ("base", "from_base"),
    [
        (["sha256:a", "sha256:b"], [True, True]),
        (["sha256:a"], [True, False]),
        (["sha256:a", "sha256:c"], [True, None]),
        (["sha256:c"], [None, None]),
        ([], [False, False]),
    ],
)
def test_shared_layers_are_from_the_base(base, from_base) -> None:
    """The others are unknown if the base has changed."""
    assert [layer.from_base for layer in described(base).layers] == from_base


def test_a_history_with_another_number_of_layers_is_ignored() -> None:
    assert [layer.created_by for layer in described(history=[]).layers] == ["", ""]


@pytest.mark.parametrize("wrong", [{"config": {"Env": 3}}, {"created": "yesterday"}, {"os": []}])
def test_a_malformed_config_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ArchiveInvalid):
        described(**wrong)


def test_metadata_is_written_and_read_back_and_damage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.json"
    metadata.write(path, described())
    assert metadata.read(path, Image) == described()
    assert metadata.read(tmp_path / "none.json", Image) is None
    image = msgspec.to_builtins(described())
    sizes = [{**image, "layers": [{**image["layers"][0], "size_bytes": n}]} for n in (-1, 2**51)]
    for content in (path.read_bytes()[:100], *map(msgspec.json.encode, sizes)):
        path.write_bytes(content)
        with pytest.raises(metadata.ArchiveInvalid, match=r"invalid content.*Capture it again"):
            metadata.read(path, Image)


def test_many_values_and_a_long_history_are_refused_at_once() -> None:
    """To look for each value in each text would take hours."""
    begin = time.process_time()
    config = {"Env": [f"V{n}=value-{n:09}" for n in range(100_000)]}
    with pytest.raises(ArchiveInvalid, match="more than 4,294,967,296 letters"):
        described(config=config, history=[{"created_by": "x" * 100}] * 100_000)
    assert time.process_time() - begin < 5
    assert described(config={**config, "Env": config["Env"][:100]}).environment == [
        f"V{n}" for n in range(100)
    ]
