"""The kit's errors. Each message says which file or thing, what is wrong, and what to do."""

import difflib
import errno
import os
from collections.abc import Iterable
from os import PathLike

MAX_PROBLEM = 1000
"""Most characters of a problem in a message."""

BY_MAKE = "KIT_BY_MAKE"
"""The Makefile sets this variable: advice then names make's targets and variables."""


class KitError(Exception):
    """An error that a user can fix; the command line prints it without a traceback and exits 1."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the message says what to do, and the kit's lines do not."""
        return [f"{type(self).__name__}: {self}"]


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
    """Not a file of EPSS scores or a KEV catalog, or damaged evidence of these."""


class VexInvalid(FileInvalid):
    """Not a VEX document that the kit and Trivy can read, or damaged VEX evidence."""


class EvidenceLacking(KitError):
    """What a question needs is not in the evidence; the message says why, in a sentence."""


class FrameInvalid(KitError):
    """A DataFrame that lacks data for a chart; the message says what to change."""


class TemplateInvalid(FileInvalid):
    """Not a PowerPoint file that slides can be made from."""


class TableInvalid(FileInvalid):
    """Not a table of facts in the data dictionary's columns."""


class StudyInvalid(KitError):
    """A study, capture or variant that is missing or invalid."""


class StudyFileInvalid(FileInvalid, StudyInvalid):
    """A `study.toml`, a `capture.json` or a `published.csv` that cannot be read."""


class NotComparable(KitError):
    """Two images that cannot be compared: the message says why."""


class ParameterInvalid(KitError):
    """An unknown notebook parameter, or an invalid value of one."""


class DaemonUnavailable(KitError):
    """The Docker daemon does not answer, or refuses access."""


class ImageNotFound(KitError):
    """The image is neither on the daemon nor in its registry."""


class RegistryFailed(KitError):
    """A registry does not answer, or sends an invalid answer. `broke_off`: in the middle of one."""

    def __init__(self, message: str, broke_off: bool = False) -> None:
        self.broke_off = broke_off
        super().__init__(message)


class NoSpace(KitError):
    """The disk is full, here or at the Docker daemon."""


class NotebookInvalid(FileInvalid):
    """Not a notebook."""


class NotWritten(KitError):
    """A file cannot be written where the user wants it."""


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
    """No variant of a study could be captured; the message has each reason."""


class FleetInvalid(KitError):
    """The scans of a fleet are missing, or its frames are missing, damaged or in use."""


class ClusterFailed(KitError):
    """A Dask cluster cannot be reached, cannot do the work, or stopped during it."""


class NotebookFailed(KitError):
    """A notebook stopped at a cell; its executed copy is kept."""


def advice(by_make: str, otherwise: str) -> str:
    """Return what a user types: one text if make started the kit, else the other."""
    return by_make if os.environ.get(BY_MAKE) else otherwise


def choose(wanted: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the known name most like it, or all.

    >>> choose("severty", ["severity", "sizes"]), choose("x", ["severity", "sizes"])
    ("did you mean 'severity'?", 'choose one of severity, sizes')
    """
    names = list(map(str, known))
    near = difflib.get_close_matches(wanted, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(names) or 'none'}"


def disk_error(error: OSError, path: str | PathLike[str]) -> KitError:
    """Return the kit's error for an `OSError` at a path."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoSpace(
            f"{path}: the disk is full. Free some space, or set KIT_DATA to another folder"
        )
    if "temporary directory" in str(error):
        # Python does not say why it can write to no temporary folder.
        return KitError(f"{error.strerror}. Free some space, or set TMPDIR to another folder")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        where = f"{error.filename or path}: {error.strerror}"
        return KitError(f"{where}. Check its permissions, or set KIT_DATA to another folder")
    return KitError(f"{error.filename or path}: {error.strerror or error}")


def _printable(text: str) -> str:
    """Return text with control and invisible characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
