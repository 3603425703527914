"""Bases made from packages, as stand-ins for images of registries.

`python -m tests.support.standins` builds them, so that tests need not wait.
"""

import tempfile
import tomllib
from pathlib import Path

import msgspec

from helpers.building.build import build
from helpers.containers.daemon import Daemon, connect
from helpers.studies.study import Base


def made(daemon: Daemon) -> list[str]:
    """Build those that are not in the builder's cache, from `debian:trixie`; return their names."""
    text = (Path(__file__).parents[1] / "standins.toml").read_text()
    bases = msgspec.convert(tomllib.loads(text)["bases"], list[Base])
    with tempfile.TemporaryDirectory() as folder:
        for base in bases:
            build(daemon, base, base.tag, Path(folder) / "build.log")
    return [base.tag for base in bases]


if __name__ == "__main__":
    made(connect())
