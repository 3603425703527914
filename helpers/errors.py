"""The kit's errors: each message names the file or thing, what is wrong, and what to do."""

from os import PathLike


class KitError(Exception):
    """Anything a user can mend; the command line prints it without a traceback and exits 1."""


class ReportInvalid(KitError):
    """A file that is not a Trivy report the kit can read.

    `path` is the file, `problem` what it is or what is wrong with it, `remedy` what to do.
    """

    def __init__(self, path: str | PathLike[str], problem: str, remedy: str) -> None:
        self.path = str(path)
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{self.path}: {problem}. {remedy}")


class StudyInvalid(KitError):
    """A study, capture or variant that does not exist or does not say what it must."""


class ParameterInvalid(KitError):
    """A notebook parameter that is unknown, or whose value is not what the notebook takes."""


class ScanFailed(KitError):
    """The scanner could not be started, or ended without a report."""


class NotebookFailed(KitError):
    """A notebook stopped at a cell; its executed copy is kept."""
