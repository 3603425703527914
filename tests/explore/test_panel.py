"""The explore panel: what it shows is what a comparison answers, and widgets follow it."""

import asyncio
import gzip
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import Comparison, paths
from helpers.answers.chart_data import Bars
from helpers.errors import ParameterInvalid, StudyInvalid
from helpers.explore import left_out
from helpers.explore.panel import Panel
from helpers.explore.parts import Part
from helpers.explore.upload import Dropzone
from helpers.frames import SEVERITIES
from helpers.notebook import tables
from helpers.studies.load import load_study
from helpers.vulnerabilities import counting, once, overlap
from tests.conftest import Write, finding, trivy
from tests.scans.test_grype import match, report_of
from tests.support import series


@pytest.fixture
def panel() -> Panel:
    return Panel("blog-2022")


def totals(panel: Panel) -> dict[str, int]:
    """What the bars add up to, by variant."""
    chart = panel.answer.chart
    assert isinstance(chart, Bars)
    return {name: int(total) for (name, _), total in zip(chart.rows, chart.totals, strict=True)}


def variants(panel: Panel) -> list[str]:
    return panel.comparison.images["variant"].tolist()


def own(count: int, **fields: Any) -> bytes:
    report = trivy(*(finding(number) for number in range(count)), **fields)
    return json.dumps(report).encode()


def drop(panel: Panel, name: str, content: bytes, piece: int = 2**21) -> None:
    """What the browser sends when a file is dropped."""
    pieces = [content[at : at + piece] for at in range(0, len(content), piece)] or [b""]
    for place, part in enumerate(pieces):
        last = place == len(pieces) - 1
        told = {"id": name, "name": name, "first": place == 0, "last": last}
        panel.own.drop._handle_msg(
            {"content": {"data": {"method": "custom", "content": told}}, "buffers": [part]}
        )


def test_all_follows_what_is_chosen(panel: Panel) -> None:
    assert totals(panel) == {"nodejs-alpine": 48, "nodejs-distroless": 19}
    assert panel.picture.alt == "48 findings in nodejs-alpine, 19 in nodejs-distroless"
    before = panel.picture.png
    panel.choose.lens["counted"].value = once.VULNERABILITIES
    assert totals(panel) == {"nodejs-alpine": 25, "nodejs-distroless": 16}
    assert len(panel.findings) == 41
    panel.choose.variants.value = ("nodejs-distroless",)
    panel.choose.lens["severities"].value = ("CRITICAL",)
    assert totals(panel) == {"nodejs-distroless": 3}
    assert len(panel.findings) == 3
    assert panel.picture.png != before
    panel.choose.study.value = "rebuilt-2026"
    assert panel.choose.variants.value == tuple(load_study("rebuilt-2026").images["variant"])
    wanted = Comparison("rebuilt-2026").where(lens="vulnerabilities", severities=["CRITICAL"])
    assert panel.answer.chart == wanted.vulnerabilities.severity().chart


def test_no_severity_and_no_image_show_none(panel: Panel) -> None:
    panel.choose.lens["severities"].value = ()
    assert panel.findings.empty
    assert "no severity selected" in panel.comparison.lens.label
    panel.choose.lens["severities"].value = SEVERITIES
    panel.choose.variants.value = ()
    assert panel.findings.empty
    assert (panel.picture.png, panel.picture.alt) == (b"", "Choose an image.")
    panel.undo.click()
    assert len(panel.findings) == 67


def test_it_follows_at_once() -> None:
    panel = Panel("rebuilt-2026")
    panel.choose.lens["fixable"].value = True
    began = time.process_time()
    panel.choose.lens["counted"].value = once.VULNERABILITIES
    assert time.process_time() - began < 0.8, "a sixth of a second is usual"
    began = time.process_time()
    panel.picture.pressed = 0
    assert time.process_time() - began < 0.3, "no figure is drawn anew"


def test_of_several_quick_changes_the_last_is_drawn(panel: Panel) -> None:
    drawn: list[str] = []
    panel.picture.observe(lambda change: drawn.append(change["new"]), "alt")

    async def changes() -> None:
        for counted in (*once.COUNTED[1:], *once.COUNTED[:2]):
            panel.choose.lens["counted"].value = counted
            assert panel.picture.busy
        assert drawn == []
        while panel.picture.busy:
            await asyncio.sleep(0.01)

    asyncio.run(changes())
    assert len(drawn) == 1
    assert "vulnerabilities in nodejs-alpine" in drawn[0]
    assert not panel.picture.busy
    assert len(panel._history) == 1, "what was not drawn is no step to take back"


def test_a_reset_draws_once(panel: Panel) -> None:
    panel.show.value = "overlap"

    async def reset() -> None:
        panel.reset.click()
        assert not panel.picture.busy, "what is pressed next would be lost with a second picture"

    asyncio.run(reset())


def test_what_another_thread_chooses_meanwhile_is_not_set_back(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose() -> None:
        panel.show.value = "growth"

    offer, other = panel._offer, threading.Thread(target=choose)

    def offer_while_something_is_chosen(shown: list[Part]) -> None:
        offer(shown)
        if not other.ident:
            other.start()
            other.join(0.1)

    monkeypatch.setattr(panel, "_offer", offer_while_something_is_chosen)
    panel.show.value = "overlap"
    other.join()
    assert (panel.show.value, panel.choice.show) == ("growth", "growth")


def test_what_is_exploited_and_what_is_likely_to_be(panel: Panel) -> None:
    panel.choose.capture.value = "2026-11"
    panel.choose.lens["counted"].value = once.VULNERABILITIES
    panel.choose.lens["epss"].value = 0.1
    assert totals(panel) == {"nodejs-alpine": 8, "nodejs-distroless": 10}
    assert "EPSS of 2026-08-15 (v2026.06.15), 92 of 92 ids scored" in panel.answer.footer
    panel.choose.lens["exploited"].value = True
    assert totals(panel) == {"nodejs-alpine": 0, "nodejs-distroless": 1}
    assert panel.findings["vulnerability_id"].tolist() == ["CVE-2023-4911"]
    assert panel._named.endswith("_exploited_epss-0.1")
    panel.choose.study.value = "matched-2026"
    assert (panel.choose.lens["exploited"].value, panel.choose.lens["epss"].value) == (True, 0.1)
    panel.undo.click()
    panel.undo.click()
    assert not panel.choose.lens["exploited"].value


def test_without_evidence_of_exploitation_that_is_said_and_nothing_is_lost(data: Path) -> None:
    paths.exploitation("blog-2022", "2022-02").unlink()
    panel = Panel("blog-2022")
    for widget, value in ((panel.choose.lens["exploited"], True), (panel.choose.lens["epss"], 0.1)):
        before = widget.value
        widget.value = value
        assert "nodejs-alpine, capture 2022-02" in panel.errors.value
        assert "python -m helpers risk STUDY" in panel.errors.value
        assert widget.value == before
        assert totals(panel) == {"nodejs-alpine": 48, "nodejs-distroless": 19}
    panel.choose.capture.value = "2026-11"
    panel.choose.lens["exploited"].value = True
    assert totals(panel) == {"nodejs-alpine": 0, "nodejs-distroless": 1}
    drop(panel, "mine.json", own(5))
    assert "mine, capture" in panel.errors.value
    assert totals(panel) == {"nodejs-alpine": 0, "nodejs-distroless": 1}
    panel.choose.lens["exploited"].value = False
    assert totals(panel)["mine"] == 5


def test_images_of_other_studies_stand_beside_and_are_marked(panel: Panel) -> None:
    panel.choose.beside.value = ("matched-2026/2026-11",)
    assert len(variants(panel)) == 5
    assert "DIFFERENT scanners or databases" in panel.marks.value
    assert "study blog-2022 + matched-2026" in panel.answer.footer
    assert "capture 2022-02 + 2026-11" in panel.answer.subtitle
    panel.choose.capture.value = "2026-11"
    assert "DIFFERENT" not in panel.marks.value, "one database"
    panel.choose.variants.value = ("nodejs-alpine", "node-24-alpine")
    panel.choose.beside.value = ("matched-2026/2026-11", "rebuilt-2026/2026-11-24")
    assert "node-24-debian" in variants(panel), "what comes in addition is looked at"
    assert "nodejs-distroless" not in variants(panel)
    assert "rebuilt-2026-node-24-alpine" in variants(panel), "names are told apart"


def test_a_pressed_part_filters_the_table_and_a_chosen_one_is_pressed(panel: Panel) -> None:
    labels = [part["label"] for part in panel.picture.parts]
    high = labels.index("nodejs-alpine HIGH: 31")
    panel.picture.pressed = high
    assert len(panel.findings) == 31
    assert panel.table.part.value == high
    low = labels.index("nodejs-distroless LOW: 12")
    panel.table.part.value = low
    assert panel.picture.pressed == low
    assert set(panel.findings["severity"]) == {"LOW"}
    panel.table.clear.click()
    assert panel.picture.pressed == -1
    assert len(panel.findings) == 67
    panel.picture.pressed = high
    panel.choose.lens["fixable"].value = True
    assert panel.picture.pressed == -1, "other parts are drawn"
    assert len(panel.findings) == 48


def test_changes_are_taken_back_one_by_one_and_all_at_once(panel: Panel) -> None:
    assert panel.undo.disabled
    assert panel.reset.disabled
    panel.choose.lens["counted"].value = once.VULNERABILITIES
    panel.show.value = "overlap"
    panel.choose.lens["package"].value = "ssl"
    panel.choose.study.value = "rebuilt-2026"
    panel.undo.click()
    assert (panel.choice.study, panel.choose.lens["package"].value) == ("blog-2022", "ssl")
    panel.undo.click()
    assert panel.choose.lens["package"].value == ""
    assert panel.show.value == "overlap"
    panel.reset.click()
    assert panel.choice == Panel("blog-2022").choice
    assert totals(panel) == {"nodejs-alpine": 48, "nodejs-distroless": 19}
    panel.undo.click()
    assert panel.show.value == "overlap", "a reset is taken back like any other step"
    panel.undo.click()
    panel.undo.click()
    assert panel.undo.disabled


VIEWS = [
    "",
    "capture=2026-11&count=vulnerabilities&fixable=1&severities=HIGH,CRITICAL&package=ssl",
    "capture=2026-11&beside=matched-2026/2026-11&images=nodejs-alpine,node-24-slim&show=overlap",
    "capture=2026-11&known_by=2024-01-01&place=os&rated_by=nvd&show=growth",
    "beside=rebuilt-2026/2026-11-24&images=",
    "capture=2026-11&exploited=1&epss=0.123456789&suppressed=1",
    "capture=2026-11&exploited=1&show=growth",
]


@pytest.mark.parametrize("view", VIEWS)
def test_copied_code_makes_the_same_figure_and_numbers(view: str) -> None:
    panel = Panel("blog-2022", view=view)
    if panel.picture.parts:
        panel.picture.pressed = len(panel.picture.parts) - 1
    names: dict[str, Any] = {}
    *lines, last = panel.code.splitlines()
    exec("\n".join(lines), names)
    answer = eval(last, names)
    assert answer.chart == panel.answer.chart
    assert (answer.title, answer.footer) == (panel.answer.title, panel.answer.footer)
    assert set(names["findings"].index) == set(panel.findings.index)
    assert len(names["findings"]) == len(panel.findings)


@pytest.mark.parametrize("view", VIEWS)
def test_copied_parameters_open_the_same_view(view: str) -> None:
    panel = Panel("blog-2022", view=view)
    names: dict[str, Any] = {}
    exec(panel.parameters, names)
    again = Panel(names["study"], names["language"], names["theme"], names["view"])
    assert again.choice == panel.choice
    assert again.picture.png == panel.picture.png


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        ("fixable=yes", "view: fixable 'yes' must be 0 or 1"),
        ("exploited=yes", "view: exploited 'yes' must be 0 or 1"),
        ("suppressed=", "view: suppressed '' must be 0 or 1"),
        ("epss=high", "view: epss 'high' is not a number"),
        ("epss=2", "epss 2.0 is not a probability"),
        ("colour=red", "view: 'colour' is not one of capture, beside"),
        ("capture", "is not key=value"),
        ("show=table", "show 'table' is not one of severity, overlap, growth"),
        ("severities=BAD", "severities 'BAD' is not one of UNKNOWN"),
        ("known_by=yesterday", "'yesterday' is not a date"),
    ],
)
def test_a_view_that_says_something_else_is_refused(view: str, problem: str) -> None:
    with pytest.raises(ParameterInvalid, match=problem):
        Panel("blog-2022", view=view)


def test_a_rise_leaves_what_was_published_then_whatever_the_day_of_the_lens() -> None:
    panel = Panel("matched-2026", view="show=growth&count=vulnerabilities")
    for number, part in enumerate(panel.picture.parts):
        panel.picture.pressed = number
        assert part["label"].endswith(f": {len(panel.findings)}")


def test_an_image_of_a_view_that_is_gone_is_named() -> None:
    panel = Panel("blog-2022", view="images=nodejs-alpine,mine")
    assert "image &#x27;mine&#x27; is not here" in panel.errors.value
    assert variants(panel) == ["nodejs-alpine"]


def test_files_are_named_after_what_they_show_and_hold_it(panel: Panel) -> None:
    sent: list[tuple[dict[str, str], bytes]] = []
    panel.keep.send = lambda message, buffers: sent.append((message, buffers[0]))
    panel.choose.lens["package"].value = "../ssl/<b>"
    file = panel._file("csv")
    assert file
    assert file.name == "blog-2022_2022-02_findings_ssl-b.severity.csv"
    panel.show.value = "overlap"
    assert panel._file("png") is None, "no finding is of that package, so there is no picture"
    panel.show.value = "severity"
    panel.choose.lens["fixable"].value = True
    panel.choose.lens["package"].value = "ssl"
    for kind in ("png", "svg", "csv"):
        panel.keep._handle_msg(
            {"content": {"data": {"method": "custom", "content": {"kind": kind}}}, "buffers": []}
        )
    name = "blog-2022_2022-02_findings_fixable_ssl.severity"
    assert [message["name"] for message, _ in sent] == [
        f"{name}.{k}" for k in ("png", "svg", "csv")
    ]
    assert sent[0][1].startswith(b"\x89PNG")
    assert b"nodejs-alpine" in sent[1][1]
    table = pd.read_csv(pd.io.common.BytesIO(sent[2][1]))
    assert table["count"].tolist() == panel.answer.table["count"].tolist()


def test_a_report_that_is_dropped_joins_and_is_marked(panel: Panel) -> None:
    drop(panel, "mine.json", own(5), piece=100)
    assert totals(panel) == {"nodejs-alpine": 48, "nodejs-distroless": 19, "mine": 5}
    assert "mine" in overlap.variants(panel.comparison.listing)
    assert "DIFFERENT scanners or databases" in panel.marks.value
    drop(panel, "theirs.json", json.dumps(report_of(match(1), match(2))).encode())
    assert variants(panel)[-2:] == ["mine", "theirs"]
    assert panel.comparison.images["scanner"].tolist()[-1] == "grype"
    panel.choose.study.value = "rebuilt-2026"
    assert variants(panel)[-2:] == ["mine", "theirs"], "they stay"
    panel.own.forget.click()
    assert variants(panel) == load_study("rebuilt-2026").images["variant"].tolist()


def test_a_dropped_file_is_private_and_gone(tmp_path: Path) -> None:
    seen: list[tuple[str, Path, bytes, int]] = []

    def taken(name: str, file: Path) -> None:
        seen.append((name, file, file.read_bytes(), file.parent.stat().st_mode & 0o777))

    zone = Dropzone("here", taken)
    for told, piece in (
        ({"id": "1", "name": "../../etc/a", "first": True, "last": False}, b"one"),
        ({"id": "2", "name": "b", "first": True, "last": True}, b"two"),
        ({"id": "1", "name": "../../etc/a", "first": False, "last": True}, b"more"),
        ({"id": "gone", "name": "c", "first": False, "last": True}, b"late"),
    ):
        content = {"content": {"data": {"method": "custom", "content": told}}, "buffers": [piece]}
        zone._handle_msg(content)
    assert [(name, content) for name, _, content, _ in seen] == [
        ("b", b"two"),
        ("../../etc/a", b"onemore"),
    ]
    for _, file, _, mode in seen:
        assert mode == 0o700
        assert not file.exists()
        assert file.name.endswith(".part")
        assert "etc" not in str(file)


NO_REPORTS = (
    b"hello",
    b"\0" * 1000,
    b"\x89PNG\r\n\x1a\n" + b"x" * 100,
    b"PK\x03\x04" + b"\0" * 100,
    b'{"SchemaVersion": 2, "ArtifactName": "caf\xe9"}',
    b'{"Results":' + b"[" * 100_000,
    b'{"matches": [], "descriptor": {"name": "\\u001b"}}',
    b'{"SchemaVersion":' + b"9" * 5_000 + b"}",
    gzip.compress(b"{}")[:20],
    gzip.compress(gzip.compress(b"{}")),
    gzip.compress(b" " * 200_000_000, 1),
    json.dumps(trivy(finding(), matches=[])).encode(),
)


def test_a_file_that_is_no_report_is_told_and_nothing_else_happens(panel: Panel) -> None:
    for content in NO_REPORTS:
        panel.errors.value = ""
        drop(panel, "<b>\x1b/../x", content)
        assert panel.errors.value.startswith('<div role="alert"'), content[:40]
        assert "<b>" not in panel.errors.value
        assert "\x1b" not in panel.errors.value
    drop(panel, "good", json.dumps(trivy(finding())).encode())
    assert list(totals(panel)) == ["nodejs-alpine", "nodejs-distroless", "good"]


def test_a_path_that_leads_nowhere_is_told(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Nobody ever writes into it.
    os.mkfifo("pipe")
    for path in ("~nobody-of-this-name/x.json", "a\0b", "/", "x" * 5_000, "/dev/zero", "pipe"):
        panel.errors.value = ""
        panel.own.path.value = path
        assert panel.errors.value.startswith('<div role="alert"'), path[:40]


def test_a_hostile_report_is_inert(panel: Panel) -> None:
    script = "<script>alert(1)</script>"
    hostile = {
        "PkgName": f"=cmd|' /C calc'!A0{script}",
        "InstalledVersion": "<img src=x onerror=alert(1)>",
        "Title": script,
        "VulnerabilityID": "CVE-1</table><script>alert(1)</script>",
        "FixedVersion": "+1\u202e$x$",
    }
    report = trivy(finding(1, **hostile), ArtifactName=script)
    report["Metadata"]["OS"] = {"Family": script, "Name": "<b>"}
    drop(panel, f"{script}.json", json.dumps(report).encode())
    variant = variants(panel)[-1]
    labels = [label for label, _ in panel.table.part.options]
    panel.table.part.value = labels.index(f"{variant} HIGH: 1") - 1
    markup = [panel.errors.value, panel.about.value, panel.table.plain()]
    sent = json.loads(panel.table.table._dt_args["data_json"])
    assert len(sent) == 1
    markup += [cell for cell in sent[0] if isinstance(cell, str)]
    for text in markup:
        assert "<script" not in text.lower()
        assert "<img" not in text.lower()
    assert any(
        str(cell).startswith("&#x27;=cmd") or str(cell).startswith("'=cmd") for cell in sent[0]
    )
    assert any("'+1" in str(cell) or "&#x27;+1" in str(cell) for cell in sent[0])


def test_where_no_widget_can_be_the_picture_and_a_plain_table_are_shown(panel: Panel) -> None:
    data = panel._repr_mimebundle_()
    assert data["text/plain"] == panel.picture.alt
    shown = data["text/html"]
    assert 'src="data:image/png;base64,iVBOR' in shown
    assert "50 of 67 rows" in shown
    assert (
        tables.to_html(counting.overview(panel.comparison.images).drop(columns="capture")) in shown
    )


def test_a_study_that_is_not_there_or_has_no_capture_is_refused() -> None:
    with pytest.raises(StudyInvalid, match="did you mean"):
        Panel("blog-2023")
    with pytest.raises(StudyInvalid, match="has no capture yet"):
        Panel("today")


def test_a_study_that_spoils_while_one_looks_says_so_and_nothing_is_lost(data: Path) -> None:
    panel = Panel("blog-2022")
    (data / "studies/matched-2026/study.toml").write_text("title = ")
    panel.choose.study.value = "matched-2026"
    assert "study.toml" in panel.errors.value
    assert totals(panel) == {"nodejs-alpine": 48, "nodejs-distroless": 19}
    assert panel.choose.study.value == "blog-2022"


def test_what_has_no_date_is_said_where_counting_is_by_one(write: Write) -> None:
    dated = finding(1, PublishedDate="2021-01-01T00:00:00Z")
    report = write(json.dumps(trivy(dated, finding(2), finding(3))).encode(), "app.json")
    app = Comparison("blog-2022", mixed=True).with_images(report).only("app")

    def said(compared: Comparison, is_curve: bool = False) -> list[str]:
        return list(left_out.notes(compared, is_curve))

    by_day = app.where(known_by="2022-01-01")
    assert len(by_day.counted_findings) == 1
    assert said(by_day) == ["not counted, no date: app 2"]
    fixable = app.where(fixable=True, known_by="2022-01-01")
    assert said(fixable) == [], "the lens would not count them with a date either"
    assert said(app.where(known_by="2022-01-01", severities=["CRITICAL"])) == []
    assert said(app) == []
    assert said(Comparison("blog-2022"), is_curve=True) == [
        "not on the curve, no date or newer than the database: nodejs-distroless 4"
    ]


def test_the_table_says_of_each_finding_what_is_known_of_it_if_anything_is(
    panel: Panel, data: Path
) -> None:
    assert "<th" in panel.table.plain()
    assert "EPSS</th>" in panel.table.plain()
    assert "in KEV since" not in panel.table.plain(), "nothing of 2022 was in it"
    panel.choose.capture.value = "2026-11"
    assert "in KEV since</th>" in panel.table.plain()
    assert "suppressed" not in panel.table.plain()
    paths.exploitation("blog-2022", "2022-02").unlink()
    assert "EPSS" not in Panel("blog-2022").table.plain()


def test_of_many_captures_a_slider_finds_one(empty_data: Path) -> None:
    names = series.make(empty_data, 40, 2).captures
    panel = Panel("series")
    shown = panel.choose.capture, panel.choose.day
    assert [widget.layout.display for widget in shown] == ["none", None]
    assert panel.choose.day.value == names[-1]
    assert len(panel.choose.beside.options) == 12
    panel.choose.day.value = names[5]
    assert panel.comparison.capture == names[5]
    panel.undo.click()
    assert panel.choose.day.value == panel.comparison.capture == names[-1]
    view = Panel("series", view=f"capture={names[7]}&beside=series/{names[9]}")
    assert view.choose.day.value == names[7]
    assert view.choose.beside.value == (f"series/{names[9]}",)
