"""What a daemon is asked for, beside others that ask it."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.containers.daemon import Daemon


@pytest.mark.parametrize("is_built", [False, True])
def test_an_image_whose_name_a_build_takes_meanwhile_is_the_one_that_is_saved(
    tmp_path: Path, is_built: bool
) -> None:
    names = {"app:1": "sha256:old"}

    def inspected(name: str) -> dict[str, Any]:
        found = names.get(name, name)
        return {"Id": found, "RepoTags": [tag for tag in names if names[tag] == found]}

    def archive(name: str, _: int) -> Iterator[bytes]:
        if is_built:
            names["app:1"] = "sha256:new"
        yield f"{name} is {names.get(name, name)}".encode()

    api = SimpleNamespace(base_url="", inspect_image=inspected, get_image=archive)
    client: Any = SimpleNamespace(version=lambda: {}, api=api)
    Daemon(client).save("sha256:old", tmp_path / "saved")
    by_name, by_id = "app:1 is sha256:old", "sha256:old is sha256:old"
    assert (tmp_path / "saved").read_text() == (by_id if is_built else by_name)
