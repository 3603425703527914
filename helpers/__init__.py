"""Compares images of an app on several bases; `Comparison` and `Fleet` are what notebooks take."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.fleet.fleet import Fleet as Fleet
    from helpers.notebook.comparison import Comparison as Comparison
    from helpers.studies.tables import load_tables as load_tables

__version__ = "0.1.0"


def capture_study(study: str, db: "str | Path | None" = None) -> str:
    """Build or fetch, scan, read and start the images of a study; return the capture's name.

    `db` is the folder of a vulnerability database for a scan without a network. This needs Trivy,
    and Docker for what is built or started. Raises `CaptureFailed`, and `KitError` for what is not
    there.
    """
    from pathlib import Path

    from helpers.capture import session

    return session.capture(study, db=Path(db) if db else None).folder.name


def check_parameters() -> None:
    """Check the parameters of the notebook that this runs in, as a run of all notebooks does.

    A text, as papermill passes it, becomes a value of the type that the parameters cell declares.
    Outside of a notebook nothing happens. Raises `ParameterInvalid`.
    """
    from IPython import get_ipython

    from helpers.runs import parameters

    if shell := get_ipython():
        shell.push(parameters.as_declared(shell.user_ns["In"], shell.user_ns), interactive=False)


def __getattr__(name: str) -> Any:
    # Only who asks for it waits for what it imports.
    if name == "Comparison":
        from helpers.notebook.comparison import Comparison

        return Comparison
    if name == "Fleet":
        from helpers.fleet.fleet import Fleet

        return Fleet
    if name == "load_tables":
        from helpers.studies.tables import load_tables

        return load_tables
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
