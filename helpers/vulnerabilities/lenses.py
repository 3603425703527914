"""Lenses: fair ways to count findings, each a small pure function, and what a count is called."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pandas as pd

from helpers.errors import ParameterInvalid
from helpers.frames import PLACES
from helpers.text.i18n import msg, t, word

FINDINGS, VULNERABILITIES = "findings", "vulnerabilities"
PER_PACKAGE = "vulnerability-packages"
COUNTED = (FINDINGS, VULNERABILITIES, PER_PACKAGE)
"""What is counted: findings; distinct ids; distinct ids in distinct source packages."""

SCANNER, NVD = "scanner", "nvd"
SCALES = (SCANNER, NVD)
"""Whose severities: those that the scanner chose, source by source, or NVD's for all."""

EVER = msg("ever")
"""What `known_by` says where nothing is to be left out for its date."""

_IMAGE = ["capture", "variant", "scanner"]
PLACE_NAMES = {"os": msg("OS packages"), "tools": msg("bundled tools"), "app": msg("the app")}

NAMES = {
    (FINDINGS, False): msg("findings"),
    (VULNERABILITIES, False): msg("vulnerabilities"),
    (PER_PACKAGE, False): msg("vulnerabilities × source packages"),
    (FINDINGS, True): msg("fixable findings"),
    (VULNERABILITIES, True): msg("fixable vulnerabilities"),
    (PER_PACKAGE, True): msg("fixable vulnerabilities × source packages"),
}
"""What is counted, in words, and whether only what is fixable."""


class Lens(NamedTuple):
    """One way to count; `known_by` is a day, `place` one of `places.PLACES`, empty leaves it out.

    Raises `ParameterInvalid` when it is applied, if a part is none that there is.
    """

    counted: str = FINDINGS
    fixable: bool = False
    severity: str = SCANNER
    known_by: str = ""
    place: str = ""

    @property
    def short(self) -> str:
        """Return what is counted, where the rest of the lens stands elsewhere on the figure."""
        return word(NAMES.get((self.counted, self.fixable), self.counted))

    @property
    def label(self) -> str:
        """Return what is counted, in words that stand with every count."""
        place = self._place
        told = t("{counted} in {place}", counted=self.short, place=place) if place else self.short
        by_nvd = word(msg("by NVD's severities")) if self.severity == NVD else ""
        return ", ".join(filter(None, (told, self._published, by_nvd)))

    @property
    def narrowed(self) -> str:
        """Return what is left out of the count by place and day, in words; empty if nothing is."""
        where = t("in {place}", place=self._place) if self.place else ""
        return ", ".join(filter(None, (where, self._published)))

    @property
    def _place(self) -> str:
        return word(PLACE_NAMES.get(self.place, self.place))

    @property
    def _published(self) -> str:
        return t("published by {day}", day=self.known_by) if self.known_by else ""


PLAIN = Lens()
"""Every finding, at the severity that the scanner chose: what a scanner's last line says."""


def apply(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return the rows that count under a lens, with the severity that it counts them at."""
    _check(lens)
    seen = findings
    if lens.fixable:
        seen = fixable(seen)
    if lens.place:
        seen = sits_in(seen, lens.place)
    if lens.known_by:
        seen = known_by(seen, lens.known_by)
    if lens.severity == NVD:
        seen = by_nvd(seen)
    if lens.counted == VULNERABILITIES:
        return vulnerabilities(seen)
    return per_package(seen) if lens.counted == PER_PACKAGE else seen


def fixable(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that a newer package would fix."""
    return findings[findings["fixed_version"].notna()]


def sits_in(findings: pd.DataFrame, place: str) -> pd.DataFrame:
    """Return the findings whose package sits in one place: `os`, `tools` or `app`."""
    return findings[findings["place"].eq(place).fillna(False)]


def known_by(findings: pd.DataFrame, day: str | date) -> pd.DataFrame:
    """Return the findings whose vulnerability was published by the end of a day, in UTC.

    An approximation of a database of that day: what had no date is left out, what was fixed or
    withdrawn since is missing, and what a distribution learned of later is there.
    """
    return findings[findings["published_at"].lt(_after(day)).fillna(False)]


def undated(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that a lens by date leaves out because they have none."""
    return findings[findings["published_at"].isna()]


def by_nvd(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings at NVD's severity; UNKNOWN where NVD has none."""
    return findings.assign(severity=findings["nvd_severity"].fillna("UNKNOWN"))


def vulnerabilities(findings: pd.DataFrame) -> pd.DataFrame:
    """Return one row an image and vulnerability id: the finding with the highest severity."""
    return _highest(findings, VULNERABILITIES)


def per_package(findings: pd.DataFrame) -> pd.DataFrame:
    """Return one row an image, vulnerability id and source package, at the highest severity.

    Where the source package is not known, the installed one takes its place.
    """
    return _highest(findings, PER_PACKAGE)


def distinct(findings: pd.DataFrame, counted: str) -> pd.DataFrame:
    """Return the first row of each that is counted, in the order of the findings."""
    if counted == FINDINGS:
        return findings
    # A finding without an id cannot be shown to be the same as another: it stays its own.
    ids = findings["vulnerability_id"]
    rows = pd.Series(range(len(findings)), index=findings.index).astype("str")
    keys = findings[_IMAGE].assign(own=ids.where(ids.notna(), "row " + rows))
    if counted == PER_PACKAGE:
        keys = keys.assign(source=findings["source_package"].fillna(findings["package"]))
    return findings[~keys.duplicated()]


def _highest(findings: pd.DataFrame, counted: str) -> pd.DataFrame:
    places = pd.Series(range(len(findings)), index=findings.index)
    ordered = findings.assign(_place=places).sort_values("severity", ascending=False, kind="stable")
    kept = distinct(ordered, counted).sort_values("_place")
    return kept.drop(columns="_place")


def day(known_by: str, studys_own: date | None = None) -> str:
    """Return the day of a lens: as given, the study's own if empty, none if `ever`.

    Raises `ParameterInvalid` for what is no day.
    """
    if known_by == EVER:
        return ""
    return str(_day(known_by)) if known_by else str(studys_own or "")


def _check(lens: Lens) -> None:
    for name, value, choices in (
        ("lens", lens.counted, COUNTED),
        ("severity", lens.severity, SCALES),
        ("place", lens.place, ("", *PLACES)),
    ):
        if value not in choices:
            raise ParameterInvalid(
                f"{name} {value!r} is none of {', '.join(filter(None, choices))}"
            )
    if not isinstance(lens.fixable, bool):
        raise ParameterInvalid(f"fixable {lens.fixable!r} is not a bool: write True or False")


def _after(day: str | date) -> pd.Timestamp:
    """Return the first moment after a day."""
    found = _day(day)
    return pd.Timestamp(datetime(found.year, found.month, found.day, tzinfo=UTC)) + timedelta(1)


def _day(day: str | date) -> date:
    try:
        return date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError as error:
        raise ParameterInvalid(
            f"known_by {day!r} is no day: write it as 2022-02-28, or {EVER!r}"
        ) from error
