"""What the images of a fleet taught, what to move first, and what is not known."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import pandas as pd

from helpers.answers.answer import ANSWER, Answer
from helpers.fleet import bars, bases, distributions, groups, image_table, moving, pairs, spread
from helpers.text import escape
from helpers.text.i18n import t, word
from helpers.text.rich import Phrase, bullets, join, number, paragraph, phrase, say
from helpers.vulnerabilities.lenses import Lens

LEAVE, REBUILD, SHARED, UPDATE, MOVE = "leave", "rebuild", "shared", "update", "move"
"""What can be done: leave bases without advisories, rebuild a base, update packages that images
share, update one package everywhere, move to another base."""


class Advice(NamedTuple):
    """Something to do: what, the answer that it is read off, with its picture, and how it is told.

    The first row of the answer's table is what it is about; of `LEAVE` it is all of them.
    """

    what: str
    of: Answer
    line: Phrase


def answer(
    images: pd.DataFrame,
    occurrences: pd.DataFrame,
    in_packages: pd.DataFrame,
    found: pd.DataFrame,
    lens: Lens,
) -> Answer:
    """Answer what was learned, what to do first, and what is not known.

    Title, figure and table are those of what is to be done first. `occurrences` and `in_packages`
    are those of `tally`, of all parts together, `found` is what `bases.found` returns.
    """
    if image_table.counted(images).empty:
        lacks = word(image_table.NONE_COUNTED)
        return Answer("lessons", counted=lens.label, lacks=lacks)
    advised = advice(images, occurrences, in_packages, found, lens)
    none = say("No step is sure to help: nothing has a fix, and no base is clearly better.")
    others = (
        distributions.answer(images, lens),
        spread.answer(occurrences, images, lens),
        pairs.answer(images, lens, groups.packages(images, found)),
    )
    learned = filter(None, (one.title or one.lacks for one in others))
    text = join(paragraph(line, role="choice") for line in [one.line for one in advised] or [none])
    text += paragraph(say("**Learned**")) + bullets(learned)
    text += paragraph(say("**Not known**")) + bullets(_not_known(images, found))
    shown = advised[0].of if advised else Answer("lessons", counted=lens.label)
    return shown._replace(name="lessons", text=text, role=ANSWER, searchable=False)


def advice(
    images: pd.DataFrame,
    occurrences: pd.DataFrame,
    in_packages: pd.DataFrame,
    found: pd.DataFrame,
    lens: Lens,
) -> list[Advice]:
    """Return what to do, the first thing first.

    That is the rebuild or update, and the move that is sure, that take away most. Where advisories
    of all families have ended, or of the one that the rebuild is of, to leave these comes first:
    an update brings no more than was fixed until then.
    """
    ended = image_table.ended(images)
    advised = []
    rebuild = bases.rebuild_answer(images, found, lens)
    is_of_ended = not _families(images) - ended.keys()
    if rebuild.chart is not None and rebuild.table is not None:
        advised.append(_rebuild(rebuild, lens))
        is_of_ended |= rebuild.table["family"].iloc[0] in ended
    else:
        update = spread.updates_answer(in_packages, occurrences, images, lens)
        advised += [_update(update, lens)] if update.chart is not None else []
    packages = groups.packages(images, found)
    best = moving.best(moving.totals(images, pairs.found(images), packages), ended)
    if best is not None:
        moves = moving.answer(images, lens, packages)
        advised.append(Advice(MOVE, moves, phrase(moves.title)))
    if not ended:
        return advised
    leave = _leave(images, ended)
    return [leave, *advised] if is_of_ended else [*advised, leave]


def _families(images: pd.DataFrame) -> set[str]:
    """Return the families of images whose operating system is known."""
    return {*images["family"]} - {image_table.NO_FAMILY}


def _leave(images: pd.DataFrame, ended: Mapping[str, date]) -> Advice:
    """Return the advice to leave families whose advisories have ended."""
    there = images[images["family"].isin(ended)].groupby("family")
    table = there.agg(images=("variant", "size")).reset_index()
    table = table.assign(advisories_until=table["family"].map(ended))
    order = ["images", "family"]
    table = table.sort_values(order, ascending=[False, True], ignore_index=True)
    table = table.astype({"images": "Int64"})
    part, whole = int(table["images"].sum()), len(images)
    values = {"part": part, "whole": whole}
    line = say(
        "Move **{part:,} of {whole:,} images** to supported releases: advisories for their bases "
        "had ended before the scan, so updates fix nothing newer.",
        **values,
    )
    shown = table.head(bars.MOST)
    ends = [
        t("{count:,}; advisories until {day}", count=row.images, day=row.advisories_until)
        for row in shown.itertuples()
    ]
    chart = bars.of(
        map(word, shown["family"]), shown["images"], ends, t("images"), t("number of images")
    )
    title = t("Advisories have ended for the bases of {part:,} of {whole:,} images", **values)
    of = Answer(LEAVE, title, table=table, chart=chart, counted=t("images"), by_scanner=False)
    return Advice(LEAVE, of, line)


def _rebuild(rebuild: Answer, lens: Lens) -> Advice:
    """Return the advice of the rebuild, or shared update, that takes away most."""
    assert rebuild.table is not None
    top = rebuild.table.iloc[0]
    what = REBUILD if top["on_it_by"] == bases.BY_LAYERS else SHARED
    of = bases.of(top, escape.plain(top["name"]))
    return Advice(what, rebuild, _updating(of, top["removed"], lens))


def _update(update: Answer, lens: Lens) -> Advice:
    """Return the advice of the one package's update that takes away most."""
    assert update.table is not None
    top = update.table.iloc[0]
    line = _updating(escape.plain(spread.label(top)), top["fixes"], lens)
    return Advice(UPDATE, update, line)


def _updating(what: str, count: int, lens: Lens) -> Phrase:
    return say(
        "Update **{what}**: {count:,} fewer {counted}, summed over all images.",
        what=what,
        count=count,
        counted=lens._replace(fixable=True).label,
    )


def _not_known(images: pd.DataFrame, found: pd.DataFrame) -> list[Phrase | str]:
    """Return which images have no count or base, and what no count says."""
    lines: list[Phrase | str] = []
    if lost := len(images) - len(image_table.counted(images)):
        lines.append(say("The contents of {images} without a count.", images=number(lost, "image")))
    if no_base := int((~found["found_by"].eq(bases.BY_LAYERS).fillna(False)).sum()):
        lines.append(say("The base image of {images}.", images=number(no_base, "image")))
    lines.append(
        t("Which vulnerabilities an app can reach, and whether the apps run on another base.")
    )
    return lines
