"""Published comparisons, recorded as tables of facts, by the kit's own way to its answers."""

import json

import pandas as pd
import pytest

from helpers.errors import ParameterInvalid, TableInvalid


def test_debloated_images_come_to_the_published_means_and_84_rows_are_76_images(opened_fleet):
    f = opened_fleet("debloated-images")
    assert (len(f.scanned), len(f.counts)) == (84, 76)
    table = f.where(lens="findings").severity().table.set_index("family")
    published = {"original": 92.714286, "rapidfort": 33.321429, "chainguard": 0.571429}
    fixable = {"original": 3.5, "rapidfort": 5.214286, "chainguard": 0.571429}
    for name, mean in published.items():
        row = table.loc[name]
        assert (row["entries"], round(row["per_entry"], 6)) == (28, mean)
        assert round(row["fixable_per_entry"], 6) == fixable[name]
    # Without nats, whose system is not known; original and debloated image differ in 27 apps.
    between = f.where(lens="findings").pairs().table.set_index(["first", "second"])
    row = between.loc[("original", "rapidfort")]
    assert (row["pairs"], row["second_fewer"], row["first_fewer"], row["equal"]) == (27, 23, 4, 0)


METRICS = {
    "findings": "findings",
    "vulnerabilities": "vulnerabilities",
    "high and critical findings": "serious findings",
    "findings with a fix": "fixable findings",
}


def test_debloated_images_come_to_every_number_of_the_source(opened_fleet, shared, tmp_path):
    expected = json.loads((shared / "anchors/debloated-images/expected.json").read_text())
    rows = []
    for group in ("original", "rapidfort", "chainguard"):
        facts = expected[group]
        rows += [("entries", group, facts["images"], "")]
        rows += [("images", group, facts["distinct image ids"], "")]
        rows += [("entries without findings", group, facts["images with no finding"], "")]
        for theirs, ours in METRICS.items():
            rows += [(f"{what} {ours}", group, facts[theirs][what], "") for what in facts[theirs]]
    for name, facts in expected["pairs"].items():
        group, _, theirs = name.partition(": ")
        ours = METRICS[theirs]
        rows += [("entries", group, facts["pairs"], "")]
        rows += [(f"{what} {ours}", group, facts[what], "") for what in ("fewer", "more", "equal")]
        rows += [
            (f"{what} of {ours}", group, facts[what], "1e-6")
            for what in ("mean difference", "median difference")
        ]
    for group, share in expected["reduction of mean findings"].items():
        rows += [("reduction of mean findings", f"original -> {group}", share, "1e-6")]
    path = tmp_path / "published.csv"
    pd.DataFrame(rows, columns=["metric", "group", "value", "tolerance"]).to_csv(path, index=False)
    f = opened_fleet("debloated-images", published=path)
    table = f.published().table
    differs = table[table["outcome"].ne("reproduced")]
    # The source counts ids; here ids that name each other as aliases are one vulnerability.
    assert {*differs["outcome"]} == {"differs"}
    assert differs["metric"].str.endswith("vulnerabilities").all()
    assert differs["group"].str.contains("rapidfort").all()
    assert len(differs) == 4
    assert (len(table), f.headline().table["apps"].unique().tolist()) == (len(rows), [28])


def test_a_headline_in_fixable_findings_may_be_chance(opened_fleet):
    f = opened_fleet("debloated-images")
    table = f.headline().table.set_index(["first", "second", "counted"])
    row = table.loc[("original", "rapidfort", "fixable findings")]
    assert round(row["mean_difference"], 3) == 1.714
    assert (round(row["low"], 1), round(row["high"], 1)) == (-1.5, 5.4)
    assert table.loc[("original", "rapidfort", "findings")]["high"] < 0


def test_a_headline_in_time_has_first_and_last_day_and_no_interval(opened_fleet):
    row = opened_fleet("onishi-weekly").headline().table.iloc[0]
    assert (row["first"], row["second"], row["apps"]) == ("2023-11-15", "2023-12-20", 1000)
    assert (round(row["mean_difference"], 2), row[["low", "high"]].isna().all()) == (9.13, True)


def test_onishi_weekly_has_what_is_expected_of_each_week_and_step(opened_fleet, shared):
    expected = json.loads((shared / "anchors/onishi-weekly/expected.json").read_text())
    f = opened_fleet("onishi-weekly")
    findings = f.where(lens="findings")
    weeks = findings.days().table.set_index("day")
    counted = f.days().table.set_index("day")["count"]
    for day, week in expected["weeks"].items():
        row = weeks.loc[day]
        assert (row["images"], row["findings"], row["fixable"], counted[day]) == (
            *(week["images"], week["findings"], week["findings with a fix"]),
            week["vulnerabilities x images"],
        )
        assert row[[*week["severities"]]].to_dict() == week["severities"]
    assert len(f.counts) == 1000
    assert {*f.counts["scanned_at"]} == {pd.Timestamp("2023-12-20", tz="UTC")}
    for step, by_created in expected["steps"].items():
        earlier, later = step.split(" -> ")
        table = findings.drift(earlier, later).table.set_index("part")
        # Where no build date is usable the source takes an image for the same one.
        same = table.drop("rebuilt")[["images", "before", "after", "change"]].sum()
        for ours, theirs in (
            (same, by_created["same created"]),
            (table.loc["rebuilt"], by_created["created differs"]),
        ):
            assert ours[["images", "before", "after", "change"]].tolist() == [
                theirs[name]
                for name in ("images", "findings before", "findings after", "difference")
            ]
        moved = table["appeared"] - table["gone"]
        assert moved.equals(table["change"])
    with pytest.raises(ParameterInvalid, match="no scans of '2023-01-01'; there are some of 2023-"):
        f.drift(earlier="2023-01-01")


def test_tables_are_read_once_and_anew_when_a_file_changes(read, tmp_path):
    folder = tmp_path / "facts"
    folder.mkdir()
    findings = folder / "findings.csv"
    findings.write_text("variant,vulnerability_id,package,severity\na,CVE-1,p,LOW\nb,CVE-1,p,LOW\n")
    assert read(folder)[1:4] == (2, 0, 0)
    assert read(folder)[1:4] == (0, 2, 0)
    findings.write_text("variant,vulnerability_id,package,severity\na,CVE-1,p,HIGH\n")
    assert read(findings)[1:4] == (1, 0, 0)
    findings.write_text("variant,vulnerability_id,package,severity\na,CVE-1,p,worst\n")
    with pytest.raises(TableInvalid, match="'worst' in a row of 'a'"):
        read(findings)
