"""VEX as a capture keeps it: the documents, and what they say of the ids that were found."""

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from helpers import compressed, own_file
from helpers.errors import VexInvalid
from helpers.vex import csaf, cyclonedx, openvex
from helpers.vex.statement import Document, Statement, first

MAX_BYTES = 2**26
"""Largest document in bytes, as it came and unzipped."""

MAX_VALUES = 2_000_000
"""How many commas a document may have: a large one has 100,000."""

OPENVEX, CSAF, CYCLONEDX = "OpenVEX", "CSAF", "CycloneDX"
_FORMATS = {OPENVEX: openvex.read, CSAF: csaf.read, CYCLONEDX: cyclonedx.read}

_AGAIN = "Capture it again, with --fresh"
_FETCH_AGAIN = "Fetch it again from its author"
_WRONG = "Name a VEX document: OpenVEX, CSAF or CycloneDX, as JSON"

_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Vex(Struct, frozen=True, omit_defaults=True):
    """Documents and statements; `subject` is what an SBOM says that it is of."""

    documents: tuple[Document, ...] = ()
    statements: tuple[Statement, ...] = ()
    subject: str = ""


NONE = Vex()
"""Stands for a variant that was scanned without VEX."""


def parse(text: bytes, name: str) -> Vex:
    """Return a document and its statements.

    Raises `VexInvalid`, which names it, for a file of another kind, one that is cut off, an unknown
    status, and a document without statements.
    """
    if text.count(b",") > MAX_VALUES:
        raise VexInvalid(name, f"more than {MAX_VALUES:,} JSON values", _FETCH_AGAIN)
    try:
        found = _format(text, name)
        author, said_at, statements = _FORMATS[found](text, name)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if "truncated" in str(error):
            raise VexInvalid(name, "JSON that is cut off", _FETCH_AGAIN) from error
        raise VexInvalid(name, f"not a VEX document ({error})", _WRONG) from error
    if not statements:
        raise VexInvalid(name, f"{found} without a statement", _WRONG)
    digest = hashlib.sha256(text).hexdigest()
    document = Document(name, found, author, said_at, digest, len(statements))
    return Vex((document,), tuple(statements))


def unzipped(content: bytes, name: str) -> bytes:
    """Return a document's text, without a byte order mark. Raises `VexInvalid`, which names it."""
    return compressed.document(
        content, MAX_BYTES, lambda problem: VexInvalid(name, problem, _FETCH_AGAIN)
    )


def about(given: Iterable[Vex], ids: Collection[str], subject: str = "") -> Vex:
    """Return documents together, with their statements about some ids only."""
    every = [*given]
    wanted = {*ids}
    return Vex(
        tuple(document for vex in every for document in vex.documents),
        tuple(s for vex in every for s in vex.statements if not wanted.isdisjoint(s.ids)),
        subject,
    )


def write(path: Path, vex: Vex) -> None:
    """Store evidence as JSON."""
    path.write_bytes(own_file.record(vex))


def read(path: Path) -> Vex:
    """Return the evidence in a file; without the file there is none. Raises `VexInvalid`."""
    found = own_file.read(path, Vex, VexInvalid, _AGAIN) or NONE
    documents = {document.name for document in found.documents}
    if others := {statement.document for statement in found.statements} - documents:
        problem = f"statements of {min(others)!r}, not one of its documents"
        raise VexInvalid(path, problem, _AGAIN)
    return replace(
        found,
        documents=tuple(replace(each, said_at=first(each.said_at)) for each in found.documents),
        statements=tuple(replace(each, said_at=first(each.said_at)) for each in found.statements),
    )


def _format(text: bytes, name: str) -> str:
    """Return the format of a document, by its outermost keys."""
    if not text.strip():
        raise VexInvalid(name, "empty", _FETCH_AGAIN)
    keys = _KEYS.decode(text)
    context = bytes(keys.get("@context", b"")).lstrip(b'"')
    # In the order in which Trivy tries them.
    if "bomFormat" in keys:
        return CYCLONEDX
    if context.startswith(openvex.NAMESPACE.encode()):
        return OPENVEX
    if {"document", "vulnerabilities"} <= keys.keys():
        return CSAF
    raise VexInvalid(name, f"JSON, but not a VEX document: it has {_named(keys)}", _WRONG)


def _named(keys: Iterable[str]) -> str:
    """Return some keys of a file, for a message."""
    return ", ".join(repr(key[:40]) for key in [*keys][:4]) or "nothing"
