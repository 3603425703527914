"""What a speaker can say of a slide."""

import re
from collections.abc import Sequence

SIGNS = re.compile(r"[•→×·–`/]|sha256|Counted:")
"""What nobody reads out."""


def can_be_said(sentences: Sequence[str]) -> bool:
    """Whether some notes are whole sentences without signs, and not too many."""
    text = "\n".join(sentences)
    return (
        1 <= len(sentences) <= 6
        and len(text.split()) <= 90
        and not SIGNS.search(text)
        and all(sentence.endswith((".", "?")) for sentence in sentences)
    )
