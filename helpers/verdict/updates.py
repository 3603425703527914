"""What to do now: the packages to update, the version that fixes them, and who can do it."""

from datetime import date
from typing import Any

import pandas as pd

from helpers.answers.answer import TODO, Answer
from helpers.answers.talk import UPDATES, Table, Talk
from helpers.comparability import end_of_life
from helpers.frames import FLAG, SEVERITY, UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, Text, bullets, code, cut, listed, name, number, paragraph, say
from helpers.text.titles import begun
from helpers.verdict.decision import Decision
from helpers.vulnerabilities import lenses, once, overlap, versions

APP, ADDED, BASE, RUNTIME, TOOLS = "app", "added", "base", "runtime", "tools"
WHO = {
    APP: msg("the app's own packages"),
    ADDED: msg("packages that the Dockerfile installs"),
    BASE: msg("the base image (rebuild on a newer tag)"),
    RUNTIME: msg("the runtime (move to a newer release)"),
    TOOLS: msg("bundled tools (update or remove them)"),
}
"""Who can update a package, in the order in which a team can act, and what to do."""

_COUNTED = {
    APP: msg("{count} app packages"),
    ADDED: msg("{count} packages that the Dockerfile installs"),
    BASE: msg("{count} packages of the base image"),
    RUNTIME: msg("{count} of the runtime"),
    TOOLS: msg("{count} packages of bundled tools"),
}

_BINARY, _STANDARD_LIBRARY = "binary", "stdlib"
"""What scanners call a runtime: Grype a binary, Trivy the library that Go compiles in."""

_NAMED, _ROWS, _LINES = 5, 6, 2
"""At most: packages named in a sentence, rows on a slide, and release lines that are supported."""

_STEP = ["installed_version", "first_fixed_version", "vulnerability_ids"]
"""What packages share that are built from one source, as `libssl3` and `libcrypto3` are."""

_PACKAGE = ["capture", "variant", "who", "package", "installed_version"]


def table(findings: pd.DataFrame, packages: pd.DataFrame, lens: lenses.Lens) -> pd.DataFrame:
    """Return the packages with a fix: one row an image and version, the most urgent first.

    `capture, variant, who` (one of `WHO`), `package, installed_version, first_fixed_version` (the
    lowest that fixes all; NA: versions cannot be ordered), `severity` (the highest), `exploited`
    (whether one is known to be), `vulnerabilities` (their number), `vulnerability_ids`, `license`
    and `purl`.
    """
    every = lens._replace(counted=once.FINDINGS, fixable=True)
    counted = lenses.apply(findings, every)
    counted = counted.assign(who=_who(counted), id=overlap.ids(counted))
    rows = [
        {**dict(zip(_PACKAGE, key, strict=True)), **_update(group)}
        for key, group in counted.groupby(_PACKAGE, sort=False, dropna=False)
    ]
    columns = [*_PACKAGE, "first_fixed_version", "severity", "exploited", "vulnerabilities"]
    found = pd.DataFrame(rows, columns=[*columns, "vulnerability_ids", "purl"])
    found = found.astype({"severity": SEVERITY, "exploited": FLAG, "vulnerabilities": "Int64"})
    licences = packages.drop_duplicates(["capture", "variant", "purl"])
    licences = licences[["capture", "variant", "purl", "license"]].dropna(subset="purl")
    found = found.merge(licences, on=["capture", "variant", "purl"], how="left")
    order = found["who"].map({who: place for place, who in enumerate(WHO)})
    urgent = ["variant", "order", "exploited", "severity", "vulnerabilities", "package"]
    ascending = [True, True, False, False, False, True]
    found = found.assign(order=order).sort_values(urgent, ascending=ascending, kind="stable")
    return found.drop(columns="order").reset_index(drop=True)


def answer(
    findings: pd.DataFrame,
    images: pd.DataFrame,
    packages: pd.DataFrame,
    support: pd.DataFrame,
    decision: Decision,
    today: date,
) -> Answer:
    """Answer what to update in the recommended image, and in each other.

    `support` is `confounders.confounders` of the images.
    """
    found = table(findings, packages, decision.lens)
    status = dict(zip(images["variant"], images["status"], strict=True))
    ranked = [v for v in decision.ranked["variant"] if v in status]
    order = [*ranked, *(v for v in status if v not in ranked)]
    rank = found["variant"].map({variant: place for place, variant in enumerate(order)})
    found = found.assign(rank=rank).sort_values("rank", kind="stable")
    found = found.drop(columns="rank").reset_index(drop=True)
    first = order[0] if order else ""
    title = _title(found, first, status.get(first, ""))
    text = _first(found, first, status) if order else Text()
    text += _others(found, order, status)
    text += bullets(_base_lines(images, support, order[:1], today))
    talks = (_talk(found[found["variant"].eq(first)], title, first),) if first else ()
    return Answer(
        "updates",
        title,
        text,
        found,
        counted=decision.lens._replace(fixable=True).label,
        role=TODO,
        searchable=True,
        shown=found.drop(columns="capture"),
        talks=talks,
    )


def _who(findings: pd.DataFrame) -> pd.Series:
    """Return who can update the package of each finding."""
    who = findings["place"].map({"tools": TOOLS, "app": APP}).fillna(BASE)
    added = findings["place"].eq("os") & findings["from_base"].eq(False).fillna(False)
    runtime = findings["package_type"].eq(_BINARY) | findings["package"].eq(_STANDARD_LIBRARY)
    return who.mask(added, ADDED).mask(runtime.fillna(False), RUNTIME)


def _update(findings: pd.DataFrame) -> dict[str, Any]:
    """Return what a row of the table says of a package with findings."""
    worst = findings.sort_values("severity", ascending=False, kind="stable")
    ids = worst["id"].drop_duplicates()
    first = findings.iloc[0]
    scheme = versions.scheme(first["purl"], first["package_type"])
    fixes = [str(fix) for fix in findings["fixed_version"].drop_duplicates()]
    exploited = findings["exploited"]
    return {
        "first_fixed_version": versions.first_that_fixes(
            str(first["installed_version"]), fixes, scheme
        )
        or None,
        "severity": worst["severity"].iloc[0],
        "exploited": pd.NA if exploited.isna().all() else bool(exploited.fillna(False).any()),
        "vulnerabilities": len(ids),
        "vulnerability_ids": ", ".join(ids),
        "purl": first["purl"],
    }


def _title(found: pd.DataFrame, variant: str, status: str) -> str:
    rows = found[found["variant"].eq(variant)]
    short = escape.short(variant, 24)
    if status in UNKNOWN_COUNT or not variant:
        return t("What to update is not known")
    if rows.empty:
        return t("{variant}: no package has a known fix", variant=short)
    return t("{variant}: {packages} to update", variant=short, packages=_packages(rows))


def _first(found: pd.DataFrame, variant: str, status: dict[str, str]) -> Text:
    """Return what to update in the recommended image, a line for each who can do it."""
    rows = found[found["variant"].eq(variant)]
    if status[variant] in UNKNOWN_COUNT:
        return paragraph(name(variant) + ": " + t("not measured"))
    if rows.empty:
        return paragraph(say("Nothing in {variant} has a known fix.", variant=name(variant)))
    head = say(
        "In {variant}, {packages} have fixes for {count}.",
        variant=name(variant),
        packages=_packages(rows),
        count=number(_vulnerabilities(rows), "vulnerability"),
    )
    lines = []
    for who, group in rows.groupby("who", sort=False):
        alike = group.groupby(_STEP, sort=False, dropna=False)
        parts = cut([_step(rows) for _, rows in alike], _NAMED)
        lines.append(say("{who}: {steps}", who=begun(word(WHO[str(who)])), steps=listed(parts)))
    return paragraph(head) + bullets(lines)


def _step(rows: pd.DataFrame) -> Phrase:
    """Return one update, of packages that are built together, and whether it is urgent."""
    first = rows.iloc[0]
    to = first["first_fixed_version"]
    version = t("a newer version") if pd.isna(to) else to
    text = listed(map(name, rows["package"])) + f" {first['installed_version']} → {version}"
    is_urgent = rows["exploited"].fillna(False).any()
    return text + (" " + t("(known to be exploited)") if is_urgent else "")


def _others(found: pd.DataFrame, order: list[str], status: dict[str, str]) -> Text:
    """Return how many packages the other images have to update; the same as the first is said."""
    what = found.groupby("variant")[["package", "installed_version", "first_fixed_version"]]
    steps = {variant: frozenset(map(tuple, rows.fillna("").to_numpy())) for variant, rows in what}
    same, lines = [], []
    for variant in order[1:]:
        rows = found[found["variant"].eq(variant)]
        if status[variant] in UNKNOWN_COUNT:
            lines.append(name(variant) + ": " + t("not measured"))
        elif steps.get(variant) and steps[variant] == steps.get(order[0]):
            same.append(name(variant))
        elif rows.empty:
            lines.append(name(variant) + ": " + t("nothing with a known fix"))
        else:
            counts = rows["who"].value_counts(sort=False).items()
            parts = [t(_COUNTED[str(who)], count=count) for who, count in counts]
            lines.append(name(variant) + ": " + listed(parts))
    if same:
        lines.insert(0, say("The same in {variants}.", variants=listed(same)))
    return bullets(lines)


def _base_lines(
    images: pd.DataFrame, support: pd.DataFrame, variants: list[str], today: date
) -> list[Phrase]:
    """Return a line for the `FROM` of images: until when it is supported, or what is."""
    lines = []
    for image in images[images["variant"].isin(variants)].itertuples():
        row = support[support["variant"].eq(image.variant)].iloc[0]
        if pd.isna(image.base) or not image.base:
            continue
        ends = {
            row["os"]: row["os_end_of_life"],
            row["runtime"]: row["runtime_end_of_life"],
        }
        known = {str(what): end.date() for what, end in ends.items() if pd.notna(end)}
        if not known:
            continue
        what, end = min(known.items(), key=lambda each: each[1])
        values = {"base": code(f"FROM {image.base}"), "what": end_of_life.spelled(what)}
        if end >= today:
            lines.append(say("{base} is supported until {day} ({what}).", day=end, **values))
            continue
        line = say("Replace {base}: support of {what} ended on {day}.", day=end, **values)
        if newer := end_of_life.supported(end_of_life.named(what)[0], today)[:_LINES]:
            releases = (
                t("{release} until {day}", release=each.cycle, day=each.end_of_life)
                for each in newer
            )
            line += " " + say("Supported releases: {releases}.", releases=listed(releases))
        lines.append(line)
    return lines


def _talk(rows: pd.DataFrame, title: str, variant: str) -> Talk:
    """Return the slide of what to update in the recommended image."""
    if rows.empty:
        return Talk(
            UPDATES, title, paragraph(t("No package has a known fix.")), spoken=(title + ".",)
        )
    shown = rows.head(_ROWS)
    head = [t("package"), t("installed"), t("fixed in"), t("severity"), t("vulnerabilities")]
    cells = [
        [
            escape.short(row.package, 24),
            escape.short(row.installed_version, 18),
            "—" if pd.isna(row.first_fixed_version) else escape.short(row.first_fixed_version, 18),
            str(row.severity) + (" · " + t("exploited") if _is(row.exploited) else ""),
            str(row.vulnerabilities),
        ]
        for row in shown.itertuples()
    ]
    if len(rows) > len(shown):
        title = t("{title}, {shown} of them here", title=title, shown=len(shown))
    spoken = t(
        "In {variant}, {packages} can be updated now.",
        variant=escape.plain(variant),
        packages=_packages(rows),
    )
    return Talk(
        UPDATES, title, table=Table(head, cells, [0.3, 0.2, 0.2, 0.17, 0.13]), spoken=(spoken,)
    )


def _packages(rows: pd.DataFrame) -> str:
    return number(len(rows), "package")


def _vulnerabilities(rows: pd.DataFrame) -> int:
    return len({id_ for ids in rows["vulnerability_ids"] for id_ in ids.split(", ")})


def _is(flag: Any) -> bool:
    return pd.notna(flag) and bool(flag)
