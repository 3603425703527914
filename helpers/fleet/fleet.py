"""Many images, read on a cluster, and the questions of the notebook `fleet` as methods."""

import atexit
import copy
from contextlib import ExitStack, suppress
from functools import cache, cached_property
from os import PathLike
from typing import Any, Self

import pandas as pd

from helpers.answers.answer import Answer
from helpers.errors import EvidenceLacking, ParameterInvalid
from helpers.fleet import (
    alike,
    cluster,
    engine,
    entries,
    groups,
    image_table,
    list_agreement,
    reading,
    scan_agreement,
    spread,
    tally,
    totals,
    views,
)
from helpers.fleet import bases as bases_
from helpers.fleet import counts as counts_
from helpers.fleet import distributions as distributions_
from helpers.fleet import drift as drift_
from helpers.fleet import headline as headline_
from helpers.fleet import labels as labels_
from helpers.fleet import lessons as lessons_
from helpers.fleet import moving as moving_
from helpers.fleet import overview as overview_
from helpers.fleet import pairs as pairs_
from helpers.fleet import published as published_
from helpers.fleet import repeats as repeats_
from helpers.fleet import steps as steps_
from helpers.fleet import unpaired as unpaired_
from helpers.fleet.cluster import Cluster
from helpers.fleet.scans import default_name
from helpers.frames import UNKNOWN_COUNT
from helpers.notebook.display import Setting
from helpers.notebook.question import Asked, asked, question
from helpers.text.i18n import t, word
from helpers.vulnerabilities import lenses, once
from helpers.vulnerabilities.lenses import Lens


class Fleet(Asked):
    """The images of many scans, and the questions of the notebook `fleet` as methods.

    `scans` is a folder, a glob, an address as `s3://bucket/folder`, a study or a captured fleet;
    what is new in it is read first. `name` is the fleet's, by default made of `scans`. `scheduler`
    is the address of a Dask scheduler whose workers see the data folder; without one, a cluster is
    started on this machine. `labels` is a CSV file that says what images are, as `labels.read`
    takes it; by default the `labels.csv` that lies beside tables of facts. `published` is a CSV
    file of published numbers, as `published.read` takes it; by default the `published.csv` there.
    Where a table `counts` has counts alone, an answer that needs more says that it is not known.

    The frames `fleet`, `images`, `findings` and `packages` are Dask's, with the columns of the data
    dictionary: `f.findings.groupby("severity", sort=True).size().compute()`. Raises `FleetInvalid`,
    `ClusterFailed`, and `KitError` if what fleets need is not installed.
    """

    example = 'Fleet("official-2018")'
    _numbers: tuple[published_.Number, ...] = ()

    def __init__(
        self,
        scans: str,
        name: str | None = None,
        scheduler: str | None = None,
        *,
        labels: str | PathLike[str] | None = None,
        published: str | PathLike[str] | None = None,
        mixed: bool = False,
    ) -> None:
        if not scans:
            raise ParameterInvalid("scans: pass a folder, a glob, an address or a study")
        self.name = name or default_name(scans)
        self._mixed = mixed
        self._labels = labels_.given(scans, labels)
        self._numbers = published_.given(scans, published)
        self._engine: engine.Dask | counts_.Counts
        self.lens = Lens(once.VULNERABILITIES)
        if only := counts_.given(scans):
            self._engine, self.lens = only, Lens(only.counted)
            return
        found = reading.listing(scans, self.name)
        opened = _opened(scheduler or "")
        self.reading = reading.read(scans, self.name, opened, found)
        self._engine = engine.Dask(self.reading.store, opened)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, lens={self.lens.label!r})"

    def where(self, **fields: Any) -> Self:
        """Return the same images, of which only some findings count; as `Comparison.where`.

        Of most findings of a fleet's scans no date may be known. Raises `ParameterInvalid` for an
        unknown value, and `EvidenceLacking` for a lens that looks at findings where only counts
        are known.
        """
        lens = lenses.checked(lenses.given(self.lens, **fields))
        self._engine.check(lens)
        return self._under(lens)

    def _under(self, lens: Lens) -> Self:
        other = copy.copy(self)
        other.lens = lens
        for name in _BY_LENS & {*vars(other)}:
            del vars(other)[name]
        return other

    vars(where)["__signature__"] = lenses.SIGNATURE

    def frame(self, name: str) -> Any:
        """Return one of the frames, as Dask's: `fleet`, `images`, `findings` or `packages`."""
        return self._engine.frame(name)

    @property
    def fleet(self) -> Any:
        """The images with their names, scans and package lists."""
        return self.frame("fleet")

    @property
    def images(self) -> Any:
        """The images, one a row."""
        return self.frame("images")

    @property
    def findings(self) -> Any:
        """All findings, one a row, whatever the lens."""
        return self.frame("findings")

    @property
    def packages(self) -> Any:
        """The installed packages, one a row."""
        return self.frame("packages")

    @cached_property
    def scanned(self) -> pd.DataFrame:
        """Every scan with its counts under the lens, one a row."""
        return self._engine.images(self.lens)

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Every image once, with its base family, its app and its counts under the lens.

        Raises `NotComparable` if the newest scans were not made alike and that is not allowed.
        """
        labelled = labels_.of(self.scanned, self._labels) if self._labels else None
        return alike.require(image_table.once(self.scanned, labelled), self._mixed)

    @property
    def _images(self) -> pd.DataFrame:
        return self.counts

    @property
    def _reducer(self) -> engine.Dask | counts_.Counts:
        return self._engine

    @cached_property
    def _twice(self) -> frozenset[str]:
        return image_table.uncounted(self.scanned, self.counts)

    @cached_property
    def _occurrences(self) -> pd.DataFrame:
        return tally.together(self._engine.reduced(tally.occurrences(self.lens, self._twice)))

    @cached_property
    def _in_packages(self) -> pd.DataFrame:
        return tally.together(self._engine.reduced(tally.in_packages(self.lens, self._twice)))

    @cached_property
    def _lists(self) -> pd.DataFrame:
        return self._engine.reduced(tally.package_lists())

    @cached_property
    def _seen(self) -> pd.DataFrame:
        return views.found(self.scanned[self.scanned["packages"].notna()])

    @cached_property
    def _items(self) -> pd.DataFrame:
        return self._engine.reduced(list_agreement.items(self._seen["variant"]))

    @cached_property
    def _looked(self) -> pd.DataFrame:
        looked = self.scanned[~self.scanned["status"].isin(UNKNOWN_COUNT)]
        return views.found(looked)

    @cached_property
    def _by_scanners(self) -> scan_agreement.Found:
        kept = self._engine.kept(scan_agreement.found(self._looked["variant"]))
        return scan_agreement.Found(
            *(pd.concat(frames, ignore_index=True) for frames in zip(*kept, strict=True))
        )

    @cached_property
    def _found(self) -> pd.DataFrame:
        found = bases_.found(self.counts, self._lists)
        reached = bases_.rebuilds(self.counts, found, self._lists)
        return bases_.with_removed(found, self._engine.reduced(tally.removed(self.lens, reached)))

    @cached_property
    def _made(self) -> pd.DataFrame:
        """All entries, whatever the lens: what others published has none."""
        plain = {kind: self._under(Lens(kind)) for kind in entries.KINDS}
        return entries.table(
            {kind: each.counts for kind, each in plain.items()},
            {kind: each.scanned for kind, each in plain.items()},
        )

    @cached_property
    def _judged(self) -> dict[str, int]:
        with suppress(EvidenceLacking):
            return self._rated()
        return {}

    def _rated(self) -> dict[str, int]:
        found = self._engine.reduced(tally.judges(self._twice))
        who = found["severity_source"].astype("object").fillna(t("not named"))
        sums = found["findings"].groupby(who).sum()
        return {str(each): int(count) for each, count in sums.items()}

    @property
    def _between(self) -> headline_.Between:
        plain = self._under(Lens(entries.KINDS[0]))
        return lambda earlier, later: drift_.between(plain.scanned, self._engine, earlier, later)

    @property
    def _packages(self) -> groups.Packages:
        with suppress(EvidenceLacking):
            return groups.packages(self.counts, self._found)
        return pairs_.UNKNOWN

    @property
    def _setting(self) -> Setting:
        """What answers about these images are shown with."""
        return self._setting_of(self.counts)

    @property
    def _of_views(self) -> Setting:
        """What answers about views of images are shown with: they need not be scanned alike."""
        return self._setting_of(self.scanned)

    def _setting_of(self, images: pd.DataFrame) -> Setting:
        return Setting(
            self.name,
            images,
            language=self.language,
            look=self.look,
            folder=self._folder,
            of=t("fleet {name}", name=self.name),
            unlike=lambda images: [alike.mark(images)],
        )

    overview = question("Which images are in the fleet?", overview_.answer)

    @asked()
    def scanned_alike(self) -> Answer:
        """Were all images scanned the same way?"""
        text = alike.text(image_table.once(self.scanned))
        lacks = "" if text else word(image_table.NONE_COUNTED)
        return Answer("scanned-alike", text=text, lacks=lacks)

    severity = question("How many findings and vulnerabilities are there in all?", totals.answer)
    published = question("Which published numbers are reproduced?", published_.answer)
    headline = question("What does a headline hide?", headline_.answer)
    days = question("What do the scans of each day count?", drift_.days_answer)
    drift = question("What changed between two days, and in which images?", drift_.answer)
    steps = question("How often does a count change, and with the same image?", steps_.answer)
    distributions = question("How do counts differ by base?", distributions_.answer)
    fixable_distributions = question("How many have a fix?", distributions_.fixable_answer)
    bases = question("Which base images contribute most?", bases_.answer)
    rebuilds = question("Which base update fixes most?", bases_.rebuild_answer)
    widespread = question("Which vulnerabilities are in the most images?", spread.answer)
    updates = question("Which package update fixes most?", spread.updates_answer)
    pairs = question("How does the same app differ between bases?", pairs_.answer)
    unpaired = question("Which images stand in no pair, and why?", unpaired_.answer)
    moving = question("What would moving to another base change?", moving_.answer)
    repeats = question("Which images have the same packages?", repeats_.answer)

    scanners = question(
        "How far do scanners agree on the same images?", scan_agreement.answer, shown="_of_views"
    )
    scanner_reasons = question(
        "Why does one scanner find what another does not?",
        scan_agreement.reasons_answer,
        shown="_of_views",
    )
    lists = question(
        "How far do package lists of the same images agree?",
        list_agreement.answer,
        shown="_of_views",
    )
    list_ecosystems = question(
        "Why do package lists of the same images differ?",
        list_agreement.ecosystems_answer,
        shown="_of_views",
    )

    @asked()
    def lessons(self) -> Answer:
        """What was learned, what to do first, and what is not known?"""
        answer = lessons_.answer(
            self.counts, self._occurrences, self._in_packages, self._found, self.lens
        )
        return answer._replace(text=alike.warning(self.counts) + answer.text)


@cache
def _opened(scheduler: str) -> Cluster:
    """Have a cluster until this process ends; all fleets of a notebook share it."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(cluster.open(scheduler))


_BY_LENS = {"scanned", "counts", "_twice", "_occurrences", "_in_packages", "_found"}
"""Cached properties that another lens does not share."""
