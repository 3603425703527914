"""Studies that tests write."""

from pathlib import Path

from helpers import paths
from helpers.capture import record_exploitation

HEAD = 'title = "t"\nquestion = "q?"\nabout = "a"\n'


def dockerfile(path: Path, text: str) -> str:
    """Write a Dockerfile with a file of three bytes beside it; return a study's line for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    (path.parent / "a.txt").write_text("abc")
    return f'dockerfile = "{path}"'


def write_study(data: Path, study: str = "mine", bases: str = "", **variants: str) -> str:
    """Write a study of variants, each the text of a Dockerfile or lines of TOML; return its name.

    `bases` is TOML too. The Dockerfiles have one context, so that builds take turns.
    """
    text = HEAD + bases
    for name, source in variants.items():
        if source.startswith("FROM"):
            source = dockerfile(data / "context" / name, source)
        text += f'[[variants]]\nname = "{name}"\n{source}\n'
    path = data / "studies" / study / "study.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return study


def score(shared: Path, study: str, capture: str, day: str) -> None:
    """Give a capture the EPSS scores of a day, in place of those that it has, and the catalog."""
    risk = shared / "risk"
    paths.exploitation(study, capture).unlink(missing_ok=True)
    epss = risk / "epss" / f"epss_scores-{day}.csv.gz"
    kev = risk / "kev" / "known_exploited_vulnerabilities.json.gz"
    record_exploitation.add(study, capture, epss=str(epss), kev=str(kev))
