"""Columns from an image's metadata, inventory and smoke test."""

from pathlib import Path

import msgspec

from helpers import frames, paths
from helpers.images import image_rows, metadata
from helpers.images.metadata import Smoke
from helpers.studies.load import load_files, load_layers, load_study
from helpers.studies.study import open_study
from tests.conftest import file, files_of

STUDY = "rebuilt-2026"


def test_frames_of_layers_and_files_have_their_types() -> None:
    files = load_files(STUDY)
    for name, frame in (("layers", load_layers(STUDY)), ("files", files)):
        assert frame.dtypes.to_dict() == frames.make(name, {}).dtypes.to_dict()
    setuid = files[files["setuid"]]
    assert set(setuid["variant"]) == {"node-24-debian"}
    assert "usr/bin/su" in set(setuid["path"])
    assert not files.loc[files["kind"].eq("dir"), "executable"].any()


def test_a_file_that_anybody_may_start_is_executable() -> None:
    modes = {0o644: False, 0o100: True, 0o010: True, 0o001: True, 0o4644: False}
    files = files_of(*(file(str(mode), mode=mode) for mode in modes))
    assert files["executable"].tolist() == [*modes.values()]


def test_started_and_not_reached_are_not_the_same() -> None:
    tried = Smoke(80, None, None, 1.0, "not reached", shells_tried=["/bin/sh"])
    columns = image_rows.started(tried)
    assert columns["answers"] is None
    assert columns["shell_starts"] is False
    assert image_rows.started(None) == {}


def test_an_image_that_does_not_answer_is_broken(data: Path) -> None:
    capture = open_study(STUDY).facts().capture
    path = paths.evidence(STUDY, capture, "node-8-distroless") / paths.SMOKE
    smoke = metadata.read(path, Smoke)
    assert smoke is not None
    metadata.write(path, msgspec.structs.replace(smoke, answered=False, why="no answer"))
    images = load_study(STUDY).images.set_index("variant")
    assert images["status"]["node-8-distroless"] == "broken"
    assert images["status"].eq("scanned").sum() == 3
    assert images["reason"]["node-8-distroless"] == "no answer"
