"""Counts alone: what they answer, and what they do not."""

import json

import pytest
from click.testing import CliRunner

from helpers import Fleet, paths
from helpers.cli import program as cli
from helpers.errors import KitError, TableInvalid
from helpers.fleet.counts import ONLY_COUNTS

ROWS = [
    "reference,scanned_at,findings,fixable,HIGH,digest,os_family",
    "a:1,2026-01-01T00:00:00Z,5,1,2,d1,debian",
    "a:1,2026-01-02T00:00:00Z,7,1,3,d1,debian",
    "a:1,2026-01-03T00:00:00Z,4,0,1,d2,debian",
    "b:1,2026-01-01T00:00:00Z,9,9,9,,alpine",
    "b:1,2026-01-03T00:00:00Z,9,9,9,,alpine",
    "c:1,2026-01-03T00:00:00Z,1,0,0,d3,debian",
]


@pytest.fixture
def made(tmp_path):
    def of(rows=ROWS, **given):
        (tmp_path / "counts.csv").write_text("\n".join(rows) + "\n")
        return Fleet(str(tmp_path), **given)

    return of


def test_nightly_counts_come_to_the_steps_of_the_source(shared):
    wanted = json.loads((shared / "anchors/nightly-counts/expected.json").read_text())
    f = Fleet(str(paths.ROOT / "data" / "fleets" / "nightly-counts"))
    scanned = f.scanned
    assert [len(scanned), scanned["scanned_at"].nunique()] == [wanted["rows"], wanted["reports"]]
    assert [scanned["name"].nunique(), scanned["digest"].nunique()] == [
        wanted["images"],
        wanted["digests"],
    ]
    steps = f.steps().table.set_index("part")
    assert steps["steps"].sum() == wanted["steps"]
    assert steps.loc["another image", "steps"] == wanted["steps with another digest"]
    assert steps["changed"].to_dict() == {
        "same image": wanted["steps whose total changed, same digest"],
        "another image": wanted["steps whose total changed, another digest"],
    }


def test_a_step_is_of_the_same_image_of_another_or_not_known(made):
    steps = made().steps().table.set_index("part")
    assert steps["change"].to_dict() == {
        "same image": 2,
        "another image": -3,
        "not known if rebuilt": 0,
    }
    assert steps.loc["not known if rebuilt", ["steps", "changed"]].tolist() == [1, 0]


def test_a_change_between_days_splits_by_the_image(made):
    table = made().drift(earlier="2026-01-01", later="2026-01-03").table.set_index("part")
    assert table["change"].to_dict() == {"rebuilt": -1, "not known if rebuilt": 0, "came": 1}
    assert table.loc["rebuilt", ["fixable_change", "HIGH"]].tolist() == [-1, -1]
    # What is not counted is not 0, and nothing is known of single findings.
    assert table[["MEDIUM", "appeared", "gone", "re_rated"]].isna().all(axis=None)


def test_without_a_digest_nothing_is_said_of_unchanged_images(made):
    f = made([row.replace(",d1,", ",,").replace(",d2,", ",,") for row in ROWS[:4]])
    assert f.steps().title == "2 of 2 counts changed"
    assert f.drift().title == "findings: -1 from 2026-01-01 to 2026-01-03"
    assert f.headline().title == "-1 findings from 2026-01-01 to 2026-01-03"


def test_a_sum_of_which_a_part_is_not_known_is_not_known(made):
    rows = [*ROWS[:2], "c:1,2026-01-01T00:00:00Z,1,,0,d3,debian"]
    assert made(rows).severity().title == "6 findings in 2 images"


def test_what_is_not_counted_is_not_zero(made):
    f = made([row.replace(",fixable", "").replace(",1,2,", ",2,") for row in ROWS[:2]])
    row = f.severity().table.iloc[-1]
    assert row["count"] == 5
    assert row[["fixable", "MEDIUM"]].isna().all()
    assert f.severity().title == "5 findings in 1 image"


@pytest.mark.parametrize("question", ["bases", "widespread", "updates", "scanners", "lists"])
def test_what_needs_findings_says_that_only_counts_are_known(made, question):
    answer = getattr(made(), question)()
    assert answer.answer.lacks == str(ONLY_COUNTS)


def test_a_lens_that_looks_at_findings_is_not_known_either(made):
    f = made()
    assert f.where(fixable=True).severity().table.iloc[-1]["count"] == 9
    with pytest.raises(KitError, match="Only counts are known"):
        f.where(place="os")
    with pytest.raises(KitError, match="Only counts are known"):
        f.frame("findings")


def test_vulnerabilities_count_where_the_table_has_them(made):
    f = made(
        [f"{row},{tail}" for row, tail in zip(ROWS, ("vulnerabilities", *"434991"), strict=True)]
    )
    assert f.lens.counted == "vulnerabilities"
    assert f.severity().table.iloc[-1]["count"] == 4 + 9 + 1
    assert f.where(lens="findings").severity().table.iloc[-1]["count"] == 4 + 9 + 1


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["reference,findings", "a:1,2"], "no column 'scanned_at'"),
        (["reference,scanned_at,findings", "a:1,2026-01-01,many"], "'findings' is 'many'"),
        (["reference,scanned_at,findings", "a:1,,2"], "'scanned_at' is empty in row 1"),
        (["reference,scanned_at,findings"], "it has no rows"),
        (["reference,scanned_at,findings", "a:1,2026-01-01,-5"], "'findings' is -5 of -5 findings"),
        (["reference,scanned_at,findings,HIGH", "a:1,2026-01-01,5,6"], "'HIGH' is 6 of 5 findings"),
    ],
)
def test_a_table_of_counts_is_checked(made, rows, problem):
    with pytest.raises(TableInvalid, match=problem):
        made(rows)


@pytest.mark.slow
def test_counts_make_a_report_without_a_cluster(made, tmp_path, monkeypatch):
    made()
    monkeypatch.setenv("KIT_DATA", str(tmp_path / "data"))
    result = CliRunner().invoke(cli.commands, ["fleet", "run", str(tmp_path), "--name", "counted"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "data/runs/counted/report.html").is_file()
