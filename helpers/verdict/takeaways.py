"""What to take away from a comparison, and what to do next: only what the evidence carries."""

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd

from helpers.answers.answer import CLOSING as CLOSING_ROLE
from helpers.answers.answer import Answer
from helpers.answers.talk import CLOSING, Talk
from helpers.comparability.confounders import AGE
from helpers.text import escape, titles
from helpers.text.i18n import msg, t, told, word
from helpers.text.rich import AND, bullets, listed, number, paragraph, say
from helpers.verdict import attribution, cautions, claims, wording
from helpers.verdict.decision import (
    EXPLOITED_UNFIXED,
    NOTHING,
    PAST_SUPPORT,
    SHIP,
    TIED,
    UPDATE_FIRST,
    Decision,
)
from helpers.verdict.wording import OLD_DAYS
from helpers.vulnerabilities import lenses, once

TAKEAWAY, NEXT = "takeaway", "next"
"""Roles of the bullets."""

_CHOICES = {
    NOTHING: msg("nothing is recommended yet"),
    TIED: msg("{count} images come out alike"),
    PAST_SUPPORT: msg("build on a supported base"),
    EXPLOITED_UNFIXED: msg("ship none yet"),
    **dict.fromkeys((SHIP, UPDATE_FIRST), msg("ship {variant}")),
}

_STEPS = 4
"""Steps that are named at most: more are not taken."""


def answer(takeaways: Sequence[str], steps: Sequence[str], decision: Decision) -> Answer:
    """Answer what to take away of a decision, and what to do next."""
    text = (
        paragraph(say("**To take away:**"))
        + bullets(takeaways, role=TAKEAWAY)
        + paragraph(say("**What to do next:**"))
        + bullets(steps, role=NEXT)
    )
    spoken = (*takeaways[:3], *steps[:3])
    headline = t("In short: {choice}", choice=_choice(decision))
    talk = Talk(CLOSING, headline, text, spoken=spoken)
    return Answer("takeaways", text=text, role=CLOSING_ROLE, talks=(talk,))


def takeaways(
    decision: Decision,
    differing: Sequence[str],
    verdicts: pd.DataFrame,
    ages: pd.DataFrame,
) -> list[str]:
    """Return what to take away, as sentences.

    `differing` is what the images differ in besides their base, `verdicts` are those of `claims`,
    `ages` those of `attribution.compared`.
    """
    found = [f"{wording.headline(decision).removesuffix('.')}."]
    if differing:
        aspects = listed(map(word, differing), last=AND).plain
        found.append(
            t(
                "The images also differ in {aspects}, so the base does not explain "
                "every difference.",
                aspects=aspects,
            )
        )
    if claims.is_tested(verdicts):
        found.append(f"{claims.headline(verdicts)}.")
    if age := attribution.headline(ages):
        found.append(f"{age}.")
    found.append(t("A count is not a risk: whether the app reaches any of it was not tried."))
    return found


def next_steps(
    decision: Decision,
    findings: pd.DataFrame,
    differing: Sequence[str],
    has_files: bool,
    today: date,
) -> list[str]:
    """Return what to do next, as sentences, the most needed first.

    `findings` are those of the decision's capture; `has_files` says whether it lists files.
    """
    found = [*_ship(decision, findings)]
    if AGE in differing:
        found.append(t("Build all images on one day, so that their bases can be compared."))
    found.extend(_scan_again(decision, today))
    if not has_files:
        found.append(
            t("Capture the images themselves with make compare: this evidence lists no files.")
        )
    if decision.candidates["partial"].any():
        found.append(t("Scan with a complete database: the one used here is partial."))
    return found[:_STEPS]


def _choice(decision: Decision) -> str:
    """Return the choice in a few words."""
    if not decision.best:
        return word(_CHOICES[decision.code])
    values = {"count": len(decision.best), "variant": titles.name(decision.best[0])}
    return word(_CHOICES[decision.code]).format(**values)


def _ship(decision: Decision, findings: pd.DataFrame) -> list[str]:
    """Return what to do with the choice."""
    if decision.candidates["mixed"].any():
        return [t("Scan all images with one scanner and one database.")]
    code = decision.code
    if code == NOTHING:
        return []
    if code == TIED:
        return [t("Choose among the images that come out alike by something not weighed here.")]
    if code == PAST_SUPPORT:
        return [t("Build the app on a base that is still supported, and compare again.")]
    first, variant = decision.best[0], escape.plain(decision.best[0])
    candidate = decision.able.loc[first]
    if code == EXPLOITED_UNFIXED:
        return [
            t(
                "Remove or shield what is known to be exploited and has no fix in "
                "{variant}: {ids}.",
                variant=variant,
                ids=told(candidate["no_fix_exploited"]),
            )
        ]
    # What has a fix is updated, whatever is known of its exploitation.
    lens = decision.lens._replace(counted=once.FINDINGS, fixable=True, exploited=False, epss=0.0)
    counted = lenses.apply(findings, lens)
    packages = counted[counted["variant"].eq(first)]["package"].nunique()
    if code == UPDATE_FIRST:
        what = msg(
            "In {variant}, first update what is known to be exploited ({ids}), then "
            "the rest that has a fix: {packages}."
        )
    elif packages:
        what = msg("In {variant}, update what has a fix: {packages}.")
    elif decision.candidates["partial"].any():
        what = msg("Ship {variant}: the partial database lists no fix for it.")
    elif decision.caution(cautions.NO_DATES):
        what = msg("Scan {variant} again before you ship it: no report has a date.")
    else:
        what = msg("Ship {variant} as it is: no package in it has a fix.")
    known, count = told(candidate["known_exploited"]), number(packages, "package")
    return [word(what).format(variant=variant, ids=known, packages=count)]


def _scan_again(decision: Decision, today: date) -> list[str]:
    """Return when to scan again; nothing if the day of the evidence is not known."""
    if not decision.day:
        return []
    if wording.old(decision, today):
        return [t("Scan again before you decide: this evidence is old.")]
    until = date.fromisoformat(decision.day) + timedelta(days=OLD_DAYS)
    return [t("Scan again by {day:%Y-%m-%d}, when this evidence is three months old.", day=until)]
