"""The questions that notebooks ask of the images that are compared."""

from functools import cached_property

import pandas as pd

from helpers import clock
from helpers.answers.answer import Answer
from helpers.changes import between
from helpers.comparability import confounders
from helpers.frames import Frames
from helpers.history import broken_scans, count_over_time, steps, time_to_fix
from helpers.history.history import History
from helpers.notebook.compared_images import ComparedImages
from helpers.notebook.display import Setting
from helpers.notebook.question import question, questions
from helpers.notebook.verdict import Verdict
from helpers.risk import declared, epss_cvss, likelihood, limits, short_list, unscored
from helpers.sizes import file_groups, image_sizes, layer_sizes, waterfall
from helpers.studies import contents, load, package_files, provenance
from helpers.surface import (
    app_process,
    attack_surface,
    dynamic_linking,
    exposure,
    scan_coverage,
)
from helpers.text.rich import paragraph
from helpers.verdict import (
    attribution,
    claims,
    ranking,
    recommendation,
    sensitivity,
    takeaways,
    tradeoff,
)
from helpers.vulnerabilities import (
    captures,
    counting,
    fixes,
    growth,
    lens_evidence,
    overlap,
    published,
    scanner_agreement,
    severity_scales,
)
from helpers.vulnerabilities.lenses import LIKELY_FROM


class Comparison(ComparedImages):
    """The images of a study's capture, and the questions of the notebooks as methods.

    The frames are `images`, `findings`, `packages`, `layers` and `files`. A method returns an
    answer, which shows itself and goes on as data: `.table`, `.chart`, `.figure(title=...)`.

    `capture` is a capture's name, `newest`, or empty for the default one. With `save_to`, each
    answer leaves its files below that folder. `source="live"` captures the study anew first,
    with Docker and Trivy, offline against the vulnerability DB in the folder `db` if one is named.
    Raises `StudyInvalid` and `ParameterInvalid`.
    """

    _by_lens = ("_history", "_verdict")
    _by_weights = ("_verdict",)

    def _repr_html_(self) -> str:
        return questions(self)

    @property
    def _setting(self) -> Setting:
        """What answers about these images are shown with."""
        return Setting(
            self._shown[0],
            self.images,
            lambda: scan_coverage.mark(self.coverage),
            self.language,
            self.look,
            self._folder,
            self._shown[1],
            lambda: lens_evidence.footer(self._frames.findings, self.images, self.lens),
        )

    @cached_property
    def _grouped(self) -> pd.DataFrame:
        return file_groups.grouped(self.files, self.layers, self.images)

    # 01: what was captured of each image, when, and with what?

    @question()
    def about(self) -> Answer:
        """What is the study's evidence?"""
        return contents.about_answer(self.study)

    @question()
    def sources(self) -> Answer:
        """Which images, and where do they come from?"""
        return contents.sources_answer(self.study, self._facts, self.images)

    @question()
    def provenance(self) -> Answer:
        """When was the capture made, and with what?"""
        return provenance.answer(self.study, self._facts)

    @question()
    def evidence_parts(self) -> Answer:
        """What does the evidence hold of each image?"""
        return contents.parts_answer(self.study, self._facts)

    @question()
    def identities(self) -> Answer:
        """What are the images?"""
        return contents.identities_answer(self.images)

    @question()
    def smoke_test(self) -> Answer:
        """Do they work?"""
        return contents.smoke_test_answer(self.images)

    @question()
    def base_layers(self) -> Answer:
        """Which layers are the base image's?"""
        return contents.base_layers_answer(self.layers, self.images)

    @question()
    def evidence_in_brief(self) -> Answer:
        """Of how many images is there each part of the evidence?"""
        return contents.held_answer(self.study, self._facts)

    @question()
    def not_shown(self) -> Answer:
        """What can the study's evidence not show?"""
        return contents.not_shown_answer(self.study)

    # 02: what does the scanner find in each image, and what do its totals hide?

    @question()
    def scanned_images(self) -> Answer:
        """Which images were scanned, and with what?"""
        return counting.images_answer(self.images)

    @question()
    def like_with_like(self) -> Answer:
        """Do the images differ in more than their base?"""
        return confounders.answer(self.images)

    @question()
    def published(self) -> Answer:
        """Do the published numbers come out?"""
        return published.answer(self.findings, self.images, self.published_numbers)

    @question()
    def lens_in_words(self) -> Answer:
        """What is counted from here on?"""
        known_by, why = self.study.known_by, self.study.known_by_why
        return lens_evidence.answer(self.findings, self.images, self.lens, known_by, why)

    @question()
    def severity(self) -> Answer:
        """How severe is what was found?"""
        return counting.severity_answer(self.findings, self.images, self.lens)

    @question()
    def scan_coverage_in_brief(self) -> Answer:
        """How much of each image did the scanner look at, in one line?"""
        runtimes = scan_coverage.runtimes_counted(self.images, self.packages)
        return scan_coverage.brief_answer(self.coverage, runtimes)

    @question()
    def lens_totals(self) -> Answer:
        """How often is it counted: findings, vulnerabilities, all or fixable?"""
        share = self.coverage["known_share"]
        return counting.lens_totals_answer(self.findings, self.images, self.lens, share)

    @question()
    def scan_coverage_by_image(self) -> Answer:
        """How much of each image is counted?"""
        return scan_coverage.totals_answer(self.coverage, self.images, self.packages)

    @question()
    def fixable(self) -> Answer:
        """What would a newer package fix, and where can nothing else be seen?"""
        return fixes.answer(self.findings, self.images, self.lens)

    @question()
    def severity_sources(self) -> Answer:
        """Whose severities are these?"""
        return severity_scales.sources_answer(self.findings, self.lens)

    @question()
    def severity_crosstab(self) -> Answer:
        """Which severity of the scanner's is which of NVD's?"""
        return severity_scales.crosstab_answer(self.findings, self.lens)

    @question()
    def severity_scales(self) -> Answer:
        """What would another scale say?"""
        return severity_scales.answer(self.findings, self.images, self.lens)

    @question()
    def places(self) -> Answer:
        """Where do the packages sit, and did they come with the base image?"""
        return fixes.places_answer(self.findings, self.images, self.lens)

    @question()
    def overlap(self) -> Answer:
        """Which vulnerabilities are in one image only, and which in several?"""
        return overlap.answer(self.findings, self.images, self.lens)

    @property
    def listing(self) -> pd.DataFrame:
        """The vulnerabilities that the lens counts, one a row, with the images they are in."""
        return overlap.listing(self.findings, self.images, self.lens)

    @question()
    def vulnerability_list(self) -> Answer:
        """Which vulnerabilities are these, one a row?"""
        return overlap.listing_answer(self.findings, self.images, self.lens)

    @question()
    def by_package(self) -> Answer:
        """Which packages bring them?"""
        return counting.package_answer(self.findings, self.images, self.lens)

    @cached_property
    def _both_scanners(self) -> Frames:
        return load.load_study(self.study.name, self.capture, scanner="all")

    @question()
    def scanner_agreement(self) -> Answer:
        """What does another scanner say of the same images?"""
        both = self._both_scanners
        return scanner_agreement.answer(both.findings, both.images)

    @question()
    def scanner_agreement_listing(self) -> Answer:
        """Which vulnerabilities did each scanner find?"""
        both = self._both_scanners
        return scanner_agreement.listing_answer(both.findings, both.images)

    @question()
    def fewest(self) -> Answer:
        """Which image has the fewest, by which way of counting?"""
        answer = captures.fewest_answer(self.findings, self.images, self.lens)
        return Answer("fewest", text=answer.text, counted=answer.counted)

    # 03: which image is larger, by how much, and where are the bytes?

    @cached_property
    def _sizes(self) -> pd.DataFrame:
        return image_sizes.table(self.images, self.published_numbers)

    @cached_property
    def _parts(self) -> pd.DataFrame:
        return file_groups.sizes(self._grouped, self.layers)

    @cached_property
    def _layer_sizes(self) -> pd.DataFrame:
        return layer_sizes.layers(self.layers, self.files)

    def _baseline(self, size: str, baseline: str) -> str:
        return image_sizes.known_baseline(self._sizes, size, baseline, self.study.baseline)

    @question()
    def sizes(self) -> Answer:
        """Which sizes are known?"""
        return image_sizes.kinds_answer(self._sizes)

    @question()
    def size_difference(self, size: str = "", baseline: str = "") -> Answer:
        """How far apart are they?"""
        kind = image_sizes.known_size(self._sizes, size)
        return image_sizes.difference_answer(self._sizes, kind, self._baseline(kind, baseline))

    @question()
    def size_groups(self) -> Answer:
        """What are the bytes?"""
        return file_groups.answer(self._parts, self.images)

    @question()
    def size_parts(self) -> Answer:
        """What is each group of bytes made of?"""
        return file_groups.parts_answer(self._parts)

    @question()
    def layer_sizes(self) -> Answer:
        """What did each instruction add, and what do later ones hide?"""
        return layer_sizes.answer(self._layer_sizes)

    @question()
    def instructions(self) -> Answer:
        """Which instruction made which layer?"""
        return layer_sizes.table_answer(self._layer_sizes)

    @question()
    def size_steps(self, size: str = "", baseline: str = "", against: str = "") -> Answer:
        """Where does the difference come from?"""
        kind = image_sizes.known_size(self._sizes, size)
        apart = image_sizes.differences(self._sizes, kind, self._baseline(kind, baseline))
        first = waterfall.start(self._parts, apart)
        second = waterfall.farthest(self._parts, self.images, first, against)
        answer = waterfall.answer(waterfall.steps(self._parts, first, second))
        return answer._replace(variants=(first, second))

    @question()
    def largest_packages(self) -> Answer:
        """Which packages are the largest?"""
        return package_files.largest_answer(self.packages, self.files, self.images)

    @question()
    def largest_files(self) -> Answer:
        """Which files are the largest?"""
        return file_groups.largest_files_answer(self._grouped)

    @question()
    def size_limits(self, size: str = "") -> Answer:
        """What does the compared size not say?"""
        return image_sizes.limits_answer(self._sizes, image_sizes.known_size(self._sizes, size))

    # 04: what does an attacker find in each image, and what does the scanner not see?

    @cached_property
    def _surface(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return attack_surface.surface(self._grouped, self.images, self.packages)

    @cached_property
    def _unloadable(self) -> pd.DataFrame:
        return dynamic_linking.unloadable(self.files)

    @cached_property
    def _needs(self) -> pd.DataFrame:
        return app_process.needs(self._grouped, self.images, self.packages)

    def _exposure(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return what is counted with what its package installed, and the totals of each image."""
        counted = exposure.counted(self.findings, self._needs, self.lens)
        return counted, exposure.totals(counted, self._needs, self.files, self.images)

    @question()
    def attack_surface(self) -> Answer:
        """What is there?"""
        return attack_surface.answer(*self._surface, self.coverage)

    @question()
    def attack_surface_evidence(self) -> Answer:
        """Where is each of these?"""
        return attack_surface.evidence_answer(*self._surface)

    @question()
    def attack_surface_limits(self) -> Answer:
        """Which properties were measured, and what was not looked at?"""
        return attack_surface.limits_answer(self._surface[0])

    @question()
    def c_library(self) -> Answer:
        """Which C library is it, and is everything there that programs ask for?"""
        libraries = dynamic_linking.libc(self.files, self.images)
        return dynamic_linking.libc_answer(libraries, self._unloadable)

    @question()
    def unloadable(self) -> Answer:
        """Which files ask for what is not there?"""
        return dynamic_linking.unloadable_answer(self._unloadable, self.files)

    @question()
    def scan_coverage(self) -> Answer:
        """How much of the executables and libraries did the scanner look at?"""
        return scan_coverage.answer(self.coverage, self.images, self.packages)

    @question()
    def not_looked_at(self) -> Answer:
        """Which executables and libraries did the scanner not look at?"""
        return scan_coverage.dark_answer(self.files, self.packages)

    @question()
    def executables(self) -> Answer:
        """Do executables bring vulnerabilities along?"""
        counted, totals = self._exposure()
        return exposure.answer(totals, counted, self.lens)

    @question()
    def executables_totals(self) -> Answer:
        """How many executables, libraries and vulnerabilities does each image have?"""
        return exposure.totals_answer(self._exposure()[1], self.lens)

    @question()
    def vulnerable_packages(self) -> Answer:
        """Which packages are vulnerable, and what did they install?"""
        return exposure.packages_answer(self._exposure()[0], self.lens)

    @question()
    def findings_and_executables(self) -> Answer:
        """What did the package of each finding install, and does the app need it?"""
        return exposure.listing_answer(self.findings, self._needs, self.lens)

    @question()
    def slimmer(self) -> Answer:
        """What would be left of them in a slimmer image?"""
        return exposure.slimmer_answer(self._exposure()[1], self.lens)

    # 05: what do the same images show on other days?

    def _of_many(self, answer: Answer) -> Answer:
        """Return an answer across captures, which says so if some stand for many."""
        note = provenance.some_of_many(self.landmarks, len(self.captures_of_study))
        return answer._replace(text=answer.text + paragraph(note)) if note else answer

    @question(across="every")
    def captures(self) -> Answer:
        """What do the same images show on another day?"""
        every = self.every
        return self._of_many(captures.answer(every.findings, every.images, self.lens))

    @question(across="every")
    def fewest_by_capture(self) -> Answer:
        """Which image has the fewest, on which day and by which way of counting?"""
        every = self.every
        return self._of_many(captures.fewest_answer(every.findings, every.images, self.lens))

    @question(across="every")
    def changes(self, earlier: str = "", later: str = "") -> Answer:
        """What changed between two captures, and why?"""
        return between.answer(*self._between(earlier, later))

    @question()
    def growth(self) -> Answer:
        """How did the number of known vulnerabilities grow since each image was built?"""
        events, complete = self.study.events, self.study.known_by
        return growth.answer(self.findings, self.images, self.lens, events, complete)

    @question(across="every")
    def counting_by_date(self, earlier: str = "", later: str = "") -> Answer:
        """How good is counting by date?"""
        return growth.missed_answer(*self._between(earlier, later))

    @question()
    def undated(self) -> Answer:
        """Which findings have no date or no severity?"""
        return growth.undated_answer(self.findings)

    @cached_property
    def _history(self) -> History:
        return History(self.captures_of_study, self._read, self.lens)

    @property
    def _over_time(self) -> Setting:
        """What answers about the whole series are shown with: what it has of each image."""
        images = self._history.series.images
        return Setting(self.study.name, images, str, self.language, self.look, self._folder)

    @question(across="_over_time")
    def count_over_time(self) -> Answer:
        """How did the count of each image go over all captures?"""
        return count_over_time.answer(self._history.scans, self._history.steps.pairs, self.lens)

    @question(across="_over_time")
    def broken_scans(self) -> Answer:
        """Which scans are more likely broken than good news?"""
        return broken_scans.answer(self._history.scans, self._history.series.images)

    @question(across="_over_time")
    def steps(self) -> Answer:
        """What is each step from one capture to the next due to?"""
        return steps.answer(self._history.steps)

    @question(across="_over_time")
    def time_to_fix(self) -> Answer:
        """How long did fixable vulnerabilities stay in each image after their fix was out?"""
        variants = self._history.sound["variant"].unique()
        captures = self._history.sound["capture"].nunique()
        return time_to_fix.answer(self._history.stays, [*variants], captures)

    # 06: which of the vulnerabilities matter?

    @question()
    def exploitation(self, least: float = LIKELY_FROM) -> Answer:
        """How many are known to be exploited, since when, and how many are likely to be?"""
        return likelihood.answer(self.findings, self.images, self.lens, least)

    @question()
    def exploitation_in_brief(self, least: float = LIKELY_FROM) -> Answer:
        """The same in one sentence?"""
        return likelihood.brief_answer(self.findings, self.images, self.lens, least)

    @question()
    def epss_and_cvss(self, least: float = LIKELY_FROM) -> Answer:
        """Which are likely to be exploited, and how bad would that be?"""
        return epss_cvss.answer(self.findings, self.images, self.lens, least)

    @question()
    def look_at_first(self, least: float = LIKELY_FROM, most: int = short_list.FIRST) -> Answer:
        """Which should be looked at first, and why?"""
        return short_list.answer(self.findings, self.images, self._needs, self.lens, least, most)

    @question()
    def unscored(self) -> Answer:
        """What has no score, and why?"""
        return unscored.answer(self.findings, self.images, self.lens)

    @question()
    def declared_harmless(self) -> Answer:
        """What was declared harmless, by whom?"""
        return declared.answer(self.findings, self.images, self.statements, self.lens)

    @question()
    def vex_statements(self) -> Answer:
        """What do VEX documents state of what was found, and what does each statement do?"""
        return declared.statements_answer(self.statements, self.findings)

    @question()
    def limits_of_scores(self, least: float = LIKELY_FROM) -> Answer:
        """What do scores and catalogs not say, and where do they mislead?"""
        every = self._across._frames
        answer = limits.answer(
            self.findings, self.images, every.findings, every.images, self.lens, least
        )
        return answer if self.others else self._of_many(answer)

    # 07: which image should be shipped, and which of the claims hold?

    @cached_property
    def _verdict(self) -> Verdict:
        return Verdict(self)

    @question(across="_across")
    def recommendation(self, size: str = "") -> Answer:
        """Which one should be shipped, today and by other captures?"""
        answer = recommendation.answer(
            self._verdict.decision(size),
            self._verdict.by_other_captures(size),
            self._verdict.by_all_known(size),
            self._across.frames,
            self.published_numbers,
            clock.today(),
        )
        return answer if self.others else self._of_many(answer)

    @question()
    def scores(self, size: str = "") -> Answer:
        """How many points do the weights give each image?"""
        return ranking.scores_answer(self._verdict.decision(size).ranked)

    @question()
    def other_weights(self, size: str = "") -> Answer:
        """At which weights would another image be chosen?"""
        return recommendation.weights_answer(self._verdict.decision(size))

    @question()
    def choices(self, size: str = "", beside: str = "") -> Answer:
        """What does the choice depend on?"""
        return self._of_many(sensitivity.answer(*self._verdict.choices(size, beside)))

    @question()
    def tradeoff(self, size: str = "") -> Answer:
        """How do size and vulnerabilities trade off?"""
        found = self._verdict.decision(size)
        return tradeoff.tradeoff_answer(found.candidates, self.lens, found.kind)

    @question()
    def claims(self) -> Answer:
        """What does the evidence say of each claim?"""
        return claims.answer(self._verdict.claims)

    @question()
    def claims_in_short(self) -> Answer:
        """Which claim got which verdict, and why?"""
        return claims.verdicts_answer(self._verdict.claims)

    @question()
    def age_or_base(self) -> Answer:
        """How far are two images apart, and is it age or base?"""
        return self._of_many(attribution.answer(self._verdict.differences))

    @question()
    def age_or_base_beside(self, beside: str = "") -> Answer:
        """How much is it between matched images?"""
        return attribution.beside_answer(self._verdict.ages(beside).matched)

    @cached_property
    def _default(self) -> "Comparison":
        """The post's day: later, advisories for one of the images may have ended."""
        return self.at("")

    @question(across="_default")
    def age_or_base_lesson(self, beside: str = "") -> Answer:
        """What do the matched images say of the difference?"""
        differences, day, matched, known_by = self._verdict.ages(beside)
        return attribution.lesson_answer(differences, day, matched, self.lens, known_by)

    @question()
    def takeaways(self, size: str = "", beside: str = "") -> Answer:
        """What is to be taken away, and what to be done next?"""
        decision = self._verdict.decision(size)
        differing = confounders.unlike(confounders.confounders(self.images))
        differences, day, matched, _ = self._verdict.ages(beside)
        ages = attribution.compared(differences, day, matched)
        learned = takeaways.takeaways(decision, differing, self._verdict.claims, ages)
        has_files = len(self.files) > 0
        steps = takeaways.next_steps(decision, self.findings, differing, has_files, clock.today())
        return takeaways.answer(learned, steps, decision)
