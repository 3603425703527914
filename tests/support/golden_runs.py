"""Golden runs: what the notebooks show of four studies in each language, as files a person reads.

`python -m tests.support.golden_runs` renews them; `git diff tests/golden` is what has changed.
"""

import ast
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mistune
import nbformat

from helpers import paths
from helpers.answers import chart
from helpers.answers.answer import Answer
from helpers.capture.session import capture
from helpers.text import escape, i18n
from helpers.text.rich import Phrase
from tests.support import strange

FOLDER = Path(__file__).parent.parent / "golden"
STUDIES = ("blog-2022", "matched-2026", "rebuilt-2026", "hostile")
"""Recorded ones, and one of `strange`: failed, clean, unknown and hostile variants."""

MOST_ROWS = 40
"""Rows of a table that are kept in full; the rest is kept as a digest."""


@contextmanager
def studies() -> Iterator[Path]:
    """Give a data folder with all of the studies for as long as the block runs."""
    before = os.environ.get("KIT_DATA")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        (data / "studies").mkdir()
        for path in (paths.ROOT / "data" / "studies").iterdir():
            (data / "studies" / path.name).symlink_to(path)
        os.environ["KIT_DATA"] = folder
        try:
            _dated(capture(strange.hostile(data), "2026-11-24").folder / "capture.json")
            yield data
        finally:
            if before is None:
                del os.environ["KIT_DATA"]
            else:
                os.environ["KIT_DATA"] = before


def _dated(path: Path) -> None:
    """Give a capture a fixed time, so that only what the code says can change."""
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"captured_at": "2026-11-24T12:00:00Z"}))


def told(study: str, language: str) -> dict[str, str]:
    """Return the files of a golden run by name: tables as CSV, and what each notebook shows."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in paths.notebooks():
            given = {"study": study, "language": language, "save_to": folder, "mixed": True}
            found[f"{path.stem}.txt"] = "\n".join(_cells(path, given)) + "\n"
        for path in sorted(Path(folder, "tables").glob("*.csv")):
            found[f"tables/{path.name}"] = _first_rows(path.read_text(encoding="utf-8"))
    i18n.use(i18n.ENGLISH)
    return found


def _cells(path: Path, given: dict[str, Any]) -> Iterator[str]:
    """Run a notebook's cells here, and yield its headings and what each cell shows."""
    names: dict[str, Any] = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            yield cell.source.splitlines()[0]
            continue
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, path.name, "exec"), names)
        if "parameters" in cell.metadata.get("tags", []):
            names |= {name: value for name, value in given.items() if name in names}
        if isinstance(last, ast.Expr):
            yield from _shown(eval(compile(ast.Expression(last.value), path.name, "eval"), names))


def answer_lines(answer: Answer) -> Iterator[str]:
    """Yield what an answer says, as lines: its title, what is counted, its chart and its text."""
    yield f"[{answer.name}] {answer.title}".rstrip()
    if answer.counted:
        yield f"  counted: {answer.counted}"
    if answer.source:
        yield f"  source: {answer.source}"
    yield from _chart(chart.encoded(answer.chart))
    for block in answer.text.blocks:
        yield f"{'  ' * (block.level - 1)}{'- ' * bool(block.level)}{_marked(block.phrase)}"


def _marked(phrase: Phrase) -> str:
    """Return a phrase with marks for its emphasis, for people to read."""
    parts = []
    for run in phrase.runs:
        text = f"`{run.text}`" if run.code else run.text
        text = f"*{text}*" if run.em else text
        parts.append(f"**{text}**" if run.strong else text)
    return "".join(parts)


def _shown(value: Any) -> Iterator[str]:
    """Yield what a cell's value shows, as lines."""
    if hasattr(value, "told"):
        yield f"[figure {value.told['name']}] {value.told['title']}"
        yield f"  counted: {value.told['lens']}"
        yield f"  footer: {value.told['footer']}"
        yield from _chart(value.told["chart"])
    elif hasattr(value, "plain"):
        yield "[searchable table]"
    elif "<table" in value.data:
        yield "[table]"
    else:
        tokens: Any = mistune.create_markdown(renderer="ast")(value.data)
        yield from _lines(tokens, 0)


def _chart(chart: dict[str, Any] | None) -> Iterator[str]:
    """Yield a chart as data: a line for each bar, point or curve."""
    for key, part in (chart or {}).items():
        if isinstance(part, list):
            yield from (f"  {key}: {json.dumps(one, ensure_ascii=False)}" for one in part)
        else:
            yield f"  {key}: {json.dumps(part, ensure_ascii=False)}"


def _lines(tokens: list[dict[str, Any]], level: int) -> Iterator[str]:
    """Yield the paragraphs and bullets of Markdown."""
    for token in tokens:
        if token["type"] in ("paragraph", "block_text", "heading"):
            yield f"{'  ' * (level - 1)}{'- ' * bool(level)}{_inline(token['children'])}"
        elif "children" in token:
            yield from _lines(token["children"], level + (token["type"] == "list"))


def _inline(tokens: list[dict[str, Any]]) -> str:
    marks = {"strong": "**", "emphasis": "*"}
    return "".join(
        " "
        if token["type"] == "softbreak"
        else f"`{token['raw']}`"
        if token["type"] == "codespan"
        else f"{(mark := marks.get(token['type'], ''))}{_inline(token['children'])}{mark}"
        if "children" in token
        else escape.plain(token.get("raw", ""))
        for token in tokens
    )


def _first_rows(text: str) -> str:
    """Return a table as it is, or its first rows and a digest of all."""
    lines = text.splitlines(keepends=True)
    if len(lines) <= MOST_ROWS + 1:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return "".join(lines[: MOST_ROWS + 1]) + f"# {len(lines) - 1} rows in all, SHA-256 {digest}\n"


def renew() -> None:
    """Write all golden runs anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with studies():
        for study in STUDIES:
            for language in i18n.known():
                for name, text in told(study, language).items():
                    path = FOLDER / f"{study}.{language}" / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    renew()
