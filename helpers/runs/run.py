"""A run: papermill executes notebooks over a study or a fleet; files and a report are kept."""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import msgspec
import zmq
from tqdm import tqdm
from traitlets.config import Config

from helpers import __version__, paths, processes, whole
from helpers.errors import NoSpace, NotebookFailed, ParameterInvalid, disk_error
from helpers.runs import kernels, parameters, run_folder
from helpers.runs.kernels import Server
from helpers.studies.study import Study, open_study
from helpers.text import i18n
from helpers.text.i18n import t

LIBRARIES = ("jupyterlab", "pandas", "matplotlib", "docker", "papermill", "msgspec", "nbconvert")

Finish = Callable[[Path, Study, dict[str, Any]], Path]
"""Writes one more file into a run's folder, given the folder, the study and `run.json`'s record."""


def reproduce(
    study_name: str,
    given: Mapping[str, Any] | None = None,
    notebooks: Sequence[Path] | None = None,
    finish: Sequence[Finish] = (),
) -> Path:
    """Run the numbered notebooks over a study's recorded evidence; return the run's folder.

    `given` are parameters for the notebooks that have them; `finish` write more files, such as
    slides, at the end. Each language and look has a folder of its own. Everything is written
    beside the run's folder and moved there whole, with what stays of the last run
    (`run_folder.carry_over`). If a notebook fails, its executed copy is kept in a folder beside it
    (`<study>.failed`), the last good run stays, and `NotebookFailed` names the cell. Raises
    `StudyInvalid` and `ParameterInvalid` before any kernel starts; the former also if the images
    were not scanned alike and `mixed` is not given, or if the folder holds another study's run.
    """
    given = given or {}
    with kernels.server() as server:
        started = _started()
        study = open_study(study_name)
        values = parameters.of_run(study, given, list(notebooks or paths.notebooks()))
        typed = {name: value for each in values.values() for name, value in each.items()}
        if typed.get("source") != "live":
            _check_alike(study, bool(typed.get("mixed")))
        subject = _Subject(study_name, study_name, study.spoken, lambda: _captures(study))
        return _run(subject, given, values, finish, started, server)


def run_fleet(fleet: str, given: Mapping[str, Any], own: Mapping[str, Any], command: str) -> Path:
    """Run the notebook of fleets over one; return the run's folder, made as `reproduce` makes it.

    `own` are parameters that the run sets itself, `command` repeats it, without what is `given`.
    Raises `ParameterInvalid` and `StudyInvalid` before any kernel starts, and `NotebookFailed`.
    """
    with kernels.server() as server:
        started = _started()
        for name in (*own, "save_to"):
            if name in given:
                raise ParameterInvalid(f"parameter {name!r} is set by the run; leave it out")
        values = parameters.check(given, [paths.FLEET])
        values[paths.FLEET] |= {**own, "save_to": "."}
        subject = _Subject(
            fleet,
            f"fleet {fleet}",
            lambda: _About(fleet, t("Which base images should be moved first?")),
            lambda: {"command": command, "captures": {}},
        )
        return _run(subject, given, values, (), started, server)


class _About(NamedTuple):
    """What a page says that it is of."""

    title: str
    question: str


class _Subject(NamedTuple):
    """What a run is over: a study or a fleet.

    `name` is its folder's, `owner` whose that folder is. `spoken` returns what the page says that
    it is of, in the language that is spoken, and `evidence` that part of the run's record.
    """

    name: str
    owner: str
    spoken: Callable[[], Any]
    evidence: Callable[[], dict[str, Any]]


def _started() -> datetime:
    """Return when a run starts: now. Kernels get the data folder as an absolute path."""
    if "KIT_DATA" in os.environ:
        # Kernels have another working directory: a relative path would lead them elsewhere.
        os.environ["KIT_DATA"] = str(paths.data())
    return datetime.now(UTC)


def _run(
    subject: _Subject,
    given: Mapping[str, Any],
    values: Mapping[Path, dict[str, Any]],
    finish: Sequence[Finish],
    started: datetime,
    server: Server | None,
) -> Path:
    """Execute notebooks into a new folder, write what else is made, and move it to its place."""
    # Imported while the server imports what kernels need.
    from helpers.runs import html

    language = str(given.get("language", i18n.ENGLISH))
    look = {name: value for typed in values.values() for name, value in typed.items()}
    name = run_folder.name(subject.name, look)
    final, failed = paths.run(name), paths.run(f"{name}{run_folder.FAILED}")
    for place in (final, failed):
        run_folder.check(place, subject.owner)
    try:
        paths.runs().mkdir(parents=True, exist_ok=True)
        with whole.alone(paths.runs()):
            whole.clear_up(paths.runs())
        whole.clear_up()
        with whole.new_folder(final) as staged:
            (staged / "notebooks").mkdir()
            seconds, failures = _execute(values, staged, server)
            record = _record(subject, dict(given), started, seconds)
            with i18n.speaking(language):
                for write in [html.write, *([] if failures else finish)]:
                    write(staged, subject.spoken(), record)
            # Another run of the same study may end now, too.
            with whole.alone(paths.runs()):
                whole.clear_up(paths.runs())
                if not failures:
                    run_folder.discard(failed)
                kept = failed if failures else final
                _keep(kept, staged, record)
                whole.move(staged, kept)
    except OSError as error:
        raise disk_error(error, paths.runs()) from error
    if failures:
        copies = "\n".join(f"{kept / 'notebooks' / name}: {why}" for name, why in failures.items())
        raise NotebookFailed(f"{len(failures)} of {len(values)} notebooks failed.\n{copies}")
    return kept


def _check_alike(study: Study, allow_mixed: bool) -> None:
    """Raise `StudyInvalid` if images were not scanned alike: here, not in every notebook."""
    # A capture scans with one database; only reports from elsewhere may differ.
    if not allow_mixed and any(variant.kind == "report" for variant in study.variants):
        from helpers.comparability import scan_consistency
        from helpers.studies import load

        scan_consistency.require(load.load_study(study.name, "all"))


def _execute(
    values: Mapping[Path, dict[str, Any]], folder: Path, server: Server | None
) -> tuple[dict[str, float], dict[str, str]]:
    """Execute notebooks side by side; return seconds and failures by notebook name."""
    from papermill.exceptions import PapermillExecutionError
    from papermill.log import logger as papermill_log

    seconds: dict[str, float] = {}
    failures: dict[str, str] = {}
    cells = sum(map(_code_cells, values))

    def execute(path: Path) -> None:
        begin = time.monotonic()
        try:
            execute_one(path, values[path], folder, lambda **_: bar.update(1), server)
        except PapermillExecutionError as error:
            failures[path.name] = f"cell {error.cell_index}: {error.ename}: {error.evalue}"
        except Exception as error:
            if isinstance(error, OSError) and isinstance(disk_error(error, folder), NoSpace):
                raise
            failures[path.name] = f"the kernel stopped ({type(error).__name__}: {error})"
        seconds[path.name] = round(time.monotonic() - begin, 2)
        _forget_paths(folder / "notebooks" / path.name)

    # Its usual lock is for processes too: from Python 3.14 on it starts one that outlives the run.
    tqdm.set_lock(RLock())
    workers = min(len(values), 2 * (os.cpu_count() or 1))
    with (
        tqdm(total=cells, unit="cell", desc="notebooks", disable=None, leave=False) as bar,
        processes.threads(workers) as pool,
    ):
        try:
            # The notebook that captures runs first and alone: the others need its capture.
            first = [path for path, given in values.items() if given.get("source") == "live"]
            list(pool.map(execute, first))
            others = [path for path in values if path not in first]
            if first and not failures:
                newest = open_study(str(values[first[0]]["study"])).captures()[-1]
                for path in others:
                    values[path]["capture"] = newest
            # The longest first, or it runs alone at the end while other processors are idle.
            list(pool.map(execute, sorted(others, key=_code_cells, reverse=True)))
        except BaseException:
            if server:
                # Threads end once they notice that their kernels have ended. Each would log that.
                papermill_log.disabled = True
                server.close()
                pool.shutdown(cancel_futures=True)
                papermill_log.disabled = False
            raise
    return seconds, {path.name: failures[path.name] for path in values if path.name in failures}


def execute_one(
    path: Path,
    values: Mapping[str, Any],
    folder: Path,
    on_cell: Any = None,
    server: Server | None = None,
) -> None:
    """Execute one notebook with `folder` as its working directory; keep the executed copy there.

    `on_cell` is called after each cell; with a `server` the kernel is forked from it.
    """
    import papermill

    with whole.temporary_folder("run") as sockets:
        papermill.execute_notebook(
            path,
            folder / "notebooks" / path.name,
            parameters=dict(values),
            progress_bar=False,
            # It saves after the last cell, and after one that fails.
            request_save_on_cell_execute=False,
            config=_kernel(sockets),
            # The kernel has no state to save.
            shutdown_kernel="immediate",
            # Not papermill's cwd: that changes the directory of this process, under all threads.
            resources={"metadata": {"path": str(folder)}},
            **({"on_cell_complete": on_cell} if on_cell else {}),
            **({"kernel_manager_class": server.manager_class} if server else {}),
        )


def _kernel(sockets: str) -> Config:
    """Return how to connect to a kernel: by sockets in a folder, where the system has them.

    Kernels that start side by side on TCP sometimes choose the same port, and one of them dies.
    It is used where the path of a socket is too long: a kernel cannot be reached there, and what
    is left of the attempt blocks this process for ever when it is collected as garbage.
    """
    # Jupyter's own place is that for all temporary files, where a killed run would leave the key.
    manager = {"connection_file": f"{sockets}/connection.json"}
    longest = f"{sockets}/kernel-5"
    if not zmq.has("ipc") or len(os.fsencode(longest)) > zmq.IPC_PATH_MAX_LEN:
        return Config({"KernelManager": {**manager, "transport_encryption": "auto"}})
    return Config({"KernelManager": {**manager, "transport": "ipc", "ip": f"{sockets}/kernel"}})


def _forget_paths(executed: Path) -> None:
    """Remove this machine's paths from papermill's metadata in an executed notebook."""
    if executed.exists():
        notebook = msgspec.json.decode(executed.read_bytes())
        metadata = notebook["metadata"].get("papermill", {})
        metadata |= {"input_path": executed.name, "output_path": executed.name}
        text = msgspec.json.format(msgspec.json.encode(notebook), indent=1)
        executed.write_bytes(text + b"\n")


def _code_cells(path: Path) -> int:
    return sum(cell.cell_type == "code" for cell in parameters.cells(path))


def _record(
    subject: _Subject, given: dict[str, Any], started: datetime, seconds: dict[str, float]
) -> dict[str, Any]:
    """Return the record in `run.json`: what to repeat the run with, and the evidence it used."""
    return {
        "study": subject.owner,
        "parameters": given,
        "kit": __version__,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        **subject.evidence(),
        "started": started.replace(microsecond=0),
        "seconds": dict(sorted(seconds.items())),
    }


def _captures(study: Study) -> dict[str, Any]:
    """Return what repeats a run over a study, and the captures that there are."""
    captures = [study.facts(name) for name in study.captures()]
    return {
        "command": f"reproduce {study.name}",
        "captures": {
            facts.capture: {
                "scanner": facts.scanner,
                "scanner_version": facts.scanner_version,
                "db": facts.db,
                "captured_at": facts.captured_at,
            }
            for facts in captures
        },
    }


def _keep(old: Path, staged: Path, record: dict[str, Any]) -> None:
    """Bring what stays of an old run into a new one, and write its `run.json`."""
    made = run_folder.digests(staged)
    stays = run_folder.carry_over(old, staged)
    record |= {"made": made, "kept": stays.kept, "renamed": stays.renamed}
    text = msgspec.json.format(msgspec.json.encode(record), indent=2)
    (staged / run_folder.RECORD).write_bytes(text + b"\n")
