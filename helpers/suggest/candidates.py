"""Images of registries that may replace one: tags by digest, refused by what their configs say."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec

from helpers.comparability import end_of_life as ends
from helpers.errors import ImageNotFound, KitError
from helpers.images import oci
from helpers.images.reference import Reference, is_reference
from helpers.registry.image_cache import ImageCache
from helpers.registry.repository import Found, Repository
from helpers.registry.traffic import Traffic
from helpers.suggest import constraints
from helpers.suggest.constraints import Wanted

MAX_TAGS = 200
"""Most tags of a repository that are looked at."""

MAX_CAPTURED = 12
"""Most candidates that are captured."""

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?![a-z0-9])")
_DAY = re.compile(r"20\d{2}-?\d{2}-?\d{2}|20\d{6}")
_UNSTABLE = re.compile(
    r"(?:^|[-._\d])(?:rc|alpha\d|beta|nightly|canary|edge|test|dev|debug)(?:\d|[-._]|$)"
)
_RUNTIMES = {"NODE_VERSION": "node", "PYTHON_VERSION": "python", "GOLANG_VERSION": "go"}
"""Variables in which official images state the version of their runtime."""


class Candidate(NamedTuple):
    """An image with all its tags that were looked at, and the reason that refuses it, if any.

    `digest` is what to pin, `image` the digest of the image for the platform, which tells images
    apart. `runtime` and `created` are as its config states them; empty if it does not. `is_unread`
    if the registry failed to answer.
    """

    repository: str
    tags: tuple[str, ...]
    digest: str
    image: str
    created: str
    runtime: str
    refused: str = ""
    is_unread: bool = False

    @property
    def tag(self) -> str:
        """Return its most exact tag; empty for none."""
        return max(self.tags, default="", key=lambda tag: (_version(tag), len(tag), tag))

    @property
    def name(self) -> str:
        """Return its reference by this tag, else by its digest."""
        return f"{self.repository}:{self.tag}" if self.tags else self.pinned

    @property
    def pinned(self) -> str:
        """Return its reference by digest."""
        return f"{self.repository}@{self.digest}"


class Listed(NamedTuple):
    """The image in use, the candidates with the refused ones, and what was not looked at.

    `platform` is that of all of them. `unread` says what a registry failed to answer; empty if
    nothing.
    """

    today: Candidate
    found: list[Candidate]
    notes: list[str]
    pull_again: bool
    platform: oci.Platform
    unread: str


def listed(
    of: Reference,
    also: Sequence[Reference],
    platform: oci.Platform,
    wanted: Wanted,
    cache: ImageCache,
    traffic: Traffic | None = None,
) -> Listed:
    """Return the candidates for an image: tags of its repository, and of others.

    At most `MAX_CAPTURED` are not refused: images of the tag in use, then the newest. `wanted`
    gets the runtime from the config of the image. Raises `ImageNotFound` and `RegistryFailed` if
    the image cannot be read or its tags cannot be listed; of other repositories `unread` says so.
    """
    traffic = traffic or Traffic()
    repository = Repository(of, cache=cache, traffic=traffic)
    found = repository.find(platform)
    if platform == oci.ANY:
        platform = msgspec.json.decode(found.raw_config, type=oci.Config).platform
    today = _candidate(of.repository, (of.tag,) if of.tag else (), found)
    wanted = wanted._replace(runtime=wanted.runtime or today.runtime)
    images: list[Candidate] = []
    notes: list[str] = []
    failures: list[str] = []
    for each in dict.fromkeys(reference._replace(tag="", digest="") for reference in (of, *also)):
        is_own = each.repository == of.repository
        try:
            images += _of_repository(
                each, of.tag if is_own else "", platform, cache, traffic, notes
            )
        except KitError as error:
            if is_own:
                raise
            failures.append(str(error))
    own = next((i for i in images if i.repository == of.repository and of.tag in i.tags), None)
    pull_again = bool(own and own.image and own.image != today.image)
    ordered = sorted(_once(images), key=lambda image: image.created, reverse=True)
    # What has the tag in use is captured whatever else there is.
    ordered.sort(key=lambda image: not (own and image.image == own.image))
    failures += [image.refused for image in ordered if image.is_unread]
    unread = (
        f"{failures[0]} (and {len(failures) - 1:,} more)" if failures[1:] else "".join(failures)
    )
    checked = _checked(ordered, today, wanted)
    return Listed(today, checked, notes, pull_again, platform, unread)


def study_name(images: Sequence[Candidate]) -> str:
    """Return the name of the study of these images, today's first: other images, another name."""
    today = images[0]
    last = re.sub(r"[^A-Za-z0-9._-]", "-", today.name.partition("@")[0].rpartition("/")[2])
    those = oci.digest("\n".join(each.pinned for each in images).encode())
    return f"move-{last[:40]}-{those[7:15]}"


def _of_repository(
    repository: Reference,
    own: str,
    platform: oci.Platform,
    cache: ImageCache,
    traffic: Traffic,
    notes: list[str],
) -> list[Candidate]:
    """Return the images of a repository's tags, each tag for itself."""
    shared = Repository(repository._replace(tag="latest"), cache=cache, traffic=traffic)
    every = [tag for tag in shared.listed("tags/list", "tags") if is_reference(f"x:{tag}")]
    stable = [tag for tag in every if not _is_unstable(tag) or tag == own]
    # Tags that move, as `24-slim`, lead to the newest image; `24.1.0-slim` may be an old one.
    stable.sort(key=_version, reverse=True)
    stable.sort(key=lambda tag: (tag != own, len(_version(tag)) or 9))
    if len(every) > len(stable):
        notes.append(
            f"{repository.repository}: tags that are no candidates (`latest`, dates, unstable "
            f"releases): {len(every) - len(stable):,}"
        )
    if len(stable) > MAX_TAGS:
        notes.append(
            f"{repository.repository}: {MAX_TAGS} of {len(stable):,} tags were looked at: short "
            "ones first, then the highest versions"
        )

    def look(tag: str) -> Candidate:
        at = repository._replace(tag=tag)
        try:
            return _candidate(repository.repository, (tag,), shared.at(at).find(platform))
        except KitError as error:
            # A registry that fails may have an image there; one that says no has none.
            is_unread = not isinstance(error, ImageNotFound)
            return Candidate(repository.repository, (tag,), "", "", "", "", str(error), is_unread)

    with ThreadPoolExecutor(traffic.at_once) as pool:
        return [*pool.map(look, stable[:MAX_TAGS])]


def _candidate(repository: str, tags: tuple[str, ...], found: Found) -> Candidate:
    config = msgspec.json.decode(found.raw_config, type=dict[str, Any])
    created = config.get("created")
    created = created if isinstance(created, str) else ""
    return Candidate(
        repository, tags, found.digest, found.manifest_digest, created[:30], _runtime(config)
    )


def _runtime(config: dict[str, Any]) -> str:
    """Return the runtime that a config states in its variables; empty for none."""
    settings = config.get("config")
    variables = settings.get("Env") if isinstance(settings, dict) else None
    for text in variables if isinstance(variables, list) else ():
        name, _, version = str(text).partition("=")
        if name in _RUNTIMES and re.fullmatch(r"\d+(?:\.\d+)*", version[:40]):
            return f"{_RUNTIMES[name]} {version}"
    return ""


def _once(images: Sequence[Candidate]) -> list[Candidate]:
    """Return each image once, with all its tags; what was not read stays as it is."""
    by_image: dict[tuple[str, str], Candidate] = {}
    for each in images:
        key = ("", each.image) if each.image else (each.repository, each.tags[0])
        first = by_image.get(key)
        is_alike = first is not None and first.repository == each.repository
        tags = (*first.tags, *each.tags) if first and is_alike else each.tags
        if first is None or is_alike:
            by_image[key] = each._replace(tags=tags)
    return [*by_image.values()]


def _checked(images: Sequence[Candidate], today: Candidate, wanted: Wanted) -> list[Candidate]:
    """Return the candidates, newest first, each with the reason against it that is known so far."""
    found, newest = list[Candidate](), dict[tuple[str, str, str], Candidate]()
    left = MAX_CAPTURED
    for each in images:
        kind = (
            each.repository,
            _VERSION.sub("", each.tag, count=1),
            ends.release(each.runtime) or "",
        )
        why = each.refused
        if not why and each.image == today.image:
            why = "it is the image in use"
        if not why and each.runtime:
            why = constraints.runtime(each.runtime, wanted)
        if not why and each.runtime and (newer := newest.get(kind)):
            why = f"{newer.name} is a newer build of it"
        if not why and not left:
            why = f"it is older than the {MAX_CAPTURED} candidates that are captured"
        if not why:
            left -= 1
            newest[kind] = each
        found.append(each._replace(refused=why))
    return found


def _is_unstable(tag: str) -> bool:
    return tag == "latest" or bool(_DAY.search(tag) or _UNSTABLE.search(tag.lower()))


def _version(tag: str) -> tuple[int, ...]:
    """Return the version that a tag starts with; empty for none."""
    found = _VERSION.match(tag)
    return tuple(map(int, found[1].split("."))) if found else ()
