"""Every lens counted a second time, by jq programs over the raw JSON, independent of the kit.

A program is a pipe: the findings of one report, what a lens keeps of them, and a count by severity.
"""

import csv
import functools
import gzip
import itertools
import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import jq
import pandas as pd
import pytest

from helpers import paths
from helpers.frames import PLACES, SEVERITIES, Frames
from helpers.images.metadata import Image, read
from helpers.studies.load import load, load_reports, load_study
from helpers.studies.rows import Evidence
from helpers.vulnerabilities import (
    counting,
    fixes,
    growth,
    lenses,
    overlap,
    severity_scales,
)
from helpers.vulnerabilities.lenses import PLAIN, SCALES, Lens
from helpers.vulnerabilities.once import COUNTED, PER_PACKAGE, VULNERABILITIES
from tests.conftest import Write, finding, trivy

WORDS = """
def given: . != null and . != "";
def code: . as $word | ["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"] | index($word);

def id($position): if .VulnerabilityID | given then .VulnerabilityID else $position end;
def names_one: test("^(CVE|GHSA|GMS|GO|NSWG|OSV|PYSEC|RUSTSEC|SNYK)-");
def rank: [(startswith("CVE-") | not), .];
def edges:
  [.[] | .id as $id | select($id | type == "string")
   | ([.VendorIDs[]? | select(names_one and . != $id)] | unique) as $others
   | select(($id | names_one) or ($others | length) == 1) | $others[] | [$id, .]];
def joined:
  edges as $edges
  | (reduce $edges[] as [$a, $b] ({}; .[$a] = $a | .[$b] = $b)
     | until(. as $to | all($edges[]; $to[.[0]] == $to[.[1]]);
         reduce $edges[] as [$a, $b] (.;
           ([.[$a], .[$b]] | min_by(rank)) as $best | .[$a] = $best | .[$b] = $best))) as $to
  | map(.id as $id | if $id | type == "string" then .id = ($to[$id] // $id) else . end);

def full_version:
  (if .Epoch // 0 != 0 then "\\(.Epoch):" else "" end) + .Version
  + (if .Release | given then "-\\(.Release)" else "" end);
def source($packages):
  . as $finding
  | [$packages[]? | select(.Name == $finding.PkgName)
     | select(full_version == $finding.InstalledVersion) | .SrcName | select(given)]
  | last // $finding.PkgName;

def is_os($result):
  $result.Class == "os-pkgs"
  or ($result.Class == null and ($result.Type | IN("alpine", "debian")));
def brought_along: test("lib/node_modules/(npm|corepack|yarn|pnpm)/|opt/yarn");
def place($result; $base_layers):
  if is_os($result) then "os"
  elif (.Layer.DiffID | IN($base_layers[])) or (.PkgPath // "" | brought_along) then "tools"
  else "app" end;

def nvd_by_score:
  (.V3Score // 0) as $v3 | (if $v3 > 0 then $v3 else .V2Score // 0 end) as $score
  | if $v3 >= 9 then 4 elif $score >= 7 then 3 elif $score >= 4 then 2 elif $score > 0 then 1
    else null end;
def nvd: .VendorSeverity.nvd // (.CVSS.nvd // {} | nvd_by_score);
"""

FINDINGS = (
    WORDS
    + """
.base_layers as $base_layers | .known as $known | .report
| [(if type == "array" then .[] else .Results[]? end) as $result | $result.Vulnerabilities[]?
   | {FixedVersion, PublishedDate, source: source($result.Packages),
      place: place($result; $base_layers), nvd: nvd,
      level: (.Severity | if given then code else 0 end), VulnerabilityID, VendorIDs,
      score: $known.scores[.VulnerabilityID // ""][0], added: $known.added[.VulnerabilityID // ""]}
   | .exploited = (.added != null and .added <= $known.day)]
| to_entries | map(.key as $position | .value | .id = id($position)) | joined
"""
)

FIXABLE = "map(select(.FixedVersion | given))"
KNOWN_BY = "map(select((.PublishedDate | given) and .PublishedDate[:10] <= $day))"
SITS_IN = {place: f'map(select(.place == "{place}"))' for place in PLACES}
EXPLOITED = 'map(select(.exploited and ($day == "" or .added <= $day)))'
LIKELY = "map(select(.score != null and .score >= ($least | tonumber)))"
BY_NVD = "map(.level = (.nvd // 0))"
ONCE = "group_by(.id) | map(max_by(.level))"
ONCE_A_SOURCE = "group_by([.id, .source]) | map(max_by(.level))"

BY_SEVERITY = "reduce .[].level as $level ([0, 0, 0, 0, 0]; .[$level] += 1)"
RERATED = """
map(.nvd as $nvd | if $nvd == null then "unrated" elif $nvd > .level then "higher"
    elif $nvd < .level then "lower" else "same" end)
"""
IDS = "map(.id) | unique"
DAYS = "map(.PublishedDate | select(given) | .[:10])"

BLOGS_DAY, MATCHED_DAY, OLD_DAY = "2022-02-28", "2026-08-31", "2019-12-31"
STUDIES = ("blog-2022", "matched-2026", "rebuilt-2026")
OTHERS = (
    "secureCodeBox/juice-shop-v10.2.0.json",
    "django-DefectDojo/legacy_many_vulns.json",
    "trivy-golden-history/v0.20.2/distroless-base.json",
    "trivy-golden-history/v0.1.7/debian-stretch.json",
)
SBOMS = {
    "node-8-alpine": ("blog-2022", "nodejs-alpine"),
    "distroless-nodejs": ("blog-2022", "nodejs-distroless"),
    "node-24-alpine3.24": ("matched-2026", "node-24-alpine"),
    "node-24-trixie-slim": ("matched-2026", "node-24-slim"),
    "distroless-nodejs24-debian13": ("matched-2026", "node-24-distroless"),
}
DATABASES = {"asof-2022-02": "2022-02", "vulndb": "2026-11"}
"""The names of captures in the counts that came with the evidence."""

Raw = dict[tuple[str, str], list[dict[str, Any]]]
"""The findings of each report as jq sees them, by capture and variant."""


class Counted(NamedTuple):
    """The same reports twice: for jq, and as the kit loads them."""

    raw: Raw
    frames: Frames


def run(program: str, value: Any, **words: str) -> Any:
    return compiled(program, tuple(words.items())).input_value(value).first()


@functools.cache
def compiled(program: str, words: tuple[tuple[str, str], ...]) -> Any:
    return jq.compile(program, args=dict(words))


def known_of(path: Path, scanned: str) -> dict[str, Any]:
    """What the capture of a report knows of exploitation, by the day of its database or its scan.

    By that of the scan unless the database was more than five days old.
    """
    capture, evidence = (path.parents[1] / name for name in ("capture.json", "exploitation.json"))
    if not evidence.is_file():
        return {"scores": {}, "added": {}, "day": ""}
    found = json.loads(evidence.read_text())
    built = json.loads(capture.read_text())["db"]["updated_at"]
    days = [date.fromisoformat(text[:10]) for text in (built, scanned)]
    day = days[0] if (days[1] - days[0]).days > 5 else days[1]
    return {
        "scores": found["epss"]["scores"], "added": found["kev"]["added"], "day": str(day)
    }  # fmt: skip


def findings_in(path: Path) -> list[dict[str, Any]]:
    """The findings of a report; an `image.json` beside it names the layers of its base."""
    content = path.read_bytes()
    report = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    image = path.with_name("image.json")
    layers = json.loads(image.read_text())["layers"] if image.is_file() else []
    base_layers = [layer["diff_id"] for layer in layers if layer["from_base"]]
    scanned = report.get("CreatedAt", "") if isinstance(report, dict) else ""
    known = known_of(path, scanned)
    return run(FINDINGS, {"report": report, "base_layers": base_layers, "known": known})


def by_hand(raw: list[dict[str, Any]], lens: Lens) -> list[int]:
    """The counts by severity, from UNKNOWN to CRITICAL, of one report under a lens."""
    steps = [
        FIXABLE if lens.fixable else "",
        SITS_IN.get(lens.place, ""),
        KNOWN_BY if lens.known_by else "",
        EXPLOITED if lens.exploited else "",
        LIKELY if lens.epss else "",
        BY_NVD if lens.rated_by == "nvd" else "",
        {VULNERABILITIES: ONCE, PER_PACKAGE: ONCE_A_SOURCE}.get(lens.counted, ""),
        BY_SEVERITY,
    ]
    program = WORDS + " | ".join(filter(None, steps))
    return run(program, raw, day=lens.known_by, least=str(lens.epss))


def by_the_kit(loaded: Frames, lens: Lens) -> dict[tuple[str, str], list[int]]:
    counted = lenses.apply(loaded.findings, lens)
    columns = (counted[name] for name in ("capture", "variant", "severity"))
    found = Counter(zip(*columns, strict=True))
    images = zip(loaded.images["capture"], loaded.images["variant"], strict=True)
    return {image: [found[*image, severity] for severity in SEVERITIES] for image in images}


def lenses_with(*days: str) -> list[Lens]:
    """Every combination of the parts of a lens."""
    parts = COUNTED, (False, True), SCALES, ("", *days), ("", *PLACES)
    return list(itertools.starmap(Lens, itertools.product(*parts)))


@pytest.fixture(scope="module")
def recorded() -> Counted:
    """Every recorded report of the studies; captures are named after their study too."""
    raw: Raw = {}
    findings, images = [], []
    for study in STUDIES:
        loaded = load_study(study, "all")
        for frames, frame in ((findings, loaded.findings), (images, loaded.images)):
            frames.append(frame.assign(capture=f"{study} " + frame["capture"]))
        for path in (paths.ROOT / "data" / "studies" / study).glob("*/*/trivy.json*"):
            raw[f"{study} {path.parts[-3]}", path.parts[-2]] = findings_in(path)
    joined = [pd.concat(parts, ignore_index=True) for parts in (images, findings)]
    return Counted(raw, Frames(*joined, packages=pd.DataFrame()))


@pytest.fixture(scope="module")
def others(shared: Path) -> Counted:
    """Reports that other projects published, of old versions of Trivy."""
    files = [shared / "corpus" / name for name in OTHERS]
    return Counted({("", path.stem): findings_in(path) for path in files}, load_reports(files))


@pytest.fixture
def made(write: Write) -> Counted:
    """A report of what no recorded one has, with an image of two layers, one of its base."""
    content = trivy(
        finding(VulnerabilityID=None, PublishedDate=f"{BLOGS_DAY}T23:59:59Z"),
        finding(VulnerabilityID="", PublishedDate="2022-03-01T00:00:00Z", FixedVersion=""),
        finding(1, PkgName="a", Severity="LOW", VendorSeverity={"nvd": 4}, FixedVersion="2"),
        finding(1, PkgName="b", Severity="CRITICAL", VendorSeverity={"nvd": 0}),
        finding(1, PkgName="c", Severity="MEDIUM", CVSS={"nvd": {"V2Score": 9.5}}),
        finding(2, Severity="", VendorSeverity={"nvd": 2}, CVSS={"nvd": {"V3Score": 9.8}}),
        finding(3, Severity=None, CVSS={"nvd": {"V3Score": 0, "V2Score": 3.9}}),
        finding(7, VendorIDs=["GHSA-2", "DSA-1-1"], Severity="LOW"),
        finding(0, VulnerabilityID="GHSA-2", PkgName="b", VendorIDs=["GO-3"], Severity="HIGH"),
        finding(0, VulnerabilityID="GO-3", PkgName="c", FixedVersion="2"),
        finding(8, VendorIDs=["DSA-1-1"]),
        finding(0, VulnerabilityID="DSA-2-1", VendorIDs=["CVE-2024-0008", "CVE-2024-0003"]),
        finding(0, VulnerabilityID="RHSA-2024:1", VendorIDs=["CVE-2024-0003"]),
        finding(0, VulnerabilityID="GHSA-9", VendorIDs=["PYSEC-9"]),
        finding(0, VulnerabilityID="PYSEC-9"),
    )
    packages = [
        {"Name": "a", "Version": "3.0.1", "SrcName": "one"},
        {"Name": "b", "Version": "3.0.1", "SrcName": "one"},
        {"Name": "c", "Version": "2", "SrcName": "one"},
    ]
    in_layers = [
        finding(4, Layer={"DiffID": "of the base"}, PkgPath="srv/package.json"),
        finding(5, Layer={"DiffID": "of the app"}, PkgPath="srv/package.json"),
        finding(6, Layer={"DiffID": "of the app"}, PkgPath="opt/yarn-v1/package.json"),
    ]
    content["Results"][0]["Packages"] = packages
    content["Results"].append({"Target": "Node.js", "Class": "lang-pkgs"})
    content["Results"][1]["Vulnerabilities"] = in_layers
    recorded = paths.evidence("rebuilt-2026", "2026-11-24", "node-24-debian") / "image.json"
    image = json.loads(recorded.read_text())
    layers = [
        layer | {"diff_id": f"of the {part}", "from_base": part == "base"}
        for part, layer in zip(("base", "app"), image["layers"], strict=False)
    ]
    beside = write(image | {"layers": layers}, "image.json")
    path = write(content)
    evidence = Evidence("made", path=path, image=read(beside, Image))
    return Counted({("", "made"): findings_in(path)}, load([evidence]))


def test_the_reports_have_what_the_lenses_look_at(recorded: Counted, others: Counted) -> None:
    assert len(recorded.raw) == 11
    every = [finding for raw in (recorded.raw | others.raw).values() for finding in raw]
    assert {finding["place"] for finding in every} == set(PLACES)
    assert {finding["nvd"] for finding in every} == {None, 1, 2, 3, 4}
    assert {bool(finding["FixedVersion"]) for finding in every} == {False, True}
    dates = [finding["PublishedDate"] for finding in every]
    assert None in dates
    # In UTC throughout, so that a day is the first ten characters.
    assert all(date.endswith("Z") for date in dates if date)


@pytest.mark.parametrize("lens", lenses_with(BLOGS_DAY, MATCHED_DAY), ids=lambda lens: lens.label)
def test_recorded_reports_count_as_by_hand(recorded: Counted, lens: Lens) -> None:
    wanted = {image: by_hand(raw, lens) for image, raw in recorded.raw.items()}
    assert by_the_kit(recorded.frames, lens) == wanted


def test_what_is_exploited_and_what_is_likely_to_be_count_as_by_hand(recorded: Counted) -> None:
    days = ("", "2023-11-20", "2023-11-21", MATCHED_DAY)
    parts = COUNTED, (False, True), days, (False, True), (0.0, 0.001, 0.1)
    counted: Counter[tuple[bool, float]] = Counter()
    for way, fixable, day, exploited, epss in itertools.product(*parts):
        lens = Lens(way, fixable, known_by=day, exploited=exploited, epss=epss)
        wanted = {image: by_hand(raw, lens) for image, raw in recorded.raw.items()}
        assert by_the_kit(recorded.frames, lens) == wanted, lens.label
        counted[exploited, epss] += sum(map(sum, wanted.values()))
    assert all(counted.values()), "there is something to count"
    assert len(counted) == 6


@pytest.mark.parametrize("lens", lenses_with(OLD_DAY), ids=lambda lens: lens.label)
def test_reports_of_others_count_as_by_hand(others: Counted, lens: Lens) -> None:
    wanted = {image: by_hand(raw, lens) for image, raw in others.raw.items()}
    assert by_the_kit(others.frames, lens) == wanted


def test_a_report_of_what_those_do_not_have_counts_as_by_hand(made: Counted) -> None:
    for lens in lenses_with(BLOGS_DAY):
        wanted = {image: by_hand(raw, lens) for image, raw in made.raw.items()}
        assert by_the_kit(made.frames, lens) == wanted, lens.label


def test_what_is_fixable_and_where_it_sits_is_as_by_hand(recorded: Counted) -> None:
    split = fixes.split(recorded.frames.findings, recorded.frames.images, PLAIN)
    places = fixes.by_place(recorded.frames.findings, recorded.frames.images, PLAIN)
    keys = ["capture", "variant", "part"]
    count = pd.concat([split, places]).set_index(keys)["count"]
    for image, raw in recorded.raw.items():
        fixable = sum(by_hand(raw, Lens(fixable=True)))
        assert count[*image, "fixable"] == fixable
        assert count[*image, "unfixed"] == len(raw) - fixable
        for place in PLACES:
            assert count[*image, place] == sum(by_hand(raw, Lens(place=place)))


def test_what_nvd_rates_otherwise_is_as_by_hand(recorded: Counted) -> None:
    for (capture, variant), raw in recorded.raw.items():
        findings, images = (
            frame[frame["capture"].eq(capture) & frame["variant"].eq(variant)]
            for frame in (recorded.frames.findings, recorded.frames.images)
        )
        row = severity_scales.rerated(findings, images).iloc[0]
        ratings = run(RERATED, raw)
        assert row["findings"] == len(raw)
        for how in ("higher", "lower", "same", "unrated"):
            assert row[how] == ratings.count(how), (capture, variant, how)


def test_curves_of_growth_are_as_by_hand(recorded: Counted) -> None:
    table = growth.growth(recorded.frames.findings, recorded.frames.images, PLAIN)
    curves = dict(list(table.groupby(["capture", "variant"])))
    assert curves.keys() == recorded.raw.keys()
    for image, raw in recorded.raw.items():
        days = run(WORDS + DAYS, raw)
        for point in curves[image].itertuples():
            assert point.count == sum(day <= f"{point.day:%Y-%m-%d}" for day in days), image


def test_the_vulnerabilities_that_variants_share_are_as_by_hand(recorded: Counted) -> None:
    for capture in recorded.frames.images["capture"].unique():
        findings, images = (
            frame[frame["capture"].eq(capture)]
            for frame in (recorded.frames.findings, recorded.frames.images)
        )
        table = overlap.listing(findings, images, PLAIN).set_index("vulnerability_id")
        for variant in images["variant"]:
            has = table.index[table[variant].gt(0)]
            assert sorted(has) == run(IDS, recorded.raw[capture, variant])


def test_captures_count_what_trivy_counted_on_the_sboms(recorded: Counted, shared: Path) -> None:
    with (shared / "evidence" / "counts.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 12
    for row in rows:
        study, variant = SBOMS[row["sbom"]]
        image = f"{study} {DATABASES[row['database']]}", variant
        day = "" if row["filter"] == "none" else row["filter"].removeprefix("published <= ")
        found = recorded.frames.findings, recorded.frames.images
        counts = counting.severity_counts(*found, Lens(known_by=day))
        levels = counts.groupby(["capture", "variant"])["count"].get_group(image).tolist()
        distinct = by_the_kit(recorded.frames, Lens(VULNERABILITIES, known_by=day))[image]
        assert levels == [int(row[severity]) for severity in SEVERITIES], row
        assert sum(levels) == int(row["total"]), row
        assert sum(distinct) == int(row["distinct_ids"]), row
