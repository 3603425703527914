"""In how many images a vulnerability is, and which one update of a package takes away most."""

from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.fleet import bars, image_table
from helpers.text import escape
from helpers.text.i18n import t, word
from helpers.text.rich import name, number, paragraph, say
from helpers.vulnerabilities import shown_counts
from helpers.vulnerabilities.lenses import Lens


def updates(in_packages: pd.DataFrame) -> pd.DataFrame:
    """Return what an update of each source package would fix, that which fixes most first.

    Headers of a kernel, which run nowhere, come last.

    `source_package, vulnerabilities, images, fixes, alone, headers`: how many different
    vulnerabilities with a fix it has, in at least how many images one of them is, their sum over
    all images, what of that sum is in no other package of the fleet, and whether nothing of it but
    a kernel's headers is installed. `in_packages` is `tally.in_packages`, of all parts together.
    """
    only = ~in_packages["vulnerability_id"].duplicated(keep=False)
    rows = in_packages.assign(alone=in_packages["fixable"].where(only, 0))
    fixable = rows[rows["fixable"].gt(0)]
    table = fixable.groupby("source_package").agg(
        vulnerabilities=("vulnerability_id", "nunique"),
        images=("fixable", "max"),
        fixes=("fixable", "sum"),
        alone=("alone", "sum"),
        headers=("beside_headers", "sum"),
    )
    table["headers"] = table["headers"].eq(0)
    order = ["headers", "fixes", "source_package"]
    return table.reset_index().sort_values(order, ascending=[True, False, True], ignore_index=True)


def label(row: Any) -> str:
    """Return the name of a source package, and whether only headers of it are installed."""
    name = shown_counts.package_name(row.source_package)
    return t("{package} (headers only)", package=name) if row.headers else name


def answer(occurrences: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which vulnerabilities are in the most images.

    `occurrences` is `tally.occurrences` of all parts together.
    """
    measured = _measured(images)
    if not measured:
        lacks = word(image_table.NONE_COUNTED)
        return Answer("most-spread", table=occurrences, counted=lens.label, lacks=lacks)
    if occurrences.empty:
        text = paragraph(t("Under this lens no vulnerability is counted in any image."))
        return Answer("most-spread", "", text, occurrences, counted=lens.label)
    first = occurrences.iloc[0]
    head = say(
        "Of {ids} in {images}, {once} affect only one image and {half} more than half.",
        ids=number(len(occurrences), "vulnerability"),
        images=number(measured, "image"),
        once=f"{int(occurrences['images'].eq(1).sum()):,}",
        half=f"{int(occurrences['images'].gt(measured / 2).sum()):,}",
    )
    title = t(
        "{id} is in {part:,} of {whole:,} images",
        id=escape.short(first["vulnerability_id"], 24),
        part=first["images"],
        whole=measured,
    )
    shown = occurrences.head(bars.MOST)
    chart = bars.of(
        shown["vulnerability_id"],
        shown["images"],
        [
            f"{row.images:,} ({word(shown_counts.SEVERITY_NAMES[row.severity])})"
            for row in shown.itertuples()
        ],
        t("images"),
        t("number of images"),
    )
    return Answer(
        "most-spread",
        title,
        paragraph(head),
        occurrences,
        chart,
        lens.label,
        role=SLIDE,
        searchable=True,
    )


def updates_answer(
    in_packages: pd.DataFrame, occurrences: pd.DataFrame, images: pd.DataFrame, lens: Lens
) -> Answer:
    """Answer which one source package's update would take away most, over all images.

    `in_packages` and `occurrences` are those of `tally`, of all parts together.
    """
    table = updates(in_packages)
    if not _measured(images):
        lacks = word(image_table.NONE_COUNTED)
        return Answer("updates", table=table, counted=lens.label, lacks=lacks)
    counted = t("vulnerabilities × images fixed by an update")
    if table.empty:
        text = paragraph(t("Nothing that was counted has a fix."))
        return Answer("updates", "", text, table, counted=lens.label)
    # A vulnerability of two packages counts once in each image, so it is no sum of the table.
    whole, first = int(occurrences["fixable"].sum()), table.iloc[0]
    part = t("{part:,} of {whole:,}", part=first["fixes"], whole=whole)
    values = {
        "base": escape.short(label(first), 40),
        "ends": f"{part} ({first['fixes'] / whole:.0%})",
    }
    title = t("Updating {base} fixes most: {ends}", **values)
    # The headers that fix more than the first, if there are any.
    headers = table[table["headers"] & table["fixes"].gt(first["fixes"])]
    if len(headers):
        title = t("Updating {base} fixes most of what runs: {ends}", **values)
    shown = table.head(bars.MOST)
    ends = [f"{fixes:,}" for fixes in shown["fixes"]]
    names = [label(row) for row in shown.itertuples()]
    note = say(
        "A vulnerability in two source packages counts in both, and needs both updates. Updating "
        "only {package} fixes {alone:,} of its {count:,}.",
        package=name(shown_counts.package_name(first["source_package"])),
        alone=first["alone"],
        count=first["fixes"],
    )
    if len(headers):
        note += " " + say(
            "{package} would fix {count:,}, but only headers of it are installed, which run "
            "nowhere.",
            package=name(shown_counts.package_name(headers["source_package"].iloc[0])),
            count=headers["fixes"].iloc[0],
        )
    if not in_packages["named"].any():
        note += " " + t(
            "The reports name no source packages, so these are installed packages; one update can "
            "fix several."
        )
    return Answer(
        "updates",
        title,
        paragraph(note),
        table,
        bars.of(names, shown["fixes"], ends, counted, counted),
        lens.label,
        role=SLIDE,
        searchable=True,
    )


def _measured(images: pd.DataFrame) -> int:
    return len(image_table.counted(images))
