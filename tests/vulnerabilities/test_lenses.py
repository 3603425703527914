"""Lenses: each way to count, that narrower ones never count more, and that none takes no count for
a count of zero."""

import itertools
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import frames as kit
from helpers import paths
from helpers.answers.answer import Answer
from helpers.errors import ParameterInvalid
from helpers.frames import BROKEN, NO_OS, PLACES, SCANNED, SEVERITIES, UNKNOWN_COUNT
from helpers.runs import parameters
from helpers.vulnerabilities import (
    breakdowns,
    captures,
    counting,
    fixes,
    growth,
    lenses,
    overlap,
    published,
    severity_scales,
)
from helpers.vulnerabilities.lenses import PLAIN, SCALES, Lens
from helpers.vulnerabilities.once import COUNTED, FINDINGS, PER_PACKAGE, VULNERABILITIES

BUILT, DAY, DATABASE = date(2020, 1, 1), date(2022, 2, 28), date(2026, 11, 24)
EARLIER = "2021-06-30"


def at(day: date | str, time: str = "12:00:00+00:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{time}")


def found(*rows: dict[str, Any]) -> pd.DataFrame:
    """The frame `findings` of rows that say only what matters."""
    usual = {
        "variant": "app",
        "capture": "",
        "scanner": "trivy",
        "vulnerability_id": "CVE-1",
        "package": "openssl",
        "severity": "HIGH",
        "published_at": at(BUILT),
        "place": "os",
    }
    full = [{**usual, **row} for row in rows]
    names = dict.fromkeys(itertools.chain([*usual], *full))
    return kit.make("findings", {name: [row.get(name) for row in full] for name in names})


def images_of(*variants: str, captures: tuple[str, ...] = ("",), **status: str) -> pd.DataFrame:
    """The frame `images`: scanned ones, unless a status is given by name."""
    rows = [
        (variant, capture, status.get(variant, SCANNED), at(BUILT), at(DATABASE), "debian", 10)
        for capture in captures
        for variant in variants
    ]
    names = ["variant", "capture", "status", "created_at", "db_updated_at", "os_family"]
    names.append("size_unpacked_bytes")
    columns = zip(*rows, strict=True)
    return kit.make("images", {n: list(column) for n, column in zip(names, columns, strict=True)})


def severities(findings: pd.DataFrame) -> list[str]:
    return findings["severity"].tolist()


class TestWhatCounts:
    """Each part of a lens by itself."""

    def test_the_plain_lens_counts_every_finding_as_it_is(self) -> None:
        every = found({}, {}, {"vulnerability_id": None, "published_at": None, "severity": "LOW"})
        pd.testing.assert_frame_equal(lenses.apply(every, PLAIN), every)
        assert Lens() == PLAIN

    def test_a_day_ends_at_midnight_in_utc(self) -> None:
        times = [
            at(DAY, "23:59:59.999999+00:00"),
            at("2022-03-01", "00:00:00+00:00"),
            at(DAY, "23:59:59-00:01"),
            at("2022-03-01", "00:00:59+00:01"),
        ]
        every = found(*({"published_at": time.astimezone(UTC)} for time in times))
        assert lenses.apply(every, Lens(known_by=str(DAY))).index.tolist() == [0, 3]
        assert len(lenses.apply(every, Lens(known_by="2022-03-01"))) == 4

    def test_a_vulnerability_counts_once_an_image_at_its_highest_severity(self) -> None:
        every = found(
            {"severity": "MEDIUM", "vulnerability_id": "CVE-2"},
            {"severity": "LOW"},
            {"severity": "CRITICAL", "package": "curl"},
            {"severity": "UNKNOWN", "package": "zlib"},
        )
        # In the order of the findings.
        assert lenses.apply(every, Lens(VULNERABILITIES)).index.tolist() == [0, 2]

    @pytest.mark.parametrize("counted", [VULNERABILITIES, PER_PACKAGE])
    def test_images_captures_and_scanners_are_counted_apart_and_findings_without_an_id(
        self, counted: str
    ) -> None:
        for other in ("variant", "capture", "scanner"):
            assert len(lenses.apply(found({}, {}, {other: "another"}), Lens(counted))) == 2
        every = found(*[{"vulnerability_id": None}] * 3, {}, {})
        kept = lenses.apply(every, Lens(counted))
        assert kept.index.tolist() == [0, 1, 2, 3]
        assert kept["vulnerability_id"].isna().tolist() == [True] * 3 + [False]

    @pytest.mark.parametrize("counted", COUNTED)
    def test_nothing_gives_nothing(self, counted: str) -> None:
        nothing = found().astype({"severity": kit.SEVERITY})
        assert lenses.apply(nothing, Lens(counted, True, known_by=str(DAY), place="os")).empty
        assert lenses.apply(nothing, Lens(counted, exploited=True, epss=0.1)).empty


class TestExploitation:
    """What is known to be exploited, likely to be, or declared harmless."""

    every = staticmethod(
        lambda: found(
            {"exploited": True, "kev_added_at": at("2021-11-03"), "epss": 0.1, "epss_day": at(DAY)},
            {"exploited": False, "epss": 0.0999, "epss_day": at(DAY)},
            {"exploited": False, "epss": None, "epss_day": at(DAY), "fixed_version": "2"},
            {"exploited": True, "kev_added_at": at(DAY), "epss": 1.0, "epss_day": at(DAY)},
        )
    )

    def test_is_likely_from_a_score_on_and_what_has_none_is_left_out(self) -> None:
        assert lenses.apply(self.every(), Lens(epss=0.1)).index.tolist() == [0, 3]
        assert lenses.apply(self.every(), Lens(epss=1)).index.tolist() == [3]
        assert lenses.apply(self.every(), Lens(epss=1e-9)).index.tolist() == [0, 1, 3]
        assert len(lenses.apply(self.every(), Lens(epss=0.0))) == 4
        both = Lens(epss=0.5, exploited=True)
        assert lenses.apply(self.every(), both).index.tolist() == [3]

    @pytest.mark.parametrize(
        ("lens", "lost", "what"),
        [
            (Lens(exploited=True), "exploited", "known to be exploited"),
            (Lens(epss=0.5), "epss_day", "likely to be exploited"),
        ],
    )
    def test_that_is_not_recorded_of_all_that_counts_is_no_zero(self, lens, lost, what) -> None:
        rows = self.every()
        unknown = rows.assign(**{lost: rows[lost].mask([False, False, True, False])})
        with pytest.raises(ParameterInvalid, match=f"app: no record of which .* {what}"):
            lenses.apply(unknown, lens)
        with pytest.raises(ParameterInvalid, match=r"app, capture c: .* python -m helpers risk"):
            lenses.apply(unknown.assign(capture="c"), lens)
        in_place = unknown.assign(place=["os", "os", "app", "os"])
        assert lenses.apply(in_place, lens._replace(place="os")).index.tolist() == (
            [0, 3] if lens.exploited else [3]
        )

    def test_what_was_declared_harmless_counts_only_if_the_lens_says_so(self) -> None:
        every = found({"suppressed": True, "severity": "CRITICAL"}, {"suppressed": False}, {})
        assert lenses.apply(every, PLAIN).index.tolist() == [1, 2]
        assert lenses.apply(every, Lens(suppressed=True)).index.tolist() == [0, 1, 2]
        assert severities(lenses.apply(every, Lens(VULNERABILITIES))) == ["HIGH"]


class TestTheDayOfALens:
    """Given, or the study's, or none."""

    def test_is_the_one_given_else_the_studys_else_none(self) -> None:
        assert lenses.day("2022-02-28") == "2022-02-28"
        assert lenses.day("2022-02-28", date(2026, 8, 31)) == "2022-02-28"
        assert lenses.day("", date(2026, 8, 31)) == "2026-08-31"
        assert lenses.day("") == lenses.day("", None) == ""
        assert lenses.day("ever") == lenses.day(lenses.EVER, date(2026, 8, 31)) == ""

    @pytest.mark.parametrize("wrong", ["2022-02-30", "yesterday", "2022", "28.02.2022", "Ever"])
    def test_is_a_day_and_nothing_else(self, wrong) -> None:
        with pytest.raises(ParameterInvalid, match=f"'{wrong}' is not a date; write YYYY"):
            lenses.day(wrong)
        with pytest.raises(ParameterInvalid, match=f"'{wrong}' is not a date"):
            lenses.apply(found({}), Lens(known_by=wrong))


@pytest.mark.parametrize(
    ("lens", "problem"),
    [
        (Lens("cves"), "lens 'cves' is not one of findings, vulnerabilities, vulnerability-pack"),
        (Lens(""), "lens '' is not one of findings"),
        (Lens(rated_by="redhat"), "rated_by 'redhat' is not one of scanner, nvd"),
        (Lens(rated_by=""), "rated_by '' is not one of scanner, nvd"),
        (Lens(place="kernel"), "place 'kernel' is not one of os, tools, app"),
        (Lens(fixable="yes"), "fixable 'yes' is not a bool; write True or False"),  # type: ignore[arg-type]
        (Lens(fixable=1), "fixable 1 is not a bool"),  # type: ignore[arg-type]
        (Lens(severities=("HIGH", "BAD")), "severities 'BAD' is not one of UNKNOWN, LOW, MEDIUM"),
        (Lens(exploited="no"), "exploited 'no' is not a bool"),  # type: ignore[arg-type]
        (Lens(suppressed=None), "suppressed None is not a bool"),  # type: ignore[arg-type]
        (Lens(epss=1.5), "epss 1.5 is not a probability; write a number from 0 to 1"),
        (Lens(epss=-0.1), "epss -0.1 is not a probability"),
        (Lens(epss=float("nan")), "epss nan is not a probability"),
        (Lens(epss="0.1"), "epss '0.1' is not a probability"),  # type: ignore[arg-type]
        (Lens(epss=True), "epss True is not a probability"),
    ],
)
def test_an_unknown_part_of_a_lens_is_named_with_what_is_known(lens, problem) -> None:
    with pytest.raises(ParameterInvalid, match=problem):
        lenses.apply(found({}), lens)
    with pytest.raises(ParameterInvalid, match=problem):
        counting.severity_counts(found(), images_of("app"), lens)


@pytest.mark.parametrize("notebook", sorted(paths.NOTEBOOKS.glob("*.ipynb")), ids=lambda p: p.stem)
def test_a_notebooks_parameters_are_fields_of_a_lens(notebook: Path) -> None:
    fields = {field.parameter: (name, field) for name, field in lenses.FIELDS.items()}
    declared = parameters.of_notebook(notebook)
    for name in fields.keys() & declared.keys():
        field, row = fields[name]
        assert declared[name].help == row.help
        assert declared[name].type == type(getattr(PLAIN, field)).__name__
        assert {*declared[name].choices} == {*(row.values or ())}


class TestChosenSeverities:
    """Only they count: the highest one of what counts once."""

    every = staticmethod(
        lambda: found(
            {"severity": "LOW", "package": "a", "source_package": "source"},
            {"severity": "HIGH", "package": "b", "source_package": "source"},
            {"severity": "LOW", "vulnerability_id": "CVE-2"},
        )
    )

    def test_are_those_of_each_finding(self) -> None:
        kept = lenses.apply(self.every(), Lens(severities=("LOW",)))
        assert kept.index.tolist() == [0, 2]

    @pytest.mark.parametrize("counted", [VULNERABILITIES, PER_PACKAGE])
    def test_are_the_highest_of_what_counts_once(self, counted: str) -> None:
        low = lenses.apply(self.every(), Lens(counted, severities=("LOW",)))
        assert low.index.tolist() == [2], "the other one is HIGH in one of its packages"
        high = lenses.apply(self.every(), Lens(counted, severities=("HIGH",)))
        assert high.index.tolist() == [1]
        assert lenses.each(self.every(), Lens(counted, severities=("HIGH",))).index.tolist() == [
            0,
            1,
        ]


class TestPackages:
    """By a part of their name or their source's."""

    def test_are_found_whatever_the_case_and_no_pattern_is(self) -> None:
        every = found({"package": "libcrypto", "source_package": "OpenSSL"}, {"package": "zlib"})
        assert lenses.apply(every, Lens(package="ssl")).index.tolist() == [0]
        assert lenses.apply(every, Lens(package="ZLIB")).index.tolist() == [1]
        assert lenses.apply(every, Lens(package=".*")).empty


class TestOnesOwn:
    """A function of findings, with its label."""

    def test_counts_the_rows_or_the_flags_that_it_returns(self) -> None:
        every = found({"package": "a"}, {"package": "b", "severity": "LOW"}, {"package": None})
        for chosen in (
            lambda rows: rows[rows["package"].eq("b")],
            lambda rows: rows["package"].eq("b"),
            lambda rows: rows["package"].eq("b").astype("boolean").mask(rows["package"].isna()),
        ):
            kept = lenses.apply(every, Lens(own=(lenses.Own(chosen, "in b"),)))
            assert kept.index.tolist() == [1]

    def test_composes_with_the_rest_and_with_another(self) -> None:
        every = found({"package": "a"}, {"package": "a", "fixed_version": "2"}, {"package": "b"})
        in_a = lenses.Own(lambda rows: rows["package"].eq("a"), "in a")
        first = lenses.Own(lambda rows: rows.head(1), "the first")
        assert lenses.apply(every, Lens(fixable=True, own=(in_a, first))).index.tolist() == [1]
        assert Lens(fixable=True, own=(in_a, first)).label == "fixable findings, in a, the first"
        assert Lens(own=(in_a,)).short == "selected findings"

    def test_cannot_change_what_it_counts(self) -> None:
        every = found({"severity": "LOW"})
        raised = lenses.Own(lambda rows: rows.assign(severity="CRITICAL"), "worse")
        assert severities(lenses.apply(every, Lens(own=(raised,)))) == ["LOW"]

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda rows: 3,
            lambda rows: rows["severity"],
            lambda rows: rows["package"].eq("a").head(1),
            lambda rows: rows.set_axis([*range(7, 7 + len(rows))]),
        ],
    )
    def test_that_returns_something_else_is_named(self, wrong) -> None:
        with pytest.raises(ParameterInvalid, match="the lens 'mine' returned neither rows of"):
            lenses.apply(found({}, {}), Lens(own=(lenses.Own(wrong, "mine"),)))


EVERY_LENS = [
    Lens(*parts, exploited=exploited, epss=epss, suppressed=suppressed)
    for *parts, exploited, epss, suppressed in itertools.product(
        COUNTED,
        (False, True),
        SCALES,
        ("", EARLIER, str(DAY)),
        ("", *PLACES),
        (False, True),
        (0.0, 0.1),
        (False, True),
    )
]


class TestLabels:
    """What a count is called says all that was done to get it."""

    WORDS = (
        ({True: "fixable "}, "fixable"),
        ({FINDINGS: "findings", VULNERABILITIES: "vulnerabilities"}, "counted"),
        ({PER_PACKAGE: "vulnerabilities × source packages"}, "counted"),
        ({True: " known to be exploited"}, "exploited"),
        ({0.1: " with EPSS ≥ 0.1"}, "epss"),
        ({"os": " in OS packages", "tools": " in bundled tools", "app": " in the app"}, "place"),
        ({True: ", also declared harmless"}, "suppressed"),
        ({EARLIER: f", published by {EARLIER}", str(DAY): f", published by {DAY}"}, "known_by"),
        ({"nvd": ", by NVD's severities"}, "rated_by"),
    )

    def test_name_every_part_and_nothing_else(self) -> None:
        for lens in EVERY_LENS:
            parts = [words.get(getattr(lens, part), "") for words, part in self.WORDS]
            assert lens.label == "".join(parts)
            assert lens.short == "".join(parts[:5])


CAPTURES, VARIANTS = ("then", "now"), ("one", "two", "three")
DATES = [None, at("2019-05-01"), at(EARLIER), at("2021-07-01", "00:00:00+00:00"), at(DAY)]
FINDING = st.fixed_dictionaries(
    {
        "capture": st.sampled_from(CAPTURES),
        "variant": st.sampled_from(VARIANTS),
        "vulnerability_id": st.sampled_from([None, "CVE-1", "CVE-2", "CVE-3"]),
        "package": st.sampled_from("abc"),
        "source_package": st.sampled_from([None, "a", "s"]),
        "severity": st.sampled_from(SEVERITIES),
        "nvd_severity": st.sampled_from([None, *SEVERITIES]),
        "severity_source": st.sampled_from([None, "debian", "nvd"]),
        "fixed_version": st.sampled_from([None, "2"]),
        "published_at": st.sampled_from(DATES),
        "place": st.sampled_from(PLACES),
        "kev_added_at": st.sampled_from([None, at(EARLIER), at(DAY)]),
        "epss": st.sampled_from([None, 0.05, 0.1]),
        "suppressed": st.sampled_from([None, False, True]),
    }
).map(lambda row: row | {"exploited": row["kev_added_at"] is not None, "epss_day": at(DAY)})
SEVERAL = st.lists(FINDING, max_size=12)
LENS = st.sampled_from(EVERY_LENS)
ONE_CAPTURE = SEVERAL.map(lambda rows: [row | {"capture": "now"} for row in rows])
IMAGES = images_of(*VARIANTS, captures=("now",))
often = settings(max_examples=30)


def by_image(findings: pd.DataFrame, lens: Lens) -> Counter[tuple[str, str]]:
    counted = lenses.apply(findings, lens)
    return Counter(zip(counted["capture"], counted["variant"], strict=True))


def totals(findings: pd.DataFrame, lens: Lens) -> dict[str, int]:
    """What a lens counts in each variant of the one capture."""
    counted = by_image(findings, lens)
    return {variant: counted["now", variant] for variant in VARIANTS}


def summed(table: pd.DataFrame, column: str = "count") -> dict[str, int]:
    return table.groupby("variant")[column].sum().reindex(VARIANTS, fill_value=0).to_dict()


def narrower(lens: Lens) -> list[Lens]:
    """Every lens that leaves out more than this one by one of its parts."""
    steps = [lens._replace(fixable=True), lens._replace(exploited=True)]
    steps += [lens._replace(suppressed=False), lens._replace(epss=lens.epss or 0.1)]
    steps += [lens._replace(place=place) for place in PLACES if not lens.place]
    days = ["", str(DAY), EARLIER]
    steps += [lens._replace(known_by=day) for day in days[days.index(lens.known_by) + 1 :]]
    ways = [FINDINGS, PER_PACKAGE, VULNERABILITIES]
    steps += [lens._replace(counted=way) for way in ways[ways.index(lens.counted) + 1 :]]
    return steps


class TestNarrowerLenses:
    """Whatever was found: less is looked at, so less is counted, in every image."""

    @often
    @given(rows=SEVERAL, lens=LENS)
    def test_never_count_more(self, rows, lens) -> None:
        findings = found(*rows)
        wide = by_image(findings, lens)
        for narrow in narrower(lens):
            assert by_image(findings, narrow) <= wide, (lens.label, narrow.label)

    @often
    @given(rows=SEVERAL, lens=LENS)
    def test_count_rows_that_were_there_and_change_no_argument(self, rows, lens) -> None:
        findings = found(*rows)
        before = findings.copy()
        counted = lenses.apply(findings, lens)
        kept = findings.loc[counted.index].drop(columns="severity")
        assert counted.index.is_unique
        pd.testing.assert_frame_equal(counted.drop(columns="severity"), kept)
        pd.testing.assert_frame_equal(findings, before)

    @often
    @given(rows=SEVERAL, lens=LENS, data=st.data())
    def test_do_not_depend_on_the_order_of_findings(self, rows, lens, data) -> None:
        shuffled = found(*data.draw(st.permutations(rows)))
        levels = [
            Counter(
                lenses.apply(findings, lens)[["variant", "capture", "severity"]].itertuples(False)
            )
            for findings in (found(*rows), shuffled)
        ]
        assert levels[0] == levels[1]


class TestParts:
    """The parts of every breakdown add up to what is broken down."""

    @often
    @given(rows=ONE_CAPTURE, lens=LENS)
    def test_severities_add_up_to_what_the_lens_counts(self, rows, lens) -> None:
        findings = found(*rows)
        wanted = totals(findings, lens)
        counts = counting.severity_counts(findings, IMAGES, lens)
        assert summed(counts) == summed(counting.totals(counts), "total") == wanted
        packages = counting.by_package(findings, IMAGES, lens, most=1000)
        assert summed(packages) == wanted

    @often
    @given(rows=ONE_CAPTURE, lens=LENS)
    def test_fixable_and_unfixed_add_up(self, rows, lens) -> None:
        findings = found(*rows)
        table = fixes.split(findings, IMAGES, lens)
        assert summed(table) == totals(findings, lens._replace(fixable=False))
        assert (table["count"] >= 0).all()

    @often
    @given(rows=ONE_CAPTURE, lens=LENS)
    def test_places_add_up_where_findings_are_counted(self, rows, lens) -> None:
        lens = lens._replace(counted=FINDINGS)
        findings = found(*rows)
        assert summed(fixes.by_place(findings, IMAGES, lens)) == totals(findings, lens)

    @often
    @given(rows=ONE_CAPTURE, lens=LENS)
    def test_an_overlap_adds_up_by_variant_and_by_combination(self, rows, lens) -> None:
        findings = found(*rows)
        listing = overlap.listing(findings, IMAGES, lens)
        assert overlap.variants(listing) == list(VARIANTS)
        assert listing[list(VARIANTS)].sum().to_dict() == totals(findings, lens)
        highest = lenses.apply(findings, lens).groupby("vulnerability_id")["severity"].max()
        by_id = listing.set_index("vulnerability_id")["severity"]
        assert by_id[highest.index].tolist() == highest.tolist()
        for most in (12, 2):
            table = overlap.combinations(listing, most)
            assert table["vulnerabilities"].sum() == len(listing)
            assert len(table) <= most
            levels = table[list(SEVERITIES)].sum()
            assert levels.sum() == len(listing)
            assert levels.to_dict() == {
                level: int(listing["severity"].eq(level).sum()) for level in SEVERITIES
            }

    @often
    @given(rows=ONE_CAPTURE)
    def test_scales_add_up(self, rows) -> None:
        findings = lenses.standing(found(*rows))
        wanted = totals(findings, PLAIN)
        sources = severity_scales.sources(findings)
        assert summed(sources, "total") == wanted
        assert (sources["total"] == sources[list(SEVERITIES)].sum(axis=1)).all()
        crosstab = severity_scales.crosstab(findings)
        by_nvd = crosstab.drop(columns=["variant", "severity"]).sum(axis=1)
        assert summed(crosstab.assign(count=by_nvd)) == wanted
        rerated = severity_scales.rerated(findings, IMAGES).set_index("variant")
        assert rerated["findings"].to_dict() == wanted
        parts = rerated[["higher", "lower", "same", "unrated"]].sum(axis=1)
        assert parts.to_dict() == wanted

    @often
    @given(rows=ONE_CAPTURE)
    def test_growth_ends_at_all_that_has_a_date(self, rows) -> None:
        findings = lenses.standing(found(*rows))
        table = growth.growth(findings, IMAGES, PLAIN)
        last = table.groupby("variant")["count"].last()
        undated = findings[findings["published_at"].isna()]["variant"].value_counts()
        wanted = totals(findings, PLAIN)
        assert last.add(undated, fill_value=0).to_dict() == wanted
        for _, curve in table.groupby("variant"):
            assert curve["day"].iloc[0] == pd.Timestamp(BUILT, tz="UTC")
            assert curve["day"].is_monotonic_increasing
            assert curve["count"].is_monotonic_increasing

    @often
    @given(rows=ONE_CAPTURE, lens=LENS)
    def test_growth_on_a_day_is_the_count_by_that_day(self, rows, lens) -> None:
        dates = dict(zip([None, "CVE-1", "CVE-2", "CVE-3"], DATES, strict=False))
        # One vulnerability is published once.
        findings = found(*(row | {"published_at": dates[row["vulnerability_id"]]} for row in rows))
        findings = findings.assign(
            kev_added_at=findings.groupby("vulnerability_id")["kev_added_at"].transform("first"),
        )
        findings = findings.assign(exploited=findings["kev_added_at"].notna())
        table = growth.growth(findings, IMAGES, lens)
        for day in ("2020-01-01", EARLIER, "2021-07-01", str(DAY), str(DATABASE)):
            by_day = totals(findings, lens._replace(known_by=day))
            assert growth.on(table, day).to_dict() == by_day


Images = tuple[pd.DataFrame, pd.DataFrame]
"""Findings and images: `busy` has some, `clean` has none, and `lost` has a status of its own."""

SHARES = pd.Series([0.5, 0.5, 0.5])
RATED = ["findings", "higher", "lower", "same", "unrated"]
PUBLISHED = kit.make(
    "published",
    {
        "metric": ["findings"] * 2,
        "variant": ["clean", "lost"],
        "severity": ["TOTAL"] * 2,
        "value": [0.0, 5.0],
    },
)


def scanned(lost: str, *variants: str) -> Images:
    rows = [{"fixed_version": "2"}, {"vulnerability_id": "CVE-2", "place": "app"}]
    in_busy = [{**row, "variant": "busy"} for row in rows if "busy" in variants]
    findings = found(*in_busy) if in_busy else kit.make("findings", {})
    return findings, images_of(*variants, lost=lost)


def shared(images: Images) -> pd.DataFrame:
    """An overlap's columns, one a variant, as rows."""
    listing = overlap.listing(*images, PLAIN)
    there = listing[overlap.variants(listing)].sum()
    return there.rename_axis("variant").rename("count").reset_index()


TABLES: dict[str, tuple[Callable[[Images], pd.DataFrame], list[str]]] = {
    "counts by severity": (lambda images: counting.severity_counts(*images), ["count"]),
    "totals by lens": (
        lambda images: counting.totals_by_lens(*images),
        [*counting.LENS_COLUMNS],
    ),
    "across captures": (
        lambda images: captures.across(*images),
        [*counting.LENS_COLUMNS],
    ),
    "fixable and unfixed": (lambda images: fixes.split(*images, PLAIN), ["count"]),
    "places": (lambda images: fixes.by_place(*images, PLAIN), ["count"]),
    "overlap": (shared, ["count"]),
    "growth": (lambda images: growth.growth(*images, PLAIN), ["count"]),
    "both scales": (lambda images: severity_scales.both_scales(*images, PLAIN), ["count"]),
    "rated by NVD": (lambda images: severity_scales.rerated(*images), RATED),
}


def twice(images: Images) -> Images:
    """The same images in two captures."""
    findings, rows = (pd.concat([frame, frame.assign(capture="z")]) for frame in images)
    return findings, rows


EACH: dict[str, Callable[[Images], Answer]] = {
    "severity": lambda images: breakdowns.severity_answer(*images, PLAIN),
    "captures": lambda images: captures.answer(*twice(images), PLAIN),
    "totals by lens": lambda images: breakdowns.lens_totals_answer(
        *images, PLAIN, SHARES[: len(images[1])]
    ),
    "published": lambda images: published.answer(*images, PUBLISHED),
    "fixes": lambda images: fixes.answer(*images, PLAIN),
    "places": lambda images: fixes.places_answer(*images, PLAIN),
    "overlap": lambda images: overlap.answer(*images, PLAIN),
    "growth": lambda images: growth.answer(*images, PLAIN),
    "scales": lambda images: severity_scales.answer(*images, PLAIN),
}
"""Answers that name each image that was measured, also a clean one."""

ALL = EACH | {
    "fewest": lambda images: captures.fewest_answer(*images, PLAIN),
    "undated": lambda images: growth.undated_answer(images[0]),
}


def numbers(table: pd.DataFrame, variant: str, columns: list[str]) -> list[Any]:
    return table[table["variant"].eq(variant)][columns].to_numpy().ravel().tolist()


def text(answer: Answer) -> str:
    return f"{answer.title}\n{answer.text.plain}"


def parts_naming(answer: Answer, variant: str) -> list[str]:
    """The parts of a title and a text that name a variant."""
    parts = re.split(r"[,;.]\s|\n", text(answer))
    return [part for part in parts if re.search(rf"\b{variant}\b", part)]


STATUSES = pytest.mark.parametrize(
    "images",
    [
        *(
            pytest.param(scanned(status, "busy", "clean", "lost"), id=status)
            for status in sorted(UNKNOWN_COUNT)
        ),
        pytest.param(scanned("failed", "clean", "lost"), id="and nothing found anywhere"),
    ],
)


class TestACleanImageAndOneNotMeasured:
    """Nothing found is 0; without a measurement there is no number."""

    @STATUSES
    @pytest.mark.parametrize("table", TABLES)
    def test_differ_in_every_table(self, table, images) -> None:
        make, columns = TABLES[table]
        rows = make(images)
        assert numbers(rows, "clean", columns)
        assert set(numbers(rows, "clean", columns)) == {0}
        assert all(pd.isna(number) for number in numbers(rows, "lost", columns))
        assert any(numbers(rows, "busy", columns)) == ("busy" in set(images[1]["variant"]))

    @pytest.mark.parametrize("table", TABLES)
    def test_alone_one_not_measured_has_no_number_in_any_table(self, table) -> None:
        make, columns = TABLES[table]
        rows = make(scanned("missing", "lost"))
        assert all(pd.isna(number) for number in numbers(rows, "lost", columns))

    @pytest.mark.parametrize("status", [BROKEN, NO_OS])
    @pytest.mark.parametrize("table", TABLES)
    def test_one_that_is_broken_or_has_no_system_was_measured(self, table, status) -> None:
        make, columns = TABLES[table]
        assert set(numbers(make(scanned(status, "busy", "lost")), "lost", columns)) == {0}

    @STATUSES
    @pytest.mark.parametrize("name", ALL)
    def test_no_answer_has_a_number_of_one_not_measured(self, name, images) -> None:
        for part in parts_naming(ALL[name](images), "lost"):
            assert "not measured" in part or not re.search(r"\d", part), part
