"""Makes a target readable for Trivy: image archives as OCI layouts, SPDX without comments."""

import json
import re
import shutil
from pathlib import Path

import msgspec
from msgspec import Struct

from helpers import own_file
from helpers.compressed import CHUNK, FILES, compressed_by
from helpers.images import oci
from helpers.images.archive import contents
from helpers.images.blobs import Blobs, open_blobs
from helpers.images.oci import Platform


class Component(Struct, frozen=True):
    """What a CycloneDX SBOM says that it is of."""

    type: str = ""
    name: str = ""
    version: str = ""
    purl: str = ""


class _Metadata(Struct, frozen=True):
    component: Component = Component()


class _CycloneDx(Struct, frozen=True):
    metadata: _Metadata = _Metadata()


_OCI = "application/vnd.oci.image"
_OPENED = ("", "gzip")
"""Compressions of a whole archive that Trivy opens: none, or gzip."""

HEAD_BYTES = 2**16
"""Bytes of a file in which a tag-value SBOM has to begin; comments may stand before."""

_TAG_VALUE = re.compile(rb"(?:\xef\xbb\xbf)?(?:#[^\n]*\n|\s)*(?=SPDXVersion\s*:\s*SPDX-)")


def archive(target: Path, scratch: Path, wanted: Platform = oci.ANY) -> Path:
    """Return an archive that Trivy reads, and as the same image as the kit; a copy if needed.

    Trivy reads an OCI layout only as a folder and takes the first of several platforms. In an
    archive of `docker save` it takes all layers for compressed, or none, like the lowest. Of whole
    files it opens plain and gzipped ones only.
    """
    with open_blobs(target) as blobs:
        config, layers, _ = contents(blobs, wanted)
        is_uniform = len({_layer_type(blobs, name) for name in layers}) < 2
        if "manifest.json" in blobs and is_uniform and _is_opened(target):
            return target
        # Trivy takes what follows a colon in a folder's name for a tag.
        layout = scratch / "archive" / target.name.replace(":", "-")
        # Not its parents: a capture that stops takes the folder away.
        for folder in (layout.parent, layout, layout / "blobs", layout / "blobs/sha256"):
            folder.mkdir()
        manifest = {
            "schemaVersion": 2,
            "config": _copy(blobs, config, f"{_OCI}.config.v1+json", layout),
            "layers": [_copy(blobs, name, _layer_type(blobs, name), layout) for name in layers],
        }
    (layout / "new").write_text(json.dumps(manifest))
    index = {"schemaVersion": 2, "manifests": [_store(layout, f"{_OCI}.manifest.v1+json")]}
    (layout / "index.json").write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return layout


def is_tag_value(text: bytes) -> bool:
    r"""Return whether the first bytes of a file begin an SPDX SBOM of tags and values.

    >>> is_tag_value(b"# by hand\n\nSPDXVersion: SPDX-2.3\n"), is_tag_value(b"{}")
    (True, False)
    """
    return _TAG_VALUE.match(text) is not None


def component(path: Path) -> Component:
    """Return what a CycloneDX SBOM is of; empty if it does not say so, or is another file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_CycloneDx).metadata.component
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Component()


def sbom(target: Path, scratch: Path) -> Path:
    """Return an SBOM that Trivy recognizes; a copy if needed.

    Trivy does not recognize tags and values after a byte order mark, comments or blank lines.
    """
    with target.open("rb") as file:
        before = _TAG_VALUE.match(file.read(HEAD_BYTES))
        if not before or not before.end():
            return target
        file.seek(before.end())
        copy = scratch / "sbom" / target.name
        copy.parent.mkdir()
        with copy.open("wb") as written:
            shutil.copyfileobj(file, written, CHUNK)
    return copy


def _is_opened(target: Path) -> bool:
    """Return whether Trivy opens a file, whatever its content."""
    with target.open("rb") as file:
        return compressed_by(file, FILES) in _OPENED


def _layer_type(blobs: Blobs, name: str) -> str:
    with blobs.open(name) as file:
        return f"{_OCI}.layer.v1.tar{'+gzip' if compressed_by(file) else ''}"


def _copy(blobs: Blobs, name: str, media_type: str, layout: Path) -> dict[str, object]:
    """Copy a file of an archive into an OCI layout; return its descriptor."""
    place, stored = layout / "new", blobs.file(name)
    # What may be a link to a file of the cache is never written to.
    place.unlink(missing_ok=True)
    if stored is None or not _is_linked(stored, place):
        with blobs.open(name) as file, place.open("wb") as copy:
            shutil.copyfileobj(file, copy, CHUNK)
    return _store(layout, media_type)


def _is_linked(file: Path, place: Path) -> bool:
    """Link a file instead of copying it; return whether that was possible."""
    try:
        place.hardlink_to(file)
    except OSError:
        return False
    return True


def _store(layout: Path, media_type: str) -> dict[str, object]:
    """Move the file `new` of an OCI layout to its digest; return its descriptor."""
    path = layout / "new"
    digest = own_file.sha256(path)
    size = path.stat().st_size
    path.rename(layout / "blobs/sha256" / digest)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}
