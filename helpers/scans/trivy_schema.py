"""The fields of Trivy's JSON that the kit uses, as typed structs.

msgspec skips all other fields; descriptions and references are most of a report's bytes. Reports of
other scanners are converted to these structs.
"""

from datetime import date, datetime
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Raw, Struct, field

Bytes = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Severity = Literal["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL", ""]
Score = Annotated[float, Meta(ge=0, le=10)]


class Layer(Struct, rename="pascal", gc=False):
    """The layer of a package."""

    diff_id: str | None = field(default=None, name="DiffID")


class Identifier(Struct, gc=False):
    """The package URL of a package."""

    purl: str | None = field(default=None, name="PURL")


class Scores(Struct, rename="pascal", gc=False):
    """CVSS base scores, and what the score of version 3 is made of."""

    v2_score: Score | None = field(default=None, name="V2Score")
    v3_score: Score | None = field(default=None, name="V3Score")
    v3_vector: str | None = field(default=None, name="V3Vector")


class VendorSeverity(Struct, gc=False):
    """Severities by source, of which only NVD's is used: 0 is UNKNOWN, 4 is CRITICAL."""

    nvd: Annotated[int, Meta(ge=0, le=4)] | None = None


class Cvss(Struct, gc=False):
    """CVSS by source, of which only NVD's is used, so that no column mixes sources."""

    nvd: Scores | None = None


class DataSource(Struct, gc=False):
    """Whose advisory a finding is of, by its short name; a namespace in Grype's reports."""

    id: str | None = field(default=None, name="ID")


class Exploitation(NamedTuple):
    """What another scanner's report knows of exploitation, and of which id."""

    cve_id: str
    score: float | None = None
    percentile: float | None = None
    day: date | None = None
    kev_added: date | None = None


class Vulnerability(Struct, rename="pascal", gc=False):
    """One finding. The last fields are for other scanners, and no names of Trivy's.

    Trivy names source packages in `Package`, and knows nothing of exploitation.
    """

    vulnerability_id: str | None = field(default=None, name="VulnerabilityID")
    pkg_name: str | None = None
    pkg_path: str | None = None
    pkg_identifier: Identifier | None = None
    installed_version: str | None = None
    fixed_version: str | None = None
    status: str | None = None
    layer: Layer | None = None
    vendor_ids: list[str] | None = field(default=None, name="VendorIDs")
    data_source: DataSource | None = None
    severity_source: str | None = None
    severity: Severity | None = None
    vendor_severity: VendorSeverity | None = None
    cvss: Cvss | None = field(default=None, name="CVSS")
    published_date: datetime | None = None
    src_name: str | None = None
    advisory_id: str | None = field(default=None, name="-advisory")
    exploitation: Exploitation | None = field(default=None, name="-exploitation")


class Package(Struct, rename="pascal", gc=False):
    """One installed package; `maintainer` is an RPM's vendor.

    Its files are listed since 0.47. They stay JSON: only of some images are they wanted, and
    decoding a million paths takes twice as long as the rest of their report.
    """

    name: str | None = None
    identifier: Identifier | None = None
    version: str | None = None
    release: str | None = None
    epoch: int | None = None
    file_path: str | None = None
    src_name: str | None = None
    licenses: list[str] | None = None
    layer: Layer | None = None
    maintainer: str | None = None
    installed_files: Raw = Raw()


class Suppressed(Struct, rename="pascal", gc=False):
    """A finding that a VEX statement or an ignore file takes out of the others.

    Only of type `vulnerability` it is a vulnerability's: so `finding` stays JSON until that is
    known, and is decoded to `vulnerability`. `source` is the document or the ignore file.
    """

    type: str | None = None
    status: str | None = None
    statement: str | None = None
    source: str | None = None
    finding: Raw = Raw()
    vulnerability: Vulnerability = field(name="-vulnerability", default_factory=Vulnerability)


class Result(Struct, rename="pascal", gc=False):
    """The packages and findings of the OS, or of one language."""

    target: str | None = None
    result_class: str | None = field(default=None, name="Class")
    type: str | None = None
    packages: list[Package] | None = None
    vulnerabilities: list[Vulnerability] | None = None
    suppressed: list[Suppressed] | None = field(default=None, name="ExperimentalModifiedFindings")


class LegacyResult(Result, rename="pascal", gc=False):
    """A result of the list that Trivy wrote before 0.20, recognised by its `Target`."""

    target: str = field(name="Target")


class OperatingSystem(Struct, rename="pascal", gc=False):
    """The operating system that Trivy recognised.

    Its supplier, since 0.73, is who makes the image out of a distribution's packages and judges it.
    """

    family: str | None = None
    name: str | None = None
    supplier: str | None = None
    eosl: bool | None = field(default=None, name="EOSL")


class ImageConfig(Struct, gc=False):
    """The image's config without its environment, which may hold credentials."""

    architecture: str | None = None
    created: datetime | None = None


class Metadata(Struct, rename="pascal", gc=False):
    """The metadata of the image."""

    size: Bytes | None = None
    os: OperatingSystem | None = field(default=None, name="OS")
    image_id: str | None = field(default=None, name="ImageID")
    diff_ids: list[str] | None = field(default=None, name="DiffIDs")
    repo_tags: list[str] | None = None
    repo_digests: list[str] | None = None
    image_config: ImageConfig | None = None


class Scanner(Struct, rename="pascal", gc=False):
    """The tool that wrote the report; Trivy's reports have its version only."""

    version: str | None = None
    name: str = "trivy"


class Report(Struct, rename="pascal", gc=False):
    """The report of one image. `db_built` is when the DB was built; Trivy does not say.

    `knows_exploitation` says whether its scanner has EPSS and KEV in its DB, `is_list` that it is
    an SBOM, which says nothing of vulnerabilities. `matches` is Grype's
    key, which no report of Trivy has.
    """

    schema_version: int | None = None
    trivy: Scanner | None = None
    created_at: datetime | None = None
    artifact_name: str | None = None
    artifact_type: str | None = None
    cluster_name: str | None = None
    metadata: Metadata | None = None
    results: list[Result] | None = None
    matches: Raw = field(default=Raw(), name="matches")
    db_built: datetime | None = None
    knows_exploitation: bool = field(default=False, name="-exploitation")
    is_list: bool = field(default=False, name="-list")

    @property
    def scanner(self) -> str:
        """Return the name of the tool that wrote it."""
        return self.trivy.name if self.trivy else "trivy"

    @property
    def image_id(self) -> str:
        """Return the digest of the image's config; empty if unknown."""
        return (self.metadata and self.metadata.image_id) or ""
