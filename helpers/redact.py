"""Takes the values of environment variables and build arguments out of evidence: names stay."""

import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "…"

_SECRET_LENGTH = 8
"""Values shorter than this are not looked for in other text: they would be found in anything."""

_INSTRUCTION = re.compile(
    r"^(?P<before>(?:\S*sh -c #\(nop\)\s+|Step \d+/\d+ :\s+|\s*)(?:ENV|ARG)\s+)(?P<rest>\S.*)$",
    re.DOTALL,
)
_ASSIGNED = re.compile(r"(?:^|\s)([A-Za-z_][A-Za-z0-9_]*)=")
_ARGUMENTS = re.compile(r"\|\d+ (?P<given>.*?)(?= /\S*sh -\w*c\b|$)", re.DOTALL)


def names(environment: Iterable[str] | None) -> list[str]:
    """Return the names of environment variables.

    >>> names(["PATH=/bin", "TOKEN=s3cret=x"])
    ['PATH', 'TOKEN']
    """
    return [text.partition("=")[0] for text in environment or []]


def values(environment: Iterable[str] | None) -> list[str]:
    """Return the values of environment variables that are long enough to be looked for."""
    found = (text.partition("=")[2] for text in environment or [])
    return sorted({value for value in found if len(value) >= _SECRET_LENGTH}, key=len, reverse=True)


def instruction(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a Dockerfile's instruction, or what an image's history keeps of it, without values.

    >>> instruction("/bin/sh -c #(nop)  ENV TOKEN=s3cret A=b c")
    '/bin/sh -c #(nop)  ENV TOKEN A'
    >>> instruction("|2 TOKEN=a b URL=x /bin/sh -c npm install")
    '|2 TOKEN URL /bin/sh -c npm install'
    >>> instruction("ENV TOKEN s3cret")
    'ENV TOKEN'
    """
    text = _ARGUMENTS.sub(_arguments, text)
    found = _INSTRUCTION.match(text)
    if found:
        assigned = _ASSIGNED.findall(found["rest"]) or found["rest"].split()[:1]
        text = found["before"] + " ".join(assigned)
    return prose(text, secrets)


def prose(text: str, secrets: Iterable[str]) -> str:
    """Return any text without the values in it."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def report(decoded: Any) -> Any:
    """Return a Trivy report without the image's environment values, also those in its history."""
    config = _dig(decoded, "Metadata", "ImageConfig")
    environment = _dig(config, "config", "Env")
    secrets = values(environment if isinstance(environment, list) else [])
    return _walk(decoded, secrets)


def _walk(node: Any, secrets: list[str], key: str = "", of_image: bool = False) -> Any:
    match node:
        case dict():
            inside = of_image or key == "ImageConfig"
            return {name: _walk(value, secrets, name, inside) for name, value in node.items()}
        case list() if key == "Env":
            return names(text for text in node if isinstance(text, str))
        case list():
            return [_walk(value, secrets, key, of_image) for value in node]
        case str() if key in ("created_by", "CreatedBy"):
            return instruction(node, secrets)
        case str() if of_image:
            return prose(node, secrets)
    return node


def _dig(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _arguments(found: re.Match[str]) -> str:
    return f"{found[0].partition(' ')[0]} {' '.join(_ASSIGNED.findall(found['given']))}"
