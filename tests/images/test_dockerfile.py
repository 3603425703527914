"""What a Dockerfile says before it is built."""

import pytest

from helpers import paths
from helpers.images.dockerfile import final_base, first_base, images, needs_buildkit
from helpers.studies.study import names, open_study


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("# syntax=docker/dockerfile:1\nFROM a", "a line `# syntax=`"),
        ("FROM a\nRUN --mount=type=cache,target=/c npm ci", "RUN --mount"),
        ("FROM a\nRUN \\\n  --mount=type=secret,id=x \\\n  npm ci", "RUN --mount"),
        ("FROM a\nCOPY --from=b --chmod=755 a b", "COPY --chmod"),
        ("FROM a\ncopy --link a b", "COPY --link"),
        ("FROM a\nADD --checksum=sha256:1 http://x /", "ADD --checksum"),
        ("FROM a\nRUN <<EOF\necho\nEOF", "a here-document after RUN"),
        ("FROM a\nRUN cat <<EOF > x\nhello\nEOF", "a here-document after RUN"),
        ("FROM a\nARG TARGETARCH\nRUN x", "the automatic argument TARGETARCH"),
        ("FROM --platform=$BUILDPLATFORM a", "the automatic argument BUILDPLATFORM"),
        ("FROM a\nARG TARGETOS TARGETARCH\nRUN x", "the automatic argument TARGETOS"),
        ("FROM a\narg A=1 TARGETARCH\nRUN x", "the automatic argument TARGETARCH"),
        ("FROM a:$TARGETARCH", "the automatic argument TARGETARCH"),
        ("FROM a\nCOPY <<EOF /x\nhello\nEOF", "a here-document after COPY"),
        ("# escape=`\n# syntax=docker/dockerfile:1\nFROM a", "a line `# syntax=`"),
        ("# escape=`\nFROM a\nRUN `\n  --mount=type=tmpfs,target=/c x", "RUN --mount"),
        ("FROM a\nRUN \\\n  # a cache\n  --mount=type=cache,target=/c x", "RUN --mount"),
    ],
)
def test_what_only_buildkit_understands_is_named(text: str, what: str) -> None:
    assert needs_buildkit(text) == what


def test_an_automatic_argument_with_a_value_is_one_like_any_other() -> None:
    text = "FROM a\nARG TARGETARCH\nRUN x"
    assert needs_buildkit(text, {"TARGETARCH": "amd64"}) is None
    assert needs_buildkit(f"ARG TARGETARCH=amd64\n{text}") is None
    assert needs_buildkit(f"ARG TARGETARCH\n{text}") == "the automatic argument TARGETARCH"
    platform = "ARG BUILDPLATFORM=linux/amd64\nFROM --platform=${BUILDPLATFORM} a"
    assert needs_buildkit(platform) is None


def test_an_image_may_stand_in_quotes() -> None:
    text = "ARG A=a\nFROM \"${A}:1\" AS x\nFROM 'b'"
    assert (first_base(text), final_base(text), images(text)) == ("a:1", "b", {"a:1", "b"})


@pytest.mark.parametrize(
    "source",
    [
        *(
            "https://github.com/x/y.git",
            "https://github.com/x/y.git#v1",
            "HTTP://a/b.git#main:docs",
        ),
        *("https://a/b.git?branch=main", "https://me@a:8443/b.git", "https://a/b.git#$REF"),
        *("git@github.com:x/y.git", "git@github.com:x/y.git#v1:docs", "me@a.example:y"),
        *("git://a/b", "git://a/b.git#v1", "ssh://git@a/b.git", "ssh://git@a:22/b#v1"),
    ],
)
def test_a_git_repository_is_no_file_to_add(source: str) -> None:
    for text in (
        f"ADD {source} /d",
        f"add   --chown=1:1 {source} /d",
        f"ADD a.txt {source} \\\n /d/",
        f'ADD ["{source}", "/d"]',
        f'ADD --chown=1:1 [ "a b", "{source}", "/d/" ]',
    ):
        assert needs_buildkit(f"FROM a\n{text}\n") == "ADD of a Git repository", text


@pytest.mark.parametrize(
    "text",
    [
        "ADD https://a/b.git.tar.gz /d",
        "ADD https://a/archive/b.tar#x.git /d",
        "ADD https://a/b?file=x.git /d",
        "ADD https://github.com/x/y /d",
        "ADD b.git /d",
        "ADD ./git@a /d",
        "ADD a.txt git@a:b",
        'ADD ["a.txt", "git://a/b"]',
        "ADD",
        "ADD \ud800 /d",
        "# ADD git://a/b /d",
        "RUN git clone https://github.com/x/y.git",
        "COPY https://github.com/x/y.git /d",
    ],
)
def test_what_looks_like_a_git_repository_and_is_none(text: str) -> None:
    assert needs_buildkit(f"FROM a\n{text}\n") is None


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN echo --mount=x",
        "FROM a\nCOPY --from=build --chown=1:1 a b",
        "# a comment\n# syntax is fine\nFROM a",
        'FROM a\nRUN node -e "1<<A"',
        "FROM a\nARG TARGETARCH=amd64\nRUN echo $TARGETARCH",
        "FROM a\n# syntax=docker/dockerfile:1\nRUN x",
        "\n# syntax=docker/dockerfile:1\nFROM a",
        "FROM a\nRUN x \\\n  # RUN --mount=type=cache \\\n  y",
    ],
)
def test_what_the_classic_builder_understands_is_not(text: str) -> None:
    assert needs_buildkit(text) is None


def test_no_dockerfile_of_the_kit_needs_buildkit() -> None:
    found = list(paths.dockerfiles().rglob("Dockerfile"))
    assert len(found) >= 10
    for path in found:
        assert needs_buildkit(path.read_text()) is None, path


@pytest.mark.parametrize("name", ["blog-rebuild", "today", "rebuilt-2026"])
def test_the_base_of_each_variant_is_what_its_final_stage_is_from(name: str) -> None:
    assert name in names()
    for variant in open_study(name).variants:
        text = (paths.dockerfiles() / variant.dockerfile).read_text()
        assert final_base(text, variant.target, variant.build_args) == variant.base


def test_a_stage_leads_on_to_its_base_and_a_target_ends_there() -> None:
    text = "ARG V=3\nFROM a:$V AS one\nFROM --platform=linux/amd64 b as two\nFROM one\n"
    assert final_base(text) == "a:3"
    assert final_base(text, "two") == "b"
    assert final_base(text, arguments={"V": "4"}) == "a:4"
    assert final_base("FROM ${X:-d}") == "d"
    assert final_base("ARG V=3.23\nARG BASE=alpine:${V}\nFROM ${BASE}") == "alpine:3.23"
    assert final_base("ARG A=alpine B='3.23'\nFROM $A:$B") == "alpine:3.23"
    assert final_base("ARG A\nFROM a${A:+-$A}", arguments={"A": "slim"}) == "a-slim"
    assert final_base("ARG A\nFROM a${A:+-$A}") == "a"
    assert final_base("# nothing") == ""
    assert final_base('ARG V="24-alpine"\nFROM node:${V}') == "node:24-alpine"
    assert final_base('FROM a\nRUN echo "select \\\nFROM users"') == "a"


def test_the_blogs_dockerfiles_are_those_of_the_post() -> None:
    """The instructions, in order; they are facts, and all that is taken from the post."""
    folder = paths.dockerfiles()
    said = {
        name: [
            line
            for line in (folder / name / "Dockerfile").read_text().splitlines()
            if line and not line.startswith("#")
        ]
        for name in ("nodejs-alpine", "nodejs-distroless")
    }
    shared = ["WORKDIR /app", "COPY package.json index.js ./", "RUN npm install"]
    assert said["nodejs-alpine"] == [
        *("FROM node:8-alpine", *shared, "EXPOSE 3000", 'CMD ["npm", "start"]'),
    ]
    assert said["nodejs-distroless"] == [
        *("FROM node:8 as build", *shared, "FROM gcr.io/distroless/nodejs"),
        *("COPY --from=build /app /", "EXPOSE 3000", 'CMD ["index.js"]'),
    ]


def test_instructions_are_continued_as_docker_does_it() -> None:
    assert final_base("# escape=`\nFROM `\n  a\n") == "a"
    assert final_base("# escape=`\nFROM a\nRUN dir C:\\\nFROM b\n") == "b"
    assert final_base("FROM a\nRUN echo \\\\\nFROM b\n") == "b", "that is a backslash, no mark"
    assert final_base("FROM a\n# escape=`\nRUN x \\\nFROM b\n") == "a", "no directive any more"
    assert final_base("# all of it: \\\nFROM a\n") == "a", "comments are not continued"
    assert final_base("FROM \\\n  # of today\n  a\n") == "a", "nor do they end an instruction"


def test_recipes_begin_alike_if_their_first_stages_do() -> None:
    text = "ARG V=3\nFROM \\\n  a:$V AS one\nFROM b\n"
    assert first_base(text) == "a:3"
    assert first_base(text, {"V": "4"}) == "a:4"
    assert first_base("# nothing\n") == ""
