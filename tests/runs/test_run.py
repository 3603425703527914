"""A run: whole or not at all, from anywhere, and honest about a notebook that fails."""

import csv
import errno
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers import paths, processes
from helpers.capture.new_study import make_study
from helpers.capture.session import capture
from helpers.errors import KitError, NoSpace, NotebookFailed, ParameterInvalid, StudyInvalid
from helpers.runs import run
from helpers.text.escape import ANSWER
from tests.conftest import finding, trivy


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def processes_of(data: Path) -> list[psutil.Process]:
    """The processes that were started for runs in a data folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("KIT_DATA") == str(data):
                found.append(process)
    return found


SMALL = """\
study: str = "blog-2022"  # folder in data/studies
capture: str = ""  # which capture
fixable: bool = False  # only what has a fix
source: str = "recorded"  # one of recorded, live
language: str = "en"  # one of en, ko
theme: str = "light"  # one of light, dark
save_to: str = ""  # folder
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A notebook that writes what it was given, and whether its study is there."""
    parameters = new_code_cell(SMALL, metadata={"tags": ["parameters"]})
    work = new_code_cell(
        "import pathlib\n"
        "from helpers.studies.study import open_study\n"
        "from ipykernel.connect import get_connection_file\n"
        "text = f'{open_study(study).name} {capture} {fixable} {get_connection_file()}'\n"
        "pathlib.Path(save_to, 'given.txt').write_text(text)"
    )
    book = new_notebook(cells=[new_markdown_cell("# Small"), parameters, work])
    book.metadata = {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}}
    path = tmp_path / "03-small.ipynb"
    nbformat.write(book, path)
    return path


@pytest.fixture
def running(small: Path) -> Callable[[str], Path]:
    """Makes a notebook that runs some code."""

    def make(code: str) -> Path:
        book = nbformat.read(small, as_version=4)
        book.cells[2].source = code
        nbformat.write(book, small)
        return small

    return make


@pytest.fixture
def failing(small: Path, tmp_path: Path) -> Path:
    """The notebook, failing in its third cell."""
    book = nbformat.read(small, as_version=4)
    book.cells[2].source = 'raise ValueError("no such luck")'
    path = tmp_path / "failing" / small.name
    path.parent.mkdir()
    nbformat.write(book, path)
    return path


def test_the_run_leaves_what_the_contract_says(finished: Path) -> None:
    found = {str(path.relative_to(finished)) for path in finished.rglob("*") if path.is_file()}
    notebooks = {f"notebooks/{path.name}" for path in paths.notebooks()}
    figures = {"severity-breakdown", "severity-by-capture", "size-difference"}
    assert notebooks | {"report.html", "run.json"} <= found
    assert [path.name for path in finished.parent.iterdir()] == ["blog-2022"], "nothing is left"
    assert {f"figures/{name}.{kind}" for name in figures for kind in ("png", "svg")} <= found
    assert {f"tables/{name}.csv" for name in figures | {"claims", "images", "sizes"}} <= found


def test_every_figure_says_what_it_is_of_and_its_data_is_beside_it(finished: Path) -> None:
    figures = sorted((finished / "figures").glob("*.svg"))
    assert len(figures) >= 10
    for path in figures:
        words = " ".join(
            element.text or ""
            for element in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
        )
        assert "study blog-2022" in words, path.name
        assert re.search("· captures? 20", words), path.name
        # Of what no scanner counted it names none.
        if "Trivy" in words:
            assert "Trivy 0.76.0 · partial DB of 20" in words, path.name
        assert "images also differ in " in words, path.name
        assert path.with_suffix(".png").is_file()
        assert rows(finished / "tables" / f"{path.stem}.csv"), path.name


@pytest.mark.slow
def test_what_was_not_scanned_alike_is_refused_unless_allowed_and_then_marked(
    data: Path, write
) -> None:
    reports = {
        "old": trivy(finding(), CreatedAt="2024-03-01T10:00:00Z"),
        "new": trivy(finding(), finding(2), CreatedAt="2026-05-02T10:00:00Z"),
    }
    paths_of = [str(write(content, f"{name}.json")) for name, content in reports.items()]
    study = make_study(paths_of, "mixed")
    capture(study)
    notebooks = [paths.NOTEBOOKS / f"{name}.ipynb" for name in ("02-vulnerabilities", "07-verdict")]
    with pytest.raises(StudyInvalid, match="was not scanned alike"):
        run.reproduce(study, notebooks=notebooks)
    folder = run.reproduce(study, {"mixed": "true"}, notebooks)
    for path in (folder / "figures").glob("*.svg"):
        text = " ".join(path.read_text().split())
        assert "DIFFERENT" in text, path.name
    report = (folder / "report.html").read_text()
    assert "the images were scanned with different scanners" in report


def test_run_json_says_what_was_run_on_what(finished: Path) -> None:
    record = json.loads((finished / "run.json").read_text())
    assert (record["study"], record["parameters"]) == ("blog-2022", {})
    assert set(record["libraries"]) >= {"jupyterlab", "pandas", "matplotlib", "docker", "papermill"}
    assert record["captures"]["2022-02"]["scanner_version"] == "0.76.0"
    assert record["captures"]["2022-02"]["db"]["updated_at"].startswith("2022-02-28")
    assert set(record["seconds"]) == {path.name for path in paths.notebooks()}
    assert record["started"].endswith("Z")


def test_executed_notebooks_hold_outputs_and_no_path_of_this_machine(finished: Path) -> None:
    for path in sorted((finished / "notebooks").glob("*.ipynb")):
        text = path.read_text()
        assert f'"{ANSWER}"' in text
        assert str(finished.parent) not in text
        assert str(paths.ROOT) not in text
        nbformat.validate(nbformat.reads(text, as_version=4))


def test_parameters_and_a_relative_data_folder_reach_the_notebooks(
    data: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.parent)
    monkeypatch.setenv("KIT_DATA", "data")
    given = {"fixable": "true", "capture": "2026-11"}
    folder = run.reproduce("blog-2022", given, [small])
    assert folder == data / "runs/blog-2022"
    *told, key = (folder / "given.txt").read_text().split()
    assert told == ["blog-2022", "2026-11", "True"]
    assert f"/kit-run.{processes.this_process()}." in key, "the next run clears it"
    assert json.loads((folder / "run.json").read_text())["parameters"] == given


def deck(folder: Path, *_: object) -> Path:
    """Writes a deck as slides do, each another one."""
    (folder / "deck.pptx").write_text(str(time.monotonic_ns()))
    return folder / "deck.pptx"


def test_runs_do_not_delete_one_another(data: Path, small: Path) -> None:
    runs = data / "runs"
    run.reproduce("blog-2022", notebooks=[small], finish=[deck])
    first = (runs / "blog-2022/deck.pptx").read_text()
    dark = run.reproduce("blog-2022", {"theme": "dark", "language": "ko"}, [small], [deck])
    plain = run.reproduce("blog-2022", {"theme": "light", "fixable": "true"}, [small])
    assert [dark.name, plain.name] == ["blog-2022.ko.dark", "blog-2022"]
    assert (plain / "deck.pptx").read_text() == first
    record = json.loads((plain / "run.json").read_text())
    assert [*record["kept"]] == ["deck.pptx"]
    assert {"report.html", "notebooks/03-small.ipynb"} <= set(record["made"])
    (plain / "deck.pptx").write_text("edited")
    run.reproduce("blog-2022", notebooks=[small], finish=[deck])
    assert len({path.read_text() for path in plain.glob("deck*.pptx")} | {"edited", first}) == 3
    assert len([*plain.glob("deck.edited-*.pptx")]) == 1


@pytest.mark.parametrize("folder", ["blog-2022", "blog-2022.failed"])
def test_the_run_of_another_study_is_not_written_over(
    data: Path, small: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setattr(run, "execute_one", lambda *_, **__: pytest.fail("a kernel was started"))
    record = data / "runs" / folder / "run.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"study": "blog"}')
    with pytest.raises(StudyInvalid, match="holds the run of study 'blog'"):
        run.reproduce("blog-2022", notebooks=[small])
    assert [path.name for path in (data / "runs").iterdir()] == [folder]


@pytest.mark.slow
def test_a_missing_report_leaves_a_whole_run(data: Path) -> None:
    (data / "studies/blog-2022/2022-02/nodejs-alpine/trivy.json").unlink()
    (data / "studies/blog-2022/published.csv").unlink()
    notebooks = [paths.NOTEBOOKS / f"{name}.ipynb" for name in ("02-vulnerabilities", "07-verdict")]
    text = (run.reproduce("blog-2022", notebooks=notebooks) / "report.html").read_text()
    assert "1 of 2 images scanned" in text
    assert "<NA>" not in text
    assert ">nan<" not in text.lower()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lens": "cves"}, "not one of findings, vulnerabilities"),
        ({"study": "other"}, "set by the run itself"),
        ({"capture": "1999-01"}, "no capture '1999-01'"),
        ({"earlier": "1999-01"}, "not one of 2022-02, 2026-11"),
        ({"baseline": "x"}, "not one of nodejs-alpine, nodejs-distroless"),
        ({"beside": "today"}, "not one of blog-2022, matched-2026, rebuilt-2026"),
    ],
)
def test_what_does_not_fit_stops_the_run_before_a_kernel(
    data: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], message: str
) -> None:
    monkeypatch.setattr(run, "execute_one", lambda *_, **__: pytest.fail("a kernel was started"))
    with pytest.raises((ParameterInvalid, StudyInvalid), match=message):
        run.reproduce("blog-2022", given)
    assert not (data / "runs").exists()


def test_a_failing_notebook_leaves_its_copy_and_the_last_good_run(
    data: Path, small: Path, failing: Path
) -> None:
    good = run.reproduce("blog-2022", notebooks=[small])
    before = (good / "run.json").read_bytes()
    with pytest.raises(NotebookFailed, match=r"cell 3: ValueError: no such luck") as caught:
        run.reproduce("blog-2022", notebooks=[failing])
    copy = data / "runs/blog-2022.failed/notebooks/03-small.ipynb"
    assert str(copy) in str(caught.value)
    assert "no such luck" in copy.read_text()
    assert "no such luck" in (copy.parent.parent / "report.html").read_text()
    assert (good / "run.json").read_bytes() == before
    run.reproduce("blog-2022", notebooks=[small])
    assert not copy.exists(), "a good run takes the failed one away"


def test_a_stop_is_not_reported_as_the_death_of_a_kernel(
    data: Path, running: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    book = running(f"import os, time; os.kill({os.getpid()}, {signal.SIGINT:d}); time.sleep(60)")
    with pytest.raises(KeyboardInterrupt):
        run.reproduce("blog-2022", notebooks=[book])
    assert "Kernel died" not in caplog.text


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_stopped_run_never_looks_finished_and_the_next_one_clears_up(
    data: Path, small: Path, number: int, status: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers", "reproduce"],
        env={**os.environ, "KIT_DATA": str(data)},
        stderr=subprocess.DEVNULL,
    )
    runs = data / "runs"
    # Two of them are kernels, or one is and the other is what kernels are forked from.
    while len(processes_of(data)) < 3:
        time.sleep(0.01)
        assert process.poll() is None
    gone = processes.this_process().replace(f"{os.getpid()}@", "4194305@")
    # Kernels may be there before the folder that they will write in.
    while not list(runs.glob(".*.part")):
        time.sleep(0.01)
        assert process.poll() is None
    # A run that was killed between two moves left this.
    (runs / f".blog-2022.{gone}.old").mkdir()
    (runs / f".blog-2022.{gone}.old/mine.txt").write_text("mine")
    process.send_signal(number)
    assert process.wait(20) == status
    end = time.monotonic() + (10 if number == signal.SIGKILL else 0)
    while (left := processes_of(data)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not left
    assert not (runs / "blog-2022").exists()
    assert bool(list(runs.glob(".*.part"))) == (number == signal.SIGKILL)
    run.reproduce("blog-2022", notebooks=[small])
    assert sorted(path.name for path in runs.iterdir()) == ["blog-2022"]
    assert (runs / "blog-2022/mine.txt").read_text() == "mine"


def test_an_old_run_that_another_one_left_in_the_meantime_is_kept(
    data: Path, running: Callable[[str], Path]
) -> None:
    final, gone = data / "runs/blog-2022", "4194305@" + processes.this_process().split("@")[1]
    final.mkdir(parents=True)
    (final / "mine.txt").write_text("mine")
    moved = f"import os; os.rename({str(final)!r}, {str(data / f'runs/.blog-2022.{gone}.old')!r})"
    made = run.reproduce("blog-2022", notebooks=[running(moved)])
    assert (made / "mine.txt").read_text() == "mine"
    assert [path.name for path in (data / "runs").iterdir()] == ["blog-2022"]


def test_two_runs_of_a_study_at_once_lose_nothing(data: Path, small: Path) -> None:
    final = data / "runs/blog-2022"
    final.mkdir(parents=True)
    (final / "mine.txt").write_text("mine")
    code = (
        "import sys; from pathlib import Path; from helpers.runs import run\n"
        "made = lambda folder, *_: (folder / sys.argv[2]).write_text('made')\n"
        "run.reproduce('blog-2022', notebooks=[Path(sys.argv[1])], finish=[made])"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(small), name]) for name in ("one", "two")
    ]
    assert [process.wait() for process in both] == [0, 0]
    assert {"mine.txt", "one", "two"} <= {path.name for path in final.iterdir()}
    assert [path.name for path in (data / "runs").iterdir()] == ["blog-2022"]


def test_a_temporary_folder_too_long_for_the_path_of_a_socket_is_no_problem(
    data: Path, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 25)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert (run.reproduce("blog-2022", notebooks=[small]) / "report.html").is_file()
    assert not [*long.iterdir()]


def test_a_disk_that_cannot_be_written_is_named(data: Path, small: Path) -> None:
    def full(folder: Path, *_: object) -> Path:
        raise OSError(errno.EROFS, "Read-only file system")

    with pytest.raises(KitError, match="runs: Read-only"):
        run.reproduce("blog-2022", notebooks=[small], finish=[full])
    assert not list((data / "runs").iterdir())
    (data / "runs").rmdir()
    (data / "runs").write_text("in its place")
    with pytest.raises(KitError, match="runs: File exists"):
        run.reproduce("blog-2022", notebooks=[small])


def test_a_disk_that_is_full_when_a_notebook_is_written_is_named(
    data: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_: object, path: str) -> None:
        Path(path).write_text('{"cells": [')
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("papermill.execute.write_ipynb", half)
    with pytest.raises(NoSpace, match="runs: the disk is full"):
        run.reproduce("blog-2022", notebooks=[small])
    assert not list((data / "runs").iterdir())
