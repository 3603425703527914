"""Blocks of a page: what cells show, in order, with their code, and nothing that acts."""

import json

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import paths
from helpers.runs import cells
from helpers.runs.cells import Block, Heading
from helpers.text import i18n
from helpers.text.escape import FIGURE, STATIC

HOSTILE = (
    '<script>alert(1)</script><img src=x onerror="alert(2)"><a href="javascript:alert(3)">x</a>'
)


def of(*parts: nbformat.NotebookNode) -> list[Block | Heading]:
    return cells.blocks(new_notebook(cells=list(parts)), "05-verdict")


def code(source: str, *outputs: nbformat.NotebookNode, tags: tuple[str, ...] = ()):
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


def data(**forms: str) -> nbformat.NotebookNode:
    named = {name.replace("__", "/"): text for name, text in forms.items()}
    return new_output("display_data", data=named)


def test_headings_have_anchors_and_are_one_level_lower_than_in_the_notebook() -> None:
    parts = of(new_markdown_cell("# Which?\n\nA paragraph."), new_markdown_cell("## Why?\n\nSo."))
    assert [part for part in parts if isinstance(part, Heading)] == [
        ("05-verdict", 2, "Which?"),
        ("05-verdict.1", 3, "Why?"),
    ]
    assert [part.html.strip() for part in parts if isinstance(part, Block)] == [
        "<p>A paragraph.</p>",
        "<p>So.</p>",
    ]


def test_code_that_shows_nothing_stands_with_the_code_after_it() -> None:
    parts = of(code("a = 1"), code("show(a)", data(text__markdown="one")), code("last = 2"))
    assert [part.html.strip() for part in parts] == ["<p>one</p>", ""]
    assert "a" in parts[0].code
    assert "show" in parts[0].code
    assert "last" in parts[1].code


def test_a_figure_has_its_name_and_its_message() -> None:
    picture = new_output(
        "display_data",
        data={"image/png": "aGk=\n", FIGURE: {"name": "growth"}, "text/plain": "x"},
        metadata={"image/png": {"alt": "It grew"}},
    )
    (figure,) = of(code("draw()", picture, tags=("summary",)))
    assert (figure.kind, figure.name, figure.alt) == (cells.FIGURES, "growth", "It grew")
    assert figure.png == "aGk="
    assert figure.tags == ("summary",)


def test_a_table_that_has_a_plain_form_is_the_searchable_kind() -> None:
    plain = "<table><tbody><tr><td>1</td></tr></tbody></table>"
    searchable = new_output("display_data", data={"text/html": "<script>", STATIC: plain})
    first, second = of(
        new_markdown_cell("## Which?"), code("one", searchable), code("two", data(text__html=plain))
    )[1:]
    assert (first.kind, first.under, first.number) == (cells.SEARCHABLE, "Which?", 1)
    assert (second.kind, second.under, second.number) == (cells.TABLE, "Which?", 2)
    assert first.html == plain


@pytest.mark.parametrize(
    "output",
    [
        data(text__html=HOSTILE),
        data(text__markdown=HOSTILE),
        data(text__plain=HOSTILE),
        new_output("stream", name="stdout", text=HOSTILE),
        new_output("error", ename="E", evalue=HOSTILE, traceback=[]),
        new_output("display_data", data={STATIC: f"<table>{HOSTILE}</table>"}),
        new_output("display_data", data={"image/svg+xml": HOSTILE, "text/plain": HOSTILE}),
    ],
    ids=lambda output: output.output_type + "".join(output.get("data", {})),
)
def test_nothing_in_an_output_acts(output: nbformat.NotebookNode) -> None:
    (block,) = of(code("show", output))
    assert "<script" not in block.html
    assert "<img" not in block.html
    assert 'href="javascript' not in block.html
    assert "alert(1)" in block.html, "it is there to read"


def test_words_of_others_are_no_links_and_turn_no_direction() -> None:
    source = "https://evil.example [here](http://x) a\u202eb"
    (block,) = of(code("show", data(text__markdown=source)))
    assert block.html.strip() == "<p>https://evil.example here a\\u202eb</p>"


def test_control_characters_show_as_escapes() -> None:
    (block,) = of(code("show", new_output("stream", name="stderr", text="a\x1b[31mb\nc")))
    assert block.html == "<pre>a\\x1b[31mb\nc</pre>"


def test_a_picture_is_letters_of_base64_and_nothing_else() -> None:
    (block,) = of(code("show", new_output("display_data", data={"image/png": 'a"><script>b='})))
    assert block.png == "ascriptb="


def test_json_in_a_page_ends_no_element() -> None:
    text = cells.as_json({"a": "</script><!--"})
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><!--"}


CELLS = [
    cell.source
    for path in sorted((paths.ROOT / "notebooks").glob("*.ipynb"))
    for cell in nbformat.read(path, as_version=4).cells
    if cell.cell_type == "markdown" and path.stem != "index"
]


def test_a_heading_keeps_its_marks_and_each_paragraph_is_one_text() -> None:
    source = "## What is there?\n\nOne.\nStill one.\n\nTwo."
    told = [("## ", "What is there?"), ("", "One.\nStill one."), ("", "Two.")]
    assert cells.parts(source) == told


@pytest.mark.parametrize("source", CELLS)
def test_english_prose_is_as_it_was_written(source: str) -> None:
    assert cells.translated(source) == source


def test_every_heading_and_paragraph_of_the_notebooks_has_a_translation() -> None:
    known = set(pd.read_csv(paths.LANGUAGES, keep_default_na=False)["en"])
    texts = {text for source in CELLS for _, text in cells.parts(source)}
    assert len(texts) > 50
    assert texts <= known


def test_prose_is_translated_part_by_part_and_what_nobody_translated_stays() -> None:
    with i18n.speaking("ko"):
        told = cells.translated("## What is there?\n\nNobody wrote this.")
    assert told == "## 무엇이 들어 있습니까?\n\nNobody wrote this."
