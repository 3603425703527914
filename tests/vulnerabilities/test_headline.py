"""A published number beside the same findings counted in other ways."""

from helpers import Comparison
from helpers.vulnerabilities import headline


def counted(study: str, capture: str = "") -> dict[str, list[int]]:
    table = Comparison(study, capture).vulnerabilities.headline().table
    return {way: [*rows["count"]] for way, rows in table.groupby("counted", sort=False)}


def test_the_published_number_is_the_first_row() -> None:
    assert counted("blog-2022") == {
        "published findings": [48, 19],
        "findings": [48, 19],
        "vulnerabilities": [25, 16],
        "findings with a fix": [48, 0],
        "vulnerabilities with a fix": [25, 0],
        "findings rated HIGH or CRITICAL": [34, 4],
        "findings, by the last capture": [49, 107],
    }


def test_of_the_last_capture_there_is_no_later_one() -> None:
    ways = counted("blog-2022", "2026-11")
    assert ways["findings"] == [49, 107]
    assert "findings, by the last capture" not in ways


def test_an_image_that_was_not_measured_has_no_count() -> None:
    c = Comparison("blog-2022")
    images = c.images.assign(status=["scanned", "failed"])
    found = c.findings[c.findings["variant"].eq("nodejs-alpine")]
    answer = headline.answer(found, images, c.published_numbers.head(0), None)
    assert answer.title == "Findings: 48 against not measured; with a fix 48 against not measured"
    assert answer.table["count"].isna().sum() == 5
