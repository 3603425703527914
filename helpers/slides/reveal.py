"""`slides.html`: a run's slides as one page that turns in a browser, offline; it loads nothing."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from helpers import paths
from helpers.charts import fonts
from helpers.charts.look import Look
from helpers.slides import outline, style
from helpers.slides.geometry import KIT
from helpers.slides.outline import Figure
from helpers.studies.study import Study
from helpers.text import escape, i18n

_LIBRARY = files("pyreveal") / "revealjs" / "dist"

_START = """
Reveal.initialize({
  width: 1280, height: 720, margin: 0, center: false, transition: "none", hash: true,
  slideNumber: true, postMessage: false,
});
"""
"""Starts the show; no other window may steer it by messages."""


def write(run: Path, study: Study, record: dict[str, Any]) -> Path:
    """Write `slides.html` into a run's folder from its executed notebooks; return its path.

    It speaks the language that is spoken.
    """
    theme = style.theme(record["parameters"])
    environment = Environment(loader=PackageLoader("helpers.slides", "."), autoescape=True)
    environment.filters["inlined"] = lambda figure: _inlined(figure, theme.look)
    library = (_LIBRARY / "reveal.js").read_text(encoding="utf-8")
    styles = [(_LIBRARY / name).read_text(encoding="utf-8") for name in ("reset.css", "reveal.css")]
    speaker = paths.SPEAKER_SCRIPT.read_text(encoding="utf-8")
    text = environment.get_template(paths.SLIDES_TEMPLATE).render(
        language=i18n.spoken(),
        title=escape.plain(study.title),
        theme=theme,
        policy=_policy(library, _START, speaker),
        # These are the library's and ours: nothing of a study is in them.
        styles=Markup("\n".join(styles)),
        library=Markup(library),
        start=Markup(_START),
        speaker=Markup(speaker),
        t=i18n.t,
        slides=outline.outline(run, study, record),
        boxes=KIT,
    )
    path = run / "slides.html"
    path.write_text(fonts.embedded(text), encoding="utf-8")
    return path


def _policy(*scripts: str) -> str:
    """Return a content security policy under which these scripts run, and nothing is loaded."""
    digests = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    ]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; "
        f"script-src {allowed}"
    )


def _inlined(figure: Figure, look: Look) -> str:
    """Return a figure as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(outline.picture(figure.chart, look)).decode()}"
