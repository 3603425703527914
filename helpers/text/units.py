"""Sizes in words: megabytes as `docker images` and registries print them."""

from helpers.text.i18n import t

MB = 1_000_000
"""Bytes of a megabyte (SI)."""


def size(size_bytes: float) -> str:
    """Return a size in MB, or in bytes where that would be 0.0.

    >>> size(12_345_678), size(3_384)
    ('12.3 MB', '3,384 bytes')
    """
    if size_bytes >= MB / 20:
        return f"{megabytes(size_bytes)} MB"
    return t("{size:,} bytes", size=int(size_bytes))


def megabytes(size_bytes: float) -> str:
    """Return the number of megabytes, with one decimal.

    >>> megabytes(76_900_000)
    '76.9'
    """
    return f"{size_bytes / MB:,.1f}"


def signed(size_bytes: float) -> str:
    """Return the number of megabytes with its sign.

    >>> signed(-1_250_000)
    '−1.2'
    """
    return f"{size_bytes / MB:+,.1f}".replace("-", "−")
