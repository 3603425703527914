"""An answer: the one value that everything shown of a question comes from."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import pandas as pd
from msgspec import Struct

from helpers.answers.chart_data import Chart
from helpers.answers.talk import Talk
from helpers.text.rich import Text

ANSWER, TODO, BANNER, SUMMARY = "answer", "todo", "banner", "summary"
SLIDE, CLOSING = "slide", "closing"
"""Roles. The answer, what to do now, and the banner (do the images differ in more than their base?)
stand first on the report page and have slides; of a summary the figure has a slide and stands on
top of the page, or its text if it has no chart; what has the role `slide` has only a slide, and so
has the closing: what to take away, and what to do next."""

NOT_KNOWN = ("caution", "loud")
"""Roles of the bullets of an answer that say what is not known."""

FIGURE, TEXT, TABLE, SEARCHABLE = "figure", "text", "table", "searchable"
"""What an output of an answer is."""


class Answer(NamedTuple):
    """What a question of a notebook comes to.

    `name` names its files. `table` is the frame behind it, with codes in it; `shown` are the rows
    for readers if not all, and `searchable` says that there are many. `counted` is the lens or the
    measure, `source` whose numbers these are where the scanner's footer does not say it;
    `by_scanner` is false for what no scanner counted. A `chart` without data has no figure:
    `chart.why_empty` says why. `variants` are those that it is about, if not all. `lacks` says why
    there is no evidence for an answer, as a sentence; neither text nor table then have more to say.
    `talks` are its slides, one each: what they show, and what is said there.
    """

    name: str
    title: str = ""
    text: Text = Text()
    table: pd.DataFrame | None = None
    chart: Chart | None = None
    counted: str = ""
    source: str = ""
    role: str = ""
    by_scanner: bool = True
    searchable: bool = False
    shown: pd.DataFrame | None = None
    variants: tuple[str, ...] = ()
    lacks: str = ""
    talks: tuple[Talk, ...] = ()


class Record(Struct):
    """What an executed notebook keeps of an answer, beside what it shows: all but the tables.

    `subtitle` says what the figure shows and under which conditions, `footer` where its numbers
    come from, `outputs` what each output of the answer is, in order: `FIGURE`, `TEXT`, `TABLE`
    or `SEARCHABLE`.
    """

    name: str
    title: str = ""
    text: Text = Text()
    chart: Chart | None = None
    counted: str = ""
    source: str = ""
    role: str = ""
    by_scanner: bool = True
    lacks: str = ""
    talks: tuple[Talk, ...] = ()
    subtitle: str = ""
    footer: str = ""
    outputs: list[str] = []


def message(answer: Answer) -> str:
    """Return what an answer's figure says: the headline of its slide, else its own title."""
    told = [talk.headline for talk in answer.talks if not talk.lines and not talk.table]
    return next(filter(None, told), answer.title) if answer.title else ""


def encoded(
    answer: Answer, footer: str = "", outputs: Sequence[str] = (), subtitle: str = ""
) -> dict[str, Any]:
    """Return the record of an answer as what JSON holds."""
    shared = set(Record.__struct_fields__) & set(Answer._fields)
    kept = {name: getattr(answer, name) for name in shared}
    record = Record(**kept, subtitle=subtitle, footer=footer, outputs=[*outputs])
    found: dict[str, Any] = msgspec.to_builtins(record)
    return found


def decoded(data: Any) -> Record:
    """Return the record of an answer from what JSON holds. Raises `msgspec.ValidationError`."""
    return msgspec.convert(data, Record)
