"""Find the image of each kept report, by its file name and its content.

Files whose names differ only in dates and scanner belong to one image over time, unless the
reports disagree: two repositories are two images, and so are two artifacts that one scanner
reported at one time. A new tag on another day is a rebuild of the same image.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path, PurePath
from typing import NamedTuple

from helpers.errors import ReportInvalid
from helpers.images import reference
from helpers.scans import reports
from helpers.studies import variant_names
from helpers.studies.study import Variant
from helpers.studies.variant_names import Names

DATE = re.compile(
    r"(?<!\d)(?P<y>(19|20)\d\d)(?P<s>[-_.]?)(?P<m>0[1-9]|1[0-2])(?P=s)(?P<d>0[1-9]|[12]\d|3[01])"
    r"(?:[T_ -]?(?P<H>[01]\d|2[0-3])[-:_.h]?(?P<M>[0-5]\d)([-:_.m]?[0-5]\dZ?)?)?(?!\d)"
)
"""As in `2023-01-12`, `20230112` and `2023-01-12T03-00`."""

_SCANNERS = re.compile(r"(?i)(?<![a-z])(trivy|grype)(?![a-z])")
_NAMELESS = frozenset({"", "report", "reports", "scan", "result", "results", "output"})
"""File names that do not identify an image."""

_NO_NAME = re.compile(r"(sha256:)?[0-9a-f]{12,64}|[^A-Za-z0-9]*")
"""Image ids, and texts without letters or digits, do not name an artifact."""


class Said(NamedTuple):
    """The content of a report that identifies it; `problem` says why it is unreadable.

    `artifact` is a reference with its tag, or the last part of another name; `repository` has no
    registry, since images are copied between registries.
    """

    problem: str = ""
    scanner: str = ""
    artifact: str = ""
    repository: str = ""
    image_id: str = ""
    created_at: datetime | None = None


class Report(NamedTuple):
    """One report: its file, also relative to the folder, the time in its name, and its image.

    `capture` is set if a capture already has it; then it was not read.
    """

    path: Path
    inside: Path
    moment: datetime
    has_time: bool
    variant: str = ""
    capture: str = ""
    said: Said = Said()

    @property
    def base(self) -> str:
        """Return its capture's name, before numbering reports of the same image and scanner."""
        return f"{self.moment:%Y-%m-%d.%H%M}" if self.has_time else f"{self.moment:%Y-%m-%d}"

    @property
    def own_time(self) -> str:
        """Return the time of day in its file name, for a second scan on one day."""
        match = DATE.search(self.path.name)
        return f"{match['H']}{match['M']}" if match and match["H"] else ""

    @property
    def place(self) -> str:
        """Return its path without its own date: equal on all days."""
        day = f"{self.moment:%Y%m%d}"
        return DATE.sub(
            lambda match: "" if match["y"] + match["m"] + match["d"] == day else match[0],
            str(self.inside),
        )


def said(path: Path) -> Said:
    """Return what identifies a report, from its content."""
    try:
        report = reports.read(path)
    except ReportInvalid as error:
        return Said(problem=error.problem)
    tags = (report.metadata and report.metadata.repo_tags) or []
    common = Said("", report.scanner, "", "", report.image_id, report.created_at)
    is_image = report.artifact_type in (None, "", "container_image")
    texts = [text for text in (report.artifact_name or "", *tags) if not _NO_NAME.fullmatch(text)]
    for text in texts if is_image else ():
        if text.endswith(variant_names.FILES):
            continue
        try:
            parsed = reference.parse(text)
        except ValueError:
            continue
        tag = f":{parsed.tag}" if parsed.tag else ""
        return common._replace(artifact=parsed.repository + tag, repository=parsed.name)
    last = texts[0].replace("\\", "/").rstrip("/").rpartition("/")[2] if texts else ""
    return common._replace(artifact=last)


def named(reports: Sequence[Report], variants: Sequence[Variant]) -> tuple[list[Report], list[str]]:
    """Return reports with the names of their images, using known variants where they match.

    Also returns why files are left out. An unreadable file belongs to an image if its name matches
    another day's, or if all readable files of its name belong to one image. Others, such as
    `package.json`, are not reports: one problem for each name.
    """
    known = [report for report in reports if report.variant]
    readable = [report for report in reports if not report.variant and not report.said.problem]
    done = known + _of_images(readable, variants)
    places, groups = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for report in done:
        places[report.place].add(report.variant)
        groups[_group(report)].add(report.variant)
    for variant in variants:
        groups[_group_of(variant)].add(variant.name)
    unknown: dict[str, list[Report]] = defaultdict(list)
    for report in reports:
        if report.said.problem:
            may_be = places[report.place], groups[_group(report)]
            names = next((found for found in may_be if len(found) == 1), set())
            if names:
                done.append(report._replace(variant=min(names)))
            else:
                unknown[_stem(report.path.name)].append(report)
    problems = []
    for several in unknown.values():
        newest = max(several, key=lambda report: report.moment)
        more = f" (and {len(several) - 1} more of this name)" if several[1:] else ""
        problems.append(f"{newest.inside}: {newest.said.problem}{more}")
    return done, problems


def _of_images(reports: Sequence[Report], variants: Sequence[Variant]) -> list[Report]:
    """Return readable reports with the names of their images."""
    before: dict[str, list[Variant]] = defaultdict(list)
    for variant in variants:
        before[_group_of(variant)].append(variant)
    groups: dict[str, list[Report]] = defaultdict(list)
    for report in reports:
        groups[_group(report)].append(report)
    found: list[tuple[list[Report], Names]] = []
    for group, members in sorted(groups.items()):
        known = before[group]
        by_artifact, by_place = _apart(members, known)
        parts: dict[tuple[str, str], list[Report]] = defaultdict(list)
        for report in members:
            artifact = report.said.artifact if by_artifact else ""
            parts[artifact, _undated(report) if by_place else ""].append(report)
        for (artifact, place), part in sorted(parts.items()):
            same = [
                variant.name
                for variant in known
                if (not by_artifact or variant.artifact == artifact)
                and (not by_place or DATE.sub("", variant.report).endswith(place))
            ]
            if same:
                found.append((part, Names(same[:1], is_chosen=True)))
            else:
                found.append((part, Names(_names(group, part[0], by_artifact, place))))
    taken = [Names([variant.name], is_chosen=True) for variant in variants]
    new = [names for _, names in found if not names.is_chosen]
    fresh = iter(variant_names.unique([*taken, *new])[len(taken) :])
    return [
        report._replace(variant=name)
        for part, names in found
        for name in [names.candidates[0] if names.is_chosen else next(fresh)]
        for report in part
    ]


def _apart(reports: Sequence[Report], known: Sequence[Variant]) -> tuple[bool, bool]:
    """Return whether reports of one name belong to several images, by artifact or folder."""
    repositories = {report.said.repository for report in reports} - {""}
    artifacts, ids = defaultdict[object, set[str]](set), defaultdict[object, set[str]](set)
    for report in reports:
        said, at = report.said, (report.base, report.own_time, report.said.scanner)
        artifacts[at] |= {said.artifact} - {""}
        ids[at, said.artifact] |= {said.image_id} - {""}
    told = {variant.artifact for variant in known}
    repositories |= {_repository(artifact) for artifact in told} - {""}
    by_artifact = (
        len(repositories) > 1 or len(told) > 1 or any(len(s) > 1 for s in artifacts.values())
    )
    by_place = len(told) < len(known) or any(len(found) > 1 for found in ids.values())
    return by_artifact, by_place


def _names(group: str, report: Report, by_artifact: bool, place: str) -> list[str]:
    """Return names for an image, the best first."""
    artifact = report.said.artifact
    is_nameless = group.startswith("/")
    names: list[str] = []
    if place:
        names += variant_names.of_file(PurePath(place.replace("/", "-")))
    if by_artifact or is_nameless:
        short = variant_names.of_artifact(artifact)
        names += short[-1:] if by_artifact else short
        names += variant_names.of_file(PurePath(re.sub(r"[/:@]", "-", artifact)))
    return names if is_nameless else [*names, *variant_names.of_file(PurePath(group))]


def _group(report: Report) -> str:
    """Return what reports of one image share: their file name, else their content."""
    return _group_named(report.path.name, report.said.repository or report.said.artifact)


def _group_of(variant: Variant) -> str:
    """Return `_group` of a known variant's reports."""
    said = _repository(variant.artifact) or variant.artifact
    return _group_named(PurePath(variant.report).name, said)


def _group_named(file: str, said: str) -> str:
    stem = _stem(file)
    is_named = stem not in _NAMELESS and variant_names.of_file(PurePath(stem))
    return stem if is_named else f"/{said}"


def _repository(artifact: str) -> str:
    """Return an artifact's repository without its registry; empty if it is not a reference."""
    if _NO_NAME.fullmatch(artifact) or artifact.endswith(variant_names.FILES):
        return ""
    try:
        return reference.parse(artifact).name
    except ValueError:
        return ""


def _stem(name: str) -> str:
    """Return a file's name without suffixes, dates and scanner."""
    bare = DATE.sub("", name.removesuffix(".gz").removesuffix(".json"))
    return re.sub(r"[-_.]{2,}", "-", _SCANNERS.sub("", bare)).strip("-_. ")


def _undated(report: Report) -> str:
    """Return a report's path without dates, which identifies its image if folders do."""
    return DATE.sub("", str(report.inside)).strip("/")
