"""Builds a recipe with BuildKit, on bases that the daemon has."""

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from helpers.capture import buildx
from helpers.capture.build_values import Values, triggers
from helpers.capture.buildkit_log import BuildKitLog
from helpers.capture.daemon import Daemon, is_for
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


def log(daemon: Daemon, recipe: Recipe, stages: Sequence[Stage]) -> BuildKitLog:
    """Pull the images that stages begin with; return a log that knows all values of a build.

    BuildKit could pull them, but would keep them to itself: then nobody knew an image's base, nor
    the values in its environment.
    """
    filled = dockerfile.automatic(daemon.platform, recipe.platform)
    values = Values({**daemon.proxies(), **recipe.build_args}, filled)
    found = []
    for image, platform in dockerfile.bases(stages).items():
        if image in ("", "scratch"):
            continue
        wanted = platform or filled["TARGETPLATFORM"]
        base = daemon.find(image)
        if base is None or not is_for(base, wanted):
            # What cannot be pulled is not needed, or BuildKit says why it cannot.
            with contextlib.suppress(ImageNotFound, DaemonUnavailable):
                base = daemon.pull(image, wanted)
        values.learn_image(base)
        found += triggers(base)
    for stage in stages:
        found += stage.instructions
    for instruction in found:
        values.learn_instruction(instruction)
    return BuildKitLog(values, found)


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
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if not dockerfile.frontend(text, engine):
            if named := instructions.directives(text).get("syntax"):
                add(f"#0 The frontend in Docker {engine} is used, no image {named}")
            text = instructions.without_directive(text, "syntax")
        copy = scratch / path.name
        copy.write_text(text, encoding="utf-8")
        ignored = path.with_name(f"{path.name}.dockerignore")
        if ignored.is_file():
            (scratch / ignored.name).write_bytes(ignored.read_bytes())
        facts = scratch / "facts.json"
        arguments = ["--file", str(copy), "--tag", tag, "--metadata-file", str(facts)]
        if recipe.target:
            arguments += ["--target", recipe.target]
        if recipe.platform:
            arguments += ["--platform", recipe.platform]
        for name, value in recipe.build_args.items():
            arguments += ["--build-arg", f"{name}={value}"]
        if buildx.build([*arguments, str(context)], daemon.socket, scratch, add):
            return ""
        return str(msgspec.json.decode(facts.read_bytes())["containerimage.digest"])
