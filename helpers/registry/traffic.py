"""Requests to registries: few at once to each, and none while one asks to be left alone."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any

from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from helpers import progress
from helpers.errors import RegistryFailed
from helpers.text.i18n import t

AT_ONCE = 4
"""Requests to one registry at the same time, unless a user says otherwise."""

_FAILURES = 10
"""Requests that fail one after the other, after which a registry is given up."""

_TOLD_SECONDS = 1.0
"""Shorter waits are not told."""


class Traffic:
    """What is asked of registries at once, and which of them are to be left alone until when."""

    def __init__(self, at_once: int = AT_ONCE, longest_wait: float = 15.0) -> None:
        self.at_once = at_once
        self.longest_wait = longest_wait
        self._lock = Lock()
        self._places = defaultdict[str, BoundedSemaphore](lambda: BoundedSemaphore(at_once))
        self._until = defaultdict[str, float](float)
        self._failures = Counter[str]()
        self._given_up: dict[str, str] = {}

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Wait until a registry may be asked. Raises `RegistryFailed` for one that is given up."""
        with self._lock:
            place = self._places[host]
        with place:
            if why := self._given_up.get(host):
                raise RegistryFailed(why)
            time.sleep(max(self._until[host] - time.monotonic(), 0))
            yield

    def failed(self, host: str, error: RegistryFailed, is_final: bool = False) -> RegistryFailed:
        """Count a request that failed for good, and give the registry up after many in a row.

        Returns the error. `is_final` gives it up at once.
        """
        with self._lock:
            self._failures[host] += 1
            if is_final or self._failures[host] >= _FAILURES:
                self._given_up[host] = f"{error}. The kit did not ask it again in this run"
        return error

    def answered(self, host: str) -> None:
        """Count a request that did not fail."""
        self._failures[host] = 0

    def pause(self, host: str, seconds: float, status: int) -> None:
        """Leave a registry alone for a time, and say so once; `status` 0: it does not answer."""
        until = time.monotonic() + seconds
        with self._lock:
            is_new = until > self._until[host] + _TOLD_SECONDS / 2
            self._until[host] = max(until, self._until[host])
        if not is_new or seconds < _TOLD_SECONDS:
            return
        values = {"host": host, "status": status, "seconds": round(seconds)}
        if status:
            progress.tell(t("{host} returned {status}; retrying in {seconds} s", **values))
        else:
            progress.tell(t("{host} does not answer; retrying in {seconds} s", **values))


class Patience(Retry):
    """Asks a busy server again, and says how long it is waited for."""

    on_wait: Callable[[float, int], None] | None = None

    def new(self, **options: Any) -> "Patience":
        """Return the patience that is left."""
        left = super().new(**options)
        left.on_wait = self.on_wait
        return left

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait as long as the server asks for, else longer each time."""
        seconds = self.get_retry_after(response) if response else None
        seconds = seconds or self.get_backoff_time()
        if seconds <= 0:
            return
        if self.on_wait:
            self.on_wait(seconds, response.status if response else 0)
        time.sleep(seconds)
