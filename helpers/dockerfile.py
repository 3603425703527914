"""Reads of a Dockerfile what has to be known before it is built: pure."""

import re
from collections.abc import Iterator, Mapping

_ONLY_BUILDKIT = {
    "RUN": {"mount", "network", "security", "device"},
    "COPY": {"link", "chmod", "parents", "exclude"},
    "ADD": {"link", "chmod", "checksum", "keep-git-dir", "exclude", "unpack"},
}
"""Options that only BuildKit understands: https://docs.docker.com/reference/dockerfile/"""

_PLATFORM = re.compile(
    r"^\s*ARG\s+((?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT))\s*$|\$\{?(BUILDPLATFORM|TARGETPLATFORM)\b",
    re.MULTILINE,
)
"""Arguments that BuildKit fills in and the classic builder leaves empty."""

_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE | re.MULTILINE)


def needs_buildkit(text: str) -> str | None:
    r"""Return what in a Dockerfile only BuildKit understands, or `None`.

    >>> needs_buildkit("FROM a\nRUN --mount=type=cache,target=/x npm install\n")
    'RUN --mount'
    >>> needs_buildkit("FROM a\nRUN echo --mount of <<olives\n") is None
    True
    """
    if re.match(r"\s*#\s*syntax\s*=", text, re.IGNORECASE):
        return "a line `# syntax=`"
    if found := _PLATFORM.search(text):
        return f"the automatic argument {found[1] or found[2]}"
    for line in re.sub(r"\\[ \t]*\n", " ", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        options = _ONLY_BUILDKIT.get(word.upper())
        if options is None:
            continue
        for name in re.findall(r"--([\w-]+)", re.match(r"\s*(--\S+\s+)*", rest)[0]):  # type: ignore[index]
            if name in options:
                return f"{word.upper()} --{name}"
        ends = re.findall(r"(?:^|\s)<<-?[\"']?(\w+)", rest)
        if any(re.search(rf"^\s*{end}\s*$", text, re.MULTILINE) for end in ends):
            return f"a here-document after {word.upper()}"
    return None


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


def first_base(text: str, arguments: Mapping[str, str] | None = None) -> str:
    r"""Return what the first stage of a Dockerfile is built on; empty if there is none.

    >>> first_base("ARG V=1\nFROM node:$V as build\nFROM distroless/nodejs", {"V": "8"})
    'node:8'
    """
    return next((image for image, _ in _stages(text, arguments or {})), "")


def _stages(text: str, arguments: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield of each stage what it is from, with arguments filled in, and its name or nothing."""
    text = re.sub(r"\\[ \t]*\n", " ", text)
    first = _FROM.search(text)
    before = text[: first.start()] if first else ""
    known: dict[str, str] = dict(
        re.findall(r"^\s*ARG\s+(\w+)=[\"']?([^\s\"']*)", before, re.IGNORECASE | re.MULTILINE)
    )
    known |= arguments
    for image, name in _FROM.findall(text):
        filled = re.sub(
            r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))",
            lambda found: known.get(found[1] or found[3], found[2] or ""),
            image,
        )
        yield filled, name
