"""A registry on this machine that fails in every way that one can, for tests.

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
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": images.MANIFEST,
                "config": {
                    "mediaType": "application/vnd.oci.image.config.v1+json",
                    "digest": images.digest(config),
                    "size": len(config),
                },
                "layers": [
                    {
                        "mediaType": f"{images.LAYER}+gzip",
                        "digest": images.digest(layer),
                        "size": len(layer),
                    }
                ],
            }
        ).encode()
        self.files |= {
            f"/v2/{name}/manifests/{tag}": manifest,
            f"/v2/{name}/manifests/{images.digest(manifest)}": manifest,
            f"/v2/{name}/blobs/{images.digest(config)}": config,
            f"/v2/{name}/blobs/{images.digest(layer)}": layer,
        }
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

    class Asked(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

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

        def log_message(self, *_: object) -> None:
            pass

    with running(Asked) as server:
        registry.host = f"localhost:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield registry


Handler = http.server.BaseHTTPRequestHandler


def answer(handler: Handler, content: bytes, status: int = 200, **headers: str) -> None:
    """Send an answer as it should be."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content)


def status(code: int, times: int = 10**6, **headers: str) -> Callable[[Handler, bytes], bool]:
    """Answer with a status, a number of times."""
    left = [times]

    def fault(handler: Handler, _: bytes) -> bool:
        left[0] -= 1
        if left[0] < 0:
            return False
        answer(handler, b"busy", code, **headers)
        return True

    return fault


def other_bytes(handler: Handler, content: bytes) -> bool:
    """Send as many bytes, but other ones."""
    answer(handler, bytes(len(content)))
    return True


def truncated(times: int = 10**6, at: int = 2**20) -> Callable[[Handler, bytes], bool]:
    """End each answer after some bytes, a number of times."""
    left = [times]

    def fault(handler: Handler, content: bytes) -> bool:
        left[0] -= 1
        if left[0] < 0:
            return False
        wanted = handler.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        handler.wfile.write(content[start : start + at])
        handler.close_connection = True
        return True

    return fault


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


def slow(bytes_a_second: int, after: int = 0) -> Callable[[Handler, bytes], bool]:
    """Send a first part at once, and the rest slowly."""

    def fault(handler: Handler, content: bytes) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
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
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
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

    class Asked(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

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

        def log_message(self, *_: object) -> None:
            pass

    with running(Asked) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "here.crt", folder / "here.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        tokens.host = f"localhost:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield tokens


@contextmanager
def running(handler: type[Handler]) -> Iterator[http.server.ThreadingHTTPServer]:
    """Yield a server that is closed at the end."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    # The kit may hang up early.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.daemon_threads = True
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
