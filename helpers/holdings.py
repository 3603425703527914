"""What a capture holds: made of what, when, with what, and what of each variant is missing."""

from pathlib import Path

import pandas as pd

from helpers import escape, frames, paths
from helpers.frames import FAILED
from helpers.sizes import MB
from helpers.study import Facts, Study, open_study
from helpers.words import name

PARTS = {
    "report": tuple(name for names in paths.REPORTS.values() for name in names),
    "image": (paths.IMAGE,),
    "files": (paths.FILES,),
    "smoke": (paths.SMOKE,),
    "build log": (paths.LOG,),
}
"""Parts of a variant's evidence, and the files that each may be in."""

_WHY = {
    "sbom": "an SBOM lists packages only",
    "report": "a report lists findings, and at best packages",
    "archive": "an archive is neither built nor started",
    "image": "nothing was built",
}


def facts(study: str, capture: str = "", source: str = "recorded", db: str = "") -> Facts:
    """Return what is recorded of a capture; with `source="live"` of a new one, made now.

    `db` is the folder of a vulnerability DB, for a new one. Raises the kit's errors.
    """
    opened = open_study(study)
    if source == "live":
        # Only now: whoever looks at what is recorded needs neither Docker nor what talks to it.
        from helpers.capture import capture as capture_now

        capture = capture_now(study, db=Path(db) if db else None).folder.name
    return opened.facts(capture)


def sources(study: Study, facts: Facts, images: pd.DataFrame) -> pd.DataFrame:
    """Return where each variant's evidence comes from: `variant, source, given, base, captured`."""
    rows = []
    bases = images.set_index("variant")["base"].dropna()
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
        rows.append(
            (
                variant.name,
                variant.kind,
                given,
                variant.base or bases.get(variant.name, "not named"),
                state,
            )
        )
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
    known = "no database of its own"
    if db.updated_at:
        origin = f" from {escape.markdown(db.origin)}" if db.origin else ""
        known = f"the database of {db.updated_at:%Y-%m-%d}{origin}"
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
        kind, engine, store, platform = (
            built.get(name, "unknown") for name in ("builder", "engine", "store", "platform")
        )
        text += (
            f" Images were built by the {kind} builder of Docker {engine} ({store} store, "
            f"{platform}); another builder gives other layers."
        )
    return text


def same(images: pd.DataFrame) -> str:
    """Return which variants are one and the same image."""
    known = images.dropna(subset="image_id")
    alike = [rows["variant"] for _, rows in known.groupby("image_id", sort=False) if len(rows) > 1]
    if not alike:
        return "No two variants are the same image."
    listed = "; ".join(", ".join(map(name, variants)) for variants in alike)
    return f"The same image, so that any difference is only in its name: {listed}."


def failed(facts: Facts) -> str:
    """Return which variants failed and why, as a list."""
    lines = [
        f"- {name(variant)}: {_line(told.error)}"
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
        why = f" ({_line(row.reason)})" if not pd.isna(row.reason) else ""
        shell = (
            "no shell could be started" if pd.isna(row.shell) else f"`{row.shell}` could be started"
        )
        lines.append(f"- {name(row.variant)} {answer}{why}; {shell}")
    others = images[images["shell_starts"].isna()]["variant"]
    if len(others):
        lines.append(f"- Not started, so not known to work: {', '.join(map(name, others))}")
    note = "Each was started with a read-only root, no capabilities and no new privileges"
    if tried["asked_by"].isin(["loopback", "none"]).all():
        note += ", and without a network but its own loopback."
    else:
        note += (
            ", on a network without a way out, on which it could still reach what listens on all "
            "addresses of the daemon's machine."
        )
    return "\n".join([*lines, "", note])


def when(study: Study) -> pd.DataFrame:
    """Return the study's captures, oldest first: with what each was made, and how it went."""
    rows = []
    for told in map(study.facts, study.captures()):
        captured = sum(variant.status != FAILED for variant in told.variants.values())
        of = f"{captured} of {len(told.variants)}"
        scanner = f"{told.scanner} {told.scanner_version}".strip()
        rows.append((told.capture, told.captured_at, scanner, told.db.updated_at, of))
    columns = ["capture", "captured_at", "scanner", "db_updated_at", "variants"]
    table = pd.DataFrame(rows, columns=columns)
    times = dict.fromkeys(("captured_at", "db_updated_at"), frames.TIME)
    return table.astype({"capture": "str", "scanner": "str", "variants": "str", **times})


def identities(images: pd.DataFrame) -> pd.DataFrame:
    """Return which image each variant is: OS, platform, build time, user, id and sizes."""
    sizes = ["size_unpacked_bytes", "size_compressed_bytes"]
    table = images[["variant", "architecture", "created_at", "user", "image_id", "layers", *sizes]]
    # The first digits tell two images apart, as `docker images` shows them.
    short = table["image_id"].str.removeprefix("sha256:").str[:12]
    user = table["user"].replace("", "root, as none is named")
    table.insert(1, "os", images["os_family"] + " " + images["os_version"])
    return table.assign(image_id=short, user=user)


def sizes(images: pd.DataFrame) -> str:
    """Return what the sizes are sizes of."""
    parts = []
    for column, kinds in _SIZES.items():
        for kind, told in kinds.items():
            if (named := images[images[column].eq(kind)]).size:
                parts.append(f"{told}: {', '.join(map(name, named['variant']))}.")
    return " ".join(parts) or "No size was measured."


_SIZES = {
    "size_unpacked_source": {
        "files": "Unpacked is the bytes of all files in all layers",
        "tars": "Unpacked is the bytes of the layers' tars, as the scanner adds them up",
    },
    "size_compressed_source": {
        "registry": "Compressed is what the registry states",
        "archive": "Compressed is what the layers are in the archive that was read",
        "gzip": "Compressed is what gzip makes of the layers here; a registry's may differ by some",
    },
}


def _line(text: object) -> str:
    """Return what a program said, on one line, for Markdown."""
    return escape.markdown(" ".join(str(text).split()))


def layers(frame: pd.DataFrame) -> pd.DataFrame:
    """Return each variant's layers as a reader needs them, from the bottom up."""
    told = ["size_bytes", "compressed_bytes", "from_base"]
    # The classic builder's words for "not run", and digests as long as `docker images` shows them.
    command = frame["created_by"].str.replace(r"^\S*sh -c #\(nop\) +", "", regex=True)
    command = command.str.replace(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1", regex=True).str.strip()
    return frame.assign(created_by=command)[["variant", "position", "created_by", *told]]


def of_base(layers: pd.DataFrame, images: pd.DataFrame) -> str:
    """Return how much of each variant is its base image's, as a list."""
    lines = []
    for row in images.itertuples():
        own = layers[layers["variant"].eq(row.variant)]
        if own.empty:
            continue
        whole = own["size_bytes"].sum()
        of = own[own["from_base"].fillna(False)]["size_bytes"].sum()
        if own["from_base"].isna().all():
            told = "its base is not known, so its layers are not told apart"
        elif not own["from_base"].any():
            told = f"no layer is that of `{row.base}`: it was built on another one, or squashed"
        else:
            told = f"{of / MB:,.1f} of {whole / MB:,.1f} MB unpacked are the base's, `{row.base}`"
        lines.append(f"- {name(row.variant)}: {told}")
    if not lines:
        return "No variant was taken apart, so nothing is known of layers."
    return "\n".join(lines)


def learned(study: Study, facts: Facts) -> str:
    """Return what the other notebooks can and cannot tell of this capture."""
    table = parts(study, facts).set_index("variant")
    held = table.eq("yes").sum()
    lines = [
        f"- {part}: {'all' if held[part] == len(table) else held[part] or 'none'} "
        f"of {len(table)} variants"
        for part in PARTS
    ]
    return "\n".join(["The evidence holds, by part:", "", *lines])
