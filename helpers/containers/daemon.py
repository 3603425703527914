"""Talks to the Docker daemon: the only module that imports `docker`."""

import contextlib
import difflib
import os
import posixpath
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, NamedTuple

import docker
import requests
from docker.api.build import process_dockerfile
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container as Container
from docker.types import Mount as Mount
from urllib3.exceptions import HTTPError

from helpers import processes
from helpers.errors import (
    BuildFailed,
    DaemonUnavailable,
    ImageNotFound,
    NoSpace,
    NotStarted,
    RegistryFailed,
)
from helpers.images import oci
from helpers.images.oci import Platform

LABEL = "base-image-notebooks.pid"
"""Label of everything that the kit starts: the process that has to remove it again."""

IDENTITY_TOKEN = "<token>"
"""Stands for a user where the password is a token to get others with, as Docker's helpers do."""

CANNOT_RUN = "exec format error"
"""The kernel's word for a program of another platform: execve(2), ENOEXEC."""

_CONNECT_SECONDS, _BUSY_SECONDS = 10, 600

_UNREACHABLE = ("dial tcp", "no such host", "timeout", "i/o timeout", "connection refused", "TLS")
_CUT = (requests.RequestException, HTTPError, HTTPException, ConnectionError)
"""Errors of a connection that is cut at any place, also within an answer."""

_FULL = "no space left on device"
_NOT_FOUND = ("not found", "manifest unknown", "pull access denied", "invalid reference", "denied")


class Ended(NamedTuple):
    """How a container ended: its exit status (`None` after a timeout) and its last output."""

    status: int | None
    output: str


class Daemon:
    """A Docker daemon that answered."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client
        self._version: dict[str, Any] = client.version()
        self.socket = str(client.api.base_url).replace("http+docker://localhost", "unix://")
        # It runs, so a later delay means that it is busy.
        client.api.timeout = _BUSY_SECONDS

    @property
    def platform(self) -> str:
        """Return the platform of the daemon's machine, like `linux/amd64`."""
        return f"{self._version['Os']}/{self._version['Arch']}"

    def engine(self) -> dict[str, str]:
        """Return versions of engine and API, the image store and the platform."""
        with _kit_errors("the Docker daemon"):
            info = self._client.info()
        store = " ".join(" ".join(pair) for pair in info.get("DriverStatus") or [])
        return {
            "engine": str(self._version["Version"]),
            "api": str(self._version["ApiVersion"]),
            "store": "containerd" if "io.containerd.snapshotter" in store else str(info["Driver"]),
            "platform": self.platform,
        }

    def proxies(self) -> dict[str, str]:
        """Return the proxies in Docker's settings, which every build gets as arguments."""
        # docker-py has no public name for them.
        return dict(self._client.api._proxy_configs.get_environment())

    def find(self, reference: str) -> dict[str, Any] | None:
        """Return what `docker inspect` says of an image; `None` if the daemon has none."""
        try:
            with _kit_errors(reference):
                return dict(self._client.api.inspect_image(reference))
        except ImageNotFound:
            return None

    def pull(self, reference: str, platform: str = "") -> dict[str, Any]:
        """Pull an image; return what `docker inspect` says of it. Raises `ImageNotFound`."""
        try:
            with _kit_errors(reference):
                self._client.images.pull(reference, platform=platform or None)
                return dict(self._client.api.inspect_image(reference))
        except ImageNotFound as error:
            near = difflib.get_close_matches(reference, self.names(), n=1)
            hint = f". Did you mean {near[0]}, which is on the daemon?" if near else ""
            raise ImageNotFound(f"{error}{hint}") from error

    def names(self) -> list[str]:
        """Return the names of all images on the daemon."""
        with _kit_errors("the list of images"):
            images = self._client.api.images()
        return sorted({name for image in images for name in image.get("RepoTags") or []})

    def build(
        self, context: Path, dockerfile: Path, tag: str, **options: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield the events of the classic builder. `options` are the API's."""
        # A file without a name: that of docker-py would stay if this process is killed.
        with _kit_errors(str(dockerfile)), tempfile.TemporaryFile() as packed:
            name = _pack(context, dockerfile, packed)
            try:
                yield from self._client.api.build(
                    fileobj=packed,
                    custom_context=True,
                    dockerfile=name,
                    tag=tag,
                    rm=True,
                    forcerm=True,
                    decode=True,
                    **options,
                )
            except APIError as error:
                if error.status_code == requests.codes.bad_request:
                    # Quoted text may be a value.
                    reason = re.sub(r'"[^"]*"', '"…"', str(error.explanation))
                    raise BuildFailed(f"{dockerfile}: {reason}. Fix it") from error
                raise

    def add_name(self, image: str, name: str) -> None:
        """Give an image one more name."""
        repository, _, tag = name.rpartition(":")
        with _kit_errors(image):
            self._client.api.tag(image, repository, tag)

    def remove_names(self, start: str) -> None:
        """Take names that start so from images; one without another name goes, unless it is used.

        What cannot be removed now stays.
        """
        for name in self.names():
            if name.startswith(start):
                with contextlib.suppress(DockerException, *_CUT):
                    self._client.api.remove_image(name)

    def save(self, image: str, path: Path) -> None:
        """Write an image's archive, as `docker save` does."""
        with _kit_errors(image):
            found = self.find(image) or {}
            names = found.get("RepoTags") or []
            # By name if there is one: an archive saved by id has no names.
            self._save(names[0] if names else image, path)
            # A build beside this may have given the name to another image meanwhile.
            if names and (self.find(names[0]) or {}).get("Id") != found["Id"]:
                self._save(found["Id"], path)

    def _save(self, name: str, path: Path) -> None:
        with path.open("wb") as file:
            for chunk in self._client.api.get_image(name, 2**21):
                file.write(chunk)

    def export(self, image: str) -> Iterator[bytes]:
        """Yield the tar of an image's file system, from a container that is never started."""
        with _kit_errors(image), self._container(image, command=["never"]) as container:
            yield from container.export(2**21)

    @contextlib.contextmanager
    def running(self, image: str, **options: Any) -> Iterator[Container]:
        """Start a container and yield it; it is killed and removed at the end."""
        with _kit_errors(image), self._container(image, **options) as container:
            try:
                container.start()
            except APIError as error:
                raise _not_started(error) from error
            yield container

    def run(self, image: str, seconds: float, **options: Any) -> Ended:
        """Run a container until it ends, for at most `seconds`; return how it ended."""
        with _kit_errors(image), self._container(image, **options) as container:
            try:
                container.start()
                status = container.wait(timeout=seconds)["StatusCode"]
            except (requests.ConnectionError, requests.ReadTimeout):
                status = None
            except APIError as error:
                # A command that the runtime cannot start is a result, not an error.
                return Ended(127, str(error.explanation))
            return Ended(status, log(container))

    @contextlib.contextmanager
    def internal_network(self) -> Iterator[str]:
        """Make a network without access to others, yield its name, and remove it at the end."""
        with _kit_errors("an internal network"):
            network = self._client.networks.create(
                _unique_name(), driver="bridge", internal=True, labels=_label()
            )
        try:
            yield str(network.name)
        finally:
            with contextlib.suppress(DockerException, *_CUT):
                network.remove()

    def remove_leftovers(self, current_too: bool = False) -> None:
        """Remove containers, networks and volumes of dead processes, and of this one if asked."""

        def is_needed(owner: str) -> bool:
            return processes.runs(owner) and not (current_too and owner == processes.this_process())

        with _kit_errors("leftovers of killed captures"):
            kit = {"label": LABEL}
            for container in self._client.containers.list(
                all=True, filters=kit, ignore_removed=True
            ):
                if not is_needed(container.labels[LABEL]):
                    with contextlib.suppress(APIError):
                        container.remove(force=True, v=True)
            # A network or volume can only be removed after its containers.
            for kind in (self._client.networks, self._client.volumes):
                for leftover in kind.list(filters=kit):
                    if not is_needed(leftover.attrs["Labels"][LABEL]):
                        with contextlib.suppress(APIError):
                            leftover.remove()

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
                # What cannot be removed now is removed by the next capture.
                with contextlib.suppress(DockerException, *_CUT):
                    container.remove(force=True, v=True)
        finally:
            for mount in options.get("mounts", []):
                with contextlib.suppress(DockerException, *_CUT):
                    self._client.volumes.get(mount["Source"]).remove()


def _pack(context: Path, dockerfile: Path, packed: IO[bytes]) -> str:
    """Write the tar of a build's context, as docker-py does; return the Dockerfile's name in it."""
    ignore, lines = context / ".dockerignore", list[str]()
    if ignore.exists():
        lines = [line.strip() for line in ignore.read_text().splitlines()]
    name, text = process_dockerfile(str(dockerfile), str(context))
    exclude = [line for line in lines if line and line[0] != "#"]
    docker.utils.build.tar(str(context), exclude, (name, text), packed)
    return str(name)


def connect() -> Daemon:
    """Return the daemon at `DOCKER_HOST`, else the local one. Raises `DaemonUnavailable`."""
    try:
        return Daemon(docker.from_env(timeout=_CONNECT_SECONDS))
    except (AttributeError, TypeError) as error:
        raise DaemonUnavailable(
            "Docker's config.json (in ~/.docker, or in the folder DOCKER_CONFIG) is invalid: "
            f"{error}. Fix or remove it"
        ) from error
    except (DockerException, requests.RequestException, OSError, ValueError) as error:
        raise DaemonUnavailable(_unavailable(error)) from error


def read_only_volumes(paths: Iterable[str], except_for: Collection[str] = ()) -> list[Mount]:
    """Return mounts that make an image's volumes read-only and keep their content.

    Paths in `except_for` are mounted in another way and get no mount here.
    """
    # An image may name a volume with or without slashes at both ends, or twice.
    targets = dict.fromkeys(posixpath.normpath(f"/{path.strip('/')}") for path in paths)
    # Only a volume with a name can be read-only; it is removed with its container.
    return [
        Mount(target, _unique_name(), type="volume", read_only=True, labels=_label())
        for target in targets
        if target not in except_for
    ]


def credentials(registry: str) -> tuple[str, str] | None:
    """Return the user and password that `docker login` stored for a registry, or `None`.

    With an identity token the user is `IDENTITY_TOKEN`. Raises `RegistryFailed` if Docker's config
    or its credential helper cannot be read.
    """
    try:
        login = docker.auth.load_config().resolve_authconfig(registry) or {}
    except (DockerException, AttributeError, TypeError, ValueError, RecursionError) as error:
        # An error of a helper may quote what the helper printed.
        reason = "its credential helper failed" if "store" in str(error) else "it is invalid"
        raise RegistryFailed(f"Docker's config.json cannot be used: {reason}") from error
    # A file has them in lower case, a helper's answer has not.
    fields = {key.lower(): value for key, value in login.items()}
    if token := fields.get("identitytoken"):
        return IDENTITY_TOKEN, str(token)
    user, password = fields.get("username"), fields.get("password")
    return (user, password) if user and password else None


def platform_of(image: Mapping[str, Any]) -> str:
    """Return the platform of an image that the daemon has, like `linux/arm64`."""
    return f"{image.get('Os', '')}/{image.get('Architecture', '')}"


def is_for(image: Mapping[str, Any], platform: str) -> bool:
    """Return whether an image is for a platform like `linux/arm64/v8`; empty is any."""
    parts = (image.get(key) or "" for key in ("Architecture", "Os", "Variant"))
    return Platform(*parts).fits(oci.parse(platform))


def log(container: Container, lines: int = 20) -> str:
    """Return the last lines of a container's output."""
    return str(container.logs(tail=lines).decode(errors="replace").strip())


def _unavailable(error: Exception) -> str:
    """Return why the daemon does not answer, and what to do."""
    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if isinstance(error, PermissionError) or "Permission denied" in str(error):
        return (
            f"no permission on the socket of the Docker daemon at {host}. Join the group docker "
            "(sudo usermod -aG docker $USER, then log in again)"
        )
    return (
        f"no Docker daemon answers at {host}. Start it (sudo systemctl start docker, or Docker "
        "Desktop), or set DOCKER_HOST"
    )


@contextlib.contextmanager
def _kit_errors(subject: str) -> Iterator[None]:
    """Turn errors of the daemon into the kit's errors about a subject."""
    try:
        yield
    except DockerException as error:
        # Its errors of what a daemon answers are errors of requests, too.
        reason = str(getattr(error, "explanation", None) or error)
        if _FULL in reason:
            raise NoSpace(
                f"{subject}: the Docker daemon's disk is full ({reason}). "
                "Free some space, for example with: docker system prune"
            ) from error
        if any(word in reason for word in _UNREACHABLE):
            raise ImageNotFound(
                f"{subject}: not on this Docker daemon, and its registry cannot be reached: "
                f"{reason}. Check the name and the network"
            ) from error
        if isinstance(error, NotFound) or any(word in reason for word in _NOT_FOUND):
            raise ImageNotFound(
                f"{subject}: not on this Docker daemon, and cannot be pulled: {reason}. "
                "Check its name; a private registry needs: docker login"
            ) from error
        raise DaemonUnavailable(f"{subject}: the Docker daemon refused: {reason}") from error
    except _CUT as error:
        raise DaemonUnavailable(
            f"{subject}: the Docker daemon stopped answering. Check it with: docker version"
        ) from error


def _not_started(error: APIError) -> APIError | NotStarted:
    """Return `NotStarted` if the image is at fault, else the error itself."""
    if isinstance(error, NotFound) or _FULL in str(error.explanation):
        return error
    return NotStarted(f"it could not be started: {error.explanation}")


def _unique_name() -> str:
    return f"base-image-notebooks-{os.getpid()}-{os.urandom(4).hex()}"


def _label() -> dict[str, str]:
    """Return the label that names this process."""
    return {LABEL: processes.this_process()}
