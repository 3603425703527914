"""What a fleet is made of: lists, folders and files, whatever they hold."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.errors import StudyInvalid
from helpers.fleet_capture import fleet_list
from helpers.fleet_capture.fleet_list import Entry, entries
from tests.support import image_archives as images

SBOM = '{"bomFormat": "CycloneDX"}'


def catalog(address: str) -> list[Entry]:
    return [Entry(f"{address}all:1", "image")]


def read(source: str) -> list[Entry]:
    return [*entries(source, catalog)]


def test_a_list_has_references_files_folders_and_catalogs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = images.docker_save(tmp_path / "saved.tar", b"")
    (tmp_path / "folder" / "below").mkdir(parents=True)
    for place in ("b.json", "below/a.cdx.json", ".hidden.json", "README.md"):
        (tmp_path / "folder" / place).write_text(SBOM)
    images.Layout().folder(tmp_path / "folder" / "layout")
    lines = [
        "\ufeffnode:8  ",
        "# none",
        "",
        "r.example/",
        str(archive),
        f"{tmp_path}/folder",
        "node:8",
    ]
    (tmp_path / "list").write_text("\r\n".join(lines))
    found = [
        (entry.name.removeprefix(f"{tmp_path}/"), entry.kind)
        for entry in read(str(tmp_path / "list"))
    ]
    expected = [
        ("node:8", "image"),
        ("r.example/all:1", "image"),
        ("saved.tar", "archive"),
        ("folder/b.json", "sbom"),
        ("folder/below/a.cdx.json", "sbom"),
        ("folder/layout", "archive"),
    ]
    assert found == expected
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"node:8\n")))
    assert read("-") == read("node:8") == [Entry("node:8", "image")]
    assert [entry.kind for entry in read(str(archive))] == ["archive"]


def test_what_is_no_image_is_named_with_its_reason_and_the_others_follow(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text('{"Results": []}')
    (tmp_path / "broken.json").write_text(SBOM[:10])
    lines = [
        b"../../etc/passwd\x1b[31m",
        b"a" * 10**6,
        b"no\xffde",
        b"NODE:8:9",
        str(report).encode(),
    ]
    (tmp_path / "list").write_bytes(b"\n".join([*lines, b"node:8"]))
    *bad, good = read(str(tmp_path / "list"))
    assert good == Entry("node:8", "image")
    assert len(bad) == len(lines)
    assert all(entry.problem and not entry.kind for entry in bad)
    assert all(entry.shown.isprintable() and len(entry.shown) <= 1000 for entry in bad)
    assert "scan report" in bad[-1].problem


def test_a_list_without_images_or_with_too_many_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "list").write_text("# none\n")
    with pytest.raises(StudyInvalid, match="contains no images"):
        read(str(tmp_path / "list"))
    for missing in ("missing.txt", "./missing", "missing.json"):
        with pytest.raises(StudyInvalid, match="no such file"):
            read(missing)
    monkeypatch.setattr(fleet_list, "MOST", 10)
    (tmp_path / "list").write_text("".join(f"node:{number}\n" for number in range(11)))
    with pytest.raises(StudyInvalid, match="more than 10 images"):
        read(str(tmp_path / "list"))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("registry.example:5000/team/", "registry-example-5000-team"),
        ("-", "fleet"),
        ("../../\x1b" + "x" * 100, "x" * 64),
    ],
)
def test_a_fleet_is_named_after_its_source(source: str, name: str) -> None:
    assert fleet_list.name_of(source) == name
