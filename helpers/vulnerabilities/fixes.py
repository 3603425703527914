"""What of an image's findings a newer package would fix, and where unfixed ones cannot be seen."""

import pandas as pd

from helpers.frames import PLACES, UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import listed, name, number
from helpers.text.titles import Part, begun, fitted, odd, total
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import Lens

FIXABLE, UNFIXED = msg("fixable"), msg("unfixed")

BLIND = frozenset(
    "alma alpine amazon chainguard minimos opensuse opensuse-leap opensuse-tumbleweed oracle "
    "opensuse.leap opensuse.tumbleweed photon rocky slem sles suse wolfi".split()
) | {"suse linux enterprise micro", "suse linux enterprise server"}
"""Operating systems whose advisories, as Trivy has them, name only what has a fix: its pages on
what it covers, under "Unfixed vulnerabilities". MinimOS has advisories of the kind of Wolfi's."""


def split(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return fixable and unfixed counts: `capture, variant, status, part, count, blind`.

    Two rows an image. `blind`: the advisories for its operating system name only what has a fix,
    so that what is unfixed in its system packages cannot be seen. Under a lens that counts each
    vulnerability once, one that is fixable in any package is not unfixed too.
    """
    blind = images["os_family"].isin(BLIND)
    about = images.assign(blind=blind)[["capture", "variant", "blind"]]
    whole = _total(findings, images, lens._replace(fixable=False))
    fixed = _total(findings, images, lens._replace(fixable=True))
    parts = [
        whole.assign(part=FIXABLE, count=fixed["total"]),
        whole.assign(part=UNFIXED, count=whole["total"] - fixed["total"]),
    ]
    table = pd.concat(parts, ignore_index=True).merge(about, on=["capture", "variant"])
    return table[["capture", "variant", "status", "part", "count", "blind"]]


def headline(table: pd.DataFrame, lens: Lens) -> str:
    """Return how much of each image's count is fixable."""
    wide = _wide(table)
    what = begun(lens._replace(fixable=True).short)
    if wide[FIXABLE].isna().all():
        return f"{what}: {word(msg('nothing measured'))}"
    parts = [
        _part_of(row.variant, row.fixable, row.fixable + row.unfixed, row.status)
        for row in wide.itertuples()
    ]
    return fitted(what, parts)


def sentence(table: pd.DataFrame, lens: Lens) -> str:
    """Return how much of each image a newer package would fix, and where nothing else is seen."""
    wide = _wide(table)
    lines = []
    for row in wide.itertuples():
        if pd.isna(row.fixable):
            lines.append(f"- {name(row.variant)}: {word(msg('not measured'))}")
            continue
        told = t(
            "{fixable:,} fixable, {unfixed:,} unfixed", fixable=row.fixable, unfixed=row.unfixed
        )
        hidden = word(msg(", in system packages not observable")) if row.blind else ""
        lines.append(f"- {name(row.variant)}: {told}{hidden}")
    notes = [t("Counted: {lens}.", lens=lens._replace(fixable=False).label)]
    if blind := listed(name(row.variant) for row in wide[wide["blind"]].itertuples()):
        told = t(
            "The advisories for the operating system of {variants} name only what has a fix: what "
            "is unfixed there is **not observable**, not absent. Only the fixable parts can be "
            "held against each other.",
            variants=blind,
        )
        notes.append(told)
    return "\n".join([*lines, "", " ".join(notes)])


def by_place(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return counts by where packages sit: `capture, variant, status, part, count`.

    Three rows an image: `os`, `tools`, `app`. A vulnerability that sits in two places counts in
    both, so only under the lens `findings` the parts add up to the total.
    """
    parts = [
        _total(findings, images, lens._replace(place=place)).assign(part=place)
        for place in PLACES
        if not lens.place or place == lens.place
    ]
    table = pd.concat(parts, ignore_index=True).rename(columns={"total": "count"})
    return table[["capture", "variant", "status", "part", "count"]]


def place_headline(table: pd.DataFrame, lens: Lens) -> str:
    """Return how much of each image's count sits elsewhere than in OS packages."""
    sums = table.groupby("part")["count"].sum(min_count=1)
    what = lens.short
    if sums.isna().all():
        return t("Where packages sit ({counted}): nothing measured", counted=what)
    if not sums.drop("os", errors="ignore").fillna(0).any():
        return t("All sit in OS packages, as far as the reports go: {counted}", counted=what)
    parts = []
    for variant, rows in table.groupby("variant", sort=False):
        count = rows.set_index("part")["count"]
        others = count.drop("os", errors="ignore").sum()
        parts.append(_part_of(variant, others, count.sum(min_count=1), rows["status"].iloc[0]))
    return fitted(t("Not in OS packages ({counted})", counted=what), parts)


def base_sentence(findings: pd.DataFrame, images: pd.DataFrame) -> str:
    """Return how many findings came with the base image, and how many with what is built on it."""
    lines = []
    for image in images.itertuples():
        own = findings[findings["variant"].eq(image.variant)]
        known = own["from_base"].dropna()
        if image.status in UNKNOWN_COUNT:
            told = word(msg("not measured"))
        elif own.empty:
            told = word(msg("nothing found"))
        elif known.empty:
            told = word(
                msg("which layers are its base's is not known, so base and app are not told apart")
            )
        else:
            base = int(known.sum())
            told = t(
                "{base:,} of {findings} came with the base image, {rest:,} with the layers on top",
                base=base,
                findings=number(len(own), "finding"),
                rest=len(known) - base,
            )
            if missing := len(own) - len(known):
                told += t("; of {count:,} the layer is not known", count=missing)
        lines.append(f"- {name(image.variant)}: {told}")
    return "\n".join(lines)


def _part_of(variant: object, part: int, whole: int, status: str) -> Part:
    """Return how much of an image's count is of a kind, for a headline."""
    short = escape.short(variant, 24)
    if pd.isna(whole):
        return Part(t("{variant} not measured", variant=short), odd=odd(status))
    told = t("{variant} {part:,} of {whole}", variant=short, part=part, whole=total(whole, status))
    return Part(told, (part,), odd(status))


def _total(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    return counting.totals(counting.severity_counts(findings, images, lens))


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row an image: `capture, variant, status, blind, fixable, unfixed`."""
    keys = ["capture", "variant", "status", "blind"]
    wide = table.set_index([*keys, "part"])["count"].unstack()
    order = table[keys].drop_duplicates()
    return order.merge(wide.reset_index(), on=keys, validate="one_to_one")
