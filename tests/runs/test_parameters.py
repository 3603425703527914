"""Parameters: what does not fit is refused before a kernel starts."""

from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

from helpers import paths
from helpers.errors import ParameterInvalid
from helpers.runs import parameters
from helpers.runs.parameters import Parameter

SOURCE = """\
study: str = "blog-2022"  # folder in data/studies
lens: str = "findings"  # one of findings, vulnerabilities
size: str = ""  # one of unpacked, compressed; empty: what is known
fixable: bool = False  # count only what has a fix
limit: int = 10  # rows
weight: float = 0.5  # share
variants: list[str] = []  # which to show
until: str = ""  # a day: only what came before; ever: all
day: str = "2022-01-01"  # a day
baseline: str = ""  # a variant that the others are compared with
db: str = ""  # a folder
score: float = 0.0  # 0 to 1; the least score
"""

THERE = {"variant": ["one", "two"]}


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
    assert found["study"] == Parameter("study", "str", '"blog-2022"', "folder in data/studies")
    assert found["lens"].choices == ("findings", "vulnerabilities")
    assert found["size"].choices == ("", "unpacked", "compressed")
    kinds = {name: parameter.kind for name, parameter in found.items() if parameter.kind}
    assert kinds == {"until": "day", "day": "day", "baseline": "variant", "db": "folder"}


@pytest.mark.parametrize("path", [*paths.NOTEBOOKS.glob("*.ipynb")], ids=lambda path: path.stem)
def test_a_notebook_tells_what_papermill_reads_and_all_of_it_is_checked(path: Path) -> None:
    found = parameters.of_notebook(path)
    assert {name: (each.type, each.default, each.help) for name, each in found.items()} == {
        name: (each["inferred_type_name"], each["default"], each["help"])
        for name, each in papermill.inspect_notebook(path).items()
    }
    for each in found.values():
        is_text = "str" in each.type
        assert not is_text or each.choices or each.kind, f"{each.name}: help says what it takes"


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("study", "x", "x"),
        ("lens", "vulnerabilities", "vulnerabilities"),
        ("size", "", ""),
        ("fixable", "true", True),
        ("fixable", "No", False),
        ("limit", "12", 12),
        ("weight", "0.25", 0.25),
        ("weight", 1, 1.0),
        ("variants", "a, b,", ["a", "b"]),
        ("until", "ever", "ever"),
        ("until", "", ""),
        ("baseline", "two", "two"),
        ("db", "/tmp/../tmp", "/tmp"),
        ("score", "0.1", 0.1),
    ],
)
def test_values_are_read_as_their_type(notebook: Path, name: str, value: Any, typed: Any) -> None:
    got = parameters.check({name: value}, [notebook], THERE)[notebook][name]
    assert got == typed
    assert type(got) is type(typed)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("lense", "findings", "no notebook has a parameter 'lense'; did you mean 'lens'"),
        ("lens", "cves", "'cves' is not one of findings, vulnerabilities"),
        ("size", "big", 'one of "", unpacked, compressed'),
        ("fixable", "maybe", "'maybe' is not bool"),
        ("fixable", 1, "1 is not bool"),
        ("limit", "many", "'many' is not int"),
        ("limit", True, "True is not int"),
        ("study", 7, "7 is not str"),
        ("variants", [1], r"\[1\] is not list\[str\]"),
        ("until", "2022-13-45", "is not a date; write it as 2022-02-28, or 'ever'$"),
        ("until", "20220228", "is not a date"),
        ("until", "2022-02-28\n", "is not a date"),
        ("until", "２０２２-02-28", "is not a date"),
        ("day", "ever", "is not a date; write it as 2022-02-28$"),
        ("baseline", "three", "'three' is not one of one, two"),
        ("db", "/no/where", "'/no/where' is not a folder"),
        ("score", "1.01", "'1.01' must be at most 1"),
        ("score", "-0.1", "'-0.1' must be 0 or more"),
        ("score", "nan", "'nan' must be 0 or more"),
    ],
)
def test_what_does_not_fit_is_refused(notebook: Path, name: str, value: Any, message: str) -> None:
    with pytest.raises(ParameterInvalid, match=message):
        parameters.check({name: value}, [notebook], THERE)


def test_a_kernels_values_become_of_the_type_that_the_last_parameters_cell_declares() -> None:
    cells = ["", "x: int = 1", SOURCE, "lens = 'vulnerabilities'\nlimit: int = 1"]
    given = {"lens": "vulnerabilities", "fixable": "no", "variants": "a,b", "x": "1", "other": []}
    typed = {"lens": "vulnerabilities", "fixable": False, "variants": ["a", "b"]}
    assert parameters.as_declared(cells, given) == typed
    with pytest.raises(ParameterInvalid, match=r"'fixable': 'maybe' is not bool \(count only"):
        parameters.as_declared(cells, {"fixable": "maybe"})
    assert parameters.as_declared(["print(1)"], given) == {}


def test_each_notebook_gets_only_what_it_declares(notebook: Path, tmp_path: Path) -> None:
    book = nbformat.read(notebook, as_version=4)
    book.cells[0].source = 'study: str = "blog-2022"  # folder in data/studies'
    other = tmp_path / "02-other.ipynb"
    nbformat.write(book, other)
    values = parameters.check({"study": "s", "limit": "3"}, [notebook, other])
    assert values == {notebook: {"study": "s", "limit": 3}, other: {"study": "s"}}


def test_what_a_user_may_give_is_described_once_with_choices_and_defaults(
    notebook: Path, tmp_path: Path
) -> None:
    other = tmp_path / "02-other.ipynb"
    other.write_text(notebook.read_text().replace("= 10", "= 20"))
    found = dict(parameters.described([notebook, other]))
    assert "study" not in found
    assert found["lens"] == "one of findings, vulnerabilities  [default: findings]"
    assert found["limit"] == "a whole number; rows  [default: 10 or 20]"
    assert found["fixable"].startswith("true or false; count")
    assert found["baseline"] == "a variant that the others are compared with"
