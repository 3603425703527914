"""What two scanners find in one image, and how each rates it."""

from collections import defaultdict
from typing import Any

import pandas as pd

from helpers.answers.answer import Answer
from helpers.comparability.agreement import shared
from helpers.frames import SEVERITY, TEXT, UNKNOWN_COUNT
from helpers.text import escape
from helpers.text.i18n import msg, t
from helpers.text.rich import Text, paragraph, say
from helpers.text.titles import fitted, part_of

BOTH = msg("both")
SAME, DIFFERENTLY = msg("same"), msg("differently")

NOT_SCANNED = msg("it looked at no packages of that kind")
NOT_LISTED = msg("not known: it lists only packages in which it found something")
OTHER_NAME = msg("it lists no package of that name")
OTHER_VERSION = msg("it lists the package in another version")
OTHER_JUDGE = msg("it goes by the advisories of another source")
OTHER_RANGE = msg("it has the package: its advisories, or their versions, are others")
REASONS = (OTHER_RANGE, OTHER_JUDGE, OTHER_VERSION, OTHER_NAME, NOT_LISTED, NOT_SCANNED)
"""Why a scanner does not find what another does, the nearest to finding it first."""

_GITHUB = {"github": "ghsa"}
"""Sources that another scanner names otherwise."""

_IMAGE = ["capture", "variant"]
_PACKAGE = ["package", "source_package"]
_ROW = [*_IMAGE, "vulnerability_id", "_alone"]


def agreement(
    findings: pd.DataFrame,
    first: str = "trivy",
    second: str = "grype",
    images: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one row a capture, variant and vulnerability that either of two scanners found.

    `capture, variant, vulnerability_id, found_by` (`both` or a scanner's name), `trivy_severity,
    grype_severity` (the highest that each gives it there; named after the scanners), `rated`
    (`same`, `differently`; NA where one alone found it, or did not rate it) and `packages`, joined;
    the severest come first.

    Vulnerabilities are the same if they share an id or an alias, also by way of a third; one
    without an id equals no other. A row is named by a CVE if it has one. Variants that only one
    scanner scanned are left out: `images` say which did. Without `images`, a scanner that found
    nothing counts as one that did not scan. One of which all findings are suppressed is left out;
    where only one scanner was told to suppress it, both have found it.
    """
    found = _found(findings, first, second, images)
    rows = found.groupby(_ROW, sort=False, dropna=False)
    table = pd.DataFrame(
        {
            "_image": rows["_image"].first(),
            "_severity": rows["severity"].max(),
            "packages": rows["package"].agg(lambda names: ", ".join(sorted(set(names.dropna())))),
        }
    )
    for scanner in (first, second):
        by_row = found[found["scanner"].eq(scanner)].groupby(_ROW, sort=False, dropna=False)
        severity = by_row["severity"].max().reindex(table.index)
        table[scanner] = by_row.size().reindex(table.index).notna()
        table[f"{scanner}_severity"] = severity.astype(SEVERITY)
    table = table.reset_index().sort_values(
        ["_image", "_severity", "vulnerability_id"], ascending=[True, False, True], kind="stable"
    )
    names = table[first].map({True: first, False: second}).mask(table[first] & table[second], BOTH)
    table = table.assign(found_by=names, rated=_rated(table, first, second))
    columns = [*_IMAGE, "vulnerability_id", "found_by", f"{first}_severity", f"{second}_severity"]
    texts = dict.fromkeys(("vulnerability_id", "found_by", "rated", "packages"), TEXT)
    return table[[*columns, "rated", "packages"]].astype(texts).reset_index(drop=True)


def summary(agreement: pd.DataFrame, first: str = "trivy", second: str = "grype") -> pd.DataFrame:
    """Return how many vulnerabilities two scanners found: a row an image of an `agreement`.

    `capture, variant, in_both, only_trivy, only_grype, rated_differently`.
    """
    counted = {
        "in_both": agreement["found_by"].eq(BOTH),
        **{f"only_{scanner}": agreement["found_by"].eq(scanner) for scanner in (first, second)},
        "rated_differently": agreement["rated"].eq(DIFFERENTLY).fillna(False),
    }
    table = agreement[_IMAGE].assign(**counted).astype(dict.fromkeys(counted, "int64"))
    return table.groupby(_IMAGE, sort=False).sum().reset_index()


def _found(
    findings: pd.DataFrame, first: str, second: str, images: pd.DataFrame | None
) -> pd.DataFrame:
    """Return what two scanners found in images that both scanned, if any of it is not suppressed.

    `vulnerability_id` is that of the vulnerability, `report_id` what the report names it by.
    """
    scanned = findings if images is None else images[~images["status"].isin(UNKNOWN_COUNT)]
    scanned = scanned[scanned["scanner"].isin([first, second])]
    scanners = scanned.groupby(_IMAGE)["scanner"].nunique()
    by_both = scanners[scanners.eq(2)].reset_index()[_IMAGE]
    found = findings[findings["scanner"].isin([first, second])]
    found = found.merge(by_both, on=_IMAGE, validate="many_to_one")
    found = found.assign(
        report_id=found["advisory_id"].fillna(found["vulnerability_id"]),
        own_id=found["vulnerability_id"],
        vulnerability_id=found["vulnerability"],
        # A finding without an id is a row of its own.
        _alone=found.index.where(found["vulnerability_id"].isna(), -1),
        _image=found.groupby(_IMAGE, sort=False).ngroup(),
    )
    stands = found.assign(stands=~found["suppressed"].fillna(False))
    by_row = stands.groupby(_ROW, sort=False, dropna=False)
    return found[by_row["stands"].transform("any").astype("bool")]


def jaccards(
    findings: pd.DataFrame,
    first: str = "trivy",
    second: str = "grype",
    images: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return how far two scanners agree on each image: Jaccard's index, 0 to 1, in four ways.

    `capture, variant`, and `by_id` (as the reports name what they found), `by_vulnerability` (ids
    that name each other are one), `by_cve` (the CVE ids of either, aliases too) and `by_package`
    (the source packages in which something was found); NA: neither found such a thing.
    """
    found = _found(findings, first, second, images)
    ids = found["own_id"].fillna("") + " " + found["aliases"].fillna("")
    cves = found.assign(cve=ids.astype("object").str.split()).explode("cve")
    cves = cves[cves["cve"].str.startswith("CVE-").fillna(False).astype(bool)]
    package = found["source_package"].fillna(found["package"]).str.lower()
    kinds = {
        "by_id": (found, "report_id"),
        "by_vulnerability": (found, "vulnerability_id"),
        "by_cve": (cves, "cve"),
        "by_package": (found.assign(package=package), "package"),
    }
    table = found[_IMAGE].drop_duplicates()
    for name, (rows, key) in kinds.items():
        each = shared(rows, _IMAGE, key, "scanner").rename(columns={"jaccard": name})
        table = table.merge(each[[*_IMAGE, name]], on=_IMAGE, how="left")
    return table.reset_index(drop=True)


def reasons(
    listing: pd.DataFrame,
    findings: pd.DataFrame,
    packages: pd.DataFrame,
    first: str = "trivy",
    second: str = "grype",
) -> pd.Series:
    """Return why only one scanner found each vulnerability of an `agreement`; NA: both did.

    One of `REASONS`, the nearest of all its packages. `packages` are those that scanners list, with
    the column `scanner`.
    """
    other = {first: second, second: first}
    seen: dict[tuple[Any, ...], _Seen] = defaultdict(_Seen)
    for row in packages[[*_IMAGE, "scanner", "package_type", *_PACKAGE, "version"]].itertuples():
        seen[row.capture, row.variant, row.scanner].add(row, row.version, lists=True)
    for row in findings.itertuples():
        found = seen[row.capture, row.variant, row.scanner]
        found.add(row, row.installed_version)
        found.judges.add((row.package_type, _judge(row.advisory_source)))
    of = findings.groupby([*_IMAGE, "scanner", "vulnerability"], sort=False, observed=True).groups
    because: list[str | None] = []
    for one in listing.itertuples():
        key = (one.capture, one.variant, one.found_by, one.vulnerability_id)
        if one.found_by not in other or key not in of:
            because.append(None)
            continue
        beside = seen[one.capture, one.variant, other[one.found_by]]
        whys = {beside.why(row) for row in findings.loc[of[key]].itertuples()}
        because.append(min(whys, key=REASONS.index))
    return pd.Series(because, listing.index, dtype=TEXT)


class _Seen:
    """What a scanner shows of an image: packages, versions, kinds, and whose advisories."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.versions: set[tuple[str, Any]] = set()
        self.kinds: set[Any] = set()
        self.judges: set[tuple[Any, str | None]] = set()
        self.lists = False

    def add(self, row: Any, version: Any, lists: bool = False) -> None:
        names = _names(row)
        self.names |= names
        self.versions |= {(name, version) for name in names}
        self.kinds.add(row.package_type)
        self.lists |= lists

    def why(self, row: Any) -> str:
        """Return why it does not have a finding of another scanner."""
        if row.package_type not in self.kinds:
            return NOT_SCANNED if self.lists else NOT_LISTED
        names = _names(row)
        if not names & self.names:
            return OTHER_NAME if self.lists else NOT_LISTED
        if not {(name, row.installed_version) for name in names} & self.versions:
            return OTHER_VERSION
        own = _judge(row.advisory_source)
        theirs = {who for kind, who in self.judges if kind == row.package_type and who}
        return OTHER_JUDGE if own and theirs and own not in theirs else OTHER_RANGE


def _names(row: Any) -> set[str]:
    return {each.lower() for each in (row.package, row.source_package) if isinstance(each, str)}


def _judge(source: Any) -> str | None:
    """Return whose advisory it is, of Trivy's source or Grype's namespace.

    >>> _judge("github:language:go"), _judge("debian:distro:debian:13")
    ('ghsa', 'debian')
    """
    name = source.partition(":")[0] if isinstance(source, str) else ""
    return _GITHUB.get(name, name) or None


def answer(findings: pd.DataFrame, images: pd.DataFrame) -> Answer:
    """Answer how far Trivy and Grype agree on the images that both scanned."""
    table = summary(agreement(findings, images=images))
    table = table.merge(jaccards(findings, images=images), on=_IMAGE, how="left")
    text = _text(table)
    lacks = text.plain if table.empty else ""
    return Answer("agreement", text=text, table=table, lacks=lacks)


def listing_answer(findings: pd.DataFrame, images: pd.DataFrame, packages: pd.DataFrame) -> Answer:
    """Answer which vulnerability Trivy and Grype found, and how each rates it."""
    table = agreement(findings, images=images)
    # Grype lists no packages.
    listed = packages.assign(scanner="trivy")
    table = table.assign(because=reasons(table, findings, listed))
    lacks = _text(summary(table)).plain if table.empty else ""
    return Answer("agreement-by-vulnerability", table=table, searchable=True, lacks=lacks)


def _text(summary: pd.DataFrame) -> Text:
    """Return how far Trivy and Grype agree, image by image."""
    if summary.empty:
        return paragraph(
            say("No image was scanned by both Trivy and Grype; a variant's `grype` names a report.")
        )
    parts = [
        part_of(
            escape.short(row.variant, 24),
            row.in_both,
            row.in_both + row.only_trivy + row.only_grype,
        )
        for row in summary.itertuples()
    ]
    text = fitted(t("Found by both scanners"), parts) + ". "
    text += t("What only one scanner finds may be right or wrong.")
    return paragraph(text)


def _rated(table: pd.DataFrame, first: str, second: str) -> pd.Series:
    """Return whether severities are the same; a scanner that says UNKNOWN has not rated."""
    severities = [table[f"{scanner}_severity"] for scanner in (first, second)]
    both = [severity.notna() & severity.ne("UNKNOWN") for severity in severities]
    same = severities[0].eq(severities[1]).map({True: SAME, False: DIFFERENTLY})
    return same.where(both[0] & both[1])
