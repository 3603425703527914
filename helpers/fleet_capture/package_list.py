"""What a scan of an image depends on, as a digest: equal digests, equal findings and packages.

Of an image it is the layers, of an SBOM in JSON (CycloneDX, SPDX 2) everything in it but what names
the image and the document. So what Trivy may read is in it, also what the kit does not know. What
cannot be told apart in this way, and any other SBOM, is taken as it is: by the digest of its file.
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
from helpers.scans import decoding

LARGEST = 2**26
"""Most bytes of an SBOM that is read for its list; a larger one is scanned by itself."""

_TRIVY = "aquasecurity:trivy:"
_OF_IMAGE = ("ImageID", "RepoTag", "RepoDigest", "Reference", "DiffID", "Size", "Labels:")
"""What Trivy says of an SBOM's image that says which one it is, not what is in it."""

_DOCUMENT = ("$schema", "serialNumber", "version")
"""Fields that name a document. https://cyclonedx.org/docs/1.6/json/"""

_SPDX_DOCUMENT = ("SPDXID", "name", "documentNamespace")
"""The same of SPDX. https://spdx.github.io/spdx-spec/v2.3/document-creation-information/"""

_HASH = re.compile(r"-[0-9a-f]{8,}$")
"""End of an SPDX id, which may be made of more than what it is of."""

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
        document = msgspec.json.decode(decoding.read(path))
        if document.get("bomFormat") == "CycloneDX":
            package_list = oci.digest(_cyclonedx(document))
            image = _image(document["metadata"]["component"])
        elif str(document.get("spdxVersion")).startswith("SPDX-2."):
            package_list = oci.digest(_spdx(document))
            image = _image(_component(_described(document)))
        else:
            return alone
    except (msgspec.MsgspecError, UnicodeError, RecursionError, KitError):
        return alone
    except (AttributeError, KeyError, LookupError, TypeError, ValueError):
        # Not as its format has it: Trivy will say what is wrong, if anything.
        return alone
    return alone._replace(package_list=package_list, **image)


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


def _spdx(document: dict[str, Any]) -> bytes:
    """Return an SPDX document in one form, as `_cyclonedx` does.

    The end of an element's id depends on the image, so each is known by all the rest of it. What
    stands before may say what it is, as in `SPDXRef-OperatingSystem-0a1b2c3d`.
    """
    root = _described(document)
    names = {"SPDXRef-DOCUMENT": "document"}
    for kind in ("files", "packages"):
        for element in document.get(kind) or []:
            kept = _undated(element)
            identity = kept.pop("SPDXID")
            if element is root:
                kept = _without_image(kept)
            if "hasFiles" in kept:
                kept["hasFiles"] = sorted(names[file] for file in kept["hasFiles"])
            if identity in names:
                raise ValueError("an id twice")
            parts = [kind, _HASH.sub("", identity), kept]
            names[identity] = oci.digest(msgspec.json.encode(parts, order="sorted"))
    if len({*names.values()}) < len(names):
        raise ValueError("two elements are equal but for their ids")
    relations = []
    for each in document.get("relationships") or []:
        kept = _undated(each)
        for end in ("spdxElementId", "relatedSpdxElement"):
            kept[end] = names.get(kept[end], kept[end])
        relations.append(msgspec.json.encode(kept, order="sorted").decode())
    described = sorted(names.get(one, one) for one in document.get("documentDescribes") or [])
    made = {key: value for key, value in document["creationInfo"].items() if key != "created"}
    apart = ("creationInfo", "files", "packages", "relationships", "documentDescribes")
    rest = {key: value for key, value in document.items() if key not in (*apart, *_SPDX_DOCUMENT)}
    listed = [made, sorted(names.values()), sorted(relations), described, _undated(rest)]
    return msgspec.json.encode([_SCHEMA, "spdx", *listed], order="sorted")


def _undated(element: dict[str, Any]) -> dict[str, Any]:
    """Return what an SPDX document says of something, without the days on which that was said."""
    notes = element.get("annotations")
    if not notes:
        return dict(element)
    undated = [{key: note[key] for key in note if key != "annotationDate"} for note in notes]
    return {**element, "annotations": undated}


def _described(document: dict[str, Any]) -> dict[str, Any]:
    """Return the image that an SPDX document is of; empty if it is of something else."""
    ids = {*(document.get("documentDescribes") or [])}
    for each in document.get("relationships") or []:
        if (each["spdxElementId"], each["relationshipType"]) == ("SPDXRef-DOCUMENT", "DESCRIBES"):
            ids.add(each["relatedSpdxElement"])
    found = [each for each in document["packages"] if each["SPDXID"] in ids]
    is_image = len(found) == 1 and found[0].get("primaryPackagePurpose") == "CONTAINER"
    return found[0] if is_image else {}


def _without_image(package: dict[str, Any]) -> dict[str, Any]:
    """Return the package that stands for an image without what says which one it is."""
    kept = {
        key: value
        for key, value in package.items()
        if key not in ("name", "versionInfo", "checksums")
    }
    kept["externalRefs"] = [
        each
        for each in kept.get("externalRefs") or []
        if not str(each.get("referenceLocator")).startswith("pkg:oci/")
    ]
    notes = kept.get("annotations") or []
    kept["annotations"] = [each for each in notes if not each["comment"].startswith(_OF_IMAGE)]
    return kept


def _component(image: dict[str, Any]) -> dict[str, Any]:
    """Return the image of an SPDX document as CycloneDX has it."""
    notes = [each["comment"].partition(": ") for each in image.get("annotations") or []]
    return {
        "name": image.get("name", ""),
        "version": image.get("versionInfo"),
        "properties": [{"name": name, "value": value} for name, _, value in notes],
    }


def _image(component: dict[str, Any]) -> dict[str, Any]:
    """Return the name, the id and the layers of the image that an SBOM is of."""
    name, version = str(component.get("name", "")), str(component.get("version") or "")
    is_tagged = ":" in name.rpartition("/")[2] or not version
    values: dict[str, list[str]] = {}
    for each in component.get("properties") or []:
        values.setdefault(each["name"].removeprefix(_TRIVY), []).append(str(each.get("value")))
    image_id = values.get("ImageID", [""])[0]
    return {
        "name": name if is_tagged else f"{name}:{version}",
        "image_id": image_id if DIGEST.fullmatch(image_id) else "",
        "layers": tuple(text for text in values.get("DiffID", []) if DIGEST.fullmatch(text)),
    }
