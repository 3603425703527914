"""What each instruction put into an image, and what of it a later one hides."""

import re

import pandas as pd

from helpers.sizes.file_groups import HIDDEN
from helpers.sizes.image_sizes import shown
from helpers.text import escape
from helpers.text.i18n import msg, t
from helpers.text.markdown import listed, name, number
from helpers.text.titles import Part, fitted

_NOP = re.compile(r"^/bin/sh -c #\(nop\)\s*")
_SHELL = re.compile(r"^(?:RUN )?/bin/sh -c\s+")
_DIGEST = re.compile(r"\b(?:file|dir|multi):[0-9a-f]{12,64}\b")
_NOTE = re.compile(r"\s+# buildkit$")
WORTH = 0.01
"""Share of an image from which on hidden bytes are worth a headline."""

FROM_BASE, ON_TOP, UNTOLD = (
    msg("from the base image"), msg("on top of it"), msg("base not known"),
)  # fmt: skip
"""Parts of an image beside what is hidden."""

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
    there = regular.groupby(["variant", "layer"])["size_bytes"].agg(["sum", "size"])
    own = layers[layers["variant"].isin(files["variant"].unique())].reset_index(drop=True)
    of = there.reindex(pd.MultiIndex.from_frame(own[["variant", "position"]])).fillna(0)
    shown = pd.Series(of["sum"].array, own.index).astype("Int64")
    return pd.DataFrame(
        {
            "variant": own["variant"],
            "position": own["position"],
            "instruction": own["created_by"].fillna("").map(instruction),
            "size_bytes": own["size_bytes"],
            "shown_bytes": shown,
            "hidden_bytes": own["size_bytes"] - shown,
            "compressed_bytes": own["compressed_bytes"],
            "files": pd.Series(of["size"].array, own.index).astype("Int64"),
            "from_base": own["from_base"],
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


def headline(table: pd.DataFrame) -> str:
    """Return where most is hidden, or, if that is next to nothing, how much came with the base."""
    if table.empty:
        return t("What instructions added is not known")
    sums = table.groupby("variant", sort=False)[["hidden_bytes", "size_bytes"]].sum()
    most = sums["hidden_bytes"].idxmax()
    if sums.loc[most, "hidden_bytes"] >= WORTH * sums.loc[most, "size_bytes"]:
        told = f"{escape.short(most, 26)} {shown(int(sums.loc[most, 'hidden_bytes']))}"
        return t("Hidden by later layers, and sent all the same: most in {image}", image=told)
    if table["from_base"].isna().any():
        return t("Next to nothing is hidden by later layers")
    base = table[table["from_base"]].groupby("variant")["size_bytes"].sum()
    shares = (base.reindex(sums.index).fillna(0) / sums["size_bytes"]).astype(float)
    parts = [Part(f"{escape.short(v, 22)} {share:.0%}", (share,)) for v, share in shares.items()]
    return fitted(t("From the base image"), parts, "{:.0%}".format)


def sentence(table: pd.DataFrame) -> str:
    """Return what of each image is its base's, its own, and hidden, as a list."""
    if table.empty:
        return t("No layers with their files are known, so nothing is said of instructions.")
    lines = []
    for variant, own in table.groupby("variant", sort=False):
        base = own[own["from_base"].fillna(False)]["shown_bytes"].sum()
        whole = shown(int(own["size_bytes"].sum()))
        parts = [t("{size} in {layers}", size=whole, layers=number(len(own), "layer"))]
        if own["from_base"].notna().all():
            parts.append(t("{size} of it from the base image", size=shown(int(base))))
        else:
            parts.append(t("which of them are the base image's is not known"))
        lines.append(f"- {name(variant)}: {listed([*parts, _hidden(own)], '; ')}")
    note = t(
        "What is hidden takes room and is sent with the image. A program in it cannot read that; "
        "whoever pulls the image can, deleted secrets too."
    )
    return "\n".join([*lines, "", note])


def parts(table: pd.DataFrame) -> pd.DataFrame:
    """Return `layers` as `variant, part, size_bytes`, summed: for the chart."""
    named = table["from_base"].map({True: FROM_BASE, False: ON_TOP})
    shown = table.assign(part=named.fillna(UNTOLD), size_bytes=table["shown_bytes"])
    hidden = table.assign(part=HIDDEN, size_bytes=table["hidden_bytes"])
    both = pd.concat([shown, hidden])[["variant", "part", "size_bytes"]]
    return both.groupby(["variant", "part"], sort=False)["size_bytes"].sum().reset_index()


def _hidden(own: pd.DataFrame) -> str:
    """Return how much of one image is hidden, and which layer put most of that there."""
    hidden = own["hidden_bytes"].sum()
    if not hidden:
        return t("nothing hidden")
    largest = own.loc[own["hidden_bytes"].idxmax()]
    told = t(
        "**{size} hidden by later layers**, most of it put there by layer {layer}",
        size=shown(int(hidden)),
        layer=largest["position"],
    )
    put_by = escape.markdown(largest["instruction"])
    return f"{told} ({put_by})" if put_by else told
