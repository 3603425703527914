"""Explore: what a choice leaves is what the kit's own functions count, and widgets follow it."""

import base64
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import ParameterInvalid, ReportInvalid, StudyInvalid
from helpers.explore import selection, upload
from helpers.explore.panel import Panel
from helpers.explore.selection import Choice
from helpers.explore.upload import Dropzone
from helpers.frames import SEVERITIES, Frames
from helpers.notebook import tables
from helpers.studies.load import load_reports, load_study
from helpers.text import i18n
from helpers.vulnerabilities import counting, growth, lenses, overlap
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import Write, finding, missing_image, trivy
from tests.scans.test_grype import match, report_of

LENSES = [
    Lens(),
    Lens("vulnerabilities"),
    Lens("vulnerability-packages", fixable=True),
    Lens(severity="nvd", place="os"),
    Lens("vulnerabilities", known_by="2021-06-30"),
]


@pytest.fixture(scope="module", params=["blog-2022", "rebuilt-2026"])
def frames(request: pytest.FixtureRequest) -> Frames:
    return load_study(request.param)


@pytest.fixture
def panel() -> Panel:
    return Panel("blog-2022")


def totals(panel: Panel) -> dict[str, int]:
    """What the bars add up to, by variant."""
    found: dict[str, int] = {}
    for bar in panel.breakdown.bars:
        found[bar["variant"]] = found.get(bar["variant"], 0) + bar["number"]
    return found


def own(count: int, **fields: Any) -> bytes:
    report = trivy(*(finding(number) for number in range(count)), **fields)
    return json.dumps(report).encode()


def drop(panel: Panel, name: str, content: bytes, piece: int = 2**21) -> None:
    """What the browser sends when a file is dropped."""
    pieces = [content[at : at + piece] for at in range(0, len(content), piece)] or [b""]
    for place, part in enumerate(pieces):
        last = place == len(pieces) - 1
        told = {"id": name, "name": name, "first": place == 0, "last": last}
        panel.drop._handle_msg(
            {"content": {"data": {"method": "custom", "content": told}}, "buffers": [part]}
        )


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: lens.label)
def test_a_lens_shows_what_the_kit_counts_under_it(frames: Frames, lens: Lens) -> None:
    seen = selection.view(frames, Choice(lens=lens))
    findings, images = frames.findings, frames.images
    assert seen.counts.equals(counting.severity_counts(findings, images, lens))
    assert seen.listing.equals(overlap.listing(findings, images, lens))
    assert seen.curve.equals(growth.growth(findings, images, lens))
    assert len(seen.rows) == seen.counts["count"].sum()


def test_severities_are_chosen_as_the_lens_has_them(frames: Frames) -> None:
    for lens in LENSES:
        every = selection.view(frames, Choice(lens=lens))
        seen = selection.view(frames, Choice(lens=lens, severities=("HIGH", "LOW")))
        chosen = every.counts["severity"].isin(["HIGH", "LOW"])
        assert seen.counts["count"].equals(every.counts["count"].where(chosen, 0))
        assert set(seen.rows["severity"]) <= {"HIGH", "LOW"}
        assert set(seen.listing["severity"]) <= {"HIGH", "LOW"}


def test_a_vulnerability_is_not_one_variants_alone_because_another_rates_it_lower(
    frames_of: Callable[..., Frames],
) -> None:
    loaded = frames_of(one=trivy(finding(1)), two=trivy(finding(1, Severity="LOW")))
    seen = selection.view(loaded, Choice(severities=("HIGH",)))
    assert seen.listing["variants"].tolist() == ["one + two"]
    assert counting.totals(seen.counts)["total"].tolist() == [1, 0]


def test_the_curve_ends_where_the_bars_do_whatever_severities_are_chosen(frames: Frames) -> None:
    for severities in ((), ("CRITICAL", "HIGH"), ("LOW",)):
        seen = selection.view(frames, Choice(lens=Lens("vulnerabilities"), severities=severities))
        dated = seen.rows[seen.rows["published_at"].notna()]
        for variant, curve in seen.curve.groupby("variant"):
            assert curve["count"].iloc[-1] == dated["variant"].eq(variant).sum()


def test_a_package_is_found_by_a_part_of_its_name_or_its_sources(blog: Frames) -> None:
    seen = selection.view(blog, Choice(package="SSL"))
    found = blog.findings
    names = found["package"].str.contains("ssl") | found["source_package"].str.contains("ssl")
    assert len(seen.rows) == names.sum() > 0
    assert "libcrypto1.1" in set(seen.rows["package"]), "its source is openssl"
    assert selection.view(blog, Choice(package=".*")).rows.empty, "it is no pattern"


def test_variants_are_chosen_and_none_is_all(blog: Frames) -> None:
    seen = selection.view(blog, Choice(("nodejs-alpine",)))
    assert counting.totals(seen.counts)["total"].tolist() == [48]
    assert overlap.variants(seen.listing) == ["nodejs-alpine"]
    assert counting.totals(selection.view(blog, Choice()).counts)["total"].tolist() == [48, 19]


def test_what_was_not_measured_is_not_zero(frames_of: Callable[..., Frames]) -> None:
    loaded = frames_of(app=trivy(finding()))
    loaded = loaded._replace(images=missing_image(loaded.images, "secrets"))
    seen = selection.view(loaded, Choice(severities=("HIGH",)))
    assert "secrets not measured" in seen.title


def test_what_is_counted_is_said_in_full(blog: Frames) -> None:
    choice = Choice(lens=Lens(fixable=True), severities=("HIGH", "CRITICAL"), package="ssl")
    label = "fixable findings, only CRITICAL, HIGH, in packages with “ssl” in their name"
    assert choice.label == label
    assert selection.view(blog, choice).title.startswith(
        "Fixable findings, as chosen: nodejs-alpine"
    )
    assert Choice().label == "findings"
    assert "\\u202e" in Choice(package="a\u202eb").label


def test_a_lens_that_there_is_not_is_refused(blog: Frames) -> None:
    with pytest.raises(ParameterInvalid):
        selection.view(blog, Choice(lens=Lens("risks")))


def test_a_bars_rows(blog: Frames) -> None:
    rows = selection.view(blog, Choice()).rows
    assert len(selection.picked(rows, "nodejs-alpine", "HIGH")) == 31
    assert len(selection.picked(rows, "nodejs-alpine")) == 48
    assert len(selection.picked(rows, severity="CRITICAL")) == 6
    assert len(selection.picked(rows)) == 67


def test_all_follows_what_is_chosen(panel: Panel) -> None:
    assert totals(panel) == {"nodejs-alpine": 48, "nodejs-distroless": 19}
    assert panel.breakdown.alt == "Findings: nodejs-alpine 48, nodejs-distroless 19"
    before = [part.png for part in (panel.breakdown, panel.overlap, panel.growth)]
    panel.choose.counted.value = lenses.VULNERABILITIES
    assert totals(panel) == {"nodejs-alpine": 25, "nodejs-distroless": 16}
    assert len(panel.table.rows) == 41
    panel.choose.variants.value = ("nodejs-distroless",)
    panel.choose.severities.value = ("CRITICAL",)
    assert totals(panel) == {"nodejs-distroless": 3}
    assert len(panel.table.rows) == 3
    after = [part.png for part in (panel.breakdown, panel.overlap, panel.growth)]
    assert all(one != other for one, other in zip(before, after, strict=True))
    panel.choose.study.value = "rebuilt-2026"
    loaded = load_study("rebuilt-2026")
    assert panel.choose.variants.value == tuple(loaded.images["variant"])
    wanted = selection.view(loaded, Choice(lens=Lens("vulnerabilities"), severities=("CRITICAL",)))
    assert panel.view.counts.equals(wanted.counts)


def test_it_follows_at_once() -> None:
    panel = Panel("rebuilt-2026")
    began = time.process_time()
    panel.choose.counted.value = lenses.VULNERABILITIES
    assert time.process_time() - began < 1.5, "half a second is usual"
    began = time.process_time()
    panel.breakdown.pressed = [panel.breakdown.bars[0][name] for name in ("variant", "severity")]
    assert time.process_time() - began < 0.3, "no figure is drawn anew"


def test_another_capture_and_a_day(panel: Panel) -> None:
    panel.choose.capture.value = "2026-11"
    assert totals(panel) == {"nodejs-alpine": 49, "nodejs-distroless": 107}
    panel.choose.study.value = "matched-2026"
    assert str(panel.choose.known_by.value) == "2026-08-31", "the study's own day"
    assert panel.choose.choice.lens.known_by == "2026-08-31"


def test_a_pressed_bar_filters_the_table_and_a_chosen_one_is_pressed(panel: Panel) -> None:
    panel.breakdown.pressed = ["nodejs-alpine", "HIGH"]
    assert len(panel.table.rows) == 31
    assert panel.table.bar.value == ("nodejs-alpine", "HIGH")
    panel.table.bar.value = ("nodejs-distroless", "LOW")
    assert panel.breakdown.pressed == ["nodejs-distroless", "LOW"]
    assert set(panel.table.rows["severity"]) == {"LOW"}
    panel.table.clear.click()
    assert panel.breakdown.pressed == []
    assert len(panel.table.rows) == 67
    panel.breakdown.pressed = ["nodejs-alpine", "HIGH"]
    panel.choose.fixable.value = True
    assert panel.breakdown.pressed == [], "other bars are drawn"
    assert len(panel.table.rows) == 48


def test_a_report_that_is_dropped_joins_and_is_marked(panel: Panel) -> None:
    drop(panel, "mine.json", own(5), piece=100)
    assert totals(panel) == {"nodejs-alpine": 48, "nodejs-distroless": 19, "mine": 5}
    assert "mine" in overlap.variants(panel.view.listing)
    assert "DIFFERENT scanners or databases" in panel.marks.value
    drop(panel, "theirs.json", json.dumps(report_of(match(1), match(2))).encode())
    assert panel.view.images["variant"].tolist()[-2:] == ["mine", "theirs"]
    assert panel.view.images["scanner"].tolist()[-1] == "grype"
    counts = counting.severity_counts(panel.frames.findings, panel.frames.images)
    assert panel.view.counts.equals(counts)
    panel.choose.study.value = "rebuilt-2026"
    assert panel.view.images["variant"].tolist()[-2:] == ["mine", "theirs"], "they stay"
    panel.forget.click()
    assert (
        panel.view.images["variant"].tolist()
        == load_study("rebuilt-2026").images["variant"].tolist()
    )


def test_a_report_joins_those_that_are_chosen(panel: Panel) -> None:
    panel.choose.variants.value = ("nodejs-alpine",)
    drop(panel, "mine.json", own(5))
    assert totals(panel) == {"nodejs-alpine": 48, "mine": 5}


def test_gzipped_reports_and_reports_of_one_name(panel: Panel) -> None:
    drop(panel, "app.json.gz", gzip.compress(own(2)))
    drop(panel, "app.json", own(3))
    drop(panel, "nodejs-alpine.json", own(4))
    own_names = ["app", "app-2", "nodejs-alpine-2"]
    assert panel.view.images["variant"].tolist()[2:] == own_names
    found = totals(panel)
    assert [found[name] for name in ["nodejs-alpine", *own_names]] == [48, 2, 3, 4]
    drop(panel, "severity.json", own(1))
    assert panel.view.images["variant"].iloc[-1] == "severity-2"
    assert not panel.view.listing.columns.duplicated().any()


def test_a_report_of_a_path(panel: Panel, write: Write) -> None:
    panel.path.value = str(write(own(7), "here.json"))
    assert panel.view.images["variant"].tolist()[-1] == "here"
    assert panel.path.value == ""
    panel.path.value = "/no/such/file.json"
    assert "cannot be read" in panel.errors.value


@pytest.mark.parametrize(
    "content",
    [b"", b"no json", b'{"bomFormat": "CycloneDX"}', b"\x1f\x8bbroken"],
    ids=["empty", "text", "sbom", "gzip"],
)
def test_a_file_that_is_no_report_says_so_and_loses_nothing(panel: Panel, content: bytes) -> None:
    drop(panel, "mine.json", own(5))
    drop(panel, "<img src=x onerror=alert(1)>.json", content)
    assert "&lt;img src=x onerror=alert(1)&gt;.json: " in panel.errors.value
    assert "<img" not in panel.errors.value
    assert "kit-dropped" not in panel.errors.value, "no path that the user has never seen"
    assert totals(panel)["mine"] == 5


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


def test_names_of_own_reports() -> None:
    assert upload.variant("=cmd|'/C calc'!A0<script>.json") == "C-calc-A0-script"
    assert upload.variant("내 이미지.json") == "내-이미지"
    assert upload.variant("<>") == "report"
    assert len(upload.variant("a" * 500)) < 60
    with pytest.raises(ReportInvalid, match=r"^mine\.json: cannot be read"):
        upload.read("mine.json", Path("/no/such/file"))


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
    variant = panel.view.images["variant"].iloc[-1]
    panel.table.bar.value = (variant, "HIGH")
    markup = [panel.errors.value, panel.about.value]
    markup += [s._repr_mimebundle_()["text/html"] for s in (panel.controls, panel.table)]
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
    data, metadata = panel.breakdown._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]) == panel.breakdown.png
    assert metadata["image/png"]["alt"] == panel.breakdown.alt == data["text/plain"]
    table = panel.table._repr_mimebundle_()
    assert table["text/html"].count("<tr>") == 51
    assert "50 of 67 rows" in table["text/html"]
    assert (
        tables.to_html(counting.overview(panel.view.images).drop(columns="capture"))
        in (panel.controls._repr_mimebundle_()["text/html"])
    )


def test_severities_are_sorted_by_rank_and_numbers_are_escaped_text(panel: Panel) -> None:
    columns = panel.table.table._dt_args["columnDefs"]
    assert json.dumps(list(SEVERITIES)) in str(columns)


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


def test_it_speaks_korean_with_the_same_numbers() -> None:
    english = Panel("blog-2022")
    with i18n.speaking("ko"):
        korean = Panel("blog-2022", "ko")
        assert korean.view.counts.equals(english.view.counts)
        assert korean.choose.counted.description != english.choose.counted.description
        korean.choose.counted.value = lenses.VULNERABILITIES
        assert len(korean.table.rows) == 41


def test_a_report_of_its_own_is_counted_as_by_the_loader(panel: Panel, shared: Path) -> None:
    """Any report of other projects: the panel's numbers are those of `load_reports`."""
    for name in ("trivy-golden/debian-buster.json", "grype/many_vulns3.json"):
        path = shared / "corpus" / name
        alone = load_reports(path)
        drop(panel, path.name, path.read_bytes())
        variant = panel.view.images["variant"].iloc[-1]
        found = panel.view.counts[panel.view.counts["variant"].eq(variant)]
        expected = counting.severity_counts(alone.findings, alone.images)
        assert found["count"].tolist() == expected["count"].tolist()


def test_what_has_no_date_is_said_where_counting_is_by_one(
    frames_of: Callable[..., Frames],
) -> None:
    dated = finding(1, PublishedDate="2021-01-01T00:00:00Z")
    loaded = frames_of(app=trivy(dated, finding(2), finding(3)))
    by_day = selection.view(loaded, Choice(lens=Lens(known_by="2022-01-01")))
    assert by_day.counts["count"].sum() == 1
    assert by_day.left_out == "not counted, for want of a date: app 2"
    fixable = selection.view(loaded, Choice(lens=Lens(fixable=True, known_by="2022-01-01")))
    assert fixable.left_out == "", "the lens would not count them with a date either"
    serious = Choice(lens=Lens(known_by="2022-01-01"), severities=("CRITICAL",))
    assert selection.view(loaded, serious).left_out == ""
    assert selection.view(loaded, Choice()).left_out == ""


def test_what_the_curve_does_not_have_is_said(blog: Frames) -> None:
    told = selection.view(blog, Choice()).off_curve
    assert told == (
        "not on the curve, without a date or later than the database: nodejs-distroless 4"
    )


def test_a_bad_file_beside_a_good_one_is_still_named_and_so_is_what_is_unlike(
    panel: Panel,
) -> None:
    drop(panel, "bad.json", b"no report")
    drop(panel, "good.json", own(3))
    drop(panel, "worse.json", b"[")
    assert "bad.json" in panel.errors.value
    assert "worse.json" in panel.errors.value
    assert "DIFFERENT" in panel.marks.value
    panel.forget.click()
    assert panel.errors.value == ""
    assert "DIFFERENT" not in panel.marks.value
