"""A publisher's file: read from this machine, or fetched over TLS in the background."""

import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from helpers import given_file
from helpers.errors import ExploitationInvalid
from helpers.exploitation.publisher_file import MAX_BYTES, MAX_SOURCE, too_large
from helpers.images.reference import is_local
from helpers.registry.connections import DIRECT, arriving, connection, why

SECONDS = 60.0
"""Timeout for the whole file."""

_SILENT_SECONDS = 10.0
"""Timeouts for connecting and for the next bytes."""

_TOO_LATE = "its server does not answer in time"
_OR_A_FILE = "Check the address and the network, or pass a file"

T = TypeVar("T")


class Publication(Generic[T]):
    """A publisher's parsed file: local files at once, others when they arrive.

    `source` is the file's name, or the address without credentials and query. Raises
    `ExploitationInvalid` for a missing or invalid file, and for an address that is neither https
    nor on this machine.
    """

    def __init__(self, named: str, parse: Callable[[bytes, str], T]) -> None:
        self._parse = parse
        self._parsed: Future[T] = Future()
        if "://" in named:
            self.source = _checked(named)
            # A daemon thread: the program does not wait for it to connect.
            threading.Thread(target=self._fetch, args=(named,), daemon=True).start()
        else:
            path = Path(named)
            # An unknown user's name stays as it is.
            with suppress(RuntimeError):
                path = path.expanduser()
            self.source = path.name
            self._parsed.set_result(self._read(path))

    def parsed(self) -> T:
        """Return the file, once it has arrived. Raises `ExploitationInvalid` if it does not."""
        try:
            return self._parsed.result(SECONDS)
        except TimeoutError as error:
            raise _failed(self.source, _TOO_LATE) from error

    def _read(self, path: Path) -> T:
        content = given_file.read(path, MAX_BYTES, ExploitationInvalid)
        try:
            return self._parse(content, self.source)
        except ExploitationInvalid as error:
            raise ExploitationInvalid(path, error.problem, error.remedy) from error

    def _fetch(self, address: str) -> None:
        try:
            self._parsed.set_result(self._parse(fetched(address), self.source))
        except ExploitationInvalid as error:
            self._parsed.set_exception(error)
        except Exception as error:
            # Whatever a server sends must not stop the capture.
            problem = f"unexpected {type(error).__name__}"
            self._parsed.set_exception(_failed(self.source, problem))


def fetched(address: str) -> bytes:
    """Fetch the file at an address.

    Uses the environment's proxies and certificates. Raises `ExploitationInvalid` if the file does
    not arrive in time, is too large, or is not served over TLS.
    """
    source, begin = _checked(address), time.monotonic()
    session = connection(False, ssl.create_default_context(), Retry(0, read=False))
    content = bytearray()
    try:
        with session.get(
            address,
            # Otherwise the digest would be of a compressed copy.
            headers={"Accept-Encoding": "identity"},
            proxies=DIRECT if is_local(urlsplit(address).hostname or "") else None,
            timeout=_SILENT_SECONDS,
            stream=True,
        ) as answer:
            if answer.status_code != requests.codes.ok:
                raise _failed(source, f"its server returned {answer.status_code}")
            for chunk in arriving(answer):
                content += chunk
                if len(content) > MAX_BYTES:
                    raise too_large(source)
                if time.monotonic() - begin > SECONDS:
                    raise _failed(source, _TOO_LATE)
    except (requests.RequestException, HTTPError, OSError) as error:
        raise _failed(source, f"its server {why(error)}") from error
    return bytes(content)


def _checked(address: str) -> str:
    """Return an address without credentials and query. Raises `ExploitationInvalid`."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        # The invalid part may belong to its password.
        raise ExploitationInvalid("an address", "invalid", _OR_A_FILE) from None
    shown = f"[{host}]" if ":" in host else host
    source = f"{parts.scheme}://{shown}{port}{parts.path}"
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_local(host))):
        raise ExploitationInvalid(source, "not an https:// address", _OR_A_FILE)
    if len(source) > MAX_SOURCE:
        problem = f"longer than {MAX_SOURCE} characters"
        raise ExploitationInvalid("an address", problem, _OR_A_FILE)
    return source


def _failed(source: str, problem: str) -> ExploitationInvalid:
    return ExploitationInvalid(source, problem, _OR_A_FILE)
