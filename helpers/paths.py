"""Paths of the project; no other module has any."""

import hashlib
import os
import posixpath
from collections.abc import Callable
from pathlib import Path

HELPERS = Path(__file__).resolve().parent


def _root() -> Path:
    """Return the checkout that has this package; once it is installed, the working folder."""
    around = HELPERS.parent
    return around if (around / "notebooks").is_dir() else Path.cwd()


ROOT = _root()
NOTEBOOKS = ROOT / "notebooks"
START, FLEET = NOTEBOOKS / "00-start-here.ipynb", NOTEBOOKS / "fleet.ipynb"
FRAMES = HELPERS / "frames.csv"
STYLE = HELPERS / "charts" / "kit.mplstyle"
FONTS = HELPERS / "charts" / "pretendard"
LIFECYCLE = HELPERS / "comparability" / "end_of_life.csv"
JUDGES = HELPERS / "comparability" / "judges.csv"
BASE_WORDS = HELPERS / "fleet" / "base_words.csv"
TOOLS = HELPERS / "images" / "tools.csv"
GROUPS = HELPERS / "sizes" / "file_groups.csv"
LANGUAGES = HELPERS / "text" / "translations.csv"
PICTURE_SCRIPT = HELPERS / "explore" / "clickable_figure.js"
DROPZONE_SCRIPT = HELPERS / "explore" / "upload.js"
KEEP_SCRIPT = HELPERS / "explore" / "keep.js"
WIDGET_STYLE = HELPERS / "explore" / "widgets.css"
PAGE_TEMPLATE, SLIDES_TEMPLATE = "page.html.j2", "slides.html.j2"
PAGE_SCRIPT = HELPERS / "runs" / "page.js"
SPEAKER_SCRIPT = HELPERS / "slides" / "speaker.js"

REPORT, IMAGE, FILES = "trivy.json.gz", "image.json", "files.jsonl.gz"
SMOKE, LOG = "smoke.json", "build.log"
"""File names of the parts of a variant's evidence."""

VEX = "vex.json"
"""The VEX documents that a variant was scanned with, and what they say of its ids."""

BASES_LOG = "bases.log"
"""Build log of the bases that a study names, in a capture's folder."""

FLEET_FACTS, FLEET_IMAGES = "fleet.json", "images.jsonl"
"""How a fleet was captured, and its images, in its folder."""

EXPLOITATION = "exploitation.json"
"""What was known of exploitation, in a capture's folder."""

CAPTURE = "capture.json"
"""How a capture was made, in its folder."""

GOING = ".going"
"""Names of the captures that are being removed, in a study's folder."""

GRYPE = "grype.json.gz"
REPORTS = {
    "trivy": (REPORT, "trivy.json"),
    "grype": (GRYPE, "grype.json"),
    "osv-scanner": ("osv.json.gz", "osv.json"),
}
"""File names of each scanner's report; a capture writes the first."""


def shown(path: Path) -> str:
    """Return a path as printable text, also if its bytes are not UTF-8."""
    return os.fsencode(path).decode(errors="backslashreplace")


def data() -> Path:
    """Return the data folder: `KIT_DATA`, else `data/` of the project."""
    return Path(os.environ.get("KIT_DATA") or ROOT / "data").resolve()


def studies() -> Path:
    """Return the folder of the studies."""
    return data() / "studies"


def study(name: str) -> Path:
    """Return the folder of one study."""
    return studies() / name


def capture(study_name: str, capture_name: str) -> Path:
    """Return the folder of one capture of a study."""
    return study(study_name) / capture_name


def evidence(study_name: str, capture_name: str, variant: str) -> Path:
    """Return the folder of one variant's evidence in one capture."""
    return capture(study_name, capture_name) / variant


def exploitation(study_name: str, capture_name: str) -> Path:
    """Return the file with what was known of exploitation when a capture was made."""
    return capture(study_name, capture_name) / EXPLOITATION


def reports(folder: Path) -> dict[str, Path]:
    """Return the report of each scanner in a variant's evidence, gzipped or not."""
    found: dict[str, Path] = {}
    for scanner, names in REPORTS.items():
        for name in names:
            if (path := folder / name).exists():
                found.setdefault(scanner, path)
    return found


def is_other_evidence(path: str, exists: Callable[[str], bool] = os.path.exists) -> bool:
    """Return whether a JSON file is a capture's, a variant's in it or a fleet's, and no report.

    That is told by what `exists` beside it.
    """
    folder, name = posixpath.split(path)
    if name == FLEET_FACTS:
        return exists(posixpath.join(folder, FLEET_IMAGES))
    is_named = name in (CAPTURE, EXPLOITATION, IMAGE, SMOKE, VEX)
    folders = (folder, posixpath.dirname(folder))
    return is_named and any(exists(posixpath.join(each, CAPTURE)) for each in folders)


def runs() -> Path:
    """Return the folder of the runs."""
    return data() / "runs"


def run(study_name: str) -> Path:
    """Return the folder of a study's run."""
    return runs() / study_name


def fleets() -> Path:
    """Return the folder of captures and frames of many images."""
    return data() / "fleets"


def fleet(name: str) -> Path:
    """Return the folder of one fleet."""
    return fleets() / name


def notebooks() -> list[Path]:
    """Return the numbered notebooks of a study in reading order: not the one to start with."""
    return sorted({*NOTEBOOKS.glob("[0-9][0-9]-*.ipynb")} - {START})


def dockerfiles() -> Path:
    """Return the folder of the Dockerfiles."""
    return ROOT / "dockerfiles"


def gzip_sizes() -> Path:
    """Return the file that caches the gzipped sizes of layers."""
    return data() / "cache" / "gzip-sizes.json"


def images_cache() -> Path:
    """Return the folder that keeps files of images from registries."""
    return data() / "cache" / "images"


def trivy_cache(*repositories: str) -> Path:
    """Return the folder of the vulnerability DB that the kit keeps up to date.

    Each set of `repositories` other than Trivy's default has its own folder.
    """
    digest = hashlib.sha256("\n".join(repositories).encode()).hexdigest()
    suffix = f"-{digest[:12]}" if any(repositories) else ""
    return data() / "cache" / f"trivy{suffix}"
