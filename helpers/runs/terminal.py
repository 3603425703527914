"""What a terminal shows of a run: its answer in short."""

from pathlib import Path

from helpers.answers.answer import ANSWER
from helpers.notebook import executed
from helpers.text import escape, i18n


def answer(run: Path, width: int) -> list[str]:
    """Return the first paragraph of a run's first answer, and what else of it is the choice.

    Lines of so many columns at most, inert in a terminal; none if no notebook answers.
    """
    notebooks = sorted((run / "notebooks").glob("*.ipynb"))
    parts = [part for path in notebooks for part in executed.read(path)]
    first = executed.with_role(parts, ANSWER)[:1]
    blocks = [block for shown in first for block in shown.record.text.blocks]
    return [
        line
        for place, block in enumerate(blocks)
        if place == 0 or block.role == "choice"
        for line in i18n.wrap(escape.plain(block.phrase.plain), width)
    ]
