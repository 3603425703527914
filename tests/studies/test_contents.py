"""What a capture holds, in tables and sentences: also what failed, is broken or is missing."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pandas as pd
import pytest
from matplotlib.figure import Figure

from helpers import frames, paths
from helpers.charts import bar_charts
from helpers.images import metadata
from helpers.images.metadata import Image, Layer, Smoke
from helpers.notebook import tables
from helpers.sizes import image_sizes as sizes_of
from helpers.studies import contents, image_rows, provenance
from helpers.studies.load import load_files, load_layers, load_published, load_study
from helpers.studies.study import Captured, Facts, Study, open_study
from helpers.text import i18n, titles
from helpers.verdict import sentences
from helpers.vulnerabilities import counting

RICH, POOR = "rebuilt-2026", "blog-2022"


@pytest.fixture
def told(data: Path) -> tuple[Study, Facts]:
    """The rich study as if one variant had failed and one were not in the capture."""
    study = open_study(RICH)
    facts = study.facts()
    names = study.names()
    failed = Captured(status="failed", source="dockerfile", error="step 3/4 failed: RUN <b>x</b>")
    variants = {**facts.variants, names[0]: failed}
    del variants[names[1]]
    for name in names[:2]:
        for path in paths.evidence(RICH, facts.capture, name).iterdir():
            path.unlink()
    facts = msgspec.structs.replace(facts, variants=variants)
    (paths.capture(RICH, facts.capture) / "capture.json").write_bytes(msgspec.json.encode(facts))
    return study, study.facts()


def test_every_part_that_is_there_is_said_to_be_there() -> None:
    study = open_study(RICH)
    table = contents.parts(study, study.facts())
    assert table.set_index("variant").eq("yes").all(axis=None)
    assert "- files: all of 4 variants" in contents.learned(study, study.facts())


def test_what_a_source_cannot_give_is_missing_with_the_reason() -> None:
    study = open_study(POOR)
    table = contents.parts(study, study.facts()).set_index("variant")
    assert table["report"].tolist() == ["yes", "yes"]
    assert table["files"].tolist() == ["no: an SBOM lists packages only"] * 2
    assert "- smoke: none of 2 variants" in contents.learned(study, study.facts())
    assert load_files(POOR).empty
    assert list(load_files(POOR)) == frames.columns("files")
    assert load_layers(POOR).empty


def test_a_failed_variant_and_one_that_is_not_there_are_told_apart(told: tuple) -> None:
    study, facts = told
    first, second, *others = contents.parts(study, facts).itertuples(index=False)
    assert set(first[1:]) == {"no: its capture failed"}
    assert set(second[1:]) == {"no: not in this capture"}
    assert all(set(row[1:]) == {"yes"} for row in others)
    assert contents.sources(study, facts, load_study(RICH).images)["captured"].tolist() == [
        *("failed", "not in this capture", "scanned", "scanned"),
    ]
    assert provenance.when(study)["variants"].tolist() == ["2 of 3"]
    said = contents.failed(facts)
    assert "**node-24-debian**: step 3/4 failed: RUN <b>x</b>" not in said, "markup is text"
    assert "step 3/4 failed: RUN &lt;b&gt;x" in said
    images = load_study(RICH).images
    assert images["status"].tolist() == ["failed", "missing", "scanned", "scanned"]
    assert images["reason"].tolist()[0] == "step 3/4 failed: RUN <b>x</b>"


def test_how_it_was_made_names_scanner_database_and_builder() -> None:
    said = provenance.made(open_study(RICH).facts())
    for part in (
        "Trivy 0.76.0",
        "the database of 2026-11-24",
        "partial",
        "classic builder of Docker",
    ):
        assert part in said
    assert "builder" not in provenance.made(open_study(POOR).facts())


def test_what_was_started_is_told_and_what_is_broken_stands_out() -> None:
    images = load_study(RICH).images
    said = contents.started(images)
    assert "**node-24-alpine** answered on its port; `/bin/sh` could be started" in said
    assert "**node-24-distroless** answered on its port; no shell could be started" in said
    broken = images.assign(answers=False, reason="it ended with status 1: `x`")
    broken["answers"] = broken["answers"].astype("boolean")
    assert "**is broken** (it ended with status 1: \\`x\\`)" in contents.started(broken)
    assert "without a network but its own loopback" in said
    on_network = images.assign(asked_by="network without a way out")
    assert "could still reach what listens" in contents.started(on_network)
    assert contents.started(load_study(POOR).images).startswith("No variant was started")


def test_identities_and_sizes() -> None:
    images = load_study(RICH).images
    table = contents.identities(images)
    assert table["user"].unique().tolist() == ["root, as none is named"]
    assert table["image_id"].str.len().eq(12).all()
    assert "gzip makes of the layers here" in contents.sizes(images)
    assert contents.sizes(load_study(POOR).images) == "No size was measured."


def test_variants_that_are_one_image_are_named() -> None:
    images = load_study(RICH).images
    assert contents.same(images) == "No two variants are the same image."
    assert contents.same(images.iloc[:1]) == (
        "There is one variant only, so none is the same image as another."
    )
    alike = contents.same(images.assign(image_id=images["image_id"].iloc[0]))
    assert "The same image" in alike
    assert "**node-24-debian**, **node-24-alpine**" in alike


def test_layers_of_the_base_are_told_apart() -> None:
    layers, images = load_layers(RICH), load_study(RICH).images
    made_by = contents.layers(layers)["created_by"]
    assert "WORKDIR /app" in set(made_by)
    assert made_by.str.fullmatch("COPY (dir|file):[0-9a-f]{12} in .*").sum() >= 8
    said = contents.of_base(layers, images)
    assert "**node-24-alpine**: 216.5 of 218.2 MB unpacked are the base's" in said
    nameless = images.assign(base=pd.NA)
    assert "its base is not known" in contents.of_base(layers, nameless)
    unknown = layers.assign(
        from_base=frames.make("layers", {"position": layers["position"].tolist()})["from_base"]
    )
    said = contents.of_base(unknown, images)
    assert "`rebuilt/node-alpine:24` was not on the daemon, or is not what it was built on" in said
    moved = layers.assign(from_base=layers["from_base"].where(layers["position"].eq(0)))
    assert "MB unpacked are the base's, `rebuilt/node-alpine:24`; above these it has changed" in (
        contents.of_base(moved, images)
    )
    own = layers.assign(from_base=False).astype({"from_base": "boolean"})
    assert "from scratch, so all layers are its own" in contents.of_base(own, images)
    assert contents.of_base(load_layers(POOR), images).startswith("No variant was taken apart")


def described(base: Sequence[str] = ("sha256:a",), **config: object) -> Image:
    history = [
        {"created_by": "/bin/sh -c #(nop) ADD a"},
        {"created_by": "ENV TOKEN=hunter2-hunter2", "empty_layer": True},
        {"created_by": "|1 TOKEN=hunter2-hunter2 /bin/sh -c make hunter2-hunter2"},
    ]
    of = {
        "Env": ["PATH=/bin", "TOKEN=hunter2-hunter2", "HOME_OF_APP=/usr/src/app/"],
        "Cmd": ["/usr/src/app/run", "--token=hunter2-hunter2"],
        "ExposedPorts": {"53/udp": {}, "8080/tcp": {}},
        "Labels": {"secret": "x"},
    }
    return metadata.describe(
        Path("a.tar"),
        "sha256:1",
        {"architecture": "arm", "variant": "v7", "config": of, "history": history, **config},
        [("sha256:a", 10, 20), ("sha256:b", 1, 2)],
        ("gzip", [5, 1]),
        base=("base", {"Id": "sha256:9", "RootFS": {"Layers": [*base]}}),
        there={"/usr", "/usr/src/app"},
    )


def test_an_image_is_described_without_values() -> None:
    told = described()
    assert b"hunter2" not in msgspec.json.encode(told)
    assert told.environment == ["PATH", "TOKEN", "HOME_OF_APP"]
    assert told.labels == ["secret"]
    assert (told.base, told.base_id) == ("base", "sha256:9")
    assert told.command == ["/usr/src/app/run", "--token=…"], "what is started is told"
    assert told.architecture == "arm/v7"
    assert metadata.port(told.ports) == 8080
    assert (told.size_unpacked_bytes, told.size_compressed_bytes) == (11, 6)
    assert told.layers == [
        Layer("sha256:a", 10, 20, 5, "/bin/sh -c #(nop) ADD a", True),
        Layer("sha256:b", 1, 2, 1, "|1 TOKEN … /bin/sh -c make …", False),
    ]


def test_layers_are_the_bases_as_far_as_both_have_them_and_above_that_not_known() -> None:
    """A base's name may mean another image by now than the one that this was built on."""
    for base, told in (
        (["sha256:a", "sha256:b"], [True, True]),
        (["sha256:a"], [True, False]),
        (["sha256:a", "sha256:c"], [True, None]),
        (["sha256:c"], [None, None]),
        ([], [False, False]),
    ):
        assert [layer.from_base for layer in described(base).layers] == told, base


def test_a_history_that_tells_of_other_layers_is_not_believed() -> None:
    assert [layer.created_by for layer in described(history=[]).layers] == ["", ""]


def test_a_config_that_is_none_is_refused() -> None:
    with pytest.raises(metadata.ArchiveInvalid, match="invalid image config"):
        described(config={"Env": 3})


def test_metadata_is_written_and_read_back_and_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "image.json"
    metadata.write(path, described())
    assert metadata.read(path, Image) == described()
    assert metadata.read(tmp_path / "none.json", Image) is None
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(metadata.ArchiveInvalid, match=r"invalid content.*Capture it again"):
        metadata.read(path, Image)


def test_frames_of_layers_and_files_have_their_types() -> None:
    for name, frame in (("layers", load_layers(RICH)), ("files", load_files(RICH))):
        made = frames.make(name, {})
        assert frame.dtypes.to_dict() == made.dtypes.to_dict()
    files = load_files(RICH)
    setuid = files[files["setuid"]]
    assert set(setuid["variant"]) == {"node-24-debian"}
    assert "usr/bin/su" in set(setuid["path"])
    assert (files.loc[files["kind"].eq("dir"), "executable"]).eq(False).all()


def test_started_and_not_reached_are_not_the_same() -> None:
    tried = Smoke(80, None, None, 1.0, "not reached", shells_tried=["/bin/sh"])
    columns = image_rows.started(tried)
    assert columns["answers"] is None
    assert columns["shell_starts"] is False
    assert image_rows.started(None) == {}


def test_a_broken_image_is_marked_wherever_it_could_win(data: Path) -> None:
    study = open_study(RICH)
    capture = study.facts().capture
    path = paths.evidence(RICH, capture, "node-8-distroless") / paths.SMOKE
    smoke = metadata.read(path, Smoke)
    assert smoke is not None
    metadata.write(path, msgspec.structs.replace(smoke, answered=False, why="no answer"))
    loaded = load_study(RICH)
    statuses = loaded.images.set_index("variant")["status"]
    assert statuses["node-8-distroless"] == "broken"
    counts = counting.severity_counts(loaded.findings, loaded.images)
    assert "14 findings (it is broken: it did not answer" in sentences.breakdown(counts)
    sizes = sizes_of.table(loaded.images, load_published(RICH))
    differences = sizes_of.differences(sizes, sizes_of.UNPACKED)
    assert differences["baseline"].iloc[0] == "node-24-distroless", "not the smaller, broken one"
    assert "node-8-distroless** is 63.7 MB (broken)" in sentences.sizes(
        differences, sizes_of.UNPACKED
    )
    ax = Figure().subplots()
    labels = [text.get_text() for text in bar_charts.size_difference(differences, ax).texts]
    assert labels[0].startswith("63.7 MB (broken)\n")
    across = counting.across_captures(loaded.findings, loaded.images)
    assert "node-8-distroless" not in sentences.learned(across), "it has not the fewest"
    assert "so it is no candidate, however small: **node-8-distroless**" in (
        sentences.images(loaded.images)
    )


def test_sizes_that_were_measured_in_two_ways_say_so_on_the_chart() -> None:
    images = load_study(RICH).images
    alike = sizes_of.table(images, load_published(RICH))
    assert titles.size_origin(alike, sizes_of.UNPACKED) == ""
    images.loc[0, "size_unpacked_source"] = "tars"
    mixed = sizes_of.table(images, load_published(RICH))
    said = titles.size_origin(mixed, sizes_of.UNPACKED)
    assert said == "sizes: the layers' tars, as the scanner adds them up; the files of all layers"


def test_what_a_capture_holds_is_told_in_korean(told: tuple) -> None:
    study, facts = told
    images, layers = load_study(RICH).images, load_layers(RICH)
    with i18n.speaking("ko"):
        parts = contents.parts(study, facts).set_index("variant")
        shown = tables.readable(parts)
        lines = [
            provenance.made(open_study(RICH).facts()),
            contents.failed(facts),
            contents.started(images),
            contents.sizes(images),
            contents.same(images),
            contents.of_base(layers, images),
            *contents.learned(study, facts).splitlines()[2:],
        ]
    assert parts.iloc[0].unique().tolist() == ["아니요: 수집 실패"]
    assert parts.iloc[-1].unique().tolist() == ["yes"], "a table translates whole cells"
    assert shown.iloc[-1].unique().tolist() == ["예"]
    for said in lines:
        assert re.search("[가-힣]", said), said
        assert "{" not in said


def test_of_one_variant_it_is_not_said_that_all_were_captured() -> None:
    facts = open_study(RICH).facts()
    assert contents.failed(facts) == f"All {len(facts.variants)} variants were captured."
    one = msgspec.structs.replace(facts, variants=dict(list(facts.variants.items())[:1]))
    assert contents.failed(one) == "The one variant was captured."
