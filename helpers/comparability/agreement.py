"""How far two lists of the same thing agree: Jaccard's index, what both have of what either has.

P. Jaccard, "The distribution of the flora in the alpine zone", New Phytologist 11 (1912).
"""

from collections.abc import Sequence

import pandas as pd

COLUMNS = ["both", "either", "jaccard"]


def shared(rows: pd.DataFrame, keys: Sequence[str], by: str, who: str) -> pd.DataFrame:
    """Return how many items two lists share of each image: `keys` and `COLUMNS`.

    `rows` has an item a row: `keys` name the image, `by` the item, `who` whose list it is in. Items
    without a name are left out, and so are images of which no list has a named item: nothing can
    be said of them.
    """
    items = rows[[*keys, by, who]].dropna(subset=by).drop_duplicates()
    held = items.groupby([*keys, by], sort=False, observed=True).size()
    images = held.rename("either").reset_index()
    images["both"] = images["either"].eq(2)
    groups = images.groupby([*keys], sort=False, observed=True)
    table = groups.agg(both=("both", "sum"), either=("either", "size")).astype("int64")
    return table.assign(jaccard=table["both"] / table["either"]).reset_index()
