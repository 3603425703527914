"""Builds a recipe with the daemon's classic builder."""

import re
from collections.abc import Generator
from pathlib import Path

from helpers.building.build_log import ERROR, IMAGE, STEP, TEXT, Line
from helpers.containers.daemon import Daemon
from helpers.studies.study import Recipe

_STEP = re.compile(r"Step (?P<number>\d+)/(?P<total>\d+) : (?P<text>.*)")
_ABOUT_IMAGES = " ---> "
"""Start of a line about what a step starts from or makes."""


def build(
    daemon: Daemon, recipe: Recipe, path: Path, context: Path, tag: str
) -> Generator[Line, None, None]:
    """Build the Dockerfile at a path; yield the builder's lines, and the image if it did not fail.

    Lines about the progress of downloads and images in between are left out.
    """
    image = part = ""
    options = {
        "buildargs": recipe.build_args,
        "target": recipe.target or None,
        "platform": recipe.platform or None,
    }
    for event in daemon.build(context, path, tag, **options):
        image = str(event.get("aux", {}).get("ID", image))
        if "progress" in event or event.get("status") in ("Waiting", "Pulling fs layer"):
            continue
        kind = ERROR if "error" in event else TEXT
        text = str(event.get("stream") or event.get("error") or event.get("status") or "")
        for line in text.replace("\r", "\n").split("\n"):
            if step := _STEP.fullmatch(line):
                part = step["number"]
                yield Line(STEP, step["text"], part, f"{part}/{step['total']}")
            elif not line.startswith(_ABOUT_IMAGES):
                yield Line(kind, line, part)
        if kind == ERROR:
            return
    yield Line(IMAGE, image)
