"""Questions about risk: which vulnerabilities matter first."""

from helpers.answers.answer import Answer
from helpers.notebook.question import asked, question
from helpers.notebook.subject import Subject
from helpers.risk import declared as declared_
from helpers.risk import epss_cvss, likelihood
from helpers.risk import limits as limits_
from helpers.risk import short_list as short_list_
from helpers.risk import unscored as unscored_
from helpers.vulnerabilities.lenses import LIKELY_FROM


class Risk(Subject):
    """Which vulnerabilities matter first?"""

    exploited = question("How many are known to be exploited, or likely to be?", likelihood.answer)
    exploited_in_brief = question(
        "How many are exploited, in one sentence?", likelihood.brief_answer
    )
    epss_and_cvss = question("Which are likely to be exploited?", epss_cvss.answer)
    short_list = question("Which should be looked at first, and why?", short_list_.answer)
    unscored = question("What has no score, and why?", unscored_.answer)
    declared = question("What was declared harmless, and by whom?", declared_.answer)
    statements = question(
        "What do VEX statements say, and what is their effect?", declared_.statements_answer
    )

    @asked()
    def limits(self, least: float = LIKELY_FROM) -> Answer:
        """What do scores and catalogs not show?"""
        of = self._of
        every = of._across._frames
        answer = limits_.answer(
            of.findings, of.images, every.findings, every.images, of.lens, least
        )
        return answer if of.others else of._of_many(answer)
