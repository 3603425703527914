import pytest

from helpers.errors import TableInvalid
from helpers.fleet import groups, image_table, labels, pairs, totals
from tests.support import fleet_frames as fleets


@pytest.fixture
def read(tmp_path):
    def of(text):
        path = tmp_path / "images.csv"
        path.write_text(text)
        return labels.read(path)

    return of


def test_labels_pair_images_that_names_do_not_and_one_image_may_be_two_apps(read):
    scans = fleets.images(
        {"name": "mariadb:11", "count": 9, "file": "in/mariadb/original.json"},
        {"name": "redis:7", "count": 5, "file": "in/redis/original.json"},
        {"name": "reg.io/x/mariadb", "count": 1, "image_id": "sha256:a", "file": "in/a.json"},
        {"name": "other:1", "count": 3},
    )
    said = labels.of(
        scans,
        read(
            "file,app,base\nmariadb/*.json,,\n*/mariadb/original.json,db,plain\n"
            "redis/original.json,cache,plain\na.json,db,small\na.json,cache,small\n"
        ),
    )
    images = image_table.once(scans, said)
    found = pairs.found(images)
    assert found[["app", "first", "second", "difference"]].to_numpy().tolist() == [
        ["cache", "plain", "small", -4],
        ["db", "plain", "small", -8],
    ]
    # Both are of one image, so that they say no more than one of them.
    assert groups.of(found, {}).nunique() == 1
    # It counts once, and is two entries of the list of apps.
    table = totals.table(images).set_index("family")
    small = table.loc["small"]
    assert (small["images"], small["entries"], small["count"]) == (1, 2, 1)
    assert images.set_index("name").loc["other:1", "app"] == "other:1"


@pytest.mark.parametrize(
    ("key", "value"),
    [("reference", "node:8"), ("reference", "nod?:8"), ("digest", "sha256:1"), ("file", "b.json")],
)
def test_a_key_is_a_file_a_reference_a_glob_or_a_digest(read, key, value):
    facts = {"image_id": "sha256:1", "file": "a/b.json", "references": "node:carbon node:8"}
    scans = fleets.images({"name": "node:carbon", "count": 1, **facts})
    given = read(f"{key},group\n{value},web\nnothing,none\n")
    assert labels.of(scans, given)["group"].tolist() == ["web"]
    assert labels.unused(scans, given) == ["nothing"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("image,app\na,b\n", "its columns are image, app"),
        ("file,size\na,b\n", "some of app, base, group, owner"),
        ("file,app\n,b\n", "'file' is empty in line 2"),
    ],
)
def test_labels_without_a_key_or_a_field_are_refused_by_name(read, text, told):
    with pytest.raises(TableInvalid, match=told) as caught:
        read(text)
    assert "images.csv" in str(caught.value)


def test_images_of_a_study_are_named_by_their_bases(tmp_path):
    path = tmp_path / "images.csv"
    path.write_text(
        "reference,app,base\nmariadb:11,mariadb,debian\n*/chainguard/mariadb*,mariadb,wolfi\n"
        "redis:7,redis,debian\n"
    )
    images = ["mariadb:11", "cgr.example/chainguard/mariadb:1", "mine=mariadb:11", "other:1"]
    assert labels.named(images, path) == [
        "debian=mariadb:11",
        "wolfi=cgr.example/chainguard/mariadb:1",
        "mine=mariadb:11",
        "other:1",
    ]
    with pytest.raises(TableInvalid, match=r"different apps \(mariadb, redis\)"):
        labels.named(["mariadb:11", "redis:7"], path)
