"""Which findings have a fix, and where their packages are."""

import pandas as pd

from helpers.answers.answer import Answer
from helpers.frames import PLACES
from helpers.text import escape
from helpers.text.i18n import msg, t
from helpers.text.rich import Phrase, Text, bullets, name, names, paragraph, say
from helpers.text.titles import Part, begun, fitted, part_of, unmeasured
from helpers.vulnerabilities import counting, lenses, shown_counts
from helpers.vulnerabilities.lenses import PLACE_NAMES, Lens

FIXABLE, UNFIXED = msg("fixable"), msg("unfixed")

BLIND = frozenset(
    "alma alpine amazon chainguard minimos opensuse opensuse-leap opensuse-tumbleweed oracle "
    "opensuse.leap opensuse.tumbleweed photon rocky slem sles suse wolfi".split()
) | {"suse linux enterprise micro", "suse linux enterprise server"}
"""Operating systems whose advisories, in Trivy's database, name only what has a fix.

Source: Trivy's pages on coverage, "Unfixed vulnerabilities". MinimOS publishes as Wolfi does."""

_PARTS = ["capture", "variant", "status", "part", "count"]


def split(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return fixable and unfixed counts: `capture, variant, status, part, count, blind`.

    Two rows an image. `blind`: the advisories for its operating system name only what has a fix, so
    unfixed vulnerabilities in its system packages cannot be seen. Where a lens counts each
    vulnerability once, one that is fixable in any package counts as fixable only.
    """
    blind = images["os_family"].isin(BLIND)
    about = images.assign(blind=blind)[["capture", "variant", "blind"]]
    whole = counting.image_counts(findings, images, lens._replace(fixable=False))
    fixed = counting.image_counts(findings, images, lens._replace(fixable=True))["count"]
    parts = [
        whole.assign(part=FIXABLE, count=fixed),
        whole.assign(part=UNFIXED, count=whole["count"] - fixed),
    ]
    return pd.concat(parts, ignore_index=True)[_PARTS].merge(about, on=["capture", "variant"])


def by_place(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return counts by place of the package: `capture, variant, status, part, count`.

    Three rows an image: `os`, `tools`, `app`; one under a lens of one place. A vulnerability in two
    places counts in both, so the parts add up to the total only under the lens `findings`.
    """
    parts = [
        counting.image_counts(findings, images, lens._replace(place=place)).assign(part=place)
        for place in PLACES
        if lens.place in ("", place)
    ]
    return pd.concat(parts, ignore_index=True)[_PARTS]


def answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer what has a fix, and which advisories omit unfixed vulnerabilities."""
    table = split(findings, images, lens)
    counted = lens._replace(fixable=False).label
    blind = table[table["blind"]]
    notes = dict.fromkeys(
        zip(blind["variant"], blind["capture"], strict=True),
        "\n" + t("unfixed in OS packages: unknown"),
    )
    kinds = {FIXABLE: FIXABLE, UNFIXED: UNFIXED}
    chart = shown_counts.stacked(table, "part", kinds, "fix", counted, notes=notes)
    wide = _wide(table)
    text = _blind(wide)
    return Answer("fixable-and-unfixed", _title(wide, lens), text, table, chart, counted)


def places_answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer where vulnerable packages are, and which findings come from the base."""
    table = by_place(findings, images, lens)
    chart = shown_counts.stacked(table, "part", PLACE_NAMES, "place", lens.label)
    counted = lenses.apply(findings, lens)
    text = bullets(
        name(image.variant) + ": " + _from_base(rows)
        for image in images.itertuples()
        if len(rows := counted[counted["variant"].eq(image.variant)])
    )
    return Answer("places", _places_title(table, lens.short), text, table, chart, lens.label)


def _title(wide: pd.DataFrame, lens: Lens) -> str:
    """Return how much of each image's count is fixable."""
    what = begun(lens._replace(fixable=True).short)
    parts = [
        _part(row.variant, row.fixable, row.fixable + row.unfixed, row.status)
        for row in wide.itertuples()
    ]
    return fitted(what, parts)


def _blind(wide: pd.DataFrame) -> Text:
    """Return which images' advisories omit unfixed vulnerabilities; empty for none."""
    if not (blind := names(wide[wide["blind"]])):
        return Text()
    return paragraph(
        say(
            "Advisories for {variants} omit unfixed vulnerabilities: **unknown, not zero**. "
            "Compare only the fixable ones.",
            variants=blind,
        )
    )


def _places_title(table: pd.DataFrame, what: str) -> str:
    """Return each image's count outside OS packages."""
    parts = []
    for variant, rows in table.groupby("variant", sort=False):
        count = rows.set_index("part")["count"]
        others = count.drop("os", errors="ignore").sum()
        parts.append(_part(variant, others, count.sum(min_count=1), rows["status"].iloc[0]))
    return fitted(begun(t("{what} outside OS packages", what=what)), parts)


def _from_base(findings: pd.DataFrame) -> Phrase | str:
    """Return how many of an image's findings come from its base."""
    known = findings["from_base"].dropna()
    if known.empty:
        return t("layers of the base unknown")
    text = say("{base:,} of {count:,} from the base", base=int(known.sum()), count=len(findings))
    if missing := len(findings) - len(known):
        text += say("; layer unknown: {count:,}", count=missing)
    return text


def _part(variant: object, part: int, whole: int, status: str) -> Part:
    """Return a part of an image's count, for a title."""
    odd = shown_counts.odd(status)
    if pd.isna(whole):
        return unmeasured(variant, odd)
    return part_of(escape.short(variant, 24), part, shown_counts.total(whole, status), odd)


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row an image: `capture, variant, status, blind, fixable, unfixed`."""
    keys = ["capture", "variant", "status", "blind"]
    wide = table.set_index([*keys, "part"])["count"].unstack()
    return table[keys].drop_duplicates().merge(wide.reset_index(), on=keys, validate="one_to_one")
