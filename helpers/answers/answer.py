"""An answer: the one value that everything shown of a question comes from."""

from typing import NamedTuple

import pandas as pd

from helpers.answers.chart import Chart
from helpers.text.rich import Text

ANSWER, BANNER, SUMMARY, SLIDE = "answer", "banner", "summary", "slide"
"""Roles. The answer and the banner (is like compared with like?) stand first on the report page and
have a slide each; of a summary the figure has a slide, and stands on top of the page with its text;
a figure of the role `slide` has only a slide."""


class Answer(NamedTuple):
    """What a question of a notebook comes to.

    `name` names its files. `table` is the frame behind it, with codes in it; `shown` are the rows
    for readers if not all, and `searchable` says that there are many. `counted` is the lens or the
    measure, `source` whose numbers these are where the scanner's footer does not say it;
    `by_scanner` is false for what no scanner counted. `chart` may say why there is none.
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
