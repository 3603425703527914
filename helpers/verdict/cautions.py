"""What a reader of a decision must know besides it, as codes: `caveats` puts them into words."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from helpers.comparability import judges, scanner_releases
from helpers.frames import SCANNED, Frames
from helpers.surface import scan_coverage
from helpers.vulnerabilities import lenses, once
from helpers.vulnerabilities.lenses import Lens

EXPLOITED_UNFIXED = "exploited-unfixed"
"""Variants with a vulnerability that is known to be exploited and has no fix: `ids` of each."""

EXPLOITED_FIXABLE = "exploited-fixable"
"""Variants with one that is known to be exploited and has a fix: `ids` of each."""

EXPLOITED_DECLARED = "exploited-declared-harmless"
"""Variants with one that is known to be exploited and is declared harmless: `ids` of each."""

DECLARED = "declared-harmless"
"""Variants with findings that a statement or an ignore file takes out: `counts` of each, `by`."""

VEX_DECIDES = "vex-decides"
"""The same, if the choice is another where they count: `without` is that, `ships` if it can be."""

UNFIXED_SERIOUS = "unfixed-serious"
"""The choice has more unfixed HIGH and CRITICAL ones than others: `counts` of each."""

TIE = "tie"
"""Between the variants a difference is below what one rebuild brings: `values` by criterion."""

NO_DATES = "no-dates"
"""No day of a scan or a database is known, so neither is what is past its support."""

RUNTIME = "runtime-not-scanned"
"""Variants whose runtime is no package that the scanner lists: `runtimes` of each."""

LANGUAGE = "language-advisories-not-covered"
"""Variants with packages of `types` of which the partial database names none."""

UNFIXED_NOT_SEEN = "unfixed-not-seen"
"""Variants of whose distribution no advisory names what has no fix."""

NOT_KNOWN = "not-known"
"""Variants of which a `criterion` that has a weight is not known."""

JUDGED_BY_VENDOR = "judged-by-vendor"
"""Variants whose packages their own vendor judges, or an unknown feed, where another party judges
others: `parties` of each."""

SCANNER_COMPROMISED = "scanner-compromised"
"""Variants that were scanned with a release of Trivy that was not the project's."""


class Caution(NamedTuple):
    """One thing that a reader must know: a code, the variants that it is about, and numbers."""

    code: str
    variants: tuple[str, ...] = ()
    values: Mapping[str, Any] = MappingProxyType({})


def of_frames(frames: Frames, lens: Lens) -> tuple[Caution, ...]:
    """Return what the evidence of one capture's images lacks, and who declared what harmless."""
    scanned = frames.images[frames.images["status"].eq(SCANNED)]
    return (
        *_scanned_or_judged(scanned),
        *_no_dates(scanned),
        *_language(scanned, frames),
        *_runtime(scanned, frames),
        *_declared(scanned, frames, lens),
    )


def _scanned_or_judged(images: pd.DataFrame) -> Iterator[Caution]:
    """Yield which images a scanner that is not to be trusted, or another kind of judge, counted."""
    if variants := scanner_releases.scanned_with(images):
        yield Caution(SCANNER_COMPROMISED, tuple(variants))
    if parties := judges.of_its_own(images):
        yield Caution(JUDGED_BY_VENDOR, tuple(parties), {"parties": parties})


def _no_dates(images: pd.DataFrame) -> Iterator[Caution]:
    if len(images) and images["db_updated_at"].isna().all() and images["scanned_at"].isna().all():
        yield Caution(NO_DATES, tuple(images["variant"]))


def _language(images: pd.DataFrame, frames: Frames) -> Iterator[Caution]:
    """Yield the types of language packages in which a partial database names nothing at all."""
    partial = images[images["db_coverage"].str.startswith("partial").fillna(False)]
    listed = frames.packages[frames.packages["variant"].isin(partial["variant"])]
    listed = listed[listed["package_class"].eq("lang-pkgs").fillna(False)]
    silent = listed[~listed["package_type"].isin(frames.findings["package_type"])]
    if len(silent):
        types = tuple(dict.fromkeys(silent["package_type"].dropna()))
        yield Caution(LANGUAGE, tuple(dict.fromkeys(silent["variant"])), {"types": types})


def _runtime(images: pd.DataFrame, frames: Frames) -> Iterator[Caution]:
    is_listed = scan_coverage.runtime_listed(images, frames.packages)
    missing = images[~is_listed.fillna(True)]
    if len(missing):
        runtimes = dict(zip(missing["variant"], missing["runtime"], strict=True))
        yield Caution(RUNTIME, tuple(missing["variant"]), {"runtimes": runtimes})


def _declared(images: pd.DataFrame, frames: Frames, lens: Lens) -> Iterator[Caution]:
    """Yield what is declared harmless, by whom, and what of it is known to be exploited."""
    if lens.suppressed:
        return
    whole = lens._replace(suppressed=True, fixable=False)
    counted = lenses.each(frames.findings, whole)
    out = counted[counted["suppressed"].fillna(False) & counted["variant"].isin(images["variant"])]
    if out.empty:
        return
    counts = once.distinct(out, lens.counted).groupby("variant", sort=False).size()
    authors = tuple(dict.fromkeys(out["statement_by"].dropna()))
    values = {"counts": counts.to_dict(), "by": authors}
    yield Caution(DECLARED, tuple(counts.index), values)
    known = out[out["exploited"].fillna(False)]
    if len(known):
        ids = known.groupby("variant", sort=False)["vulnerability"].unique().map(tuple).to_dict()
        yield Caution(EXPLOITED_DECLARED, tuple(ids), {"ids": ids})
