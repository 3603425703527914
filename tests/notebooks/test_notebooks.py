"""The notebooks' contract, and each of them headless over every recorded study."""

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from helpers import paths
from helpers.runs import parameters
from helpers.runs.run import execute_one
from helpers.studies import study
from tests.support import golden_runs
from tests.support.command_line import run

INDEX = paths.NOTEBOOKS / "index.ipynb"
NOTEBOOKS = sorted({*paths.NOTEBOOKS.glob("*.ipynb")} - {INDEX, paths.START})
TYPES = {"str", "int", "float", "bool", "list[str]"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def book(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code(book: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def tagged(cell: NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "01-build-and-scan",
        "02-vulnerabilities",
        "03-image-size",
        "04-attack-surface",
        "05-history",
        "06-risk",
        "07-verdict",
        "explore",
        "fleet",
    ]
    assert paths.notebooks() == NOTEBOOKS[:-2], (
        "what is of no study, or to be clicked, is in no run"
    )


@pytest.mark.slow
def test_the_one_to_start_with_is_stored_with_what_it_shows() -> None:
    stored, now = nbformat.read(paths.START, as_version=4), golden_runs.started()
    assert [golden_runs.texts(cell) for cell in code(stored)] == [
        golden_runs.texts(cell) for cell in code(now)
    ], "python -m tests.support.golden_runs renews it"
    assert all(cell.outputs for cell in code(stored))


def test_it_opens_with_its_question_and_a_paragraph(book: NotebookNode) -> None:
    title, _, paragraph = book.cells[0].source.partition("\n\n")
    assert book.cells[0].cell_type == "markdown"
    assert title.startswith("# ")
    assert title.endswith("?")
    assert len(paragraph) > 80
    titles = [cell for cell in book.cells if cell.source.startswith("# ")]
    assert len(titles) == 1


def test_it_ends_with_what_was_learned_and_what_was_not_measured(
    path: Path, book: NotebookNode
) -> None:
    headings = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    if path.stem == "explore":
        # What is learned from it, whoever chooses says.
        assert headings[-1].startswith("## What was not measured here?\n")
        return
    assert headings[-1] == "## What was learned, and what was not measured?"
    assert ("lessons" if path == paths.FLEET else "not_shown") in book.cells[-1].source


def test_one_cell_declares_the_parameters_each_with_type_and_help(
    path: Path, book: NotebookNode
) -> None:
    cells = [cell for cell in code(book) if tagged(cell, "parameters")]
    assert len(cells) == 1
    assert cells[0] is code(book)[0]
    found = parameters.of_notebook(path)
    lines = cells[0].source.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(found)
    for line, parameter in zip(lines, found.values(), strict=True):
        assert parameter.type in TYPES, line
        assert len(parameter.help) > 8, line
    assert {"scans" if path == paths.FLEET else "study", "language", "theme"} <= set(found)
    assert "save_to" in found or path not in paths.notebooks()


def test_the_first_cells_make_a_comparison_and_each_other_cell_asks_one_question(
    path: Path, book: NotebookNode
) -> None:
    parameters_, opened, *others = code(book)
    assert tagged(parameters_, "parameters")
    assert opened.source.startswith("from helpers")
    sources = [opened.source, *(cell.source for cell in others)]
    assert "\n".join(sources).count("import") == 1
    assert all(len([*filter(None, source.splitlines())]) <= 3 for source in sources)
    if path.stem != "explore":
        assert "check_parameters()" in opened.source.splitlines()
        questions = [*itertools.dropwhile(lambda source: " = " in source, sources[1:])]
        assert len(sources) - len(questions) <= 3
        question = r"(c\.(at\(\"newest\"\)\.)?\w+|f)\.\w+\([\w, ]*\)"
        assert all(re.fullmatch(question, source) for source in questions)


def test_cells_hold_no_logic(book: NotebookNode) -> None:
    for cell in code(book):
        for line in cell.source.splitlines():
            for banned in ("def ", "class ", "lambda", "!", "%", "sys.path", "../", "for "):
                assert banned not in line.partition("  #")[0], line


def test_prose_states_no_number_of_the_evidence(book: NotebookNode) -> None:
    for cell in book.cells:
        if cell.cell_type == "markdown":
            assert not any(word.strip(".,%").isdigit() for word in cell.source.split())


def test_it_is_stored_bare(book: NotebookNode) -> None:
    assert all(not cell.outputs and cell.execution_count is None for cell in code(book))
    assert set(book.metadata) == {"kernelspec", "language_info"}
    assert book.metadata.kernelspec.language == "python"
    assert book.metadata.kernelspec.name == "python3"


def test_it_is_in_the_readmes_table_with_its_question(path: Path, book: NotebookNode) -> None:
    title = book.cells[0].source.splitlines()[0].removeprefix("# ")
    row = f"| [{path.stem}](notebooks/{path.name}) | {title} |"
    assert row in (paths.ROOT / "README.md").read_text().splitlines()


@pytest.mark.slow
def test_explore_runs_headless_and_writes_nothing(tmp_path: Path) -> None:
    """The numbered notebooks run in what the report's and the slides' tests read."""
    (tmp_path / "notebooks").mkdir()
    execute_one(paths.NOTEBOOKS / "explore.ipynb", {"study": "rebuilt-2026"}, tmp_path)
    executed = nbformat.read(tmp_path / "notebooks/explore.ipynb", as_version=4)
    assert len([cell for cell in code(executed) if cell.outputs]) == 5
    assert sorted(child.name for child in tmp_path.iterdir()) == ["notebooks"]


def test_the_index_asks_what_each_notebook_asks_and_leads_there() -> None:
    book = nbformat.read(INDEX, as_version=4)
    told = book.cells[0].source.splitlines()
    assert told[0].startswith("# ")
    assert told[0].endswith("?")
    for path in NOTEBOOKS:
        asks = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0]
        assert f"| [{path.stem}]({path.name}) | {asks.removeprefix('# ')} |" in told
    assert all(not cell.outputs and cell.execution_count is None for cell in code(book))
    assert set(book.metadata) == {"kernelspec", "language_info"}


def test_the_index_shows_every_study(data: Path, tmp_path: Path) -> None:
    spoiled = data / "studies/today/study.toml"
    spoiled.write_text("title = <script>")
    for name, day in (("", 23), (".ko", 24), (".failed", 25)):
        run = data / f"runs/blog-2022{name}"
        run.mkdir(parents=True)
        record = {"study": "blog-2022", "started": f"2026-11-{day}T10:11:12Z"}
        (run / "run.json").write_text(json.dumps(record))
    (run / "../other").mkdir()
    (run / "../other/run.json").write_text("{}")
    (tmp_path / "notebooks").mkdir()
    execute_one(INDEX, {}, tmp_path)
    executed = nbformat.read(tmp_path / "notebooks" / INDEX.name, as_version=4)
    (shown,) = [output for cell in code(executed) for output in cell.outputs]
    told = shown["data"]["text/html"]
    for name in study.names():
        assert f">{name}</td>" in told
    assert "2022-02, 2026-11" in told
    assert "2026-11-24 10:11 UTC" in told
    assert "cannot be read" in told
    assert "<script" not in told


@pytest.mark.slow
def test_plain_papermill_runs_it_from_any_folder(tmp_path: Path) -> None:
    notebook = paths.NOTEBOOKS / "02-vulnerabilities.ipynb"
    command = [Path(sys.executable).parent / "papermill", notebook, "out.ipynb"]
    environment = {**os.environ, "PATH": os.defpath}
    subprocess.run(
        [*command, "-p", "study", "blog-2022", "-p", "save_to", "kept"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert "12 of 12 published numbers reproduced" in (tmp_path / "out.ipynb").read_text()
    assert (tmp_path / "kept/figures/severity-breakdown.png").exists()
    assert (tmp_path / "kept/tables/reproduction.csv").exists()


@pytest.mark.slow
def test_plain_papermill_says_of_a_wrong_type_what_a_run_says(tmp_path: Path) -> None:
    notebook = paths.NOTEBOOKS / "03-image-size.ipynb"
    command = [Path(sys.executable).parent / "papermill", notebook, "-", "-p", "transparent"]
    done = subprocess.run(
        [*command, "maybe"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    said = run("reproduce", "--param", "transparent=maybe").stderr.removeprefix("Error: ")
    assert "'maybe' is not bool" in said
    assert f"ParameterInvalid: {said}" in done.stderr


@pytest.mark.slow
def test_papermill_shows_the_parameters_to_people() -> None:
    command = [Path(sys.executable).parent / "papermill", "--help-notebook"]
    done = subprocess.run(
        [*command, paths.NOTEBOOKS / "02-vulnerabilities.ipynb"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "lens: str" in done.stdout
    assert "one of findings, vulnerabilities" in done.stdout
    assert "Unknown type" not in done.stdout
