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
    What is wrong with a study that cannot be read stands in place of its title.
    """
    rows = []
    for name in names():
        try:
            found = open_study(name)
            told = (found.title, ", ".join(found.captures()), ", ".join(found.names()))
        except StudyInvalid as error:
            told = (t("cannot be read: {why}", why=error), "", "")
        rows.append((name, *told, _last_run(name)))
    table = pd.DataFrame(rows, columns=["study", "title", "captures", "variants", "last_run_at"])
    return table.astype({"last_run_at": "datetime64[us, UTC]"})


def show() -> HTML:
    """Return the studies as a table for readers."""
    table = studies()
    told = table["last_run_at"].dt.strftime("%Y-%m-%d %H:%M UTC").fillna(t("never"))
    none = t("none yet")
    shown = table.assign(
        captures=table["captures"].replace("", none), last_run_at=told.astype("str")
    )
    return HTML(tables.to_html(shown))


def _last_run(name: str) -> pd.Timestamp | None:
    try:
        told = msgspec.json.decode((paths.run(name) / "run.json").read_bytes(), type=_Run)
        return pd.Timestamp(told.started).tz_convert("UTC")
    except (OSError, msgspec.MsgspecError, ValueError, TypeError):
        return None
