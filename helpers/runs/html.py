"""`report.html`: a run's executed notebooks as one page that can be mailed; it loads nothing."""

import base64
import hashlib
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from helpers import paths
from helpers.charts.look import LIGHT
from helpers.notebook import tables
from helpers.runs import cells
from helpers.runs.cells import FIGURES, Block, Heading
from helpers.studies.study import Study
from helpers.text import escape, i18n
from helpers.text.i18n import t, word

ANSWER_TAG, SUMMARY_TAG = "answer", "summary"
BANNER_TAG = "banner"
"""What cells with these tags show is at the top of the page as well: the answer and whether like is
compared with like (their first paragraphs), figures, then all of the answers, and the rest."""


class Summary(NamedTuple):
    """The top of the page: first paragraphs of answers, figures, all else of the answers, the rest.

    `leads` and `answers` are HTML that is safe to show.
    """

    leads: list[str]
    figures: list[Block]
    answers: list[str]
    rest: list[Block]


class Section(NamedTuple):
    """One notebook of the page: its title, its further headings and what it shows."""

    title: Heading
    headings: list[Heading]
    parts: list[Block | Heading]


def write(run: Path, study: Study, record: dict[str, Any]) -> Path:
    """Write `report.html` into a run's folder from its executed notebooks; return its path.

    It speaks the language that is spoken.
    """
    sections = [_section(path) for path in sorted((run / "notebooks").glob("*.ipynb"))]
    script = _script()
    environment = Environment(
        loader=PackageLoader("helpers.runs", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "t": t,
        "word": word,
        "is_heading": lambda part: isinstance(part, Heading),
    }
    environment.filters["plain"] = escape.plain
    text = environment.get_template(paths.PAGE_TEMPLATE).render(
        study=study,
        record=record,
        language=i18n.spoken(),
        theme=record["parameters"].get("theme", LIGHT),
        summary=_summary(sections),
        sections=sections,
        style=Markup(_library("dt_bundle.css")),
        script=Markup(script),
        words=Markup(cells.as_json(tables.words())),
        digest=_digest(script),
    )
    target = run / "report.html"
    target.write_text(text, encoding="utf-8")
    return target


def _section(path: Path) -> Section:
    parts = cells.blocks(nbformat.read(path, as_version=4), path.stem)
    headings = [part for part in parts if isinstance(part, Heading)]
    # A notebook that failed begins with a note about it.
    title = headings[0] if headings else Heading(path.stem, 2, path.stem)
    return Section(title, headings[1:], [part for part in parts if part is not title])


def _summary(sections: Iterable[Section]) -> Summary:
    """Return what stands at the top: the answer in short, figures, the answer in full, the rest."""
    found = [part for section in sections for part in section.parts if isinstance(part, Block)]
    answers = [block for block in found if ANSWER_TAG in block.tags]
    first = [block for block in answers if block is answers[0] or BANNER_TAG in block.tags]
    rest = [block for block in found if SUMMARY_TAG in block.tags]
    return Summary(
        leads=[_split(block)[0] for block in first],
        figures=[block for block in rest if block.kind == FIGURES],
        answers=[_split(block)[1] if block in first else block.html for block in answers],
        rest=[block for block in rest if block.kind != FIGURES],
    )


def _split(block: Block) -> tuple[str, str]:
    """Return the first paragraph of a block's HTML, and what comes after it."""
    lead, end, rest = block.html.partition("</p>")
    return lead + end, rest


def _library(name: str) -> str:
    """Return a file of DataTables, as itables brings it along."""
    return (files("itables") / "html" / name).read_text(encoding="utf-8")


def _script() -> str:
    """Return the page's one script: the library, and what turns tables into searchable ones."""
    library = _library("dt_bundle.js")
    # The library is a module, and what a module exports cannot be reached from its own page.
    exported = re.search(r"export\s*\{([^}]*)\}", library)
    assert exported is not None
    names = {name: own for own, name in (pair.split(" as ") for pair in exported[1].split(","))}
    ours = paths.PAGE_SCRIPT.read_text(encoding="utf-8")
    script = f"{library}\n{ours}\nwake({names['default']});\n"
    # A page takes these for its own, also within a script.
    return script.replace("<!--", r"\x3C!--").replace("<script", r"\x3Cscript")


def _digest(script: str) -> str:
    """Return the digest by which a page's policy allows that script and no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
