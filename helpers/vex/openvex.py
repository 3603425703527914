"""OpenVEX 0.2.0: https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md"""

from datetime import datetime

import msgspec
from msgspec import Struct, field

from helpers.errors import VexInvalid
from helpers.vex.statement import Product, Statement, Status, Time, first, texts

NAMESPACE = "https://openvex.dev/ns"

_OLD = f"{NAMESPACE}/v0.0."
"""Begins the context of versions whose products are plain texts; Trivy 0.76 refuses them."""


class _Component(Struct):
    id: str | None = field(name="@id", default=None)
    identifiers: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """Return its package URL, else its other name; empty for none."""
        return (self.identifiers or {}).get("purl") or self.id or ""


class _Whole(_Component):
    subcomponents: list[_Component] | None = None


class _Vulnerability(Struct):
    id: str | None = field(name="@id", default=None)
    name: str | None = None
    aliases: list[str] | None = None


class _Statement(Struct):
    status: Status
    vulnerability: _Vulnerability
    products: list[_Whole] | None = None
    justification: str | None = None
    impact_statement: str | None = None
    status_notes: str | None = None
    action_statement: str | None = None
    timestamp: Time | None = None


class _File(Struct):
    statements: list[_Statement] | None
    author: str | None = None
    timestamp: Time | None = None
    version: int | None = None


class _Context(Struct):
    context: str = field(name="@context")


def read(text: bytes, name: str) -> tuple[str, datetime | None, list[Statement]]:
    """Return author, time and statements of a document.

    Raises `VexInvalid` for another version, and msgspec's errors.
    """
    context = msgspec.json.decode(text, type=_Context).context
    if context.startswith(_OLD):
        remedy = "Write it as OpenVEX 0.2.0, for example with vexctl"
        raise VexInvalid(name, f"OpenVEX of version {context[-8:]!r}, which Trivy refuses", remedy)
    file = msgspec.json.decode(text, type=_File)
    statements = [_said(given, name, file) for given in file.statements or []]
    return file.author or "", first(file.timestamp), statements


def _said(given: _Statement, name: str, file: _File) -> Statement:
    vulnerability = given.vulnerability
    words = given.impact_statement, given.status_notes, given.action_statement
    return Statement(
        name,
        texts(vulnerability.name, *(vulnerability.aliases or []), vulnerability.id),
        given.status,
        next(iter(texts(given.justification, *words)), ""),
        first(given.timestamp, file.timestamp),
        tuple(
            Product(product.name, texts(*(part.name for part in product.subcomponents or [])))
            for product in given.products or []
            if product.name
        ),
    )
