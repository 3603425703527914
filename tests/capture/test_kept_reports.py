"""Reports that others kept become captures of their days."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from helpers import paths
from helpers.capture import kept_reports
from helpers.capture.kept_reports import take
from helpers.errors import StudyInvalid
from helpers.studies.load import load_study
from helpers.studies.study import open_study
from tests.conftest import finding, trivy
from tests.scans.test_grype import match, report_of
from tests.support.command_line import run


@pytest.fixture
def folder(empty_data: Path, tmp_path: Path) -> Path:
    made = tmp_path / "kept"
    made.mkdir()
    return made


def write(path: Path, report: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = report if isinstance(report, str) else json.dumps(report)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def test_a_folder_a_day(folder: Path) -> None:
    for count, day in enumerate(("2023-01-12", "20230113", "scan 2023-01-15T03-00"), 1):
        found = trivy(*(finding(number) for number in range(count)))
        write(folder / day / "app.json", {**found, "CreatedAt": f"2023-01-{12 + count}T04:05:06Z"})
        write(folder / day / "web.json.gz", trivy(finding()))
    done = take("mine", folder)
    names = ["2023-01-12", "2023-01-13", "2023-01-15.0300"]
    assert done == (names, [], [])
    assert open_study("mine").captures() == names, "and nothing of the 14th"
    frames = load_study("mine", "all")
    counts = frames.findings.groupby(["variant", "capture"]).size()
    assert counts["app"].tolist() == [1, 2, 3]
    assert counts["web"].tolist() == [1, 1, 1]
    facts = open_study("mine").facts("2023-01-12")
    assert str(facts.captured_at) == "2023-01-13 04:05:06+00:00"
    assert (facts.scanner_is, facts.db.updated_at) == ("others", None)


def test_days_that_were_scanned_later_and_the_newest_first_are_in_their_order(folder: Path) -> None:
    days = ("2017-01-31", "2017-06-30", "2017-12-31")
    for hour, day in enumerate(reversed(days)):
        report = trivy(finding(), CreatedAt=f"2026-11-27T0{hour}:00:00Z")
        write(folder / day / "app.json", report)
    take("mine", folder)
    assert open_study("mine").captures() == [*days]


def test_files_with_days_in_them_or_in_their_names(folder: Path) -> None:
    flat = {**trivy(finding()), "ArtifactName": "docker.io/library/nginx:1.25"}
    write(folder / "a.json", {**flat, "CreatedAt": "2023-01-12T01:00:00Z"})
    write(folder / "report.json", {**flat, "CreatedAt": "2023-01-13T01:00:00Z"})
    write(folder / "sub/trivy.json", {**flat, "CreatedAt": "2023-01-13T05:00:00Z"})
    write(folder / "a-2023-01-14.json", flat)
    done = take("mine", folder)
    assert done.made == ["2023-01-12", "2023-01-13", "2023-01-13.002", "2023-01-14"]
    images = load_study("mine", "all").images.query("status == 'scanned'")
    assert images.groupby("capture")["variant"].agg(list).to_dict() == {
        **{"2023-01-12": ["a"], "2023-01-14": ["a"]},
        **{"2023-01-13": ["nginx"], "2023-01-13.002": ["nginx"]},
    }


def test_reports_of_both_scanners_are_one_image(folder: Path) -> None:
    write(folder / "2023-01-12/app.trivy.json", trivy(finding()))
    write(folder / "2023-01-12/app-grype.json", report_of(match()))
    take("mine", folder)
    assert open_study("mine").names() == ["app"]
    kept = paths.reports(paths.evidence("mine", "2023-01-12", "app"))
    assert kept.keys() == {"trivy", "grype"}


def test_a_broken_report_is_a_failed_variant_also_on_a_day_of_nothing_else(folder: Path) -> None:
    write(folder / "2023-01-12/app.json", trivy(finding()))
    write(folder / "2023-01-12/web.json", '{"SchemaVersion": 2, "Res')
    write(folder / "2023-01-13/app.json", "")
    write(folder / "2023-01-14/web.json", trivy())
    write(folder / "undated.json", trivy())
    done = run("history", "mine", "--from", folder)
    assert done.status == 1
    assert open_study("mine").captures() == ["2023-01-12", "2023-01-13", "2023-01-14"]
    alone = load_study("mine", "2023-01-13").images.set_index("variant")
    assert alone["status"].to_dict() == {"app": "failed", "web": "missing"}
    assert "app.json" in alone.loc["app", "reason"]
    images = load_study("mine", "2023-01-12").images.set_index("variant")
    assert images["status"].to_dict() == {"app": "scanned", "web": "failed"}
    assert "cut off" in images.loc["web", "reason"]
    assert "2023-01-13: no readable report" in done.stderr
    assert "undated.json: no date" in done.stderr
    assert str(folder) not in (paths.capture("mine", "2023-01-12") / "capture.json").read_text()


@pytest.mark.parametrize(
    "said", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1980-01-01T00:00:00Z"]
)
def test_what_is_no_date_of_a_report_is_none(folder: Path, said: str) -> None:
    write(folder / "2023-01-12/app.json", {**trivy(finding()), "CreatedAt": said})
    write(folder / "loose.json", {**trivy(finding()), "CreatedAt": said})
    done = take("mine", folder)
    assert done.made == ["2023-01-12"]
    assert [line.partition(":")[0] for line in done.problems] == ["loose.json"]
    assert str(open_study("mine").facts().captured_at) == "2023-01-12 00:00:00+00:00"


@pytest.mark.parametrize("name", ["0001-01-01", "9999-12-31", "2024-02-30", "20240230"])
def test_a_folder_of_no_date_is_skipped(folder: Path, name: str) -> None:
    dated = {**trivy(finding()), "CreatedAt": "2023-01-12T04:05:06Z"}
    write(folder / name / "app.json", dated)
    write(folder / name / "report.json", dated)
    write(folder / "2023-01-13/app.json", dated)
    write(folder / "all-2024-02-30/2023-01-14/app.json", dated)
    done = take("mine", folder)
    assert done.made == ["2023-01-13", "2023-01-14"], "the nearest name counts"
    assert [line.partition(":")[0] for line in done.problems] == [name]


def test_other_files_are_no_variants(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "out/web.json", trivy())
    for day in ("2023-01-12", "2023-01-13"):
        write(folder / day / "app.json", trivy(finding()))
        write(folder / day / "package.json", {"name": "app"})
    (folder / day / "web.json").symlink_to(tmp_path / "out/web.json")
    (folder / "2023-01-14").symlink_to(tmp_path / "out")
    (folder / day / "same.json").symlink_to("app.json")
    done = take("mine", folder)
    assert open_study("mine").names() == ["app", "same"]
    assert sorted(line.partition(":")[0] for line in done.problems) == [
        *("2023-01-13/package.json", "2023-01-13/web.json", "2023-01-14"),
    ]
    write(folder / "2023-01-15/app.json", "")
    write(folder / "2023-01-15/same.json", trivy())
    (folder / "2023-01-12/app.json").unlink()
    (folder / "2023-01-13/app.json").unlink()
    take("mine", folder)
    assert open_study("mine").facts().variants["app"].status == "failed", "an image that is known"


def test_what_is_late_for_a_day_that_is_there_is_told(folder: Path) -> None:
    write(folder / "2023-01-12/app.json", trivy(finding()))
    write(folder / "2023-01-12/web.json", '{"SchemaVersion": 2, "Res')
    write(folder / "2023-01-13/web.json", trivy())
    assert len(take("mine", folder).problems) == 1
    assert take("mine", folder).problems == []
    write(folder / "2023-01-12/web.json", trivy())
    write(folder / "2023-01-12/base.json", trivy())
    write(folder / "2023-01-12/app-grype.json", report_of(match()))
    assert take("mine", folder).problems == [
        f"2023-01-12 exists already; {name}.json was not imported"
        for name in ("app-grype", "base", "web")
    ]
    assert open_study("mine").names() == ["app", "web"]


def test_days_that_are_there_stay_and_new_images_join(folder: Path) -> None:
    write(folder / "2023-01-12/app.json", trivy(finding()))
    take("mine", folder)
    write(folder / "2023-01-12/app.json", trivy())
    write(folder / "2023-01-13/web.json", trivy())
    done = take("mine", folder)
    assert (done.made, done.there) == (["2023-01-13"], ["2023-01-12"])
    assert open_study("mine").names() == ["app", "web"]
    assert len(load_study("mine", "2023-01-12").findings) == 1


def test_a_study_of_another_is_left_alone(data: Path, tmp_path: Path) -> None:
    write(tmp_path / "in/2023-01-12/app.json", trivy())
    before = (paths.study("blog-2022") / "study.toml").read_bytes()
    with pytest.raises(StudyInvalid, match="did not make this study"):
        take("blog-2022", tmp_path / "in")
    assert (paths.study("blog-2022") / "study.toml").read_bytes() == before
    (tmp_path / "none").mkdir()
    with pytest.raises(StudyInvalid, match="no report"):
        take("new", tmp_path / "none")
    assert not paths.study("new").exists()


def test_what_is_the_same_on_many_days_is_stored_once(folder: Path) -> None:
    days = [f"2023-01-{day:02}" for day in range(1, 5)]
    for day in days:
        write(folder / day / "app.json", trivy(finding()))
    assert run("history", "mine", "--from", folder).status == 0
    assert open_study("mine").captures() == days
    kept = [paths.evidence("mine", day, "app") / paths.REPORT for day in days]
    assert all(path.samefile(kept[0]) for path in kept)


def test_two_at_once_make_each_day_once_and_know_all_variants(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [f"2023-01-{day:02}" for day in range(12, 15)]
    for day in days:
        for place, name in ((folder, "app"), (folder, "web"), (tmp_path / "others", "web")):
            write(place / day / f"{name}.json", trivy(finding()))
    existing, others = kept_reports._existing, list[kept_reports.Taken]()

    def beside(name: str) -> Any:
        found = existing(name)
        monkeypatch.setattr(kept_reports, "_existing", existing)
        others.append(take("mine", tmp_path / "others"))
        return found

    monkeypatch.setattr(kept_reports, "_existing", beside)
    late = [f"{day} exists already; app.json was not imported" for day in days]
    assert take("mine", folder) == ([], days, late)
    assert others == [(days, [], [])]
    assert open_study("mine").names() == ["web", "app"]
    assert open_study("mine").captures() == days
