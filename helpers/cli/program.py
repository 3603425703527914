"""The program `python -m helpers COMMAND`, with the commands of studies and reports."""

import contextlib
import io
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from helpers import __version__, paths
from helpers.cli.fleet import fleet
from helpers.cli.gate import gate
from helpers.cli.options import (
    MIXED,
    PARAM,
    Run,
    db_options,
    platform_option,
    publisher_options,
    values_of,
)
from helpers.cli.output import of_kit, plain, print_run, relative
from helpers.errors import KitError, ReportInvalid, ScanFailed, advice
from helpers.text import escape


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="helpers")
def commands() -> None:
    """Compare the same app on several base images, from evidence to report."""


@commands.command(cls=Run)
@click.argument("study", default="blog-2022")
@PARAM
def reproduce(study: str, given: tuple[str, ...]) -> None:
    """Run the numbered notebooks over the recorded evidence of a STUDY, and write its report."""
    values = _checked(study, given)
    from helpers.runs.run import reproduce

    print_run(reproduce(study, values))


@commands.command(cls=Run)
@click.argument("study", default="blog-2022")
@PARAM
@click.option(
    "--template",
    "file",
    type=click.Path(path_type=Path),
    help="A PowerPoint file (.pptx or .potx) whose layouts, fonts and colours deck.pptx uses.",
)
def slides(study: str, given: tuple[str, ...], file: Path | None) -> None:
    """Run the notebooks over a STUDY as `reproduce` does, and write slides."""
    values = _checked(study, given)
    from helpers.slides import pptx_deck, reveal, template

    if file:
        template.read(file)
    from helpers.runs.run import reproduce

    deck = partial(pptx_deck.write, file=file)
    folder = reproduce(study, values, finish=(deck, reveal.write))
    print_run(folder)
    click.echo(f"deck     {relative(folder / 'deck.pptx')}")
    click.echo(f"slides   {relative(folder / 'slides.html')}")


@commands.command()
@click.argument("study")
@click.argument("name", default="")
@db_options
def capture(study: str, name: str, **options: Any) -> None:
    """Capture a STUDY: build, scan, read and start its variants, and record the evidence.

    NAME is the capture's name; default: today's date.
    """
    if _capture(study, name, **options)[1]:
        raise SystemExit(1)


@commands.command()
@click.argument("study")
@db_options
@MIXED
def live(study: str, mixed: bool, **options: Any) -> None:
    """Capture a STUDY, then run the notebooks over it."""
    _live(study, mixed, options)


@commands.command()
@click.argument("sources", nargs=-1, required=True, metavar="[NAME=]IMAGE…")
@click.option("--study", default="", help="The study's name; default: from its images' names.")
@platform_option("; repeat the option to compare several")
@click.option("--labels", metavar="FILE", help="A CSV file that says which base images are on.")
@db_options
@MIXED
def compare(
    sources: tuple[str, ...],
    study: str,
    platforms: list[Any],
    labels: str | None,
    mixed: bool,
    **options: Any,
) -> None:
    """Make a study of image references, archives, SBOMs or reports; capture and run it.

    NAME= names an image. Without it, an image is named after the base that labels say, a report
    after its artifact, and any other image after its reference or file.
    """
    from helpers.capture.new_study import make_study, remove_unused

    if labels:
        from helpers.fleet.labels import named

        sources = tuple(named(sources, Path(labels)))
    name = make_study(sources, study, platforms)
    try:
        _live(name, mixed, options)
    finally:
        remove_unused(name)


@commands.command()
@click.argument("image")
@click.option("--also", multiple=True, metavar="NAME", help="Another repository with candidates.")
@click.option("--libc", type=click.Choice(["same", "any"]), default="same", show_default=True)
@click.option("--shell", is_flag=True, help="Refuse images without a shell.")
@click.option("--study", default="", help="The study's name; default: move-IMAGE.")
@click.option("--check", is_flag=True, help="Exit 1 if another image is better.")
@click.option(
    "--format", "form", type=click.Choice(["markdown", "json"]), default="markdown",
    show_default=True,
)  # fmt: skip
@platform_option()
@db_options
def suggest(image: str, platforms: list[Any], check: bool, form: str, **options: Any) -> None:
    """Print which tag to move to from an IMAGE: a reference in a registry, or a Dockerfile.

    Of a Dockerfile it is the base of the last stage, which needs a shell if its instructions do.

    Candidates are the tags of its repository, and of those in --also. They need the same runtime
    or a newer long-term one, the same C library, and six months of support. At most 12 are
    captured, as a study; each other one is listed with the reason that refused it.

    The exit status is 0, with --check 1 if another image is better, and 2 if the kit cannot tell.
    """
    from helpers.suggest import suggestion

    if len(platforms) > 1:
        raise click.UsageError("--platform: pass only one; run it again for another")
    try:
        found, listed, names = _suggested(image, platforms, options)
    except KitError as error:
        click.echo(f"Error: {plain(str(error))}", err=True)
        raise SystemExit(2) from error
    if form == "json":
        click.echo(escape.as_json(suggestion.record(found, listed, names)), nl=False)
    else:
        click.echo(suggestion.markdown(found, listed, names), nl=False)
    if found.better is None:
        raise SystemExit(2)
    if check and found.better:
        raise SystemExit(1)


def _suggested(image: str, platforms: list[Any], options: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return the suggestion for an image, what was listed, and the images by variant."""
    from helpers import clock
    from helpers.capture.new_study import make_study, remove_unused
    from helpers.images import oci, reference
    from helpers.registry.image_cache import ImageCache
    from helpers.studies.load import load_files, load_study
    from helpers.studies.study import open_study
    from helpers.suggest import candidates, given_dockerfile, suggestion
    from helpers.suggest.constraints import ANY, Wanted

    needs_shell = options.pop("shell")
    if Path(image).is_file():
        image, is_needed = given_dockerfile.read(Path(image))
        needs_shell |= is_needed
    try:
        of, *also = map(reference.parse, (image, *options.pop("also")))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    libc = ANY if options.pop("libc") == "any" else ""
    wanted = Wanted("", libc, needs_shell, clock.today())
    platform = platforms[0] if platforms else oci.ANY
    cache = ImageCache(paths.images_cache())
    listed = candidates.listed(of, also, platform, wanted, cache)
    images = [listed.today, *(each for each in listed.found if not each.refused)]
    study = options.pop("study") or candidates.study_name(images)
    name = make_study([each.pinned for each in images], study, [listed.platform])
    options["images_from"] = options["images_from"] or "registry"
    try:
        # Standard output has the suggestion alone.
        with contextlib.redirect_stdout(sys.stderr):
            folder, _ = _capture(name, "", **options)
        variants = [each.name for each in open_study(name).variants]
        evidence = load_study(name, folder.name), load_files(name, folder.name)
    finally:
        remove_unused(name)
    names = dict(zip(variants, images, strict=True))
    return suggestion.suggest(*evidence, variants[0], wanted, listed.unread), listed, names


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
    help="Format of the rows.",
)
def summary(named: tuple[Path, ...], form: str) -> None:
    """Print a row for each Trivy or Grype report: image, OS, and counts by severity.

    The last column counts the findings that VEX or an ignore file suppressed in the report. The kit
    does not check here whether a VEX statement is about this image.

    In a FOLDER, all .json and .json.gz files are read, including subfolders. Invalid files are
    listed on standard error; the others are still printed, and the exit status is 1.
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
    notes, wrong = summary.notes(rows), summary.problems(rows)
    if rows or form == "json":
        click.echo(summary.FORMATS[form](rows), nl=False)
    for note in notes:
        click.echo(f"Note: {escape.plain(note)}", err=True)
    for problem in (*invalid, *wrong):
        click.echo(f"Error: {escape.plain(problem)}", err=True)
    if invalid or wrong:
        raise SystemExit(1)


@commands.command()
@click.argument("study")
@publisher_options()
@click.option("--capture", "name", default="", help="Which capture; default: the newest.")
def risk(study: str, name: str, **named: str) -> None:
    """Add EPSS scores and the KEV catalog to a capture of a STUDY.

    Only entries for vulnerabilities that were found are kept, in a file beside the evidence.
    """
    from helpers.capture import record_exploitation

    if not {*named.values()} - {"", record_exploitation.OFF}:
        raise click.UsageError("pass a file or an address: --epss FILE, --kev FILE or both")
    added = record_exploitation.add(study, name, **named)
    click.echo(f"evidence {relative(added.path)}")
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
    help="Treat databases of one day, week or month as one.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and remove nothing.")
def prune(study: str, keep: str, dry_run: bool) -> None:
    """Remove captures of a STUDY that show no change.

    Kept are the first, the newest and the default capture, and the first and last capture of each
    combination of images, scanner and database (per day, week or month).
    """
    from helpers.capture.prune import prune

    done = prune(study, keep, dry_run)
    for name in done.gone:
        click.echo(f"{'would go' if dry_run else 'removed':8} {name}")
    freed = f"{done.freed_bytes / 1000:,.0f} kB"
    others = f"{len(done.gone)} others {'would free' if dry_run else 'freed'} {freed}"
    click.echo(f"kept     {done.kept} captures; {others}")


@commands.command()
@click.argument("study")
@click.option(
    "--from",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder per day, or reports with a date in their name or content.",
)
def history(study: str, folder: Path) -> None:
    """Import Trivy or Grype reports that you already have, as captures of a STUDY.

    Days that the study already has are not changed.
    """
    from helpers.capture.kept_reports import take

    done = take(study, folder)
    for problem in done.problems:
        click.echo(f"Error: {plain(problem)}", err=True)
    if done.there:
        click.echo(f"existing {len(done.there)} captures, {done.there[0]} to {done.there[-1]}")
    if done.made:
        click.echo(f"imported {len(done.made)} captures, {done.made[0]} to {done.made[-1]}")
    click.echo(f"evidence {relative(paths.study(study))}")
    if done.problems:
        raise SystemExit(1)


@commands.command()
@click.option("--prune", is_flag=True, help="Remove files, least recently used first.")
@click.option(
    "--keep-gb",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="How much to keep, in GB (10⁹ bytes).",
)
def cache(prune: bool, keep_gb: float) -> None:
    """Show the size of the cache of registry images, or prune it.

    Each capture prunes it to KIT_CACHE_GB (default: 20 GB).
    """
    from helpers.registry.image_cache import ImageCache
    from helpers.text.units import megabytes

    images = ImageCache(paths.images_cache())
    if prune:
        click.echo(f"removed  {megabytes(images.prune(int(keep_gb * 10**9)))} MB")
    click.echo(f"images   {megabytes(images.size())} MB in {relative(paths.images_cache())}")


@commands.command()
def dictionary() -> None:
    """Print the data dictionary of data/README.md."""
    from helpers.frames import dictionary_markdown

    click.echo(dictionary_markdown(), nl=False)


def _live(study: str, mixed: bool, options: dict[str, Any]) -> None:
    """Capture a study and run the notebooks over it; exit 1 if a variant failed."""
    from helpers.runs.run import reproduce

    folder, failed = _capture(study, "", **options)
    given = {"capture": folder.name} | ({"mixed": "true"} if mixed else {})
    print_run(reproduce(study, given))
    if failed:
        raise SystemExit(1)


def _capture(study: str, name: str, **options: Any) -> tuple[Path, bool]:
    """Capture a study and print the result; return its folder and whether anything failed."""
    from helpers.capture import record_exploitation, sharing
    from helpers.capture.session import capture

    for part, address in record_exploitation.ADDRESSES.items():
        options[part] = options[part] or (record_exploitation.OFF if options["db"] else address)
    try:
        outcome = capture(study, name, **options)
    except ScanFailed as error:
        raise ScanFailed(f"{error}{_recorded_instead(study, error)}", error.reason) from error
    if outcome.unchanged:
        click.echo(f"nothing has changed since {relative(outcome.folder)}")
    else:
        new = sharing.freed_bytes([outcome.folder]) / 1000
        click.echo(f"evidence {relative(outcome.folder)} ({new:,.0f} kB new)")
    for variant, why in outcome.failures.items():
        click.echo(f"Error: {variant}: {plain(why)}", err=True)
    for tag, why in outcome.failed_bases.items():
        click.echo(f"Error: the base {tag} could not be built: {plain(why)}", err=True)
    for variant, why in outcome.broken.items():
        click.echo(f"Error: {variant} was captured, but it is broken: {plain(why)}", err=True)
    if outcome.not_scanned:
        click.echo(f"Not scanned: {plain(outcome.not_scanned)}. Then run this again", err=True)
    for part, why in outcome.missing.items():
        if options[part] != record_exploitation.OFF:
            command = f"risk {study} --capture {outcome.folder.name} --{part} FILE"
            python = advice(".venv/bin/python", "python")
            hint = "" if outcome.unchanged else f". Add it: {python} -m helpers {command}"
            click.echo(f"Without {record_exploitation.NAMES[part]}: {plain(why)}{hint}", err=True)
    return outcome.folder, bool(outcome.failures or outcome.broken or outcome.failed_bases)


def _recorded_instead(study: str, error: ScanFailed) -> str:
    """Return which recorded study needs no vulnerability DB, if that is what is missing."""
    from helpers.studies.study import nearest_recorded, open_study

    name = nearest_recorded(open_study(study)) if error.reason == "no-db" else ""
    command = advice(f"make reproduce STUDY={name}", f"python -m helpers reproduce {name}")
    return f"\nA recorded study needs neither; the most similar one: {command}" if name else ""


def _checked(study: str, given: tuple[str, ...]) -> dict[str, str]:
    """Return the values of parameters by name, from NAME=VALUE.

    They are checked here already: what runs notebooks takes seconds to import.
    """
    from helpers.runs import parameters
    from helpers.studies.study import open_study

    values = values_of(given)
    parameters.of_run(open_study(study), values, paths.notebooks())
    return values


commands.add_command(fleet)
commands.add_command(gate)


def main() -> None:
    """Run the command line. A `KitError` is printed and exits 1, Ctrl-C exits 130.

    SIGTERM and SIGHUP stop it cleanly too.
    """
    # Without this, jsonschema builds a grammar of international addresses when it is imported. That
    # takes 1.4 s, and no notebook needs it.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    if paths.HELPERS.parent != paths.ROOT:
        # The package is installed; kernels have other working folders.
        os.environ.setdefault("KIT_DATA", str(paths.data()))
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
        click.echo(f"Error: {plain(str(of_kit(error)))}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped. Existing files are unchanged.", err=True)
        sys.stdout.flush()
        # sys.exit would wait for the threads of a capture.
        os._exit(128 + received[0])
