"""Small files that grow without limits: each is read in little memory and time, or refused by name.

One process reads them all with 1.5 GB of addresses; the sizes are such that a reader without the
limit needs many times that, or minutes.
"""

import gzip
import json
import multiprocessing
import resource
import signal
import tarfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import KitError
from helpers.exploitation import epss
from helpers.fleet_capture import package_list
from helpers.images import dockerfile, file_inventory
from helpers.images.archive import open_archive
from helpers.scanning import redact_report
from helpers.scans import reports
from helpers.studies.rows import Evidence, Rows
from helpers.vex import evidence
from tests import conftest
from tests.support.image_archives import (
    Entry,
    Layout,
    config_of,
    digest,
    elf,
    entry,
    file,
    gzipped,
    tar,
    zstd,
)

pytestmark = pytest.mark.slow

MEMORY, SECONDS = 1_500_000_000, 20
"""What a file may take: bytes, and seconds of the processor; most take a fraction of either."""


def repeated(head: bytes, piece: bytes, times: int, tail: bytes = b"") -> bytes:
    """A gzip file of a piece many times, which is made without holding it."""
    made = zlib.compressobj(6, zlib.DEFLATED, 31)
    block, count = piece * 1000, times // 1000
    parts = [made.compress(head), *(made.compress(block) for _ in range(count))]
    return b"".join([*parts, made.compress(tail), made.flush()])


REPORT = b'{"SchemaVersion": 2, "Results": [{"Class": "os-pkgs", "Vulnerabilities": [{'
GRYPE = b'{"descriptor": {"name": "grype"}, "matches": [{"vulnerability": {"id": "CVE-1", "fix": '


def values_of_a_report(path: Path) -> None:
    """Lists that nobody reads, which a copy of the report would hold."""
    path.write_bytes(repeated(REPORT[:-1] + b'{"x": [', b"[[]],", 19_000_000, b"[]]}]}]}"))


def texts_of_a_finding(path: Path) -> None:
    path.write_bytes(repeated(REPORT + b'"VendorIDs": [', b'"ab",', 19_000_000, b'""]}]}]}'))


def versions_of_a_fix(path: Path) -> None:
    tail = b'""]}}, "artifact": {}}]}'
    path.write_bytes(repeated(GRYPE + b'{"versions": [', b'"ab",', 19_000_000, tail))


def history_of_one_word(path: Path) -> None:
    image = {"history": [{"created_by": f"ENV A={'x' * 4_000_000}"}]}
    path.write_text(json.dumps(conftest.trivy() | {"Metadata": {"ImageConfig": image}}))


def parts_of_an_sbom(path: Path) -> None:
    path.write_bytes(repeated(b'{"bomFormat": "CycloneDX", "x": [', b"[[]],", 19_000_000, b"[]]}"))


def columns_of_scores(path: Path) -> None:
    path.write_bytes(repeated(SCORES, b",", 60_000_000, b"\n"))


def rows_of_scores(path: Path) -> None:
    path.write_bytes(repeated(SCORES, b"a,0,0\n", 11_000_000))


def parts_of_a_gzip_file(path: Path) -> None:
    path.write_bytes(gzip.compress(b"", mtime=0) * 300_000)


SCORES = b"#model_version:v1,score_date:2024-01-01T00:00:00Z\ncve,epss,percentile\n"
OPENVEX = b'{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{"status": "fixed", '


def products_of_a_statement(path: Path) -> None:
    head = OPENVEX + b'"vulnerability": {"name": "CVE-1"}, "products": ['
    path.write_bytes(repeated(head, b"{},", 20_000_000, b"{}]}]}"))


def flags_of_products(path: Path) -> None:
    known = {"known_not_affected": [f"p{n}" for n in range(100_000)]}
    said = {"cve": "C", "product_status": known, "flags": [{"product_ids": ["q"]}] * 100_000}
    path.write_text(json.dumps({"document": {}, "product_tree": {}, "vulnerabilities": [said]}))


def findings_times_products(path: Path) -> None:
    suppressed(path, 3000, [[f"pkg:deb/debian/q{n}@1" for n in range(3000)]], "p{}")


def findings_times_statements(path: Path) -> None:
    suppressed(path, 2500, [[f"pkg:deb/debian/p?n={n}", "pkg:deb/debian/p"] for n in range(2500)])


def suppressed(path: Path, findings: int, products: list[list[str]], name: str = "p") -> None:
    """A report whose findings are all suppressed, and a document with these statements on them."""
    found = [
        conftest.finding() | {"PkgIdentifier": {"PURL": f"pkg:deb/debian/{name.format(n)}@{n}"}}
        for n in range(findings)
    ]
    path.write_text(json.dumps(conftest.suppressing(conftest.trivy(), *found)))
    said = [
        {
            "status": "not_affected",
            "vulnerability": {"name": "CVE-2024-0001"},
            "products": [{"@id": product} for product in each],
        }
        for each in products
    ]
    document = {"@context": "https://openvex.dev/ns/v0.2.0", "author": "a", "statements": said}
    path.with_name("vex.json").write_text(json.dumps(document))


def arguments_of_arguments(path: Path) -> None:
    lines = [f"ARG A{n + 1}={f'${{A{n}}}' * 10}" for n in range(12)]
    path.write_text("\n".join(["ARG A0=x123456789", *lines, "FROM $A12"]))


def here_documents(path: Path) -> None:
    path.write_text("FROM a\n" + "".join(f"RUN <<A{n}\n" for n in range(20_000)))


def continued_lines(path: Path) -> None:
    path.write_text("FROM a\nRUN a" + "\\\na" * 150_000)


def stars_of_a_pattern(path: Path) -> None:
    path.write_text(f"ARG A={'a' * 5000}\nFROM ${{A/*a*a*a*a*a*b/x}}")


def a_layer_many_times(path: Path) -> None:
    layer = tar(file("zeros", bytes(8_000_000)))
    manifest = {"Config": "c", "Layers": ["l"] * 1000}
    files = {"c": config_of((), rootfs={"diff_ids": [digest(layer)] * 1000}), "l": gzipped(layer)}
    entries = [file(name, content) for name, content in files.items()]
    path.write_bytes(tar(file("manifest.json", json.dumps([manifest]).encode()), *entries))


def libraries_of_programs(path: Path) -> None:
    program = elf(needed=("a" * 4000,) * 1000)
    layout = Layout()
    layout.tar(path, layout.image(tar(*(file(f"p{n}", program) for n in range(400)))))


def global_headers(path: Path) -> None:
    headers = "".join(f"{len(str(n)) + 9} {n:07}=\n" for n in range(10**6, 10**6 + 60_000))
    one = entry("g", tarfile.XGLTYPE, headers.encode())
    image(path, one, *(file(f"{n:0110}", b"") for n in range(2000)))


def lines_of_a_slice(path: Path) -> None:
    image(path, file("var/lib/chisel/manifest.wall", zstd(b"{}\n" * 22_000_000)))


def manifests_of_an_index(path: Path) -> None:
    layout = Layout()
    inner = layout.index(*[{"digest": digest(b"")}] * 100_000)
    path.write_bytes(gzipped(layout.tar(path, *[inner] * 900).read_bytes()))


def names_of_an_archive(path: Path) -> None:
    path.write_bytes(gzipped(tar(*(file(f"{n}{'x' * 900_000}") for n in range(100)))))


def rows_of_an_inventory(path: Path) -> None:
    row = b'["a","file",0,0,0,0,0]\n'
    path.write_bytes(repeated(b'{"format":1,"files":1}\n', row, 12_000_000))


def image(path: Path, *entries: Entry) -> None:
    layer = tar(*entries)
    layout = Layout()
    layout.tar(path, layout.image(layer))


def keep(path: Path) -> None:
    redact_report.keep(path, path.parent)


def load(path: Path) -> None:
    rows = Rows()
    rows.add(Evidence("a"), reports.read(path))
    rows.frames()


def judge(path: Path) -> None:
    report, document = reports.read(path), path.with_name("vex.json")
    item = Evidence("a", vex=evidence.parse(document.read_bytes(), document.name))
    rows = Rows()
    rows.add(item, report)
    assert [*rows.effects(item, report)]


def read_scores(path: Path) -> None:
    epss.parse(path.read_bytes(), "epss.csv.gz")


def read_vex(path: Path) -> None:
    evidence.parse(evidence.unzipped(path.read_bytes(), "vex"), "vex")


def read_dockerfile(path: Path) -> None:
    text = path.read_text()
    dockerfile.needs_buildkit(text)
    dockerfile.images(dockerfile.stages(text))


def read_archive(path: Path) -> None:
    with open_archive(path) as archive:
        files = file_inventory.take(archive).files
    file_inventory.write(path, files)
    assert file_inventory.read(path) == files


CASES: list[tuple[Callable[[Path], object], Callable[[Path], object], str]] = [
    (values_of_a_report, keep, "more than 4,000,000 JSON values"),
    (texts_of_a_finding, load, "more than 4,000,000 JSON values"),
    (versions_of_a_fix, load, "more than 4,000,000 JSON values"),
    (history_of_one_word, keep, ""),
    (parts_of_an_sbom, package_list.of_sbom, ""),
    (columns_of_scores, read_scores, "a different number of fields than the header"),
    (rows_of_scores, read_scores, "more than 4,000,000 rows"),
    (parts_of_a_gzip_file, read_scores, "no EPSS scores"),
    (products_of_a_statement, read_vex, "more than 2,000,000 JSON values"),
    (flags_of_products, read_vex, ""),
    (findings_times_products, judge, ""),
    (findings_times_statements, judge, "more than 1,000,000 comparisons"),
    (arguments_of_arguments, read_dockerfile, ""),
    (here_documents, read_dockerfile, ""),
    (continued_lines, read_dockerfile, ""),
    (stars_of_a_pattern, read_dockerfile, ""),
    (a_layer_many_times, read_archive, "expand to more than 1,000,000,000 bytes in all"),
    (libraries_of_programs, read_archive, "names of 67,108,864 letters"),
    (global_headers, read_archive, ""),
    (lines_of_a_slice, read_archive, ""),
    (manifests_of_an_index, read_archive, "more than 1,000 manifests"),
    (names_of_an_archive, read_archive, "long headers of more than 16,777,216 bytes"),
    (rows_of_an_inventory, file_inventory.read, "lines for 1 files"),
]


def limited(read: Callable[[Path], object], path: Path) -> str:
    """Read a file within the limits; return why it was refused, empty if it was not."""
    signal.signal(signal.SIGPROF, out_of_time)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
    try:
        read(path)
    except KitError as error:
        return str(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ""


def out_of_time(*_: Any) -> None:
    raise TimeoutError(f"more than {SECONDS} seconds of the processor")


@pytest.fixture(scope="module")
def process() -> Iterator[ProcessPoolExecutor]:
    """A process of its own, as its memory is limited."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize(
    ("make", "read", "refused"), [pytest.param(*case, id=case[0].__name__) for case in CASES]
)
def test_a_small_file_takes_little_or_is_refused_with_the_limits_name(
    process: ProcessPoolExecutor,
    tmp_path: Path,
    make: Callable[[Path], object],
    read: Callable[[Path], object],
    refused: str,
) -> None:
    path = tmp_path / "made"
    make(path)
    assert path.stat().st_size < 10_000_000
    found = process.submit(limited, read, path).result()
    assert refused in found
    assert bool(refused) == bool(found), found
    assert len(found) < 1000
