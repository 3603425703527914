"""Comparisons, from frames to tidy frames; every variant and severity keeps its row."""

from collections.abc import Sequence

import pandas as pd

from helpers.errors import ParameterInvalid
from helpers.frames import BROKEN, SEVERITIES, SEVERITY, UNKNOWN_COUNT, Frames

FINDINGS, VULNERABILITIES = "findings", "vulnerabilities"
LENSES = (FINDINGS, VULNERABILITIES)
LENS_COLUMNS = {
    FINDINGS: (FINDINGS, False),
    VULNERABILITIES: (VULNERABILITIES, False),
    f"fixable_{FINDINGS}": (FINDINGS, True),
    f"fixable_{VULNERABILITIES}": (VULNERABILITIES, True),
}
"""Columns of `totals_by_lens`, each with its lens and whether only the fixable count."""

TOTAL = "TOTAL"
UNPACKED, COMPRESSED, PUBLISHED = "unpacked", "compressed", "published"
SIZES = (UNPACKED, COMPRESSED, PUBLISHED)
MB = 1_000_000
"""Bytes of a megabyte, as `docker images` and registries print it (SI)."""

_ORIGINS = {
    "files": "the files of all layers",
    "tars": "the layers' tars, as the scanner adds them up",
    "registry": "the registry's manifest",
    "archive": "the layers in the archive",
    "gzip": "the layers, gzipped here",
}
"""Where a size comes from, in words."""

_IMAGE = ["capture", "variant"]


def overview(images: pd.DataFrame) -> pd.DataFrame:
    """Return what a reader must know of each image: the telling columns of `images`."""
    told = ["os_family", "os_version", "os_eol", "packages", "scanner_version", "db_updated_at"]
    return images[["variant", "capture", "source", *told, "scanned_at", "status"]]


def severity_counts(
    findings: pd.DataFrame,
    images: pd.DataFrame,
    lens: str = FINDINGS,
    fixable: bool = False,
) -> pd.DataFrame:
    """Return counts by severity: `capture, variant, status, severity, count`, five rows an image.

    Lens `vulnerabilities` counts each id once an image, at its highest severity there (a finding
    without an id counts as one); `fixable` counts only findings with a fixed version. The count is
    NA for images whose vulnerabilities nobody looked for, and 0 for clean ones. Raises
    `ParameterInvalid` for another lens and for a `fixable` that is not a bool.
    """
    if lens not in LENSES:
        raise ParameterInvalid(f"lens {lens!r} is none of {', '.join(LENSES)}")
    if not isinstance(fixable, bool):
        raise ParameterInvalid(f"fixable {fixable!r} is not a bool: write True or False")
    counted = findings[findings["fixed_version"].notna()] if fixable else findings
    if lens == VULNERABILITIES:
        counted = vulnerabilities(counted)
    levels = pd.DataFrame({"severity": pd.Series(SEVERITIES, dtype="str")})
    every = images[[*_IMAGE, "status"]].merge(levels, how="cross")
    keys = [*_IMAGE, "severity"]
    found = counted.astype({"severity": "str"}).groupby(keys).size().rename("count").astype("Int64")
    # One row an image and severity, whatever was found.
    counts = every.merge(found.reset_index(), how="left", on=keys, validate="one_to_one")
    count = counts["count"].fillna(0).mask(counts["status"].isin(UNKNOWN_COUNT))
    return counts.assign(count=count).astype({"severity": SEVERITY})


def vulnerabilities(findings: pd.DataFrame) -> pd.DataFrame:
    """Return one row an image and vulnerability id: the finding with the highest severity."""
    # A finding without an id cannot be shown to be the same as another: it stays its own.
    ids = findings["vulnerability_id"]
    keys = ids.where(ids.notna(), "row " + findings.index.astype("str"))
    ordered = findings.assign(key=keys).sort_values("severity", ascending=False, kind="stable")
    return ordered.drop_duplicates([*_IMAGE, "key"]).drop(columns="key").sort_index()


def totals(counts: pd.DataFrame) -> pd.DataFrame:
    """Return `capture, variant, status, total` of severity counts; NA if not measured."""
    grouped = counts.groupby([*_IMAGE, "status"], sort=False)["count"]
    return grouped.sum(min_count=1).rename("total").reset_index()


def totals_by_lens(findings: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return what an image's total is under each lens.

    One row an image: `capture, variant, findings, vulnerabilities, fixable_findings,
    fixable_vulnerabilities, status`, NA where nothing was measured.
    """
    table = images[_IMAGE].reset_index(drop=True)
    for column, (lens, fixable) in LENS_COLUMNS.items():
        table[column] = totals(severity_counts(findings, images, lens, fixable))["total"]
    return table.assign(status=images["status"].array)


def reproduction(counts: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return published findings beside counted ones: `variant, severity, published, reproduced`.

    A row for each severity that was published and one for `TOTAL`; `counts` are of one capture.
    """
    wanted = published[published["metric"].eq("findings")]
    summed = totals(counts).rename(columns={"total": "count"}).assign(severity=TOTAL)
    both = pd.concat([counts.astype({"severity": "str"}), summed])
    table = wanted[["variant", "severity"]].assign(published=wanted["value"].astype("Int64"))
    found = both[["variant", "severity", "count"]].rename(columns={"count": "reproduced"})
    return table.merge(found, how="left", on=["variant", "severity"], validate="one_to_one")


def across_captures(findings: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return the same images under each capture: lens totals with `db_updated_at` and `os_eol`."""
    about = images[[*_IMAGE, "os_family", "os_version", "os_eol", "db_updated_at"]]
    table = totals_by_lens(findings, images).merge(about, on=_IMAGE, validate="one_to_one")
    return table.sort_values(["variant", "capture"], kind="stable", ignore_index=True)


def moved(frames: Frames) -> pd.DataFrame:
    """Return how many vulnerability ids came and went between the first and the last capture.

    One row a variant that was measured in both: `variant, earlier, later, appeared, gone, stayed,
    same_packages`; the last is NA if a report lists no packages.
    """
    ids = frames.findings.groupby(_IMAGE)["vulnerability_id"].agg(set).to_dict()
    installed = frames.packages.assign(
        named=frames.packages["package"] + " " + frames.packages["version"]
    )
    packages = installed.groupby(_IMAGE)["named"].agg(set).to_dict()
    rows = []
    measured = frames.images[~frames.images["status"].isin(UNKNOWN_COUNT)]
    by_variant = measured.sort_values("capture").groupby("variant", sort=False)
    for variant, captures in by_variant["capture"]:
        pair = (captures.iloc[0], variant), (captures.iloc[-1], variant)
        before, after = (ids.get(image, set()) for image in pair)
        if pair[0] != pair[1]:
            numbers = (len(after - before), len(before - after), len(before & after))
            known = all(image in packages for image in pair)
            same = packages[pair[0]] == packages[pair[1]] if known else pd.NA
            rows.append((variant, pair[0][0], pair[1][0], *numbers, same))
    columns = ["variant", "earlier", "later", "appeared", "gone", "stayed", "same_packages"]
    return pd.DataFrame(rows, columns=columns).astype({"same_packages": "boolean"})


def sizes(images: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return every size that is known or could be: `variant, kind, bytes, origin, status`.

    `kind` is `unpacked`, `compressed` or `published`; bytes are NA where nobody measured it.
    `images` are of one capture.
    """
    one = images.drop_duplicates("variant")
    printed = published[published["metric"].eq("image size") & published["unit"].eq("MB")]
    by_variant = printed.set_index("variant")
    parts = [
        _size_part(
            one,
            UNPACKED,
            one["size_unpacked_bytes"].array,
            one["size_unpacked_source"].map(_ORIGINS).array,
        ),
        _size_part(
            one,
            COMPRESSED,
            one["size_compressed_bytes"].array,
            one["size_compressed_source"].map(_ORIGINS).array,
        ),
        _size_part(
            one,
            PUBLISHED,
            (by_variant["value"] * MB).round().reindex(one["variant"]).astype("Int64").array,
            by_variant["source"].reindex(one["variant"]).array,
        ),
    ]
    return pd.concat(parts, ignore_index=True)


def known_size(sizes: pd.DataFrame, wanted: str = "") -> str:
    """Return the size to compare by: the wanted one, else the first that every variant has.

    Raises `ParameterInvalid` if the wanted one is no size, or known of no variant.
    """
    known = sizes.assign(known=sizes["bytes"].notna()).groupby("kind")["known"]
    if not wanted:
        full, some = known.all(), known.any()
        found = [s for s in SIZES if full[s]] or [s for s in SIZES if some[s]]
        return found[0] if found else UNPACKED
    if wanted not in SIZES:
        raise ParameterInvalid(f"size {wanted!r} is none of {', '.join(SIZES)}")
    if not known.any()[wanted]:
        have = [s for s in SIZES if known.any()[s]]
        raise ParameterInvalid(
            f"no variant of this study has a size {wanted!r}; known: {', '.join(have) or 'none'}"
        )
    return wanted


def known_baseline(sizes: pd.DataFrame, size: str, wanted: str = "", preferred: str = "") -> str:
    """Return the variant to compare with: the wanted one, else the preferred one if it has a size.

    Empty is the smallest one. Raises `ParameterInvalid` if the wanted one's size is not known.
    """
    known = sizes[sizes["kind"].eq(size)].dropna(subset="bytes")["variant"].tolist()
    if wanted and wanted not in known:
        raise ParameterInvalid(
            f"baseline {wanted!r} has no {size} size; known of: {', '.join(known) or 'none'}"
        )
    return wanted or (preferred if preferred in known else "")


def size_differences(sizes: pd.DataFrame, size: str, baseline: str = "") -> pd.DataFrame:
    """Return one size of every variant against a baseline's, smallest first.

    `variant, kind, bytes, difference_bytes, ratio, baseline, status`. An empty baseline is the
    smallest variant, of those that are not broken if there are some. Raises `ParameterInvalid` if
    the baseline's size is not known.
    """
    baseline = known_baseline(sizes, size, baseline)
    table = sizes[sizes["kind"].eq(size)].sort_values("bytes", kind="stable", ignore_index=True)
    known = table.dropna(subset="bytes")
    works = known[known["status"].ne(BROKEN)]
    of = (known if baseline or works.empty else works).set_index("variant")["bytes"]
    reference = of[baseline] if baseline else of.min() if len(of) else pd.NA
    name = baseline or (of.idxmin() if len(of) else pd.NA)
    return table.assign(
        difference_bytes=table["bytes"] - reference,
        ratio=(table["bytes"] / reference).astype("Float64"),
        baseline=name,
    )[["variant", "kind", "bytes", "difference_bytes", "ratio", "baseline", "status"]]


def _size_part(
    images: pd.DataFrame, size: str, values: Sequence[object], origin: object
) -> pd.DataFrame:
    part = pd.DataFrame({"variant": images["variant"].to_numpy(), "kind": size})
    part["bytes"] = pd.array(values, dtype="Int64")
    origins = pd.Series(origin, index=part.index, dtype="str")
    known = part["bytes"].notna()
    return part.assign(origin=origins.where(known), status=images["status"].array)
