"""A section: what is said once is linked, what has no evidence is a line, code is one toggle."""

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.notebook import executed
from helpers.runs import cells
from helpers.runs.cells import passages
from helpers.runs.sections import Said, Section, finding, section
from helpers.text.rich import bullets, paragraph
from tests.support.executed_notebooks import CHARTS, notebook

ALIKE = Answer(
    "alike",
    text=paragraph("Images differ in age.") + bullets(["by age"]) + paragraph("Days are counted."),
    table=pd.DataFrame({"n": [1]}),
)
OTHER = Answer("other", text=paragraph("Something else."))
LACKING = Answer("files", text=paragraph("No files are known."), lacks="No files are known.")


def sections(*notebooks: tuple[str | Answer, ...]) -> list[Section]:
    said = Said()
    books = enumerate(notebooks, start=1)
    return [section(f"0{n}", executed.parts(notebook(*parts)), said) for n, parts in books]


def texts(section: Section) -> dict[str, str]:
    """The HTML below each heading of a section."""
    questions = [section.title, *section.questions]
    return {
        q.heading.text: "".join(block.html for block in (*q.blocks, *q.details)) for q in questions
    }


def test_code_below_a_heading_is_one_piece_and_tables_are_numbered_there() -> None:
    table = Answer("a", table=pd.DataFrame({"n": [1]}))
    other = table._replace(table=pd.DataFrame({"n": [2]}))
    (found,) = sections(("# A", table, other, "## B", OTHER))
    assert found.title.code.replace("</span>", "").count("blog") == 2
    labels = [block.label for block in found.title.blocks if block.kind == cells.TABLE]
    assert labels == ["Table 1: A", "Table 2: A"]
    assert found.questions[0].code.count("blog") == 1


def test_what_was_said_already_is_linked_where_it_stands() -> None:
    first, second = sections(
        ("# One", "## Alike?", ALIKE), ("# Two", "## And?", ALIKE._replace(name="again"), OTHER)
    )
    assert "by age" in texts(first)["Alike?"]
    assert texts(second)["And?"] == (
        '<p class="aside">As above: <a href="#01.1">Alike?</a></p><p>Something else.</p>'
    )
    assert second.above == []


def test_a_passage_is_said_once_and_what_is_new_in_a_text_stays() -> None:
    longer = Answer("longer", text=ALIKE.text + paragraph("A new one."))
    _, second = sections(("# One", "## Alike?", ALIKE), ("# Two", "## Alike?", longer))
    assert texts(second)["Alike?"] == (
        '<p class="aside">As above: <a href="#01.1">One</a></p><p>A new one.</p>'
    )
    assert [len(passage.blocks) for passage in passages(ALIKE.text)] == [2, 1]


def test_what_repeats_a_figure_in_detail_comes_later() -> None:
    answer = CHARTS["fixable"]._replace(
        text=bullets(["alpine: 3"]) + paragraph("Counted: findings."),
        table=pd.DataFrame({"n": [1]}),
    )
    (found,) = sections(("# One", answer))
    assert [block.kind for block in found.title.blocks] == [cells.FIGURE, cells.PROSE]
    assert [block.kind for block in found.title.details] == [cells.PROSE, cells.TABLE]


def test_a_notebook_comes_to_the_message_of_its_summary() -> None:
    about = Answer("about", text=paragraph("What the study is."), role=SUMMARY)
    summed_up = OTHER._replace(role=SUMMARY, title="The message")
    parts = executed.parts(notebook("# One", about, CHARTS["fixable"], summed_up))
    assert finding(parts) == "The message"
    assert finding(executed.parts(notebook("# One", LACKING))) == "No files are known."


def test_a_question_that_is_answered_above_is_a_line() -> None:
    first, second = sections(("# One", "## Alike?", ALIKE), ("# Two", "## Alike?", ALIKE))
    assert first.above == []
    assert second.questions == []
    assert second.above == [("Alike?", first.questions[0].heading)]


def test_questions_without_evidence_are_a_line_for_each_reason() -> None:
    other = LACKING._replace(lacks="No layers are known.")
    (found,) = sections(
        ("# One", "## A?\n\nAsked.", LACKING, LACKING, "## B?", LACKING, "## C?", other)
    )
    assert found.questions == []
    assert found.lacking == {"No files are known.": ["A?", "B?"], "No layers are known.": ["C?"]}


def test_a_question_that_has_some_evidence_says_what_it_lacks() -> None:
    (found,) = sections(("# One", "## A?", OTHER, LACKING, LACKING))
    assert found.lacking == {}
    assert texts(found)["A?"] == (
        "<p>Something else.</p>"
        '<p class="aside">There is no evidence for more here. No files are known.</p>'
    )


def test_markup_in_a_heading_is_text_in_a_link_to_it() -> None:
    _, second = sections(("# One", "## <b>?", ALIKE), ("# Two", "## And?", ALIKE, OTHER))
    assert '<a href="#01.1">&lt;b&gt;?</a>' in texts(second)["And?"]
