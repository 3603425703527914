"""Which image a kept report is of: what it says itself decides, and its file's name."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from helpers import Comparison
from helpers.capture.kept_reports import take
from helpers.studies.load import load_study
from helpers.studies.study import open_study
from tests.cases import made
from tests.support import onishi


@pytest.fixture
def folder(empty_data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    folder.mkdir()
    return folder


def write(path: Path, artifact: str, found: int = 1, **fields: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = made.report(*made.findings(found), ArtifactName=artifact, **fields)
    path.write_text(json.dumps(content))


def images() -> dict[str, list[str]]:
    """The captures of each artifact, by variant: `{variant: [capture artifact, …]}`."""
    frame = load_study("mine", "all").images.query("status == 'scanned'")
    rows: dict[str, list[str]] = {}
    for row in frame.itertuples():
        rows.setdefault(row.variant, []).append(f"{row.capture} {row.artifact}")
    return rows


def test_dates_in_tags_tell_images_apart(folder: Path) -> None:
    for day in ("20230112", "20230119"):
        for tag in ("20230101", "20230112"):
            write(folder / day / f"nightly_{tag}.json", f"registry.example/nightly:{tag}")
    assert take("mine", folder).made == ["2023-01-12", "2023-01-19"]
    assert sorted(images().values()) == [
        [f"{day} registry.example/nightly:{tag}" for day in ("2023-01-12", "2023-01-19")]
        for tag in ("20230101", "20230112")
    ]


def test_long_names_that_begin_and_end_alike_are_several_images(folder: Path) -> None:
    names = [f"platform-{'x' * 30}-{part}-{'y' * 30}" for part in "abc"]
    for day in ("2023-01-12", "2023-01-13"):
        for name in names:
            write(folder / day / f"{name}.json", f"{name}:1")
    assert take("mine", folder).made == ["2023-01-12", "2023-01-13"]
    assert sorted(len({text.split()[1] for text in rows}) for rows in images().values()) == [1] * 3


def test_one_file_name_and_several_repositories_platforms_or_tags_are_several_images(
    folder: Path,
) -> None:
    for day in ("2023-01-12", "2023-01-13"):
        write(folder / day / "a/app.json", "team-a/app:1")
        write(folder / day / "b/app.json", "team-b/app:1")
        write(folder / day / "one/web.json", "web:1")
        write(folder / day / "two/web.json", "web:2")
        write(folder / day / "amd64/db.json", "db:1", image_id="a")
        write(folder / day / "arm64/db.json", "db:1", image_id="b")
    assert take("mine", folder).made == ["2023-01-12", "2023-01-13"]
    found = images()
    assert len(found) == 6
    assert all(len(rows) == 2 for rows in found.values())
    assert all(len({row.split()[1] for row in rows}) == 1 for rows in found.values())


def test_reports_without_a_telling_file_name_are_of_what_they_say(folder: Path) -> None:
    for day in ("2023-01-12", "2023-01-13"):
        write(folder / day / "a/report.json", "team-a/app:1")
        write(folder / day / "b/report.json", "team-b/app:1")
    assert take("mine", folder).made == ["2023-01-12", "2023-01-13"]
    assert sorted(map(len, images().values())) == [2, 2]


def test_an_app_with_a_new_tag_from_build_to_build_is_one_image(folder: Path) -> None:
    for build, time in enumerate(("12T0300", "12T1700", "13T0300")):
        write(folder / f"app-2023-01-{time}.json", f"registry.example/app:build-{build}")
    write(folder / "app-2023-01-14.json", "other.example/app:build-4")
    done = take("mine", folder)
    assert done.made == ["2023-01-12", "2023-01-12.002", "2023-01-13", "2023-01-14"]
    assert open_study("mine").names() == ["app"]


def test_what_comes_later_joins_the_image_that_it_is_of(folder: Path) -> None:
    write(folder / "2023-01-12/app.json", "team-a/app:1")
    take("mine", folder)
    write(folder / "2023-01-13/b/app.json", "team-b/app:1")
    write(folder / "2023-01-13/a/app.json", "team-a/app:1")
    take("mine", folder)
    for path in folder.glob("2023-01-1[23]"):
        path.rename(folder.parent / path.name)
    write(folder / "2023-01-14/app.json", "team-b/app:1")
    take("mine", folder)
    other = (set(images()) - {"app"}).pop()
    assert images() == {
        "app": ["2023-01-12 team-a/app:1", "2023-01-13 team-a/app:1"],
        other: ["2023-01-13 team-b/app:1", "2023-01-14 team-b/app:1"],
    }


def test_a_report_that_cannot_be_read_is_of_the_image_of_its_name(folder: Path) -> None:
    for day in ("2023-01-12", "2023-01-14"):
        write(folder / day / "a/report.json", "a:1")
        write(folder / day / "b/report.json", "b:1")
    (folder / "2023-01-13/b").mkdir(parents=True)
    (folder / "2023-01-13/b/report.json").write_text('{"SchemaVersion": 2, "Res')
    done = take("mine", folder)
    assert done.made == ["2023-01-12", "2023-01-13", "2023-01-14"]
    frame = load_study("mine", "2023-01-13").images.set_index("variant")
    assert frame["status"].to_dict() == {"a": "missing", "b": "failed"}
    assert frame.loc["b", "reason"]
    again = take("mine", folder)
    assert (again.made, again.problems) == ([], [])


def test_six_weeks_are_six_captures_and_no_image_is_another(folder: Path, shared: Path) -> None:
    anchor = shared / "anchors" / "onishi-weekly"
    if not anchor.is_dir():
        pytest.skip("no anchors/onishi-weekly among other projects' reports")
    every = onishi.images(anchor)
    # Two of these are one name when cut to 48 letters.
    wanted = {*every[::12], *(name for name in every if "91219227-4f9f" in name)}
    onishi.write(anchor, folder, wanted)
    done = take("mine", folder)
    assert (done.made, done.problems) == ([*onishi.WEEKS], [])
    frame = load_study("mine", "all").images
    assert not frame["status"].isin(["failed", "missing"]).any()
    assert frame.groupby("variant")["artifact"].nunique().eq(1).all()
    assert {*frame["artifact"]} == wanted
    history = Comparison("mine")._history
    # Counted by id and package, as often as each is there; broken scans are left out on both sides.
    sound = {(row.capture, row.variant) for row in history.sound.itertuples()}
    present: dict[tuple[str, str], Counter[tuple[str, str]]] = {key: Counter() for key in sound}
    names = dict(zip(frame["artifact"], frame["variant"], strict=False))
    for week, image, row in onishi.findings(anchor, wanted):
        if (week, names[image]) in sound:
            present[week, names[image]][row["vulnerability_id"], row["package"]] += 1
    expected: Counter[str] = Counter()
    for variant in frame["variant"].unique():
        weeks = [week for week in onishi.WEEKS if (week, variant) in sound]
        for before, after in pairwise(weeks):
            was, is_ = present[before, variant], present[after, variant]
            expected["appeared"] += (is_ - was).total()
            expected["gone"] += (was - is_).total()
    moves = history.steps.moves
    counted = Counter(moves["change"].astype("str"))
    assert {change: counted[change] for change in expected} == dict(expected)
    assert expected["appeared"] > 100
