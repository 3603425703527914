"""A registry of images on this machine, for tests."""

import io
import json
import shutil
import subprocess
import tarfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import trustme

from tests.support import image_archives as images
from tests.support import ports
from tests.support.live import unless_live

_DATABASE = "application/vnd.aquasec.trivy"

USER, PASSWORD = "me", "hunter2"
_HTPASSWD = "me:$2y$05$pZsrPhdnwJusFAl.xLwQiuKMmM6g7eliy9y9HizneCJD7nrffjOrG\n"
"""What `htpasswd -nbB me hunter2` prints."""


def auths(host: str, user: str = USER, password: str = PASSWORD) -> dict[str, Any]:
    """What Docker's configuration has of a login."""
    return {host: {"auth": b64encode(f"{user}:{password}".encode()).decode()}}


class Registry:
    """A registry on this machine that takes images; a secured one has its own CA and one user."""

    def __init__(self, port: int, ca: Path | None = None) -> None:
        self.host = f"localhost:{port}"
        self.ca = ca
        self._url = f"{'https' if ca else 'http'}://{self.host}"
        self._session = requests.Session()
        self._session.trust_env = False
        if ca:
            self._session.verify = str(ca)
            self._session.auth = (USER, PASSWORD)

    def blob(self, name: str, content: bytes) -> dict[str, Any]:
        """Push a blob and return its descriptor."""
        url = f"{self._url}/v2/{name}/blobs/uploads/"
        upload = self._session.post(url, timeout=10).headers["Location"]
        digest = images.digest(content)
        answer = self._session.put(upload, params={"digest": digest}, data=content, timeout=10)
        answer.raise_for_status()
        return {"digest": digest, "size": len(content)}

    def manifest(self, name: str, kind: str, tag: str = "", **fields: Any) -> dict[str, Any]:
        """Push a manifest and return its descriptor; with a tag, that leads to it too."""
        content = json.dumps({"schemaVersion": 2, "mediaType": kind, **fields}).encode()
        descriptor = {"mediaType": kind, "digest": images.digest(content), "size": len(content)}
        for at in filter(None, (descriptor["digest"], tag)):
            url, headers = f"{self._url}/v2/{name}/manifests/{at}", {"Content-Type": kind}
            self._session.put(url, content, headers=headers, timeout=10).raise_for_status()
        return descriptor

    def image(
        self, name: str, *layers: bytes, tag: str = "", **fields: Any
    ) -> tuple[dict[str, Any], str]:
        """Push an image, with more fields in its config; return its descriptor and id."""
        pushed = self.blob(name, images.config_of(layers, **fields))
        descriptors = [self.blob(name, images.gzipped(layer)) for layer in layers]
        kind = "application/vnd.oci.image.config.v1+json"
        manifest = self.manifest(
            name,
            images.MANIFEST,
            tag,
            config={"mediaType": kind, **pushed},
            layers=[{"mediaType": f"{images.LAYER}+gzip", **each} for each in descriptors],
        )
        return manifest, pushed["digest"]

    def index(self, name: str, *manifests: dict[str, Any]) -> str:
        """Push an index and return its reference."""
        index = self.manifest(name, images.INDEX, manifests=list(manifests))
        return f"{self.host}/{name}@{index['digest']}"

    def database(self, name: str, kind: str, folder: Path, file: str) -> str:
        """Push a DB in the form of Trivy's own, and return its reference by digest."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for each in (file, "metadata.json"):
                tar.add(folder / each, each)
        manifest = self.manifest(
            name,
            images.MANIFEST,
            config={"mediaType": f"{_DATABASE}.config.v1+json", **self.blob(name, b"{}")},
            layers=[
                {
                    "mediaType": f"{_DATABASE}.{kind}.layer.v1.tar+gzip",
                    "annotations": {"org.opencontainers.image.title": f"{kind}.tar.gz"},
                    **self.blob(name, packed.getvalue()),
                }
            ],
        )
        return f"{self.host}/{name}@{manifest['digest']}"

    def tag(self, name: str, tag: str, reference: str) -> str:
        """Give what was pushed a tag and return that reference."""
        url = f"{self._url}/v2/{name}/manifests/"
        accept = {"Accept": images.INDEX}
        pushed = self._session.get(url + reference.partition("@")[2], headers=accept, timeout=10)
        kind = {"Content-Type": images.INDEX}
        self._session.put(url + tag, pushed.content, headers=kind, timeout=10).raise_for_status()
        return f"{self.host}/{name}:{tag}"


@contextmanager
def serving(folder: Path, secured: bool = False) -> Iterator[Registry]:
    """Run a real registry that stores into a folder; a secured one over TLS, with `htpasswd`."""
    if not shutil.which("docker-registry"):
        unless_live("docker-registry is not installed")
    (folder / "config.yml").write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'store'}}}}}\n"
        f'http: {{addr: "127.0.0.1:0"{_tls(folder) if secured else ""}}}\n'
        + (f"auth: {{htpasswd: {{realm: here, path: {folder / 'htpasswd'}}}}}\n" if secured else "")
    )
    (folder / "htpasswd").write_text(_HTPASSWD)
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            ["docker-registry", "serve", folder / "config.yml"], stdout=log, stderr=log
        )
    try:
        yield Registry(ports.of(running, folder / "log"), folder / "ca.crt" if secured else None)
    finally:
        running.terminate()
        running.wait()


def _tls(folder: Path) -> str:
    """Write certificates; return what a registry's configuration says of them."""
    write_certificates(folder)
    return f", tls: {{certificate: {folder / 'here.crt'}, key: {folder / 'here.key'}}}"


def write_certificates(folder: Path) -> Path:
    """Write a CA, a certificate of this machine and its key; return the CA's file."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.crt")
    here = ca.issue_cert("localhost", "127.0.0.1")
    here.private_key_pem.write_to_path(folder / "here.key")
    here.cert_chain_pems[0].write_to_path(folder / "here.crt")
    return folder / "ca.crt"
