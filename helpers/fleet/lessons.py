"""What the images of a fleet taught, what to move first, and what is not known."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from helpers.answers.answer import ANSWER, Answer
from helpers.fleet import bases, distributions, groups, image_table, moving, pairs, spread
from helpers.text import escape
from helpers.text.i18n import t, word
from helpers.text.rich import Phrase, bullets, join, number, paragraph, say
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import Lens


def answer(
    images: pd.DataFrame,
    occurrences: pd.DataFrame,
    in_packages: pd.DataFrame,
    found: pd.DataFrame,
    lens: Lens,
) -> Answer:
    """Answer what was learned, what to do first, and what is not known.

    `occurrences` and `in_packages` are those of `tally`, of all parts together, `found` is what
    `bases.found` returns.
    """
    if image_table.counted(images).empty:
        lacks = t("No image was measured by a database that knows it, so nothing is counted.")
        return Answer("lessons", counted=lens.label, lacks=lacks)
    first = _first(images, occurrences, in_packages, found, lens)
    none = t("Nothing that is sure to help: no fix is known, and no pairs show a better base.")
    text = join(paragraph(line, role="choice") for line in first or [none])
    text += paragraph(say("**Learned**")) + bullets(_learned(images, occurrences, found, lens))
    text += paragraph(say("**Not known**")) + bullets(_not_known(images, found))
    return Answer("lessons", text=text, counted=lens.label, role=ANSWER)


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


def _first(
    images: pd.DataFrame,
    occurrences: pd.DataFrame,
    in_packages: pd.DataFrame,
    found: pd.DataFrame,
    lens: Lens,
) -> list[Phrase | str]:
    """Return the rebuild or update, and the move that is sure, that take away most."""
    lines: list[Phrase | str] = []
    shared = bases.shared(images, found, "removed")
    updates = spread.updates(in_packages)
    if shared["removed"].gt(0).any():
        top = shared.iloc[0]
        values = {
            "base": escape.plain(top["name"]),
            "count": top["removed"],
            "what": lens._replace(fixable=True).label,
            "images": number(top["on_it"] + 1, "image"),
        }
        if top["on_it_by"] == bases.BY_LAYERS:
            line = say(
                "Rebuild **{base}** and what is on it: up to {count:,} {what} less, summed over "
                "{images}.",
                **values,
            )
        else:
            line = say(
                "Update the packages that {images} share, as in **{base}**: {count:,} {what} less, "
                "summed over these.",
                **values,
            )
        lines.append(line)
    elif len(updates):
        top = updates.iloc[0]
        lines.append(
            say(
                "Update **{package}** everywhere: that removes {count:,} of {whole:,} fixable "
                "vulnerabilities × images.",
                package=escape.plain(counting.package_name(top["source_package"])),
                count=top["fixes"],
                whole=int(occurrences["fixable"].sum()),
            )
        )
    moved = moving.totals(images, pairs.found(images), groups.packages(images, found))
    best = moving.best(moved, image_table.ended(images))
    if best is not None:
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
        lines.append(line)
    return lines


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
