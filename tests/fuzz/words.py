"""What studies and lists from elsewhere say: Dockerfiles, and references of images."""

import re
from pathlib import Path
from random import Random

from helpers.images import dockerfile, instructions, oci, reference
from helpers.studies import variant_names
from tests.fuzz import mutations
from tests.fuzz.kind import Kind, same

_DOCKERFILE = """# syntax=docker/dockerfile:1.9
ARG NODE=24 OTHER
FROM --platform=$BUILDPLATFORM node:${NODE:-22}-alpine AS build
RUN --mount=type=secret,id=x,required --mount=from=busybox:1,target=/b \\
  npm ci && \\
  # a comment
  true
COPY --from=build --link . .
COPY <<EOF /etc/x
hello ${NODE%.*} ${OTHER##*/}
EOF
ADD https://example.org/a.git#v1 /src
ONBUILD RUN echo $TARGETARCH
FROM "build"
ENTRYPOINT ["node", "a.js"]
"""


def _check_dockerfile(path: Path, random: Random) -> None:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    arguments = random.choice(({}, {"NODE": "24.19.0", "OTHER": "a/b*[c"}, {"TARGETARCH": "arm64"}))
    filled = random.choice(({}, dockerfile.automatic("linux/amd64", "linux/arm/v7")))
    target = random.choice(("", "build"))
    dockerfile.needs_buildkit(text, arguments)
    dockerfile.frontend(text, random.choice(("26.1.5", "", "x", "999")))
    dockerfile.required_secret(text)
    to_target = dockerfile.stages(text, target, arguments, filled)
    dockerfile.images(to_target)
    dockerfile.final_base(to_target)
    instructions.without_directive(text, "syntax")
    found = dockerfile.stages(text, "", arguments, filled)
    is_plain = all(
        mark not in text for mark in ("\\", "`", "<<", "\r", "\x0b", "\x0c", "\x1c", "\x85")
    )
    if is_plain and "\u2028" not in text:
        lines = [line.strip().upper() for line in text.split("\n")]
        same("stages", len(found), sum(line.split()[:1] == ["FROM"] for line in lines))


_REFERENCES = (
    "node:24",
    "registry.example:5000/team/app:1@sha256:" + "a" * 64,
    "docker.io/library/node",
    "localhost:5000/a/b__c-d.e",
    "linux/arm64/v8",
)
_PART = re.compile(r"[a-z0-9._-]+", re.ASCII)


def _check_reference(path: Path, random: Random) -> None:
    text = path.read_bytes().decode(errors="surrogateescape")
    names = variant_names.of_reference(text) if reference.is_reference(text) else []
    same("names of variants", [name for name in names if not name.isprintable()], [])
    try:
        oci.parse(text)
    except ValueError as error:
        same("a message", str(error).isprintable(), True)
    try:
        found = reference.parse(text)
    except ValueError as error:
        same("a message", str(error).isprintable() and len(str(error)) < 2_400, True)
        return
    written = f"{found.host}/{found.name}"
    written += f":{found.tag}" * bool(found.tag) + f"@{found.digest}" * bool(found.digest)
    same("read again", reference.parse(written), found)
    same("parts", all(_PART.fullmatch(part) for part in found.name.split("/")), True)


KINDS = {
    "dockerfile": Kind(
        lambda random: mutations.of_lines(random, [_DOCKERFILE]), _check_dockerfile, "Dockerfile"
    ),
    "reference": Kind(
        lambda random: mutations.of_lines(random, _REFERENCES, 2), _check_reference, told=""
    ),
}
