"""What the gate prints: an example, nothing of a report as markup, and no more than fits."""

import gzip
import json
import re
import time

import jsonschema
import mistune
import msgspec
import pytest

from helpers.gate import fail_on, judgement, markdown, record, sarif, table
from helpers.gate.pair import Pair
from helpers.text.i18n import columns
from tests.conftest import finding
from tests.gate.conftest import LODASH, listing, with_app
from tests.support import gate_example
from tests.support.gate_example import HOSTILE, after, before, judged, loaded
from tests.support.hostile import PAYLOADS

SCHEMA = json.loads(
    gzip.decompress((gate_example.FOLDER / "sarif-schema-2.1.0.json.gz").read_bytes())
)
"""The schema of the standard, as OASIS publishes it:
https://github.com/oasis-tcs/sarif-spec/blob/main/Schemata/sarif-schema-2.1.0.json"""


@pytest.mark.parametrize("name", list(gate_example.FORMS))
def test_the_example_is_told_as_recorded(name: str) -> None:
    recorded = (gate_example.FOLDER / f"gate.{name}").read_text()
    found = gate_example.texts()[f"gate.{name}"]
    assert found == recorded, "python -m tests.support.gate_example renews it"


def validated(text: str) -> dict:
    log = json.loads(text)
    checker = jsonschema.Draft7Validator.FORMAT_CHECKER
    jsonschema.Draft7Validator(SCHEMA, format_checker=checker).validate(log)
    return log["runs"][0]


def test_sarif_is_valid_and_says_the_severity_by_which_was_decided() -> None:
    run = validated(sarif.text([judged(before(), after())]))
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (place,) = result["locations"]
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\w%./-]+", uri)
        assert not uri.startswith("/")
        assert ".." not in uri
    scores = {rule["id"]: rule["properties"]["security-severity"] for rule in rules}
    assert scores["CVE-2024-0005"] == "7.5"
    assert scores["CVE-2024-0008"] == "9.5"
    assert scores["CVE-2024-0009"] == "2.0"
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(prints)) == 4


def test_sarif_of_nothing_and_of_what_has_no_severity_is_valid() -> None:
    assert validated(sarif.text([judged(listing(), listing())]))["results"] == []
    odd = finding(Severity="", VulnerabilityID="", FixedVersion="1")
    run = validated(sarif.text([judged(listing(packages="a 1"), listing(odd))]))
    (rule,) = run["tool"]["driver"]["rules"]
    assert "security-severity" not in rule["properties"]


def test_only_what_fails_is_an_error_in_sarif() -> None:
    given = loaded(before(), after())
    for rules in (gate_example.RULES, ()):
        found = judgement.judge(given, rules)
        levels = [each["level"] for each in validated(sarif.text([found]))["results"]]
        assert levels.count("error") == len(found.failing)
        assert set(levels) - {"error"} == {"warning", "note"} - ({"warning"} if rules else set())


def test_what_no_rule_by_severity_catches_is_said() -> None:
    odd = loaded(listing(packages="a 1"), listing(finding(Severity="UNKNOWN"), finding(2)))
    for rule, is_said in (("severity>=high", True), ("fixable", False)):
        notes = judgement.judge(odd, fail_on.parse([rule])).notes
        assert any("1 of 2 findings" in note.text for note in notes) is is_said


@pytest.mark.parametrize(
    ("count", "rule", "line"),
    [
        (0, "fixable", "PASS (rule: fixable). Failing: 0; brought by the image: 0"),
        (1, "", "PASS (rule: none). Failing: 0; brought by the image: 1"),
        (1, "severity>=low", "FAIL (rule: severity>=low). Failing: 1; brought by the image: 1"),
    ],
)
def test_the_headline_counts_what_fails_and_what_came(count: int, rule: str, line: str) -> None:
    given = loaded(listing(packages="a 1"), listing(*map(finding, range(count))))
    assert judgement.headline(judgement.judge(given, fail_on.parse([rule] if rule else []))) == line


def test_json_is_of_its_shape_and_adds_up() -> None:
    text = record.text([judged(before(), after())])
    found = msgspec.json.decode(text, type=record.Record, strict=True)
    (image,) = found.images
    assert (found.version, found.verdict, image.failing) == (1, "fail", 3)
    went = image.counts["removed"] + image.counts["withdrawn"] + image.counts["declared-harmless"]
    assert image.before.total == went + image.counts["unchanged"]
    assert [each.vulnerability_id for each in image.findings if each.package == HOSTILE][
        1
    ] == HOSTILE


def html(text: str) -> str:
    return mistune.create_markdown(plugins=["table", "url", "strikethrough"])(text)


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        *("<script>alert(1)</script>", "@octocat", "#1", "a@b.example", "https://e.example", "`"),
        *("``x", "a\\|b", "</details>", "[x](javascript:1)", "![x](http://e.example)", "a\n\n# b"),
        *("| a |", "\\", "*b*", "~~s~~", "--- ", "\u202egpj.exe", "&lt;", "GH-1", " ", "w" * 500),
        "a\\|**b**\\\\|c",
        *PAYLOADS[13::3],
    ],
)
def test_nothing_of_a_report_is_markup(text: str) -> None:
    packages = "zlib 1"
    where = {"PkgName": text, "VulnerabilityID": text, "InstalledVersion": text, "PkgPath": text}
    report = listing(finding(**where, FixedVersion=text), packages=packages)
    first = loaded(listing(packages=packages), listing(packages=packages))
    found = judged(listing(packages=packages), report)
    sides = (side._replace(label=text) for side in found.pair.sides.values())
    found = found._replace(pair=Pair(text, *sides))
    told = markdown.text([found, found._replace(pair=first)])
    shown = html(told)
    # What stands in code is text: neither GitHub nor a browser looks for anything in it.
    outside = re.sub(r"<code>[^<]*</code>", "", shown)
    assert text.strip() not in ("", "\\", "`") or "<code>" in shown
    for sign in ("@", "<img", "<script", "<a ", "javascript", "octocat", "e.example", "<del>"):
        assert sign not in outside, sign
    for row in re.findall(r"^\| (?:HIGH|MEDIUM) .*", told, re.MULTILINE):
        # GitHub reads a backslash and what follows it first, then bars.
        assert len(re.findall(r"(?:\\.|[^|\\])+", row.strip("|"))) == 7
    for row in re.findall(r"<tr>(.*?)</tr>", shown, re.DOTALL):
        assert len(re.findall(r"<t[hd]", row)) == 7
    assert told.count("<details>") == told.count("\n</details>")
    assert "\x1b" not in told + table.text([found])


@pytest.mark.slow
def test_many_findings_fit_into_a_comment_a_table_and_code_scanning() -> None:
    many = [
        finding(n, PkgName=f"package-{n}-{'x' * 80}", FixedVersion="2" * 60, PkgPath=f"{n}/" * 50)
        for n in range(50_000)
    ]
    given = loaded(listing(packages="zlib 1"), listing(*many))
    begin = time.process_time()
    found = gate_example.judgement.judge(given, gate_example.RULES)
    comment, short, log = markdown.text([found]), table.text([found]), sarif.text([found])
    assert time.process_time() - begin < 20
    assert len(comment) < markdown.LIMIT
    assert len(comment) > markdown.LIMIT / 3
    rows = len(re.findall(r"^\| HIGH", comment, re.MULTILINE))
    assert f"… and {50_000 - rows:,} more" in comment
    assert len(short.splitlines()) < 40
    assert max(map(columns, short.splitlines())) <= 100
    (run,) = json.loads(log)["runs"]
    assert len(run["results"]) == sarif.MOST
    (left,) = run["invocations"][0]["toolExecutionNotifications"]
    assert left["message"]["text"].startswith("Left out: 45,000 findings")


def test_many_images_fit_and_those_that_fail_come_first() -> None:
    bad = judged(before(), after())
    good = judged(before(), before())
    named = [
        each._replace(pair=each.pair._replace(name=f"app-{n}"))
        for n, each in enumerate([good] * 300 + [bad] * 200)
    ]
    comment, short = markdown.text(named), table.text(named)
    assert len(comment) < markdown.LIMIT
    assert comment.startswith(
        "**FAIL (rule: fixable and severity>=high). Failing images: 200 of 500**\n"
    )
    assert comment.index("`app-300`") < 1000
    shown = comment.count("\n### ") + comment.startswith("### ")
    assert f"{500 - shown:,} more images" in comment
    assert short.startswith("app-300: FAIL")
    assert "… and 480 more images" in short


def test_what_a_report_says_is_inert_in_a_note() -> None:
    after = with_app(listing(), LODASH)
    hidden = after["Results"][1].pop("Vulnerabilities")[0]
    ignored = {"Type": "vulnerability", "Status": "ignored", "Source": HOSTILE}
    after["Results"][1]["ExperimentalModifiedFindings"] = [{**ignored, "Finding": hidden}]
    found = judged(listing(), after)
    assert "suppressed" in {note.code for note in found.notes}
    (line,) = (line for line in markdown.text([found]).splitlines() if "but suppressed by" in line)
    shown = str(mistune.html(line))
    assert not {tag for tag in ("<a ", "<img", "<strong>") if tag in shown}
    assert "@team" in shown
    assert "@team" not in re.sub(r"<code>.*?</code>", "", shown)
