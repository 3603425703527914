"""The gate's result for a pair of images: what came and went, and what fails."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from helpers.gate import difference, fail_on, pair
from helpers.gate.difference import BASE, BROUGHT, CAME, HIDDEN, NOT_KNOWN, WENT, Difference
from helpers.gate.fail_on import NEVER, Rule
from helpers.gate.pair import Note, Pair, Side
from helpers.text import escape
from helpers.text.i18n import Message, t
from helpers.text.rich import number

PASS, FAIL = "pass", "fail"


class Judgement(NamedTuple):
    """A pair of images, what became of their findings, the rules, and notes.

    The table is that of `difference`, with `fails`: whether a finding is what a rule asks for.
    """

    pair: Pair
    table: pd.DataFrame
    rules: tuple[Rule, ...]
    notes: list[Note]

    @property
    def failing(self) -> pd.DataFrame:
        """Return the findings that fail the check."""
        return self.table[self.table["fails"]]

    @property
    def verdict(self) -> str:
        """Return `pass` or `fail`."""
        return FAIL if self.table["fails"].any() else PASS

    @property
    def brought(self) -> pd.DataFrame:
        """Return the findings that the image brought."""
        return difference.of(self.table, BROUGHT)

    @property
    def told(self) -> pd.DataFrame:
        """Return the findings that the image brought, and others that fail."""
        return self.table[self.table["change"].eq(BROUGHT) | self.table["fails"]]


def judge(given: Pair, rules: Sequence[Rule]) -> Judgement:
    """Return what a pair of images shows: what the image brought fails if any rule holds of it.

    What is re-rated fails by a rule that asks for it. Raises `NotComparable` if that cannot be
    told.
    """
    notes = pair.check(given)
    found = difference.difference(given)
    table = found.table
    of_brought = tuple(rule for rule in rules if not rule.re_rated)
    brought = table["change"].isin([BROUGHT, HIDDEN])
    fails = brought & table["row"].isin(fail_on.failing(given.after, of_brought))
    higher = table.index.isin(difference.rated_higher(table).index)
    by_rating = [rule for rule in rules if rule.re_rated]
    fails |= higher & table["row"].isin(fail_on.failing(given.after, by_rating))
    judged = Judgement(given, table.assign(fails=fails.astype("bool")), tuple(rules), notes)
    notes += _notes(judged, found)
    return judged


def verdict(judgements: Sequence[Judgement]) -> str:
    """Return `fail` if any pair fails."""
    return FAIL if any(each.verdict == FAIL for each in judgements) else PASS


def words(rules: Sequence[Rule]) -> str:
    """Return what fails, as it was given; `none` if nothing does.

    >>> words(fail_on.parse(["fixable,severity>=HIGH", "exploited"]))
    '(fixable and severity>=high) or exploited'
    """
    texts = [rule.words for rule in rules] or [NEVER]
    if len(texts) > 1:
        texts = [f"({text})" if " and " in text else text for text in texts]
    return " or ".join(texts)


def headline(judgement: Judgement) -> str:
    """Return in a line whether a pair fails, and why."""
    fails, count = len(judgement.failing), len(judgement.brought)
    return t(
        "{verdict} (rule: {rules}). Failing: {fails:,}; brought by the image: {brought:,}",
        verdict=judgement.verdict.upper(),
        rules=words(judgement.rules),
        fails=fails,
        brought=count,
    )


def origins(judgement: Judgement) -> str:
    """Return how many of the findings that the image brought came with its base; empty of none.

    Without layers that is not known of what is in packages of the system and in bundled tools.
    """
    brought = judgement.brought
    if brought.empty:
        return ""
    came = brought["origin"].value_counts()
    with_base, not_known = int(came.get(BASE, 0)), int(came.get(NOT_KNOWN, 0))
    return t(
        "Of these, {base:,} came with the base, {app:,} with the app; not known: {unknown:,}.",
        base=with_base,
        app=len(brought) - with_base - not_known,
        unknown=not_known,
    )


def _notes(judged: Judgement, found: Difference) -> Iterator[Note]:
    """Yield what there is to know besides: of the databases, and of what passes all the same."""
    yield from _of_databases(judged.pair, found)
    rules = [rule for rule in judged.rules if not rule.re_rated]
    brought = judged.brought
    count, unknown = number(len(brought), "finding"), int(brought["severity"].eq("UNKNOWN").sum())
    if unknown and not all("UNKNOWN" in rule.lens.severities for rule in rules):
        yield Note("severity-not-known", _uncaught(unknown, count, Message("severity")))
    without = int((brought["epss"].isna() & ~brought["fails"]).sum())
    if without and any(rule.lens.epss for rule in rules):
        yield Note("without-score", _uncaught(without, count, Message("EPSS")))
    passing = judged.table[~judged.table["fails"]]
    hidden = difference.of(passing, HIDDEN)
    if len(hidden):
        every = [rule._replace(lens=rule.lens._replace(suppressed=True)) for rule in rules]
        would = hidden["row"].isin(fail_on.failing(judged.pair.after, every))
        by = [*hidden["statement_by"].dropna().astype("str").unique()[:3]]
        text = Message(
            "Brought by the image but suppressed by {by}: {count}. {would:,} would fail; "
            "`--fail-on suppressed` counts them.",
            count=number(len(hidden), "finding"),
            by=", ".join(escape.short(each, 80) for each in by) or Message("an ignore file"),
            would=int(would.sum()),
        )
        yield Note("suppressed", text, ("by",))
    higher = difference.rated_higher(passing)
    if len(higher):
        text = Message(
            "Rated higher than before: {count} (CRITICAL: {critical:,}); `--fail-on re-rated` "
            "counts them.",
            count=number(len(higher), "finding"),
            critical=int(higher["severity_after"].eq("CRITICAL").sum()),
        )
        yield Note("re-rated", text)
    if found.same_image and judged.table["change"].isin([*CAME, *WENT]).any():
        text = Message(
            "Both images have the same packages: the database, the scanner or VEX statements "
            "changed."
        )
        yield Note("same-image", text)


def _uncaught(unknown: int, count: str, value: Message) -> Message:
    """Return how many findings a rule cannot judge, as they lack the value that it asks for."""
    return Message(
        "{unknown:,} of {count} that the image brought lack this value, so no rule on it applies: "
        "{value}.",
        unknown=unknown,
        count=count,
        value=value,
    )


def _of_databases(given: Pair, found: Difference) -> Iterator[Note]:
    """Yield what there is to know of the databases that served both images."""
    if found.same_database or found.same_image:
        return
    if found.same_database is None:
        text = Message(
            "The databases are not recorded: new findings of unchanged packages count as newly "
            "published."
        )
        yield Note("database-not-recorded", text)
        return
    first, second = map(_day, (given.before, given.after))
    text = Message(
        "The databases differ ({first}, {second}): some findings that the image brought may have "
        "been published in between.",
        first=first,
        second=second,
    )
    yield Note("other-database", text)


def _day(side: Side) -> str:
    day, digest = side.image["db_updated_at"], side.image["db_sha256"]
    return f"{day:%Y-%m-%d}" if pd.notna(day) else str(digest)[:12]
