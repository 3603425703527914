"""The command line: `python -m helpers COMMAND`."""

import sys
from pathlib import Path

import click

from helpers import __version__
from helpers.errors import KitError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="helpers")
def commands() -> None:
    """Compare the same app on several base images, from evidence to report."""


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
def dictionary() -> None:
    """Print the data dictionary of the README."""
    from helpers.frames import dictionary_markdown

    click.echo(dictionary_markdown(), nl=False)


def main() -> None:
    """Run the command line; a `KitError` is printed and exits 1, Ctrl-C exits 130."""
    try:
        commands(standalone_mode=False)
    except KitError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped. What was there before is untouched.", err=True)
        sys.exit(130)
