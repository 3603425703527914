"""Statements and documents of VEX, the same for every format."""

from datetime import datetime
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from helpers.frames import utc

Status = Literal["not_affected", "fixed", "affected", "under_investigation"]
STATUSES: tuple[Status, ...] = get_args(Status)
HARMLESS: tuple[Status, ...] = ("not_affected", "fixed")
"""What takes a finding out of the counts; other statuses do nothing."""

Time = Annotated[datetime, Meta(tz=True)]
"""A time with its zone, as RFC 3339 has it; Trivy refuses others."""


class Product(Struct, frozen=True):
    """What a statement is about: a package URL or another name, and the parts of it that count.

    Without parts it is about the whole product.
    """

    id: str
    parts: tuple[str, ...] = ()


class Statement(Struct, frozen=True):
    """What a document says of one vulnerability, in some products.

    `ids` are its id and its aliases; `reason` is the justification, or else the author's words;
    `said_at` is the document's time if the statement has none of its own.
    """

    document: str
    ids: tuple[str, ...]
    status: Status
    reason: str
    said_at: datetime | None
    products: tuple[Product, ...]


class Document(Struct, frozen=True):
    """A VEX document: the name of its file, its format, who wrote it and when.

    `sha256` is the digest of its text, unzipped; `statements` is their number.
    """

    name: str
    format: str
    author: str
    said_at: datetime | None
    sha256: str
    statements: int


def first(*times: datetime | None) -> datetime | None:
    """Return the first of some times that is known, in UTC."""
    return next((time for time in map(utc, times) if time), None)


def texts(*candidates: str | None) -> tuple[str, ...]:
    """Return the texts that are not empty, each once, in order."""
    return tuple(dict.fromkeys(text for text in candidates if text))
