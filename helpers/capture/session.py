"""Captures a study: one observation of its variants, side by side, whole or not at all."""

import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil
from tqdm import tqdm

from helpers import __version__, paths
from helpers.capture import build, daemon, evidence, progress, resolve, staging, trivy_program
from helpers.capture.build_log import Step
from helpers.capture.gzip_sizes import Weights
from helpers.capture.resolve import Tools
from helpers.capture.vulndb import VulnDb
from helpers.errors import CaptureFailed, KitError, StudyInvalid
from helpers.images import metadata
from helpers.images.metadata import Smoke
from helpers.studies.study import Captured, Database, Facts, Study, Variant, open_study
from helpers.text.i18n import t

_PARTS = 3
"""Steps of a variant besides those of its build: to identify it, to take it apart, to keep it."""


class Outcome(NamedTuple):
    """What a capture came to: its folder, why variants failed, and which were broken when started.

    `unchanged`: all was as before, and the folder is that of the capture before; `bases`: why bases
    were not built, by their tags, as far as no failure of a variant tells it.
    """

    folder: Path
    failures: dict[str, str]
    broken: dict[str, str]
    unchanged: bool
    bases: dict[str, str]


def capture(
    study_name: str,
    name: str = "",
    db: Path | None = None,
    db_repository: str = "",
    java_db_repository: str = "",
    coverage: str = "",
    fresh: bool = False,
) -> Outcome:
    """Capture every variant of a study; return what it came to.

    `name` is today's date if empty. `db` is the folder of a vulnerability DB to scan against
    offline; without it, Trivy's own is brought up to date in the data folder, or the one that
    `db_repository` names, best by digest; in the same way the Java DB once an image needs it.
    `coverage` says what the DB covers, where it is not the full one. What has not changed since the
    newest capture is taken over from it, unless `fresh`; if nothing has, there is no new capture.

    A variant that fails is recorded as failed and the others go on; if all do, nothing is recorded
    and `CaptureFailed` says why. Everything is written beside its place and moved there whole.
    """
    study = open_study(study_name)
    staging.check_name(study, name)
    started = datetime.now(UTC).replace(microsecond=0)
    staged = staging.stage(study)
    try:
        tools = _tools(study, db, db_repository, java_db_repository)
        if study.bases and isinstance(tools.daemon, daemon.Daemon):
            log = staged / paths.BASES_LOG
            failed = build.build_all(tools.daemon, study.bases, log, _watched)
            tools = tools._replace(failed=failed)
        before = None if fresh else _before(study)
        facts = _facts(study, started, tools, coverage)
        captured = _captured(study, tools, staged, before if _as_before(facts, before) else None)
        tools.weights.keep()
        failures = {name: told.error for name, told in captured.items() if told.error}
        told_of = "\n".join(failures.values())
        untold = {tag: _shown(why, Path()) for tag, why in tools.failed.items()}
        untold = {tag: why for tag, why in untold.items() if why not in told_of}
        if len(failures) == len(captured):
            raise CaptureFailed(_every(failures))
        if before and all(told.unchanged_since for told in captured.values()):
            kept = paths.capture(study.name, before.capture)
            return Outcome(kept, {}, _broken(study, kept), True, untold)
        final = staging.place(study, name, started)
        # Some image may have been the first to need the Java DB.
        java = tools.db.java_updated_at() if tools.db else None
        used = msgspec.structs.replace(facts.db, java_updated_at=java)
        facts = msgspec.structs.replace(facts, capture=final.name, variants=captured, db=used)
        text = msgspec.json.format(msgspec.json.encode(facts), indent=2)
        (staged / "capture.json").write_bytes(text + b"\n")
        staged.rename(final)
    except OSError as error:
        raise staging.disk_error(error, staged) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Outcome(final, failures, _broken(study, final), False, untold)


def _tools(study: Study, db: Path | None, *repositories: str) -> Tools:
    """Return what a study's sources need of daemon, scanner and DB; a daemon may be missing."""
    kinds = {variant.kind for variant in study.variants}
    found: daemon.Daemon | KitError | None = None
    on_daemon = kinds & {"dockerfile", "image"} or any(variant.base for variant in study.variants)
    if on_daemon or study.bases or not shutil.which("trivy"):
        try:
            found = daemon.connect()
            found.clear()
        except KitError as error:
            found = error
    weights, turns = Weights(paths.weights()), build.Turns()
    if kinds == {"report"}:
        return Tools(found, None, None, weights, turns, {})
    scanner = trivy_program.find(found if isinstance(found, daemon.Daemon) else None)
    vulns = VulnDb(db or paths.trivy_cache(*repositories), db is not None, *repositories)
    with progress.bar(t("the vulnerability database"), 1):
        vulns.refresh(scanner)
    return Tools(found, scanner, vulns, weights, turns, {})


def _captured(
    study: Study, tools: Tools, staged: Path, before: Facts | None
) -> dict[str, Captured]:
    """Return what became of each variant; they are captured side by side."""
    scratch = staged / ".scratch"
    scratch.mkdir()
    pool = ThreadPoolExecutor(2 * (os.cpu_count() or 1))
    running = {
        variant.name: pool.submit(_one, study, variant, tools, staged, before, place)
        for place, variant in enumerate(study.variants)
    }
    try:
        captured = {name: future.result() for name, future in running.items()}
    except BaseException:
        # Whoever stops a capture does not want to wait for what it has under way.
        pool.shutdown(cancel_futures=True, wait=False)
        if isinstance(tools.daemon, daemon.Daemon):
            tools.daemon.clear(also_own=True)
        for child in psutil.Process().children(recursive=True):
            child.kill()
        raise
    pool.shutdown()
    shutil.rmtree(scratch)
    return captured


def _one(
    study: Study, variant: Variant, tools: Tools, staged: Path, before: Facts | None, place: int
) -> Captured:
    """Capture one variant into its folder; what goes wrong is in what is returned."""
    folder, scratch = staged / variant.name, staged / ".scratch" / variant.name
    folder.mkdir()
    scratch.mkdir()
    begin = time.monotonic()
    told = Captured(status="scanned", source=variant.kind)
    with progress.bar(variant.name, _PARTS, place) as bar:
        try:
            found = resolve.identify(study, variant, tools, folder, _steps(bar, variant.name))
            told = msgspec.structs.replace(
                told, reference=found.reference, identity=found.identity,
                settings=resolve.settings(study, variant, found.base[1]),
            )  # fmt: skip
            if before and (same := _unchanged(study, variant, told, before, folder)):
                return same
            bar.update()
            bar.set_description_str(t("{name}: scan, take apart, start", name=variant.name))
            taken = evidence.take(variant, found, tools, folder, scratch)
            bar.update()
        except KitError as error:
            error_text = _shown(str(error), paths.study(study.name) / variant.source)
            told = msgspec.structs.replace(told, status="failed", error=error_text)
        except OSError as error:
            full = str(staging.disk_error(error, staged))
            told = msgspec.structs.replace(told, status="failed", error=full)
        except Exception as error:
            # What nobody has thought of, the other variants need not suffer from.
            traceback.print_exc()
            strange = f"unexpectedly, {type(error).__name__}: {error} (standard error tells where)"
            told = msgspec.structs.replace(told, status="failed", error=strange)
        else:
            told = msgspec.structs.replace(told, command=taken.command, missing=taken.missing)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    if told.error:
        # What a failed variant left is no evidence; only the log of a build says why.
        for path in folder.iterdir():
            if path.name != paths.LOG:
                path.unlink() if path.is_file() else shutil.rmtree(path)
    return msgspec.structs.replace(told, seconds=round(time.monotonic() - begin, 2))


@contextmanager
def _watched(name: str) -> Iterator[Callable[[Step], None]]:
    """Give what shows the steps of a build on a progress bar of its own."""
    with progress.bar(name, _PARTS) as bar:
        yield _steps(bar, name)


def _steps(bar: tqdm, name: str) -> Callable[[Step], None]:
    """Return what shows the steps of a build on a progress bar."""

    def show(step: Step) -> None:
        bar.total = step.of + _PARTS
        bar.set_description_str(f"{name}: {step.instruction}")
        bar.update(step.number - bar.n)

    return show


def _facts(study: Study, started: datetime, tools: Tools, coverage: str) -> Facts:
    """Return what is to be recorded of a capture but for its name and its variants."""
    builds = isinstance(tools.daemon, daemon.Daemon) and (
        study.bases or any(variant.kind == "dockerfile" for variant in study.variants)
    )
    return Facts(
        study=study.name,
        capture="",
        captured_at=started,
        kit_version=__version__,
        scanner="trivy",
        scanner_version=tools.trivy.version if tools.trivy else "",
        scanner_is=tools.trivy.is_() if tools.trivy else "others",
        db=tools.db.told(coverage) if tools.db else Database(),
        builder=tools.ask().builder() if builds else {},
        variants={},
    )


def _before(study: Study) -> Facts | None:
    """Return what the newest capture says, if there is one that can be read."""
    captures = study.captures()
    try:
        return study.facts(captures[-1]) if captures else None
    except StudyInvalid:
        return None


def _as_before(facts: Facts, before: Facts | None) -> bool:
    """Return whether scanner, DB and kit are those of an earlier capture."""
    return before is not None and all(
        getattr(facts, name) == getattr(before, name)
        for name in ("scanner", "scanner_version", "scanner_is", "db", "kit_version")
    )


def _unchanged(
    study: Study, variant: Variant, told: Captured, before: Facts, folder: Path
) -> Captured | None:
    """Take a variant's evidence over from an earlier capture if nothing about it has changed."""
    then = before.variants.get(variant.name)
    kept = paths.evidence(study.name, before.capture, variant.name)
    same = then and (then.status, then.source, then.identity, then.settings) == (
        *("scanned", told.source, told.identity, told.settings),
    )
    if then is None or not same or not evidence.is_whole(kept, then):
        return None
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    since = then.unchanged_since or before.capture
    return msgspec.structs.replace(then, unchanged_since=since, reference=told.reference)


def _broken(study: Study, folder: Path) -> dict[str, str]:
    """Return why variants that were captured do not work."""
    started = {name: metadata.read(folder / name / paths.SMOKE, Smoke) for name in study.names()}
    return {name: smoke.why for name, smoke in started.items() if smoke and smoke.answered is False}


def _shown(text: str, source: Path) -> str:
    """Return an error's text without where this machine keeps its data, Dockerfiles or a source."""
    places = [source.parent] if source.is_absolute() else []
    for place in (*places, paths.data(), paths.dockerfiles()):
        text = text.replace(f"{place}{os.sep}", "")
    return text


def _every(failures: dict[str, str]) -> str:
    """Return why all variants failed, once if it is the same of all."""
    reasons = set(failures.values())
    if len(reasons) == 1:
        return reasons.pop()
    return "\n".join(f"{name}: {why}" for name, why in failures.items())
