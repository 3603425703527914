"""What each instruction added to an image, and how much of it a later one hides."""

import re

import pandas as pd

from helpers.answers.answer import Answer
from helpers.images.package_files import no_files
from helpers.sizes.file_groups import HIDDEN
from helpers.sizes.image_sizes import SIZE_NAMES, UNPACKED, stacked
from helpers.text import escape
from helpers.text.i18n import msg, t, word
from helpers.text.rich import paragraph
from helpers.text.titles import Part, fitted
from helpers.text.units import size

_NOP = re.compile(r"^/bin/sh -c #\(nop\)\s*")
_SHELL = re.compile(r"^(?:RUN )?/bin/sh -c\s+")
_DIGEST = re.compile(r"\b(?:file|dir|multi):[0-9a-f]{12,64}\b")
_NOTE = re.compile(r"\s+# buildkit$")
WORTH = 0.01
"""Share of an image from which on hidden bytes are worth a title."""

FROM_BASE, ON_TOP, BASE_UNKNOWN = (
    msg("from the base image"), msg("on top of it"), msg("base not known"),
)  # fmt: skip
PARTS = (FROM_BASE, ON_TOP, BASE_UNKNOWN, HIDDEN)
"""Parts of an image."""

WIDTH = 60
"""Characters of an instruction that are shown; the frame `layers` has all of them."""


def layers(layers: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return what each layer holds, and how much of it a later layer hides.

    `variant, position, instruction, size_bytes, shown_bytes, hidden_bytes, compressed_bytes, files,
    from_base`, of images whose files are known. `shown_bytes` are in the merged file system,
    `hidden_bytes` were replaced or removed by a later layer and are stored and sent all the same;
    `files` are those that are shown.
    """
    regular = files[files["kind"].eq("file")]
    by_layer = regular.groupby(["variant", "layer"])["size_bytes"].agg(["sum", "size"])
    known = layers[layers["variant"].isin(files["variant"].unique())].reset_index(drop=True)
    keys = pd.MultiIndex.from_frame(known[["variant", "position"]])
    sums = by_layer.reindex(keys).fillna(0).set_axis(known.index).astype("Int64")
    return pd.DataFrame(
        {
            "variant": known["variant"],
            "position": known["position"],
            "instruction": known["created_by"].fillna("").map(instruction),
            "size_bytes": known["size_bytes"],
            "shown_bytes": sums["sum"],
            "hidden_bytes": known["size_bytes"] - sums["sum"],
            "compressed_bytes": known["compressed_bytes"],
            "files": sums["size"],
            "from_base": known["from_base"],
        }
    )


def instruction(created_by: str) -> str:
    """Return a line of an image's history as its Dockerfile had it, without digests.

    >>> instruction("/bin/sh -c #(nop) COPY dir:2b8ed349256f7329 in ./ ")
    'COPY dir in ./'
    >>> instruction("RUN /bin/sh -c npm ci # buildkit"), instruction("/bin/sh -c apk add curl")
    ('RUN npm ci', 'RUN apk add curl')
    """
    text = _NOTE.sub("", created_by.strip())
    if _NOP.match(text):
        text = _NOP.sub("", text)
    elif _SHELL.match(text):
        text = f"RUN {_SHELL.sub('', text)}"
    text = _DIGEST.sub(lambda found: found[0].partition(":")[0], text)
    return escape.short(" ".join(text.split()), WIDTH)


def by_part(table: pd.DataFrame) -> pd.DataFrame:
    """Return `layers` summed by where bytes came from: `variant, part, size_bytes`."""
    named = table["from_base"].map({True: FROM_BASE, False: ON_TOP})
    shown = table.assign(part=named.fillna(BASE_UNKNOWN), size_bytes=table["shown_bytes"])
    hidden = table.assign(part=HIDDEN, size_bytes=table["hidden_bytes"])
    both = pd.concat([shown, hidden])[["variant", "part", "size_bytes"]]
    return both.groupby(["variant", "part"], sort=False)["size_bytes"].sum().reset_index()


def answer(layer_sizes: pd.DataFrame) -> Answer:
    """Answer what each image's base and its own instructions added, and what is hidden.

    `layer_sizes` is that of `layers`.
    """
    parts = by_part(layer_sizes)
    if parts.empty:
        lacks = no_files(parts)
        return Answer("size-by-layer", text=paragraph(lacks), lacks=lacks)
    note = t(
        "Hidden bytes are still stored and sent. Whoever pulls the image can read them, deleted "
        "secrets too."
    )
    chart = stacked(parts, "part", PARTS, "layers", SIZE_NAMES[UNPACKED])
    title, counted = _title(layer_sizes), word(SIZE_NAMES[UNPACKED])
    return Answer("size-by-layer", title, paragraph(note), parts, chart, counted, by_scanner=False)


def table_answer(layer_sizes: pd.DataFrame) -> Answer:
    """Answer what each instruction added, and what of it is hidden: the table of `layers`."""
    return Answer("layers", table=layer_sizes, lacks=no_files(layer_sizes))


def _title(table: pd.DataFrame) -> str:
    """Return where most is hidden, or, if that is next to nothing, how much came with the base."""
    sums = table.groupby("variant", sort=False)[["hidden_bytes", "size_bytes"]].sum()
    most = sums["hidden_bytes"].idxmax()
    hidden = int(sums.loc[most, "hidden_bytes"])
    if hidden >= WORTH * sums.loc[most, "size_bytes"] or table["from_base"].isna().any():
        image = f"{escape.short(most, 26)} {size(hidden)}"
        return t("Hidden by later layers, but still sent: most in {image}", image=image)
    base = table[table["from_base"]].groupby("variant")["size_bytes"].sum()
    shares = (base.reindex(sums.index).fillna(0) / sums["size_bytes"]).astype(float)
    parts = [Part(f"{escape.short(v, 22)} {share:.0%}", (share,)) for v, share in shares.items()]
    return fitted(t("From the base image"), parts, "{:.0%}".format)
