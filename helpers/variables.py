"""Fills in a Dockerfile's variables as its builder does: pure.

https://docs.docker.com/reference/dockerfile/#environment-replacement
"""

import fnmatch
import re
from collections.abc import Mapping

_NAME = re.compile(r"\w+")
_CHANGED = re.compile(r"(:?[-+?]|##?|%%?|//?)(.*)", re.DOTALL)


def fill(text: str, known: Mapping[str, str]) -> str:
    """Return a text with its variables filled in; what is not known is empty.

    >>> fill("node:$V-${OS:-alpine}${X:+x}", {"V": "24", "OS": ""})
    'node:24-alpine'
    >>> fill("${A:-${B:-b}}c ${V%.*} ${V##*.} ${V/1./2.}", {"V": "1.2.3"})
    'bc 1.2 3 2.2.3'
    """
    told, at = [], 0
    while (begin := text.find("$", at)) >= 0:
        told.append(text[at:begin])
        if text.startswith("{", begin + 1):
            end = _closing(text, begin + 2)
            told.append(_braced(text[begin + 2 : end], known))
            at = end + 1
        elif found := _NAME.match(text, begin + 1):
            told.append(known.get(found[0], ""))
            at = found.end()
        else:
            told.append("$")
            at = begin + 1
    return "".join(told) + text[at:]


def used(text: str) -> list[str]:
    """Return the names of the variables in a text.

    >>> used("--platform=$A ${B:-${C}}")
    ['A', 'B', 'C']
    """
    return re.findall(r"\$\{?(\w+)", text)


def _closing(text: str, at: int) -> int:
    """Return where the brace is closed within which a place is."""
    depth = 1
    for found in re.compile(r"\$\{|\}").finditer(text, at):
        depth += 1 if found[0] == "${" else -1
        if not depth:
            return found.start()
    return len(text)


def _braced(text: str, known: Mapping[str, str]) -> str:
    named = _NAME.match(text)
    if not named:
        return ""
    value, is_known = known.get(named[0], ""), named[0] in known
    changed = _CHANGED.fullmatch(text, named.end())
    if not changed:
        return value
    how, word = changed[1], fill(changed[2], known)
    is_set = bool(value) if ":" in how else is_known
    match how[-1]:
        case "-":
            return value if is_set else word
        case "+":
            return word if is_set else ""
        case "#" | "%":
            return _cut(value, word, how)
        case "/":
            pattern, _, new = word.partition("/")
            form = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
            return re.sub(form, lambda _: new, value, count=len(how) % 2) if form else value
    return value


def _cut(value: str, pattern: str, how: str) -> str:
    """Return a value without what matches at its begin (`#`) or end (`%`), if doubled the most."""
    sizes = range(len(value) + 1)
    for size in reversed(sizes) if len(how) > 1 else sizes:
        rest = len(value) - size
        head, tail = (value[:size], value[size:]) if how[0] == "#" else (value[rest:], value[:rest])
        if fnmatch.fnmatchcase(head, pattern):
            return tail
    return value
