"""A study of a large image, and what notebooks cost over it."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from helpers import paths
from helpers.images import file_inventory, metadata
from helpers.images.file_inventory import File
from helpers.images.metadata import Image, Layer, Smoke
from tests.support.bench import MB, WORDS, finding

STUDY = "large"
LIB, LOADER = "usr/lib/x86_64-linux-gnu", "/lib64/ld-linux-x86-64.so.2"
LIBRARIES = ("libc.so.6", "libm.so.6", "libstdc++.so.6")
MODULES = [f"{first}-{second}" for first in WORDS[:30] for second in WORDS[:30]]


MOST = 45
"""Times the reference: 28 to 36 were measured, 13 to 27 seconds on one machine within a day."""


class Cost(NamedTuple):
    """Processor time of the kernels as times the reference, and the most bytes of one of them.

    As a ratio, because one machine was twice as slow on one day as on another.
    """

    times: float
    memory_bytes: int


def study(data: Path, files: int = 100_000, megabytes: int = 1_000) -> Path:
    """Write a study of one image with this many files and bytes; return its evidence."""
    folder = data / "studies" / STUDY
    evidence = folder / "2026-11-24" / "app"
    evidence.mkdir(parents=True)
    (folder / "study.toml").write_text(
        'title = "t"\nquestion = "q?"\nabout = "a"\n[[variants]]\nname = "app"\nimage = "app:1"\n'
    )
    facts = {
        "study": STUDY,
        "capture": "2026-11-24",
        "captured_at": "2026-11-24T00:00:00Z",
        "kit_version": "0",
        "scanner": "trivy",
        "scanner_version": "0.76.0",
        "db": {"updated_at": "2026-11-24T00:00:00Z", "sha256": "0" * 64},
        "variants": {"app": {"status": "scanned", "source": "image"}},
    }
    (folder / "2026-11-24/capture.json").write_text(json.dumps(facts))
    inventory = rows(files, megabytes)
    file_inventory.write(evidence / paths.FILES, inventory)
    metadata.write(evidence / paths.IMAGE, image_of(inventory))
    metadata.write(evidence / paths.SMOKE, Smoke(3000, True, 200, 1.0, "", "loopback", "/bin/sh"))
    (evidence / "trivy.json").write_text(json.dumps(report()))
    return evidence


def rows(count: int, megabytes: int) -> list[File]:
    """Return the files of an image: of a distribution, an app with modules, and a runtime."""
    chance = random.Random(5)
    average = (megabytes * MB - 126 * MB) // count
    files: dict[str, File] = {}
    for name in LIBRARIES:
        path = f"{LIB}/{name}"
        files[path] = File(path, "file", 2 * MB, 0o644, 0, 0, 0, "pkg0", elf="shared")
    elf = ("executable", LOADER, LIBRARIES)
    node = File("usr/local/bin/node", "file", 120 * MB, 0o755, 0, 0, 2, None, "", *elf, "24.19.0")
    files[node.path] = node
    while len(files) < count:
        file = random_file(len(files), int(chance.expovariate(1 / average)), chance)
        files[file.path] = file
    return sorted(files.values(), key=lambda file: file.path)


def random_file(number: int, size: int, chance: random.Random) -> File:
    """Return a file: of twenty one is a program, one a library, one a link, four are documents."""
    word, package = chance.choice(WORDS), f"pkg{number % 400}"
    kind = number % 20
    if kind == 0:
        path, needed = f"usr/bin/{word}-{number}", ("libc.so.6", f"lib{word}.so.1")
        elf = ("executable", LOADER, needed)
        return File(path, "file", size, 0o755, 0, 0, 0, package, "", *elf)
    if kind == 1:
        path, elf = f"{LIB}/lib{word}{number}.so.1", ("shared", "", ("libc.so.6",))
        return File(path, "file", size, 0o644, 0, 0, 0, package, "", *elf)
    if kind == 2:
        name = f"lib{word}{number}.so"
        return File(f"{LIB}/{name}", "symlink", 0, 0o777, 0, 0, 0, package, f"{name}.1")
    if kind < 7:
        path = f"usr/share/doc/{package}/{word}/{number}.gz"
        return File(path, "file", size, 0o644, 0, 0, 0, package)
    path = f"app/node_modules/{chance.choice(MODULES)}/{chance.choice(WORDS)}/{word}{number}.js"
    return File(path, "file", size, 0o666, 1000, 1000, 4)


def image_of(files: list[File]) -> Image:
    """Return an image of five layers with the files, and some that are hidden."""
    sizes = [sum(file.size_bytes for file in files if file.layer == n) + 1_000 for n in range(5)]
    layers = [
        Layer(f"sha256:{n:064x}", size, size + 512, size // 3, f"RUN {n}", n < 3)
        for n, size in enumerate(sizes)
    ]
    return Image(
        "sha256:1", ["app:1"], [], None, "linux", "amd64", "", "/app", [], ["node", "index.js"],
        [], [], [], "base", layers, "gzip", runtime="node 24.19.0", user_id=0, group_ids=[0],
    )  # fmt: skip


def report() -> dict[str, object]:
    """Return a report of 400 OS packages with 1,000 findings, and of all modules."""
    chance = random.Random(6)
    findings = [{**finding(n, chance), "PkgName": f"pkg{n % 400}"} for n in range(1_000)]
    modules = [
        {"Name": m, "Version": "1.0", "FilePath": f"app/node_modules/{m}/package.json"}
        for m in MODULES
    ]
    system = {
        "Target": "app",
        "Class": "os-pkgs",
        "Type": "debian",
        "Packages": [{"Name": f"pkg{n}", "Version": "1.0"} for n in range(400)],
        "Vulnerabilities": findings,
    }
    app = {"Target": "Node.js", "Class": "lang-pkgs", "Type": "node-pkg", "Packages": modules}
    return {
        "SchemaVersion": 2,
        "ArtifactName": "app:1",
        "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "debian", "Name": "13.1"}},
        "Results": [system, app],
    }


RUN = """
import json, resource, sys
from pathlib import Path
from helpers import paths
from helpers.runs.run import execute_one
study, folder, *names = sys.argv[1:]
for name in names:
    given = {"study": study, "save_to": "."}
    execute_one(paths.NOTEBOOKS / f"{name}.ipynb", given, Path(folder))
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
"""


def reference_seconds() -> float:
    """Return the processor time of a fixed piece of work of the same kinds, on this machine now."""
    begin = time.process_time()
    for _ in range(3):
        names = [f"usr/lib/{n % 977}/{n}.so" for n in range(200_000)]
        frame = pd.DataFrame({"path": names, "bytes": range(len(names))})
        frame["folder"] = frame["path"].map(lambda path: path.rpartition("/")[0])
        frame.groupby("folder")["bytes"].sum()
        frame["path"].str.contains(r"/9\d+\.so$").sum()
        json.loads(json.dumps(names))
    return time.process_time() - begin


def processor_seconds(action: Callable[[], object]) -> float:
    """Return the processor time of the fastest of three calls."""
    seconds = []
    for _ in range(3):
        begin = time.process_time()
        action()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def cost(data: Path, folder: Path, *notebooks: str) -> Cost:
    """Return what notebooks cost over the study, one after another."""
    (folder / "notebooks").mkdir(parents=True)
    before = reference_seconds()
    done = subprocess.run(
        [sys.executable, "-c", RUN, STUDY, str(folder), *notebooks],
        env={**os.environ, "KIT_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return Cost(2 * seconds / (before + reference_seconds()), memory)
