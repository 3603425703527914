"""Talks to the Docker daemon: the only module that imports `docker`."""

import contextlib
import difflib
import os
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container as Container
from docker.types import Mount as Mount

from helpers import processes
from helpers.errors import BuildFailed, DaemonUnavailable, ImageNotFound, NoSpace, NotStarted

LABEL = "base-image-notebooks.pid"
"""Label of all that the kit starts: the process that has to remove it again."""

_ANSWER_SECONDS, _BUSY_SECONDS = 10, 600

_UNREACHABLE = ("dial tcp", "no such host", "timeout", "i/o timeout", "connection refused", "TLS")
_FULL = "no space left on device"
_NOT_FOUND = ("not found", "manifest unknown", "pull access denied", "invalid reference", "denied")


class Ended(NamedTuple):
    """How a container ended: its exit status, `None` if it was stopped, and its last output."""

    status: int | None
    output: str


class Daemon:
    """A Docker daemon that answered."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client
        self.told: dict[str, Any] = client.version()
        self.socket = str(client.api.base_url).replace("http+docker://localhost", "unix://")
        # It has answered, so from now on it is busy if it does not.
        client.api.timeout = _BUSY_SECONDS

    def builder(self) -> dict[str, str]:
        """Return what builds here: engine, API, the builder, the image store and the platform."""
        info = self._client.info()
        store = " ".join(" ".join(pair) for pair in info.get("DriverStatus") or [])
        return {
            "engine": str(self.told["Version"]),
            "api": str(self.told["ApiVersion"]),
            "builder": "classic",
            "store": "containerd" if "io.containerd.snapshotter" in store else str(info["Driver"]),
            "platform": f"{self.told['Os']}/{self.told['Arch']}",
        }

    def find(self, reference: str) -> dict[str, Any] | None:
        """Return what the daemon knows of an image; `None` if it does not have it."""
        try:
            with _told(reference):
                return dict(self._client.api.inspect_image(reference))
        except ImageNotFound:
            return None

    def pull(self, reference: str, platform: str = "") -> dict[str, Any]:
        """Return what the daemon knows of an image after pulling it. Raises `ImageNotFound`."""
        try:
            with _told(reference):
                self._client.images.pull(reference, platform=platform or None)
                return dict(self._client.api.inspect_image(reference))
        except ImageNotFound as error:
            near = difflib.get_close_matches(reference, self.names(), n=1)
            hint = f". Did you mean {near[0]}, which is on this daemon?" if near else ""
            raise ImageNotFound(f"{error}{hint}") from error

    def names(self) -> list[str]:
        """Return the names of all images on the daemon."""
        with _told("the list of images"):
            images = self._client.api.images()
        return sorted({name for image in images for name in image.get("RepoTags") or []})

    def build(
        self, context: Path, dockerfile: Path, tag: str, **options: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield what the classic builder says, step by step. `options` are the API's."""
        with _told(str(dockerfile)):
            try:
                yield from self._client.api.build(
                    path=str(context),
                    dockerfile=str(dockerfile),
                    tag=tag,
                    rm=True,
                    forcerm=True,
                    decode=True,
                    **options,
                )
            except APIError as error:
                if error.status_code == requests.codes.bad_request:
                    # What it quotes may be a value.
                    told = re.sub(r'"[^"]*"', '"…"', str(error.explanation))
                    raise BuildFailed(f"{dockerfile}: {told}. Mend it") from error
                raise

    def save(self, image: str, path: Path) -> None:
        """Write an image's archive, as `docker save` does."""
        with _told(image), path.open("wb") as file:
            names = (self.find(image) or {}).get("RepoTags") or []
            # By name where there is one: an archive of an id alone does not know the names.
            for chunk in self._client.api.get_image(names[0] if names else image, 2**21):
                file.write(chunk)

    def export(self, image: str) -> Iterator[bytes]:
        """Yield the file system of a container of an image that is never started, as tar."""
        with self._container(image, command=["never"]) as container:
            yield from container.export(2**21)

    @contextlib.contextmanager
    def running(self, image: str, **options: Any) -> Iterator[Container]:
        """Start a container and give it; it is killed and removed in the end."""
        with _told(image), self._container(image, **options) as container:
            try:
                container.start()
            except APIError as error:
                raise _not_started(error) from error
            yield container

    def run(self, image: str, seconds: float, **options: Any) -> Ended:
        """Run a container until it ends, or for so many seconds; return how it ended."""
        with _told(image), self._container(image, **options) as container:
            try:
                container.start()
                status = container.wait(timeout=seconds)["StatusCode"]
            except (requests.ConnectionError, requests.ReadTimeout):
                status = None
            except APIError as error:
                # The runtime could not start its command: that is an answer, not a failure.
                return Ended(127, str(error.explanation))
            return Ended(status, log(container))

    @contextlib.contextmanager
    def lonely_network(self) -> Iterator[str]:
        """Make a network without a way out, give its name, and remove it in the end."""
        with _told("a network without a way out"):
            network = self._client.networks.create(
                _own_name(),
                driver="bridge",
                internal=True,
                labels=_label(),
            )
        try:
            yield str(network.name)
        finally:
            network.remove()

    def clear(self, also_own: bool = False) -> None:
        """Remove containers, networks and volumes whose process was killed before it could."""

        def runs(owner: str) -> bool:
            return processes.runs(owner) and not (also_own and owner == _label()[LABEL])

        with _told("what is left of killed captures"):
            of_kit = {"label": LABEL}
            for container in self._client.containers.list(all=True, filters=of_kit):
                if not runs(container.labels[LABEL]):
                    with contextlib.suppress(APIError):
                        container.remove(force=True, v=True)
            for network in self._client.networks.list(filters=of_kit):
                if not runs(network.attrs["Labels"][LABEL]):
                    with contextlib.suppress(APIError):
                        network.remove()
            for volume in self._client.volumes.list(filters=of_kit):
                if not runs(volume.attrs["Labels"][LABEL]):
                    with contextlib.suppress(APIError):
                        volume.remove()

    @contextlib.contextmanager
    def _container(self, image: str, **options: Any) -> Iterator[Container]:
        try:
            try:
                container = self._client.containers.create(image, labels=_label(), **options)
            except APIError as error:
                raise _not_started(error) from error
            try:
                yield container
            finally:
                with contextlib.suppress(APIError):
                    container.remove(force=True, v=True)
        finally:
            for mount in options.get("mounts", []):
                with contextlib.suppress(APIError):
                    self._client.volumes.get(mount["Source"]).remove()


def connect() -> Daemon:
    """Return the daemon that `DOCKER_HOST` names, else the local one.

    Raises `DaemonUnavailable`.
    """
    try:
        return Daemon(docker.from_env(timeout=_ANSWER_SECONDS))
    except (AttributeError, TypeError) as error:
        raise DaemonUnavailable(
            "Docker's own config.json (in ~/.docker or where DOCKER_CONFIG says) is not what it "
            f"has to be: {error}. Mend or remove it"
        ) from error
    except (DockerException, requests.RequestException, OSError, ValueError) as error:
        raise DaemonUnavailable(_why_not(error)) from error


def read_only_volumes(paths: Iterable[str], but: Collection[str] = ()) -> list[Mount]:
    """Return mounts that make an image's volumes as read-only as its root, with what is in them.

    What is `but` mounted otherwise is not among them.
    """
    # An image may name them with or without slashes at both ends, or twice.
    places = dict.fromkeys(posixpath.normpath(f"/{path.strip('/')}") for path in paths)
    # Only a volume with a name can be read-only; it is removed with its container.
    return [
        Mount(place, _own_name(), type="volume", read_only=True, labels=_label())
        for place in places
        if place not in but
    ]


def credentials(registry: str) -> tuple[str, str] | None:
    """Return user and password that `docker login` left for a registry, or `None`."""
    try:
        found = docker.auth.load_config().resolve_authconfig(registry) or {}
    except DockerException:
        # The helper that keeps them is not installed, or the file is not what it should be.
        return None
    user, password = found.get("username"), found.get("password")
    return (user, password) if user and password else None


def log(container: Container, lines: int = 20) -> str:
    """Return the last lines of what a container printed."""
    return str(container.logs(tail=lines).decode(errors="replace").strip())


def _why_not(error: Exception) -> str:
    """Return why the daemon did not answer, and what to do."""
    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    text = str(error)
    if isinstance(error, PermissionError) or "Permission denied" in text:
        return (
            f"the Docker daemon at {host} may not be asked: no permission on its socket. Join the "
            "group docker (sudo usermod -aG docker $USER, then log in again)"
        )
    return (
        f"no Docker daemon answers at {host}. Start it (sudo systemctl start docker, or Docker "
        "Desktop), or name another with DOCKER_HOST"
    )


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn what goes wrong at the daemon into the kit's errors; `what` is what it was asked for."""
    try:
        yield
    except requests.ConnectionError as error:
        raise DaemonUnavailable(f"{what}: the Docker daemon stopped answering") from error
    except DockerException as error:
        told = str(getattr(error, "explanation", None) or error)
        if _FULL in told:
            raise NoSpace(
                f"{what}: the Docker daemon's disk is full ({told}). "
                "Free some space, for example with: docker system prune"
            ) from error
        if any(word in told for word in _UNREACHABLE):
            raise ImageNotFound(
                f"{what} is not on this Docker daemon, and its registry cannot be reached: {told}. "
                "Check the name and the network"
            ) from error
        if isinstance(error, NotFound) or any(word in told for word in _NOT_FOUND):
            raise ImageNotFound(
                f"{what} is not on this Docker daemon and cannot be pulled: {told}. "
                "Check its name; a private registry needs: docker login"
            ) from error
        raise DaemonUnavailable(f"{what}: the Docker daemon refused: {told}") from error


def _not_started(error: APIError) -> APIError | NotStarted:
    """Return the error of an image that the daemon does not start, if that is the image's fault."""
    if isinstance(error, NotFound) or _FULL in str(error.explanation):
        return error
    return NotStarted(f"it could not be started: {error.explanation}")


def _own_name() -> str:
    return f"base-image-notebooks-{os.getpid()}-{os.urandom(4).hex()}"


def _label() -> dict[str, str]:
    """Return the label that says whose something is."""
    return {LABEL: processes.this_process()}
