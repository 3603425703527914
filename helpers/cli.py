"""The command line: `python -m helpers COMMAND`."""

import contextlib
import io
import os
import shlex
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from helpers import __version__, paths
from helpers.errors import KitError, NotWritten, ReportInvalid, disk_error
from helpers.text import escape


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="helpers")
def commands() -> None:
    """Compare the same app on several base images, from evidence to report."""


class _Run(click.Command):
    """A command that runs the notebooks: its help lists their parameters."""

    notebooks = staticmethod(paths.notebooks)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the parameters that `--param` takes, as the notebooks declare them."""
        from helpers.runs import parameters

        with formatter.section("Parameters"):
            formatter.write_dl([*parameters.described(self.notebooks())])


_PARAM = click.option(
    "--param",
    "-p",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the notebooks, see below; repeat the option for several.",
)


@commands.command(cls=_Run)
@click.argument("study", default="blog-2022")
@_PARAM
def reproduce(study: str, given: tuple[str, ...]) -> None:
    """Run the numbered notebooks over a STUDY's recorded evidence, and write its report."""
    values = _checked(study, given)
    from helpers.runs.run import reproduce

    _print_run(reproduce(study, values))


@commands.command(cls=_Run)
@click.argument("study", default="blog-2022")
@_PARAM
@click.option(
    "--template",
    "file",
    type=click.Path(path_type=Path),
    help="A PowerPoint file (.pptx or .potx) whose layouts, fonts and colours deck.pptx takes.",
)
def slides(study: str, given: tuple[str, ...], file: Path | None) -> None:
    """Run the notebooks over a STUDY like `reproduce`, and write slides."""
    values = _checked(study, given)
    from helpers.slides import pptx_deck, reveal, template

    if file:
        template.read(file)
    from helpers.runs.run import reproduce

    deck = partial(pptx_deck.write, file=file)
    folder = reproduce(study, values, finish=(deck, reveal.write))
    _print_run(folder)
    click.echo(f"deck     {_relative(folder / 'deck.pptx')}")
    click.echo(f"slides   {_relative(folder / 'slides.html')}")


_MIXED = click.option(
    "--mixed", is_flag=True, help="Allow different scanners or databases, and mark the results."
)


_FAILURES_SHOWN = 20
"""Images of a fleet whose reasons are printed: there may be thousands."""

_FILE = click.Path(dir_okay=False, path_type=Path)


def _publisher_options(envvar: str = "", default: str = "") -> Callable[[Any], Any]:
    """Return a decorator that adds options for files of EPSS and KEV, or their addresses."""
    what = {"epss": "EPSS scores of a day", "kev": "The KEV catalog"}

    def add(command: Any) -> Any:
        for name in reversed(what):
            command = click.option(
                f"--{name}",
                default="",
                metavar="FILE|ADDRESS",
                envvar=envvar + name.upper() if envvar else None,
                help=f"{what[name]}{default}.",
            )(command)
        return command

    return add


def _database_options(command: Any) -> Any:
    """Add the options for the vulnerability DB."""
    options = [
        click.option(
            "--db",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Trivy cache folder with a vulnerability DB to scan against, offline.",
        ),
        click.option(
            "--db-repository",
            default="",
            metavar="NAME@sha256:…",
            help="Repository of the vulnerability DB, instead of Trivy's default.",
        ),
        click.option(
            "--java-db-repository",
            default="",
            metavar="NAME",
            help="Repository of the Java DB, instead of Trivy's default.",
        ),
        click.option(
            "--coverage", default="", help="What the DB covers, if it is not the full one."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _db_options(command: Any) -> Any:
    """Add the options of a capture: the vulnerability DB, and what to capture again."""
    options = [
        _database_options,
        _publisher_options("KIT_", "; by default its publisher's, or `none` with --db"),
        click.option(
            "--vex",
            multiple=True,
            metavar="FILE",
            type=_FILE,
            help="A VEX document for Trivy, besides the study's; repeat the option for several.",
        ),
        click.option("--fresh", is_flag=True, help="Capture unchanged variants again, too."),
        click.option(
            "--from",
            "images_from",
            type=click.Choice(["registry", "daemon"]),
            default=None,
            callback=lambda _, __, value: value or "",
            help="Where references are found; by default on the daemon, if one answers.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@commands.command()
@click.argument("study")
@click.argument("name", default="")
@_db_options
def capture(study: str, name: str, **options: Any) -> None:
    """Capture a STUDY: build, scan, read and start its variants, and record the evidence.

    Without a NAME the capture is named by today's date.
    """
    if _capture(study, name, **options)[1]:
        raise SystemExit(1)


@commands.command()
@click.argument("study")
@_db_options
@_MIXED
def live(study: str, mixed: bool, **options: Any) -> None:
    """Capture a STUDY, then run the notebooks over it."""
    _live(study, mixed, options)


def _platforms(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> list[Any]:
    """Return the platforms of an option, which may have several with commas between them."""
    from helpers.images import oci

    try:
        return [oci.parse(text.strip()) for each in given for text in each.split(",")]
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _platform_option(more: str = "") -> Callable[[Any], Any]:
    """Return a decorator that adds the option for an image's platform; `more` ends its help."""
    return click.option(
        "--platform",
        "platforms",
        multiple=True,
        metavar="OS/ARCH",
        callback=_platforms,
        help=f"Which of an image's platforms, as in linux/arm64{more}.",
    )


@commands.command()
@click.argument("sources", nargs=-1, required=True, metavar="[NAME=]IMAGE…")
@click.option("--study", default="", help="The study's name; by default made of its images' names.")
@_platform_option("; several give a variant each")
@_db_options
@_MIXED
def compare(
    sources: tuple[str, ...], study: str, platforms: list[Any], mixed: bool, **options: Any
) -> None:
    """Make a study of image references, archives, SBOMs or reports; capture and run it.

    With NAME= an image is called so; else reports are named after the artifact that they name, and
    other images after their reference or file.
    """
    from helpers.capture.new_study import make_study, remove_unused

    name = make_study(sources, study, platforms)
    try:
        _live(name, mixed, options)
    finally:
        remove_unused(name)


@commands.group()
def fleet() -> None:
    """Many images: capture them, read their scans, and ask what moving them would change."""


@fleet.command("capture")
@click.argument("source", metavar="LIST")
@click.option("--name", default="", help="The fleet's name; by default that of LIST.")
@_platform_option("; several give an image each")
@_database_options
@click.option(
    "--jobs", type=click.IntRange(1), default=None, help="Scans at once; by default one a core."
)
@click.option(
    "--requests",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Requests at once to each registry.",
)
def fleet_capture(source: str, jobs: int | None, **options: Any) -> None:
    """Capture the images of LIST, each package list once, without a Docker daemon.

    LIST is a file with a reference, an archive or an SBOM a line (`-`: standard input), a folder of
    archives and SBOMs, or all that a registry has, as in registry.example/ or host:5000/project/.
    A line may be any of these.

    What is there already is not scanned again: after a stop, run it again. With another scanner or
    database all images are scanned again, and the fleet changes once they all are. The exit status
    is 1 if an image failed; failed ones are tried again by the next run.
    """
    from helpers.capture.fleet import capture

    done = capture(source, jobs=jobs or 0, **options)
    click.echo(
        f"{done.references:,} references are {done.images:,} images by digest, "
        f"with {done.lists:,} distinct package lists"
    )
    click.echo(
        f"{done.made:,} scans made, {done.kept:,} were there; {done.shared:,} images share "
        f"another's; {len(done.failed):,} failed"
    )
    for image in done.failed[:_FAILURES_SHOWN]:
        # Most reasons begin with the image.
        told = image.reason.removeprefix(f"{image.image}: ")
        click.echo(f"Error: {_plain(image.image)}: {_plain(told)}", err=True)
    if len(done.failed) > _FAILURES_SHOWN:
        click.echo(f"… and {len(done.failed) - _FAILURES_SHOWN:,} more", err=True)
    if done.is_kept_back:
        click.echo(
            "Error: the fleet is as before, because images failed that it has scans of, by another "
            "scanner or database. Run it again, or take them off the list",
            err=True,
        )
    click.echo(f"fleet    {_relative(done.folder)}")
    if done.failed:
        raise SystemExit(1)


def _rules(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the rules of `--fail-on`."""
    from helpers.gate import fail_on

    try:
        return fail_on.parse(given or [fail_on.DEFAULT])
    except KitError as error:
        raise click.BadParameter(str(error)) from error


@commands.command()
@click.argument("sources", nargs=-1, metavar="[BEFORE AFTER]")
@click.option("--study", default="", help="A study, of which two captures are compared instead.")
@click.option("--before", default="", metavar="CAPTURE", help="The study's capture before.")
@click.option("--after", default="", metavar="CAPTURE", help="The study's capture after.")
@click.option("--variant", default="", help="Which of the study's images; by default each.")
@click.option(
    "--fail-on",
    "rules",
    multiple=True,
    metavar="LENS",
    callback=_rules,
    help="What fails of the findings that the image brought: `fixable`, `severity>=high`, "
    "`exploited`, `epss>=0.1`, `place=app`, combined with `and`; repeat the option for "
    "alternatives; `none` never fails. Default: `fixable and severity>=high`.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "json", "sarif"]),
    default="table",
    show_default=True,
    help="A table; a comment for a pull request; or a document for programs or code scanning.",
)
@click.option("--output", type=_FILE, help="A file for the result; the table is printed besides.")
@click.option("--language", default="en", show_default=True, help="Of table and comment: en, ko.")
@_platform_option()
@_db_options
def gate(
    sources: tuple[str, ...],
    study: str,
    before: str,
    after: str,
    variant: str,
    rules: tuple[Any, ...],
    form: str,
    output: Path | None,
    language: str,
    platforms: list[Any],
    **options: Any,
) -> None:
    """Say what a change of an image brought, and fail if that is too much.

    BEFORE and AFTER are image references, archives, SBOMs or reports; they are scanned together,
    with one scanner and one database. With --study they are two captures of it.

    EPSS scores and the KEV catalog are fetched only if --fail-on asks for them.

    The exit status is 0 if nothing that --fail-on names was brought, 1 if something was, and 2 if
    that cannot be told, with the reason.
    """
    from helpers.gate import judgement
    from helpers.text import i18n

    captures = [study, before, after]
    is_study, is_pair = all(captures) and not sources, len(sources) == 2
    if not is_study and (not is_pair or any([*captures, variant])):
        raise click.UsageError(
            "name BEFORE and AFTER, or --study STUDY --before CAPTURE --after CAPTURE"
        )
    if len(platforms) > 1:
        raise click.UsageError("--platform: name one; run it again for another")
    with _no_answer(), i18n.speaking(language):
        if study:
            pairs = _captured_pairs(study, before, after, variant)
        else:
            pairs = _scanned_pair(sources, platforms, rules, options)
        found = [judgement.judge(pair, rules) for pair in pairs]
        _print_gate(found, form, output)
    if judgement.verdict(found) == judgement.FAIL:
        raise SystemExit(1)


@contextlib.contextmanager
def _no_answer() -> Iterator[None]:
    """Exit 2 for whatever goes wrong: 1 says that there is an answer."""
    try:
        yield
    except (KitError, OSError) as error:
        click.echo(f"Error: {_plain(str(_of_kit(error)))}", err=True)
        raise SystemExit(2) from error
    except Exception as error:
        traceback.print_exc()
        raise SystemExit(2) from error


def _captured_pairs(study: str, before: str, after: str, variant: str) -> list[Any]:
    """Return the pairs of two captures of a study."""
    from helpers.gate import pair
    from helpers.studies.load import load_study

    return pair.of_captures(load_study(study, [before, after]), before, after, variant)


def _scanned_pair(
    sources: tuple[str, ...], platforms: list[Any], rules: tuple[Any, ...], options: dict[str, Any]
) -> list[Any]:
    """Return the pair of two sources, which are captured together for that."""
    from helpers.capture import exploitation
    from helpers.capture.temporary_study import captured
    from helpers.gate import pair
    from helpers.studies.load import load_study

    asked = {
        "epss": any(rule.lens.epss for rule in rules),
        "kev": any(rule.lens.exploited for rule in rules),
    }
    for part, address in exploitation.ADDRESSES.items():
        default = address if asked[part] and not options["db"] else exploitation.OFF
        options[part] = options[part] or default
    names = dict(zip((pair.BEFORE, pair.AFTER), sources, strict=True))
    with captured(names, platforms, **options) as name:
        return [pair.of_variants(load_study(name), names)]


def _print_gate(found: list[Any], form: str, output: Path | None) -> None:
    """Print a result, or write it into a file whole and print the table."""
    from importlib import import_module

    # Each form has a module of its own; `json` would be taken for another.
    module = {"json": "record"}.get(form, form)
    text = import_module(f"helpers.gate.{module}").text(found)
    if output is None:
        click.echo(text, nl=False)
        return
    _write_whole(output, text)
    click.echo(import_module("helpers.gate.table").text(found), nl=False)


def _write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises `NotWritten`."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise NotWritten(
            f"{path}: cannot be written ({error.strerror}). Name another file"
        ) from error


@commands.command()
@click.argument(
    "named", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE|FOLDER…"
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How to print the rows.",
)
def summary(named: tuple[Path, ...], form: str) -> None:
    """Print a row for each Trivy or Grype report: image, OS, and counts by severity.

    Findings that the scanner suppressed, by VEX or an ignore file, are counted apart, in the last
    column. Reports alone are read: whether a statement is about this image is not judged here.

    Of a FOLDER all .json and .json.gz files are read, also in folders within. An invalid file is
    reported on standard error; the others are printed and the exit status is 1.
    """
    from helpers.scans import summary

    files, rows, invalid = [], [], []
    for path in named:
        try:
            files += summary.files(path)
        except ReportInvalid as error:
            invalid.append(error)
    for path in tqdm(files, unit="report", disable=None, leave=False):
        try:
            rows.append(summary.row(path))
        except ReportInvalid as error:
            invalid.append(error)
    if rows or form == "json":
        click.echo(summary.FORMATS[form](rows), nl=False)
    for problem in invalid:
        click.echo(f"Error: {escape.plain(problem)}", err=True)
    if invalid:
        raise SystemExit(1)


@commands.command()
@click.argument("study")
@_publisher_options()
@click.option("--capture", "name", default="", help="Which capture; by default the newest.")
def risk(study: str, name: str, **named: str) -> None:
    """Add to a capture of a STUDY what is known of exploitation: EPSS scores, the KEV catalog.

    Only the ids that were found are kept, in a file beside the capture's evidence.
    """
    from helpers.capture import exploitation

    if not {*named.values()} - {"", exploitation.OFF}:
        raise click.UsageError("name a file or an address: --epss FILE, --kev FILE or both")
    added = exploitation.add(study, name, **named)
    click.echo(f"evidence {_relative(added.path)}")
    found = added.evidence
    if found.epss:
        model = f", model {found.epss.model}" if found.epss.model else ""
        scored = f"a score for {added.scored} of {found.ids} vulnerabilities"
        click.echo(f"EPSS     {found.epss.day:%Y-%m-%d}{model}: {scored}")
    if found.kev:
        exploited = f"{added.exploited} of {found.ids} vulnerabilities are known to be exploited"
        click.echo(f"KEV      {found.kev.day:%Y-%m-%d}: {exploited}")


@commands.command()
@click.argument("study")
@click.option(
    "--keep",
    type=click.Choice(["day", "week", "month"]),
    required=True,
    help="Databases of one day, week or month count as one.",
)
@click.option("--dry-run", is_flag=True, help="Only print what would go.")
def prune(study: str, keep: str, dry_run: bool) -> None:
    """Thin the captures of a STUDY.

    The first, the newest and the default capture stay, and the first and the last one of each
    image, scanner, and database of a day, week or month. All others are removed.
    """
    from helpers.capture.prune import prune

    done = prune(study, keep, dry_run)
    for name in done.gone:
        click.echo(f"{'would go' if dry_run else 'removed':8} {name}")
    freed = f"{done.freed_bytes / 1000:,.0f} kB"
    click.echo(f"kept     {done.kept} captures; {len(done.gone)} others have {freed} of their own")


@commands.command()
@click.argument("study")
@click.option(
    "--from",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder a day, or reports with days in their names or in themselves.",
)
def history(study: str, folder: Path) -> None:
    """Make captures of a STUDY from reports of Trivy or Grype that others kept.

    Days that the study has already are left as they are.
    """
    from helpers.capture.kept_reports import take

    done = take(study, folder)
    for problem in done.problems:
        click.echo(f"Error: {_plain(problem)}", err=True)
    if done.there:
        click.echo(f"there    {len(done.there)} captures, {done.there[0]} to {done.there[-1]}")
    if done.made:
        click.echo(f"made     {len(done.made)} captures, {done.made[0]} to {done.made[-1]}")
    click.echo(f"evidence {_relative(paths.study(study))}")
    if done.problems:
        raise SystemExit(1)


class _FleetRun(_Run):
    """The command that runs the notebook of fleets."""

    notebooks = staticmethod(lambda: [paths.FLEET])


@fleet.command("run", cls=_FleetRun)
@click.argument("scans")
@click.option("--name", default="", help="The fleet's name; by default made of SCANS.")
@click.option(
    "--scheduler",
    default="",
    metavar="tcp://HOST:PORT",
    help="A Dask scheduler whose workers see the data folder; by default one is started here.",
)
@_MIXED
@_PARAM
def fleet_run(scans: str, name: str, scheduler: str, mixed: bool, given: tuple[str, ...]) -> None:
    """Read SCANS, run the notebook of fleets over them, and write its report.

    SCANS is a folder, a glob or an address (s3://…) of reports of Trivy or Grype, a study, or the
    folder that `fleet capture` made. Only what is new is read.
    """
    from helpers.runs import parameters

    values = _values(given) | ({"mixed": "true"} if mixed else {})
    parameters.check(values, [paths.FLEET])
    from helpers.fleet import alike, cluster, engine, reading
    from helpers.fleet import scans as fleet_scans
    from helpers.runs.run import run_fleet

    name = name or fleet_scans.default_name(scans)
    with cluster.open(scheduler) as opened:
        click.echo(f"dashboard {opened.dashboard}")
        found = reading.read(scans, name, opened)
        _print_reading(found)
        alike.require(engine.dask(found.store, opened).reduced(alike.reduction()), mixed)
        own = {"scans": scans, "name": name, "scheduler": opened.client.scheduler.address}
        command = f"fleet run {shlex.quote(scans)} --name {name}"
        _print_run(run_fleet(name, values, own, command))


def _print_reading(found: Any) -> None:
    """Print how many scans were read, and what is wrong with others."""
    for problem in found.problems[:_FAILURES_SHOWN]:
        click.echo(f"Error: {_plain(problem)}", err=True)
    if len(found.problems) > _FAILURES_SHOWN:
        more = len(found.problems) - _FAILURES_SHOWN
        click.echo(f"Error: {more:,} more; the report counts them by reason", err=True)
    click.echo(f"scans    {found.new:,} new, {found.known:,} known, {found.failed:,} broken")


@commands.command()
@click.option("--prune", is_flag=True, help="Remove files, the least recently used first.")
@click.option(
    "--keep-gb",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="What may stay, in GB (10⁹ bytes).",
)
def cache(prune: bool, keep_gb: float) -> None:
    """Show how large the cache of images from registries is, or prune it.

    After each capture it is pruned to KIT_CACHE_GB (20 GB by default).
    """
    from helpers.capture.image_cache import ImageCache
    from helpers.text.units import megabytes

    images = ImageCache(paths.images_cache())
    if prune:
        click.echo(f"removed  {megabytes(images.prune(int(keep_gb * 10**9)))} MB")
    click.echo(f"images   {megabytes(images.size())} MB in {_relative(paths.images_cache())}")


@commands.command()
def dictionary() -> None:
    """Print the data dictionary, as data/README.md has it."""
    from helpers.frames import dictionary_markdown

    click.echo(dictionary_markdown(), nl=False)


def _live(study: str, mixed: bool, options: dict[str, Any]) -> None:
    """Capture a study and run the notebooks over it; exit 1 if a variant failed."""
    from helpers.runs.run import reproduce

    folder, failed = _capture(study, "", **options)
    given = {"capture": folder.name} | ({"mixed": "true"} if mixed else {})
    _print_run(reproduce(study, given))
    if failed:
        raise SystemExit(1)


def _capture(study: str, name: str, **options: Any) -> tuple[Path, bool]:
    """Capture a study and print the result; return its folder and whether anything failed."""
    from helpers.capture import exploitation, sharing
    from helpers.capture.session import capture

    for part, address in exploitation.ADDRESSES.items():
        options[part] = options[part] or (exploitation.OFF if options["db"] else address)
    outcome = capture(study, name, **options)
    if outcome.unchanged:
        click.echo(f"nothing has changed since {_relative(outcome.folder)}")
    else:
        new = sharing.own_bytes(outcome.folder) / 1000
        click.echo(f"evidence {_relative(outcome.folder)} ({new:,.0f} kB new)")
    for variant, why in outcome.failures.items():
        click.echo(f"Error: {variant}: {_plain(why)}", err=True)
    for tag, why in outcome.failed_bases.items():
        click.echo(f"Error: the base {tag} could not be built: {_plain(why)}", err=True)
    for variant, why in outcome.broken.items():
        click.echo(f"Error: {variant} was captured, but it is broken: {_plain(why)}", err=True)
    if outcome.not_scanned:
        click.echo(f"Not scanned: {_plain(outcome.not_scanned)}. Then run it again", err=True)
    for part, why in outcome.missing.items():
        if options[part] != exploitation.OFF:
            command = f"risk {study} --capture {outcome.folder.name} --{part} FILE"
            hint = "" if outcome.unchanged else f". Add: python -m helpers {command}"
            click.echo(f"Without {exploitation.NAMES[part]}: {_plain(why)}{hint}", err=True)
    return outcome.folder, bool(outcome.failures or outcome.broken or outcome.failed_bases)


def _checked(study: str, given: tuple[str, ...]) -> dict[str, str]:
    """Return the values of parameters by name, from NAME=VALUE.

    They are checked here already: what runs notebooks takes seconds to import.
    """
    from helpers.runs import parameters
    from helpers.studies.study import open_study

    values = _values(given)
    parameters.of_run(open_study(study), values, paths.notebooks())
    return values


def _values(given: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--param {text!r}: write it as NAME=VALUE")
        values[name] = value
    return values


def _print_run(folder: Path) -> None:
    """Print a run's answer, where its files are, and which of them it did not make."""
    from helpers.runs import run_folder, terminal

    if lines := terminal.answer(folder, shutil.get_terminal_size().columns):
        click.echo("\n".join([*lines, ""]))
    click.echo(f"report   {_relative(folder / 'report.html')}")
    click.echo(f"figures  {_relative(folder / 'figures')}")
    click.echo(f"tables   {_relative(folder / 'tables')}")
    record = run_folder.read(folder)
    for file in record.kept:
        click.echo(f"kept     {_relative(folder / escape.plain(file))}, of an earlier run")
    for old, new in record.renamed.items():
        place = _relative(folder / escape.plain(new))
        click.echo(f"kept     {place}, which is {escape.plain(old)} as you edited it")


def _plain(text: str) -> str:
    """Return an error's text, safe for a terminal: it may quote a report or an image."""
    return "\n".join(map(escape.plain, text.split("\n")))


def _of_kit(error: KitError | OSError) -> KitError:
    """Return an error as the kit's: a folder may be read-only, and a disk full."""
    return error if isinstance(error, KitError) else disk_error(error, paths.data())


def _relative(path: Path) -> Path:
    """Return a path relative to the working folder if it is inside it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def main() -> None:
    """Run the command line. A `KitError` is printed and exits 1, Ctrl-C exits 130.

    SIGTERM and SIGHUP stop it cleanly too.
    """
    received: list[int] = [signal.SIGINT]
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal may not have the letters of an answer.
        sys.stdout.reconfigure(errors="backslashreplace")

    def stop(number: int, _: Any) -> None:
        received[0] = number
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup, for example, ignores SIGHUP on purpose.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)
    try:
        commands(standalone_mode=False)
    except BrokenPipeError:
        # Who reads the output has enough of it.
        os._exit(128 + signal.SIGPIPE)
    except (KitError, OSError) as error:
        click.echo(f"Error: {_plain(str(_of_kit(error)))}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped. What was there before is untouched.", err=True)
        sys.stdout.flush()
        # sys.exit would wait for the threads of a capture.
        os._exit(128 + received[0])
