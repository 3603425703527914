"""CSAF 2.0 and its profile VEX: https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html"""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import Struct, field

from helpers.vex.statement import Product, Statement, Status, Time, first, texts

_STATUSES: dict[str, Status] = {
    "known_not_affected": "not_affected",
    **dict.fromkeys(("fixed", "first_fixed"), "fixed"),
    **dict.fromkeys(("known_affected", "first_affected", "last_affected"), "affected"),
    "under_investigation": "under_investigation",
}
"""Statuses by those of CSAF; a version that is `recommended` has none."""


class _Helper(Struct):
    purl: str | None = None


class _FullName(Struct):
    product_id: str
    name: str = ""
    helper: _Helper | None = field(name="product_identification_helper", default=None)


class _Branch(Struct):
    branches: list["_Branch"] | None = None
    product: _FullName | None = None


class _Relationship(Struct):
    part: str = field(name="product_reference")
    whole: str = field(name="relates_to_product_reference")
    full: _FullName = field(name="full_product_name")


class _Tree(Struct):
    branches: list[_Branch] | None = None
    full_product_names: list[_FullName] | None = None
    relationships: list[_Relationship] | None = None


class _Id(Struct):
    text: str = ""


class _Note(Struct):
    """A flag's label or a threat's details; without products it is about all of them."""

    label: str | None = None
    category: str | None = None
    details: str | None = None
    date: Time | None = None
    product_ids: list[str] | None = None


class _Vulnerability(Struct):
    cve: str | None = None
    ids: list[_Id] | None = None
    product_status: dict[str, list[str]] | None = None
    flags: list[_Note] | None = None
    threats: list[_Note] | None = None


class _Publisher(Struct):
    name: str = ""


class _Tracking(Struct):
    current_release_date: Time | None = None


class _Document(Struct):
    publisher: _Publisher | None = None
    tracking: _Tracking | None = None


class _File(Struct):
    document: _Document
    # Trivy 0.76 breaks down without a tree of products.
    product_tree: _Tree
    vulnerabilities: list[_Vulnerability] | None = None


def read(text: bytes, name: str) -> tuple[str, datetime | None, list[Statement]]:
    """Return author, time and statements of a document: one a vulnerability and status.

    Raises msgspec's errors.
    """
    file = msgspec.json.decode(text, type=_File)
    publisher, tracking = file.document.publisher, file.document.tracking
    released = first(tracking.current_release_date) if tracking else None
    known = _products(file.product_tree)
    statements = [
        _said(vulnerability, status, listed, known, name, released)
        for vulnerability in file.vulnerabilities or []
        for kind, listed in (vulnerability.product_status or {}).items()
        if listed and (status := _STATUSES.get(kind))
    ]
    return publisher.name if publisher else "", released, statements


def _said(
    vulnerability: _Vulnerability,
    status: Status,
    listed: list[str],
    known: dict[str, Product],
    name: str,
    released: datetime | None,
) -> Statement:
    products = {*listed}
    flags = [note for note in vulnerability.flags or [] if _is_about(note, products)]
    threats = [note for note in vulnerability.threats or [] if _is_about(note, products)]
    impacts = [note.details for note in threats if note.category == "impact"]
    reasons = texts(*(note.label for note in flags), *impacts)
    return Statement(
        name,
        texts(vulnerability.cve, *(other.text for other in vulnerability.ids or [])),
        status,
        next(iter(reasons), "") if status == "not_affected" else "",
        first(*(note.date for note in flags), released),
        tuple(known.get(product, Product(product)) for product in dict.fromkeys(listed) if product),
    )


def _is_about(note: _Note, products: set[str]) -> bool:
    return not note.product_ids or not products.isdisjoint(note.product_ids)


def _products(tree: _Tree) -> dict[str, Product]:
    """Return products by their ids in the document; one in relation to another is its part."""
    named = {full.product_id: _name(full) for full in _full_names(tree)}
    found = {product_id: Product(name) for product_id, name in named.items()}
    for relation in tree.relationships or []:
        whole = named.get(relation.whole, relation.whole)
        part = named.get(relation.part, relation.part)
        found[relation.full.product_id] = Product(whole, (part,))
    return found


def _full_names(tree: _Tree) -> Iterator[_FullName]:
    yield from tree.full_product_names or []
    branches = [*(tree.branches or [])]
    while branches:
        branch = branches.pop()
        branches += branch.branches or []
        if branch.product:
            yield branch.product


def _name(full: _FullName) -> str:
    return (full.helper.purl if full.helper else None) or full.name or full.product_id
