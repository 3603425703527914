"""Where things are: the only module that knows a path."""

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HELPERS = ROOT / "helpers"
NOTEBOOKS = ROOT / "notebooks"
STYLE = HELPERS / "charts" / "kit.mplstyle"
LIFECYCLE = HELPERS / "comparability" / "end_of_life.csv"
TOOLS = HELPERS / "images" / "tools.csv"
GROUPS = HELPERS / "sizes" / "file_groups.csv"
LANGUAGES = HELPERS / "text" / "translations.csv"
PICTURE_SCRIPT = HELPERS / "explore" / "clickable_figure.js"
DROPZONE_SCRIPT = HELPERS / "explore" / "upload.js"
WIDGET_STYLE = HELPERS / "explore" / "widgets.css"
PAGE_TEMPLATE, SLIDES_TEMPLATE = "page.html.j2", "slides.html.j2"
PAGE_SCRIPT = HELPERS / "runs" / "page.js"

REPORT, IMAGE, FILES = "trivy.json.gz", "image.json", "files.jsonl.gz"
SMOKE, LOG = "smoke.json", "build.log"
"""Names of the parts of a variant's evidence."""

BASES_LOG = "bases.log"
"""What the builder said of the bases that a study names, in the folder of a capture."""

GRYPE = "grype.json.gz"
REPORTS = {"trivy": (REPORT, "trivy.json"), "grype": (GRYPE, "grype.json")}
"""Files that each scanner's report may be in; a capture writes the first."""


def shown(path: Path) -> str:
    """Return a path as text that can be written anywhere, also if its bytes are not UTF-8."""
    return os.fsencode(path).decode(errors="backslashreplace")


def data() -> Path:
    """Return the data folder: `data/` of the project, or what `KIT_DATA` names."""
    return Path(os.environ.get("KIT_DATA") or ROOT / "data").resolve()


def studies() -> Path:
    """Return the folder that holds the studies."""
    return data() / "studies"


def study(name: str) -> Path:
    """Return the folder of one study."""
    return studies() / name


def capture(study_name: str, capture_name: str) -> Path:
    """Return the folder of one capture of a study."""
    return study(study_name) / capture_name


def evidence(study_name: str, capture_name: str, variant: str) -> Path:
    """Return the folder that holds the evidence of one variant in one capture."""
    return capture(study_name, capture_name) / variant


def reports(folder: Path) -> dict[str, Path]:
    """Return the reports in a variant's evidence by their scanner; one may be gzipped or not."""
    found = {
        scanner: [path for name in names if (path := folder / name).exists()]
        for scanner, names in REPORTS.items()
    }
    return {scanner: there[0] for scanner, there in found.items() if there}


def runs() -> Path:
    """Return the folder that runs are written to."""
    return data() / "runs"


def run(study_name: str) -> Path:
    """Return the folder of a study's finished run."""
    return runs() / study_name


def notebooks() -> list[Path]:
    """Return the numbered notebooks in reading order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))


def dockerfiles() -> Path:
    """Return the folder of Dockerfiles, beside the data folder."""
    return ROOT / "dockerfiles"


def weights() -> Path:
    """Return the file that keeps what layers weigh when gzipped."""
    return data() / "cache" / "gzip-sizes.json"


def trivy_cache(*repositories: str) -> Path:
    """Return the folder of the vulnerability DB that the kit itself keeps up to date.

    What is from other `repositories` than Trivy's own is in a folder of its own.
    """
    named = "\n".join(repositories).encode()
    suffix = f"-{hashlib.sha256(named).hexdigest()[:12]}" if any(repositories) else ""
    return data() / "cache" / f"trivy{suffix}"
