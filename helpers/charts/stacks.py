"""Bytes of images: what each is made of, and where the difference between two of them is."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from helpers.charts.bar_charts import BAR, BASELINE, FAINT, INK, ink_on, name_rows, nothing
from helpers.sizes import file_groups
from helpers.sizes.image_sizes import MB, SAID, UNPACKED
from helpers.sizes.waterfall import REST, ROOM, TOTAL, said
from helpers.text import escape
from helpers.text.i18n import columns, letters, msg, t, word

GROUP_COLOURS: dict[str, dict[str, Any]] = {
    file_groups.OS: {"color": BAR},
    file_groups.RUNTIME: {"color": "#3F7F4F"},
    file_groups.TOOLS: {"color": BASELINE},
    file_groups.APP: {"color": "#E8893A"},
    file_groups.CACHES: {"color": "#D9DDE1"},
    file_groups.UNOWNED: {"color": "#43092B"},
    file_groups.UNTOLD: {"facecolor": "white", "edgecolor": "#5F666D", "hatch": "."},
    file_groups.HIDDEN: {"facecolor": "white", "edgecolor": "#43092B", "hatch": "//"},
}
"""Colours of the groups: neighbours differ in lightness, so that they survive greyscale."""

COVERED: dict[str, dict[str, Any]] = {
    msg("of packages"): {"color": BASELINE},
    msg("of no package"): {"color": "#43092B"},
    msg("of packages or not: not known"): GROUP_COLOURS[file_groups.UNTOLD],
}

PARTS: dict[str, dict[str, Any]] = {
    msg("from the base image"): {"color": BAR},
    msg("on top of it"): {"color": "#E8893A"},
    msg("base not known"): {"color": BASELINE},
    file_groups.HIDDEN: GROUP_COLOURS[file_groups.HIDDEN],
}

UP, DOWN, WHOLE = "#C77A1E", BASELINE, "#4A4A4A"
_HEIGHT = 0.62
_ROOM = 0.07
"""Share of the longest bar that the number of a segment takes."""


def stacked(
    parts: pd.DataFrame,
    ax: Axes,
    styles: Mapping[str, Mapping[str, Any]] = GROUP_COLOURS,
    by: str = "group",
    label: str = SAID[UNPACKED],
) -> Axes:
    """Draw one bar an image, stacked by a column in the order of the styles: `variant, size_bytes`.

    Each bar has its total at its end, and each part its own where there is room.
    """
    if parts.empty:
        return nothing(ax, msg("The files of no image are known."))
    variants = list(dict.fromkeys(parts["variant"]))
    sizes = parts.pivot_table(
        index="variant", columns=by, values="size_bytes", aggfunc="sum", observed=True
    )
    sizes = sizes.reindex(index=variants, columns=list(styles)).fillna(0).astype(float) / MB
    longest = max(float(sizes.sum(axis=1).max()), 1e-6)
    left = pd.Series(0.0, index=variants)
    for part, style in styles.items():
        widths = sizes[part]
        if not widths.gt(0).any():
            continue
        line = {"edgecolor": "white", **style}
        ax.barh(
            range(len(variants)),
            widths,
            left=left,
            height=_HEIGHT,
            linewidth=widths.gt(0).astype(float),
            label=word(part),
            **line,
        )
        for row, (start, width) in enumerate(zip(left, widths, strict=True)):
            if width >= _ROOM * longest:
                _inside(ax, start + width / 2, row, width, style)
        left += widths
    for row, total in enumerate(left):
        ax.text(
            total + 0.012 * longest,
            row,
            f"{_mb(total)} MB",
            va="center",
            ha="left",
            size=18 if len(variants) <= 6 else 14,
            weight="bold",
        )
    ax.set_xlim(0, 1.16 * longest)
    name_rows(ax, [(variant, "") for variant in variants])
    ax.set_xlabel(_in_mb(label))
    if shown := sum(bool(sizes[part].gt(0).any()) for part in styles):
        ax.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=min(shown, 4),
            borderaxespad=0.3,
            fontsize=15,
        )
    return ax


def waterfall(steps: pd.DataFrame, ax: Axes) -> Axes:
    """Draw `steps.steps`: from the size of one image to that of another, step by step.

    Larger and smaller differ in colour and by their sign; several changes in one are hatched.
    """
    if steps.empty:
        return nothing(ax, msg("Of two images the files are not known."))
    down = len(steps)
    size = min(17.0, 270 / down)
    highest = float(pd.concat([steps["start_bytes"], steps["end_bytes"]]).max()) / MB
    ends = steps["end_bytes"].astype(float) / MB
    for row, step in enumerate(steps.itertuples()):
        start, end = step.start_bytes / MB, step.end_bytes / MB
        colour = WHOLE if step.kind == TOTAL else UP if end > start else DOWN
        style: dict[str, Any] = {"facecolor": "white", "edgecolor": colour, "hatch": "//"}
        if step.kind != REST:
            style = {"facecolor": colour, "edgecolor": colour}
        ax.barh(row, abs(end - start), left=min(start, end), height=0.7, linewidth=1.2, **style)
        told = f"{end:,.1f} MB" if step.kind == TOTAL else _signed(step.difference_bytes)
        ax.text(
            max(start, end) + 0.008 * highest,
            row,
            told,
            va="center_baseline",
            ha="left",
            size=size,
            weight="bold",
            color=INK,
        )
        if row + 1 < down:
            ax.plot(
                [ends.iloc[row]] * 2, [row - 0.35, row + 1.35], color=FAINT, linewidth=1, zorder=0
            )
    names = [_named(step) for step in steps.itertuples()]
    ax.set_yticks(range(down), names, size=size)
    for tick, kind in zip(ax.get_yticklabels(), steps["kind"], strict=True):
        tick.set_fontweight("bold" if kind == TOTAL else "normal")
    handles = [
        Patch(color=UP, label=word(msg("larger"))),
        Patch(color=DOWN, label=word(msg("smaller"))),
        Patch(facecolor="white", edgecolor=FAINT, hatch="//", label=word(msg("several changes"))),
    ]
    ax.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=15)
    ax.set_ylim(down - 0.4, -0.6)
    ax.set_xlim(0, 1.2 * max(highest, 1e-6))
    ax.set_xlabel(_in_mb(SAID[UNPACKED]))
    return ax


def _inside(ax: Axes, x: float, row: int, size: float, style: Mapping[str, Any]) -> None:
    """Write a part's size into it, readable on its colour or hatching."""
    hatched = "hatch" in style
    ink = INK if hatched else ink_on(style["color"])
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1} if hatched else None
    ax.text(x, row, _mb(size), ha="center", va="center", color=ink, size=15, bbox=box)


def _named(step: Any) -> str:
    """Return what a step is, with as much of what it is made of as there is room for."""
    label = escape.plain(said(step.label))
    if columns(label) <= ROOM or step.kind == TOTAL:
        return escape.short(label, letters(label, ROOM))
    part = said(step.part)
    if columns(part) > ROOM - 8:
        return escape.short(part, letters(part, ROOM))
    return f"{label[: letters(label, ROOM - 2)].rstrip(' ,:→')} …"


def _in_mb(what: str) -> str:
    """Return an axis's label: what is measured, and its unit."""
    return t("{what} (MB = 10⁶ bytes)", what=word(what))


def _mb(size: float) -> str:
    return f"{size:,.1f}" if size < 1000 else f"{size:,.0f}"


def _signed(size_bytes: int) -> str:
    return f"{size_bytes / MB:+,.1f}".replace("-", "−")
