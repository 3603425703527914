"""Lenses: each way to count, that narrower ones never count more, and that none takes no count for
a count of zero."""

import itertools
import re
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import frames as kit
from helpers import paths
from helpers.comparability import confounders
from helpers.errors import ParameterInvalid
from helpers.frames import BROKEN, NO_OS, PLACES, SCANNED, SEVERITIES, UNKNOWN_COUNT
from helpers.sizes import image_sizes as sizes_of
from helpers.studies.load import load_reports
from helpers.text import i18n, titles
from helpers.verdict import recommendation, sentences, tradeoff
from helpers.vulnerabilities import counting, fixes, growth, lenses, overlap, severity_scales
from helpers.vulnerabilities.lenses import (
    COUNTED,
    FINDINGS,
    PER_PACKAGE,
    PLAIN,
    SCALES,
    VULNERABILITIES,
    Lens,
)

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

    def test_what_has_a_fixed_version_is_fixable(self) -> None:
        every = found({"fixed_version": "2"}, {"fixed_version": None})
        assert lenses.fixable(every).index.tolist() == [0]
        assert lenses.apply(every, Lens(fixable=True)).index.tolist() == [0]

    @pytest.mark.parametrize("place", PLACES)
    def test_a_package_sits_in_one_place_and_one_that_is_not_known_in_none(self, place) -> None:
        every = found(*({"place": of} for of in (*PLACES, None)))
        assert lenses.sits_in(every, place)["place"].tolist() == [place]
        assert lenses.apply(every, Lens(place=place))["place"].tolist() == [place]

    def test_a_day_ends_at_midnight_in_utc(self) -> None:
        times = [
            at(DAY, "23:59:59.999999+00:00"),
            at("2022-03-01", "00:00:00+00:00"),
            at(DAY, "23:59:59-00:01"),
            at("2022-03-01", "00:00:59+00:01"),
        ]
        every = found(*({"published_at": time.astimezone(UTC)} for time in times))
        assert lenses.known_by(every, DAY).index.tolist() == [0, 3]
        assert lenses.known_by(every, str(DAY)).index.tolist() == [0, 3]
        assert lenses.apply(every, Lens(known_by=str(DAY))).index.tolist() == [0, 3]
        assert lenses.known_by(every, "2022-03-01").index.tolist() == [0, 1, 2, 3]

    def test_what_has_no_date_is_left_out_by_date_and_can_be_asked_for(self) -> None:
        every = found({"published_at": None}, {})
        assert lenses.known_by(every, DATABASE).index.tolist() == [1]
        assert lenses.undated(every).index.tolist() == [0]

    def test_what_nvd_has_not_rated_is_unknown_by_its_scale(self) -> None:
        every = found({"nvd_severity": "LOW"}, {"nvd_severity": None}, {"nvd_severity": "CRITICAL"})
        assert severities(lenses.by_nvd(every)) == ["LOW", "UNKNOWN", "CRITICAL"]
        rated = lenses.apply(every, Lens(severity="nvd"))
        assert severities(rated) == ["LOW", "UNKNOWN", "CRITICAL"]
        assert rated["severity"].dtype == kit.SEVERITY
        assert severities(every) == ["HIGH"] * 3

    def test_a_vulnerability_counts_once_an_image_at_its_highest_severity(self) -> None:
        every = found(
            {"severity": "MEDIUM", "vulnerability_id": "CVE-2"},
            {"severity": "LOW"},
            {"severity": "CRITICAL", "package": "curl"},
            {"severity": "UNKNOWN", "package": "zlib"},
        )
        # In the order that they were found in.
        assert lenses.vulnerabilities(every).index.tolist() == [0, 2]
        assert lenses.apply(every, Lens(VULNERABILITIES)).index.tolist() == [0, 2]

    @pytest.mark.parametrize("other", ["variant", "capture", "scanner"])
    @pytest.mark.parametrize("once", [lenses.vulnerabilities, lenses.per_package])
    def test_images_captures_and_scanners_are_never_taken_together(self, other, once) -> None:
        assert len(once(found({}, {}, {other: "another"}))) == 2

    def test_a_vulnerability_counts_once_a_source_package(self) -> None:
        every = found(
            {"package": "libssl", "source_package": "openssl", "severity": "LOW"},
            {"package": "libcrypto", "source_package": "openssl"},
            {"package": "curl", "source_package": "curl", "severity": "LOW"},
        )
        assert lenses.per_package(every).index.tolist() == [1, 2]
        assert lenses.apply(every, Lens(PER_PACKAGE)).index.tolist() == [1, 2]
        assert lenses.per_package(every).columns.tolist() == kit.columns("findings")

    def test_the_installed_package_stands_in_for_a_source_package_not_known(self) -> None:
        every = found({"package": "a"}, {"package": "b"}, {"package": "a", "severity": "LOW"})
        assert lenses.per_package(every).index.tolist() == [0, 1]
        named = found({"package": "a"}, {"package": "b", "source_package": "a"})
        assert len(lenses.per_package(named)) == 1

    @pytest.mark.parametrize("once", [lenses.vulnerabilities, lenses.per_package])
    def test_what_has_no_id_is_the_same_as_nothing_else(self, once) -> None:
        every = found(*[{"vulnerability_id": None}] * 3, {}, {})
        assert once(every).index.tolist() == [0, 1, 2, 3]
        assert (
            once(every)["vulnerability_id"].tolist()[:3]
            == [pytest.approx(float("nan"), nan_ok=True)] * 3
        )

    def test_what_is_left_out_does_not_lend_its_severity(self) -> None:
        every = found(
            {"severity": "LOW", "fixed_version": "2", "place": "app", "nvd_severity": "MEDIUM"},
            {"severity": "CRITICAL", "published_at": at(DATABASE), "nvd_severity": "LOW"},
        )
        assert severities(lenses.apply(every, Lens(VULNERABILITIES))) == ["CRITICAL"]
        for part in ({"fixable": True}, {"place": "app"}, {"known_by": str(DAY)}):
            assert severities(lenses.apply(every, Lens(VULNERABILITIES, **part))) == ["LOW"]
        assert severities(lenses.apply(every, Lens(VULNERABILITIES, severity="nvd"))) == ["MEDIUM"]

    @pytest.mark.parametrize("lens", [Lens(*parts) for parts in itertools.product(COUNTED, [True])])
    def test_nothing_gives_nothing(self, lens) -> None:
        nothing = found().astype({"severity": kit.SEVERITY})
        assert lenses.apply(nothing, lens._replace(known_by=str(DAY), place="os")).empty


class TestTheDayOfALens:
    """Given, or the study's own, or none."""

    def test_is_the_one_given_else_the_studys_own_else_none(self) -> None:
        assert lenses.day("2022-02-28") == "2022-02-28"
        assert lenses.day("2022-02-28", date(2026, 8, 31)) == "2022-02-28"
        assert lenses.day("", date(2026, 8, 31)) == "2026-08-31"
        assert lenses.day("") == lenses.day("", None) == ""

    def test_ever_leaves_nothing_out_whatever_the_study_says(self) -> None:
        assert lenses.day("ever") == lenses.day(lenses.EVER, date(2026, 8, 31)) == ""

    @pytest.mark.parametrize("wrong", ["2022-02-30", "yesterday", "2022", "28.02.2022", "Ever"])
    def test_is_a_day_and_nothing_else(self, wrong) -> None:
        with pytest.raises(ParameterInvalid, match=f"'{wrong}' is no day: write it as 2022-02-28"):
            lenses.day(wrong)
        with pytest.raises(ParameterInvalid, match=f"'{wrong}' is no day"):
            lenses.apply(found({}), Lens(known_by=wrong))


class TestWrongLenses:
    """A part that there is not is named, with what there is."""

    @pytest.mark.parametrize(
        ("lens", "said"),
        [
            (Lens("cves"), "lens 'cves' is none of findings, vulnerabilities, vulnerability-pack"),
            (Lens(""), "lens '' is none of findings"),
            (Lens(severity="redhat"), "severity 'redhat' is none of scanner, nvd"),
            (Lens(severity=""), "severity '' is none of scanner, nvd"),
            (Lens(place="kernel"), "place 'kernel' is none of os, tools, app"),
            (Lens(fixable="yes"), "fixable 'yes' is not a bool: write True or False"),  # type: ignore[arg-type]
            (Lens(fixable=1), "fixable 1 is not a bool"),  # type: ignore[arg-type]
        ],
    )
    def test_are_refused(self, lens, said) -> None:
        with pytest.raises(ParameterInvalid, match=said):
            lenses.apply(found({}), lens)
        with pytest.raises(ParameterInvalid, match=said):
            counting.severity_counts(found(), images_of("app"), lens)


EVERY_LENS = [
    Lens(*parts)
    for parts in itertools.product(
        COUNTED, (False, True), SCALES, ("", EARLIER, str(DAY)), ("", *PLACES)
    )
]


class TestLabels:
    """What a count is called says all that was done to get it."""

    WORDS = (
        ({True: "fixable "}, "fixable"),
        ({FINDINGS: "findings", VULNERABILITIES: "vulnerabilities"}, "counted"),
        ({PER_PACKAGE: "vulnerabilities × source packages"}, "counted"),
        ({"os": " in OS packages", "tools": " in bundled tools", "app": " in the app"}, "place"),
        ({EARLIER: f", published by {EARLIER}", str(DAY): f", published by {DAY}"}, "known_by"),
        ({"nvd": ", by NVD's severities"}, "severity"),
    )

    @pytest.mark.parametrize("lens", EVERY_LENS, ids=lambda lens: lens.label)
    def test_say_every_part_and_nothing_else(self, lens) -> None:
        parts = [words.get(getattr(lens, part), "") for words, part in self.WORDS]
        assert lens.label == "".join(parts)

    @pytest.mark.parametrize("lens", EVERY_LENS, ids=lambda lens: lens.label)
    def test_in_short_say_what_is_counted_and_whether_it_is_fixable(self, lens) -> None:
        assert lens.short == Lens(lens.counted, lens.fixable).label
        assert lens.label.startswith(lens.short)

    def test_no_two_lenses_have_the_same(self) -> None:
        assert len({lens.label for lens in EVERY_LENS}) == len(EVERY_LENS)

    def test_columns_of_totals_are_named_after_their_lens(self) -> None:
        assert list(counting.LENS_COLUMNS) == [
            *("findings", "vulnerabilities", "vulnerability_packages"),
            *("fixable_findings", "fixable_vulnerabilities", "fixable_vulnerability_packages"),
        ]
        for column, lens in counting.LENS_COLUMNS.items():
            assert counting.LENS_LABELS[column] == Lens(*lens).label


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
    }
)
SEVERAL = st.lists(FINDING, max_size=12)
LENS = st.sampled_from(EVERY_LENS)
ONE_CAPTURE = SEVERAL.map(lambda rows: [row | {"capture": "now"} for row in rows])
IMAGES = images_of(*VARIANTS, captures=("now",))
often = settings(deadline=None, max_examples=30)


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
    steps = [lens._replace(fixable=True)]
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
    def test_do_not_heed_the_order_of_findings(self, rows, lens, data) -> None:
        shuffled = found(*data.draw(st.permutations(rows)))
        levels = [
            Counter(lenses.apply(of, lens)[["variant", "capture", "severity"]].itertuples(False))
            for of in (found(*rows), shuffled)
        ]
        assert levels[0] == levels[1]

    @often
    @given(rows=SEVERAL, lens=LENS)
    def test_by_another_scale_as_many_are_counted(self, rows, lens) -> None:
        findings = found(*rows)
        scales_of = [by_image(findings, lens._replace(severity=scale)) for scale in SCALES]
        assert scales_of[0] == scales_of[1]


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
        findings = found(*rows)
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
        findings = found(*rows)
        table = growth.growth(findings, IMAGES, PLAIN)
        last = table.groupby("variant")["count"].last()
        undated = lenses.undated(findings)["variant"].value_counts()
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
        table = growth.growth(findings, IMAGES, lens)
        for day in ("2020-01-01", EARLIER, "2021-07-01", str(DAY), str(DATABASE)):
            by_day = totals(findings, lens._replace(known_by=day))
            assert growth.on(table, day).to_dict() == by_day


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Copies of recorded reports, some of them named alike but for their folders."""
    folder = tmp_path_factory.mktemp("reports")
    studies = paths.ROOT / "data" / "studies"
    recorded = sorted(studies.glob("*-2022/*/*/trivy.json"))
    recorded += sorted(studies.glob("matched-2026/*/*/trivy.json.gz"))
    copies = [folder / path.relative_to(studies) for path in recorded]
    for path, copy in zip(recorded, copies, strict=True):
        copy.parent.mkdir(parents=True)
        shutil.copyfile(path, copy)
    return copies


class TestFiles:
    """In whatever order and however often files are given."""

    @settings(deadline=None, max_examples=10)
    @given(data=st.data())
    def test_the_frames_are_the_same(self, reports, data) -> None:
        wanted = load_reports(reports)
        again = data.draw(st.lists(st.sampled_from(reports), max_size=3))
        order = data.draw(st.permutations([*reports, *map(str, again)]))
        for frame, of_order in zip(wanted, load_reports(order), strict=True):
            pd.testing.assert_frame_equal(frame, of_order)

    def test_each_is_an_image(self, reports) -> None:
        loaded = load_reports([*reports, *reports])
        assert len(loaded.images) == len(reports) == 7
        assert loaded.images["variant"].is_unique


class Looked(NamedTuple):
    """Images: `busy`, in which much was found, `clean`, in which nothing was, and `lost`."""

    findings: pd.DataFrame
    images: pd.DataFrame

    def counts(self) -> pd.DataFrame:
        return counting.severity_counts(*self)

    def overlap(self) -> pd.DataFrame:
        # One column a variant becomes one row.
        listing = overlap.listing(*self, PLAIN)
        there = listing[overlap.variants(listing)].sum()
        return there.rename_axis("variant").rename("count").reset_index()

    def growth(self) -> pd.DataFrame:
        return growth.growth(*self, PLAIN)

    def candidates(self) -> pd.DataFrame:
        sizes = sizes_of.table(self.images, kit.make("published", {}))
        support = confounders.confounders(self.images)
        return tradeoff.candidates(*self, sizes, support, "unpacked", PLAIN)

    def reproduction(self) -> pd.DataFrame:
        printed = {"variant": ["clean", "lost"], "severity": ["TOTAL"] * 2, "value": [0.0, 5.0]}
        published = kit.make("published", {"metric": ["findings"] * 2, **printed})
        return counting.reproduction(self.counts(), published)

    def growth_sentence(self) -> str:
        ends = confounders.ends(confounders.confounders(self.images))
        return growth.sentence(self.growth(), ends, self.findings)

    def recommendation(self) -> str:
        weights = {"fixable": 1, "unfixed": 1, "size": 1}
        return recommendation.recommendation(self.candidates(), weights, PLAIN, "unpacked")


def looked(lost: str, *variants: str) -> Looked:
    """Images of those names, of which `lost` has a status of its own."""
    rows = [{"fixed_version": "2"}, {"vulnerability_id": "CVE-2", "place": "app"}]
    in_busy = [{**row, "variant": "busy"} for row in rows if "busy" in variants]
    findings = found(*in_busy) if in_busy else kit.make("findings", {})
    return Looked(findings, images_of(*variants, lost=lost))


RATED = ["findings", "higher", "lower", "same", "unrated"]
TABLES: dict[str, tuple[Callable[[Looked], pd.DataFrame], list[str]]] = {
    "counts by severity": (Looked.counts, ["count"]),
    "totals": (lambda of: counting.totals(of.counts()), ["total"]),
    "totals by lens": (lambda of: counting.totals_by_lens(*of), [*counting.LENS_COLUMNS]),
    "across captures": (lambda of: counting.across_captures(*of), [*counting.LENS_COLUMNS]),
    "fixable and unfixed": (lambda of: fixes.split(*of, PLAIN), ["count"]),
    "places": (lambda of: fixes.by_place(*of, PLAIN), ["count"]),
    "overlap": (Looked.overlap, ["count"]),
    "growth": (Looked.growth, ["count"]),
    "both scales": (lambda of: severity_scales.both_scales(*of, PLAIN), ["count"]),
    "rated by NVD": (lambda of: severity_scales.rerated(*of), RATED),
    "trade-off": (Looked.candidates, ["fixable", "unfixed", "serious"]),
}
EACH: dict[str, Callable[[Looked], str]] = {
    "counts, headline": lambda of: titles.breakdown(of.counts()),
    "counts, sentence": lambda of: sentences.breakdown(of.counts()),
    "captures, headline": lambda of: titles.captures(of.counts()),
    "what totals hide": lambda of: sentences.hidden(counting.totals_by_lens(*of), of.images),
    "reproduction": lambda of: sentences.reproduction(of.reproduction()),
    "fixes, headline": lambda of: fixes.headline(fixes.split(*of, PLAIN), PLAIN),
    "fixes, sentence": lambda of: fixes.sentence(fixes.split(*of, PLAIN), PLAIN),
    "overlap, sentence": lambda of: overlap.sentence(overlap.listing(*of, PLAIN)),
    "growth, headline": lambda of: growth.headline(of.growth(), PLAIN),
    "growth, sentence": Looked.growth_sentence,
    "NVD's ratings, sentence": lambda of: severity_scales.sentence(severity_scales.rerated(*of)),
}
"""What names each image that was measured, also a clean one."""

ALL = EACH | {
    "recommendation": Looked.recommendation,
    "places, headline": lambda of: fixes.place_headline(fixes.by_place(*of, PLAIN), PLAIN),
    "what came with the base": lambda of: fixes.base_sentence(*of),
    "overlap, headline": lambda of: overlap.headline(overlap.listing(*of, PLAIN)),
    "NVD's ratings, headline": lambda of: severity_scales.headline(
        severity_scales.rerated(*of), PLAIN
    ),
    "trade-off, headline": lambda of: recommendation.headline(of.candidates(), PLAIN, "unpacked"),
    "who has fewest": lambda of: sentences.learned(counting.across_captures(*of)),
    "without a date": lambda of: growth.nameless_sentence(
        growth.nameless(of.findings), of.findings
    ),
}


def numbers(table: pd.DataFrame, variant: str, columns: list[str]) -> list[Any]:
    return table[table["variant"].eq(variant)][columns].to_numpy().ravel().tolist()


def said_of(text: str, variant: str) -> list[str]:
    """The parts of a text that name a variant."""
    return [part for part in re.split(r"[,;.]\s|\n", text) if re.search(rf"\b{variant}\b", part)]


NOT_MEASURED = sorted(UNKNOWN_COUNT)
SITUATION = pytest.mark.parametrize(
    "of",
    [
        *(
            pytest.param(looked(status, "busy", "clean", "lost"), id=status)
            for status in NOT_MEASURED
        ),
        pytest.param(looked("failed", "clean", "lost"), id="and nothing found anywhere"),
    ],
)


class TestACleanImageAndOneNotMeasured:
    """Nothing found is 0; where nobody looked there is no number."""

    @SITUATION
    @pytest.mark.parametrize("table", TABLES)
    def test_are_told_apart_in_every_table(self, table, of) -> None:
        make, columns = TABLES[table]
        rows = make(of)
        assert numbers(rows, "clean", columns)
        assert set(numbers(rows, "clean", columns)) == {0}
        assert all(pd.isna(number) for number in numbers(rows, "lost", columns))
        assert any(numbers(rows, "busy", columns)) == ("busy" in set(of.images["variant"]))

    @pytest.mark.parametrize("table", TABLES)
    def test_alone_one_not_measured_has_no_number_in_any_table(self, table) -> None:
        make, columns = TABLES[table]
        rows = make(looked("missing", "lost"))
        assert all(pd.isna(number) for number in numbers(rows, "lost", columns))

    @pytest.mark.parametrize("status", [BROKEN, NO_OS])
    @pytest.mark.parametrize("table", TABLES)
    def test_one_that_is_broken_or_has_no_system_was_measured(self, table, status) -> None:
        make, columns = TABLES[table]
        assert set(numbers(make(looked(status, "busy", "lost")), "lost", columns)) == {0}

    @SITUATION
    @pytest.mark.parametrize("text", ALL)
    def test_no_text_says_a_number_of_one_not_measured(self, text, of) -> None:
        for part in said_of(ALL[text](of), "lost"):
            assert "not measured" in part or not re.search(r"\d", part), part

    @pytest.mark.parametrize("text", EACH)
    def test_every_text_of_each_image_says_that_the_clean_one_has_none(self, text) -> None:
        parts = said_of(EACH[text](looked("failed", "busy", "clean", "lost")), "clean")
        assert any(re.search(r"\b0\b|nothing found", part) for part in parts), parts
        assert not any("not measured" in part for part in parts)

    @pytest.mark.parametrize("text", sorted(ALL.keys() - {"reproduction"}))
    def test_where_none_was_measured_no_text_says_zero(self, text) -> None:
        assert not re.search(r"\b0\b", ALL[text](looked("missing", "lost")))


def test_in_korean_labels_are_korean_and_labels_of_columns_stay_keys() -> None:
    every = Lens(PER_PACKAGE, True, "nvd", str(DAY), "os")
    with i18n.speaking("ko"):
        assert every.label == (
            "OS 패키지의 수정 가능한 취약점 × 소스 패키지, 2022-02-28까지 공개, NVD 심각도 기준"
        )
        assert every.narrowed == "OS 패키지 내, 2022-02-28까지 공개"
        for column, lens in counting.LENS_COLUMNS.items():
            assert i18n.word(counting.LENS_LABELS[column]) == Lens(*lens).label
