"""Blocks of a page: what notebooks show, in order, and nothing that acts."""

import json

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_output

from helpers.answers.answer import Answer
from helpers.notebook import executed
from helpers.runs import cells
from helpers.runs.cells import Block
from helpers.text.escape import STATIC
from helpers.text.rich import paragraph
from tests.support.executed_notebooks import CHARTS, notebook, outputs, picture

HOSTILE = (
    '<script>alert(1)</script><img src=x onerror="alert(2)"><a href="javascript:alert(3)">x</a>'
)


def blocks(*parts: str | Answer | nbformat.NotebookNode) -> list[Block]:
    return [block for part in executed.parts(notebook(*parts)) for block in cells.blocks(part)]


def shown(output: nbformat.NotebookNode) -> Block:
    (block,) = blocks(new_code_cell("show", outputs=[output]))
    return block


def data(kind: str, text: str) -> nbformat.NotebookNode:
    return new_output("display_data", data={kind: text})


def test_an_answer_is_its_figure_its_text_and_its_table_folded() -> None:
    answer = CHARTS["severity-by-capture"]
    figure, text, table = blocks("# Which?", answer)
    assert figure == Block(cells.FIGURE, png=picture(answer.title), label=answer.title)
    assert text.html == "<ul><li>alpine has fewer</li><li>as <code>apk</code> says</li></ul>"
    assert (table.kind, table.fold) == (cells.TABLE, "Data: severity-by-capture")


def test_a_table_without_a_figure_is_open() -> None:
    table = Answer("a", table=pd.DataFrame({"n": [1]}))
    found = blocks(table, table._replace(searchable=True))
    kinds = [(block.kind, block.fold) for block in found]
    assert kinds == [(cells.TABLE, ""), (cells.SEARCHABLE, "")]


def test_a_table_that_a_notebook_folds_is_not_folded_twice() -> None:
    answer = CHARTS["severity-by-capture"]
    folded = outputs(answer)
    html = f"<details><summary>Data</summary>{folded[-1].data['text/html']}</details>"
    folded[-1].data["text/html"] = html
    table = blocks(new_code_cell("x", outputs=folded))[2]
    assert table.fold == ""
    assert table.html.startswith("<details><summary>Data</summary><table>")


(SEARCHABLE,) = outputs(Answer("a", table=pd.DataFrame({"n": [1]}), searchable=True))


@pytest.mark.parametrize(
    "output",
    [
        data("text/html", HOSTILE),
        data("text/markdown", HOSTILE),
        data("text/plain", HOSTILE),
        new_output("stream", name="stdout", text=HOSTILE),
        new_output("error", ename="E", evalue=HOSTILE, traceback=[]),
        new_output("display_data", data={"image/svg+xml": HOSTILE, "text/plain": HOSTILE}),
        *outputs(Answer("a", text=paragraph(HOSTILE))),
        *outputs(Answer("a", table=pd.DataFrame({HOSTILE: [HOSTILE]}))),
        new_output("display_data", data={**SEARCHABLE.data, STATIC: f"<table>{HOSTILE}</table>"}),
    ],
    ids=lambda output: output.output_type + "".join(output.get("data", {})),
)
def test_nothing_in_an_output_acts(output: nbformat.NotebookNode) -> None:
    html = shown(output).html
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert "alert(1)" in html, "it is there to read"


def test_tables_link_public_pages_and_nothing_else() -> None:
    page = "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"
    link = f'<a href="{page}" rel="noreferrer noopener" target="_blank">CVE-2021-44228</a>'
    found = pd.DataFrame({"vulnerability_id": ["CVE-2021-44228", "https://evil.example"]})
    (table,) = blocks(Answer("a", table=found))
    assert link in table.html
    assert table.html.count("<a ") == 1
    for address in ("https://evil.example/", "http://nvd.nist.gov/x", f"{page}'", "#here"):
        output = data("text/html", f'<a href="{address}" rel="opener" target="top">x</a>')
        assert shown(output).html == "<a>x</a>"


def test_words_of_others_are_no_links_and_turn_no_direction() -> None:
    block = shown(data("text/markdown", "https://evil.example [here](http://x) a\u202eb"))
    assert block.html.strip() == "<p>https://evil.example here a\\u202eb</p>"


def test_control_characters_show_as_escapes() -> None:
    block = shown(new_output("stream", name="stderr", text="a\x1b[31mb\nc"))
    assert block.html == "<pre>a\\x1b[31mb\nc</pre>"


def test_a_picture_is_letters_of_base64_and_nothing_else() -> None:
    assert shown(data("image/png", 'a"><script>b=')).png == "ascriptb="


def test_json_in_a_page_ends_no_element() -> None:
    text = cells.as_json({"a": "</script><!--"})
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><!--"}
