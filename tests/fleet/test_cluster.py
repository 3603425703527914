"""Workers, schedulers, disks and runs that end in the middle: nothing is lost or counted twice."""

import errno
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import distributed
import psutil
import pytest

from helpers import paths
from helpers.errors import ClusterFailed, NoSpace
from helpers.fleet import cluster, engine, reading, tasks
from helpers.fleet.cluster import Cluster
from tests.support import fleets

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scans(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fleets.unpacked(shared, tmp_path_factory.mktemp("many"))


@pytest.fixture(scope="module")
def expected(scans: Path) -> fleets.Plain:
    return fleets.plain(scans.rglob("*.json"))


@pytest.fixture
def parts(data: Path) -> Callable[[], int]:
    """Says how many parts of the fleet `f` there are."""
    return lambda: len(fleets.parts(paths.fleet("f")))


def _kill(process: psutil.Process | subprocess.Popen[Any] | int) -> None:
    os.kill(process if isinstance(process, int) else process.pid, signal.SIGKILL)


def test_a_scan_that_kills_each_worker_is_a_failed_image(tmp_path: Path, data: Path) -> None:
    from distributed.diagnostics.plugin import WorkerPlugin

    class Poisoned(WorkerPlugin):  # type: ignore[misc]
        def setup(self, worker: Any) -> None:
            import os
            import signal

            from helpers.scans import reports

            whole = reports.text

            def read(path: str) -> Any:
                if str(path).endswith("app-00001.json"):
                    os.kill(os.getpid(), signal.SIGKILL)
                return whole(path)

            reports.text = read  # type: ignore[assignment]

    folder = fleets.reports(tmp_path / "scans", 2)
    with cluster.open(workers=1) as opened:
        opened.client.register_plugin(Poisoned())
        done = reading.read(str(folder), "f", opened)
    assert (done.new, done.failed) == (2, 1)
    images = fleets.Here(done.store).frame("images")
    [reason] = images.loc[images["status"].eq("failed"), "reason"]
    assert "worker" in reason
    assert any("app-00001.json" in problem for problem in done.problems)


def _dying(once: Path, stage: str) -> Any:
    """A plugin that kills the first worker that comes to some stage of reading a batch."""
    from distributed.diagnostics.plugin import WorkerPlugin

    class Dying(WorkerPlugin):  # type: ignore[misc]
        def die(self) -> None:
            import os
            import signal

            try:
                os.close(os.open(once, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)

        def setup(self, worker: Any) -> None:
            from pathlib import Path

            from helpers.fleet import store
            from helpers.scans import reports

            def before(owner: Any, name: str) -> None:
                whole = getattr(owner, name)

                def dies(*given: Any, **more: Any) -> Any:
                    self.die()
                    return whole(*given, **more)

                setattr(owner, name, dies)

            if stage == "computing":
                before(reports, "text")
            elif stage == "writing":
                import pyarrow.parquet

                before(pyarrow.parquet, "write_table")
            elif stage == "moving":
                before(store.Path, "rename")
                assert store.Path is Path

        def transition(self, key: str, start: str, finish: str, **_: Any) -> None:
            # Calls of the kit, and none that the test makes.
            if key.startswith("read-") and (start, finish) == {
                "receiving": ("released", "waiting"),
                "returning": ("executing", "memory"),
            }.get(stage):
                self.die()

    return Dying()


STAGES = ("receiving", "computing", "writing", "moving", "returning")


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_that_dies_at_any_stage_loses_nothing(
    stage: str, tmp_path: Path, data: Path
) -> None:
    folder, once = fleets.reports(tmp_path / "scans", 6), tmp_path / "died"
    with cluster.open(workers=1) as opened:
        opened.client.register_plugin(_dying(once, stage))
        done = reading.read(str(folder), "f", opened)
    assert once.exists()
    assert (done.new, done.failed) == (6, 0)
    assert "1 workers ended" in done.problems[0]
    assert fleets.store_counts(done.store) == fleets.plain(folder.rglob("*.json"))
    assert not [*paths.fleet("f").glob("parts/.*.part")]


def _deaf() -> Any:
    """A plugin of workers that are there, and to which each call is lost."""
    from distributed.diagnostics.plugin import WorkerPlugin

    class Deaf(WorkerPlugin):  # type: ignore[misc]
        def setup(self, worker: Any) -> None:
            worker.stream_handlers["compute-task"] = lambda **_: None

    return Deaf()


def test_calls_that_no_worker_works_on_are_made_again_on_another_cluster(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A few signs are enough. More starts than are needed change no result.
    monkeypatch.setattr(tasks, "_SIGNS", 3)
    monkeypatch.setattr(tasks, "_STARTS", 20)
    folder = fleets.reports(tmp_path / "scans", 6)
    with cluster.open(workers=2) as opened:
        first = opened.client.scheduler.address
        opened.client.register_plugin(_deaf())
        done = reading.read(str(folder), "f", opened)
        assert opened.client.scheduler.address != first
        assert fleets.counted(engine.Dask(done.store, opened)) == fleets.plain(folder.iterdir())
    assert (done.new, done.failed) == (6, 0)


def test_calls_that_no_cluster_works_on_are_an_error_that_names_the_first(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_SIGNS", 3)
    monkeypatch.setattr(tasks, "_STARTS", 1)
    folder = fleets.reports(tmp_path / "scans", 2)
    restarted = Cluster.restart
    starts = []

    def restart(self: Cluster) -> None:
        restarted(self)
        self.client.register_plugin(_deaf())
        starts.append(self)

    monkeypatch.setattr(Cluster, "restart", restart)
    with cluster.open(workers=1) as opened:
        with pytest.raises(ClusterFailed, match=r"app-00000\.json .*did not start on it"):
            reading.read(str(folder), "f", opened)
        assert starts == [opened, opened]
        # Another's cluster is not started anew.
        with (
            cluster.open(opened.client.scheduler.address) as other,
            pytest.raises(ClusterFailed, match="restart your workers"),
        ):
            reading.read(str(folder), "g", other)
    assert starts == [opened, opened, other]


def _beats(*looks: str) -> list[bool]:
    """What a worker shows at each look: that it works, has nothing to do, or says nothing."""
    signs, beat, found = tasks._Signs(), 0, []
    for look in ("starts", *looks):
        beat += look != "silent"
        metrics = {"task_counts": {"executing": int(look == "works")}}
        workers = {"a": {"last_seen": beat, "metrics": metrics}}
        found.append(signs.are_of_no_work(workers))
    return found[1:]


def test_only_signs_of_life_say_that_a_worker_does_not_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "_SIGNS", 2)
    assert _beats("idle", "idle") == [False, True]
    # A busy machine, or a call that leaves no room for a heartbeat: it takes longer.
    assert not any(_beats(*["silent"] * 50, "idle"))
    assert not any(_beats("idle", "works", "idle", "works"))
    assert _beats("idle", "silent", "idle") == [False, False, True]


@pytest.fixture
def external(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[Any], subprocess.Popen[Any]]]:
    """A scheduler and a worker in processes of their own: the address, and both."""
    file = tmp_path / "scheduler.json"
    common = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": paths.ROOT}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0"]
    command += ["--no-dashboard", "--scheduler-file", str(file)]
    scheduler = subprocess.Popen(command, **common)  # type: ignore[call-overload]
    fleets.until(lambda: file.exists() and b"tcp://" in file.read_bytes())
    [address] = re.findall(r"tcp://[\d.:]+", file.read_text())
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny"]
    command += ["--no-dashboard", "--nthreads", "1", "--local-directory", str(tmp_path / "local")]
    worker = subprocess.Popen(command, **common)  # type: ignore[call-overload]
    try:
        yield address, scheduler, worker
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()


@pytest.mark.parametrize("which", ["scheduler", "worker"])
def test_a_cluster_that_ends_in_the_middle_leaves_what_was_read(
    which: str,
    scans: Path,
    expected: fleets.Plain,
    parts: Callable[[], int],
    external: Any,
    opened: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "_ALONE", 3)
    address, scheduler, worker = external
    victim = scheduler if which == "scheduler" else worker
    with (
        fleets.when(lambda: parts() >= 2, lambda: _kill(victim)) as killed,
        pytest.raises(ClusterFailed, match="Run the fleet again"),
        cluster.open(address) as other,
    ):
        reading.read(str(scans), "f", other)
    assert killed
    done = reading.read(str(scans), "f", opened)
    assert 0 < done.new < expected.images
    assert fleets.store_counts(done.store) == expected


def test_a_client_of_a_cluster_keeps_nothing_on_this_disk(
    tmp_path: Path, opened: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook's is killed with its kernel, and could not remove it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with cluster.open(opened.client.scheduler.address):
        assert not [*tmp_path.iterdir()]


def test_no_worker_runs_the_script_again_that_starts_the_cluster(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from helpers.fleet import cluster\n"
        "print('run')\n"
        "with cluster.open('', workers=2) as opened:\n"
        "    opened.replace()\n"
        "    print(opened.client.submit(lambda: 6 * 7).result(), __file__)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
    ran = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=paths.ROOT, env=environment
    )
    assert (ran.stdout, ran.stderr) == (f"run\n42 {script}\n", "")


def test_what_is_wrong_with_a_cluster_is_told(
    tmp_path: Path, opened: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_SECONDS", 1)
    with pytest.raises(ClusterFailed, match="no workers"), cluster.open("tcp://127.0.0.1:9"):
        pass
    with pytest.raises(ClusterFailed, match="no workers"), cluster.open("no-address"):
        pass
    # As on a machine that does not share the folder.
    monkeypatch.setattr(cluster, "_seen", _on_another_machine)
    with pytest.raises(ClusterFailed, match="cannot see"):
        opened.check(tmp_path)
    assert not [*tmp_path.iterdir()]


def test_a_disk_that_is_full_when_it_starts_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        try:
            raise OSError(errno.ENOSPC, "full", "/x")
        except OSError:
            # As Dask does when it closes what has not started.
            raise RuntimeError("Status.init")  # noqa: B904

    monkeypatch.setattr(distributed, "LocalCluster", full)
    with pytest.raises(NoSpace, match="disk is full"), cluster.open():
        pass


def _on_another_machine(path: str) -> tuple[str, bool]:
    from helpers.fleet import store

    return store.code(), False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted ({done.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_told_and_what_was_read_is_kept(
    scans: Path,
    expected: fleets.Plain,
    small_disk: Path,
    opened: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIT_DATA", str(small_disk))
    with pytest.raises(NoSpace, match="disk is full"):
        reading.read(str(scans), "f", opened)
    kept = len(fleets.parts(small_disk / "fleets" / "f"))
    assert kept
    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    done = reading.read(str(scans), "f", opened)
    assert 0 < done.new < expected.images
    assert fleets.store_counts(done.store) == expected


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_leaves_no_process_and_no_half_written_file(
    how: signal.Signals,
    scans: Path,
    expected: fleets.Plain,
    parts: Callable[[], int],
    tmp_path: Path,
    opened: Cluster,
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run = fleets.start(scans, "f", TMPDIR=str(scratch))
    fleets.until(lambda: parts() >= 2 or run.poll() is not None)
    assert run.poll() is None, run.communicate()
    started = fleets.descendants(run.pid)
    assert len(started) >= 2
    if how is signal.SIGINT:
        # Ctrl-C reaches all processes of a terminal.
        os.killpg(run.pid, how)
    else:
        run.send_signal(how)
    run.wait(30)
    fleets.until(lambda: not any(process.is_running() for process in started), 30)
    if how is signal.SIGINT:
        assert not [*scratch.iterdir()]
        assert not [*paths.fleet("f").glob("parts/.*.part")]
    done = reading.read(str(scans), "f", opened)
    assert 0 < done.new < expected.images
    assert fleets.store_counts(done.store) == expected
    assert not [*paths.fleet("f").glob("parts/.*.part")]
