"""The blog post's claims, each held against a study's evidence."""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from helpers import compare, linking, sizes, toolbox, tools
from helpers.fixes import BLIND
from helpers.frames import SCANNED, Frames
from helpers.lenses import Lens
from helpers.sizes import MB
from helpers.words import listed, number

HOLDS = "holds"
FAILS = "does not hold"
PARTLY = "holds under this lens only"
UNMEASURED = "not measured here"

NO_PACKAGES = "the reports do not list packages"
PACKAGES_ONLY = "the package list; files are not in this evidence"


class Claim(NamedTuple):
    """One claim of the blog post and what the evidence says of it."""

    claim: str
    published: str
    measured: str
    lens: str
    verdict: str
    evidence: str


class Pair(NamedTuple):
    """What the claims are tested on: the frames, and which variant plays which part."""

    every: Frames
    chosen: Frames
    published: pd.DataFrame
    files: pd.DataFrame
    alpine: str
    distroless: str
    known_by: str


def claims(
    frames: Frames,
    published: pd.DataFrame,
    files: pd.DataFrame,
    roles: tuple[str | None, str | None],
    capture: str,
    known_by: str = "",
) -> pd.DataFrame:
    """Return the claims table: `claim, published, measured, lens, verdict, evidence`.

    Counts are compared in every capture that `frames` holds, as known by a day if one is named, all
    else in the one `capture`, whose list of `files` may be empty. `roles` are the variants that
    play Alpine's and distroless's part; if the study has none for one, no claim is measured.
    """
    alpine, distroless = roles
    if alpine is None or distroless is None:
        lacking = "alpine" if alpine is None else "distroless"
        nobody = f"no variant of this study has the role {lacking}"
        rows = [Claim(text, "", "", "", UNMEASURED, nobody) for text, _ in _CLAIMS]
    else:
        chosen = Frames(*(frame[frame["capture"].eq(capture)] for frame in frames))
        pair = Pair(frames, chosen, published, files, alpine, distroless, known_by)
        rows = [test(text, pair) for text, test in _CLAIMS]
    return pd.DataFrame(rows, columns=Claim._fields).astype("str")


def _fewer_vulnerabilities(text: str, pair: Pair) -> Claim:
    images = pair.every.images
    # Where no operating system was recognised, the count is not that of the image.
    known = images[images["status"].eq(SCANNED)]
    table = compare.totals_by_lens(pair.every.findings, known, Lens(known_by=pair.known_by))
    shares: list[str] = []
    lenses: list[str] = []
    holds, counts = 0, 0
    for capture, rows in table.groupby("capture", sort=False):
        both = rows.set_index("variant")[list(compare.LENS_COLUMNS)]
        if {pair.alpine, pair.distroless} <= set(both.index):
            ours, theirs = both.loc[pair.distroless], both.loc[pair.alpine]
            fewer = int((ours < theirs).sum())
            share = {0: "none", len(ours): "every one"}.get(fewer, str(fewer))
            shares.append(f"under {share} of the lenses in {capture}")
            pairs = (
                f"{compare.LENS_LABELS[lens]} {ours[lens]} against {theirs[lens]}" for lens in both
            )
            lenses.append(f"{capture}{_known_by(pair)}: {', '.join(pairs)}")
            holds, counts = holds + fewer, counts + len(ours)
    evidence = "the scanner's findings, in the table of captures of 02-vulnerabilities"
    if known[known["variant"].eq(pair.alpine)]["os_family"].isin(BLIND).any():
        evidence += "; of all but the fixable ones, Alpine's share cannot be seen in full"
    return Claim(
        text,
        _printed(pair, "findings", "findings", pair.distroless, pair.alpine),
        f"fewer {', '.join(shares)}" if shares else "",
        "; ".join(lenses),
        _verdict(holds > 0, holds < counts),
        evidence,
    )


def _verdict(holds: bool, fails: bool) -> str:
    """Return the verdict on a claim that holds somewhere, fails somewhere, both or neither."""
    if holds and fails:
        return PARTLY
    return HOLDS if holds else FAILS if fails else UNMEASURED


def _smaller(text: str, pair: Pair) -> Claim:
    known = sizes.table(pair.chosen.images, pair.published)
    printed = _printed(pair, "image size", "MB", pair.alpine, pair.distroless)
    for kind in (sizes.UNPACKED, sizes.COMPRESSED):
        of = known[known["kind"].eq(kind)].dropna(subset="bytes").set_index("variant")["bytes"]
        if {pair.alpine, pair.distroless} <= set(of.index):
            alpine, distroless = of[pair.alpine], of[pair.distroless]
            measured = f"{alpine / MB:,.1f} MB against {distroless / MB:,.1f} MB"
            verdict = _verdict(alpine < distroless, alpine >= distroless)
            return Claim(
                text,
                printed,
                measured,
                f"{kind} size",
                verdict,
                "the layers of this study's images",
            )
    sboms = pair.chosen.images["source"].eq("sbom").all()
    why = "an SBOM lists packages, not bytes" if sboms else "no size of both images was measured"
    only = "; only the published sizes are known" if printed else ""
    return Claim(text, printed, "", "", UNMEASURED, why + only)


def _no_shell(text: str, pair: Pair) -> Claim:
    kinds = (toolbox.SHELL, toolbox.OS_INSTALLER)
    ours, theirs = (_tools(pair, v, kinds) for v in (pair.distroless, pair.alpine))
    if ours is not None and theirs is not None:
        measured = f"distroless: {_listed(ours)}; Alpine: {_listed(theirs)}"
        started = _started(pair, pair.distroless), _started(pair, pair.alpine)
        if None not in started:
            shells = [shell or "none" for shell in started]
            measured += f"; shell that could be started: {shells[0]} against {shells[1]}"
        verdict = FAILS if ours or started[0] else HOLDS
        lens = "programs and links by name"
        return Claim(text, "", measured, lens, verdict, "the list of files, and starting a shell")
    packages = _packages(pair, pair.distroless)
    if packages is None or _packages(pair, pair.alpine) is None:
        return Claim(text, "", "", "", UNMEASURED, NO_PACKAGES)
    named = tools.of_packages(pair.chosen.packages)
    ours, theirs = (tools.names(named, v, kinds) for v in (pair.distroless, pair.alpine))
    measured = f"distroless: {_listed(ours)}; Alpine: {_listed(theirs)}"
    verdict = FAILS if ours else PARTLY
    evidence = f"{len(packages)} packages of distroless"
    return Claim(text, "", measured, PACKAGES_ONLY, verdict, evidence)


def _executables(text: str, pair: Pair) -> Claim:
    counted = tools.binaries(pair.files).set_index("variant")
    images = pair.chosen.images
    known = images[images["status"].eq(SCANNED)]
    lens = Lens(known_by=pair.known_by)
    table = compare.totals_by_lens(pair.chosen.findings, known, lens).set_index("variant")
    both = {pair.alpine, pair.distroless}
    if not both <= set(counted.index) or not both <= set(table.index):
        evidence = "neither executables nor libraries are counted here: no list of files"
        return Claim(text, "", "", "", UNMEASURED, evidence)
    ours, theirs = counted.loc[pair.distroless], counted.loc[pair.alpine]
    fewer, more = pair.distroless, pair.alpine
    if ours.sum() > theirs.sum():
        fewer, more = more, fewer
    counts = table[list(compare.LENS_COLUMNS)]
    holds = counts.loc[fewer] < counts.loc[more]
    measured = (
        f"executables {ours.executables:,} against {theirs.executables:,}, "
        f"libraries {ours.libraries:,} against {theirs.libraries:,} (distroless against Alpine)"
    )
    told = listed(
        f"{compare.LENS_LABELS[lens]} {counts[lens][pair.distroless]} against "
        f"{counts[lens][pair.alpine]}"
        for lens in counts
    )
    verdict = FAILS if ours.sum() == theirs.sum() else _verdict(bool(holds.any()), not holds.all())
    of_two = "ELF files, and the scanner's findings; two images show no rule"
    return Claim(text, "", measured, told + _known_by(pair), verdict, of_two)


def _musl(text: str, pair: Pair) -> Claim:
    asked = linking.libc(pair.files, pair.chosen.images).set_index("variant")
    loaders = asked.loc[[pair.alpine, pair.distroless]]
    if loaders["libc"].notna().all():
        told = [
            f"{variant} {libc.musl:,} × musl, {libc.glibc:,} × glibc"
            for variant, libc in zip(("Alpine", "distroless"), loaders.itertuples(), strict=True)
        ]
        is_musl = loaders["musl"].iloc[0] > 0 and not loaders["glibc"].iloc[0]
        lacking = linking.unloadable(pair.files)
        broken = int(lacking["variant"].eq(pair.alpine).sum())
        told.append(f"{number(broken, 'file')} of Alpine with something they ask for not there")
        lens = "what programs and libraries ask for; none was run to see whether it breaks"
        verdict = FAILS if not is_musl else HOLDS if broken else PARTLY
        return Claim(
            text,
            "",
            "; ".join(told),
            lens,
            verdict,
            "ELF files with a loader, in the list of files",
        )
    ours, theirs = _packages(pair, pair.distroless), _packages(pair, pair.alpine)
    if ours is None or theirs is None:
        return Claim(text, "", "", "", UNMEASURED, NO_PACKAGES)
    libc_names = tools.MUSL | tools.GLIBC
    measured = f"Alpine: {_listed(theirs & libc_names)}; distroless: {_listed(ours & libc_names)}"
    verdict = PARTLY if theirs & tools.MUSL and not theirs & tools.GLIBC else FAILS
    lens = f"{PACKAGES_ONLY}; whether anything breaks was not tried"
    return Claim(text, "", measured, lens, verdict, "packages named after a C library")


def _multi_stage(text: str, pair: Pair) -> Claim:
    kinds = (toolbox.APP_INSTALLER,)
    found, there = (_tools(pair, v, kinds) for v in (pair.distroless, pair.alpine))
    if found is None or there is None:
        evidence = "whether npm is in the image is not known: no list of files"
        return Claim(text, "", "", "", UNMEASURED, evidence)
    measured = f"npm and the like: distroless {_listed(found)}; Alpine {_listed(there)}"
    shell = _started(pair, pair.distroless)
    if shell is not None:
        starts = f"{shell or 'none'} starts in distroless"
        measured += f"; a RUN in shell form needs a shell, and {starts}"
    verdict = FAILS if found and shell != "" else HOLDS
    return Claim(
        text, "", measured, "programs, scripts and links by name", verdict, "the list of files"
    )


_CLAIMS: tuple[tuple[str, Callable[[str, Pair], Claim]], ...] = (
    (
        "Distroless has fewer vulnerabilities than Alpine",
        _fewer_vulnerabilities,
    ),
    ("Alpine is the smaller image", _smaller),
    ("Distroless has no shell and no package manager", _no_shell),
    ("Fewer executables and libraries mean fewer vulnerabilities", _executables),
    ("Alpine's C library is musl, which may bring compatibility problems", _musl),
    ("Distroless needs a multi-stage build: it cannot install npm packages itself", _multi_stage),
)


def _tools(pair: Pair, variant: str, kinds: tuple[str, ...]) -> frozenset[str] | None:
    """Return the tools of some kinds in a variant; `None` if its files are not known."""
    own = pair.files[pair.files["variant"].eq(variant)]
    return None if own.empty else tools.names(tools.found(own), variant, kinds)


def _packages(pair: Pair, variant: str) -> frozenset[str] | None:
    """Return the names of a variant's packages, or `None` if its report does not list them."""
    images = pair.chosen.images
    if images.loc[images["variant"].eq(variant), "packages"].isna().all():
        return None
    return tools.packages(pair.chosen.packages, variant)


def _started(pair: Pair, variant: str) -> str | None:
    """Return the shell that could be started in a variant, empty if none; `None` if not tried."""
    images = pair.chosen.images
    row = images[images["variant"].eq(variant)].iloc[0]
    if pd.isna(row["shell_starts"]):
        return None
    return str(row["shell"]) if row["shell_starts"] else ""


def _printed(pair: Pair, metric: str, unit: str, first: str, second: str) -> str:
    """Return what was published of a metric (of findings: the total) for two variants."""
    rows = pair.published[pair.published["metric"].eq(metric)]
    rows = rows[rows["severity"].isna() | rows["severity"].eq(compare.TOTAL)]
    value = rows.set_index("variant")["value"]
    if not {first, second} <= set(value.dropna().index):
        return ""
    return f"{value[first]:g} against {value[second]:g} {unit}"


def _known_by(pair: Pair) -> str:
    return f", published by {pair.known_by}" if pair.known_by else ""


def _listed(found: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(found)) or "none"
