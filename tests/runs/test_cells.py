"""Blocks of a page: what notebooks show, in order, and nothing that acts."""

import json

import hypothesis.strategies as st
import nbformat
import pandas as pd
import pytest
from hypothesis import given
from nbformat.v4 import new_code_cell, new_output

from helpers.answers.answer import Answer
from helpers.notebook import executed
from helpers.runs import cells
from helpers.runs.cells import Block
from helpers.text.escape import STATIC
from helpers.text.rich import paragraph
from tests.support.executed_notebooks import CHARTS, notebook, outputs, picture
from tests.support.pages import Page

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


def test_an_answer_is_its_figure_its_text_and_its_table() -> None:
    answer = CHARTS["severity-by-capture"]
    figure, text, table = blocks("# Which?", answer)
    assert figure == Block(cells.FIGURE, png=picture(answer.title), label=answer.title)
    assert text.html == "<ul><li>alpine has fewer</li><li>as <code>apk</code> says</li></ul>"
    assert (table.kind, table.later) == (cells.TABLE, True), "a figure sums it up"


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
    assert not [attributes for _, attributes in Page(html).tags if "href" in attributes]
    assert "alert(1)" in html, "it is there to read"


@pytest.mark.parametrize("name", ["a<script>", "x<svg><style>", "<my name@1.0>", "b</textarea>"])
def test_what_looks_like_a_tag_is_read_and_hides_nothing(name: str) -> None:
    row = f"<table><tr><td>{name}</td></tr><tr><td><b>next</b></td></tr></table>"
    for output in (data("text/html", row), data("text/markdown", f"a {name}\n\n**next**")):
        page = Page(shown(output).html)
        assert name in page.words
        assert page.all("b") or page.all("strong"), "what follows is no part of it"
    package = f"<b>{name}<!--"
    for part in (pd.DataFrame({"package": [package]}), paragraph(package)):
        kind = "table" if isinstance(part, pd.DataFrame) else "text"
        (block,) = blocks(Answer("a", **{kind: part}))
        assert package in Page(block.html).words


PIECES = (
    *("x", "<", ">", '"', "'", "&lt;", "&#60;", "</", "<!--", "-->", "<![CDATA[", "]]>", "<?"),
    *("<script>", "</script>", "<style>", "</style>", "<svg>", "<math>", "<mtext>", "<title>"),
    *(
        "<noscript>",
        "<template>",
        "<iframe srcdoc=",
        "<textarea>",
        "<plaintext>",
        "<table>",
        "<td ",
    ),
    *("<p class=x id=y style=z>", "<a title='", "<a href=javascript:x ", "onclick=y>", "<b/onx=y>"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_the_html_a_page_holds_only_what_it_may(text: str) -> None:
    for html in (cells.clean(text), cells.from_markdown(text), cells.from_markdown(text, True)):
        for tag, attributes in Page(html).tags:
            assert tag in cells._TAGS, html
            assert set(attributes) <= {"class", "title"}, html


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
    told = "https://evil.example [here](http://x '><img src=x>') a\u202eb"
    block = shown(data("text/markdown", told))
    assert block.html.strip() == "<p>https://evil.example here a\\u202eb</p>"


def test_a_picture_is_letters_of_base64_and_nothing_else() -> None:
    assert shown(data("image/png", 'a"><script>b=')).png == "ascriptb="


def test_json_in_a_page_ends_no_element() -> None:
    text = cells.as_json({"a": "</script><!--"})
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><!--"}
