"""Images started locked down: which answer, which are broken, and what they may do."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers import processes
from helpers.building.build import build
from helpers.containers import smoke_test
from helpers.containers.daemon import LABEL, Container, Daemon
from helpers.images.metadata import Smoke
from helpers.studies.study import Recipe

NODE = "FROM rebuilt/node-alpine:24\nCOPY app.js /\nCMD node /app.js\n"
SERVER = "require('http').createServer((q,s)=>{%s}).listen(3000);process.on('SIGTERM',process.exit)"

Run = Callable[..., Smoke]
Build = Callable[..., str]


@pytest.fixture
def build_image(daemon: Daemon, standins: list[str], tmp_path: Path) -> Build:
    """Builds an image of a script in JavaScript, and of what a Dockerfile adds."""

    def built(script: str = "", lines: str = "", start: str = NODE) -> str:
        (tmp_path / "app.js").write_text(script)
        (tmp_path / "Dockerfile").write_text(f"{start}{lines}\n")
        recipe = Recipe(str(tmp_path / "Dockerfile"))
        return build(daemon, recipe, "kit-tests:smoke", tmp_path / "log")

    return built


@pytest.fixture
def run(daemon: Daemon, build_image: Build) -> Run:
    """Builds an image and starts it."""

    def ran(script: str = "", lines: str = "", seconds: float = smoke_test.SECONDS) -> Smoke:
        return smoke_test.run(daemon, build_image(script, lines), 3000, seconds)

    return ran


@pytest.fixture
def run_shell(daemon: Daemon, build_image: Build) -> Run:
    """Builds an image of a shell's command, which is up at once, and starts it for a second."""

    def ran(command: str) -> Smoke:
        lines = f"CMD {json.dumps(['sh', '-c', command])}"
        image = build_image(lines=lines, start="FROM rebuilt/alpine:3.23\n")
        return smoke_test.run(daemon, image, 3000, 1)

    return ran


@pytest.fixture(autouse=True)
def nothing_is_left(daemon: Daemon) -> Iterator[None]:
    """After each test there are no containers, networks and volumes of this process."""
    yield
    client, kit = daemon._client, {"label": f"{LABEL}={processes.this_process()}"}
    assert client.containers.list(all=True, filters=kit) == []
    assert client.networks.list(filters=kit) == []
    assert client.volumes.list(filters=kit) == []


@pytest.mark.parametrize(
    ("reply", "answered", "status", "why"),
    [
        ("s.end('hello')", True, 200, ""),
        ("s.statusCode=503;s.end()", False, 503, "it answered with HTTP 503"),
        # There may be no front page.
        ("s.statusCode=404;s.end()", True, 404, ""),
    ],
)
def test_an_image_that_answers(run: Run, reply: str, answered: bool, status: int, why: str) -> None:
    smoke = run(SERVER % reply)
    assert (smoke.answered, smoke.http_status, smoke.why) == (answered, status, why)


def test_a_shell_is_found_by_starting_it(daemon: Daemon, build_image: Build) -> None:
    image = build_image()
    found = smoke_test.find_shell(daemon, image, ("/bin/bash", "/bin/sh", "/bin/ash"))
    assert found == ("/bin/sh", ["/bin/bash", "/bin/sh"])
    others = ["/etc/passwd", "/usr/local/bin/node"]
    assert smoke_test.find_shell(daemon, image, others) == ("", others)


@pytest.mark.parametrize(
    ("command", "output"),
    [
        # It accepts, and answers nothing.
        ("echo I wait; sleep 1000 | nc -l -p 3000 > /dev/null", "I wait"),
        # Nothing listens.
        ("sleep 1000", "it printed nothing"),
        # It does not come to an end.
        (
            "(printf HTTP/1.1; while sleep 0.2; do printf .; done) | nc -l -p 3000 > /dev/null",
            "it printed nothing",
        ),
    ],
)
def test_a_container_that_never_answers_is_broken_and_its_time_is_limited(
    run_shell: Run, command: str, output: str
) -> None:
    smoke = run_shell(command)
    assert smoke.answered is False
    assert smoke.why == f"no answer on port 3000 within 1 s: {output}"
    assert smoke.seconds < 6


def test_a_container_that_ends_is_broken_with_its_last_output(run_shell: Run) -> None:
    smoke = run_shell("echo no config >&2; exit 3")
    assert smoke.answered is False
    assert smoke.why == "it ended with status 3: no config"


@pytest.mark.parametrize("line", ['CMD ["/no/such/file"]', "USER nobody-at-all"])
def test_an_image_that_cannot_be_started_is_broken(run: Run, line: str) -> None:
    smoke = run(lines=line)
    assert smoke.answered is False
    assert smoke.why.startswith("it could not be started:")
    assert re.split(r'["\s]', line.strip('"]'))[-1] in smoke.why


def test_it_may_do_nothing_but_answer(run: Run) -> None:
    """The app tries what must fail, and answers with what succeeded."""
    script = """
    const fs = require('fs'), net = require('net'), {execSync} = require('child_process')
    const could = []
    const can = (what, act) => { try { act(); could.push(what) } catch (error) {} }
    can('write', () => fs.writeFileSync('/written', ''))
    can('run', () => {
      fs.writeFileSync('/tmp/x', '#!/bin/sh\\n', {mode: 0o755})
      execSync('/tmp/x', {stdio: 'ignore'})
    })
    can('chown', () => { fs.writeFileSync('/tmp/y', ''); fs.chownSync('/tmp/y', 1, 1) })
    const status = fs.readFileSync('/proc/self/status', 'utf8')
    if (!/CapEff:\\t0+\\n/.test(status)) could.push('capabilities')
    if (!/NoNewPrivs:\\t1/.test(status)) could.push('privileges')
    if (fs.readFileSync('/sys/fs/cgroup/pids.max', 'utf8').trim() !== '256') could.push('processes')
    if (+fs.readFileSync('/sys/fs/cgroup/memory.max', 'utf8') > 512 * 2 ** 20) could.push('memory')
    const out = net.connect({host: '192.0.2.1', port: 80})
    const done = (what) => {
      if (what !== 'ENETUNREACH') could.push('network ' + what)
      require('http').createServer((q, s) => { s.statusCode = could.length ? 500 : 200; s.end() })
        .listen(3000)
      console.log('could: ' + could)
    }
    out.on('error', (error) => done(error.code)).on('connect', () => done('connected'))
    process.on('SIGTERM', process.exit)
    """
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        for name, v1 in (
            ("pids.max", "pids/pids.max"),
            ("memory.max", "memory/memory.limit_in_bytes"),
        ):
            script = script.replace(f"cgroup/{name}", f"cgroup/{v1}")
    smoke = run(script)
    assert (smoke.answered, smoke.why) == (True, "")


def test_without_root_it_is_asked_on_an_internal_network(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke_test, "can_enter_network", lambda _: False)
    smoke = run(SERVER % "s.end()")
    assert (smoke.answered, smoke.asked_by) == (True, "network without a way out")


WRITES = """
const fs = require('fs')
let wrote = 0
try { for (; wrote < 200; wrote++) fs.appendFileSync('%s/big', Buffer.alloc(2 ** 20)) }
catch (error) {}
require('http').createServer((q, s) => { s.statusCode = %s ? 200 : 500; s.end() }).listen(3000)
"""
"""Tries to write 200 MiB, and answers without an error if that ended as expected."""


def test_a_volume_is_as_read_only_as_the_root_and_keeps_the_images_files(
    daemon: Daemon, build_image: Build
) -> None:
    kept = "fs.readFileSync('/data/kept', 'utf8') === 'here\\n'"
    image = build_image(
        WRITES % ("/data", f"wrote === 0 && {kept}"),
        "RUN mkdir /data && echo here > /data/kept\nVOLUME /data",
    )
    assert smoke_test.run(daemon, image, 3000, 8, ["/data"]).answered
    assert not smoke_test.run(daemon, image, 3000, 8).answered, "else it fills the disk"


def test_a_volume_may_be_named_in_several_ways(daemon: Daemon, build_image: Build) -> None:
    image = build_image(WRITES % ("/data", "wrote === 0"), 'VOLUME ["/data/", "/data", "data"]')
    volumes = (daemon.find(image) or {})["Config"]["Volumes"]
    assert len(volumes) > 1
    assert smoke_test.run(daemon, image, 3000, 8, volumes).answered
    assert smoke_test.find_shell(daemon, image, ["/bin/sh"], volumes)[0] == "/bin/sh"


def test_a_volume_for_temporary_files_is_the_limited_one_of_each_container(
    daemon: Daemon, build_image: Build
) -> None:
    image = build_image(WRITES % ("/tmp", "wrote === 64"), "VOLUME /tmp")
    assert smoke_test.run(daemon, image, 3000, 8, ["/tmp"]).why == ""


def test_a_container_that_the_daemon_refuses_is_not_started(
    daemon: Daemon, build_image: Build
) -> None:
    image, volumes = build_image(), ["/data", "/"]
    smoke = smoke_test.run(daemon, image, 3000, 8, volumes)
    assert smoke.answered is False
    assert "it could not be started: " in smoke.why
    assert smoke_test.find_shell(daemon, image, ["/bin/sh"], volumes) == ("", ["/bin/sh"])


def test_leftovers_of_a_killed_process_are_removed_by_the_next(
    daemon: Daemon, standins: list[str]
) -> None:
    """Other tests beside this one remove them, too, so their process runs until all are there."""
    client, machine = daemon._client, processes.this_process().partition("@")[2]
    elsewhere = "999999999@another-machine"

    def create(owner: str) -> Container:
        command = ["sleep", "1000"]
        options = {"labels": {LABEL: owner}, "command": command}
        return client.containers.create("rebuilt/alpine:3.23", **options)

    with subprocess.Popen(["sleep", "1000"]) as process:
        owner = f"{process.pid}@{machine}"
        left = create(owner)
        network = client.networks.create(f"kit-left-{process.pid}", labels={LABEL: owner})
        left.start()
        process.kill()
    kept = [create(f"1@{machine}"), create(elsewhere)]
    try:
        daemon.remove_leftovers()
        ids = {container.id for container in client.containers.list(all=True)}
        assert left.id not in ids
        assert {container.id for container in kept} <= ids, "those of a process that may run stay"
        assert network.id not in {network.id for network in client.networks.list()}
    finally:
        for container in kept:
            container.remove(force=True)
