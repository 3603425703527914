"""The short list: which vulnerabilities to look at first, and why."""

from typing import Any

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.talk import RISK, Table, Talk
from helpers.risk import likelihood
from helpers.surface.app_process import APP, COULD_GO, DATA, NEEDED, UNSEEN
from helpers.text import escape
from helpers.text.i18n import Listing, Message, t, told
from helpers.text.rich import Text, name, number, paragraph, say
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import LIKELY_FROM, Lens

FIRST = 10
"""Rows that are shown: what one person can look at on a morning."""

_ON_SLIDE = 5

_NEEDS = (APP, NEEDED, UNSEEN, DATA, COULD_GO)
"""What the app's process needs, the most needed first."""

COLUMNS = [
    *("vulnerability_id", "package", "variants", "fixed_version", "place", "need", "why"),
    *("severity", "epss", "kev_added_at", "cvss_score"),
]


def short_list(
    findings: pd.DataFrame, needed: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM
) -> pd.DataFrame:
    """Return what to look at, one row a vulnerability and source package, the most urgent first.

    The columns of `COLUMNS`: `package`, `variants`, `fixed_version` and `place` are joined by `, `;
    `need` says whether the app's process loads the package, of `app_process.needs`; `why` are the
    reasons (a message). On the list is what is known to be exploited, what has an EPSS score from
    `least` on, and what is rated HIGH or CRITICAL, has a fix and no score. What is exploited comes
    first, then what has a fix, then what the app needs, then the higher score.
    """
    each = _judged(findings, lens, least)
    each = each[each["listed"]]
    keys = ["variant", "package", "package_path"]
    needs = needed[[*keys, "need"]].drop_duplicates(keys)
    each = each.merge(needs, "left", keys)
    each["need"] = each["need"].fillna(UNSEEN)
    groups = each.groupby(["vulnerability", "source"], sort=False)
    rows = [_row(group, least) for _, group in groups]
    table = pd.DataFrame(rows, columns=[*COLUMNS, "rank"])
    table = table.sort_values("rank", kind="stable", ignore_index=True)[COLUMNS]
    table["why"] = pd.Series([*table["why"]], dtype=object)
    table["kev_added_at"] = pd.to_datetime(table["kev_added_at"], utc=True)
    types = {"epss": "Float64", "cvss_score": "Float64", "severity": findings["severity"].dtype}
    return table.astype(types)


def left_out(findings: pd.DataFrame, lens: Lens, least: float = LIKELY_FROM) -> int:
    """Return how many HIGH and CRITICAL rows with a fix `short_list` leaves out."""
    each = _judged(findings, lens, least)
    is_serious = each["severity"].ge("HIGH") & each["fixed_version"].notna()
    return len(each[is_serious & ~each["listed"]][["vulnerability", "source"]].drop_duplicates())


def answer(
    findings: pd.DataFrame,
    images: pd.DataFrame,
    needed: pd.DataFrame,
    lens: Lens,
    least: float = LIKELY_FROM,
    most: int = FIRST,
) -> Answer:
    """Answer what to look at first, and why: `most` rows for readers, all in the table."""
    if not likelihood.looked_up(images).any():
        return Answer("look-at-first", counted=lens.label, lacks=likelihood.nothing_known())
    table = short_list(findings, needed, lens, least)
    talks = (_talk(table),) if len(table) else ()
    return Answer(
        "look-at-first",
        text=_text(table, left_out(findings, lens, least), least),
        table=table,
        # The reasons include the day of the catalog's entry.
        shown=table.head(most).drop(columns=["kev_added_at", "cvss_score"]),
        counted=lens.label,
        role=SLIDE,
        talks=talks,
    )


def _judged(findings: pd.DataFrame, lens: Lens, least: float) -> pd.DataFrame:
    """Return findings with `part`, `unscored`, `source` package, and `listed`: on the list."""
    each = lenses.each(findings, lens)
    part = likelihood.part(each, least, lens.known_by)
    serious = each["severity"].ge("HIGH") & each["fixed_version"].notna()
    unscored = part.eq(likelihood.UNSCORED) & serious & each["epss_day"].notna()
    return each.assign(
        part=part,
        unscored=unscored,
        listed=part.isin([likelihood.EXPLOITED, likelihood.LIKELY]) | unscored,
        source=each["source_package"].fillna(each["package"]),
    )


def _row(group: pd.DataFrame, least: float) -> tuple[Any, ...]:
    """Return the row of one vulnerability in one source package, and what it is ordered by."""
    first = group.iloc[0]
    fixes = _fixes(group)
    need = min(group["need"], key=_NEEDS.index)
    exploited = bool(group["part"].eq(likelihood.EXPLOITED).any())
    epss = group["epss"].max()
    rank = (not exploited, not fixes, _NEEDS.index(need), -epss if pd.notna(epss) else 1.0)
    return (
        first["vulnerability"],
        likelihood.joined(group["package"]),
        likelihood.joined(group["variant"]),
        fixes or None,
        likelihood.joined(group["place"]),
        need,
        _why(group, exploited, epss, least),
        group["severity"].max(),
        epss,
        group["kev_added_at"].min(),
        group["cvss_score"].max(),
        rank,
    )


def _fixes(group: pd.DataFrame) -> str:
    """Return the versions that fix it; of several, each with the images that it is for."""
    fixed = group.dropna(subset="fixed_version")
    by_version = {
        str(version): likelihood.joined(rows["variant"])
        for version, rows in fixed.groupby("fixed_version", sort=False)
    }
    if len(by_version) < 2:
        return "".join(by_version)
    return "; ".join(f"{version} ({variants})" for version, variants in by_version.items())


def _why(group: pd.DataFrame, exploited: bool, epss: Any, least: float) -> str:
    """Return why a vulnerability is on the list, as a message."""
    reasons: list[str] = []
    if exploited:
        since = group["kev_added_at"].min()
        reasons.append(Message("known to be exploited since {day}", day=f"{since:%Y-%m-%d}"))
    if pd.notna(epss) and epss >= least:
        reasons.append(Message("EPSS {score}", score=f"{epss:.2f}"))
    if group["unscored"].any():
        reasons.append(Message("{severity} with a fix, no score", severity=group["severity"].max()))
    return Listing(reasons)


def _first(table: pd.DataFrame) -> str:
    return t("Look at these first: {count}", count=number(len(table), "vulnerability"))


def _text(table: pd.DataFrame, left: int, least: float) -> Text:
    """Return how many are on the list, what puts one there, and how many serious ones are not."""
    head = name(_first(table)) + "."
    head += " " + say(
        "Listed: known to be exploited, EPSS ≥ {least:g}, or HIGH or CRITICAL with a fix and no "
        "score.",
        least=least,
    )
    if left:
        head += " " + say(
            "Not listed: {count} rated HIGH or CRITICAL with a fix and a lower score.",
            count=number(left, "vulnerability"),
        )
    return paragraph(head)


def _talk(table: pd.DataFrame) -> Talk:
    rows = [
        [
            escape.short(row.vulnerability_id, 22),
            escape.short(row.package, 24),
            escape.short(row.fixed_version, 24) if pd.notna(row.fixed_version) else t("none"),
            str(told(row.why)),
        ]
        for row in table.head(_ON_SLIDE).itertuples()
    ]
    head = [t("vulnerability"), t("package"), t("fix"), t("why")]
    spoken = (t("The others are not necessarily harmless."),)
    return Talk(
        RISK, _first(table), table=Table(head, rows, [0.2, 0.22, 0.24, 0.34]), spoken=spoken
    )
