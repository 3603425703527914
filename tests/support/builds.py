"""Builds of Dockerfiles that tests write."""

import io
import tarfile
from pathlib import Path

from helpers.building.build import build
from helpers.containers.daemon import Daemon
from helpers.studies.study import Recipe
from tests.support.studies import dockerfile


class Builder:
    """Builds the text of a Dockerfile."""

    def __init__(self, daemon: Daemon, folder: Path) -> None:
        self.daemon, self.folder = daemon, folder
        self.secrets: set[str] = set()

    def __call__(self, text: str, on_step=lambda step: None, **options: object) -> dict:
        """Build, and return the image as the daemon has it."""
        path = self.folder / "context" / "Dockerfile"
        dockerfile(path, "")
        path.write_bytes(text.encode())
        recipe = Recipe(str(path), **options)
        log = self.folder / "build.log"
        image = build(self.daemon, recipe, "kit-tests:build", log, on_step, self.secrets)
        return self.daemon.find(image) or {}

    def file(self, image: dict, path: str) -> str:
        """Return the content of a file in an image."""
        content = io.BytesIO(b"".join(self.daemon.export(image["Id"])))
        with tarfile.open(fileobj=content) as tar:
            file = tar.extractfile(path)
            assert file is not None
            return file.read().decode()

    @property
    def log(self) -> str:
        return (self.folder / "build.log").read_text()
