"""Parts of a picture that are buttons: where each is, what it says, and which findings it is of."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from helpers.answers.chart_data import JOINED, Bars, Chart, Curves, Overlap
from helpers.charts import bar_chart, curve_chart, overlap_chart
from helpers.charts.axes import Place
from helpers.text.i18n import t
from helpers.vulnerabilities import overlap


class Part(NamedTuple):
    """A part of a picture, where it is (shares of width and height), and what it is of.

    A finding is of it if it is of the `variant`, of the `severity`, after the day `after` and by
    `until`, and its vulnerability is in the images `together` and in no other. `without` is the
    rest: in none of those combinations. Empty and `None` are any. A finding's day is the latest one
    of its columns `days`.
    """

    label: str
    place: Place
    variant: str = ""
    severity: str = ""
    after: date | None = None
    until: date | None = None
    together: str = ""
    without: tuple[str, ...] = ()
    days: tuple[str, ...] = ("published_at",)

    def rows(self, findings: pd.DataFrame, listing: pd.DataFrame | None) -> pd.DataFrame:
        """Return the findings that are of it; `listing` is that of the overlap, if it is of one."""
        kept = findings
        for columns, method, value in self._conditions:
            day = kept[[*columns]].max(axis=1, skipna=False) if len(columns) > 1 else None
            column = kept[columns[0]] if day is None else day
            kept = kept[getattr(column, method)(value).fillna(False)]
        if self._is_shared and listing is not None:
            ids = overlap.ids_of(listing, self.together, self.without, self.severity)
            kept = kept[overlap.ids(kept).isin(ids)]
        return kept

    @property
    def code(self) -> list[str]:
        """Return the lines of Python that leave its rows of `findings`."""
        lines = []
        for columns, method, value in self._conditions:
            column = f'findings["{columns[0]}"]'
            if len(columns) > 1:
                column = f"findings[{[*columns]!r}].max(axis=1, skipna=False)"
            known = ".fillna(False)" if method != "eq" else ""
            lines.append(f"findings = findings[{column}.{method}({value!r}){known}]")
        if self._is_shared:
            lines += [
                "listed = c.vulnerabilities.listing().table",
                f'listed = listed[listed["variants"].eq({self.together!r})]'
                if self.together
                else f'listed = listed[~listed["variants"].isin({[*self.without]!r})]',
            ]
            if self.severity:
                lines.append(f'listed = listed[listed["severity"].eq({self.severity!r})]')
            lines.append(
                'findings = findings[findings["vulnerability"].isin(listed["vulnerability_id"])]'
            )
        return lines

    @property
    def _conditions(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """Yield columns, of which the latest day counts, a method of theirs and its argument."""
        if self.variant:
            yield ("variant",), "eq", self.variant
        if self.severity and not self._is_shared:
            yield ("severity",), "eq", self.severity
        for day, method in ((self.until, "lt"), (self.after, "ge")):
            if day:
                yield self.days, method, f"{day + timedelta(days=1)}T00:00Z"

    @property
    def _is_shared(self) -> bool:
        return bool(self.together or self.without)


def parts(chart: Chart, figure: Figure, days: tuple[str, ...] = ("published_at",)) -> list[Part]:
    """Return the parts of a chart that can be chosen, on a figure of it.

    A curve is over the latest day of the columns `days` of findings.
    """
    match chart:
        case Bars():
            return [*_bars(chart, figure)]
        case Overlap():
            return [*_combinations(chart, figure)]
        case Curves():
            return [part._replace(days=days) for part in _steps(chart, figure)]
        case _:
            return []


def _bars(chart: Bars, figure: Figure) -> Iterator[Part]:
    """Yield a part for each severity of an image: row by row, the worst first."""
    names = {series.key: series.name for series in chart.series}
    for row, key, value, place in bar_chart.places(chart, figure):
        variant = chart.rows[row][0]
        label = t(
            "{variant} {severity}: {number:,}",
            variant=variant,
            severity=names[key],
            number=round(value),
        )
        yield Part(label, place, variant, key)


def _combinations(chart: Overlap, figure: Figure) -> Iterator[Part]:
    """Yield a part for each severity of a combination of images."""
    every = tuple(JOINED.join(c.members) for c in chart.combinations if c.members)
    for column, key, count, place in overlap_chart.places(chart, figure):
        combination = chart.combinations[column]
        together = JOINED.join(combination.members)
        label = t(
            "{variant} {severity}: {number:,}",
            variant=together or combination.name,
            severity=dict(chart.series)[key],
            number=count,
        )
        without = () if together else every
        yield Part(label, place, severity=key, together=together, without=without)


def _steps(chart: Curves, figure: Figure) -> Iterator[Part]:
    """Yield a part for the steps of a curve that are close to each other."""
    for step in curve_chart.places(chart, figure):
        values = {"variant": step.name, "number": round(step.more), "until": step.until}
        if step.after is None:
            label = t("{variant} until {until:%Y-%m-%d}: {number:,}", **values)
        else:
            first = step.after + timedelta(days=1)
            label = t(
                "{variant} from {first:%Y-%m-%d} to {until:%Y-%m-%d}: {number:,}",
                first=first,
                **values,
            )
        yield Part(label, step.place, step.name, after=step.after, until=step.until)
