"""What a scan of an image depends on, as a digest: equal digests, equal findings and packages.

Of an image it is the layers, of a CycloneDX SBOM everything in it but what names the image and the
document. So what Trivy may read is in it, also what the kit does not know. What cannot be told
apart in this way, and any other SBOM, is taken as it is: by the digest of its file. It is known
before there is a scan; what a scan lists is `scans.package_list`.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from helpers import own_file
from helpers.errors import KitError
from helpers.images import oci
from helpers.images.oci import DIGEST
from helpers.scans import decoding, reports
from helpers.scans.trivy_schema import Metadata

LARGEST = 2**26
"""Most bytes of an SBOM that is read for its list; a larger one is scanned by itself."""

_TRIVY = "aquasecurity:trivy:"
_OF_IMAGE = ("ImageID", "RepoTag", "RepoDigest", "Reference", "DiffID", "Size", "Labels:")
"""What Trivy says of an SBOM's image that says which one it is, not what is in it."""

_DOCUMENT = ("$schema", "serialNumber", "version")
"""Fields that name a document. https://cyclonedx.org/docs/1.6/json/"""

_RANDOM = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_SCHEMA = 1
"""Part of each digest: another way to make them is another number."""


class Sbom(NamedTuple):
    """What an SBOM says: the digest of its list, the image's name and id, and its layers.

    `name`, `image_id` and `layers` (DiffIDs) are empty if it does not say so.
    """

    package_list: str
    digest: str
    name: str = ""
    image_id: str = ""
    layers: tuple[str, ...] = ()


def of_layers(platform: oci.Platform, diff_ids: Sequence[str]) -> str:
    """Return the digest of an image's package list: equal layers are equal files."""
    return oci.digest(msgspec.json.encode([_SCHEMA, "layers", str(platform), diff_ids]))


def of_sbom(path: Path) -> Sbom:
    """Return what an SBOM says of its image and its list. Raises `OSError`."""
    digest = f"sha256:{own_file.sha256(path)}"
    alone = Sbom(oci.digest(msgspec.json.encode([_SCHEMA, "file", digest])), digest)
    if path.stat().st_size > LARGEST:
        return alone
    try:
        text = decoding.read(path)
        report = reports.decoded(text, path, lists=True)
        image = report.metadata or Metadata()
        document = msgspec.json.decode(text)
        if document.get("bomFormat") == "CycloneDX":
            alone = alone._replace(package_list=oci.digest(_cyclonedx(document)))
        return alone._replace(
            name=report.artifact_name or "",
            image_id=report.image_id if DIGEST.fullmatch(report.image_id) else "",
            layers=tuple(text for text in image.diff_ids or [] if DIGEST.fullmatch(text)),
        )
    except (KitError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        # Not as its format has it: Trivy will say what is wrong, if anything.
        return alone


def _cyclonedx(document: dict[str, Any]) -> bytes:
    """Return a CycloneDX document in one form, without what names the image and the document.

    Raises `ValueError` if components cannot be told apart, and other errors if it is none.
    """
    metadata = {name: value for name, value in document["metadata"].items() if name != "timestamp"}
    root = _without_name(metadata.pop("component"))
    root_reference = root.pop("bom-ref", "")
    names = {root_reference: "root"}
    components = []
    for component in document.get("components") or []:
        reference = component.get("bom-ref", "")
        text = msgspec.json.encode(component, order="sorted")
        if _RANDOM.search(reference):
            kept = {key: value for key, value in component.items() if key != "bom-ref"}
            text = msgspec.json.encode(kept, order="sorted")
            names[reference] = oci.digest(text)
        components.append(text)
    if max(Counter(components).values(), default=1) > 1:
        raise ValueError("two components are equal but for their random references")
    depends = sorted(
        (
            names.get(each["ref"], each["ref"]),
            sorted(names.get(on, on) for on in each.get("dependsOn") or []),
        )
        for each in document.get("dependencies") or []
    )
    read_apart = ("metadata", "components", "dependencies", *_DOCUMENT)
    rest = {name: value for name, value in document.items() if name not in read_apart}
    digests = sorted(hashlib.sha256(text).hexdigest() for text in components)
    parts = [_SCHEMA, "cyclonedx", root, metadata, digests, depends, rest]
    return msgspec.json.encode(parts, order="sorted")


def _without_name(component: dict[str, Any]) -> dict[str, Any]:
    """Return the component that an SBOM is of; a container without what says which one it is."""
    if component.get("type") != "container":
        # What stands for a package may be scanned like one.
        return dict(component)
    kept = {key: value for key, value in component.items() if key not in ("name", "version")}
    if str(kept.get("purl", "")).startswith("pkg:oci/"):
        del kept["purl"]
    properties = kept.get("properties") or []
    kept["properties"] = sorted(
        (each["name"], each.get("value"))
        for each in properties
        if not each["name"].removeprefix(_TRIVY).startswith(_OF_IMAGE)
    )
    # Trivy reads SBOMs of its own in another way, and knows them by such properties.
    kept["of_trivy"] = any(each["name"].startswith(_TRIVY) for each in properties)
    return kept
