"""Fixable and unfixed: what of an image a newer package would fix, and where one cannot see."""

import pandas as pd
import pytest

from helpers.frames import Frames
from helpers.studies.load import load_study
from helpers.text import i18n
from helpers.vulnerabilities import fixes
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, missing_image, trivy

ALPINE, DISTROLESS = "nodejs-alpine", "nodejs-distroless"
BY_AUGUST = Lens(known_by="2026-08-31")


@pytest.fixture(scope="module")
def matched() -> Frames:
    return load_study("matched-2026")


@pytest.fixture(scope="module")
def rebuilt() -> Frames:
    return load_study("rebuilt-2026")


def parts(table: pd.DataFrame) -> dict[str, list]:
    return {
        variant: rows["count"].tolist() for variant, rows in table.groupby("variant", sort=False)
    }


def on(family: str) -> dict:
    return trivy(finding(), Metadata={"OS": {"Family": family, "Name": "1"}})


@pytest.mark.parametrize(
    "family",
    "alpine wolfi chainguard amazon alma rocky oracle photon sles slem opensuse-leap".split(),
)
def test_where_advisories_name_only_what_has_a_fix_nothing_else_is_seen(frames_of, family) -> None:
    loaded = frames_of(app=on(family))
    table = fixes.split(loaded.findings, loaded.images, Lens())
    assert table["blind"].tolist() == [True, True]
    told = fixes.sentence(table, Lens())
    assert "- **app**: 0 fixable, 1 unfixed, in system packages not observable" in told
    assert "operating system of **app** name only what has a fix" in told


@pytest.mark.parametrize("family", ["debian", "ubuntu", "redhat", "azurelinux", "none"])
def test_elsewhere_unfixed_ones_are_seen(frames_of, family) -> None:
    loaded = frames_of(app=on(family))
    table = fixes.split(loaded.findings, loaded.images, Lens())
    assert table["blind"].tolist() == [False, False]
    assert "observable" not in fixes.sentence(table, Lens())


def test_an_unknown_operating_system_is_not_said_to_be_blind(frames_of) -> None:
    loaded = frames_of(app=trivy(finding(), Metadata={}))
    assert not fixes.split(loaded.findings, loaded.images, Lens())["blind"].any()


def test_of_the_posts_images_one_is_all_fixable_and_the_other_not_at_all(blog: Frames) -> None:
    table = fixes.split(blog.findings, blog.images, Lens())
    assert parts(table) == {ALPINE: [48, 0], DISTROLESS: [0, 19]}
    assert table["part"].tolist() == ["fixable"] * 2 + ["unfixed"] * 2
    assert fixes.headline(table, Lens()) == (
        "Fixable findings: nodejs-alpine 48 of 48, nodejs-distroless 0 of 19"
    )
    assert fixes.sentence(table, Lens()).splitlines() == [
        "- **nodejs-alpine**: 48 fixable, 0 unfixed, in system packages not observable",
        "- **nodejs-distroless**: 0 fixable, 19 unfixed",
        "",
        "Counted: findings. The advisories for the operating system of **nodejs-alpine** name only "
        "what has a fix: what is unfixed there is **not observable**, not absent. Only the fixable "
        "parts can be held against each other.",
    ]


def test_of_the_matched_images_by_the_day_on_which_facts_are_complete(matched: Frames) -> None:
    table = fixes.split(matched.findings, matched.images, BY_AUGUST)
    assert parts(table) == {
        "node-24-alpine": [18, 0],
        "node-24-slim": [11, 58],
        "node-24-distroless": [17, 7],
    }


def test_a_lens_of_fixable_ones_splits_all_the_same(blog: Frames) -> None:
    table = fixes.split(blog.findings, blog.images, Lens(fixable=True))
    assert parts(table) == {ALPINE: [48, 0], DISTROLESS: [0, 19]}


def test_a_vulnerability_that_is_fixable_in_one_package_is_not_unfixed_too(frames_of) -> None:
    loaded = frames_of(
        app=trivy(finding(1, FixedVersion="2"), finding(1, PkgName="zlib"), finding(2))
    )
    by_id = fixes.split(loaded.findings, loaded.images, Lens("vulnerabilities"))
    assert parts(by_id) == {"app": [1, 1]}
    assert parts(fixes.split(loaded.findings, loaded.images, Lens())) == {"app": [1, 2]}


def test_what_was_not_measured_is_neither(frames_of) -> None:
    loaded = frames_of(app=trivy(finding(FixedVersion="2")))
    table = fixes.split(loaded.findings, missing_image(loaded.images, "lost"), Lens())
    assert table[table["variant"].eq("lost")]["count"].isna().all()
    assert "- **lost**: not measured" in fixes.sentence(table, Lens())
    assert fixes.headline(table, Lens()) == "Fixable findings: app 1 of 1, lost not measured"
    lost = table[table["variant"].eq("lost")]
    assert fixes.headline(lost, Lens()) == "Fixable findings: nothing measured"


def test_a_headline_leaves_to_the_footer_what_the_lens_is_besides(blog: Frames) -> None:
    lens = Lens(severity="nvd", place="os")
    told = fixes.headline(fixes.split(blog.findings, blog.images, lens), lens)
    assert told == "Fixable findings: nodejs-alpine 48 of 48, nodejs-distroless 0 of 19"


def test_by_place_is_os_tools_and_app_and_adds_up(rebuilt: Frames) -> None:
    table = fixes.by_place(rebuilt.findings, rebuilt.images, Lens("vulnerabilities"))
    assert table["part"].unique().tolist() == ["os", "tools", "app"]
    assert parts(table) == {
        "node-24-debian": [25, 0, 7],
        "node-24-alpine": [0, 0, 7],
        "node-24-distroless": [7, 0, 7],
        "node-8-distroless": [7, 0, 7],
    }
    findings = fixes.by_place(rebuilt.findings, rebuilt.images, Lens())
    assert findings["count"].sum() == len(rebuilt.findings)
    told = fixes.place_headline(table, Lens("vulnerabilities"))
    assert told.startswith("Not in OS packages (vulnerabilities): node-24-debian 7 of 32, ")


def test_tools_of_the_base_are_a_place_of_their_own(frames_of) -> None:
    npm = finding(2, PkgPath="usr/local/lib/node_modules/npm/node_modules/tar/package.json")
    result = {"Target": "Node.js", "Class": "lang-pkgs", "Type": "node-pkg"}
    report = trivy(finding(1))
    report["Results"].append({**result, "Vulnerabilities": [npm, finding(3, PkgPath="app/a")]})
    loaded = frames_of(app=report)
    table = fixes.by_place(loaded.findings, loaded.images, Lens())
    assert parts(table) == {"app": [1, 1, 1]}
    assert fixes.place_headline(table, Lens()) == "Not in OS packages (findings): app 2 of 3"
    one = fixes.by_place(loaded.findings, loaded.images, Lens(place="tools"))
    assert one[["part", "count"]].to_numpy().tolist() == [["tools", 1]]


def test_all_in_os_packages_is_said_so_as_far_as_reports_go(blog: Frames) -> None:
    table = fixes.by_place(blog.findings, missing_image(blog.images, "lost"), Lens())
    assert fixes.place_headline(table, Lens()) == (
        "All sit in OS packages, as far as the reports go: findings"
    )


def test_a_place_headline_names_what_was_not_measured(rebuilt: Frames) -> None:
    images = missing_image(rebuilt.images.iloc[:2], "lost")
    table = fixes.by_place(rebuilt.findings, images, Lens("vulnerabilities"))
    assert fixes.place_headline(table, Lens("vulnerabilities")) == (
        "Not in OS packages (vulnerabilities): node-24-debian 7 of 32, node-24-alpine 7 of 7, "
        "lost not measured"
    )


def test_what_came_with_the_base_where_layers_are_known(rebuilt: Frames, blog: Frames) -> None:
    assert fixes.base_sentence(rebuilt.findings, rebuilt.images).splitlines()[:2] == [
        f"- **node-24-{base} findings came with the base image, 7 with the layers on top"
        for base in ("debian**: 67 of 74", "alpine**: 0 of 7")
    ]
    told = fixes.base_sentence(blog.findings, blog.images)
    assert "- **nodejs-alpine**: which layers are its base's is not known, so" in told


def test_findings_of_an_unknown_layer_are_told_apart_from_both(rebuilt: Frames) -> None:
    findings = rebuilt.findings[rebuilt.findings["variant"].eq("node-24-distroless")]
    unknown = findings["from_base"].mask(findings["from_base"].fillna(False))
    unknown.iloc[0] = True
    told = fixes.base_sentence(findings.assign(from_base=unknown), rebuilt.images)
    assert (
        "1 of 14 findings came with the base image, 7 with the layers on top; "
        "of 6 the layer is not known"
    ) in told


def test_a_clean_image_has_nothing_to_attribute(frames_of) -> None:
    clean = frames_of(app=trivy())
    images = missing_image(clean.images, "lost")
    assert fixes.base_sentence(clean.findings, images) == (
        "- **app**: nothing found\n- **lost**: not measured"
    )


def test_in_korean_headlines_and_sentences_are_korean(blog: Frames) -> None:
    with i18n.speaking("ko"):
        table = fixes.split(blog.findings, blog.images, Lens())
        told = fixes.sentence(table, Lens())
        headline = fixes.headline(table, Lens())
        base = fixes.base_sentence(blog.findings, blog.images)
    assert set(table["part"]) == {"fixable", "unfixed"}, "frames keep their words"
    assert headline == (
        "수정 가능한 발견 항목: nodejs-alpine 48건 중 48건, nodejs-distroless 19건 중 0건"
    )
    assert f"- **{DISTROLESS}**: 수정 가능 0건, 미수정 19건" in told
    assert "**관측할 수 없습니다**" in told
    assert "어느 레이어가 베이스의 것인지 알 수 없어" in base
