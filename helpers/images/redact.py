"""Remove secrets from the text of images and builds.

Secrets are values of environment variables and build arguments, and texts that look like them.
"""

import re
from collections.abc import Collection, Container, Iterable, Sized

from helpers.images.variables import assigned

HIDDEN = "…"

MAX_LETTERS = 2**32
"""Maximum letters to search: those of all texts, once for each value."""

_BEGIN = 200
"""Cost of starting a text, in letters."""

_SECRET_LENGTH = 8
"""Shorter values are not searched for: any text may contain them."""

_INSTRUCTION = re.compile(
    r"^(?P<before>(?:\S*sh -c #\(nop\)\s+|Step \d+/\d+ :\s+|\s*)"
    r"(?:ONBUILD\s+)?(?P<word>ENV|ARG|LABEL)\s+)(?P<rest>\S.*)$",
    re.DOTALL | re.IGNORECASE,
)
_ARGUMENTS = re.compile(
    r"(?P<count>\|\d+) (?P<name>[A-Za-z_][\w.-]*)=(?:.*(?= /\S*sh -\w*c\b)|.*$)", re.DOTALL
)

_NAME = (
    r"(?:passw(?:or)?d|passphrase|(?<![a-z])pass|pwd|secret|token|credential|_auth|authorization|"
    r"(?:api|access|account|auth|encryption|private)[_-]?key)s?(?![a-z])[\w.-]{0,40}"
)
_VALUE = (
    r"""(?:(?:basic|bearer|token)\s{1,4})?(?P<value>\\?"[^"\\]*|'[^']*|[^\s"'`;&|<>(){},\\]+)"""
)
_LITERALS = (
    # PASSWORD=x, 'Authorization: Bearer x'
    re.compile(rf"""{_NAME}(?:=|["']?\s{{0,4}}:\s{{0,4}}|\s=\s){_VALUE}""", re.IGNORECASE),
    # --password x, "--password", "x", :_authToken x
    re.compile(
        rf"""(?:(?<![\w-])--(?!no-|disabled?-|without-|allow-)|:_)[\w-]{{0,20}}?{_NAME}"""
        rf"""["']?[\s,]{{1,4}}{_VALUE}""",
        re.IGNORECASE,
    ),
    # https://user:x@host, https://x@host
    re.compile(r"""://[^\s/@:"']{0,100}:(?P<value>[^\s/@"']{1,500})@"""),
    re.compile(r"://(?P<value>[\w-]{20,200})@"),
    # curl -u user:x
    re.compile(
        r"""\bcurl\s[^|;&]{0,200}?(?:-u|--user)[=\s]{0,4}["']?[^\s:"']{1,100}:(?P<value>[^\s"']+)"""
    ),
    # echo user:x | chpasswd
    re.compile(r""":(?P<value>[^\s:"'|]{1,200})["']?\s{0,4}\|\s{0,4}\S{0,20}\bchpasswd\b"""),
    # Tokens of some services: https://docs.github.com/en/code-security/secret-scanning
    re.compile(
        r"(?<![\w-])(?P<value>gh[opsur]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{18,}|npm_\w{30,}"
        r"|xox[a-z]-[\w-]{10,}|A[KS]IA[A-Z0-9]{16}|AIza[\w-]{30,}|[rs]k_live_\w{16,}"
        r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+)"
    ),
    re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----\s{0,4}(?P<value>[^-]+)"),
)
"""Where an instruction may contain a secret: the group `value`."""

_NO_SECRET = re.compile(
    r"""[\\"']*(?:[$/%…-]|id=|(?:true|false|yes|no|none|null|[01]|v?\d+[.:]\d[\w.+~:-]*)?$)""",
    re.IGNORECASE,
)
"""Not secrets: variables, paths, options, switches, package versions and nothing."""


def names(environment: Iterable[str] | None) -> list[str]:
    """Return the names of environment variables.

    >>> names(["PATH=/bin", "TOKEN=s3cret=x"])
    ['PATH', 'TOKEN']
    """
    return [text.partition("=")[0] for text in environment or []]


def values(environment: Iterable[str] | None, file_paths: Container[str] = ()) -> list[str]:
    """Return the values of environment variables to search for, the longest first.

    Each line of a value is searched for separately. Paths of the image's files (`file_paths`) are
    not secrets, so start commands stay readable.
    """
    lines = {
        line.strip()
        for text in environment or []
        for line in (text.partition("=")[2], *text.partition("=")[2].splitlines())
    }
    secrets = (v for v in lines if len(v) >= _SECRET_LENGTH and v.rstrip("/") not in file_paths)
    return sorted(secrets, key=len, reverse=True)


def instruction(
    text: str, secrets: Iterable[str] = (), known: Collection[str] | None = None
) -> str:
    """Return an instruction of a Dockerfile or an image's history without values.

    History has no quotes, so part of a value may look like a name: only names in `known` are kept
    there, and only the first build argument.

    >>> instruction("/bin/sh -c #(nop)  ENV TOKEN=s3cret A=b")
    '/bin/sh -c #(nop)  ENV TOKEN A'
    >>> instruction("|2 TOKEN=a b URL=x /bin/sh -c npm install")
    '|2 TOKEN … /bin/sh -c npm install'
    >>> instruction("ENV TOKEN s3cret")
    'ENV TOKEN'
    >>> instruction("ENV A=hello B=x", known=["A"])
    'ENV A'
    """
    # The arguments' values come before a shell and may contain another: the last one counts.
    text = _ARGUMENTS.sub(rf"\g<count> \g<name> {HIDDEN}", text)
    if found := _INSTRUCTION.match(text):
        assigned_names = [name for name, _ in assigned(found["rest"], found["word"])]
        # A label's name is not in `known`: the first name is always kept.
        kept = [n for n in assigned_names if known is None or n in known] or assigned_names[:1]
        text = found["before"] + " ".join(kept)
    return prose(text, secrets)


def problem(secrets: Sized, texts: Iterable[str]) -> str:
    """Return why texts cannot be searched for so many values; empty if they can."""
    letters = len(secrets) * sum(len(text) + _BEGIN for text in texts)
    if letters <= MAX_LETTERS:
        return ""
    return (
        f"{len(secrets):,} values of environment variables and so long a history that more than "
        f"{MAX_LETTERS:,} letters would be looked through to hide them"
    )


def prose(text: str, secrets: Iterable[str]) -> str:
    """Return a text without secrets and without what looks like one.

    >>> prose("curl -H 'X-Token: 9f8e' https://me:pw@example.com && echo $TOKEN abc", ["abc"])
    "curl -H 'X-Token: …' https://me:…@example.com && echo $TOKEN …"
    """
    # One may be the start of another.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for literal in _LITERALS:
        text = literal.sub(_hidden, text)
    return text


def _hidden(found: re.Match[str]) -> str:
    """Return a match without its value, if that may be a secret."""
    if _NO_SECRET.match(found["value"]):
        return found[0]
    kept = len(found["value"]) - len(found["value"].lstrip("\\\"'"))
    begin, end = (at - found.start() for at in found.span("value"))
    return found[0][: begin + kept] + HIDDEN + found[0][end:]
