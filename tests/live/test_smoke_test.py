"""Starting images locked down with a real daemon: what answers, what is broken, what it may do."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import processes
from helpers.capture import smoke_test
from helpers.capture.build import build
from helpers.capture.daemon import LABEL, Daemon
from helpers.images.metadata import Smoke
from helpers.studies.study import Recipe

SERVER = "require('http').createServer((q,s)=>{%s}).listen(3000);process.on('SIGTERM',process.exit)"


@pytest.fixture
def image(daemon: Daemon, standins: list[str], tmp_path: Path) -> Callable[[str], str]:
    """Makes an image that runs a line of JavaScript, or has what a Dockerfile adds."""

    def of(script: str = "", lines: str = "") -> str:
        (tmp_path / "app.js").write_text(script)
        (tmp_path / "Dockerfile").write_text(
            f'FROM rebuilt/node-alpine:24\nCOPY app.js /\nCMD ["node", "/app.js"]\n{lines}\n'
        )
        recipe = Recipe(str(tmp_path / "Dockerfile"))
        return build(daemon, recipe, "kit-tests:smoke", tmp_path / "log")

    return of


@pytest.fixture
def tried(daemon: Daemon) -> Callable[..., Smoke]:
    def of(image: str, seconds: float = smoke_test.SECONDS) -> Smoke:
        return smoke_test.answers(daemon, image, 3000, seconds)

    return of


def test_an_image_that_answers(image, tried) -> None:
    told = tried(image(SERVER % "s.end('hello')"))
    assert (told.answered, told.http_status, told.why) == (True, 200, "")


def test_a_shell_is_found_by_starting_it(daemon: Daemon, image) -> None:
    found = smoke_test.shell(daemon, image(), ("/bin/bash", "/bin/sh", "/bin/ash"))
    assert found == ("/bin/sh", ["/bin/bash", "/bin/sh"])
    assert smoke_test.shell(daemon, image(), ("/etc/passwd", "/usr/local/bin/node")) == (
        *("", ["/etc/passwd", "/usr/local/bin/node"]),
    )


def test_an_image_that_answers_with_an_error_is_broken(image, tried) -> None:
    told = tried(image(SERVER % "s.statusCode=503;s.end()"))
    assert (told.answered, told.http_status, told.why) == (False, 503, "it answered with HTTP 503")
    told = tried(image(SERVER % "s.statusCode=404;s.end()"))
    assert (told.answered, told.http_status) == (True, 404), told.why  # there may be no front page


def test_a_container_that_never_answers_is_broken_and_its_time_is_limited(image, tried) -> None:
    told = tried(image(SERVER % "" + ";console.log('I wait')"), seconds=4)
    assert told.answered is False
    assert told.why == "no answer on port 3000 within 4 s: I wait"
    assert told.seconds < 9
    told = tried(image("setInterval(()=>{}, 1000)"), seconds=2)
    assert told.why == "no answer on port 3000 within 2 s: it printed nothing"


def test_a_container_that_ends_is_broken_with_its_last_words(image, tried) -> None:
    told = tried(image("console.error('no config'); process.exit(3)"))
    assert told.answered is False
    assert told.why == "it ended with status 3: no config"


def test_what_cannot_be_started_is_broken(daemon: Daemon, image, tried) -> None:
    told = tried(image(lines='CMD ["/no/such/file"]'))
    assert told.answered is False
    assert told.why.startswith("it could not be started:")
    assert "/no/such/file" in told.why
    told = tried(image(lines="USER nobody-at-all"))
    assert "it could not be started" in told.why


def test_it_may_do_nothing_but_answer(image, tried) -> None:
    """The app tries what it must not be able to do, and answers with what it could."""
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
    told = tried(image(script))
    assert (told.answered, told.why) == (True, "")


def test_an_answer_that_drips_ends_with_its_time(image, tried) -> None:
    drips = """require('net').createServer(s => {
      s.write('HTTP/1.1'); setInterval(() => s.write('.'), 200); s.on('error', () => {})
    }).listen(3000)"""
    told = tried(image(drips), seconds=3)
    assert told.answered is not True
    assert told.seconds < 8


def test_it_reaches_nothing_of_this_machine(image, tried) -> None:
    """Not even by an address of its bridge: it has no network but its own loopback."""
    if os.geteuid() != 0:
        pytest.skip("only root may ask in a container's own network")
    script = """
    const found = Object.keys(require('os').networkInterfaces()).filter(name => name !== 'lo')
    console.log('has: ' + found)
    require('http').createServer((q, s) => { s.statusCode = found.length ? 500 : 200; s.end() })
      .listen(3000)
    """
    told = tried(image(script))
    assert (told.answered, told.why, told.asked_by) == (True, "", "loopback")


def test_without_root_it_is_asked_on_a_network_without_a_way_out(
    image, tried, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke_test, "may_enter", lambda _: False)
    told = tried(image(SERVER % "s.end()"))
    assert (told.answered, told.asked_by) == (True, "network without a way out")


def test_a_volume_is_as_read_only_as_the_root_and_keeps_what_the_image_has_there(
    daemon: Daemon, image, tried
) -> None:
    script = """
    const fs = require('fs')
    let wrote = 0
    try { for (; wrote < 200; wrote++) fs.appendFileSync('/data/big', Buffer.alloc(2 ** 20)) }
    catch (error) {}
    const kept = fs.readFileSync('/data/kept', 'utf8')
    require('http').createServer((q, s) => {
      s.statusCode = wrote === 0 && kept === 'here\\n' ? 200 : 500; s.end()
    }).listen(3000)
    """
    found = image(script, "RUN mkdir /data && echo here > /data/kept\nVOLUME /data")
    assert smoke_test.answers(daemon, found, 3000, 8, ["/data"]).answered
    assert not smoke_test.answers(daemon, found, 3000, 8).answered, (
        "without the limit it fills the disk"
    )


def test_a_volume_may_be_named_in_several_ways(daemon: Daemon, image) -> None:
    script = """
    const fs = require('fs')
    let wrote = 0
    try { for (; wrote < 200; wrote++) fs.appendFileSync('/data/big', Buffer.alloc(2 ** 20)) }
    catch (error) {}
    require('http').createServer((q, s) => { s.statusCode = wrote ? 500 : 200; s.end() })
      .listen(3000)
    """
    found = image(script, 'VOLUME ["/data/", "/data", "data"]')
    volumes = (daemon.find(found) or {})["Config"]["Volumes"]
    assert len(volumes) > 1
    assert smoke_test.answers(daemon, found, 3000, 8, volumes).answered
    assert smoke_test.shell(daemon, found, ["/bin/sh"], volumes)[0] == "/bin/sh"
    nothing_is_left(daemon)


def test_where_there_is_a_folder_for_what_is_temporary_its_volume_is_not(
    daemon: Daemon, image
) -> None:
    script = """
    const fs = require('fs')
    let wrote = 0
    try { for (; wrote < 200; wrote++) fs.appendFileSync('/tmp/big', Buffer.alloc(2 ** 20)) }
    catch (error) {}
    require('http').createServer((q, s) => { s.statusCode = wrote === 64 ? 200 : 500; s.end() })
      .listen(3000)
    """
    found = image(script, "VOLUME /tmp")
    assert smoke_test.answers(daemon, found, 3000, 8, ["/tmp"]).why == ""


def test_a_container_that_the_daemon_refuses_is_one_that_was_not_started(
    daemon: Daemon, image
) -> None:
    told = smoke_test.answers(daemon, image(), 3000, 8, ["/data", "/"])
    assert told.answered is False
    assert "it could not be started: " in told.why
    assert smoke_test.shell(daemon, image(), ["/bin/sh"], ["/data", "/"]) == ("", ["/bin/sh"])
    nothing_is_left(daemon)


def nothing_is_left(daemon: Daemon) -> None:
    client = daemon._client
    assert client.containers.list(all=True, filters={"label": LABEL}) == []
    assert client.networks.list(filters={"label": LABEL}) == []
    assert client.volumes.list(filters={"label": LABEL}) == []


def test_nothing_is_left_behind(daemon: Daemon, image, tried) -> None:
    tried(image(SERVER % "s.end()"))
    nothing_is_left(daemon)


def test_what_a_killed_process_left_is_removed_by_the_next(daemon: Daemon, image) -> None:
    client, machine = daemon._client, processes.this_process().partition("@")[2]
    labels = {LABEL: f"999999999@{machine}"}
    left = client.containers.run(image("setInterval(()=>{},9)"), detach=True, labels=labels)
    network = client.networks.create("base-image-notebooks-left", labels=labels)
    alive = client.containers.create(left.image.id, labels={LABEL: f"1@{machine}"})
    elsewhere = client.containers.create(left.image.id, labels={LABEL: "999999999@another-machine"})
    try:
        daemon.clear()
        names = {container.id for container in client.containers.list(all=True)}
        assert left.id not in names
        assert alive.id in names, "that of a process that runs stays"
        assert elsewhere.id in names, "and that of another machine, which is not known to be dead"
        assert network.id not in {network.id for network in client.networks.list()}
    finally:
        alive.remove(force=True)
        elsewhere.remove(force=True)
