"""Reads an image from its registry into a folder: an OCI layout of this one image."""

import json
from collections.abc import Callable
from pathlib import Path

from helpers.images import oci
from helpers.registry.image_cache import ImageCache
from helpers.registry.repository import Found, Repository


def pull(
    found: Found,
    cache: ImageCache,
    folder: Path,
    on_bytes: Callable[[int, int], None] = lambda read, total: None,
    repository: Repository | None = None,
) -> Path:
    """Write the OCI layout of an image into a new folder and return it.

    It is read from its `repository`, with a connection of its own unless one is given. Its layers
    are links to the cache's files. `on_bytes` gets the bytes read so far and the total.
    Raises `RegistryFailed`, `ImageNotFound` and `NoSpace`.
    """
    blobs = folder / "blobs" / "sha256"
    # Not its parents: a capture that stops takes the folder away.
    blobs.parent.mkdir()
    blobs.mkdir()
    repository = repository or Repository(found.reference)
    done, total = 0, sum(layer.size for layer in found.layers)

    def read(count: int) -> None:
        on_bytes(done + count, total)

    # First, because what is a link to a file of the cache is never written to.
    (blobs / found.config.digest.removeprefix("sha256:")).write_bytes(found.raw_config)
    (blobs / found.manifest_digest.removeprefix("sha256:")).write_bytes(found.raw_manifest)
    for layer in found.layers:
        cache.link(repository, layer, blobs / layer.digest.removeprefix("sha256:"), read)
        done += layer.size
    manifest = {
        "mediaType": oci.MANIFEST,
        "digest": found.manifest_digest,
        "size": len(found.raw_manifest),
    }
    index = {"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [manifest]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder
