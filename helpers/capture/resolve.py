"""What a variant turns out to be: an image of the daemon, built or pulled, or a file."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from helpers import paths
from helpers.capture import build
from helpers.capture.build_log import Step
from helpers.capture.daemon import Daemon
from helpers.capture.gzip_sizes import Weights
from helpers.capture.trivy_program import Trivy
from helpers.capture.vulndb import VulnDb
from helpers.errors import ImageNotFound, KitError, StudyInvalid
from helpers.images import redact
from helpers.images.archive import open_archive
from helpers.studies.study import Study, Variant


class Tools(NamedTuple):
    """What evidence is made with; `daemon` is the reason where there is none.

    `failed` says of images that the study's variants are built on why they were not built.
    """

    daemon: Daemon | KitError | None
    trivy: Trivy | None
    db: VulnDb | None
    weights: Weights
    turns: build.Turns
    failed: dict[str, str]

    def ask(self) -> Daemon:
        """Return the daemon, or raise why there is none."""
        if isinstance(self.daemon, Daemon):
            return self.daemon
        raise self.daemon or StudyInvalid("no Docker daemon was asked for")


class Subject(NamedTuple):
    """What a variant turned out to be: its digest, and what is known of it so far."""

    identity: str
    reference: str
    path: Path | None = None
    known: dict[str, Any] | None = None
    base: tuple[str, dict[str, Any] | None] = ("", None)
    secrets: tuple[str, ...] = ()
    grype: Path | None = None

    def config(self, name: str) -> dict[str, Any]:
        """Return `ExposedPorts` or `Volumes` as the daemon knows them; empty if it does not."""
        return dict(((self.known or {}).get("Config") or {}).get(name) or {})


def identify(
    study: Study,
    variant: Variant,
    tools: Tools,
    folder: Path,
    on_step: Callable[[Step], None],
) -> Subject:
    """Return what a variant is now; one with a Dockerfile is built, a reference pulled if need be.

    Raises the kit's errors: `BuildFailed`, `ImageNotFound`, `DaemonUnavailable`, `ArchiveInvalid`,
    `StudyInvalid`.
    """
    grype = paths.study(study.name) / variant.grype if variant.grype else None
    if grype and not grype.exists():
        raise StudyInvalid(f"{grype.name}: the Grype report of {variant.name!r} is missing")
    if variant.kind in ("archive", "sbom", "report"):
        path = paths.study(study.name) / variant.source
        if not path.exists():
            raise StudyInvalid(f"{path}: the {variant.kind} of variant {variant.name!r} is missing")
        if variant.kind != "archive":
            return Subject(f"sha256:{_sha256(path)}", path.name, path, grype=grype)
        with open_archive(path) as archive:
            tags = {"RepoTags": list(archive.names)}
            base = _base(variant.base, tools)
            return Subject(archive.image_id, path.name, path, tags, base, grype=grype)
    daemon = tools.ask()
    learned: set[str] = set()
    build.check(build.needs(variant), tools.failed)
    named = variant.base
    if variant.kind == "dockerfile":
        reference = f"base-image-notebooks:{study.name}.{variant.name}"[:128].lower()
        with tools.turns.of(variant.recipe):
            log = folder / paths.LOG
            found = build.build(daemon, variant.recipe, reference, log, on_step, learned)
        named = named or build.base(variant.recipe)
        known = daemon.find(found)
    else:
        reference = variant.image
        known = daemon.find(reference)
        if known is None or not _is_for(known, variant.platform):
            known = daemon.pull(reference, variant.platform)
        if not _is_for(known, variant.platform):
            raise ImageNotFound(f"{reference}: there is none for the platform {variant.platform}")
    assert known is not None
    if not (known.get("RootFS") or {}).get("Layers"):
        raise ImageNotFound(f"{reference}: the image has no layers, so nothing to compare is in it")
    environment = (known.get("Config") or {}).get("Env") or []
    secrets = tuple({*redact.values(environment), *learned})
    base = _base(named, tools)
    return Subject(str(known["Id"]), reference, None, known, base, secrets, grype)


def settings(study: Study, variant: Variant, base: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what changes a variant's evidence besides its image: how it is told, and its base."""
    start = "" if variant.start else "no"
    told = {"base": variant.base, "port": str(variant.port or ""), "start": start}
    if base_id := (base or {}).get("Id"):
        told["base_id"] = str(base_id)
    if variant.grype:
        told["grype"] = _sha256(paths.study(study.name) / variant.grype)
    return told


def _base(name: str, tools: Tools) -> tuple[str, dict[str, Any] | None]:
    """Return a base image's name, and what the daemon knows of it, if it has it."""
    if name == "scratch":
        return name, {"RootFS": {"Layers": []}}
    if build.failed(name, tools.failed):
        return name, None
    return name, tools.daemon.find(name) if name and isinstance(tools.daemon, Daemon) else None


def _is_for(known: dict[str, Any], platform: str) -> bool:
    """Return whether an image of the daemon is for a platform like `linux/arm64/v8`."""
    parts = [known.get("Os", ""), known.get("Architecture", ""), known.get("Variant", "")]
    wanted = platform.split("/") if platform else []
    return all(part == wish for part, wish in zip(parts, wanted, strict=False))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
