"""Languages: every text that readers see has a translation, and none is there for nothing."""

import ast
import csv
import json
import re
from collections import Counter
from functools import cache
from string import Formatter
from unicodedata import normalize

import nbformat
import pytest

from helpers import paths
from helpers.errors import ParameterInvalid
from helpers.frames import SEVERITIES
from helpers.sizes import file_groups
from helpers.surface import checks
from helpers.text import i18n

ROWS = list(csv.DictReader(paths.LANGUAGES.open(encoding="utf-8", newline="")))
KEYS = {row["en"] for row in ROWS}
OTHERS = [name for name in ROWS[0] if name != "en"]
COMPOSED = {f"NVD {severity}" for severity in SEVERITIES} | {
    *("only trivy", "only grype", "trivy severity", "grype severity"),
    *("vulnerability packages", "fixable vulnerability packages"),
    *("fixable findings", "fixable vulnerabilities"),
}
"""Columns whose names are put together."""

IN_TEMPLATES = re.compile(r"\bt\(\s*\"([^\"]+)\"")


@cache
def trees() -> dict[str, ast.Module]:
    modules = [*paths.HELPERS.rglob("*.py")]
    found = {str(path): ast.parse(path.read_text()) for path in modules}
    assert len(found) > 100, "it looks into folders"
    return found


def calls(*names: str) -> list[tuple[str, ast.Call]]:
    """The calls of functions of those names in the helpers, by module."""
    return [
        (module, node)
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") or getattr(node.func, "attr", "")) in names
    ]


@cache
def marked() -> set[str]:
    """Texts that are written as messages: in code, as nouns of counts, and in templates."""
    found = {
        node.args[0].value
        for _, node in calls("t", "msg", "say", "Message")
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    nouns = {
        f"{{count:,}} {node.args[1].value}"
        for _, node in calls("number")
        if len(node.args) == 2 and isinstance(node.args[1], ast.Constant)
    }
    pages = [path.read_text() for path in paths.HELPERS.rglob("*.j2")]
    return found | nouns | {text for page in pages for text in IN_TEMPLATES.findall(page)}


def prose() -> set[str]:
    """Headings and paragraphs of the notebooks."""
    cells = [
        cell.source
        for path in paths.NOTEBOOKS.glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
    ]
    parts = [part for cell in cells for part in re.split(r"\n\s*\n|\n(?=#)", cell)]
    return {part.strip().lstrip("# ") for part in parts}


def cells() -> ast.Module:
    """The code of all notebooks."""
    sources = [
        cell.source
        for path in paths.NOTEBOOKS.glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
    ]
    return ast.parse("\n".join(sources))


def recorded() -> set[str]:
    """Texts that tables to extend and recorded studies hold."""
    files = [*paths.HELPERS.rglob("*.csv"), *paths.studies().glob("*/published.csv")]
    files = [path for path in files if path != paths.LANGUAGES]
    cells = {cell for path in files for row in csv.reader(path.open()) for cell in row}
    facts = [json.loads(p.read_text()) for p in paths.studies().glob("*/*/capture.json")]
    return cells | {fact["db"].get("coverage", "") for fact in facts}


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_a_translation(language: str) -> None:
    there = {row["en"] for row in ROWS if row[language]}
    assert sorted(marked() - there) == []


@cache
def chosen() -> set[str]:
    """Names of variables that hold what was marked by `msg`: one of several is chosen first."""
    nodes = (node for tree in trees().values() for node in ast.walk(tree))
    assigned = (node for node in nodes if isinstance(node, ast.Assign))
    return {
        target.id
        for node in assigned
        if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "msg"
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def is_known(node: ast.AST) -> bool:
    """Whether a text is a literal, of a table, or one of those that were marked."""
    if isinstance(node, ast.IfExp):
        return is_known(node.body) and is_known(node.orelse)
    if isinstance(node, ast.Attribute):
        return is_known(node.value)
    known = isinstance(node, ast.Constant | ast.Subscript)
    return known or (isinstance(node, ast.Name) and node.id in chosen())


def test_what_is_translated_is_written_as_one_literal() -> None:
    computed = [
        f"{module}:{node.lineno}"
        for module, node in calls("t", "msg", "say")
        if not is_known(node.args[0]) and not module.endswith(("i18n.py", "titles.py"))
    ]
    assert computed == [], "a test could not know what they say (a table marks what it has)"


def said() -> set[str]:
    """All texts that may be translated."""
    nodes = [node for tree in [*trees().values(), cells()] for node in ast.walk(tree)]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    fields = [node.target.id for node in nodes if isinstance(node, ast.AnnAssign)
              and isinstance(node.target, ast.Name)]  # fmt: skip
    written = {text for text in [*texts, *fields] if isinstance(text, str)} | COMPOSED
    # Headings of tables are the names of columns, which are made of those.
    headings = {text.replace("_", " ") for text in written} | {
        re.sub(r"_(bytes|at)$", "", text).replace("_", " ") for text in written
    }
    return marked() | written | headings | prose() | recorded()


def test_no_translation_is_there_for_nothing() -> None:
    assert sorted(KEYS - said()) == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_fills_in_what_the_text_does(language: str) -> None:
    for row in ROWS:
        if row["en"] in marked():
            fields = [Counter(field for _, field, _, _ in Formatter().parse(row[name]) if field)
                      for name in ("en", language)]  # fmt: skip
            assert set(fields[0]) == set(fields[1]), row["en"]


@pytest.mark.parametrize("language", OTHERS)
def test_marks_of_markdown_come_in_pairs(language: str) -> None:
    for row in ROWS:
        for mark in ("**", "`"):
            assert row["en"].count(mark) % 2 == row[language].count(mark) % 2 == 0, row["en"]


def test_the_table_is_whole_sorted_and_each_text_in_it_once() -> None:
    texts = [row["en"] for row in ROWS]
    assert texts == sorted(texts, key=lambda text: (text.casefold(), text))
    assert len(texts) == len(set(texts))
    assert all(all(row.values()) for row in ROWS)
    assert all(normalize("NFC", row["ko"]) == row["ko"] for row in ROWS)


def test_a_language_is_spoken_for_as_long_as_a_block_runs() -> None:
    with i18n.speaking("ko"):
        assert i18n.t("{count:,} finding", count=1048) == "발견 항목 1,048건"
        assert i18n.word("never translated") == "never translated"
    assert i18n.t("{count:,} finding", count=1048) == "1,048 finding"
    with pytest.raises(ParameterInvalid, match="'xx' is not one of en, ko"):
        i18n.use("xx")


def test_notebooks_offer_every_language() -> None:
    for path in paths.NOTEBOOKS.glob("*.ipynb"):
        sources = [cell.source for cell in nbformat.read(path, as_version=4).cells]
        offered = re.findall(r"^language: str = .*# one of ([^;]*);", "\n".join(sources), re.M)
        if path.name not in ("index.ipynb", paths.START.name):
            assert offered == [", ".join(i18n.known())], path.name


def test_a_message_is_english_in_a_frame_and_knows_how_it_is_told() -> None:
    programs = [
        i18n.Message("{libc} programs: {count}", count="278", libc="glibc"),
        i18n.Message("{libc} programs: {count}", count="1", libc=i18n.Message("static")),
    ]
    cell = i18n.Message("{value} ({first})", value="glibc", first=i18n.Listing(programs))
    assert cell == "glibc (glibc programs: 278, static programs: 1)"
    assert i18n.told(cell) == cell
    with i18n.speaking("ko"):
        assert i18n.told(cell) == "glibc (glibc 프로그램: 278개, 정적 링크 프로그램: 1개)"
        assert cell == "glibc (glibc programs: 278, static programs: 1)"


def test_a_name_in_a_message_is_no_word_and_no_field() -> None:
    with i18n.speaking("ko"):
        for name in ("size", "{count}", "of", "<b>"):
            assert i18n.told(name) == name
            told = i18n.told(i18n.Message("{value} (by its packages)", value=name))
            assert told == f"{name} (패키지 기준)"


def test_every_word_has_its_translation() -> None:
    words = {*checks.questions(), *file_groups.GROUPS}
    alike = {"npm", "yarn", "pip", "node", "python", "java", "php", "ruby", "perl"}
    assert words | set(file_groups.components()) - alike <= KEYS
