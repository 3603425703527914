"""The command line: rows for people and programs, errors without tracebacks, honest exit codes."""

import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from helpers import cli, paths
from helpers.capture import session
from helpers.errors import ScanFailed
from tests.conftest import Write, finding, suppressing, trivy
from tests.support.command_line import run
from tests.support.executed_notebooks import CHOICE, run_of

ROW = {
    "artifact": "app:latest",
    "os": "debian 12.1",
    "findings": 5,
    "vulnerabilities": 4,
    "critical": 0,
    "high": 2,
    "medium": 0,
    "low": 2,
    "unknown": 1,
    "suppressed": 1,
}
NAMELESS = finding(VulnerabilityID="", Severity="LOW")
FIVE = trivy(finding(1), finding(1, PkgName="b"), finding(2, Severity=""), NAMELESS, NAMELESS)
suppressing(FIVE, finding(3))


def test_summary_as_json_is_a_list_of_rows(write: Write) -> None:
    path = write(FIVE)
    done = run("summary", "--format", "json", path)
    assert (done.status, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [{"file": str(path), **ROW}]


def test_summary_as_csv_and_as_table(write: Write) -> None:
    path = write(FIVE)
    rows = list(csv.DictReader(io.StringIO(run("summary", "--format", "csv", path).stdout)))
    assert rows == [{"file": str(path), **{key: str(value) for key, value in ROW.items()}}]
    head, line = run("summary", path).stdout.splitlines()
    assert head.split() == ["file", *ROW]
    assert line.split() == [str(path), *"app:latest debian 12.1 5 4 0 2 0 2 1 1".split()]
    long = write(trivy(ArtifactName="x" * 10_000), "long.json")
    assert max(map(len, run("summary", long).stdout.splitlines())) < 400


def test_summary_goes_on_past_an_invalid_file_and_exits_1(write: Write) -> None:
    good, bad, last = write(trivy(), "a.json"), write({}, "b.json"), write(b"null", "c.json")
    done = run("summary", "--format", "json", good, bad, last)
    assert done.status == 1
    assert [row["file"] for row in json.loads(done.stdout)] == [str(good), str(last)]
    assert done.stderr.startswith(f"Error: {bad}: ")


def test_summary_of_a_folder_reads_all_reports_in_it_in_order(write: Write, tmp_path: Path) -> None:
    files = [write(trivy(), f"reports/{name}") for name in ("a.JSON", "b/c.json", "z.json")]
    files.insert(2, write(gzip.compress(b"null"), "reports/b/d.json.gz"))
    bad = write({}, "reports/b/x.json")
    write(b"", "reports/notes.txt")
    os.mkfifo(tmp_path / "reports/pipe.json")
    (tmp_path / "reports/loop").symlink_to(tmp_path / "reports")
    (tmp_path / "none").mkdir()
    done = run("summary", "--format", "json", tmp_path / "reports", tmp_path / "none", files[0])
    assert [row["file"] for row in json.loads(done.stdout)] == [*map(str, files), str(files[0])]
    assert done.status == 1
    first, second = done.stderr.splitlines()
    assert first.startswith(f"Error: {tmp_path / 'none'}: no report in .json or .json.gz")
    assert second.startswith(f"Error: {bad}: ")


def test_summary_of_a_capture_reads_its_reports_and_no_other_evidence(write: Write) -> None:
    for name in ("capture", "exploitation", "a/image", "a/smoke", "a/vex"):
        write({}, f"capture/{name}.json")
    kept = [write(trivy(), name) for name in ("capture/a/trivy.json", "image.json")]
    done = run("summary", "--format", "json", kept[1].parent)
    assert [row["file"] for row in json.loads(done.stdout)] == [*map(str, kept)]
    assert (done.status, done.stderr) == (0, "")


def test_nothing_from_a_report_reaches_a_terminal_or_a_spreadsheet_raw(write: Write) -> None:
    path = write(trivy(ArtifactName="=1+1\x1b[31m"))
    assert "\x1b" not in run("summary", path).stdout
    assert "'=1+1" in run("summary", "--format", "csv", path).stdout


def test_an_error_that_quotes_strange_names_is_inert_in_a_terminal(tmp_path: Path) -> None:
    done = run("reproduce", KIT_DATA=str(tmp_path / "left\u202eright"))
    assert done.status == 1
    assert "left\\u202eright" in done.stderr
    assert "\u202e" not in done.stderr


def test_a_run_prints_its_answer_before_its_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run_of(tmp_path, CHOICE)
    monkeypatch.setattr("helpers.runs.run.reproduce", lambda *_: folder)
    text = run("reproduce", COLUMNS="24").stdout
    assert text.startswith(
        f"By the database of 2026:\nship alpine.\n\nreport   {folder}/report.html"
    )


def test_help_lists_the_parameters_of_the_notebooks() -> None:
    for command in ("reproduce", "slides"):
        text = run(command, "--help").stdout
        assert "\n  known_by " in text
        assert "one of findings, vulnerabilities" in " ".join(text.split())
        assert "\n  study " not in text


def test_a_wrong_parameter_waits_for_nothing_large() -> None:
    code = (
        "import sys; from helpers import cli\n"
        "sys.argv = ['helpers', 'reproduce', '-p', 'known_by=2022-13-45']\n"
        "try: cli.main()\n"
        "except SystemExit as stop: print(stop.code, 'pandas' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1 False\n"
    assert done.stderr.count("\n") == 1


def test_no_grammar_of_addresses_is_built_for_notebooks() -> None:
    code = (
        "import sys; from helpers import cli\n"
        "sys.argv = ['helpers', '--version']\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "import nbformat; nbformat.validate(nbformat.v4.new_notebook())\n"
        "assert 'lark' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (["reproduce", "blog-2021"], 1, "did you mean 'blog-2022'"),
        (["reproduce", "today"], 1, "python -m helpers live today"),
        (["reproduce", "--param", "lense=findings"], 1, "did you mean 'lens'"),
        (["reproduce", "--param", "lens"], 2, "NAME=VALUE"),
        (["summary"], 2, "Missing argument"),
        (["summary", "--format", "xml", "x"], 2, "is not one of"),
        (["no-such-command"], 2, "No such command"),
    ],
)
def test_errors_exit_with_a_status_and_a_remedy(
    arguments: list[str], status: int, error: str
) -> None:
    done = run(*arguments)
    assert done.status == status
    assert error in done.stderr


def test_what_is_advised_is_for_make_if_make_started_the_kit() -> None:
    assert run("reproduce", "today", KIT_BY_MAKE="1").stderr.endswith("make live STUDY=today\n")


def test_without_a_database_the_most_similar_recorded_study_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ScanFailed("no vulnerability DB", "no-db")

    monkeypatch.setattr(session, "capture", fail)
    done = run("live", "today", KIT_BY_MAKE="1")
    assert done.status == 1
    assert done.stderr.endswith("make reproduce STUDY=matched-2026\n")
    assert run("live", "today-python").stderr.endswith("reproduce rebuilt-python-2026\n")


def test_help_names_every_command() -> None:
    text = run("--help").stdout
    assert set(cli.commands.commands) == {
        *("reproduce", "slides", "capture", "live", "compare", "summary", "risk", "cache"),
        *("dictionary", "gate", "prune", "history", "fleet", "suggest"),
    }
    assert all(f"\n  {command} " in text for command in cli.commands.commands)


def test_the_console_script_of_a_copy_uses_the_checkout_that_it_runs_in(tmp_path: Path) -> None:
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    ((name, place),) = project["scripts"].items()
    assert name == project["name"], "then `pipx run --spec .` and `uvx --from .` need no other name"
    module, function = place.split(":")
    # As `uvx --from .` and `pipx run --spec .` install it: the package alone.
    shutil.copytree(paths.HELPERS, tmp_path / "helpers")

    def done(*arguments: str) -> str:
        code = f"import sys; sys.argv[0] = {name!r}; from {module} import {function} as f; f()"
        command = [sys.executable, "-c", code, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        environment.pop("KIT_DATA", None)
        told = subprocess.run(
            command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stderr
        return told.stdout

    assert done("--help").startswith(f"Usage: {name} ")
    assert "\n  known_by " in done("reproduce", "--help")


def test_the_package_is_a_program_and_a_name_that_is_not_utf8_loses_no_row(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/bad\xff.json"
    Path(os.fsdecode(name)).write_bytes(b"null")
    command = [sys.executable, "-m", "helpers", "summary", "--format", "json", name, "missing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)[0]["file"].endswith("bad\\xff.json")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: missing: ")
    assert "Traceback" not in done.stderr


def test_the_cache_of_images_is_shown_and_pruned(tmp_path: Path) -> None:
    files = tmp_path / "cache" / "images" / "sha256"
    files.mkdir(parents=True)
    (files / "one").write_bytes(bytes(3 * 10**6))
    assert run("cache", KIT_DATA=str(tmp_path)).stdout.startswith("images   3.0 MB in ")
    done = run("cache", "--prune", "--keep-gb", "0.001", KIT_DATA=str(tmp_path))
    assert done.stdout.splitlines()[0] == "removed  3.0 MB"
    assert [*files.iterdir()] == []


@pytest.mark.parametrize(
    "platform", ["linux", "linux/", "a/b/c/d", "linux/arm64;x", "linux/ arm64"]
)
def test_a_platform_that_is_none_is_a_usage_error(platform: str) -> None:
    done = run("compare", "app:1", "--platform", platform)
    assert done.status == 2
    assert "is not a platform; use one like linux/arm64" in done.stderr
