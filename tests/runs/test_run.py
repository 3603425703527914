"""A run: whole or not at all, from anywhere, and honest about a notebook that fails."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from helpers import paths, processes
from helpers.capture.new_study import make_study
from helpers.capture.session import capture
from helpers.errors import NotebookFailed, ParameterInvalid, StudyInvalid
from helpers.runs import run
from helpers.studies.study import open_study
from tests.conftest import finding, trivy


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_blogs_numbers_come_out(finished: Path) -> None:
    table = rows(finished / "tables/reproduction.csv")
    assert list(table[0]) == ["variant", "severity", "published", "reproduced"]
    assert [row["severity"] for row in table] == 2 * [
        "UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL", "TOTAL",
    ]  # fmt: skip
    assert all(row["published"] == row["reproduced"] for row in table)
    assert [int(row["reproduced"]) for row in table] == [0, 2, 12, 31, 3, 48, 0, 12, 3, 1, 3, 19]


def test_the_run_leaves_what_the_contract_says(finished: Path) -> None:
    found = {str(path.relative_to(finished)) for path in finished.rglob("*") if path.is_file()}
    notebooks = {f"notebooks/{path.name}" for path in paths.notebooks()}
    figures = {"severity-breakdown", "severity-by-capture", "size-difference"}
    assert notebooks | {"report.html", "run.json"} <= found
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
        assert "study blog-2022 · capture 20" in words, path.name
        assert "lens: " in words, path.name
        assert "Trivy 0.76.0 · partial DB of 20" in words, path.name
        assert "scanned 2026-11-24" in words.replace(" · scanned ", " scanned "), path.name
        assert "not like with like: " in words, path.name
        assert path.with_suffix(".png").is_file()
        assert rows(finished / "tables" / f"{path.stem}.csv"), path.name


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
    notebooks = [paths.NOTEBOOKS / f"{name}.ipynb" for name in ("02-vulnerabilities", "05-verdict")]
    with pytest.raises(StudyInvalid) as refused:
        run.reproduce(study, notebooks=notebooks)
    today = open_study(study).captures()[0]
    assert str(refused.value).splitlines() == [
        f"capture {today} was not scanned alike, so its counts cannot be compared:",
        "  old with trivy of unknown version, a database not recorded, on 2024-03-01",
        "  new with trivy of unknown version, a database not recorded, on 2026-05-02",
        "Scan all anew with one scanner and database, or allow it (--mixed, or the parameter "
        "mixed=true): every figure then says so",
    ]
    folder = run.reproduce(study, {"mixed": "true"}, notebooks)
    for path in (folder / "figures").glob("*.svg"):
        text = " ".join(path.read_text().split())
        assert "DIFFERENT" in text, path.name
    said = (folder / "notebooks/05-verdict.ipynb").read_text()
    assert "**Nothing is recommended:** the images were not scanned with one scanner" in said
    assert "**The images of capture" in said


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
        assert '"output_type": "execute_result"' in text
        assert str(finished.parent) not in text
        assert str(paths.ROOT) not in text
        nbformat.validate(nbformat.reads(text, as_version=4))


def test_nothing_of_the_run_is_left_beside_it(finished: Path) -> None:
    assert [path.name for path in finished.parent.iterdir()] == ["blog-2022"]


def test_a_finding_less_in_the_evidence_changes_the_result(data: Path) -> None:
    evidence = data / "studies/blog-2022/2022-02/nodejs-distroless/trivy.json"
    report = json.loads(evidence.read_text())
    findings = report["Results"][0]["Vulnerabilities"]
    findings.remove(next(found for found in findings if found["Severity"] == "HIGH"))
    evidence.write_text(json.dumps(report))
    folder = run.reproduce("blog-2022", notebooks=[paths.NOTEBOOKS / "02-vulnerabilities.ipynb"])
    table = {
        (row["variant"], row["severity"]): (row["published"], row["reproduced"])
        for row in rows(folder / "tables/reproduction.csv")
    }
    assert table["nodejs-distroless", "HIGH"] == ("1", "0")
    assert table["nodejs-distroless", "TOTAL"] == ("19", "18")
    assert table["nodejs-alpine", "TOTAL"] == ("48", "48")


def test_a_relative_data_folder_is_found_by_kernels_too(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.parent)
    monkeypatch.setenv("KIT_DATA", "data")
    folder = run.reproduce("blog-2022", notebooks=[paths.NOTEBOOKS / "05-verdict.ipynb"])
    assert folder == data / "runs/blog-2022"


def test_a_missing_report_leaves_a_whole_run(data: Path) -> None:
    (data / "studies/blog-2022/2022-02/nodejs-alpine/trivy.json").unlink()
    (data / "studies/blog-2022/published.csv").unlink()
    folder = run.reproduce("blog-2022")
    text = (folder / "report.html").read_text()
    assert "No report, so nothing is known" in text
    assert "<NA>" not in text
    assert ">nan<" not in text.lower()


def test_parameters_reach_the_notebooks(data: Path) -> None:
    given = {"lens": "vulnerabilities", "fixable": "true", "capture": "2026-11"}
    one = [paths.NOTEBOOKS / "02-vulnerabilities.ipynb"]
    folder = run.reproduce("blog-2022", given, one)
    counts = rows(folder / "tables/severity-breakdown.csv")
    assert sum(int(row["count"]) for row in counts if row["variant"] == "nodejs-distroless") == 57
    assert json.loads((folder / "run.json").read_text())["parameters"] == given


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"lense": "findings"}, "did you mean 'lens'"),
        ({"lens": "cves"}, "none of findings, vulnerabilities"),
        ({"fixable": "perhaps"}, "is not bool"),
        ({"save_to": "/tmp"}, "set by the run itself"),
        ({"study": "other"}, "set by the run itself"),
        ({"capture": "1999-01"}, "no capture '1999-01'"),
    ],
)
def test_what_does_not_fit_stops_the_run_before_a_kernel(
    data: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], told: str
) -> None:
    monkeypatch.setattr(run, "execute_one", lambda *_, **__: pytest.fail("a kernel was started"))
    with pytest.raises((ParameterInvalid, StudyInvalid), match=told):
        run.reproduce("blog-2022", given)
    assert not (data / "runs").exists()


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """A copy of a notebook that fails in its third cell."""
    book = nbformat.read(paths.NOTEBOOKS / "03-image-size.ipynb", as_version=4)
    book.cells[2].source = 'raise ValueError("no such luck")'
    path = tmp_path / "03-image-size.ipynb"
    nbformat.write(book, path)
    return path


def test_a_failing_notebook_leaves_its_copy_and_the_last_good_run(
    data: Path, failing: Path
) -> None:
    good = run.reproduce("blog-2022", notebooks=[paths.NOTEBOOKS / "05-verdict.ipynb"])
    before = (good / "run.json").read_bytes()
    with pytest.raises(NotebookFailed, match=r"cell 3: ValueError: no such luck") as caught:
        run.reproduce("blog-2022", notebooks=[failing])
    copy = data / "runs/blog-2022.failed/notebooks/03-image-size.ipynb"
    assert str(copy) in str(caught.value)
    assert "no such luck" in copy.read_text()
    assert (good / "run.json").read_bytes() == before
    run.reproduce("blog-2022", notebooks=[paths.NOTEBOOKS / "05-verdict.ipynb"])
    assert not copy.exists(), "a good run takes the failed one away"


def test_an_invalid_report_is_named_by_the_cell_that_met_it(data: Path) -> None:
    evidence = data / "studies/blog-2022/2022-02/nodejs-alpine/trivy.json"
    evidence.write_bytes(evidence.read_bytes()[:5000])
    with pytest.raises(
        NotebookFailed, match=r"cell \d: ReportInvalid: .*nodejs-alpine/trivy\.json"
    ):
        run.reproduce("blog-2022", notebooks=[paths.NOTEBOOKS / "02-vulnerabilities.ipynb"])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_stopped_run_never_looks_finished_and_the_next_one_clears_up(
    data: Path, number: int, status: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers", "reproduce"],
        env={**os.environ, "KIT_DATA": str(data)},
        stderr=subprocess.DEVNULL,
    )
    runs = data / "runs"
    while not list(runs.glob(".*.part/notebooks")):
        time.sleep(0.01)
        assert process.poll() is None
    time.sleep(0.5)
    gone = processes.this_process().replace(f"{os.getpid()}@", "4194305@")
    (runs / f".blog-2022.{gone}.old").mkdir()
    process.send_signal(number)
    assert process.wait(20) == status
    assert not (runs / "blog-2022").exists()
    assert bool(list(runs.glob(".*.part"))) == (number == signal.SIGKILL)
    run.reproduce("blog-2022", notebooks=[paths.NOTEBOOKS / "05-verdict.ipynb"])
    assert sorted(path.name for path in runs.iterdir()) == ["blog-2022"]


def test_two_scanners_reports_of_one_image_are_one_variant_and_their_agreement_is_shown(
    data: Path, write, shared: Path
) -> None:
    grypes = shared / "corpus/grype/many_vulns_with_epss_values.json"
    image_id = json.loads(grypes.read_text())["source"]["target"]["imageID"]
    trivys = trivy(
        finding(VulnerabilityID="CVE-2022-28391", PkgName="busybox", Severity="HIGH"),
        finding(VulnerabilityID="CVE-2021-42386", PkgName="busybox", Severity="LOW"),
        finding(VulnerabilityID="CVE-1999-0001", PkgName="busybox"),
        Metadata={"OS": {"Family": "busybox", "Name": "1.32.1"}, "ImageID": image_id},
    )
    study = make_study([str(write(trivys, "busybox.json")), str(grypes)], "two-scanners")
    capture(study)
    folder = run.reproduce(study, notebooks=[paths.NOTEBOOKS / "02-vulnerabilities.ipynb"])
    (agreed,) = rows(folder / "tables/agreement.csv")
    assert [agreed[name] for name in ("variant", "both", "only_trivy", "only_grype")] == [
        *("busybox", "2", "1", "13"),
    ]
    assert agreed["rated_differently"] == "1"
    (counted,) = rows(folder / "tables/totals-by-lens.csv")
    assert counted["findings"] == "3", "what the two scanners find is never added up"
