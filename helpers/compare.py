"""Comparisons, from frames to tidy frames; every variant and severity keeps its row."""

from collections.abc import Sequence

import pandas as pd

from helpers.errors import ParameterInvalid
from helpers.frames import MISSING, SEVERITIES, SEVERITY

FINDINGS, VULNERABILITIES = "findings", "vulnerabilities"
LENSES = (FINDINGS, VULNERABILITIES)
TOTAL = "TOTAL"
UNPACKED, COMPRESSED, PUBLISHED = "unpacked", "compressed", "published"
SIZES = (UNPACKED, COMPRESSED, PUBLISHED)
MB = 1_000_000
"""Bytes of a megabyte, as `docker images` and registries print it (SI)."""

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
    """Return counts by severity: `capture, variant, severity, count`, five rows an image.

    Lens `vulnerabilities` counts each id once an image, at its highest severity there (a finding
    without an id counts as one); `fixable` counts only findings with a fixed version. Images with
    status `missing` count NA, clean ones 0. Raises `ParameterInvalid` for another lens.
    """
    if lens not in LENSES:
        raise ParameterInvalid(f"lens {lens!r} is none of {', '.join(LENSES)}")
    counted = findings[findings["fixed_version"].notna()] if fixable else findings
    if lens == VULNERABILITIES:
        counted = vulnerabilities(counted)
    levels = pd.DataFrame({"severity": pd.Series(SEVERITIES, dtype="str")})
    every = images[[*_IMAGE, "status"]].merge(levels, how="cross")
    keys = [*_IMAGE, "severity"]
    found = counted.astype({"severity": "str"}).groupby(keys).size()
    counts = found.reindex(pd.MultiIndex.from_frame(every[keys]), fill_value=0).astype("Int64")
    every["count"] = counts.array
    every["count"] = every["count"].mask(every["status"].eq(MISSING))
    return every[[*keys, "count"]].astype({"severity": SEVERITY})


def vulnerabilities(findings: pd.DataFrame) -> pd.DataFrame:
    """Return one row an image and vulnerability id: the finding with the highest severity."""
    # A finding without an id cannot be shown to be the same as another: it stays its own.
    ids = findings["vulnerability_id"]
    keys = ids.where(ids.notna(), "row " + findings.index.astype("str"))
    ordered = findings.assign(key=keys).sort_values("severity", ascending=False, kind="stable")
    return ordered.drop_duplicates([*_IMAGE, "key"]).drop(columns="key").sort_index()


def totals(counts: pd.DataFrame) -> pd.DataFrame:
    """Return `capture, variant, total` of severity counts, in their order; NA if not measured."""
    summed = counts.groupby(_IMAGE, sort=False)["count"].sum(min_count=1)
    return summed.rename("total").reset_index()


def totals_by_lens(findings: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return what an image's total is under each lens.

    One row an image: `capture, variant, findings, vulnerabilities, fixable_findings,
    fixable_vulnerabilities`, NA where nothing was measured.
    """
    table = images[_IMAGE].reset_index(drop=True)
    for lens in LENSES:
        for fixable in (False, True):
            counts = severity_counts(findings, images, lens, fixable)
            table[f"fixable_{lens}" if fixable else lens] = totals(counts)["total"]
    return table[[*_IMAGE, *LENSES, *(f"fixable_{lens}" for lens in LENSES)]]


def reproduction(counts: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return published findings beside counted ones: `variant, severity, published, reproduced`.

    A row for each severity that was published and one for `TOTAL`; `counts` are of one capture.
    """
    wanted = published[published["metric"].eq("findings")]
    summed = totals(counts).rename(columns={"total": "count"}).assign(severity=TOTAL)
    both = pd.concat([counts.astype({"severity": "str"}), summed])
    reproduced = both.set_index(["variant", "severity"])["count"]
    keys = pd.MultiIndex.from_frame(wanted[["variant", "severity"]])
    return pd.DataFrame(
        {
            "variant": wanted["variant"].to_numpy(),
            "severity": wanted["severity"].to_numpy(),
            "published": wanted["value"].astype("Int64").to_numpy(),
            "reproduced": reproduced.reindex(keys).to_numpy(),
        }
    ).astype({"published": "Int64", "reproduced": "Int64"})


def across_captures(findings: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return the same images under each capture: lens totals with `db_updated_at` and `os_eol`."""
    about = images[[*_IMAGE, "os_family", "os_version", "os_eol", "db_updated_at"]]
    table = totals_by_lens(findings, images).merge(about, on=_IMAGE, validate="one_to_one")
    return table.sort_values(["variant", "db_updated_at"], kind="stable", ignore_index=True)


def moved(findings: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return how many vulnerability ids came and went between the oldest and the newest DB.

    One row a variant that was measured under both: `variant, earlier, later, appeared, gone,
    stayed`.
    """
    known = findings.groupby(_IMAGE)["vulnerability_id"].agg(set).to_dict()
    rows = []
    measured = images[images["status"].ne(MISSING)].sort_values("db_updated_at", kind="stable")
    for variant, captures in measured.groupby("variant", sort=False)["capture"]:
        earlier, later = captures.iloc[0], captures.iloc[-1]
        before, after = (known.get((capture, variant), set()) for capture in (earlier, later))
        if earlier != later:
            ids = (len(after - before), len(before - after), len(before & after))
            rows.append((variant, earlier, later, *ids))
    return pd.DataFrame(rows, columns=["variant", "earlier", "later", "appeared", "gone", "stayed"])


def sizes(images: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return every size that is known or could be: `variant, size, bytes, origin`.

    `size` is `unpacked`, `compressed` or `published`; bytes are NA where nobody measured it.
    """
    one = images.drop_duplicates("variant")
    printed = published[published["metric"].eq("image size") & published["unit"].eq("MB")]
    by_variant = printed.set_index("variant")
    parts = [
        _size_part(one, UNPACKED, one["size_unpacked_bytes"].array, "the image's layers"),
        _size_part(one, COMPRESSED, one["size_compressed_bytes"].array, "the image's layers"),
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
    known = sizes.assign(known=sizes["bytes"].notna()).groupby("size")["known"]
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


def size_differences(sizes: pd.DataFrame, size: str, baseline: str = "") -> pd.DataFrame:
    """Return one size of every variant against a baseline's, smallest first.

    `variant, size, bytes, difference_bytes, ratio, baseline`. An empty baseline is the smallest
    variant. Raises `ParameterInvalid` if the baseline is not a variant whose size is known.
    """
    table = sizes[sizes["size"].eq(size)].sort_values("bytes", kind="stable", ignore_index=True)
    of = table.dropna(subset="bytes").set_index("variant")["bytes"]
    if baseline and baseline not in of.index:
        raise ParameterInvalid(
            f"baseline {baseline!r} has no {size} size; known of: {', '.join(of.index) or 'none'}"
        )
    reference = of[baseline] if baseline else of.min() if len(of) else pd.NA
    name = baseline or (of.idxmin() if len(of) else pd.NA)
    return table.assign(
        difference_bytes=table["bytes"] - reference,
        ratio=(table["bytes"] / reference).astype("Float64"),
        baseline=name,
    )[["variant", "size", "bytes", "difference_bytes", "ratio", "baseline"]]


def _size_part(
    images: pd.DataFrame, size: str, values: Sequence[object], origin: object
) -> pd.DataFrame:
    part = pd.DataFrame({"variant": images["variant"].to_numpy(), "size": size})
    part["bytes"] = pd.array(values, dtype="Int64")
    return part.assign(origin=origin)
