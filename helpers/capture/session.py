"""Capture a study: one observation of all its variants, in parallel, all or nothing."""

import contextlib
import os
import shutil
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from helpers import __version__, own_file, paths, processes, progress, whole
from helpers.building import build
from helpers.capture import evidence, prune, record_exploitation, resolve, sharing, staging
from helpers.capture.gzip_sizes import GzipSizes
from helpers.capture.resolve import Tools
from helpers.containers.daemon import Daemon, connect
from helpers.errors import CaptureFailed, KitError, ScanFailed, StudyInvalid, disk_error
from helpers.images import metadata
from helpers.images.metadata import Smoke
from helpers.registry import pull
from helpers.registry.image_cache import ImageCache
from helpers.scanning import trivy_program
from helpers.scanning.hand_on_vex import given
from helpers.scanning.vulndb import VulnDb
from helpers.studies.study import (
    NONE,
    OTHERS,
    Captured,
    Database,
    Facts,
    Study,
    Variant,
    open_study,
)
from helpers.text.i18n import t

_MOST_LETTERS = 4_000
"""Recorded letters of an error; the last lines of a build log have some hundreds."""

_STEPS = 3
"""Steps of a variant besides its build: resolve, make evidence, keep."""


class Outcome(NamedTuple):
    """The result of a capture: its folder, and why variants failed or are broken.

    A broken variant was captured but did not answer when started. If `unchanged`, the folder is the
    previous capture's. `failed_bases` has the errors of bases, except those that a failed variant
    states. `not_scanned` says why images have no report, `missing` why EPSS scores (`epss`) or the
    KEV catalog (`kev`) were not recorded.
    """

    folder: Path
    failures: dict[str, str]
    broken: dict[str, str]
    unchanged: bool
    failed_bases: dict[str, str]
    not_scanned: str
    missing: dict[str, str]


def capture(
    study_name: str,
    name: str = "",
    db: Path | None = None,
    db_repository: str = "",
    java_db_repository: str = "",
    coverage: str = "",
    fresh: bool = False,
    images_from: str = "",
    epss: str = "",
    kev: str = "",
    vex: Sequence[Path] = (),
) -> Outcome:
    """Capture every variant of a study.

    `name` is today's date if empty. `db` is the folder of a vulnerability DB for an offline scan;
    without it Trivy's DB in the data folder is updated, from `db_repository` if given, and the Java
    DB once an image needs it. `coverage` says what a partial DB covers. `images_from` is where
    references are found: `registry`, `daemon`, or if empty a running daemon. `vex` adds documents
    to the study's own. `epss` and `kev` are files or addresses; if empty nothing is fetched, and
    `none` records that.

    Unchanged evidence of the newest capture is reused unless `fresh`. If all evidence, EPSS and KEV
    are unchanged, there is no new capture.

    A failed variant is recorded as failed, and the others continue. If all fail, nothing is
    recorded and `CaptureFailed` has the reasons. An invalid document or file raises its error
    before anything is captured. Captures are written atomically.
    """
    study = open_study(study_name)
    prune.finish(paths.study(study.name))
    staging.check_name(study, name)
    asked = record_exploitation.ask({"epss": epss, "kev": kev}, offline=db is not None)
    documents = given(study, vex)
    started = datetime.now(UTC).replace(microsecond=0)
    with ExitStack() as stack:
        stack.callback(ImageCache(paths.images_cache()).prune)
        staged = stack.enter_context(staging.stage(study))
        tools = _tools(study, images_from, db, db_repository, java_db_repository)
        if tools.db:
            stack.callback(tools.db.release)
        tools = tools._replace(vex=tuple(documents))
        if study.bases and isinstance(tools.daemon, Daemon):
            log = staged / paths.BASES_LOG
            is_only_one = partial(staging.is_only_one, study)
            failed = build.build_bases(tools.daemon, study.bases, log, is_only_one)
            tools = tools._replace(failed_bases=failed)
        previous = None if fresh else _previous_facts(study)
        facts = _facts(study, started, tools, coverage)
        reusable = previous if previous and _same_tools(facts, previous) else None
        captured = _capture_variants(study, tools, staged, reusable)
        tools.gzip_sizes.save()
        failures = {name: result.error for name, result in captured.items() if result.error}
        if len(failures) == len(captured):
            raise CaptureFailed(_joined(failures))
        bases = {tag: _without_local_paths(why) for tag, why in tools.failed_bases.items()}
        reasons = "\n".join(failures.values())
        bases = {tag: why for tag, why in bases.items() if why not in reasons}
        with progress.bar(t("EPSS scores and the KEV catalog"), 1):
            known = asked.known(staged)
        is_unchanged = all(result.unchanged_since for result in captured.values())
        if previous and is_unchanged and not record_exploitation.is_news(known, study, previous):
            folder = paths.capture(study.name, previous.capture)
            broken = _broken(study, folder)
            return Outcome(folder, {}, broken, True, bases, tools.no_scanner, known.missing)
        # The first image with Java archives downloads the Java DB.
        java = tools.db.java_updated_at() if tools.db else None
        used = structs.replace(facts.db, java_updated_at=java)
        facts = structs.replace(facts, variants=captured, db=used)
        record_exploitation.keep(known, staged)
        if earlier := study.captures():
            sharing.share(staged, paths.capture(study.name, earlier[-1]))
        # A parallel capture may take this name.
        with whole.alone(paths.study(study.name)):
            folder = staging.destination(study, name, started)
            record = own_file.record(structs.replace(facts, capture=folder.name), 2)
            (staged / paths.CAPTURE).write_bytes(record)
            staged.rename(folder)
    broken = _broken(study, folder)
    return Outcome(folder, failures, broken, False, bases, tools.no_scanner, known.missing)


def _tools(study: Study, images_from: str, db: Path | None, *repositories: str) -> Tools:
    """Return the daemon, scanner and DB that a study's sources need."""
    kinds = {variant.kind for variant in study.variants}
    daemon: Daemon | KitError | None = None
    on_daemon = kinds & {"dockerfile", "image"} or any(variant.base for variant in study.variants)
    if images_from == "registry":
        on_daemon = kinds & {"dockerfile"}
    if on_daemon or study.bases or not shutil.which("trivy"):
        try:
            daemon = connect()
            daemon.remove_leftovers()
        except KitError as error:
            daemon = error
    gzip_sizes, locks = GzipSizes(paths.gzip_sizes()), build.BuildLocks()
    cache = ImageCache(paths.images_cache())
    if kinds == {"report"}:
        return Tools(daemon, None, None, gzip_sizes, locks, {}, cache)
    try:
        scanner = trivy_program.find(daemon if isinstance(daemon, Daemon) else None)
    except ScanFailed as error:
        if error.reason != "no-scanner" or kinds & {"sbom"}:
            raise
        # Sizes and files are worth a capture without a scan.
        tools = Tools(daemon, None, None, gzip_sizes, locks, {}, cache, images_from)
        return tools._replace(no_scanner=str(error))
    vulndb = VulnDb(db or paths.trivy_cache(*repositories), db is not None, *repositories)
    with progress.bar(t("the vulnerability database"), 1):
        vulndb.refresh(scanner)
    return Tools(daemon, scanner, vulndb, gzip_sizes, locks, {}, cache, images_from)


def _capture_variants(
    study: Study, tools: Tools, staged: Path, previous: Facts | None
) -> dict[str, Captured]:
    """Capture the variants side by side; return their results."""
    scratch = staged / ".scratch"
    scratch.mkdir()
    try:
        with processes.threads(2 * (os.cpu_count() or 1)) as pool:
            running = {
                variant.name: pool.submit(
                    _capture_variant, study, variant, tools, staged, previous, position
                )
                for position, variant in enumerate(study.variants)
            }
            captured = {name: future.result() for name, future in running.items()}
    except BaseException:
        if isinstance(tools.daemon, Daemon):
            # If the daemon is gone, the next capture removes the rest.
            with contextlib.suppress(KitError):
                tools.daemon.remove_leftovers(current_too=True)
        raise
    shutil.rmtree(scratch)
    return captured


def _capture_variant(
    study: Study,
    variant: Variant,
    tools: Tools,
    staged: Path,
    previous: Facts | None,
    position: int,
) -> Captured:
    """Capture one variant into its folder; errors are in the result."""
    folder, scratch = staged / variant.name, staged / ".scratch" / variant.name
    folder.mkdir()
    scratch.mkdir()
    begin = time.monotonic()
    result, error_text = Captured(status="scanned", source=variant.kind), ""
    with progress.bar(variant.name, _STEPS, position) as bar:
        try:
            subject = resolve.identify(
                study, variant, tools, folder, build.show_steps(bar, variant.name)
            )
            result = structs.replace(
                result,
                reference=subject.reference,
                identity=subject.identity,
                settings=resolve.settings(study, variant, subject, tools.vex),
                builder=build.builder(variant.recipe) if variant.kind == "dockerfile" else "",
            )
            if previous and (reused := _reuse(study, variant, result, previous, folder)):
                return reused
            bar.update()
            if subject.found:
                layout = scratch / variant.name
                layout.mkdir()
                show = progress.show_bytes(bar, variant.name)
                pulled = pull.pull(subject.found, tools.cache, layout, show)
                subject = subject._replace(path=pulled)
            bar.set_description_str(t("{name}: scan, read, start", name=variant.name))
            taken = evidence.take(variant, subject, tools, folder, scratch)
            bar.update()
            result = structs.replace(result, command=taken.command, missing=taken.missing)
        except KitError as error:
            source = paths.study(study.name) / variant.source
            error_text = _without_local_paths(str(error), source)
        except OSError as error:
            error_text = str(disk_error(error, staged))
        except Exception as error:
            # An unexpected error must not abort the other variants.
            traceback.print_exc()
            error_text = f"unexpected {type(error).__name__}: {error} (standard error has details)"
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    if error_text:
        result = structs.replace(result, status="failed", error=_recordable(error_text))
        # Of a failed variant only the build log is evidence.
        for path in folder.iterdir():
            if path.name != paths.LOG:
                path.unlink() if path.is_file() else shutil.rmtree(path)
    return structs.replace(result, seconds=round(time.monotonic() - begin, 2))


def _facts(study: Study, started: datetime, tools: Tools, coverage: str) -> Facts:
    """Return the record of a capture, still without its name and its variants."""
    recipes = [*study.bases, *(v.recipe for v in study.variants if v.kind == "dockerfile")]
    builder: dict[str, str] = {}
    if recipes and isinstance(tools.daemon, Daemon):
        # Without the daemon only what needs it fails.
        with contextlib.suppress(KitError):
            builder = build.described(tools.daemon, recipes)
    return Facts(
        study=study.name,
        capture="",
        captured_at=started,
        kit_version=__version__,
        scanner="" if tools.no_scanner else "trivy",
        scanner_version=tools.trivy.version if tools.trivy else "",
        scanner_is=_scanner_is(tools),
        db=tools.db.describe(coverage) if tools.db else Database(),
        builder=builder,
        variants={},
    )


def _scanner_is(tools: Tools) -> str:
    if tools.trivy:
        return tools.trivy.label()
    return NONE if tools.no_scanner else OTHERS


def _previous_facts(study: Study) -> Facts | None:
    """Return the record of the newest capture, if readable."""
    captures = study.captures()
    try:
        return study.facts(captures[-1]) if captures else None
    except StudyInvalid:
        return None


def _same_tools(facts: Facts, previous: Facts) -> bool:
    """Return whether two captures have the same scanner, DB and kit."""
    return all(
        getattr(facts, name) == getattr(previous, name)
        for name in ("scanner", "scanner_version", "scanner_is", "db", "kit_version")
    )


def _reuse(
    study: Study, variant: Variant, result: Captured, previous: Facts, folder: Path
) -> Captured | None:
    """Reuse a variant's evidence from the previous capture if unchanged."""
    before = previous.variants.get(variant.name)
    if before is None or any(
        getattr(before, name) != getattr(result, name)
        for name in ("status", "source", "identity", "settings")
    ):
        return None
    kept = paths.evidence(study.name, previous.capture, variant.name)
    if not evidence.is_complete(kept, before):
        return None
    # Evidence has no folders. `copytree` would recreate a folder that a stop has removed.
    for path in kept.iterdir():
        sharing.link(str(path), str(folder / path.name))
    since = before.unchanged_since or previous.capture
    return structs.replace(before, unchanged_since=since, reference=result.reference)


def _broken(study: Study, folder: Path) -> dict[str, str]:
    """Return why captured variants did not answer when started."""
    tests = {name: metadata.read(folder / name / paths.SMOKE, Smoke) for name in study.names()}
    return {name: smoke.why for name, smoke in tests.items() if smoke and smoke.answered is False}


def _without_local_paths(text: str, source: Path = Path()) -> str:
    """Return an error's text without the folders of data, Dockerfiles and an absolute source."""
    folders = [source.parent] if source.is_absolute() else []
    for folder in (*folders, paths.data(), paths.dockerfiles()):
        text = text.replace(f"{folder}{os.sep}", "")
    return text


def _recordable(text: str) -> str:
    """Return an error's text as valid JSON; an archive may have chosen its letters."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]} …"


def _joined(failures: dict[str, str]) -> str:
    """Return the reasons of all variants, or one if all are equal."""
    reasons = set(failures.values())
    if len(reasons) == 1:
        return reasons.pop()
    return "\n".join(f"{name}: {reason}" for name, reason in failures.items())
