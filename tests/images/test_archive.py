"""Which image is in an archive, in every layout that tools write; what is none is told by name."""

import io
import json
import lzma
import platform
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from helpers.errors import ArchiveInvalid
from helpers.images import compression
from helpers.images.archive import MAX_JSON, Archive, gzip_size, open_archive
from tests.support.image_archives import (
    Layout,
    bzip2,
    config_of,
    digest,
    docker_save,
    file,
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


def read_all(archive: Archive) -> list[bytes]:
    read = []
    for layer in archive.layers:
        with archive.open_layer(layer) as stream:
            read.append(stream.read())
    return read


def opened(path: Path) -> list[bytes]:
    """The layers of an archive, which is opened and closed for that."""
    with open_archive(path) as archive:
        return read_all(archive)


def refused(path: Path) -> ArchiveInvalid:
    """The error of an archive; it names the file and says what to do."""
    with pytest.raises(ArchiveInvalid) as told:
        opened(path)
    assert told.value.path == str(path)
    assert told.value.remedy
    return told.value


def test_docker_save(tmp_path: Path) -> None:
    path = docker_save(tmp_path / "app.tar", ONE, TWO, tags=("app:1", "app:latest"))
    with open_archive(path) as archive:
        assert archive.image_id == digest(config_of((ONE, TWO)))
        assert archive.names == ["app:1", "app:latest"]
        assert archive.config["architecture"] == "amd64"
        assert [layer.diff_id for layer in archive.layers] == [digest(ONE), digest(TWO)]
        assert [layer.digest for layer in archive.layers] == [digest(ONE), digest(TWO)]
        assert [layer.compressed_bytes for layer in archive.layers] == [None, None]
        assert read_all(archive) == [ONE, TWO]


def test_docker_save_of_old_links_a_layer_to_an_equal_one(tmp_path: Path) -> None:
    path = old_docker_save(tmp_path / "app.tar", ONE, TWO, ONE)
    with open_archive(path) as archive:
        assert archive.names == []
        assert [layer.digest for layer in archive.layers] == [None] * 3
        assert read_all(archive) == [ONE, TWO, ONE]


@pytest.mark.parametrize(
    "compress", [plain, gzipped, zstd, lambda c: gzipped(c[:999]) + gzipped(c[999:])]
)
def test_layers_are_what_their_first_bytes_say_whatever_the_media_type(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    layout = Layout()
    path = layout.tar(tmp_path / "app.tar", layout.image(ONE, TWO, compress=compress))
    with open_archive(path) as archive:
        assert read_all(archive) == [ONE, TWO]
        stored = [len(compress(ONE)), len(compress(TWO))]
        told = [None, None] if compress is plain else stored
        assert [layer.compressed_bytes for layer in archive.layers] == told
        assert archive.layers[0].digest == digest(compress(ONE))


def test_oci_layout_as_tar_and_as_folder(tmp_path: Path) -> None:
    layout = Layout()
    name = {"annotations": {"org.opencontainers.image.ref.name": "app:1"}}
    image = layout.image(ONE, **name)
    for path in (layout.tar(tmp_path / "a.tar", image), layout.folder(tmp_path / "a", image)):
        with open_archive(path) as archive:
            assert archive.names == ["app:1"]
            assert archive.image_id == digest(config_of((ONE,)))
            assert read_all(archive) == [ONE]


FILES = [gzipped, zstd, xz, bzip2]
"""What people compress files with; layers are compressed by the first two only."""


@pytest.mark.parametrize("compress", FILES)
def test_the_archive_itself_may_be_compressed(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = docker_save(tmp_path / "app.tar", ONE)
    whole = path.read_bytes()
    path.write_bytes(compress(whole[:9000]) + compress(whole[9000:]))
    assert opened(path) == [ONE], "also in parts, as is done side by side"
    path.write_bytes(compress(whole))
    assert opened(path) == [ONE]
    stored = path.read_bytes()
    path.write_bytes(stored[: len(stored) // 2])
    assert "cut off" in refused(path).problem or "not a whole one" in refused(path).problem


@pytest.mark.parametrize("compress", [gzipped, xz, bzip2])
def test_a_compressed_archive_that_is_damaged_is_refused(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = docker_save(tmp_path / "app.tar", ONE)
    stored = compress(path.read_bytes())
    path.write_bytes(stored + bytes(512))
    assert opened(path) == [ONE], "what fills up a block is no damage"
    middle = len(stored) // 2
    flipped = stored[:middle] + bytes([stored[middle] ^ 255]) + stored[middle + 1 :]
    for content in (stored + b"more", flipped, stored[:-1]):
        path.write_bytes(content)
        assert "cut off or damaged" in refused(path).problem


@pytest.mark.parametrize("compress", [xz, bzip2])
def test_layers_are_compressed_by_what_engines_of_containers_know(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    layout = Layout()
    path = layout.tar(tmp_path / "app.tar", layout.image(ONE, compress=compress))
    assert "layer 1 of 1 is cut off or damaged" in refused(path).problem


def test_an_archive_takes_no_more_memory_than_xz_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = docker_save(tmp_path / "app.tar", ONE)
    path.write_bytes(lzma.compress(path.read_bytes(), preset=9))
    assert opened(path) == [ONE], "the most that xz takes unless it is told more"
    monkeypatch.setattr(compression, "MAX_MEMORY", 2**25)
    assert "reading it takes more than 256 MiB" in refused(path).problem


def test_an_image_without_layers(tmp_path: Path) -> None:
    assert opened(docker_save(tmp_path / "app.tar")) == []


HERE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def test_of_several_platforms_this_machines_is_taken_and_attestations_are_none(
    tmp_path: Path,
) -> None:
    layout = Layout()
    here, there = layout.image(ONE, **on_platform(HERE)), layout.image(TWO, **on_platform("s390x"))
    attested = layout.image(TWO, **on_platform("unknown", "unknown"))
    path = layout.tar(tmp_path / "all.tar", layout.index(there, attested, here))
    assert opened(path) == [ONE]
    other = layout.tar(tmp_path / "one.tar", layout.index(there, attested))
    assert opened(other) == [TWO], "the only one there is"
    absent = {**on_platform("arm"), "digest": f"sha256:{'0' * 64}"}
    assert opened(layout.tar(tmp_path / "part.tar", absent, there)) == [TWO], "the only one saved"


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
def test_of_several_for_a_machine_the_usual_one_is_taken(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    machine: str,
    platforms: list[str],
    taken: str,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    layout = Layout()
    for order in (platforms, platforms[::-1]):
        images = []
        for name in order:
            os, architecture, *variant = name.split("/")
            layer = tar(file(name, name.encode()))
            images.append(layout.image(layer, **on_platform(architecture, os, *variant)))
        path = layout.tar(tmp_path / "app.tar", layout.index(*images))
        assert opened(path) == [tar(file(taken, taken.encode()))]


def test_one_image_under_two_names_is_one_image(tmp_path: Path) -> None:
    layout = Layout()
    named = [
        layout.image(ONE, annotations={"org.opencontainers.image.ref.name": name})
        for name in ("1", "latest", "1")
    ]
    with open_archive(layout.tar(tmp_path / "app.tar", *named)) as archive:
        assert archive.names == ["1", "latest"]


def test_platforms_that_are_all_foreign_are_named(tmp_path: Path) -> None:
    layout = Layout()
    foreign = (on_platform(HERE, "windows"), on_platform("s390x"), on_platform("ppc64le"))
    images = [layout.image(tar(file(str(n))), **each) for n, each in enumerate(foreign)]
    told = refused(layout.tar(tmp_path / "app.tar", *images))
    assert f"3 images (windows/{HERE}, linux/s390x, linux/ppc64le) and not just" in told.problem
    assert told.remedy == (
        "Save one with `docker save --platform linux/s390x` (since Docker 28) or "
        "`skopeo copy --override-os linux --override-arch s390x …`"
    )


def test_what_is_told_to_do_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    layout = Layout()

    def remedy(*platforms: dict[str, Any]) -> str:
        images = [layout.image(tar(file(str(n))), **each) for n, each in enumerate(platforms)]
        return refused(layout.tar(tmp_path / "app.tar", layout.index(*images))).remedy

    variants = remedy(*(on_platform("amd64", variant=name) for name in ("v3", "v2")))
    assert "`docker save --platform linux/amd64/v3`" in variants
    assert "--override-os linux --override-arch amd64 --override-variant v3 …" in variants
    alike = remedy(on_platform("amd64"), on_platform("amd64"), on_platform("arm64"))
    assert alike == "Save each to a file of its own", "a platform would not tell them apart"
    hostile = remedy(on_platform("s390x", "linux`; reboot #"), on_platform("arm64 x"))
    assert hostile == "Save each to a file of its own", "what is told may be pasted into a shell"


def test_several_images_in_one_file_are_named(tmp_path: Path) -> None:
    layout = Layout()
    names = [{"annotations": {"io.containerd.image.name": name}} for name in ("a:1", "b:1")]
    images = [layout.image(layer, **name) for layer, name in zip((ONE, TWO), names, strict=True)]
    told = refused(layout.tar(tmp_path / "oci.tar", *images))
    assert "a:1, b:1" in told.problem
    assert told.remedy == "Save each to a file of its own"
    saved = [{"Config": "x", "RepoTags": [tag], "Layers": []} for tag in ("a:1", "b:1")]
    path = written(tmp_path / "saved.tar", {"manifest.json": json.dumps(saved).encode()})
    assert "2 images (a:1, b:1)" in refused(path).problem


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("manifest.json", "[]")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"FROM scratch\n" * 100, "no image archive"),
        (b"\x00" * 10240, "neither a manifest.json nor an index.json"),
        (bytes(range(256)) * 40, "no image archive"),
        (zipped(), "a zip file"),
        (b'{"SchemaVersion": 2}', "JSON"),
        (b"\x1f\x8b\x08garbage", "cut off or damaged"),
        (b"\x28\xb5\x2f\xfdgarbage", "damaged"),
        (tar(file("etc/passwd")), "neither a manifest.json nor an index.json"),
        (tar(file("manifest.json", b"[")), "manifest.json: "),
        (tar(file("manifest.json", b"[" * 10**5)), "manifest.json: "),
        (tar(file("manifest.json", b"[]")), "no image"),
        (tar(file("manifest.json", b'[{"Config": "../etc/x"}]')), "has no '../etc/x'"),
        (tar(file("index.json", b"{}")), "no image"),
        (tar(file("index.json", b'{"manifests": [{"digest": "sha256:../x"}]}')), "for a digest"),
    ],
)  # fmt: skip
def test_what_is_no_image_archive(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert problem in refused(path).problem


def test_paths_that_cannot_be_opened_or_are_no_layout(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "none.tar").problem
    assert "no OCI layout" in refused(tmp_path).problem
    assert "neither a file nor a folder" in refused(Path("/dev/null")).problem


def test_a_huge_manifest_is_not_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tar", {"manifest.json": b" " * (MAX_JSON + 1)})
    assert "more than 16,777,216 bytes" in refused(path).problem


def saved(path: Path, config: bytes, *layers: str, **files: bytes) -> Path:
    told = [{"Config": "config", "Layers": layers}]
    content = {name.replace("_", "/"): content for name, content in files.items()}
    return written(path, {"config": config, "manifest.json": json.dumps(told).encode(), **content})


def test_config_and_layers_have_to_agree(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    assert (
        "1 layers, but 2 in its" in refused(saved(path, config_of((ONE, TWO)), "l", l=ONE)).problem
    )
    assert "has no 'l'" in refused(saved(path, config_of((ONE,)), "l")).problem
    assert "has no '../l'" in refused(saved(path, config_of((ONE,)), "../l", l=ONE)).problem
    wrong = refused(saved(path, config_of((ONE,)), "l", l=TWO))
    assert wrong.problem == "layer 1 of 1 is cut off or damaged: it is not what its DiffID says"
    bad = b'{"rootfs": {"diff_ids": ["md5:1"]}}'
    assert "'md5:1' for a DiffID" in refused(saved(path, bad, "l", l=ONE)).problem
    for config in (b"null", b"[]", b'{"rootfs": 1}', b"\xff", b'{"a":' * 5000):
        assert "config: " in refused(saved(path, config, "l", l=ONE)).problem


def test_a_config_is_what_its_name_says(tmp_path: Path) -> None:
    path = docker_save(tmp_path / "a.tar", ONE)
    path.write_bytes(path.read_bytes().replace(b'"amd64"', b'"arm64"'))
    assert "is not what its name says" in refused(path).problem


def test_links_between_layers_that_lead_nowhere(tmp_path: Path) -> None:
    told = [{"Config": "config", "Layers": ["a"]}]
    for link in (symlink("a", "b"), symlink("a", "../../x"), hardlink("a", "b")):
        path = tmp_path / "a.tar"
        path.write_bytes(
            tar(
                file("config", config_of((ONE,))),
                file("manifest.json", json.dumps(told).encode()),
                link,
                symlink("b", "a"),
            )
        )
        assert "has no 'a'" in refused(path).problem


@pytest.mark.parametrize("make", [docker_save, old_docker_save])
def test_an_archive_cut_anywhere_is_refused(tmp_path: Path, make: Any) -> None:
    path = make(tmp_path / "a.tar", ONE, TWO)
    whole = path.read_bytes()
    length = len(whole.rstrip(b"\0"))
    for at in range(0, length, 997):
        path.write_bytes(whole[:at])
        told = refused(path)
        assert "docker save" in told.remedy
    path.write_bytes(whole[: length // 2])
    assert "cut off" in refused(path).problem


@pytest.mark.parametrize("compress", [gzipped, zstd])
def test_a_layer_that_is_cut_or_flipped_is_refused(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    stored = compress(ONE)
    for content in (stored[:-5], stored[: len(stored) // 2], stored[:20] + b"\0" + stored[21:]):
        path = saved(tmp_path / "a.tar", config_of((ONE,)), "l", l=content)
        assert "layer 1 of 1 is cut off or damaged" in refused(path).problem


@pytest.mark.parametrize("compress", FILES)
def test_a_decompression_bomb_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(compression, "BOMB_BYTES", 10**6)
    bomb = compress(b"\0" * 2 * 10**7)
    path = tmp_path / "a.tar"
    path.write_bytes(bomb)
    assert "compressed to less than a 200th" in refused(path).problem, "the archive is one"
    path.write_bytes(compress(bytes(10**6 - 10240)))
    assert "neither a manifest.json" in refused(path).problem, "what is not large is none"
    if compress in (gzipped, zstd):
        path = saved(path, config_of((ONE,)), "l", l=bomb)
        assert "compressed to less than a 200th" in refused(path).problem


@pytest.mark.parametrize("compress", FILES)
def test_no_more_comes_out_of_an_archive_than_out_of_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]
) -> None:
    path = docker_save(tmp_path / "a.tar", ONE)
    path.write_bytes(compress(path.read_bytes()))
    monkeypatch.setattr(compression, "MAX_UNPACKED", 5000)
    assert "more than 5,000 bytes come out of it" in refused(path).problem


def test_a_layer_compressed_here_is_as_large_as_gzip_makes_it(tmp_path: Path) -> None:
    with open_archive(docker_save(tmp_path / "a.tar", ONE, TWO)) as archive:
        sizes = [gzip_size(archive, layer) for layer in archive.layers]
        for size, layer in zip(sizes, (ONE, TWO), strict=True):
            compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
            assert size == pytest.approx(
                len(compressor.compress(layer) + compressor.flush()), abs=40
            )
        assert [gzip_size(archive, layer) for layer in archive.layers] == sizes
    layout = Layout()
    path = layout.tar(tmp_path / "b.tar", layout.image(ONE, compress=zstd))
    with open_archive(path) as archive:
        assert [gzip_size(archive, layer) for layer in archive.layers] == [len(zstd(ONE))], (
            "what a registry has is not made anew"
        )


def mutations() -> st.SearchStrategy[bytes]:
    layout = Layout()
    made = [
        tar(*[file(name, content) for name, content in layout.files_for(image).items()])
        for image in (layout.image(ONE), layout.index(layout.image(TWO, compress=zstd)))
    ]
    flips = st.tuples(st.integers(0, 2**14), st.binary(min_size=1, max_size=600))
    return st.one_of(
        st.binary(max_size=2000),
        st.builds(
            lambda whole, flips: _flipped(whole, flips),
            st.sampled_from(made),
            st.lists(flips, min_size=1, max_size=3),
        ),
    )


def _flipped(content: bytes, flips: list[tuple[int, bytes]]) -> bytes:
    changed = bytearray(content)
    for at, new in flips:
        changed[at : at + len(new)] = new
    return bytes(changed)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=mutations())
def test_any_bytes_are_an_image_or_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.tar"
    path.write_bytes(content)
    try:
        opened(path)
    except ArchiveInvalid as error:
        assert error.path == str(path)
        assert error.remedy
