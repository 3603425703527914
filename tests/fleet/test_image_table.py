import pandas as pd
import pytest

from helpers import paths
from helpers.fleet import image_table
from tests.support import fleet_frames as fleets


def test_an_image_counts_once_by_its_id_with_the_newest_scan_and_all_references():
    reduced = fleets.images(
        {"name": "node:8", "image_id": "a", "scanned_at": "2026-01-01", "count": 3},
        {"name": "node:carbon", "image_id": "a", "scanned_at": "2026-02-01", "count": 5},
        # Newer, but it measured nothing.
        {
            "name": "node:8.9",
            "image_id": "a",
            "scanned_at": "2026-03-01",
            "status": "failed",
            "count": None,
        },
        {"name": "no-id", "count": 1},
        {"name": "no-id-too", "count": 1},
    )
    images = image_table.once(reduced)
    assert images["name"].tolist() == ["no-id-too", "no-id", "node:carbon"]
    kept = images.iloc[2]
    assert (kept["count"], kept["scans"]) == (5, 3)
    assert sorted(kept["references"].split()) == ["node:8", "node:8.9", "node:carbon"]
    assert image_table.uncounted(reduced, images) == {"node:8@0", "node:8.9@2"}


def test_of_a_tagged_reference_the_image_of_its_last_day_counts_and_of_one_day_all():
    def kept(*days, name="node:8", **more):
        rows = [{"name": name, "scanned_at": day, "count": 1, **more} for day in days]
        return len(image_table.once(fleets.images(*rows)))

    assert kept("2026-01-01T10:00", "2026-01-08T10:00") == 1
    assert kept("2026-01-01T10:00", "2026-01-01T12:00") == 2
    # The name of a file says nothing of an image.
    assert kept("2026-01-01", "2026-01-08", name="report") == 2
    both = [
        {"name": "node:8", "scanned_at": "2026-01-01", "count": 1, "architecture": "arm64"},
        {"name": "node:8", "scanned_at": "2026-01-08", "count": 1},
    ]
    assert len(image_table.once(fleets.images(*both))) == 2
    # The newer one could not be scanned.
    failed = {"name": "node:8", "scanned_at": "2026-01-09", "count": None, "status": "failed"}
    images = image_table.once(fleets.images(*both[1:], failed))
    assert images[images["measured"]]["scanned_at"].dt.day.tolist() == [8]


@pytest.mark.parametrize(
    ("system", "version", "references", "family", "app"),
    [
        ("debian", "9.3", "node:8.9.4-slim", "debian 9 slim", "node:8.9.4"),
        ("debian", "9.3", "node:8.9.4-stretch node:8-stretch", "debian 9", "node:8.9.4"),
        ("alpine", "3.19.1", "reg:5000/node:20-alpine3.19", "alpine 3.19", "reg:5000/node:20"),
        ("ubuntu", "22.04", "app:1.2-ubuntu-22.04", "ubuntu 22.04", "app:1.2"),
        # A word that names another release than the one that is there is no word of a base.
        ("ubuntu", "16.04", "ros:kinetic-perception", "ubuntu 16.04", "ros:kinetic-perception"),
        ("ubuntu", "22.10", "app:1-kinetic", "ubuntu 22.10", "app:1"),
        ("debian", "12", "distroless/base:1", "debian 12 distroless", "distroless/base:1"),
        ("debian", "12", "node:slim", "debian 12 slim", "node:latest"),
        ("debian", "12", "report", "debian 12", None),
        ("debian", "12", "node@sha256:00", "debian 12", None),
        ("debian", "12.1", "team/slim-api:1.2", "debian 12", "team/slim-api:1.2"),
        ("redhat", "8.10", "app:2-ubi8", "redhat 8", "app:2"),
        ("debian", "testing", "app:2-sid", "debian testing", "app:2"),
        ("", "", "app:2", image_table.NO_FAMILY, "app:2"),
    ],
)  # fmt: skip
def test_the_family_of_the_base_and_the_app_without_the_words_of_it(
    system, version, references, family, app
):
    found = references.split()
    assert image_table.family(system, version, found) == family
    assert image_table.app(system, version, found) == app


def test_a_family_of_which_nothing_is_found_is_not_clean_and_neither_is_an_image_without_system():
    images = image_table.once(
        fleets.images(
            {"name": "a:1", "os_family": "ubuntu", "os_version": "16.04"},
            {"name": "b:1", "os_family": "ubuntu", "os_version": "16.04"},
            # Under a lens nothing counts, but the database knows the family.
            {"name": "c:1", "found": 7},
            {"name": "d:1"},
            # The only one of its form: the database knows the release.
            {"name": "distroless/static:1"},
            {"name": "e:1", "status": "no-os", "os_family": None},
            {"name": "f:1", "status": "failed", "count": None},
        )
    )
    assert image_table.counted(images)["name"].tolist() == ["c:1", "d:1", "distroless/static:1"]
    assert image_table.uncounted(images, images) == {"a:1@0", "b:1@1", "e:1@5", "f:1@6"}
    assert images[images["unknown_to_db"]]["name"].tolist() == ["a:1", "b:1"]


def test_each_word_stands_once_and_names_a_release_of_a_system():
    words = pd.read_csv(paths.BASE_WORDS, keep_default_na=False)
    assert words["word"].is_unique
    assert (words["release"].eq("") | words["system"].ne("")).all()
