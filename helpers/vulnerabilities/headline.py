"""What a published headline hides: the same findings counted in other ways."""

from collections.abc import Iterable

import pandas as pd

from helpers.answers.answer import Answer
from helpers.frames import Frames
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, listed, name, paragraph, say
from helpers.text.titles import begun
from helpers.vulnerabilities import counting, shown_counts
from helpers.vulnerabilities.lenses import PLAIN, Lens
from helpers.vulnerabilities.once import FINDINGS, VULNERABILITIES

PUBLISHED = msg("published findings")
SERIOUS = msg("findings rated HIGH or CRITICAL")
LATER = msg("findings, by the last capture")
WAYS: dict[str, Lens] = {
    msg("findings"): PLAIN,
    msg("vulnerabilities"): Lens(VULNERABILITIES),
    msg("findings with a fix"): Lens(FINDINGS, fixable=True),
    msg("vulnerabilities with a fix"): Lens(VULNERABILITIES, fixable=True),
}
"""How findings are counted beside the published number, in order."""

_MOST = 3
"""Images whose numbers a title names."""


def table(
    findings: pd.DataFrame, images: pd.DataFrame, published: pd.DataFrame, last: Frames | None
) -> pd.DataFrame:
    """Return what images have, counted in several ways: `counted, capture, variant, count`.

    The published numbers come first, if there are any, then `WAYS`, HIGH and CRITICAL ones, and
    those of the `last` capture if that is another one. A count is NA where nothing was measured.
    """
    is_total = published["metric"].eq("findings") & published["severity"].eq(counting.TOTAL)
    said = published[is_total][["variant", "value"]].rename(columns={"value": "count"})
    made = [said.assign(counted=PUBLISHED, capture="")] if len(said) else []
    for way, lens in WAYS.items():
        made.append(_totals(findings, images, lens).assign(counted=way))
    levels = counting.severity_counts(findings, images)
    serious = levels[levels["severity"].isin(["HIGH", "CRITICAL"])]
    made.append(_summed(serious).assign(counted=SERIOUS))
    if last is not None:
        made.append(_totals(last.findings, last.images, PLAIN).assign(counted=LATER))
    rows = pd.concat(made, ignore_index=True)[["counted", "capture", "variant", "count"]]
    return rows.astype({"counted": "str", "capture": "str", "variant": "str", "count": "Int64"})


def _totals(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    return _summed(counting.severity_counts(findings, images, lens))


def _summed(counts: pd.DataFrame) -> pd.DataFrame:
    return counting.totals(counts).rename(columns={"total": "count"})


def answer(
    findings: pd.DataFrame, images: pd.DataFrame, published: pd.DataFrame, last: Frames | None
) -> Answer:
    """Answer what is left of the findings of each image when they are counted in other ways."""
    made = table(findings, images, published, last)
    wide = made.pivot(index="counted", columns="variant", values="count")
    wide = wide.loc[[*dict.fromkeys(made["counted"])], [*images["variant"]]]
    first = wide.index[0]
    title = t(
        "{way}: {first}; with a fix {fixable}",
        way=begun(word(first)),
        first=_against(wide.loc[first]),
        fixable=_against(wide.loc["findings with a fix"]),
    )
    if LATER in wide.index:
        title += t("; by the last capture {later}", later=_against(wide.loc[LATER]))
    rated = findings[~findings["suppressed"].fillna(False).astype(bool)]["severity_source"]
    shown = wide.rename_axis(columns=None).reset_index()
    text = paragraph(judges(rated.astype("object").fillna(t("not named")).value_counts().items()))
    return Answer("headline", title, text, made, counted=PLAIN.label, shown=shown)


def _against(counts: pd.Series) -> str:
    """Return the counts of images, or where there are many the lowest and the highest."""
    if len(counts) <= _MOST:
        between = t(" against ") if len(counts) == 2 else ", "
        return between.join(shown_counts.shown(each) for each in counts)
    least, most = counts.min(), counts.max()
    known = shown_counts.shown(least)
    if pd.notna(least) and least < most:
        known = t("{least:,} to {most:,}", least=least, most=most)
    lost = int(counts.isna().sum())
    if lost and pd.notna(least):
        known += t(" ({lost} not measured)", lost=lost)
    return known


def judges(rated: Iterable[tuple[object, int]]) -> Phrase:
    """Return who rates the severities of findings, those that rate the most."""
    most = sorted(rated, key=lambda each: (-each[1], str(each[0])))[:4]
    return say(
        "Who rates the severities: {judges}.",
        judges=listed(
            say("{who} {count:,}", who=name(escape.short(who, 40)), count=count)
            for who, count in most
        )
        if most
        else t("not known"),
    )
