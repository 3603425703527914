"""What two scanners say of one image: which vulnerabilities both found, and how each rates them."""

import pandas as pd

from helpers.frames import SEVERITY, TEXT, UNKNOWN_COUNT
from helpers.text.i18n import msg, t
from helpers.text.markdown import name

BOTH = msg("both")
SAME, DIFFERENTLY = msg("same"), msg("differently")

_IMAGE = ["capture", "variant"]
_ROW = [*_IMAGE, "vulnerability_id", "_alone"]

_Name = tuple[str, str, str]
"""An id or an alias in one image: its capture, its variant and itself."""


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
    without an id is the same as no other. A row is named by a CVE if it has one. Variants that one
    scanner alone looked at are left out: `images` tell who looked; without them, those did who
    found something, and an image that is clean to one of them is left out, too.
    """
    looked = findings if images is None else images[~images["status"].isin(UNKNOWN_COUNT)]
    scanners = looked[looked["scanner"].isin([first, second])].groupby(_IMAGE)["scanner"].nunique()
    by_both = scanners[scanners.eq(2)].reset_index()[_IMAGE]
    found = findings[findings["scanner"].isin([first, second])]
    found = found.merge(by_both, on=_IMAGE, validate="many_to_one")
    found = found.assign(
        vulnerability_id=_called(found),
        # What has no id is a row of its own.
        _alone=found.index.where(found["vulnerability_id"].isna(), -1),
        _image=found.groupby(_IMAGE, sort=False).ngroup(),
    )
    rows = found.groupby(_ROW, sort=False, dropna=False)
    table = pd.DataFrame(
        {
            "_image": rows["_image"].first(),
            "_severity": rows["severity"].max(),
            "packages": rows["package"].agg(lambda names: ", ".join(sorted(set(names.dropna())))),
        }
    )
    for scanner in (first, second):
        own = found[found["scanner"].eq(scanner)].groupby(_ROW, sort=False, dropna=False)
        table[scanner] = own.size().reindex(table.index).notna()
        table[f"{scanner}_severity"] = own["severity"].max().reindex(table.index).astype(SEVERITY)
    table = table.reset_index().sort_values(
        ["_image", "_severity", "vulnerability_id"], ascending=[True, False, True], kind="stable"
    )
    names = table[first].map({True: first, False: second}).mask(table[first] & table[second], BOTH)
    table = table.assign(found_by=names, rated=_rated(table, first, second))
    told = [*_IMAGE, "vulnerability_id", "found_by", f"{first}_severity", f"{second}_severity"]
    texts = dict.fromkeys(("vulnerability_id", "found_by", "rated", "packages"), TEXT)
    return table[[*told, "rated", "packages"]].astype(texts).reset_index(drop=True)


def summary(agreement: pd.DataFrame) -> pd.DataFrame:
    """Return how far two scanners agree: one row a capture and variant of an `agreement`.

    `capture, variant, both, only_trivy, only_grype, rated_differently`: numbers of vulnerabilities.
    """
    counted = {
        BOTH: agreement["found_by"].eq(BOTH),
        **{
            f"only_{scanner}": agreement["found_by"].eq(scanner) for scanner in _scanners(agreement)
        },
        "rated_differently": agreement["rated"].eq(DIFFERENTLY).fillna(False),
    }
    table = agreement[_IMAGE].assign(**counted).astype(dict.fromkeys(counted, "int64"))
    return table.groupby(_IMAGE, sort=False).sum().reset_index()


def sentence(agreement: pd.DataFrame) -> str:
    """Return how far two scanners agree, image by image."""
    if agreement.empty:
        return t(
            "No image here was looked at by two scanners, so nothing is known of what another "
            "would say. A study keeps a Grype report beside Trivy's: `grype` in its variants."
        )
    first, second = _scanners(agreement)
    lines = [
        t(
            "- {variant}: {both:,} found by both, {first_alone:,} by {first} alone, "
            "{second_alone:,} by {second} alone; {rated:,} of both rated differently",
            variant=name(row.variant),
            both=row.both,
            first=first.capitalize(),
            first_alone=getattr(row, f"only_{first}"),
            second=second.capitalize(),
            second_alone=getattr(row, f"only_{second}"),
            rated=row.rated_differently,
        )
        for row in summary(agreement).itertuples()
    ]
    note = t(
        "Two scanners read different advisories and match packages in different ways; what one "
        "alone finds is neither wrong nor right for that. Their counts are never added up."
    )
    return "\n".join([*lines, "", note])


def _scanners(agreement: pd.DataFrame) -> list[str]:
    return [c.removesuffix("_severity") for c in agreement if c.endswith("_severity")]


def _rated(table: pd.DataFrame, first: str, second: str) -> pd.Series:
    """Return whether severities are the same; a scanner that says UNKNOWN has not rated."""
    severities = [table[f"{scanner}_severity"] for scanner in (first, second)]
    both = [severity.notna() & severity.ne("UNKNOWN") for severity in severities]
    same = severities[0].eq(severities[1]).map({True: SAME, False: DIFFERENTLY})
    return same.where(both[0] & both[1])


def _called(found: pd.DataFrame) -> pd.Series:
    """Return the one name of each finding's vulnerability in its image; NA without an id."""
    above: dict[_Name, _Name] = {}

    def top(name: _Name) -> _Name:
        while name in above:
            # What is above is brought nearer on the way, so that no way gets long.
            above[name] = above.get(above[name], above[name])
            name = above[name]
        return name

    named = found.dropna(subset="vulnerability_id")
    for row in named[[*_IMAGE, "vulnerability_id", "aliases"]].drop_duplicates().itertuples():
        own = (row.capture, row.variant, row.vulnerability_id)
        for alias in row.aliases.split() if isinstance(row.aliases, str) else ():
            best, other = sorted((top(own), top((*own[:2], alias))), key=_rank)
            if best != other:
                above[other] = best
    names = zip(found["capture"], found["variant"], found["vulnerability_id"], strict=True)
    called = [top(name)[2] if isinstance(name[2], str) else None for name in names]
    return pd.Series(called, index=found.index, dtype=TEXT)


def _rank(name: _Name) -> tuple[bool, str]:
    """Return the order in which names are preferred: CVEs first."""
    return not name[2].startswith("CVE-"), name[2]
