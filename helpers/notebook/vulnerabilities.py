"""Questions about vulnerabilities: what the scanner found in each image."""

from helpers.answers.answer import Answer
from helpers.notebook.question import asked, question
from helpers.notebook.subject import Subject
from helpers.vulnerabilities import breakdowns, captures, fixes, lens_evidence
from helpers.vulnerabilities import headline as headline_
from helpers.vulnerabilities import overlap as overlap_
from helpers.vulnerabilities import published as published_
from helpers.vulnerabilities import scanner_agreement as scanner_agreement_
from helpers.vulnerabilities import severity_scales as severity_scales_


class Vulnerabilities(Subject):
    """What did the scanner find in each image?"""

    images = question("Which images were scanned, and with what?", breakdowns.images_answer)
    published = question("Are the published numbers reproduced?", published_.answer)

    @asked()
    def headline(self) -> Answer:
        """What does the headline hide?"""
        of = self._of
        captures = of.captures_of_study
        last = of._read(captures[-1:]) if captures and captures[-1] != of.capture else None
        return headline_.answer(of.findings, of.images, of.published_numbers, last)

    @asked()
    def counted(self) -> Answer:
        """What is counted?"""
        of = self._of
        known_by, why = of.study.known_by, of.study.known_by_why
        return lens_evidence.answer(of.findings, of.images, of.lens, known_by, why)

    severity = question("How severe are the findings?", breakdowns.severity_answer)

    @asked()
    def totals(self) -> Answer:
        """How many findings and vulnerabilities are there, all and fixable?"""
        of = self._of
        share = of.coverage["known_share"]
        return breakdowns.lens_totals_answer(of.findings, of.images, of.lens, share)

    fixable = question("What has a fix?", fixes.answer)
    severity_sources = question("Who rated the severities?", severity_scales_.sources_answer)
    severity_crosstab = question(
        "How do the scanner's severities differ from NVD's?", severity_scales_.crosstab_answer
    )
    severity_scales = question(
        "What if another source rates the severities?", severity_scales_.answer
    )
    places = question("Do vulnerable packages come from the base or the app?", fixes.places_answer)
    overlap = question("Which vulnerabilities do the images share?", overlap_.answer)
    listing = question("Which vulnerabilities are these?", overlap_.listing_answer)
    by_package = question("Which packages are vulnerable?", breakdowns.package_answer)
    scanner_agreement = question(
        "Do two scanners agree?", scanner_agreement_.answer, of="_both_scanners"
    )
    scanner_agreement_listing = question(
        "Which vulnerabilities did each scanner find?",
        scanner_agreement_.listing_answer,
        of="_both_scanners",
    )

    @asked()
    def fewest(self) -> Answer:
        """Which image has the fewest?"""
        of = self._of
        answer = captures.fewest_answer(of.findings, of.images, of.lens)
        return Answer("fewest", text=answer.text, counted=answer.counted)
