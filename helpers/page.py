"""`report.html`: a run's executed notebooks as one page that can be mailed; it loads nothing."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import bleach
import nbformat
from jinja2 import Environment, PackageLoader
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from helpers import paths
from helpers.escape import STATIC
from helpers.study import Study

ANSWER_TAG, SUMMARY_TAG = "answer", "summary"
"""A code cell with such a tag has its outputs at the top of the page as well, answers first."""

_TAGS = frozenset(
    "a abbr b blockquote br code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol p pre s "
    "span strong sub sup table tbody td tfoot th thead tr ul".split()
)
_ATTRIBUTES = {"*": ["id", "class"], "a": ["href", "title"], "img": ["alt"]}
"""HTML that notebooks may hold. Pictures from elsewhere and styles are not among it."""

_HEADING = re.compile(r"^#", re.MULTILINE)


class Section(NamedTuple):
    """One notebook of the page."""

    id: str
    title: str
    body: str


def write(run: Path, study: Study, record: dict[str, Any]) -> Path:
    """Write `report.html` into a run's folder from its executed notebooks; return its path."""
    notebooks = [nbformat.read(path, as_version=4) for path in _executed(run)]
    environment = Environment(loader=PackageLoader("helpers", "."), autoescape=True)
    text = environment.get_template(paths.PAGE_TEMPLATE).render(
        study=study,
        record=record,
        summary=_html(
            [
                cell
                for tag in (ANSWER_TAG, SUMMARY_TAG)
                for book in notebooks
                for cell in book.cells
                if tag in cell.metadata.get("tags", [])
            ]
        ),
        sections=[
            _section(path.stem, book) for path, book in zip(_executed(run), notebooks, strict=True)
        ],
    )
    target = run / "report.html"
    target.write_text(text, encoding="utf-8")
    return target


def _executed(run: Path) -> list[Path]:
    return sorted((run / "notebooks").glob("*.ipynb"))


def _section(name: str, notebook: NotebookNode) -> Section:
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    return Section(name, title, _html([_lowered(cell) for cell in notebook.cells]))


def _lowered(cell: NotebookNode) -> NotebookNode:
    """Return a cell whose headings are one level lower: the page's own title is the first."""
    if cell.cell_type != "markdown":
        return cell
    return NotebookNode({**cell, "source": _HEADING.sub("##", cell.source)})


def _static(cell: NotebookNode) -> NotebookNode:
    """Return a cell whose tables need no script: those that do bring a plain one along."""
    outputs = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if STATIC in data:
            output = NotebookNode({**output, "data": {"text/html": data[STATIC]}})
        outputs.append(output)
    return NotebookNode({**cell, "outputs": outputs}) if outputs else cell


def _html(cells: Iterable[NotebookNode]) -> str:
    """Return cells as HTML without their code; what comes from reports is sanitized."""
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        sanitize_html=True,
    )
    # Its own filter knows neither headings nor paragraphs.
    exporter.register_filter("clean_html", _cleaned)
    plain = [_static(cell) for cell in cells]
    body, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=plain))
    # A wide table scrolls in its own box, not the page.
    return re.sub(r"(<table.*?</table>)", r'<div class="table">\1</div>', body, flags=re.DOTALL)


def _cleaned(html: str | bytes) -> str:
    """Return HTML of a notebook with nothing in it but the tags and attributes named above."""
    text = html.decode() if isinstance(html, bytes) else str(html)
    return str(bleach.clean(text, tags=_TAGS, attributes=_ATTRIBUTES))
