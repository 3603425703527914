"""Builds images from Dockerfiles with Docker's classic builder, and keeps the builder's output."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock

from tqdm import tqdm

from helpers import paths
from helpers.capture import progress
from helpers.capture.build_log import BuildLog, Step
from helpers.capture.daemon import Daemon
from helpers.errors import BuildFailed, KitError
from helpers.images import dockerfile
from helpers.studies.study import Base, Recipe
from helpers.text import escape

_LAST_LINES = 6

_ESCAPE_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""Colours and other sequences for terminals."""


class BuildLocks:
    """One lock for all recipes that start alike: same context, same first base.

    Builds that take turns find their common steps in the builder's cache. Builds side by side would
    repeat them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: defaultdict[tuple[Path, str], Lock] = defaultdict(Lock)

    def lock(self, recipe: Recipe) -> Lock:
        """Return the lock to hold during a build. Raises `BuildFailed` for a missing file."""
        path, context = _files(recipe)
        first = dockerfile.first_base(_read(path), recipe.build_args)
        with self._lock:
            return self._locks[context, first]


def base(recipe: Recipe) -> str:
    """Return the base of a recipe's image, as named in its Dockerfile."""
    return dockerfile.final_base(_read(_files(recipe)[0]), recipe.target, recipe.build_args)


def images(recipe: Recipe) -> set[str]:
    """Return the images that a recipe needs, as named in its Dockerfile."""
    return dockerfile.images(_read(_files(recipe)[0]), recipe.target, recipe.build_args)


def build(
    daemon: Daemon,
    recipe: Recipe,
    tag: str,
    log: Path,
    on_step: Callable[[Step], None] = lambda step: None,
    secrets: set[str] | None = None,
) -> str:
    """Build a recipe, tag the image and return its id.

    The builder's output is written to `log` without the values of environment variables and build
    arguments; those values are added to `secrets`. Raises `BuildFailed` with the step and its last
    lines.
    """
    path, context = _files(recipe)
    if feature := dockerfile.needs_buildkit(_read(path), recipe.build_args):
        raise BuildFailed(
            f"{recipe.dockerfile} has {feature}, which only BuildKit understands; the kit uses "
            "Docker's classic builder. Build it yourself (docker buildx build --load --tag NAME .) "
            'and make the variant\'s source image = "NAME"'
        )
    output, image = BuildLog(daemon, recipe.build_args), ""
    options = {
        "buildargs": recipe.build_args,
        "target": recipe.target or None,
        "platform": recipe.platform or None,
    }
    try:
        for event in daemon.build(context, path, tag, **options):
            image = event.get("aux", {}).get("ID", image)
            for line in _lines(event):
                if output.add(line):
                    on_step(output.step)
            if "error" in event:
                raise BuildFailed(_failure(recipe.dockerfile, output))
    finally:
        log.write_text("".join(f"{line}\n" for line in output.lines()))
        if secrets is not None:
            secrets |= output.secrets
    if not image:
        raise BuildFailed(
            f"{recipe.dockerfile}: the builder ended without an image after "
            f"{output.step.instruction}"
        )
    return str(image)


def show_steps(bar: tqdm, name: str) -> Callable[[Step], None]:
    """Return a function that shows the steps of a build on a progress bar, before its own steps."""
    steps_after = bar.total

    def show(step: Step) -> None:
        bar.total = step.total + steps_after
        bar.set_description_str(f"{name}: {step.instruction}")
        bar.update(step.number - bar.n)

    return show


def build_bases(daemon: Daemon, bases: Sequence[Base], log: Path) -> dict[str, str]:
    """Build bases in their order; return the reasons of those that failed, by full tag.

    A base on a failed base fails too: an older image of that name is not what the study means. The
    builder's output is written to `log`.
    """
    failures: dict[str, str] = {}
    logs = []
    for base in bases:
        part = log.with_suffix(".part")
        try:
            check_bases(images(base), failures)
            with progress.bar(base.tag, 1) as bar:
                build(daemon, base, base.tag, part, show_steps(bar, base.tag))
        except KitError as error:
            failures[_full_tag(base.tag)] = str(error)
        if part.exists():
            logs.append(f"# {base.tag}\n{part.read_text()}")
            part.unlink()
    if logs:
        log.write_text("\n".join(logs))
    return failures


def check_bases(images: Iterable[str], failures: Mapping[str, str]) -> None:
    """Raise `BuildFailed` if one of these images is a base that could not be built."""
    for image in sorted(images):
        if reason := base_failure(image, failures):
            raise BuildFailed(f"its base {image} could not be built: {reason}")


def base_failure(image: str, failures: Mapping[str, str]) -> str:
    """Return why a base could not be built; empty if it was built, or is no base of the study."""
    return failures.get(_full_tag(image), "")


def is_base(image: str, bases: Iterable[Base]) -> bool:
    """Return whether an image is one of the bases that a study builds."""
    return _full_tag(image) in {_full_tag(base.tag) for base in bases}


def _full_tag(reference: str) -> str:
    """Return a reference without Docker Hub's prefixes, and with its tag.

    >>> _full_tag("docker.io/library/node")
    'node:latest'
    """
    reference = re.sub(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?", "", reference)
    return reference if ":" in reference.rpartition("/")[2] else f"{reference}:latest"


def _files(recipe: Recipe) -> tuple[Path, Path]:
    """Return the Dockerfile and the context folder of a recipe. Raises `BuildFailed`."""
    path = (paths.dockerfiles() / recipe.dockerfile).resolve()
    context = (paths.dockerfiles() / (recipe.context or path.parent)).resolve()
    if not path.is_file():
        raise BuildFailed(
            f"{recipe.dockerfile}: no such Dockerfile; paths start at the folder dockerfiles/"
        )
    if not context.is_dir():
        raise BuildFailed(f"{recipe.dockerfile}: its context {recipe.context!r} is not a folder")
    return path, context


def _read(path: Path) -> str:
    """Return a Dockerfile's text as Docker reads it: uniform line ends, no byte order mark."""
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _lines(event: dict[str, object]) -> list[str]:
    """Return the lines of a build event, without the progress of downloads."""
    if "progress" in event or event.get("status") in ("Waiting", "Pulling fs layer"):
        return []
    text = str(event.get("stream") or event.get("error") or event.get("status") or "")
    lines = _ESCAPE_SEQUENCES.sub("", text).replace("\r", "\n").split("\n")
    return [escape.plain(line) for line in lines if line.strip()]


def _failure(name: str, output: BuildLog) -> str:
    step, last = output.step, output.last()[-_LAST_LINES:]
    remedy = "Fix that step"
    if step.instruction.upper().startswith("FROM"):
        remedy = "Is the base image's name right, and can its registry be reached?"
    elif any("certificate" in line.lower() for line in last):
        remedy = "Behind a TLS proxy, the base image needs the proxy's certificates"
    head = f"{name}: step {step.number}/{step.total} failed: {step.instruction}"
    return "\n".join([head, *(f"  {line}" for line in last), remedy])
