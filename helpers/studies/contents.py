"""What a capture holds: made of what, what of each variant is missing, and what the images are."""

from pathlib import Path

import pandas as pd

from helpers import paths
from helpers.frames import FAILED
from helpers.images import file_inventory
from helpers.sizes.image_sizes import MB
from helpers.studies import package_files
from helpers.studies.study import Facts, Study, open_study
from helpers.text import escape, i18n
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import listed, name, names

OWNERS = msg("owners")
PARTS = {
    msg("report"): tuple(name for names in paths.REPORTS.values() for name in names),
    msg("image"): (paths.IMAGE,),
    msg("files"): (paths.FILES,),
    OWNERS: (paths.FILES,),
    msg("smoke"): (paths.SMOKE,),
    msg("build log"): (paths.LOG,),
}
"""Parts of a variant's evidence, and the files that each may be in."""

_WHY = {
    "sbom": msg("an SBOM lists packages only"),
    "report": msg("a report lists findings, and at best packages"),
    "archive": msg("an archive is neither built nor started"),
    "image": msg("nothing was built"),
}


_YES = msg("yes")


def facts(study: str, capture: str = "", source: str = "recorded", db: str = "") -> Facts:
    """Return what is recorded of a capture; with `source="live"` of a new one, made now.

    `db` is the folder of a vulnerability DB, for a new one. Raises the kit's errors.
    """
    opened = open_study(study)
    if source == "live":
        # Only now: whoever looks at what is recorded needs neither Docker nor what talks to it.
        from helpers.capture.session import capture as capture_now

        capture = capture_now(study, db=Path(db) if db else None).folder.name
    return opened.facts(capture)


def sources(study: Study, facts: Facts, images: pd.DataFrame) -> pd.DataFrame:
    """Return where each variant's evidence comes from: `variant, source, given, base, captured`."""
    rows = []
    bases = images.set_index("variant")["base"].dropna()
    for variant in study.variants:
        told = facts.variants.get(variant.name)
        state = word(told.status) if told else t("not in this capture")
        if told and told.unchanged_since:
            state = t("unchanged since {capture}", capture=told.unchanged_since)
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
                variant.base or bases.get(variant.name, t("not named")),
                state,
            )
        )
    return pd.DataFrame(rows, columns=["variant", "source", "given", "base", "captured"]).astype(
        "str"
    )


def parts(study: Study, facts: Facts) -> pd.DataFrame:
    """Return which parts of the evidence there are: `variant` and one column a part.

    A part that is missing says why; `image` is metadata and layers, `files` the file inventory,
    `owners` which OS packages these are of, `smoke` what became of the variant when it was started.
    """
    rows = []
    for variant in study.variants:
        folder = paths.evidence(study.name, facts.capture, variant.name)
        told = facts.variants.get(variant.name)
        why = dict(told.missing) if told else {}
        row = {"variant": variant.name}
        for part, files in PARTS.items():
            if any((folder / file).is_file() for file in files):
                row[part] = _unread(folder) if part == OWNERS else _YES
            elif told is None:
                row[part] = t("no: not in this capture")
            elif told.status == FAILED:
                row[part] = t("no: its capture failed")
            else:
                reason = why.get(part) or _WHY.get(variant.kind, msg("not captured"))
                row[part] = t("no: {why}", why=word(reason))
        rows.append(row)
    return pd.DataFrame(rows, columns=["variant", *PARTS]).astype("str")


def _unread(folder: Path) -> str:
    """Return whether the owners of an image's files are known, or why they are not."""
    manager = file_inventory.unread(file_inventory.read(folder / paths.FILES))
    if not manager:
        return _YES
    why = package_files.UNREAD.format(manager=manager)
    return t("no: {why}", why=i18n.said(why, [package_files.UNREAD]))


def same(images: pd.DataFrame) -> str:
    """Return which variants are one and the same image."""
    if len(images) < 2:
        return t("There is one variant only, so none is the same image as another.")
    known = images.dropna(subset="image_id")
    alike = [rows["variant"] for _, rows in known.groupby("image_id", sort=False) if len(rows) > 1]
    if not alike:
        return t("No two variants are the same image.")
    told = listed((listed(map(name, variants)) for variants in alike), "; ")
    return t(
        "The same image, so that any difference is only in its name: {variants}.", variants=told
    )


def failed(facts: Facts) -> str:
    """Return which variants failed and why, as a list."""
    lines = [
        f"- {name(variant)}: {_line(told.error)}"
        for variant, told in facts.variants.items()
        if told.status == FAILED
    ]
    if not lines:
        if len(facts.variants) == 1:
            return t("The one variant was captured.")
        return t("All {count} variants were captured.", count=len(facts.variants))
    return "\n".join([t("**Not captured, so nothing is known of them here:**"), "", *lines])


def started(images: pd.DataFrame) -> str:
    """Return which variants answered when they were started, and in which a shell could be."""
    tried = images[images["shell_starts"].notna()]
    if tried.empty:
        return t("No variant was started, so whether it works is not known.")
    lines = []
    for row in tried.itertuples():
        answer = _ANSWERS.get(row.answers, msg("not reached"))
        told = t(
            "- {variant} {answer}{why}; {shell}",
            variant=name(row.variant),
            answer=word(answer),
            why=f" ({_line(row.reason)})" if not pd.isna(row.reason) else "",
            shell=t("no shell could be started")
            if pd.isna(row.shell)
            else t("`{shell}` could be started", shell=row.shell),
        )
        lines.append(told)
    others = names(images[images["shell_starts"].isna()])
    if others:
        lines.append(t("- Not started, so not known to work: {variants}", variants=others))
    if tried["asked_by"].isin(["loopback", "none"]).all():
        note = t(
            "Each was started with a read-only root, no capabilities and no new privileges, and "
            "without a network but its own loopback."
        )
    else:
        note = t(
            "Each was started with a read-only root, no capabilities and no new privileges, on a "
            "network without a way out, on which it could still reach what listens on all "
            "addresses of the daemon's machine."
        )
    return "\n".join([*lines, "", note])


_ANSWERS = {True: msg("answered on its port"), False: msg("**is broken**")}


def identities(images: pd.DataFrame) -> pd.DataFrame:
    """Return which image each variant is: OS, platform, build time, user, id and sizes."""
    sizes = ["size_unpacked_bytes", "size_compressed_bytes"]
    table = images[["variant", "architecture", "created_at", "user", "image_id", "layers", *sizes]]
    # The first digits tell two images apart, as `docker images` shows them.
    short = table["image_id"].str.removeprefix("sha256:").str[:12]
    user = table["user"].replace("", t("root, as none is named"))
    table.insert(1, "os", images["os_family"] + " " + images["os_version"])
    return table.assign(image_id=short, user=user)


def sizes(images: pd.DataFrame) -> str:
    """Return what the sizes are sizes of."""
    parts = []
    for column, kinds in _SIZES.items():
        for kind, told in kinds.items():
            if (named := images[images[column].eq(kind)]).size:
                parts.append(f"{word(told)}: {listed(map(name, named['variant']))}.")
    return " ".join(parts) or t("No size was measured.")


_SIZES = {
    "size_unpacked_source": {
        "files": msg("Unpacked is the bytes of all files in all layers"),
        "tars": msg("Unpacked is the bytes of the layers' tars, as the scanner adds them up"),
    },
    "size_compressed_source": {
        "registry": msg("Compressed is what the registry states"),
        "archive": msg("Compressed is what the layers are in the archive that was read"),
        "gzip": msg(
            "Compressed is what gzip makes of the layers here; a registry's may differ by some"
        ),
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
        known = own["from_base"].dropna()
        if pd.isna(row.base):
            told = t("its base is not known, so its layers are not told apart")
        elif known.empty:
            told = t(
                "its layers are not told apart: `{base}` was not on the daemon, or is not what it "
                "was built on",
                base=row.base,
            )
        elif not known.any():
            told = t("it is built from scratch, so all layers are its own")
        else:
            told = t(
                "{of:,.1f} of {whole:,.1f} MB unpacked are the base's, `{base}`",
                of=of / MB,
                whole=whole / MB,
                base=row.base,
            )
            if len(known) < len(own):
                told += t("; above these it has changed since, and the rest is not told apart")
        lines.append(f"- {name(row.variant)}: {told}")
    if not lines:
        return t("No variant was taken apart, so nothing is known of layers.")
    return "\n".join(lines)


def learned(study: Study, facts: Facts) -> str:
    """Return what the other notebooks can and cannot tell of this capture."""
    table = parts(study, facts).set_index("variant")
    held = table.eq(_YES).sum()
    lines = [_part(part, int(held[part]), len(table)) for part in PARTS]
    return "\n".join([t("The evidence holds, by part:"), "", *lines])


def _part(part: str, held: int, count: int) -> str:
    """Return of how many variants there is a part of the evidence."""
    told = {"part": word(part), "count": count}
    if held == count:
        return t("- {part}: all of {count} variants", **told)
    if not held:
        return t("- {part}: none of {count} variants", **told)
    return t("- {part}: {held} of {count} variants", held=held, **told)
