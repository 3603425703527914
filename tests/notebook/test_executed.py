"""Reading executed notebooks: answers by their records, prose in the language spoken."""

import msgspec
import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_output

from helpers import paths
from helpers.answers.answer import ANSWER, SUMMARY, Answer
from helpers.notebook import executed
from helpers.notebook.executed import Code, Heading, Output, Prose, Shown
from helpers.text import i18n
from helpers.text.escape import ANSWER as RECORD
from helpers.text.rich import Text, paragraph
from tests.support.executed_notebooks import CHARTS, CHOICE, notebook, outputs, picture

TABLE = pd.DataFrame({"image": ["alpine"]})


def code(source: str, *shown: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return new_code_cell(source, outputs=list(shown))


def test_headings_prose_code_and_answers_are_in_order() -> None:
    found = executed.parts(notebook("# Which?\n\nOne.\n\nTwo.\n\n## Why?", CHOICE))
    assert found[:3] == [Heading(1, "Which?"), Prose("One.\n\nTwo."), Heading(2, "Why?")]
    assert isinstance(found[3], Shown)
    assert found[3].under == "Why?"
    assert found[4:] == [Code("blog.recommendation()")]


def test_code_that_shows_nothing_stands_with_the_code_after_it() -> None:
    stream = new_output("stream", name="stdout", text="x")
    cells = (code("a = 1"), code("print(x)", stream), code("last = 2"))
    assert executed.parts(notebook(*cells)) == [
        *(Output(executed.PLAIN, "x"), Code("a = 1\n\nprint(x)"), Code("last = 2")),
    ]


def test_picture_text_and_table_are_one_answer() -> None:
    figure = CHARTS["severity-by-capture"]
    (shown, _) = executed.parts(notebook(figure))
    assert isinstance(shown, Shown)
    assert (shown.png, shown.searchable) == (picture(figure.title), False)
    assert shown.record.text == figure.text
    assert shown.record.chart == figure.chart
    assert shown.table.startswith("<table>")
    assert "has fewer" not in shown.table


@pytest.mark.parametrize("text", ["", "So."])
@pytest.mark.parametrize("searchable", [True, False])
def test_a_table_is_told_from_text(text: str, searchable: bool) -> None:
    answer = Answer("a", text=paragraph(text) if text else Text(), table=TABLE)
    (shown, _) = executed.parts(notebook(answer._replace(searchable=searchable)))
    assert isinstance(shown, Shown)
    assert shown.table.startswith("<table>")
    assert shown.searchable == searchable
    empty = answer._replace(table=TABLE.head(0), searchable=searchable)
    (shown, _) = executed.parts(notebook(empty))
    assert isinstance(shown, Shown)
    assert shown.table == "<p>Nothing to list.</p>"
    assert not shown.searchable


def test_an_answer_that_shows_nothing_is_one_all_the_same() -> None:
    (shown, _) = executed.parts(notebook(Answer("nothing")))
    assert isinstance(shown, Shown)
    assert (shown.record.name, shown.png, shown.table) == ("nothing", "", "")


def test_a_cell_may_show_several_answers_and_fail_after_them() -> None:
    error = new_output("error", ename="E", evalue="no", traceback=[])
    first, second = (Answer(name, text=paragraph(name), table=TABLE) for name in "ab")
    warning = new_output("stream", name="stderr", text="w")
    cell = code("both", *outputs(first), outputs(second)[0], warning, outputs(second)[1], error)
    *shown, _, output, _ = executed.parts(notebook(cell))
    assert [(one.record.name, one.table[:7]) for one in shown if isinstance(one, Shown)] == [
        *(("a", "<table>"), ("b", "<table>")),
    ]
    assert output == Output(executed.ERROR, "E: no")


def test_of_an_output_that_is_no_answer_there_is_the_best_form() -> None:
    plain = {"text/plain": "x"}
    shown = [
        new_output("display_data", data=data)
        for data in ({**plain, "image/png": "aGk="}, {**plain, "text/html": "<b>"}, plain, {})
    ]
    assert executed.parts(notebook(code("x", *shown)))[:-1] == [
        *(Output("image/png", "aGk="), Output("text/html", "<b>"), Output("text/plain", "x")),
    ]


def test_an_invalid_record_is_refused() -> None:
    output = new_output("display_data", data={RECORD: {"name": 7}, "text/plain": ""})
    with pytest.raises(msgspec.ValidationError):
        executed.parts(notebook(code("x", output)))


def test_an_answer_of_several_notebooks_counts_once_and_the_choice_is_first() -> None:
    brief = Answer("coverage", text=paragraph("Half."), role=ANSWER)
    about = Answer("about", text=paragraph("It is."), role=SUMMARY)
    books = [notebook(brief, about), notebook(CHOICE, brief, about)]
    found = [part for book in books for part in executed.parts(book)]
    names = [answer.record.name for answer in executed.with_role(found, ANSWER)]
    assert names == ["recommendation", "coverage"]
    assert len(executed.with_role(found, SUMMARY)) == 1


CELLS = [
    cell.source
    for path in sorted((paths.ROOT / "notebooks").glob("*.ipynb"))
    for cell in nbformat.read(path, as_version=4).cells
    if cell.cell_type == "markdown" and path.stem != "index"
]


def test_a_heading_is_one_line_and_each_paragraph_is_one_text() -> None:
    source = "## What is there?\n\nOne.\nStill one.\n\n# Two?\nTwo."
    expected = [(2, "What is there?"), (0, "One.\nStill one."), (1, "Two?"), (0, "Two.")]
    assert list(executed.paragraphs(source)) == expected


def test_every_heading_and_paragraph_of_the_notebooks_has_a_translation() -> None:
    known = set(pd.read_csv(paths.LANGUAGES, keep_default_na=False)["en"])
    texts = {text for source in CELLS for _, text in executed.paragraphs(source)}
    assert len(texts) > 50
    assert texts <= known


def test_prose_is_translated_part_by_part_and_what_nobody_translated_stays() -> None:
    with i18n.speaking("ko"):
        found = executed.parts(notebook("## What is there?\n\nNobody wrote this."))
    assert found == [Heading(2, "무엇이 들어 있습니까?"), Prose("Nobody wrote this.")]
