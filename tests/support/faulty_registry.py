"""Servers on this machine for tests, first of all a registry that fails in every way that one can.

It is an HTTP server with one image, `app:1`. What it does wrong is said by `fault`.
"""

import hashlib
import http.server
import json
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.support import image_archives as images
from tests.support.registries import write_certificates

LAYER_BYTES = 3 * 2**20
_PIECE = 2**16


class Quiet(http.server.BaseHTTPRequestHandler):
    """Handles requests of one connection, and prints nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass


class Tokens:
    """A registry with TLS whose token server is at the same address.

    `asked` has the path and the `Authorization` of each request; `secret` is the token.
    """

    def __init__(self, ca: Path) -> None:
        self.ca = ca
        self.host = ""
        self.secret = "secret"
        self.asked: list[tuple[str, str | None]] = []


class Faulty:
    """A registry that serves an image of one layer, until `fault` is set, for `faulty_path`.

    `redirect` is another server that it redirects to. `fault` gets the handler and the layer's
    bytes to send; if it returns true, it has answered. `asked` has a path and the `Range` of each
    request, `methods` its method. Without `heads` it does not answer HEAD. The `cut`-th request is
    the last that it answers, by half. With `is_closed` it wants a token, from this server too.
    """

    def __init__(self) -> None:
        # Not compressible: the bytes of the layer are about as many as those of its file.
        noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(LAYER_BYTES // 32))
        tar = images.tar(images.file("app/noise", noise))
        self.layer = images.gzipped(tar)
        self.layer_path = f"/v2/app/blobs/{images.digest(self.layer)}"
        self.files = {"/v2/": b"{}"}
        self.add("app", "1", tar)
        self.redirect = ""
        self.faulty_path = self.layer_path
        self.fault: Callable[[http.server.BaseHTTPRequestHandler, bytes], bool] | None = None
        self.asked: list[tuple[str, str]] = []
        self.methods: list[tuple[str, str]] = []
        self.heads = True
        self.cut, self.is_closed = 0, False
        self.host = ""

    def add(self, name: str, tag: str, tar: bytes, **fields: Any) -> str:
        """Serve an image of one layer, with more fields in its config; return its id."""
        layer, config = images.gzipped(tar), images.config_of((tar,), **fields)
        kinds = "application/vnd.oci.image.config.v1+json", f"{images.LAYER}+gzip"
        about, described = (
            {"mediaType": kind, "digest": images.digest(content), "size": len(content)}
            for kind, content in zip(kinds, (config, layer), strict=True)
        )
        held = {"mediaType": images.MANIFEST, "config": about, "layers": [described]}
        manifest = json.dumps({"schemaVersion": 2, **held}).encode()
        for at in (tag, images.digest(manifest)):
            self.files[f"/v2/{name}/manifests/{at}"] = manifest
        for content in (config, layer):
            self.files[f"/v2/{name}/blobs/{images.digest(content)}"] = content
        return images.digest(config)

    @property
    def reference(self) -> str:
        return f"{self.host}/app:1"

    def ranges(self) -> list[str]:
        """From where the layer was asked for, each time."""
        return [start for path, start in self.asked if path == self.layer_path]


@contextmanager
def serving() -> Iterator[Faulty]:
    """Run a registry that can be made to fail."""
    registry = Faulty()

    class Asked(Quiet):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            registry.asked.append((self.path, wanted))
            registry.methods.append((self.command, self.path))
            if registry.cut and len(registry.asked) > registry.cut:
                self.close_connection = True
                return
            if registry.is_closed and not self.headers.get("Authorization"):
                if self.path.startswith("/token"):
                    self.send(b'{"token": "secret"}', 200)
                    return
                challenge = f'Bearer realm="http://{registry.host}/token",service="s"'
                self.send(b"", 401, WWW_Authenticate=challenge)
                return
            content = registry.files.get(self.path)
            if registry.redirect:
                answer(self, b"", 307, Location=registry.redirect + self.path)
                return
            if content is None:
                answer(self, b"", 404)
                return
            is_faulty = self.path == registry.faulty_path
            if is_faulty and registry.fault and registry.fault(self, content):
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            kind = "application/octet-stream"
            if "/manifests/" in self.path:
                kind = images.INDEX if b'"manifests"' in content else images.MANIFEST
            digest = {"Docker_Content_Digest": images.digest(content)} if registry.heads else {}
            self.send(content[start:], 206 if start else 200, Content_Type=kind, **digest)

        def send(self, content: bytes, status: int, **headers: str) -> None:
            if len(registry.asked) == registry.cut:
                truncated(at=len(content) // 2)(self, content)
            else:
                answer(self, content, status, **headers)

        def do_HEAD(self) -> None:
            if registry.heads:
                self.do_GET()
            else:
                answer(self, b"", 405)

    with running(Asked) as registry.host:
        yield registry


Handler = http.server.BaseHTTPRequestHandler
Fault = Callable[[Handler, bytes], bool]


def begin(handler: Handler, length: int, status: int = 200, **headers: str) -> None:
    """Send the head of an answer."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()


def answer(handler: Handler, content: bytes, status: int = 200, **headers: str) -> None:
    """Send an answer as it should be."""
    begin(handler, len(content), status, **headers)
    if handler.command != "HEAD":
        handler.wfile.write(content)


def some(times: int, fault: Callable[[Handler, bytes], object]) -> Fault:
    """Do something wrong, a number of times."""
    left = iter(range(times))

    def faulty(handler: Handler, content: bytes) -> bool:
        if next(left, None) is None:
            return False
        fault(handler, content)
        return True

    return faulty


def status(code: int, times: int = 10**6, **headers: str) -> Fault:
    """Answer with a status, a number of times."""
    return some(times, lambda handler, _: answer(handler, b"busy", code, **headers))


def other_bytes(handler: Handler, content: bytes) -> bool:
    """Send as many bytes, but other ones."""
    answer(handler, bytes(len(content)))
    return True


def truncated(times: int = 10**6, at: int = 2**20) -> Fault:
    """End each answer after some bytes, a number of times."""

    def fault(handler: Handler, content: bytes) -> None:
        wanted = handler.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        begin(handler, len(content) - start, 206 if start else 200)
        handler.wfile.write(content[start : start + at])
        handler.close_connection = True

    return some(times, fault)


def endless(handler: Handler, content: bytes) -> bool:
    """Send the layer, and go on until the other side hangs up."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(content)
    while True:
        handler.wfile.write(bytes(_PIECE))


def no_ranges(handler: Handler, content: bytes) -> bool:
    """Send all of it, whatever part was asked for."""
    answer(handler, content)
    return True


def slow(bytes_a_second: int, after: int = 0) -> Fault:
    """Send a first part at once, and the rest slowly."""

    def fault(handler: Handler, content: bytes) -> bool:
        begin(handler, len(content))
        handler.wfile.write(content[:after])
        handler.wfile.flush()
        for at in range(after, len(content)):
            handler.wfile.write(content[at : at + 1])
            handler.wfile.flush()
            time.sleep(1 / bytes_a_second)
        return True

    return fault


def reset(handler: Handler, content: bytes) -> bool:
    """Send a megabyte, then reset the connection."""
    begin(handler, len(content))
    handler.wfile.write(content[: 2**20])
    handler.wfile.flush()
    time.sleep(0.1)
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    os.close(handler.connection.detach())
    return True


@contextmanager
def with_tokens(folder: Path) -> Iterator[Tokens]:
    """Run a registry with TLS that wants a token for each request."""
    tokens, image = Tokens(write_certificates(folder)), Faulty()

    class Asked(Quiet):
        def do_GET(self) -> None:
            login = self.headers.get("Authorization")
            tokens.asked.append((self.path, login))
            if self.path.startswith("/token"):
                answer(self, json.dumps({"access_token": tokens.secret}).encode())
            elif login == f"Bearer {tokens.secret}":
                answer(self, image.files[self.path])
            else:
                realm = f"https://{tokens.host}/token"
                scope = "repository:app:pull"
                challenge = f'Bearer realm="{realm}",service="s,t",scope="{scope}"'
                answer(self, b"", 401, WWW_Authenticate=challenge)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            login = self.headers.get("Authorization")
            tokens.asked.append((f"/token POST refresh_token={form['refresh_token'][0]}", login))
            answer(self, json.dumps({"access_token": tokens.secret}).encode())

    with running(Asked, folder) as tokens.host:
        yield tokens


@contextmanager
def running(handler: Callable[..., Handler], certificates: Path | None = None) -> Iterator[str]:
    """Run a server while the block runs, with TLS if there are certificates; yields its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    # The kit may hang up early.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.daemon_threads = True
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "here.crt", certificates / "here.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
