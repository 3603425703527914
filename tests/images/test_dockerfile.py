"""What a Dockerfile says before it is built."""

import pytest

from helpers.images import dockerfile
from helpers.images.dockerfile import (
    automatic,
    bases,
    frontend,
    needs_buildkit,
    required_secret,
    stages,
)


def final_base(text: str, *given, **arguments) -> str:
    return dockerfile.final_base(stages(text, *given, **arguments))


def images(text: str, *given) -> set[str]:
    return dockerfile.images(stages(text, *given))


GIT = (
    *("https://github.com/x/y.git", "https://github.com/x/y.git#v1", "HTTP://a/b.git#main:docs"),
    *("https://a/b.git?branch=main", "https://me@a:8443/b.git", "https://a/b.git#$REF"),
    *("git@github.com:x/y.git", "git@github.com:x/y.git#v1:docs", "me@a.example:y"),
    *("git://a/b", "git://a/b.git#v1", "ssh://git@a/b.git", "ssh://git@a:22/b#v1"),
)
AUTOMATIC = "the automatic argument "


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("# syntax=docker/dockerfile:1\nFROM a", "a line `# syntax=`"),
        ("# escape=`\n# syntax=docker/dockerfile:1\nFROM a", "a line `# syntax=`"),
        ("FROM a\nRUN --mount=type=cache,target=/c npm ci", "RUN --mount"),
        ("FROM a\nRUN \\\n  --mount=type=secret,id=x \\\n  npm ci", "RUN --mount"),
        ("# escape=`\nFROM a\nRUN `\n  --mount=type=tmpfs,target=/c x", "RUN --mount"),
        ("FROM a\nRUN \\\n  # a cache\n  --mount=type=cache,target=/c x", "RUN --mount"),
        ("FROM a\nCOPY --from=b --chmod=755 a b", "COPY --chmod"),
        ("FROM a\ncopy --link a b", "COPY --link"),
        ("FROM a\nADD --checksum=sha256:1 http://x /", "ADD --checksum"),
        ("FROM a\nRUN <<EOF\necho\nEOF", "a here-document after RUN"),
        ("FROM a\nRUN cat <<EOF > x\nhello\nEOF", "a here-document after RUN"),
        ("FROM a\nCOPY <<EOF /x\nhello\nEOF", "a here-document after COPY"),
        ("FROM a\nONBUILD RUN <<EOF\necho\nEOF", "a here-document after RUN"),
        ("FROM a\nARG TARGETARCH\nRUN x", f"{AUTOMATIC}TARGETARCH"),
        ("ARG TARGETARCH\nFROM a\nARG TARGETARCH\nRUN x", f"{AUTOMATIC}TARGETARCH"),
        ("FROM a\narg A=1 TARGETARCH\nRUN x", f"{AUTOMATIC}TARGETARCH"),
        ("FROM a:$TARGETARCH", f"{AUTOMATIC}TARGETARCH"),
        ("FROM a\nARG TARGETOS TARGETARCH\nRUN x", f"{AUTOMATIC}TARGETOS"),
        ("FROM --platform=$BUILDPLATFORM a", f"{AUTOMATIC}BUILDPLATFORM"),
    ],
)
def test_features_of_buildkit_alone_are_named(text: str, feature: str) -> None:
    assert needs_buildkit(text) == feature


@pytest.mark.parametrize("source", GIT)
def test_adding_a_git_repository_needs_buildkit(source: str) -> None:
    for line in (
        f"ADD {source} /d",
        f"add   --chown=1:1 {source} /d",
        f"ADD a.txt {source} \\\n /d/",
        f'ADD ["{source}", "/d"]',
        f'ADD --chown=1:1 [ "a b", "{source}", "/d/" ]',
    ):
        assert needs_buildkit(f"FROM a\n{line}\n") == "ADD of a Git repository", line


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
        "RUN echo --mount=x",
        "COPY --from=build --chown=1:1 a b",
        'RUN node -e "1<<A"',
        "ARG TARGETARCH=amd64\nRUN echo $TARGETARCH",
        "# syntax=docker/dockerfile:1\nRUN x",
        "RUN x \\\n  # RUN --mount=type=cache \\\n  y",
    ],
)
def test_other_instructions_do_not_need_buildkit(text: str) -> None:
    assert needs_buildkit(f"FROM a\n{text}") is None


STAGES = "ARG V=3\nFROM a:$V AS one\nFROM --platform=linux/amd64 b as two\nFROM one\n"


@pytest.mark.parametrize(
    ("text", "base"),
    [
        (STAGES, "a:3"),
        ("FROM ${X:-d}", "d"),
        ("ARG V=3.23\nARG BASE=alpine:${V}\nFROM ${BASE}", "alpine:3.23"),
        ("ARG A=alpine B='3.23'\nFROM $A:$B", "alpine:3.23"),
        ("ARG A\nFROM a${A:+-$A}", "a"),
        ("# nothing", ""),
        ('ARG V="24-alpine"\nFROM node:${V}', "node:24-alpine"),
        ('FROM a\nRUN echo "select \\\nFROM users"', "a"),
        # Instructions are continued as in Docker.
        ("# escape=`\nFROM `\n  a\n", "a"),
        ("# escape=`\nFROM a\nRUN dir C:\\\nFROM b\n", "b"),
        ("FROM a\nRUN echo \\\\\nFROM b\n", "b"),
        ("FROM a\n# escape=`\nRUN x \\\nFROM b\n", "a"),
        ("# all of it: \\\nFROM a\n", "a"),
        ("FROM \\\n  # of today\n  a\n", "a"),
    ],
)
def test_base_of_the_final_stage(text: str, base: str) -> None:
    assert final_base(text) == base


def test_bases_with_a_target_and_arguments() -> None:
    assert final_base(STAGES, "two") == "b"
    assert final_base(STAGES, arguments={"V": "4"}) == "a:4"
    assert final_base("ARG A\nFROM a${A:+-$A}", arguments={"A": "slim"}) == "a-slim"
    quoted = "ARG A=a\nFROM \"${A}:1\" AS x\nFROM 'b'"
    assert (final_base(quoted), images(quoted)) == ("b", {"a:1", "b"})


DOCUMENTS = (
    "RUN <<EOF\n{}\nEOF",
    "RUN <<-EOF\n{}\n\t\tEOF",
    "RUN <<'E F'\n{}\nE F",
    'COPY --chmod=755 <<"EOF" /x\n{}\nEOF',
    "ADD <<A <<-B c 3<<C /x/\nEOF\nA\n{}\n\tB\n{}\nC",
    "RUN cat \\\n  <<EOF > /x && \\\n  true\n{}\nEOF",
    "ONBUILD RUN <<EOF\n{}\nEOF",
)


@pytest.mark.parametrize("lines", DOCUMENTS)
def test_what_a_here_document_says_is_no_instruction(lines: str) -> None:
    inside = "FROM x AS y\nARG V=2\nCOPY --from=z a b\n EOF\nRUN --mount=from=m true \\"
    text = f"ARG V=1\nFROM a:$V\n{lines.replace('{}', inside)}\nCOPY --from=c:1 d /\n"
    assert final_base(text) == "a:1"
    assert images(text) == {"a:1", "c:1"}


@pytest.mark.parametrize(
    "line",
    [
        'RUN echo "<<EOF"',
        "RUN cat <<<EOF",
        "RUN cat << EOF",
        "RUN <<EOF-without-an-end",
        "LABEL a=<<EOF",
        "# RUN <<EOF",
    ],
)
def test_other_text_begins_no_here_document(line: str) -> None:
    assert final_base(f"FROM a\n{line}\nFROM b\nEOF") == "b"


def test_images_that_a_run_mounts_are_needed() -> None:
    text = "FROM a AS one\nFROM b\nRUN --mount=type=bind,from=c:1,target=/c --mount=from=one x\n"
    assert images(f"{text}RUN --mount=type=cache,from=0 y") == {"a", "b", "c:1"}
    assert images(text, "one") == {"a"}


def test_automatic_arguments_are_those_of_the_platform() -> None:
    text = (
        "FROM --platform=$BUILDPLATFORM go AS get\nFROM --platform=linux/386 c AS x\n"
        "FROM b-$TARGETARCH$TARGETVARIANT"
    )
    filled = automatic("linux/amd64", "linux/arm/v7")
    assert final_base(text, filled=filled) == "b-armv7"
    assert final_base(text, arguments={"TARGETARCH": "x"}, filled=filled) == "b-xv7"
    platforms = {"go": "linux/amd64", "c": "linux/386", "b-armv7": ""}
    assert bases(stages(text, filled=filled)) == platforms
    # As in BuildKit, a default takes its place.
    assert final_base("ARG TARGETARCH=z\nFROM b:$TARGETARCH", filled=filled) == "b:z"


@pytest.mark.parametrize(
    ("name", "engine", "needed"),
    [
        ("docker/dockerfile", "23.0.1", False),
        ("docker.io/docker/dockerfile:1", "26.1.5+dfsg1", False),
        ("docker/dockerfile:1.7", "26.1.5+dfsg1", False),
        ("docker/dockerfile:1.8.0", "26.1.5+dfsg1", True),
        ("docker/dockerfile:1.19", "31.0.0", False),
        ("docker/dockerfile:1", "20.10.5", True),
        ("docker/dockerfile:1", "unknown", True),
        ("docker/dockerfile:1-labs", "29.0.0", True),
        ("docker/dockerfile:1@sha256:00", "29.0.0", True),
        ("docker/dockerfile-upstream:master", "29.0.0", True),
        ("ghcr.io/docker/dockerfile:1", "29.0.0", True),
    ],
)
def test_a_frontend_is_needed_unless_the_engine_has_it(
    name: str, engine: str, needed: bool
) -> None:
    assert frontend(f"# syntax={name}\nFROM a", engine) == (name if needed else "")


@pytest.mark.parametrize(
    ("mount", "is_required"),
    [
        ("type=secret,id=a,required", True),
        ("type=ssh,required=True", True),
        ('"type=secret","required=1"', True),
        ("type=secret,id=a", False),
        ("type=secret,required=false", False),
        ("type=bind,from=required", False),
    ],
)
def test_a_secret_that_a_build_cannot_do_without(mount: str, is_required: bool) -> None:
    found = required_secret(f"FROM a\nRUN --mount=type=tmpfs,target=/t --mount={mount} x\n")
    assert found == (f"--mount={mount}" if is_required else None)
