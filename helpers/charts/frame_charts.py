"""Chart data of an analyst's own frames; `helpers.charts` says which columns each chart needs."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from helpers import frames
from helpers.answers.chart import (
    Bars,
    Cell,
    Curve,
    Curves,
    Matrix,
    Overlap,
    Point,
    Points,
    Series,
    Step,
    Waterfall,
)
from helpers.charts import colours
from helpers.charts.frame_columns import COUNT, DAY, FLAG, LOOSE, NUMBER, TEXT, Columns
from helpers.errors import ParameterInvalid
from helpers.frames import SCANNED, SEVERITIES
from helpers.sizes import image_sizes
from helpers.sizes.waterfall import REST, STEP, TOTAL
from helpers.surface.checks import FOUND, NO_PACKAGE, NONE, PLAIN, UNKNOWN
from helpers.text import escape
from helpers.text.i18n import Message, t, told, word
from helpers.text.units import MB, megabytes
from helpers.vulnerabilities import counting, lenses
from helpers.vulnerabilities import overlap as overlaps
from helpers.vulnerabilities.lenses import PLACE_NAMES

_NAMES = {"severity": counting.SEVERITY_NAMES, "place": PLACE_NAMES}
"""Names of parts by palette and key, where keys are not their names."""

_PALETTES = ("severity", "fix", "place", "need", "group", "coverage", "layers")
_OWN = "parts"
"""The palette of an analyst's own parts."""

_SIZE = "size"
"""The palette of bars that have no parts, and the key of their only series."""

_STATES = (FOUND, NONE, PLAIN, UNKNOWN, NO_PACKAGE)


def bars(frame: pd.DataFrame, by: str, count: str, rows: tuple[str, str], label: str) -> Bars:
    """Return counts as bars, stacked by a column."""
    columns = Columns("bars", frame)
    optional = {rows[1]: TEXT, "status": TEXT}
    needed = {rows[0]: TEXT, **({by: TEXT} if by else {}), count: COUNT}
    table = columns.read(needed, optional, [*rows, *([by] if by else [])])
    parts, palette = _parts(columns, table, by) if by else ({_SIZE: label}, _SIZE)
    keys = [name for name in rows if name in table]
    counts = table[keys].assign(
        part=table[by] if by else _SIZE,
        count=table[count],
        # One a bar, whatever its parts have.
        status=table.groupby(keys)["status"].transform("first") if "status" in table else "",
    )
    chart = counting.stacked(counts, "part", parts, palette, "", rows)
    chart.axis = label or count
    return chart


def sizes(frame: pd.DataFrame, by: str, size: str, baseline: str, label: str) -> Bars:
    """Return bytes as bars of megabytes, stacked by a column or compared with a baseline."""
    columns = Columns("sizes", frame)
    needed = {"variant": TEXT, **({by: TEXT} if by else {}), size: NUMBER}
    table = columns.read(needed, {"status": TEXT}, ["variant", *([by] if by else [])])
    measured = table.assign(bytes=table[size])
    axis = image_sizes.in_megabytes(label or _SIZE)
    if by:
        parts, palette = _parts(columns, table, by)
        keyed = table[["variant", by]].assign(size_bytes=table[size].fillna(0))
        chart = image_sizes.stacked(keyed, by, parts, palette, label or _SIZE)
        for part in chart.series:
            part.name = parts[part.key]
        known = measured.groupby("variant", sort=False)["bytes"].apply(lambda b: b.notna().any())
        return _without(chart, known.tolist())
    reference: Any = pd.NA
    if baseline:
        reference = measured.set_index("variant")["bytes"].get(baseline, pd.NA)
        if pd.isna(reference):
            known_of = ", ".join(measured.dropna(subset="bytes")["variant"]) or "none"
            raise ParameterInvalid(
                f"charts.sizes: baseline {baseline!r} has no size; known of: {known_of}"
            )
    apart = measured.assign(
        difference_bytes=measured["bytes"] - reference,
        ratio=measured["bytes"] / reference,
        baseline=pd.Series(baseline or None, table.index, dtype="str"),
        status=table.get("status", ""),
    )
    return image_sizes.difference_bars(apart, axis)


def points(frame: pd.DataFrame, x: str, y: str, x_label: str, y_label: str) -> Points:
    """Return rows as points, those on the Pareto front joined by a line if the frame says so."""
    optional = {"front": FLAG, "past_support": LOOSE}
    needed = {"variant": TEXT, x: NUMBER, y: NUMBER}
    table = Columns("points", frame).read(needed, optional, ["variant"])
    has_front = "front" in table
    placed = table.dropna(subset=[x, y, *(["front"] if has_front else [])])
    found = []
    for row in placed.to_dict("records"):
        is_past = has_front and bool(row.get("past_support"))
        group = "unsupported" if is_past else "front" if row.get("front") else "dominated"
        label = f"{escape.short(row['variant'], 24)}\n{_value(row[x], x)}, {_value(row[y], y)}"
        at = _measure(row[x], x), _measure(row[y], y)
        label += t(", unsupported") if is_past else ""
        found.append(Point(row["variant"], *at, label, group if has_front else ""))
    left_out = [escape.short(name, 28) for name in table.drop(placed.index)["variant"]]
    if len(left_out) > 3:
        left_out = [*left_out[:2], t("and {count} more", count=len(left_out) - 2)]
    return Points(
        found,
        _axis(x_label, x),
        _axis(y_label, y),
        {
            "front": t("on the Pareto front"),
            "dominated": t("dominated by another"),
            "unsupported": t("past its support"),
        }
        if has_front
        else {},
        sorted((point.x, point.y) for point in found if point.group == "front"),
        t("not placed: {variants}", variants=", ".join(left_out)) if left_out else "",
    )


def curves(
    frame: pd.DataFrame,
    count: str,
    events: Mapping[str, date],
    complete: date | None,
    label: str,
) -> Curves:
    """Return counts over days, one curve a variant, from its first day to its last."""
    columns = Columns("curves", frame)
    needed = {"variant": TEXT, "day": DAY, count: COUNT}
    table = columns.read(needed, {"supported_until": DAY}, ["variant", "day"])
    for name in ("day", count):
        if table[name].isna().any():
            variant = table[table[name].isna()]["variant"].iloc[0]
            raise columns.error(
                f"column {name!r} is empty for variant {escape.short(variant, 40)!r}",
                "Leave out days of which nothing is known",
            )
    found = []
    for variant, rows in table.sort_values("day").groupby("variant", sort=False):
        steps = zip(rows["day"].dt.date, rows[count].astype(float), strict=True)
        until = rows["supported_until"].max() if "supported_until" in rows else pd.NaT
        found.append(Curve(str(variant), list(steps), None if pd.isna(until) else until.date()))
    order = list(table["variant"].unique())
    last = table["day"].max()
    return Curves(
        sorted(found, key=lambda curve: order.index(curve.name)),
        [],
        [(day, what) for what, day in events.items()],
        t("day (UTC)"),
        label or count,
        complete if complete and len(table) and complete < last.date() else None,
    )


def waterfall(frame: pd.DataFrame, label: str) -> Waterfall:
    """Return steps from one size to another."""
    columns = Columns("waterfall", frame)
    needed = {"label": TEXT, "kind": TEXT, "start_bytes": NUMBER, "end_bytes": NUMBER}
    table = columns.read(needed, {"part": TEXT})
    columns.one_of(table, "kind", (TOTAL, STEP, REST))
    if table.empty:
        raise columns.error("no rows", "The first and the last are totals, and steps are between")
    at = 0.0
    steps = []
    for row in table.to_dict("records"):
        start, end = row["start_bytes"], row["end_bytes"]
        if pd.isna(start) or pd.isna(end):
            raise columns.error(
                f"the step {escape.short(row['label'], 40)!r} has no start or no end",
                "Steps are drawn if all sizes are known",
            )
        if row["kind"] != TOTAL and abs(start - at) >= 1:
            raise columns.error(
                f"the step {escape.short(row['label'], 40)!r} starts at {start:,.0f} bytes, and "
                f"what is before it ends at {at:,.0f}",
                "A step starts where the one before it ends; totals start at 0",
            )
        at = end
        part = row.get("part", row["label"])
        steps.append(
            Step(told(row["label"]), told(part), row["kind"], float(start / MB), float(end / MB))
        )
    return Waterfall(steps, image_sizes.in_megabytes(label or _SIZE))


def matrix(frame: pd.DataFrame) -> Matrix:
    """Return a matrix of properties; a cell that the frame has no row for was not measured."""
    columns = Columns("matrix", frame)
    optional = {"state": TEXT, "count": COUNT, "heading": TEXT}
    keys = ["property", "variant"]
    table = columns.read({"property": TEXT, "variant": TEXT, "value": LOOSE}, optional, keys)
    table["value"] = table["value"].mask(table["value"].eq(""), UNKNOWN)
    if "state" in table:
        columns.one_of(table, "state", _STATES)
    else:
        unlike = (UNKNOWN, NONE, NO_PACKAGE)
        states = [value if value in unlike else FOUND for value in map(str, table["value"])]
        table["state"] = states
    cells = {
        (row["property"], row["variant"]): Cell(
            row["state"],
            _word(row["value"]),
            None if pd.isna(count := row.get("count", pd.NA)) else int(count),
        )
        for row in table.to_dict("records")
    }
    headings = table["heading"] if "heading" in table else pd.Series("", table.index)
    rows = dict(zip(table["property"], headings, strict=True))
    order = list(dict.fromkeys(rows.values()))
    # Rows of one heading stand together.
    shown = sorted(rows, key=lambda name: order.index(rows[name]))
    variants = list(dict.fromkeys(table["variant"]))
    empty = Cell(UNKNOWN, word(UNKNOWN))
    return Matrix(
        [_word(name) for name in shown],
        variants,
        [[cells.get((name, variant), empty) for variant in variants] for name in shown],
        [_word(rows[name]) for name in shown] if "heading" in table else [],
    )


def overlap(frame: pd.DataFrame, variants: Sequence[str], label: str) -> Overlap:
    """Return how many vulnerabilities each combination of variants has, and no other has."""
    columns = Columns("overlap", frame)
    needed = {"variant": TEXT, "vulnerability_id": LOOSE, "severity": TEXT}
    table = columns.read(needed)
    columns.one_of(table, "severity", tuple(reversed(SEVERITIES)))
    found = list(variants) or list(dict.fromkeys(table["variant"]))
    for variant in table["variant"].unique():
        if variant not in found:
            raise ParameterInvalid(
                f"charts.overlap: variants do not name {variant!r}, which the frame has"
            )
    findings = frames.make(
        "findings",
        {
            "variant": table["variant"].tolist(),
            "vulnerability_id": [name or None for name in table["vulnerability_id"]],
            "severity": table["severity"].tolist(),
        },
    )
    images = frames.make("images", {"variant": found, "status": [SCANNED] * len(found)})
    listing = overlaps.listing(findings, images, lenses.PLAIN)
    chart = overlaps.chart(listing, lenses.VULNERABILITIES)
    chart.upward = label or chart.upward
    return chart


def _parts(columns: Columns, table: pd.DataFrame, by: str) -> tuple[dict[str, str], str]:
    """Return the names of the parts that bars are stacked of, by their keys, and their palette.

    Of parts that the kit has no colours for, the keys are those of the palette `parts`, and the
    column of the table is changed to them.
    """
    values = list(dict.fromkeys(table[by]))
    if by == "severity":
        columns.one_of(table, by, tuple(reversed(SEVERITIES)))
    for palette in sorted(_PALETTES, key=lambda name: name != by):
        keys = colours.PALETTES[palette]
        if set(values) <= set(keys):
            return {key: word(_NAMES.get(palette, {}).get(key, key)) for key in keys}, palette
    keys = colours.PALETTES[_OWN]
    if len(values) > len(keys):
        raise columns.error(
            f"column {by!r} has {len(values)} parts, and there are colours for {len(keys)}",
            "Put the smallest together as one",
        )
    found = dict(zip(values, keys, strict=False))
    table[by] = table[by].map(found)
    return {key: value for value, key in found.items()}, _OWN


def _without(chart: Bars, measured: list[bool]) -> Bars:
    """Return bars that say of those that were not measured that they were not."""
    ends = zip(chart.ends, measured, strict=True)
    chart.ends = [end if known else t("not measured") for end, known in ends]
    chart.series = [
        Series(
            part.key,
            part.name,
            [v if known else None for v, known in zip(part.values, measured, strict=True)],
        )
        for part in chart.series
    ]
    chart.measured = measured
    return chart


def _word(text: str) -> str:
    """Return a text of a frame in the language that is spoken, if it is one of the kit's."""
    return str(text.told) if isinstance(text, Message) else word(text)


def _is_bytes(column: str) -> bool:
    return column.endswith("bytes")


def _measure(value: float, column: str) -> float:
    """Return a number as it is drawn: bytes in megabytes."""
    return float(value) / MB if _is_bytes(column) else float(value)


def _value(value: float, column: str) -> str:
    """Return a number as it is written beside a point."""
    if _is_bytes(column):
        return f"{megabytes(value)} MB"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _axis(label: str, column: str) -> str:
    if _is_bytes(column):
        return image_sizes.in_megabytes(label or _SIZE)
    return label or column
