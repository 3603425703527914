"""Executables and vulnerabilities: held beside each other, and what a slimmer image would lose."""

import pandas as pd

from helpers.frames import make
from helpers.surface import exposure
from helpers.surface.app_process import COULD_GO, NEEDED
from helpers.vulnerabilities.lenses import Lens
from helpers.vulnerabilities.once import FINDINGS, VULNERABILITIES
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


LENS = Lens(VULNERABILITIES)


def counted(*rows: tuple[str, str], lens: str = VULNERABILITIES) -> pd.DataFrame:
    return exposure.counted(findings(*rows), NEEDS, Lens(lens))


def test_each_finding_stands_beside_what_its_package_installed() -> None:
    table = counted(("CVE-1", "bash"), ("CVE-2", "libc6"), ("CVE-3", "unknown"))
    assert table["executables"].tolist()[:2] == [2, 0]
    assert table["libraries"].tolist()[:2] == [0, 3]
    assert table["part"].tolist() == [exposure.GOES, exposure.STAYS, exposure.STAYS]
    assert table["need"].tolist() == [COULD_GO, NEEDED, "not known"]


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
    answer = exposure.slimmer_answer(totals, LENS)
    assert "at most 1 of 2" in answer.title
    assert answer.table["part"].tolist() == [exposure.STAYS, exposure.PERHAPS, exposure.GOES]
    assert answer.table["count"].tolist() == [1, 0, 1]
    assert [part.values for part in answer.chart.series] == [[1.0], [0.0], [1.0]]


def test_an_image_that_was_not_scanned_has_no_count_and_one_without_files_no_split() -> None:
    files = files_of(program("bin/a"))
    lost = exposure.totals(counted(), NEEDS, files, image_of(status="failed"))
    assert lost[["count", "stays", "no_program", "not_linked"]].isna().all(axis=None)
    assert lost["binaries"].tolist() == [1]
    each = counted(("CVE-1", "bash"))
    unknown = exposure.totals(each, NEEDS, files_of(), image_of())
    assert unknown["count"].tolist() == [1]
    assert unknown[["binaries", "stays", "no_program", "not_linked"]].isna().all(axis=None)
    for answer in (exposure.slimmer_answer(unknown, LENS), exposure.answer(unknown, LENS)):
        assert (answer.table, answer.chart) == (None, None)


def test_pairs_that_are_equal_in_either_say_nothing_and_equal_images_are_one() -> None:
    table = pd.DataFrame({"binaries": [1, 2, 2, 2, 3], "count": [5, 5, 7, 7, 6]})
    assert exposure._agreement(table, "binaries") == "3 of 4 pairs"
