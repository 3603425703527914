"""A study: its question, its variants, its captures and the numbers that others published."""

import re
from datetime import UTC, date, datetime, time
from pathlib import Path

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from helpers import own_file, paths
from helpers.errors import StudyFileInvalid, StudyInvalid, advice, choose, disk_error
from helpers.images import oci
from helpers.studies.landmarks import day, landmarks
from helpers.text import escape, i18n

CAPTURE_NAME = re.compile(r"\d{4}-\d{2}(-\d{2})?([.-][A-Za-z0-9]+)*")
"""A capture is named by its date, and by more where a day or month has several."""

KINDS = ("dockerfile", "image", "archive", "sbom", "report")
"""What a variant's evidence can be made from."""

NONE, OTHERS = "none", "others"
"""Stand for how the scanner was run where there was none, and where others ran it."""

CLASSIC, BUILDKIT = "classic", "buildkit"
"""Docker's builders, as a capture names them."""

NEWEST = "newest"
"""Stands for the name of a study's newest capture."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_SHOWN = 64
"""Most letters of a name in a message."""

_AGAIN = "Make the capture again"

_MOST_TOML_BYTES, _MOST_DOTS = 2**20, 200
"""Limits of a `study.toml` and of one line of it: a key of many parts takes quadratic time."""

RESERVED = frozenset({paths.CAPTURE, paths.BASES_LOG, paths.EXPLOITATION}) | set(
    "vulnerability_id severity variants packages fixed property".split()
)
"""Names that no variant has: of files beside its folder, and of columns beside its own."""


class Recipe(Struct, forbid_unknown_fields=True, frozen=True):
    """A Dockerfile and what it is built with; paths are relative to the `dockerfiles/` folder."""

    dockerfile: str
    context: str = ""
    build_args: dict[str, str] = field(default_factory=dict)
    target: str = ""
    platform: str = ""


class Base(Recipe, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An image that has to be built before the variants can be; `tag` is its name from then on."""

    tag: str


class Variant(Struct, forbid_unknown_fields=True, frozen=True):
    """One image of a study and where its evidence comes from: exactly one of `KINDS`.

    `dockerfile` is relative to the `dockerfiles/` folder and `context` too; `image` is a
    reference; `archive`, `sbom` and `report` are relative to the study's folder. `grype` is a Grype
    report of the same image, relative to the study's folder, beside any of them. `platform` (as in
    "linux/arm64") says which one of a Dockerfile, an image or an archive; without it, this
    machine's. `base` is the image that it is built on. `port` is where it answers (0: the port that
    the image exposes); with `start = false` it is not started. `runtime` (as in "node 24.19.0") and
    `built` (a day) are known from elsewhere than the evidence. `artifact` is what kept reports say
    that they are of, where `history` made the study.
    """

    name: str
    about: str = ""
    dockerfile: str = ""
    context: str = ""
    build_args: dict[str, str] = field(default_factory=dict)
    target: str = ""
    platform: str = ""
    image: str = ""
    archive: str = ""
    sbom: str = ""
    report: str = ""
    grype: str = ""
    base: str = ""
    role: str = ""
    port: int = 0
    start: bool = True
    runtime: str = ""
    built: date | None = None
    artifact: str = ""

    @property
    def kind(self) -> str:
        """Return the kind of its source: one of `KINDS`."""
        return next(kind for kind in KINDS if getattr(self, kind))

    @property
    def source(self) -> str:
        """Return its source: a path or a reference."""
        return str(getattr(self, self.kind))

    @property
    def recipe(self) -> Recipe:
        """Return how it is built, if it is."""
        return Recipe(self.dockerfile, self.context, self.build_args, self.target, self.platform)


class Database(Struct, frozen=True):
    """The vulnerability DB of a capture, and the time of the Java DB beside it, if any."""

    version: int | None = None
    updated_at: datetime | None = None
    sha256: str = ""
    coverage: str = ""
    origin: str = ""
    java_updated_at: datetime | None = None


class Captured(Struct, frozen=True, omit_defaults=True):
    """What a `capture.json` says of one variant.

    `status` is `scanned`, or `failed` with the `error`. `identity` is the digest of what was
    captured (an image's id, a file's SHA-256), `settings` what else it depends on. `missing` says
    why a part is missing; `unchanged_since` names the capture that the evidence was taken from;
    `builder` is `classic` or `buildkit`, and empty where nothing is built.
    """

    status: str
    source: str = ""
    reference: str = ""
    identity: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    command: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    error: str = ""
    unchanged_since: str = ""
    builder: str = ""


class _Made(Struct):
    """What decides the order of captures: when each was made, and by whom."""

    captured_at: datetime
    scanner_is: str = ""


class Facts(Struct, frozen=True, omit_defaults=True):
    """What a `capture.json` says: how, with what and when a capture was made."""

    study: str
    capture: str
    captured_at: datetime
    kit_version: str
    scanner: str
    scanner_version: str
    db: Database
    variants: dict[str, Captured]
    scanner_is: str = "binary"
    builder: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)


class Translation(Struct, forbid_unknown_fields=True, frozen=True):
    """A study's texts in another language; what is not given stays English.

    `not_shown` is in the study's order; `variants` has their `about` by name, `events` has their
    names by those in the study.
    """

    title: str = ""
    question: str = ""
    about: str = ""
    not_shown: list[str] = field(default_factory=list)
    known_by_why: str = ""
    variants: dict[str, str] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)


class Study(Struct, forbid_unknown_fields=True, frozen=True):
    """What a `study.toml` says. `name` is the name of its folder.

    `known_by` is the day until which the facts about all variants are complete, `known_by_why` says
    how that is known. `events` are days that a figure over time marks, by what happened. `beside`
    names a study with matched images. `vex` are VEX documents for the scanner, relative to the
    study's folder. `translated` has translations by language code.
    """

    title: str
    question: str
    about: str
    variants: list[Variant]
    default_capture: str = ""
    baseline: str = ""
    not_shown: list[str] = field(default_factory=list)
    bases: list[Base] = field(default_factory=list)
    known_by: date | None = None
    known_by_why: str = ""
    events: dict[str, date] = field(default_factory=dict)
    beside: str = ""
    vex: list[str] = field(default_factory=list)
    translated: dict[str, Translation] = field(default_factory=dict)
    name: str = ""

    def captures(self) -> list[str]:
        """Return the names of the study's captures, oldest first, as they say when they were made.

        Of two of the same time the names decide, which begin with a date. One that cannot be read
        comes after the one whose name is before its own, so that a damaged newest one is noticed.
        """
        folder = paths.study(self.name)
        folders = {path.parent.name for path in folder.glob(f"*/{paths.CAPTURE}")} - going(folder)
        names = sorted(name for name in folders if CAPTURE_NAME.fullmatch(name))
        times: dict[str, datetime] = {}
        before = datetime.min.replace(tzinfo=UTC)
        for name in names:
            before = times[name] = _made_at(folder / name) or max(before, _named_day(name))
        return sorted(names, key=times.__getitem__)

    def has(self, capture: str) -> bool:
        """Return whether the study has a capture of that name."""
        if not CAPTURE_NAME.fullmatch(capture):
            return False
        record = paths.capture(self.name, capture) / paths.CAPTURE
        return record.is_file() and capture not in going(paths.study(self.name))

    def facts(self, capture: str = "") -> Facts:
        """Return what is recorded of a capture: of a named one, the newest, or else the default.

        Raises `StudyInvalid` if the study has no such capture or its record is damaged.
        """
        wanted = "" if capture == NEWEST else capture or self.default_capture
        # A named one is found without a look at all of them, which may be hundreds.
        if not self.has(wanted):
            captures = self.captures()
            if not captures:
                live = advice(f"make live STUDY={self.name}", f"python -m helpers live {self.name}")
                raise StudyInvalid(f"study {self.name!r} has no capture yet. Capture it: {live}")
            if wanted:
                raise StudyInvalid(
                    f"study {self.name!r} has no capture {wanted[:_SHOWN]!r}; it has "
                    f"{', '.join(landmarks(captures))}"
                )
            wanted = captures[-1]
        path = paths.capture(self.name, wanted) / paths.CAPTURE
        facts = own_file.read(path, Facts, StudyFileInvalid, _AGAIN)
        if facts is None:
            raise StudyFileInvalid(path, "removed in the meantime", _AGAIN)
        if (facts.study, facts.capture) != (self.name, wanted):
            other = f"{facts.capture[:_SHOWN]!r} of study {facts.study[:_SHOWN]!r}"
            raise StudyInvalid(
                f"{path}: belongs to capture {other}; a capture cannot be renamed. Rename it back"
            )
        return facts

    def names(self) -> list[str]:
        """Return the names of its variants."""
        return [variant.name for variant in self.variants]

    def by_role(self, role: str) -> str | None:
        """Return the name of the variant with a role in the blog's claims, or `None`."""
        return next((variant.name for variant in self.variants if variant.role == role), None)

    def spoken(self) -> "Study":
        """Return the study with its texts in the language that is spoken, as far as it has them."""
        translation = self.translated.get(i18n.spoken())
        if translation is None:
            return self
        return replace(
            self,
            title=translation.title or self.title,
            question=translation.question or self.question,
            about=translation.about or self.about,
            not_shown=translation.not_shown or self.not_shown,
            known_by_why=translation.known_by_why or self.known_by_why,
            variants=[
                replace(v, about=translation.variants.get(v.name, v.about)) for v in self.variants
            ],
            events={translation.events.get(what, what): day for what, day in self.events.items()},
        )

    def published(self) -> Path:
        """Return the path of the published numbers; the file may not exist."""
        return paths.study(self.name) / "published.csv"


def names() -> list[str]:
    """Return the names of all studies."""
    return sorted(path.parent.name for path in paths.studies().glob("*/study.toml"))


def recorded() -> list[str]:
    """Return the names of the studies that have a capture."""
    captured = {path.parent.parent.name for path in paths.studies().glob(f"*/*/{paths.CAPTURE}")}
    return [name for name in names() if name in captured]


def nearest_recorded(study: Study) -> str:
    """Return the recorded study with the most similar names of variants; empty if there is none."""
    words = _words(study)

    def likeness(name: str) -> float:
        try:
            others = _words(open_study(name))
        except StudyInvalid:
            return -1
        return len(words & others) / len(words | others)

    return max(recorded(), key=likeness, default="")


def _words(study: Study) -> set[str]:
    """Return the words in the names of a study's variants."""
    return {word for name in study.names() for word in name.split("-")}


def going(folder: Path) -> set[str]:
    """Return the names of the captures in a study's folder that are being removed."""
    try:
        listed = (folder / paths.GOING).read_text(errors="replace").split()
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise disk_error(error, folder / paths.GOING) from error
    return {name for name in listed if CAPTURE_NAME.fullmatch(name)}


def _made_at(folder: Path) -> datetime | None:
    """Return when a capture was made; `None` if its record cannot be read."""
    try:
        made = own_file.read(folder / paths.CAPTURE, _Made, StudyFileInvalid, _AGAIN)
    except StudyFileInvalid:
        made = None
    if made is None:
        return None
    at = made.captured_at if made.captured_at.tzinfo else made.captured_at.replace(tzinfo=UTC)
    named = folder.name.partition(".")[0]
    # An archive of reports may be scanned again, the newest first: it is of the days in its names.
    is_of_its_day = made.scanner_is != OTHERS or f"{at:%Y-%m-%d}".startswith(named)
    return at if is_of_its_day else _named_day(named)


def _named_day(name: str) -> datetime:
    return datetime.combine(day(name), time(), UTC)


def is_variant_name(name: str) -> bool:
    """Return whether a variant may have a name: it is one of a folder and a column."""
    return NAME.fullmatch(name) is not None and name.casefold() not in RESERVED


def open_study(name: str) -> Study:
    """Return the study of that name, in the language that is spoken.

    Raises `StudyInvalid` if there is none or it is malformed.
    """
    path = paths.study(name) / "study.toml"
    if not NAME.fullmatch(name) or not path.is_file():
        hint = choose(name, names())
        raise StudyInvalid(f"there is no study {name!r} in {paths.studies()}; {hint}")
    study = own_file.read(path, Study, StudyFileInvalid, "Correct it", _toml)
    if study is None:
        raise StudyInvalid(f"{path}: removed in the meantime")
    _check(study, path)
    try:
        study = replace(
            study,
            variants=[replace(v, platform=str(oci.parse(v.platform))) for v in study.variants],
            bases=[replace(b, platform=str(oci.parse(b.platform))) for b in study.bases],
        )
    except ValueError as error:
        raise StudyInvalid(f"{path}: {error}") from error
    for language, translation in study.translated.items():
        _check_translation(study, language, translation, path)
    return replace(study, name=name).spoken()


def _toml(content: bytes, type: type[Study]) -> Study:
    """Return a study from TOML that takes no long time to read. Raises `ValueError`."""
    if len(content) > _MOST_TOML_BYTES:
        raise ValueError(f"more than {_MOST_TOML_BYTES:,} bytes")
    if max(line.count(b".") for line in content.split(b"\n")) > _MOST_DOTS:
        raise ValueError(f"a line with more than {_MOST_DOTS} dots")
    return msgspec.toml.decode(content, type=type)


def _check(study: Study, path: Path) -> None:
    """Raise `StudyInvalid` if a study has no variants, or one that is named or made wrongly."""
    variants = study.names()
    if not variants:
        raise StudyInvalid(f"{path}: no variants; add at least one [[variants]]")
    if bad := [name for name in variants if not NAME.fullmatch(name)]:
        raise StudyInvalid(
            f"{path}: variant {bad[0][:_SHOWN]!r}: use letters, digits, '.', '_' and '-'"
        )
    if taken := [*RESERVED & set(map(str.casefold, variants))]:
        raise StudyInvalid(f"{path}: the variant name {taken.pop()!r} is reserved; choose another")
    if len(set(map(str.casefold, variants))) < len(variants):
        raise StudyInvalid(f"{path}: two variants have the same name; rename one")
    if study.baseline and study.baseline not in variants:
        raise StudyInvalid(
            f"{path}: baseline {study.baseline[:_SHOWN]!r} is not one of its variants"
        )
    for variant in study.variants:
        sources = [kind for kind in KINDS if getattr(variant, kind)]
        if len(sources) != 1:
            raise StudyInvalid(
                f"{path}: variant {variant.name!r} has {' and '.join(sources) or 'no source'}; "
                f"it needs exactly one of {', '.join(KINDS)}"
            )
        if not 0 <= variant.port < 2**16:
            raise StudyInvalid(f"{path}: variant {variant.name!r}: port must be 0 to 65535")
    recipes = [*study.bases, *(variant.recipe for variant in study.variants)]
    places = [*study.vex, *(text for each in recipes for text in (each.dockerfile, each.context))]
    places += [text for each in study.variants for text in (each.name, each.source, each.grype)]
    if any("\0" in place for place in places):
        raise StudyInvalid(f"{path}: path contains a NUL character")


def _check_translation(study: Study, language: str, translation: Translation, path: Path) -> None:
    """Raise `StudyInvalid` for an unknown language, variant or event, or too few texts."""
    where = f"{path}: [translated.{escape.short(language, _SHOWN)}]"
    languages = [known for known in i18n.known() if known != i18n.ENGLISH]
    if language not in languages:
        raise StudyInvalid(f"{where}: unknown language; choose {' or '.join(languages)}")
    if translation.not_shown and len(translation.not_shown) != len(study.not_shown):
        raise StudyInvalid(
            f"{where}: not_shown has {len(translation.not_shown)} texts, but the study has "
            f"{len(study.not_shown)}; translate each, in the same order"
        )
    for kind, translated, known in (
        ("variant", translation.variants, study.names()),
        ("event", translation.events, list(study.events)),
    ):
        if unknown := [name for name in translated if name not in known]:
            raise StudyInvalid(f"{where}: the study has no {kind} {unknown[0][:_SHOWN]!r}")
