"""The blog post's claims, each tested on a study's evidence."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from helpers.answers.answer import SLIDE, Answer
from helpers.answers.talk import CLAIMS as CLAIMS_TOPIC
from helpers.answers.talk import Table, Talk
from helpers.frames import SCANNED, Frames
from helpers.images import known_programs
from helpers.sizes import image_sizes
from helpers.surface import dynamic_linking, tools
from helpers.text.i18n import Listing, Message, msg, t, told, word
from helpers.text.rich import Text, bullets, listed, number, paragraph, say
from helpers.text.titles import begun
from helpers.text.units import MB
from helpers.vulnerabilities import counting, lenses
from helpers.vulnerabilities.fixes import BLIND
from helpers.vulnerabilities.lenses import Lens

HOLDS = msg("holds")
FAILS = msg("does not hold")
VARIES = msg("holds by some ways of counting only")
BY_PACKAGES = msg("holds, as far as packages show")
IN_PART = msg("holds in part")
UNMEASURED = msg("not measured here")

CLAIMS = (
    msg("Distroless has fewer vulnerabilities than Alpine"),
    msg("Alpine is the smaller image"),
    msg("Distroless has no shell and no package manager"),
    msg("Fewer executables and libraries mean fewer vulnerabilities"),
    msg("Alpine's C library is musl, which may bring compatibility problems"),
    msg("Distroless needs a multi-stage build: it cannot install the app's packages itself"),
)

_SHORT = {
    CLAIMS[0]: msg("Distroless has fewer vulnerabilities"),
    CLAIMS[1]: msg("Alpine is the smaller image"),
    CLAIMS[2]: msg("Distroless has no shell, no package manager"),
    CLAIMS[3]: msg("Fewer executables, fewer vulnerabilities"),
    CLAIMS[4]: msg("Alpine's musl may bring problems"),
    CLAIMS[5]: msg("Distroless needs a multi-stage build"),
}
"""Claims in few words."""

_MARKS = {HOLDS: "✓", BY_PACKAGES: "✓", VARIES: "±", IN_PART: "±", FAILS: "✗", UNMEASURED: "–"}
"""A sign for each verdict: on a slide it is told by more than its words."""

_SHELLS = (known_programs.SHELL, known_programs.OS_INSTALLER)


class Roles(NamedTuple):
    """The two variants that the claims compare."""

    alpine: str
    distroless: str

    def are_in(self, variants: Iterable[object]) -> bool:
        """Return whether both are among some variants."""
        return {*self} <= set(variants)


class Result(NamedTuple):
    """What the evidence says of a claim; all but the verdict are messages, or empty."""

    published: str = ""
    measured: str = ""
    lens: str = ""
    verdict: str = UNMEASURED
    evidence: str = ""


def answer(table: pd.DataFrame) -> Answer:
    """Answer which verdict each claim gets, and how many get which; of `claims`."""
    counts = table["verdict"].value_counts(sort=False)
    verdicts = listed(
        say("{count} × *{verdict}*", count=count, verdict=word(str(verdict)))
        for verdict, count in counts.items()
    )
    claims = number(len(table), "claim")
    text = say("Of {claims}: {verdicts}.", claims=claims, verdicts=verdicts)
    if not is_tested(table):
        return Answer("claims", text=paragraph(text), table=table)
    return Answer("claims", text=paragraph(text), table=table, role=SLIDE, talks=(_talk(table),))


def verdicts_answer(table: pd.DataFrame) -> Answer:
    """Answer what was learned of each claim, in short; of `claims`."""
    return Answer("claims-in-short", text=_verdicts(table))


def claims(
    frames: Frames,
    published: pd.DataFrame,
    files: pd.DataFrame,
    roles: tuple[str | None, str | None],
    capture: str,
    known_by: str = "",
) -> pd.DataFrame:
    """Return the claims table: `claim, published, measured, lens, verdict, evidence`.

    Counts are compared in every capture of `frames`, as known by a day if one is named. All else is
    compared in `capture`, whose list of `files` may be empty. `roles` are the variants with the
    roles of Alpine and distroless; without one of them no claim is measured.
    """
    alpine, distroless = roles
    if alpine is None or distroless is None:
        lacking = "alpine" if alpine is None else "distroless"
        why = Message("no variant of this study has the role {role}", role=lacking)
        results = [Result(evidence=why) for _ in CLAIMS]
    else:
        pair = Roles(alpine, distroless)
        chosen = Frames(*(frame[frame["capture"].eq(capture)] for frame in frames))
        results = [
            _fewer_vulnerabilities(pair, frames, published, known_by),
            _smaller(pair, chosen.images, published),
            _no_shell(pair, chosen, files),
            _executables(pair, chosen, files, known_by),
            _musl(pair, chosen, files),
            _multi_stage(pair, chosen.images, files),
        ]
    rows = [(claim, *result) for claim, result in zip(CLAIMS, results, strict=True)]
    return pd.DataFrame(rows, columns=["claim", *Result._fields], dtype=object)


def is_tested(table: pd.DataFrame) -> bool:
    """Return whether any claim is: of a study without both of the roles none is."""
    return bool(table["verdict"].ne(UNMEASURED).any())


def headline(table: pd.DataFrame) -> str:
    """Return how many of the claims hold, hold in part, do not hold, or were not measured."""
    parts = []
    for one, many, verdicts in (
        (msg("1 holds"), msg("{count} hold"), (HOLDS, BY_PACKAGES)),
        (msg("1 holds in part"), msg("{count} hold in part"), (VARIES, IN_PART)),
        (msg("1 does not hold"), msg("{count} do not hold"), (FAILS,)),
        (msg("1 was not measured"), msg("{count} were not measured"), (UNMEASURED,)),
    ):
        if count := int(table["verdict"].isin(verdicts).sum()):
            parts.append(word(one if count == 1 else many).format(count=count))
    claims = number(len(table), "claim")
    return t("Of the post's {claims} {parts}", claims=claims, parts=", ".join(parts))


def _talk(table: pd.DataFrame) -> Talk:
    cells = [
        [word(_SHORT[row.claim]), f"{_MARKS[row.verdict]} {word(row.verdict)}"]
        for row in table.itertuples()
    ]
    by_verdict = [
        (verdict, listed(word(_SHORT[claim]) for claim in rows["claim"]))
        for verdict, rows in table.groupby("verdict", sort=False)
        if verdict in (VARIES, IN_PART, FAILS)
    ]
    spoken = (
        t(
            "The post made {claims}, and each was held against this evidence.",
            claims=number(len(table), "claim"),
        ),
        *(
            t("{verdict}: {claims}.", verdict=begun(word(str(verdict))), claims=claims.plain)
            for verdict, claims in by_verdict
        ),
        *(
            [t("What was not measured is neither confirmed nor refuted.")]
            if table["verdict"].eq(UNMEASURED).any()
            else []
        ),
        t("Two images show no rule, and a count of vulnerabilities is not a risk."),
    )
    head = [t("claim of the post"), t("what this evidence says")]
    return Talk(
        CLAIMS_TOPIC, headline(table), table=Table(head, cells, [0.56, 0.44]), spoken=spoken
    )


def _verdicts(table: pd.DataFrame) -> Text:
    """Return each claim with its verdict and what that rests on, as a list."""
    if table["evidence"].nunique() == 1:
        why = told(table["evidence"].iloc[0])
        return paragraph(say("No claim of the post is tested: {why}.", why=why))
    lines = [
        say(
            "{claim}: **{verdict}** ({why})",
            claim=word(row.claim),
            verdict=word(row.verdict),
            why=told(row.measured or row.evidence),
        )
        for row in table.itertuples()
    ]
    note = say(
        "A count is not a risk: whether anything found can be reached in the running app was not "
        "looked at."
    )
    return bullets(lines) + paragraph(note)


def _fewer_vulnerabilities(
    roles: Roles, frames: Frames, published: pd.DataFrame, known_by: str
) -> Result:
    shares: list[str] = []
    counted: list[str] = []
    holds, count = 0, 0
    fair = _fair(frames.images, roles.alpine)
    is_blind = len(fair) < len(counting.LENS_COLUMNS)
    for capture, rows in _totals(frames, known_by).groupby("capture", sort=False):
        totals = rows.set_index("variant")[list(counting.LENS_COLUMNS)]
        if not roles.are_in(totals.index):
            continue
        distroless, alpine = totals.loc[roles.distroless], totals.loc[roles.alpine]
        fewer = int((distroless[fair] < alpine[fair]).sum())
        share = Message("{fewer} of {of} in {capture}", fewer=fewer, of=len(fair), capture=capture)
        shares.append(share)
        counts = _by_lens(distroless, alpine)
        counted.append(_joined(str(capture), _published_by(known_by), ": ", counts))
        holds, count = holds + fewer, count + len(fair)
    evidence = Message("the scanner's findings, in the table of captures of 05-history")
    if is_blind:
        more = Message("; only fixable ones are compared, since Alpine lists no others")
        evidence = _joined(evidence, more)
    printed = _printed(roles, published, "findings")
    return Result(
        Message("{distroless:g} against {alpine:g} findings", **printed) if printed else "",
        Message("fewer by these counts that are fair to both: {shares}", shares=Listing(shares))
        if shares
        else "",
        Listing(counted, "; "),
        _verdict(holds > 0, holds < count),
        evidence,
    )


def _fair(images: pd.DataFrame, alpine: str) -> list[str]:
    """Return the counts that are fair to both images.

    What has no fix is not listed for Alpine, so only what has one is seen in both.
    """
    scanned = images[images["status"].eq(SCANNED)]
    is_blind = scanned[scanned["variant"].eq(alpine)]["os_family"].isin(BLIND).any()
    return [c for c, (_, fixable) in counting.LENS_COLUMNS.items() if fixable or not is_blind]


def _smaller(roles: Roles, images: pd.DataFrame, published: pd.DataFrame) -> Result:
    sizes = image_sizes.table(images, published).dropna(subset="bytes")
    printed = _printed(roles, published, "image size")
    claimed = Message("{alpine:g} against {distroless:g} MB", **printed) if printed else ""
    for kind in (image_sizes.UNPACKED, image_sizes.COMPRESSED):
        measured = sizes[sizes["kind"].eq(kind)].set_index("variant")["bytes"]
        if roles.are_in(measured.index):
            alpine, distroless = measured[roles.alpine], measured[roles.distroless]
            text = Message(
                "{alpine:,.1f} MB against {distroless:,.1f} MB",
                alpine=alpine / MB,
                distroless=distroless / MB,
            )
            verdict = _verdict(alpine < distroless, alpine >= distroless)
            evidence = Message("the layers of this study's images")
            return Result(claimed, text, Message(image_sizes.SIZE_NAMES[kind]), verdict, evidence)
    why = Message("no size of both images was measured")
    if images["source"].eq("sbom").all():
        why = Message("an SBOM lists packages, not bytes")
    if printed:
        why = _joined(why, Message("; only the published sizes are known"))
    return Result(claimed, evidence=why)


def _no_shell(roles: Roles, frames: Frames, files: pd.DataFrame) -> Result:
    distroless, alpine = (_tools(files, v, _SHELLS) for v in (roles.distroless, roles.alpine))
    if distroless is not None and alpine is not None:
        measured = _both(distroless, alpine)
        started = [_shell(frames.images, v) for v in (roles.distroless, roles.alpine)]
        if None not in started:
            shells = Message(
                "; shell that could be started: {distroless} against {alpine}",
                distroless=started[0] or Message("none"),
                alpine=started[1] or Message("none"),
            )
            measured = _joined(measured, shells)
        return Result(
            measured=measured,
            lens=Message("programs and links by name"),
            verdict=FAILS if distroless or started[0] else HOLDS,
            evidence=Message("the list of files, and starting a shell"),
        )
    packages = _packages(frames, roles.distroless)
    if packages is None or _packages(frames, roles.alpine) is None:
        return Result(evidence=Message("the reports do not list packages"))
    found = tools.of_packages(frames.packages)
    distroless, alpine = (
        tools.names(found, variant, _SHELLS) for variant in (roles.distroless, roles.alpine)
    )
    return Result(
        measured=_both(distroless, alpine),
        lens=Message("the package list; files are not in this evidence"),
        verdict=FAILS if distroless else BY_PACKAGES,
        evidence=Message("{count} packages of distroless", count=len(packages)),
    )


def _executables(roles: Roles, frames: Frames, files: pd.DataFrame, known_by: str) -> Result:
    binaries = tools.binaries(files).set_index("variant")
    totals = _totals(frames, known_by).set_index("variant")[list(counting.LENS_COLUMNS)]
    if not roles.are_in(binaries.index) or not roles.are_in(totals.index):
        why = Message("neither executables nor libraries are counted here: no list of files")
        return Result(evidence=why)
    distroless, alpine = binaries.loc[roles.distroless], binaries.loc[roles.alpine]
    fewer, more = roles.distroless, roles.alpine
    if distroless.sum() > alpine.sum():
        fewer, more = more, fewer
    # As in the first claim: what is listed for one of the two only is no count of both.
    fair = _fair(frames.images, roles.alpine)
    holds = totals.loc[fewer][fair] < totals.loc[more][fair]
    measured = Message(
        "executables {ours:,} against {theirs:,}, libraries {our_libraries:,} against "
        "{their_libraries:,} (distroless against Alpine)",
        ours=distroless.executables,
        theirs=alpine.executables,
        our_libraries=distroless.libraries,
        their_libraries=alpine.libraries,
    )
    counts = _by_lens(totals.loc[roles.distroless], totals.loc[roles.alpine])
    is_tie = distroless.sum() == alpine.sum()
    return Result(
        measured=measured,
        lens=_joined(counts, _published_by(known_by)),
        verdict=FAILS if is_tie else _verdict(bool(holds.any()), not holds.all()),
        evidence=_joined(
            Message("ELF files, and the scanner's findings; two images show no rule"),
            *(
                []
                if len(fair) == len(counting.LENS_COLUMNS)
                else [Message("; only fixable ones are compared, since Alpine lists no others")]
            ),
        ),
    )


def _musl(roles: Roles, frames: Frames, files: pd.DataFrame) -> Result:
    libcs = dynamic_linking.libc(files, frames.images).set_index("variant")
    alpine, distroless = libcs.loc[roles.alpine], libcs.loc[roles.distroless]
    if pd.notna(alpine["libc"]) and pd.notna(distroless["libc"]):
        unloadable = dynamic_linking.unloadable(files)
        broken = int(unloadable["variant"].eq(roles.alpine).sum())
        is_musl = alpine["musl"] > 0 and not alpine["glibc"]
        return Result(
            measured=Listing(
                (
                    f"Alpine {alpine['musl']:,} × musl, {alpine['glibc']:,} × glibc",
                    f"distroless {distroless['musl']:,} × musl, {distroless['glibc']:,} × glibc",
                    Message(
                        "{files} of Alpine ask for something that is not there",
                        files=Message("{count:,} file", count=broken)
                        if broken == 1
                        else Message("{count:,} files", count=broken),
                    ),
                ),
                "; ",
            ),
            lens=Message(
                "what programs and libraries ask for; none was run to see whether it breaks"
            ),
            verdict=FAILS if not is_musl else HOLDS if broken else IN_PART,
            evidence=Message("ELF files with a loader, in the list of files"),
        )
    ours, theirs = _packages(frames, roles.distroless), _packages(frames, roles.alpine)
    if ours is None or theirs is None:
        return Result(evidence=Message("the reports do not list packages"))
    named = tools.MUSL | tools.GLIBC
    return Result(
        measured=Message(
            "Alpine: {alpine}; distroless: {distroless}",
            alpine=_sorted(theirs & named),
            distroless=_sorted(ours & named),
        ),
        lens=Message(
            "the package list; files are not in this evidence; whether anything breaks was not "
            "tried"
        ),
        verdict=BY_PACKAGES if theirs & tools.MUSL and not theirs & tools.GLIBC else FAILS,
        evidence=Message("packages named after a C library"),
    )


def _multi_stage(roles: Roles, images: pd.DataFrame, files: pd.DataFrame) -> Result:
    kinds = (known_programs.APP_INSTALLER,)
    distroless, alpine = (_tools(files, v, kinds) for v in (roles.distroless, roles.alpine))
    if distroless is None or alpine is None:
        why = Message("whether it can install an app's packages is not known: no list of files")
        return Result(evidence=why)
    measured = Message(
        "installers of an app's packages: distroless {distroless}; Alpine {alpine}",
        distroless=_sorted(distroless),
        alpine=_sorted(alpine),
    )
    shell = _shell(images, roles.distroless)
    if shell is not None:
        run = Message(
            "; a RUN in shell form needs a shell, and {shell} starts in distroless",
            shell=shell or Message("none"),
        )
        measured = _joined(measured, run)
    return Result(
        measured=measured,
        lens=Message("programs, scripts and links by name"),
        verdict=FAILS if distroless and shell != "" else HOLDS,
        evidence=Message("the list of files"),
    )


def _totals(frames: Frames, known_by: str) -> pd.DataFrame:
    """Return `totals_by_lens` of the images that were scanned whole."""
    # Where no operating system was recognised, the count is not that of the image.
    scanned = frames.images[frames.images["status"].eq(SCANNED)]
    return counting.totals_by_lens(frames.findings, scanned, Lens(known_by=known_by))


def _tools(files: pd.DataFrame, variant: str, kinds: tuple[str, ...]) -> frozenset[str] | None:
    """Return the tools of some kinds in a variant; `None` if its files are not known."""
    files_of_image = files[files["variant"].eq(variant)]
    if files_of_image.empty:
        return None
    return tools.names(tools.found(files_of_image), variant, kinds)


def _packages(frames: Frames, variant: str) -> frozenset[str] | None:
    """Return the names of a variant's packages; `None` if its report does not list them."""
    images = frames.images
    if images.loc[images["variant"].eq(variant), "packages"].isna().all():
        return None
    return tools.packages(frames.packages, variant)


def _shell(images: pd.DataFrame, variant: str) -> str | None:
    """Return the shell that could be started, empty if none could; `None` if not tried."""
    row = images[images["variant"].eq(variant)].iloc[0]
    if pd.isna(row["shell_starts"]):
        return None
    return str(row["shell"]) if row["shell_starts"] else ""


def _printed(roles: Roles, published: pd.DataFrame, metric: str) -> dict[str, float]:
    """Return what was published of a metric, of findings the total; empty if not of both."""
    rows = published[published["metric"].eq(metric)]
    rows = rows[rows["severity"].isna() | rows["severity"].eq(counting.TOTAL)]
    values = rows.set_index("variant")["value"].dropna()
    if not roles.are_in(values.index):
        return {}
    return {"alpine": values[roles.alpine], "distroless": values[roles.distroless]}


def _by_lens(ours: pd.Series, theirs: pd.Series) -> Message:
    """Return two images' counts under each lens."""
    return Listing(
        Message(
            "{lens} {ours} against {theirs}",
            lens=Message(lenses.NAMES[lens]),
            ours=ours[column],
            theirs=theirs[column],
        )
        for column, lens in counting.LENS_COLUMNS.items()
    )


def _published_by(day: str) -> str:
    """Return by which day is counted, as the end of a text; empty for none."""
    return Message(", published by {day}", day=day) if day else ""


def _verdict(holds: bool, fails: bool) -> str:
    """Return the verdict on a claim that holds somewhere, fails somewhere, both or neither."""
    if holds and fails:
        return VARIES
    return HOLDS if holds else FAILS if fails else UNMEASURED


def _both(distroless: frozenset[str], alpine: frozenset[str]) -> Message:
    """Return what of some kind is in distroless, and what in Alpine."""
    return Message(
        "distroless: {distroless}; Alpine: {alpine}",
        distroless=_sorted(distroless),
        alpine=_sorted(alpine),
    )


def _sorted(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or Message("none")


def _joined(*parts: str) -> Message:
    """Return messages as one, with nothing between them."""
    return Listing(parts, "")
