"""Which studies there are, for the notebook that JupyterLab opens on."""

from typing import Any

import msgspec
import pandas as pd
from IPython.display import HTML
from msgspec import Struct

from helpers import paths
from helpers.errors import StudyInvalid
from helpers.notebook import tables
from helpers.studies.study import names, open_study
from helpers.text.i18n import t


class _Run(Struct):
    started: Any = None


def studies() -> pd.DataFrame:
    """Return one row a study: `study, title, captures, variants, last_run_at`.

    Captures and variants are named; `last_run_at` is when it was last reproduced, NA if never.
    A study that cannot be read has the reason in place of its title.
    """
    rows = []
    for name in names():
        try:
            study = open_study(name)
            described = (study.title, ", ".join(study.captures()), ", ".join(study.names()))
        except StudyInvalid as error:
            described = (t("cannot be read: {why}", why=error), "", "")
        rows.append((name, *described, _last_run(name)))
    table = pd.DataFrame(rows, columns=["study", "title", "captures", "variants", "last_run_at"])
    return table.astype({"last_run_at": "datetime64[us, UTC]"})


def show() -> HTML:
    """Return the studies as a table for readers."""
    table = studies()
    last_run = table["last_run_at"].dt.strftime("%Y-%m-%d %H:%M UTC").fillna(t("never"))
    captures = table["captures"].replace("", t("none yet"))
    return HTML(tables.to_html(table.assign(captures=captures, last_run_at=last_run.astype("str"))))


def _last_run(name: str) -> pd.Timestamp | None:
    try:
        run = msgspec.json.decode((paths.run(name) / "run.json").read_bytes(), type=_Run)
        return pd.Timestamp(run.started).tz_convert("UTC")
    except (OSError, msgspec.MsgspecError, ValueError, TypeError):
        return None
