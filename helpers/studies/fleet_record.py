"""What a capture of many images leaves on disk: how it was made, and a line an image.

`fleet.json` is how it was made; `images.jsonl` has a line an image, also one that failed; `scans/`
has the scans as Trivy wrote them, redacted and gzipped like all evidence, one a distinct package
list, which several images may share. What a scan says of its image is of the first of these: name,
id and fingerprints of findings. Scans are in a folder named after their scanner and database.
"""

from datetime import datetime

import msgspec
from msgspec import Struct

from helpers.studies.study import Database

SCANS = "scans"

SCANNED, FAILED = "scanned", "failed"


class FleetImage(Struct, omit_defaults=True):
    """One image: by which references it is known, and which scan has its findings.

    `image` is the reference that it is shown as, `references` all that lead to it; of an archive or
    an SBOM these are the names in it, else its file. `digest` is the manifest's, of an archive the
    image's id, and so of an SBOM that has one, else the file's; empty if nothing was found.
    `package_list` is equal for images with equal lists, or equal layers. `scan` is a path below the
    folder; `reason` says why a failed image has none. Sizes are compressed bytes; `layers` are
    DiffIDs, lowest first. `scanned_at` is to the second.
    """

    image: str
    references: list[str]
    digest: str
    status: str = SCANNED
    reason: str = ""
    scan: str = ""
    package_list: str = ""
    image_id: str = ""
    architecture: str = ""
    created_at: datetime | None = None
    size_compressed_bytes: int | None = None
    layers: list[str] = []
    scanned_at: datetime | None = None


class FleetFacts(Struct, omit_defaults=True):
    """How many images were captured: with which scanner and database, and when.

    Unless it is `finished`, the lines may be missing, or of another scanner or database.
    """

    name: str
    captured_at: datetime
    kit_version: str
    scanner: str
    scanner_version: str
    db: Database
    finished: bool = False


def images(text: bytes) -> list[FleetImage]:
    """Return the images of a fleet's lines. Raises `ValueError` and `RecursionError`."""
    decoder = msgspec.json.Decoder(FleetImage)
    return [decoder.decode(line) for line in text.splitlines()]
