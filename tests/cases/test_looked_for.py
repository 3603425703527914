"""A scan that looked for something else than vulnerabilities has no count, and no zero."""

import csv
import json
from pathlib import Path

import pytest

from helpers import Comparison
from helpers.errors import StudyInvalid
from helpers.frames import NOT_LOOKED, SCANNED
from helpers.scans import summary
from helpers.studies import load
from tests.cases.made import Report as Made
from tests.cases.made import findings, report, study
from tests.support.command_line import run

PACKAGES = tuple(f"package{number} 1.0" for number in range(8))


def with_results(*classes: str, **fields: object) -> Made:
    """A report without findings, and with results of other classes beside its packages."""
    made = report(packages=PACKAGES, **fields)
    made["Results"] += [{"Target": each, "Class": each} for each in classes]
    return made


def statuses(tmp_path: Path, **reports: Made) -> dict[str, str]:
    paths = [tmp_path / f"{name}.json" for name in reports]
    for path, made in zip(paths, reports.values(), strict=True):
        path.write_text(json.dumps(made))
    images = load.load_reports(paths).images
    return images.set_index("variant")["status"].to_dict()


@pytest.mark.parametrize("other", ["license", "secret", "config", "license-file"])
def test_packages_beside_results_of_another_kind_are_no_clean_image(tmp_path, other) -> None:
    """Trivy 0.76 lists packages whatever it looks for."""
    assert statuses(tmp_path, a=with_results(other)) == {"a": NOT_LOOKED}


def test_a_clean_image_is_one_with_packages_alone(tmp_path) -> None:
    assert statuses(tmp_path, a=with_results()) == {"a": SCANNED}


def test_findings_show_that_they_were_looked_for(tmp_path) -> None:
    made = with_results("license", "secret")
    made["Results"][0]["Vulnerabilities"] = findings(1)
    assert statuses(tmp_path, a=made) == {"a": SCANNED}


def test_suppressed_findings_show_it_too(tmp_path) -> None:
    made = with_results("license")
    made["Results"][0]["ExperimentalModifiedFindings"] = [
        {"Type": "vulnerability", "Status": "not_affected", "Finding": findings(1)[0]}
    ]
    assert statuses(tmp_path, a=made) == {"a": SCANNED}


def test_a_system_said_to_have_ended_shows_it_too(tmp_path) -> None:
    made = with_results("license")
    made["Metadata"]["OS"]["EOSL"] = True
    assert statuses(tmp_path, a=made) == {"a": SCANNED}


def test_without_lists_of_packages_their_results_are_of_vulnerabilities(tmp_path) -> None:
    """With `--list-all-pkgs=false`, and before 0.67, only a scan for them writes such a result."""
    clean, other = (with_results("license", scanner="") for _ in range(2))
    nothing = with_results(scanner="")
    del clean["Results"][0]["Packages"], other["Results"][0], nothing["Results"]
    no_system = with_results("license", scanner="", os="")
    made = statuses(tmp_path, clean=clean, nothing=nothing, other=other, no_system=no_system)
    lost = dict.fromkeys(("nothing", "other", "no_system"), NOT_LOOKED)
    assert made == {"clean": SCANNED, **lost}


def test_a_system_without_advisories_has_no_result(tmp_path) -> None:
    made = with_results(os="fedora 40")
    del made["Results"]
    assert statuses(tmp_path, a=made) == {"a": "no-os"}


def test_what_was_not_looked_at_is_not_recommended(empty_data) -> None:
    held = {
        "found": report(*findings(71, fix="3.0.2"), packages=PACKAGES),
        "licences": with_results("license"),
    }
    c = Comparison(study(empty_data, {"2026-11-01": held}))
    counts = c.vulnerabilities.severity().table
    assert c.images.set_index("variant").loc["licences", "reason"].endswith("--scanners vuln")
    assert counts[counts["count"].isna()]["variant"].tolist() == ["licences"] * 5
    assert c._verdict.decision("").ranked["variant"].tolist() == ["found"]


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("same", ["image", "packages"])
def test_one_image_with_findings_and_without_is_an_error(empty_data, mixed, same) -> None:
    """As with `--scanners secret` where there is none, or with `--severity`."""
    image = {"image_id": "1"} if same == "image" else {}
    held = {
        "full": report(*findings(12), packages=PACKAGES, **image),
        "other": report(*findings(3), packages=["bash 1.0"]),
        "zero": report(packages=PACKAGES, **image),
    }
    c = Comparison(study(empty_data, {"2026-11-01": held}), mixed=mixed)
    with pytest.raises(StudyInvalid, match=r"zero has no findings, but full has 12 .*same " + same):
        c.findings  # noqa: B018
    assert len(c.only("full", "other").findings) == 15


@pytest.mark.parametrize(
    "changes",
    [
        {"packages": [*PACKAGES[:-1], "package7 1.1"], "image_id": "2"},
        {"packages": PACKAGES, "os": "debian 13.1", "image_id": "2"},
    ],
    ids=["version", "system"],
)
def test_a_clean_image_beside_another_one_is_clean(empty_data, changes) -> None:
    held = {
        "clean": report(**changes),
        "full": report(*findings(12), packages=PACKAGES, image_id="1"),
    }
    c = Comparison(study(empty_data, {"2026-11-01": held}))
    assert len(c.findings) == 12


def test_a_few_may_have_come_with_a_newer_database(empty_data) -> None:
    """Beside reports of another day, which have to be allowed as mixed."""
    older = report(packages=PACKAGES, image_id="1", scanned="2026-10-01T00:00:00Z")
    newer = report(*findings(2), packages=PACKAGES, image_id="1")
    name = study(empty_data, {"2026-11-01": {"a": newer}})
    path = empty_data / "older.json"
    path.write_text(json.dumps(older))
    assert len(Comparison(name, mixed=True).with_images(path).findings) == 2


def test_the_summary_has_no_counts_of_it(tmp_path) -> None:
    full, other = tmp_path / "full.json", tmp_path / "other.json"
    full.write_text(json.dumps(report(*findings(12), packages=PACKAGES, image_id="1")))
    other.write_text(json.dumps(with_results("license")))
    rows = [summary.row(path) for path in (full, other)]
    assert [row["findings"] for row in rows] == [12, None]
    done = run("summary", "--format", "json", full, other)
    assert [row["findings"] for row in json.loads(done.stdout)] == [12, None]
    assert (done.status, len(done.stderr.splitlines())) == (0, 1)


def test_the_summary_refuses_a_zero_of_an_image_that_has_findings(tmp_path) -> None:
    full, zero = tmp_path / "full.json", tmp_path / "zero.json"
    full.write_text(json.dumps(report(*findings(12), packages=PACKAGES, image_id="1")))
    zero.write_text(json.dumps(report(packages=PACKAGES, image_id="1")))
    done = run("summary", "--format", "json", full, zero)
    assert [row["findings"] for row in json.loads(done.stdout)] == [12, None]
    assert done.status == 1
    assert "full.json" in done.stderr
    assert "zero.json" in done.stderr


def test_of_published_reports_one_was_of_licences_alone(shared: Path) -> None:
    """Three of the others found nothing: one of an empty image, two of a system that had ended."""
    with (shared / "corpus" / "index.tsv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["schema"] != "none"]
    found = {row["file"]: summary.row(shared / "corpus" / row["file"])["findings"] for row in rows}
    not_looked = [name for name, count in found.items() if count is None]
    assert [Path(name).name for name in not_looked] == ["license_scheme.json"]
    assert list(found.values()).count(0) == 3
