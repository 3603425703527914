"""A study: its question, its variants, its captures and the numbers that others published."""

import difflib
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from helpers import paths
from helpers.errors import StudyInvalid

CAPTURE_NAME = re.compile(r"\d{4}-\d{2}(-\d{2})?([.-][A-Za-z0-9]+)*")
"""A capture is named by its date, and by more where a day or month has several."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Variant(Struct, forbid_unknown_fields=True, frozen=True):
    """One image of a study and where its evidence comes from."""

    name: str
    about: str
    sbom: str
    base: str = ""
    role: str = ""

    @property
    def kind(self) -> str:
        """Return the kind of its source."""
        return "sbom"


class Database(Struct, frozen=True):
    """The vulnerability DB of a capture."""

    version: int | None = None
    updated_at: datetime | None = None
    sha256: str = ""
    coverage: str = ""


class Facts(Struct, frozen=True):
    """What a `capture.json` says: how, with what and when a capture was made."""

    study: str
    capture: str
    captured_at: datetime
    kit_version: str
    scanner: str
    scanner_version: str
    db: Database
    command: list[str]
    variants: dict[str, dict[str, Any]]


class Study(Struct, forbid_unknown_fields=True, frozen=True):
    """What a `study.toml` says. `name` is that of its folder."""

    title: str
    question: str
    about: str
    variants: list[Variant]
    default_capture: str = ""
    baseline: str = ""
    not_shown: list[str] = field(default_factory=list)
    name: str = ""

    def captures(self) -> list[str]:
        """Return the names of the study's captures; they begin with a date, so oldest first."""
        folder = paths.study(self.name)
        named = [path.parent.name for path in folder.glob("*/capture.json")]
        return sorted(name for name in named if CAPTURE_NAME.fullmatch(name))

    def facts(self, capture: str = "") -> Facts:
        """Return what is recorded of a capture; empty is the default one."""
        found = self.captures()
        if not found:
            raise StudyInvalid(
                f"study {self.name!r} has no capture yet: nothing was recorded of it"
            )
        wanted = capture or self.default_capture or found[-1]
        if wanted not in found:
            raise StudyInvalid(
                f"study {self.name!r} has no capture {wanted!r}; it has {', '.join(found)}"
            )
        path = paths.capture(self.name, wanted) / "capture.json"
        try:
            facts = msgspec.json.decode(path.read_bytes(), type=Facts)
        except msgspec.MsgspecError as error:
            raise StudyInvalid(f"{path}: {error}. Make the capture again") from error
        if (facts.study, facts.capture) != (self.name, wanted):
            raise StudyInvalid(
                f"{path} is of capture {facts.capture!r} of study {facts.study!r}: "
                "a capture keeps the name that it was made under"
            )
        return facts

    def names(self) -> list[str]:
        """Return the names of its variants."""
        return [variant.name for variant in self.variants]

    def by_role(self, role: str) -> str | None:
        """Return the name of the variant that plays a role in the blog's claims, or `None`."""
        return next((variant.name for variant in self.variants if variant.role == role), None)

    def published(self) -> Path:
        """Return the table of published numbers, which may not exist."""
        return paths.study(self.name) / "published.csv"


def names() -> list[str]:
    """Return the names of all studies."""
    return sorted(path.parent.name for path in paths.studies().glob("*/study.toml"))


def open_study(name: str) -> Study:
    """Return the study of that name. Raises `StudyInvalid` if there is none or it is malformed."""
    path = paths.study(name) / "study.toml"
    if not _NAME.fullmatch(name) or not path.is_file():
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names()) or 'none'}"
        raise StudyInvalid(f"there is no study {name!r} in {paths.studies()}; {hint}")
    try:
        study = msgspec.toml.decode(path.read_bytes(), type=Study)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StudyInvalid(f"{path}: {error}") from error
    _check(study, path)
    return msgspec.structs.replace(study, name=name)


def _check(study: Study, path: Path) -> None:
    """Raise `StudyInvalid` if variants are none, named alike or named so that no folder can be."""
    found = study.names()
    if not found:
        raise StudyInvalid(f"{path}: a study needs at least one [[variants]]")
    if bad := [name for name in found if not _NAME.fullmatch(name)]:
        raise StudyInvalid(f"{path}: variant {bad[0]!r}: use letters, digits, '.', '_' and '-'")
    if len(set(found)) < len(found):
        raise StudyInvalid(f"{path}: two variants have the same name")
    if study.baseline and study.baseline not in found:
        raise StudyInvalid(f"{path}: baseline {study.baseline!r} is not one of its variants")
