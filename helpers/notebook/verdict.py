"""Questions about the verdict: which image to ship, and which claims hold."""

from helpers import clock
from helpers.answers.answer import Answer
from helpers.comparability import confounders
from helpers.notebook.question import asked
from helpers.notebook.subject import Subject
from helpers.verdict import attribution, ranking, sensitivity
from helpers.verdict import claims as claims_
from helpers.verdict import recommendation as recommendation_
from helpers.verdict import takeaways as takeaways_
from helpers.verdict import tradeoff as tradeoff_
from helpers.verdict import updates as updates_


class Verdict(Subject):
    """Which image should be shipped, and which of the claims hold?"""

    @asked("_across")
    def recommendation(self, size: str = "") -> Answer:
        """Which image should I ship?"""
        of = self._of
        answer = recommendation_.answer(
            of._verdict.decision(size),
            of._verdict.by_other_captures(size),
            of._verdict.by_all_known(size),
            of._across.frames,
            of.published_numbers,
            clock.today(),
        )
        return answer if of.others else of._of_many(answer)

    @asked()
    def updates(self, size: str = "") -> Answer:
        """What should be updated now?"""
        of, today = self._of, clock.today()
        of_study = {each.name: each.base for each in of.study.variants if each.base}
        named = zip(of.images["variant"], of.images["base"], strict=True)
        images = of.images.assign(base=[of_study.get(variant, base) for variant, base in named])
        support = confounders.confounders(of.images, today)
        decision = of._verdict.decision(size)
        return updates_.answer(of.findings, images, of.packages, support, decision, today)

    @asked()
    def scores(self, size: str = "") -> Answer:
        """How many points does each image have?"""
        return ranking.scores_answer(self._of._verdict.decision(size).ranked)

    @asked()
    def other_weights(self, size: str = "") -> Answer:
        """Which weights would change the choice?"""
        return recommendation_.weights_answer(self._of._verdict.decision(size))

    @asked()
    def choices(self, size: str = "", beside: str = "") -> Answer:
        """What does the choice depend on?"""
        return self._of._of_many(sensitivity.answer(*self._of._verdict.choices(size, beside)))

    @asked()
    def tradeoff(self, size: str = "") -> Answer:
        """How do size and vulnerabilities trade off?"""
        found = self._of._verdict.decision(size)
        return tradeoff_.tradeoff_answer(found.candidates, self._of.lens, found.kind)

    @asked()
    def claims(self) -> Answer:
        """Do the claims hold?"""
        return claims_.answer(self._of._verdict.claims)

    @asked()
    def claims_in_short(self) -> Answer:
        """Which claim got which verdict, and why?"""
        return claims_.verdicts_answer(self._of._verdict.claims)

    @asked()
    def age_or_base(self) -> Answer:
        """How do two images differ, and is it age or base?"""
        return self._of._of_many(attribution.answer(self._of._verdict.differences))

    @asked()
    def matched(self, beside: str = "") -> Answer:
        """How do matched images differ?"""
        return attribution.beside_answer(self._of._verdict.ages(beside).matched)

    @asked("_default")
    def matched_in_brief(self, beside: str = "") -> Answer:
        """What do matched images show?"""
        differences, day, matched, known_by = self._of._verdict.ages(beside)
        return attribution.lesson_answer(differences, day, matched, self._of.lens, known_by)

    @asked()
    def takeaways(self, size: str = "", beside: str = "") -> Answer:
        """What to remember, and what to do next?"""
        of, verdict = self._of, self._of._verdict
        decision = verdict.decision(size)
        differing = confounders.unlike(confounders.confounders(of.images))
        differences, day, matched, _ = verdict.ages(beside)
        ages = attribution.compared(differences, day, matched)
        learned = takeaways_.takeaways(decision, differing, verdict.claims, ages)
        has_files = len(of.files) > 0
        steps = takeaways_.next_steps(decision, of.findings, differing, has_files, clock.today())
        return takeaways_.answer(learned, steps, decision)
