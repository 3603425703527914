"""Reads of a Dockerfile what has to be known before it is built: pure."""

import fnmatch
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from itertools import takewhile

import msgspec

_ONLY_BUILDKIT = {
    "RUN": {"mount", "network", "security", "device"},
    "COPY": {"link", "chmod", "parents", "exclude"},
    "ADD": {"link", "chmod", "checksum", "keep-git-dir", "exclude", "unpack"},
}
"""Options that only BuildKit understands: https://docs.docker.com/reference/dockerfile/"""

_AUTOMATIC = re.compile(r"(?:TARGET|BUILD)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)")
"""Arguments that BuildKit fills in and the classic builder leaves empty:
https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope"""

_GIT = re.compile(
    r"(?:git|ssh)://|[\w-]+@[\w.-]+:|https?://[^?#]+\.git(?:[?#]|$)", re.IGNORECASE | re.ASCII
)
"""Git repositories, whose address the classic builder would download as a file:
https://docs.docker.com/reference/dockerfile/#adding-files-from-a-git-repository"""

_DIRECTIVE = re.compile(r"#\s*([a-z]\w*)\s*=\s*(\S.*)", re.IGNORECASE)
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)
_COPIED = re.compile(r"^\s*COPY\s+(?:--\S+\s+)*?--from=(\S+)", re.IGNORECASE | re.MULTILINE)
_ARG = re.compile(r"^\s*ARG\s+(\S.*)$", re.IGNORECASE | re.MULTILINE)
_NAMED = re.compile(r"[A-Za-z_][\w.-]*(?:=|$)")


def needs_buildkit(text: str, arguments: Mapping[str, str] | None = None) -> str | None:
    r"""Return what in a Dockerfile only BuildKit understands, or `None`.

    Automatic arguments are none that have a value here, or before the first `FROM`.

    >>> needs_buildkit("FROM a\nRUN --mount=type=cache,target=/x npm install\n")
    'RUN --mount'
    >>> needs_buildkit("FROM a\nRUN echo --mount of <<olives\n") is None
    True
    """
    if "syntax" in _directives(text):
        return "a line `# syntax=`"
    given = arguments or {}
    known = {**_global(_joined(text), given), **given}
    for line in _joined(text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if automatic := _automatic(word.upper(), rest, known):
            return f"the automatic argument {automatic}"
        options = _ONLY_BUILDKIT.get(word.upper())
        if options is None:
            continue
        options_given = re.match(r"\s*(--\S+\s+)*", rest)[0]  # type: ignore[index]
        for name in re.findall(r"--([\w-]+)", options_given):
            if name in options:
                return f"{word.upper()} --{name}"
        if word.upper() == "ADD" and any(map(_GIT.match, _sources(rest[len(options_given) :]))):
            return "ADD of a Git repository"
        ends = re.findall(r"(?:^|\s)<<-?[\"']?(\w+)", rest)
        if any(re.search(rf"^\s*{end}\s*$", text, re.MULTILINE) for end in ends):
            return f"a here-document after {word.upper()}"
    return None


def assigned(rest: str, word: str = "ENV") -> list[tuple[str, str | None]]:
    """Return the names and values that an ENV, ARG or LABEL instruction assigns.

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
        words = shlex.split(rest)
    except ValueError:
        words = [rest]
    pairs = [word.partition("=") for word in words if _NAMED.match(word)]
    return [
        (name, value if equals else None) for name, equals, value in pairs if equals or is_argument
    ]


def final_base(text: str, target: str = "", arguments: Mapping[str, str] | None = None) -> str:
    r"""Return what the final stage of a Dockerfile, or `target`, is built on.

    Arguments that stand before the first `FROM` are filled in. A stage on another stage leads on to
    that one's base; empty if there is none.

    >>> final_base("FROM node:8 as build\nFROM distroless/nodejs\nCOPY --from=build a b\n")
    'distroless/nodejs'
    >>> final_base("ARG V=1\nFROM x:$V AS a\nFROM a", arguments={"V": "2"})
    'x:2'
    """
    stages: dict[str, str] = {}
    base = ""
    for image, name in _stages(text, arguments or {}):
        base = stages.get(image.lower(), image)
        stages[name.lower()] = base
        if target and name.lower() == target.lower():
            break
    return base


def images(text: str, target: str = "", arguments: Mapping[str, str] | None = None) -> set[str]:
    r"""Return the images that a Dockerfile is built on or copies from, up to stage `target`.

    >>> sorted(images("FROM a AS b\nFROM c:1\nCOPY --from=b x x\nCOPY --from=d x x\nFROM b"))
    ['a', 'c:1', 'd']
    """
    copied = {match for match in _COPIED.findall(_joined(text)) if not match.isdecimal()}
    found, stages = set(), set()
    for image, name in _stages(text, arguments or {}):
        if image.lower() not in stages:
            found.add(image)
        stages.add(name.lower())
        if target and name.lower() == target.lower():
            break
    return found | {name for name in copied if name.lower() not in stages}


def first_base(text: str, arguments: Mapping[str, str] | None = None) -> str:
    r"""Return what the first stage of a Dockerfile is built on; empty if there is none.

    >>> first_base("ARG V=1\nFROM node:$V as build\nFROM distroless/nodejs", {"V": "8"})
    'node:8'
    """
    return next((image for image, _ in _stages(text, arguments or {})), "")


def _directives(text: str) -> dict[str, str]:
    """Return the directives that a Dockerfile begins with; the first other line ends them.

    https://docs.docker.com/reference/dockerfile/#parser-directives
    """
    lines = (_DIRECTIVE.fullmatch(line.strip()) for line in text.split("\n"))
    return {found[1].lower(): found[2] for found in takewhile(bool, lines) if found}


def _joined(text: str) -> str:
    r"""Return a Dockerfile's instructions, each in one line.

    >>> _joined("# escape=`\nRUN a `\n  # here\n  b\\c\nUSER x")
    'RUN a    b\\c\nUSER x'
    """
    mark = re.escape(_directives(text).get("escape", "\\"))
    # A comment is never continued, and within an instruction it is no part of that.
    text = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    return re.sub(rf"(?<!{mark}){mark}[ \t]*\n", " ", text)


def _stages(text: str, arguments: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield of each stage what it is from, with arguments filled in, and its name or nothing."""
    text = _joined(text)
    known = _global(text, arguments)
    for image, name in _FROM.findall(text):
        yield fill(image.strip("\"'"), known), name


def _global(text: str, arguments: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments that have a value before the first `FROM`, given or their own."""
    first = _FROM.search(text)
    known: dict[str, str] = {}
    for rest in _ARG.findall(text[: first.start()] if first else ""):
        for name, value in assigned(rest, "ARG"):
            told = arguments.get(name, None if value is None else fill(value, known))
            if told is not None:
                known[name] = told
    return known


def _sources(rest: str) -> list[str]:
    """Return what an instruction copies, which are all words, or all of a JSON list, but the last.

    >>> _sources("a b /c"), _sources('["a b", "/c"]')
    (['a', 'b'], ['a b'])
    """
    try:
        return msgspec.json.decode(rest, type=list[str])[:-1]
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return rest.split()[:-1]


def _automatic(word: str, rest: str, known: Collection[str]) -> str | None:
    """Return the automatic argument that an instruction declares or, in a FROM, uses.

    It is none if it is `known`.
    """
    names = used(rest) if word == "FROM" else []
    if word == "ARG":
        names = [name for name, value in assigned(rest, word) if value is None]
    return next((n for n in names if _AUTOMATIC.fullmatch(n) and n not in known), None)


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
