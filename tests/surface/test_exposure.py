"""Executables and vulnerabilities: held beside each other, and what a slimmer image would lose."""

import pandas as pd
import pytest

from helpers.frames import make
from helpers.sizes import file_groups
from helpers.studies.load import load_files, load_layers, load_study
from helpers.surface import app_process, exposure, tools
from helpers.surface.app_process import COULD_GO, NEEDED
from helpers.text import i18n
from helpers.vulnerabilities.lenses import FINDINGS, VULNERABILITIES, Lens
from tests.conftest import files_of, image_of, program


def findings(*rows: tuple[str, str]) -> pd.DataFrame:
    """Findings: an id and the OS package that it is in."""
    columns = {
        "vulnerability_id": [row[0] for row in rows],
        "package": [row[1] for row in rows],
        "variant": ["app"] * len(rows),
        "capture": [""] * len(rows),
        "severity": ["HIGH"] * len(rows),
    }
    return make("findings", columns)


NEEDS = pd.DataFrame(
    {
        "variant": ["app", "app"],
        "package": ["libc6", "bash"],
        "package_path": pd.array([pd.NA, pd.NA], dtype="str"),
        "place": ["os", "os"],
        "executables": pd.array([0, 2], dtype="Int64"),
        "libraries": pd.array([3, 0], dtype="Int64"),
        "need": [NEEDED, COULD_GO],
    }
)


def counted(*rows: tuple[str, str], lens: str = VULNERABILITIES) -> pd.DataFrame:
    return exposure.counted(findings(*rows), NEEDS, Lens(lens))


def test_each_finding_stands_beside_what_its_package_installed() -> None:
    table = counted(("CVE-1", "bash"), ("CVE-2", "libc6"), ("CVE-3", "unknown"))
    assert table["executables"].tolist()[:2] == [2, 0]
    assert table["libraries"].tolist()[:2] == [0, 3]
    assert table["part"].tolist() == [exposure.GOES, exposure.STAYS, exposure.STAYS]
    assert table["need"].tolist() == [COULD_GO, NEEDED, "not known"]


def test_each_finding_is_listed_with_what_its_package_installed() -> None:
    table = exposure.listing(counted(("CVE-1", "bash"), ("CVE-2", "libc6"), lens=FINDINGS))
    told = table[["vulnerability_id", "package", "executables", "libraries", "need"]]
    assert list(told.itertuples(index=False, name=None)) == [
        ("CVE-1", "bash", 2, 0, COULD_GO),
        ("CVE-2", "libc6", 0, 3, NEEDED),
    ]


def test_a_vulnerability_goes_only_if_every_package_that_has_it_could() -> None:
    rows = ("CVE-1", "bash"), ("CVE-1", "libc6"), ("CVE-2", "bash")
    assert counted(*rows)["part"].tolist() == [exposure.STAYS, exposure.GOES]
    assert counted(*rows, lens=FINDINGS)["part"].tolist() == [
        exposure.GOES,
        exposure.STAYS,
        exposure.GOES,
    ]


def test_totals_are_those_of_the_lens_and_add_up() -> None:
    files = files_of(program("bin/a"), program("bin/b"))
    table = counted(("CVE-1", "bash"), ("CVE-1", "libc6"), ("CVE-2", "bash"))
    totals = exposure.totals(table, NEEDS, files, image_of())
    assert totals.iloc[0].tolist() == [
        *("app", "scanned", 2, 0, 2, 2, 1, 0, 1),
        *(False, "libc6 3"),
    ]
    split = exposure.split(totals)
    assert split["part"].tolist() == [exposure.STAYS, exposure.PERHAPS, exposure.GOES]
    assert split["count"].tolist() == [1, 0, 1]


def test_an_image_that_was_not_scanned_has_no_count_and_one_without_files_no_split() -> None:
    files = files_of(program("bin/a"))
    lost = exposure.totals(counted(), NEEDS, files, image_of(status="failed"))
    assert lost[["count", "stays", "no_program", "not_linked"]].isna().all(axis=None)
    assert lost["binaries"].tolist() == [1]
    unseen = exposure.totals(counted(("CVE-1", "bash")), NEEDS, files_of(), image_of())
    assert unseen["count"].tolist() == [1]
    assert unseen[["binaries", "stays", "no_program", "not_linked"]].isna().all(axis=None)
    assert exposure.split(unseen).empty
    assert "its files are not known, or not which program" in exposure.slimmer(unseen, "findings")
    assert exposure.slimmer_headline(unseen, "x") == "What a slimmer image would lose is not known"
    assert exposure.sentence(unseen, counted(), "x").startswith("The files of two images are not")


@pytest.fixture(scope="module")
def rebuilt():
    study = load_study("rebuilt-2026")
    files, layers = load_files("rebuilt-2026"), load_layers("rebuilt-2026")
    grouped = file_groups.grouped(files, layers, study.images)
    needed = app_process.needs(grouped, study.images, study.packages)
    each = exposure.counted(study.findings, needed, Lens(VULNERABILITIES))
    return each, exposure.totals(each, needed, files, study.images), needed, files


def test_the_rebuilt_images_in_numbers(rebuilt) -> None:
    each, totals, _, files = rebuilt
    columns = ["variant", "binaries", "count", "stays", "no_program", "not_linked"]
    assert list(totals[columns].itertuples(index=False, name=None)) == [
        ("node-24-debian", 656, 32, 14, 4, 14),
        ("node-24-alpine", 20, 7, 7, 0, 0),
        ("node-24-distroless", 284, 14, 14, 0, 0),
        ("node-8-distroless", 284, 14, 14, 0, 0),
    ]
    assert totals["most_libraries"].tolist()[2:] == ["libc6 273", "libc6 273"]
    assert totals["blind"].tolist() == [False, True, False, False]
    numbers = tools.binaries(files)
    assert (totals["executables"] + totals["libraries"]).equals(totals["binaries"])
    assert totals["executables"].tolist() == numbers["executables"].tolist()
    assert exposure.by_package(each)["count"].sum() == totals["count"].sum()


def test_more_executables_and_libraries_went_with_more_but_more_executables_alone_did_not(
    rebuilt,
) -> None:
    each, totals, _, _ = rebuilt
    said = exposure.sentence(totals, each, "vulnerabilities")
    assert said.splitlines()[0] == (
        "- **node-24-debian**: 32 beside 279 executables and 377 shared libraries (libc6 273 of "
        "them); 11 of 32 in packages without an ELF file, such as JavaScript"
    )
    assert (
        "the one with more executables and libraries has more in 3 of 3 pairs; the one with more "
        "executables alone in 2 of 3 pairs"
    ) in said
    assert "What has no fix cannot be seen in **node-24-alpine**" in said
    assert exposure.headline(totals, "vulnerabilities") == (
        "Executables and libraries, and vulnerabilities: node-24-debian 656 and 32, "
        "the other 3 from 20 to 284 and from 7 to 14"
    )


def test_where_nothing_is_counted_nothing_could_go() -> None:
    totals = exposure.totals(counted(), NEEDS, files_of(program("bin/a")), image_of())
    assert exposure.slimmer(totals, "x").startswith("- **app**: nothing is counted that could go")
    assert exposure.slimmer_headline(totals, "x") == (
        "Slimmer images: no x are counted that could go"
    )


def test_what_a_slimmer_image_would_lose_is_called_an_upper_bound(rebuilt) -> None:
    _, totals, _, _ = rebuilt
    said = exposure.slimmer(totals, "vulnerabilities")
    assert said.startswith(
        "- **node-24-debian**: **at most 18 of 32 could go**: 14 in packages with programs that "
        "the app does not link, 4 in packages without a program; 14 are the app's own or in what"
    )
    assert "- **node-24-alpine**: none of 7 could go" in said
    assert "An upper bound" in said
    assert exposure.slimmer_headline(totals, "vulnerabilities") == (
        "Slimmer images, vulnerabilities: in node-24-debian at most 18 of 32 could go"
    )


def test_a_slimmer_image_of_the_same_app_has_no_more_than_what_stays(rebuilt) -> None:
    _, totals, _, _ = rebuilt
    by = totals.set_index("variant")
    assert by.loc["node-24-debian", "stays"] <= by.loc["node-24-distroless", "count"]


def test_pairs_that_are_equal_in_either_say_nothing_and_equal_images_are_one() -> None:
    table = pd.DataFrame({"binaries": [1, 2, 2, 2], "count": [5, 5, 7, 7]})
    assert exposure._agreement(table, "binaries") == "1 of 1 pair"


def test_in_korean_both_are_said(rebuilt) -> None:
    each, totals, _, _ = rebuilt
    with i18n.speaking("ko"):
        assert exposure.headline(totals, "취약점") == (
            "실행 파일과 라이브러리, 그리고 취약점: node-24-debian 656개와 32건, "
            "나머지 3개는 20~284 및 7~14"
        )
        said = exposure.sentence(totals, each, "취약점")
        slimmer = exposure.slimmer(totals, "취약점")
    assert "수정 버전이 없는 것을 볼 수 없는 이미지: **node-24-alpine**" in said
    assert slimmer.startswith("- **node-24-debian**: **32건 중 최대 18건이 없어질 수 있음**")
