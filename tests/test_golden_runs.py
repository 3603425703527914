"""What the notebooks show is what they showed before; a change is renewed and read as a diff."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.text import i18n
from tests.support import golden_runs


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    with golden_runs.studies() as folder:
        yield folder


def test_no_word_of_another_script_stands_twice_in_a_row() -> None:
    twice = re.compile(r"(?<!\w)([^\W\d_a-zA-Z]+) \1(?!\w)")
    for path in golden_runs.FOLDER.glob("*/*.txt"):
        assert not twice.findall(path.read_text()), path


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("language", i18n.known())
@pytest.mark.parametrize(
    "study",
    [pytest.param(study, marks=pytest.mark.xdist_group(study)) for study in golden_runs.STUDIES],
)
def test_the_notebooks_show_what_they_showed(study: str, language: str) -> None:
    kept, found = golden_runs.kept(study, language), golden_runs.shown(study, language)
    renew = "python -m tests.support.golden_runs renews them; read git diff tests/golden"
    assert sorted(found) == sorted(kept), renew
    for name in kept:
        assert found[name] == kept[name], f"{name}: {renew}"
