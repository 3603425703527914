"""What notebooks open: the compared images, with a subject for each notebook's questions."""

from collections.abc import Iterator
from typing import ClassVar

from helpers.notebook.evidence import Evidence
from helpers.notebook.history import History
from helpers.notebook.prepared_images import PreparedImages
from helpers.notebook.question import Question, listed, questions
from helpers.notebook.risk import Risk
from helpers.notebook.sizes import Sizes
from helpers.notebook.subject import Subject
from helpers.notebook.surface import Surface
from helpers.notebook.verdict import Verdict
from helpers.notebook.vulnerabilities import Vulnerabilities


class Comparison(PreparedImages):
    """The images of a study's capture, and the questions of the notebooks by subject.

    `c.sizes.waterfall()` returns an answer, which shows itself and has its data: `.table`,
    `.chart`, `.figure(title=...)`, `.plot(ax)`. A subject alone, `c.sizes`, shows its questions.

    Images: `only`, `at`, `with_images`. Counting: `where`, `with_filter`, `under`. The verdict:
    `with_weights`. How answers are shown: `style`. Each returns other images and leaves these as
    they are. The frames are `images`, `findings`, `packages`, `layers` and `files`.

    Parameters
    ----------
    study : str
        a folder in `data/studies`
    capture : str, optional
        a capture's name, or `newest`; by default the study's own
    mixed : bool, optional
        allow images that were scanned with different scanners or databases

    Raises
    ------
    StudyInvalid
        for a study or capture that does not exist

    Examples
    --------
    >>> Comparison("blog-2022").vulnerabilities.severity()
    <answer 'severity-breakdown': 48 findings in nodejs-alpine, 19 in nodejs-distroless>

    """

    subjects: ClassVar[dict[str, type[Subject]]] = {
        each.__name__.lower(): each
        for each in (Evidence, Vulnerabilities, Sizes, Surface, History, Risk, Verdict)
    }
    """The subjects by name, in the order of the notebooks."""

    questions: ClassVar[dict[str, Question]] = {
        f"{subject}.{name}": each
        for subject, of in subjects.items()
        for name, each in of.questions.items()
    }
    """Every question, as `subject.name`."""

    @property
    def evidence(self) -> Evidence:
        """What evidence was captured, when and with what?"""
        return Evidence(self)

    @property
    def vulnerabilities(self) -> Vulnerabilities:
        """What did the scanner find in each image?"""
        return Vulnerabilities(self)

    @property
    def sizes(self) -> Sizes:
        """Which image is larger, by how much, and where are the bytes?"""
        return Sizes(self)

    @property
    def surface(self) -> Surface:
        """What does an attacker find in each image, and what does the scanner not see?"""
        return Surface(self)

    @property
    def history(self) -> History:
        """How do counts change over time, and why?"""
        return History(self)

    @property
    def risk(self) -> Risk:
        """Which vulnerabilities matter first?"""
        return Risk(self)

    @property
    def verdict(self) -> Verdict:
        """Which image should be shipped, and which of the claims hold?"""
        return Verdict(self)

    def _known(self) -> Iterator[str]:
        # Of a name that two subjects have, the first is suggested.
        yield from reversed([*self.questions])
        yield from super()._known()

    def _repr_html_(self) -> str:
        """Return all questions as a table, below the object's description."""
        return listed(repr(self), questions(self.questions, "c."))
