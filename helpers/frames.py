"""The kit's DataFrames: their columns, what each means, and typed frames of them.

`python -m helpers dictionary` prints the data dictionary from here.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd

SEVERITIES = ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")
SEVERITY = pd.CategoricalDtype(SEVERITIES, ordered=True)
_CODES = {severity: code for code, severity in enumerate(SEVERITIES)}

TEXT, COUNT, SCORE, FLAG, TIME = "str", "Int64", "Float64", "boolean", "datetime64[us, UTC]"

SCANNED, NO_OS, BROKEN = "scanned", "no-os", "broken"
NOT_LOOKED, MISSING, FAILED = "not-looked", "missing", "failed"
UNKNOWN_COUNT = frozenset({NOT_LOOKED, MISSING, FAILED})
"""Statuses of images whose number of vulnerabilities is unknown."""

OS, TOOLS, APP = "os", "tools", "app"
PLACES = (OS, TOOLS, APP)
"""Where a package sits."""

_BUNDLED = re.compile(
    r"(^|/)("
    r"lib/node_modules/(npm|corepack|yarn|pnpm)"
    r"|opt/yarn[^/]*"
    r"|lib/python[\d.]+/(ensurepip|(site|dist)-packages/(pip|setuptools|wheel)\b[^/]*)"
    r")/"
)
"""Folders of the package managers that images of Node.js and Python bundle."""


class Column(NamedTuple):
    """One column of a frame: its name, its dtype and what it means."""

    name: str
    dtype: Any
    meaning: str


class Frames(NamedTuple):
    """What the loader returns: one row an image, a finding, a package."""

    images: pd.DataFrame
    findings: pd.DataFrame
    packages: pd.DataFrame


_VARIANT = Column("variant", TEXT, "the image's name in the study, or the report file's name")
_CAPTURE = Column(
    "capture", TEXT, "the capture it belongs to; empty for a report loaded on its own"
)
_PACKAGE_CLASS = Column(
    "package_class",
    TEXT,
    "Trivy's class of the result: `os-pkgs`, `lang-pkgs`; derived from the type in old reports and "
    "in Grype's",
)
_PACKAGE_TYPE = Column("package_type", TEXT, "ecosystem: `alpine`, `debian`, `node-pkg` …")
_PACKAGE_PATH = Column("package_path", TEXT, "file that it was found in; NA for OS packages")
_SOURCE_PACKAGE = Column(
    "source_package", TEXT, "source package it was built from; NA: the report does not say"
)
_LAYER = Column("layer_diff_id", TEXT, "DiffID of the layer that added the package")
_FROM_BASE = Column("from_base", FLAG, "whether the base image has that layer too; NA: unknown")
_PLACE = Column(
    "place",
    TEXT,
    "where the package sits: `os`; `tools`: bundled package managers (npm, yarn, pip) and other "
    "language packages of the base image; `app`: all other language packages",
)
_SCANNER = Column("scanner", TEXT, "scanner that wrote the report: `trivy`, `grype`")

DICTIONARY: dict[str, tuple[Column, ...]] = {
    "images": (
        _VARIANT,
        _CAPTURE,
        Column("artifact", TEXT, "what was scanned, as the report names it"),
        Column(
            "source",
            TEXT,
            "what the evidence was made from: `dockerfile`, `image`, `archive`, `sbom`, `report`; "
            "for a report loaded on its own what it says was scanned: `image`, `filesystem` …",
        ),
        Column("reference", TEXT, "the image's name in Docker, or the source's file name"),
        Column("base", TEXT, "the base image, as the study or its Dockerfile names it"),
        Column("report", TEXT, "the report file, relative to the data folder if it is inside"),
        Column("os_family", TEXT, "operating system that the scanner recognised"),
        Column("os_version", TEXT, "its version"),
        Column("os_eol", FLAG, "whether it was past its end of life when scanned; NA: not stated"),
        Column("architecture", TEXT, "CPU architecture of the image"),
        Column("size_unpacked_bytes", COUNT, "bytes of all layers unpacked; NA: not measured"),
        Column(
            "size_unpacked_source",
            TEXT,
            "what was added up: the `files` of all layers, like `docker history` and Grype, or the "
            "scanner's layer `tars`, which are slightly larger",
        ),
        Column("size_compressed_bytes", COUNT, "bytes of all layers compressed; NA: not measured"),
        Column(
            "size_compressed_source",
            TEXT,
            "where they were compressed: by a `registry`, in the `archive`, or with `gzip` here",
        ),
        Column("layers", COUNT, "number of layers with content"),
        Column(
            "packages", COUNT, "number of installed packages; NA: the report does not list them"
        ),
        Column(
            "created_at",
            TIME,
            "when the image was built: as it says, or else as the study states; the fixed old date "
            "of a reproducible build does not count",
        ),
        Column(
            "runtime",
            TEXT,
            "language runtime and its version: read from its program, or else stated by the study",
        ),
        Column("image_id", TEXT, "digest of the image's config"),
        Column("user", TEXT, "user that it starts as; empty: none, so root; NA: unknown"),
        Column("user_id", COUNT, "that user's number; NA: unknown"),
        Column("group_ids", TEXT, "numbers of that user's groups, joined by spaces; NA: unknown"),
        Column("command", TEXT, "start command, as typed in a shell; NA: unknown"),
        Column("working_directory", TEXT, "directory that it starts in; NA: unknown"),
        Column(
            "answers",
            FLAG,
            "whether it answered on its port when started locked down; NA: not started",
        ),
        Column("asked_by", TEXT, "how its port was reached: `loopback` or a `network without …`"),
        Column("shell", TEXT, "shell that starts in it; NA: none does, or not tried"),
        Column("shell_starts", FLAG, "whether a shell starts in it; NA: not tried"),
        _SCANNER,
        Column("scanner_version", TEXT, "version of the scanner"),
        Column(
            "db_updated_at",
            TIME,
            "date of the vulnerability DB: of the capture, or in a Grype report; NA: not recorded",
        ),
        Column("db_sha256", TEXT, "digest of the DB; NA: not recorded"),
        Column("db_coverage", TEXT, "what the DB covers, if it is not the scanner's full one"),
        Column("scanned_at", TIME, "when the scan ran"),
        Column(
            "status",
            TEXT,
            "`scanned`; `broken`: scanned, but did not answer when started; `no-os`: scanned, but "
            "no operating system was recognised, or one that the scanner does not support, so OS "
            "packages were not checked; `not-looked`: the report has secrets, licences or "
            "misconfigurations only; `missing`: no report; `failed`: the capture failed",
        ),
        Column("reason", TEXT, "why the capture failed, or why it did not answer; NA: neither"),
    ),
    "findings": (
        _VARIANT,
        _CAPTURE,
        _SCANNER,
        Column("vulnerability_id", TEXT, "CVE, GHSA or another id; NA: the report gives none"),
        Column("aliases", TEXT, "other ids of the same vulnerability, joined by spaces; NA: none"),
        Column("package", TEXT, "affected installed package"),
        Column("installed_version", TEXT, "its version"),
        Column("fixed_version", TEXT, "version that fixes it, free text; NA: no fix"),
        Column("status", TEXT, "the distribution's word: `fixed`, `affected`, `will_not_fix` …"),
        Column("severity", SEVERITY, "as the scanner chose it"),
        Column("severity_source", TEXT, "source of that severity; NA: combined from several"),
        Column("nvd_severity", SEVERITY, "NVD's severity, or derived from NVD's CVSS; NA: none"),
        Column("cvss_score", SCORE, "NVD's CVSS 3 base score, 0 to 10; NA: none"),
        Column("published_at", TIME, "when the vulnerability was published"),
        _PACKAGE_CLASS,
        _PACKAGE_TYPE,
        _PACKAGE_PATH,
        _SOURCE_PACKAGE,
        Column("purl", TEXT, "package URL"),
        _LAYER,
        _FROM_BASE,
        _PLACE,
    ),
    "packages": (
        _VARIANT,
        _CAPTURE,
        Column("package", TEXT, "installed package"),
        Column("version", TEXT, "full version: `[epoch:]version[-release]`"),
        _SOURCE_PACKAGE,
        _PACKAGE_CLASS,
        _PACKAGE_TYPE,
        _PACKAGE_PATH,
        Column("license", TEXT, "licences, joined by `, `"),
        Column("purl", TEXT, "package URL"),
        _LAYER,
        _FROM_BASE,
        _PLACE,
        Column("size_bytes", COUNT, "bytes of its files; NA: not measured"),
    ),
    "layers": (
        _VARIANT,
        _CAPTURE,
        Column("position", COUNT, "position in the image, from 0 at the bottom"),
        Column("diff_id", TEXT, "digest of the layer's tar"),
        Column("size_bytes", COUNT, "bytes of its files; a hard-linked file counts once"),
        Column("tar_bytes", COUNT, "bytes of its tar"),
        Column(
            "compressed_bytes", COUNT, "bytes compressed; `size_compressed_source` says by whom"
        ),
        Column("created_by", TEXT, "instruction that made it, without values of variables"),
        Column("from_base", FLAG, "whether the base image has it too; NA: unknown"),
    ),
    "files": (
        _VARIANT,
        _CAPTURE,
        Column("path", TEXT, "path without its first slash; bytes that are not UTF-8 as `\\xff`"),
        Column(
            "size_bytes",
            COUNT,
            "bytes of its content; 0 for a file's other names and what has no content",
        ),
        Column("mode", COUNT, "permission bits, with setuid, setgid and sticky"),
        Column("uid", COUNT, "owner's number"),
        Column("gid", COUNT, "group's number"),
        Column(
            "kind",
            TEXT,
            "`file`, `hardlink` (a file's other name), `dir`, `symlink`, `char`, `block`, `fifo`",
        ),
        Column("target", TEXT, "target of a link; NA: not a link"),
        Column("executable", FLAG, "whether it is a file with an execute permission"),
        Column("setuid", FLAG, "whether it is a file that runs as its owner"),
        Column("setgid", FLAG, "whether it is a file that runs as its group"),
        Column(
            "elf", TEXT, "kind of ELF file: `executable`, `static`, `shared`, `object`; NA: not ELF"
        ),
        Column("elf_interpreter", TEXT, "loader of an ELF file; NA: none"),
        Column("needed", TEXT, "libraries that an ELF file needs, joined by spaces; NA: none"),
        Column("version", TEXT, "version in the bytes of a well-known program; NA: none read"),
        Column("package", TEXT, "OS package that owns it; NA: none known, or a directory"),
        Column("layer", COUNT, "position of the layer that its content comes from"),
    ),
    "published": (
        Column("variant", TEXT, "variant of the study that the number was published for"),
        Column("metric", TEXT, "`findings` or `image size`"),
        Column("severity", TEXT, "a severity or `TOTAL`; NA for sizes"),
        Column("value", SCORE, "the number as printed"),
        Column("unit", TEXT, "its unit: `findings`, `MB` (10⁶ bytes)"),
        Column("as_of", TEXT, "when it was published"),
        Column("source", TEXT, "where it was printed"),
    ),
}


def make(frame: str, columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Return the frame of that name with every column of the dictionary, in order and typed.

    `columns` maps names to values of one length; `None` is missing, an absent column all missing.
    """
    length = max((len(values) for values in columns.values()), default=0)
    absent = [None] * length
    return pd.DataFrame(
        {
            column.name: _typed(columns.get(column.name, absent), column.dtype)
            for column in DICTIONARY[frame]
        },
        copy=False,
    )


def _typed(values: Sequence[Any], dtype: Any) -> pd.Series:
    if values.count(None) == len(values):
        # Many reports lack whole columns; one missing value for all rows is fast.
        return pd.Series(None, index=pd.RangeIndex(len(values)), dtype=dtype)
    if dtype is not SEVERITY:
        return pd.Series(values, dtype=dtype)
    # By code: pandas takes twice as long to look up each category.
    codes = [_CODES.get(value, -1) for value in values]
    return pd.Series(pd.Categorical.from_codes(codes, dtype=SEVERITY))


def place(package_class: str | None, path: str | None, from_base: bool | None) -> str:
    """Return where a package sits: `os`, `tools` or `app`.

    Tools are the packages of a bundled package manager, by their path, and all other language
    packages in a layer of the base image.
    """
    if package_class == "os-pkgs":
        return OS
    return TOOLS if from_base or (path and _BUNDLED.search(path)) else APP


def utc(time: datetime | None) -> datetime | None:
    """Return a time in UTC; `None` for none and for the year 1, Go's zero time."""
    if time is None or time.year <= 1:
        return None
    if time.tzinfo is None or time.year == datetime.max.year:
        # In the last year an offset could push a time out of range.
        return time.replace(tzinfo=UTC)
    return time if time.tzinfo is UTC else time.astimezone(UTC)


def columns(frame: str) -> list[str]:
    """Return the names of a frame's columns, in order."""
    return [column.name for column in DICTIONARY[frame]]


def dictionary_markdown() -> str:
    """Return the data dictionary as Markdown: one table a frame."""
    tables = []
    for frame, described in DICTIONARY.items():
        lines = [f"**`{frame}`**\n", "| column | dtype | meaning |", "|---|---|---|"]
        for column in described:
            dtype = "severity" if column.dtype is SEVERITY else column.dtype
            lines.append(f"| `{column.name}` | {dtype} | {column.meaning} |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables) + "\n"
