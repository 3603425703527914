"""Layer sizes come from a registry's manifest, and nothing that a registry answers does harm."""

import contextlib
import io
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import docker
import msgspec
import pytest
import requests

from helpers import paths
from helpers.capture import new_study
from helpers.capture.session import capture
from helpers.containers.daemon import Daemon
from helpers.errors import CaptureFailed, ImageNotFound, RegistryFailed
from helpers.images import oci, reference
from helpers.registry import connections, repository
from helpers.registry.image_cache import ImageCache
from helpers.registry.pull import pull
from helpers.studies import study
from helpers.studies.load import load_layers, load_study
from tests.support import faulty_registry
from tests.support import image_archives as images
from tests.support.faulty_registry import Faulty, Tokens
from tests.support.registries import PASSWORD, USER, Registry, auths
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
    assert repository.layer_sizes(reference, id_of_mine, 2) == sizes
    assert repository.layer_sizes(reference, id_of_other, 2) not in (None, sizes)
    assert repository.layer_sizes(reference, ANY, 2) is None


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
        with contextlib.ExitStack() as servers:

            def serve(content: bytes, status: int = 200, **headers: str) -> str:
                class Handler(faulty_registry.Quiet):
                    protocol_version = "HTTP/1.0"

                    def do_GET(self) -> None:
                        asked.append({"path": self.path, **self.headers})
                        self.send_response(status)
                        for name, value in headers.items():
                            self.send_header(name.replace("_", "-"), value)
                        self.end_headers()
                        self.wfile.write(content)

                host = servers.enter_context(faulty_registry.running(Handler))
                return f"{host}/app@{images.digest(content)}"

            yield serve

    @pytest.fixture(autouse=True)
    def login(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Secrets for everything on this machine."""
        (tmp_path / "config.json").write_text(
            json.dumps({"auths": {"localhost": {"auth": "bWU6aHVudGVyMg=="}}})
        )
        (tmp_path / "netrc").write_text("machine localhost login me password hunter2\n")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        monkeypatch.setattr("helpers.registry.login.credentials", lambda _: ("me", "hunter2"))

    def manifest(self, size: object = 5, **fields: object) -> bytes:
        config = {"digest": ANY, "size": 1}
        layers = [{"digest": ANY, "size": size}]
        return json.dumps({"config": config, "layers": layers, **fields}).encode()

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"<html>", b"{}", b"[" * 10**5),
            *(b'{"manifests": null}', b'{"manifests": ["x"]}', b'{"manifests": [{}]}'),
            *(b'{"config": {}, "layers": []}', b'{"config": [], "layers": 1}'),
        ],
    )
    def test_garbage(self, serve: Serve, content: bytes) -> None:
        assert repository.layer_sizes(serve(content), ANY, 1) is None

    @pytest.mark.parametrize("size", [-1, 1.5, "5", None, float("inf"), 10**30, [], True])
    def test_invalid_sizes(self, serve: Serve, size: object) -> None:
        assert repository.layer_sizes(serve(self.manifest(size)), ANY, 1) is None

    def test_an_index_of_itself(self, serve: Serve, asked: list[dict[str, str]]) -> None:
        image = {"digest": ANY, "size": 1}
        content = json.dumps({"manifests": [image] * 1000}).encode()
        assert repository.layer_sizes(serve(content), ANY, 1) is None
        assert len(asked) < 50

    def test_more_bytes_than_any_manifest(self, serve: Serve) -> None:
        content = self.manifest(more="x" * 2**23)
        assert repository.layer_sizes(serve(content), ANY, 1) is None

    def test_errors(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        assert repository.layer_sizes(serve(self.manifest(), 404), ANY, 1) is None
        assert repository.layer_sizes(serve(self.manifest(), 500), ANY, 1) is None
        assert repository.layer_sizes(f"localhost:9/app@{ANY}", ANY, 1) is None
        assert repository.layer_sizes(f"no.such.host.invalid/app@{ANY}", ANY, 1) is None
        monkeypatch.setattr(repository, "_BRIEF_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            reference = f"localhost:{silent.getsockname()[1]}/app@{ANY}"
            assert repository.layer_sizes(reference, ANY, 1) is None

    def test_a_token_server_that_is_not_safe_is_not_asked(
        self, serve: Serve, asked: list[dict[str, str]]
    ) -> None:
        thief = serve(b'{"token": "x"}').partition("/")[0]
        for challenge in (
            f'Bearer realm="http://{thief}/token",service="s"',
            f'Bearer realm="//{thief}/token"',
            f'Bearer realm="ftp://{thief}/token"',
            "Bearer",
            "",
        ):
            reference = serve(self.manifest(), 401, WWW_Authenticate=challenge)
            assert repository.layer_sizes(reference, ANY, 1) is None
        path = f"/v2/app/manifests/{images.digest(self.manifest())}"
        assert {request["path"] for request in asked} == {path}
        assert not any("Authorization" in request for request in asked)

    def test_a_redirect_gets_no_secret(self, serve: Serve, asked: list[dict[str, str]]) -> None:
        here, _, name = serve(self.manifest()).partition("/")
        there = here.replace("localhost", "127.0.0.1")
        redirecting = serve(b"", 307, Location=f"http://{there}/elsewhere").partition("/")[0]
        assert repository.layer_sizes(f"{redirecting}/{name}", ANY, 1) == [5]
        assert [request["path"] for request in asked][1:] == ["/elsewhere"]
        assert not any("Authorization" in request for request in asked)

    def test_a_registry_of_this_machine_is_asked_without_a_proxy(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, "http://localhost:9")
            monkeypatch.delenv(name.replace("HTTP", "NO").replace("http", "no"), raising=False)
        assert repository.layer_sizes(serve(self.manifest()), ANY, 1) == [5]


class TestARegistryWithTlsAndPasswords:
    """A real registry with a private CA and htpasswd."""

    @pytest.fixture(autouse=True)
    def trusted(self, registry_secured: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(registry_secured.ca))

    @pytest.fixture
    def reference_there(self, registry_secured: Registry) -> str:
        manifest, _ = registry_secured.image("app", b"a" * 1000)
        return f"{registry_secured.host}/app@{manifest['digest']}"

    def test_a_credential_helper_opens_it(
        self,
        registry_secured: Registry,
        reference_there: str,
        as_user: Callable[..., None],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        helper = tmp_path / "docker-credential-test"
        helper.write_text(
            f'#!/bin/sh\nread host\ntest "$host" = "{registry_secured.host}" || exit 1\n'
            f'echo \'{{"Username": "{USER}", "Secret": "{PASSWORD}"}}\'\n'
        )
        helper.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        as_user(credHelpers={registry_secured.host: "test"})
        assert find(reference_there).layers
        as_user(credsStore="none-such")
        with pytest.raises(ImageNotFound, match="credential helper failed"):
            find(reference_there)

    @pytest.mark.parametrize("login", [{}, {"password": "wrong"}])
    def test_without_the_right_login_it_is_refused(
        self,
        registry_secured: Registry,
        reference_there: str,
        as_user: Callable[..., None],
        login: dict[str, str],
    ) -> None:
        as_user(auths=auths(registry_secured.host, **login) if login else {})
        with pytest.raises(ImageNotFound, match=f"docker login {registry_secured.host}"):
            find(reference_there)

    def test_a_ca_may_be_where_docker_has_it(
        self,
        registry_secured: Registry,
        reference_there: str,
        as_user: Callable[..., None],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        as_user(auths=auths(registry_secured.host))
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(RegistryFailed, match="certificate is not trusted"):
            find(reference_there)
        folder = tmp_path / "certs.d" / registry_secured.host
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_bytes((registry_secured.ca or Path()).read_bytes())
        monkeypatch.setattr(connections, "_CERTIFICATES", (tmp_path / "certs.d",))
        assert find(reference_there).layers

    @pytest.fixture
    def no_daemon(
        self,
        registry_secured: Registry,
        as_user: Callable[..., None],
        trivy_on_path: None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A user with a login and Trivy, and without a Docker daemon."""
        as_user(auths=auths(registry_secured.host))
        monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")

    def test_a_study_has_its_images_without_a_daemon(
        self, registry_secured: Registry, no_daemon: None, empty_data: Path, db: Path
    ) -> None:
        file = images.tar(images.file("etc/alpine-release", b"3.23.0\n"))
        registry_secured.image("one", file, tag="1")
        registry_secured.image("two", file, images.tar(images.file("b", b"b")), tag="1")
        host = registry_secured.host
        name = new_study.make_study([f"{host}/one:1", f"{host}/two:1"])
        outcome = capture(name, db=db)
        assert outcome.failures == {}
        found = load_study(name).images.set_index("variant")
        assert found["layers"].to_dict() == {"one-1": 1, "two-1": 2}
        assert set(found["size_compressed_source"]) == {"registry"}
        assert not any(PASSWORD in path.read_text(errors="replace") for path in _files(empty_data))
        kept = empty_data / "cache" / "images" / "sha256"
        assert (kept / images.digest(images.gzipped(file))[7:]).stat().st_nlink == 1
        assert capture(name, db=db).unchanged

    def test_without_a_scanner_too_and_the_lack_is_named(
        self,
        registry_secured: Registry,
        no_daemon: None,
        empty_data: Path,
        db: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        release = images.file("etc/os-release", b'ID=alpine\nVERSION_ID="3.23.0"\n')
        installed = images.file("lib/apk/db/installed", b"P:musl\nV:1.2.5-r9\nA:x86_64\n\n")
        root = images.tar(release, images.file("etc/alpine-release", b"3.23.0\n"), installed)
        registry_secured.image("bare", root, tag="1")
        name = new_study.make_study([f"{registry_secured.host}/bare:1"], "bare")
        path = os.environ["PATH"]
        monkeypatch.setenv("PATH", "/usr/bin:/bin")
        outcome = capture(name, db=db)
        assert "brew install trivy" in outcome.not_scanned
        image = load_study(name).images.iloc[0]
        assert (image["status"], image["layers"]) == ("not-scanned", 1)
        assert image["reason"] == outcome.not_scanned
        assert capture(name, db=db).unchanged
        monkeypatch.setenv("PATH", path)
        assert capture(name, db=db).not_scanned == ""
        assert load_study(name).images["status"].tolist() == ["scanned"]


def test_where_a_reference_is_found_can_be_said(
    registry_here: Registry,
    daemon: Daemon,
    client: docker.DockerClient,
    empty_data: Path,
    db: Path,
    trivy_on_path: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"{registry_here.host}/both:1"
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    on_daemon, _ = client.images.build(path=str(tmp_path), tag=name)
    _, in_registry = registry_here.image("both", images.tar(images.file("a", b"a")), tag="1")
    study_name = new_study.make_study([name], "both")
    try:
        found = {}
        for place in ("", "daemon", "registry"):
            capture(study_name, db=db, images_from=place)
            found[place] = load_study(study_name).images["image_id"].iloc[0]
        assert found == {"": on_daemon.id, "daemon": on_daemon.id, "registry": in_registry}
    finally:
        client.images.remove(name, force=True)
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    with pytest.raises(CaptureFailed, match="no Docker daemon answers"):
        capture(study_name, db=db, images_from="daemon")


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def find(text: str, platform: str = "") -> repository.Found:
    return repository.Repository(reference.parse(text)).find(oci.parse(platform))


class TestATokenServer:
    """A registry and its token server on this machine, both over TLS."""

    @pytest.fixture
    def tokens(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tokens]:
        with faulty_registry.with_tokens(tmp_path) as running:
            monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
            monkeypatch.setenv("SSL_CERT_FILE", str(running.ca))
            yield running

    def test_a_challenge_is_answered_with_the_login_of_that_registry(
        self, tokens: Tokens, as_user: Callable[..., None]
    ) -> None:
        as_user(auths=auths(tokens.host) | auths("docker.io", "other", "hub"))
        find(f"{tokens.host}/app:1")
        basic = requests.auth._basic_auth_str(USER, PASSWORD)
        assert [header for _, header in tokens.asked][:3] == [None, basic, "Bearer secret"]
        assert tokens.asked[1][0] == "/token?service=s%2Ct&scope=repository%3Aapp%3Apull"

    def test_an_identity_token_is_exchanged(
        self, tokens: Tokens, as_user: Callable[..., None]
    ) -> None:
        as_user(auths={tokens.host: {"auth": "", "identitytoken": "identity"}})
        find(f"{tokens.host}/app:1")
        assert ("/token POST refresh_token=identity", None) in tokens.asked

    def test_whom_a_registry_redirects_to_gets_no_login(
        self, tokens: Tokens, as_user: Callable[..., None]
    ) -> None:
        with faulty_registry.serving() as registry_that_redirects:
            host = registry_that_redirects.host
            registry_that_redirects.redirect = f"https://{tokens.host}"
            as_user(auths=auths(host) | auths(tokens.host))
            with pytest.raises(ImageNotFound, match="denies access"):
                find(f"{host}/app:1")
        assert [login for _, login in tokens.asked] == [None]

    def test_a_token_that_has_ended_is_renewed(self, tokens: Tokens) -> None:
        repo = repository.Repository(reference.parse(f"{tokens.host}/app:1"))
        found = repo.find()
        tokens.secret = "another"
        with repo.blob(found.layers[0].digest, 0) as (_, chunks):
            assert b"".join(chunks)


class TestAHostileRegistry:
    """What it says is no path, no size and no command."""

    @pytest.fixture
    def served(self) -> Iterator[Faulty]:
        with faulty_registry.serving() as running:
            yield running

    def index(self, served: Faulty, digest: str) -> None:
        """Make it answer with an index whose image has a digest."""
        here = {"os": "linux", "architecture": HERE}
        image = {"digest": digest, "size": 5, "platform": here}
        served.files["/v2/app/manifests/1"] = json.dumps({"manifests": [image]}).encode()

    def test_a_digest_is_no_path(self, served: Faulty, tmp_path: Path) -> None:
        manifest = served.files["/v2/app/manifests/1"]
        for digest in (str(tmp_path / "written"), "../x", "sha256:../x", "SHA256:" + "0" * 64):
            self.index(served, digest)
            served.files[f"/v2/app/manifests/{digest}"] = manifest
            with pytest.raises(RegistryFailed, match="unsupported digest"):
                find(served.reference)

    def test_words_of_a_registry_make_no_lines(self, served: Faulty) -> None:
        self.index(served, ANY)
        index = json.loads(served.files["/v2/app/manifests/1"])
        for odd in ("x\nError: forged", "x" * 500, "\x1b[31m"):
            platform = {"os": "linux", "architecture": odd}
            index["manifests"] = [index["manifests"][0] | {"platform": platform}] * 2
            served.files["/v2/app/manifests/1"] = json.dumps(index).encode()
            with pytest.raises(ImageNotFound) as failed:
                find(served.reference)
            assert len(str(failed.value)) < 200
            assert str(failed.value).isprintable()

    def test_a_manifest_that_drips_is_given_up(
        self, served: Faulty, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections, "SMALL_SECONDS", 0.3)
        served.faulty_path, served.fault = "/v2/app/manifests/1", faulty_registry.slow(20)
        with pytest.raises(RegistryFailed, match="too slow"):
            find(served.reference)

    def test_a_size_that_is_not_the_files_is_refused_also_from_the_cache(
        self, served: Faulty, tmp_path: Path
    ) -> None:
        cache = ImageCache(tmp_path / "cache")
        found = find(served.reference)
        for number, size in enumerate((len(served.layer), 0, 2**50)):
            layers = [msgspec.structs.replace(found.layers[0], size=size)]
            place = tmp_path / str(number)
            place.mkdir()
            if number:
                with pytest.raises(RegistryFailed, match="but it has"):
                    pull(found._replace(layers=layers), cache, place)
            else:
                pull(found, cache, place)


@pytest.mark.parametrize(
    ("image", "url", "login"),
    [
        ("node", "https://registry-1.docker.io/v2/library/node", "docker.io"),
        ("docker.io/a/b", "https://registry-1.docker.io/v2/a/b", "docker.io"),
        ("r.example:1/a", "https://r.example:1/v2/a", "r.example:1"),
    ],
)
def test_the_server_and_the_login_of_a_reference(
    monkeypatch: pytest.MonkeyPatch, image: str, url: str, login: str
) -> None:
    requested, logins = [], []

    def ask(_: object, __: str, asked: str, **___: Any) -> requests.Response:
        requested.append(asked)
        answer = requests.Response()
        answer.status_code, answer.raw = 401, io.BytesIO()
        answer.headers["WWW-Authenticate"] = "Basic"
        return answer

    monkeypatch.setattr(requests.Session, "request", ask)
    monkeypatch.setattr("helpers.registry.login.credentials", logins.append)
    with pytest.raises(ImageNotFound):
        find(image)
    assert requested == [f"{url}/manifests/latest"] * 2
    assert logins == [login]


def test_no_credentials_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    session = connections._Session(is_local=False)
    asked = requests.Request("GET", "https://r.example/v2/a", headers={"Authorization": "x"})
    redirect, answer = asked.prepare(), requests.Response()
    answer.request = asked.prepare()
    redirect.url = "http://r.example/v2/a"
    with pytest.raises(requests.exceptions.InvalidURL):
        session.rebuild_auth(redirect, answer)
    redirect.url = "https://elsewhere.example/v2/a"
    session.rebuild_auth(redirect, answer)
    assert "Authorization" not in redirect.headers


class TestPlatforms:
    """An index is resolved to a platform."""

    @pytest.fixture
    def several(self, registry_here: Registry) -> str:
        made = {
            "linux/amd64": registry_here.image("cpus", b"a")[0],
            "linux/arm64": registry_here.image("cpus", b"a", architecture="arm64")[0],
        }
        descriptors = [
            descriptor | images.on_platform(platform.partition("/")[2])
            for platform, descriptor in made.items()
        ]
        return registry_here.index("cpus", *descriptors)

    @pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64", "arm64", "linux/arm64/v8"])
    def test_an_index_is_resolved(self, several: str, platform: str) -> None:
        found = find(several, platform)
        assert found.digest == several.partition("@")[2] != found.manifest_digest
        config = json.loads(found.raw_config)
        assert config["architecture"] == ("amd64" if "amd64" in platform else "arm64")

    def test_without_one_it_is_this_machines(self, several: str) -> None:
        assert json.loads(find(several).raw_config)["architecture"] == HERE

    def test_what_there_is_not_is_said(self, several: str, registry_here: Registry) -> None:
        with pytest.raises(ImageNotFound, match=r"s390x; available: linux/amd64, linux/arm64"):
            find(several, "linux/s390x")
        single, _ = registry_here.image("single", b"a")
        with pytest.raises(ImageNotFound, match="not for linux/arm64"):
            find(f"{registry_here.host}/single@{single['digest']}", "linux/arm64")
