"""`report.html`: a run's executed notebooks as one page that can be mailed; it loads nothing."""

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from helpers import paths
from helpers.answers.answer import ANSWER, BANNER, NOT_KNOWN, SUMMARY, TODO, Record
from helpers.charts import fonts
from helpers.charts.look import LIGHT
from helpers.notebook import executed, tables
from helpers.notebook.executed import Part, Shown
from helpers.runs import cells
from helpers.runs.cells import Block
from helpers.runs.sections import Heading, Said, section
from helpers.text import html as text_html
from helpers.text import i18n
from helpers.text.i18n import t, word
from helpers.text.rich import Text


class Titled(Protocol):
    """What a page is of: a study, or a fleet."""

    @property
    def title(self) -> str:
        """Return the page's title."""

    @property
    def question(self) -> str:
        """Return what it answers."""


class Summary(NamedTuple):
    """The first layer of the page: texts are HTML that is safe to show.

    `leads` is the answer with its reason, `todo` what to do now and `decided` the figure that
    decided. `banners` say whether like is compared with like, and `unknown` what is not known.
    """

    leads: list[str]
    todo: Shown | None
    decided: Block | None
    banners: list[Shown]
    unknown: str


def write(run: Path, about: Titled, record: dict[str, Any]) -> Path:
    """Write `report.html` into a run's folder from its executed notebooks; return its path.

    It speaks the language that is spoken.
    """
    notebooks = {
        path.stem: executed.read(path) for path in sorted((run / "notebooks").glob("*.ipynb"))
    }
    said = Said()
    top = summary([part for parts in notebooks.values() for part in parts], said)
    in_sections = [section(name, parts, said) for name, parts in notebooks.items()]
    script = _script()
    environment = Environment(
        loader=PackageLoader("helpers.runs", "."),
        autoescape=True,
        finalize=text_html.inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"t": t, "word": word}
    text = environment.get_template(paths.PAGE_TEMPLATE).render(
        about=about,
        record=record,
        language=i18n.spoken(),
        theme=record["parameters"].get("theme", LIGHT),
        summary=top,
        todo=text_html.of_text(top.todo.record.text) if top.todo else "",
        banners=[_head(answer, said) for answer in top.banners if answer.record.text],
        sections=in_sections,
        style=Markup(_library("dt_bundle.css")),
        script=Markup(script),
        words=Markup(cells.as_json(tables.words())),
        digest=_digest(script),
    )
    target = run / "report.html"
    target.write_text(fonts.embedded(text), encoding="utf-8")
    return target


def summary(parts: Sequence[Part], said: Said) -> Summary:
    """Return the first layer of the page, from the parts of all notebooks; note it in `said`.

    The first answer leads with what is the choice in it, else with the paragraphs that it begins
    with. Its figure decided; without one, that is the first of the summary's.
    """
    answers = executed.with_role(parts, ANSWER)[:1]
    todo = next(iter(executed.with_role(parts, TODO)), None)
    others = [a for a in executed.with_role(parts, SUMMARY) if not a.record.lacks]
    # What the scanner counted comes before sizes and files.
    others.sort(key=lambda answer: not answer.record.by_scanner)
    drawn = next((answer for answer in (*answers, *others) if answer.png), None)
    here, leads, unknown = Heading("in-short", 2, t("In short")), [], Text()
    for answer in answers:
        blocks, lead = answer.record.text.blocks, _leading(answer)
        leads = [text_html.of_text(Text(blocks[:lead]))] if lead else []
        unknown = Text(tuple(block for block in blocks[lead:] if block.role in NOT_KNOWN))
        told = Record(answer.record.name, text=Text(blocks[:lead]) + unknown)
        said.new_in(Shown(told, ""), here)
    if todo:
        said.new_in(todo._replace(png="", table=""), here)
    if drawn:
        said.new_in(Shown(Record(drawn.record.name), "", png=drawn.png), here)
    return Summary(
        leads,
        todo,
        cells.figure(drawn) if drawn else None,
        executed.with_role(parts, BANNER),
        text_html.of_text(unknown),
    )


def _leading(answer: Shown) -> int:
    """Return how many blocks of the first answer lead: the choice, if it has one."""
    blocks = answer.record.text.blocks
    if choices := sum(1 for _ in takewhile(lambda block: block.role == "choice", blocks)):
        return choices
    return next((at for at, block in enumerate(blocks) if block.level), len(blocks))


def _head(answer: Shown, said: Said) -> tuple[str, Heading | None]:
    """Return the first paragraph of an answer, and the heading below which all of it stands."""
    first, *_ = cells.passages(answer.record.text)
    return text_html.of_phrase(first.blocks[0].phrase), said.place(text_html.of_text(first))


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
