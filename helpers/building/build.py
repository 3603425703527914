"""Builds images from Dockerfiles with one of Docker's builders, and keeps the builder's output."""

import contextlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from tqdm import tqdm

from helpers import paths, progress
from helpers.building import buildkit, buildx, classic
from helpers.building.build_log import Log, Step
from helpers.building.build_values import Values
from helpers.containers.daemon import CANNOT_RUN, Daemon, is_for, platform_of
from helpers.errors import BuildFailed, DaemonUnavailable, ImageNotFound, KitError
from helpers.images import dockerfile
from helpers.images.dockerfile import Stage
from helpers.studies.study import BUILDKIT, CLASSIC, Base, Recipe

_LAST_LINES = 6


class BuildLocks:
    """One lock for all recipes that start alike: same context, same first base.

    Builds that take turns find their common steps in the builder's cache. Builds side by side would
    repeat them. The two builders share no cache.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: defaultdict[tuple[Path, str], Lock] = defaultdict(Lock)

    def lock(self, recipe: Recipe) -> Lock:
        """Return the lock to hold during a build. Raises `BuildFailed` for a missing file."""
        path, context = _files(recipe)
        stages = dockerfile.stages(_read(path), "", recipe.build_args)
        with self._lock:
            return self._locks[context, stages[0].image if stages else ""]


def builder(recipe: Recipe) -> str:
    """Return what builds a recipe: the classic builder, or BuildKit if only that understands it.

    Raises `BuildFailed` for a missing file.
    """
    text = _read(_files(recipe)[0])
    return BUILDKIT if dockerfile.needs_buildkit(text, recipe.build_args) else CLASSIC


def described(daemon: Daemon, recipes: Iterable[Recipe]) -> dict[str, str]:
    """Return what builds recipes: builders, versions of engine, API and buildx, store, platform."""
    builders = set()
    for recipe in recipes:
        # One without its files fails when it is built.
        with contextlib.suppress(BuildFailed):
            builders.add(builder(recipe))
    version = buildx.version() if BUILDKIT in builders else ""
    names = {"builder": " and ".join(sorted(builders, reverse=True)), "buildx": version}
    return {**daemon.engine(), **{key: name for key, name in names.items() if name}}


def base(recipe: Recipe, machine: str) -> str:
    """Return the base of a recipe's image on a machine (a platform), as its Dockerfile names it."""
    return dockerfile.final_base(dockerfile.stages(*_read_for(recipe, machine)))


def images(recipe: Recipe, machine: str) -> set[str]:
    """Return the images that a recipe needs on a machine (a platform), as its Dockerfile says."""
    return dockerfile.images(dockerfile.stages(*_read_for(recipe, machine)))


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
    text, _, _, filled = read = _read_for(recipe, daemon.platform)
    if feature := dockerfile.needs_buildkit(text, recipe.build_args):
        buildkit.check(recipe.dockerfile, text, feature)
    stages = dockerfile.stages(*read)
    values = Values({**daemon.proxies(), **recipe.build_args}, filled)
    steps = values.learn(text, stages, _bases(daemon, recipe, stages, filled))
    output = Log(values)
    if feature:
        lines = buildkit.build(daemon, recipe, path, context, tag, steps)
    else:
        lines = classic.build(daemon, recipe, path, context, tag)
    try:
        with contextlib.closing(lines):
            for line in lines:
                if output.add(line):
                    on_step(output.step)
        if not output.image:
            raise BuildFailed(_failure(daemon, recipe, output))
        values.learn_image(daemon.find(output.image))
    finally:
        log.write_text("".join(f"{line}\n" for line in output.lines()))
        if secrets is not None:
            secrets |= values.secrets
    return output.image


def _bases(
    daemon: Daemon, recipe: Recipe, stages: Sequence[Stage], filled: Mapping[str, str]
) -> dict[str, dict[str, Any] | None]:
    """Return the images that stages begin with, which are pulled if the daemon has none.

    A builder could pull them. But then their values were not known before it prints them, and
    BuildKit would keep the images to itself: nobody knew an image's base.
    """
    found: dict[str, dict[str, Any] | None] = {}
    for image, named in dockerfile.bases(stages).items():
        if image in ("", "scratch"):
            continue
        platform = named or recipe.platform or filled.get("TARGETPLATFORM", "")
        base = found[image] = daemon.find(image)
        if base is None or not is_for(base, platform):
            # What cannot be pulled is not needed, or the builder says why it cannot.
            with contextlib.suppress(ImageNotFound, DaemonUnavailable):
                found[image] = daemon.pull(image, platform)
    return found


@contextlib.contextmanager
def replacing(daemon: Daemon, tag: str, is_only_one: Callable[[], bool]) -> Iterator[None]:
    """Let a build take the name of an image, and remove that one, unless it has other names.

    Meanwhile it has a name of its own, by which a later run finds it if this one is killed, or if
    another one may still read it (`is_only_one`).
    """
    aside = f"{_full_tag(tag)}.before-"
    if replaced := daemon.find(tag):
        # Without that name the image stays, and everything works.
        with contextlib.suppress(KitError):
            daemon.add_name(replaced["Id"], f"{aside}{replaced['Id'].rpartition(':')[2][:12]}")
    try:
        yield
    finally:
        if is_only_one():
            with contextlib.suppress(KitError):
                daemon.remove_names(aside)


def show_steps(bar: tqdm, name: str) -> Callable[[Step], None]:
    """Return a function that shows the steps of a build on a progress bar, before its own steps."""
    steps_after = bar.total

    def show(step: Step) -> None:
        bar.total = step.total + steps_after
        bar.set_description_str(f"{name}: {step.instruction}")
        bar.update(step.number - bar.n)

    return show


def build_bases(
    daemon: Daemon, bases: Sequence[Base], log: Path, is_only_one: Callable[[], bool]
) -> dict[str, str]:
    """Build bases in their order; return the reasons of those that failed, by full tag.

    A base on a failed base fails too: an older image of that name is not what the study means. The
    builder's output is written to `log`. `is_only_one` is as in `replacing`.
    """
    failures: dict[str, str] = {}
    logs = []
    for base in bases:
        part = log.with_suffix(".part")
        try:
            check_bases(images(base, daemon.platform), failures)
            with progress.bar(base.tag, 1) as bar, replacing(daemon, base.tag, is_only_one):
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
            f"{recipe.dockerfile}: no such Dockerfile; paths are relative to dockerfiles/"
        )
    if not context.is_dir():
        raise BuildFailed(f"{recipe.dockerfile}: its context {recipe.context!r} is not a folder")
    return path, context


def _read(path: Path) -> str:
    """Return a Dockerfile's text as Docker reads it: uniform line ends, no byte order mark."""
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _read_for(recipe: Recipe, machine: str) -> tuple[str, str, dict[str, str], dict[str, str]]:
    """Return the text, target and arguments of a recipe, given and filled in on a machine."""
    filled: dict[str, str] = {}
    if builder(recipe) == BUILDKIT:
        filled = dockerfile.automatic(machine, recipe.platform)
    return _read(_files(recipe)[0]), recipe.target, recipe.build_args, filled


def _failure(daemon: Daemon, recipe: Recipe, output: Log) -> str:
    what, last = output.failure()
    last = last[-_LAST_LINES:]
    remedy = "Fix that step"
    foreign = _foreign(daemon, recipe)
    if foreign and any(CANNOT_RUN in line for line in last):
        remedy = (
            f"This machine ({daemon.platform}) cannot run {foreign}. Emulate it: docker run "
            f"--privileged --rm tonistiigi/binfmt --install {foreign.split('/')[1]} (Debian: sudo "
            "apt install qemu-user-static binfmt-support)"
        )
    elif "config for docker-image://" in what:
        remedy = (
            "The frontend of its `# syntax=` line cannot be pulled. Check the network, or use "
            "docker/dockerfile:1, which needs none"
        )
    elif re.search(r"failed: FROM|load metadata for", what, re.IGNORECASE):
        remedy = "Check the base image's name and the network"
        if recipe.platform:
            remedy += f"; the image must exist for {recipe.platform}"
    elif any("certificate" in line.lower() for line in last):
        remedy = "Behind a TLS proxy, add the proxy's certificates to the base image"
    return "\n".join([f"{recipe.dockerfile}: {what}", *(f"  {line}" for line in last), remedy])


def _foreign(daemon: Daemon, recipe: Recipe) -> str:
    """Return the platform of a recipe, or of what it is built on, that is not the daemon's."""
    found = filter(None, map(daemon.find, filter(None, images(recipe, daemon.platform))))
    platforms = [recipe.platform or daemon.platform, *map(platform_of, found)]
    return next((p for p in platforms if not p.startswith(daemon.platform)), "")
