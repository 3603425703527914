"""Studies that slides must bear: hostile words, six long names, one variant, nothing measured."""

import json
from pathlib import Path
from typing import Any

from tests.conftest import finding, trivy

STUDIES: dict[str, dict[str, str]] = {
    "rebuilt-2026": {},
    "blog-2022": {"language": "ko", "theme": "dark", "transparent": "true"},
    "hostile": {"mixed": "true"},
}
"""Studies whose slides tests look at, recorded or written here, with the runs' parameters."""

WORDS = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(2)"><svg onload=alert(3)>',
    "=cmd|'/C calc'!A0",
    "a\x1b[31mred\x07",
    "\u202egnp.exe",
    "שלום עולם",
    "https://evil.example/x",
    "external:evil",
    "]]>&amp;<!-- {{ 7*7 }} ${x}",
)
"""What reports, images and studies may hold and no slide may act upon."""

LONG = "registry.example.com-team-with-a-long-name-the-service-{}"
NAMES = tuple(LONG.format(end) for end in ("alpine", "slim", "debian", "clean", "broken", "none"))


def study(data: Path, name: str, reports: dict[str, Any], **fields: Any) -> str:
    """Write a study of reports, by variant; text is what no scanner would write."""
    folder = data / "studies" / name
    folder.mkdir(parents=True)
    for variant, report in reports.items():
        text = report if isinstance(report, str) else json.dumps(report)
        (folder / f"{variant}.json").write_text(text)
    told = {"title": "Which one?", "question": "Which of these?", "about": "For tests.", **fields}
    # JSON's strings and lists of strings are TOML's as well.
    lines = [f"{key} = {json.dumps(value)}" for key, value in told.items()]
    for one in reports:
        lines += ["[[variants]]", f'name = "{one}"', f'report = "{one}.json"']
    (folder / "study.toml").write_text("\n".join(lines))
    return name


def hostile(data: Path) -> str:
    """Write a study of six variants with long names whose every word is hostile.

    One is clean, one has no report, and of none a file is known; two have a size.
    """
    found = [finding(n, PkgName=word, InstalledVersion=word) for n, word in enumerate(WORDS)]
    size = {"Size": 5_000_000}
    system = {"OS": {"Family": "debian", "Name": WORDS[0]}}
    reports = {
        NAMES[0]: trivy(*found, Metadata={**system, **size}),
        NAMES[1]: trivy(*found[:3], Metadata={**system, **size}),
        NAMES[2]: trivy(*found[2:], ArtifactName=WORDS[1]),
        NAMES[3]: trivy(),
        NAMES[4]: "no JSON at all",
        NAMES[5]: trivy(Metadata={}),
    }
    return study(
        data,
        "hostile",
        reports,
        title=" ".join(WORDS),
        question=f"{WORDS[1]} {WORDS[3]}",
        about=f"**bold** {WORDS[0]} [link](http://x) {WORDS[4]}",
        not_shown=[*WORDS, "x" * 400, "words " * 60],
    )
