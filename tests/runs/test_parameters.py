"""Parameters: what does not fit is refused before a kernel starts."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from helpers.errors import ParameterInvalid
from helpers.runs import parameters

SOURCE = """\
study: str = "blog-2022"  # folder in data/studies
lens: str = "findings"  # one of findings, vulnerabilities
size: str = ""  # one of unpacked, compressed; empty: what is known
fixable: bool = False  # count only what has a fix
limit: int = 10  # rows
weight: float = 0.5  # share
variants: list[str] = []  # which to show
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cell = nbformat.v4.new_code_cell(SOURCE, metadata={"tags": ["parameters"]})
    book = nbformat.v4.new_notebook(cells=[cell])
    book.metadata = {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}}
    path = tmp_path / "01-test.ipynb"
    nbformat.write(book, path)
    return path


def test_a_notebook_tells_its_parameters(notebook: Path) -> None:
    found = parameters.of_notebook(notebook)
    assert found["study"] == ("study", "str", "folder in data/studies", (), None)
    assert found["lens"].choices == ("findings", "vulnerabilities")
    assert found["size"].choices == ("", "unpacked", "compressed")
    assert {name: p.type for name, p in found.items()} == {
        "study": "str",
        "lens": "str",
        "size": "str",
        "fixable": "bool",
        "limit": "int",
        "weight": "float",
        "variants": "list[str]",
    }


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("study", "x", "x"),
        ("lens", "vulnerabilities", "vulnerabilities"),
        ("size", "", ""),
        ("fixable", "true", True),
        ("fixable", "No", False),
        ("fixable", True, True),
        ("limit", "12", 12),
        ("limit", 12, 12),
        ("weight", "0.25", 0.25),
        ("weight", 1, 1.0),
        ("variants", "a, b,", ["a", "b"]),
        ("variants", ["a"], ["a"]),
    ],
)
def test_values_are_read_as_their_type(notebook: Path, name: str, value: Any, typed: Any) -> None:
    got = parameters.check({name: value}, [notebook])[notebook][name]
    assert got == typed
    assert type(got) is type(typed)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("lense", "findings", "no notebook has a parameter 'lense'; did you mean 'lens'"),
        ("zzz", "1", "there are fixable, lens"),
        ("lens", "cves", "'cves' is none of findings, vulnerabilities"),
        ("size", "big", 'none of "", unpacked, compressed'),
        ("fixable", "maybe", "'maybe' is not bool"),
        ("fixable", 1, "1 is not bool"),
        ("limit", "many", "'many' is not int"),
        ("limit", True, "True is not int"),
        ("limit", 1.5, "1.5 is not int"),
        ("weight", "half", "'half' is not float"),
        ("study", 7, "7 is not str"),
        ("variants", [1], r"\[1\] is not list\[str\]"),
    ],
)
def test_what_does_not_fit_is_refused(notebook: Path, name: str, value: Any, message: str) -> None:
    with pytest.raises(ParameterInvalid, match=message):
        parameters.check({name: value}, [notebook])


def test_each_notebook_gets_only_what_it_declares(notebook: Path, tmp_path: Path) -> None:
    book = nbformat.read(notebook, as_version=4)
    book.cells[0].source = 'study: str = "blog-2022"  # folder in data/studies'
    other = tmp_path / "02-other.ipynb"
    nbformat.write(book, other)
    values = parameters.check({"study": "s", "limit": "3"}, [notebook, other])
    assert values == {notebook: {"study": "s", "limit": 3}, other: {"study": "s"}}
