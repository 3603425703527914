"""What a reader of a recommendation must not overlook, as bullets with roles."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from helpers.comparability.end_of_life import spelled
from helpers.frames import NOT_SCANNED
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import AND, Phrase, Text, bullets, cut, listed, name, number, phrase, say
from helpers.verdict import cautions as codes
from helpers.verdict.cautions import Caution
from helpers.verdict.decision import Decision
from helpers.verdict.tradeoff import LIKELY, named
from helpers.vulnerabilities.lenses import Lens

PATCH_DAYS = 7
"""Distributions bring out several fixes a week: an image that is more days younger than another has
had fixes that the other could not have."""

COUNTED, CAUTION, LOUD = "counted", "caution", "loud"
"""Roles of the bullets. A loud caution is about certain variants."""


_LANGUAGES = {
    "node-pkg": msg("npm packages"),
    "python-pkg": msg("Python packages"),
    "jar": msg("Java packages"),
    "gobinary": msg("Go modules"),
    "gemspec": msg("Ruby gems"),
}
"""Types of language packages by the names that people call them."""

_NOT_SEEN = {
    codes.NO_DATES: msg(
        "No report has a date, so the age of the images and their support are unknown."
    ),
    codes.LANGUAGE: msg("Vulnerabilities in {types}{where}: the partial database lists none."),
    codes.RUNTIME: msg(
        "Vulnerabilities of the runtime itself{where} ({runtimes}): no package lists it."
    ),
    codes.UNFIXED_NOT_SEEN: msg("Vulnerabilities without a fix{where}: the advisories omit them."),
}
"""What the data cannot see, in the order in which it is said."""

_NAMED = 3
"""Images that a sentence names one by one; of more it says how many."""


def in_first(decision: Decision) -> Phrase:
    """Return what belongs to the first sentences: what decides besides the weights.

    Such as statements that declare findings harmless; and who is left out.
    """
    parts = [
        _DECIDING[each.code](decision, each) for each in decision.cautions if each.code in _DECIDING
    ]
    return listed(filter(None, [*parts, _left_out(decision)]), " ")


def _not_seen(decision: Decision) -> Text:
    """Return what the data cannot see of the candidates, a bullet each."""
    lines = []
    for code, form in _NOT_SEEN.items():
        for caution in (each for each in decision.cautions if each.code == code):
            types = (word(_LANGUAGES.get(kind, kind)) for kind in caution.values.get("types", ()))
            runtimes = dict.fromkeys(caution.values.get("runtimes", {}).values())
            line = say(
                form,
                where=_where(decision, caution),
                types=listed(types, last=AND),
                runtimes=listed((spelled(str(each)) for each in runtimes), last=AND),
            )
            lines.append(line)
    return bullets(lines, role=LOUD)


def _where(decision: Decision, caution: Caution) -> Phrase:
    """Return in which images something is, if not in all candidates."""
    able = decision.able["variant"]
    if set(able) <= set(caution.variants):
        return Phrase()
    return say(" in {variants}", variants=_names(caution.variants))


def _names(variants: Sequence[str]) -> Phrase:
    if len(variants) > _NAMED:
        return phrase(number(len(variants), "image"))
    return listed(map(name, variants), last=AND)


def _vex_decides(decision: Decision, caution: Caution) -> Phrase:
    """Return who declared how many harmless, and what the choice is without that."""
    without = caution.values["without"]
    form = msg("**VEX statements decide this:** {declared}. Without them the choice is {which}.")
    if not without:
        form = msg("**VEX statements decide this:** {declared}.")
    elif len(without) > 1:
        form = msg(
            "**VEX statements decide this:** {declared}. Without them {which} come out alike."
        )
    elif not caution.values["ships"]:
        form = msg(
            "**VEX statements decide this:** {declared}. Without them {which} comes first, but "
            "should not be shipped."
        )
    which = listed(map(name, without), last=AND)
    return say(form, declared=_declared(decision, caution), which=which)


def _declared(decision: Decision, caution: Caution) -> Phrase:
    """Return who declared how many harmless in which images."""
    counts = caution.values["counts"]
    each = cut(_counts(counts), _NAMED)
    by = [escape.short(author, 60) for author in caution.values["by"]] or [t("an unknown author")]
    what = decision.lens._replace(fixable=False).short
    return say(
        "{by} declared {what} harmless ({each})", by=listed(by), each=listed(each), what=what
    )


def _counts(counts: Mapping[str, int]) -> list[Phrase]:
    return [
        say("{count:,} in {variant}", count=count, variant=name(variant))
        for variant, count in counts.items()
    ]


def _exploited_declared(decision: Decision, caution: Caution) -> Phrase:
    each = [
        name(variant) + " (" + listed(map(str, ids)) + ")"
        for variant, ids in caution.values["ids"].items()
    ]
    return say("**Known to be exploited, and declared harmless:** {each}.", each=listed(each))


def _unfixed_serious(decision: Decision, caution: Caution) -> Phrase:
    counts = dict(caution.values["counts"])
    first = caution.variants[0]
    ours = counts.pop(first)
    if len(counts) > _NAMED:
        others = say(
            "{low:,} to {high:,} in {count} others",
            low=min(counts.values()),
            high=max(counts.values()),
            count=len(counts),
        )
    else:
        others = listed(_counts(counts))
    return say(
        "**Not weighed:** {first} has {ours:,} HIGH or CRITICAL without a fix, against {others}.",
        first=name(first),
        ours=ours,
        others=others,
    )


def _scanner_compromised(decision: Decision, caution: Caution) -> Phrase:
    return say(
        "**Scanned with a compromised release of Trivy**{where}: scan again before you decide.",
        where=_where(decision, caution),
    )


def _judged_by_vendor(decision: Decision, caution: Caution) -> Phrase:
    each = [
        say("{variant} by {party}", variant=name(variant), party=escape.plain(party))
        for variant, party in caution.values["parties"].items()
    ]
    return say(
        "**Not judged alike:** {each}, not by a distribution. A low count may be that vendor's "
        "judgement.",
        each=listed(cut(each, _NAMED)),
    )


_DECIDING: dict[str, Callable[[Decision, Caution], Phrase]] = {
    codes.SCANNER_COMPROMISED: _scanner_compromised,
    codes.JUDGED_BY_VENDOR: _judged_by_vendor,
    codes.VEX_DECIDES: _vex_decides,
    codes.EXPLOITED_DECLARED: _exploited_declared,
    codes.UNFIXED_SERIOUS: _unfixed_serious,
}


def _left_out(decision: Decision) -> Phrase:
    """Return who is no candidate and why, as a sentence."""
    out = decision.candidates[~decision.candidates["candidate"]]
    if out.empty:
        return Phrase()
    each = [name(row.variant) + f" ({word(row.why_not)})" for row in out.itertuples()]
    return say("Not a candidate: {variants}.", variants=listed(cut(each, _NAMED)))


def cautions(decision: Decision) -> Text:
    """Return what a reader of the recommendation must not overlook, as a list."""
    candidates, lens = decision.candidates, decision.lens
    able = candidates[candidates["candidate"]]
    label = lens._replace(fixable=False).label
    text = Text()
    if not candidates["status"].eq(NOT_SCANNED).all():
        text = _bullet(
            COUNTED,
            say(
                "Counted: {label}. HIGH and CRITICAL are the scanner's, whose source differs by "
                "distribution.",
                label=label,
            ),
        )
    text += _not_seen(decision)
    if candidates["partial"].any():
        text += _bullet(
            CAUTION,
            say(
                "The database is partial, so counts are too low, for some images more than for "
                "others."
            ),
        )
    if len(decision.best) == 1 and len(able) > 1:
        text += bullets(_ages(able, decision.best[0], lens), role=LOUD)
    declared = decision.caution(codes.DECLARED)
    if declared and not decision.caution(codes.VEX_DECIDES):
        line = say(
            "{declared}. Without these statements the choice is the same.",
            declared=_declared(decision, declared),
        )
        text += _bullet(LOUD, line)
    text += _exploitation(able, decision.weights, lens)
    text += _not_weighed(decision)
    return text + _bullet(
        CAUTION,
        say(
            "Not assessed: whether the running app reaches a vulnerability, and how it is "
            "configured."
        ),
    )


def younger_by(able: pd.DataFrame, first: str) -> dict[str, int]:
    """Return by how many days the first is younger than others, if that matters for fixes."""
    days = able.set_index("variant")["built_at"].dt.normalize()
    if pd.isna(days[first]):
        return {}
    apart = {str(other): (days[first] - day).days for other, day in days.dropna().items()}
    return {other: count for other, count in apart.items() if count > PATCH_DAYS}


def _bullet(role: str, line: Phrase) -> Text:
    return bullets([line], role=role)


def _exploitation(able: pd.DataFrame, weights: Mapping[str, float], lens: Lens) -> Text:
    """Return what is meant by exploited and by likely, where one of them is counted."""
    text = Text()
    if lens.exploited or able["exploited"].gt(0).any():
        text += _bullet(
            CAUTION,
            say(
                '"Known to be exploited" means listed in CISA\'s catalog: exploited somewhere, not '
                "in these images."
            ),
        )
    if not (lens.epss or weights.get(LIKELY)):
        return text
    line = say(
        "EPSS is the probability of exploitation anywhere within 30 days, not in these images."
    )
    if able["unscored"].gt(0).any():
        line += say(
            " Fixable but without a score, so not counted: {variants}.",
            variants=listed(
                name(row.variant) + f" {row.unscored:,}"
                for row in able.dropna(subset="unscored").itertuples()
            ),
        )
    return text + _bullet(CAUTION, line)


def _not_weighed(decision: Decision) -> Text:
    """Return what is not known of a candidate, or has no weight, as a list."""
    lens, kind = decision.lens, decision.kind
    text = bullets(
        (
            say(
                "The {criterion} of {variants} is unknown, so it is not compared.",
                criterion=named(each.values["criterion"], lens, kind),
                variants=listed(map(name, each.variants)),
            )
            for each in decision.cautions
            if each.code == codes.NOT_KNOWN
        ),
        role=LOUD,
    )
    if decision.weights.get("unfixed"):
        return text
    line = say("Not weighed: {criterion}.", criterion=named("unfixed", lens, kind))
    return text + _bullet(CAUTION, line)


def _ages(able: pd.DataFrame, first: str, lens: Lens) -> list[Phrase]:
    """Return how much younger the first is than others: fixes come with the day of a build."""
    days = able.set_index("variant")["built_at"].dt.normalize()
    if pd.isna(days[first]):
        return [
            say(
                "The age of {first} is unknown.",
                first=name(first),
            )
        ]
    parts = [
        say("{days} after {other}", days=number(count, "day"), other=name(other))
        for other, count in younger_by(able, first).items()
    ]
    lines = []
    if parts:
        lines.append(
            say(
                "**The images differ in age:** {first} was built {days}. The older ones may lack "
                "fixes only because of that: build all on one day to compare bases.",
                first=name(first),
                days=listed(parts),
            )
        )
    if lens.known_by and days[first] > pd.Timestamp(lens.known_by, tz="UTC"):
        lines.append(
            say(
                "{first} was built after {day}, so it may have fixes that older images could not "
                "have.",
                first=name(first),
                day=lens.known_by,
            )
        )
    return lines
