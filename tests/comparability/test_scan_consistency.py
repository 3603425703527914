"""Images that were not scanned alike are refused, unless that is allowed; then it is marked."""

import re

import pandas as pd
import pytest

from helpers.comparability import scan_consistency
from helpers.comparability.scan_consistency import MIXED, SCANS
from helpers.errors import StudyInvalid
from helpers.frames import Frames, make
from helpers.text import i18n

DAY, OTHER_DAY = pd.Timestamp("2026-11-24", tz="UTC"), pd.Timestamp("2026-11-25", tz="UTC")
DIGEST, OTHER = "a" * 64, "b" * 64


def scanned(**second: object) -> Frames:
    """Two images of one capture that were scanned alike, except for columns of the second."""
    alike = {
        "capture": "2026-11",
        "status": "scanned",
        "scanner": "trivy",
        "scanner_version": "0.76.0",
        "db_updated_at": DAY,
        "db_sha256": DIGEST,
        "scanned_at": DAY,
    }
    rows = [{**alike, "variant": "a"}, {**alike, "variant": "b", **second}]
    columns = {column: [row[column] for row in rows] for column in rows[0]}
    return Frames(make("images", columns), make("findings", {}), make("packages", {}))


def text(images: pd.DataFrame) -> str:
    return scan_consistency.text(images).plain


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"scanned_at": OTHER_DAY},
        {"capture": "2026-12", "db_updated_at": OTHER_DAY, "db_sha256": OTHER},
        {"status": "failed", "scanner": None, "scanner_version": None, "db_updated_at": None},
        {"status": "missing", "db_sha256": OTHER},
        {"status": "not-looked", "db_updated_at": OTHER_DAY},
    ],
    ids=["all", "scan", "capture", "failed", "missing", "not-looked"],
)
def test_images_of_one_scanner_and_database_are_unchanged(other) -> None:
    frames = scanned(**other)
    assert scan_consistency.require(frames) is frames
    assert scan_consistency.mark(frames.images) == ""
    assert "all were scanned with one scanner" in text(frames.images).lower()


@pytest.mark.parametrize(
    ("other", "way"),
    [
        ({"db_sha256": OTHER}, "b with trivy 0.76.0, the database of 2026-11-24 (bbbbbbbbbbbb)\n"),
        ({"db_updated_at": OTHER_DAY}, "b with trivy 0.76.0, the database of 2026-11-25 (aaaa"),
        (
            {"db_updated_at": OTHER_DAY, "db_sha256": None},
            "b with trivy 0.76.0, the database of 2026-11-25\n",
        ),
        (
            {"db_updated_at": None, "db_sha256": None},
            "b with trivy 0.76.0, a database not recorded, on 2026-11-24\n",
        ),
        ({"scanner_version": "0.77.0"}, "b with trivy 0.77.0, the database of 2026-11-24 (aaaa"),
        ({"scanner_version": None}, "b with trivy of unknown version, the database of"),
        ({"scanner": "grype"}, "b with grype 0.76.0, the database of 2026-11-24 (aaaaaaaaaaaa)\n"),
        ({"status": "no-os", "scanner": "grype"}, "b with grype 0.76.0, the database of"),
        ({"status": "broken", "scanner": "grype"}, "b with grype 0.76.0, the database of"),
    ],
    ids="digest day day-alone unknown version no-version scanner no-os broken".split(),
)
def test_images_that_were_not_scanned_alike_are_refused_and_listed(other, way: str) -> None:
    frames = scanned(**other)
    first = "a with trivy 0.76.0, the database of 2026-11-24 (aaaaaaaaaaaa)"
    with pytest.raises(StudyInvalid, match=re.escape(f"\n  {first}\n  {way}")) as raised:
        scan_consistency.require(frames)
    assert str(raised.value).startswith("capture 2026-11 was not scanned alike, so its counts")
    found = text(frames.images)
    assert found.startswith("The images of capture 2026-11 were scanned with different scanners")
    assert f"• {first}\n• {way}" in found + "\n"


def test_allowed_they_are_marked(both) -> None:
    frames = scanned(db_sha256=OTHER)
    assert scan_consistency.require(frames, allow_mixed=True) is frames
    assert scan_consistency.mark(frames.images) == MIXED[SCANS]
    assert scan_consistency.mark(both.images) == ""


def test_images_of_unknown_databases_are_alike_if_scanned_on_one_day() -> None:
    unknown = {"db_updated_at": None, "db_sha256": None}
    frames = scanned(**unknown)
    none = frames.images["db_updated_at"].iloc[1]
    images = frames.images.assign(db_sha256=None, db_updated_at=none)
    assert scan_consistency.unlike(images) == []
    (found,) = scan_consistency.unlike(images.assign(scanned_at=[DAY, OTHER_DAY]))
    assert [way.scanned_on for way in found.ways] == ["2026-11-24", "2026-11-25"]
    named = images.assign(db_sha256=[DIGEST, OTHER])
    assert scan_consistency.unlike(named), "databases without a day differ by their digests"
    other = images.assign(scanned_at=images["db_updated_at"], scanner=["trivy", "grype"])
    with pytest.raises(StudyInvalid, match=r"b with grype 0\.76\.0, a database not recorded\n"):
        scan_consistency.require(frames._replace(images=other))


def test_variants_that_were_scanned_alike_stand_on_one_line() -> None:
    frames = scanned(db_sha256=OTHER)
    third = frames.images.iloc[[0]].assign(variant="c_c")
    images = pd.concat([frames.images, third], ignore_index=True)
    (found,) = scan_consistency.unlike(images)
    assert (found.code, found.capture) == (SCANS, "2026-11")
    assert {way.digest[0]: rows for way, rows in found.ways.items()} == {"a": [0, 2], "b": [1]}
    alone = frames._replace(images=images.assign(capture=""))
    with pytest.raises(StudyInvalid, match=r"^these images were not .*\n  a and c_c with trivy"):
        scan_consistency.require(alone)
    assert text(alone.images).startswith("The images were scanned with different scanners")


def test_each_mixed_capture_is_listed_and_no_other() -> None:
    parts = [scanned(), scanned(db_sha256=OTHER), scanned(scanner="grype")]
    images = [part.images.assign(capture=f"2026-{n}") for n, part in enumerate(parts)]
    frames = parts[0]._replace(images=pd.concat(images, ignore_index=True))
    with pytest.raises(StudyInvalid, match=r"^capture 2026-1 was"):
        scan_consistency.require(frames)
    assert [found.capture for found in scan_consistency.unlike(frames.images)] == [
        "2026-1",
        "2026-2",
    ]


def test_errors_are_english_in_every_language() -> None:
    frames = scanned(db_sha256=OTHER)
    with i18n.speaking("ko"):
        assert "2026-11-24 (bbbbbbbbbbbb) 데이터베이스" in text(frames.images)
        with pytest.raises(StudyInvalid, match="the database of 2026-11-24"):
            scan_consistency.require(frames)
