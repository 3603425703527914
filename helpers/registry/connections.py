"""Connections to a registry: over TLS or to this machine, patient with one that is busy."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from helpers.errors import RegistryFailed
from helpers.images.reference import HUB, Reference
from helpers.registry.traffic import Patience, Traffic

TRIES = 5
SMALL_SECONDS = 60.0
"""Time that a manifest, a config or a token may take."""

_CHUNK = 2**18
_HUB_SERVER = "registry-1.docker.io"
_CERTIFICATES = (
    Path("/etc/docker/certs.d"),
    Path("/etc/containers/certs.d"),
    Path("~/.config/docker/certs.d"),
    Path("~/.config/containers/certs.d"),
)
"""Folders of Docker's and Podman's certificates, by registry:
https://docs.docker.com/engine/security/certificates/"""

_BUSY = (429, 500, 502, 503, 504)
_PATIENT = Patience(
    total=TRIES,
    connect=1,
    other=0,
    redirect=0,
    backoff_factor=0.5,
    backoff_jitter=0.5,
    status_forcelist=_BUSY,
    retry_after_max=15,
    raise_on_status=False,
)
"""A busy registry is asked again after 0.5, 1, 2 … seconds, or after what it asks for."""

DIRECT = {"no_proxy": "localhost,127.0.0.1"}
"""Proxies of requests to this machine: none."""

Authenticator = Callable[[requests.PreparedRequest], requests.PreparedRequest]
"""What adds a login to a request."""

_WHYS = {
    "ProxyError": "cannot be reached through the proxy",
    "WRONG_VERSION_NUMBER": "does not use TLS, which the kit requires except on this machine",
    "CERTIFICATE": "has a certificate that is not trusted (set SSL_CERT_FILE to its CA)",
    "Timeout": "does not answer in time",
    "timed out": "does not answer in time",
    "Name or service not known": "is unknown to DNS",
    "No address associated": "is unknown to DNS",
    "Temporary failure in name resolution": "is unknown to DNS",
    "Connection refused": "refuses connections",
    "IncompleteRead": "ended too early",
    "Connection broken": "broke off",
    "Connection aborted": "broke off",
    "without TLS": "redirects to a server without TLS",
    "TooManyRedirects": "redirects too often",
}
"""What is said of an error whose name or text has a word."""


class Session:
    """A way to ask one registry. `address` is that of its repository."""

    def __init__(
        self, of: Reference, tries: int, seconds: float, traffic: Traffic | None = None
    ) -> None:
        self._of = of
        self._seconds = seconds
        self.traffic = traffic or Traffic()
        context = _certificates(of.host)
        patience = _PATIENT.new(total=tries, retry_after_max=self.traffic.longest_wait)
        patience.on_wait = partial(self.traffic.pause, of.host)
        self._session = connection(of.is_local, context, patience)
        server = _HUB_SERVER if of.host == HUB else of.host
        self.address = f"{_scheme(of, context, seconds)}://{server}/v2/{of.name}"

    def ask(self, method: str, url: str, auth: Authenticator, **options: Any) -> requests.Response:
        """Return the answer to a request, to be read in parts. Raises `RegistryFailed`.

        `auth` adds the login to a request; `options` are those of `requests`.
        """
        # Like Docker: a registry on this machine is asked without a proxy.
        proxies = DIRECT if self._of.is_local else None
        try:
            return self._session.request(
                method,
                url,
                auth=auth,
                proxies=proxies,
                timeout=self._seconds,
                stream=True,
                **options,
            )
        except requests.RequestException as error:
            raise self.traffic.failed(self._of.host, _unreachable(self._of, error)) from error


def connection(is_local: bool, context: ssl.SSLContext, retries: Retry) -> requests.Session:
    """Return a session that follows no redirect out of TLS, except on this machine."""
    session = _Session(is_local)
    session.mount("https://", _Adapter(context, retries))
    session.mount("http://", HTTPAdapter(max_retries=retries))
    return session


def arriving(answer: requests.Response) -> Iterator[bytes]:
    """Yield the bytes of an answer as they come, as the server sent them.

    A chunk that had to be full would be lost if the answer breaks off.
    """
    while chunk := answer.raw.read1(_CHUNK, decode_content=False):
        yield chunk


def small(chunks: Iterable[bytes], limit: int, name: str) -> bytes:
    """Return an answer of at most `limit` bytes. Raises `RegistryFailed`, also if it takes long."""
    content, begin = bytearray(), time.monotonic()
    for chunk in chunks:
        content += chunk
        if len(content) > limit:
            raise RegistryFailed(f"{name}: its registry sent more than {limit:,} bytes")
        if time.monotonic() - begin > SMALL_SECONDS:
            raise RegistryFailed(f"{name}: its registry is too slow. Try again later")
    return bytes(content)


class _Session(requests.Session):
    """A session that takes no password from netrc, and follows no redirect out of TLS."""

    def __init__(self, is_local: bool) -> None:
        super().__init__()
        self._is_local = is_local

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Keep a registry's credentials from another server."""
        url = str(prepared_request.url)
        if self.should_strip_auth(str(response.request.url), url):
            prepared_request.headers.pop("Authorization", None)
        if not url.startswith("https:") and not self._is_local:
            raise requests.exceptions.InvalidURL("it redirects to a server without TLS")


class _Adapter(HTTPAdapter):
    """Asks over TLS, checked against the certificates of this machine and of the registry."""

    def __init__(self, context: ssl.SSLContext, retries: Retry) -> None:
        self._context = context
        super().__init__(max_retries=retries)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool of connections with the certificates."""
        super().init_poolmanager(*args, **options, ssl_context=self._context)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Return the connections through a proxy, with the certificates."""
        return super().proxy_manager_for(*args, **options, ssl_context=self._context)


def _certificates(host: str) -> ssl.SSLContext:
    """Return what servers and clients are known by: of this machine, of users, of a registry."""
    context = ssl.create_default_context()
    for folder in _CERTIFICATES:
        for path in sorted((folder.expanduser() / host).glob("*")):
            try:
                if path.suffix == ".crt":
                    context.load_verify_locations(path)
                elif path.suffix == ".cert":
                    context.load_cert_chain(path, path.with_suffix(".key"))
            except (OSError, ssl.SSLError) as error:
                raise RegistryFailed(f"{path}: not a certificate ({error}). Remove it") from error
    return context


def _scheme(of: Reference, context: ssl.SSLContext, seconds: float) -> str:
    """Return `https`, or `http` for a registry on this machine that speaks no TLS."""
    if not of.is_local:
        return "https"
    host, _, port = of.host.partition(":")
    try:
        with (
            socket.create_connection((host, int(port or 443)), seconds) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return "https"
    except ssl.SSLCertVerificationError:
        # It speaks TLS; requests will say what is wrong.
        return "https"
    except OSError:
        return "http"


def _unreachable(of: Reference, error: requests.RequestException) -> RegistryFailed:
    """Return the error of a registry that gave no answer."""
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error):
        return RegistryFailed(
            f"{of.host}: its certificate is not trusted. Copy its CA to "
            f"{_CERTIFICATES[0]}/{of.host}/ca.crt, or set SSL_CERT_FILE"
        )
    return RegistryFailed(f"{of.host}: the registry {why(error)}. Check the name and the network")


def why(error: Exception) -> str:
    """Return what a failed request failed by, without its address, which may hold a token."""
    text = str(error)
    for known, words in _WHYS.items():
        if known in text or known in type(error).__name__:
            return words
    return f"cannot be reached ({type(error).__name__})"
