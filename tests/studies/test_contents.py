"""What a capture holds: also what failed, is broken, or is missing and why."""

from pathlib import Path

import msgspec
import pandas as pd
import pytest

from helpers import frames, paths
from helpers.answers.answer import SUMMARY
from helpers.studies import contents, provenance
from helpers.studies.load import load_layers, load_study
from helpers.studies.study import Captured, Facts, Study, Variant, open_study
from helpers.text import i18n
from helpers.text.rich import Run

RICH, POOR = "rebuilt-2026", "blog-2022"


@pytest.fixture(scope="module")
def images() -> pd.DataFrame:
    return load_study(RICH).images


@pytest.fixture
def damaged(data: Path) -> tuple[Study, Facts]:
    """The rich study as if one variant had failed and one were not in the capture."""
    study = open_study(RICH)
    facts = study.facts()
    names = study.names()
    failed = Captured(status="failed", source="dockerfile", error="step 3/4 failed:\nRUN <b>x</b>")
    variants = {**facts.variants, names[0]: failed}
    del variants[names[1]]
    for name in names[:2]:
        for path in paths.evidence(RICH, facts.capture, name).iterdir():
            path.unlink()
    facts = msgspec.structs.replace(facts, variants=variants)
    (paths.capture(RICH, facts.capture) / "capture.json").write_bytes(msgspec.json.encode(facts))
    return study, study.facts()


def written(**texts: object) -> Study:
    """A study with texts of its author's."""
    given = {"title": "t", "question": "q?", "about": "a", "name": "mine", **texts}
    return msgspec.convert({"variants": [{"name": "a_b", "image": "x"}], **given}, Study)


def test_an_authors_texts_keep_their_emphasis_and_paragraphs_and_are_inert() -> None:
    study = written(about="*One*\nline.\n\nTwo <b>\x1b", not_shown=["**all** <i>"])
    answer = contents.about_answer(study)
    assert (answer.name, answer.role) == ("about", SUMMARY)
    first, second = (block.phrase for block in answer.text.blocks)
    assert first.runs == (Run("One", em=True), Run(" line."))
    assert second.plain == "Two <b>\\x1b"
    _, line = contents.not_shown_answer(study).text.blocks
    assert line.phrase.runs == (Run("all", strong=True), Run(" <i>"))
    assert line.level == 1


def test_a_base_that_is_not_named_and_what_is_unchanged_are_messages(images) -> None:
    study = msgspec.structs.replace(open_study(RICH), variants=[Variant("x", archive="sub/x.tar")])
    captured = Captured(status="scanned", unchanged_since="2025-01")
    facts = msgspec.structs.replace(study.facts(), variants={"x": captured})
    table = contents.sources(study, facts, images)
    assert table.iloc[0].tolist() == [
        "x",
        "archive",
        "x.tar",
        "not named",
        "unchanged since 2025-01",
    ]
    with i18n.speaking("ko"):
        shown = [i18n.told(cell) for cell in table.iloc[0]]
    assert shown[3:] == ["밝혀지지 않음", "2025-01 이후 변경 없음"]


def test_a_reason_with_braces_is_no_form() -> None:
    study = written()
    captured = Captured(status="scanned", missing={"smoke": "port {x} is taken"})
    facts = msgspec.structs.replace(open_study(POOR).facts(), variants={"a_b": captured})
    table = contents.parts(study, facts)
    assert table["smoke"].tolist() == ["no: port {x} is taken"]
    assert table["smoke"].iloc[0].told == "no: port {x} is taken"


def test_a_failed_variant_and_one_that_is_not_there_are_told_apart(damaged: tuple) -> None:
    study, facts = damaged
    answer = contents.parts_answer(study, facts)
    assert answer.table is not None
    first, second, *others = answer.table.itertuples(index=False)
    assert set(first[1:]) == {"no: its capture failed"}
    assert set(second[1:]) == {"no: not in this capture"}
    assert all(set(row[1:]) == {"yes"} for row in others)
    assert "• node-24-debian: step 3/4 failed: RUN <b>x</b>" in answer.text.plain, "on one line"
    images = load_study(RICH).images
    assert contents.sources(study, facts, images)["captured"].tolist() == [
        *("failed", "not in this capture", "scanned", "scanned"),
    ]
    assert provenance.captures(study)["variants"].tolist() == ["2 of 3"]
    assert images["status"].tolist() == ["failed", "missing", "scanned", "scanned"]
    assert images["reason"].tolist()[0] == "step 3/4 failed:\nRUN <b>x</b>"


def test_how_it_was_made_names_scanner_database_and_builder() -> None:
    study = open_study(RICH)
    text = provenance.answer(study, study.facts()).text.plain
    for part in ("Trivy 0.76.0", "database of 2026-11-24", "partial", "(classic, "):
        assert part in text
    poor = open_study(POOR)
    answer = provenance.answer(poor, poor.facts())
    assert "builder" not in answer.text.plain
    assert answer.table is not None
    assert answer.table["variants"].tolist() == ["2 of 2"] * 2
    assert isinstance(answer.table["variants"].iloc[0], i18n.Message)
    assert answer.table["captured_at"].dtype == frames.TIME


def test_how_it_was_made_names_buildkit() -> None:
    study = open_study(RICH)
    known = {"builder": "buildkit", "engine": "29.0.1", "buildx": "0.30.1"}
    facts = msgspec.structs.replace(study.facts(), builder=known)
    text = provenance.answer(study, facts).text.plain
    assert "Docker 29.0.1 built the images (buildkit, buildx 0.30.1, unknown store, " in text


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"answers": False, "reason": "status 1:\n`x`"}, "is broken (status 1: `x`)"),
        ({"answers": None}, "node-24-alpine could not be tested"),
        ({"shell_starts": None}, "No image was started"),
    ],
    ids=["broken", "not-reached", "not-started"],
)
def test_a_smoke_test_tells_apart_how_it_ended(images, changes: dict, part: str) -> None:
    columns = {c: pd.Series([v] * 4, dtype=images[c].dtype) for c, v in changes.items()}
    assert part in contents.smoke_test_answer(images.assign(**columns)).text.plain


def test_identities_and_what_sizes_are(images) -> None:
    answer = contents.identities_answer(images.assign(user=["", "", "node", pd.NA]))
    assert answer.table is not None
    users = answer.table["user"].tolist()
    assert users[:3] == ["root, as none is named"] * 2 + ["node"]
    assert pd.isna(users[3])
    assert isinstance(users[0], i18n.Message)
    assert answer.table["image_id"].str.len().eq(12).all()
    assert "Compressed: by gzip here" in answer.text.plain
    assert "No size was measured." in contents.identities_answer(load_study(POOR).images).text.plain


def test_variants_that_are_one_image_are_named(images) -> None:
    def same(table: pd.DataFrame) -> str:
        return contents.identities_answer(table).text.blocks[-1].phrase.plain

    assert not same(images).startswith("The same image")
    alike = same(images.assign(image_id=images["image_id"].iloc[0]))
    assert alike.startswith("The same image")
    assert "node-24-debian, node-24-alpine" in alike


def test_layers_of_the_base_are_told_apart(images) -> None:
    layers = load_layers(RICH)
    base = layers["from_base"]

    def text(from_base: object = base, **columns: object) -> str:
        changed = layers.assign(from_base=from_base).astype({"from_base": "boolean"})
        return contents.base_layers_answer(changed, images.assign(**columns)).text.plain

    assert "node-24-alpine: 216.5 of 218.2 MB unpacked come from" in text()
    assert "layers of its base are not known" in text(base=pd.NA)
    assert "layers of its base are not known" in text(pd.NA)
    moved = text(base.where(layers["position"].eq(0)))
    assert "from rebuilt/node-alpine:24; the base has changed since" in moved
    nothing = contents.base_layers_answer(load_layers(POOR), images).text.plain
    assert nothing.startswith("No layers were read")
