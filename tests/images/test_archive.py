"""Which image is in an archive, in every layout that tools write; other files are refused."""

import gzip
import io
import json
import lzma
import platform
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from helpers import compressed
from helpers.errors import ArchiveInvalid
from helpers.images.archive import GZIP_LEVEL, MAX_JSON, Archive, gzip_size, open_archive
from tests.support.image_archives import (
    Layout,
    bzip2,
    config_of,
    digest,
    docker_save,
    file,
    flipped,
    gzipped,
    hardlink,
    old_docker_save,
    on_platform,
    plain,
    symlink,
    tar,
    written,
    xz,
    zstd,
)

ONE = tar(file("one", b"1" * 5000))
TWO = tar(file("two", b"2" * 9000))
HERE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
FILES = [gzipped, zstd, xz, bzip2]
"""What people compress files with; layers are compressed by the first two only."""

Compress = Callable[[bytes], bytes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.tar"


def layers_of(archive: Archive) -> list[bytes]:
    contents = []
    for layer in archive.layers:
        with archive.open_layer(layer) as stream:
            contents.append(stream.read())
    return contents


def opened(path: Path, content: bytes | None = None) -> list[bytes]:
    """The layers of an archive, or of one with this content."""
    if content is not None:
        path.write_bytes(content)
    with open_archive(path) as archive:
        return layers_of(archive)


def refused(path: Path, content: bytes | None = None) -> ArchiveInvalid:
    """The error of an archive; it names the file and says what to do."""
    with pytest.raises(ArchiveInvalid) as caught:
        opened(path, content)
    assert caught.value.path == str(path)
    assert caught.value.remedy
    return caught.value


def named(name: str, key: str = "org.opencontainers.image.ref.name") -> dict[str, Any]:
    return {"annotations": {key: name}}


def test_docker_save(path: Path) -> None:
    docker_save(path, ONE, TWO, tags=("app:1", "app:latest"))
    with open_archive(path) as archive:
        assert archive.image_id == digest(config_of((ONE, TWO)))
        assert archive.names == ["app:1", "app:latest"]
        assert archive.config["architecture"] == "amd64"
        assert [layer.diff_id for layer in archive.layers] == [digest(ONE), digest(TWO)]
        assert [layer.digest for layer in archive.layers] == [digest(ONE), digest(TWO)]
        assert [layer.compressed_bytes for layer in archive.layers] == [None, None]
        assert layers_of(archive) == [ONE, TWO]
    assert opened(docker_save(path)) == [], "an image without layers"


def test_an_oci_layout_may_be_a_folder(tmp_path: Path) -> None:
    layout = Layout()
    folder = layout.folder(tmp_path / "app", layout.image(ONE, TWO, **named("app:1")))
    with open_archive(folder) as archive:
        assert archive.names == ["app:1"]
        assert archive.image_id == digest(config_of((ONE, TWO)))
        assert layers_of(archive) == [ONE, TWO]


def test_an_image_with_several_names_is_one_image(path: Path) -> None:
    layout = Layout()
    images = [layout.image(ONE, **named(name)) for name in ("1", "latest", "1")]
    with open_archive(layout.tar(path, *images)) as archive:
        assert archive.names == ["1", "latest"]


def test_a_compressed_layer_has_its_own_size_and_another_that_of_gzip(path: Path) -> None:
    layout = Layout()
    with open_archive(layout.tar(path, layout.image(ONE, compress=zstd))) as archive:
        assert gzip_size(archive, archive.layers[0]) == len(zstd(ONE))
    with open_archive(docker_save(path, ONE)) as archive:
        expected = len(gzip.compress(ONE, GZIP_LEVEL))
        assert gzip_size(archive, archive.layers[0]) == pytest.approx(expected, abs=40)


def test_paths_that_cannot_be_opened_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "missing.tar")
    refused(tmp_path)
    assert "neither" in refused(Path("/dev/null")).problem


def test_old_docker_save_links_equal_layers(path: Path) -> None:
    with open_archive(old_docker_save(path, ONE, TWO, ONE)) as archive:
        assert archive.names == []
        assert [layer.digest for layer in archive.layers] == [None] * 3
        assert layers_of(archive) == [ONE, TWO, ONE]


@pytest.mark.parametrize(
    "compress", [plain, gzipped, zstd, lambda c: gzipped(c[:999]) + gzipped(c[999:])]
)
def test_compression_of_layers_is_known_by_first_bytes_not_media_type(
    path: Path, compress: Compress
) -> None:
    layout = Layout()
    layout.tar(path, layout.image(ONE, TWO, compress=compress))
    with open_archive(path) as archive:
        assert layers_of(archive) == [ONE, TWO]
        sizes = [None if compress is plain else len(compress(layer)) for layer in (ONE, TWO)]
        assert [layer.compressed_bytes for layer in archive.layers] == sizes
        assert archive.layers[0].digest == digest(compress(ONE))


@pytest.mark.parametrize("compress", FILES)
def test_a_whole_archive_may_be_compressed(path: Path, compress: Compress) -> None:
    whole = docker_save(path, ONE).read_bytes()
    parts = compress(whole[:9000]) + compress(whole[9000:])
    assert opened(path, parts) == [ONE], "parallel compressors write several streams"
    stored = compress(whole)
    assert opened(path, stored) == [ONE]
    problem = refused(path, stored[: len(stored) // 2]).problem
    assert "cut off" in problem or "not a complete image archive" in problem
    assert opened(path, stored + bytes(512)) == [ONE], "padding is no damage"
    middle = len(stored) // 2
    changed = flipped(stored, [(middle, bytes([stored[middle] ^ 255]))])
    for content in (stored + b"more", changed, stored[:-1]):
        assert "cut off or damaged" in refused(path, content).problem


def test_zstd_may_have_frames_that_are_skipped_and_no_window_of_gigabytes(path: Path) -> None:
    """See RFC 8878, 3.1; a layer of zstd:chunked ends with a frame that is skipped."""
    skipped = b"\x50\x2a\x4d\x18" + (9).to_bytes(4, "little") + b"\x28\xb5\x2f\xfd else"
    whole = docker_save(path, ONE).read_bytes()
    for content in (zstd(whole[:9000]) + skipped + zstd(whole[9000:]), zstd(whole) + skipped):
        assert opened(path, content) == [ONE]
    assert "cut off or damaged" in refused(path, zstd(whole) + skipped[:-1]).problem
    # A window of 128 MiB, of 256 MiB and of 2 GiB, and a block of one byte as it is.
    frames = [b"\x28\xb5\x2f\xfd\0" + bytes([log - 10 << 3, 9, 0, 0, 65]) for log in (27, 28, 31)]
    problems = [refused(path, frame).problem for frame in frames]
    assert ["too much memory" in problem for problem in problems] == [False, True, True]


@pytest.mark.parametrize("compress", [xz, bzip2])
def test_layers_may_not_have_every_compression(path: Path, compress: Compress) -> None:
    layout = Layout()
    layout.tar(path, layout.image(ONE, compress=compress))
    assert "layer 1 of 1 is cut off or damaged" in refused(path).problem


def test_xz_has_a_limit_of_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = lzma.compress(docker_save(path, ONE).read_bytes(), preset=9)
    assert opened(path, content) == [ONE], "the strongest preset"
    monkeypatch.setattr(compressed, "MAX_MEMORY", 2**25)
    assert "reading it takes more than 256 MiB" in refused(path).problem


def test_of_several_platforms_this_machines_is_taken(path: Path) -> None:
    layout = Layout()
    here, other = layout.image(ONE, **on_platform(HERE)), layout.image(TWO, **on_platform("s390x"))
    attestation = layout.image(TWO, **on_platform("unknown", "unknown"))
    absent = {**on_platform("arm"), "digest": f"sha256:{'0' * 64}"}
    assert opened(layout.tar(path, layout.index(other, attestation, here))) == [ONE]
    assert opened(layout.tar(path, layout.index(other, attestation))) == [TWO], "the only one"
    assert opened(layout.tar(path, absent, other)) == [TWO], "the only one that was saved"


@pytest.mark.parametrize(
    ("machine", "platforms", "taken"),
    [
        ("x86_64", ["windows/amd64", "linux/amd64"], "linux/amd64"),
        ("x86_64", ["linux/amd64/v3", "linux/amd64", "linux/amd64/v2"], "linux/amd64"),
        ("x86_64", ["linux/amd64/v2", "linux/amd64/v1"], "linux/amd64/v1"),
        ("x86_64", ["windows/amd64", "linux/amd64/v3", "linux/arm64"], "linux/amd64/v3"),
        ("aarch64", ["linux/arm64/v9", "linux/arm64/v8", "linux/arm/v7"], "linux/arm64/v8"),
        ("aarch64", ["linux/arm64/v8", "linux/arm64"], "linux/arm64"),
        ("armv7l", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"),
        ("s390x", ["linux/s390x", "linux/s390x/z16"], "linux/s390x"),
    ],
)
def test_the_usual_variant_of_an_architecture_is_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, platforms: list[str], taken: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    for order in (platforms, platforms[::-1]):
        layout = Layout()
        images = []
        for name in order:
            os, architecture, *variant = name.split("/")
            images.append(layout.image(tar(file(name)), **on_platform(architecture, os, *variant)))
        assert opened(layout.tar(path, layout.index(*images))) == [tar(file(taken))]


def test_foreign_platforms_are_named_with_a_way_to_save_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")

    def error(*platforms: dict[str, Any]) -> ArchiveInvalid:
        layout = Layout()
        images = [layout.image(tar(file(str(n))), **each) for n, each in enumerate(platforms)]
        return refused(layout.tar(path, layout.index(*images)))

    foreign = error(on_platform("amd64", "windows"), on_platform("s390x"), on_platform("ppc64le"))
    assert "3 images (windows/amd64, linux/s390x, linux/ppc64le), not exactly" in foreign.problem
    assert foreign.remedy == (
        "Save one with `docker save --platform linux/s390x` (since Docker 28) or "
        "`skopeo copy --override-os linux --override-arch s390x …`"
    )
    variants = error(*(on_platform("amd64", variant=name) for name in ("v3", "v2"))).remedy
    assert "`docker save --platform linux/amd64/v3`" in variants
    assert "--override-os linux --override-arch amd64 --override-variant v3 …" in variants
    each = "Save each to a file of its own"
    alike = error(on_platform("amd64"), on_platform("amd64"), on_platform("arm64"))
    assert alike.remedy == each, "a platform would not tell them apart"
    hostile = error(on_platform("s390x", "linux`; reboot #"), on_platform("arm64 x"))
    assert hostile.remedy == each, "a remedy may be pasted into a shell"


def test_several_images_in_one_file_are_named(path: Path) -> None:
    layout = Layout()
    images = [
        layout.image(layer, **named(name, "io.containerd.image.name"))
        for layer, name in ((ONE, "a:1"), (TWO, "b:1"))
    ]
    error = refused(layout.tar(path, *images))
    assert "a:1, b:1" in error.problem
    assert error.remedy == "Save each to a file of its own"
    saved = [{"Config": "x", "RepoTags": [tag], "Layers": []} for tag in ("a:1", "b:1")]
    written(path, {"manifest.json": json.dumps(saved).encode()})
    assert "2 images (a:1, b:1)" in refused(path).problem


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("manifest.json", "[]")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"FROM scratch\n" * 100, "not a complete image archive"),
        (b"\x00" * 10240, "no manifest.json or index.json"),
        (bytes(range(256)) * 40, "not a complete image archive"),
        (zipped(), "a zip file"),
        (b'{"SchemaVersion": 2}', "JSON"),
        (b"\x1f\x8b\x08garbage", "cut off or damaged"),
        (b"\x28\xb5\x2f\xfdgarbage", "damaged"),
        (tar(file("etc/passwd")), "no manifest.json or index.json"),
        (tar(file("manifest.json", b"[")), "manifest.json: "),
        (tar(file("manifest.json", b"[" * 10**5)), "manifest.json: "),
        (tar(file("manifest.json", b" " * (MAX_JSON + 1))), "more than 16,777,216 bytes"),
        (tar(file("manifest.json", b"[]")), "no image"),
        (tar(file("manifest.json", b'[{"Config": "../etc/x"}]')), "has no '../etc/x'"),
        (tar(file("index.json", b"{}")), "no image"),
        (tar(file("index.json", b'{"manifests": [{"digest": "sha256:../x"}]}')), "invalid digest"),
    ],
)  # fmt: skip
def test_other_files_are_refused(path: Path, content: bytes, problem: str) -> None:
    assert problem in refused(path, content).problem


def saved(path: Path, config: bytes, layer: str = "l", **files: bytes) -> Path:
    manifest = json.dumps([{"Config": "config", "Layers": [layer]}]).encode()
    return written(path, {"config": config, "manifest.json": manifest, **files})


def test_config_and_layers_have_to_agree(path: Path) -> None:
    two = refused(saved(path, config_of((ONE, TWO)), l=ONE))
    assert "1 layers, but 2 in its" in two.problem
    assert "has no 'l'" in refused(saved(path, config_of((ONE,)))).problem
    assert "has no '../l'" in refused(saved(path, config_of((ONE,)), "../l", l=ONE)).problem
    wrong = refused(saved(path, config_of((ONE,)), l=TWO))
    assert wrong.problem == "layer 1 of 1 is cut off or damaged: its digest is not its DiffID"
    bad = b'{"rootfs": {"diff_ids": ["md5:1"]}}'
    assert "invalid DiffID 'md5:1'" in refused(saved(path, bad, l=ONE)).problem
    for config in (b"null", b"[]", b'{"rootfs": 1}', b"\xff", b'{"a":' * 5000):
        assert "config: " in refused(saved(path, config, l=ONE)).problem
    content = docker_save(path, ONE).read_bytes().replace(b'"amd64"', b'"arm64"')
    assert "does not have the digest in its name" in refused(path, content).problem


@pytest.mark.parametrize("link", [symlink("a", "b"), symlink("a", "../../x"), hardlink("a", "b")])
def test_links_between_layers_that_lead_nowhere_are_refused(path: Path, link: Any) -> None:
    manifest = json.dumps([{"Config": "config", "Layers": ["a"]}]).encode()
    files = file("config", config_of((ONE,))), file("manifest.json", manifest)
    assert "has no 'a'" in refused(path, tar(*files, link, symlink("b", "a"))).problem


@pytest.mark.parametrize("make", [docker_save, old_docker_save])
def test_an_archive_cut_anywhere_is_refused(path: Path, make: Any) -> None:
    whole = make(path, ONE, TWO).read_bytes()
    length = len(whole.rstrip(b"\0"))
    for at in range(0, length, 997):
        assert "docker save" in refused(path, whole[:at]).remedy
    assert "cut off" in refused(path, whole[: length // 2]).problem


@pytest.mark.parametrize("compress", [gzipped, zstd])
def test_a_layer_that_is_cut_or_changed_is_refused(path: Path, compress: Compress) -> None:
    stored = compress(ONE)
    for content in (stored[:-5], stored[: len(stored) // 2], flipped(stored, [(20, b"\0")])):
        error = refused(saved(path, config_of((ONE,)), l=content))
        assert "layer 1 of 1 is cut off or damaged" in error.problem


@pytest.mark.parametrize("compress", FILES)
def test_a_decompression_bomb_is_stopped(
    path: Path, monkeypatch: pytest.MonkeyPatch, compress: Compress
) -> None:
    monkeypatch.setattr(compressed, "BOMB_BYTES", 10**6)
    bomb = compress(b"\0" * 2 * 10**7)
    assert "a decompression bomb" in refused(path, bomb).problem, "the archive is one"
    small = compress(bytes(10**6 - 10240))
    assert "no manifest.json" in refused(path, small).problem
    if compress in (gzipped, zstd):
        error = refused(saved(path, config_of((ONE,)), l=bomb))
        assert "a decompression bomb" in error.problem, "a layer is one"
    content = compress(docker_save(path, ONE).read_bytes())
    monkeypatch.setattr(compressed, "MAX_UNPACKED", 5000)
    assert "expands to more than 5,000 bytes" in refused(path, content).problem


def archives() -> st.SearchStrategy[bytes]:
    """Any bytes, and archives with changed bytes."""
    layout = Layout()
    images = (layout.image(ONE), layout.index(layout.image(TWO, compress=zstd)))
    whole = [
        tar(*[file(name, content) for name, content in layout.files_for(image).items()])
        for image in images
    ]
    changes = st.tuples(st.integers(0, 2**14), st.binary(min_size=1, max_size=600))
    changed = st.builds(flipped, st.sampled_from(whole), st.lists(changes, min_size=1, max_size=3))
    return st.binary(max_size=2000) | changed


@given(content=archives())
def test_any_bytes_are_an_image_or_are_refused(path: Path, content: bytes) -> None:
    try:
        opened(path, content)
    except ArchiveInvalid as error:
        assert error.path == str(path)
        assert error.remedy
