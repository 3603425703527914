"""What a choice of variants, lens, severities and packages leaves of the evidence, for a look."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from helpers.frames import SEVERITIES, Frames
from helpers.text import escape
from helpers.text.i18n import t, word
from helpers.vulnerabilities import counting, growth, lenses, overlap
from helpers.vulnerabilities.lenses import PLAIN, Lens

COLUMNS = [
    *("variant", "severity", "vulnerability_id", "package", "installed_version"),
    *("fixed_version", "status", "published_at", "place", "cvss_score"),
]
"""Columns of the table of findings, which has room for few."""

_NAMES = ("package", "source_package")

_SEVERITY_PLACE = 1
"""Place of the severity in `overlap.listing`, where a variant may be named like that column."""


class Choice(NamedTuple):
    """What is looked at. No variant, no severity and no text chosen means all of them."""

    variants: tuple[str, ...] = ()
    lens: Lens = PLAIN
    severities: tuple[str, ...] = ()
    package: str = ""

    @property
    def label(self) -> str:
        """Return what is counted, in words that stand with every count."""
        return ", ".join([self.lens.label, *self.narrowed])

    @property
    def short(self) -> str:
        """Return what a figure's title says is counted; its axis and footer say the rest."""
        return t("{what}, as chosen", what=self.lens.short) if self.narrowed else self.lens.short

    @property
    def narrowed(self) -> list[str]:
        """Return what is left out beyond the lens, in words."""
        parts = []
        if self.chosen != SEVERITIES:
            # The worst first, as the figures have them.
            parts.append(
                t("only {severities}", severities=", ".join(map(word, reversed(self.chosen))))
            )
        if self.package:
            name = escape.short(self.package, 24)
            parts.append(t("in packages with “{text}” in their name", text=name))
        return parts

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the severities that count, in order."""
        return tuple(level for level in SEVERITIES if level in (self.severities or SEVERITIES))


class View(NamedTuple):
    """What a choice leaves: frames as `counting`, `overlap` and `growth` make them, and rows.

    `rows` are what is counted, one row each, as `findings` has them. `left_out` says what has no
    date, where counting is by one, `off_curve` what the curve does not have; empty for nothing.
    """

    images: pd.DataFrame
    counts: pd.DataFrame
    listing: pd.DataFrame
    curve: pd.DataFrame
    rows: pd.DataFrame
    title: str
    left_out: str
    off_curve: str


def view(frames: Frames, choice: Choice) -> View:
    """Return what a choice leaves of frames of one capture.

    Severities are chosen after the lens, for it says whose they are, and which of several counts:
    in the overlap that is the highest of all variants. Raises `ParameterInvalid` for an
    unknown lens.
    """
    lens, every = choice.lens, choice.chosen == SEVERITIES
    images = _chosen(frames.images, choice.variants)
    within = _with_name(_chosen(frames.findings, choice.variants), choice.package)
    counted = lenses.apply(within, lens)
    listing = overlap.listing(within, images, lens)
    dated = within
    if not every:
        counted = _at(counted, counted["severity"], choice)
        listing = _at(listing, listing.iloc[:, _SEVERITY_PLACE], choice)
        # A curve counts on each day what was known by then, so no day may be left out before.
        dated = _whenever(within, choice)
    counts = counting.severity_counts(counted, images, lens)
    curve = growth.growth(dated, images, lens)
    known = within[within["published_at"].notna()]
    ever = _ever(within, choice)
    undated = _more(ever, _ever(known, choice)) if lens.known_by else ""
    missing = _more(ever, curve.groupby("variant")["count"].last())
    return View(
        images,
        counts,
        listing,
        curve,
        counted.sort_values(
            ["severity", "vulnerability_id", "variant", "package"],
            ascending=[False, True, True, True],
            ignore_index=True,
        ),
        counting.breakdown_title(counts, choice.short),
        t("not counted, for want of a date: {variants}", variants=undated) if undated else "",
        t(
            "not on the curve, without a date or later than the database: {variants}",
            variants=missing,
        )
        if missing
        else "",
    )


def _whenever(findings: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """Return what counts under a choice, whenever it was published."""
    counted = lenses.apply(findings, choice.lens._replace(known_by=""))
    return _at(counted, counted["severity"], choice)


def _ever(findings: pd.DataFrame, choice: Choice) -> pd.Series:
    """Return how many count under a choice, whenever they were published, by variant."""
    return _whenever(findings, choice)["variant"].value_counts()


def _more(whole: pd.Series, part: pd.Series) -> str:
    """Return which variants have more in one count than in another, and how many more."""
    less = whole.sub(part.reindex(whole.index), fill_value=0)
    return ", ".join(
        f"{escape.plain(variant)} {count:,.0f}" for variant, count in less.items() if count > 0
    )


def picked(rows: pd.DataFrame, variant: str = "", severity: str = "") -> pd.DataFrame:
    """Return the rows of one bar: of a variant, of a severity, or of both; empty is any."""
    kept = rows[rows["variant"].eq(variant)] if variant else rows
    return kept[kept["severity"].eq(severity)] if severity else kept


def joined(frames: Frames, reports: Iterable[Frames]) -> Frames:
    """Return the frames of a capture and of a user's reports, as if these were of the capture.

    So they stand side by side, and a check covers whether all were scanned alike.
    """
    capture = str(frames.images["capture"].iloc[0])
    guests = [[part.assign(capture=capture) for part in report] for report in reports]
    if not guests:
        return frames
    return Frames(
        *(
            pd.concat([part, *(guest[place] for guest in guests)], ignore_index=True)
            for place, part in enumerate(frames)
        )
    )


def _chosen(frame: pd.DataFrame, variants: tuple[str, ...]) -> pd.DataFrame:
    return frame[frame["variant"].isin(variants)] if variants else frame


def _with_name(findings: pd.DataFrame, text: str) -> pd.DataFrame:
    """Return the findings whose package, or source package, has a text in its name."""
    if not text:
        return findings
    names = [
        findings[column].str.contains(text, case=False, regex=False, na=False) for column in _NAMES
    ]
    return findings[names[0] | names[1]]


def _at(frame: pd.DataFrame, severity: pd.Series, choice: Choice) -> pd.DataFrame:
    return frame[severity.isin(choice.chosen).to_numpy()].reset_index(drop=True)
