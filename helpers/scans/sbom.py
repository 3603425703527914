"""SBOMs as package lists: CycloneDX, SPDX and Syft's JSON, converted to the structs of Trivy's.

They say what is installed, and nothing of vulnerabilities.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Struct, field

from helpers.errors import ReportInvalid
from helpers.scans import grype, trivy_schema
from helpers.scans.decoding import Text
from helpers.text import escape

AGAIN = "Write the SBOM again, as JSON of CycloneDX, SPDX 2 or Syft"

_TYPES = {
    **{"cargo": "rust-crate", "composer": "php-composer", "golang": "go-module"},
    **{"maven": "java-archive", "nuget": "dotnet", "pypi": "python"},
    **{"alpine": "apk", "apk": "apk", "deb": "deb", "rpm": "rpm", "alpm": "alpm"},
}
"""Grype's and Syft's package types by those of package URLs; the others are the same."""

_DIGEST = re.compile(r"(?<![0-9a-f])sha256:[0-9a-f]{64}(?![0-9a-f])")

_VERSION = re.compile(r"[-@]v?(\d[^\s/]*)$")

_LONGEST = 40
"""Letters of a tool's name."""

_CREATORS = {"sigs.k8s.io/bom/pkg/spdx": "bom"}
"""Tools that name themselves by an address."""


class _Named(Struct, gc=False):
    name: str | None = None
    value: str | None = None


class _Component(Struct, gc=False):
    """A component of CycloneDX; it may have others."""

    type: str | None = None
    name: str | None = None
    group: str | None = None
    version: str | None = None
    purl: str | None = None
    properties: list[_Named] | None = None
    components: "list[_Component] | None" = None


class _Tool(Struct, gc=False):
    name: str | None = None
    version: str | None = None


class _Tools(Struct, gc=False):
    components: list[_Tool] | None = None


class _Metadata(Struct, gc=False):
    timestamp: datetime | None = None
    tools: list[_Tool] | _Tools | None = None
    component: _Component | None = None


class _CycloneDx(Struct, gc=False):
    metadata: _Metadata | None = None
    components: list[_Component] | None = None


class _Creation(Struct, gc=False):
    creators: list[str] | None = None
    created: datetime | None = None


class _Reference(Struct, rename="camel", gc=False):
    kind: str | None = field(default=None, name="referenceType")
    locator: str | None = field(default=None, name="referenceLocator")


class _Annotation(Struct, gc=False):
    comment: str | None = None


class _SpdxPackage(Struct, rename="camel", gc=False):
    id: str | None = field(default=None, name="SPDXID")
    name: str | None = None
    version: str | None = field(default=None, name="versionInfo")
    purpose: str | None = field(default=None, name="primaryPackagePurpose")
    references: list[_Reference] | None = field(default=None, name="externalRefs")
    attributions: list[str] | None = field(default=None, name="attributionTexts")
    annotations: list[_Annotation] | None = None


class _Relationship(Struct, rename="camel", gc=False):
    first: str | None = field(default=None, name="spdxElementId")
    kind: str | None = field(default=None, name="relationshipType")
    second: str | None = field(default=None, name="relatedSpdxElement")


class _Spdx(Struct, rename="camel", gc=False):
    name: str | None = None
    creation: _Creation | None = field(default=None, name="creationInfo")
    packages: list[_SpdxPackage] | None = None
    described: list[str] | None = field(default=None, name="documentDescribes")
    relationships: list[_Relationship] | None = None


class _Location(Struct, gc=False):
    path: str | None = None
    layer: str | None = field(default=None, name="layerID")


class _Artifact(Struct, gc=False):
    name: str | None = None
    version: str | None = None
    type: str | None = None
    purl: str | None = None
    locations: list[_Location] | None = None


class _SyftImage(Struct, rename="camel", gc=False):
    user_input: str | None = None
    image_id: str | None = field(default=None, name="imageID")
    manifest_digest: str | None = None
    architecture: str | None = None
    repo_digests: list[str] | None = None
    tags: list[str] | None = None


class _SyftSource(Struct, gc=False):
    """What was listed: its image was the `target` before Syft 0.83."""

    name: str | None = None
    metadata: _SyftImage | None = None
    target: _SyftImage | str | None = None


class _Distro(Struct, gc=False):
    id: str | None = None
    name: str | None = None
    version: str | None = field(default=None, name="versionID")


class _Descriptor(Struct, gc=False):
    name: str | None = None
    version: str | None = None


class _Syft(Struct, gc=False):
    descriptor: _Descriptor
    artifacts: list[_Artifact] | None = None
    source: _SyftSource | None = None
    distro: _Distro | None = None


def cyclonedx(text: Text, path: str | os.PathLike[str]) -> trivy_schema.Report:
    """Return the package list in CycloneDX's JSON. Raises `ReportInvalid`."""
    found = _decoded(text, _CycloneDx, path, "CycloneDX")
    metadata = found.metadata or _Metadata()
    tools = metadata.tools.components if isinstance(metadata.tools, _Tools) else metadata.tools
    tool = next((each for each in tools or [] if each.name), _Tool())
    own = metadata.component or _Component()
    every = [*_nested(found.components or [])]
    system = next((each for each in every if each.type == "operating-system"), _Component())
    notes = [((each.name or "").rpartition(":")[2], each.value) for each in own.properties or []]
    packages = (
        (_grouped(each), each.version, each.purl, _type(each.purl), trivy_schema.Layer())
        for each in every
        if each.purl or (each.type == "library" and each.name)
    )
    return _report(
        *_tool(tool.name, tool.version),
        metadata.timestamp,
        _tagged(own.name, own.version),
        _system(system.name, system.version),
        packages,
        _facts([own.version, own.purl], notes),
    )


def spdx(text: Text, path: str | os.PathLike[str]) -> trivy_schema.Report:
    """Return the package list in SPDX 2's JSON. Raises `ReportInvalid`."""
    found = _decoded(text, _Spdx, path, "SPDX")
    creation = found.creation or _Creation()
    tools = [each[5:].strip() for each in creation.creators or [] if each.startswith("Tool:")]
    packages = found.packages or []
    described = {
        *(found.described or []),
        *(
            each.second
            for each in found.relationships or []
            if each.kind == "DESCRIBES" and each.first == "SPDXRef-DOCUMENT"
        ),
    }
    roots = [
        each
        for each in packages
        if each.purpose == "CONTAINER" or (each.id in described and len(described) == 1)
    ]
    own = roots[0] if roots else _SpdxPackage()
    remarks = [*(own.attributions or []), *(each.comment or "" for each in own.annotations or [])]
    notes = [(name, value) for name, _, value in (text.partition(": ") for text in remarks)]
    system = next((each for each in packages if each.purpose == "OPERATING-SYSTEM"), None)
    kept = [each for each in packages if each not in roots and each is not system and each.name]
    rows = (
        (each.name, each.version, purl, _type(purl), trivy_schema.Layer())
        for each in kept
        if (purl := _purl(each)) or not _is_group(each)
    )
    return _report(
        *_tool(tools[0] if tools else None, None),
        creation.created,
        _tagged(own.name, own.version) or found.name,
        _system(system.name, system.version) if system else None,
        rows,
        _facts([own.version, _purl(own)], notes),
    )


def syft(text: Text, path: str | os.PathLike[str]) -> trivy_schema.Report:
    """Return the package list in Syft's own JSON. Raises `ReportInvalid`."""
    found = _decoded(text, _Syft, path, "Syft")
    source, distro = found.source or _SyftSource(), found.distro or _Distro()
    image = source.metadata or source.target
    image = image if isinstance(image, _SyftImage) else _SyftImage()
    rows = (
        (each.name, each.version, each.purl, each.type, _place(each))
        for each in found.artifacts or []
    )
    return _report(
        *_tool(found.descriptor.name, found.descriptor.version),
        None,
        image.user_input or source.name,
        _system(distro.id or distro.name, distro.version),
        rows,
        trivy_schema.Metadata(
            image_id=image.image_id,
            repo_tags=image.tags,
            repo_digests=image.repo_digests
            or [f"@{each}" for each in [image.manifest_digest] if each],
            image_config=trivy_schema.ImageConfig(architecture=image.architecture),
        ),
    )


_Row = tuple[str | None, str | None, str | None, str | None, trivy_schema.Layer]
"""A package's name, version, package URL, type by Syft's names, and layer."""


def _decoded(text: Text, kind: type[Any], path: str | os.PathLike[str], name: str) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        problem = f"an SBOM ({name}) with a field of the wrong kind ({error})"
        raise ReportInvalid(path, problem, AGAIN) from error


def _report(
    tool: str,
    version: str | None,
    created_at: datetime | None,
    name: str | None,
    system: trivy_schema.OperatingSystem | None,
    rows: Iterable[_Row],
    metadata: trivy_schema.Metadata,
) -> trivy_schema.Report:
    found: dict[tuple[str | None, str | None], list[trivy_schema.Package]] = defaultdict(list)
    for package, release, purl, kind, layer in rows:
        found[grype.kind_of(kind, system)].append(
            trivy_schema.Package(
                name=package,
                version=release,
                identifier=trivy_schema.Identifier(purl or None),
                layer=layer,
            )
        )
    metadata.os = system
    return trivy_schema.Report(
        trivy=trivy_schema.Scanner(version=version, name=tool),
        created_at=created_at,
        artifact_name=name,
        artifact_type="sbom",
        metadata=metadata,
        results=[
            trivy_schema.Result(result_class=kind[0], type=kind[1], packages=packages)
            for kind, packages in found.items()
        ]
        # A list without packages is a list.
        or [trivy_schema.Result(packages=[])],
        is_list=True,
    )


def _nested(components: Iterable[_Component]) -> Iterator[_Component]:
    waiting = [*components][::-1]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += (each.components or [])[::-1]


def _grouped(component: _Component) -> str | None:
    """Return a package's name with its group, as scanners write it."""
    if not component.group:
        return component.name
    between = ":" if _type(component.purl) == "java-archive" else "/"
    return f"{component.group}{between}{component.name}"


def _type(purl: str | None) -> str | None:
    kind = (purl or "").removeprefix("pkg:").partition("/")[0].lower()
    return _TYPES.get(kind, kind) or None


def _purl(package: _SpdxPackage) -> str | None:
    found = (each.locator for each in package.references or [] if each.kind == "purl")
    return next(found, None)


def _is_group(package: _SpdxPackage) -> bool:
    """Return whether an entry is no package but a file of packages, as Trivy has of lock files."""
    return package.purpose in ("APPLICATION", "FILE", "SOURCE") and not package.version


def _place(artifact: _Artifact) -> trivy_schema.Layer:
    locations = artifact.locations or [_Location()]
    return trivy_schema.Layer(locations[0].layer or None)


def _system(name: str | None, version: str | None) -> trivy_schema.OperatingSystem | None:
    return trivy_schema.OperatingSystem(name.lower(), version) if name else None


def _tool(name: str | None, version: str | None) -> tuple[str, str | None]:
    """Return a tool's name and version, which may be in its name.

    >>> _tool("syft-0.64.0", None), _tool("sigs.k8s.io/bom/pkg/spdx", None)
    (('syft', '0.64.0'), ('bom', None))
    """
    told = name or "an unnamed tool"
    if found := _VERSION.search(told):
        told, version = told[: found.start()], version or found[1]
    return escape.short(_CREATORS.get(told, told), _LONGEST), version


def _tagged(name: str | None, version: str | None) -> str | None:
    """Return an image's name with its tag, which may be apart from it."""
    if not name or not version or ":" in name.rpartition("/")[2] or _DIGEST.search(version):
        return name
    return f"{name}:{version}"


def _facts(
    texts: Sequence[str | None], notes: Iterable[tuple[str, str | None]]
) -> trivy_schema.Metadata:
    """Return what names an image: Trivy's notes by their names, else a digest in some texts."""
    said = defaultdict[str, list[str]](list)
    for name, value in notes:
        if value:
            said[name].append(value)
    found = [_DIGEST.search(unquote(text)) for text in texts if text]
    digests = [f"@{each[0]}" for each in found if each]
    return trivy_schema.Metadata(
        image_id=next(iter(said["ImageID"]), None),
        diff_ids=said["DiffID"] or None,
        repo_tags=said["RepoTag"] or None,
        repo_digests=said["RepoDigest"] or digests[:1] or None,
    )
