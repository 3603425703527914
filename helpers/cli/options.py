"""Options and parameters that several commands take."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from helpers import paths


class Run(click.Command):
    """A command that runs the notebooks: its help lists their parameters."""

    notebooks = staticmethod(paths.notebooks)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the parameters that `--param` takes, as the notebooks declare them."""
        from helpers.runs import parameters

        with formatter.section("Parameters"):
            formatter.write_dl([*parameters.described(self.notebooks())])


PARAM = click.option(
    "--param",
    "-p",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a parameter of the notebooks (listed below); repeat the option for several.",
)


MIXED = click.option(
    "--mixed", is_flag=True, help="Allow different scanners or databases, and mark the results."
)


FILE = click.Path(dir_okay=False, path_type=Path)


Decorator = Callable[[Any], Any]


def _together(*options: Decorator) -> Decorator:
    """Return a decorator that adds several options, in their order."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def publisher_options(envvar: str = "", default: str = "") -> Decorator:
    """Return a decorator that adds options for files of EPSS and KEV, or their addresses."""
    what = {"epss": "EPSS scores of one day", "kev": "The KEV catalog"}
    return _together(
        *(
            click.option(
                f"--{name}",
                default="",
                metavar="FILE|ADDRESS",
                envvar=envvar + name.upper() if envvar else None,
                help=f"{text}{default}.",
            )
            for name, text in what.items()
        )
    )


database_options = _together(
    click.option(
        "--db",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Trivy cache folder with a vulnerability DB, for scans without a network.",
    ),
    click.option(
        "--db-repository",
        default="",
        metavar="NAME@sha256:…",
        help="Repository of the vulnerability DB; default: Trivy's.",
    ),
    click.option(
        "--java-db-repository",
        default="",
        metavar="NAME",
        help="Repository of the Java DB; default: Trivy's.",
    ),
    click.option("--coverage", default="", help="What the DB covers, if it is not complete."),
)
"""The options for the vulnerability DB."""


db_options = _together(
    database_options,
    publisher_options("KIT_", "; default: downloaded, but `none` with --db"),
    click.option(
        "--vex",
        multiple=True,
        metavar="FILE",
        type=FILE,
        help="A VEX document in addition to the study's; repeat the option for several.",
    ),
    click.option("--fresh", is_flag=True, help="Capture unchanged variants again."),
    click.option(
        "--from",
        "images_from",
        type=click.Choice(["registry", "daemon"]),
        default=None,
        callback=lambda _, __, value: value or "",
        help="Where to look for images; default: the Docker daemon, if one answers.",
    ),
)
"""The options of a capture: the vulnerability DB, and what to capture again."""


def _platforms(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> list[Any]:
    """Return the platforms of an option, which may have several with commas between them."""
    from helpers.images import oci

    try:
        return [oci.parse(text.strip()) for each in given for text in each.split(",")]
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def platform_option(more: str = "") -> Decorator:
    """Return a decorator that adds the option for an image's platform; `more` ends its help."""
    return click.option(
        "--platform",
        "platforms",
        multiple=True,
        metavar="OS/ARCH",
        callback=_platforms,
        help=f"The image's platform, as in linux/arm64{more}.",
    )


def values_of(given: tuple[str, ...]) -> dict[str, str]:
    """Return the values of parameters by name, from NAME=VALUE. Raises `click.UsageError`."""
    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--param {text!r}: write it as NAME=VALUE")
        values[name] = value
    return values
