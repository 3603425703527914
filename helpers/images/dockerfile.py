"""What a Dockerfile says before it is built: its base images, and the builder that it needs."""

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
_COPY_FROM = re.compile(r"^\s*COPY\s+(?:--\S+\s+)*?--from=(\S+)", re.IGNORECASE | re.MULTILINE)
_ARG = re.compile(r"^\s*ARG\s+(\S.*)$", re.IGNORECASE | re.MULTILINE)
_ASSIGNMENT = re.compile(r"[A-Za-z_][\w.-]*(?:=|$)")
_VARIABLE = re.compile(r"\w+")
_BRACE = re.compile(r"\$\{|\}")
_OPERATOR = re.compile(r"(:?[-+?]|##?|%%?|//?)(.*)", re.DOTALL)


def needs_buildkit(text: str, arguments: Mapping[str, str] | None = None) -> str | None:
    r"""Return what in a Dockerfile only BuildKit understands, or `None`.

    An automatic argument counts unless it has a value, in `arguments` or before the first `FROM`.

    >>> needs_buildkit("FROM a\nRUN --mount=type=cache,target=/x npm install\n")
    'RUN --mount'
    >>> needs_buildkit("FROM a\nRUN echo --mount of <<olives\n") is None
    True
    """
    if "syntax" in _directives(text):
        return "a line `# syntax=`"
    instructions = _instructions(text)
    known = _global_arguments(instructions, arguments or {}) | dict(arguments or {})
    for line in instructions.splitlines():
        word, _, rest = line.strip().partition(" ")
        word = word.upper()
        if automatic := _automatic(word, rest, known):
            return f"the automatic argument {automatic}"
        if word not in _ONLY_BUILDKIT:
            continue
        options = re.match(r"\s*(--\S+\s+)*", rest)[0]  # type: ignore[index]
        for name in re.findall(r"--([\w-]+)", options):
            if name in _ONLY_BUILDKIT[word]:
                return f"{word} --{name}"
        if word == "ADD" and any(map(_GIT.match, _sources(rest[len(options) :]))):
            return "ADD of a Git repository"
        ends = re.findall(r"(?:^|\s)<<-?[\"']?(\w+)", rest)
        if any(re.search(rf"^\s*{end}\s*$", text, re.MULTILINE) for end in ends):
            return f"a here-document after {word}"
    return None


def assigned(rest: str, word: str = "ENV") -> list[tuple[str, str | None]]:
    """Return the names and values in an ENV, ARG or LABEL instruction, given without its word.

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
    pairs = [word.partition("=") for word in words if _ASSIGNMENT.match(word)]
    return [
        (name, value if equals else None) for name, equals, value in pairs if equals or is_argument
    ]


def final_base(text: str, target: str = "", arguments: Mapping[str, str] | None = None) -> str:
    r"""Return the base image of a Dockerfile's final stage, or of stage `target`; empty for none.

    A stage on another stage has that stage's base.

    >>> final_base("FROM node:8 as build\nFROM distroless/nodejs\nCOPY --from=build a b\n")
    'distroless/nodejs'
    >>> final_base("ARG V=1\nFROM x:$V AS a\nFROM a", arguments={"V": "2"})
    'x:2'
    """
    bases: dict[str, str] = {}
    base = ""
    for image, name in _stages(text, target, arguments):
        base = bases[name.lower()] = bases.get(image.lower(), image)
    return base


def images(text: str, target: str = "", arguments: Mapping[str, str] | None = None) -> set[str]:
    r"""Return the images that a Dockerfile is built on or copies from, up to stage `target`.

    >>> sorted(images("FROM a AS b\nFROM c:1\nCOPY --from=b x x\nCOPY --from=d x x\nFROM b"))
    ['a', 'c:1', 'd']
    """
    bases, stages = set(), set()
    for image, name in _stages(text, target, arguments):
        if image.lower() not in stages:
            bases.add(image)
        stages.add(name.lower())
    copied = _COPY_FROM.findall(_instructions(text))
    return bases | {n for n in copied if not n.isdecimal() and n.lower() not in stages}


def first_base(text: str, arguments: Mapping[str, str] | None = None) -> str:
    r"""Return the base image of a Dockerfile's first stage; empty if there is none.

    >>> first_base("ARG V=1\nFROM node:$V as build\nFROM distroless/nodejs", {"V": "8"})
    'node:8'
    """
    return next((image for image, _ in _stages(text, "", arguments)), "")


def fill(text: str, known: Mapping[str, str]) -> str:
    """Return a text with its variables filled in; unknown ones are empty.

    >>> fill("node:$V-${OS:-alpine}${X:+x}", {"V": "24", "OS": ""})
    'node:24-alpine'
    >>> fill("${A:-${B:-b}}c ${V%.*} ${V##*.} ${V/1./2.}", {"V": "1.2.3"})
    'bc 1.2 3 2.2.3'
    """
    parts, at = [], 0
    while (begin := text.find("$", at)) >= 0:
        parts.append(text[at:begin])
        if text.startswith("{", begin + 1):
            end = _closing_brace(text, begin + 2)
            parts.append(_braced(text[begin + 2 : end], known))
            at = end + 1
        elif found := _VARIABLE.match(text, begin + 1):
            parts.append(known.get(found[0], ""))
            at = found.end()
        else:
            parts.append("$")
            at = begin + 1
    return "".join(parts) + text[at:]


def _directives(text: str) -> dict[str, str]:
    """Return the directives at the start of a Dockerfile; the first other line ends them.

    https://docs.docker.com/reference/dockerfile/#parser-directives
    """
    lines = (_DIRECTIVE.fullmatch(line.strip()) for line in text.split("\n"))
    return {found[1].lower(): found[2] for found in takewhile(bool, lines) if found}


def _instructions(text: str) -> str:
    r"""Return a Dockerfile without comments, each instruction in one line.

    >>> _instructions("# escape=`\nRUN a `\n  # here\n  b\\c\nUSER x")
    'RUN a    b\\c\nUSER x'
    """
    mark = re.escape(_directives(text).get("escape", "\\"))
    # Comments are never continued, and do not end a continued instruction.
    text = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    return re.sub(rf"(?<!{mark}){mark}[ \t]*\n", " ", text)


def _stages(
    text: str, target: str, arguments: Mapping[str, str] | None
) -> Iterator[tuple[str, str]]:
    """Yield the image and the name, or nothing, of each stage up to `target`."""
    text = _instructions(text)
    known = _global_arguments(text, arguments or {})
    for image, name in _FROM.findall(text):
        yield fill(image.strip("\"'"), known), name
        if target and name.lower() == target.lower():
            return


def _global_arguments(instructions: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments before the first `FROM` that have a value, given or by default."""
    first = _FROM.search(instructions)
    known: dict[str, str] = {}
    for rest in _ARG.findall(instructions[: first.start()] if first else ""):
        for name, value in assigned(rest, "ARG"):
            if name in given:
                known[name] = given[name]
            elif value is not None:
                known[name] = fill(value, known)
    return known


def _sources(rest: str) -> list[str]:
    """Return the sources of a COPY or ADD: all words, or strings of a JSON list, but the last.

    >>> _sources("a b /c"), _sources('["a b", "/c"]')
    (['a', 'b'], ['a b'])
    """
    try:
        return msgspec.json.decode(rest, type=list[str])[:-1]
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return rest.split()[:-1]


def _automatic(word: str, rest: str, known: Collection[str]) -> str | None:
    """Return the automatic argument that a FROM uses or an ARG declares, unless it is `known`."""
    names: list[str] = re.findall(r"\$\{?(\w+)", rest) if word == "FROM" else []
    if word == "ARG":
        names = [name for name, value in assigned(rest, word) if value is None]
    return next((n for n in names if _AUTOMATIC.fullmatch(n) and n not in known), None)


def _closing_brace(text: str, at: int) -> int:
    """Return the position of the brace that closes the one before a position."""
    depth = 1
    for found in _BRACE.finditer(text, at):
        depth += 1 if found[0] == "${" else -1
        if not depth:
            return found.start()
    return len(text)


def _braced(text: str, known: Mapping[str, str]) -> str:
    """Return the value of the inside of `${…}`."""
    variable = _VARIABLE.match(text)
    if not variable:
        return ""
    value = known.get(variable[0], "")
    changed = _OPERATOR.fullmatch(text, variable.end())
    if not changed:
        return value
    operator, word = changed[1], fill(changed[2], known)
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
            form = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
            return re.sub(form, lambda _: new, value, count=len(operator) % 2) if form else value
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
