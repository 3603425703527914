"""What a run replaces, and what of the user's it must not."""

import json
import os
from pathlib import Path

import pytest

from helpers.errors import StudyInvalid
from helpers.runs import run_folder

EDITED = 1_700_000_000
"""A time on 2023-11-14, anywhere."""


def written(folder: Path, *files: str) -> Path:
    """A run's folder as the kit leaves it."""
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("made")
    made = run_folder.digests(folder)
    (folder / "run.json").write_text(json.dumps({"study": "s", "made": made}))
    return folder


def edit(path: Path, text: str = "edited") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (EDITED, EDITED))


def held(folder: Path) -> dict[str, str]:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {file: path.read_text() for file, path in sorted(files.items()) if path.is_file()}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return written(tmp_path / "old", "report.html", "deck.pptx", "figures/a.png", "figures/b.png")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    folder = tmp_path / "new"
    for file in ("report.html", "figures/a.png"):
        edit(folder / file, "new")
    return folder


def test_slides_stay_and_a_figure_of_an_earlier_run_does_not(old: Path, new: Path) -> None:
    stays = run_folder.carry_over(old, new)
    assert held(new) == {"deck.pptx": "made", "figures/a.png": "new", "report.html": "new"}
    assert [*stays.kept] == ["deck.pptx"]
    assert stays.renamed == {}


def test_what_was_kept_once_is_still_no_file_of_the_users(old: Path, new: Path) -> None:
    made = run_folder.digests(new)
    stays = run_folder.carry_over(old, new)
    (new / "run.json").write_text(json.dumps({"made": made, "kept": stays.kept}))
    newest = new.parent / "newest"
    for file in ("deck.pptx", "report.html"):
        edit(newest / file, "newest")
    run_folder.carry_over(new, newest)
    assert held(newest) == {"deck.pptx": "newest", "report.html": "newest"}


def test_the_users_files_stay_wherever_they_are(old: Path, new: Path) -> None:
    for file in ("notes.txt", "figures/mine.png", "deep/er/x"):
        edit(old / file, "mine")
    (old / "link").symlink_to("/no/where")
    run_folder.carry_over(old, new)
    assert {file for file, text in held(new).items() if text == "mine"} == {
        *("notes.txt", "figures/mine.png", "deep/er/x")
    }
    assert (new / "link").is_symlink()


def test_what_the_user_edited_stays_beside_the_new_one(old: Path, new: Path) -> None:
    edit(old / "figures/a.png")
    edit(old / "figures/b.png")
    edit(old / "deck.pptx")
    edit(old / "deck.edited-2023-11-14.pptx", "before")
    edit(new / "deck.pptx", "new")
    stays = run_folder.carry_over(old, new)
    assert held(new) == {
        "deck.edited-2023-11-14-2.pptx": "edited",
        "deck.edited-2023-11-14.pptx": "before",
        "deck.pptx": "new",
        "figures/a.edited-2023-11-14.png": "edited",
        "figures/a.png": "new",
        "figures/b.png": "edited",
        "report.html": "new",
    }
    assert stays.renamed["deck.pptx"] == "deck.edited-2023-11-14-2.pptx"
    assert stays.kept == {}


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"made": 1}', "\xff", '{"study": "s"}'])
def test_without_a_record_what_a_run_makes_is_the_kits(old: Path, new: Path, text: str) -> None:
    if text is None:
        (old / "run.json").unlink()
    else:
        (old / "run.json").write_bytes(text.encode("latin-1"))
    edit(new / "deck.pptx", "new")
    run_folder.carry_over(old, new)
    assert sorted(path.name.partition(".edited")[0] for path in new.iterdir()) == [
        *("deck", "deck.pptx", "figures", "report.html")
    ]
    assert [path.name for path in (new / "figures").iterdir()] == ["a.png"]


def test_a_failed_run_goes_but_for_what_the_user_did_there(old: Path) -> None:
    edit(old / "figures/b.png")
    run_folder.discard(old)
    assert [*held(old)] == ["figures/b.png", "run.json"]
    run_folder.discard(old)
    assert [*held(old)] == ["figures/b.png", "run.json"]
    (old / "figures/b.png").unlink()
    run_folder.discard(old)
    run_folder.discard(old)
    assert not old.exists()


def test_the_run_of_another_study_is_left_alone(old: Path, tmp_path: Path) -> None:
    run_folder.check(old, "s")
    run_folder.check(tmp_path / "none", "s")
    with pytest.raises(StudyInvalid, match="study 's'; give this run another name"):
        run_folder.check(old, "t")
