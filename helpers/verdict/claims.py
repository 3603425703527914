"""The blog post's claims, each tested on a study's evidence."""

from collections.abc import Callable, Iterable
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
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.fixes import BLIND
from helpers.vulnerabilities.lenses import Lens

HOLDS = msg("holds")
FAILS = msg("does not hold")
VARIES = msg("holds by some ways of counting only")
BY_PACKAGES = msg("holds, as far as packages show")
IN_PART = msg("holds in part")
UNMEASURED = msg("not measured here")

_MARKS = {HOLDS: "✓", BY_PACKAGES: "✓", VARIES: "±", IN_PART: "±", FAILS: "✗", UNMEASURED: "–"}
"""A sign for each verdict: on a slide it is told by more than its words."""

_COUNTED = (
    ("✓", msg("1 holds"), msg("{count} hold")),
    ("±", msg("1 holds in part"), msg("{count} hold in part")),
    ("✗", msg("1 does not hold"), msg("{count} do not hold")),
    ("–", msg("1 was not measured"), msg("{count} were not measured")),
)

_SHELLS = (known_programs.SHELL, known_programs.OS_INSTALLER)

_Both = tuple[frozenset[str], frozenset[str]]


class Result(NamedTuple):
    """What the evidence says of a claim; all but the verdict are messages, or empty."""

    published: str = ""
    measured: str = ""
    lens: str = ""
    verdict: str = UNMEASURED
    evidence: str = ""


class Pair(NamedTuple):
    """The two variants that claims compare, and the evidence: of all captures and of `capture`."""

    distroless: str
    alpine: str
    every: Frames
    capture: Frames
    published: pd.DataFrame
    files: pd.DataFrame
    known_by: str

    def rows(self, table: pd.DataFrame) -> tuple[pd.Series, pd.Series] | None:
        """Return the rows of distroless and Alpine; `None` if one has none."""
        by_variant = table.set_index("variant")
        if not {self.distroless, self.alpine} <= {*by_variant.index}:
            return None
        return by_variant.loc[self.distroless], by_variant.loc[self.alpine]

    def tools(self, *kinds: str) -> _Both | None:
        """Return the tools of some kinds in both; `None` if the files of one are not known."""
        if not {self.distroless, self.alpine} <= {*self.files["variant"]}:
            return None
        return self._names(tools.found(self.files), kinds)

    def tools_by_package(self, *kinds: str) -> _Both:
        """Return the tools of some kinds that packages are named after."""
        return self._names(tools.of_packages(self.capture.packages), kinds)

    def _names(self, found: pd.DataFrame, kinds: tuple[str, ...]) -> _Both:
        return tools.names(found, self.distroless, kinds), tools.names(found, self.alpine, kinds)

    def packages(self) -> _Both | None:
        """Return the names of both variants' packages; `None` if a report does not list them."""
        rows = self.rows(self.capture.images)
        if rows is None or any(pd.isna(row["packages"]) for row in rows):
            return None
        of = self.capture.packages
        return tools.packages(of, self.distroless), tools.packages(of, self.alpine)

    def shells(self) -> tuple[str | None, ...]:
        """Return the shell that could be started in each, empty if none; `None` if not tried."""
        return tuple(
            None
            if pd.isna(row["shell_starts"])
            else str(row["shell"])
            if row["shell_starts"]
            else ""
            for row in self.rows(self.capture.images) or ()
        )

    def totals(self, frames: Frames) -> pd.DataFrame:
        """Return `totals_by_lens` of the images that were scanned whole."""
        # Where no operating system was recognised, the count is not that of the image.
        scanned = frames.images[frames.images["status"].eq(SCANNED)]
        return counting.totals_by_lens(frames.findings, scanned, Lens(known_by=self.known_by))

    def fair(self, images: pd.DataFrame) -> list[str]:
        """Return the counts that are fair to both.

        What has no fix is not listed for Alpine, so only what has one is seen in both.
        """
        is_alpine = images["status"].eq(SCANNED) & images["variant"].eq(self.alpine)
        is_blind = images[is_alpine]["os_family"].isin(BLIND).any()
        return [c for c, (_, fixable) in counting.LENS_COLUMNS.items() if fixable or not is_blind]

    def claimed(self, metric: str, form: str) -> str:
        """Return what was published of a metric, of findings the total; empty if not of both."""
        is_total = self.published["severity"].isna() | self.published["severity"].eq(counting.TOTAL)
        known = self.published[self.published["metric"].eq(metric) & is_total]
        if (rows := self.rows(known.dropna(subset="value"))) is None:
            return ""
        return Message(form, distroless=rows[0]["value"], alpine=rows[1]["value"])


def _fewer_vulnerabilities(pair: Pair) -> Result:
    shares: list[str] = []
    counted: list[str] = []
    holds, count = 0, 0
    fair = pair.fair(pair.every.images)
    for capture, totals in pair.totals(pair.every).groupby("capture", sort=False):
        if (rows := pair.rows(totals)) is None:
            continue
        fewer = int((rows[0][fair] < rows[1][fair]).sum())
        shares.append(
            Message("{fewer} of {of} in {capture}", fewer=fewer, of=len(fair), capture=capture)
        )
        counted.append(_joined(str(capture), _published_by(pair), ": ", _by_lens(*rows)))
        holds, count = holds + fewer, count + len(fair)
    return Result(
        pair.claimed("findings", msg("{distroless:g} against {alpine:g} findings")),
        Message("fewer by these counts that are fair to both: {shares}", shares=Listing(shares))
        if shares
        else "",
        Listing(counted, "; "),
        _verdict(holds > 0, holds < count),
        _as_fair(Message("the scanner's findings, in the table of captures of 05-history"), fair),
    )


def _smaller(pair: Pair) -> Result:
    images = pair.capture.images
    sizes = image_sizes.table(images, pair.published).dropna(subset="bytes")
    claimed = pair.claimed("image size", msg("{alpine:g} against {distroless:g} MB"))
    for kind in (image_sizes.UNPACKED, image_sizes.COMPRESSED):
        if rows := pair.rows(sizes[sizes["kind"].eq(kind)]):
            distroless, alpine = (row["bytes"] for row in rows)
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
    more = [Message("; only the published sizes are known")] if claimed else []
    return Result(claimed, evidence=_joined(why, *more))


def _no_shell(pair: Pair) -> Result:
    if found := pair.tools(*_SHELLS):
        measured, started = _both(found), pair.shells()
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
            verdict=FAILS if found[0] or started[0] else HOLDS,
            evidence=Message("the list of files, and starting a shell"),
        )
    if not (packages := pair.packages()):
        return Result(evidence=Message("the reports do not list packages"))
    found = pair.tools_by_package(*_SHELLS)
    return Result(
        measured=_both(found),
        lens=Message("the package list; files are not in this evidence"),
        verdict=FAILS if found[0] else BY_PACKAGES,
        evidence=Message("{count} packages of distroless", count=len(packages[0])),
    )


def _executables(pair: Pair) -> Result:
    binaries = pair.rows(tools.binaries(pair.files))
    totals = pair.rows(pair.totals(pair.capture))
    if binaries is None or totals is None:
        why = Message("neither executables nor libraries are counted here: no list of files")
        return Result(evidence=why)
    ours, theirs = (row[["executables", "libraries"]] for row in binaries)
    fewer, more = totals if ours.sum() <= theirs.sum() else totals[::-1]
    # As in the first claim: what is listed for one of the two only is no count of both.
    fair = pair.fair(pair.capture.images)
    holds = fewer[fair] < more[fair]
    measured = Message(
        "executables {ours:,} against {theirs:,}, libraries {our_libraries:,} against "
        "{their_libraries:,} (distroless against Alpine)",
        ours=ours["executables"],
        theirs=theirs["executables"],
        our_libraries=ours["libraries"],
        their_libraries=theirs["libraries"],
    )
    is_tie = ours.sum() == theirs.sum()
    return Result(
        measured=measured,
        lens=_joined(_by_lens(*totals), _published_by(pair)),
        verdict=FAILS if is_tie else _verdict(bool(holds.any()), not holds.all()),
        evidence=_as_fair(
            Message("ELF files, and the scanner's findings; two images show no rule"), fair
        ),
    )


def _musl(pair: Pair) -> Result:
    libcs = pair.rows(dynamic_linking.libc(pair.files, pair.capture.images))
    if libcs and all(pd.notna(row["libc"]) for row in libcs):
        distroless, alpine = libcs
        unloadable = dynamic_linking.unloadable(pair.files)
        broken = int(unloadable["variant"].eq(pair.alpine).sum())
        is_musl = alpine["musl"] > 0 and not alpine["glibc"]
        files = Message(
            msg("{count:,} file") if broken == 1 else msg("{count:,} files"), count=broken
        )
        each = (
            f"Alpine {alpine['musl']:,} × musl, {alpine['glibc']:,} × glibc",
            f"distroless {distroless['musl']:,} × musl, {distroless['glibc']:,} × glibc",
            Message("{files} of Alpine ask for something that is not there", files=files),
        )
        return Result(
            measured=Listing(each, "; "),
            lens=Message(
                "what programs and libraries ask for; none was run to see whether it breaks"
            ),
            verdict=FAILS if not is_musl else HOLDS if broken else IN_PART,
            evidence=Message("ELF files with a loader, in the list of files"),
        )
    if not (packages := pair.packages()):
        return Result(evidence=Message("the reports do not list packages"))
    ours, theirs = (names & (tools.MUSL | tools.GLIBC) for names in packages)
    return Result(
        measured=Message(
            "Alpine: {alpine}; distroless: {distroless}",
            alpine=_sorted(theirs),
            distroless=_sorted(ours),
        ),
        lens=Message(
            "the package list; files are not in this evidence; whether anything breaks was not "
            "tried"
        ),
        verdict=BY_PACKAGES if theirs & tools.MUSL and not theirs & tools.GLIBC else FAILS,
        evidence=Message("packages named after a C library"),
    )


def _multi_stage(pair: Pair) -> Result:
    if not (found := pair.tools(known_programs.APP_INSTALLER)):
        why = Message("whether it can install an app's packages is not known: no list of files")
        return Result(evidence=why)
    measured = Message(
        "installers of an app's packages: distroless {distroless}; Alpine {alpine}",
        distroless=_sorted(found[0]),
        alpine=_sorted(found[1]),
    )
    shell = pair.shells()[0]
    if shell is not None:
        run = Message(
            "; a RUN in shell form needs a shell, and {shell} starts in distroless",
            shell=shell or Message("none"),
        )
        measured = _joined(measured, run)
    return Result(
        measured=measured,
        lens=Message("programs, scripts and links by name"),
        verdict=FAILS if found[0] and shell != "" else HOLDS,
        evidence=Message("the list of files"),
    )


class Claim(NamedTuple):
    """What the post says, in full and in few words; and what tests it."""

    text: str
    short: str
    test: Callable[[Pair], Result]


CLAIMS = (
    Claim(
        msg("Distroless has fewer vulnerabilities than Alpine"),
        msg("Distroless has fewer vulnerabilities"),
        _fewer_vulnerabilities,
    ),
    Claim(msg("Alpine is the smaller image"), msg("Alpine is the smaller image"), _smaller),
    Claim(
        msg("Distroless has no shell and no package manager"),
        msg("Distroless has no shell, no package manager"),
        _no_shell,
    ),
    Claim(
        msg("Fewer executables and libraries mean fewer vulnerabilities"),
        msg("Fewer executables, fewer vulnerabilities"),
        _executables,
    ),
    Claim(
        msg("Alpine's C library is musl, which may bring compatibility problems"),
        msg("Alpine's musl may bring problems"),
        _musl,
    ),
    Claim(
        msg("Distroless needs a multi-stage build: it cannot install the app's packages itself"),
        msg("Distroless needs a multi-stage build"),
        _multi_stage,
    ),
)

_SHORT = {claim.text: claim.short for claim in CLAIMS}


def answer(table: pd.DataFrame) -> Answer:
    """Answer which verdict each claim gets, and how many get which; of `claims`."""
    if not is_tested(table):
        lacks = _verdicts(table).plain
        return Answer("claims", text=paragraph(lacks), lacks=lacks)
    counts = table["verdict"].value_counts(sort=False)
    verdicts = listed(
        say("{count} × *{verdict}*", count=count, verdict=word(str(verdict)))
        for verdict, count in counts.items()
    )
    claims = number(len(table), "claim")
    text = say("Of {claims}: {verdicts}.", claims=claims, verdicts=verdicts)
    return Answer("claims", text=paragraph(text), table=table, role=SLIDE, talks=(_talk(table),))


def verdicts_answer(table: pd.DataFrame) -> Answer:
    """Answer what was learned of each claim, in short; of `claims`."""
    text = _verdicts(table)
    return Answer("claims-in-short", text=text, lacks="" if is_tested(table) else text.plain)


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
        chosen = Frames(*(frame[frame["capture"].eq(capture)] for frame in frames))
        pair = Pair(distroless, alpine, frames, chosen, published, files, known_by)
        results = [claim.test(pair) for claim in CLAIMS]
    rows = [(claim.text, *result) for claim, result in zip(CLAIMS, results, strict=True)]
    return pd.DataFrame(rows, columns=["claim", *Result._fields], dtype=object)


def is_tested(table: pd.DataFrame) -> bool:
    """Return whether any claim is: of a study without both of the roles none is."""
    return bool(table["verdict"].ne(UNMEASURED).any())


def headline(table: pd.DataFrame) -> str:
    """Return how many of the claims hold, hold in part, do not hold, or were not measured."""
    counts = table["verdict"].map(_MARKS).value_counts()
    parts = [
        word(one if counts[mark] == 1 else many).format(count=counts[mark])
        for mark, one, many in _COUNTED
        if mark in counts
    ]
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
            "The post made {claims}. Each was tested on this evidence.",
            claims=number(len(table), "claim"),
        ),
        *(
            t("{verdict}: {claims}.", verdict=begun(word(str(verdict))), claims=claims.plain)
            for verdict, claims in by_verdict
        ),
        *(
            [t("A claim that was not measured is neither confirmed nor refuted.")]
            if table["verdict"].eq(UNMEASURED).any()
            else []
        ),
        t("Two images do not make a rule, and a count of vulnerabilities is not a risk."),
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
    note = say("A count is not a risk: nobody tested whether the app can reach these.")
    return bullets(lines) + paragraph(note)


def _by_lens(ours: pd.Series, theirs: pd.Series) -> Message:
    """Return two images' counts under each lens."""
    return Listing(
        Message(
            "{lens} {ours} against {theirs}",
            lens=Lens(*lens).kind,
            ours=ours[column],
            theirs=theirs[column],
        )
        for column, lens in counting.LENS_COLUMNS.items()
    )


def _as_fair(evidence: Message, fair: list[str]) -> Message:
    """Return the evidence of a claim on counts, and which of them are compared if not all."""
    if len(fair) == len(counting.LENS_COLUMNS):
        return _joined(evidence)
    return _joined(
        evidence, Message("; only fixable ones are compared, since Alpine lists no others")
    )


def _published_by(pair: Pair) -> str:
    """Return by which day is counted, as the end of a text; empty for none."""
    return Message(", published by {day}", day=pair.known_by) if pair.known_by else ""


def _verdict(holds: bool, fails: bool) -> str:
    """Return the verdict on a claim that holds somewhere, fails somewhere, both or neither."""
    if holds and fails:
        return VARIES
    return HOLDS if holds else FAILS if fails else UNMEASURED


def _both(found: _Both) -> Message:
    """Return what of some kind is in distroless, and what in Alpine."""
    return Message(
        "distroless: {distroless}; Alpine: {alpine}",
        distroless=_sorted(found[0]),
        alpine=_sorted(found[1]),
    )


def _sorted(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or Message("none")


def _joined(*parts: str) -> Message:
    """Return messages as one, with nothing between them."""
    return Listing(parts, "")
