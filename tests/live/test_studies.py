"""The live path as a user takes it: the recorded Dockerfiles are built, scanned, started and run.

The bases are stand-ins made from packages, under the names in the Dockerfiles.
"""

import os
import subprocess
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from helpers import paths
from helpers.studies.load import load_files, load_layers, load_study
from helpers.studies.study import open_study
from tests.live.conftest import Captured
from tests.support.command_line import run

pytestmark = pytest.mark.usefixtures("trivy_on_path", "standins")


def by_variant(frame: pd.DataFrame, column: str) -> dict[str, object]:
    return frame.set_index("variant")[column].to_dict()


def test_the_blogs_dockerfiles_verbatim_captured_by_notebook_01(data: Path, db: Path) -> None:
    done = run("reproduce", "blog-rebuild", "-p", "source=live", "-p", f"db={db}")
    assert done.status == 0, done.stderr
    [capture] = open_study("blog-rebuild").captures()
    folder = data / "runs/blog-rebuild"
    assert (folder / "report.html").is_file()
    executed = sorted(path.name for path in (folder / "notebooks").iterdir())
    assert executed == [path.name for path in paths.notebooks()]
    book = nbformat.read(folder / "notebooks" / executed[0], as_version=4)
    shown = str([cell.get("outputs") for cell in book.cells])
    assert "All images were captured (2)." in shown
    assert "was made on" in shown
    images = load_study("blog-rebuild").images
    assert images["status"].tolist() == ["scanned", "scanned"]
    alpine, distroless = "nodejs-alpine", "nodejs-distroless"
    assert by_variant(images, "os_family") == {alpine: "alpine", distroless: "debian"}
    assert images["answers"].tolist() == [True, True]
    assert by_variant(images, "shell_starts") == {alpine: True, distroless: False}
    files = load_files("blog-rebuild")
    apps = files[files["path"].str.fullmatch("(app/)?index.js")]
    assert apps["variant"].tolist() == [alpine, distroless]
    nodes = files[files["path"].str.fullmatch("usr/local/bin/node|nodejs/bin/node")]
    assert nodes["package"].isna().all(), "no package database knows Node's binary"
    assert by_variant(nodes, "elf_interpreter") == {
        alpine: "/lib/ld-musl-x86_64.so.1",
        distroless: "/lib64/ld-linux-x86-64.so.2",
    }
    from_base = load_layers("blog-rebuild").groupby("variant")["from_base"]
    assert from_base.any().all()
    assert not from_base.all().any()
    log = paths.evidence("blog-rebuild", capture, alpine) / paths.LOG
    assert "RUN npm install" in log.read_text()


STUDIES = ["today", "today-python", "rebuilt-2026", "rebuilt-python-2026"]


@pytest.mark.parametrize("name", STUDIES)
def test_every_dockerfile_of_the_kit_gives_an_image_that_works(
    captured: Captured, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIT_DATA", str(captured(name)))
    images = load_study(name).images
    assert images["status"].eq("scanned").all()
    assert images["answers"].all()
    for variant, starts in by_variant(images, "shell_starts").items():
        assert starts != ("distroless" in variant), variant


@pytest.mark.parametrize(
    ("name", "runtimes"),
    [
        ("rebuilt-2026", ["node 24.19.0"] * 3 + ["node 8.17.0"]),
        ("rebuilt-python-2026", ["python 3.13.5", *["python 3.13.2"] * 2, "python 3.13.5"]),
    ],
)
def test_a_rebuilt_study_is_recorded_whole(name: str, runtimes: list[str]) -> None:
    folder = paths.ROOT / "data/studies" / name
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert size < 1_000_000
    study = open_study(name)
    facts = study.facts()
    for variant in study.variants:
        parts = {
            path.name for path in paths.evidence(study.name, facts.capture, variant.name).iterdir()
        }
        assert parts == {paths.REPORT, paths.IMAGE, paths.FILES, paths.SMOKE, paths.LOG}
    images = load_study(name).images
    assert images["answers"].all()
    assert images["runtime"].tolist() == runtimes
    assert images["db_coverage"].str.startswith("partial").all()
    assert "rebuilt from packages" in " ".join(study.about.split())
    layers, files = load_layers(name), load_files(name)
    visible = files.groupby(["variant", "layer"])["size_bytes"].sum()
    sizes = layers.set_index(["variant", "position"])["size_bytes"]
    assert (visible <= sizes.reindex(visible.index)).all()


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (
            ["live", "STUDY=today", "DB=/d", "COVERAGE=partial: x"],
            'live today --db /d --coverage "partial: x"',
        ),
        (["compare", "IMAGES=a b", "STUDY=mine", "DB=/d"], "compare a b --study mine --db /d"),
        (
            ["compare", "IMAGES=a", "PLATFORM=linux/arm64", "FROM=registry"],
            'compare a --platform "linux/arm64" --from registry',
        ),
        (
            ["live", "STUDY=today", "EPSS=my file.csv.gz", "KEV=none"],
            'live today --epss "my file.csv.gz" --kev "none"',
        ),
    ],
)
def test_make_targets_pass_their_arguments_on(arguments: list[str], command: str) -> None:
    # Whether or not the kit is installed here.
    make = ["make", "--dry-run", "--no-print-directory", "--old-file=.venv/installed"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "STUDY"))}
    done = subprocess.run(
        [*make, *arguments],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert " ".join(done.stdout.split("python -m helpers ")[-1].split()) == command
