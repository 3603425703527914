"""How far different scanners agree on the same images, and why they do not."""

from collections.abc import Collection, Iterator
from functools import partial
from typing import NamedTuple

import pandas as pd

from helpers import aliases
from helpers.answers.answer import SUMMARY, Answer
from helpers.fleet import bars, views
from helpers.fleet.list_agreement import ONE_TOOL, share
from helpers.fleet.partition import Partition, Reduction
from helpers.frames import SCANNED, TEXT
from helpers.text.i18n import msg, t, word
from helpers.text.rich import number, paragraph, say
from helpers.vulnerabilities import scanner_agreement

_FINDINGS = [
    *("variant", "vulnerability_id", "advisory_id", "aliases", "package", "source_package"),
    *("installed_version", "package_type", "advisory_source", "severity", "suppressed"),
]
_PACKAGES = ["variant", "package", "source_package", "version", "package_type"]

BY = {
    "by_id": msg("ids as reported"),
    "by_vulnerability": msg("vulnerabilities"),
    "by_cve": msg("CVE ids"),
    "by_package": msg("affected packages"),
}
"""By what two scanners are compared, by the columns of `scanner_agreement.jaccards`."""

COLUMNS = ["first_tool", "second_tool", "variant", "in_both", "only_first", "only_second", *BY]


class Found(NamedTuple):
    """What scanners found in the same images, and which packages they list."""

    findings: pd.DataFrame
    packages: pd.DataFrame


def found(variants: Collection[str]) -> Reduction:
    """Return the reduction to a tuple as `Found`, of some images."""
    columns = {"findings": _FINDINGS, "packages": _PACKAGES}
    return Reduction(partial(_found, variants=frozenset(variants)), columns)


def _found(part: Partition, variants: Collection[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return tuple(
        frame[frame["variant"].isin(variants)][columns].reset_index(drop=True)
        for frame, columns in ((part.findings, _FINDINGS), (part.packages, _PACKAGES))
    )


class _Compared(NamedTuple):
    """What two scanners say of the same images, as a study has it of its own."""

    first: str
    second: str
    findings: pd.DataFrame
    packages: pd.DataFrame
    images: pd.DataFrame


def _compared(seen: pd.DataFrame, kept: Found) -> Iterator[_Compared]:
    for first, second in views.pairs(seen):
        both = views.of(seen, first, second).rename(columns={"tool": "scanner"})
        rows = kept.findings.merge(both, on="variant")
        ids = aliases.canonical([*rows["vulnerability_id"]], rows["aliases"], rows["image"])
        rows = rows.assign(vulnerability=pd.array([*ids], dtype=TEXT))
        images = both.assign(status=SCANNED)
        yield _Compared(
            first, second, *(_of_images(each) for each in (rows, kept.packages.merge(both), images))
        )


def _of_images(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(capture="", variant=rows["image"])


def table(seen: pd.DataFrame, kept: Found) -> pd.DataFrame:
    """Return how far each two scanners agree on each image: `COLUMNS`.

    `seen` is `views.found`. Numbers of vulnerabilities, and Jaccard's index as
    `scanner_agreement.jaccards`.
    """
    made = []
    for first, second, findings, _, images in _compared(seen, kept):
        listing = scanner_agreement.agreement(findings, first, second, images)
        counts = scanner_agreement.summary(listing, first, second)
        shares = scanner_agreement.jaccards(findings, first, second, images)
        rows = counts.merge(shares, on=["capture", "variant"])
        names = {f"only_{first}": "only_first", f"only_{second}": "only_second"}
        rows = rows.rename(columns=names).assign(first_tool=first, second_tool=second)
        made.append(rows[COLUMNS])
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=COLUMNS)


def reasons(seen: pd.DataFrame, kept: Found) -> pd.DataFrame:
    """Return why one scanner alone finds vulnerabilities.

    `first_tool, second_tool, found_by, because` and `vulnerabilities` (of all images together), the
    most first; `because` says of the other scanner what `scanner_agreement.reasons` does.
    """
    made = []
    for first, second, findings, packages, images in _compared(seen, kept):
        listing = scanner_agreement.agreement(findings, first, second, images)
        because = scanner_agreement.reasons(listing, findings, packages, first, second)
        counts = listing.assign(because=because).groupby(["found_by", "because"], sort=False).size()
        rows = counts.rename("vulnerabilities").reset_index()
        rows = rows.sort_values("vulnerabilities", ascending=False, kind="stable")
        made.append(rows.assign(first_tool=first, second_tool=second))
    columns = ["first_tool", "second_tool", "found_by", "because", "vulnerabilities"]
    return pd.concat(made, ignore_index=True)[columns] if made else pd.DataFrame(columns=columns)


def answer(looked: pd.DataFrame, by_scanners: Found) -> Answer:
    """Answer how far different scanners agree on the same images."""
    made = table(looked, by_scanners)
    if made.empty:
        return Answer("scanners", table=made, lacks=word(ONE_TOOL))
    pairs = made.groupby(views.PAIR, sort=False)
    medians, images = pairs[[*BY]].median(), pairs.size()
    first, second = medians.index[0]
    title = t(
        "{first} and {second} agree on {share:.0%} of vulnerabilities, on {ids:.0%} of ids",
        first=first,
        second=second,
        share=medians["by_vulnerability"].iloc[0],
        ids=medians["by_id"].iloc[0],
    )
    text = say(
        "Of what either scanner finds, so much both find: the median over images. Ids that name "
        "each other are one vulnerability."
    )
    shown = medians.map(share).assign(images=images).reset_index()[[*views.PAIR, "images", *BY]]
    chart = bars.of(
        map(word, BY.values()),
        medians.iloc[0][[*BY]] * 100,
        [*medians.iloc[0][[*BY]].map(share)],
        t("found by both scanners"),
        t("% of what either scanner finds"),
    )
    return Answer("scanners", title, paragraph(text), made, chart, role=SUMMARY, shown=shown)


def reasons_answer(looked: pd.DataFrame, by_scanners: Found) -> Answer:
    """Answer why one scanner finds what another does not."""
    made = reasons(looked, by_scanners)
    if made.empty:
        return Answer("scanner-reasons", table=made, lacks=word(ONE_TOOL))
    pair = made["first_tool"].iloc[0], made["second_tool"].iloc[0]
    rows = made[made["first_tool"].eq(pair[0]) & made["second_tool"].eq(pair[1])]
    title = t(
        "{first} and {second}: {found} by one of them alone",
        first=pair[0],
        second=pair[1],
        found=number(int(rows["vulnerabilities"].sum()), "vulnerability"),
    )
    text = say("What only one scanner finds may be right or wrong.")
    return Answer("scanner-reasons", title, paragraph(text), made)
