"""The kit's DataFrames: their columns, what each means, and how to make one of a right type.

The README's data dictionary is printed from here by `python -m helpers dictionary`.
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
"""Statuses of images whose number of vulnerabilities is not known."""


class Column(NamedTuple):
    """One column of a frame: its name, its dtype and what it means."""

    name: str
    dtype: Any
    meaning: str


class Frames(NamedTuple):
    """What the loader returns: one frame an image, a finding and a package a row."""

    images: pd.DataFrame
    findings: pd.DataFrame
    packages: pd.DataFrame


_VARIANT = Column("variant", TEXT, "the image's name in the study, or the report file's name")
_CAPTURE = Column(
    "capture", TEXT, "the observation it belongs to; empty for a file loaded by itself"
)
_PACKAGE_CLASS = Column(
    "package_class",
    TEXT,
    "Trivy's class of the result: `os-pkgs`, `lang-pkgs`; told from the type in old reports and "
    "in Grype's",
)
_PACKAGE_TYPE = Column("package_type", TEXT, "ecosystem: `alpine`, `debian`, `node-pkg` …")
_PACKAGE_PATH = Column("package_path", TEXT, "file the package was found in; NA for OS packages")
_SOURCE_PACKAGE = Column(
    "source_package", TEXT, "source package it was built from; NA where the report does not tell"
)
_LAYER = Column("layer_diff_id", TEXT, "DiffID of the layer that brought the package")
_FROM_BASE = Column("from_base", FLAG, "whether the base image has that layer too; NA: not known")
_PLACE = Column(
    "place",
    TEXT,
    "where the package sits: `os`; `tools`: a package manager that images bring along (npm, yarn, "
    "pip), or else a language package of the base image; `app`",
)
_SCANNER = Column("scanner", TEXT, "scanner that the report is of: `trivy`, `grype`")

DICTIONARY: dict[str, tuple[Column, ...]] = {
    "images": (
        _VARIANT,
        _CAPTURE,
        Column("artifact", TEXT, "what the scanner was given, as its report names it"),
        Column(
            "source",
            TEXT,
            "what its evidence was made from: `dockerfile`, `image`, `archive`, `sbom`, `report`; "
            "for a report loaded by itself what it says was scanned: `image`, `filesystem` …",
        ),
        Column("reference", TEXT, "the image's name on the daemon, or the source's file name"),
        Column(
            "base", TEXT, "the image that it is built on, as the study or its Dockerfile names it"
        ),
        Column("report", TEXT, "the report file, relative to the data folder where it is inside"),
        Column("os_family", TEXT, "operating system that the scanner recognised"),
        Column("os_version", TEXT, "its version"),
        Column("os_eol", FLAG, "whether the scanner knew it as past its end of life at scan time"),
        Column("architecture", TEXT, "CPU architecture of the image"),
        Column("size_unpacked_bytes", COUNT, "bytes of all layers unpacked; NA: not measured"),
        Column(
            "size_unpacked_source",
            TEXT,
            "what was added up: the `files` of all layers, as `docker history` and Grype do, or "
            "the scanner's layer `tars`, which are some larger",
        ),
        Column("size_compressed_bytes", COUNT, "bytes of all layers compressed; NA: not measured"),
        Column(
            "size_compressed_source",
            TEXT,
            "who compressed them: a `registry`, the `archive` that was read, or `gzip` here",
        ),
        Column("layers", COUNT, "number of layers with content"),
        Column(
            "packages", COUNT, "number of installed packages; NA: the report does not list them"
        ),
        Column(
            "created_at",
            TIME,
            "when the image was built, or else the study states that it was; NA also for a fixed "
            "date of long ago, as reproducible builds have it",
        ),
        Column(
            "runtime",
            TEXT,
            "language runtime and its version, as its program tells it or else the study states it",
        ),
        Column("image_id", TEXT, "digest of the image's config"),
        Column(
            "user", TEXT, "user that it starts as; empty: none is named, so root; NA: not known"
        ),
        Column("user_id", COUNT, "that user's number; NA: not known"),
        Column("group_ids", TEXT, "numbers of that user's groups, joined by spaces; NA: not known"),
        Column("command", TEXT, "what it starts, as one would type it; NA: not known"),
        Column("working_directory", TEXT, "where that starts; NA: not known"),
        Column(
            "answers",
            FLAG,
            "whether it answered on its port when started locked down; NA: it was not started",
        ),
        Column("asked_by", TEXT, "how its port was reached: `loopback` or a `network without …`"),
        Column("shell", TEXT, "shell that could be started in it; NA: none could, or not tried"),
        Column("shell_starts", FLAG, "whether a shell could be started in it; NA: not tried"),
        _SCANNER,
        Column("scanner_version", TEXT, "version of the scanner"),
        Column(
            "db_updated_at",
            TIME,
            "day of the vulnerability DB, in Grype's reports as they say; NA: not recorded",
        ),
        Column("db_sha256", TEXT, "digest of the DB; NA: not recorded"),
        Column("db_coverage", TEXT, "what the DB covers, where it is not the scanner's full one"),
        Column("scanned_at", TIME, "when the scan ran"),
        Column(
            "status",
            TEXT,
            "`scanned`; `broken`: scanned, but it did not answer when it was started; `no-os`: "
            "scanned, but no operating system was recognised, or none that the scanner knows, so "
            "its packages were not looked at; `not-looked`: the report holds secrets, licences or "
            "misconfigurations only; `missing`: no report; `failed`: its capture failed",
        ),
        Column("reason", TEXT, "why its capture failed, or why it did not answer; NA: neither"),
    ),
    "findings": (
        _VARIANT,
        _CAPTURE,
        _SCANNER,
        Column("vulnerability_id", TEXT, "CVE, GHSA or another id; NA: the report gives none"),
        Column("aliases", TEXT, "other ids of the same vulnerability, joined by spaces; NA: none"),
        Column("package", TEXT, "installed package that is affected"),
        Column("installed_version", TEXT, "its version"),
        Column("fixed_version", TEXT, "version that fixes it, free text; NA: no fix"),
        Column("status", TEXT, "the distribution's word: `fixed`, `affected`, `will_not_fix` …"),
        Column("severity", SEVERITY, "as the scanner chose it"),
        Column("severity_source", TEXT, "whose severity that is; NA: precomputed from others"),
        Column("nvd_severity", SEVERITY, "NVD's own, or told from NVD's CVSS; NA: none"),
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
        Column("position", COUNT, "place in the image, from 0 at the bottom"),
        Column("diff_id", TEXT, "digest of the layer's tar"),
        Column("size_bytes", COUNT, "bytes of its files, a hard-linked one once"),
        Column("tar_bytes", COUNT, "bytes of its tar"),
        Column("compressed_bytes", COUNT, "bytes of it compressed; `images` says by whom"),
        Column("created_by", TEXT, "instruction that made it, without values of variables"),
        Column("from_base", FLAG, "whether the base image has it too; NA: not known"),
    ),
    "files": (
        _VARIANT,
        _CAPTURE,
        Column("path", TEXT, "path without its first slash; bytes that are not UTF-8 as `\\xff`"),
        Column(
            "size_bytes",
            COUNT,
            "bytes of its content; 0 for what has none, and for a hard link's other names",
        ),
        Column("mode", COUNT, "permission bits, with setuid, setgid and sticky"),
        Column("uid", COUNT, "owner's number"),
        Column("gid", COUNT, "group's number"),
        Column(
            "kind",
            TEXT,
            "`file`, `hardlink` (a file's other name), `dir`, `symlink`, `char`, `block`, `fifo`",
        ),
        Column("target", TEXT, "what a link points to; NA: no link"),
        Column("executable", FLAG, "whether it is a file that anybody may execute"),
        Column("setuid", FLAG, "whether it is a file that runs as its owner"),
        Column("setgid", FLAG, "whether it is a file that runs as its group"),
        Column(
            "elf", TEXT, "kind of ELF file: `executable`, `static`, `shared`, `object`; NA: none"
        ),
        Column("elf_interpreter", TEXT, "loader that an ELF file asks for; NA: none"),
        Column("needed", TEXT, "libraries that an ELF file needs, joined by spaces; NA: none"),
        Column("version", TEXT, "version that a well-known program tells of itself; NA: none read"),
        Column("package", TEXT, "OS package that owns it; NA: none that is known, or a folder"),
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
        # Said once, not once a row: whole columns are missing from many reports.
        return pd.Series(None, index=pd.RangeIndex(len(values)), dtype=dtype)
    if dtype is not SEVERITY:
        return pd.Series(values, dtype=dtype)
    # By code: to look a category up for every value takes pandas twice as long.
    codes = [_CODES.get(value, -1) for value in values]
    return pd.Series(pd.Categorical.from_codes(codes, dtype=SEVERITY))


def utc(time: datetime | None) -> datetime | None:
    """Return a time in UTC; `None` for none and for the year 1, which is Go's word for none."""
    if time is None or time.year <= 1:
        return None
    if time.tzinfo is None or time.year == datetime.max.year:
        # An offset can push a time out of range in the last year that there is.
        return time.replace(tzinfo=UTC)
    return time if time.tzinfo is UTC else time.astimezone(UTC)


def columns(frame: str) -> list[str]:
    """Return the names of a frame's columns, in order."""
    return [column.name for column in DICTIONARY[frame]]


def dictionary_markdown() -> str:
    """Return the data dictionary as Markdown: one table a frame."""
    parts = []
    for frame, described in DICTIONARY.items():
        rows = [f"| `{c.name}` | {_dtype(c)} | {c.meaning} |" for c in described]
        head = [f"**`{frame}`**\n", "| column | dtype | meaning |", "|---|---|---|"]
        parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts) + "\n"


def _dtype(column: Column) -> str:
    return "severity" if column.dtype is SEVERITY else str(column.dtype)


OS, TOOLS, APP = "os", "tools", "app"
PLACES = (OS, TOOLS, APP)

_BUNDLED = re.compile(
    r"(^|/)("
    r"lib/node_modules/(npm|corepack|yarn|pnpm)"
    r"|opt/yarn[^/]*"
    r"|lib/python[\d.]+/(ensurepip|(site|dist)-packages/(pip|setuptools|wheel)\b[^/]*)"
    r")/"
)
"""Where images of Node.js and Python keep the package managers that they bring along."""


def place(package_class: str | None, path: str | None, from_base: bool | None) -> str:
    """Return where a package sits: `os`, `tools` or `app`.

    Tools are language packages of a bundled package manager, told by their path, and all others
    that are in a layer of the base image.
    """
    if package_class == "os-pkgs":
        return OS
    return TOOLS if from_base or (path and _BUNDLED.search(path)) else APP
