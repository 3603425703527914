"""Resolve a variant to its current image on the daemon, built or pulled, or to a file."""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from helpers import own_file, paths
from helpers.building import build
from helpers.building.build_log import Step
from helpers.capture import staging
from helpers.capture.gzip_sizes import GzipSizes
from helpers.containers.daemon import Daemon, is_for, platform_of
from helpers.errors import ImageNotFound, KitError, RegistryFailed, StudyInvalid
from helpers.images import oci, redact
from helpers.images.archive import open_archive
from helpers.images.reference import HUB
from helpers.images.reference import parse as parse_reference
from helpers.registry.image_cache import ImageCache
from helpers.registry.repository import Found, Repository
from helpers.scanning import hand_on_vex
from helpers.scanning.hand_on_vex import Given
from helpers.scanning.trivy_program import Trivy
from helpers.scanning.vulndb import VulnDb
from helpers.studies.study import Study, Variant


class Tools(NamedTuple):
    """The tools that make the evidence. `daemon` may be the reason why there is none.

    `no_scanner` says why a needed Trivy is missing. `images_from` (`registry` or `daemon`) limits
    where references are found. `vex` are documents for the scanner. `failed_bases` has the errors
    of bases that could not be built, by full tag.
    """

    daemon: Daemon | KitError | None
    trivy: Trivy | None
    db: VulnDb | None
    gzip_sizes: GzipSizes
    build_locks: build.BuildLocks
    failed_bases: dict[str, str]
    cache: ImageCache
    images_from: str = ""
    no_scanner: str = ""
    vex: tuple[Given, ...] = ()

    def required_daemon(self) -> Daemon:
        """Return the daemon, or raise the reason why there is none."""
        if isinstance(self.daemon, Daemon):
            return self.daemon
        raise self.daemon or StudyInvalid("this study needs no Docker daemon")


class BaseImage(NamedTuple):
    """A base image's name, and its `docker inspect` output if the daemon has it."""

    name: str = ""
    inspected: dict[str, Any] | None = None


class Subject(NamedTuple):
    """The current state of a variant: its digest and what is known so far.

    `path` is the file of an archive, SBOM or report, `found` an image in its registry; `inspected`
    is the output of `docker inspect`, or its equivalent.
    """

    identity: str
    reference: str
    path: Path | None = None
    inspected: dict[str, Any] | None = None
    base: BaseImage = BaseImage()
    secrets: tuple[str, ...] = ()
    grype: Path | None = None
    found: Found | None = None

    def config(self, name: str) -> dict[str, Any]:
        """Return `ExposedPorts` or `Volumes` from the image's config; empty if unknown."""
        return dict(((self.inspected or {}).get("Config") or {}).get(name) or {})


def identify(
    study: Study,
    variant: Variant,
    tools: Tools,
    folder: Path,
    on_step: Callable[[Step], None],
) -> Subject:
    """Return the current state of a variant. Builds Dockerfiles; pulls missing images.

    Without a daemon, or on request, images are read from their registry. Raises the kit's
    errors: `BuildFailed`, `ImageNotFound`, `DaemonUnavailable`, `RegistryFailed`, `ArchiveInvalid`,
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
            return Subject(f"sha256:{own_file.sha256(path)}", path.name, path, grype=grype)
        with open_archive(path, oci.parse(variant.platform)) as archive:
            tags = {"RepoTags": list(archive.names)}
            base = _base(variant.base, tools)
            return Subject(archive.image_id, path.name, path, tags, base, grype=grype)
    is_own = variant.kind == "image" and build.is_base(variant.image, study.bases)
    if variant.kind == "image" and not is_own and _is_in_registry(tools):
        return _in_registry(variant, tools, grype)
    daemon = tools.required_daemon()
    secrets: set[str] = set()
    base_name = variant.base
    if variant.kind == "dockerfile":
        build.check_bases(build.images(variant.recipe, daemon.platform), tools.failed_bases)
        reference = f"base-image-notebooks:{study.name}.{variant.name}"[:128].lower()
        is_only_one = partial(staging.is_only_one, study)
        with tools.build_locks.lock(variant.recipe):
            log = folder / paths.LOG
            with build.replacing(daemon, reference, is_only_one):
                image_id = build.build(daemon, variant.recipe, reference, log, on_step, secrets)
            image = daemon.find(image_id)
            base_name = base_name or build.base(variant.recipe, daemon.platform)
            # The next build may pull the base for another platform.
            base = _base(base_name, tools, platform_of(image or {}))
    else:
        reference = variant.image
        build.check_bases([reference], tools.failed_bases)
        image = daemon.find(reference)
        if image is None or not is_for(image, variant.platform):
            image = daemon.pull(reference, variant.platform)
        if not is_for(image, variant.platform):
            raise ImageNotFound(f"{reference}: no image for the platform {variant.platform}")
        base = _base(base_name, tools, platform_of(image))
    assert image is not None
    if not (image.get("RootFS") or {}).get("Layers"):
        raise ImageNotFound(f"{reference}: the image has no layers, so nothing can be compared")
    secrets.update(redact.values((image.get("Config") or {}).get("Env") or []))
    return Subject(str(image["Id"]), reference, None, image, base, tuple(secrets), grype)


def _is_in_registry(tools: Tools) -> bool:
    """Return whether images are read from their registries, not from a daemon."""
    return tools.images_from == "registry" or (
        tools.images_from != "daemon" and not isinstance(tools.daemon, Daemon)
    )


def _in_registry(variant: Variant, tools: Tools, grype: Path | None) -> Subject:
    """Return the current state of an image in its registry."""
    wanted = oci.parse(variant.platform)
    try:
        named = parse_reference(variant.image)
    except ValueError as error:
        raise ImageNotFound(str(error)) from error
    try:
        found = Repository(named, cache=tools.cache).find(wanted)
    except (ImageNotFound, RegistryFailed) as error:
        if not isinstance(tools.daemon, KitError) or tools.images_from or named.host != HUB:
            raise
        # The user may mean an image of a stopped daemon.
        raise type(error)(f"{error}. Searched its registry because {tools.daemon}") from error
    image = found.inspected()
    secrets = redact.values((image.get("Config") or {}).get("Env") or [])
    base = _base(variant.base, tools)
    if variant.base and base.inspected is None:
        with contextlib.suppress(KitError, ValueError):
            there = Repository(parse_reference(variant.base), cache=tools.cache).find(wanted)
            base = BaseImage(variant.base, there.inspected())
    return Subject(found.image_id, variant.image, None, image, base, tuple(secrets), grype, found)


def settings(
    study: Study, variant: Variant, subject: Subject, documents: Sequence[Given] = ()
) -> dict[str, str]:
    """Return the inputs of a variant's evidence besides its image.

    Settings, its base, a Grype report and VEX documents.
    """
    start = "" if variant.start else "no"
    values = {"base": variant.base, "port": str(variant.port or ""), "start": start}
    if base_id := (subject.base.inspected or {}).get("Id"):
        values["base_id"] = str(base_id)
    if subject.found:
        values["from"] = "registry"
    if variant.grype:
        values["grype"] = own_file.sha256(paths.study(study.name) / variant.grype)
    return values | (hand_on_vex.settings(documents) if variant.kind != "report" else {})


def _base(name: str, tools: Tools, platform: str = "") -> BaseImage:
    """Return a base image; on the daemon that name may now have another platform."""
    if name == "scratch":
        return BaseImage(name, {"RootFS": {"Layers": []}})
    if not name or build.base_failure(name, tools.failed_bases):
        return BaseImage(name)
    found = tools.daemon.find(name) if isinstance(tools.daemon, Daemon) else None
    return BaseImage(name, found if found and is_for(found, platform) else None)
