"""The command `gate`."""

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from helpers import whole
from helpers.cli.options import FILE, db_options, platform_option
from helpers.cli.output import of_kit, plain
from helpers.errors import KitError, NotWritten


def _rules(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the rules of `--fail-on`."""
    from helpers.gate import fail_on

    try:
        return fail_on.parse(given or [fail_on.DEFAULT])
    except KitError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.argument("sources", nargs=-1, metavar="[BEFORE AFTER]")
@click.option("--study", default="", help="Compare two captures of this study instead.")
@click.option("--before", default="", metavar="CAPTURE", help="Its capture before the change.")
@click.option("--after", default="", metavar="CAPTURE", help="Its capture after the change.")
@click.option("--variant", default="", help="Compare only this image of the study; default: all.")
@click.option(
    "--fail-on",
    "rules",
    multiple=True,
    metavar="LENS",
    callback=_rules,
    help="Fail on new findings that match: `fixable`, `severity>=high`, `exploited`, `epss>=0.1`, "
    "`place=app`, combined with `and`. `suppressed` includes findings that a VEX statement or an "
    "ignore file suppresses; `re-rated` matches old findings that are rated higher now. Repeat the "
    "option for alternatives; `none` never fails. Default: `fixable and severity>=high`.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "json", "sarif"]),
    default="table",
    show_default=True,
    help="A table, a comment for a pull request (markdown), or data for programs (json, sarif).",
)
@click.option(
    "--output", type=FILE, help="Write the result to this file; the table is still printed."
)
@click.option(
    "--language", default="en", show_default=True, help="Language of table and comment: en or ko."
)
@platform_option()
@db_options
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
    """Compare an image before and after a change; fail on what the change brought.

    BEFORE and AFTER are image references, archives, SBOMs or reports. The kit scans both with one
    scanner and one database. With --study it compares two captures of a study.

    EPSS scores and the KEV catalog are fetched only if --fail-on uses them.

    The exit status is 0 if no new finding matches --fail-on, 1 if one does, and 2 if the kit cannot
    tell; it prints the reason.
    """
    from helpers.gate import judgement, pair
    from helpers.studies.load import load_study
    from helpers.text import i18n

    captures = [study, before, after]
    is_study, is_pair = all(captures) and not sources, len(sources) == 2
    if not is_study and (not is_pair or any([*captures, variant])):
        raise click.UsageError(
            "pass BEFORE and AFTER, or --study STUDY --before CAPTURE --after CAPTURE"
        )
    if len(platforms) > 1:
        raise click.UsageError("--platform: pass only one; run it again for another")
    with _no_answer(), i18n.speaking(language):
        if study:
            frames = load_study(study, [before, after])
            pairs = pair.of_captures(frames, before, after, variant)
        else:
            pairs = _scanned_pair(sources, platforms, rules, options)
        found = [judgement.judge(each, rules) for each in pairs]
        _print_gate(found, form, output)
    if judgement.verdict(found) == judgement.FAIL:
        raise SystemExit(1)


@contextlib.contextmanager
def _no_answer() -> Iterator[None]:
    """Exit 2 for every error: 1 is an answer."""
    try:
        yield
    except (KitError, OSError) as error:
        click.echo(f"Error: {plain(str(of_kit(error)))}", err=True)
        raise SystemExit(2) from error
    except Exception as error:
        traceback.print_exc()
        raise SystemExit(2) from error


def _scanned_pair(
    sources: tuple[str, ...], platforms: list[Any], rules: tuple[Any, ...], options: dict[str, Any]
) -> list[Any]:
    """Return the pair of two sources, which are captured together for that."""
    from helpers.capture import record_exploitation
    from helpers.capture.temporary_study import captured
    from helpers.gate import pair
    from helpers.studies.load import load_study

    asked = {
        "epss": any(rule.lens.epss for rule in rules),
        "kev": any(rule.lens.exploited for rule in rules),
    }
    for part, address in record_exploitation.ADDRESSES.items():
        default = address if asked[part] and not options["db"] else record_exploitation.OFF
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
    try:
        whole.write(output, text.encode())
    except OSError as error:
        raise NotWritten(
            f"{output}: cannot be written ({error.strerror}). Pass another file"
        ) from error
    click.echo(import_module("helpers.gate.table").text(found), nl=False)
