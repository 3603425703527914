"""What a gate says of a pair of images: what came and went, and what of it fails."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from helpers.gate import difference, fail_on, pair
from helpers.gate.difference import BASE, BROUGHT, CAME, NOT_KNOWN, WENT
from helpers.gate.fail_on import NEVER, Rule
from helpers.gate.pair import Pair, Side
from helpers.text.i18n import message, t
from helpers.text.rich import number

PASS, FAIL = "pass", "fail"


class Judgement(NamedTuple):
    """A pair of images, what became of their findings, by which rules, and what is to be known.

    The table is that of `difference`, with `fails`: whether a finding is what a rule asks for.
    """

    pair: Pair
    table: pd.DataFrame
    rules: tuple[Rule, ...]
    notes: list[str]

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


def judge(given: Pair, rules: Sequence[Rule]) -> Judgement:
    """Return what a pair of images shows: what the image brought fails if any rule holds of it.

    Raises `NotComparable` if that cannot be told.
    """
    notes = [*pair.check(given), *_of_databases(given)]
    table = difference.difference(given)
    found = fail_on.failing(given.after, rules)
    brought = table["change"].eq(BROUGHT)
    fails = brought & table["row"].isin(found)
    notes += _of_severities(table[brought], rules)
    if pair.same_image(given) and table["change"].isin([*CAME, *WENT]).any():
        notes.append(
            message(
                "Both images have the same packages, so what changed comes from the database, the "
                "scanner or VEX statements."
            )
        )
    return Judgement(given, table.assign(fails=fails.astype("bool")), tuple(rules), notes)


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
    if not count:
        return t("PASS: the image brought no findings")
    brought = number(count, "finding")
    if not judgement.rules:
        return t("PASS: the image brought {brought}, and none is to fail", brought=brought)
    given = words(judgement.rules)
    if not fails:
        return t(
            "PASS: of {brought} that the image brought, none fails: {rules}",
            brought=brought,
            rules=given,
        )
    if fails == 1:
        return t(
            "FAIL: of {brought} that the image brought, one fails: {rules}",
            brought=brought,
            rules=given,
        )
    return t(
        "FAIL: of {brought} that the image brought, {fails:,} fail: {rules}",
        brought=brought,
        fails=fails,
        rules=given,
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
    counts = {"base": with_base, "app": len(brought) - with_base - not_known}
    if not_known:
        return t(
            "Of what it brought, {base:,} came with the base and {app:,} with the app; "
            "for {unknown:,} the layers are not known.",
            unknown=not_known,
            **counts,
        )
    return t("Of what it brought, {base:,} came with the base and {app:,} with the app.", **counts)


def _of_severities(brought: pd.DataFrame, rules: Sequence[Rule]) -> list[str]:
    """Return a note if findings without a known severity, which the image brought, can pass."""
    unknown = int(brought["severity"].eq("UNKNOWN").sum())
    if not unknown or all("UNKNOWN" in rule.lens.severities for rule in rules):
        return []
    return [
        message(
            "No rule by severity catches {unknown:,} of {count} that the image brought: their "
            "severity is not known.",
            count=number(len(brought), "finding"),
            unknown=unknown,
        )
    ]


def _of_databases(given: Pair) -> list[str]:
    """Return what there is to know of the databases that served both images."""
    same = pair.same_database(given)
    if same or pair.same_image(given):
        return []
    if same is None:
        return [
            message(
                "The databases are not recorded: what a package that stayed gained is taken as "
                "newly published."
            )
        ]
    first, second = map(_day, (given.before, given.after))
    return [
        message(
            "The databases differ ({first}, {second}): of what the image brought, some may have "
            "been published in between.",
            first=first,
            second=second,
        )
    ]


def _day(side: Side) -> str:
    day, digest = side.image["db_updated_at"], side.image["db_sha256"]
    return f"{day:%Y-%m-%d}" if pd.notna(day) else str(digest)[:12]
