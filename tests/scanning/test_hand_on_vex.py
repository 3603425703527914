"""VEX with the real Trivy: what it suppresses is what is recorded and what the kit counts apart."""

import csv
import gzip
import json
import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import paths
from helpers.capture import session
from helpers.capture.session import Outcome
from helpers.containers.daemon import Ended
from helpers.errors import VexInvalid
from helpers.scanning import scan
from helpers.scanning.hand_on_vex import Given
from helpers.scanning.trivy_program import Trivy
from helpers.studies import study
from helpers.studies.load import load_statements, load_study
from helpers.vex import evidence
from helpers.vulnerabilities import lenses
from tests.scanning.test_scan import DBS, comparable
from tests.support import image_archives as images
from tests.support.command_line import run
from tests.support.studies import write_study
from tests.vex.test_evidence import csaf, cyclonedx, openvex, statement

SLIM, DISTROLESS = "node-24-slim", "node-24-distroless"
MADE, DHI = "made-for-tests.openvex.json", "dhi-node.openvex.json"
CAPTURES = {
    ("blog-2022", "2022-02"): 2,
    ("blog-2022", "2026-11"): 2,
    ("matched-2026", "2026-11"): 3,
}
"""The recorded captures that `risk/vex/expected` has scans of, by their numbers of variants."""

pytestmark = pytest.mark.usefixtures("trivy_on_path")


def table(path: Path) -> list[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(text.decode().splitlines(), delimiter="\t"))


def document(shared: Path, name: str) -> Path:
    """A shared document, gzipped or not."""
    (path,) = (shared / "risk/vex").glob(f"{name}*")
    return path


def report(folder: Path) -> dict[str, Any]:
    """The report in a variant's evidence."""
    return dict(json.loads(gzip.decompress((folder / paths.REPORT).read_bytes())))


def suppressed(report: dict[str, Any]) -> Counter[tuple[str, ...]]:
    """What Trivy suppresses: id, package, version, status and justification."""
    return Counter(
        (
            *(each["Finding"][key] for key in ("VulnerabilityID", "PkgName", "InstalledVersion")),
            *(each["Status"], each["Statement"]),
        )
        for result in report.get("Results") or []
        for each in result.get("ExperimentalModifiedFindings") or []
    )


def of_base(path: Path) -> str:
    """The name of an SBOM as `expected` has it."""
    return path.name.removesuffix(".cdx.json")


@pytest.fixture(scope="module")
def with_document(
    shared: Path, trivy_on_path: None, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[str, str, Path]]:
    """Captures a recorded study with a document, once; returns study, capture and its folder."""
    made: dict[tuple[str, ...], Path] = {}

    def captured(name: str, of: str, day: str) -> tuple[str, str, Path]:
        if (name, of, day) not in made:
            data = tmp_path_factory.mktemp("vex")
            shutil.copytree(paths.ROOT / "data/studies" / of, data / "studies" / of)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("KIT_DATA", str(data))
                files = [document(shared, name)]
                session.capture(of, "2030-01", shared / DBS[day], vex=files)
            made[name, of, day] = data
        return of, "2030-01", made[name, of, day]

    return captured


@pytest.mark.parametrize(("of", "day"), CAPTURES)
@pytest.mark.parametrize(
    "name",
    [
        *(MADE, DHI, "dhi-debian-base.openvex.json", "dhi-alpine-base.openvex.json"),
        *("dhi-python.openvex.json", "rancher-confd.openvex.json"),
        *("rancher-klipper-helm.openvex.json", "rancher-nginx-ingress-controller.openvex.json"),
        *("trivy-golang.openvex.json", "trivy-oci.openvex.json"),
    ],
)
def test_each_document_suppresses_what_is_recorded_and_every_finding_is_counted(
    shared: Path,
    with_document: Callable[..., tuple[str, str, Path]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    of: str,
    day: str,
) -> None:
    _, capture, data = with_document(name, of, day)
    monkeypatch.setenv("KIT_DATA", str(data))
    findings = load_study(of, capture).findings
    apart = findings.groupby("variant")
    expected = shared / "risk/vex/expected"
    counts = [
        row
        for row in table(expected / "counts.tsv")
        if (row["study"], row["capture"], row["document"]) == (of, day, name)
    ]
    assert len(counts) == CAPTURES[of, day]
    for row in counts:
        raw = report(paths.evidence(of, capture, row["variant"]))
        assert suppressed(raw) == Counter(
            (
                each["vulnerability_id"],
                each["package"],
                each["installed_version"],
                each["status"],
                each["justification"],
            )
            for each in table(expected / "suppressed.tsv.gz")
            if (each["study"], each["capture"], each["variant"], each["document"])
            == (of, day, row["variant"], name)
        )
        as_of = f".{day}" if day == "2022-02" else ""
        kept = expected / f"{row['sbom']}{as_of}.{name.removesuffix('.openvex.json')}.json.gz"
        if kept.exists():
            assert comparable(raw) == comparable(json.loads(gzip.decompress(kept.read_bytes())))
        mine = apart.get_group(row["variant"])
        aside, unused = mine["suppressed"].sum(), mine["statement_unused"].notna().sum()
        assert aside + unused == int(row["suppressed"])
        assert len(lenses.standing(mine)) - unused == int(row["findings_after"])
        assert len(mine) == int(row["findings_before"])
        # Written for other images, or after the day of the database.
        is_about_this = name == MADE and day == "2026-11"
        assert aside == (int(row["suppressed"]) if is_about_this else 0)


def test_each_case_has_the_effect_that_is_recorded(
    shared: Path,
    with_document: Callable[..., tuple[str, str, Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cases = [row for row in table(shared / "risk/vex/expected/cases.tsv") if row["study"]]
    assert len(cases) > 50
    effects = Counter()
    for of, day in CAPTURES:
        _, capture, data = with_document(MADE, of, day)
        monkeypatch.setenv("KIT_DATA", str(data))
        findings, stated = load_study(of, capture).findings, load_statements(of, capture)
        for row in cases:
            if (row["study"], row["capture"]) != (of, day):
                continue
            mine = findings[findings["variant"].eq(row["variant"])]
            about = mine[mine["vulnerability_id"].eq(row["vulnerability_id"])]
            assert len(about) == int(row["findings"])
            said = about[about["statement_status"].notna()]
            assert len(said) == int(row["suppressed"]), row
            status, _, justification = row["trivy_says"].partition("/")
            for each in said.to_dict("records"):
                assert each["statement_status"] == status
                words = each["statement_reason"]
                # Trivy leaves out the words of a statement without a justification.
                assert (words if justification else "") == justification, row
                assert (
                    each["statement_by"]
                    == f"Made for tests, says nothing about any product ({MADE})"
                )
            effect = stated[
                stated["variant"].eq(row["variant"])
                & stated["vulnerability_id"].eq(row["vulnerability_id"])
                & stated["status"].eq(row["status"])
            ]["effect"].tolist()
            if row["statement"] == "id-in-lower-case":
                assert effect == [], "no id is found in another case"
                continue
            assert len(effect) == 1, row
            effects[row["statement"], day, effect[0]] += 1
            if row["status"] in ("affected", "under_investigation"):
                assert effect == ["no-effect"]
            elif int(row["suppressed"]):
                assert effect == ["used" if day == "2026-11" else "later"]
            else:
                assert effect[0] in ("no-match", "no-effect", "later"), row
    assert effects["superseded-old", "2026-11", "no-effect"] == 3
    assert effects["other-version", "2026-11", "no-match"] == 1
    assert effects["image-with-subcomponent", "2026-11", "no-effect"] == 1


Capture = Callable[..., Outcome]


@pytest.fixture
def captured(data: Path, db: Path) -> Capture:
    """Captures the study of 2026 with documents, given by the name of their file."""

    def made(**documents: Any) -> Outcome:
        files = []
        for name, content in documents.items():
            path = data / f"{name}.json"
            path.write_bytes(
                content if isinstance(content, bytes) else json.dumps(content).encode()
            )
            files.append(path)
        return session.capture("matched-2026", db=db, vex=files)

    return made


def findings(outcome: Outcome, variant: str = SLIM) -> pd.DataFrame:
    """The findings of an image in a capture."""
    found = load_study("matched-2026", outcome.folder.name).findings
    return found[found["variant"].eq(variant)]


def first_of_each(found: pd.DataFrame, count: int) -> pd.DataFrame:
    """Some findings of vulnerabilities that have one."""
    return found.drop_duplicates("vulnerability_id", keep=False).head(count)


def test_each_status_of_each_format_does_what_real_trivy_does(captured: Capture) -> None:
    recorded = load_study("matched-2026").findings
    recorded = recorded[recorded["variant"].eq(SLIM)]
    statuses = ("not_affected", "fixed", "affected", "under_investigation")
    chosen = first_of_each(recorded, 8)
    ids, purls = chosen["vulnerability_id"].tolist(), chosen["purl"].tolist()
    said = [
        statement(
            vulnerability={"name": name},
            products=[{"@id": purl}],
            status=status,
            justification="component_not_present" if status == "not_affected" else None,
        )
        for name, purl, status in zip(ids[:4], purls, statuses, strict=False)
    ]
    kinds = ("known_not_affected", "fixed", "known_affected", "under_investigation")
    tree = {
        "full_product_names": [
            {"product_id": purl, "name": purl, "product_identification_helper": {"purl": purl}}
            for purl in purls[4:]
        ]
    }
    told = [
        {"cve": name, "product_status": {kind: [purl]}}
        for name, purl, kind in zip(ids[4:], purls[4:], kinds, strict=True)
    ]
    outcome = captured(ours=openvex(*said), theirs=csaf(*told, product_tree=tree))
    found = findings(outcome)
    aside = found[found["suppressed"]].set_index("vulnerability_id")
    assert aside["statement_status"].to_dict() == {
        **{ids[0]: "not_affected", ids[1]: "fixed"},
        **{ids[4]: "not_affected", ids[5]: "fixed"},
    }
    assert aside["statement_by"].unique().tolist() == ["A (ours.json)", "A (theirs.json)"]
    assert len(lenses.standing(found)) + len(aside) == len(found) == len(recorded)
    assert found["statement_unused"].isna().all()
    # What is suppressed has every column that a finding has.
    own = [
        name
        for name in recorded
        if not name.startswith(("capture", "suppr", "statement", "epss", "kev"))
    ]
    own = [name for name in own if name not in ("exploited", "cve_id")]
    ordered = [
        each.sort_values(["purl", "vulnerability_id"], ignore_index=True)[own]
        for each in (found, recorded)
    ]
    pd.testing.assert_frame_equal(*ordered)
    effects = load_statements("matched-2026", outcome.folder.name)
    effects = effects[effects["variant"].eq(SLIM)].set_index("vulnerability_id")
    assert effects["effect"].reindex(ids).tolist() == ["used", "used", "no-effect", "no-effect"] * 2
    assert effects["format"].reindex(ids).tolist() == ["OpenVEX"] * 4 + ["CSAF"] * 4


def test_cyclonedx_names_the_sbom_that_it_is_about(captured: Capture, data: Path) -> None:
    sbom = json.loads(
        (data / "studies/matched-2026/sources/node-24-trixie-slim.cdx.json").read_text()
    )
    (one,) = first_of_each(
        load_study("matched-2026").findings.query(f"variant == '{SLIM}'"), 1
    ).to_dict("records")
    ref = f"{sbom['serialNumber'].replace('urn:uuid:', 'urn:cdx:')}/1#{one['purl']}"
    said = {
        "id": one["vulnerability_id"],
        "analysis": {"state": "false_positive", "justification": "code_not_present"},
        "affects": [{"ref": ref}],
    }
    outcome = captured(bom=cyclonedx(said))
    (row,) = findings(outcome).query("suppressed").to_dict("records")
    assert row["vulnerability_id"] == one["vulnerability_id"]
    assert (row["statement_status"], row["statement_reason"]) == (
        "not_affected",
        "code_not_present",
    )
    assert row["statement_by"] == "A (bom.json)"
    assert not findings(outcome, DISTROLESS)["suppressed"].any()


def test_cyclonedx_is_refused_for_images_and_any_vex_for_reports(
    data: Path, db: Path, shared: Path, write: Callable[..., Path]
) -> None:
    bom = shared / "risk/vex/examples/cyclonedx.json"
    with pytest.raises(VexInvalid, match=r"cyclonedx\.json: .*CycloneDX VEX for SBOMs only"):
        session.capture("rebuilt-2026", db=db, vex=[bom])
    toml = data / "studies/mine/study.toml"
    toml.parent.mkdir()
    toml.write_text(
        'title = "t"\nquestion = "q?"\nabout = "a"\n[[variants]]\nname = "a"\n'
        f'report = "{write({"SchemaVersion": 2})}"\n'
    )
    with pytest.raises(VexInvalid, match="does not scan them again"):
        session.capture("mine", db=db, vex=[shared / "risk/vex" / MADE])


def test_a_capture_keeps_what_is_about_its_ids_and_no_path(
    captured: Capture, data: Path, shared: Path
) -> None:
    """With names that Trivy's option, a line of CSV, would take apart."""
    folder = data / 'a, "b"'
    folder.mkdir()
    path = shutil.copy(document(shared, DHI), folder / 'dhi, "node".json.gz')
    outcome = session.capture("matched-2026", db=shared / "vulndb", vex=[Path(path)])
    name = 'dhi, "node".json'
    assert outcome.failures == {}
    kept = evidence.read(outcome.folder / SLIM / paths.VEX)
    (about,) = kept.documents
    assert (about.name, about.format, about.statements) == (name, "OpenVEX", 85)
    assert kept.subject == "node:24-trixie-slim"
    found = {*findings(outcome)["vulnerability_id"]}
    assert 0 < len(kept.statements) < 85
    assert all(found.intersection(each.ids) for each in kept.statements)
    facts = study.open_study("matched-2026").facts("newest").variants[SLIM]
    command = " ".join(facts.command)
    assert f"--vex VEX/{name} --show-suppressed node-24" in command
    assert facts.settings["vex"] == f"{about.sha256} {name}"
    assert {each["Source"] for each in modified(report(outcome.folder / SLIM))} == {name}
    for file in outcome.folder.rglob("*.*"):
        text = file.read_bytes()
        text = gzip.decompress(text) if file.suffix == ".gz" else text
        assert str(data).encode() not in text, file


def modified(decoded: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        each
        for result in decoded["Results"]
        for each in result.get("ExperimentalModifiedFindings") or []
    ]


def test_a_changed_document_is_a_change_and_an_unchanged_one_is_none(
    captured: Capture, data: Path
) -> None:
    document = openvex(statement())
    first = captured(mine=document)
    assert captured(mine=document).unchanged
    second = captured(mine=openvex(statement(justification="inline_mitigations_already_exist")))
    assert not second.unchanged
    (data / "mine.json").rename(data / "other.json")
    assert not captured(other=openvex(statement())).unchanged, "it has another name"
    assert not captured().unchanged, "it is not given any more"
    newest = study.open_study("matched-2026").facts("newest")
    assert "vex" not in newest.variants[SLIM].settings
    assert "--vex" not in newest.variants[SLIM].command
    assert not (paths.capture("matched-2026", newest.capture) / SLIM / paths.VEX).exists()
    assert first.folder != second.folder


def test_damaged_evidence_is_named_and_captured_anew(captured: Capture) -> None:
    document = openvex(statement())
    outcome = captured(mine=document)
    path = outcome.folder / SLIM / paths.VEX
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(VexInvalid, match=rf"{SLIM}/vex\.json: invalid content"):
        load_study("matched-2026", outcome.folder.name)
    again = captured(mine=document)
    facts = study.open_study("matched-2026").facts("newest")
    assert not again.unchanged
    assert not facts.variants[SLIM].unchanged_since
    assert facts.variants[DISTROLESS].unchanged_since


def test_a_study_names_documents_beside_it_and_others_are_added(
    data: Path, db: Path, shared: Path
) -> None:
    folder = data / "studies/matched-2026"
    shutil.copy(document(shared, MADE), folder / MADE)
    toml = folder / "study.toml"
    toml.write_text(f'vex = ["{MADE}"]\n{toml.read_text()}')
    one = session.capture("matched-2026", db=db)
    assert len(findings(one).query("suppressed")) == 13
    two = session.capture("matched-2026", db=db, vex=[document(shared, DHI), folder / MADE])
    kept = evidence.read(two.folder / SLIM / paths.VEX)
    assert [each.name for each in kept.documents] == [MADE, DHI]
    # Trivy suppresses more, by the other vendor's document. The kit does not, but for a statement
    # about this very image, which Trivy does not recognise in an SBOM.
    more = findings(two).query("suppressed").query("statement_product == 'pkg:oci/node'")
    assert more["vulnerability_id"].tolist() == ["CVE-2025-6141"]
    assert len(modified(report(two.folder / SLIM))) > 30
    assert len(findings(two).query("suppressed")) == 13 + len(more)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", r"bad\.json: JSON that is cut off"),
        ({"SchemaVersion": 2}, r"bad\.json: JSON, but not a VEX document"),
    ],
)
def test_a_bad_document_is_named_before_anything_is_captured(
    captured: Capture, content: Any, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_tools", lambda *_: pytest.fail("it began to capture"))
    with pytest.raises(VexInvalid, match=problem):
        captured(bad=content)
    folders = {path.name for path in paths.study("matched-2026").iterdir() if path.is_dir()}
    assert folders == {"sources", "2026-11"}


def test_two_documents_of_one_name_are_refused_and_one_given_twice_is_one(
    data: Path, db: Path, shared: Path
) -> None:
    (data / "x").mkdir()
    one, other = document(shared, MADE), Path(shutil.copy(document(shared, MADE), data / "x"))
    given = partial(session.capture, "matched-2026", db=db)
    with pytest.raises(VexInvalid, match="a second document is named"):
        given(vex=[one, other])
    with pytest.raises(VexInvalid, match=r"none\.json: cannot be read \(No such file"):
        given(vex=[data / "none.json"])
    assert len(evidence.read(given(vex=[one, one]).folder / SLIM / paths.VEX).documents) == 1


def test_the_command_line_takes_documents(data: Path, db: Path, shared: Path) -> None:
    file = document(shared, MADE)
    command = ["capture", "matched-2026", "2030-01", "--db", db]
    assert run(*command, "--vex", file, "--vex", document(shared, DHI)).status == 0
    kept = paths.evidence("matched-2026", "2030-01", SLIM) / paths.VEX
    assert len(evidence.read(kept).documents) == 2


APK = """P:busybox
V:1.31.1-r8
A:x86_64
o:busybox
L:GPL-2.0

"""
LAYER = images.tar(
    images.file("etc/os-release", b"ID=alpine\nVERSION_ID=3.11.13\n"),
    images.file("etc/alpine-release", b"3.11.13\n"),
    images.file("lib/apk/db/installed", APK.encode()),
)
BUSYBOX = "pkg:apk/alpine/busybox"


def test_a_statement_about_an_archives_image_is_used_and_one_about_another_is_not(
    empty_data: Path, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/where.sock")
    for name, tags in (("ours", ("registry.example/team/shop:1.2",)), ("other", ("alpine:3",))):
        images.docker_save(tmp_path / f"{name}.tar", LAYER, tags=tags)
    name = write_study(
        empty_data,
        ours=f'archive = "{tmp_path}/ours.tar"',
        other=f'archive = "{tmp_path}/other.tar"',
    )
    image = {"@id": "pkg:oci/shop?repository_url=registry.example/team/shop"}
    said = statement(
        vulnerability={"name": "CVE-2021-28831"},
        products=[{"@id": BUSYBOX}, image | {"subcomponents": [{"@id": BUSYBOX}]}],
    )
    file = tmp_path / "vex.json"
    file.write_text(json.dumps(openvex(said)))
    outcome = session.capture(name, db=db, vex=[file])
    assert outcome.failures == {}
    found = load_study(name).findings.query("vulnerability_id == 'CVE-2021-28831'")
    found = found.set_index("variant")
    assert found["suppressed"].to_dict() == {"ours": True, "other": False}
    assert found["statement_product"].unique().tolist() == [image["@id"]]
    effects = load_statements(name).set_index("variant")["effect"]
    assert effects.to_dict() == {"ours": "used", "other": "another-product"}


def test_a_trivy_in_a_container_finds_the_documents_in_its_scratch_folder(tmp_path: Path) -> None:
    """Without a daemon: what it is given, and a report as Trivy writes it there."""
    ran = []

    class InContainer:
        def run(self, image: str, seconds: float, **options: Any) -> Ended:
            ran.append(options)
            (place,) = (m["Source"] for m in options["mounts"] if m["Target"] == "/scratch")
            named = options["command"][options["command"].index("--vex") + 1]
            text = Path(place, named.strip('"').removeprefix("/scratch/")).read_text()
            assert json.loads(text)["author"] == "A"
            found = {"Type": "vulnerability", "Source": named.strip('"'), "Finding": {}}
            result = {"Target": "x", "ExperimentalModifiedFindings": [found]}
            Path(place, "report.json").write_text(json.dumps({"Results": [result]}))
            return Ended(0, "")

    (tmp_path / "db/db").mkdir(parents=True)
    for name in ("db/db/trivy.db", "db/db/metadata.json", "app.cdx.json"):
        (tmp_path / name).write_text('{"UpdatedAt": "2026-11-24T00:00:00Z"}')
    text = json.dumps(openvex(statement())).encode()
    given = Given(text, evidence.parse(text, "a b.json"))
    trivy = Trivy("0.76.0", InContainer(), "sha256:1")  # type: ignore[arg-type]
    report = tmp_path / "report.json"
    command = scan.scan(
        trivy, "sbom", tmp_path / "app.cdx.json", report, tmp_path / "db", documents=[given]
    )
    (found,) = json.loads(report.read_text())["Results"][0]["ExperimentalModifiedFindings"]
    assert found["Source"] == "a b.json"
    assert command[-4:] == ["--vex", "VEX/a b.json", "--show-suppressed", "app.cdx.json"]
    assert '"/scratch/VEX/a b.json"' in ran[0]["command"]
    assert str(tmp_path) not in " ".join(ran[0]["command"])
