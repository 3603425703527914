"""What a capture holds: made of what, when, with what, and what of each variant is missing."""

import pandas as pd

from helpers import escape, paths
from helpers.frames import FAILED
from helpers.sentences import name
from helpers.study import Facts, Study

PARTS = {
    "report": (paths.REPORT, "trivy.json"),
    "image": (paths.IMAGE,),
    "files": (paths.FILES,),
    "smoke": (paths.SMOKE,),
    "build log": (paths.LOG,),
}
"""Parts of a variant's evidence, and the files that each may be in."""

_WHY = {
    "sbom": "an SBOM lists packages only",
    "report": "a report lists findings and packages only",
    "archive": "an archive is neither built nor started",
    "image": "nothing was built",
}


def sources(study: Study, facts: Facts) -> pd.DataFrame:
    """Return where each variant's evidence comes from: `variant, source, given, base, captured`."""
    rows = []
    for variant in study.variants:
        told = facts.variants.get(variant.name)
        state = told.status if told else "not in this capture"
        if told and told.unchanged_since:
            state = f"unchanged since {told.unchanged_since}"
        given = (
            variant.source
            if variant.kind in ("dockerfile", "image")
            else variant.source.rpartition("/")[2]
        )
        rows.append((variant.name, variant.kind, given, variant.base or None, state))
    return pd.DataFrame(rows, columns=["variant", "source", "given", "base", "captured"]).astype(
        "str"
    )


def parts(study: Study, facts: Facts) -> pd.DataFrame:
    """Return which parts of the evidence there are: `variant` and one column a part.

    A part that is missing says why; `image` is metadata and layers, `files` the file inventory,
    `smoke` what became of the variant when it was started.
    """
    rows = []
    for variant in study.variants:
        folder = paths.evidence(study.name, facts.capture, variant.name)
        told = facts.variants.get(variant.name)
        why = dict(told.missing) if told else {}
        row = {"variant": variant.name}
        for part, files in PARTS.items():
            if any((folder / file).is_file() for file in files):
                row[part] = "yes"
            elif told is None or told.status == FAILED:
                row[part] = "no: its capture failed" if told else "no: not in this capture"
            else:
                row[part] = f"no: {why.get(part) or _WHY.get(variant.kind, 'not captured')}"
        rows.append(row)
    return pd.DataFrame(rows, columns=["variant", *PARTS]).astype("str")


def made(facts: Facts) -> str:
    """Return when and with what a capture was made."""
    db = facts.db
    known = (
        f"its database of {db.updated_at:%Y-%m-%d}" if db.updated_at else "no database of its own"
    )
    covered = f" ({escape.markdown(db.coverage)})" if db.coverage else ""
    scanner = (
        f"Trivy {facts.scanner_version}" if facts.scanner_version else "the scanners of others"
    )
    how = (
        ""
        if facts.scanner_is in ("binary", "others")
        else f", run as {escape.markdown(facts.scanner_is)}"
    )
    text = (
        f"Capture `{facts.capture}` was made on {facts.captured_at:%Y-%m-%d at %H:%M} UTC, with "
        f"{scanner}{how} and {known}{covered}."
    )
    if facts.builder:
        built = facts.builder
        text += (
            f" Images were built by the {built['builder']} builder of Docker {built['engine']} "
            f"({built['store']} store, {built['platform']}); another builder gives other layers."
        )
    return text


def failed(facts: Facts) -> str:
    """Return which variants failed and why, as a list."""
    lines = [
        f"- {name(variant)}: {escape.markdown(told.error)}"
        for variant, told in facts.variants.items()
        if told.status == FAILED
    ]
    if not lines:
        return f"All {len(facts.variants)} variants were captured."
    return "\n".join(["**Not captured, so nothing is known of them here:**", "", *lines])


def started(images: pd.DataFrame) -> str:
    """Return which variants answered when they were started, and in which a shell could be."""
    tried = images[images["shell_starts"].notna()]
    if tried.empty:
        return "No variant was started, so whether it works is not known."
    lines = []
    for row in tried.itertuples():
        answer = {True: "answered on its port", False: "**is broken**"}.get(
            row.answers, "not reached"
        )
        why = f" ({escape.markdown(row.reason)})" if not pd.isna(row.reason) else ""
        shell = (
            "no shell could be started" if pd.isna(row.shell) else f"`{row.shell}` could be started"
        )
        lines.append(f"- {name(row.variant)} {answer}{why}; {shell}")
    note = (
        "Each was started with a read-only root, no capabilities, no new privileges and no way out "
        "to a network."
    )
    return "\n".join([*lines, "", note])


def layers(frame: pd.DataFrame) -> pd.DataFrame:
    """Return each variant's layers as a reader needs them, from the bottom up."""
    return frame[
        ["variant", "position", "created_by", "size_bytes", "compressed_bytes", "from_base"]
    ]
