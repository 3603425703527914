"""`make bench`: the loader, the run and the capture, timed and weighed against their yardsticks.

Times are ratios within one run, each the best or the median of several, because machines are shared
and noisy. Exits 1 if a target is missed. What a capture needs may not be there: then its lines say
so.
"""

import json
import math
import multiprocessing
import os
import random
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from helpers import paths
from helpers.errors import KitError
from helpers.studies.study import Recipe

MB = 1_000_000
SHARED = Path(os.environ.get("KIT_SHARED") or paths.ROOT.parent / "shared")
WORDS = (
    "a the buffer overflow in parser allows remote attackers to cause denial of service memory "
    "corruption via crafted input when processing certificate handling function before version "
    "could lead execution arbitrary code issue was discovered does not properly check bounds"
).split()

VENDORS = (
    "nvd redhat ghsa bitnami alma amazon azure cbl-mariner oracle-oval photon rocky ubuntu".split()
)


class Measure(NamedTuple):
    """One line of the result: what, the figure, and the target it must meet."""

    what: str
    figure: float
    target: str
    met: bool


def finding(number: int, chance: random.Random) -> dict[str, object]:
    """Return a finding as Trivy 0.76 writes it, its parts as long as in published reports.

    Of the 236 findings of a real one: 470 characters of description (35 to 5,186), 16 references
    (1 to 45) of 61 characters, 4 vendors' severities and 2.5 CVSS sources on the average.
    """
    identifier = f"CVE-{chance.randint(2014, 2026)}-{number:05d}"
    package = f"lib{chance.choice(WORDS)}{number % 400}"
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    scores = {"V2Vector": "AV:N/AC:L/Au:N/C:P/I:P/A:P", "V3Vector": vector, "V2Score": 5.0}
    vendors = chance.sample(VENDORS, chance.randint(1, 7))
    rated = ["nvd", *chance.sample(VENDORS[1:4], chance.randint(0, 3))]
    return {
        "VulnerabilityID": identifier,
        "PkgID": f"{package}@1.{number % 90}.2-r0",
        "PkgName": package,
        "PkgIdentifier": {
            "PURL": f"pkg:deb/debian/{package}@1.{number % 90}.2-r0?arch=amd64&distro=debian-13.1",
            "UID": f"{number:016x}",
        },
        "InstalledVersion": f"1.{number % 90}.2-r0",
        **({"FixedVersion": f"1.{number % 90}.3-r0"} if number % 3 else {}),
        "Status": "fixed" if number % 3 else "affected",
        "Layer": {"Digest": f"sha256:{number + 1:064x}", "DiffID": f"sha256:{number:064x}"},
        "SeveritySource": "nvd",
        "PrimaryURL": f"https://avd.example/nvd/{identifier.lower()}",
        "DataSource": {"ID": "debian", "Name": "Debian Security Tracker", "URL": "https://example"},
        "Title": text(chance, 90),
        "Description": text(chance, min(35 + int(chance.expovariate(1 / 435)), 5000)),
        "Severity": chance.choice(["LOW", "MEDIUM", "HIGH", "CRITICAL", "UNKNOWN"]),
        "CweIDs": ["CWE-787"],
        "VendorSeverity": {vendor: chance.randint(1, 4) for vendor in vendors},
        "CVSS": {source: {**scores, "V3Score": chance.randint(20, 98) / 10} for source in rated},
        "References": [
            f"https://example.org/security/{chance.choice(WORDS)}/advisories/{identifier}/{position}"
            for position in range(chance.randint(1, 30))
        ],
        "PublishedDate": "2021-08-03T14:15:08.233Z",
        "LastModifiedDate": "2024-11-21T06:13:12.003Z",
    }


def text(chance: random.Random, length: int) -> str:
    """Return words of about that many characters."""
    return " ".join(chance.choices(WORDS, k=max(length // 7, 1)))


def report(findings: list[dict[str, object]], name: str = "bench:latest") -> bytes:
    """Return a report of one image as Trivy writes it."""
    document = {
        "SchemaVersion": 2,
        "CreatedAt": "2026-11-24T07:42:32.292603Z",
        "ArtifactName": name,
        "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "debian", "Name": "13.1"}, "Size": 123456789},
        "Results": [
            {
                "Target": f"{name} (debian 13.1)",
                "Class": "os-pkgs",
                "Type": "debian",
                "Vulnerabilities": findings,
            }
        ],
    }
    return json.dumps(document, indent=2).encode()


def large_report(megabytes: float) -> bytes:
    """Return a report of about that many megabytes."""
    chance = random.Random(8)
    sample = [finding(number, chance) for number in range(500)]
    size = len(report(sample)) / len(sample)
    return report([finding(number, chance) for number in range(int(megabytes * MB / size))])


def debian_report(megabytes: float) -> bytes:
    """Return a report as Debian's are: findings with an advisory, two scores and a long text.

    Every finding of Debian has a DSA or DLA; those of `large_report` have none.
    """
    chance = random.Random(10)

    def debian(number: int) -> dict[str, object]:
        scores = {"V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "V3Score": 7.5}
        return finding(number, chance) | {
            "VendorIDs": [f"{chance.choice(['DSA', 'DLA'])}-{number % 5000}-1"],
            "CVSS": {"nvd": scores, "redhat": scores},
            "Description": text(chance, 900),
        }

    size = len(report([debian(number) for number in range(500)])) / 500
    return report([debian(number) for number in range(int(megabytes * MB / size))])


def best(action: Callable[[], object], times: int = 5) -> float:
    """Return the seconds of the fastest of several calls."""
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def loader_speed(path: Path, at_least: float, times: int) -> list[Measure]:
    """Return the loader against decoding alone, and against the usual way to a table."""
    from helpers.studies.load import load_reports

    text = path.read_bytes()
    actions = (lambda: load_reports([path]), lambda: json.loads(text), lambda: normalized(path))
    # They take turns: a machine that others use, too, is now faster and now slower.
    ours, decoding, normalizing = medians(*actions, times=times)
    return [
        ratio("json.loads of the same bytes, already read / load_reports", decoding / ours, 1),
        ratio("json.loads and pandas.json_normalize / load_reports", normalizing / ours, at_least),
    ]


def normalized(path: Path) -> object:
    """Return a report's findings, a row each with image, OS and class, as pandas gives them."""
    import pandas as pd

    report = json.loads(path.read_bytes())
    meta = ["ArtifactName", ["Metadata", "OS", "Family"], ["Metadata", "OS", "Name"]]
    meta += [["Results", "Target"], ["Results", "Class"], ["Results", "Type"]]
    return pd.json_normalize(report, ["Results", "Vulnerabilities"], meta, errors="ignore")


def ratio(what: str, figure: float, at_least: float) -> Measure:
    """Return a measure that has to be at least so many times."""
    return Measure(what, figure, f">= {at_least}", figure >= at_least)


def peak_memory(path: Path) -> Measure:
    """Return the peak memory of a process that loads a report, as a multiple of the file."""
    figure = peak_bytes(_load, path) / path.stat().st_size
    return Measure("peak memory of the process / size of the file", figure, "< 3", figure < 3)


def peak_bytes(action: Callable[[Any], object], given: Any) -> int:
    """Return the peak memory of a process of its own that does something with what is given."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (action, given))


def _peak(action: Callable[[Any], object], given: Any) -> int:
    action(given)
    # Linux hands ru_maxrss down from the parent process; VmHWM is this process's own.
    status = Path("/proc/self/status")
    if status.exists():
        kilobytes = status.read_text().partition("VmHWM:")[2].split()[0]
        return int(kilobytes) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _load(path: Path) -> None:
    from helpers.studies.load import load_reports

    load_reports([path])


def growth(folder: Path, most: float, few: int = 250, many: int = 1000) -> Measure:
    """Return how the seconds a report change from few reports of 200 findings to many."""
    from helpers.studies.load import load_reports

    chance = random.Random(9)
    text = report([finding(number, chance) for number in range(200)])
    written = [folder / f"report-{number:04d}.json" for number in range(many)]
    for path in written:
        path.write_bytes(text)
    each_of_few = best(lambda: load_reports(written[:few]), times=3) / few
    each_of_many = best(lambda: load_reports(written), times=3) / many
    figure = each_of_many / each_of_few
    return Measure(
        f"seconds a report, {many} reports / {few} reports", figure, f"< {most}", figure < most
    )


def run_overhead(folder: Path) -> Measure:
    """Return the wall time of `reproduce` over that of as many empty notebooks.

    These run the same way, side by side, but each in a kernel that is started for it.
    """
    import nbformat

    empty = []
    for path in paths.notebooks():
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [nbformat.v4.new_code_cell("")]
        empty.append(folder / path.name)
        nbformat.write(notebook, empty[-1])
    reproduce = [sys.executable, "-m", "helpers", "reproduce"]
    yardstick = [sys.executable, "-m", "tests.support.bench", "--empty", *map(str, empty)]
    os.environ["KIT_DATA"] = str(_data_copy(folder))
    pairs = [
        (best(lambda: run(reproduce), 1), best(lambda: run(yardstick, cwd=paths.ROOT), 1))
        for _ in range(4)
    ]
    ratio = min(ours for ours, _ in pairs[1:]) / min(theirs for _, theirs in pairs[1:])
    what = "make reproduce / as many empty notebooks, a kernel started for each"
    return Measure(what, ratio, "<= 2", ratio <= 2)


def medians(*actions: Callable[[], object], times: int = 3) -> list[float]:
    """Return the median seconds of each action; they take turns, and so does who is first."""
    seconds: dict[int, list[float]] = {number: [] for number in range(len(actions))}
    for turn in range(times):
        for number in sorted(seconds, reverse=turn % 2 == 1):
            seconds[number].append(best(actions[number], 1))
    return [statistics.median(of_one) for of_one in seconds.values()]


def not_measured(what: str, why: object) -> Measure:
    """Return the line of what could not be measured here."""
    return Measure(f"{what}: not measured, {why}", math.nan, "", True)


def capture_speed(folder: Path) -> list[Measure]:
    """Return a capture against a script that builds, saves and scans one image after another.

    The script asks Trivy for an image by its name, as the blog post does. Its steps are in the
    builder's cache, for both.
    """
    from helpers.containers.daemon import connect
    from helpers.studies.study import open_study

    study = "rebuilt-2026"
    what = f"script of docker and trivy / capture of {study}"
    db = SHARED / "vulndb"
    if not (db / "db").is_dir():
        return [not_measured(what, "KIT_SHARED names no folder with vulndb/")]
    try:
        daemon = connect()
    except KitError as error:
        return [not_measured(what, error)]
    found = open_study(study)
    if not all(daemon.find(base.tag) for base in found.bases):
        return [not_measured(what, "its base images are not on the daemon")]

    (folder / "studies" / study).mkdir(parents=True)
    shutil.copy(paths.study(study) / "study.toml", folder / "studies" / study)
    command = [sys.executable, "-m", "helpers", "capture", study, "--db", str(db)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    beside = {**os.environ, "PATH": path, "KIT_DATA": str(folder), "DOCKER_BUILDKIT": "0"}
    (folder / "script").write_text(script(found.variants, db))
    # First all is built and weighed, which is not counted.
    run(command, env=beside)
    ours, theirs = medians(
        lambda: run([*command, "--fresh"], env=beside),
        lambda: run(["sh", "-e", "script"], env=beside, cwd=folder),
    )
    [again] = medians(lambda: run(command, env=beside))
    run(["docker", "image", "rm", *(f"bench:{number}" for number in range(len(found.variants)))])
    return [
        ratio(what, theirs / ours, 1),
        Measure("seconds of the same capture when nothing has changed", again, "< 2", again < 2),
    ]


def fleet_speed(folder: Path, *options: str, one_in: int = 20) -> list[Measure]:
    """Return a capture of all tags of a fleet against a loop over them, a Trivy process a tag.

    The loop is made over one tag in `one_in`, before and after the capture, and counted for all.
    """
    what = "loop over the tags of a fleet / its capture"
    shared = SHARED / "fleet"
    if not (shared / "sboms.py").is_file():
        return [not_measured(what, "KIT_SHARED names no folder with fleet/")]
    if not shutil.which("trivy"):
        return [not_measured(what, "trivy is not on the PATH")]
    sboms, db = folder / "sboms", shared / "vulndb"
    run([sys.executable, str(shared / "sboms.py"), str(sboms), "--tags", *options])
    every = sorted(sboms.iterdir())
    scan = ["trivy", "sbom", "--cache-dir", str(db), "--cache-backend", "memory", "--quiet"]
    scan += ["--skip-db-update", "--offline-scan", "--skip-version-check", "--format", "json"]

    def theirs() -> None:
        for path in every[::one_in]:
            run([*scan, "--output", str(folder / "report.json"), str(path)])

    def ours() -> None:
        command = [sys.executable, "-m", "helpers", "fleet", "capture", str(sboms), "--db", str(db)]
        run(command, env={**os.environ, "KIT_DATA": str(folder)})

    before, captured, again, after = (best(action, 1) for action in (theirs, ours, ours, theirs))
    loop = (before + after) / 2 * len(every) / len(every[::one_in])
    scans = len([*(folder / "fleets/sboms/scans").rglob("*.json.gz")])
    seconds = f"{captured:.0f} s for {len(every):,} tags, {scans} scans"
    return [
        ratio(f"{what} ({seconds})", loop / captured, 3),
        Measure(
            "the same capture again / the first", again / captured, "< 0.3", again < captured * 0.3
        ),
    ]


def large_image(folder: Path) -> list[Measure]:
    """Return what an image of 1 GB and 100,000 files costs: stored, and in two notebooks."""
    from tests.support import large

    evidence = large.study(folder / "data")
    stored = (evidence / paths.FILES).stat().st_size / MB
    cost = large.cost(folder / "data", folder / "run", "03-image-size", "04-attack-surface")
    what = "notebooks 03 and 04 over an image of 1 GB with 100,000 files"
    memory = cost.memory_bytes / MB
    return [
        Measure("MB of the stored inventory of 100,000 files", stored, "< 2", stored < 2),
        Measure(
            f"processor time of {what} / the reference",
            cost.times,
            f"< {large.MOST}",
            cost.times < large.MOST,
        ),
        Measure(f"MB of memory of {what}", memory, "< 1000", memory < 1000),
    ]


def fleet(folder: Path) -> list[Measure]:
    """Return what 1,000 to 100,000 reports cost."""
    from tests.support import fleet_bench

    with mock.patch.dict(os.environ, KIT_DATA=str(folder / "data")):
        return [*fleet_bench.scale(folder, SHARED), *fleet_bench.asked(folder / "asked", SHARED)]


def script(recipes: Sequence[Recipe], db: Path) -> str:
    """Return what one would type to build, save and scan images."""
    lines: list[list[object]] = []
    for number, recipe in enumerate(recipes):
        context, file = (paths.dockerfiles() / name for name in (recipe.context, recipe.dockerfile))
        given = [f"--build-arg={name}={value}" for name, value in recipe.build_args.items()]
        image, archive = f"bench:{number}", f"{number}.tar"
        database = ["--cache-dir", db, "--cache-backend", "memory", "--skip-db-update"]
        how = ["--image-src", "docker", "--offline-scan", "--scanners", "vuln", "--format", "json"]
        lines += [
            ["docker", "build", "--quiet", "--tag", image, "--file", file, *given, context],
            ["docker", "save", "--output", archive, image],
            ["trivy", "image", *database, *how, "--output", f"{number}.json", image],
        ]
    return "".join(shlex.join(map(str, line)) + "\n" for line in lines)


def run(command: list[str], **options: Any) -> None:
    """Run a command that has to succeed."""
    subprocess.run(command, check=True, capture_output=True, **options)


def _data_copy(folder: Path) -> Path:
    """Return a data folder whose runs do not disturb the project's own."""
    copy = folder / "data"
    copy.mkdir()
    (copy / "studies").symlink_to(paths.studies())
    return copy


def run_empty(notebooks: list[Path]) -> None:
    """Execute notebooks the way a run does, and do nothing else."""
    from concurrent.futures import ThreadPoolExecutor

    from helpers.runs.run import execute_one

    folder = notebooks[0].parent
    (folder / "notebooks").mkdir(exist_ok=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda path: execute_one(path, {}, folder), notebooks))


def main(quick: bool) -> int:
    """Measure all or the loader alone, print a table, and return 1 if a target is missed.

    The loader alone is measured where others use the machine, too: half of its speed is enough.
    """
    room, times = (2, 3) if quick else (1, 7)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path = folder / "large.json"
        path.write_bytes(large_report(100))
        measures = [
            peak_memory(path),
            *loader_speed(path, 14 / room, times),
            growth(folder, most=1.3 * room),
        ]
        debian = folder / "debian.json"
        debian.write_bytes(debian_report(100))
        measures += [
            measure._replace(what=f"with advisories: {measure.what}")
            for measure in (peak_memory(debian), *loader_speed(debian, 9 / room, times))
        ]
        if not quick:
            measures += [
                *large_image(folder / "large"),
                *fleet(folder / "fleet"),
                *fleet_speed(folder / "captured-fleet"),
                # The last has another data folder from then on.
                *(*capture_speed(folder / "captured"), run_overhead(folder)),
            ]
        size = path.stat().st_size / MB
    print(f"one report of {size:.0f} MB; ratios within this run, each of several tries")
    for measure in measures:
        verdict = "" if not measure.target else "met" if measure.met else "MISSED"
        figure = "-" if math.isnan(measure.figure) else f"{measure.figure:.2f}"
        print(f"{figure:>8}  {measure.target:>6}  {verdict:6}  {measure.what}")
    return 0 if all(measure.met for measure in measures) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--empty"]:
        run_empty([Path(name) for name in sys.argv[2:]])
    else:
        sys.exit(main(quick="--quick" in sys.argv))
