"""The blog post's claims, each held against a study's evidence."""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from helpers import compare, sizes
from helpers.frames import SCANNED, Frames
from helpers.sizes import MB

HOLDS = "holds"
FAILS = "does not hold"
PARTLY = "holds under this lens only"
UNMEASURED = "not measured here"

SHELLS = frozenset({"ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "toybox", "zsh"})
PACKAGE_MANAGERS = frozenset(
    {"apk-tools", "apt", "aptitude", "dnf", "dpkg", "microdnf", "opkg", "rpm", "yum", "zypper"}
)
GLIBC, MUSL = frozenset({"libc6", "glibc"}), frozenset({"musl"})
"""Packages that bring a shell, a package manager or a C library. By package only: a file that no
package owns is not seen this way."""

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
    alpine: str
    distroless: str


def claims(
    frames: Frames,
    published: pd.DataFrame,
    alpine: str | None,
    distroless: str | None,
    capture: str,
) -> pd.DataFrame:
    """Return the claims table: `claim, published, measured, lens, verdict, evidence`.

    Counts are compared in every capture that `frames` holds, all else in the one named `capture`.
    `alpine` and `distroless` are the variants that play these parts; if the study has none for one
    of them, no claim is measured.
    """
    if alpine is None or distroless is None:
        lacking = "alpine" if alpine is None else "distroless"
        nobody = f"no variant of this study has the role {lacking}"
        rows = [Claim(text, "", "", "", UNMEASURED, nobody) for text, _ in _CLAIMS]
    else:
        chosen = Frames(*(frame[frame["capture"].eq(capture)] for frame in frames))
        pair = Pair(frames, chosen, published, alpine, distroless)
        rows = [test(text, pair) for text, test in _CLAIMS]
    return pd.DataFrame(rows, columns=Claim._fields).astype("str")


def _fewer_vulnerabilities(text: str, pair: Pair) -> Claim:
    images = pair.every.images
    # Where no operating system was recognised, the count is not that of the image.
    known = images[images["status"].eq(SCANNED)]
    table = compare.totals_by_lens(pair.every.findings, known)
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
                f"{lens.replace('_', ' ')} {ours[lens]} against {theirs[lens]}" for lens in both
            )
            lenses.append(f"{capture}: {', '.join(pairs)}")
            holds, counts = holds + fewer, counts + len(ours)
    return Claim(
        text,
        _printed(pair, "findings", "findings", pair.distroless, pair.alpine),
        f"fewer {', '.join(shares)}" if shares else "",
        "; ".join(lenses),
        _verdict(holds > 0, holds < counts),
        "the scanner's findings, in the table of captures of 02-vulnerabilities",
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
            return Claim(text, printed, measured, f"{kind} size", verdict, "the images' layers")
    sboms = pair.chosen.images["source"].eq("sbom").all()
    why = "an SBOM lists packages, not bytes" if sboms else "no size of both images was measured"
    only = "; only the published sizes are known" if printed else ""
    return Claim(text, printed, "", "", UNMEASURED, why + only)


def _no_shell(text: str, pair: Pair) -> Claim:
    tools = SHELLS | PACKAGE_MANAGERS
    ours, theirs = _packages(pair, pair.distroless), _packages(pair, pair.alpine)
    if ours is None or theirs is None:
        return Claim(text, "", "", "", UNMEASURED, NO_PACKAGES)
    measured = f"distroless: {_listed(ours & tools)}; Alpine: {_listed(theirs & tools)}"
    started = _started(pair, pair.distroless), _started(pair, pair.alpine)
    if None in started:
        verdict = FAILS if ours & tools else PARTLY
        evidence = f"{len(ours)} packages of distroless"
        return Claim(text, "", measured, PACKAGES_ONLY, verdict, evidence)
    shells = [shell or "none" for shell in started]
    measured += f"; shell that could be started: {shells[0]} in distroless, {shells[1]} in Alpine"
    verdict = FAILS if ours & tools or started[0] else PARTLY
    lens = "a shell was tried; of package managers, only the package list was looked at"
    return Claim(text, "", measured, lens, verdict, "the started variants and their packages")


def _executables(text: str, pair: Pair) -> Claim:
    evidence = "neither executables nor libraries are counted here"
    return Claim(text, "", "", "", UNMEASURED, evidence)


def _musl(text: str, pair: Pair) -> Claim:
    ours, theirs = _packages(pair, pair.distroless), _packages(pair, pair.alpine)
    if ours is None or theirs is None:
        return Claim(text, "", "", "", UNMEASURED, NO_PACKAGES)
    libc = MUSL | GLIBC
    measured = f"Alpine: {_listed(theirs & libc)}; distroless: {_listed(ours & libc)}"
    verdict = PARTLY if theirs & MUSL and not theirs & GLIBC else FAILS
    lens = f"{PACKAGES_ONLY}; whether anything breaks was not tried"
    return Claim(text, "", measured, lens, verdict, "packages named after a C library")


def _multi_stage(text: str, pair: Pair) -> Claim:
    evidence = "whether npm could install in the image was not tried"
    return Claim(text, "", "", "", UNMEASURED, evidence)


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


def _packages(pair: Pair, variant: str) -> set[str] | None:
    """Return the names of a variant's packages, or `None` if its report does not list them."""
    images, _, packages = pair.chosen
    if images.loc[images["variant"].eq(variant), "packages"].isna().all():
        return None
    return set(packages.loc[packages["variant"].eq(variant), "package"].dropna())


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


def _listed(found: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(found)) or "none"
