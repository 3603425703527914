"""The kit's errors. Each message names the file or thing, says what is wrong, and what to do."""

import errno
import os
from os import PathLike

MAX_PROBLEM = 1000
"""Most characters of a problem in a message."""

BY_MAKE = "KIT_BY_MAKE"
"""The Makefile sets this variable: advice then names make's targets and variables."""


class KitError(Exception):
    """An error that a user can fix; the command line prints it without a traceback and exits 1."""


class FileInvalid(KitError):
    """An invalid file: its `path`, the `problem` with it, and the `remedy`.

    A problem may quote the file: it is one line of printable text, and not longer than
    `MAX_PROBLEM`.
    """

    def __init__(self, path: str | PathLike[str], problem: str, remedy: str) -> None:
        self.path = str(path)
        cut = "…" if len(problem) > MAX_PROBLEM else ""
        self.problem = _printable(problem[:MAX_PROBLEM]) + cut
        self.remedy = remedy
        super().__init__(f"{_printable(self.path)}: {self.problem}. {remedy}")


class ReportInvalid(FileInvalid):
    """Not a Trivy or Grype report that the kit can read."""


class ArchiveInvalid(FileInvalid):
    """Not a complete image archive, or not a complete part of the evidence of an image."""


class ExploitationInvalid(FileInvalid):
    """Not a file of EPSS scores, not a catalog of KEV, or damaged evidence of these."""


class VexInvalid(FileInvalid):
    """Not a VEX document that the kit and Trivy can read, or damaged evidence of some."""


class FrameInvalid(KitError):
    """A DataFrame that lacks what a chart is drawn of; the message says what to change."""


class TemplateInvalid(FileInvalid):
    """Not a PowerPoint file that slides can be made from."""


class StudyInvalid(KitError):
    """A study, capture or variant that is missing or invalid."""


class StudyFileInvalid(FileInvalid, StudyInvalid):
    """A `study.toml`, a `capture.json` or a `published.csv` that cannot be read."""


class NotComparable(KitError):
    """Two images of which it cannot be told what a change brought."""


class ParameterInvalid(KitError):
    """An unknown notebook parameter, or an invalid value of one."""


class FontMissing(KitError):
    """No installed font has a language's letters; the message names the package to install."""


class DaemonUnavailable(KitError):
    """The Docker daemon does not answer, or refuses access."""


class ImageNotFound(KitError):
    """The image is not on the daemon and cannot be pulled, or its registry has none."""


class RegistryFailed(KitError):
    """A registry does not answer, or answers wrongly. `broke_off`: in the middle of an answer."""

    def __init__(self, message: str, broke_off: bool = False) -> None:
        self.broke_off = broke_off
        super().__init__(message)


class NoSpace(KitError):
    """The disk is full, here or at the Docker daemon."""


class NotebookInvalid(FileInvalid):
    """Not a notebook."""


class NotWritten(KitError):
    """A file that a user named cannot be written."""


class NotStarted(KitError):
    """The daemon could not start a container."""


class BuildFailed(KitError):
    """A build failed; the message has the step and the last lines of its log."""


class ScanFailed(KitError):
    """The scanner could not start, or ended without a report.

    `reason` is one of `no-scanner`, `no-image`, `no-db`, `no-java-db`, `timeout`, `no-space` and
    `other`.
    """

    def __init__(self, message: str, reason: str = "other") -> None:
        self.reason = reason
        super().__init__(message)


class CaptureFailed(KitError):
    """Variants of a study gave no evidence; the message gives the reason of each."""


class FleetInvalid(KitError):
    """Scans of a fleet that are missing, or its frames: missing, damaged or in use."""


class ClusterFailed(KitError):
    """A cluster that cannot be reached, cannot do what is asked, or ended in the middle."""


class NotebookFailed(KitError):
    """A notebook stopped at a cell; its executed copy is kept."""


def advice(by_make: str, otherwise: str) -> str:
    """Return what a user types: one text if make started the kit, else the other."""
    return by_make if os.environ.get(BY_MAKE) else otherwise


def disk_error(error: OSError, path: str | PathLike[str]) -> KitError:
    """Return the kit's error for an `OSError` at a path."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoSpace(
            f"{path}: the disk is full. Free some space, or name another data folder with KIT_DATA"
        )
    if "temporary directory" in str(error):
        # Python says so if it can write to no temporary folder, and not why.
        return KitError(f"{error.strerror}. Free some space, or name another folder with TMPDIR")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        where = f"{error.filename or path}: {error.strerror}"
        return KitError(f"{where}. Check its permissions, or name another data folder: KIT_DATA")
    return KitError(f"{error.filename or path}: {error.strerror or error}")


def _printable(text: str) -> str:
    """Return text with control characters and others that nobody sees as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
