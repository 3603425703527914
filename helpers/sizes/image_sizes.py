"""Sizes of images: which are known, what each is, and how far apart they are."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from helpers.answers.answer import SUMMARY, Answer
from helpers.answers.chart_data import Bars, Series
from helpers.answers.talk import SIZE, Talk, named, some
from helpers.errors import ParameterInvalid
from helpers.frames import BROKEN
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import Phrase, code, listed, name, names, number, paragraph, say
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
"""What is counted on a figure of a size, in words."""

MEASURED_AS = {
    UNPACKED: msg("unpacked"),
    COMPRESSED: msg("compressed"),
    PUBLISHED: msg("as published"),
}
"""How a size was measured, in words."""

_ORIGINS = {
    "files": msg("the files of all layers"),
    "tars": msg("the layers' tars, as the scanner adds them up"),
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

    Raises `ParameterInvalid` if the wanted one is no size, or known of no variant.
    """
    known = sizes.assign(known=sizes["bytes"].notna()).groupby("kind")["known"]
    if not wanted:
        full, some = known.all(), known.any()
        found = [s for s in SIZES if full[s]] or [s for s in SIZES if some[s]]
        return found[0] if found else UNPACKED
    if wanted not in SIZES:
        raise ParameterInvalid(f"size {wanted!r} is not one of {', '.join(SIZES)}")
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
    return Answer("sizes", text=paragraph(_kinds(sizes)), table=sizes, shown=shown)


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
    text = _apart(apart, size)
    return Answer(
        "size-difference",
        _title(apart, size),
        paragraph(text),
        apart,
        difference_bars(apart, of_image(size)),
        word(SIZE_NAMES[size]),
        _origins(sizes, size),
        SUMMARY,
        by_scanner=False,
        lacks=text.plain if apart["bytes"].isna().all() else "",
        talks=(talk(sizes, size, SIZE),),
    )


def limits_answer(sizes: pd.DataFrame, size: str = "") -> Answer:
    """Answer what the compared size does and does not say."""
    return Answer("size-limits", text=paragraph(_limits(sizes, known_size(sizes, size))))


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


def of_image(size: str) -> str:
    """Return an axis's label: the size of an image, and how it was measured."""
    return t("image size, {measured_as} (MB = 10⁶ bytes)", measured_as=word(MEASURED_AS[size]))


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
    known, measured_as = apart.dropna(subset="bytes"), word(MEASURED_AS[size])
    if len(known) < 2:
        return t("Image size, {measured_as}: nothing to compare", measured_as=measured_as)
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
    head = t(
        "Against {baseline} ({measured_as})", baseline=short_name(base), measured_as=measured_as
    )
    return fitted(head, parts, lambda less: difference(-less))


def talk(sizes: pd.DataFrame, size: str, topic: str) -> Talk:
    """Return what is told of one size of the images."""
    known = sizes[sizes["kind"].eq(size)].dropna(subset="bytes").sort_values("bytes", kind="stable")
    lost = sizes[sizes["kind"].eq(size) & sizes["bytes"].isna()]["variant"]
    each = [
        t(
            "{variant} is {size} MB large.",
            variant=escape.plain(row.variant),
            size=megabytes(row.bytes),
        )
        for row in known.itertuples()
    ]
    printed = t("These sizes were printed by others, and not measured here.")
    unknown_ = t("The size is not known of {variants}.", variants=named(lost))
    spoken = (
        t("Each bar is an image, and what is compared is its {size}.", size=word(SIZE_NAMES[size])),
        *some(each),
        *([unknown_] if len(lost) else []),
        *([printed] if size == PUBLISHED else []),
        t("A smaller image is not by that a better one: what it leaves out may be missed."),
    )
    return Talk(topic, _headline(known), spoken=spoken)


def _headline(known: pd.DataFrame) -> str:
    """Return how far apart two images are, or of many which is the smallest and the largest."""
    if len(known) < 2:
        return ""
    first, last = known.iloc[0], known.iloc[-1]
    values = {"first": short_name(first["variant"]), "last": short_name(last["variant"])}
    if first["bytes"] == last["bytes"]:
        return t("The same size in {images}", images=number(len(known), "image"))
    if len(known) == 2:
        apart = megabytes(last["bytes"] - first["bytes"])
        return t("{last} is {apart} MB larger than {first}", apart=apart, **values)
    return t(
        "{first} is the smallest with {small} MB, {last} the largest with {large} MB",
        small=megabytes(first["bytes"]),
        large=megabytes(last["bytes"]),
        **values,
    )


def _origins(sizes: pd.DataFrame, size: str) -> str:
    """Return where sizes are from, for a figure's footer; nothing if all are measured alike."""
    origins = list(dict.fromkeys(sizes[sizes["kind"].eq(size)]["origin"].dropna()))
    if size != PUBLISHED and len(origins) < 2:
        return ""
    return t("sizes: {origins}", origins="; ".join(map(word, origins)))


def _apart(apart: pd.DataFrame, size: str) -> Phrase:
    """Return each variant's size and its difference to the baseline."""
    known = apart.dropna(subset="bytes")
    if known.empty:
        return say("No size of any variant is known, so none is compared.")
    base = known["baseline"].iloc[0]
    parts = []
    for row in known.itertuples():
        part = say(
            "{variant} is {size:,.1f} MB{broken}",
            variant=name(row.variant),
            size=row.bytes / MB,
            broken=broken(row.status),
        )
        if row.variant != base:
            part += say(
                ", {difference} than {base}",
                difference=difference(row.difference_bytes),
                base=name(base),
            )
        parts.append(part)
    text = listed(parts, "; ") + f" ({word(MEASURED_AS[size])})."
    if missing := names(apart[apart["bytes"].isna()]):
        text += say(" Not known: {variants}.", variants=missing)
    return text


def _kinds(sizes: pd.DataFrame) -> Phrase:
    """Return which sizes the evidence has, and what each is."""
    known = sizes[sizes["bytes"].notna()]["kind"].unique()
    text = say(
        "An image has several sizes: unpacked (its layers on disk), compressed (what a registry "
        "sends) and what a daemon prints, which differs by version. Known here: {sizes}.",
        sizes=_coded(known) or t("none"),
    )
    if lacking := _coded(size for size in SIZES if size not in known):
        text += say(" Not measured: {sizes}.", sizes=lacking)
    return text


def _coded(sizes: Iterable[str]) -> Phrase:
    return listed(code(word(size)) for size in sizes)


def _limits(sizes: pd.DataFrame, size: str) -> Phrase:
    """Return what the compared size does and does not say."""
    known = sizes[sizes["kind"].eq(size) & sizes["bytes"].notna()]
    if known.empty:
        return say("No size is known in this study.")
    values = {
        "measured_as": word(MEASURED_AS[size]),
        "origin": listed(word(origin) for origin in dict.fromkeys(known["origin"].dropna())),
    }
    better = say(" A smaller image is not a better one: what it leaves out may be missed.")
    if size != PUBLISHED:
        measured = say(
            "The size that was compared, {measured_as}, was measured here; it comes from: "
            "{origin}.",
            **values,
        )
        return measured + better
    printed = say(
        "The size that was compared, {measured_as}, was not measured here; it comes from: "
        "{origin}.",
        **values,
    )
    rounded = say(" A printed size is rounded, and its differences are no finer than that.")
    return printed + better + rounded
