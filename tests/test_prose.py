"""The prose of notebooks: each heading and each paragraph has its translation."""

import nbformat
import pandas as pd
import pytest

from helpers import languages, paths, prose

CELLS = [
    cell.source
    for path in sorted((paths.ROOT / "notebooks").glob("*.ipynb"))
    for cell in nbformat.read(path, as_version=4).cells
    if cell.cell_type == "markdown" and path.stem != "index"
]


def test_a_heading_keeps_its_marks_and_each_paragraph_is_one_text() -> None:
    source = "## What is there?\n\nOne.\nStill one.\n\nTwo."
    told = [("## ", "What is there?"), ("", "One.\nStill one."), ("", "Two.")]
    assert prose.parts(source) == told


@pytest.mark.parametrize("source", CELLS)
def test_english_prose_is_as_it_was_written(source: str) -> None:
    assert prose.translated(source) == source


def test_every_heading_and_paragraph_of_the_notebooks_has_a_translation() -> None:
    known = set(pd.read_csv(paths.LANGUAGES, keep_default_na=False)["en"])
    texts = {text for source in CELLS for _, text in prose.parts(source)}
    assert len(texts) > 50
    assert texts <= known


def test_prose_is_translated_part_by_part_and_what_nobody_translated_stays() -> None:
    with languages.speaking("ko"):
        told = prose.translated("## What is there?\n\nNobody wrote this.")
    assert told == "## 무엇이 들어 있습니까?\n\nNobody wrote this."
