"""Statements about suppressed findings: which one the scanner used, and whether it may count.

A statement is its author's claim on a product, at a time. One about another image, or of a later
day than the findings, takes nothing out of the counts.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

from helpers.errors import VexInvalid
from helpers.images import reference
from helpers.images.metadata import Image
from helpers.scans.trivy_schema import Suppressed
from helpers.text.i18n import Message
from helpers.vex import purl
from helpers.vex.evidence import NONE, Vex
from helpers.vex.statement import HARMLESS, Product, Statement

USED, LATER, ANOTHER = "used", "later", "another-product"
NO_EFFECT, NO_MATCH = "no-effect", "no-match"
EFFECTS = (USED, LATER, ANOTHER, NO_EFFECT, NO_MATCH)
"""What a statement does: it takes a finding out of the counts; it is of a later day; it is about
another product; its status takes nothing out, or another statement stands in its place; it is about
none of the packages that its vulnerability was found in. The first that holds is said."""

MAX_COMPARED = 1_000_000
"""Most comparisons of products and packages for one image; a usual one takes some thousands."""

_NAMESPACES = {"dhi.io": "dhi"}
"""Registries whose images are named in a namespace of Docker Hub by their vendor's documents.

Docker's hardened images are: https://docs.docker.com/guides/dhi-vex-walkthrough/
"""


class Said(NamedTuple):
    """What is said of a suppressed finding, by whom, when and of which product; and its effect.

    `statement` is the one of the evidence; `None` for one that the evidence does not have.
    """

    status: str
    reason: str | None = None
    by: str | None = None
    at: datetime | None = None
    product: str | None = None
    effect: str = USED
    statement: Statement | None = None

    @property
    def unused(self) -> Message | None:
        """Why it is not used, so that the finding counts; `None` if it is used."""
        if self.effect == ANOTHER:
            return Message("about another product: {product}", product=self.product)
        if self.effect == LATER:
            return Message("made later, on {day}", day=f"{self.at:%Y-%m-%d}")
        return None


class ImageName(NamedTuple):
    """A name of an image: its registry (empty: not told), repository, tag and digest, if any."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""


class Found(NamedTuple):
    """A finding, as statements see it: its id and aliases, and the package URL.

    `from_base` says whether the package is in a layer of the base image.
    """

    ids: tuple[str, ...]
    package: str
    from_base: bool


class _Subjects:
    """What a statement is about: its products by package, and which of them are images."""

    def __init__(self, statement: Statement) -> None:
        self.images = [each.id for each in statement.products if purl.is_image(each.id)]
        self._own: dict[tuple[str, ...], list[tuple[str, Product]]] = defaultdict(list)
        self._parts: dict[tuple[str, ...], list[tuple[str, Product]]] = defaultdict(list)
        for product in statement.products:
            self._own[purl.package(product.id)].append((product.id, product))
            for part in product.parts:
                self._parts[purl.package(part)].append((part, product))

    def candidates(self, package: str) -> Iterator[tuple[str, Product]]:
        """Yield products that may match a package: itself, then those that contain it."""
        key = purl.package(package)
        yield from self._own.get(key, ())
        yield from self._parts.get(key, ())


class _Judged(NamedTuple):
    """A statement that matches a finding, by which of its products, and whether it may count."""

    statement: Statement
    product: Product
    effect: str

    @property
    def document(self) -> str:
        return self.statement.document


class Scope:
    """An image and its day, by which the statements of its evidence are judged.

    `own` are the names of the image, `base` those of its base image, which packages in the layers
    of that are of. `packages` are the package URLs of all that is installed.
    """

    def __init__(
        self,
        vex: Vex = NONE,
        own: Iterable[ImageName] = (),
        base: Iterable[ImageName] = (),
        packages: Iterable[str] = (),
        day: date | None = None,
    ) -> None:
        self._documents = {document.name: document for document in vex.documents}
        # Equal statements are one, known by its place in memory: it may have thousands of products.
        self._about: dict[str, dict[int, Statement]] = defaultdict(dict)
        unique: dict[Statement, Statement] = {}
        for statement in vex.statements:
            one = unique.setdefault(statement, statement)
            for name in one.ids:
                self._about[name][id(one)] = one
        self._subjects = {id(one): _Subjects(one) for one in unique}
        self._left = MAX_COMPARED
        self._own, self._base = frozenset(own), frozenset(base)
        self._packages: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for package in packages if unique else ():
            self._packages[purl.package(package)].add(package)
        self._day = day
        self._images_here: dict[tuple[int, bool], str] = {}
        self._products_here: dict[str, bool] = {}

    def said(self, given: Suppressed, finding: Found) -> Said:
        """Return the statement on a suppressed finding.

        Trivy uses the latest statement that matches, of the first document in which that one
        suppresses. If it may not count, the latest of those that may stands in for it, of any
        document. What cannot be traced is taken at the scanner's word.
        """
        status, words = given.status or "ignored", given.statement or None
        source = given.source or ""
        if source not in self._documents:
            return Said(status, words, source or None)
        judged = self._judged(finding)
        chosen = _latest(j for j in judged if (j.document, j.statement.status) == (source, status))
        if chosen is None:
            return Said(status, words, self._author(source))
        if chosen.effect != USED:
            usable = [j for j in judged if j.effect == USED]
            latest = [_latest(j for j in usable if j.document == name) for name in self._documents]
            standing = (j for j in latest if j and j.statement.status in HARMLESS)
            chosen = next(standing, chosen)
        statement = chosen.statement
        return Said(
            statement.status,
            statement.reason or words,
            self._author(chosen.document),
            statement.said_at,
            self._told_product(statement, chosen.product, finding.from_base).id,
            chosen.effect,
            statement,
        )

    def effects(
        self, findings: Iterable[Found], said: Iterable[Said]
    ) -> Iterator[tuple[Statement, str, str, str]]:
        """Yield statements with an id that was found, the product that is told, and the effect.

        One each id of `findings` and statement about it. `said` is what is said of those of them
        that are suppressed.
        """
        used = {id(each.statement) for each in said if each.statement and each.effect == USED}
        by_id: dict[str, list[Found]] = defaultdict(list)
        for finding in findings:
            by_id[finding.ids[0]].append(finding)
        for name, same in by_id.items():
            judged: dict[int, list[tuple[Found, _Judged]]] = defaultdict(list)
            for finding in same:
                for each in self._judged(finding):
                    judged[id(each.statement)].append((finding, each))
            for statement in self._naming(i for finding in same for i in finding.ids):
                effect = NO_MATCH if statement.status in HARMLESS else NO_EFFECT
                from_base = False
                product = statement.products[0] if statement.products else Product("")
                for finding, each in judged[id(statement)]:
                    effect = min(effect, _told_effect(each, used), key=EFFECTS.index)
                    product, from_base = each.product, finding.from_base
                told = self._told_product(statement, product, from_base)
                yield statement, name, told.id, effect

    def _judged(self, finding: Found) -> list[_Judged]:
        """Return the statements that match a finding."""
        return [
            _Judged(statement, product, self._effect(statement, product, finding))
            for statement in self._naming(finding.ids)
            if (product := self._product(statement, finding.package))
        ]

    def _naming(self, ids: Iterable[str]) -> Iterable[Statement]:
        """Return the statements that name one of some ids, each once, in order."""
        found: dict[int, Statement] = {}
        for name in ids:
            found |= self._about.get(name, {})
        return found.values()

    def _product(self, statement: Statement, package: str) -> Product | None:
        """Return the product of a statement that is about a package: that itself, or one with it.

        Raises `VexInvalid` for more than `MAX_COMPARED` comparisons.
        """
        self._compared()
        for name, product in self._subjects[id(statement)].candidates(package):
            self._compared()
            if purl.matches(name, package):
                return product
        return None

    def _compared(self) -> None:
        self._left -= 1
        if self._left < 0:
            problem = f"more than {MAX_COMPARED:,} comparisons of its products with packages"
            name = ", ".join(self._documents)[:200]
            raise VexInvalid(name, problem, "Capture with fewer VEX documents")

    def _effect(self, statement: Statement, product: Product, finding: Found) -> str:
        """Return whether a statement that matches a finding may count, or why not."""
        if self._subjects[id(statement)].images:
            # What it says of packages besides is about those of that image.
            is_here = bool(self._image_here(statement, finding.from_base))
        else:
            is_here = purl.matches(product.id, finding.package) or self._is_installed(product.id)
        if not is_here:
            return ANOTHER
        is_later = self._day and statement.said_at and statement.said_at.date() > self._day
        return LATER if is_later else USED

    def _image_here(self, statement: Statement, from_base: bool) -> str:
        """Return which image of a statement's is this one, or its base; empty for none."""
        key = id(statement), from_base
        if key not in self._images_here:
            names, images = self._names(from_base), self._subjects[id(statement)].images
            self._images_here[key] = next((i for i in images if is_about(i, names)), "")
        return self._images_here[key]

    def _is_installed(self, product: str) -> bool:
        """Return whether a product is a package of the image."""
        if product not in self._products_here:
            installed = self._packages.get(purl.package(product), ())
            self._products_here[product] = any(purl.matches(product, each) for each in installed)
        return self._products_here[product]

    def _told_product(self, statement: Statement, product: Product, from_base: bool) -> Product:
        """Return the image that a statement is about, this one if it is, or else a product."""
        images = self._subjects[id(statement)].images
        here = self._image_here(statement, from_base) or (images[0] if images else "")
        return Product(here) if here else product

    def _author(self, name: str) -> str:
        author = self._documents[name].author
        return f"{author} ({name})" if author else name

    def _names(self, from_base: bool) -> frozenset[ImageName]:
        return self._own | self._base if from_base else self._own


def own_names(source: str, named: str, image: Image | None, subject: str) -> set[ImageName]:
    """Return the names of a variant's image, by which others know it.

    `source` is the kind of a variant, `named` its reference; `subject` is what an SBOM is of.
    """
    names = [*(image.names if image else []), *(image.digests if image else [])]
    if source in ("dockerfile", "image"):
        names.append(named)
    found = [_of_purl(subject) if purl.is_image(subject) else _parsed(subject)]
    return _with_others([*found, *map(_parsed, names)])


def base_names(image: Image | None) -> set[ImageName]:
    """Return the names of the base of an image."""
    names = [image.base, *image.base_digests] if image else []
    return _with_others(map(_parsed, names))


def _with_others(names: Iterable[ImageName | None]) -> set[ImageName]:
    """Return names, with other names that documents give the same images."""
    known = {name for name in names if name}
    others = {
        name._replace(host=reference.HUB, path=f"{_NAMESPACES[name.host]}/{name.path}")
        for name in known
        if name.host in _NAMESPACES
    }
    return known | others


def is_about(product: str, names: Iterable[ImageName]) -> bool:
    """Return whether the package URL of an image is about one that has some names.

    A digest decides alone. Without a registry the image is Docker Hub's, or one whose registry is
    unknown too, and then the end of the repository's name is enough, for that is all that the type
    `oci` has without one.
    """
    wanted = _of_purl(product)
    return wanted is not None and any(_is_about(wanted, name) for name in names)


def _is_about(wanted: ImageName, name: ImageName) -> bool:
    if wanted.digest:
        return wanted.digest == name.digest
    if wanted.tag and wanted.tag != name.tag:
        return False
    if wanted.host:
        return (wanted.host, wanted.path) == (name.host, name.path)
    is_hubs = name.host in ("", reference.HUB)
    return is_hubs and f"/{name.path}".endswith(f"/{wanted.path}")


def _of_purl(text: str) -> ImageName | None:
    """Return the image that a package URL names.

    See `oci` and `docker` in https://github.com/package-url/purl-spec/tree/main/types-doc
    """
    parts = purl.parse(text)
    if parts is None:
        return None
    qualifiers = dict(parts.qualifiers or {})
    path = "/".join(filter(None, (parts.namespace, parts.name)))
    where = re.sub(r"^\w+://", "", str(qualifiers.get("repository_url") or "")).rstrip("/")
    if parts.type == "docker":
        # There it is the registry alone, and Docker's own if it is left out.
        where = f"{where or reference.HUB}/{path}"
    elif where and not f"/{where}".endswith(f"/{path}"):
        where = f"{where}/{path}"
    found = _parsed(where) if where else ImageName("", path)
    version = parts.version or str(qualifiers.get("tag") or "")
    is_digest = ":" in version
    return found and found._replace(tag="" if is_digest else version, digest=version * is_digest)


def _parsed(text: str) -> ImageName | None:
    """Return a reference as a name; `None` for another text."""
    try:
        return ImageName(*reference.parse(text))
    except ValueError:
        return None


def _latest(judged: Iterable[_Judged]) -> _Judged | None:
    """Return the latest statement, the first of several at one time, as Trivy does."""
    long_ago = datetime.min.replace(tzinfo=UTC)
    return max(judged, key=lambda each: each.statement.said_at or long_ago, default=None)


def _told_effect(judged: _Judged, used: Collection[int]) -> str:
    """Return the effect that a statement which matches a finding has."""
    if judged.statement.status not in HARMLESS:
        return NO_EFFECT
    is_idle = judged.effect == USED and id(judged.statement) not in used
    return NO_EFFECT if is_idle else judged.effect
