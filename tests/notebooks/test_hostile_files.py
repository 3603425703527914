"""An image's files are data: whatever their names and numbers, nothing breaks, nothing gets out."""

import csv
import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import frames, paths
from helpers.errors import ArchiveInvalid, StudyInvalid
from helpers.images import file_inventory
from helpers.images.file_inventory import File
from helpers.images.metadata import Image, read
from helpers.sizes import file_groups, layer_sizes, waterfall
from helpers.surface import app_process, attack_surface, dynamic_linking, exposure
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import file, files_of, image_of, layers_of, packages_of
from tests.support import hostile


@pytest.fixture
def study(data: Path) -> Path:
    """The recorded study with one image's files, findings and words replaced by hostile ones."""
    return hostile.spoil(data)


def reproduce() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "helpers", "reproduce", "rebuilt-2026"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def invisible(text: str) -> set[str]:
    kinds = {"Cc", "Cf", "Cs"}
    return {c for c in text if unicodedata.category(c) in kinds and c not in "\n\t"}


def test_they_neither_break_a_figure_nor_escape_into_what_is_written(study: Path) -> None:
    done = reproduce()
    assert done.returncode == 0, done.stderr[-3000:]
    run = study / "runs" / "rebuilt-2026"
    report = (run / "report.html").read_text()
    assert "alert(1)" in report, "the names are there, as text"
    assert report.count("<script") == 2, "the page's own"
    report = re.sub(r"<script.*?</script>|data:image/[^\"]*", "", report, flags=re.DOTALL)
    for markup in ("<script>", "<img src=x", "<b>ld", "<u>node", "<i>app", 'href="http://x'):
        assert markup not in report, markup
    assert not invisible(report)
    for name in ("03-image-size", "04-attack-surface"):
        book = nbformat.read(run / "notebooks" / f"{name}.ipynb", as_version=4)
        for output in (out for cell in book.cells for out in cell.get("outputs", [])):
            for kind, content in output.get("data", {}).items():
                text = "".join(content)
                assert "<img src=x" not in text, (name, kind)
                assert "<script>alert" not in text, (name, kind)
                assert not invisible(text) - {"\r"}, (name, kind)
    for table in (run / "tables").glob("*.csv"):
        with table.open(newline="") as rows:
            for cell in (cell for row in csv.reader(rows) for cell in row):
                assert not re.match(r"\s*[=+@\t\r]", cell), (table.name, cell)
                assert not re.match(r"\s*-(?!\d)", cell), (table.name, cell)
    figures = {path.stem for path in (run / "figures").glob("*.png")}
    assert {"size-by-group", "size-by-layer", "size-steps", "attack-surface"} <= figures
    assert {"coverage", "executables", "slimmer"} <= figures
    for svg in (run / "figures").glob("*.svg"):
        assert "<script" not in svg.read_text()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"size_bytes": -1}, "a damaged inventory"),
        ({"size_bytes": 2**41}, "a damaged inventory"),
        ({"size_bytes": 2**80}, "a damaged inventory"),
        ({"mode": -1}, "a damaged inventory"),
        ({"uid": 2**63}, "a damaged inventory"),
    ],
)
def test_negative_and_huge_numbers_are_refused_by_name(tmp_path: Path, changed, problem) -> None:
    path = tmp_path / paths.FILES
    row = {"path": "x", "size": 1, **changed}
    size = row.pop("size_bytes", row.pop("size"))
    file_inventory.write(path, [file(row.pop("path"), size, **row)])
    with pytest.raises(ArchiveInvalid, match=problem) as caught:
        file_inventory.read(path)
    assert caught.value.remedy == "Capture it again, with --fresh"


@pytest.mark.parametrize("size", [-1, 2**51, 2**70, "1"])
def test_so_are_those_of_layers(tmp_path: Path, size: object) -> None:
    recorded = paths.evidence("rebuilt-2026", "2026-11-24", "node-24-alpine")
    told = json.loads((recorded / paths.IMAGE).read_text())
    told["layers"][0]["size_bytes"] = size
    path = tmp_path / paths.IMAGE
    path.write_text(json.dumps(told))
    with pytest.raises(ArchiveInvalid, match=r"not what it has to be"):
        read(path, Image)


def test_files_and_layers_of_two_images_are_refused_by_name() -> None:
    files, layers = files_of(file("x", 11)), layers_of((10, "x", True))
    grouped = file_groups.grouped(files, layers, image_of())
    with pytest.raises(StudyInvalid, match="app: its files hold more bytes than its layers"):
        file_groups.sizes(grouped, layers)


TEXT = st.text(max_size=30)
PARTS = st.lists(st.sampled_from(["bin", "sh", "node", "lib", "..", "a"]), max_size=4)
PATH = st.one_of(TEXT, PARTS.map("/".join))
ROW = st.builds(
    File,
    path=PATH,
    kind=st.sampled_from(["file", "hardlink", "dir", "symlink", "char", "block", "fifo", "x"]),
    size_bytes=st.one_of(st.integers(0, 5), st.integers(0, 2**40)),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2),
    gid=st.integers(0, 2),
    layer=st.integers(0, 3),
    package=st.one_of(st.none(), TEXT),
    target=PATH,
    elf=st.sampled_from(["", "executable", "static", "shared", "object", "other"]),
    elf_interpreter=st.one_of(st.just(""), PATH),
    needed=st.lists(PATH, max_size=2).map(tuple),
    version=st.one_of(st.just(""), TEXT),
)


@settings(max_examples=150, deadline=3000)
@given(st.lists(ROW, max_size=12, unique_by=lambda row: row.path), TEXT, TEXT)
def test_any_inventory_gives_every_table(listed: list[File], command: str, folder: str) -> None:
    files = files_of(*listed)
    layers = layers_of(*[(2**45, "x", None)] * 4)
    images = image_of(command=command, working_directory=folder, user="", user_id=0, group_ids="0")
    packages = packages_of({"package": "libc6"})
    grouped = file_groups.grouped(files, layers, images)
    parts = file_groups.sizes(grouped, layers)
    assert len(grouped) == len(files)
    assert grouped["group"].notna().all()
    assert parts["size_bytes"].sum() == (2**47 if listed else 0)
    layer_sizes.sentence(layer_sizes.layers(layers, files))
    waterfall.sentence(waterfall.steps(parts, "app", "app"))
    dynamic_linking.sentence(dynamic_linking.libc(files, images), dynamic_linking.unloadable(files))
    table, behind = attack_surface.surface(grouped, images, packages)
    assert len(table) == 17
    attack_surface.wide(table, behind)
    needed = app_process.needs(grouped, images, packages)
    assert len(needed) == 1
    each = exposure.counted(frames.make("findings", {}), needed, Lens())
    exposure.slimmer(exposure.totals(each, needed, files, images), "x")
