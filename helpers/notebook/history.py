"""Questions about history: how counts change over time, and why."""

from helpers.answers.answer import Answer
from helpers.changes import between
from helpers.history import broken_scans as broken_scans_
from helpers.history import count_over_time
from helpers.history import steps as steps_
from helpers.history import time_to_fix as time_to_fix_
from helpers.notebook.question import asked, question
from helpers.notebook.subject import Subject
from helpers.vulnerabilities import captures as captures_
from helpers.vulnerabilities import growth as growth_


class History(Subject):
    """How do counts change over time, and why?"""

    @asked("every")
    def captures(self) -> Answer:
        """How do counts differ between captures?"""
        every = self._of.every
        return self._of._of_many(captures_.answer(every.findings, every.images, every.lens))

    @asked("every")
    def fewest(self) -> Answer:
        """Which image has the fewest in each capture?"""
        every = self._of.every
        return self._of._of_many(captures_.fewest_answer(every.findings, every.images, every.lens))

    @asked("every")
    def changes(self, earlier: str = "", later: str = "") -> Answer:
        """What changed between two captures?"""
        return between.answer(*self._of._between(earlier, later))

    @asked()
    def growth(self) -> Answer:
        """How many vulnerabilities became known after each build?"""
        of = self._of
        events, complete = of.study.events, of.study.known_by
        return growth_.answer(of.findings, of.images, of.lens, events, complete)

    @asked("every")
    def counting_by_date(self, earlier: str = "", later: str = "") -> Answer:
        """How accurate is counting by publication date?"""
        return growth_.missed_answer(*self._of._between(earlier, later))

    undated = question("Which findings lack a date or a severity?", growth_.undated_answer)
    counts = question(
        "How did each image's count change over time?",
        count_over_time.answer,
        of="_history",
        shown="_over_time",
    )
    broken_scans = question(
        "Which scans look broken?", broken_scans_.answer, of="_history", shown="_over_time"
    )
    steps = question("Why did it change?", steps_.answer, of="_history", shown="_over_time")
    time_to_fix = question(
        "How long did fixes take?", time_to_fix_.answer, of="_history", shown="_over_time"
    )
