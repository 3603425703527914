"""Reading: what is new and nothing else, each image once, and a broken scan is a row."""

import gzip
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest

from helpers import paths
from helpers.errors import FleetInvalid
from helpers.fleet import cluster, image_table, overview, scans, store, tally
from helpers.fleet.reading import Reading
from tests.support import fleets
from tests.support.command_line import run

Read = Callable[..., Reading]
Counts = Callable[..., fleets.Plain]


def _frame(done: Reading, name: str) -> pd.DataFrame:
    return fleets.Here(done.store).frame(name).set_index("variant", drop=False)


def test_the_published_reports_give_the_counts_of_a_plain_loop(
    shared: Path, read: Read, counts: Counts
) -> None:
    done = read(shared / "corpus")
    images = _frame(done, "images")
    failed = images[images["status"].eq("failed")]
    assert {name.partition("@")[0] for name in failed["variant"]} >= {"harbor", "kubernetes"}
    assert failed["reason"].notna().all()
    expected = fleets.plain((shared / "corpus").rglob("*.json"))
    assert done.failed == expected.failed
    assert counts(shared / "corpus") == expected


def test_scans_in_an_archive_are_read_through_fsspec(
    shared: Path, tmp_path: Path, read: Read, counts: Counts
) -> None:
    files = sorted((shared / "corpus").rglob("*.json"))
    packed = tmp_path / "scans.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in files:
            archive.write(path, path.relative_to(shared / "corpus"))
    address = f"zip://::{packed}"
    assert counts(address) == fleets.plain(files)
    again = read(address)
    assert (again.new, again.known) == (0, again.store.images)
    file = _frame(again, "fleet")["file"].iloc[0]
    assert file.startswith("zip://")
    assert file.endswith(f"::{packed}")


@pytest.fixture(params=["zip", "http"])
def at_an_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Puts a folder where only an address leads to it."""
    with ExitStack() as stack:

        def put(folder: Path) -> str:
            if request.param == "http":
                return stack.enter_context(fleets.served(folder))
            packed = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
            return f"zip://::{packed}"

        yield put


def test_a_captured_fleet_at_an_address_is_read_as_one(
    tmp_path: Path, read: Read, at_an_address: Callable[..., str]
) -> None:
    folder = fleets.captured(tmp_path / "captured")
    here, there = read(folder), read(at_an_address(folder), "g")
    assert (there.store.images, there.failed) == (here.store.images, here.failed) == (5, 2)
    for frame, places in (("images", ["report"]), ("fleet", ["file"]), ("findings", [])):
        both = (_frame(done, frame).sort_index() for done in (here, there))
        # Without a scan, an image is told by where that should be.
        first, second = (
            one.drop(columns=["variant", *places]).reset_index(drop=True) for one in both
        )
        pd.testing.assert_frame_equal(first, second)
    names = {"gone:1", "lost:1", "one:1", "three:1", "two:1"}
    assert set(_frame(there, "fleet")["name"]) == names
    reasons = set(_frame(there, "images")["reason"].dropna())
    assert reasons == {"no such image", "its scan is missing. Capture it again"}


def test_only_what_is_new_is_read_and_what_is_gone_does_not_count(
    tmp_path: Path, read: Read, counts: Counts
) -> None:
    folder = fleets.reports(tmp_path / "scans", 6)
    assert read(folder)[1:3] == (6, 0)
    first, second, third, fourth, *_ = sorted(folder.iterdir())

    # Moved, copied, packed, changed, gone.
    first.rename(folder / "moved.json")
    shutil.copy(second, folder / "copied.json")
    third.write_text(third.read_text().replace("CVE-2024-0001", "CVE-2024-9999"))
    fourth.unlink()
    (folder / "packed.json.gz").write_bytes(gzip.compress((folder / "moved.json").read_bytes()))
    done = read(folder)
    assert (done.new, done.known) == (1, 4)
    fleet = _frame(done, "fleet")
    assert str(folder / "moved.json") in set(fleet["file"])
    assert str(first) not in set(fleet["file"])
    assert set(_frame(done, "images")["report"]) == set(fleet["file"])
    assert fleets.store_counts(done.store) == fleets.plain(folder.iterdir())
    assert counts(folder) == fleets.plain(folder.iterdir())

    # A scan that looks as before is not opened.
    path = folder / "moved.json"
    status = path.stat()
    path.write_bytes(b"x" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert read(folder)[1:4] == (0, 5, 0)


def test_a_broken_scan_is_a_row_and_is_looked_at_again_when_it_has_changed(
    tmp_path: Path, read: Read
) -> None:
    folder = fleets.reports(tmp_path / "scans", 3)
    whole = (folder / "app-00001.json").read_bytes()
    (folder / "app-00001.json").write_bytes(whole[: len(whole) // 2])
    (folder / "zipped.json.gz").write_bytes(gzip.compress(whole)[:-9])
    (folder / "nowhere.json").symlink_to(tmp_path / "no-such-file")
    (folder / "dangling.json").symlink_to(folder / "no-such-file")
    (folder / "table.json").write_text("a table")
    done = read(folder)
    assert done.failed == 4
    images = _frame(done, "images")
    reasons = {v.partition("@")[0]: r for v, r in images["reason"].dropna().items()}
    assert "cut off" in reasons["app-00001"]
    assert "gzip" in reasons["zipped"]
    assert "No such file" in reasons["dangling"]
    assert "not JSON" in reasons["table"]
    assert "links" in done.problems[0]

    assert read(folder)[1:4] == (0, 6, 4)
    (folder / "app-00001.json").write_bytes(whole)
    assert read(folder)[1:4] == (1, 5, 3)


def test_an_empty_list_of_results_is_no_clean_image(tmp_path: Path, read: Read) -> None:
    folder = fleets.reports(tmp_path / "scans", 1)
    (folder / "empty.json").write_text("[]")
    (folder / "null.json").write_text("null")
    images = image_table.once(fleets.Here(read(folder).store).reduced(tally.images()))
    assert [*image_table.counted(images)["name"]] == ["shop/app:0"]
    assert overview.failures(images)[["status", "images"]].to_numpy().tolist() == [["no-os", 2]]


def test_a_studys_scans_have_what_its_capture_knows(data: Path, read: Read) -> None:
    (data / "studies").symlink_to(paths.ROOT / "data" / "studies")
    images = _frame(read("rebuilt-2026"), "images")
    assert images["db_updated_at"].notna().all()
    assert images["capture"].ne("").all()
    assert images["size_compressed_bytes"].notna().any()
    assert read("rebuilt-2026").new == 0


@pytest.mark.parametrize(("scans", "name"), [("no-such-folder", "f"), (".", "a/b")])
def test_what_is_wrong_with_scans_is_told_before_a_cluster_starts(
    data: Path, monkeypatch: pytest.MonkeyPatch, scans: str, name: str
) -> None:
    monkeypatch.setattr(cluster, "open", None)
    done = run("fleet", "run", scans, "--name", name)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1


def test_another_run_on_the_same_fleet_is_refused(tmp_path: Path, read: Read) -> None:
    folder = fleets.reports(tmp_path / "scans", 2)
    read(folder)
    with store.locked(paths.fleet("f")), pytest.raises(FleetInvalid, match="another run"):
        read(folder)


@pytest.mark.parametrize("name", ["findings.parquet", "fleet.parquet", "read.jsonl"])
def test_what_is_damaged_is_made_anew(tmp_path: Path, read: Read, name: str) -> None:
    folder = fleets.reports(tmp_path / "scans", 4)
    done = read(folder)
    path = done.store.parts[0].folder / name
    os.truncate(path, path.stat().st_size // 2)
    if name != "read.jsonl":
        with pytest.raises(FleetInvalid, match="Run the fleet again"):
            fleets.store_counts(done.store)
    assert fleets.store_counts(read(folder).store) == fleets.plain(folder.iterdir())


@pytest.mark.parametrize("name", ["counted.jsonl", "places.jsonl"])
def test_damaged_bookkeeping_is_made_anew(tmp_path: Path, read: Read, name: str) -> None:
    folder = fleets.reports(tmp_path / "scans", 4)
    path = read(folder).store.folder / "parts" / name
    path.write_bytes(path.read_bytes()[:-5])
    (path.parent / "stray").mkdir()
    (path.parent / "file").touch()
    done = read(folder)
    assert done.new == 0
    assert fleets.store_counts(done.store) == fleets.plain(folder.iterdir())


def test_an_image_in_two_parts_counts_once(tmp_path: Path, read: Read) -> None:
    folder = fleets.reports(tmp_path / "scans", 4)
    done = read(folder)
    # As a worker that was given up may leave it, late.
    from helpers.fleet import batch, scans

    late = batch.Batch(scans.listing(str(folder)).scans[:2], done.store.folder / "parts")
    batch.read(late)
    assert fleets.store_counts(read(folder).store) == fleets.plain(folder.iterdir())


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"image": 1}\n', "not a captured fleet"),
        (b'{"image": ' + b"[" * 10**5 + b"\n", "not a captured fleet"),
        (
            b'{"image": "a", "references": [], "digest": "", "scan": "a\\u0000"}\n',
            "outside the folder",
        ),
    ],
)
def test_no_line_of_a_captured_fleet_is_lost(tmp_path: Path, line: bytes, problem: str) -> None:
    recorded = paths.ROOT / "data" / "fleets" / "official-2018"
    lines = (recorded / "images.jsonl").read_bytes().splitlines(keepends=True)[:2]
    (tmp_path / "images.jsonl").write_bytes(b"".join([*lines, line]))
    shutil.copy(recorded / "fleet.json", tmp_path)
    with pytest.raises(FleetInvalid, match=problem):
        scans.listing(str(tmp_path))
