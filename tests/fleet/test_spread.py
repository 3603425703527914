import pandas as pd

from helpers.fleet import image_table, spread
from helpers.frames import SEVERITY
from helpers.vulnerabilities.lenses import PLAIN
from tests.support import fleet_frames as fleets


def held(**columns):
    count = len(columns["vulnerability_id"])
    severity = pd.Series(["LOW"] * count, dtype=SEVERITY)
    return pd.DataFrame({**columns, "severity": severity, "images": 3})


def asked(package, named=3, beside_headers=3):
    """One vulnerability of two packages in three images, and one of the first alone in two."""
    in_packages = held(
        vulnerability_id=["CVE-1", "CVE-1", "CVE-2"],
        source_package=[package, "other", package],
        fixable=[3, 3, 2],
        named=named,
        beside_headers=beside_headers,
    )
    occurrences = held(vulnerability_id=["CVE-1", "CVE-2"], fixable=[3, 2])
    images = image_table.once(fleets.images(*({"name": f"a:{n}", "count": 2} for n in range(3))))
    return spread.updates_answer(in_packages, occurrences, images, PLAIN)


def test_a_vulnerability_of_two_packages_is_once_in_the_whole_and_alone_in_none():
    answer = asked("first")
    assert "5 of 5" in answer.title
    table = answer.table.set_index("source_package")
    assert table["fixes"].to_dict() == {"first": 5, "other": 3}
    assert table["alone"].to_dict() == {"first": 2, "other": 0}


def test_headers_of_a_kernel_come_last_however_much_they_fix():
    answer = asked("linux", beside_headers=[0, 3, 0])
    assert answer.table["source_package"].tolist() == ["other", "linux"]
    assert answer.table["fixes"].tolist() == [3, 5]
    assert answer.title == "Updating other fixes most of what runs: 3 of 5 (60%)"
    assert "linux would fix 5, but only headers" in answer.text.plain


def test_of_what_is_only_a_kernels_headers_the_figure_says_so():
    answers = [asked("linux", beside_headers=count) for count in (0, 1)]
    assert [one.table["headers"].iloc[0] for one in answers] == [True, False]
    assert [one.chart.rows[0][0] for one in answers] == ["linux (headers only)", "linux"]
    assert "(headers only)" in answers[0].title
