"""Builds the images that a study's variants are built on, and knows which of them failed."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from helpers import build
from helpers.buildlog import Step
from helpers.daemon import Daemon
from helpers.errors import BuildFailed, KitError
from helpers.study import Base, Variant


def build_all(
    daemon: Daemon,
    bases: Sequence[Base],
    log: Path,
    watched: Callable[[str], AbstractContextManager[Callable[[Step], None]]],
) -> dict[str, str]:
    """Build bases, one after another; return why those failed that did, by tag.

    One that needs another that failed fails as well: an older image of that name may be there, but
    is not what the study says. What the builder said of all is written to `log`.
    """
    reasons: dict[str, str] = {}
    said = []
    for base in bases:
        own = log.with_suffix(".part")
        try:
            check(build.images(base), reasons)
            with watched(base.tag) as on_step:
                build.build(daemon, base, base.tag, own, on_step)
        except KitError as error:
            reasons[_full(base.tag)] = str(error)
        if own.exists():
            said.append(f"# {base.tag}\n{own.read_text()}")
            own.unlink()
    if said:
        log.write_text("\n".join(said))
    return reasons


def needs(variant: Variant) -> set[str]:
    """Return the images that a variant is, or is built on."""
    if variant.kind == "image":
        return {variant.image}
    return build.images(variant.recipe) if variant.kind == "dockerfile" else set()


def check(images: set[str], reasons: Mapping[str, str]) -> None:
    """Raise `BuildFailed` if one of these images should have been built, and was not."""
    for image in sorted(images):
        if why := failed(image, reasons):
            raise BuildFailed(f"its base {image} could not be built: {why}")


def failed(image: str, reasons: Mapping[str, str]) -> str:
    """Return why an image was not built that should have been; empty if it was, or is none."""
    return reasons.get(_full(image), "")


def _full(reference: str) -> str:
    """Return a reference with the tag that it has if it names none, and without Docker's place."""
    reference = re.sub(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?", "", reference)
    return reference if ":" in reference.rpartition("/")[2] else f"{reference}:latest"
