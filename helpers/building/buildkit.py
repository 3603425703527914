"""Builds a recipe with BuildKit, on bases that the daemon has."""

import contextlib
import shutil
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import msgspec

from helpers import whole
from helpers.building import buildx
from helpers.building.build_values import Values, triggers
from helpers.building.buildkit_log import BuildKitLog
from helpers.containers.daemon import Daemon, is_for
from helpers.errors import BuildFailed, DaemonUnavailable, ImageNotFound
from helpers.images import dockerfile, instructions
from helpers.images.dockerfile import Stage
from helpers.studies.study import Recipe


def check(name: str, text: str, feature: str) -> None:
    """Raise `BuildFailed` if a Dockerfile cannot be built: there is no buildx, or no secret."""
    if not buildx.version():
        raise BuildFailed(
            f"{name} has {feature}, which only BuildKit understands, and there is no docker "
            f"buildx here. {buildx.INSTALL}"
        )
    if mount := dockerfile.required_secret(text):
        raise BuildFailed(
            f"{name} has RUN {mount}, and the kit gives builds no secrets. Build it yourself "
            "(docker buildx build --load --tag NAME .) and make its variant's source "
            'image = "NAME"'
        )


def log(daemon: Daemon, recipe: Recipe, text: str, stages: Sequence[Stage]) -> BuildKitLog:
    """Pull the images that stages begin with; return a log that knows all values of a build.

    BuildKit could pull them, but would keep them to itself: then nobody knew an image's base, nor
    the values in its environment.
    """
    filled = dockerfile.automatic(daemon.platform, recipe.platform)
    images = {
        image: _on_daemon(daemon, image, platform or filled["TARGETPLATFORM"])
        for image, platform in dockerfile.bases(stages).items()
        if image not in ("", "scratch")
    }
    values = Values({**daemon.proxies(), **recipe.build_args}, filled)
    for instruction in takewhile(lambda one: one.word != "FROM", instructions.read(text)):
        values.learn_instruction(instruction)
    values.keep_as_defaults()
    known: dict[str, dict[str, str]] = {}
    found = []
    for stage in stages:
        values.begin_stage(known.get(stage.image.lower(), {}))
        base = images.get(stage.image)
        values.learn_image(base)
        for instruction in stage.instructions:
            values.learn_instruction(instruction)
        known[stage.name.lower()] = values.known()
        found += [*triggers(base), *stage.instructions]
    return BuildKitLog(values, found)


def _on_daemon(daemon: Daemon, image: str, platform: str) -> dict[str, Any] | None:
    """Return what the daemon says of an image for a platform, which is pulled if it has none."""
    base = daemon.find(image)
    if base is None or not is_for(base, platform):
        # What cannot be pulled is not needed, or BuildKit says why it cannot.
        with contextlib.suppress(ImageNotFound, DaemonUnavailable):
            return daemon.pull(image, platform)
    return base


def build(
    daemon: Daemon,
    recipe: Recipe,
    path: Path,
    context: Path,
    text: str,
    tag: str,
    add: Callable[[str], None],
) -> str:
    """Build the `text` of a Dockerfile at a path; return the image's id, nothing if it failed.

    Each line of the output goes to `add`. Without a frontend that only a registry has, the line
    `# syntax=` is left out, so that the frontend in the engine is used.
    """
    engine = daemon.engine()["engine"]
    with whole.temporary_folder("build") as folder:
        scratch = Path(folder)
        named = instructions.directives(text).get("syntax")
        if named and not dockerfile.frontend(text, engine):
            add(f"#0 The frontend in Docker {engine} is used, no image {named}")
            path = _without_syntax(path, text, scratch)
        facts = scratch / "facts.json"
        arguments = ["--file", str(path), "--tag", tag, "--metadata-file", str(facts)]
        if recipe.target:
            arguments += ["--target", recipe.target]
        if recipe.platform:
            arguments += ["--platform", recipe.platform]
        for name, value in recipe.build_args.items():
            arguments += ["--build-arg", f"{name}={value}"]
        if buildx.build([*arguments, str(context)], daemon.socket, scratch, add):
            return ""
        return str(msgspec.json.decode(facts.read_bytes())["containerimage.digest"])


def _without_syntax(path: Path, text: str, folder: Path) -> Path:
    """Return a copy of a Dockerfile without the line `# syntax=`, beside its own ignore file."""
    copy = folder / path.name
    copy.write_text(instructions.without_directive(text, "syntax"), encoding="utf-8")
    ignored = path.with_name(f"{path.name}.dockerignore")
    if ignored.is_file():
        shutil.copy(ignored, folder)
    return copy
