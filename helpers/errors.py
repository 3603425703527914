"""The kit's errors: each message names the file or thing, what is wrong, and what to do."""

from os import PathLike


class KitError(Exception):
    """Anything a user can mend; the command line prints it without a traceback and exits 1."""


class FileInvalid(KitError):
    """A file that is not what it has to be.

    `path` is the file, `problem` what it is or what is wrong with it, `remedy` what to do.
    """

    def __init__(self, path: str | PathLike[str], problem: str, remedy: str) -> None:
        self.path = str(path)
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{self.path}: {problem}. {remedy}")


class ReportInvalid(FileInvalid):
    """A file that is no report of Trivy or Grype that the kit can read."""


class ArchiveInvalid(FileInvalid):
    """A file or folder that is not an image archive, or not a whole one; or not an inventory."""


class StudyInvalid(KitError):
    """A study, capture or variant that does not exist or does not say what it must."""


class ParameterInvalid(KitError):
    """A notebook parameter that is unknown, or whose value is not what the notebook takes."""


class FontMissing(KitError):
    """A language whose letters no font of the machine has; the message names the package."""


class DaemonUnavailable(KitError):
    """The Docker daemon does not answer, or may not be asked."""


class ImageNotFound(KitError):
    """An image that is not on the daemon and cannot be pulled."""


class NoSpace(KitError):
    """A disk that is full, here or at the Docker daemon."""


class NotStarted(KitError):
    """A container that the daemon could not start."""


class BuildFailed(KitError):
    """A Dockerfile that did not become an image; the message has the step and its last lines."""


class ScanFailed(KitError):
    """The scanner could not be started, or ended without a report.

    `reason` is one of `no-scanner`, `no-image`, `no-db`, `no-java-db`, `timeout`, `no-space` and
    `other`.
    """

    def __init__(self, message: str, reason: str = "other") -> None:
        self.reason = reason
        super().__init__(message)


class CaptureFailed(KitError):
    """Variants of a study that gave no evidence; the message says of each why."""


class NotebookFailed(KitError):
    """A notebook stopped at a cell; its executed copy is kept."""
