"""References to images, as users write them: `node:24`, `registry:5000/team/app@sha256:…`."""

import re
from typing import NamedTuple

_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<name>{_PART}(?::\d+(?=/))?(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?",
    re.IGNORECASE | re.ASCII,
)
"""Grammar: https://pkg.go.dev/github.com/distribution/reference; Docker checks the case."""

HUB = "docker.io"
_LOCAL = ("localhost", "127.0.0.1")


class Reference(NamedTuple):
    """A registry, a repository in it, and a tag, a digest or both."""

    host: str
    name: str
    tag: str
    digest: str

    @property
    def is_local(self) -> bool:
        """Return whether the registry is on this machine."""
        return is_local(self.host.partition(":")[0])

    @property
    def repository(self) -> str:
        """Return registry and repository as Docker writes them: those of Docker Hub are short."""
        if self.host == HUB:
            return self.name.removeprefix("library/")
        return f"{self.host}/{self.name}"


def is_local(host: str) -> bool:
    """Return whether a host (without port) is this machine."""
    return host in _LOCAL


def is_reference(text: str) -> bool:
    """Return whether a text is a valid reference."""
    return _REFERENCE.fullmatch(text) is not None


def parse(text: str) -> Reference:
    """Return the parts of a reference; without tag and digest the tag is `latest`.

    Raises `ValueError` for any other text.

    >>> parse("node")
    Reference(host='docker.io', name='library/node', tag='latest', digest='')
    >>> parse("node:24").tag
    '24'
    >>> parse("localhost:5000/a/b:1")
    Reference(host='localhost:5000', name='a/b', tag='1', digest='')
    """
    found = _REFERENCE.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:200]!r} is not an image reference")
    name, tag, digest = found["name"], found["tag"] or "", found["digest"] or ""
    host, slash, rest = name.partition("/")
    if not (slash and ("." in host or ":" in host or host == "localhost")):
        host, rest = HUB, name
    if rest != rest.lower():
        raise ValueError(f"{text[:200]!r}: image names are lower case")
    if host in (HUB, f"index.{HUB}"):
        host = HUB
        rest = rest if "/" in rest else f"library/{rest}"
    return Reference(host, rest, tag or ("" if digest else "latest"), digest)


def repository_of(text: str) -> str:
    """Return the repository of a reference; empty for file names and other texts.

    >>> repository_of("node:24"), repository_of("./node.tar"), repository_of("node.tar")
    ('node', '', '')
    """
    if text.endswith((".tar", ".tgz", ".gz", ".json")):
        return ""
    try:
        return parse(text).repository
    except ValueError:
        return ""


def digest_of(digests: list[str], artifact: str = "") -> str | None:
    """Return the digest of an image among `repository@digest`: its own repository's, or the first.

    >>> digest_of(["a@sha256:1" + 63 * "0", "b@sha256:2" + 63 * "0"], "b:1")[:8]
    'sha256:2'
    """
    pairs = [text.rpartition("@") for text in digests if "@" in text]
    own = repository_of(artifact)
    ours = [found for name, _, found in pairs if own and repository_of(name) == own]
    return next(iter([*ours, *(found for _, _, found in pairs)]), None)
