"""A registry of images on this machine, for tests."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import unless_live
from tests.support import image_archives as images


class Registry:
    """A registry on this machine that takes images."""

    def __init__(self, port: int) -> None:
        self.host = f"localhost:{port}"

    def blob(self, name: str, content: bytes) -> dict[str, Any]:
        """Push a blob and return its descriptor."""
        url = f"http://{self.host}/v2/{name}/blobs/uploads/"
        upload = requests.post(url, timeout=10).headers["Location"]
        digest = images.digest(content)
        requests.put(upload, params={"digest": digest}, data=content, timeout=10).raise_for_status()
        return {"digest": digest, "size": len(content)}

    def manifest(self, name: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Push a manifest and return its descriptor."""
        content = json.dumps({"schemaVersion": 2, "mediaType": kind, **fields}).encode()
        descriptor = {"mediaType": kind, "digest": images.digest(content), "size": len(content)}
        url = f"http://{self.host}/v2/{name}/manifests/{descriptor['digest']}"
        requests.put(url, content, headers={"Content-Type": kind}, timeout=10).raise_for_status()
        return descriptor

    def image(self, name: str, *layers: bytes, **fields: Any) -> tuple[dict[str, Any], str]:
        """Push an image, with more fields in its config; return its descriptor and id."""
        config = self.blob(name, images.config_of(layers, **fields))
        descriptors = [self.blob(name, images.gzipped(layer)) for layer in layers]
        kind = "application/vnd.oci.image.config.v1+json"
        manifest = self.manifest(
            name,
            images.MANIFEST,
            config={"mediaType": kind, **config},
            layers=[{"mediaType": f"{images.LAYER}+gzip", **each} for each in descriptors],
        )
        return manifest, config["digest"]

    def index(self, name: str, *manifests: dict[str, Any]) -> str:
        """Push an index and return its reference."""
        index = self.manifest(name, images.INDEX, manifests=list(manifests))
        return f"{self.host}/{name}@{index['digest']}"

    def tag(self, name: str, tag: str, reference: str) -> str:
        """Give what was pushed a tag and return that reference."""
        url = f"http://{self.host}/v2/{name}/manifests/"
        accept = {"Accept": images.INDEX}
        pushed = requests.get(url + reference.partition("@")[2], headers=accept, timeout=10)
        kind = {"Content-Type": images.INDEX}
        requests.put(url + tag, pushed.content, headers=kind, timeout=10).raise_for_status()
        return f"{self.host}/{name}:{tag}"


@contextmanager
def serving(folder: Path) -> Iterator[Registry]:
    """Run a real registry that stores into a folder."""
    if not shutil.which("docker-registry"):
        unless_live("docker-registry is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "config.yml").write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'store'}}}}}\n"
        f'http: {{addr: "127.0.0.1:{port}"}}\n'
    )
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            ["docker-registry", "serve", folder / "config.yml"], stdout=log, stderr=log
        )
    try:
        for _ in range(100):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            pytest.fail((folder / "log").read_text())
        yield Registry(port)
    finally:
        running.terminate()
        running.wait()
