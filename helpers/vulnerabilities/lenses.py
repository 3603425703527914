"""Lenses: fair ways to count findings, each a small pure function, and the name of a count."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.errors import ParameterInvalid
from helpers.frames import PLACES, SEVERITIES
from helpers.text import escape
from helpers.text.i18n import Listing, Message, message, msg, t

FINDINGS, VULNERABILITIES = "findings", "vulnerabilities"
PER_PACKAGE = "vulnerability-packages"
COUNTED = (FINDINGS, VULNERABILITIES, PER_PACKAGE)
"""What is counted: findings; vulnerabilities; vulnerabilities in distinct source packages.

Ids that name each other, as a CVE and a GHSA do, are one vulnerability."""

SCANNER, NVD = "scanner", "nvd"
SCALES = (SCANNER, NVD)
"""Whose severities: those that the scanner chose, source by source, or NVD's for all."""

EVER = msg("ever")
"""The `known_by` that leaves nothing out for its date."""

LIKELY_FROM = 0.1
"""EPSS from which on exploitation is likely here. FIRST names no threshold; about one of twenty ids
had such a score on 2026-06-20 (17,054 of 341,000)."""

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

_ONE = {
    (FINDINGS, False): msg("finding"),
    (VULNERABILITIES, False): msg("vulnerability"),
    (PER_PACKAGE, False): msg("vulnerability × source package"),
    (FINDINGS, True): msg("fixable finding"),
    (VULNERABILITIES, True): msg("fixable vulnerability"),
    (PER_PACKAGE, True): msg("fixable vulnerability × source package"),
}
"""One of what is counted, in words, and whether it is fixable."""


_NAMES = ("package", "source_package")


class Own(NamedTuple):
    """A lens of a user's own: a function of findings that returns those that count, and its label.

    The function returns rows of the frame, or a flag for each row.
    """

    chosen: Callable[[pd.DataFrame], pd.DataFrame | pd.Series]
    label: str


class Lens(NamedTuple):
    """One way to count.

    `known_by` is a day, `place` one of `frames.PLACES`, `package` a part of the name of a package
    or of its source; empty is any. Only `severities` count: the highest one of what counts once.
    `exploited` are those that KEV knows; `epss` is the least score, and 0 any or none. `suppressed`
    ones are left out unless it says so. `apply` raises `ParameterInvalid` for an unknown part.
    """

    counted: str = FINDINGS
    fixable: bool = False
    severity: str = SCANNER
    known_by: str = ""
    place: str = ""
    severities: tuple[str, ...] = SEVERITIES
    package: str = ""
    own: tuple[Own, ...] = ()
    exploited: bool = False
    epss: float = 0.0
    suppressed: bool = False

    @property
    def short(self) -> str:
        """Return what a title says is counted; the label says the rest."""
        if self.chosen:
            return t("{what}, as chosen", what=self.kind.told)
        return self.kind.told

    @property
    def one(self) -> str:
        """Return what is counted, as one of it, without place, day and choice."""
        return self._one.told

    @property
    def label(self) -> str:
        """Return what is counted, with every part of the lens."""
        return self.cell.told

    @property
    def label_of_one(self) -> str:
        """Return the label of one of what is counted."""
        return self._whole(self._one).told

    @property
    def cell(self) -> Message:
        """Return the label for cells of a frame."""
        return self._whole(self.kind)

    @property
    def kind(self) -> Message:
        """Return what is counted, without place, day and choice, for cells of a frame."""
        return self._exploitable(Message(NAMES.get((self.counted, self.fixable), self.counted)))

    @property
    def narrowed(self) -> str:
        """Return the place, day and choice that the count is limited to; empty if it is not."""
        where = message("in {place}", place=self._place) if self.place else ""
        return Listing(filter(None, (where, self._published, *self.chosen))).told

    @property
    def chosen(self) -> list[str]:
        """Return the severities, packages and own lenses that the count is limited to."""
        parts: list[str] = []
        if self.severities != SEVERITIES:
            # The worst first, as the figures have them.
            levels = [Message(level) for level in reversed(SEVERITIES) if level in self.severities]
            only = message("only {severities}", severities=Listing(levels))
            parts.append(only if levels else message("no severity selected"))
        if self.package:
            text = escape.short(self.package, 24)
            parts.append(message("in packages with “{text}” in their name", text=text))
        return parts + [escape.plain(own.label) for own in self.own]

    @property
    def of_exploitation(self) -> bool:
        """Return whether it asks what is known of exploitation."""
        return self.exploited or self.epss > 0

    @property
    def _one(self) -> Message:
        return self._exploitable(Message(_ONE[self.counted, self.fixable]))

    def _whole(self, counted: Message) -> Message:
        """Return what is counted with the rest of the lens."""
        if self.place:
            counted = message("{counted} in {place}", counted=counted, place=self._place)
        also = message("also those declared harmless") if self.suppressed else ""
        by_nvd = message("by NVD's severities") if self.severity == NVD else ""
        return Listing(filter(None, (counted, also, self._published, by_nvd, *self.chosen)))

    def _exploitable(self, what: Message) -> Message:
        """Return what is counted with what is asked of its exploitation."""
        if self.exploited:
            what = message("{what} known to be exploited", what=what)
        if self.epss:
            what = message("{what} with EPSS ≥ {least:g}", what=what, least=self.epss)
        return what

    @property
    def _place(self) -> Message:
        return Message(PLACE_NAMES.get(self.place, self.place))

    @property
    def _published(self) -> str:
        return message("published by {day}", day=self.known_by) if self.known_by else ""


PLAIN = Lens()
"""Every finding, at the scanner's severity: the total that a scanner prints."""


def checked(lens: Lens) -> Lens:
    """Return a lens as it is. Raises `ParameterInvalid` for an unknown part of it."""
    for name, values, choices in (
        ("lens", [lens.counted], COUNTED),
        ("severity", [lens.severity], SCALES),
        ("place", [lens.place], ("", *PLACES)),
        ("severities", lens.severities, SEVERITIES),
    ):
        for value in values:
            if value not in choices:
                raise ParameterInvalid(
                    f"{name} {value!r} is none of {', '.join(filter(None, choices))}"
                )
    for name in ("fixable", "exploited", "suppressed"):
        value = getattr(lens, name)
        if not isinstance(value, bool):
            raise ParameterInvalid(f"{name} {value!r} is not a bool: write True or False")
    is_number = isinstance(lens.epss, (int, float)) and not isinstance(lens.epss, bool)
    if not is_number or not 0 <= lens.epss <= 1:
        raise ParameterInvalid(f"epss {lens.epss!r} is no probability: write a number from 0 to 1")
    return lens


def apply(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return the rows that count under a lens, with their severity under it.

    Of what counts once, it is the finding with the highest severity. Raises `ParameterInvalid` for
    an unknown part of the lens.
    """
    counted = each(findings, lens)
    return counted if lens.counted == FINDINGS else _highest(counted, lens.counted)


def each(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return every finding of what counts under a lens, also of what counts once.

    With the severities under the lens. Raises `ParameterInvalid` as `apply` does.
    """
    checked(lens)
    counted = findings if lens.suppressed else standing(findings)
    if lens.fixable:
        counted = fixable(counted)
    if lens.place:
        counted = sits_in(counted, lens.place)
    if lens.package:
        counted = named(counted, lens.package)
    if lens.known_by:
        counted = known_by(counted, lens.known_by)
    if lens.exploited:
        counted = exploited(counted, lens.known_by)
    if lens.epss:
        counted = likely(counted, lens.epss)
    for own in lens.own:
        counted = _own(counted, own)
    if lens.severity == NVD:
        counted = by_nvd(counted)
    return counted if lens.severities == SEVERITIES else _rated(counted, lens)


def standing(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that no statement and no ignore file takes out of the counts."""
    suppressed = findings["suppressed"].fillna(False)
    return findings[~suppressed] if suppressed.any() else findings


def exploited(findings: pd.DataFrame, known_by: str = "") -> pd.DataFrame:
    """Return the findings whose vulnerability is known to be exploited, by a day if one is given.

    Raises `ParameterInvalid` if of some there is no catalog to know it by: that is not zero.
    """
    _check_known(findings, findings["exploited"], "known to be exploited")
    found = findings[findings["exploited"].fillna(False)]
    return found[found["kev_added_at"].lt(_after(known_by)).fillna(False)] if known_by else found


def likely(findings: pd.DataFrame, least: float) -> pd.DataFrame:
    """Return the findings whose vulnerability has an EPSS score from `least` on.

    What has no score is left out. Raises `ParameterInvalid` if of some there are no scores of any
    day: that is not zero.
    """
    _check_known(findings, findings["epss_day"], "likely to be exploited")
    return findings[findings["epss"].ge(least).fillna(False)]


def _check_known(findings: pd.DataFrame, column: pd.Series, what: str) -> None:
    """Raise `ParameterInvalid` if what is known of exploitation is missing of some findings."""
    missing = findings[column.isna()]
    if len(missing):
        row = missing.iloc[0]
        where = f"{row['variant']}, capture {row['capture']}" if row["capture"] else row["variant"]
        raise ParameterInvalid(
            f"of {where} it is not recorded which vulnerabilities are {what}, so none can be "
            "counted. Leave the image out, or add it to the study's evidence: python -m helpers "
            "risk STUDY --epss FILE --kev FILE"
        )


def fixable(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that a newer package would fix."""
    return findings[findings["fixed_version"].notna()]


def sits_in(findings: pd.DataFrame, place: str) -> pd.DataFrame:
    """Return the findings whose package sits in one place: `os`, `tools` or `app`."""
    return findings[findings["place"].eq(place).fillna(False)]


def named(findings: pd.DataFrame, text: str) -> pd.DataFrame:
    """Return the findings whose package, or source package, has a text in its name."""
    first, second = (
        findings[column].str.contains(text, case=False, regex=False, na=False) for column in _NAMES
    )
    return findings[first | second]


def known_by(findings: pd.DataFrame, day: str | date) -> pd.DataFrame:
    """Return the findings whose vulnerability was published by the end of a day, in UTC.

    An approximation of a database of that day. Findings without a date and those fixed or withdrawn
    since are missing; those that a distribution took up later are there.
    """
    return findings[findings["published_at"].lt(_after(day)).fillna(False)]


def undated(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings without a date, which a lens by date leaves out."""
    return findings[findings["published_at"].isna()]


def by_nvd(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings at NVD's severity; UNKNOWN where NVD has none."""
    return findings.assign(severity=findings["nvd_severity"].fillna("UNKNOWN"))


def distinct(findings: pd.DataFrame, counted: str) -> pd.DataFrame:
    """Return the first row of each thing counted, in the order of the findings.

    That is one row an image and vulnerability, or one an image, vulnerability and source package.
    An unknown source package is replaced by the installed one.
    """
    if counted == FINDINGS:
        return findings
    return findings[~_keys(findings, counted).duplicated()]


def keys(findings: pd.DataFrame, counted: str) -> np.ndarray:
    """Return a number for each finding: equal ones count once."""
    if counted == FINDINGS:
        return np.arange(len(findings))
    keys = _keys(findings, counted)
    number = keys.groupby([*keys], dropna=False, observed=True).ngroup()
    return np.asarray(number, np.int64)


def _keys(findings: pd.DataFrame, counted: str) -> pd.DataFrame:
    """Return what tells apart the things that count once, a row a finding."""
    # A finding without an id equals no other.
    ids = findings["vulnerability"]
    if ids.isna().any():
        rows = pd.Series(range(len(findings)), index=findings.index).astype("str")
        ids = ids.where(ids.notna(), "row " + rows)
    keys = findings[_IMAGE].assign(id=ids)
    if counted == PER_PACKAGE:
        keys = keys.assign(source=findings["source_package"].fillna(findings["package"]))
    return keys


def _highest(findings: pd.DataFrame, counted: str) -> pd.DataFrame:
    """Return one row of each thing counted: the finding with the highest severity."""
    order = np.argsort(-findings["severity"].cat.codes.to_numpy(), kind="stable")
    again = _keys(findings, counted).iloc[order].duplicated().to_numpy()
    return findings.iloc[np.sort(order[~again])]


def _rated(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return the findings of what has one of the lens's severities at its highest."""
    level = findings["severity"].cat.codes
    if lens.counted != FINDINGS:
        keys = _keys(findings, lens.counted)
        level = level.groupby([*keys.to_dict("series").values()], dropna=False).transform("max")
    return findings[level.isin([SEVERITIES.index(severity) for severity in lens.severities])]


def _own(findings: pd.DataFrame, own: Own) -> pd.DataFrame:
    """Return the findings that count under a lens of a user's own.

    Raises `ParameterInvalid` if its function returns neither rows of the frame nor flags.
    """
    found = own.chosen(findings.copy(deep=False))
    if isinstance(found, pd.Series) and pd.api.types.is_bool_dtype(found.dtype):
        if len(found) == len(findings):
            return findings[found.fillna(False).to_numpy(dtype=bool)]
    elif isinstance(found, pd.DataFrame) and found.index.isin(findings.index).all():
        # Its rows as they were: a count of anything else would bear the kit's name.
        return findings[findings.index.isin(found.index)]
    raise ParameterInvalid(
        f"the lens {own.label!r} returned neither rows of the findings nor a flag for each; return "
        "findings[...] or findings[...].eq(...)"
    )


def day(known_by: str, study_known_by: date | None = None) -> str:
    """Return the day of a lens: as given, the study's if empty, none if `ever`.

    Raises `ParameterInvalid` for an invalid day.
    """
    if known_by == EVER:
        return ""
    return str(_day(known_by)) if known_by else str(study_known_by or "")


def as_day(known_by: str) -> date | None:
    """Return the day of a lens; none for a lens without one."""
    return _day(known_by) if known_by else None


def _after(day: str | date) -> pd.Timestamp:
    """Return the first moment after a day."""
    found = _day(day)
    return pd.Timestamp(datetime(found.year, found.month, found.day, tzinfo=UTC)) + timedelta(1)


def _day(day: str | date) -> date:
    try:
        return date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError as error:
        raise ParameterInvalid(
            f"known_by {day!r} is not a day: write it as 2022-02-28, or {EVER!r}"
        ) from error
