"""Files of images are in the cache whole or not at all, whatever a registry does."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.util.retry import Retry

from helpers.errors import NoSpace, RegistryFailed
from helpers.images import reference
from helpers.images.archive import open_archive
from helpers.images.oci import Descriptor
from helpers.registry import connections, image_cache
from helpers.registry.image_cache import ImageCache
from helpers.registry.pull import pull
from helpers.registry.repository import Repository
from tests.support import faulty_registry as faulty
from tests.support import image_archives as images
from tests.support.faulty_registry import Faulty


@pytest.fixture
def served() -> Iterator[Faulty]:
    with faulty.serving() as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> ImageCache:
    return ImageCache(tmp_path / "cache")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less between the tries: their number stays."""
    patient = connections._PATIENT.new(backoff_factor=0.01)
    monkeypatch.setattr(connections, "_PATIENT", patient)
    monkeypatch.setattr(image_cache, "_PAUSE_SECONDS", 0.0)


def read(served: Faulty, cache: ImageCache, folder: Path) -> Path:
    """Read the image into the cache and a new folder."""
    place = folder / f"layout-{time.monotonic_ns()}"
    place.mkdir()
    found = Repository(reference.parse(served.reference)).find()
    return pull(found, cache, place)


def kept(tmp_path: Path, name: str = "sha256") -> list[Path]:
    return sorted((tmp_path / "cache" / name).glob("*"))


def test_an_image_is_read_once_and_is_whole(
    served: Faulty, cache: ImageCache, tmp_path: Path
) -> None:
    for _ in range(2):
        layout = read(served, cache, tmp_path)
        with open_archive(layout) as archive:
            for layer in archive.layers:
                stream = archive.open_layer(layer)
                # Its end is where its DiffID is checked.
                while stream.read(2**20):
                    pass
    assert len(served.ranges()) == 1
    assert [path.name for path in kept(tmp_path)] == [images.digest(served.layer)[7:]]
    assert kept(tmp_path, "partial") == []


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (faulty.status(500), "returned 500"),
        (faulty.status(429), "too many requests"),
        (faulty.other_bytes, "does not match"),
        (faulty.truncated(at=1000), "ended too early"),
        (faulty.endless, "sent more than"),
        (faulty.reset, "broke off"),
    ],
    ids=["500", "429", "digest", "truncated", "endless", "gone"],
)
def test_a_fault_is_an_error_and_leaves_nothing_half(
    served: Faulty, cache: ImageCache, tmp_path: Path, fault: object, says: str
) -> None:
    served.fault = fault
    with pytest.raises(RegistryFailed, match=says) as failed:
        read(served, cache, tmp_path)
    assert str(failed.value).startswith(served.reference)
    assert kept(tmp_path) == []
    served.fault = None
    read(served, cache, tmp_path)
    assert [path.read_bytes() for path in kept(tmp_path)] == [served.layer]
    assert kept(tmp_path, "partial") == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_registry_is_asked_again(
    served: Faulty, cache: ImageCache, tmp_path: Path, status: int
) -> None:
    served.fault = faulty.status(status, times=2, Retry_After="0")
    read(served, cache, tmp_path)
    assert len(served.ranges()) == 3


def test_how_long_a_registry_may_make_it_wait_is_bounded() -> None:
    asked = Retry(total=1).new(retry_after_max=connections._PATIENT.retry_after_max)
    assert asked.parse_retry_after("86400") == 15


def test_a_broken_answer_is_taken_up_where_it_ended(
    served: Faulty, cache: ImageCache, tmp_path: Path
) -> None:
    served.fault = faulty.truncated(times=2, at=2**20)
    read(served, cache, tmp_path)
    assert served.ranges() == ["", f"bytes={2**20}-", f"bytes={2 * 2**20}-"]


def test_a_registry_without_ranges_starts_over(
    served: Faulty, cache: ImageCache, tmp_path: Path
) -> None:
    served.fault = faulty.truncated(at=10)
    with pytest.raises(RegistryFailed, match="download resumes"):
        read(served, cache, tmp_path)
    assert [path.stat().st_size for path in kept(tmp_path, "partial")] == [50]
    served.fault = faulty.no_ranges
    read(served, cache, tmp_path)
    assert [path.read_bytes() for path in kept(tmp_path)] == [served.layer]


def test_what_is_pruned_as_soon_as_it_is_in_its_place_is_read_again(
    served: Faulty, cache: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, times = Path.rename, iter(range(2))

    def pruned(part: Path, kept: Path) -> None:
        rename(part, kept)
        if part.parent.name == "partial" and next(times) == 0:
            cache.prune(0)

    monkeypatch.setattr(Path, "rename", pruned)
    read(served, cache, tmp_path)
    assert len(served.ranges()) == 2
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept(tmp_path)] == [0o444]


def test_what_was_damaged_before_is_read_anew(
    served: Faulty, cache: ImageCache, tmp_path: Path
) -> None:
    partial = tmp_path / "cache" / "partial" / images.digest(served.layer)[7:]
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 1000)
    read(served, cache, tmp_path)
    assert served.ranges() == ["bytes=1000-", ""]
    [file] = kept(tmp_path)
    file.chmod(0o644)
    file.write_bytes(b"rotten")
    with pytest.raises(RegistryFailed, match="removed the damaged copy"):
        read(served, cache, tmp_path)
    assert kept(tmp_path) == []
    layout = read(served, cache, tmp_path)
    [file] = kept(tmp_path)
    file.chmod(0o644)
    file.write_bytes(bytes(len(served.layer)))
    assert cache.forget_damaged(layout / "blobs" / "sha256") == [file.name]
    assert kept(tmp_path) == []


def test_a_registry_that_is_too_slow_is_given_up(
    served: Faulty, cache: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_cache, "_SLOW_SECONDS", 0.3)
    served.fault = faulty.slow(2000, after=2**20)
    with pytest.raises(RegistryFailed, match="too slow"):
        read(served, cache, tmp_path)
    served.fault = None
    read(served, cache, tmp_path)
    assert int(served.ranges()[-1].removeprefix("bytes=").rstrip("-")) >= 2**20


def test_a_killed_run_is_taken_up(
    served: Faulty, cache: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.fault = faulty.slow(100, after=2 * 2**20)
    program = (
        "import sys; from pathlib import Path; from helpers.images import reference\n"
        "from helpers.registry.repository import Repository\n"
        "from helpers.registry.pull import pull\n"
        "from helpers.registry.image_cache import ImageCache\n"
        "found = Repository(reference.parse(sys.argv[1])).find()\n"
        "pull(found, ImageCache(Path(sys.argv[2])), Path(sys.argv[3]))\n"
    )
    place = tmp_path / "killed"
    place.mkdir()
    arguments = [served.reference, tmp_path / "cache", place]
    process = subprocess.Popen([sys.executable, "-c", program, *map(str, arguments)])
    monkeypatch.undo()
    deadline = time.monotonic() + 30
    while sum(path.stat().st_size for path in kept(tmp_path, "partial")) < 2**20:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    served.fault = None
    read(served, cache, tmp_path)
    assert int(served.ranges()[-1].removeprefix("bytes=").rstrip("-")) >= 2**20
    assert [path.read_bytes() for path in kept(tmp_path)] == [served.layer]


@pytest.mark.parametrize(
    ("given", "kept_bytes"), [("1e-9", 0), ("inf", 10), ("-1", 10), ("nan", 10), ("x", 10)]
)
def test_a_limit_that_is_none_is_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, kept_bytes: int
) -> None:
    monkeypatch.setenv("KIT_CACHE_GB", given)
    cache = ImageCache(tmp_path / "cache")
    (tmp_path / "cache" / "sha256").mkdir(parents=True)
    (tmp_path / "cache" / "sha256" / "one").write_bytes(bytes(10))
    cache.prune()
    assert cache.size() == kept_bytes


def test_two_at_once_read_it_once(served: Faulty, cache: ImageCache, tmp_path: Path) -> None:
    threads = [threading.Thread(target=read, args=(served, cache, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(served.ranges()) == 1
    assert len([*tmp_path.glob("layout-*/index.json")]) == 4
    assert kept(tmp_path, "partial") == []


def test_an_unfinished_file_has_one_owner_however_often_it_comes_and_goes(
    cache: ImageCache, tmp_path: Path
) -> None:
    path = tmp_path / "cache" / "partial" / "one"
    path.parent.mkdir(parents=True)
    owners = []
    failures = []

    def work() -> None:
        try:
            for _ in range(500):
                with image_cache._locked(path):
                    owners.append(threading.get_ident())
                    assert len(owners) == 1
                    owners.pop()
                    path.unlink()
                cache.prune(0)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path / "cache")
    for folder in ("sha256", "partial"):
        (tmp_path / "cache" / folder).mkdir(parents=True)
    now = time.time()
    ages = {"sha256/new": 1, "sha256/old": 9, "partial/begun": 2, "partial/forgotten": 8 * 86400}
    # Who is killed when another run was faster leaves what is there whole.
    ages["partial/new"] = 0
    for name, age in ages.items():
        path = tmp_path / "cache" / name
        path.write_bytes(b"x" * 10)
        os.utime(path, (now - age, now - age))
    assert cache.size() == 50
    assert cache.prune(25) == 30
    assert {path.parent.name + "/" + path.name for path in (tmp_path / "cache").glob("*/*")} == {
        "sha256/new",
        "partial/begun",
    }
    (tmp_path / "cache" / "partial" / "empty").touch()
    assert cache.prune(0) == 20
    assert not [*(tmp_path / "cache").glob("*/*")]


def test_what_another_process_is_writing_is_not_pruned(cache: ImageCache, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "partial" / "held"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    with image_cache._locked(path):
        assert cache.prune(0) == 0
        assert path.exists()
    assert cache.prune(0) == 1


def test_a_layer_larger_than_the_disk_is_not_begun(
    served: Faulty, cache: ImageCache, tmp_path: Path
) -> None:
    huge = Descriptor(images.digest(b""), 2**60)
    with pytest.raises(NoSpace, match="Free some space"):
        cache.link(Repository(reference.parse(served.reference)), huge, tmp_path / "x")
    assert served.ranges() == []


def test_what_is_killed_when_it_is_moved_is_taken_up_by_anybody(
    served: Faulty, cache: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, place: Path) -> None:
        raise KeyboardInterrupt

    manifest = served.files["/v2/app/manifests/1"]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            cache.keep_small(images.digest(manifest), manifest)
        with pytest.raises(KeyboardInterrupt):
            read(served, cache, tmp_path)
    # Of a file that cannot be written only root goes on.
    assert all(path.stat().st_mode & stat.S_IWUSR for path in kept(tmp_path, "partial"))
    cache.keep_small(images.digest(manifest), manifest)
    read(served, cache, tmp_path)
    assert len(kept(tmp_path)) == 2
    assert kept(tmp_path, "partial") == []
