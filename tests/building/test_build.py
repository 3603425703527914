"""Builds with a real daemon: steps, arguments, targets, logs, and what failures say."""

import time
from pathlib import Path

import pytest

from helpers.building.build import base, build, images
from helpers.building.build_log import Step
from helpers.errors import BuildFailed
from helpers.studies.study import Recipe
from tests.support.builds import Builder

SECRET = "hunter2-hunter2"
MACHINE = "linux/amd64"
ALPINE = "FROM rebuilt/alpine:3.23\n"


def test_a_build_has_steps_arguments_a_target_and_a_log(builder: Builder) -> None:
    steps: list[Step] = []
    image = builder(
        "FROM scratch AS first\nARG WHO=nobody\nLABEL who=$WHO\nCOPY a.txt /\n"
        "FROM scratch\nLABEL who=last\n",
        steps.append,
        target="first",
        build_args={"WHO": "somebody"},
        platform="linux/amd64",
    )
    assert image["Config"]["Labels"] == {"who": "somebody"}
    assert image["Architecture"] == "amd64"
    assert [(step.number, step.total) for step in steps] == [(n, 4) for n in (1, 2, 3, 4)]
    assert steps[3].instruction == "COPY a.txt /"
    assert "[4/4] COPY a.txt /" in builder.log
    assert builder("FROM scratch\nCOPY a.txt /\n")["RootFS"]["Layers"], "else the last stage"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_dockerfile_from_windows_is_read_as_docker_reads_it(builder: Builder, mark: str) -> None:
    text = "FROM \\\n  scratch\nCOPY \\\n  a.txt /\nLABEL a=1\n".replace("\n", "\r\n")
    image = builder(mark + text)
    assert image["Config"]["Labels"] == {"a": "1"}
    recipe = Recipe(str(builder.folder / "context/Dockerfile"))
    assert (base(recipe, MACHINE), images(recipe, MACHINE)) == ("scratch", {"scratch"})
    escaped = "# escape=`\r\nFROM `\r\n  scratch\r\nLABEL `\r\n  b=C:\\\r\nLABEL c=2\r\n"
    assert builder(mark + escaped)["Config"]["Labels"] == {"b": "C:\\", "c": "2"}
    assert base(recipe, MACHINE) == "scratch"


def test_values_do_not_reach_the_log_but_are_returned(builder: Builder) -> None:
    builder(
        f"FROM scratch\nARG TOKEN\nARG OTHER=default-{SECRET}\nENV KEY={SECRET}-2\nLABEL a=$TOKEN\n"
        "COPY a.txt /\n",
        build_args={"TOKEN": SECRET},
    )
    assert SECRET not in builder.log
    assert "ENV KEY\n" in builder.log
    assert {SECRET, f"default-{SECRET}", f"{SECRET}-2"} <= builder.secrets


def test_nor_do_values_from_a_base_or_composed_of_others(
    builder: Builder, standins: list[str]
) -> None:
    """Each is known only after the builder has printed it, or is the beginning of another."""
    # The builder does not print the output of a cached step.
    builder(
        f"{ALPINE}RUN true {time.time_ns()}\nENV OF_BASE=base-{SECRET}\n"
        f"ONBUILD ENV TRIGGERED=triggered-{SECRET}\n"
        "ONBUILD RUN echo onbuild $TRIGGERED\n"
        f"ONBUILD ARG GIVEN=given-{SECRET}\nONBUILD RUN echo also $GIVEN, known as $GIVEN\n"
    )
    assert "ONBUILD ENV TRIGGERED\n" in builder.log
    assert SECRET not in builder.log
    builder(
        "ARG BASE=nothing\nFROM --platform=linux/amd64 $BASE\nRUN env\n"
        "ENV NAME=short-first\nENV LONG=short-first-then-more\nRUN echo long $LONG\n"
        f"ARG HOST=db\nARG DSN=sql://$HOST-password\nENV ALSO=${{HOST}}-{SECRET[:7]}\n"
        f"RUN echo dsn $DSN, also $ALSO\nARG A=one-{SECRET}.tar.gz\n"
        # As a shell composes them.
        "ARG NESTED=${NONE:-${ALSO_NONE:-x}}-and-a-tail\nARG CUT=${A%.*}+cut\n"
        "ARG LONGER=${A%%.*}+longer\nARG REST=${A#*-}+rest\nARG OTHER=${A/one/two}+other\n"
        "RUN echo $NESTED $CUT $LONGER $REST $OTHER\n",
        build_args={"BASE": "kit-tests:build"},
    )
    for line in (
        *("onbuild …", "also …, known as …", "OF_BASE=…", "long …\n", "dsn …, also …\n"),
        "\n… … … … …\n",
    ):
        assert line in builder.log
    for value in (SECRET, "then-more", "db-password", SECRET[:7], "and-a-tail"):
        assert value not in builder.log


def test_the_error_of_a_dockerfile_quotes_no_value(builder: Builder) -> None:
    with pytest.raises(BuildFailed) as caught:
        builder(f"FROM scratch\nENV A=1 {SECRET}\n")
    assert SECRET not in str(caught.value)
    assert "can't find = in" in str(caught.value)


def test_an_error_in_step_3_names_the_step_and_its_last_lines(
    builder: Builder, standins: list[str]
) -> None:
    with pytest.raises(BuildFailed) as caught:
        builder(f"{ALPINE}ENV TOKEN={SECRET}\nRUN echo almost $TOKEN && exit 7\nCOPY a.txt /\n")
    error = str(caught.value)
    assert "Dockerfile: step 3/4 failed: RUN echo almost $TOKEN && exit 7" in error
    assert "almost …" in error
    assert "returned a non-zero code: 7" in error
    assert SECRET not in error + builder.log


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("FROM no-such-image-anywhere:1", r"(?s)step 1/1 failed: FROM no-such.*Check the base"),
        ("FROM scratch\nNONSENSE", r"Dockerfile: .*unknown instruction"),
    ],
)
def test_what_cannot_be_built_is_refused(builder: Builder, text: str, error: str) -> None:
    with pytest.raises(BuildFailed, match=error):
        builder(f"{text}\n")


def test_missing_files_are_reported_before_the_daemon_is_asked(tmp_path: Path) -> None:
    missing, recipe = Recipe("no/Dockerfile"), Recipe(str(tmp_path / "a"), "/no/where")
    (tmp_path / "a").write_text("FROM scratch\n")
    for wrong, error in ((missing, "no such Dockerfile"), (recipe, "context '/no/where' is not a")):
        with pytest.raises(BuildFailed, match=error):
            build(None, wrong, "x", tmp_path / "log")  # type: ignore[arg-type]
