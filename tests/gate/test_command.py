"""`python -m helpers gate`: real scans, recorded captures, exit statuses, files written whole."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers import paths, processes
from helpers.gate import difference
from tests.conftest import Write, finding, trivy
from tests.gate.conftest import listing
from tests.support import gate_example
from tests.support.command_line import run

STUDY = ("--study", "blog-2022", "--before", "2022-02", "--after", "2026-11")
SOURCES = paths.ROOT / "data/studies/matched-2026/sources"
SLIM = SOURCES / "node-24-trixie-slim.cdx.json"
pytestmark = pytest.mark.usefixtures("empty_data")


def record(*arguments: object) -> tuple[int, dict[str, Any]]:
    """The exit status of the gate and the one image of its record."""
    done = run("gate", *arguments, "--format", "json")
    assert done.stdout, done.stderr
    (image,) = json.loads(done.stdout)["images"]
    return done.status, image


def changed(image: dict[str, Any]) -> dict[str, int]:
    return {change: count for change, count in image["counts"].items() if count}


@pytest.mark.parametrize(
    ("variant", "counts", "totals"),
    [
        ("nodejs-alpine", {"newly-published": 1, "unchanged": 48}, (48, 49)),
        ("nodejs-distroless", {"newly-published": 93, "withdrawn": 5, "unchanged": 14}, (19, 107)),
    ],
)
def test_one_image_and_two_databases_passes(data, variant, counts, totals) -> None:
    status, image = record(*STUDY, "--variant", variant, "--fail-on", "severity>=unknown")
    assert (status, changed(image)) == (0, counts)
    before, after = image["before"]["total"], image["after"]["total"]
    assert (before, after) == totals
    assert after - before == counts["newly-published"] - counts.get("withdrawn", 0)
    assert {each["cause"] for each in image["findings"]} == {"database"}


def test_of_a_study_each_variant_is_told(data) -> None:
    done = run("gate", *STUDY)
    assert done.status == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines() if "PASS" in line] == [
        "nodejs-alpine",
        "nodejs-distroless",
    ]


def downgraded(path: Path) -> Path:
    """Write the SBOM of Debian slim with one package, libssl3t64, in an older version."""
    told = json.loads(SLIM.read_text())
    for place, component in enumerate(told["components"]):
        if component["name"] == "libssl3t64":
            told["components"][place] = json.loads(json.dumps(component).replace("3.5.7", "3.5.6"))
    path.write_text(json.dumps(told))
    return path


def test_a_downgraded_package_fails_with_just_what_it_brought(trivy_on_path, db, tmp_path) -> None:
    older = downgraded(tmp_path / "older.json")
    status, image = record(SLIM, older, "--db", db)
    assert status == 1
    brought = [each for each in image["findings"] if each["change"] == "brought"]
    assert changed(image) == {"brought": len(brought), "unchanged": image["before"]["total"]}
    assert {(each["package"], each["version_after"]) for each in brought} == {
        ("libssl3t64", "3.5.6-1~deb13u2")
    }
    assert {each["version_before"] for each in brought} == {"3.5.7-1~deb13u2"}
    assert image["failing"] == sum(
        each["severity_after"] in ("HIGH", "CRITICAL") and each["fixed_version"] is not None
        for each in brought
    )
    assert image["failing"]
    status, back = record(older, SLIM, "--db", db)
    assert (status, back["counts"]["removed"]) == (0, len(brought))
    # Nothing is left of the study that both were captured in.
    assert not [*paths.studies().iterdir()]


def test_a_layer_that_was_rebuilt_with_nothing_changed_passes(write: Write) -> None:
    files = []
    for name in "ab":
        layer = {"DiffID": f"sha256:{name * 64}"}
        report = listing(finding(Layer=layer, FixedVersion="4"), ImageID=f"sha256:{name * 64}")
        report["Results"][0]["Packages"][0]["Layer"] = layer
        report["Metadata"] |= {"ImageID": f"sha256:{name * 64}", "DiffIDs": [layer["DiffID"]]}
        files.append(write(report, f"{name}.json"))
    status, image = record(*files, "--fail-on", "severity>=unknown")
    assert (status, changed(image)) == (0, {"unchanged": 1})


GRYPE = {
    "matches": [],
    "source": {"type": "image", "target": {"userInput": "app"}},
    "distro": {"name": "debian", "version": "12"},
    "descriptor": {"name": "grype", "version": "0.76.0"},
}


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (GRYPE, "not scanned alike"),
        (listing() | {"Trivy": {"Version": "0.77.0"}}, "not scanned alike"),
        (listing() | {"Trivy": None}, "not scanned alike"),
        (listing() | {"Metadata": {}}, "no operating system"),
        (trivy(Results=[{"Target": "x", "Class": "secret"}]), "its vulnerabilities are unknown"),
        (listing(finding(), packages=""), "a report lists no packages"),
        (b"{}", "after"),
        (b"{", "after"),
    ],
    ids=["scanner", "version", "no-version", "no-os", "not-looked", "no-list", "foreign", "broken"],
)
def test_what_cannot_be_told_exits_2_and_says_why(write: Write, after: Any, why: str) -> None:
    first, second = write(listing(), "before.json"), write(after, "after.json")
    output = first.with_name("out.json")
    done = run("gate", first, second, "--format", "json", "--output", output)
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert why in done.stderr
    assert not output.exists()
    assert not [*paths.studies().iterdir()]


def test_what_a_killed_gate_left_is_removed(write: Write) -> None:
    own = processes.this_process().replace("@", "-")
    machine = own.partition("-")[2]
    others = ["gate-4194305-01234567", "gate-2024-01", f"gate-{os.getppid()}-{machine}"]
    for name in (*others, f"gate-4194305-{machine}", f"gate-{own}"):
        (paths.study(name) / "rest").mkdir(parents=True)
    report = write(listing(), "app.json")
    assert run("gate", report, report).status == 0
    assert {path.name for path in paths.studies().iterdir()} == {*others}


def test_an_image_that_one_capture_lacks_is_no_verdict_of_the_others(tmp_path: Path) -> None:
    for name in ("2023-01-12/app.json", "2023-01-13/app.json", "2023-01-13/web.json"):
        path = tmp_path / "kept" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(listing()))
    assert run("history", "mine", "--from", tmp_path / "kept").status == 0
    both = ("gate", "--study", "mine", "--before", "2023-01-12", "--after", "2023-01-13")
    done = run(*both)
    assert (done.status, done.stdout) == (2, "")
    assert "web, 2023-01-12" in done.stderr
    assert "--variant NAME" in done.stderr
    assert run(*both, "--variant", "app").status == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "pass BEFORE and AFTER"),
        (("a",), "pass BEFORE and AFTER"),
        (("a", "b", "--variant", "x"), "pass BEFORE and AFTER"),
        (("a", *STUDY), "pass BEFORE and AFTER"),
        (STUDY[:4], "pass BEFORE and AFTER"),
        (("a", "b", "--fail-on", "all"), "choose from fixable"),
        (("a", "b", "--platform", "linux/amd64,linux/arm64"), "pass only one"),
        ((SLIM, SLIM, "--platform", "linux/arm64"), "platforms apply to images and archives only"),
        (("./none.json", "./none.json"), "no such file"),
        ((*STUDY, "--variant", "none"), "no variant 'none'; choose one of nodejs-alpine"),
        ((*STUDY[:4], "--after", "2030-01"), "no capture '2030-01'"),
    ],
)
def test_what_was_not_said_right_exits_2(data, arguments: tuple[object, ...], why: str) -> None:
    done = run("gate", *arguments)
    assert (done.status, done.stdout) == (2, "")
    assert why in " ".join(done.stderr.split())


def test_an_unexpected_error_is_no_verdict(data, monkeypatch) -> None:
    def fails(_: Any) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(difference, "difference", fails)
    done = run("gate", *STUDY)
    assert done.status == 2
    assert "RuntimeError: unexpected" in done.stderr


@pytest.fixture
def reports(write: Write) -> tuple[Path, Path]:
    """The two reports of the example."""
    before, after = gate_example.before(), gate_example.after()
    return write(before, "before.json"), write(after, "after.json")


def test_a_file_is_written_whole_and_the_table_is_printed(reports, tmp_path) -> None:
    output = tmp_path / "comment.md"
    output.write_text("before")
    done = run("gate", *reports, "--format", "markdown", "--output", output)
    assert done.status == 1
    assert output.read_text() == run("gate", *reports, "--format", "markdown").stdout
    assert done.stdout == run("gate", *reports).stdout
    assert [*tmp_path.glob(".*part*")] == []
    done = run("gate", *reports, "--output", tmp_path / "none" / "x")
    assert (done.status, done.stdout) == (2, "")
    assert "cannot be written" in done.stderr


def test_exploitation_is_known_by_the_files_that_are_named(reports, shared) -> None:
    done = run("gate", *reports, "--fail-on", "exploited")
    assert done.status == 2
    assert "--kev FILE" in done.stderr
    catalog = shared / "risk/kev/known_exploited_vulnerabilities.json.gz"
    assert run("gate", *reports, "--fail-on", "exploited", "--kev", catalog).status == 0


def test_two_reports_need_no_scanner_and_nothing_of_notebooks(reports) -> None:
    code = (
        "import sys\n"
        "from helpers import cli\n"
        f"sys.argv = ['helpers', 'gate', {str(reports[0])!r}, {str(reports[1])!r}]\n"
        "try: cli.main()\n"
        "except SystemExit as stop: print(stop.code)\n"
        "for name in ('papermill', 'matplotlib', 'IPython', 'nbformat'):\n"
        "    assert name not in sys.modules, name\n"
    )
    environment = {"PATH": "", "KIT_DATA": str(paths.data())}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=paths.ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["1"]), done.stderr


def test_make_gate_is_the_same(reports) -> None:
    make = shutil.which("make")
    if not make:
        pytest.skip("there is no make")
    told = subprocess.run(
        [make, "--dry-run", "gate", f"BEFORE={reports[0]}", f"AFTER={reports[1]}", "FAIL_ON=none"],
        cwd=paths.ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f'-m helpers gate "{reports[0]}" "{reports[1]}" --fail-on "none"' in told.stdout
