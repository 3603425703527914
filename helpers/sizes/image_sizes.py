"""Sizes of images: which are known, what each is, and how far apart they are."""

from collections.abc import Sequence

import pandas as pd

from helpers.errors import ParameterInvalid
from helpers.frames import BROKEN
from helpers.text.i18n import msg, t

UNPACKED, COMPRESSED, PUBLISHED = msg("unpacked"), msg("compressed"), msg("published")
SIZES = (UNPACKED, COMPRESSED, PUBLISHED)
SAID = {
    UNPACKED: msg("unpacked size"),
    COMPRESSED: msg("compressed size"),
    PUBLISHED: msg("published size"),
}
"""What is counted on a figure of a size, in words."""

MB = 1_000_000
"""Bytes of a megabyte, as `docker images` and registries print it (SI)."""

_ORIGINS = {
    "files": msg("the files of all layers"),
    "tars": msg("the layers' tars, as the scanner adds them up"),
    "registry": msg("the registry's manifest"),
    "archive": msg("the layers in the archive"),
    "gzip": msg("the layers, gzipped here"),
}
"""Where a size comes from, in words."""


def shown(size_bytes: int) -> str:
    """Return a size in MB, or in bytes where that would be 0.0.

    >>> shown(12_345_678), shown(3_384)
    ('12.3 MB', '3,384 bytes')
    """
    if size_bytes >= MB / 20:
        return f"{size_bytes / MB:,.1f} MB"
    return t("{size:,} bytes", size=size_bytes)


def table(images: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
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


def differences(sizes: pd.DataFrame, size: str, baseline: str = "") -> pd.DataFrame:
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
