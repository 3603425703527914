"""Which vulnerabilities the variants share."""

import pandas as pd

from helpers.answers.answer import Answer
from helpers.answers.chart_data import JOINED, MOST, OTHERS, Combination, Overlap, combined
from helpers.frames import SEVERITIES, SEVERITY, UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import Message, t, word
from helpers.text.rich import Text, number
from helpers.text.titles import first_fitting, is_whole
from helpers.vulnerabilities import lenses, once, shown_counts
from helpers.vulnerabilities.lenses import PLAIN, Lens

_SEVERITY_AT, _JOINED_AT, _VARIANTS_AT = 1, 2, 5
"""Places of columns in a listing: a variant may be named like any of them."""


def listing(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return one row a vulnerability: its id, highest severity, packages and where it is.

    `vulnerability_id, severity, variants, packages, fixed` and then a column a variant: how often
    the lens counts it there. `variants` joins those that have it; images of one capture. Of chosen
    severities it has those that are the highest of all images: what one image alone rates higher
    is not in that image alone.
    """
    measured = images[~images["status"].isin(UNKNOWN_COUNT)]["variant"].tolist()
    counted = lenses.apply(findings, lens._replace(severities=SEVERITIES))
    counted = counted[counted["variant"].isin(measured)]
    rows = counted.assign(vulnerability_id=ids(counted))
    counts = rows.groupby(["vulnerability_id", "variant"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=measured, fill_value=0).astype("int64")
    by_id = rows.groupby("vulnerability_id")
    each = rows.dropna(subset="package").drop_duplicates(["vulnerability_id", "package"])
    packages = each.sort_values("package").groupby("vulnerability_id")["package"].agg(", ".join)
    joined = [JOINED.join(counts.columns[row]) for row in counts.gt(0).to_numpy()]
    about = pd.DataFrame(
        {
            "severity": by_id["severity"].max().astype(SEVERITY),
            "variants": pd.Series(joined, index=counts.index, dtype="str"),
            "packages": packages.reindex(counts.index, fill_value=""),
            "fixed": rows["fixed_version"].notna().groupby(rows["vulnerability_id"]).any(),
        },
        index=counts.index,
    ).sort_values(["severity", "vulnerability_id"], ascending=[False, True])
    about = about[about["severity"].isin(lens.severities)]
    table = pd.concat([about, counts.loc[about.index]], axis=1)
    messages = {str(text): text for text in _made_up(counted).values()}
    shown = [messages.get(id_, id_) for id_ in table.index]
    table.insert(0, "vulnerability_id", pd.Series(shown, table.index, dtype=object), True)
    return table.reset_index(drop=True)


def combinations(listing: pd.DataFrame, most: int = MOST) -> pd.DataFrame:
    """Return how many vulnerabilities each combination of variants has, the largest first.

    `variants, vulnerabilities`, and a column a severity. Of many combinations the smallest are one
    row, `other combinations`.
    """
    rows = [
        (JOINED.join(found.members) or OTHERS, sum(found.counts), *reversed(found.counts))
        for found in _combined(listing, most)
    ]
    table = pd.DataFrame(rows, columns=["variants", "vulnerabilities", *SEVERITIES])
    numbers = dict.fromkeys(["vulnerabilities", *SEVERITIES], "int64")
    return table.astype({"variants": "str", **numbers})


def variants(listing: pd.DataFrame) -> list[str]:
    """Return the variants of a listing: those that were measured, in the study's order."""
    return [str(variant) for variant in listing.columns[_VARIANTS_AT:]]


def ids(findings: pd.DataFrame) -> pd.Series:
    """Return the vulnerability of each finding; one without an id is named by its row."""
    return findings["vulnerability"].fillna(pd.Series(_made_up(findings), dtype="str"))


def _made_up(findings: pd.DataFrame) -> dict[int, Message]:
    nameless = findings.index[findings["vulnerability"].isna()]
    return {row: Message("(no id) {row}", row=row) for row in nameless}


def ids_of(
    listing: pd.DataFrame, together: str = "", without: tuple[str, ...] = (), severity: str = ""
) -> pd.Series:
    """Return the ids of a listing that exactly some variants share, of a severity if one is named.

    `together` are their joined names; if empty, the ids that no combination of `without` has.
    """
    joined = listing.iloc[:, _JOINED_AT]
    chosen = joined.eq(together) if together else ~joined.isin(without)
    if severity:
        chosen &= listing.iloc[:, _SEVERITY_AT].eq(severity)
    return listing.iloc[:, 0][chosen]


def label(lens: Lens) -> str:
    """Return what an overlap counts: distinct vulnerabilities, under an otherwise equal lens."""
    return lens._replace(counted=once.VULNERABILITIES).label


def answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which combinations of variants share how many vulnerabilities."""
    table = listing(findings, images, lens)
    counted = label(lens)
    return Answer(
        "overlap",
        headline(table, lens),
        Text(),
        combinations(table),
        chart(table, counted),
        counted,
    )


def listing_answer(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Answer:
    """Answer which vulnerability is in which variant."""
    table = listing(findings, images, lens)
    # A column a variant says where each is; the joined names are for who filters the file.
    shown = table.iloc[:, [at for at in range(table.shape[1]) if at != _JOINED_AT]]
    return Answer("vulnerabilities", table=table, counted=lens.label, searchable=True, shown=shown)


def chart(listing: pd.DataFrame, counted: str, most: int = MOST) -> Overlap:
    """Return a listing's combinations of variants, counted by severity."""
    return Overlap(
        variants(listing),
        [(severity, word(text)) for severity, text in shown_counts.SEVERITY_NAMES.items()],
        _combined(listing, most),
        t("● only in these images"),
        shown_counts.number_of(counted),
    )


def headline(listing: pd.DataFrame, lens: Lens = PLAIN) -> str:
    """Return how many vulnerabilities all variants share, and how many each has alone."""
    found = variants(listing)
    if len(found) < 2:
        return t("Fewer than two images have counts.")
    alone, shared = _numbers(listing)
    most = sorted(range(len(found)), key=lambda place: -alone[place])[:2]
    parts = [
        t(
            "{count:,} in {variant} alone",
            count=alone[place],
            variant=escape.short(found[place], 24),
        )
        for place in most
    ]
    titles = []
    for whole in (_counted(len(listing), lens), number(len(listing), "vulnerability")):
        values = {"vulnerabilities": whole, "shared": shared, "variants": len(found)}
        head = t("{shared:,} of {vulnerabilities} in all {variants} images", **values)
        if all(map(is_whole, parts)):
            titles.append(f"{head}; {', '.join(parts)}")
        titles.append(f"{head}; {parts[0]}")
    return first_fitting(titles)


def _counted(count: int, lens: Lens) -> str:
    """Return so many of the vulnerabilities that a lens counts."""
    counted = lens._replace(counted=once.VULNERABILITIES)
    if counted.kind == PLAIN._replace(counted=once.VULNERABILITIES).kind:
        return number(count, "vulnerability")
    return t("{count:,} {what}", count=count, what=counted.one if count == 1 else counted.kind.told)


def _numbers(listing: pd.DataFrame) -> tuple[list[int], int]:
    """Return how many each variant has alone, and how many are in all."""
    there = listing.iloc[:, _VARIANTS_AT:].gt(0).to_numpy()
    alone = there[there.sum(axis=1) == 1]
    return alone.sum(axis=0).tolist(), int(there.all(axis=1).sum())


def _combined(listing: pd.DataFrame, most: int) -> list[Combination]:
    """Return the combinations of variants that have a vulnerability, the largest first.

    They are counted from CRITICAL to UNKNOWN. The smallest of more than `most` are one, the rest.
    """
    found = variants(listing)
    rows = listing.iloc[:, _VARIANTS_AT:].gt(0).to_numpy()
    members = (
        tuple(variant for variant, has in zip(found, row, strict=True) if has) for row in rows
    )
    severities = listing.iloc[:, _SEVERITY_AT]
    return combined(zip(members, severities, strict=True), SEVERITIES[::-1], most)
