"""Building with a real daemon: steps, arguments, targets, logs, and what failures say."""

import time
from pathlib import Path

import pytest

from helpers.capture.build import base, build, images
from helpers.capture.build_log import Step
from helpers.capture.daemon import Daemon
from helpers.errors import BuildFailed
from helpers.studies.study import Recipe

SECRET = "hunter2-hunter2"


@pytest.fixture
def built(daemon: Daemon, tmp_path: Path):
    """Builds a Dockerfile's text on top of nothing; returns the image as the daemon has it."""

    def of(text: str | bytes, on_step=lambda step: None, **options: object) -> dict:
        folder = tmp_path / "context"
        folder.mkdir(exist_ok=True)
        content = text if isinstance(text, bytes) else text.encode()
        (folder / "Dockerfile").write_bytes(content)
        (folder / "a.txt").write_text("a")
        recipe = Recipe(str(folder / "Dockerfile"), **options)
        found = build(daemon, recipe, "kit-tests:build", tmp_path / "build.log", on_step)
        image = daemon.find(found)
        assert image is not None
        return image

    return of


def test_a_build_has_steps_arguments_a_target_and_a_log(built, tmp_path: Path) -> None:
    steps: list[Step] = []
    image = built(
        "FROM scratch AS first\nARG WHO=nobody\nLABEL who=$WHO\nCOPY a.txt /\n"
        "FROM scratch\nLABEL who=last\n",
        steps.append,
        target="first",
        build_args={"WHO": "somebody"},
        platform="linux/amd64",
    )
    assert image["Config"]["Labels"] == {"who": "somebody"}
    assert image["Architecture"] == "amd64"
    assert [(step.number, step.of) for step in steps] == [(n, 4) for n in (1, 2, 3, 4)]
    assert steps[3].instruction == "COPY a.txt /"
    assert "Step 4/4 : COPY a.txt /" in (tmp_path / "build.log").read_text()
    assert built("FROM scratch\nCOPY a.txt /\n")["RootFS"]["Layers"], "the last stage else"


def test_a_dockerfile_from_windows_is_read_as_docker_reads_it(built, tmp_path: Path) -> None:
    text = "FROM \\\n  scratch\nCOPY \\\n  a.txt /\nLABEL a=1\n".replace("\n", "\r\n")
    for mark in (b"", b"\xef\xbb\xbf"):
        image = built(mark + text.encode())
        assert image["Config"]["Labels"] == {"a": "1"}
        recipe = Recipe(str(tmp_path / "context" / "Dockerfile"))
        assert (base(recipe), images(recipe)) == ("scratch", {"scratch"})
        with pytest.raises(BuildFailed, match="a line `# syntax=`, which only BuildKit"):
            built(mark + f"# syntax=docker/dockerfile:1\r\n{text}".encode())
        with pytest.raises(BuildFailed, match="RUN --mount, which only BuildKit"):
            built(mark + f"{text}RUN \\\r\n  --mount=type=cache,target=/c true\r\n".encode())
    marked = built(
        mark + b"# escape=`\r\nFROM `\r\n  scratch\r\nLABEL `\r\n  b=C:\\\r\nLABEL c=2\r\n"
    )
    assert marked["Config"]["Labels"] == {"b": "C:\\", "c": "2"}
    assert base(recipe) == "scratch"


def test_values_do_not_reach_the_log(built, tmp_path: Path) -> None:
    built(
        f"FROM scratch\nARG TOKEN\nENV KEY={SECRET}-2\nLABEL a=$TOKEN\nCOPY a.txt /\n",
        build_args={"TOKEN": SECRET},
    )
    log = (tmp_path / "build.log").read_text()
    assert SECRET not in log
    assert "ENV KEY\n" in log


def test_values_that_others_bring_or_that_are_made_of_others_do_not_either(
    built, standins: list[str], tmp_path: Path
) -> None:
    """Each is known only when the builder has said it, or is the beginning of another."""
    # Of what is in its cache, the builder does not show what was printed.
    built(
        f"FROM rebuilt/alpine:3.23\nRUN true {time.time_ns()}\nENV OF_BASE=base-{SECRET}\n"
        f"ONBUILD ENV TRIGGERED=triggered-{SECRET}\n"
        "ONBUILD RUN echo onbuild $TRIGGERED\n"
        f"ONBUILD ARG GIVEN=given-{SECRET}\nONBUILD RUN echo also $GIVEN, known as $GIVEN\n"
    )
    log = (tmp_path / "build.log").read_text()
    assert "ONBUILD ENV TRIGGERED\n" in log
    assert SECRET not in log
    built(
        "ARG BASE=nothing\nFROM --platform=linux/amd64 $BASE\nRUN env\n"
        "ENV NAME=short-first\nENV LONG=short-first-then-more\nRUN echo long $LONG\n"
        f"ARG HOST=db\nARG DSN=sql://$HOST-password\nENV ALSO=${{HOST}}-{SECRET[:7]}\n"
        "RUN echo dsn $DSN, also $ALSO\n",
        build_args={"BASE": "kit-tests:build"},
    )
    log = (tmp_path / "build.log").read_text()
    assert "onbuild …" in log
    assert "also …, known as …" in log
    assert "OF_BASE=…" in log
    assert "long …\n" in log
    assert "dsn …, also …\n" in log
    for value in (SECRET, "then-more", "db-password", SECRET[:7]):
        assert value not in log


def test_nor_do_values_that_are_made_as_a_shell_does_it(
    built, standins: list[str], tmp_path: Path
) -> None:
    built(
        f"FROM rebuilt/alpine:3.23\nRUN true {time.time_ns()}\nARG A=one-{SECRET}.tar.gz\n"
        "ARG NESTED=${NONE:-${ALSO_NONE:-x}}-and-a-tail\nARG CUT=${A%.*}+cut\n"
        "ARG LONGER=${A%%.*}+longer\nARG REST=${A#*-}+rest\nARG OTHER=${A/one/two}+other\n"
        "RUN echo $NESTED $CUT $LONGER $REST $OTHER\n"
    )
    log = (tmp_path / "build.log").read_text()
    assert "\n… … … … …\n" in log
    assert SECRET not in log


def test_what_it_was_built_with_is_told_to_who_asks(built, daemon: Daemon, tmp_path: Path) -> None:
    built(f"FROM scratch\nARG TOKEN=default-{SECRET}\nCOPY a.txt /\n")
    learned: set[str] = set()
    recipe = Recipe(str(tmp_path / "context/Dockerfile"))
    build(daemon, recipe, "kit-tests:build", tmp_path / "build.log", secrets=learned)
    assert f"default-{SECRET}" in learned


def test_what_is_wrong_with_a_dockerfile_is_told_without_what_it_quotes(built) -> None:
    with pytest.raises(BuildFailed) as caught:
        built(f"FROM scratch\nENV A=1 {SECRET}\n")
    assert SECRET not in str(caught.value)
    assert "can't find = in" in str(caught.value)


def test_an_error_in_step_3_names_the_step_and_its_last_lines(
    built, standins: list[str], tmp_path: Path
) -> None:
    with pytest.raises(BuildFailed) as caught:
        built(
            "FROM rebuilt/alpine:3.23\nENV TOKEN=" + SECRET + "\n"
            "RUN echo almost $TOKEN && exit 7\nCOPY a.txt /\n"
        )
    text = str(caught.value)
    assert "Dockerfile: step 3/4 failed: RUN echo almost $TOKEN && exit 7" in text
    assert "almost …" in text
    assert "returned a non-zero code: 7" in text
    assert SECRET not in text + (tmp_path / "build.log").read_text()


def test_a_base_that_cannot_be_pulled_is_told_as_such(built) -> None:
    with pytest.raises(BuildFailed, match=r"(?s)step 1/1 failed: FROM no-such.*registry be reach"):
        built("FROM no-such-image-anywhere:1\n")


def test_what_cannot_be_built_is_refused_before_the_daemon_is_asked(built, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"RUN --mount, which only BuildKit .* buildx build"):
        built("FROM scratch\nRUN --mount=type=cache,target=/c true\n")
    with pytest.raises(BuildFailed, match="ADD of a Git repository, which only BuildKit"):
        built("FROM scratch\nADD https://example.org/x/y.git#v1 /y\n")
    with pytest.raises(BuildFailed, match="no such Dockerfile"):
        build(None, Recipe("no/Dockerfile"), "x", tmp_path / "log")  # type: ignore[arg-type]
    with pytest.raises(BuildFailed, match="its context '/no/where' is no folder"):
        built("FROM scratch\n", context="/no/where")
    with pytest.raises(BuildFailed, match=r"Dockerfile: .*unknown instruction"):
        built("FROM scratch\nNONSENSE\n")
