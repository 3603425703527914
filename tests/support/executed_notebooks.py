"""Executed notebooks made of answers, without a kernel, and answers of each kind of chart."""

import base64
import io
import zlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from helpers.answers import talk
from helpers.answers.answer import (
    ANSWER,
    BANNER,
    CLOSING,
    FIGURE,
    SEARCHABLE,
    SLIDE,
    SUMMARY,
    TABLE,
    TEXT,
    Answer,
    encoded,
)
from helpers.answers.chart_data import (
    Bars,
    Cell,
    Combination,
    Curve,
    Curves,
    Mark,
    Matrix,
    Overlap,
    Point,
    Points,
    Series,
    Step,
    Waterfall,
)
from helpers.answers.talk import Talk
from helpers.notebook import tables
from helpers.text import escape
from helpers.text import html as text_html
from helpers.text.rich import Block, Text, bullets, code, name, paragraph, phrase, say


def picture(title: str) -> str:
    """A small picture in base64, for each title another."""
    buffer = io.BytesIO()
    colour = f"#{zlib.crc32(title.encode()) % 2**24:06x}"
    Image.new("RGB", (16, 9), colour).save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode()


FOOTER = "study blog-2022 · capture 2022-02 · Trivy 0.76.0"


def outputs(answer: Answer) -> list[NotebookNode]:
    """The outputs by which a notebook shows an answer: picture, text and table."""
    bundles: dict[str, dict[str, Any]] = {}
    if answer.chart is not None:
        bundles[FIGURE] = {"image/png": picture(answer.title), "text/plain": answer.title}
    if answer.text:
        bundles[TEXT] = {"text/html": text_html.of_text(answer.text)}
    if answer.table is not None:
        table = tables.to_html(answer.table)
        if answer.searchable and len(answer.table):
            bundles[SEARCHABLE] = {"text/html": "<script>", escape.STATIC: table}
        else:
            bundles[TABLE] = {"text/html": table}
    first, *rest = bundles.values() or [{"text/plain": ""}]
    first[escape.ANSWER] = encoded(answer, FOOTER, [*bundles])
    return [new_output("display_data", data=bundle) for bundle in (first, *rest)]


def notebook(*parts: str | Answer | NotebookNode) -> NotebookNode:
    """An executed notebook: text is Markdown, an answer a cell that shows it."""
    cells = []
    for part in parts:
        if isinstance(part, Answer):
            source = f"blog.{part.name.replace('-', '_')}()"
            cells.append(new_code_cell(source, outputs=outputs(part)))
        else:
            cells.append(new_markdown_cell(part) if isinstance(part, str) else part)
    return new_notebook(cells=cells)


def run_of(folder: Path, *parts: str | Answer | NotebookNode) -> Path:
    """A run's folder with one executed notebook."""
    (folder / "notebooks").mkdir(parents=True)
    nbformat.write(notebook(*parts), folder / "notebooks" / "01-answers.ipynb")
    return folder


def record(**parameters: str) -> dict[str, Any]:
    """What `run.json` says of a run, as far as pages and decks ask."""
    return {
        "command": "reproduce blog-2022",
        "parameters": parameters,
        "kit": "0.1.0",
        "python": "3.12.1",
        "libraries": {},
        "captures": {},
        "started": datetime(2026, 11, 25, tzinfo=UTC),
    }


def counts(*rows: tuple[str, list[float] | None], **fields: Any) -> Bars:
    """Stacked counts of HIGH and LOW; None for an image that was not measured."""
    series = [
        Series(key, key, [None if counts is None else counts[place] for _, counts in rows])
        for place, key in enumerate(("HIGH", "LOW"))
    ]
    ends = ["not measured" if c is None else f"{sum(c):,.0f}" for _, c in rows]
    measured = [c is not None for _, c in rows]
    names = [(variant, "") for variant, _ in rows]
    return Bars(names, series, ends, "number of findings", "severity", measured, **fields)


def recommended() -> Text:
    """A recommendation, with the role of each of its parts."""
    roles = (
        ("Weighed: size × 1; the lowest penalty is the best.", 0, "weighed"),
        ("alpine: penalty 0.00; 0 fixable", 1, "candidate"),
        ("debian: penalty 1.00; 9 fixable", 1, "candidate"),
        ("What to bear in mind:", 0, "heading"),
        ("Counted: vulnerabilities.", 1, "counted"),
        ("A choice of these images, not of bases.", 1, "loud"),
        ("Half of the bytes were looked at.", 1, "caution"),
        ("Not a candidate: broken, its capture failed.", 1, "not-candidate"),
    )
    choice = paragraph(say("By the database of {day}: ship {v}.", day="2026", v=name("alpine")))
    blocks = (Block(phrase(text), level, role) for text, level, role in roles)
    return Text((choice.blocks[0].__class__(choice.blocks[0].phrase, 0, "choice"), *blocks))


_DAYS = [date(2022, 1, 1), date(2023, 6, 1), date(2025, 1, 1), date(2026, 11, 24)]

CHARTS: dict[str, Answer] = {
    answer.name: answer
    for answer in (
        Answer(
            "severity-by-capture",
            "Findings: alpine 48, debian 19",
            bullets(["alpine has fewer", "as " + code("apk") + " says"]),
            pd.DataFrame({"variant": ["alpine"], "count": [48]}),
            counts(("alpine", [40, 8]), ("debian", [0, 19]), ("broken", None)),
            "findings",
            role=SUMMARY,
        ),
        Answer(
            "fixable",
            "What can be fixed",
            chart=Bars(
                [("alpine", ""), ("debian", "")],
                [
                    Series("fixable", "fixable", [40.0, 0.0]),
                    Series("unfixed", "without a fix", [0.0, 19.0]),
                ],
                ["40\nOS unfixed: cannot be seen", "19"],
                "number of findings",
                "fix",
                [True, True],
            ),
            counted="findings",
            role=SLIDE,
        ),
        Answer(
            "size-difference",
            "Unpacked size: alpine 173.4 MB, debian 319.5 MB",
            chart=Bars(
                [("alpine", ""), ("debian", ""), ("unknown", "")],
                [Series("size", "size", [173.4, 319.5, None])],
                ["173.4 MB\n−146.1 MB, ×0.54", "319.5 MB\nbaseline", "not measured"],
                "image size, unpacked (MB = 10⁶ bytes)",
                "size",
                [True, True, False],
                decimals=1,
                baseline=1,
            ),
            source="docker image inspect",
            role=SUMMARY,
        ),
        Answer(
            "trade-off",
            "alpine is the smallest",
            chart=Points(
                [
                    Point("alpine", 173.4, 0, "alpine\n173.4 MB, 0", "front"),
                    Point("debian", 319.5, 74, "debian\n319.5 MB, 74", "dominated"),
                    Point("slim", 320.5, 74, "slim\n320.5 MB, 74", "dominated"),
                ],
                "image size",
                "number of fixable vulnerabilities",
                {"front": "on the Pareto front", "dominated": "dominated by another"},
                [(173.4, 0)],
                "not placed: broken (its capture failed)",
            ),
            counted="vulnerabilities",
            role=SUMMARY,
        ),
        Answer(
            "growth",
            "Vulnerabilities since the build: alpine 8, debian 30",
            chart=Curves(
                [
                    Curve("alpine", list(zip(_DAYS, [0, 2, 5, 8], strict=True)), _DAYS[1]),
                    Curve("debian", list(zip(_DAYS, [1, 9, 20, 30], strict=True))),
                ],
                [Mark(0, _DAYS[1], 2, "Alpine 3.15: end of support", True)],
                [(_DAYS[2], "the post")],
                "day of publication (UTC)",
                "number of vulnerabilities",
                _DAYS[2],
            ),
            role=SLIDE,
        ),
        Answer(
            "size-steps",
            "From debian to alpine: −146.1 MB",
            chart=Waterfall(
                [
                    Step("debian", "", "total", 0, 319.5),
                    Step("OS packages", "", "step", 319.5, 170),
                    Step("3 others", "", "rest", 170, 173.4),
                    Step("alpine", "", "total", 0, 173.4),
                ],
                "image size (MB = 10⁶ bytes)",
            ),
            role=SLIDE,
        ),
        Answer(
            "attack-surface",
            "What an attacker finds: a shell in alpine",
            chart=Matrix(
                ["shell", "runs as root"],
                ["alpine", "debian"],
                [[Cell("found", "busybox", 1), Cell("none", "none")]] * 2,
            ),
            role=SUMMARY,
        ),
        Answer(
            "overlap",
            "Vulnerabilities: two are shared",
            chart=Overlap(
                ["alpine", "debian"],
                [("HIGH", "HIGH"), ("LOW", "LOW")],
                [Combination(["alpine"], [3, 1]), Combination(["alpine", "debian"], [2, 0])],
                "",
                "number of vulnerabilities",
            ),
            role=SLIDE,
        ),
    )
}
"""An answer of each kind of chart, by name, in the order of slides."""

NO_TIME = Answer(
    "no-growth",
    chart=Curves([], [], [], "", ""),
    role=SLIDE,
)

CHOICE = Answer(
    "recommendation",
    text=recommended(),
    role=ANSWER,
    talks=(
        Talk(
            talk.CHOICE,
            "Ship alpine: 0 fixable against 9",
            bullets(["alpine: 0 fixable", "debian: 9 fixable"]),
            spoken=("We would ship alpine.", "It has none that is fixable."),
        ),
    ),
)
ALIKE = Answer(
    "confounders",
    text=paragraph("Images differ in age.") + bullets(["alpine is 3 days older"]),
    table=pd.DataFrame({"image": ["alpine"]}),
    role=BANNER,
    talks=(
        Talk(
            talk.ALIKE,
            "Images differ in age",
            table=talk.Table(["image", "built"], [["alpine", "2022-01-01"]], [0.5, 0.5]),
            spoken=("They differ in age.",),
        ),
    ),
)


def talks_of(words: Sequence[str]) -> tuple[Talk, ...]:
    """Slides that say some words everywhere: as lines, as a table, and aloud."""
    first = words[0]
    rows = [[word, first] for word in words]
    return (
        Talk(talk.CHOICE, first, paragraph(first) + bullets(words), spoken=tuple(words)),
        Talk(talk.ALIKE, first, table=talk.Table([first, first], rows, [0.5, 0.5])),
    )


CLOSE = Answer(
    "takeaways",
    text=bullets(["Ship alpine."]),
    role=CLOSING,
    talks=(Talk(talk.CLOSING, "In short: ship alpine", bullets(["Scan again."])),),
)
