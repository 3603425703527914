"""What a terminal shows of a run: the answer first, and nothing that moves the cursor."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_notebook

from helpers.answers.answer import ANSWER, Answer
from helpers.runs import terminal
from helpers.text.i18n import columns
from helpers.text.rich import Block, Phrase, Run, Text, bullets, paragraph
from tests.support.executed_notebooks import ALIKE, run_of

CHOICE = Answer(
    "recommendation",
    text=Text((Block(Phrase((Run("Ship", strong=True), Run(" a\x1b[31m\r."))), role="choice"),))
    + paragraph("By size.", "weighed")
    + paragraph("Under another lens b.", "choice")
    + bullets(["a: 1"], role="candidate"),
    role=ANSWER,
)


def test_the_choice_is_shown_whatever_comes_before_it_and_is_inert(tmp_path: Path) -> None:
    other = Answer("other", text=paragraph("Another answer."), role=ANSWER)
    run = run_of(tmp_path, "# Which?", ALIKE, other, CHOICE)
    assert terminal.answer(run, 80) == [r"Ship a\x1b[31m\r.", "Under another lens b."]


def test_lines_are_as_wide_as_the_terminal(tmp_path: Path) -> None:
    text = "출하할 이미지는 nodejs-distroless입니다 " * 9
    lines = terminal.answer(run_of(tmp_path, Answer("a", text=paragraph(text), role=ANSWER)), 30)
    assert len(lines) > 9
    assert all(columns(line) <= 30 for line in lines)


def test_a_run_without_an_answer_shows_none(tmp_path: Path) -> None:
    run = run_of(tmp_path, "# Which?", ALIKE, Answer("a", role=ANSWER))
    assert terminal.answer(run, 80) == []
    nbformat.write(new_notebook(), run / "notebooks/01-answers.ipynb")
    assert terminal.answer(run, 80) == []
