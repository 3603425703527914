"""The blog post's claims, each held against a study's evidence."""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from helpers.frames import SCANNED, Frames
from helpers.images import known_programs
from helpers.sizes import image_sizes
from helpers.sizes.image_sizes import MB
from helpers.surface import dynamic_linking, tools
from helpers.text.i18n import msg, t, word
from helpers.text.markdown import listed, number
from helpers.verdict.tradeoff import SIZES
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.fixes import BLIND
from helpers.vulnerabilities.lenses import Lens


class Pair(NamedTuple):
    """What the claims are tested on: the frames, and which variant plays which part."""

    every: Frames
    chosen: Frames
    published: pd.DataFrame
    files: pd.DataFrame
    alpine: str
    distroless: str
    known_by: str

    def totals(self, of: Frames) -> pd.DataFrame:
        """Return `totals_by_lens` of what was scanned whole, as known by the day."""
        # Where no operating system was recognised, the count is not that of the image.
        known = of.images[of.images["status"].eq(SCANNED)]
        return counting.totals_by_lens(of.findings, known, Lens(known_by=self.known_by))

    def are_in(self, known: pd.Index) -> bool:
        """Return whether both variants are among those of which something is known."""
        return {self.alpine, self.distroless} <= set(known)

    def tools(self, variant: str, kinds: tuple[str, ...]) -> frozenset[str] | None:
        """Return the tools of some kinds in a variant; `None` if its files are not known."""
        own = self.files[self.files["variant"].eq(variant)]
        return None if own.empty else tools.names(tools.found(own), variant, kinds)

    def packages(self, variant: str) -> frozenset[str] | None:
        """Return the names of a variant's packages, `None` if its report does not list them."""
        images = self.chosen.images
        if images.loc[images["variant"].eq(variant), "packages"].isna().all():
            return None
        return tools.packages(self.chosen.packages, variant)

    def started(self, variant: str) -> str | None:
        """Return the shell that could be started, empty if none could; `None` if not tried."""
        images = self.chosen.images
        row = images[images["variant"].eq(variant)].iloc[0]
        if pd.isna(row["shell_starts"]):
            return None
        return str(row["shell"]) if row["shell_starts"] else ""

    def printed(self, metric: str) -> dict[str, float]:
        """Return what was published of a metric, of findings the total; empty if not of both."""
        rows = self.published[self.published["metric"].eq(metric)]
        rows = rows[rows["severity"].isna() | rows["severity"].eq(counting.TOTAL)]
        value = rows.set_index("variant")["value"].dropna()
        if not self.are_in(value.index):
            return {}
        return {"alpine": value[self.alpine], "distroless": value[self.distroless]}

    def dated(self) -> str:
        """Return by which day is counted, for the end of a text; nothing if by none."""
        return t(", published by {day}", day=self.known_by) if self.known_by else ""


HOLDS = msg("holds")
FAILS = msg("does not hold")
PARTLY = msg("holds under this lens only")
UNMEASURED = msg("not measured here")

_NO_PACKAGES = msg("the reports do not list packages")


class Claim(NamedTuple):
    """One claim of the blog post and what the evidence says of it."""

    claim: str
    published: str
    measured: str
    lens: str
    verdict: str
    evidence: str


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
        nobody = t("no variant of this study has the role {role}", role=lacking)
        rows = [Claim(text, "", "", "", UNMEASURED, nobody) for text, _ in _CLAIMS]
    else:
        chosen = Frames(*(frame[frame["capture"].eq(capture)] for frame in frames))
        pair = Pair(frames, chosen, published, files, alpine, distroless, known_by)
        rows = [test(text, pair) for text, test in _CLAIMS]
    return pd.DataFrame(rows, columns=Claim._fields).astype("str")


def _fewer_vulnerabilities(text: str, pair: Pair) -> Claim:
    shares: list[str] = []
    lenses: list[str] = []
    holds, counts = 0, 0
    for capture, rows in pair.totals(pair.every).groupby("capture", sort=False):
        both = rows.set_index("variant")[list(counting.LENS_COLUMNS)]
        if pair.are_in(both.index):
            ours, theirs = both.loc[pair.distroless], both.loc[pair.alpine]
            fewer = int((ours < theirs).sum())
            shares.append(_share(str(capture), fewer, len(ours)))
            lenses.append(f"{capture}{pair.dated()}: {_by_lens(ours, theirs)}")
            holds, counts = holds + fewer, counts + len(ours)
    evidence = t("the scanner's findings, in the table of captures of 02-vulnerabilities")
    images = pair.every.images
    scanned = images[images["status"].eq(SCANNED) & images["variant"].eq(pair.alpine)]
    if scanned["os_family"].isin(BLIND).any():
        evidence += t("; of all but the fixable ones, Alpine's share cannot be seen in full")
    printed = pair.printed("findings")
    return Claim(
        text,
        t("{distroless:g} against {alpine:g} findings", **printed) if printed else "",
        t("fewer {lenses}", lenses=listed(shares)) if shares else "",
        "; ".join(lenses),
        _verdict(holds > 0, holds < counts),
        evidence,
    )


def _share(capture: str, fewer: int, lenses: int) -> str:
    """Return under how many lenses of a capture one has fewer."""
    if fewer == lenses:
        return t("under every one of the lenses in {capture}", capture=capture)
    if not fewer:
        return t("under none of the lenses in {capture}", capture=capture)
    return t("under {count} of the lenses in {capture}", count=fewer, capture=capture)


def _by_lens(ours: pd.Series, theirs: pd.Series) -> str:
    """Return two images' counts under each lens."""
    return listed(
        t(
            "{lens} {ours} against {theirs}",
            lens=Lens(*counting.LENS_COLUMNS[str(column)]).label,
            ours=ours[column],
            theirs=theirs[column],
        )
        for column in ours.index
    )


def _verdict(holds: bool, fails: bool) -> str:
    """Return the verdict on a claim that holds somewhere, fails somewhere, both or neither."""
    if holds and fails:
        return PARTLY
    return HOLDS if holds else FAILS if fails else UNMEASURED


def _smaller(text: str, pair: Pair) -> Claim:
    known = image_sizes.table(pair.chosen.images, pair.published)
    printed = pair.printed("image size")
    told = t("{alpine:g} against {distroless:g} MB", **printed) if printed else ""
    for kind in (image_sizes.UNPACKED, image_sizes.COMPRESSED):
        of = known[known["kind"].eq(kind)].dropna(subset="bytes").set_index("variant")["bytes"]
        if pair.are_in(of.index):
            alpine, distroless = of[pair.alpine], of[pair.distroless]
            measured = t(
                "{alpine:,.1f} MB against {distroless:,.1f} MB",
                alpine=alpine / MB,
                distroless=distroless / MB,
            )
            verdict = _verdict(alpine < distroless, alpine >= distroless)
            evidence = t("the layers of this study's images")
            return Claim(text, told, measured, word(SIZES[kind]), verdict, evidence)
    sboms = pair.chosen.images["source"].eq("sbom").all()
    why = t("no size of both images was measured")
    if sboms:
        why = t("an SBOM lists packages, not bytes")
    if printed:
        why += t("; only the published sizes are known")
    return Claim(text, told, "", "", UNMEASURED, why)


def _no_shell(text: str, pair: Pair) -> Claim:
    kinds = (known_programs.SHELL, known_programs.OS_INSTALLER)
    ours, theirs = (pair.tools(v, kinds) for v in (pair.distroless, pair.alpine))
    if ours is not None and theirs is not None:
        measured = _both(ours, theirs)
        started = pair.started(pair.distroless), pair.started(pair.alpine)
        if None not in started:
            shells = [shell or t("none") for shell in started]
            measured += t(
                "; shell that could be started: {distroless} against {alpine}",
                distroless=shells[0],
                alpine=shells[1],
            )
        verdict = FAILS if ours or started[0] else HOLDS
        lens = t("programs and links by name")
        evidence = t("the list of files, and starting a shell")
        return Claim(text, "", measured, lens, verdict, evidence)
    packages = pair.packages(pair.distroless)
    if packages is None or pair.packages(pair.alpine) is None:
        return Claim(text, "", "", "", UNMEASURED, word(_NO_PACKAGES))
    named = tools.of_packages(pair.chosen.packages)
    ours, theirs = (tools.names(named, v, kinds) for v in (pair.distroless, pair.alpine))
    verdict = FAILS if ours else PARTLY
    lens = t("the package list; files are not in this evidence")
    evidence = t("{count} packages of distroless", count=len(packages))
    return Claim(text, "", _both(ours, theirs), lens, verdict, evidence)


def _executables(text: str, pair: Pair) -> Claim:
    counted = tools.binaries(pair.files).set_index("variant")
    table = pair.totals(pair.chosen).set_index("variant")
    if not pair.are_in(counted.index) or not pair.are_in(table.index):
        evidence = t("neither executables nor libraries are counted here: no list of files")
        return Claim(text, "", "", "", UNMEASURED, evidence)
    ours, theirs = counted.loc[pair.distroless], counted.loc[pair.alpine]
    fewer, more = pair.distroless, pair.alpine
    if ours.sum() > theirs.sum():
        fewer, more = more, fewer
    counts = table[list(counting.LENS_COLUMNS)]
    holds = counts.loc[fewer] < counts.loc[more]
    measured = t(
        "executables {ours:,} against {theirs:,}, libraries {our_libraries:,} against "
        "{their_libraries:,} (distroless against Alpine)",
        ours=ours.executables,
        theirs=theirs.executables,
        our_libraries=ours.libraries,
        their_libraries=theirs.libraries,
    )
    told = _by_lens(counts.loc[pair.distroless], counts.loc[pair.alpine]) + pair.dated()
    verdict = FAILS if ours.sum() == theirs.sum() else _verdict(bool(holds.any()), not holds.all())
    evidence = t("ELF files, and the scanner's findings; two images show no rule")
    return Claim(text, "", measured, told, verdict, evidence)


def _musl(text: str, pair: Pair) -> Claim:
    asked = dynamic_linking.libc(pair.files, pair.chosen.images).set_index("variant")
    loaders = asked.loc[[pair.alpine, pair.distroless]]
    if loaders["libc"].notna().all():
        told = [
            f"{variant} {libc.musl:,} × musl, {libc.glibc:,} × glibc"
            for variant, libc in zip(("Alpine", "distroless"), loaders.itertuples(), strict=True)
        ]
        is_musl = loaders["musl"].iloc[0] > 0 and not loaders["glibc"].iloc[0]
        lacking = dynamic_linking.unloadable(pair.files)
        broken = int(lacking["variant"].eq(pair.alpine).sum())
        lacking_files = number(broken, "file")
        told.append(
            t("{files} of Alpine with something they ask for not there", files=lacking_files)
        )
        lens = t("what programs and libraries ask for; none was run to see whether it breaks")
        verdict = FAILS if not is_musl else HOLDS if broken else PARTLY
        evidence = t("ELF files with a loader, in the list of files")
        return Claim(text, "", "; ".join(told), lens, verdict, evidence)
    ours, theirs = pair.packages(pair.distroless), pair.packages(pair.alpine)
    if ours is None or theirs is None:
        return Claim(text, "", "", "", UNMEASURED, word(_NO_PACKAGES))
    named = tools.MUSL | tools.GLIBC
    measured = t(
        "Alpine: {alpine}; distroless: {distroless}",
        alpine=_listed(theirs & named),
        distroless=_listed(ours & named),
    )
    verdict = PARTLY if theirs & tools.MUSL and not theirs & tools.GLIBC else FAILS
    lens = t(
        "the package list; files are not in this evidence; whether anything breaks was not tried"
    )
    evidence = t("packages named after a C library")
    return Claim(text, "", measured, lens, verdict, evidence)


def _multi_stage(text: str, pair: Pair) -> Claim:
    kinds = (known_programs.APP_INSTALLER,)
    found, there = (pair.tools(v, kinds) for v in (pair.distroless, pair.alpine))
    if found is None or there is None:
        evidence = t("whether npm is in the image is not known: no list of files")
        return Claim(text, "", "", "", UNMEASURED, evidence)
    measured = t(
        "npm and the like: distroless {distroless}; Alpine {alpine}",
        distroless=_listed(found),
        alpine=_listed(there),
    )
    shell = pair.started(pair.distroless)
    if shell is not None:
        measured += t(
            "; a RUN in shell form needs a shell, and {shell} starts in distroless",
            shell=shell or t("none"),
        )
    verdict = FAILS if found and shell != "" else HOLDS
    lens = t("programs, scripts and links by name")
    return Claim(text, "", measured, lens, verdict, t("the list of files"))


_CLAIMS: tuple[tuple[str, Callable[[str, Pair], Claim]], ...] = (
    (msg("Distroless has fewer vulnerabilities than Alpine"), _fewer_vulnerabilities),
    (msg("Alpine is the smaller image"), _smaller),
    (msg("Distroless has no shell and no package manager"), _no_shell),
    (msg("Fewer executables and libraries mean fewer vulnerabilities"), _executables),
    (msg("Alpine's C library is musl, which may bring compatibility problems"), _musl),
    (
        msg("Distroless needs a multi-stage build: it cannot install npm packages itself"),
        _multi_stage,
    ),
)


def _both(ours: frozenset[str], theirs: frozenset[str]) -> str:
    """Return what of some kind is in distroless, and what in Alpine."""
    return t(
        "distroless: {distroless}; Alpine: {alpine}",
        distroless=_listed(ours),
        alpine=_listed(theirs),
    )


def _listed(found: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(found)) or t("none")
