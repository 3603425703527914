"""An image's files are data: hostile names and numbers break nothing, and are shown as text."""

import csv
import re
import unicodedata
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import frames
from helpers.errors import StudyInvalid
from helpers.images.file_inventory import File
from helpers.sizes import file_groups, layer_sizes, waterfall
from helpers.surface import (
    app_process,
    attack_surface,
    dynamic_linking,
    exposure,
    scan_coverage,
)
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import file, files_of, image_of, layers_of, packages_of

MARKUP = ("<script>", "<img src=x", "<b>ld", "<u>node", "<i>app", 'href="http://x')
FIGURES = {
    *("size-by-group", "size-by-layer", "size-steps", "attack-surface"),
    *("coverage", "executables", "slimmer"),
}


def invisible(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs")} - set("\n\t\r")


def test_a_run_shows_hostile_words_as_text(hostile_run: Path) -> None:
    report = (hostile_run / "report.html").read_text()
    assert "alert(1)" in report, "the names are there"
    assert report.count("<script") == 2, "the page's own"
    report = re.sub(r"<script.*?</script>|data:image/[^\"]*", "", report, flags=re.DOTALL)
    assert [markup for markup in MARKUP if markup in report] == []
    assert not invisible(report)
    for path in (hostile_run / "notebooks").glob("*.ipynb"):
        book = nbformat.read(path, as_version=4)
        for output in (out for cell in book.cells for out in cell.get("outputs", [])):
            for kind, content in output.get("data", {}).items():
                # JSON is a record, which is not shown.
                text = "".join(content) if isinstance(content, str | list) else ""
                assert not invisible(text), (path.stem, kind)
                if kind != "text/plain":
                    assert not re.search("<img src=x|<script>alert", text), (path.stem, kind)
    for table in (hostile_run / "tables").glob("*.csv"):
        with table.open(newline="") as rows:
            for cell in (cell for row in csv.reader(rows) for cell in row):
                assert not re.match(r"\s*([=+@\t\r]|-(?!\d))", cell), (table.name, cell)
                assert not invisible(cell), (table.name, cell)
    assert {path.stem for path in (hostile_run / "figures").glob("*.png")} >= FIGURES
    for svg in (hostile_run / "figures").glob("*.svg"):
        assert "<script" not in svg.read_text()


def test_files_and_layers_of_two_images_are_refused() -> None:
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


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(ROW, max_size=12, unique_by=lambda row: row.path), TEXT, TEXT)
def test_every_question_has_an_answer_for_any_inventory(
    inventory: list[File], command: str, folder: str
) -> None:
    files, lens = files_of(*inventory), Lens()
    layers = layers_of(*[(2**45, "x", None)] * 4)
    images = image_of(command=command, working_directory=folder, user="", user_id=0, group_ids="0")
    packages = packages_of({"package": "libc6"})
    grouped = file_groups.grouped(files, layers, images)
    assert len(grouped) == len(files)
    assert grouped["group"].notna().all()
    parts = file_groups.sizes(grouped, layers)
    assert parts["size_bytes"].sum() == (2**47 if inventory else 0)
    libcs, lacking = dynamic_linking.libc(files, images), dynamic_linking.unloadable(files)
    matrix, evidence = attack_surface.surface(grouped, images, packages, libcs, lacking)
    assert len(matrix) == 17
    needed = app_process.needs(grouped, images, packages)
    assert len(needed) == 1
    counted = exposure.counted(frames.make("findings", {}), needed, lens)
    totals = exposure.totals(counted, needed, files, images)
    coverage = scan_coverage.coverage(files, images, packages)
    for answer in (
        file_groups.answer(parts),
        file_groups.largest_files_answer(grouped),
        layer_sizes.answer(layer_sizes.layers(layers, files)),
        waterfall.bars_answer(waterfall.bars(parts, "app", "app")),
        attack_surface.answer(matrix, evidence, coverage),
        dynamic_linking.libc_answer(libcs),
        exposure.answer(totals, lens),
        exposure.slimmer_answer(totals, lens),
        scan_coverage.answer(coverage, images, packages),
    ):
        assert not invisible(answer.title + answer.text.plain)
