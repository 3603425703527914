"""What the images of a fleet taught, what to move first, and what is not known."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import pandas as pd

from helpers.answers.answer import ANSWER, Answer
from helpers.fleet import bars, bases, distributions, groups, image_table, moving, pairs, spread
from helpers.text import escape
from helpers.text.i18n import t, word
from helpers.text.rich import Phrase, bullets, join, number, paragraph, say
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
        lacks = t("No image was measured by a database that knows it, so nothing is counted.")
        return Answer("lessons", counted=lens.label, lacks=lacks)
    advised = advice(images, occurrences, in_packages, found, lens)
    none = say("Nothing that is sure to help: no fix is known, and no pairs show a better base.")
    text = join(paragraph(line, role="choice") for line in [one.line for one in advised] or [none])
    text += paragraph(say("**Learned**")) + bullets(_learned(images, occurrences, found, lens))
    text += paragraph(say("**Not known**")) + bullets(_not_known(images, found))
    shown = advised[0].of if advised else Answer("lessons", counted=lens.label)
    return shown._replace(name="lessons", text=text, role=ANSWER, searchable=False)


def _learned(
    images: pd.DataFrame, occurrences: pd.DataFrame, found: pd.DataFrame, lens: Lens
) -> list[Phrase | str]:
    """Return what was counted: the families of most and fewest, what is everywhere, the pairs."""
    lines: list[Phrase | str] = []
    ended = image_table.ended(images)
    table = distributions.quartiles(images)
    table = table[table["family"].ne(distributions.OTHERS)]
    if len(table) > 1:
        most, least = table.iloc[0], table.iloc[-1]
        line = say(
            "The median image on {most} has {high} {what}, on {least} {low}.",
            most=word(most["family"]),
            high=distributions.shown(most["median"]),
            what=lens.label,
            least=word(least["family"]),
            low=distributions.shown(least["median"]),
        )
        if pairs.flattered(least["family"], most["family"], ended):
            line += " " + _no_sign(least["family"], ended)
        lines.append(line)
    if len(occurrences):
        top = occurrences.iloc[0]
        lines.append(
            say(
                "{id} is in {part:,} of {whole:,} images, {once:,} of {ids} in one only.",
                id=escape.plain(top["vulnerability_id"]),
                part=top["images"],
                whole=len(image_table.counted(images)),
                once=int(occurrences["images"].eq(1).sum()),
                ids=number(len(occurrences), "vulnerability"),
            )
        )
    compared = pairs.compared(pairs.found(images), groups.packages(images, found))
    for row in pairs.sure(compared).head(3).itertuples():
        line = say(
            "The same apps have {share:.0%} fewer on {few} than on {many}, between {low:.0%} and "
            "{high:.0%}, in {pairs} of {repositories} in {groups} by shared packages.",
            few=row.second,
            many=row.first,
            share=-row.share,
            low=-row.high,
            high=-row.low,
            pairs=number(row.pairs, "pair"),
            repositories=number(row.repositories, "repository"),
            groups=number(row.groups, "group"),
        )
        if pairs.flattered(row.second, row.first, ended):
            line += " " + _no_sign(row.second, ended)
        lines.append(line)
    if len(compared) and compared["low"].isna().all():
        lines.append(
            say(
                "How bases differ **cannot be told from chance**: the same apps are on two of them "
                "in at most {groups} that share no packages.",
                groups=number(compared["groups"].max(), "group"),
            )
        )
    return lines or [t("No two families can be compared.")]


def _no_sign(family: str, ended: Mapping[str, date]) -> Phrase:
    return say(
        "Advisories of {family} ended on {day}, so that few is **no good sign**.",
        family=family,
        day=ended[family],
    )


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
        advised += [_update(update, occurrences)] if update.chart is not None else []
    packages = groups.packages(images, found)
    best = moving.best(moving.totals(images, pairs.found(images), packages), ended)
    if best is not None:
        advised.append(_move(best, moving.answer(images, lens, packages)))
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
    values = {"part": part, "whole": whole, "day": max(ended.values())}
    if _families(images) == ended.keys():
        line = say(
            "Move **all** {images} to supported releases, before any update: advisories of all "
            "their base families had ended before the scan, the last on {day}. An update brings no "
            "more than was fixed until then.",
            images=number(part, "image"),
            day=values["day"],
        )
    else:
        line = say(
            "Move **{part:,} of {whole:,} images** to supported releases: advisories of their base "
            "families had ended before the scan. An update brings no more than was fixed until "
            "then.",
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
    title = t("{part:,} of {whole:,} images: advisories of their base have ended", **values)
    of = Answer(LEAVE, title, table=table, chart=chart, counted=t("images"), by_scanner=False)
    return Advice(LEAVE, of, line)


def _rebuild(rebuild: Answer, lens: Lens) -> Advice:
    """Return the advice of the rebuild, or shared update, that takes away most."""
    assert rebuild.table is not None
    top = rebuild.table.iloc[0]
    values = {
        "base": escape.plain(top["name"]),
        "count": top["removed"],
        "what": lens._replace(fixable=True).label,
        "images": number(top["on_it"] + 1, "image"),
    }
    if top["on_it_by"] == bases.BY_LAYERS:
        line = say(
            "Rebuild **{base}** and what is on it: {count:,} {what} less, summed over {images}.",
            **values,
        )
        return Advice(REBUILD, rebuild, line)
    line = say(
        "Update the packages that {images} share, as in **{base}**: {count:,} {what} less, "
        "summed over these.",
        **values,
    )
    return Advice(SHARED, rebuild, line)


def _update(update: Answer, occurrences: pd.DataFrame) -> Advice:
    """Return the advice of the one package's update that takes away most."""
    assert update.table is not None
    top = update.table.iloc[0]
    line = say(
        "Update **{package}** everywhere: that removes {count:,} of {whole:,} fixable "
        "vulnerabilities × images.",
        package=escape.plain(spread.label(top)),
        count=top["fixes"],
        whole=int(occurrences["fixable"].sum()),
    )
    return Advice(UPDATE, update, line)


def _move(best: pd.Series, moves: Answer) -> Advice:
    """Return the advice of the move that is sure and takes away most."""
    values = {"images": number(best["images"], "image"), "target": best["target"]}
    if pd.isna(best["low"]):
        line = say(
            "Move {images} to **{target}**: they have {count:,} fewer there.",
            count=-best["observed_change"],
            **values,
        )
    else:
        line = say(
            "Move {images} to **{target}**: about {count:,.0f} fewer ({low:,.0f} to "
            "{high:,.0f}), **if unpaired images change as paired ones did**.",
            count=-best["likely"],
            low=-best["high"],
            high=-best["low"],
            **values,
        )
    return Advice(MOVE, moves, line)


def _not_known(images: pd.DataFrame, found: pd.DataFrame) -> list[Phrase | str]:
    """Return which images have no count, family, pair or base, and what no count says."""
    lines: list[Phrase | str] = []
    if lost := int((~images["measured"]).sum()):
        lines.append(
            say("What is in {images} that were not measured.", images=number(lost, "image"))
        )
    if blind := int(images["unknown_to_db"].sum()):
        lines.append(
            say(
                "What is in {images} of families in which nothing was found: that is not clean.",
                images=number(blind, "image"),
            )
        )
    if no_base := int((~found["found_by"].eq(bases.BY_LAYERS).fillna(False)).sum()):
        lines.append(
            say("Which image of the fleet {images} are built on.", images=number(no_base, "image"))
        )
    lines.append(
        t(
            "Which of it an app can reach, and whether the apps run on another base. A count is no "
            "risk."
        )
    )
    return lines
