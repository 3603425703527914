"""The sentences that say what a decision is, because of what, and what it is on other days."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

import pandas as pd

from helpers.text import escape
from helpers.text.i18n import msg, t, told, word
from helpers.text.rich import AND, Phrase, cut, listed, name, names, number, say
from helpers.text.titles import name as short_name
from helpers.text.units import megabytes
from helpers.verdict import cautions, ranking, tradeoff
from helpers.verdict import decision as decision_codes
from helpers.verdict.decision import (
    EXPLOITED_UNFIXED,
    NOTHING,
    PAST_SUPPORT,
    SHIP,
    SUPPORTED,
    TIED,
    UPDATE_FIRST,
    WORSE,
    Decision,
    decisive,
)
from helpers.verdict.ranking import OR
from helpers.verdict.tradeoff import EXPLOITED

OLD_DAYS = 92
"""Days after which evidence is old: in three months every distribution brings out many fixes, and
most images are rebuilt."""

_NAMED = 3
"""Images, or days, that a sentence names one by one; of more it says how many."""


def source(decision: Decision) -> str:
    """Return of which day a decision is: of the database's, or the scan's; empty if not known."""
    if not decision.day:
        return ""
    if decision.by_scan:
        return t("scan of {day}", day=decision.day)
    return t("database of {day}", day=decision.day)


_WHY_NOTHING = {
    decision_codes.NO_SCANNER: msg(
        "**No recommendation:** no scanner was available, so vulnerabilities are unknown."
    ),
    decision_codes.NO_CANDIDATE: msg("**No recommendation:** there is no candidate."),
    decision_codes.TOO_MANY: msg(
        "**No recommendation:** so many images are a fleet. `make fleet` says what to update first."
    ),
    decision_codes.NO_WEIGHT: msg("**No recommendation:** every weight is zero."),
    decision_codes.UNKNOWN: msg(
        "**No recommendation:** no two candidates can be compared by anything that has a weight."
    ),
    decision_codes.NOT_ALIKE: msg(
        "**No recommendation:** the images were scanned with different scanners or databases, so "
        "their counts cannot be compared."
    ),
    decision_codes.SCORES_NOT_ALIKE: msg(
        "**No recommendation:** the images were scanned with different scanners or databases, or "
        "have EPSS scores of different days, so their counts cannot be compared."
    ),
}


_CHOICES = {
    TIED: msg("**No choice between {variants}**{by}: they come out alike{each}."),
    PAST_SUPPORT: msg("**Ship none of these. Build on a supported base**{by}: {each}."),
    EXPLOITED_UNFIXED: msg(
        "**Ship none of these yet**{by}: {first} comes first ({because}), but a vulnerability "
        "known to be exploited has no fix in it{exploited}."
    ),
    UPDATE_FIRST: msg(
        "**Ship** {first}{by}, **but first update what is known to be exploited in it**: {because}."
    ),
    SHIP: msg("**Ship** {first}{by}: {because}."),
}

_ALONE = {
    PAST_SUPPORT: msg("**Do not ship it. Build on a supported base**{by}: {each}."),
    EXPLOITED_UNFIXED: msg(
        "**Do not ship** {first} **yet**{by}: a vulnerability known to be exploited has no fix in "
        "it{exploited}."
    ),
    SHIP: msg("{first} is the only candidate{by}."),
}
"""The same of the only candidate, where it is said otherwise."""

_HEADLINES = {
    TIED: msg("No choice: {count} images come out alike"),
    PAST_SUPPORT: msg("Ship none of these; build on a supported base"),
    EXPLOITED_UNFIXED: msg("Ship none yet: an exploited vulnerability has no fix"),
}

_SPOKEN = {
    TIED: msg("{count} images come out alike."),
    PAST_SUPPORT: msg("None of these images should be shipped: support has ended for all of them."),
    EXPLOITED_UNFIXED: msg(
        "None of these images should be shipped yet: the best of them has an exploited "
        "vulnerability without a fix."
    ),
    UPDATE_FIRST: msg(
        "We would ship {variant}, once what is known to be exploited in it is updated."
    ),
    SHIP: msg("We would ship {variant}."),
}


def choice(decision: Decision) -> Phrase:
    """Return what to ship, because of what, or why nothing is recommended."""
    code, also = decision.code, exploited(decision)
    if code == NOTHING:
        return say(_WHY_NOTHING[decision.reasons[0].code])
    values = {"by": _in_brackets(source(decision)), "first": name(decision.best[0])}
    if code == TIED:
        values |= {"variants": listed(map(name, decision.best), last=AND)}
        return say(_CHOICES[code], each=_each_has(decision) + also, **values) + _apart(decision)
    if code == PAST_SUPPORT:
        values |= {"each": _each(decision) + also}
    else:
        why = because(decision) + _worse(decision) + _ended(decision, in_full=True)
        has_place = code == EXPLOITED_UNFIXED
        values |= {"because": why if has_place else why + also, "exploited": also}
    forms = _CHOICES | (_ALONE if len(decision.ranked) == 1 else {})
    return say(forms[code], **values)


def exploited(decision: Decision) -> Phrase:
    """Return what is known to be exploited and since when, as the end of a reason.

    Empty if no candidate has such a vulnerability, as far as is known.
    """
    unfixed, fixable = map(
        decision.caution, (cautions.EXPLOITED_UNFIXED, cautions.EXPLOITED_FIXABLE)
    )
    bare, rest = (found.values["ids"] if found else {} for found in (unfixed, fixable))
    having = [v for v in decision.candidates["variant"] if v in bare or v in rest]
    if not having:
        return Phrase()
    if len(having) > _NAMED:
        ids = [*dict.fromkeys(told(each) for each in chain(*bare.values(), *rest.values()))]
        return say(
            "; known to be exploited: {ids}, in {count} images", ids=_few(ids), count=len(having)
        )
    each = []
    for variant in having:
        parts = [say("{id} without a fix", id=told(found)) for found in bare.get(variant, ())]
        each.append(name(variant) + " (" + _few([*parts, *map(told, rest.get(variant, ()))]) + ")")
    return say("; known to be exploited: {variants}", variants=listed(each))


def _few(parts: Sequence[Phrase | str]) -> Phrase:
    return listed(cut(parts, _NAMED - 1, most=_NAMED))


def _apart(decision: Decision) -> Phrase:
    """Return in what images that tie differ, and that one rebuild may bring as much."""
    tie = decision.caution(cautions.TIE)
    values: Mapping[str, tuple[Any, ...]] = tie.values["values"] if tie else {}
    if not values:
        return Phrase()
    criteria = listed(
        say(
            "{criterion} ({values})",
            criterion=tradeoff.named(criterion, decision.lens, decision.kind),
            values=_against(criterion, pd.Series(each), others=False),
        )
        for criterion, each in values.items()
    )
    is_less = all(
        ranking.alike(min(each), max(each), criterion, decision.rebuild)
        for criterion, each in values.items()
    )
    if is_less:
        return say(
            " They differ by less than one rebuild may bring: {criteria}.",
            criteria=criteria,
        )
    return say(
        " They differ in {criteria}, but none leads by more than one rebuild may bring.",
        criteria=criteria,
    )


def headline(decision: Decision) -> str:
    """Return what to ship as the title of a slide, with the numbers that decided."""
    if decision.code == NOTHING:
        return choice(decision).plain
    if decision.code in _HEADLINES:
        return t(_HEADLINES[decision.code], count=len(decision.best))
    variant = short_name(decision.best[0])
    if len(decision.ranked) == 1:
        return t("Ship {variant}: it is the only candidate", variant=variant)
    anywhen = replace(decision, lens=decision.lens._replace(known_by="", place=""))
    return t("Ship {variant}: {why}", variant=variant, why=_lead(anywhen).plain)


def _lead(decision: Decision) -> Phrase:
    """Return the number that decided against those of the others."""
    measure, first = _leading(decision), _first(decision)
    alone = any(reason.code == SUPPORTED for reason in decision.reasons)
    if not measure:
        return say("the only supported image")
    values = {
        "ours": _amount(decision, measure, first[measure]),
        "theirs": _of_rivals(decision, measure),
    }
    if alone:
        return say("the only supported image, with {ours} against {theirs}", **values)
    return say("{ours} against {theirs}", **values)


def _leading(decision: Decision) -> str:
    """Return the criterion that leads the reason.

    Serious vulnerabilities are part of the fixable ones, which lead unless the first has more.
    """
    measure = decisive(decision)
    if measure != "serious" or "fixable" not in decision.used:
        return measure
    is_worse = _first(decision)["fixable"] > decision.rivals["fixable"].iloc[0]
    return "serious" if is_worse else "fixable"


def because(decision: Decision) -> Phrase:
    """Return the numbers that decided, as "6 fixable vulnerabilities against 9 and 17"."""
    if decision.rivals.empty:
        return say("the only candidate")
    measure, rivals, first = _leading(decision), decision.rivals, _first(decision)
    text = _lead(decision)
    if not measure:
        return text
    if measure == "fixable" and "serious" in decision.used and first["fixable"]:
        text += say(
            ", {ours} of them HIGH or CRITICAL against {theirs}",
            ours=told_value("serious", first),
            theirs=_of_rivals(decision, "serious"),
        )
    if measure == EXPLOITED and "fixable" in decision.used:
        text += say(
            ", and {ours} against {theirs}",
            ours=_amount(decision, "fixable", first["fixable"]),
            theirs=_of_rivals(decision, "fixable"),
        )
    is_alike = "fixable" in decision.used and rivals["fixable"].eq(first["fixable"]).all()
    if measure == "size" and is_alike:
        text += say(", and {ours} in each", ours=_amount(decision, "fixable", first["fixable"]))
    return text


def on_other_days(decision: Decision, others: Sequence[Decision]) -> Phrase:
    """Return what was chosen by the evidence of other days; empty if there are none.

    `others` are in order of time. Neighbours that choose alike are one.
    """
    groups: list[Decision] = []
    for other in others:
        if not groups or _told_alike(groups[-1]) != _told_alike(other):
            groups.append(other)
    if not groups:
        return Phrase()
    is_earlier = all(other.day <= decision.day for other in others)
    when = say("**Earlier:**") if is_earlier else say("**On other days:**")
    if len(groups) > _NAMED:
        changes = number(len(groups) - 1, "time")
        captures_ = number(len(others), "capture")
        return when + say(" the choice changed {n} in {of}.", n=changes, of=captures_)
    if {*map(_told_alike, groups)} == {_told_alike(decision)}:
        return when + " " + say("the same {by}.", by=_by(groups[0]))
    return when + " " + listed(map(_then, groups), "; ") + "."


def _told_alike(decision: Decision) -> tuple[object, ...]:
    """Return what two decisions have alike that are told in the same words."""
    return () if decision.blocked else decision.outcome


def otherwise(decision: Decision, others: Sequence[Decision]) -> list[Phrase]:
    """Return what the evidence of other days chooses that is something else, a sentence each."""
    outcomes = {other.outcome: other for other in others if other.outcome != decision.outcome}
    return [
        say(
            "On {day} it was {which}.",
            day=other.day or other.capture,
            which=say("none of these") if other.blocked else listed(map(name, other.best), last=OR),
        )
        for other in outcomes.values()
    ]


def by_all_known(decision: Decision, ever: Decision) -> Phrase:
    """Return what would be chosen if all counted that is known, if that is something else."""
    if not decision.lens.known_by or ever.outcome == decision.outcome or not ever.best:
        return Phrase()
    return say(
        "Counting also what was published after {day} or has no date, the choice would be {which}.",
        day=decision.lens.known_by,
        which=listed(map(name, ever.best), last=OR),
    )


def spoken(decision: Decision) -> str:
    """Return what to ship as a sentence that is said aloud."""
    if decision.code == NOTHING:
        return choice(decision).plain
    values = {"count": len(decision.best), "variant": escape.plain(decision.best[0])}
    return t(_SPOKEN[decision.code], **values)


def fixable(decision: Decision, count: int) -> str:
    """Return so many of what the lens counts, those that have a fix."""
    what = tradeoff.named("fixable", decision.lens, decision.kind, count)
    return t("{count:,} {what}", count=count, what=what)


def old(decision: Decision, today: date) -> Phrase:
    """Return a warning if the evidence of a decision is old; else nothing."""
    if not decision.day:
        return Phrase()
    days = (today - date.fromisoformat(decision.day)).days
    if days <= OLD_DAYS:
        return Phrase()
    years = days / 365.25
    age = number(int(years), "year") if years >= 2 else number(int(years * 12), "month")
    return say("**This evidence is {age} old.** Scan again before you decide.", age=age)


def _first(decision: Decision) -> pd.Series:
    return decision.able.loc[decision.best[0]]


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _by(decision: Decision) -> str:
    """Return by which evidence something was chosen."""
    if not decision.day:
        return t("by the capture {capture}", capture=decision.capture)
    if decision.by_scan:
        return t("by the scan of {day}", day=decision.day)
    return t("by the database of {day}", day=decision.day)


def _then(decision: Decision) -> Phrase:
    """Return what another day's evidence chooses, and because of what."""
    if decision.code in (NOTHING, TIED):
        return say("no choice {by}", by=_by(decision))
    if decision.blocked:
        return say("none {by}", by=_by(decision))
    if len(decision.ranked) == 1:
        return say("{first} alone {by}", first=name(decision.best[0]), by=_by(decision))
    return say(
        "{first} {by} ({because})",
        first=name(decision.best[0]),
        by=_by(decision),
        because=because(decision) + _ended(decision, in_full=False),
    )


def _worse(decision: Decision) -> Phrase:
    """Return in what the first is worse than the next, as the end of a reason."""
    worse = next((reason.criteria for reason in decision.reasons if reason.code == WORSE), ())
    first = _first(decision)
    each = [
        say(
            "{criterion} ({first} against {others})",
            criterion=tradeoff.named(criterion, decision.lens, decision.kind),
            first=told_value(criterion, first),
            others=_of_rivals(decision, criterion),
        )
        for criterion in worse
    ]
    return say("; worse in {criteria}", criteria=listed(each)) if each else Phrase()


def _ended(decision: Decision, in_full: bool) -> Phrase:
    """Return which candidates are past their support, as the end of a reason."""
    able = decision.able
    ended = able[able["past_support"].ne("")]
    if ended.empty:
        return Phrase()
    if len(ended) > _NAMED:
        return say("; past support: {count} images", count=len(ended))
    if not in_full:
        return say("; past support: {variants}", variants=names(ended))
    each = listed(name(row.variant) + f" ({told(row.past_support)})" for row in ended.itertuples())
    return say("; past support: {variants}", variants=each)


def _each_has(decision: Decision) -> Phrase:
    """Return how many fixable ones each of the best has, as the end of a sentence, if as many."""
    counts = decision.able["fixable"][decision.best]
    if "fixable" not in decision.used or counts.nunique() > 1:
        return Phrase()
    return say(", and {ours} in each", ours=_amount(decision, "fixable", counts.iloc[0]))


def _each(decision: Decision) -> Phrase:
    """Return of each candidate what has ended and how many fixable ones it has, if few."""
    able = decision.able
    if len(able) > _NAMED:
        among = _amount(decision, "fixable", _against("fixable", able["fixable"], others=False))
        return say("all are past their support and have {counts}", counts=among)
    first, *rest = able["fixable"]
    counts = [_amount(decision, "fixable", first), *(f"{count:,}" for count in rest)]
    return listed(
        say(
            "{variant}, past its support ({ended}), has {count}",
            variant=name(row.variant),
            ended=told(row.past_support),
            count=count,
        )
        for row, count in zip(able.itertuples(), counts, strict=True)
    )


def _amount(decision: Decision, criterion: str, value: Any) -> Phrase:
    """Return a number of a criterion with its unit and lens."""
    if criterion == "size":
        return say("{size} MB {kind}", size=megabytes(value), kind=word(decision.kind))
    count = value if isinstance(value, Phrase) else f"{value:,}"
    what = tradeoff.named(criterion, decision.lens, decision.kind, value)
    narrowed = _in_brackets(decision.lens.narrowed)
    return say("{count} {what}{narrowed}", count=count, what=what, narrowed=narrowed)


def _of_rivals(decision: Decision, criterion: str) -> Phrase:
    """Return the numbers of the others; of the supported ones among them if only those compete."""
    values = decision.rivals[criterion]
    if len(values) == len(decision.ranked) - 1:
        return _against(criterion, values)
    found = _against(criterion, values, others=False)
    return say("{range} in the other supported images", range=found)


def _against(criterion: str, values: pd.Series, others: bool = True) -> Phrase:
    """Return the numbers of some images: each if they are few, else from which to which they go.

    `others`: these are all but one, so it is said how many.
    """
    ordered = sorted(values.dropna())
    shown = [told_value(criterion, {criterion: value}).removesuffix(" MB") for value in ordered]
    unknown = len(values) - len(shown)
    if unknown and len(values) <= _NAMED:
        return listed([*shown, t("one unknown")], last=AND)
    if len(shown) > 1 and shown[0] == shown[-1] and not unknown:
        return say("{count} each", count=shown[0])
    if len(values) <= _NAMED:
        return listed(shown, last=AND)
    low, high = shown[0], shown[-1]
    if not others:
        return say("{low} to {high}", low=low, high=high)
    return say("{low} to {high} in the other {count}", low=low, high=high, count=len(shown))


def told_value(criterion: str, candidate: Mapping[str, Any] | pd.Series) -> str:
    """Return what an image has of a criterion, in its unit."""
    if criterion == "size":
        return f"{megabytes(candidate['size'])} MB"
    if criterion in tradeoff.ENDED:
        return t("yes") if candidate[criterion] else t("no")
    return f"{candidate[criterion]:,}"
