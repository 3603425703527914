"""List the studies, for the notebook that JupyterLab opens on."""

from datetime import UTC, datetime

import pandas as pd
from IPython.display import HTML
from msgspec import Struct

from helpers import own_file, paths
from helpers.errors import FileInvalid, StudyInvalid
from helpers.notebook import tables
from helpers.studies.study import names, open_study
from helpers.text.html import without_math
from helpers.text.i18n import t


class _Run(Struct):
    study: str
    started: datetime


def studies() -> pd.DataFrame:
    """Return one row a study: `study, title, captures, variants, last_run_at`.

    Captures and variants are names; `last_run_at` is the last reproduction in any language and
    theme, NA if never. An unreadable study has the reason instead of its title.
    """
    rows, last_runs = [], _last_runs()
    for name in names():
        try:
            study = open_study(name)
            described = (study.title, ", ".join(study.captures()), ", ".join(study.names()))
        except StudyInvalid as error:
            described = (t("cannot be read: {why}", why=error), "", "")
        rows.append((name, *described, last_runs.get(name)))
    table = pd.DataFrame(rows, columns=["study", "title", "captures", "variants", "last_run_at"])
    return table.astype({"last_run_at": "datetime64[us, UTC]"})


def show() -> HTML:
    """Return the studies as a table for readers."""
    table = studies()
    last_run = table["last_run_at"].dt.strftime("%Y-%m-%d %H:%M UTC").fillna(t("never"))
    captures = table["captures"].replace("", t("none"))
    shown = table.assign(captures=captures, last_run_at=last_run.astype("str"))
    return HTML(without_math(tables.to_html(shown)))


def _last_runs() -> dict[str, datetime]:
    """Return when each study was last reproduced."""
    found: dict[str, datetime] = {}
    for path in paths.runs().glob("*/run.json"):
        try:
            run = own_file.read(path, _Run, FileInvalid, "Remove it")
            if run is None:
                continue
            started = run.started.astimezone(UTC)
        except (FileInvalid, OverflowError):
            continue
        if path.parent.suffix != ".failed":
            found[run.study] = max(started, found.get(run.study, started))
    return found
