"""Variables of a Dockerfile: their assignments, and text with their values filled in."""

import fnmatch
import re
import shlex
from collections.abc import Mapping

_ASSIGNMENT = re.compile(r"[A-Za-z_][\w.-]*(?:=|$)")
_VARIABLE = re.compile(r"\w+")
_BRACE = re.compile(r"\$\{|\}")

MAX_WORDS = 2**14
"""Maximum letters of a text to split into words; the time grows with their square."""

MAX_FILLED = 1024
"""Maximum letters of a filled-in text; image names are shorter."""

_DEEPEST = 20
"""Maximum nesting of variables."""

_OPERATOR = re.compile(r"(:?[-+?]|##?|%%?|//?)(.*)", re.DOTALL)


def assigned(rest: str, word: str = "ENV") -> list[tuple[str, str | None]]:
    """Return the names and values of an ENV, ARG or LABEL instruction, given without its keyword.

    An argument without a value has `None`.

    >>> assigned('A=1 KEY="ssh-rsa AAAA== me"')
    [('A', '1'), ('KEY', 'ssh-rsa AAAA== me')]
    >>> assigned("TOKEN s3cret and more")
    [('TOKEN', 's3cret and more')]
    >>> assigned("A B=2", "ARG")
    [('A', None), ('B', '2')]
    """
    is_argument = word.upper() == "ARG"
    name, blank, value = rest.strip().partition(" ")
    if "=" not in name and not is_argument:
        return [(name, value.strip())] if blank or name else []
    try:
        found = words(rest)
    except ValueError:
        found = [rest]
    pairs = [word.partition("=") for word in found if _ASSIGNMENT.match(word)]
    return [
        (name, value if equals else None) for name, equals, value in pairs if equals or is_argument
    ]


def words(text: str) -> list[str]:
    """Return the words of a shell's text.

    Raises `ValueError` for an unclosed quote and for a text that is too long.
    """
    if len(text) > MAX_WORDS:
        raise ValueError(f"more than {MAX_WORDS:,} letters")
    return shlex.split(text)


def fill(text: str, known: Mapping[str, str], depth: int = 0) -> str:
    """Return a text with its variables filled in; unknown ones are empty.

    The text is cut after `MAX_FILLED` letters, and so are variables nested too deep.

    >>> fill("node:$V-${OS:-alpine}${X:+x}", {"V": "24", "OS": ""})
    'node:24-alpine'
    >>> fill("${A:-${B:-b}}c ${V%.*} ${V##*.} ${V/1./2.}", {"V": "1.2.3"})
    'bc 1.2 3 2.2.3'
    """
    if depth > _DEEPEST:
        return ""
    literals, variables = _split(text)
    filled = ""
    for literal, variable in zip(literals, [*variables, ""], strict=True):
        filled += literal + (_braced(variable, known, depth) if variable else "")
        if len(filled) > MAX_FILLED:
            break
    return filled[:MAX_FILLED]


def could_be(text: str, template: str) -> bool:
    """Return whether a text could be a template with its variables filled in.

    >>> could_be("echo a-b c", "echo $A-${B} c"), could_be("echo c", "echo $A-${B} c")
    (True, False)
    """
    (first, *others), _ = _split(template)
    if not others:
        return text == first
    last = others.pop()
    if not text.startswith(first):
        return False
    at = len(first)
    for literal in others:
        found = text.find(literal, at)
        if found < 0:
            return False
        at = found + len(literal)
    return len(text) - len(last) >= at and text.endswith(last)


def _split(text: str) -> tuple[list[str], list[str]]:
    """Return the text around the variables of a text, and the variables as inside `${...}`."""
    literals, variables, at, begin = [""], [], 0, -1
    while (begin := text.find("$", begin + 1)) >= 0:
        if text.startswith("{", begin + 1):
            end = _closing_brace(text, begin + 2)
            inside, after = text[begin + 2 : end], end + 1
        elif found := _VARIABLE.match(text, begin + 1):
            inside, after = found[0], found.end()
        else:
            continue
        literals[-1] += text[at:begin]
        literals.append("")
        variables.append(inside)
        at, begin = after, after - 1
    literals[-1] += text[at:]
    return literals, variables


def _closing_brace(text: str, at: int) -> int:
    """Return the position of the brace that closes the brace before a position."""
    depth = 1
    for found in _BRACE.finditer(text, at):
        depth += 1 if found[0] == "${" else -1
        if not depth:
            return found.start()
    return len(text)


def _braced(text: str, known: Mapping[str, str], depth: int) -> str:
    """Return the value of the inside of `${…}`."""
    variable = _VARIABLE.match(text)
    if not variable:
        return ""
    value = known.get(variable[0], "")
    changed = _OPERATOR.fullmatch(text, variable.end())
    if not changed:
        return value
    operator, word = changed[1], fill(changed[2], known, depth + 1)
    is_set = bool(value) if ":" in operator else variable[0] in known
    match operator[-1]:
        case "-":
            return value if is_set else word
        case "+":
            return word if is_set else ""
        case "#" | "%":
            return _cut(value, word, operator)
        case "/":
            pattern, _, new = word.partition("/")
            # As in `fnmatch`, anywhere in the value.
            form = fnmatch.translate(pattern)[:-2] if pattern else "(?!)"
            return re.sub(form, lambda _: new, value, count=len(operator) % 2)
    return value


def _cut(value: str, pattern: str, operator: str) -> str:
    """Return a value without the match at its start (`#`) or end (`%`), the longest if doubled."""
    sizes = range(len(value) + 1)
    for size in reversed(sizes) if len(operator) > 1 else sizes:
        rest = len(value) - size
        start = operator[0] == "#"
        head, tail = (value[:size], value[size:]) if start else (value[rest:], value[:rest])
        if fnmatch.fnmatchcase(head, pattern):
            return tail
    return value
