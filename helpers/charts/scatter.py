"""Points, one a variant: size against vulnerabilities, and these against executables."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from helpers.charts.bar_charts import (
    BAR,
    BASELINE,
    FAINT,
    nothing,
    number_of,
    size_of_image,
    wrapped,
)
from helpers.sizes.image_sizes import MB
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.verdict.recommendation import ENDED

_TALL, _WIDE = 0.165, 0.43
"""Height of a name as a share of the highest point, and its width as one of the largest size."""

_STEPS = sorted(
    (step for n in range(-130, 131) if not -0.22 < (step := 0.06 + 0.01 * n) < 0.06),
    key=lambda step: abs(step - 0.06),
)
"""Where a name may stand above its point, or wholly below it: the nearest free place is taken."""

_TOP = 1.15
"""How high a name may begin; the axis ends higher."""


def tradeoff(candidates: pd.DataFrame, ax: Axes, kind: str, counted: str) -> Axes:
    """Draw `tradeoff.candidates`: better is further left and further down.

    A variant that cannot be placed, or is no candidate, is named in a corner.
    """
    placed = candidates[candidates["front"].notna()].sort_values("size")
    sizes = placed["size"].astype(float) / MB
    counts = placed["fixable"].astype(float)
    widest = max(float(sizes.max()) if len(sizes) else 0.0, 1.0)
    highest = max(float(counts.max()) if len(counts) else 0.0, 1.0)
    ax.set_xlim(0, 1.45 * widest)
    ax.set_ylim(-0.08 * highest, 1.36 * highest)
    on_front = placed["front"].astype("bool")
    front = placed[on_front]
    if len(front):
        x, y = front["size"].astype(float) / MB, front["fixable"].astype(float)
        ax.step(
            [x.iloc[0], *x, 1.45 * widest],
            [1.36 * highest, *y, y.iloc[-1]],
            where="post",
            color=BASELINE,
            linewidth=3,
            zorder=1,
        )
    ax.scatter(
        sizes[on_front],
        counts[on_front],
        s=260,
        color=BAR,
        zorder=3,
        label=word(msg("on the Pareto front")),
    )
    ax.scatter(
        sizes[~on_front],
        counts[~on_front],
        s=260,
        facecolor="white",
        edgecolor=BAR,
        linewidth=3,
        zorder=3,
        label=word(msg("dominated by another")),
    )
    texts = [
        f"{escape.short(row['variant'], 24)}\n{sizes[at]:,.1f} MB, {counts[at]:,.0f}{_worn(row)}"
        for at, row in placed.iterrows()
    ]
    _labels(ax, pd.DataFrame({"x": sizes, "y": counts, "text": texts, "bold": on_front}))
    label = size_of_image(kind)
    if lost := _lost(candidates):
        label += "\n" + wrapped(t("not placed: {variants}", variants=lost), 72)
    ax.set_xlabel(label)
    ax.set_ylabel(wrapped(number_of(counted), 36), size=16)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.3)
    ax.grid(axis="both")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def _worn(row: pd.Series) -> str:
    """Return what is said of a variant that is no longer supported."""
    past = [row[what] for what in ENDED if row[what] is not pd.NA]
    return word(msg(", unsupported")) if any(past) else ""


def _lost(candidates: pd.DataFrame) -> str:
    """Return which variants have no point, and why."""
    lost = candidates[candidates["front"].isna()]
    told = [
        f"{escape.short(row.variant, 28)} "
        f"({escape.plain(word(msg('size not known') if row.candidate else row.why_not))})"
        for row in lost.itertuples()
    ]
    more = t("and {count} more", count=len(told) - 2)
    return ", ".join(told if len(told) <= 3 else [*told[:2], more])


def _labels(ax: Axes, points: pd.DataFrame) -> None:
    """Name each point, `x, y, text, bold`; where names would meet, the upper one moves up."""
    taken: list[tuple[float, float]] = []
    widest, highest = max(points["x"].max(), 1.0), max(points["y"].max(), 1.0)
    wide, tall = _WIDE * widest, _TALL * highest
    for point in points.sort_values(["x", "y"]).itertuples():
        x = point.x + 0.025 * widest
        free = [
            y
            for step in _STEPS
            if -0.06 * highest < (y := point.y + step * highest) < _TOP * highest
            and not any(abs(x - a) < wide and abs(y - b) < tall for a, b in taken)
        ]
        y = free[0] if free else point.y + _STEPS[0] * highest
        taken.append((x, y))
        ax.annotate(
            point.text,
            (point.x, point.y),
            xytext=(x, y),
            textcoords="data",
            va="bottom",
            size=16,
            weight="bold" if point.bold else "normal",
            arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 1},
        )


def executables(totals: pd.DataFrame, ax: Axes, counted: str) -> Axes:
    """Draw `exposure.totals`: what is counted against the executables and libraries there."""
    placed = totals.dropna(subset=["binaries", "count"])
    if placed.empty:
        return nothing(ax, msg("Executables are known of no image that was scanned."))
    x, y = placed["binaries"].astype(float), placed["count"].astype(float)
    widest, highest = max(x.max(), 1.0), max(y.max(), 1.0)
    ax.scatter(x, y, s=260, color=BAR, zorder=3)
    texts = [
        f"{escape.short(row.variant, 24)}\n"
        + t("{files:,} files, {count:,}", files=row.binaries, count=row.count)
        for row in placed.itertuples(index=False)
    ]
    _labels(ax, pd.DataFrame({"x": x, "y": y, "text": texts, "bold": True}))
    ax.set_xlim(0, 1.45 * widest)
    ax.set_ylim(-0.08 * highest, 1.36 * highest)
    label = word(msg("number of executables and shared libraries (ELF files)"))
    if lost := [escape.short(v, 28) for v in totals[~totals.index.isin(placed.index)]["variant"]]:
        variants = ", ".join(lost[:3])
        told = t("not placed, files or scan not known: {variants}", variants=variants)
        label += "\n" + wrapped(told, 72)
    ax.set_xlabel(label)
    ax.set_ylabel(wrapped(number_of(counted), 36), size=16)
    ax.grid(axis="both")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    return ax
