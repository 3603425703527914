"""What a gate says, as a comment for a pull request: GitHub's Markdown, of a limited length."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from helpers.gate import accounting, difference, judgement, words
from helpers.gate.judgement import FAIL, Judgement
from helpers.gate.pair import Note
from helpers.text import escape, links
from helpers.text.i18n import Message, msg, t, told, word

LIMIT = 60_000
"""Characters of a comment; GitHub takes 65,536."""

_IMAGE = 6_000
"""Characters that an image takes without its lists, at most."""

_SECTIONS = {
    difference.HIDDEN: msg("brought but suppressed"),
    **{key: accounting.WORDS[key] for key in (*difference.CAME[1:], *difference.WENT)},
}
"""Collapsed lists, and what each is called."""


def text(judgements: Sequence[Judgement]) -> str:
    """Return the comment: the verdict first, then counts, sizes and lists of each image.

    Where not all fits, it says how many are left out.
    """
    ordered = sorted(judgements, key=lambda each: each.verdict != FAIL)
    head = [_verdict(ordered), ""]
    room = LIMIT - len(head[0]) - 200
    body: list[str] = []
    for place, each in enumerate(ordered):
        if room < _IMAGE:
            body += [t("… and {count:,} more images", count=len(ordered) - place), ""]
            break
        section = _image(each, room, has_name=len(ordered) > 1)
        body.append(section)
        room -= len(section) + 1
    return "\n".join([*head, *body]).rstrip("\n") + "\n"


def code(value: object, width: int = 60) -> str:
    r"""Return text as code, in which GitHub sees no markup, mention, reference or link.

    >>> code("a|`b` @team")
    '`` a\\|`b` @team ``'
    """
    # In a table, a backslash before one that escapes a bar would leave the bar to end the cell.
    shown = escape.short(value, width).replace("\\|", r"\x5c|")
    if not shown.strip():
        return "–"
    ticks = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if "`" in shown else ""
    # Within a table also a bar in code ends a cell.
    return f"{ticks}{pad}{shown}{pad}{ticks}".replace("|", "\\|")


def _verdict(ordered: Sequence[Judgement]) -> str:
    if len(ordered) == 1:
        return f"**{judgement.headline(ordered[0])}**"
    failing = sum(each.verdict == FAIL for each in ordered)
    line = t(
        "{verdict} (rule: {rules}). Failing images: {failing:,} of {images:,}",
        verdict=judgement.verdict(ordered).upper(),
        rules=judgement.words(ordered[0].rules),
        failing=failing,
        images=len(ordered),
    )
    return f"**{line}**"


def _image(found: Judgement, room: int, has_name: bool) -> str:
    """Return what is said of one image in at most so many characters."""
    pair = found.pair
    lines = []
    if has_name:
        lines += [f"### {code(pair.name)}", "", judgement.headline(found), ""]
    before, after = (code(side.label, 120) for side in pair.sides.values())
    lines += [f"{before} → {after}", ""]
    head, *counts = accounting.rows(found)
    lines += [*map(_row, [head, ["---", *["---:"] * (len(head) - 1)], *counts]), ""]
    if origins := judgement.origins(found):
        lines += [origins, ""]
    if sizes := words.sizes(pair):
        lines += [*(f"- {line}" for line in sizes), ""]
    lines += [f"> {_note(note)}" for note in found.notes] + [""] * bool(found.notes)
    spent = sum(map(len, lines)) + len(lines)
    for block in _lists(found, room - spent):
        lines += [block, ""]
    return "\n".join(lines)


def _note(note: Note) -> str:
    """Return a note, in which what reports say is code."""
    text = note.text
    if isinstance(text, Message):
        quoted = {name: code(told(text.values[name]), 120) for name in note.foreign}
        text = Message(text.form, **text.values | quoted)
    return escape.plain(told(text)).replace("<", "&lt;")


def _lists(found: Judgement, room: int) -> Iterator[str]:
    """Yield the lists; each takes at most half of the room that the ones before it left."""
    brought = found.brought
    lists = [
        (msg("failing"), found.failing),
        (accounting.WORDS[difference.BROUGHT], brought[~brought["fails"]]),
        *((title, difference.of(found.table, key)) for key, title in _SECTIONS.items()),
        (accounting.WORDS[difference.UNCHANGED], difference.re_rated(found.table)),
    ]
    for place, (title, findings) in enumerate(lists):
        if findings.empty:
            continue
        name = word(title)
        text = f"{name[:1].upper()}{name[1:]}: {len(findings):,}"
        # The first two are open.
        is_open = place < 2
        begin = f"**{text}**" if is_open else f"<details><summary>{text}</summary>"
        block = _listed(begin, findings, room // 2) + ("" if is_open else "\n\n</details>")
        room -= len(block) + 1
        yield block


def _listed(title: str, findings: pd.DataFrame, room: int) -> str:
    """Return findings as a table below a title, as many as there is room for."""
    head = [t("severity"), t("vulnerability"), t("package"), t("version"), t("fix"), t("where"), ""]
    lines = [title, "", _row(head), _row(["---"] * len(head))]
    room -= sum(map(len, lines)) + len(lines) + 100
    shown = 0
    for row in findings.itertuples():
        line = _finding(row)
        if len(line) + 1 > room:
            break
        lines.append(line)
        room -= len(line) + 1
        shown += 1
    if left := len(findings) - shown:
        lines += ["", t("… and {count:,} more", count=left)]
    return "\n".join(lines)


def _finding(row: Any) -> str:
    address = links.of_vulnerability(row.vulnerability_id)
    name = words.text(row.vulnerability_id, 40, "")
    severity = row.severity
    if pd.notna(row.severity_before) and pd.notna(row.severity_after):
        severity = " → ".join(dict.fromkeys([row.severity_before, row.severity_after]))
    path = words.text(row.package_path, 60, "")
    return _row(
        [
            severity,
            f"[{name}]({address})" if address else code(name),
            code(words.text(row.package, 60, "")),
            _versions(row),
            code(words.text(row.fixed_version, 40, "")),
            words.place(row) + (f" {code(path)}" if path else ""),
            words.evidence(row),
        ]
    )


def _versions(row: Any) -> str:
    """Return the version of a package, before and after where they differ."""
    before, after = (words.text(v, 40, "") for v in (row.version_before, row.version_after))
    if before == after:
        return code(after)
    return f"{code(before)} → {code(after)}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
