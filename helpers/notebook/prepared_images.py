"""The compared images with what several questions share: sizes, the history, the decision."""

from functools import cached_property
from typing import Self

import pandas as pd

from helpers.answers.answer import Answer
from helpers.frames import Frames
from helpers.history.history import History
from helpers.notebook.compared_images import ComparedImages
from helpers.notebook.display import Setting
from helpers.notebook.verdict_inputs import VerdictInputs
from helpers.sizes import file_groups, image_sizes
from helpers.sizes import layer_sizes as layer_sizes_
from helpers.studies import load
from helpers.studies import provenance as provenance_
from helpers.surface import app_process, dynamic_linking, exposure, scan_coverage
from helpers.surface import attack_surface as attack_surface_
from helpers.text.rich import paragraph
from helpers.vulnerabilities import lens_evidence
from helpers.vulnerabilities import overlap as overlap_


class PreparedImages(ComparedImages):
    """The images with what is computed of them once. `Comparison` documents them."""

    _by_lens = ("_exposed", "_exposure", "_history", "_verdict")
    _by_weights = ("_verdict",)

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
            "" if self.others or self.has_study else self.study.name,
        )

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
    def _default(self) -> Self:
        """The default capture (the post's day); later, advisories for an image may have ended."""
        return self.at("")

    def _of_many(self, answer: Answer) -> Answer:
        """Return an answer across captures, with a note if some represent many."""
        note = provenance_.some_of_many(self.landmarks, len(self.captures_of_study))
        return answer._replace(text=answer.text + paragraph(note)) if note else answer
