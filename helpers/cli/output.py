"""What commands print: runs, paths, and texts that are safe for a terminal."""

import shutil
from pathlib import Path

import click

from helpers import paths
from helpers.errors import KitError, disk_error
from helpers.text import escape

FAILURES_SHOWN = 20
"""Images of a fleet whose reasons are printed: there may be thousands."""


def print_run(folder: Path) -> None:
    """Print a run's answer, its files, and the files that it kept from earlier."""
    from helpers.runs import run_folder, terminal

    if lines := terminal.answer(folder, shutil.get_terminal_size().columns):
        click.echo("\n".join([*lines, ""]))
    click.echo(f"report   {relative(folder / 'report.html')}")
    click.echo(f"figures  {relative(folder / 'figures')}")
    click.echo(f"tables   {relative(folder / 'tables')}")
    record = run_folder.read(folder)
    for file in record.kept:
        click.echo(f"kept     {relative(folder / escape.plain(file))}, from an earlier run")
    for old, new in record.renamed.items():
        place = relative(folder / escape.plain(new))
        click.echo(f"kept     {place}, your edited {escape.plain(old)}")


def plain(text: str) -> str:
    """Return an error's text, safe for a terminal: it may quote a report or an image."""
    return "\n".join(map(escape.plain, text.split("\n")))


def of_kit(error: KitError | OSError) -> KitError:
    """Return an error as the kit's: a folder may be read-only, and a disk full."""
    return error if isinstance(error, KitError) else disk_error(error, paths.data())


def relative(path: Path) -> Path:
    """Return a path relative to the working folder if it is inside it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
