"""Bases that a study builds: what is built on a failed base fails too, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from helpers import paths
from helpers.capture import evidence
from helpers.capture.session import Outcome, capture
from helpers.containers.daemon import Daemon
from helpers.errors import CaptureFailed
from helpers.studies.load import load_layers, load_study
from tests.support.studies import dockerfile, write_study

pytestmark = pytest.mark.usefixtures("trivy_on_path", "standins")

ALPINE = "rebuilt/alpine:3.23"
BASES = {
    "sound": f"FROM {ALPINE}\nRUN echo sound > /sound\n",
    "broken": f"FROM {ALPINE}\nRUN echo words of mine && false\n",
    "on-broken": "FROM kit-tests/broken\nRUN true\n",
}
BROKEN = "kit-tests/broken"
VARIANTS = {
    "of-sound": "FROM kit-tests/sound\nCOPY a.txt /\n",
    "of-broken": "FROM kit-tests/broken:latest\nCOPY a.txt /\n",
    "of-on-broken": "FROM kit-tests/on-broken\nCOPY a.txt /\n",
    "quotes-broken": 'ARG NAME=broken\nFROM "kit-tests/${NAME}"\nCOPY a.txt /\n',
    "copies-of-broken": "FROM kit-tests/sound\nCOPY --from=kit-tests/broken /etc/passwd /x\n",
}


def write(data: Path, *names: str) -> str:
    """Write a study with all bases and some of the variants."""
    bases = "".join(
        f'[[bases]]\ntag = "kit-tests/{name}"\n{dockerfile(data / "bases" / name, text)}\n'
        for name, text in BASES.items()
    )
    variants = {
        name: dockerfile(data / "context" / name, text) + "\nstart = false"
        for name, text in VARIANTS.items()
    }
    variants["is"] = f'image = "{BROKEN}"\nstart = false'
    variants["is-by-its-whole-name"] = f'image = "docker.io/{BROKEN}"\nstart = false'
    # The study only says that this is built on the broken base.
    variants["other"] = f'image = "{ALPINE}"\nbase = "{BROKEN}"'
    return write_study(data, "mine", bases, **{name: variants[name] for name in names or variants})


@pytest.fixture(scope="module")
def older(daemon: Daemon, standins: list[str]) -> Iterator[None]:
    """An image of the broken base's name, from an earlier time."""
    client = docker.from_env()
    client.images.get(ALPINE).tag(BROKEN)
    yield
    for name in (BROKEN, "kit-tests/sound"):
        if daemon.find(name):
            client.images.remove(name, force=True)


@pytest.fixture(scope="module")
def outcome(older: None, trivy_on_path: None, db: Path, tmp_path_factory) -> Iterator[Outcome]:
    """A capture of all variants."""
    folder = tmp_path_factory.mktemp("bases")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIT_DATA", str(folder))
        yield capture(write(folder), db=db)


def test_what_is_not_built_on_a_failed_base_goes_on(outcome: Outcome) -> None:
    status = load_study("mine").images.set_index("variant")["status"]
    assert set(status[status.eq("scanned")].index) == {"of-sound", "other"}
    assert set(outcome.failures) == set(status.index) - {"of-sound", "other"}
    for name in set(outcome.failures) - {"of-on-broken"}:
        reason = outcome.failures[name]
        assert "kit-tests/broken could not be built" in reason.replace(":latest", "")
        assert "step 2/2 failed: RUN echo words of mine && false" in reason
    assert outcome.failures["of-on-broken"].startswith(
        "its base kit-tests/on-broken could not be built: its base kit-tests/"
    )
    layers = load_layers("mine").set_index("variant")
    assert layers.loc[["other"], "from_base"].isna().all(), "the older image is not the base"
    assert outcome.failed_bases == {}, "the variants state the reasons"


def test_the_builders_output_for_all_bases_is_kept(outcome: Outcome) -> None:
    log = (outcome.folder / paths.BASES_LOG).read_text()
    assert log.index("# kit-tests/sound") < log.index("# kit-tests/broken")
    assert "words of mine" in log
    assert sorted(path.name for path in outcome.folder.glob("*.*")) == ["bases.log", "capture.json"]


def test_an_unexpected_error_fails_one_variant_only(
    empty_data: Path, db: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    take = evidence.take

    def fail(variant, *rest):
        if variant.name == "one":
            raise ZeroDivisionError("of course")
        return take(variant, *rest)

    monkeypatch.setattr(evidence, "take", fail)
    image = f'image = "{ALPINE}"\nstart = false'
    outcome = capture(write_study(empty_data, one=image, two=image), db=db)
    assert list(outcome.failures) == ["one"]
    assert "unexpected ZeroDivisionError: of course" in outcome.failures["one"]
    assert 'raise ZeroDivisionError("of course")' in capsys.readouterr().err


def test_a_missing_daemon_is_reported_once(empty_data: Path, db: Path, monkeypatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    with pytest.raises(CaptureFailed, match=r"^no Docker daemon answers at [^\n]*$"):
        capture(write(empty_data, "of-sound", "of-broken", "is"), db=db)
