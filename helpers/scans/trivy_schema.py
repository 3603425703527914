"""What the kit uses of a scanner's report, as typed structs: the fields of Trivy's JSON.

Descriptions and references are most of a report's bytes and none of its rows; msgspec skips what
is not modelled here. Field names are Trivy's. A report of another scanner is turned into this.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Bytes = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Severity = Literal["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL", ""]
Score = Annotated[float, Meta(ge=0, le=10)]


class Layer(Struct, rename="pascal", gc=False):
    """Where in the image a package sits."""

    diff_id: str | None = field(default=None, name="DiffID")


class Identifier(Struct, gc=False):
    """What names a package."""

    purl: str | None = field(default=None, name="PURL")


class Scores(Struct, rename="pascal", gc=False):
    """CVSS base scores."""

    v2_score: Score | None = field(default=None, name="V2Score")
    v3_score: Score | None = field(default=None, name="V3Score")


class VendorSeverity(Struct, gc=False):
    """Severities by source; only NVD's is used. 0 is UNKNOWN, 4 is CRITICAL."""

    nvd: Annotated[int, Meta(ge=0, le=4)] | None = None


class Cvss(Struct, gc=False):
    """CVSS by source; only NVD's is used, so that no column mixes sources."""

    nvd: Scores | None = None


class Vulnerability(Struct, rename="pascal", gc=False):
    """One finding; Trivy tells the source package with the packages, `src_name` is of others."""

    vulnerability_id: str | None = field(default=None, name="VulnerabilityID")
    pkg_name: str | None = None
    pkg_path: str | None = None
    pkg_identifier: Identifier | None = None
    installed_version: str | None = None
    fixed_version: str | None = None
    status: str | None = None
    layer: Layer | None = None
    vendor_ids: list[str] | None = field(default=None, name="VendorIDs")
    severity_source: str | None = None
    severity: Severity | None = None
    vendor_severity: VendorSeverity | None = None
    cvss: Cvss | None = field(default=None, name="CVSS")
    published_date: datetime | None = None
    src_name: str | None = None


class Package(Struct, rename="pascal", gc=False):
    """One installed package."""

    name: str | None = None
    identifier: Identifier | None = None
    version: str | None = None
    release: str | None = None
    epoch: int | None = None
    file_path: str | None = None
    src_name: str | None = None
    licenses: list[str] | None = None
    layer: Layer | None = None


class Result(Struct, rename="pascal", gc=False):
    """What was found in one place: the OS packages, or one language's."""

    target: str | None = None
    result_class: str | None = field(default=None, name="Class")
    type: str | None = None
    packages: list[Package] | None = None
    vulnerabilities: list[Vulnerability] | None = None


class LegacyResult(Result, rename="pascal", gc=False):
    """A result of the list that Trivy wrote before 0.20; `Target` is what tells it from others."""

    target: str = field(name="Target")


class OperatingSystem(Struct, rename="pascal", gc=False):
    """The operating system that Trivy recognised."""

    family: str | None = None
    name: str | None = None
    eosl: bool | None = field(default=None, name="EOSL")


class ImageConfig(Struct, gc=False):
    """The image's config; its environment may hold credentials and is never decoded."""

    architecture: str | None = None
    created: datetime | None = None


class Metadata(Struct, rename="pascal", gc=False):
    """What Trivy says of the image."""

    size: Bytes | None = None
    os: OperatingSystem | None = field(default=None, name="OS")
    image_id: str | None = field(default=None, name="ImageID")
    diff_ids: list[str] | None = field(default=None, name="DiffIDs")
    image_config: ImageConfig | None = None


class Scanner(Struct, rename="pascal", gc=False):
    """The scanner that wrote the report; Trivy's own reports name its version alone."""

    version: str | None = None
    name: Literal["trivy", "grype"] = "trivy"


class Report(Struct, rename="pascal", gc=False):
    """One report: one image, also when nothing was found in it.

    `db_built` is of scanners that say when their DB was built; Trivy does not.
    """

    schema_version: int | None = None
    trivy: Scanner | None = None
    created_at: datetime | None = None
    artifact_name: str | None = None
    artifact_type: str | None = None
    cluster_name: str | None = None
    metadata: Metadata | None = None
    results: list[Result] | None = None
    db_built: datetime | None = None

    @property
    def scanner(self) -> Literal["trivy", "grype"]:
        """Return the name of the scanner that it is of; only Trivy's do not say it."""
        return self.trivy.name if self.trivy else "trivy"

    @property
    def image_id(self) -> str:
        """Return the digest of the image's config; empty if the report does not tell."""
        return (self.metadata and self.metadata.image_id) or ""
