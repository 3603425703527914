"""How counts are distributed over the images of each base family."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.chart_data import Box, Boxes
from helpers.fleet import image_table
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, Text, bullets, name, number, paragraph, say
from helpers.text.titles import Part, begun, fitted
from helpers.text.titles import name as short_name
from helpers.vulnerabilities import shown_counts
from helpers.vulnerabilities.lenses import Lens

FEW = 5
"""Images below which a family has no distribution of its own: quartiles of four are its images."""

OTHERS = msg("others, of fewer than five images each")
_COLUMNS = ["least", "lower", "median", "upper", "greatest"]


def quartiles(images: pd.DataFrame, column: str = "count") -> pd.DataFrame:
    """Return how a count is distributed in each family: one row a family, the highest median first.

    `family, images, least, lower, median, upper, greatest`: quartiles between two images by linear
    interpolation (Hyndman and Fan 1996, type 7, https://doi.org/10.1080/00031305.1996.10473566).
    Families of fewer than `FEW` images are one row at the end. Only images whose counts say
    something.
    """
    known = image_table.counted(images)
    size = known.groupby("family")["variant"].transform("size")
    family = known["family"].where(size.ge(FEW), OTHERS)
    groups = known[column].astype("float64").groupby(family)
    table = groups.quantile([0, 0.25, 0.5, 0.75, 1]).unstack()
    table = table.reindex(columns=[0, 0.25, 0.5, 0.75, 1])
    table.columns = pd.Index(_COLUMNS)
    table.insert(0, "images", groups.size())
    table = table.rename_axis("family").reset_index()
    table = table.astype({"images": "Int64", **dict.fromkeys(_COLUMNS, "Float64")})
    order = ["last", "median", "family"]
    table = table.assign(last=table["family"].eq(OTHERS))
    table = table.sort_values(order, ascending=[True, False, True], ignore_index=True)
    return table.drop(columns="last")


def answer(images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how many of what a lens counts an image has, by base family."""
    return _answer(images, lens, "count", "distributions")


def fixable_answer(images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer how many of those a newer package would fix, by base family."""
    answer = _answer(images, lens._replace(fixable=True), "fixable", "fixable-distributions")
    return (
        answer if lens.fixable or answer.lacks else answer._replace(text=answer.text + _all(images))
    )


def _all(images: pd.DataFrame) -> Text:
    """Return that all that is counted can be fixed, if so: it need not be all that there is."""
    known = image_table.counted(images)
    if not known["count"].sum() or known["count"].ne(known["fixable"]).any():
        return Text()
    return paragraph(
        say(
            "A newer package fixes all that was counted: **the database may list only what has a "
            "fix**. Then unfixed ones cannot be seen."
        )
    )


def _answer(images: pd.DataFrame, lens: Lens, column: str, named: str) -> Answer:
    table = quartiles(images, column)
    if table.empty:
        lacks = t("No image was measured by a database that knows it, so nothing is counted.")
        return Answer(named, table=table, counted=lens.label, lacks=lacks)
    parts = [
        Part(f"{short_name(word(row.family))} {shown(row.median)}", (row.median,))
        for row in table.itertuples()
        if row.family != OTHERS or len(table) == 1
    ]
    title = fitted(t("{counted}, median by base", counted=begun(lens.short)), parts, shown)
    ended = image_table.ended(images)
    text = bullets(_line(row, ended.get(row.family)) for row in table.itertuples())
    text += slim(table["family"]) + left_out(images)
    return Answer(named, title, text, table, _chart(table, lens), lens.label, role=SLIDE)


def _line(row: Any, ended: date | None) -> Phrase:
    text = name(word(row.family)) + ": "
    text += say(
        "{least} to {greatest} in {images}, half of them between {lower} and {upper}; median "
        "{median}",
        images=number(row.images, "image"),
        **{column: shown(getattr(row, column)) for column in _COLUMNS},
    )
    return text + no_sign(ended)


def no_sign(ended: date | None) -> Phrase:
    """Return that advisories of a base ended on a day, if so."""
    if not ended:
        return Phrase(())
    return say("; **its advisories ended on {day}**, so that few is no good sign", day=ended)


def shown(quartile: float) -> str:
    """Return a quartile, which may lie between two counts.

    >>> shown(0.5), shown(1380.0)
    ('0.5', '1,380')
    """
    return f"{quartile:,.1f}".removesuffix(".0")


def slim(families: Iterable[str]) -> Text:
    """Return what a form of a family is, if there is one: a word of the tag, not a base."""
    if not any(family.endswith(" slim") for family in families):
        return Text()
    return paragraph(
        say(
            "`slim` is a word of the tag: such an image may be on the full base. It differs by all "
            "that the tag leaves out, as compilers and headers, not by the base alone."
        )
    )


def left_out(images: pd.DataFrame) -> Text:
    """Return how many images have no count that says something."""
    found = Text()
    blind = images[images["unknown_to_db"]]
    if len(blind):
        found += paragraph(
            say(
                "Left out: {images} of families in which nothing was found in any ({families}). "
                "That is **not clean**: the database may not know them.",
                images=number(len(blind), "image"),
                families=", ".join(map(word, sorted(set(blind["family"])))),
            )
        )
    lost = images[~images["measured"]]
    if len(lost):
        found += paragraph(
            say("Left out: {images} not measured.", images=number(len(lost), "image"))
        )
        known = lost["found"].fillna(0).astype("int64")
        if count := int(known.sum()):
            found += paragraph(
                say(
                    "In {images} of these something was found all the same ({findings}); **more "
                    "may be in what was not looked at**.",
                    images=f"{int(known.gt(0).sum()):,}",
                    findings=number(count, "finding"),
                )
            )
    return found


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
