"""How counts are distributed over the images of each base family."""

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import Box, Boxes
from helpers.fleet import image_table
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Text, number, paragraph, say
from helpers.text.titles import Part, begun, fitted
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import shown_counts
from helpers.vulnerabilities.lenses import Lens

FEW = 5
"""Images below which a family has no distribution of its own: quartiles of four are its images."""

MOST = 12
"""Families of a figure, the largest; the others are one row."""

OTHERS = msg("others (fewer than five images each)")
SMALLER = msg("all smaller families")
_COLUMNS = ["least", "lower", "median", "upper", "greatest"]


def quartiles(images: pd.DataFrame, column: str = "count", most: int = 0) -> pd.DataFrame:
    """Return how a count is distributed in each family: one row a family, the highest median first.

    `family, images, least, lower, median, upper, greatest`: quartiles between two images by linear
    interpolation (Hyndman and Fan 1996, type 7, https://doi.org/10.1080/00031305.1996.10473566).
    Families of fewer than `FEW` images are one row at the end; with `most` all but so many of the
    largest are. Only images whose counts say something.
    """
    known = image_table.counted(images)
    sizes = known["family"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    large = sizes[sizes.ge(FEW)].index
    shown = large[: most or None]
    rest = SMALLER if len(shown) < len(large) else OTHERS
    family = known["family"].where(known["family"].isin(shown), rest)
    groups = known[column].astype("float64").groupby(family)
    table = groups.quantile([0, 0.25, 0.5, 0.75, 1]).unstack()
    table = table.reindex(columns=[0, 0.25, 0.5, 0.75, 1])
    table.columns = pd.Index(_COLUMNS)
    table.insert(0, "images", groups.size())
    table = table.rename_axis("family").reset_index()
    table = table.astype({"images": "Int64", **dict.fromkeys(_COLUMNS, "Float64")})
    by = ["last", "median", "family"]
    table = table.assign(last=table["family"].eq(rest))
    table = table.sort_values(by, ascending=[True, False, True], ignore_index=True)
    return table.drop(columns="last")


def answer(images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how many of what a lens counts an image has, by base family.

    If all of it has a fix, this says so, and is the answer to `fixable_answer` as well.
    """
    if not _is_all_fixable(images):
        return _answer(images, lens, "count", "distributions")
    answer = _answer(images, lens._replace(fixable=True), "count", "distributions")
    if lens.fixable:
        return answer
    note = say("All have a fix; **the database may list only vulnerabilities that have one**.")
    return answer._replace(text=paragraph(note) + answer.text)


def fixable_answer(images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how many of those a newer package would fix, by base family."""
    lens = lens._replace(fixable=True)
    known = image_table.counted(images)
    if len(known) and known["fixable"].isna().all():
        lacks = t("How many have a fix is not known here.")
        return Answer("fixable-distributions", counted=lens.label, lacks=lacks)
    answer = _answer(images, lens, "fixable", "fixable-distributions")
    if not _is_all_fixable(images):
        return answer
    lacks = t("Everything that was counted has a fix: see the counts by base.")
    return Answer(answer.name, table=answer.table, counted=lens.label, lacks=lacks)


def _is_all_fixable(images: pd.DataFrame) -> bool:
    """Return whether something was counted and all of it has a fix."""
    known = image_table.counted(images)
    return bool(known["count"].sum()) and bool(
        known["count"].eq(known["fixable"]).fillna(False).all()
    )


def _answer(images: pd.DataFrame, lens: Lens, column: str, named: str) -> Answer:
    table = quartiles(images, column)
    if table.empty:
        lacks = word(image_table.NONE_COUNTED)
        return Answer(named, table=table, counted=lens.label, lacks=lacks)
    shown_rows = quartiles(images, column, MOST)
    parts = [
        Part(f"{short_name(word(row.family))} {shown(row.median)}", (row.median,))
        for row in shown_rows.itertuples()
        if row.family not in (OTHERS, SMALLER) or len(shown_rows) == 1
    ]
    title = fitted(t("{counted}, median by base", counted=begun(lens.short)), parts, shown)
    text = _ended(images, table["family"]) + _left_out(images)
    if SMALLER in {*shown_rows["family"]}:
        text += paragraph(
            say("The figure has the {most} largest families, the table all.", most=MOST)
        )
    chart = _chart(shown_rows, lens)
    return Answer(named, title, text, table, chart, lens.label, role=SLIDE, searchable=True)


def _ended(images: pd.DataFrame, shown: pd.Series) -> Text:
    """Return which of the families shown had no advisories any more at the scan."""
    families = ", ".join(sorted({*image_table.ended(images)} & {*shown}))
    if not families:
        return Text()
    return paragraph(
        say(
            "A low count is **not reassuring** where advisories ended before the scan: {families}.",
            families=families,
        )
    )


def shown(quartile: float) -> str:
    """Return a quartile, which may lie between two counts.

    >>> shown(0.5), shown(1380.0)
    ('0.5', '1,380')
    """
    return f"{quartile:,.1f}".removesuffix(".0")


def _left_out(images: pd.DataFrame) -> Text:
    """Return which images are not counted, and why."""
    text = Text()
    blind = images[images["unknown_to_db"]]
    if len(blind):
        text += paragraph(
            say(
                "Not counted: {images} of families without any finding ({families}). They are "
                "**not necessarily clean**: the database may not know them.",
                images=number(len(blind), "image"),
                families=", ".join(map(word, sorted(set(blind["family"])))),
            )
        )
    lost = images[~images["measured"]]
    if len(lost):
        text += paragraph(
            say(
                "Not counted: {images} that could not be measured ({findings} so far).",
                images=number(len(lost), "image"),
                findings=number(int(lost["found"].fillna(0).sum()), "finding"),
            )
        )
    return text


def _chart(table: pd.DataFrame, lens: Lens) -> Boxes:
    boxes = [
        Box(
            name=word(row.family),
            count=int(row.images),
            **{column: float(getattr(row, column)) for column in _COLUMNS},
            end=t(
                "median {median} in {images}",
                median=shown(row.median),
                images=number(row.images, "image"),
            ),
        )
        for row in table.itertuples()
    ]
    return Boxes(boxes, shown_counts.number_of(lens.label))
