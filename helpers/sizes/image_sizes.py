"""Sizes of images: which are known, what each is, and how far apart they are."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart_data import Bars, Series
from helpers.answers.talk import SIZE, Talk
from helpers.errors import ParameterInvalid
from helpers.frames import BROKEN
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Text, listed, names, paragraph, phrase, say
from helpers.text.titles import Part, fitted, unknown
from helpers.text.titles import name as short_name
from helpers.text.units import MB, megabytes, signed

UNPACKED, COMPRESSED, PUBLISHED = msg("unpacked"), msg("compressed"), msg("published")
SIZES = (UNPACKED, COMPRESSED, PUBLISHED)
SIZE_NAMES = {
    UNPACKED: msg("unpacked size"),
    COMPRESSED: msg("compressed size"),
    PUBLISHED: msg("published size"),
}
"""Sizes in words."""

_ORIGINS = {
    "files": msg("the files of all layers"),
    "tars": msg("the layers' tars, added up by the scanner"),
    "registry": msg("the registry's manifest"),
    "archive": msg("the layers in the archive"),
    "gzip": msg("the layers, gzipped here"),
}
"""Where a size comes from, in words."""


def table(images: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return every size that is known or could be: `variant, kind, bytes, origin, status`.

    `kind` is `unpacked`, `compressed` or `published`; bytes are NA where nobody measured it.
    `images` are of one capture.
    """
    images = images.drop_duplicates("variant")
    printed = published[published["metric"].eq("image size") & published["unit"].eq("MB")]
    printed = printed.set_index("variant").reindex(images["variant"])
    sizes = [
        (kind, images[f"size_{kind}_bytes"], images[f"size_{kind}_source"].map(_ORIGINS))
        for kind in (UNPACKED, COMPRESSED)
    ]
    sizes += [(PUBLISHED, (printed["value"] * MB).round().astype("Int64"), printed["source"])]
    return pd.concat([_of_kind(images, *size) for size in sizes], ignore_index=True)


def known_size(sizes: pd.DataFrame, wanted: str = "") -> str:
    """Return the size to compare by: the wanted one, else the first that every variant has.

    Raises `ParameterInvalid` if the wanted one is unknown, or no variant has it.
    """
    known = sizes.assign(known=sizes["bytes"].notna()).groupby("kind")["known"]
    if not wanted:
        full, some = known.all(), known.any()
        found = [s for s in SIZES if full[s]] or [s for s in SIZES if some[s]]
        return found[0] if found else UNPACKED
    if wanted not in SIZES:
        raise ParameterInvalid(f"unknown size {wanted!r}; choose one of {', '.join(SIZES)}")
    if not known.any()[wanted]:
        have = [s for s in SIZES if known.any()[s]]
        raise ParameterInvalid(
            f"no image of this study has a {wanted} size; known: {', '.join(have) or 'none'}"
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
    rows = sizes[sizes["kind"].eq(size)].sort_values("bytes", kind="stable", ignore_index=True)
    known = rows.dropna(subset="bytes")
    works = known[known["status"].ne(BROKEN)]
    choice = (known if baseline or works.empty else works).set_index("variant")["bytes"]
    first: Any = baseline or (choice.idxmin() if len(choice) else pd.NA)
    reference = choice[first] if len(choice) else pd.NA
    return rows.assign(
        difference_bytes=rows["bytes"] - reference,
        ratio=(rows["bytes"] / reference).astype("Float64"),
        baseline=first,
    )[["variant", "kind", "bytes", "difference_bytes", "ratio", "baseline", "status"]]


def kinds_answer(sizes: pd.DataFrame) -> Answer:
    """Answer which sizes are known, of `table`."""
    known = sizes[sizes["bytes"].notna()]["kind"]
    shown = sizes[sizes["kind"].isin(known)]
    text = say(
        "Unpacked is the size of the layers on disk, compressed is what a registry sends, and "
        "published is what somebody else printed."
    )
    return Answer("sizes", text=paragraph(text), table=sizes, shown=shown)


def difference_answer(
    sizes: pd.DataFrame, preferred: str, size: str = "", baseline: str = ""
) -> Answer:
    """Answer how far apart the images are in one size, of `table`.

    `size` is `unpacked`, `compressed` or `published`, by default the first that every image has.
    `baseline` is an image, by default the study's own one (`preferred`), else the smallest. Raises
    `ParameterInvalid` for what is not known.
    """
    size = known_size(sizes, size)
    apart = differences(sizes, size, known_baseline(sizes, size, baseline, preferred))
    lacks = t("No image has a known size.") if apart["bytes"].isna().all() else ""
    return Answer(
        "size-difference",
        _title(apart, size),
        paragraph(lacks) if lacks else _not_known(apart),
        apart,
        difference_bars(apart, in_megabytes(SIZE_NAMES[size])),
        word(SIZE_NAMES[size]),
        _origins(sizes, size),
        SUMMARY,
        by_scanner=False,
        lacks=lacks,
        talks=(talk(sizes, size, SIZE),),
    )


def limits_answer(sizes: pd.DataFrame, size: str = "") -> Answer:
    """Answer where the compared size comes from, and what it does not say."""
    size = known_size(sizes, size)
    where = listed(map(word, _from(sizes, size))) or phrase(t("not known"))
    text = say(
        "The {size} comes from: {origins}. A smaller image is not necessarily better: what it "
        "leaves out may be missed.",
        size=word(SIZE_NAMES[size]),
        origins=where,
    )
    return Answer("size-limits", text=paragraph(text))


def stacked(sizes: pd.DataFrame, by: str, parts: Iterable[str], palette: str, what: str) -> Bars:
    """Return bytes as bars: one an image, stacked by a column in the order of `parts`.

    `sizes` have the columns `variant`, `by` and `size_bytes`; parts that no image has are left out.
    `parts` are also their names, and `what` names what is measured.
    """
    variants = list(dict.fromkeys(sizes["variant"]))
    sums = sizes.groupby(["variant", by], observed=True)["size_bytes"].sum().astype("float64")
    lengths = (sums / MB).to_dict()
    series = [
        Series(part, word(part), [lengths.get((variant, part), 0.0) for variant in variants])
        for part in parts
    ]
    series = [part for part in series if any(part.values)] or series[:1]
    rows = [(variant, "") for variant in variants]
    bars = Bars(rows, series, [], in_megabytes(what), palette, [True] * len(rows), decimals=1)
    bars.ends = [f"{total:,.{1 if total < 1000 else 0}f} MB" for total in bars.totals]
    return bars


def difference_bars(apart: pd.DataFrame, axis: str) -> Bars:
    """Return `differences` as one bar an image, its difference to the baseline at the end.

    Without a baseline, which is missing then, there is only the size.
    """
    known = apart["bytes"].notna().tolist()
    values = (apart["bytes"] / MB).astype("Float64")
    is_baseline = apart["variant"].eq(apart["baseline"]).fillna(False).tolist()
    return Bars(
        [(variant, "") for variant in apart["variant"]],
        [Series("size", axis, [None if pd.isna(value) else float(value) for value in values])],
        [_end(row) for row in apart.itertuples()],
        axis,
        "size",
        known,
        1,
        is_baseline.index(True) if True in is_baseline else None,
    )


def in_megabytes(what: str) -> str:
    """Return an axis's label: what is measured, and its unit."""
    return t("{what} (MB = 10⁶ bytes)", what=word(what))


def broken(status: str) -> str:
    """Return what is said with the size of an image that does not work; else nothing."""
    return t(" (broken)") if status == BROKEN else ""


def difference(size_bytes: float) -> str:
    """Return a difference of sizes in words."""
    size = abs(size_bytes) / MB
    if not size_bytes:
        return t("the same size")
    if size_bytes > 0:
        return t("{size:,.1f} MB larger", size=size)
    return t("{size:,.1f} MB smaller", size=size)


def _of_kind(
    images: pd.DataFrame, kind: str, sizes: pd.Series, origins: Sequence[object]
) -> pd.DataFrame:
    """Return the rows of `table` of one size; an origin is that of a known size."""
    rows = pd.DataFrame({"variant": images["variant"].to_numpy(), "kind": kind})
    rows["bytes"] = pd.array(sizes, dtype="Int64")
    origin = pd.Series(pd.array(origins, dtype="str"), index=rows.index)
    return rows.assign(
        origin=origin.where(rows["bytes"].notna()), status=images["status"].to_numpy()
    )


def _end(row: Any) -> str:
    """Return what is said at the end of a bar."""
    if pd.isna(row.bytes):
        return t("not measured")
    size = f"{megabytes(row.bytes)} MB{broken(row.status)}"
    if pd.isna(row.baseline):
        return size
    if row.variant == row.baseline:
        return f"{size}\n{t('baseline')}"
    return f"{size}\n{signed(row.difference_bytes)} MB, ×{row.ratio:.2f}"


def _title(apart: pd.DataFrame, size: str) -> str:
    """Return the title of a size comparison: of many, the smallest by name."""
    known, size = apart.dropna(subset="bytes"), word(SIZE_NAMES[size])
    if len(known) < 2:
        return t("Nothing to compare: {size}", size=size)
    base = known["baseline"].iloc[0]
    parts = [
        Part(
            f"{short_name(row.variant)} {difference(row.difference_bytes)}{broken(row.status)}",
            (-row.difference_bytes,),
            msg("{count:,} broken") if row.status == BROKEN else "",
        )
        for row in known[known["variant"].ne(base)].itertuples()
    ]
    parts += [unknown(variant) for variant in apart[apart["bytes"].isna()]["variant"]]
    head = t("Against {baseline} ({size})", baseline=short_name(base), size=size)
    return fitted(head, parts, lambda less: difference(-less))


def talk(sizes: pd.DataFrame, size: str, topic: str) -> Talk:
    """Return what is said of one size of the images."""
    known = sizes[sizes["kind"].eq(size)].dropna(subset="bytes").sort_values("bytes", kind="stable")
    spoken = (
        t("Each bar is the {size} of an image.", size=word(SIZE_NAMES[size])),
        t("A smaller image is not necessarily better: what it leaves out may be missed."),
    )
    return Talk(topic, _headline(known), spoken=spoken)


def _headline(known: pd.DataFrame) -> str:
    """Return which image is the smallest and which the largest."""
    if len(known) < 2:
        return ""
    first, last = known.iloc[0], known.iloc[-1]
    return t(
        "{first} is the smallest with {small} MB, {last} the largest with {large} MB",
        first=short_name(first["variant"]),
        small=megabytes(first["bytes"]),
        last=short_name(last["variant"]),
        large=megabytes(last["bytes"]),
    )


def _origins(sizes: pd.DataFrame, size: str) -> str:
    """Return where sizes are from, for a figure's footer; nothing if all are measured alike."""
    origins = _from(sizes, size)
    if size != PUBLISHED and len(origins) < 2:
        return ""
    return t("sizes: {origins}", origins="; ".join(map(word, origins)))


def _from(sizes: pd.DataFrame, size: str) -> list[str]:
    """Return where sizes are from."""
    return list(dict.fromkeys(sizes[sizes["kind"].eq(size)]["origin"].dropna()))


def _not_known(apart: pd.DataFrame) -> Text:
    """Return the images without a size, if there are some."""
    missing = names(apart[apart["bytes"].isna()])
    return paragraph(say("Not known: {variants}.", variants=missing)) if missing else Text()
