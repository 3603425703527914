"""The blog post's claims, each held against a study's evidence."""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from helpers import compare
from helpers.compare import MB
from helpers.frames import Frames

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

    frames: Frames
    published: pd.DataFrame
    alpine: str
    distroless: str


def claims(
    frames: Frames, published: pd.DataFrame, alpine: str | None, distroless: str | None
) -> pd.DataFrame:
    """Return the claims table: `claim, published, measured, lens, verdict, evidence`.

    `frames` may hold several captures; `alpine` and `distroless` are the variants that play these
    parts. If the study has no variant for one of them, no claim is measured.
    """
    if alpine is None or distroless is None:
        lacking = "alpine" if alpine is None else "distroless"
        nobody = f"no variant of this study has the role {lacking}"
        rows = [Claim(text, "", "", "", UNMEASURED, nobody) for text, _ in _CLAIMS]
    else:
        pair = Pair(frames, published, alpine, distroless)
        rows = [test(text, pair) for text, test in _CLAIMS]
    return pd.DataFrame(rows, columns=Claim._fields).astype("str")


def _fewer_vulnerabilities(text: str, pair: Pair) -> Claim:
    table = compare.totals_by_lens(pair.frames.findings, pair.frames.images)
    holds: list[str] = []
    fails: list[str] = []
    for capture, rows in table.groupby("capture", sort=False):
        both = rows.set_index("variant")
        for lens in [column for column in table if column not in ("capture", "variant")]:
            ours, theirs = both[lens].get(pair.distroless), both[lens].get(pair.alpine)
            if pd.isna(ours) or pd.isna(theirs):
                continue
            label = f"{str(lens).replace('_', ' ')} {capture}: {ours} against {theirs}"
            (holds if ours < theirs else fails).append(label)
    verdict = HOLDS if holds and not fails else PARTLY if holds else FAILS
    if not holds + fails:
        verdict = UNMEASURED
    lenses = "; ".join(
        f"{word}: {', '.join(labels)}"
        for word, labels in (("fewer", holds), ("not fewer", fails))
        if labels
    )
    return Claim(
        text,
        _printed(pair, "findings", "findings", pair.distroless, pair.alpine),
        f"{len(holds)} of {len(holds + fails)} counts are lower on distroless",
        lenses,
        verdict,
        "tables/totals-by-lens.csv, tables/captures.csv",
    )


def _smaller(text: str, pair: Pair) -> Claim:
    known = compare.sizes(pair.frames.images, pair.published)
    printed = _printed(pair, "image size", "MB", pair.alpine, pair.distroless)
    for size in (compare.UNPACKED, compare.COMPRESSED):
        of = known[known["size"].eq(size)].set_index("variant")["bytes"]
        alpine, distroless = of.get(pair.alpine), of.get(pair.distroless)
        if not pd.isna(alpine) and not pd.isna(distroless):
            measured = f"{alpine / MB:,.1f} MB against {distroless / MB:,.1f} MB"
            verdict = HOLDS if alpine < distroless else FAILS
            return Claim(text, printed, measured, f"{size} size", verdict, "tables/sizes.csv")
    evidence = "an SBOM lists packages, not bytes; only the published sizes are known"
    return Claim(text, printed, "", "", UNMEASURED, evidence)


def _no_shell(text: str, pair: Pair) -> Claim:
    tools = SHELLS | PACKAGE_MANAGERS
    ours, theirs = _packages(pair, pair.distroless), _packages(pair, pair.alpine)
    if ours is None or theirs is None:
        return Claim(text, "", "", "", UNMEASURED, "the reports do not list packages")
    found = sorted(ours & tools)
    measured = f"distroless: {', '.join(found) or 'none'}; Alpine: {_listed(theirs & tools)}"
    verdict = FAILS if found else PARTLY
    return Claim(text, "", measured, PACKAGES_ONLY, verdict, f"{len(ours)} packages of distroless")


def _executables(text: str, pair: Pair) -> Claim:
    evidence = "neither executables nor libraries are counted: there is no file inventory"
    return Claim(text, "", "", "", UNMEASURED, evidence)


def _musl(text: str, pair: Pair) -> Claim:
    ours, theirs = _packages(pair, pair.distroless), _packages(pair, pair.alpine)
    if ours is None or theirs is None:
        return Claim(text, "", "", "", UNMEASURED, "the reports do not list packages")
    libc = MUSL | GLIBC
    measured = f"Alpine: {_listed(theirs & libc)}; distroless: {_listed(ours & libc)}"
    verdict = PARTLY if theirs & MUSL and not theirs & GLIBC and ours & GLIBC else FAILS
    lens = f"{PACKAGES_ONLY}; whether anything breaks was not tried"
    return Claim(text, "", measured, lens, verdict, "packages named after a C library")


def _multi_stage(text: str, pair: Pair) -> Claim:
    evidence = "nothing was built or started: there is no image"
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
    """Return the names of a variant's packages, or `None` if its reports do not list them."""
    images, packages = pair.frames.images, pair.frames.packages
    if images.loc[images["variant"].eq(variant), "packages"].isna().all():
        return None
    return set(packages.loc[packages["variant"].eq(variant), "package"].dropna())


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
