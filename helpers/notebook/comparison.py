"""The questions that notebooks ask about the compared images."""

from functools import cached_property

import pandas as pd

from helpers import clock
from helpers.answers.answer import Answer
from helpers.changes import between
from helpers.comparability import confounders
from helpers.frames import Frames
from helpers.history import broken_scans as broken_scans_
from helpers.history import count_over_time as count_over_time_
from helpers.history import steps as steps_
from helpers.history import time_to_fix as time_to_fix_
from helpers.history.history import History
from helpers.images import package_files
from helpers.notebook.compared_images import ComparedImages
from helpers.notebook.display import Setting
from helpers.notebook.question import asked, question
from helpers.notebook.verdict_inputs import VerdictInputs
from helpers.risk import declared, epss_cvss, likelihood, limits, short_list
from helpers.risk import unscored as unscored_
from helpers.sizes import file_groups, image_sizes, waterfall
from helpers.sizes import layer_sizes as layer_sizes_
from helpers.studies import contents, load
from helpers.studies import provenance as provenance_
from helpers.surface import app_process, dynamic_linking, exposure
from helpers.surface import attack_surface as attack_surface_
from helpers.surface import scan_coverage as scan_coverage_
from helpers.text.rich import paragraph
from helpers.verdict import attribution, ranking, sensitivity
from helpers.verdict import claims as claims_
from helpers.verdict import recommendation as recommendation_
from helpers.verdict import takeaways as takeaways_
from helpers.verdict import tradeoff as tradeoff_
from helpers.verdict import updates as updates_
from helpers.vulnerabilities import breakdowns, fixes, lens_evidence
from helpers.vulnerabilities import captures as captures_
from helpers.vulnerabilities import growth as growth_
from helpers.vulnerabilities import overlap as overlap_
from helpers.vulnerabilities import published as published_
from helpers.vulnerabilities import scanner_agreement as scanner_agreement_
from helpers.vulnerabilities import severity_scales as severity_scales_
from helpers.vulnerabilities.lenses import LIKELY_FROM


class Comparison(ComparedImages):
    """The images of a study's capture, and the questions of the notebooks as methods.

    The frames are `images`, `findings`, `packages`, `layers` and `files`. A method returns an
    answer, which shows itself and has its data: `.table`, `.chart`, `.figure(title=...)`.

    `capture` is a capture's name, `newest`, or empty for the default one. With `save_to`, answers
    write their files below that folder. `Comparison.from_reports` and `Comparison.from_frames` need
    no study. Raises `StudyInvalid` and `ParameterInvalid`.
    """

    _by_lens = ("_exposed", "_exposure", "_history", "_verdict")
    _by_weights = ("_verdict",)

    @property
    def _setting(self) -> Setting:
        """What answers about these images are shown with."""
        return Setting(
            self._shown[0],
            self.images,
            lambda: scan_coverage_.mark(self.coverage),
            self.language,
            self.look,
            self._folder,
            self._shown[1],
            lambda: lens_evidence.footer(self._frames.findings, self.images, self.lens),
            "" if self.others or self.has_study else self.study.name,
        )

    # 01: what evidence was captured, when and with what?

    about = question("What evidence does the study have?", contents.about_answer)
    sources = question("Where do the images come from?", contents.sources_answer)
    provenance = question("When and how was it captured?", provenance_.answer)
    evidence_parts = question("What evidence does each image have?", contents.parts_answer)
    identities = question("Which exact images are these?", contents.identities_answer)
    smoke_test = question("Does the app start in each image?", contents.smoke_test_answer)
    base_layers = question("Which layers come from the base image?", contents.base_layers_answer)
    evidence_in_brief = question(
        "How many images have each part of the evidence?", contents.held_answer
    )
    not_shown = question("What can the study's evidence not show?", contents.not_shown_answer)

    # 02: what did the scanner find in each image?

    scanned_images = question("Which images were scanned, and with what?", breakdowns.images_answer)
    like_with_like = question("Do the images differ in more than their base?", confounders.answer)
    published = question("Are the published numbers reproduced?", published_.answer)

    @asked("vulnerabilities")
    def lens_in_words(self) -> Answer:
        """What is counted?"""
        known_by, why = self.study.known_by, self.study.known_by_why
        return lens_evidence.answer(self.findings, self.images, self.lens, known_by, why)

    severity = question("How severe are the findings?", breakdowns.severity_answer)
    scan_coverage_in_brief = question(
        "How much of each image was scanned, in one line?", scan_coverage_.brief_answer
    )

    @asked("vulnerabilities")
    def lens_totals(self) -> Answer:
        """How many findings and vulnerabilities are there, all and fixable?"""
        share = self.coverage["known_share"]
        return breakdowns.lens_totals_answer(self.findings, self.images, self.lens, share)

    scan_coverage_by_image = question(
        "How much of each image is counted?", scan_coverage_.totals_answer
    )
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
    vulnerability_list = question("Which vulnerabilities are these?", overlap_.listing_answer)
    by_package = question("Which packages are vulnerable?", breakdowns.package_answer)
    scanner_agreement = question(
        "Do two scanners agree?",
        scanner_agreement_.answer,
        of="_both_scanners",
    )
    scanner_agreement_listing = question(
        "Which vulnerabilities did each scanner find?",
        scanner_agreement_.listing_answer,
        of="_both_scanners",
    )

    @asked("vulnerabilities")
    def fewest(self) -> Answer:
        """Which image has the fewest?"""
        answer = captures_.fewest_answer(self.findings, self.images, self.lens)
        return Answer("fewest", text=answer.text, counted=answer.counted)

    # 03: which image is larger, by how much, and where are the bytes?

    sizes = question("Which sizes are known?", image_sizes.kinds_answer)
    size_difference = question(
        "How much larger is one image than another?", image_sizes.difference_answer
    )
    size_groups = question("What takes the space?", file_groups.answer)
    size_parts = question("What is in each group?", file_groups.parts_answer)
    layer_sizes = question("What did each instruction add?", layer_sizes_.answer)
    instructions = question("Which instruction made which layer?", layer_sizes_.table_answer)
    size_steps = question("Where does the difference come from?", waterfall.answer)
    largest_packages = question("Which packages are the largest?", package_files.largest_answer)
    largest_files = question("Which files are the largest?", file_groups.largest_files_answer)
    size_limits = question("What does the size not show?", image_sizes.limits_answer)

    # 04: what does an attacker find in each image, and what does the scanner not see?

    attack_surface = question("What can an attacker use?", attack_surface_.answer)
    attack_surface_evidence = question("Where are these files?", attack_surface_.evidence_answer)
    attack_surface_limits = question(
        "What was not checked?",
        attack_surface_.limits_answer,
    )
    c_library = question(
        "Which C library do programs use?",
        dynamic_linking.libc_answer,
    )
    unloadable = question(
        "Which files lack a loader or a library?", dynamic_linking.unloadable_answer
    )
    scan_coverage = question(
        "How much was scanned?",
        scan_coverage_.answer,
    )
    not_looked_at = question(
        "Which executables and libraries were not scanned?", scan_coverage_.dark_answer
    )
    executables = question("Do more executables mean more vulnerabilities?", exposure.answer)
    executables_totals = question(
        "How many executables, libraries and vulnerabilities does each image have?",
        exposure.totals_answer,
    )
    vulnerable_packages = question(
        "Which packages are vulnerable, and what did they install?", exposure.packages_answer
    )
    findings_and_executables = question(
        "What did each affected package install, and does the app need it?",
        exposure.listing_answer,
    )
    slimmer = question("What would a slimmer image remove?", exposure.slimmer_answer)

    # 05: how do counts change over time, and why?

    @asked("history", shown="every")
    def captures(self) -> Answer:
        """How do counts differ between captures?"""
        every = self.every
        return self._of_many(captures_.answer(every.findings, every.images, self.lens))

    @asked("history", shown="every")
    def fewest_by_capture(self) -> Answer:
        """Which image has the fewest in each capture?"""
        every = self.every
        return self._of_many(captures_.fewest_answer(every.findings, every.images, self.lens))

    @asked("history", shown="every")
    def changes(self, earlier: str = "", later: str = "") -> Answer:
        """What changed between two captures?"""
        return between.answer(*self._between(earlier, later))

    @asked("history")
    def growth(self) -> Answer:
        """How many vulnerabilities became known after each build?"""
        events, complete = self.study.events, self.study.known_by
        return growth_.answer(self.findings, self.images, self.lens, events, complete)

    @asked("history", shown="every")
    def counting_by_date(self, earlier: str = "", later: str = "") -> Answer:
        """How accurate is counting by publication date?"""
        return growth_.missed_answer(*self._between(earlier, later))

    undated = question("Which findings lack a date or a severity?", growth_.undated_answer)
    count_over_time = question(
        "How did each image's count change over time?",
        count_over_time_.answer,
        of="_history",
        shown="_over_time",
    )
    broken_scans = question(
        "Which scans look broken?",
        broken_scans_.answer,
        of="_history",
        shown="_over_time",
    )
    steps = question(
        "Why did it change?",
        steps_.answer,
        of="_history",
        shown="_over_time",
    )
    time_to_fix = question(
        "How long did fixes take?",
        time_to_fix_.answer,
        of="_history",
        shown="_over_time",
    )

    # 06: which vulnerabilities matter first?

    exploitation = question(
        "How many are known to be exploited, or likely to be?",
        likelihood.answer,
    )
    exploitation_in_brief = question(
        "How many are exploited, in one sentence?", likelihood.brief_answer
    )
    epss_and_cvss = question("Which are likely to be exploited?", epss_cvss.answer)
    look_at_first = question("Which should be looked at first, and why?", short_list.answer)
    unscored = question("What has no score, and why?", unscored_.answer)
    declared_harmless = question("What was declared harmless, and by whom?", declared.answer)
    vex_statements = question(
        "What do VEX statements say, and what is their effect?",
        declared.statements_answer,
    )

    @asked("risk")
    def limits_of_scores(self, least: float = LIKELY_FROM) -> Answer:
        """What do scores and catalogs not show?"""
        every = self._across._frames
        answer = limits.answer(
            self.findings, self.images, every.findings, every.images, self.lens, least
        )
        return answer if self.others else self._of_many(answer)

    # 07: which image should be shipped, and which of the claims hold?

    @asked("verdict", shown="_across")
    def recommendation(self, size: str = "") -> Answer:
        """Which image should I ship?"""
        answer = recommendation_.answer(
            self._verdict.decision(size),
            self._verdict.by_other_captures(size),
            self._verdict.by_all_known(size),
            self._across.frames,
            self.published_numbers,
            clock.today(),
        )
        return answer if self.others else self._of_many(answer)

    @asked("verdict")
    def updates(self, size: str = "") -> Answer:
        """What should be updated now?"""
        today = clock.today()
        of_study = {each.name: each.base for each in self.study.variants if each.base}
        named = zip(self.images["variant"], self.images["base"], strict=True)
        images = self.images.assign(base=[of_study.get(variant, base) for variant, base in named])
        support = confounders.confounders(self.images, today)
        decision = self._verdict.decision(size)
        return updates_.answer(self.findings, images, self.packages, support, decision, today)

    @asked("verdict")
    def scores(self, size: str = "") -> Answer:
        """How many points does each image have?"""
        return ranking.scores_answer(self._verdict.decision(size).ranked)

    @asked("verdict")
    def other_weights(self, size: str = "") -> Answer:
        """Which weights would change the choice?"""
        return recommendation_.weights_answer(self._verdict.decision(size))

    @asked("verdict")
    def choices(self, size: str = "", beside: str = "") -> Answer:
        """What does the choice depend on?"""
        return self._of_many(sensitivity.answer(*self._verdict.choices(size, beside)))

    @asked("verdict")
    def tradeoff(self, size: str = "") -> Answer:
        """How do size and vulnerabilities trade off?"""
        found = self._verdict.decision(size)
        return tradeoff_.tradeoff_answer(found.candidates, self.lens, found.kind)

    @asked("verdict")
    def claims(self) -> Answer:
        """Do the claims hold?"""
        return claims_.answer(self._verdict.claims)

    @asked("verdict")
    def claims_in_short(self) -> Answer:
        """Which claim got which verdict, and why?"""
        return claims_.verdicts_answer(self._verdict.claims)

    @asked("verdict")
    def age_or_base(self) -> Answer:
        """How do two images differ, and is it age or base?"""
        return self._of_many(attribution.answer(self._verdict.differences))

    @asked("verdict")
    def age_or_base_beside(self, beside: str = "") -> Answer:
        """How do matched images differ?"""
        return attribution.beside_answer(self._verdict.ages(beside).matched)

    @asked("verdict", shown="_default")
    def age_or_base_lesson(self, beside: str = "") -> Answer:
        """What do matched images show?"""
        differences, day, matched, known_by = self._verdict.ages(beside)
        return attribution.lesson_answer(differences, day, matched, self.lens, known_by)

    @asked("verdict")
    def takeaways(self, size: str = "", beside: str = "") -> Answer:
        """What to remember, and what to do next?"""
        decision = self._verdict.decision(size)
        differing = confounders.unlike(confounders.confounders(self.images))
        differences, day, matched, _ = self._verdict.ages(beside)
        ages = attribution.compared(differences, day, matched)
        learned = takeaways_.takeaways(decision, differing, self._verdict.claims, ages)
        has_files = len(self.files) > 0
        steps = takeaways_.next_steps(decision, self.findings, differing, has_files, clock.today())
        return takeaways_.answer(learned, steps, decision)

    # Shared by several questions.

    @property
    def listing(self) -> pd.DataFrame:
        """The vulnerabilities that the lens counts, one a row, with the images they are in."""
        return overlap_.listing(self.findings, self.images, self.lens)

    @cached_property
    def _grouped_files(self) -> pd.DataFrame:
        return file_groups.grouped(self.files, self.layers, self.images)

    @cached_property
    def _both_scanners(self) -> Frames:
        if not self.has_study:
            return self.frames
        return load.load_study(self.study.name, self.capture, scanner="all")

    @cached_property
    def _sizes(self) -> pd.DataFrame:
        return image_sizes.table(self.images, self.published_numbers)

    @property
    def _preferred(self) -> str:
        return self.study.baseline

    @cached_property
    def _parts(self) -> pd.DataFrame:
        return file_groups.sizes(self._grouped_files, self.layers)

    @cached_property
    def _layer_sizes(self) -> pd.DataFrame:
        return layer_sizes_.layers(self.layers, self.files)

    @cached_property
    def _needed(self) -> pd.DataFrame:
        return app_process.needs(self._grouped_files, self.images, self.packages)

    @cached_property
    def _libcs(self) -> pd.DataFrame:
        return dynamic_linking.libc(self.files, self.images)

    @cached_property
    def _lacking(self) -> pd.DataFrame:
        return dynamic_linking.unloadable(self.files)

    @cached_property
    def _surface(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return attack_surface_.surface(
            self._grouped_files, self.images, self.packages, self._libcs, self._lacking
        )

    @property
    def _matrix(self) -> pd.DataFrame:
        return self._surface[0]

    @property
    def _evidence(self) -> pd.DataFrame:
        return self._surface[1]

    @cached_property
    def _exposed(self) -> pd.DataFrame:
        return exposure.counted(self.findings, self._needed, self.lens)

    @cached_property
    def _exposure(self) -> pd.DataFrame:
        return exposure.totals(self._exposed, self._needed, self.files, self.images)

    @cached_property
    def _history(self) -> History:
        return History(self.captures_of_study, self._read, self.lens)

    @property
    def _over_time(self) -> Setting:
        """The setting of answers about the whole series."""
        images = self._history.series.images
        return Setting(self.study.name, images, str, self.language, self.look, self._folder)

    @cached_property
    def _verdict(self) -> VerdictInputs:
        return VerdictInputs(self)

    @cached_property
    def _default(self) -> "Comparison":
        """The default capture (the post's day); later, advisories for an image may have ended."""
        return self.at("")

    def _of_many(self, answer: Answer) -> Answer:
        """Return an answer across captures, with a note if some represent many."""
        note = provenance_.some_of_many(self.landmarks, len(self.captures_of_study))
        return answer._replace(text=answer.text + paragraph(note)) if note else answer
