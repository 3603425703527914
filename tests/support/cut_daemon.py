"""A stand-in for a Docker daemon that has one image, and is cut at a request."""

import json
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.support.faulty_registry import Quiet

IMAGE = "cut/app:1"

OLD = "sha256:" + "0" * 64
"""The image that a build replaces, if the daemon has one."""

_CONTAINER = {
    "Id": "c" * 64,
    "Image": IMAGE,
    "Config": {"Labels": {}, "Tty": False},
    "State": {"Status": "exited", "ExitCode": 1, "Pid": 0},
    "NetworkSettings": {"Networks": {}},
}
_STEPS = [{"stream": "Step 1/1 : FROM scratch\n"}, {"stream": " ---> 1\n"}]


class CutDaemon(socketserver.ThreadingUnixStreamServer):
    """Answers what a capture asks; the `cut`-th request is the last that it answers, by half.

    With `replaced` it has an image of the name that a build takes; `names` are the other ones of
    that, which goes with the last. `asked` are the requests, `left` the numbers of containers and
    networks that were not removed. `on_build` is called in the middle of a build.
    """

    daemon_threads = True

    def __init__(self, path: Path, archive: bytes, image_id: str) -> None:
        self.archive, self.image_id = archive, image_id
        self.asked: list[str] = []
        self.left = {"containers": 0, "networks": 0}
        self.cut = 0
        self.replaced, self.names = False, list[str]()
        self.on_build: Callable[[], object] = lambda: None
        super().__init__(str(path), _Handler)

    def reply(self, method: str, path: str) -> tuple[int, bytes | list[dict[str, Any]]]:
        """Return status and content of an answer; a list is sent in chunks."""
        found = re.sub(r"^/v[\d.]+", "", path.partition("?")[0])
        kind = found.split("/")[1]
        if kind == "images" and method == "DELETE":
            self.names.remove(found.removeprefix("/images/"))
            return self.json([])
        if kind == "images" and found.endswith("/tag"):
            given = parse_qs(path.partition("?")[2])
            self.names.append(f"{given['repo'][0]}:{given['tag'][0]}")
            return 201, b""
        if method == "DELETE":
            self.left[kind] -= 1
            return 204, b""
        match found:
            case "/version":
                return self.json(
                    {"Version": "1", "ApiVersion": "1.45", "Os": "linux", "Arch": "amd64"}
                )
            case "/info":
                return self.json({"Driver": "overlay2", "DriverStatus": []})
            case "/containers/json":
                return self.json([])
            case "/images/json":
                return self.json([{"Id": OLD, "RepoTags": self.names}])
            case "/volumes":
                return self.json({"Volumes": []})
            case "/networks":
                return self.json([])
            case "/build":
                self.on_build()
                return 200, [*_STEPS, {"aux": {"ID": self.image_id}}]
            case "/containers/create" | "/networks/create":
                self.left[kind] += 1
                return self.json({"Id": "c" * 64, "Name": "n"}, 201)
        if found.endswith("/get"):
            return 200, self.archive
        if found.endswith("/logs"):
            return 200, b""
        if found.endswith("/wait"):
            return self.json({"StatusCode": 1})
        if found.endswith(("/start", "/kill")):
            return 204, b""
        if kind == "containers":
            return self.json(_CONTAINER)
        if found.startswith("/images/aquasec"):
            return self.json({"message": "No such image"}, 404)
        if kind == "networks":
            return self.json({"Id": "c" * 64, "Name": "n"})
        if kind == "images":
            if self.replaced and found.startswith(("/images/base-image", f"/images/{OLD}")):
                is_built = any("/build?" in each for each in self.asked)
                if found.startswith(f"/images/{OLD}") or not is_built:
                    return self.json({"Id": OLD, "RepoTags": self.names})
            config = {"ExposedPorts": {"80/tcp": {}}, "Env": []}
            about = {"Id": self.image_id, "Os": "linux", "Architecture": "amd64", "Config": config}
            return self.json({**about, "RepoTags": [IMAGE], "RootFS": {"Layers": ["sha256:a"]}})
        return self.json({"message": "there is none"}, 404)

    @staticmethod
    def json(content: object, status: int = 200) -> tuple[int, bytes]:
        return status, json.dumps(content).encode()


class _Handler(Quiet):
    server: CutDaemon

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.server.asked.append(f"{self.command} {self.path}")
        number, cut = len(self.server.asked), self.server.cut
        if cut and number > cut:
            self.close_connection = True
            return
        status, content = self.server.reply(self.command, self.path)
        is_cut = number == cut
        self.send_response(status)
        if isinstance(content, list):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for event in content[: len(content) // 2 if is_cut else None]:
                text = json.dumps(event).encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
            self.wfile.write(b"" if is_cut else b"0\r\n\r\n")
        else:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if is_cut else content)
        self.close_connection = is_cut

    do_GET = do_POST = do_DELETE = _answer


@contextmanager
def started(folder: Path, archive: bytes, image_id: str) -> Iterator[CutDaemon]:
    """Start a daemon on a socket in a folder; its address is `unix://FOLDER/socket`."""
    server = CutDaemon(folder / "socket", archive, image_id)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
