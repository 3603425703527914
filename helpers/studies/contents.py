"""What a capture holds: the sources of its images, and which parts of the evidence exist."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import paths
from helpers.answers.answer import SUMMARY, Answer
from helpers.frames import FAILED
from helpers.images import package_files
from helpers.studies import load
from helpers.studies.study import Facts, Study
from helpers.text.i18n import Listing, Message, msg, t, word
from helpers.text.rich import (
    Phrase,
    Text,
    bullets,
    join,
    listed,
    marked,
    name,
    names,
    paragraph,
    say,
)
from helpers.text.units import MB

YES = msg("yes")
_OWNERS = msg("owners")
PARTS = {
    msg("report"): tuple(file for files in paths.REPORTS.values() for file in files),
    msg("image"): (paths.IMAGE,),
    msg("files"): (paths.FILES,),
    _OWNERS: (paths.FILES,),
    msg("smoke"): (paths.SMOKE,),
    msg("build log"): (paths.LOG,),
}
"""Parts of a variant's evidence, and the files that each may be in."""

_NOT_IN_SOURCE = {
    "sbom": msg("an SBOM lists only packages"),
    "report": msg("a report lists only findings and packages"),
    "archive": msg("nothing was built"),
    "image": msg("nothing was built"),
}
"""Why a kind of source lacks a part, where the capture does not say it."""

_SIZES = {
    "size_unpacked_source": {
        "files": msg("Unpacked: all files in all layers"),
        "tars": msg("Unpacked: the layers' tars, added up by the scanner"),
    },
    "size_compressed_source": {
        "registry": msg("Compressed: as the registry states"),
        "archive": msg("Compressed: the layers in the archive"),
        "gzip": msg("Compressed: by gzip here; a registry's sizes may differ slightly"),
    },
}
"""What a size is, by the code of how it was measured."""


def about_answer(study: Study) -> Answer:
    """Answer what a study's evidence is, in its author's words."""
    paragraphs = re.split(r"\n\s*\n", study.about.strip())
    text = join(paragraph(marked(lines)) for lines in paragraphs)
    return Answer("about", text=text, role=SUMMARY)


def sources_answer(study: Study, facts: Facts, images: pd.DataFrame) -> Answer:
    """Answer which variants a study has, and where the evidence of each comes from."""
    text = bullets(
        name(variant.name) + ": " + marked(variant.about)
        for variant in study.variants
        if variant.about
    )
    return Answer("sources", text=text, table=sources(study, facts, images))


def parts_answer(study: Study, facts: Facts) -> Answer:
    """Answer which parts of the evidence there are, and which variants failed and why."""
    table = parts(study, facts)
    return Answer("parts", text=_failed(facts), table=table, role=SUMMARY, shown=in_short(table))


def identities_answer(images: pd.DataFrame) -> Answer:
    """Answer which images these are, what their sizes are sizes of, and which are the same."""
    text = join(paragraph(part) for part in (_size_kinds(images), _same(images)) if part)
    return Answer("identities", text=text, table=identities(images))


def smoke_test_answer(images: pd.DataFrame) -> Answer:
    """Answer which variants answered when they were started, and in which a shell starts."""
    text = _started(images)
    lacks = text.plain if images["shell_starts"].isna().all() else ""
    return Answer("smoke-test", text=text, lacks=lacks)


def base_layers_answer(layers: pd.DataFrame, images: pd.DataFrame) -> Answer:
    """Answer which layers, and how much of each variant, come from its base image."""
    text = _from_base(layers, images)
    lacks = text.plain if layers.empty else ""
    return Answer("base-layers", text=text, table=base_layers(layers), lacks=lacks)


def held_answer(study: Study, facts: Facts) -> Answer:
    """Answer how many variants the capture holds each part of the evidence of."""
    table = parts(study, facts)
    parts_held = [_held(part, int(table[part].eq(YES).sum()), len(table)) for part in PARTS]
    return Answer("held", text=paragraph(listed(parts_held, "; ") + "."))


def not_shown_answer(study: Study) -> Answer:
    """Answer what a study's evidence cannot show, in its author's words."""
    text = paragraph(say("The study lists no gaps in its evidence."))
    if study.not_shown:
        text = paragraph(say("**Not measured in this study:**"))
        text += bullets(map(marked, study.not_shown))
    return Answer("not-shown", text=text)


def sources(study: Study, facts: Facts, images: pd.DataFrame) -> pd.DataFrame:
    """Return where each variant's evidence comes from: `variant, source, given, base, captured`."""
    bases = images.set_index("variant")["base"].dropna()
    rows = []
    for variant in study.variants:
        captured = facts.variants.get(variant.name)
        state = captured.status if captured else Message("not in this capture")
        if captured and captured.unchanged_since:
            state = Message("unchanged since {capture}", capture=captured.unchanged_since)
        if captured and "report" in captured.missing:
            state = Message("not scanned")
        given = variant.source
        if variant.kind not in ("dockerfile", "image"):
            given = given.rpartition("/")[2]
        base = variant.base or bases.get(variant.name, Message("not named"))
        rows.append((variant.name, variant.kind, given, base, state))
    columns = ["variant", "source", "given", "base", "captured"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def parts(study: Study, facts: Facts) -> pd.DataFrame:
    """Return which parts of the evidence there are: `variant` and one column a part.

    A missing part has the reason. `image` is metadata and layers, `files` the file inventory,
    `owners` which OS packages own the files, `smoke` the result of starting the image.
    """
    rows = []
    for variant in study.variants:
        folder = paths.evidence(study.name, facts.capture, variant.name)
        captured = facts.variants.get(variant.name)
        row: dict[str, str] = {"variant": variant.name}
        for part, files in PARTS.items():
            if any((folder / file).is_file() for file in files):
                row[part] = _owners(folder) if part == _OWNERS else YES
            elif captured is None:
                row[part] = Message("no: {why}", why=Message("not in this capture"))
            elif captured.status == FAILED:
                row[part] = Message("no: its capture failed")
            else:
                default = _NOT_IN_SOURCE.get(variant.kind, msg("not captured"))
                why = captured.missing.get(part) or default
                row[part] = Message("no: {why}", why=_verbatim(why))
        rows.append(row)
    return pd.DataFrame(rows, columns=["variant", *PARTS], dtype=object)


def in_short(table: pd.DataFrame) -> pd.DataFrame:
    """Return `parts` for readers, each reason once: `variant, there, not_there`."""
    rows = []
    for row in table.to_dict("records"):
        there = [Message(part) for part in PARTS if row[part] == YES]
        lacking: dict[Message, list[Message]] = {}
        for part in PARTS:
            if row[part] != YES:
                lacking.setdefault(row[part], []).append(Message(part))
        reasons = [
            Message("{parts} ({why})", parts=Listing(names), why=why.values.get("why", why))
            for why, names in lacking.items()
        ]
        rows.append((row["variant"], Listing(there), Listing(reasons, "; ")))
    return pd.DataFrame(rows, columns=["variant", "there", "not_there"], dtype=object)


def identities(images: pd.DataFrame) -> pd.DataFrame:
    """Return which image each variant is: OS, platform, build time, user, id and sizes (bytes)."""
    sizes = ["size_unpacked_bytes", "size_compressed_bytes"]
    table = images[["variant", "architecture", "created_at", "user", "image_id", "layers", *sizes]]
    # The first digits tell two images apart, as `docker images` shows them.
    short = table["image_id"].str.removeprefix("sha256:").str[:12]
    root = Message("root, as none is named")
    users = pd.Series([root if user == "" else user for user in table["user"]], dtype=object)
    table.insert(1, "os", images["os_family"] + " " + images["os_version"])
    return table.assign(image_id=short, user=users.array)


def base_layers(layers: pd.DataFrame) -> pd.DataFrame:
    """Return each variant's layers from the bottom up, with instructions as a reader needs them."""
    # The classic builder's words for "not run", and digests as long as `docker images` shows them.
    command = layers["created_by"].str.replace(r"^\S*sh -c #\(nop\) +", "", regex=True)
    command = command.str.replace(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1", regex=True).str.strip()
    columns = ["variant", "position", "created_by", "size_bytes", "compressed_bytes", "from_base"]
    return layers.assign(created_by=command)[columns]


def _owners(folder: Path) -> str:
    """Return whether the owners of an image's files are known, or why not all are."""
    owned = load.owned(folder)
    if not owned.maybe_of:
        return YES
    some_are_known = any(file.package for file in owned.files)
    why = package_files.why_unknown(owned.maybe_of, some_are_known)
    if some_are_known:
        return Message("in part: {why}", why=why)
    return Message("no: {why}", why=why)


def _verbatim(text: str) -> Message:
    """Return a capture's words as a message; a brace in them is no field."""
    return Message(text.replace("{", "{{").replace("}", "}}"))


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


def _failed(facts: Facts) -> Text:
    """Return which variants failed and why, as a list."""
    lines = [
        name(variant) + f": {_one_line(captured.error)}"
        for variant, captured in facts.variants.items()
        if captured.status == FAILED
    ]
    if lines:
        return paragraph(say("**Not captured:**")) + bullets(lines)
    return paragraph(say("All images were captured ({count}).", count=len(facts.variants)))


def _size_kinds(images: pd.DataFrame) -> Phrase:
    """Return what the sizes are sizes of."""
    parts = [
        word(kind) + ": " + names(measured) + "."
        for column, kinds in _SIZES.items()
        for source, kind in kinds.items()
        if len(measured := images[images[column].eq(source)])
    ]
    return listed(parts, " ") or say("No size was measured.")


def _same(images: pd.DataFrame) -> Phrase:
    """Return which variants are one and the same image."""
    by_id = images.dropna(subset="image_id").groupby("image_id", sort=False)
    alike = [names(variants) for _, variants in by_id if len(variants) > 1]
    if not alike:
        return Phrase()
    return say("The same image under several names: {variants}.", variants=listed(alike, "; "))


def _started(images: pd.DataFrame) -> Text:
    """Return which variants answered when they were started, and which shell started, as a list."""
    tried = images[images["shell_starts"].notna()]
    if tried.empty:
        return paragraph(say("No image was started."))
    lines = [
        say(
            "{variant} {answer}{why}; shell: {shell}",
            variant=name(row.variant),
            answer=_answered(row.answers),
            why="" if pd.isna(row.reason) else f" ({_one_line(row.reason)})",
            shell=t("none") if pd.isna(row.shell) else name(row.shell),
        )
        for row in tried.itertuples()
    ]
    if others := names(images[images["shell_starts"].isna()]):
        lines.append(say("Not started: {variants}", variants=others))
    note = t(
        "Each was started with a read-only root, no capabilities, no new privileges and no route "
        "to the internet."
    )
    return bullets(lines) + paragraph(note)


def _answered(answers: object) -> Phrase:
    """Return whether a variant that was started answered; NA: the test could not reach it."""
    if pd.isna(answers):
        return say("could not be tested")
    return say("answers on its port") if answers else say("**is broken**")


def _from_base(layers: pd.DataFrame, images: pd.DataFrame) -> Text:
    """Return how much of each variant comes from its base image, as a list."""
    by_variant = dict(iter(layers.groupby("variant", sort=False)))
    lines = [
        name(row.variant) + ": " + _base_part(row.base, by_variant[row.variant])
        for row in images.itertuples()
        if row.variant in by_variant
    ]
    if not lines:
        return paragraph(say("No layers were read."))
    return bullets(lines)


def _base_part(base: Any, layers: pd.DataFrame) -> Phrase:
    """Return how much of one variant's layers is the base's."""
    known = layers["from_base"].dropna()
    if pd.isna(base) or known.empty:
        return say("the layers of its base are not known")
    text = say(
        "{part:,.1f} of {whole:,.1f} MB unpacked come from `{base}`",
        part=layers[layers["from_base"].fillna(False)]["size_bytes"].sum() / MB,
        whole=layers["size_bytes"].sum() / MB,
        base=base,
    )
    if len(known) < len(layers):
        text += say("; the base has changed since, so there may be more")
    return text


def _held(part: str, held: int, count: int) -> Phrase:
    """Return how many variants a part of the evidence is there of."""
    return say("{part}: {held} of {count} images", part=word(part), held=held, count=count)
