"""The loader: any mix of reports, one image a report."""

import gzip
import json
import os
from pathlib import Path

import pandas as pd
import pytest

from helpers import frames
from helpers.errors import ParameterInvalid, ReportInvalid, StudyInvalid
from helpers.studies import load
from tests.conftest import Write, finding, trivy
from tests.scans.test_grype import match
from tests.scans.test_grype import report_of as grype


def test_every_frame_has_the_columns_and_types_of_the_dictionary(frames_of) -> None:
    for loaded in (frames_of(app=trivy(finding())), frames_of(empty=b"null"), load.load([])):
        for name, frame in loaded._asdict().items():
            wanted = {column.name: column.dtype for column in frames.dictionary()[name]}
            assert {c: frame[c].dtype for c in frame} == wanted, name


def test_order_and_repetition_of_files_change_nothing(write: Write) -> None:
    one = write(trivy(finding(1)), "one.json")
    two = write(trivy(finding(2), finding(3)), "two.json")
    once = load.load_reports([one, two])
    roundabout = one.parent / "x" / ".." / "one.json"
    again = load.load_reports([two, one, two, roundabout])
    for first, second in zip(once, again, strict=True):
        pd.testing.assert_frame_equal(first, second)


def test_old_and_new_gzipped_and_utf16_reports_mix(write: Write) -> None:
    report = trivy(finding())
    loaded = load.load_reports(
        [
            write(report, "plain.json"),
            write(gzip.compress(json.dumps(report).encode()), "zipped.json.gz"),
            write(json.dumps(report).encode("utf-16"), "powershell.json"),
            write([{"Target": "x", "Vulnerabilities": [finding()]}], "legacy.json"),
        ]
    )
    assert loaded.findings["variant"].tolist() == ["legacy", "plain", "powershell", "zipped"]


def test_variants_are_named_by_as_much_of_the_path_as_tells_them_apart() -> None:
    given = ["/a/x/trivy.json", "/a/y/trivy.json", "/a/y/other.json.gz", "/b/y/trivy.json"]
    names = load.named(map(Path, given))
    assert [names[Path(path)] for path in given] == ["x/trivy", "a/y/trivy", "other", "b/y/trivy"]


def test_files_that_differ_in_their_suffix_alone_keep_it() -> None:
    names = load.named([Path("/a/x.json"), Path("/a/x.json.gz")])
    assert sorted(name.rpartition("/")[2] for name in names.values()) == ["x.json", "x.json.gz"]


def test_a_file_name_that_is_not_utf8_has_a_name_all_the_same(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/bad\xff.json"
    Path(os.fsdecode(path)).write_bytes(b"null")
    loaded = load.load_reports([os.fsdecode(path)])
    assert loaded.images["variant"].tolist() == ["bad\\xff"]
    loaded.images.to_csv(tmp_path / "images.csv")


def test_one_invalid_file_is_named_among_many(write: Write) -> None:
    good, bad = write(trivy(), "good.json"), write({}, "bad.json")
    with pytest.raises(ReportInvalid, match=r"bad\.json"):
        load.load_reports([good, bad])


@pytest.fixture
def scanned_twice(data: Path) -> Path:
    """The blog's study, with a Grype report of one variant beside Trivy's."""
    folder = data / "studies/blog-2022/2022-02/nodejs-alpine"
    (folder / "grype.json.gz").write_bytes(gzip.compress(json.dumps(grype(match())).encode()))
    return folder


def test_a_study_loads_one_report_a_variant_unless_told(scanned_twice: Path) -> None:
    def scanners(wanted: str) -> dict[str, list[str]]:
        images = load.load_study("blog-2022", scanner=wanted).images.fillna({"scanner": ""})
        return images.groupby("variant")["scanner"].agg(list).to_dict()

    assert scanners("") == {"nodejs-alpine": ["trivy"], "nodejs-distroless": ["trivy"]}
    assert scanners("trivy") == scanners("")
    assert scanners("grype") == {"nodejs-alpine": ["grype"], "nodejs-distroless": [""]}
    assert scanners("all") == {"nodejs-alpine": ["trivy", "grype"], "nodejs-distroless": ["trivy"]}
    (scanned_twice / "trivy.json").unlink()
    assert scanners("") == {"nodejs-alpine": ["grype"], "nodejs-distroless": ["trivy"]}
    with pytest.raises(
        ParameterInvalid, match="'snyk'; choose one of trivy, grype, osv-scanner, all"
    ):
        scanners("snyk")


def test_what_two_scanners_found_is_told_apart_and_so_are_their_dbs(scanned_twice: Path) -> None:
    alone = load.load_study("blog-2022").findings
    loaded = load.load_study("blog-2022", scanner="all")
    by_scanner = loaded.findings["scanner"].value_counts().to_dict()
    assert by_scanner == {"trivy": len(alone), "grype": 1}
    images = loaded.images[loaded.images["variant"].eq("nodejs-alpine")].set_index("scanner")
    assert images["db_updated_at"].dt.date.astype("str").to_dict() == {
        "trivy": "2022-02-28",
        "grype": "2025-06-19",
    }
    assert images.loc["grype", ["db_sha256", "db_coverage"]].isna().all()


def test_a_study_loads_its_default_a_named_or_all_captures() -> None:
    def captures(wanted: str) -> list[str]:
        return load.load_study("blog-2022", wanted).images["capture"].unique().tolist()

    assert captures("") == ["2022-02"]
    assert captures("2026-11") == ["2026-11"]
    assert captures("all") == ["2022-02", "2026-11"]
    assert len(load.load_study("blog-2022", ["2022-02", "", "2022-02"]).images) == 2
    with pytest.raises(StudyInvalid, match="no capture '2023'; it has 2022-02, 2026-11"):
        captures("2023")


def test_no_path_of_this_machine_reaches_the_frames(blog) -> None:
    assert blog.images["report"].str.startswith("studies/blog-2022/2022-02/").all()


def test_published_numbers_of_a_study_without_any_have_no_rows(data: Path) -> None:
    (data / "studies/blog-2022/published.csv").unlink()
    published = load.load_published("blog-2022")
    assert published.empty
    assert list(published) == frames.columns("published")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("nodejs-alpine,findings,HIGH,31", "nodejs-alpine,findings,HIGH,31.5", "line 5: .*whole"),
        ("nodejs-alpine,findings,HIGH", "nodejs-alpine,findings,high", "line 5: .*severity"),
        ("nodejs-alpine,findings,HIGH", "nodejs-alpine,findings,LOW", "line 3: this number"),
        (
            "nodejs-alpine,findings,HIGH",
            "alpine,findings,HIGH",
            "line 5: the study has no",
        ),
        ("76.9,MB", "76.9,MiB", "line 8: .*unit"),
        ("76.9,MB", "small,MB", "could not convert|Invalid|small"),
    ],
)
def test_published_numbers_that_are_no_numbers_of_the_study_are_refused(
    data: Path, old: str, new: str, told: str
) -> None:
    path = data / "studies/blog-2022/published.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(StudyInvalid, match=rf"published\.csv.*{told}"):
        load.load_published("blog-2022")


def test_a_malformed_table_of_published_numbers_is_named(data: Path) -> None:
    (data / "studies/blog-2022/published.csv").write_text("variant,value\nx,many\n")
    with pytest.raises(StudyInvalid, match=r"published\.csv.*columns variant, metric"):
        load.load_published("blog-2022")


@pytest.mark.parametrize("created", ["0001-01-01", "1970-01-01", "1980-01-01", None])
def test_a_build_date_of_before_there_were_images_is_none(frames_of, created) -> None:
    config = {"created": f"{created}T00:00:00Z"} if created else {}
    metadata = {"OS": {"Family": "debian", "Name": "12.1"}, "ImageConfig": config}
    assert frames_of(app=trivy(Metadata=metadata)).images["created_at"].isna().all()
