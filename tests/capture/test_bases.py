"""Bases that a study builds: one that fails takes along what is built on it, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from click.testing import CliRunner

from helpers import cli, paths
from helpers.capture.daemon import Daemon
from helpers.capture.resolve import Subject
from helpers.capture.session import capture
from helpers.errors import CaptureFailed
from helpers.studies.load import load_layers, load_study

pytestmark = pytest.mark.usefixtures("trivy_on_path", "standins")

BASES = {
    "sound": "FROM rebuilt/alpine:3.23\nRUN echo sound > /sound\n",
    "broken": "FROM rebuilt/alpine:3.23\nRUN echo words of mine && false\n",
    "on-broken": "FROM kit-tests/broken\nRUN true\n",
}
BROKEN = "kit-tests/broken"
VARIANTS = {
    "of-sound": "FROM kit-tests/sound\nCOPY Dockerfile /\n",
    "of-broken": "FROM kit-tests/broken:latest\nCOPY Dockerfile /\n",
    "of-on-broken": "FROM kit-tests/on-broken\nCOPY Dockerfile /\n",
    "quotes-broken": 'ARG NAME=broken\nFROM "kit-tests/${NAME}"\nCOPY Dockerfile /\n',
    "copies-of-broken": "FROM kit-tests/sound\nCOPY --from=kit-tests/broken /etc/passwd /x\n",
}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, daemon: Daemon) -> Iterator[str]:
    """A study with a base that cannot be built, of whose name there is an image of before."""
    monkeypatch.setenv("KIT_DATA", str(tmp_path / "data"))
    toml = 'title = "t"\nquestion = "q?"\nabout = "a"\n'
    for name, text in {**BASES, **VARIANTS}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(text)
        head = f'[[bases]]\ntag = "kit-tests/{name}"' if name in BASES else (
            f'[[variants]]\nname = "{name}"\nstart = false'
        )  # fmt: skip
        toml += f'{head}\ndockerfile = "{tmp_path / name / "Dockerfile"}"\n'
    for name, image in (("is", BROKEN), ("is-by-its-whole-name", f"docker.io/{BROKEN}")):
        toml += f'[[variants]]\nname = "{name}"\nimage = "{image}"\nstart = false\n'
    # That it is built on the broken one is only said.
    toml += f'[[variants]]\nname = "other"\nimage = "rebuilt/alpine:3.23"\nbase = "{BROKEN}"\n'
    folder = tmp_path / "data/studies/mine"
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(toml)
    client = docker.from_env()
    client.images.get("rebuilt/alpine:3.23").tag("kit-tests/broken")
    yield "mine"
    for name in ("kit-tests/broken", "kit-tests/sound"):
        if daemon.find(name):
            client.images.remove(name, force=True)


def test_what_is_not_built_on_one_that_fails_goes_on(study: str, shared: Path) -> None:
    outcome = capture(study, db=shared / "vulndb")
    status = load_study("mine").images.set_index("variant")["status"].to_dict()
    assert {name for name, told in status.items() if told == "scanned"} == {"of-sound", "other"}
    failures = outcome.failures
    for name in set(failures) - {"of-on-broken"}:
        assert "kit-tests/broken could not be built" in failures[name].replace(":latest", "")
        assert "step 2/2 failed: RUN echo words of mine && false" in failures[name]
    told = failures["of-on-broken"]
    assert told.startswith("its base kit-tests/on-broken could not be built: its base kit-tests/")
    layers = load_layers("mine").set_index("variant")
    assert layers.loc[["other"], "from_base"].isna().all(), "what is there is not what is meant"
    assert outcome.bases == {}, "what failed is told by what is built on it"


def test_a_base_that_fails_is_told_even_if_nothing_is_built_on_it(study: str, shared: Path) -> None:
    toml = paths.study("mine") / "study.toml"
    first, *rest = toml.read_text().split("[[variants]]")
    sound = next(text for text in rest if "of-sound" in text)
    toml.write_text(f"{first}[[variants]]{sound}")
    told = CliRunner().invoke(cli.commands, ["capture", study, "--db", str(shared / "vulndb")])
    assert told.exit_code == 1
    assert "Error: the base kit-tests/broken:latest could not be built: " in told.output


def test_what_the_builder_said_of_all_is_kept(study: str, shared: Path) -> None:
    outcome = capture(study, db=shared / "vulndb")
    said = (outcome.folder / paths.BASES_LOG).read_text()
    assert said.index("# kit-tests/sound") < said.index("# kit-tests/broken")
    assert "words of mine" in said
    assert sorted(path.name for path in outcome.folder.glob("*.*")) == ["bases.log", "capture.json"]


def test_an_image_whose_config_is_empty_has_neither_volumes_nor_ports() -> None:
    # A daemon may tell of it so; the one here does not.
    found = Subject("sha256:0", "empty", known={"Config": None})
    assert found.config("Volumes") == found.config("ExposedPorts") == {}


def test_what_nobody_thought_of_fails_one_variant_only(
    study: str, shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from helpers.capture import evidence

    take = evidence.take

    def strange(variant, *rest):
        if variant.name == "one":
            raise ZeroDivisionError("of course")
        return take(variant, *rest)

    # A fault of the kit's own cannot be had; this stands in for one.
    monkeypatch.setattr(evidence, "take", strange)
    image = 'image = "rebuilt/alpine:3.23"\nstart = false\n'
    lines = "".join(f'[[variants]]\nname = "{name}"\n{image}' for name in ("one", "two"))
    head = 'title = "t"\nquestion = "q?"\nabout = "a"\n'
    (paths.study("mine") / "study.toml").write_text(head + lines)
    outcome = capture("mine", db=shared / "vulndb")
    assert list(outcome.failures) == ["one"]
    assert "unexpectedly, ZeroDivisionError: of course" in outcome.failures["one"]
    assert 'raise ZeroDivisionError("of course")' in capsys.readouterr().err


def test_without_a_daemon_it_is_told_once(study: str, shared: Path, monkeypatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    with pytest.raises(CaptureFailed, match=r"^no Docker daemon answers at [^\n]*$"):
        capture(study, db=shared / "vulndb")
