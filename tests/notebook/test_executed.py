"""Reading executed notebooks: answers by their records, prose in the language spoken."""

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_output

from helpers.answers.answer import ANSWER, SUMMARY, Answer
from helpers.notebook import executed
from helpers.notebook.executed import Code, Heading, Output, Prose, Shown
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


def test_an_answer_of_several_notebooks_counts_once_and_the_choice_is_first() -> None:
    brief = Answer("coverage", text=paragraph("Half."), role=ANSWER)
    about = Answer("about", text=paragraph("It is."), role=SUMMARY)
    books = [notebook(brief, about), notebook(CHOICE, brief, about)]
    found = [part for book in books for part in executed.parts(book)]
    names = [answer.record.name for answer in executed.with_role(found, ANSWER)]
    assert names == ["recommendation", "coverage"]
    assert len(executed.with_role(found, SUMMARY)) == 1
