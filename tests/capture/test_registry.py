"""Layer sizes come from a registry's manifest, and nothing that a registry answers does harm."""

import http.server
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import docker
import pytest
import requests

from helpers import paths
from helpers.capture import registry
from helpers.capture.daemon import Daemon
from helpers.capture.session import capture
from helpers.studies import study
from helpers.studies.load import load_layers, load_study
from tests.support import image_archives as images
from tests.support.registries import Registry
from tests.support.studies import write_study

IMAGE = "rebuilt/alpine:3.23"
HERE = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
ELSEWHERE = {"amd64": "arm64", "arm64": "amd64"}[HERE]

ANY = "sha256:" + "0" * 64


class Pushed(NamedTuple):
    """An image that was pushed and then removed from the daemon."""

    name: str
    digest: str
    image_id: str
    sizes: list[int]


@pytest.fixture(scope="module")
def pushed(
    registry_here: Registry, daemon: Daemon, standins: list[str], tmp_path_factory
) -> Iterator[Pushed]:
    folder = tmp_path_factory.mktemp("pushed")
    name = f"{registry_here.host}/app:1"
    client = docker.from_env()
    (folder / "Dockerfile").write_text(f"FROM {IMAGE}\nCOPY Dockerfile /app/\n")
    image, _ = client.images.build(path=str(folder), tag=name)
    client.images.push(name)
    client.images.remove(name)
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    url = f"http://{registry_here.host}/v2/app/manifests/1"
    answer = requests.get(url, headers={"Accept": kind}, timeout=10)
    sizes = [layer["size"] for layer in answer.json()["layers"]]
    digest = f"{registry_here.host}/app@{images.digest(answer.content)}"
    yield Pushed(name, digest, image.id, sizes)
    if daemon.find(name):
        client.images.remove(name)


def test_sizes_are_those_of_the_manifest(pushed: Pushed) -> None:
    assert len(pushed.sizes) == 2
    assert registry.layer_sizes(pushed.digest, pushed.image_id, 2) == pushed.sizes


def test_another_image_or_none_has_no_sizes(pushed: Pushed) -> None:
    assert registry.layer_sizes(pushed.digest, ANY, 2) is None
    assert registry.layer_sizes(pushed.digest, pushed.image_id, 3) is None
    repository = pushed.digest.partition("@")[0]
    assert registry.layer_sizes(f"{repository}@{ANY}", pushed.image_id, 2) is None


def test_of_several_platforms_it_is_the_images(registry_here: Registry) -> None:
    mine, id_of_mine = registry_here.image("several", b"a" * 1000, b"b")
    other, id_of_other = registry_here.image("several", b"c" * 5000, b"d")
    build, _ = registry_here.image("several", b"e")
    reference = registry_here.index(
        "several",
        build | images.on_platform("unknown", "unknown"),
        build,
        other | images.on_platform(ELSEWHERE),
        mine | images.on_platform(HERE),
    )
    sizes = [len(images.gzipped(layer)) for layer in (b"a" * 1000, b"b")]
    assert registry.layer_sizes(reference, id_of_mine, 2) == sizes
    assert registry.layer_sizes(reference, id_of_other, 2) not in (None, sizes)
    assert registry.layer_sizes(reference, ANY, 2) is None


def test_a_study_of_an_image_elsewhere_has_the_sizes_of_its_registry(
    pushed: Pushed, daemon: Daemon, empty_data: Path, db: Path, trivy_on_path: None
) -> None:
    assert daemon.find(pushed.name) is None
    outcome = capture(
        write_study(empty_data, app=f'image = "{pushed.name}"\nbase = "{IMAGE}"'), db=db
    )
    assert outcome.failures == {}
    image, layers = load_study("mine").images.iloc[0], load_layers("mine")
    assert image["size_compressed_source"] == "registry"
    assert image["size_compressed_bytes"] == sum(pushed.sizes)
    assert layers["compressed_bytes"].tolist() == pushed.sizes
    assert layers["from_base"].tolist() == [True, False]
    assert image["image_id"] == pushed.image_id
    described = json.loads((outcome.folder / "app" / paths.IMAGE).read_text())
    assert described["digests"] == [pushed.digest]
    assert study.open_study("mine").facts().variants["app"].reference == pushed.name


class TestWhatARegistryMaySay:
    """Whatever it is, there are no sizes, no error, and no secret goes to anybody."""

    @pytest.fixture
    def asked(self) -> list[dict[str, str]]:
        """The headers of each request."""
        return []

    Serve = Callable[..., str]

    @pytest.fixture
    def serve(self, asked: list[dict[str, str]]) -> Iterator[Serve]:
        """Starts a server with one answer to every request; returns an image's reference there."""
        servers = []

        def serve(content: bytes, status: int = 200, **headers: str) -> str:
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    asked.append({"path": self.path, **self.headers})
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name.replace("_", "-"), value)
                    self.end_headers()
                    self.wfile.write(content)

                def log_message(self, *_: object) -> None:
                    pass

            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            # The kit may hang up early.
            server.handle_error = lambda *_: None
            servers.append(server)
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            return f"localhost:{server.server_address[1]}/app@{ANY}"

        yield serve
        for server in servers:
            server.shutdown()
            server.server_close()

    @pytest.fixture(autouse=True)
    def login(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Secrets for everything on this machine."""
        (tmp_path / "config.json").write_text(
            json.dumps({"auths": {"localhost": {"auth": "bWU6aHVudGVyMg=="}}})
        )
        (tmp_path / "netrc").write_text("machine localhost login me password hunter2\n")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        monkeypatch.setattr("helpers.capture.registry.credentials", lambda _: ("me", "hunter2"))

    def manifest(self, size: object = 5, **fields: object) -> bytes:
        config = {"digest": ANY, "size": 1}
        layers = [{"digest": ANY, "size": size}]
        return json.dumps({"config": config, "layers": layers, **fields}).encode()

    def test_a_manifest(self, serve: Serve, asked: list[dict[str, str]]) -> None:
        assert registry.layer_sizes(serve(self.manifest()), ANY, 1) == [5]
        assert "Authorization" not in asked[0]

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"<html>", b"{}", b"[" * 10**5),
            *(b'{"manifests": null}', b'{"manifests": ["x"]}', b'{"manifests": [{}]}'),
            *(b'{"config": {}, "layers": []}', b'{"config": [], "layers": 1}'),
        ],
    )
    def test_garbage(self, serve: Serve, content: bytes) -> None:
        assert registry.layer_sizes(serve(content), ANY, 1) is None

    @pytest.mark.parametrize("size", [-1, 1.5, "5", None, float("inf"), 10**30, [], True])
    def test_invalid_sizes(self, serve: Serve, size: object) -> None:
        assert registry.layer_sizes(serve(self.manifest(size)), ANY, 1) is None

    def test_an_index_of_itself(self, serve: Serve, asked: list[dict[str, str]]) -> None:
        image = {"digest": ANY, "size": 1}
        content = json.dumps({"manifests": [image] * 1000}).encode()
        assert registry.layer_sizes(serve(content), ANY, 1) is None
        assert len(asked) < 50

    def test_more_bytes_than_any_manifest(self, serve: Serve) -> None:
        content = self.manifest(more="x" * 2**23)
        assert registry.layer_sizes(serve(content), ANY, 1) is None

    def test_errors(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        assert registry.layer_sizes(serve(self.manifest(), 404), ANY, 1) is None
        assert registry.layer_sizes(serve(self.manifest(), 500), ANY, 1) is None
        assert registry.layer_sizes(f"localhost:9/app@{ANY}", ANY, 1) is None
        assert registry.layer_sizes(f"no.such.host.invalid/app@{ANY}", ANY, 1) is None
        monkeypatch.setattr(registry, "_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            reference = f"localhost:{silent.getsockname()[1]}/app@{ANY}"
            assert registry.layer_sizes(reference, ANY, 1) is None

    def test_a_token_server_that_is_not_safe_is_not_asked(
        self, serve: Serve, asked: list[dict[str, str]]
    ) -> None:
        thief = serve(b'{"token": "x"}').partition("/")[0]
        for challenge in (
            f'Bearer realm="http://{thief}/token",service="s"',
            f'Bearer realm="//{thief}/token"',
            f'Bearer realm="ftp://{thief}/token"',
            'Basic realm="here"',
            "Bearer",
            "",
        ):
            reference = serve(self.manifest(), 401, WWW_Authenticate=challenge)
            assert registry.layer_sizes(reference, ANY, 1) is None
        assert {request["path"] for request in asked} == {f"/v2/app/manifests/{ANY}"}
        assert not any("Authorization" in request for request in asked)

    def test_a_redirect_gets_no_secret(self, serve: Serve, asked: list[dict[str, str]]) -> None:
        there = serve(self.manifest()).partition("/")[0].replace("localhost", "127.0.0.1")
        reference = serve(b"", 307, Location=f"http://{there}/elsewhere")
        assert registry.layer_sizes(reference, ANY, 1) == [5]
        assert [request["path"] for request in asked][1:] == ["/elsewhere"]
        assert not any("Authorization" in request for request in asked)

    def test_a_registry_of_this_machine_is_asked_without_a_proxy(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, "http://localhost:9")
            monkeypatch.delenv(name.replace("HTTP", "NO").replace("http", "no"), raising=False)
        assert registry.layer_sizes(serve(self.manifest()), ANY, 1) == [5]


class Answer:
    """An answer as `requests` returns it."""

    def __init__(self, status: int, content: bytes, challenge: str = "") -> None:
        self.status_code, self._content = status, content
        self.headers = {"WWW-Authenticate": challenge} if challenge else {}

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def iter_content(self, _: int) -> list[bytes]:
        return [self._content]


@pytest.mark.parametrize(
    ("image", "url", "login"),
    [
        ("node", "https://registry-1.docker.io/v2/library/node", "docker.io"),
        ("docker.io/a/b", "https://registry-1.docker.io/v2/a/b", "docker.io"),
        ("r.example:1/a", "https://r.example:1/v2/a", "r.example:1"),
    ],
)
def test_a_challenge_is_answered_with_the_login_of_that_registry(
    monkeypatch: pytest.MonkeyPatch, image: str, url: str, login: str
) -> None:
    requested = []
    config = {"digest": ANY, "size": 1}
    manifest = json.dumps({"config": config, "layers": [config]}).encode()

    def get(asked: str, auth: Any, params: Any = None, **_: Any) -> Answer:
        request = requests.Request("GET", asked, params=params, auth=auth).prepare()
        requested.append((request.url, request.headers.get("Authorization")))
        if asked == "https://auth.example/token":
            return Answer(200, b'{"access_token": "secret"}')
        if "Authorization" in request.headers:
            return Answer(200, manifest)
        return Answer(401, b"", 'Bearer realm="https://auth.example/token",service="s,t"')

    monkeypatch.setattr(requests, "get", get)
    monkeypatch.setattr(registry, "credentials", lambda host: (host, "hunter2"))
    assert registry.layer_sizes(f"{image}@{ANY}", ANY, 1) == [1]
    basic = requests.auth._basic_auth_str(login, "hunter2")
    assert requested == [
        (f"{url}/manifests/{ANY}", None),
        ("https://auth.example/token?service=s%2Ct", basic),
        (f"{url}/manifests/{ANY}", "Bearer secret"),
    ]
