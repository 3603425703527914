"""An SBOM in SPDX's text of tags and values: https://spdx.github.io/spdx-spec/v2.3/"""

import re
import shutil
from pathlib import Path

from helpers.tarstream import CHUNK

HEAD_BYTES = 2**16
"""Most bytes of comments before it."""

_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?(?:#[^\n]*\n|\s)*(?=SPDXVersion\s*:\s*SPDX-)")


def begins(text: bytes) -> bool:
    r"""Return whether such an SBOM begins in the first bytes of a file.

    >>> begins(b"# by hand\n\nSPDXVersion: SPDX-2.3\n"), begins(b"{}")
    (True, False)
    """
    return _BEGIN.match(text) is not None


def readable(target: Path, scratch: Path) -> Path:
    """Return an SBOM that Trivy reads: without a mark, comments or blank lines before its version.

    By those it would not know it; any other SBOM is returned as it is.
    """
    with target.open("rb") as file:
        before = _BEGIN.match(file.read(HEAD_BYTES))
        if not before or not before.end():
            return target
        file.seek(before.end())
        copy = scratch / "sbom" / target.name
        copy.parent.mkdir()
        with copy.open("wb") as written:
            shutil.copyfileobj(file, written, CHUNK)
    return copy
