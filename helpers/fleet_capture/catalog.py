"""Lists what a registry has: all tags of all its repositories, or of those below a path.

https://github.com/distribution/distribution/blob/main/docs/content/spec/api.md
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from helpers.errors import ImageNotFound, KitError, RegistryFailed
from helpers.fleet_capture.fleet_list import Entry
from helpers.images.reference import HUB, Reference, is_reference, parse
from helpers.registry.repository import Repository
from helpers.registry.traffic import Traffic

_INSTEAD = "List its images in a file, one reference per line"


def entries(address: str, traffic: Traffic | None = None) -> Iterator[Entry]:
    """Yield the images of a registry's address, such as `host:5000/` or `host/project/`.

    What cannot be listed is an entry with the problem; the others follow. Tags of as many
    repositories are asked for at once as the registry may be.
    """
    traffic = traffic or Traffic()
    address = address.removeprefix("https://")
    host, _, below = address.partition("/")
    names: list[str] = []
    problem = ""
    try:
        # The host has to be one; its name is checked as that of an image's.
        host = parse(f"{host}/{below or 'x/'}x").host
        if host == HUB:
            raise ImageNotFound(f"{address}: Docker Hub has no catalog. {_INSTEAD}")
        catalog = Repository(Reference(host, "_catalog", "", ""), traffic=traffic)
        listed = catalog.listed("", "repositories")
        # What was listed before an error stays.
        names.extend(name for name in listed if name.startswith(below))
    except ImageNotFound as error:
        problem = f"{error}. {_INSTEAD}" if host != HUB else str(error)
    except RegistryFailed as error:
        problem = str(error)
    except ValueError as error:
        problem = f"not a registry address ({error})"
    with ThreadPoolExecutor(traffic.at_once) as pool:
        for images in pool.map(partial(_tags, host, traffic), names):
            yield from images
    if problem:
        yield Entry(address, problem=problem)


def _tags(host: str, traffic: Traffic, repository: str) -> list[Entry]:
    """Return the images of one repository; one without tags has none."""
    name = f"{host}/{repository}"
    if not is_reference(name):
        return [Entry(name, problem="the catalog has an invalid repository name")]
    try:
        # The first names the image, whatever order a registry has.
        tags = sorted(Repository(parse(name), traffic=traffic).listed("tags/list", "tags"))
    except (KitError, ValueError) as error:
        return [Entry(name, problem=str(error))]
    references = [f"{name}:{tag}" for tag in tags]
    return [
        Entry(each, "image") if is_reference(each) else Entry(each, problem="invalid tag")
        for each in references
    ]
