"""Files as FIRST and CISA publish them, and a server that has some."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.faulty_registry import Handler, Quiet, answer, running
from tests.support.registries import write_certificates

MODEL = "#model_version:v2026.06.15,score_date:2026-08-15T12:00:00Z\n"
HEADER = "cve,epss,percentile\n"
ROWS = 360_000


def epss(*rows: str, first: str = MODEL, header: str = HEADER) -> bytes:
    """Return a file of EPSS with rows, as text."""
    return (first + header + "".join(f"{row}\n" for row in rows)).encode()


def kev(**fields: object) -> bytes:
    """Return a catalog whose entries were added on a day each, given by id in `added`."""
    added: dict[str, str] = fields.pop("added", {"CVE-2023-4911": "2023-11-21"})  # type: ignore[assignment]
    entries = [{"cveID": cve, "dateAdded": day, "product": "any"} for cve, day in added.items()]
    catalog = {
        "title": "CISA Catalog of Known Exploited Vulnerabilities",
        "catalogVersion": "2026.08.07",
        "dateReleased": "2026-08-07T16:45:47.0648Z",
        "count": len(entries),
        "vulnerabilities": entries,
    }
    return json.dumps(catalog | fields).encode()


def whole_day(rows: int = ROWS) -> bytes:
    """Return a file of EPSS with as many rows as FIRST's have in 2026, gzipped."""
    ids = (f"CVE-{1999 + n // 13_000}-{n:05}" for n in range(rows))
    scores = ((n * 7919 % 99_991 / 100_000, n / rows) for n in range(rows))
    lines = (f"{cve},{a:.5f},{b:.5f}" for cve, (a, b) in zip(ids, scores, strict=True))
    return gzip.compress(epss(*lines), 1)


def bomb(gigabytes: int) -> bytes:
    """Return a gzip file that unzips to so many gigabytes of zeros."""
    compressor = zlib.compressobj(9, wbits=31)
    block = bytes(2**24)
    first = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    again = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    return first + again * (gigabytes * 2**6 - 1)


class Publisher:
    """A server with files by path: bytes, or what answers a request for them.

    `asked` has the path and the `Authorization` of each request.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes | Callable[[Handler], None]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.host = ""
        self.ca: Path | None = None

    def address(self, path: str = "/epss_scores-current.csv.gz") -> str:
        """Return the address of a file."""
        return f"{'https' if self.ca else 'http'}://{self.host}{path}"


@contextmanager
def serving(certificates: Path | None = None) -> Iterator[Publisher]:
    """Run a publisher's server on this machine, with TLS if there is a folder for certificates."""
    publisher = Publisher()

    class Asked(Quiet):
        def do_GET(self) -> None:
            publisher.asked.append((self.path, self.headers.get("Authorization")))
            content = publisher.files.get(self.path.partition("?")[0])
            if callable(content):
                content(self)
            else:
                answer(self, content or b"", 404 if content is None else 200)

    if certificates:
        publisher.ca = write_certificates(certificates)
    with running(Asked, certificates) as publisher.host:
        yield publisher
