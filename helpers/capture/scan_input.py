"""Hands a scanner an image archive as a plain OCI layout, where it would not read it as it is."""

import hashlib
import json
import re
import shutil
from pathlib import Path

from helpers.images.archive import contents
from helpers.images.blobs import Blobs, open_blobs
from helpers.images.compression import FILES, compressed_by
from helpers.images.tar import CHUNK

_OCI = "application/vnd.oci.image"
_OPENED = ("", "gzip")
"""What an archive as a whole may be compressed by for Trivy: by nothing, or by gzip."""


def readable_layout(target: Path, scratch: Path) -> Path:
    """Return an archive that Trivy reads, and reads as the image that the kit takes it for.

    It knows an OCI layout as a folder only, takes the first of several platforms from it, and reads
    what `docker save` writes as if all layers were compressed, or none, like the lowest. Of what
    files are compressed by it knows gzip.
    """
    with open_blobs(target) as blobs:
        config, layers, _ = contents(blobs)
        alike = len({_layer_kind(blobs, name) for name in layers}) < 2
        if "manifest.json" in blobs and alike and _is_opened(target):
            return target
        # In a folder's name, a colon would be before a tag.
        layout = scratch / "archive" / target.name.replace(":", "-")
        (layout / "blobs/sha256").mkdir(parents=True)
        manifest = {
            "schemaVersion": 2,
            "config": _copy(blobs, config, f"{_OCI}.config.v1+json", layout),
            "layers": [_copy(blobs, name, _layer_kind(blobs, name), layout) for name in layers],
        }
    (layout / "new").write_text(json.dumps(manifest))
    index = {"schemaVersion": 2, "manifests": [_moved(layout, f"{_OCI}.manifest.v1+json")]}
    (layout / "index.json").write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return layout


def _is_opened(target: Path) -> bool:
    """Return whether Trivy opens a file, whatever is in it."""
    with target.open("rb") as file:
        return compressed_by(file, FILES) in _OPENED


def _layer_kind(blobs: Blobs, name: str) -> str:
    with blobs.open(name) as file:
        return f"{_OCI}.layer.v1.tar{'+gzip' if compressed_by(file) else ''}"


def _copy(blobs: Blobs, name: str, kind: str, layout: Path) -> dict[str, object]:
    """Copy a file of an archive into an OCI layout and return its descriptor."""
    with blobs.open(name) as file, (layout / "new").open("wb") as copy:
        shutil.copyfileobj(file, copy, CHUNK)
    return _moved(layout, kind)


def _moved(layout: Path, kind: str) -> dict[str, object]:
    """Move a file to its place in an OCI layout and return its descriptor."""
    path = layout / "new"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    path.rename(layout / "blobs/sha256" / digest)
    size = (layout / "blobs/sha256" / digest).stat().st_size
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


HEAD_BYTES = 2**16
"""Most bytes of comments before it."""

_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?(?:#[^\n]*\n|\s)*(?=SPDXVersion\s*:\s*SPDX-)")


def begins(text: bytes) -> bool:
    r"""Return whether such an SBOM begins in the first bytes of a file.

    >>> begins(b"# by hand\n\nSPDXVersion: SPDX-2.3\n"), begins(b"{}")
    (True, False)
    """
    return _BEGIN.match(text) is not None


def readable_spdx(target: Path, scratch: Path) -> Path:
    """Return an SBOM that Trivy reads: without a mark, comments or blank lines before its version.

    By those it would not know it; any other SBOM is returned as it is.
    """
    with target.open("rb") as file:
        before = _BEGIN.match(file.read(HEAD_BYTES))
        if not before or not before.end():
            return target
        file.seek(before.end())
        copy = scratch / "sbom" / target.name
        copy.parent.mkdir()
        with copy.open("wb") as written:
            shutil.copyfileobj(file, written, CHUNK)
    return copy
