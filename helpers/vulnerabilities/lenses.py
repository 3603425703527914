"""Lenses: ways to count findings, each a small pure function, and their labels."""

import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from inspect import Parameter, Signature
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import pandas as pd

from helpers.errors import ParameterInvalid, choose
from helpers.frames import PLACES, SEVERITIES
from helpers.text import escape
from helpers.text.i18n import Listing, Message, msg, t
from helpers.vulnerabilities import once
from helpers.vulnerabilities.once import COUNTED, FINDINGS, PER_PACKAGE, VULNERABILITIES

SCANNER, NVD = "scanner", "nvd"
SCALES = (SCANNER, NVD)
"""Whose severities: the scanner's choice by source, or NVD's for all."""

EVER = msg("ever")
"""The `known_by` without a limit."""

LIKELY_FROM = 0.1
"""EPSS from which on exploitation is likely here. FIRST names no threshold; about one of twenty ids
had such a score on 2026-06-20 (17,054 of 341,000)."""

PLACE_NAMES = {"os": msg("OS packages"), "tools": msg("bundled tools"), "app": msg("the app")}

NAMES = {
    FINDINGS: msg("findings"),
    VULNERABILITIES: msg("vulnerabilities"),
    PER_PACKAGE: msg("vulnerabilities × source packages"),
}
"""What is counted, in words."""

_ONE = {
    FINDINGS: msg("finding"),
    VULNERABILITIES: msg("vulnerability"),
    PER_PACKAGE: msg("vulnerability × source package"),
}
"""One of what is counted, in words."""


class Own(NamedTuple):
    """A user's own lens: a function that selects findings, and its label.

    The function returns rows of the frame, or a flag for each row.
    """

    chosen: Callable[[pd.DataFrame], pd.DataFrame | pd.Series]
    label: str


class Field(NamedTuple):
    """A field of `Lens`: its inputs, its filter and its words.

    The default value gives the type. `values` are the choices, by value, with their words.

    - Widget: `asks` is its label, `hint` the text beside it.
    - Notebook: `parameter` is the name, `help` the text beside it.
    - Saved view: `key` is the name. `--fail-on`: `rule` is the syntax; empty if it has none.
    - Filter: `keeps` returns the findings that count, and reads `columns`. It is called only if
      the value is not the default.
    - Labels: `counts` is the text around what is counted, `limits` returns the text of a limit.
    """

    asks: str
    hint: str = ""
    values: dict[str, str] | None = None
    parameter: str = ""
    help: str = ""
    key: str = ""
    rule: str = ""
    is_day: bool = False
    keeps: Callable[[pd.DataFrame, Any], pd.DataFrame] | None = None
    columns: tuple[str, ...] = ()
    counts: str = ""
    limits: Callable[[Any], str] | None = None


def _fixable(findings: pd.DataFrame, _: "Lens") -> pd.DataFrame:
    return findings[findings["fixed_version"].notna()]


def _published(findings: pd.DataFrame, lens: "Lens") -> pd.DataFrame:
    """Return findings published by the end of the lens's day, in UTC.

    This approximates a database of that day. It lacks findings without a date and those fixed or
    withdrawn since, and includes those that a distribution added later.
    """
    return findings[findings["published_at"].lt(_after(lens.known_by)).fillna(False)]


def _sits_in(findings: pd.DataFrame, lens: "Lens") -> pd.DataFrame:
    return findings[findings["place"].eq(lens.place).fillna(False)]


def _named(findings: pd.DataFrame, lens: "Lens") -> pd.DataFrame:
    first, second = (
        findings[column].str.contains(lens.package, case=False, regex=False, na=False)
        for column in ("package", "source_package")
    )
    return findings[first | second]


def _exploited(findings: pd.DataFrame, lens: "Lens") -> pd.DataFrame:
    """Return findings known to be exploited, by the lens's day if it has one.

    Raises `ParameterInvalid` if some have no catalog: unknown is not zero.
    """
    _check_known(findings, "exploited", "known to be exploited")
    found = findings[findings["exploited"].fillna(False)]
    if not lens.known_by:
        return found
    return found[found["kev_added_at"].lt(_after(lens.known_by)).fillna(False)]


def _likely(findings: pd.DataFrame, lens: "Lens") -> pd.DataFrame:
    """Return findings with at least the lens's EPSS score, without unscored ones.

    Raises `ParameterInvalid` if some have no scores of any day: unknown is not zero.
    """
    _check_known(findings, "epss_day", "likely to be exploited")
    return findings[findings["epss"].ge(lens.epss).fillna(False)]


def _check_known(findings: pd.DataFrame, column: str, what: str) -> None:
    """Raise `ParameterInvalid` if a finding has no record of exploitation in `column`."""
    missing = findings[findings[column].isna()]
    if len(missing):
        row = missing.iloc[0]
        where = f"{row['variant']}, capture {row['capture']}" if row["capture"] else row["variant"]
        raise ParameterInvalid(
            f"{where}: no record of which vulnerabilities are {what}; leave the image out, or add "
            "the record: python -m helpers risk STUDY --epss FILE --kev FILE"
        )


def _only(severities: tuple[str, ...]) -> str:
    # The worst first, as the figures have them.
    levels = [Message(level) for level in reversed(SEVERITIES) if level in severities]
    if not levels:
        return Message("no severity selected")
    return Message("only {severities}", severities=Listing(levels))


def _with_name(package: str) -> str:
    return Message("package name contains “{text}”", text=escape.short(package, 24))


class Lens(NamedTuple):
    """One way to count: its fields with their defaults.

    To add a field, add it here with a function that `keeps` what counts. `each` and `apply` handle
    suppressed findings, the severity scale, distinct counts and users' own lenses.
    """

    counted: Annotated[
        str,
        Field(
            msg("lens: count"),
            values={counted: NAMES[counted] for counted in COUNTED},
            parameter="lens",
            help=f"one of {', '.join(COUNTED)}",
            key="count",
        ),
    ] = FINDINGS
    fixable: Annotated[
        bool,
        Field(
            msg("only fixable"),
            help="count only what a newer package would fix",
            rule="fixable",
            keeps=_fixable,
        ),
    ] = False
    rated_by: Annotated[
        str,
        Field(
            msg("severities are"),
            values={SCANNER: msg("the scanner's"), NVD: msg("NVD's")},
            help=f"one of {', '.join(SCALES)}; whose severities",
            columns=("nvd_severity",),
        ),
    ] = SCANNER
    known_by: Annotated[
        str,
        Field(
            msg("published by"),
            help="a day: only what was published by then; empty: the study's own; ever: all",
            is_day=True,
            keeps=_published,
            columns=("published_at",),
        ),
    ] = ""
    place: Annotated[
        str,
        Field(
            msg("packages in"),
            values={"": msg("everywhere"), **PLACE_NAMES},
            help=f"one of {', '.join(PLACES)}; where the package sits; empty: everywhere",
            rule=f"place=PLACE ({', '.join(PLACES)})",
            keeps=_sits_in,
            columns=("place",),
        ),
    ] = ""
    severities: Annotated[
        tuple[str, ...],
        Field(
            msg("severities"),
            hint=msg("several with Ctrl or Shift"),
            help="the levels that count, of the scale that rated_by names",
            values={level: level for level in SEVERITIES},
            rule="severity>=LEVEL or severity=LEVEL (unknown, low, medium, high, critical)",
            limits=_only,
        ),
    ] = SEVERITIES
    package: Annotated[
        str,
        Field(
            msg("package"),
            hint=msg("part of its name"),
            help="a text in the name of a package or of its source package",
            keeps=_named,
            limits=_with_name,
        ),
    ] = ""
    own: tuple[Own, ...] = ()
    exploited: Annotated[
        bool,
        Field(
            msg("only known to be exploited"),
            help="count only what is known to be exploited (KEV)",
            rule="exploited",
            keeps=_exploited,
            columns=("exploited", "kev_added_at"),
            counts=msg("{what} known to be exploited"),
        ),
    ] = False
    epss: Annotated[
        float,
        Field(
            msg("EPSS from"),
            hint=msg("0: any score, and none"),
            help="0 to 1; count only what has at least this EPSS score; 0: all",
            rule="epss>=NUMBER (above 0, up to 1)",
            keeps=_likely,
            columns=("epss", "epss_day"),
            counts=msg("{what} with EPSS ≥ {value:g}"),
        ),
    ] = 0.0
    suppressed: Annotated[
        bool,
        Field(
            msg("also declared harmless"),
            help="count also what VEX or an ignore file declares harmless",
            rule="suppressed (also what a statement or an ignore file suppresses)",
        ),
    ] = False

    @property
    def short(self) -> str:
        """Return the counted thing in short, for titles."""
        return t("selected {what}", what=self.kind.told) if self.chosen else self.kind.told

    @property
    def one(self) -> str:
        """Return the singular of what is counted, without place, day and choice."""
        return self._counted(_ONE).told

    @property
    def label(self) -> str:
        """Return what is counted, with every part of the lens."""
        return self.cell.told

    @property
    def cell(self) -> Message:
        """Return the label for cells of a frame."""
        return self._whole(self.kind)

    @property
    def kind(self) -> Message:
        """Return what is counted, without place, day and choice, for cells of a frame."""
        return self._counted(NAMES)

    @property
    def narrowed(self) -> str:
        """Return the place, day and choice that the count is limited to; empty if it is not."""
        where = Message("in {place}", place=self._place) if self.place else ""
        return Listing(filter(None, (where, self._published, *self.chosen))).told

    @property
    def chosen(self) -> list[str]:
        """Return the severities, packages and own lenses that the count is limited to."""
        limits = ((FIELDS[name].limits, value) for name, value in changed(self).items())
        said = [limit(value) for limit, value in limits if limit]
        return said + [escape.plain(own.label) for own in self.own]

    def _counted(self, names: dict[str, str]) -> Message:
        what = Message(names.get(self.counted, self.counted))
        if self.fixable:
            what = Message("fixable {counted}", counted=what)
        for name, value in changed(self).items():
            if FIELDS[name].counts:
                what = Message(FIELDS[name].counts, what=what, value=value)
        return what

    def _whole(self, counted: Message) -> Message:
        """Return what is counted with the rest of the lens."""
        if self.place:
            counted = Message("{counted} in {place}", counted=counted, place=self._place)
        also = Message("also declared harmless") if self.suppressed else ""
        by_nvd = Message("by NVD's severities") if self.rated_by == NVD else ""
        return Listing(filter(None, (counted, also, self._published, by_nvd, *self.chosen)))

    @property
    def _place(self) -> Message:
        return Message(PLACE_NAMES.get(self.place, self.place))

    @property
    def _published(self) -> str:
        return Message("published by {day}", day=self.known_by) if self.known_by else ""


PLAIN = Lens()
"""Every finding, at the scanner's severity: the total that a scanner prints."""

_HINTS = {
    name: hint
    for name, hint in get_type_hints(Lens, include_extras=True).items()
    if get_origin(hint) is Annotated
}

FIELDS: dict[str, Field] = {
    name: field._replace(parameter=field.parameter or name, key=field.key or name)
    for name, field in ((name, get_args(hint)[1]) for name, hint in _HINTS.items())
}
"""The table of a lens's fields, by name."""


def _kind(name: str) -> Any:
    """Return the type of a field as users give it: the choices, if it has some."""
    kind, field = get_args(_HINTS[name])[:2]
    values = tuple(filter(None, field.values or ()))
    choice: Any = Literal.__getitem__(values) if values else kind
    return Sequence[choice] if kind == tuple[str, ...] else choice


SIGNATURE = Signature(
    [
        Parameter("self", Parameter.POSITIONAL_ONLY),
        *(
            Parameter(
                field.parameter, Parameter.KEYWORD_ONLY, default=None, annotation=_kind(name) | None
            )
            for name, field in FIELDS.items()
        ),
    ]
)
"""The signature of `Comparison.where`."""


def changed(lens: Lens, first: Lens = PLAIN) -> dict[str, Any]:
    """Return the fields of a lens that differ from `first`, by name."""
    values = {name: getattr(lens, name) for name in FIELDS}
    return {name: value for name, value in values.items() if value != getattr(first, name)}


def given(lens: Lens, study_known_by: date | None = None, /, **named: Any) -> Lens:
    """Return a lens with other fields, as `where` names them; what is `None` stays.

    An empty day is the study's. Raises `ParameterInvalid` for an invalid day, `TypeError` for an
    unknown field.
    """
    known = [field.parameter for field in FIELDS.values()]
    for name in named:
        if name not in known:
            raise TypeError(f"where() has no parameter {name!r}; {choose(name, known)}")
    every = {name: named.get(field.parameter) for name, field in FIELDS.items()}
    new: dict[str, Any] = {name: value for name, value in every.items() if value is not None}
    if "known_by" in new:
        new["known_by"] = day(new["known_by"], study_known_by)
    if "severities" in new:
        levels = new["severities"]
        chosen = {levels} if isinstance(levels, str) else {*levels}
        new["severities"] = (
            *(level for level in SEVERITIES if level in chosen),
            *sorted(chosen - {*SEVERITIES}),
        )
    return lens._replace(**new)


def checked(lens: Lens) -> Lens:
    """Return a valid lens unchanged. Raises `ParameterInvalid` for an unknown part."""
    for name, field in FIELDS.items():
        value, known = getattr(lens, name), field.values or {}
        for one in value if isinstance(value, tuple) else (value,):
            if known and one not in known:
                raise ParameterInvalid(
                    f"{field.parameter} {one!r} is not one of {', '.join(filter(None, known))}"
                )
        is_flag = isinstance(value, bool)
        match getattr(PLAIN, name):
            case bool() if not is_flag:
                raise ParameterInvalid(f"{name} {value!r} is not a bool; write True or False")
            case float() if is_flag or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise ParameterInvalid(
                    f"{name} {value!r} is not a probability; write a number from 0 to 1"
                )
    return lens


def apply(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return the rows that a lens counts, with their severity under it.

    Of several that count once, the one with the highest severity. Raises `ParameterInvalid` for
    an unknown part of the lens.
    """
    return once.highest(each(findings, lens), lens.counted)


def each(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return every finding that a lens counts, also those that count once.

    With the severities under the lens. Raises `ParameterInvalid` as `apply` does.
    """
    checked(lens)
    counted = findings if lens.suppressed else standing(findings)
    for name in changed(lens):
        if keeps := FIELDS[name].keeps:
            counted = keeps(counted, lens)
    for own in lens.own:
        counted = _own(counted, own)
    if lens.rated_by == NVD:
        counted = counted.assign(severity=counted["nvd_severity"].fillna("UNKNOWN"))
    return counted if lens.severities == SEVERITIES else _rated(counted, lens)


def standing(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that are not suppressed."""
    suppressed = findings["suppressed"].fillna(False)
    return findings[~suppressed] if suppressed.any() else findings


def _rated(findings: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return findings whose highest severity is one of the lens's."""
    level = findings["severity"].cat.codes
    if lens.counted != FINDINGS:
        level = level.groupby(once.keys(findings, lens.counted)).transform("max")
    return findings[level.isin([SEVERITIES.index(severity) for severity in lens.severities])]


def _own(findings: pd.DataFrame, own: Own) -> pd.DataFrame:
    """Return the findings that a user's own lens selects.

    Raises `ParameterInvalid` if its function returns neither rows of the frame nor flags.
    """
    try:
        found = own.chosen(findings.copy(deep=False))
    except Exception as error:
        raise ParameterInvalid(_in_own(own, error, findings)) from error
    if isinstance(found, pd.Series) and pd.api.types.is_bool_dtype(found.dtype):
        if len(found) == len(findings):
            return findings[found.fillna(False).to_numpy(dtype=bool)]
    elif isinstance(found, pd.DataFrame) and found.index.isin(findings.index).all():
        # The original rows: the function may have changed its copies.
        return findings[findings.index.isin(found.index)]
    raise ParameterInvalid(
        f"the lens {own.label!r} returned neither rows of the findings nor a flag for each; return "
        "findings[...] or findings[...].eq(...)"
    )


def _in_own(own: Own, error: Exception, findings: pd.DataFrame) -> str:
    """Return where and why a user's own lens failed, with the line that failed."""
    file = getattr(getattr(own.chosen, "__code__", None), "co_filename", "")
    lines = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    where = f" at line {lines[-1].lineno}, `{lines[-1].line}`" if lines else ""
    why = f"{type(error).__name__}: {error}"
    if isinstance(error, KeyError) and error.args and error.args[0] not in findings:
        why = f"findings have no column {error.args[0]!r}; {choose(str(error.args[0]), findings)}"
    return f"the lens {own.label!r} failed{where}: {why}"


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
            f"known_by {day!r} is not a date; write YYYY-MM-DD or {EVER!r}"
        ) from error
