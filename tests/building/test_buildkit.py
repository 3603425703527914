"""Builds with BuildKit and a real daemon: features, logs, failures, platforms, being stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import psutil
import pytest

from helpers import paths
from helpers.building import build, buildx
from helpers.building.build_log import Step
from helpers.capture import evidence
from helpers.capture.session import capture
from helpers.containers.daemon import Daemon, connect, platform_of
from helpers.errors import BuildFailed
from helpers.images import metadata
from helpers.studies.load import load_layers, load_study
from helpers.studies.study import Recipe, open_study
from tests.support import image_archives
from tests.support.builds import Builder
from tests.support.registries import Registry
from tests.support.studies import dockerfile, write_study

pytestmark = pytest.mark.usefixtures("with_buildx", "standins")

Named = Callable[[str, str], None]

SECRET = "hunter2-hunter2"
ALPINE = "rebuilt/alpine:3.23"
OTHER = "linux/arm64"

# A program of the other platform out of a package, fetched on this one.
FOREIGN = """FROM --platform=$BUILDPLATFORM rebuilt/tools AS get
ARG TARGETARCH
WORKDIR /get
RUN dpkg --add-architecture $TARGETARCH && apt-get -qq update \
 && apt-get -qq download busybox-static:$TARGETARCH && dpkg -x *.deb /get \
 && mv usr/bin/busybox /busybox
FROM scratch
COPY --from=get /busybox /bin/busybox
COPY --from=get --link /busybox /bin/sh
EXPOSE 3000
CMD ["/bin/busybox", "httpd", "-f", "-p", "3000"]
"""


@pytest.fixture(scope="module")
def foreign(daemon: Daemon, with_buildx: None, standins: list[str], tmp_path_factory) -> Iterator:
    """An image of another platform, which this machine cannot run."""
    if daemon.platform == OTHER:
        pytest.skip(f"{OTHER} is this machine's own platform")
    path = tmp_path_factory.mktemp("foreign") / "Dockerfile"
    path.write_text(FOREIGN)
    name = "kit-tests/foreign:1"
    build.build(daemon, Recipe(str(path), platform=OTHER), name, path.with_name("log"))
    assert platform_of(daemon.find(name) or {}) == OTHER
    if daemon.run(name, 10, command=["/bin/busybox", "true"]).status == 0:
        pytest.skip(f"this machine emulates {OTHER}")
    yield name
    docker.from_env().images.remove(name, force=True)


@pytest.fixture
def named() -> Iterator[Named]:
    """Gives an image another name for the time of a test."""
    images, names = docker.from_env().images, []

    def name(image: str, other: str) -> None:
        images.get(image).tag(other)
        names.append(other)

    yield name
    for other in names:
        images.remove(other, force=True)


@pytest.mark.parametrize(
    ("lines", "content"),
    [
        ("RUN --mount=type=tmpfs,target=/t df /t | tail -1 | cut -d' ' -f1 > /x", "tmpfs\n"),
        (
            f"RUN --mount=from={ALPINE},target=/m cat /m/etc/os-release | head -1 > /x",
            'NAME="Alpine Linux"\n',
        ),
        ("RUN <<EOF\necho one > /x\necho two >> /x\nEOF", "one\ntwo\n"),
        ("COPY <<-'EOF' /x\n\tFROM $x\n\tEOF", "FROM $x\n"),
        ("ARG TARGETARCH\nRUN echo $TARGETARCH > /x", "{arch}\n"),
        ("COPY --link a.txt /x", "abc"),
        ("COPY --chmod=600 a.txt /x\nRUN stat -c %a /x > /y && mv /y /x", "600\n"),
    ],
)
def test_each_feature_is_built(builder: Builder, lines: str, content: str) -> None:
    image = builder(f"FROM {ALPINE}\n{lines}\n")
    expected = content.format(arch=builder.daemon.platform.partition("/")[2])
    assert builder.file(image, "x") == expected
    assert "kit-tests:build" in image["RepoTags"]
    # What has not changed is the same image.
    assert builder(f"FROM {ALPINE}\n{lines}\n")["Id"] == image["Id"]


@pytest.mark.parametrize("name", ["docker/dockerfile:1", "docker.io/docker/dockerfile:1.4.2"])
def test_dockers_own_frontend_needs_no_registry(builder: Builder, name: str) -> None:
    head = f"# syntax={name}\n# escape=`\n"
    image = builder(f"{head}FROM scratch\nCOPY `\n  <<A <<B /\nx\nA\ny\nB\n")
    assert builder.file(image, "B") == "y\n"
    assert f"is used, no image {name}\n" in builder.log
    (builder.folder / "context/Dockerfile.dockerignore").write_text("a.txt\n")
    with pytest.raises(BuildFailed, match=r'(?s)COPY a.txt /.*"/a.txt": not found'):
        builder(f"{head}FROM scratch\nCOPY a.txt /\n")


def test_another_frontend_is_fetched_or_the_build_fails(builder: Builder) -> None:
    for name in ("localhost:1/docker/dockerfile:1", "docker/dockerfile:1-labs"):
        with pytest.raises(BuildFailed, match=rf"(?s)docker-image://\S*{name} failed.*`# syntax=`"):
            builder(f"# syntax={name}\nFROM scratch\nCOPY a.txt /\n")


def test_steps_have_a_target_arguments_and_a_log(builder: Builder) -> None:
    steps: list[Step] = []
    image = builder(
        f"FROM {ALPINE} AS first\nARG WHO=nobody\nLABEL who=$WHO\n"
        f"RUN <<EOF\necho ran by $WHO # {time.time_ns()}\nprintf '1%%\\r2%%\\r'\nEOF\n"
        "COPY --link a.txt /\nFROM scratch\nLABEL who=last\n",
        steps.append,
        target="first",
        build_args={"WHO": "me"},
    )
    assert image["Config"]["Labels"] == {"who": "me"}
    assert [step.number for step in steps] == [1, 2, 3]
    assert steps[-1].total == 3
    assert {step.instruction for step in steps[1:]} == {"RUN <<EOF", "COPY --link a.txt /"}
    assert "ran by me\n" in builder.log
    assert "\n1%\n" in builder.log


def test_values_do_not_reach_the_log_but_are_returned(builder: Builder, named: Named) -> None:
    now = time.time_ns()
    builder(f"FROM {ALPINE}\nENV OF_BASE=base-{SECRET}\nONBUILD ENV LATER=later-{SECRET}\n")
    named("kit-tests:build", "kit-tests/with-values")
    image = builder(
        "# syntax=docker/dockerfile:1\n"
        f"ARG BASE\nFROM $BASE AS one\nARG TOKEN\nARG OTHER=default-{SECRET}\nARG PIN=q7\n"
        f"ENV KEY=$TOKEN-and-more\nRUN env; echo $OTHER # {now}\n"
        f"RUN <<EOF\necho heredoc $KEY $PIN # {now}\nEOF\n"
        # BuildKit fills in variables in the names of its steps.
        f"RUN echo pin=$PIN key=${{KEY%-more}}-cut # {now}\nCOPY a.txt /$PIN/$LATER\n"
        "FROM scratch\nCOPY --from=one /q7 /\n",
        build_args={"TOKEN": SECRET, "BASE": "kit-tests/with-values"},
    )
    assert image["RootFS"]["Layers"]
    assert SECRET not in builder.log
    assert f"RUN echo pin=$PIN key=${{KEY%-more}}-cut # {now}\n" in builder.log
    assert "COPY a.txt /$PIN/$LATER\n" in builder.log
    assert "RUN <<EOF\n" in builder.log
    assert "OF_BASE=…" in builder.log
    for value in ("", "default-", "base-", "later-"):
        assert f"{value}{SECRET}" in builder.secrets
    assert f"{SECRET}-and-more" in builder.secrets


def test_each_stage_has_the_values_that_it_sees(builder: Builder) -> None:
    """Those of the stage that it is built on, and arguments before all only if it declares them."""
    now = time.time_ns()
    builder(
        f"ARG GLOBAL=global-{SECRET}\nARG PLACE=here\n"
        f"FROM {ALPINE} AS one\nARG TARGETPLATFORM GLOBAL\nENV KEY=one-$TARGETPLATFORM-key\n"
        f"RUN echo 1 $GLOBAL for $TARGETPLATFORM # {now}\n"
        f"FROM one AS two\nENV LONGER=$KEY-longer\nRUN echo 2 $LONGER # {now}\n"
        f"FROM {ALPINE} AS three\nENV KEY=no-place-$PLACE\nRUN echo 3 $KEY # {now}\n"
        "FROM scratch\nCOPY --from=two /etc/passwd /two\nCOPY --from=three /etc/passwd /three\n"
    )
    for line in (f"1 … for {builder.daemon.platform}\n", "2 …\n", "3 …\n"):
        assert f"\n{line}" in builder.log


def test_nor_do_the_proxies_of_dockers_settings(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxies = {"default": {"ftpProxy": f"http://me:{SECRET}@proxy.example"}}
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    settings = Builder(connect(), builder.folder)
    for feature in ("", "--mount=type=tmpfs,target=/t "):
        settings(f"FROM {ALPINE}\nRUN {feature}env # {time.time_ns()}\n")
        assert "FTP_PROXY=…" in settings.log.upper()
        assert SECRET not in settings.log


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (
            "RUN <<EOF\necho almost $TOKEN\nexit 7\nEOF",
            r"(?s)Dockerfile: step 2/2 failed: RUN <<EOF\n.*almost ….*exit code: 7\nFix that step",
        ),
        ("COPY --link $TOKEN /", r'step 2/2 failed: COPY --link \$TOKEN /\n.*"…": not found'),
        ("COPY --link $PIN /", r'step 2/2 failed: COPY --link \$PIN /\n.*"…": not found'),
        (f"RUN <<E\nE\nENV A=1 {SECRET}", 'the build failed\n.*find = in "…"'),
        ("RUN <<E\nE\nNONSENSE", "the build failed\n.*unknown instruction: NONSENSE"),
        (
            "RUN <<E\nE\nFROM no-such-image:1\nCOPY a.txt /",
            r"no-such-image:1 failed(?s:.*)registry",
        ),
        ("RUN <<E\nE\nFROM $NOTHING\nCOPY a.txt /", "the build failed\n.*base name"),
        ("RUN --mount=type=secret,id=k,required cat /run/secrets/k", "the kit passes none"),
        ("RUN --mount=type=ssh,required=true ssh x", "the kit passes none"),
    ],
)
def test_what_fails_names_the_step_and_no_value(builder: Builder, lines: str, error: str) -> None:
    head = f"FROM {ALPINE}\nARG PIN=q7q\nENV TOKEN={SECRET}\n"
    with pytest.raises(BuildFailed, match=error) as caught:
        builder(f"{head}{lines}\n")
    log = builder.log if (builder.folder / "build.log").exists() else ""
    assert SECRET not in str(caught.value) + log
    assert "q7q" not in str(caught.value) + log


def test_without_buildx_only_what_needs_it_fails(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert builder("FROM scratch\nCOPY a.txt /\n")["RootFS"]["Layers"]
    with pytest.raises(
        BuildFailed, match=r"COPY --link needs BuildKit, .* apt install .*docker-buildx"
    ):
        builder("FROM scratch\nCOPY --link a.txt /\n")


def test_a_study_says_which_builders_built_it(
    empty_data: Path, db: Path, trivy_on_path: None, daemon: Daemon, named: Named
) -> None:
    architecture = daemon.platform.partition("/")[2]
    named(ALPINE, f"kit-tests/of:{architecture}")
    new = (
        "FROM kit-tests/of:$TARGETARCH\nCOPY <<EOF /x\nFROM scratch\nARG TARGETOS\n"
        f"COPY --from=none /x /\nEOF\nRUN echo {time.time_ns()} > /once\n"
    )
    old = f"FROM {ALPINE}\nCOPY a.txt /\n"
    name = write_study(empty_data, old=f"{old}LABEL a=1\n", new=new)
    outcome = capture(name, db=db)
    assert outcome.failures == {}
    facts = open_study(name).facts()
    assert facts.builder == {
        **daemon.engine(),
        "builder": "classic and buildkit",
        "buildx": buildx.version(),
    }
    assert {n: v.builder for n, v in facts.variants.items()} == {
        "old": "classic",
        "new": "buildkit",
    }
    # The base is found, whoever built.
    layers = load_layers(name).groupby("variant", observed=True)["from_base"].agg(list).to_dict()
    assert layers == {"old": [True, False], "new": [True, False, False]}
    bases = load_study(name).images.set_index("variant")["base"].to_dict()
    assert bases == {"old": ALPINE, "new": f"kit-tests/of:{architecture}"}
    assert capture(name, db=db).unchanged


def test_a_base_in_a_registry_is_taken_for_the_platform_and_recorded(
    registry_here: Registry, empty_data: Path, db: Path, trivy_on_path: None, tmp_path: Path
) -> None:
    """Whichever builder builds."""
    parts = {}
    for architecture in ("amd64", "arm64"):
        layer = image_archives.tar(image_archives.file(f"{architecture}-{time.time_ns()}", b"x"))
        pushed, _ = registry_here.image("of", layer, architecture=architecture)
        parts[architecture] = pushed | image_archives.on_platform(architecture)
    digest = registry_here.index("of", *parts.values())
    base = registry_here.tag("of", "1", digest)
    variants = {
        f"{kind}-{architecture}": dockerfile(
            tmp_path / "context" / f"{kind}-{architecture}", f"FROM {base}\n{line} a.txt /\n"
        )
        + f'\nplatform = "linux/{architecture}"\nstart = false'
        for architecture in parts
        for kind, line in (("classic", "COPY"), ("buildkit", "COPY --link"))
    }
    outcome = capture(write_study(empty_data, **variants), db=db)
    for name in filter(connect().find, (base, digest)):
        docker.from_env().images.remove(name, force=True)
    assert outcome.failures == {}
    images = {
        variant: metadata.read(outcome.folder / variant / paths.IMAGE, metadata.Image)
        for variant in variants
    }
    for variant, image in images.items():
        assert image is not None
        assert image.architecture == variant.partition("-")[2]
        assert [layer.from_base for layer in image.layers] == [True, False]
        assert image.base_id
    # The daemon keeps a digest of several platforms with the first of them alone.
    assert {digest} == {name for image in images.values() if image for name in image.base_digests}


def test_a_build_that_is_stopped_leaves_nothing_running(
    empty_data: Path, db: Path, trivy_on_path: None
) -> None:
    seconds = f"{time.time_ns() % 10**9 + 10**4}"
    lines = f"FROM {ALPINE}\nRUN --mount=type=tmpfs,target=/t sleep {seconds}\n"
    name = write_study(empty_data, one=lines)
    command = [sys.executable, "-m", "helpers", "capture", name, "--db", str(db)]

    def running() -> list[str]:
        """The commands of the build: the container's, and buildx."""
        listed = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
        commands = (" ".join(words) for words in listed)
        return [c for c in commands if c.endswith(f"sleep {seconds}") or str(empty_data) in c]

    for number in (signal.SIGINT, signal.SIGTERM):
        # In a session of its own, so that nothing else stops its children.
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        while not any(c.endswith(f"sleep {seconds}") for c in running()):
            time.sleep(0.1)
            assert process.poll() is None
        os.kill(process.pid, number)
        assert "Stopped. Existing files are unchanged." in process.communicate(timeout=30)[1]
        end = time.monotonic() + 20
        while running() and time.monotonic() < end:
            time.sleep(0.1)
        assert running() == []


def test_an_image_of_another_platform_is_built_but_not_started(
    foreign: str, empty_data: Path, db: Path, trivy_on_path: None, daemon: Daemon, tmp_path: Path
) -> None:
    """Whoever builds; a base that is on the daemon is taken."""
    platform = f'\nplatform = "{OTHER}"'
    on = f"FROM {foreign}\nCOPY a.txt /\n"
    name = write_study(
        empty_data,
        new=dockerfile(tmp_path / "new", FOREIGN) + platform,
        classic=dockerfile(tmp_path / "classic", on) + platform,
        linked=dockerfile(tmp_path / "linked", on.replace("COPY", "COPY --link")) + platform,
    )
    outcome = capture(name, db=db)
    assert (outcome.failures, outcome.broken) == ({}, {})
    facts = open_study(name).facts()
    builders = {variant: captured.builder for variant, captured in facts.variants.items()}
    assert builders == {"new": "buildkit", "classic": "classic", "linked": "buildkit"}
    why = f"not started: this machine ({daemon.platform}) cannot run {OTHER}"
    assert [captured.missing for captured in facts.variants.values()] == [{"smoke": why}] * 3
    assert all(evidence.is_complete(outcome.folder / n, v) for n, v in facts.variants.items())
    images = load_study(name).images
    assert images["architecture"].str.startswith("arm64").all()
    assert images["answers"].isna().all()
    layers = load_layers(name).groupby("variant", observed=True)["from_base"].agg(list).to_dict()
    assert layers["classic"] == layers["linked"] == [True, True, False]


@pytest.mark.parametrize("feature", ["", "--mount=type=tmpfs,target=/t "])
def test_a_step_that_needs_emulation_says_so(builder: Builder, foreign: str, feature: str) -> None:
    with pytest.raises(BuildFailed) as caught:
        builder(f"FROM {foreign}\nRUN {feature}echo {time.time_ns()}\n", platform=OTHER)
    machine = builder.daemon.platform
    assert f"This machine ({machine}) cannot run {OTHER}. Emulate it: docker run" in str(
        caught.value
    )
    assert "--install arm64" in str(caught.value)


@pytest.mark.parametrize("line", ["COPY a.txt /", "COPY --link a.txt /"])
def test_a_base_of_this_machines_platform_is_not_taken_for_another(
    builder: Builder, line: str
) -> None:
    other = OTHER if builder.daemon.platform != OTHER else "linux/amd64"
    with pytest.raises(BuildFailed, match=rf"network; the image must exist for {other}"):
        builder(f"FROM {ALPINE}\n{line}\n", platform=other)
