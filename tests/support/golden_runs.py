"""Golden runs: what the notebooks show of five studies in each language, as files a person reads.

Tables have codes and are the same in every language: they are in the folder `STUDY`, and what is
said in `STUDY.LANGUAGE`.

`python -m tests.support.golden_runs` renews them and the figures of the README; `git diff` is what
has changed.
"""

import ast
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from helpers import Comparison, Fleet, paths
from helpers.answers import chart_data
from helpers.answers.talk import Talk
from helpers.capture.session import capture
from helpers.notebook.display import Picture, ShownAnswer
from helpers.text import escape, i18n
from helpers.text.rich import Phrase, Text
from tests.support import clock, strange

PICTURES = paths.ROOT / ".readme"
FOLDER = Path(__file__).parent.parent / "golden"
FLEET = "official-2018"
"""A fleet that is recorded."""

STUDIES = ("blog-2022", "matched-2026", "rebuilt-2026", "rebuilt-python-2026", "hostile", FLEET)
"""Recorded ones, one of `strange` with failed, clean, unknown and hostile variants, and a fleet."""

MOST_ROWS = 40
"""Rows of a table that are kept in full; the rest is kept as a digest."""


@contextmanager
def studies() -> Iterator[Path]:
    """Give a data folder with all of the studies for as long as the block runs."""
    clock.stop()
    before = os.environ.get("KIT_DATA")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        (data / "studies").mkdir()
        for path in (paths.ROOT / "data" / "studies").iterdir():
            (data / "studies" / path.name).symlink_to(path)
        fleet(FLEET, data)
        os.environ["KIT_DATA"] = folder
        try:
            _dated(capture(strange.hostile(data), "2026-11-24").folder / "capture.json")
            yield data
        finally:
            if before is None:
                del os.environ["KIT_DATA"]
            else:
                os.environ["KIT_DATA"] = before


def fleet(name: str, data: Path) -> Path:
    """Copy what was recorded of a fleet, and nothing that was made of it, into a data folder."""
    folder, copy = paths.ROOT / "data" / "fleets" / name, data / "fleets" / name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("parts"))
    return copy


def _dated(path: Path) -> None:
    """Give a capture a fixed time, so that only what the code says can change."""
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"captured_at": "2026-11-24T12:00:00Z"}))


def kept(study: str, language: str) -> dict[str, str]:
    """Return the files of a golden run by name as they were kept."""
    return {
        path.relative_to(FOLDER).as_posix(): path.read_bytes().decode()
        for name in (study, f"{study}.{language}")
        for path in (FOLDER / name).rglob("*.*")
    }


def shown(study: str, language: str) -> dict[str, str]:
    """Return the files of a golden run by name: tables as CSV, and what each notebook shows."""
    found = {}
    for path in [paths.FLEET] if study == FLEET else paths.notebooks():
        given = {"study": study, "scans": study, "language": language, "mixed": True}
        lines = []
        for line in _cells(path, given):
            if isinstance(line, str):
                lines.append(line)
                continue
            lines += answer_lines(line)
            if line.answer.table is not None:
                text = escape.csv_frame(line.table).to_csv(index=False, lineterminator="\n")
                found[f"{study}/tables/{line.name}.csv"] = _first_rows(text)
        found[f"{study}.{language}/{path.stem}.txt"] = "\n".join(lines) + "\n"
    return found


def _cells(path: Path, given: dict[str, Any]) -> Iterator[str | ShownAnswer]:
    """Run a notebook's cells here, and yield its headings and the answers that it shows."""
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
            value = eval(compile(ast.Expression(last.value), path.name, "eval"), names)
            if value is not None:
                yield value


def answer_lines(shown: ShownAnswer) -> Iterator[str]:
    """Yield what an answer says, as lines: its title, what is counted, its chart and its text."""
    answer = shown.answer
    role = f" ({answer.role})" if answer.role else ""
    yield f"[{answer.name}]{role} {answer.title}".rstrip()
    if answer.chart:
        yield f"  counted: {answer.counted}"
        yield f"  subtitle: {shown.subtitle}"
        yield f"  footer: {shown.footer}"
        yield from _chart(chart_data.encoded(answer.chart))
    if answer.lacks:
        yield f"  lacks: {answer.lacks}"
    yield from _blocks(answer.text)
    for talk in answer.talks:
        yield from _talk(talk)


def _blocks(text: Text) -> Iterator[str]:
    for block in text.blocks:
        yield f"{'  ' * (block.level - 1)}{'- ' * bool(block.level)}{_marked(block.phrase)}"


def _talk(talk: Talk) -> Iterator[str]:
    """Yield a slide of an answer: its title, what it shows, and what is said."""
    yield f"  slide ({talk.topic}): {talk.headline}"
    yield from (f"    {line}" for line in _blocks(talk.lines))
    for row in [talk.table.head, *talk.table.rows] if talk.table else []:
        yield f"    | {' | '.join(row)}"
    yield from (f"    say: {sentence}" for sentence in talk.spoken)


def _marked(phrase: Phrase) -> str:
    """Return a phrase with marks for its emphasis, for people to read."""
    parts = []
    for run in phrase.runs:
        text = f"`{run.text}`" if run.code else run.text
        text = f"*{text}*" if run.em else text
        parts.append(f"**{text}**" if run.strong else text)
    return "".join(parts)


def _chart(chart: dict[str, Any] | None) -> Iterator[str]:
    """Yield a chart as data: a line for each bar, point or curve."""
    for key, part in (chart or {}).items():
        if isinstance(part, list):
            yield from (f"  {key}: {json.dumps(one, ensure_ascii=False)}" for one in part)
        else:
            yield f"  {key}: {json.dumps(part, ensure_ascii=False)}"


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
                for name, text in shown(study, language).items():
                    path = FOLDER / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding="utf-8", newline="")
    for name, picture in pictures().items():
        picture().save(PICTURES / f"{name}.png")
    nbformat.write(started(), paths.START)


def started() -> nbformat.NotebookNode:
    """Return the notebook to start with as it runs now."""
    book = nbformat.read(paths.START, as_version=4)
    NotebookClient(book, resources={"metadata": {"path": str(paths.NOTEBOOKS)}}).execute()
    for cell in book.cells:
        cell.metadata.clear()
    book.metadata = {name: book.metadata[name] for name in ("kernelspec", "language_info")}
    book.metadata.language_info = {"name": "python"}
    return book


def texts(cell: nbformat.NotebookNode) -> list[dict[str, Any]]:
    """Return a cell's outputs without pictures: each machine draws its own."""
    data = [output.get("data", {}) for output in cell.outputs]
    return [{kind: text for kind, text in each.items() if "image" not in kind} for each in data]


def pictures() -> dict[str, Callable[[], Picture]]:
    """Return what draws each figure of the README, by the name of its file."""
    blog, rebuilt = Comparison("blog-2022"), Comparison("rebuilt-2026")
    return {
        "severity-by-capture": lambda: blog.history.captures().figure(),
        "size-by-group": lambda: rebuilt.sizes.groups().figure(),
        "attack-surface": lambda: rebuilt.surface.tools().figure(),
        # Only who asks for it waits for a cluster.
        "fleet-distributions": lambda: Fleet(FLEET).distributions().figure(),
    }


if __name__ == "__main__":
    renew()
