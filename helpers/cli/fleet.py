"""The commands `fleet capture` and `fleet run`."""

import shlex
from typing import Any

import click

from helpers import paths
from helpers.cli.options import MIXED, PARAM, Run, database_options, platform_option, values_of
from helpers.cli.output import FAILURES_SHOWN, plain, print_run, relative


@click.group()
def fleet() -> None:
    """Capture many images, read their scans, and see what other bases would change."""


@fleet.command("capture")
@click.argument("source", metavar="LIST")
@click.option("--name", default="", help="The fleet's name; default: that of LIST.")
@platform_option("; repeat the option to capture several")
@database_options
@click.option(
    "--jobs", type=click.IntRange(1), default=None, help="Scans at once; default: one per core."
)
@click.option(
    "--requests",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Requests at once to each registry.",
)
def fleet_capture(source: str, jobs: int | None, **options: Any) -> None:
    """Capture the images of LIST without a Docker daemon; scan each package list once.

    LIST is a file with one reference, archive or SBOM per line (`-`: standard input), a folder of
    archives and SBOMs, or a whole registry or project, as in registry.example/ or
    host:5000/project/. A line of the file may be any of these.

    Interrupted runs resume: run the command again. With another scanner or database all images are
    scanned again, and the fleet changes once all are scanned. The exit status is 1 if an image
    failed; the next run tries it again.
    """
    from helpers.fleet_capture.fleet import capture

    done = capture(source, jobs=jobs or 0, **options)
    click.echo(
        f"{done.references:,} references: {done.images:,} distinct images, "
        f"{done.lists:,} distinct package lists"
    )
    click.echo(
        f"{done.made:,} scans made, {done.kept:,} reused; {done.shared:,} images share "
        f"another image's scan; {len(done.failed):,} failed"
    )
    for image in done.failed[:FAILURES_SHOWN]:
        # Most reasons begin with the image.
        told = image.reason.removeprefix(f"{image.image}: ")
        click.echo(f"Error: {plain(image.image)}: {plain(told)}", err=True)
    if len(done.failed) > FAILURES_SHOWN:
        click.echo(f"… and {len(done.failed) - FAILURES_SHOWN:,} more", err=True)
    if done.is_kept_back:
        click.echo(
            "Error: the fleet is unchanged: images that it holds could not be scanned with the new "
            "scanner or database. Run it again, or remove them from the list",
            err=True,
        )
    click.echo(f"fleet    {relative(done.folder)}")
    if done.failed:
        raise SystemExit(1)


class _FleetRun(Run):
    """The command that runs the notebook of fleets."""

    notebooks = staticmethod(lambda: [paths.FLEET])


@fleet.command("run", cls=_FleetRun)
@click.argument("scans")
@click.option("--name", default="", help="The fleet's name; default: from SCANS.")
@click.option(
    "--scheduler",
    default="",
    metavar="tcp://HOST:PORT",
    help="A Dask scheduler whose workers can read the data folder; default: start one here.",
)
@click.option(
    "--labels",
    default="",
    metavar="FILE",
    help="A CSV that says which app and base images are; default: labels.csv beside tables.",
)
@click.option(
    "--published",
    default="",
    metavar="FILE",
    help="A CSV of published numbers; default: published.csv beside tables.",
)
@MIXED
@PARAM
def fleet_run(
    scans: str,
    name: str,
    scheduler: str,
    labels: str,
    published: str,
    mixed: bool,
    given: tuple[str, ...],
) -> None:
    """Read SCANS, run the fleet notebook over them, and write its report.

    SCANS is a folder, glob or address (s3://…) of Trivy or Grype reports, a study, the folder that
    `fleet capture` made, or a table of facts (CSV or Parquet; a folder of them). Only new scans are
    read.
    """
    from helpers.runs import parameters

    values = values_of(given) | ({"mixed": "true"} if mixed else {})
    parameters.check(values, [paths.FLEET])
    from helpers.fleet import alike, cluster, counts, engine, image_table, reading
    from helpers.fleet import labels as labels_
    from helpers.fleet import published as published_
    from helpers.fleet import scans as fleet_scans
    from helpers.runs.run import run_fleet
    from helpers.vulnerabilities.lenses import PLAIN, Lens

    name = name or fleet_scans.default_name(scans)
    labels_.given(scans, labels)
    published_.given(scans, published)
    files = {"labels": labels, "published": published}
    own = {"scans": scans, "name": name, **files}
    command = f"fleet run {shlex.quote(scans)} --name {name}"
    command += "".join(f" --{key} {shlex.quote(file)}" for key, file in files.items() if file)
    if only := counts.given(scans):
        click.echo(
            f"counts   {len(only.table):,} scans; {only.counted}, unless lens says otherwise"
        )
        alike.require(image_table.once(only.images(Lens(only.counted))), mixed)
        print_run(run_fleet(name, {"lens": only.counted} | values, own, command))
        return
    listed = reading.listing(scans, name)
    with cluster.open(scheduler) as opened:
        click.echo(f"dashboard {opened.dashboard}")
        found = reading.read(scans, name, opened, listed)
        _print_reading(found)
        alike.require(image_table.once(engine.Dask(found.store, opened).images(PLAIN)), mixed)
        own["scheduler"] = opened.client.scheduler.address
        print_run(run_fleet(name, values, own, command))


def _print_reading(found: Any) -> None:
    """Print how many scans were read, and what is wrong with others."""
    for problem in found.problems[:FAILURES_SHOWN]:
        click.echo(f"Error: {plain(problem)}", err=True)
    if len(found.problems) > FAILURES_SHOWN:
        more = len(found.problems) - FAILURES_SHOWN
        click.echo(f"Error: {more:,} more; the report counts them by reason", err=True)
    broken = f"; {found.failed:,} of all cannot be read" if found.failed else ""
    click.echo(f"scans    {found.new:,} new, {found.known:,} known{broken}")
