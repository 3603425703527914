"""The live path as a user takes it: the recorded recipes built, scanned, taken apart, started, run.

The bases are stand-ins made from packages, under the names that the Dockerfiles give.
"""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from helpers import paths
from helpers.studies.load import load_files, load_layers, load_study
from helpers.studies.study import open_study

pytestmark = pytest.mark.usefixtures("trivy_on_path", "standins")


def helpers(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "helpers", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def db(shared: Path) -> Path:
    return shared / "vulndb"


def by_variant(frame: pd.DataFrame, column: str) -> dict[str, object]:
    return frame.set_index("variant")[column].to_dict()


def test_the_blogs_dockerfiles_verbatim(data: Path, db: Path) -> None:
    done = helpers("live", "blog-rebuild", "--db", db, "--coverage", "partial")
    assert done.returncode == 0, done.stderr
    images = load_study("blog-rebuild").images
    assert images["status"].tolist() == ["scanned", "scanned"]
    assert by_variant(images, "os_family") == {
        "nodejs-alpine": "alpine",
        "nodejs-distroless": "debian",
    }
    assert images["answers"].tolist() == [True, True]
    assert by_variant(images, "shell_starts") == {"nodejs-alpine": True, "nodejs-distroless": False}
    files = load_files("blog-rebuild")
    apps = files[files["path"].str.fullmatch("(app/)?index.js")]
    assert apps["variant"].tolist() == ["nodejs-alpine", "nodejs-distroless"]
    nodes = files[files["path"].str.fullmatch("usr/local/bin/node|nodejs/bin/node")]
    assert nodes["package"].isna().all(), "no package database knows Node's binary"
    assert by_variant(nodes, "elf_interpreter") == {
        "nodejs-alpine": "/lib/ld-musl-x86_64.so.1",
        "nodejs-distroless": "/lib64/ld-linux-x86-64.so.2",
    }
    layers = load_layers("blog-rebuild")
    assert layers.groupby("variant")["from_base"].any().all()
    assert not layers.groupby("variant")["from_base"].all().any()
    run = data / "runs/blog-rebuild"
    assert (run / "report.html").is_file()
    executed = sorted(path.name for path in (run / "notebooks").iterdir())
    assert executed == [path.name for path in paths.notebooks()]
    log = (
        paths.capture("blog-rebuild", open_study("blog-rebuild").captures()[0])
    ) / "nodejs-alpine"
    assert "RUN npm install" in (log / paths.LOG).read_text()


def test_notebook_01_captures_when_asked(data: Path, db: Path) -> None:
    done = helpers("reproduce", "blog-rebuild", "-p", "source=live", "-p", f"db={db}")
    assert done.returncode == 0, done.stderr
    assert len(open_study("blog-rebuild").captures()) == 1
    book = nbformat.read(data / "runs/blog-rebuild/notebooks/01-build-and-scan.ipynb", as_version=4)
    shown = str([cell.get("outputs") for cell in book.cells])
    assert "All 2 variants were captured." in shown
    assert "was made on" in shown


@pytest.mark.parametrize("name", ["today", "rebuilt-2026"])
def test_every_recipe_of_the_kit_gives_images_that_work(data: Path, db: Path, name: str) -> None:
    done = helpers("capture", name, "--db", db, "--coverage", "partial", "--fresh")
    assert done.returncode == 0, done.stderr
    study = open_study(name)
    newest = study.captures()[-1]
    images = load_study(name, newest).images
    assert images["status"].eq("scanned").all()
    assert images["answers"].all()
    shells = images.set_index("variant")["shell_starts"]
    assert {v for v in shells.index if not shells[v]} == {
        variant for variant in shells.index if "distroless" in variant
    }


def test_rebuilt_2026_is_recorded_whole() -> None:
    folder = paths.ROOT / "data/studies/rebuilt-2026"
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert size < 3_000_000
    study = open_study("rebuilt-2026")
    facts = study.facts()
    for variant in study.variants:
        parts = {
            path.name for path in paths.evidence(study.name, facts.capture, variant.name).iterdir()
        }
        assert parts == {paths.REPORT, paths.IMAGE, paths.FILES, paths.SMOKE, paths.LOG}
    images = load_study("rebuilt-2026").images
    assert images["answers"].all()
    assert images["db_coverage"].str.startswith("partial").all()
    assert "rebuilt from packages" in " ".join(study.about.split())
    layers, files = load_layers("rebuilt-2026"), load_files("rebuilt-2026")
    visible = files.groupby(["variant", "layer"])["size_bytes"].sum()
    whole = layers.set_index(["variant", "position"])["size_bytes"]
    assert (visible <= whole.reindex(visible.index)).all()
    node = files[files["path"].str.endswith("bin/node") & files["kind"].eq("file")]
    assert len(node) == 4
    assert node["package"].isna().all()


def test_make_targets_hand_on_what_they_are_given() -> None:
    def said(*arguments: str) -> str:
        command = ["make", "--dry-run", "--no-print-directory", *arguments]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "STUDY"))}
        done = subprocess.run(
            command, cwd=paths.ROOT, capture_output=True, text=True, check=True, env=environment
        )
        return " ".join(done.stdout.split("python -m helpers ")[-1].split())

    assert said("live", "STUDY=today") == "live today"
    assert said("live", "STUDY=today", "DB=/d", "COVERAGE=partial: x") == (
        'live today --db /d --coverage "partial: x"'
    )
    assert said("live").startswith('echo "Name a study')
    assert said("compare", "IMAGES=a.tar b:1") == "compare a.tar b:1"
    assert (
        said("compare", "IMAGES=a b", "STUDY=mine", "DB=/d") == "compare a b --study mine --db /d"
    )
