"""Text of reports and images, made inert wherever it is shown: it is data, never markup."""

import json
import re
import unicodedata
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"(^|;)(?=[\s\"]*[=+\-@＝＋－＠])")
"""Where a formula would begin: in a cell, or where a semicolon parts cells, as it does in much of
Europe. There, quotes that were doubled are dropped. Programs for Japanese take full-width signs for
the others."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

STATIC = "text/x-static-html"
"""MIME type of a table without scripts, beside the one that needs them."""

ANSWER = "application/vnd.base-image-notebooks.answer+json"
"""MIME type of the record of an answer, on the first output that shows it."""


def plain(text: object) -> str:
    r"""Return text with control, direction and other invisible characters as escapes.

    >>> plain("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _INVISIBLE
        else character
        for character in shown
    )


def short(text: object, width: int) -> str:
    """Return plain text of at most `width` characters: the middle is cut out.

    >>> short("registry.example.com/team/backend:24-alpine", 20)
    'registr…nd:24-alpine'
    """
    shown = plain(text)
    if len(shown) <= width:
        return shown
    head = width * 2 // 5
    return f"{shown[: head - 1]}…{shown[head - width :]}"


def as_json(value: object) -> str:
    r"""Return a value as JSON for programs, of which a terminal shows every letter.

    >>> as_json("\u202e")
    '"\\u202e"\n'
    """
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    found = {letter for letter in set(text) - {"\n"} if unicodedata.category(letter) in _INVISIBLE}
    escapes = {ord(letter): json.dumps(letter)[1:-1] for letter in found}
    return text.translate(escapes) + "\n"


def csv_frame(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return a frame for CSV: its texts are plain, and no spreadsheet finds a formula in them.

    See https://owasp.org/www-community/attacks/CSV_Injection
    """
    # Who has a frame has pandas; who only escapes text does not wait for it.
    from pandas.api.types import is_numeric_dtype

    texts = [name for name in frame if not is_numeric_dtype(frame[name].dtype)]
    return frame.assign(**{str(name): frame[name].map(csv_cell) for name in texts}).rename(
        columns=csv_cell
    )


def csv_cell(value: object) -> object:
    """Return a value for CSV: text is plain, with an apostrophe before what looks like a formula.

    >>> csv_cell("=1+1;@x"), csv_cell("a;b"), csv_cell(-1)
    ("'=1+1;'@x", 'a;b', -1)
    """
    return _FORMULA.sub(r"\1'", plain(value)) if isinstance(value, str) else value
