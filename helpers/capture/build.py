"""Builds a variant's image from its Dockerfile, and keeps what the builder said."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock

from helpers import paths
from helpers.capture.build_log import BuildLog, Step
from helpers.capture.daemon import Daemon
from helpers.errors import BuildFailed, KitError
from helpers.images.dockerfile import final_base, first_base, needs_buildkit
from helpers.images.dockerfile import images as images_of
from helpers.studies.study import Base, Recipe, Variant
from helpers.text import escape

_LAST_LINES = 6

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What terminals take for colours and the like."""


class Turns:
    """Whose turn it is to build, of recipes that begin alike.

    Each finds in the builder's cache what it has in common with those before it; side by side all
    of them would do that work. Recipes that begin otherwise need not wait.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._of: defaultdict[tuple[Path, str], Lock] = defaultdict(Lock)

    def of(self, recipe: Recipe) -> Lock:
        """Return what is held while building; its context and first base are what is alike.

        Raises `BuildFailed` if the Dockerfile or its context is not there.
        """
        dockerfile, context = _files(recipe)
        first = first_base(_text(dockerfile), recipe.build_args)
        with self._lock:
            return self._of[context, first]


def base(recipe: Recipe) -> str:
    """Return what a recipe's image is built on, as its Dockerfile names it."""
    dockerfile, _ = _files(recipe)
    return final_base(_text(dockerfile), recipe.target, recipe.build_args)


def images(recipe: Recipe) -> set[str]:
    """Return the images that a recipe needs, as its Dockerfile names them."""
    dockerfile, _ = _files(recipe)
    return images_of(_text(dockerfile), recipe.target, recipe.build_args)


def build(
    daemon: Daemon,
    recipe: Recipe,
    tag: str,
    log: Path,
    on_step: Callable[[Step], None] = lambda step: None,
    secrets: set[str] | None = None,
) -> str:
    """Build a recipe with the classic builder, tag the image and return its id.

    What the builder says is written to `log`, without values of environment variables and build
    arguments; to `secrets` those are added. Raises `BuildFailed`, which names the step and has its
    last lines.
    """
    dockerfile, context = _files(recipe)
    shown = recipe.dockerfile
    if needs := needs_buildkit(_text(dockerfile), recipe.build_args):
        raise BuildFailed(
            f"{shown} has {needs}, which only BuildKit understands, and images are built through "
            "the API's classic builder here. Build it yourself (docker buildx build --load --tag "
            'NAME .) and make the variant\'s source image = "NAME"'
        )
    said, image = BuildLog(daemon, recipe.build_args), ""
    options = {
        "buildargs": recipe.build_args,
        "target": recipe.target or None,
        "platform": recipe.platform or None,
    }
    try:
        for event in daemon.build(context, dockerfile, tag, **options):
            image = event.get("aux", {}).get("ID", image)
            for line in _lines(event):
                if said.add(line):
                    on_step(said.step)
            if "error" in event:
                raise BuildFailed(_failed(shown, said))
    finally:
        log.write_text("".join(f"{line}\n" for line in said.lines()))
        if secrets is not None:
            secrets |= said.secrets
    if not image:
        raise BuildFailed(
            f"{shown}: the builder ended without an image; its last step was {said.step}"
        )
    return str(image)


def _files(recipe: Recipe) -> tuple[Path, Path]:
    """Return the Dockerfile and the context folder of a recipe, which are there."""
    dockerfile = (paths.dockerfiles() / recipe.dockerfile).resolve()
    context = (paths.dockerfiles() / (recipe.context or dockerfile.parent)).resolve()
    if not dockerfile.is_file():
        raise BuildFailed(
            f"{recipe.dockerfile}: no such Dockerfile; a path is from the folder dockerfiles/"
        )
    if not context.is_dir():
        raise BuildFailed(f"{recipe.dockerfile}: its context {recipe.context!r} is no folder")
    return dockerfile, context


def _text(dockerfile: Path) -> str:
    """Return a Dockerfile's text as Docker sees it: all lines end alike, no byte order mark."""
    return dockerfile.read_text(encoding="utf-8-sig", errors="replace")


def _lines(event: dict[str, object]) -> list[str]:
    """Return what an event says, as lines; progress of downloads is not kept."""
    if "progress" in event or event.get("status") in ("Waiting", "Pulling fs layer"):
        return []
    text = str(event.get("stream") or event.get("error") or event.get("status") or "")
    lines = _COLOURS.sub("", text).replace("\r", "\n").split("\n")
    return [escape.plain(line) for line in lines if line.strip()]


def _failed(shown: str, said: BuildLog) -> str:
    step, last = said.step, said.last()[-_LAST_LINES:]
    where = f"step {step.number}/{step.of} failed: {step.instruction}"
    remedy = "Mend that step"
    if step.instruction.upper().startswith("FROM"):
        remedy = "Is the base image's name right, and can its registry be reached?"
    elif any("certificate" in line.lower() for line in last):
        remedy = "Behind a proxy with certificates of its own, the base image needs them"
    return "\n".join([f"{shown}: {where}", *(f"  {line}" for line in last), remedy])


pass


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
            check(images(base), reasons)
            with watched(base.tag) as on_step:
                build(daemon, base, base.tag, own, on_step)
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
    return images(variant.recipe) if variant.kind == "dockerfile" else set()


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
