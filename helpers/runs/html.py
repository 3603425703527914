"""`report.html`: a run's executed notebooks as one page that can be mailed; it loads nothing."""

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from helpers import paths
from helpers.answers.answer import ANSWER, BANNER, SUMMARY
from helpers.charts.look import LIGHT
from helpers.notebook import executed, tables
from helpers.notebook.executed import Part
from helpers.runs import cells
from helpers.runs.cells import Block, Heading
from helpers.studies.study import Study
from helpers.text import escape, i18n
from helpers.text import html as text_html
from helpers.text.i18n import t, word
from helpers.text.rich import Text


class Summary(NamedTuple):
    """The top of the page: the answer in short, figures, the answers in full, other texts.

    All but the figures are HTML that is safe to show.
    """

    leads: list[str]
    figures: list[Block]
    answers: list[str]
    rest: list[str]


class Section(NamedTuple):
    """One notebook of the page: its title, its further headings and what it shows."""

    title: Heading
    headings: list[Heading]
    parts: list[Block | Heading]


def write(run: Path, study: Study, record: dict[str, Any]) -> Path:
    """Write `report.html` into a run's folder from its executed notebooks; return its path.

    It speaks the language that is spoken.
    """
    notebooks = {
        path.stem: executed.read(path) for path in sorted((run / "notebooks").glob("*.ipynb"))
    }
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
        summary=summary([part for parts in notebooks.values() for part in parts]),
        sections=[_section(name, parts) for name, parts in notebooks.items()],
        style=Markup(_library("dt_bundle.css")),
        script=Markup(script),
        words=Markup(cells.as_json(tables.words())),
        digest=_digest(script),
    )
    target = run / "report.html"
    target.write_text(text, encoding="utf-8")
    return target


def summary(parts: Sequence[Part]) -> Summary:
    """Return the top of the page, from the parts of all notebooks.

    The first paragraphs of the answer and of the banner lead.
    """
    answers = executed.with_role(parts, ANSWER)
    banners = executed.with_role(parts, BANNER)
    heads = [*answers[:1], *banners]
    others = executed.with_role(parts, SUMMARY)
    # What the scanner counted comes before sizes and files.
    figures = sorted(others, key=lambda answer: not answer.record.by_scanner)
    found = Summary([], [cells.figure(answer) for answer in figures if answer.png], [], [])
    for answer in (*answers, *banners):
        blocks = answer.record.text.blocks
        lead = 1 if answer in heads else 0
        found.leads.append(text_html.of_text(Text(blocks[:lead])))
        found.answers.append(text_html.of_text(Text(blocks[lead:])))
    found.rest.extend(text_html.of_text(answer.record.text) for answer in others if not answer.png)
    return found


def _section(name: str, parts: Sequence[Part]) -> Section:
    found = cells.blocks(parts, name)
    headings = [part for part in found if isinstance(part, Heading)]
    # A notebook that failed begins with a note about it.
    title = headings[0] if headings else Heading(name, 2, name)
    return Section(title, headings[1:], [part for part in found if part is not title])


def _library(name: str) -> str:
    """Return a file of DataTables, as itables brings it along."""
    return (files("itables") / "html" / name).read_text(encoding="utf-8")


def _script() -> str:
    """Return the page's one script: the library, and what turns tables into searchable ones."""
    library = _library("dt_bundle.js")
    # The library is a module, and what a module exports cannot be reached from its own page.
    exported = re.search(r"export\s*\{([^}]*)\}", library)
    assert exported is not None
    pairs = (pair.split(" as ") for pair in exported[1].split(","))
    names = {public: local for local, public in pairs}
    ours = paths.PAGE_SCRIPT.read_text(encoding="utf-8")
    script = f"{library}\n{ours}\nwake({names['default']});\n"
    # A page takes these for its own, also within a script.
    return script.replace("<!--", r"\x3C!--").replace("<script", r"\x3Cscript")


def _digest(script: str) -> str:
    """Return the digest by which a page's policy allows that script and no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
