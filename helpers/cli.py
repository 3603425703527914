"""The command line: `python -m helpers COMMAND`."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from helpers import __version__
from helpers.errors import KitError, ReportInvalid
from helpers.text import escape


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="helpers")
def commands() -> None:
    """Compare the same app on several base images, from evidence to report."""


_PARAM = click.option(
    "--param",
    "-p",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A notebook parameter; may be given several times.",
)


@commands.command()
@click.argument("study", default="blog-2022")
@_PARAM
def reproduce(study: str, given: tuple[str, ...]) -> None:
    """Run the numbered notebooks over a STUDY's recorded evidence and write its report."""
    from helpers.runs.run import reproduce

    _tell_run(reproduce(study, _values(given)))


@commands.command()
@click.argument("study", default="blog-2022")
@_PARAM
def slides(study: str, given: tuple[str, ...]) -> None:
    """Run the notebooks over a STUDY as `reproduce` does, and write slides of what they show."""
    from helpers.runs.run import reproduce
    from helpers.slides import pptx_deck, reveal

    folder = reproduce(study, _values(given), finish=(pptx_deck.write, reveal.write))
    _tell_run(folder)
    click.echo(f"deck     {_shown(folder / 'deck.pptx')}")
    click.echo(f"slides   {_shown(folder / 'slides.html')}")


_MIXED = click.option(
    "--mixed", is_flag=True, help="Compare what different scanners or databases made, marked so."
)


def _db_options(command: Any) -> Any:
    """Add the options that say which vulnerability DB a capture scans against, and how."""
    options = [
        click.option(
            "--db",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Trivy cache folder with a vulnerability DB; scans offline.",
        ),
        click.option(
            "--db-repository",
            default="",
            metavar="NAME@sha256:…",
            help="Where the DB comes from if not from Trivy's own place.",
        ),
        click.option(
            "--java-db-repository",
            default="",
            metavar="NAME",
            help="The same for the DB that tells what Java archives are.",
        ),
        click.option("--coverage", default="", help="What the DB covers, if not the full one."),
        click.option("--fresh", is_flag=True, help="Capture also what has not changed."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@commands.command()
@click.argument("study")
@click.argument("name", default="")
@_db_options
def capture(study: str, name: str, **options: Any) -> None:
    """Capture a STUDY: build, scan, take apart and start its variants, and record the evidence.

    The capture's NAME is today's date unless given.
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


@commands.command()
@click.argument("sources", nargs=-1, required=True, metavar="IMAGE…")
@click.option("--study", default="", help="The study's name; that of its images if not given.")
@_db_options
@_MIXED
def compare(sources: tuple[str, ...], study: str, mixed: bool, **options: Any) -> None:
    """Make a study of image references, archives, SBOMs or reports; capture and run it."""
    from helpers.capture.new_study import make_study, unmake_study

    name = make_study(sources, study)
    try:
        _live(name, mixed, options)
    finally:
        unmake_study(name)


@commands.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How to print the rows.",
)
def summary(files: tuple[Path, ...], form: str) -> None:
    """Print one row a Trivy or Grype report: image, OS, findings and vulnerabilities by severity.

    A file that is no such report is named on standard error, the others go on, and the exit
    status is 1.
    """
    from helpers.scans import summary

    rows, invalid = [], []
    for path in tqdm(files, unit="report", disable=None, leave=False):
        try:
            rows.append(summary.row(path))
        except ReportInvalid as error:
            invalid.append(error)
    if rows or form == "json":
        click.echo(summary.FORMATS[form](rows), nl=False)
    for refused in invalid:
        click.echo(f"Error: {escape.plain(refused)}", err=True)
    if invalid:
        raise SystemExit(1)


@commands.command()
def dictionary() -> None:
    """Print the data dictionary of the README."""
    from helpers.frames import dictionary_markdown

    click.echo(dictionary_markdown(), nl=False)


def _live(study: str, mixed: bool, options: dict[str, Any]) -> None:
    """Capture a study and run the notebooks over it; exit 1 if a variant failed."""
    from helpers.runs.run import reproduce

    folder, failed = _capture(study, "", **options)
    given = {"capture": folder.name} | ({"mixed": "true"} if mixed else {})
    _tell_run(reproduce(study, given))
    if failed:
        raise SystemExit(1)


def _capture(study: str, name: str, **options: Any) -> tuple[Path, bool]:
    """Capture a study, say what it came to; return its folder and whether a variant failed."""
    from helpers.capture.session import capture

    outcome = capture(study, name, **options)
    told = "nothing has changed since" if outcome.unchanged else "evidence"
    click.echo(f"{told:8} {_shown(outcome.folder)}")
    for variant, why in outcome.failures.items():
        click.echo(f"Error: {variant}: {_plain(why)}", err=True)
    for tag, why in outcome.bases.items():
        click.echo(f"Error: the base {tag} could not be built: {_plain(why)}", err=True)
    for variant, why in outcome.broken.items():
        click.echo(f"Error: {variant} was captured, but it is broken: {_plain(why)}", err=True)
    return outcome.folder, bool(outcome.failures or outcome.broken or outcome.bases)


def _values(given: tuple[str, ...]) -> dict[str, str]:
    """Return parameters that were written as NAME=VALUE."""
    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--param {text!r}: write it as NAME=VALUE")
        values[name] = value
    return values


def _tell_run(folder: Path) -> None:
    click.echo(f"report   {_shown(folder / 'report.html')}")
    click.echo(f"figures  {_shown(folder / 'figures')}")
    click.echo(f"tables   {_shown(folder / 'tables')}")


def _plain(text: str) -> str:
    """Return text that may quote a report or an image; its lines are ours, their words are not."""
    return "\n".join(map(escape.plain, text.split("\n")))


def _shown(path: Path) -> Path:
    """Return a path as short as it can be typed from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def main() -> None:
    """Run the command line; a `KitError` is printed and exits 1, Ctrl-C exits 130.

    Who stops it in another way stops it as well: what is under way is cleared up.
    """
    received: list[int] = [signal.SIGINT]

    def stop(number: int, _: Any) -> None:
        received[0] = number
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup, for one, a terminal that goes away is to be of no concern.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)
    try:
        commands(standalone_mode=False)
    except KitError as error:
        click.echo(f"Error: {_plain(str(error))}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped. What was there before is untouched.", err=True)
        sys.stdout.flush()
        # Not by way of sys.exit, which would wait for what a capture has under way.
        os._exit(128 + received[0])
