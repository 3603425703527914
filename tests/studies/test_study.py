"""A study and its captures: found by name, and clear about what is wrong with one."""

import re
from pathlib import Path

import pytest

from helpers.errors import StudyInvalid
from helpers.studies import study
from helpers.studies.load import load_study
from helpers.text import i18n

TOML = "studies/blog-2022/study.toml"


def spoil(data: Path, old: str, new: str) -> None:
    path = data / TOML
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_newest_capture_is_the_default_unless_another_is_named(data: Path) -> None:
    spoil(data, 'default_capture = "2022-02"\n', "")
    assert study.open_study("blog-2022").facts().capture == "2026-11"


def test_an_unfinished_capture_is_no_capture(data: Path) -> None:
    (data / "studies/blog-2022/2022-02/capture.json").unlink()
    opened = study.open_study("blog-2022")
    assert opened.captures() == ["2026-11"]
    with pytest.raises(StudyInvalid, match="no capture '2022-02'; it has 2026-11"):
        opened.facts()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("blog-2021", "did you mean 'blog-2022'"),
        ("zzz", "choose one of .*blog-2022"),
        ("../studies/blog-2022", "did you mean|there are"),
        ("", "choose one of"),
    ],
)
def test_a_study_that_does_not_exist(name: str, hint: str) -> None:
    with pytest.raises(StudyInvalid, match=hint):
        study.open_study(name)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "nodejs-alpine"', 'name = "../alpine"', "use letters, digits"),
        ('name = "nodejs-alpine"', 'name = "nodejs-distroless"', "the same name"),
        ('name = "nodejs-alpine"', 'name = "Severity"', "variant name 'severity' is reserved"),
        ('baseline = "nodejs-alpine"', 'baseline = "x"', "baseline 'x'"),
        ("title =", "titel =", "titel"),
        ("question = ", "question = 7 #", "question"),
        ('sbom = "sources/node-8-alpine.cdx.json"\n', "", "sbom"),
    ],
)
def test_what_is_wrong_with_a_study_is_named_with_its_file(
    data: Path, old: str, new: str, told: str
) -> None:
    spoil(data, old, new)
    with pytest.raises(StudyInvalid, match=rf"study\.toml.*{told}"):
        study.open_study("blog-2022")


def test_a_capture_keeps_the_name_and_study_that_it_was_made_under(data: Path) -> None:
    folder = data / "studies/blog-2022"
    (folder / "2022-02").rename(folder / "2022-03")
    with pytest.raises(StudyInvalid, match=r"2022-03/capture\.json: belongs to capture '2022-02'"):
        study.open_study("blog-2022").facts("2022-03")


def test_only_a_folder_named_by_a_date_is_a_capture(data: Path) -> None:
    folder = data / "studies/blog-2022"
    for name in ("newest", ".2030-01.part", "2026-11-24", "2026-11-24.second"):
        (folder / name).mkdir()
        (folder / name / "capture.json").write_text("{}")
    assert study.open_study("blog-2022").captures() == [
        "2022-02",
        "2026-11",
        "2026-11-24",
        "2026-11-24.second",
    ]


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe{", b"[" * 10**5, b'{"study": ' + b"1" * 5000, b"null", b"{}"]
)
def test_a_damaged_capture_is_named_and_the_others_are_there(data: Path, text: bytes) -> None:
    (data / "studies/blog-2022/2026-11/capture.json").write_bytes(text)
    opened = study.open_study("blog-2022")
    assert opened.captures() == ["2022-02", "2026-11"]
    assert opened.facts("2022-02").capture == "2022-02"
    with pytest.raises(StudyInvalid, match=r"2026-11/capture\.json: invalid content"):
        opened.facts("2026-11")


@pytest.mark.parametrize(
    "text",
    [
        b"x = " + b"[" * 10**5,
        b"port = " + b"1" * 5000,
        b"a." * 10**5 + b"a = 1",
        b"\xff",
        b'about = "' + b"x" * 2**20 + b'"',
        b"x = 2026-13-45",
    ],
)
def test_no_study_takes_long_to_refuse(data: Path, text: bytes) -> None:
    (data / "studies/blog-2022/study.toml").write_bytes(text)
    with pytest.raises(StudyInvalid, match=r"blog-2022/study\.toml: invalid content"):
        study.open_study("blog-2022")


def test_a_name_with_nul_is_no_file(data: Path) -> None:
    spoil(data, "sources/node-8-alpine.cdx.json", "a\\u0000b")
    with pytest.raises(StudyInvalid, match=r"study\.toml: path contains a NUL"):
        study.open_study("blog-2022")


HANGUL = re.compile("[가-힣]")
KOREAN = "[translated.ko]\n"


@pytest.mark.parametrize("name", study.names())
def test_every_text_of_a_recorded_study_has_its_translation(name: str) -> None:
    english = study.open_study(name)
    with i18n.speaking("ko"):
        told = study.open_study(name)
    texts = [told.title, told.question, told.about, *told.not_shown, *told.events]
    texts += [variant.about for variant in told.variants]
    texts += [told.known_by_why] if english.known_by_why else []
    assert all(HANGUL.search(text) for text in texts)
    assert list(told.events.values()) == list(english.events.values())
    assert told.names() == english.names()
    assert not HANGUL.search("".join([english.title, english.about, *english.not_shown]))


def test_what_a_study_does_not_translate_stays_english(data: Path) -> None:
    path = data / TOML
    path.write_text(path.read_text().partition(KOREAN)[0] + KOREAN + 'title = "비교"\n')
    with i18n.speaking("ko"):
        told = study.open_study("blog-2022")
    assert told.title == "비교"
    assert told.question.startswith("The same Node.js app")
    assert list(told.events) == ["the post, early 2022"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("[translated.xx]", r"\[translated\.xx\]: unknown language; choose ko"),
        (KOREAN + "titel = ''", "titel"),
        (KOREAN + "not_shown = ['하나']", "not_shown has 1 texts, but the study has 4"),
        (KOREAN + "variants = { node = '?' }", "the study has no variant 'node'"),
        (KOREAN + "events = { then = '?' }", "the study has no event 'then'"),
    ],
)
def test_a_translation_of_what_a_study_does_not_have(data: Path, given: str, told: str) -> None:
    path = data / TOML
    path.write_text(path.read_text().partition(KOREAN)[0] + given)
    with pytest.raises(StudyInvalid, match=rf"study\.toml.*{told}"):
        study.open_study("blog-2022")


def test_a_captures_time_decides_which_is_newest(data: Path) -> None:
    folder = data / "studies/rebuilt-2026"
    text = (folder / "2026-11-24/capture.json").read_text()
    (folder / "2026-11-24").rename(folder / "2026-11-24.002")
    times = {"2026-11-24.002": "2026-11-24T22", "2026-11-24": "2026-11-24T23", "2026-11-25": "2026"}
    for name, time in times.items():
        (folder / name).mkdir(exist_ok=True)
        told = text.replace('"capture": "2026-11-24"', f'"capture": "{name}"')
        (folder / name / "capture.json").write_text(told.replace("2026-11-24T22", time))
    opened = study.open_study("rebuilt-2026")
    assert opened.captures() == ["2026-11-24.002", "2026-11-24", "2026-11-25"]
    (folder / "2026-11-25/capture.json").unlink()
    assert opened.facts().capture == "2026-11-24"
    assert load_study("rebuilt-2026").images["capture"].unique().tolist() == ["2026-11-24"]
