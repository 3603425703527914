"""Lists what a registry has: all tags of all its repositories, or of those below a path.

https://github.com/distribution/distribution/blob/main/docs/content/spec/api.md
"""

from collections.abc import Iterator

from helpers.capture.fleet_list import Entry
from helpers.capture.registry import Repository
from helpers.capture.traffic import Traffic
from helpers.errors import ImageNotFound, KitError, RegistryFailed
from helpers.images.reference import HUB, Reference, is_reference, parse

_INSTEAD = "List its images in a file, one reference a line"


def entries(address: str, traffic: Traffic | None = None) -> Iterator[Entry]:
    """Yield the images of a registry's address, such as `host:5000/` or `host/project/`.

    What cannot be listed is an entry with the problem; the others follow.
    """
    address = address.removeprefix("https://")
    host, _, below = address.partition("/")
    try:
        # The host has to be one; its name is checked as that of an image's.
        host = parse(f"{host}/{below or 'x/'}x").host
        if host == HUB:
            raise ImageNotFound(f"{address}: Docker Hub has no catalog. {_INSTEAD}")
        catalog = Repository(Reference(host, "_catalog", "", ""), traffic=traffic)
        for repository in catalog.listed("", "repositories"):
            if repository.startswith(below):
                yield from _tags(host, repository, traffic)
    except ImageNotFound as error:
        yield Entry(address, problem=f"{error}. {_INSTEAD}" if host != HUB else str(error))
    except RegistryFailed as error:
        yield Entry(address, problem=str(error))
    except ValueError as error:
        yield Entry(address, problem=f"no address of a registry ({error})")


def _tags(host: str, repository: str, traffic: Traffic | None) -> Iterator[Entry]:
    """Yield the images of one repository; one without tags has none."""
    name = f"{host}/{repository}"
    if not is_reference(name):
        yield Entry(name, problem="the catalog has a name that no repository can have")
        return
    try:
        tags = Repository(parse(name), traffic=traffic).listed("tags/list", "tags")
        # The first names the image, whatever order a registry has.
        for tag in sorted(tags):
            reference = f"{name}:{tag}"
            is_valid = is_reference(reference)
            yield Entry(reference, "image" if is_valid else "", "" if is_valid else "no valid tag")
    except (KitError, ValueError) as error:
        yield Entry(name, problem=str(error))
