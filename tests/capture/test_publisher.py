"""Files of publishers: of this machine or over TLS, in a bounded time and a bounded size."""

import gzip
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.capture import publisher
from helpers.capture.publisher import Publication
from helpers.errors import ExploitationInvalid
from helpers.exploitation import epss
from tests.support import faulty_registry, publishers
from tests.support.faulty_registry import Handler, answer
from tests.support.publishers import Publisher

FILE = gzip.compress(publishers.epss("CVE-2023-4911,0.5,0.9"))
PATH = "/epss_scores-current.csv.gz"


@pytest.fixture
def here() -> Iterator[Publisher]:
    """A publisher on this machine, without TLS."""
    with publishers.serving() as running:
        running.files[PATH] = FILE
        yield running


@pytest.fixture
def secured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """A publisher on this machine, with TLS and a certificate that is trusted."""
    with publishers.serving(tmp_path) as running:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(running.ca))
        running.files[PATH] = FILE
        yield running


def of(named: object) -> epss.Epss:
    """What a file of EPSS has of one id."""
    return Publication(str(named), epss.parse).parsed().of({"CVE-2023-4911"})


def refused(named: object) -> str:
    with pytest.raises(ExploitationInvalid) as caught:
        of(named)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read (No such file or directory)"),
        (..., "cannot be read (Is a directory)"),
        (b"", "empty"),
        (b"<html>", "no EPSS scores"),
    ],
)
def test_a_file_that_is_none_is_named_as_the_user_did(tmp_path: Path, content, problem) -> None:
    path = tmp_path / "there" / "epss.csv"
    path.parent.mkdir()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is ...:
        path.mkdir()
    assert refused(path).startswith(f"{path}: {problem}")


def test_a_file_that_is_too_large_or_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    large, pipe = tmp_path / "large", tmp_path / "pipe"
    with large.open("wb") as file:
        file.truncate(2**40)
    os.mkfifo(pipe)
    for path, problem in ((large, "more than"), (pipe, "not a regular file")):
        assert f"{path}: {problem}" in refused(path)
    assert "not a regular file" in refused("/dev/zero")


def test_an_address_is_recorded_without_credentials_and_query(here: Publisher) -> None:
    found = of(here.address().replace("http://", "http://me:hunter2@") + "?token=hunter2#hunter2")
    assert found.source == f"http://{here.host}{PATH}"
    assert found.scores == {"CVE-2023-4911": (0.5, 0.9)}
    assert here.asked == [(f"{PATH}?token=hunter2", "Basic bWU6aHVudGVyMg==")]
    assert "hunter2" not in refused(f"http://me:hunter2@{here.host}/none?token=hunter2")
    assert "hunter2" not in refused("http://me:hunter2@example.org/none?token=hunter2")
    assert "hunter2" not in refused("https://me:hunter2@[x/none?token=hunter2")
    assert "hunt" not in refused("https://me:hunt/er2@example.org/none")


@pytest.mark.parametrize(
    "address",
    [
        *(
            "http://first.org/x",
            "ftp://localhost/x",
            "file:///etc/passwd",
            "https://",
            "https:///x",
        ),
        *("http://localhost.example.org/x", "https://localhost:x/", "://x"),
    ],
)
def test_only_tls_and_this_machine_are_asked(address: str) -> None:
    assert "Check the address and the network, or pass a file" in refused(address)


def test_over_tls_with_a_certificate_that_is_trusted(
    secured: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of(secured.address()).scores
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "its server has a certificate that is not trusted" in refused(secured.address())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secured.ca))
    assert of(secured.address()).scores


def test_redirects_are_followed_over_tls_alone(
    secured: Publisher, here: Publisher, tmp_path: Path
) -> None:
    def to(address: str) -> Callable[[Handler], None]:
        return lambda handler: answer(handler, b"", 302, Location=address)

    secured.files["/current"] = to(PATH)
    assert of(secured.address("/current")).source == secured.address("/current")
    secured.files["/out"] = to(here.address())
    here.files["/on"] = to(here.address())
    for address in (secured.address("/out"), here.address("/on")):
        assert "its server redirects to a server without TLS" in refused(address)
    assert [path for path, _ in here.asked] == ["/on"]
    secured.files["/round"] = to("/round")
    assert "its server redirects too often" in refused(secured.address("/round"))


def test_proxies_are_those_of_the_environment_but_not_to_this_machine(
    here: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://localhost:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert of(here.address()).scores
    assert "its server cannot be reached through the proxy" in refused("https://first.example/x")


def silent(_: Handler) -> None:
    time.sleep(2)


def cut_off(handler: Handler) -> None:
    faulty_registry.truncated(at=20)(handler, FILE)


def slow(handler: Handler) -> None:
    faulty_registry.slow(20)(handler, FILE)


def endless(handler: Handler) -> None:
    faulty_registry.endless(handler, FILE)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "its server returned 404"),
        (lambda handler: answer(handler, b"", 503, Retry_After="3600"), "its server returned 503"),
        (lambda handler: answer(handler, FILE, 206), "its server returned 206"),
        (b"", "empty"),
        (FILE[:-9], "gzip that is cut off"),
        (cut_off, "its server ended too early"),
        (silent, "its server does not answer in time"),
        (slow, "its server does not answer in time"),
        (endless, "more than 1,000,000 bytes"),
    ],
)
def test_what_a_server_may_do(
    here: Publisher, monkeypatch: pytest.MonkeyPatch, content, problem: str
) -> None:
    monkeypatch.setattr(publisher, "SECONDS", 1.0)
    monkeypatch.setattr(publisher, "_SILENT_SECONDS", 0.3)
    monkeypatch.setattr(publisher, "MAX_BYTES", 1_000_000)
    monkeypatch.setattr("helpers.exploitation.publisher_file.MAX_BYTES", 1_000_000)
    here.files = {} if content is None else {PATH: content}
    begin = time.monotonic()
    assert f"{here.address()}: {problem}" in refused(here.address())
    assert time.monotonic() - begin < 15


def test_nobody_waits_longer_for_a_server_that_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Looking up a name has no limit of its own."""
    monkeypatch.setattr(publisher, "SECONDS", 0.2)
    is_over = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: is_over.wait(40))
    begin = time.monotonic()
    assert "its server does not answer in time" in refused("https://first.example/x")
    assert time.monotonic() - begin < 30
    is_over.set()
