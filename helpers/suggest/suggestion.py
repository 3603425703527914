"""Which candidate is better than the image in use, of the evidence of a study that has them all."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from helpers import frames
from helpers.frames import SCANNED, Frames
from helpers.gate.markdown import code
from helpers.images import known_programs
from helpers.suggest import constraints
from helpers.suggest.candidates import Candidate, Listed
from helpers.suggest.constraints import ANY, Wanted
from helpers.surface import dynamic_linking, tools
from helpers.text import escape
from helpers.text.units import megabytes
from helpers.verdict.decision import decide
from helpers.verdict.tradeoff import WEIGHTS
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import PLAIN

MAX_TEXT = 200
"""Most letters of a text from a registry that are printed."""


class Suggestion(NamedTuple):
    """What to move to. `better` is None if that cannot be told, for the reason `why`.

    `move_to` are variants: several on a tie, none if nothing is better. `facts` has a row for each
    variant, today's first, as `facts_of` says.
    """

    today: str
    move_to: list[str]
    better: bool | None
    why: str
    facts: pd.DataFrame


def facts_of(found: Frames, files: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of each image, by variant.

    `variant, status, os, runtime, libc, until, shell, fixable, size_bytes`: texts are empty if not
    known, numbers NA. `until` is the day on which the support of system or runtime ends. `fixable`
    counts distinct vulnerabilities with a fix, `size_bytes` is compressed.
    """
    images = found.images.reset_index(drop=True)
    libcs = dynamic_linking.libc(files, images)["libc"].fillna("")
    has_shell = {
        row.variant for row in tools.found(files).itertuples() if row.kind == known_programs.SHELL
    }
    system = images["os_family"].fillna("") + " " + images["os_version"].fillna("")
    lens = PLAIN._replace(counted="vulnerabilities", fixable=True)
    return pd.DataFrame(
        {
            "variant": images["variant"],
            "status": images["status"],
            "os": system.str.strip(),
            "runtime": images["runtime"].fillna(""),
            "libc": libcs.array,
            "until": [*map(constraints.until, system.str.strip(), images["runtime"].fillna(""))],
            "shell": images["variant"].isin(has_shell),
            "fixable": counting.image_counts(found.findings, images, lens)["count"],
            "size_bytes": images["size_compressed_bytes"],
        }
    )


def suggest(
    found: Frames, files: pd.DataFrame, today: str, wanted: Wanted, unread: str = ""
) -> Suggestion:
    """Return what to move to from the variant `today`, of those that meet the constraints.

    If nothing is better, and `unread` names what a registry did not answer, it cannot be told.

    `wanted` gets the runtime and the C library of today's image; its `libc` is kept if it is
    `ANY`. The verdict of the kit decides between what is left and today's image.
    """
    facts = facts_of(found, files)
    ours = facts[facts["variant"].eq(today)].iloc[0]
    libc = wanted.libc if wanted.libc == ANY else ours["libc"]
    wanted = wanted._replace(runtime=ours["runtime"], libc=libc)
    facts["refused"] = constraints.refusals(facts, wanted)
    facts.loc[facts["variant"].eq(today), "refused"] = ""
    facts = facts.sort_values("variant", key=lambda names: names.ne(today), kind="stable")
    if ours["status"] != SCANNED:
        return Suggestion(today, [], None, "today's image could not be scanned", facts)
    if not libc:
        why = "the C library of today's image is unknown; pass --libc any"
        return Suggestion(today, [], None, why, facts)
    left = facts.loc[facts["refused"].eq(""), "variant"]
    if len(left) == 1:
        return _stay(today, "no candidate meets all constraints", unread, facts)
    chosen = Frames(*(each[each["variant"].isin(left)].reset_index(drop=True) for each in found))
    published = frames.make("published", {})
    decision = decide(chosen, published, "", PLAIN, WEIGHTS, wanted.day)
    if not decision.best:
        why = "the images cannot be compared; the report says why"
        return Suggestion(today, [], None, why, facts)
    if today in decision.best:
        return _stay(today, "no candidate is better", unread, facts)
    ranked = [name for name in decision.ranked["variant"] if name in decision.best]
    return Suggestion(today, ranked, True, "", facts)


def _stay(today: str, why: str, unread: str, facts: pd.DataFrame) -> Suggestion:
    if unread:
        return Suggestion(today, [], None, "a registry failed to answer for some candidates", facts)
    return Suggestion(today, [], False, why, facts)


def changes(of: Suggestion) -> list[str]:
    """Return what the first image to move to brings and costs; empty if nothing is better.

    A number that is not known of both images is left out.
    """
    if not of.move_to:
        return []
    by_variant = of.facts.set_index("variant")
    old, new = by_variant.loc[of.today], by_variant.loc[of.move_to[0]]
    found = []
    if pd.notna(old["fixable"]) and pd.notna(new["fixable"]):
        found.append(f"fixable vulnerabilities: from {old['fixable']:,} to {new['fixable']:,}")
    if pd.notna(old["size_bytes"]) and pd.notna(new["size_bytes"]):
        sizes = megabytes(old["size_bytes"]), megabytes(new["size_bytes"])
        found.append(f"compressed size: from {sizes[0]} to {sizes[1]} MB")
    named = {"os": "system", "runtime": "runtime", "libc": "C library", "until": "support ends"}
    for column, label in named.items():
        before, after = old[column] or "unknown", new[column] or "unknown"
        if before != after:
            found.append(f"{label}: from {before} to {after}")
    if old["shell"] and not new["shell"]:
        found.append("it has no shell")
    return found


def record(of: Suggestion, listed: Listed, names: Mapping[str, Candidate]) -> dict[str, Any]:
    """Return a suggestion as plain values: what `--format json` prints."""
    rows = of.facts.astype(object).where(of.facts.notna(), None).to_dict("records")
    images = [
        {**row, "image": names[row["variant"]].name, "pin": names[row["variant"]].pinned}
        for row in rows
    ]
    refused = [
        {"image": each.name, "digest": each.digest, "reason": each.refused[:MAX_TEXT]}
        for each in listed.found
        if each.refused
    ]
    return {
        "today": listed.today.name,
        "better": of.better,
        "why": of.why,
        "move_to": [names[variant].name for variant in of.move_to],
        "dockerfile": lines(of, names),
        "changes": changes(of),
        "pull_again": listed.pull_again,
        "captured": images,
        "refused": refused,
        "notes": listed.notes,
        "unread": listed.unread,
    }


def lines(of: Suggestion, names: Mapping[str, Candidate]) -> list[str]:
    """Return the line of the Dockerfile as it is and as it would be; empty if nothing is better."""
    if not of.move_to:
        return []
    new = names[of.move_to[0]]
    pinned = f"{new.name}@{new.digest}" if new.tags else new.pinned
    return [f"FROM {names[of.today].name}", f"FROM {pinned}"]


def markdown(of: Suggestion, listed: Listed, names: Mapping[str, Candidate]) -> str:
    """Return a suggestion as Markdown: the answer, the captured images, and the refused ones."""
    parts = [f"# {_headline(of, code, names)}", ""]
    if listed.pull_again:
        parts += ["Pull again: the tag leads to a newer image than the one in use.", ""]
    if changed := lines(of, names):
        old, new = (escape.short(line, 2 * MAX_TEXT) for line in changed)
        parts += ["```diff", f"- {old}", f"+ {new}", "```", ""]
    if brought := changes(of):
        parts += [*(f"- {code(each, MAX_TEXT)}" for each in brought), ""]
    parts += ["| image | OS | runtime | C library | fixable | MB | refused |"]
    parts += ["|---|---|---|---|---:|---:|---|"]
    for row in of.facts.itertuples():
        name = code(names[row.variant].name)
        cells = [name, *map(code, (row.os, row.runtime, row.libc)), *_numbers(row)]
        parts.append(f"| {' | '.join([*cells, code(row.refused, MAX_TEXT)])} |")
    refused = [each for each in listed.found if each.refused]
    if refused:
        parts += ["", "## Refused before a capture", ""]
        parts += [f"- {code(each.name)}: {code(each.refused, MAX_TEXT)}" for each in refused]
    notes = [*listed.notes, *([f"Not read: {listed.unread}"] if listed.unread else [])]
    parts += ["", *(f"- {code(note, MAX_TEXT)}" for note in notes)]
    return "\n".join(parts).rstrip("\n") + "\n"


def _headline(of: Suggestion, shown: Any, names: Mapping[str, Candidate]) -> str:
    today = shown(names[of.today].name)
    if of.better is None:
        return f"Cannot tell what to move to from {today}: {of.why}"
    if not of.better:
        return f"Stay on {today}: {of.why}"
    tied = " or ".join(shown(names[variant].name) for variant in of.move_to)
    return f"Move from {today} to {tied}"


def _numbers(row: Any) -> tuple[str, str]:
    fixable = "–" if pd.isna(row.fixable) else f"{row.fixable:,}"
    return fixable, "–" if pd.isna(row.size_bytes) else str(megabytes(row.size_bytes))
