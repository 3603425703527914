"""The command line: `python -m helpers COMMAND`."""

import sys
from pathlib import Path

import click
from tqdm import tqdm

from helpers import __version__, escape
from helpers.errors import KitError, ReportInvalid


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="helpers")
def commands() -> None:
    """Compare the same app on several base images, from evidence to report."""


@commands.command()
@click.argument("study", default="blog-2022")
@click.option(
    "--param",
    "-p",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A notebook parameter; may be given several times.",
)
def reproduce(study: str, given: tuple[str, ...]) -> None:
    """Run the numbered notebooks over a STUDY's recorded evidence and write its report."""
    from helpers.run import reproduce

    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--param {text!r}: write it as NAME=VALUE")
        values[name] = value
    folder = reproduce(study, values)
    click.echo(f"report   {_shown(folder / 'report.html')}")
    click.echo(f"figures  {_shown(folder / 'figures')}")
    click.echo(f"tables   {_shown(folder / 'tables')}")


@commands.command()
@click.argument("study")
@click.argument("name")
@click.option(
    "--db",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Trivy cache folder that holds the vulnerability DB.",
)
@click.option("--coverage", default="", help="What the DB covers, if it is not the full one.")
def capture(study: str, name: str, db: Path, coverage: str) -> None:
    """Scan a STUDY's variants and record the evidence as capture NAME."""
    from helpers.capture import capture

    click.echo(f"evidence in {capture(study, name, db, coverage)}")


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
    """Print one row a Trivy report: image, OS, findings and vulnerabilities by severity.

    A file that is no Trivy report is named on standard error, the others go on, and the exit
    status is 1.
    """
    from helpers import summary

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


def _shown(path: Path) -> Path:
    """Return a path as short as it can be typed from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def main() -> None:
    """Run the command line; a `KitError` is printed and exits 1, Ctrl-C exits 130."""
    try:
        commands(standalone_mode=False)
    except KitError as error:
        # A message may quote a report; its lines are ours, what is in them may not be.
        lines = map(escape.plain, str(error).split("\n"))
        click.echo("Error: " + "\n".join(lines), err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped. What was there before is untouched.", err=True)
        sys.exit(130)
