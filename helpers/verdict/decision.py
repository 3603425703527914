"""What the weights choose of the images of one capture: a plain result, before any word."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from helpers.comparability import confounders
from helpers.frames import NOT_SCANNED, Frames
from helpers.sizes import image_sizes
from helpers.text.i18n import Message
from helpers.verdict import cautions, ranking, tradeoff
from helpers.verdict.cautions import Caution
from helpers.verdict.tradeoff import CRITERIA, ENDED, EXPLOITED, LIKELY
from helpers.vulnerabilities.lenses import Lens

MEASURED = (EXPLOITED, LIKELY, "fixable", "serious", "unfixed", "size")
"""Criteria that are numbers of vulnerabilities, and the size."""

SHIP, UPDATE_FIRST, TIED, NOTHING = "ship", "update-first", "tie", "nothing"
"""What a decision says: ship one; ship it once what is exploited is updated; no choice between
several; nothing can be recommended."""

BLOCKED = PAST_SUPPORT, EXPLOITED_UNFIXED = "past-support", cautions.EXPLOITED_UNFIXED
"""What else it says: none is shipped as it is, and why the first is not."""

ONLY, SUPPORTED, WORSE = "only-candidate", "supported", "worse"
"""Reasons besides the criteria: no other candidate; no other is supported; it is worse in some."""

NO_SCANNER, NO_CANDIDATE, NO_WEIGHT, UNKNOWN, NOT_ALIKE, SCORES_NOT_ALIKE, TOO_MANY = (
    *("no-scanner", "no-candidate", "no-weight", "nothing-known"),
    *("not-scanned-alike", "scores-not-alike", "too-many"),
)
"""Reasons why nothing is recommended."""

MOST = 30
"""Images that are a choice; more are a fleet, of different apps or of one over time."""


class Reason(NamedTuple):
    """Why a decision is as it is: a code, or a criterion; `WORSE` has the criteria it is about."""

    code: str
    criteria: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What is weighed of the images of one capture, and how.

    `day` is that of the database, or of the scan if `by_scan`; empty if neither is known. `kind` is
    the kind of size that counts, `candidates` are those of `tradeoff` and `ranked` is
    `ranking.scores`. `evidence` are the cautions that follow from the frames, `counting_declared`
    is what is chosen if what is declared harmless counts, where some is, and `rebuild` is what one
    rebuild brings.
    """

    capture: str
    day: str
    by_scan: bool
    lens: Lens
    kind: str
    weights: Mapping[str, float]
    candidates: pd.DataFrame
    ranked: pd.DataFrame
    evidence: tuple[Caution, ...] = ()
    counting_declared: "Decision | None" = None
    rebuild: float = ranking.REBUILD

    @cached_property
    def code(self) -> str:
        """Return what the decision says: one of `SHIP` and those beside it, or of `BLOCKED`."""
        if not self.best:
            return NOTHING
        if len(self.best) > 1:
            return TIED
        if self.blocked:
            return self.blocked[0]
        return UPDATE_FIRST if self.able["known_exploited"][self.best[0]] else SHIP

    @cached_property
    def blocked(self) -> tuple[str, ...]:
        """Return why the first, if there is one, is not shipped as it is."""
        if len(self.best) != 1:
            return ()
        why = [] if self.ranked["supported"].iloc[0] else [PAST_SUPPORT]
        if self.able["no_fix_exploited"][self.best[0]]:
            why.append(EXPLOITED_UNFIXED)
        return tuple(why)

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """Return why the decision is as it is, the weightiest first."""
        if not self.best:
            return (Reason(self._why_nothing),)
        if len(self.best) > 1:
            return ()
        if len(self.ranked) == 1:
            return (Reason(ONLY),)
        first, rivals = self.able.loc[self.best[0]], self.rivals
        supported = self.ranked["supported"]
        pair = self.best[0], str(rivals.index[0])
        leads = ranking.leads(self.candidates, self.weights, *pair, self.rebuild)
        leads = {c: leads[c] for c in MEASURED if leads.get(c, 0) > ranking.NEGLIGIBLE}
        alone = supported.iloc[0] and not supported.iloc[1:].any()
        minds_support = any(self.weights.get(criterion) for criterion in ENDED)
        found = [Reason(SUPPORTED)] if alone and minds_support else []
        found += [Reason(c) for c in sorted(leads, key=lambda c: -leads[c])]
        beside = pd.DataFrame({"ours": first, "next": rivals.iloc[0]}).loc[list(self.used)].dropna()
        worse = tuple(c for c in MEASURED if c in beside.index and first[c] > rivals[c].iloc[0])
        return (*found, *([Reason(WORSE, worse)] if worse else []))

    @cached_property
    def cautions(self) -> tuple[Caution, ...]:
        """Return what a reader must know besides: what the data cannot see, and what decides."""
        found = [*self.evidence, *self._exploited(), *self._tie(), *self._unfixed_serious()]
        blind = self.able.index[self.able["blind"]]
        if len(blind):
            found.append(Caution(cautions.UNFIXED_NOT_SEEN, tuple(blind)))
        for criterion in CRITERIA:
            unknown = self.able.index[self.able[criterion].isna()]
            if self.weights.get(criterion) and len(unknown):
                about = {"criterion": criterion}
                found.append(Caution(cautions.NOT_KNOWN, tuple(unknown), about))
        without = self.counting_declared
        if without is not None and without.outcome != self.outcome:
            (declared,) = (each for each in self.evidence if each.code == cautions.DECLARED)
            values = {**declared.values, "without": tuple(without.best), "ships": without.ships}
            found.append(Caution(cautions.VEX_DECIDES, declared.variants, values))
        return tuple(found)

    def caution(self, code: str) -> Caution | None:
        """Return the first caution of a code, if there is one."""
        return next((each for each in self.cautions if each.code == code), None)

    @cached_property
    def able(self) -> pd.DataFrame:
        """Return the candidates, by variant."""
        able = self.candidates[self.candidates["candidate"]]
        return able.set_index("variant", drop=False)

    @cached_property
    def _why_nothing(self) -> str:
        if self.ranked.empty:
            has_none = self.candidates["status"].eq(NOT_SCANNED).any()
            return NO_SCANNER if has_none else NO_CANDIDATE
        if len(self.candidates) > MOST:
            return TOO_MANY
        if not any(self.weights.values()):
            return NO_WEIGHT
        if not self.used:
            return UNKNOWN
        return SCORES_NOT_ALIKE if self.lens.epss else NOT_ALIKE

    def _exploited(self) -> list[Caution]:
        """Return which candidates have what is known to be exploited, without and with a fix."""
        unfixed, fixable = {}, {}
        for row in self.able.itertuples():
            bare = _parts(row.no_fix_exploited)
            rest = tuple(each for each in _parts(row.known_exploited) if each not in bare)
            if bare:
                unfixed[row.variant] = bare
            if rest:
                fixable[row.variant] = rest
        codes = (cautions.EXPLOITED_UNFIXED, unfixed), (cautions.EXPLOITED_FIXABLE, fixable)
        return [Caution(code, tuple(ids), {"ids": ids}) for code, ids in codes if ids]

    def _tie(self) -> list[Caution]:
        """Return in what the best differ by less than one rebuild brings."""
        if len(self.best) < 2:
            return []
        tied = self.able.loc[self.best]
        values = {
            criterion: tuple(tied[criterion].dropna())
            for criterion in MEASURED
            if criterion in self.used and tied[criterion].dropna().nunique() > 1
        }
        return [Caution(cautions.TIE, tuple(self.best), {"values": values})]

    def _unfixed_serious(self) -> list[Caution]:
        """Return that the choice has more HIGH and CRITICAL ones without a fix than others have."""
        if len(self.best) != 1 or self.weights.get("unfixed"):
            return []
        known, first = self.able["unfixed_serious"].dropna(), self.best[0]
        if first not in known.index:
            return []
        fewer = {
            str(other): int(count)
            for other, count in known.items()
            if count < known[first]
            and not ranking.alike(known[first], count, "unfixed", self.rebuild)
        }
        if not fewer:
            return []
        counts = {first: int(known[first]), **fewer}
        return [Caution(cautions.UNFIXED_SERIOUS, (first,), {"counts": counts})]

    @cached_property
    def used(self) -> list[str]:
        """Return the criteria that count."""
        return ranking.weighed(self.candidates, self.weights)

    @cached_property
    def can_choose(self) -> bool:
        """Return whether anything is weighed, of not too many images that were scanned alike."""
        is_choice = bool(self.used) and len(self.candidates) <= MOST
        return is_choice and not self.candidates["mixed"].any()

    @cached_property
    def best(self) -> list[str]:
        """Return the variants that come first: several on a tie, none without a choice."""
        if not self.can_choose:
            return []
        return ranking.best(self.candidates, self.weights, self.rebuild)

    @cached_property
    def ships(self) -> bool:
        """Return whether one comes first, and nothing is known that forbids to ship it."""
        return len(self.best) == 1 and not self.blocked

    @cached_property
    def outcome(self) -> tuple[tuple[str, ...], bool]:
        """Return what two decisions have alike that choose the same."""
        return tuple(self.best), self.ships

    @cached_property
    def rivals(self) -> pd.DataFrame:
        """Return the candidates that the first is compared with, the best first.

        Those that are supported if it is, unless there are none.
        """
        if self.ranked.empty:
            return self.candidates.iloc[:0]
        others = self.ranked[~self.ranked["variant"].isin(self.best[:1])]
        alike = others[others["supported"].eq(self.ranked["supported"].iloc[0])]
        order = alike if len(alike) else others
        return self.candidates.set_index("variant", drop=False).loc[order["variant"]]


def decide(
    frames: Frames,
    published: pd.DataFrame,
    size: str,
    lens: Lens,
    weights: Mapping[str, float],
    today: date | None = None,
    rebuild: float = ranking.REBUILD,
) -> Decision:
    """Return what is chosen of the images of one capture.

    `size` is the wanted kind, empty the first that all have. Support is judged by `today`, if that
    is given, else by the day of the evidence. `rebuild` is what one rebuild brings, as
    `ranking.REBUILD`. Raises `ParameterInvalid` for an unknown size.
    """
    images = frames.images
    sizes = image_sizes.table(images, published)
    kind = image_sizes.known_size(sizes, size)
    support = confounders.confounders(images, today)
    table = tradeoff.candidates(frames.findings, images, sizes, support, kind, lens)
    evidence, without = cautions.of_frames(frames, lens), None
    if any(each.code == cautions.DECLARED for each in evidence):
        every = lens._replace(suppressed=True)
        without = decide(frames, published, size, every, weights, today, rebuild)
    databases, scans = images["db_updated_at"].dropna(), images["scanned_at"].dropna()
    days = databases if len(databases) else scans
    return Decision(
        str(images["capture"].iloc[0]) if len(images) else "",
        f"{days.max():%Y-%m-%d}" if len(days) else "",
        not len(databases),
        lens,
        kind,
        weights,
        table,
        ranking.scores(table, weights, rebuild),
        evidence,
        without,
        rebuild,
    )


def decisive(decision: Decision) -> str:
    """Return the criterion of `MEASURED` that leads the reasons; empty if none does."""
    return next((each.code for each in decision.reasons if each.code in MEASURED), "")


def _parts(listed: Any) -> tuple[Any, ...]:
    """Return the parts of a `Listing`; a plain text is one."""
    if isinstance(listed, Message):
        return tuple(listed.values.values())
    return (listed,) if listed else ()
