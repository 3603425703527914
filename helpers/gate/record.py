"""What a gate says, for machines: a JSON document of a fixed shape."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from msgspec import Struct

from helpers import __version__
from helpers.gate import difference, judgement
from helpers.gate.difference import CAUSES, UNCHANGED
from helpers.gate.judgement import Judgement
from helpers.gate.pair import Side
from helpers.text import escape

VERSION = 1
"""Of the shape: another number where a field changes its meaning or goes; new ones may come."""


class Finding(Struct, frozen=True):
    """A finding that changed, as in `difference`; what is not known is `null`.

    `change` is one of `difference.CAUSES`, `cause` `image`, `database`, `statement` or empty,
    `certainty` how sure that is.
    `origin` is `base`, `app` or `unknown`, `place` `os`, `tools` or `app`. Severities and versions
    are those before and after.
    """

    change: str
    cause: str
    certainty: str
    fails: bool
    vulnerability_id: str | None
    package: str | None
    package_path: str | None
    purl: str | None
    version_before: str | None
    version_after: str | None
    fixed_version: str | None
    severity_before: str | None
    severity_after: str | None
    place: str | None
    origin: str
    epss: float | None
    exploited: bool | None


class Note(Struct, frozen=True):
    """What there is to know besides: a code, and its words in English."""

    code: str
    text: str


class Image(Struct, frozen=True):
    """One image: by what it was scanned, its sizes in bytes, its findings by severity."""

    label: str
    artifact: str | None
    image_id: str | None
    os: str | None
    scanner: str | None
    scanner_version: str | None
    db_updated_at: datetime | None
    size_unpacked_bytes: int | None
    size_compressed_bytes: int | None
    total: int
    severities: dict[str, int]


class Comparison(Struct, frozen=True):
    """An image before and after. `counts` has every change; `findings` those that did change.

    So a finding that is `unchanged` is listed only if it has another severity.
    """

    name: str
    verdict: str
    before: Image
    after: Image
    counts: dict[str, int]
    failing: int
    notes: list[Note]
    findings: list[Finding]


class Record(Struct, frozen=True):
    """The whole: `verdict` is `pass` or `fail`, `fail_on` the rules of which any fails it."""

    version: int
    kit_version: str
    verdict: str
    fail_on: list[str]
    images: list[Comparison]


def text(judgements: Sequence[Judgement]) -> str:
    """Return the document as JSON."""
    record = Record(
        VERSION,
        __version__,
        judgement.verdict(judgements),
        [rule.words for rule in judgements[0].rules],
        [_comparison(each) for each in judgements],
    )
    return escape.as_json(record)


def _comparison(found: Judgement) -> Comparison:
    table = found.table
    counted = table["change"].value_counts()
    listed = [table[table["change"].ne(UNCHANGED)], difference.re_rated(table)]
    return Comparison(
        found.pair.name,
        found.verdict,
        _image(found.pair.before),
        _image(found.pair.after),
        {change: int(counted.get(change, 0)) for change in CAUSES},
        len(found.failing),
        # Notes know how to say themselves in another language; here they are in English.
        [Note(note.code, str(note.text)) for note in found.notes],
        [_finding(row) for rows in listed for row in rows.itertuples()],
    )


def _finding(row: Any) -> Finding:
    return Finding(**{name: known(getattr(row, name)) for name in Finding.__struct_fields__})


def _image(side: Side) -> Image:
    row = side.image
    system = [str(part) for part in (row["os_family"], row["os_version"]) if pd.notna(part)]
    severities = difference.counts(side.standing["severity"])
    day = row["db_updated_at"]
    return Image(
        side.label,
        known(row["artifact"]),
        known(row["image_id"]),
        " ".join(system) or None,
        known(row["scanner"]),
        known(row["scanner_version"]),
        day.to_pydatetime() if pd.notna(day) else None,
        known(row["size_unpacked_bytes"]),
        known(row["size_compressed_bytes"]),
        sum(severities.values()),
        severities,
    )


def known(value: Any) -> Any:
    """Return a value of a frame as Python has it; `None` for a missing one."""
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
