"""The instructions of a Dockerfile, read as Docker reads them."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from helpers.images.variables import words

_DIRECTIVE = re.compile(r"#\s*([a-z]\w*)\s*=\s*(\S.*)", re.IGNORECASE)

_WITH_DOCUMENTS = ("RUN", "COPY", "ADD")
"""Only these have here-documents: https://docs.docker.com/reference/dockerfile/#here-documents"""

_SHELL_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+""")
_DOCUMENT = re.compile(r"\d*<<(-?)([^<]+)")


class Instruction(NamedTuple):
    """One instruction: its word in capitals, the rest in one line, and its here-documents."""

    word: str
    rest: str
    documents: tuple[str, ...] = ()

    def unwrapped(self) -> "Instruction":
        """Return the instruction inside an `ONBUILD`, else the instruction itself."""
        if self.word != "ONBUILD":
            return self
        return Instruction(*_parted(self.rest), self.documents)

    def options(self) -> list[tuple[str, str]]:
        """Return the names and values of the options.

        >>> Instruction("COPY", "--link --from=build a b").options()
        [('link', ''), ('from', 'build')]
        """
        words = takewhile(lambda word: word.startswith("--"), self.rest.split())
        return [(name, value) for name, _, value in (word[2:].partition("=") for word in words)]

    def arguments(self) -> str:
        """Return what follows the options."""
        return re.sub(r"^(?:--\S+\s+)*", "", self.rest)


def directives(text: str) -> dict[str, str]:
    """Return the directives at the start of a Dockerfile; the first other line ends them.

    https://docs.docker.com/reference/dockerfile/#parser-directives
    """
    lines = (_DIRECTIVE.fullmatch(line.strip()) for line in text.split("\n"))
    return {found[1].lower(): found[2] for found in takewhile(bool, lines) if found}


def without_directive(text: str, name: str) -> str:
    r"""Return a Dockerfile without a directive, with the same number of lines.

    >>> without_directive("# syntax=a\n# escape=`\nFROM b\n", "syntax")
    '# escape=`\n#\nFROM b\n'
    """
    lines = text.split("\n")
    count = len(list(takewhile(_DIRECTIVE.fullmatch, map(str.strip, lines))))
    kept = [line for line in lines[:count] if directives(line).keys() != {name}]
    # Another comment ends the directives, so it follows them.
    return "\n".join([*kept, *["#"] * (count - len(kept)), *lines[count:]])


def read(text: str) -> list[Instruction]:
    r"""Return the instructions of a Dockerfile.

    A here-document without its last line is ignored.

    >>> read("# escape=`\nRUN a `\n  # here\n  b\\c\nuser x")
    [Instruction(word='RUN', rest='a   b\\c', documents=()), Instruction(word='USER', rest='x', ...
    >>> [found.documents for found in read("RUN <<A cat <<-'B'\nFROM x\nA\n\ty\n\tB\n")]
    [('FROM x', 'y')]
    """
    mark = re.escape(directives(text).get("escape", "\\"))
    continued = re.compile(rf"(?<!{mark}){mark}[ \t]*$")
    lines, at, found = text.split("\n"), 0, []
    places = {strips: _places(lines, strips) for strips in (False, True)} if "<<" in text else {}
    while at < len(lines):
        line, at = lines[at].lstrip(), at + 1
        if not line or line.startswith("#"):
            continue
        # Comments and empty lines are never continued, and do not end a continued instruction.
        parts = [line]
        while continued.search(parts[-1]):
            parts[-1] = continued.sub("", parts[-1])
            while at < len(lines) and (not lines[at].strip() or lines[at].lstrip()[0] == "#"):
                at += 1
            parts.append(lines[at] if at < len(lines) else "")
            at += 1
        instruction = Instruction(*_parted("".join(parts)))
        documents, end = _documents(instruction, lines, at, places)
        found.append(instruction._replace(documents=documents))
        at = end
    return found


def _parted(line: str) -> tuple[str, str]:
    word, *rest = line.split(maxsplit=1) or [""]
    return word.upper(), rest[0].strip() if rest else ""


def _places(lines: list[str], strips_tabs: bool) -> Mapping[str, Sequence[int]]:
    """Return the numbers of lines that could end a here-document, in order."""
    found = defaultdict[str, list[int]](list)
    for number, line in enumerate(lines):
        found[line.lstrip("\t") if strips_tabs else line].append(number)
    return found


def _documents(
    instruction: Instruction,
    lines: list[str],
    at: int,
    places: Mapping[bool, Mapping[str, Sequence[int]]],
) -> tuple[tuple[str, ...], int]:
    """Return the here-documents after an instruction, and the number of the line after them.

    `places` are the numbers of lines by their text, with tabs before it and without.
    """
    documents = []
    for end_mark, strips_tabs in _ends(instruction.unwrapped()) if places else ():
        numbers = places[strips_tabs].get(end_mark, ())
        following = bisect_left(numbers, at)
        if following == len(numbers):
            break
        body = lines[at : numbers[following]]
        documents.append("\n".join(line.lstrip("\t") if strips_tabs else line for line in body))
        at = numbers[following] + 1
    return tuple(documents), at


def _ends(instruction: Instruction) -> Iterator[tuple[str, bool]]:
    """Yield the last lines of the here-documents that an instruction announces.

    With each, whether tabs before lines do not count.
    """
    if instruction.word not in _WITH_DOCUMENTS:
        return
    for word in _SHELL_WORD.findall(instruction.rest):
        if found := _DOCUMENT.fullmatch(word):
            try:
                names = words(found[2])
            except ValueError:
                continue
            if len(names) == 1:
                yield names[0], bool(found[1])
