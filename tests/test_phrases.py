"""Phrases of frames in another language: what has the form of one, and nothing else."""

import time

import pandas as pd
import pytest

from helpers import groups, languages, paths, phrases, properties, steps, surface


@pytest.mark.parametrize(
    ("said", "english", "korean"),
    [
        (properties.said, "none", "없음"),
        (properties.said, "bash, dash (by its packages)", "bash, dash (패키지 기준)"),
        (properties.said, "330 of 1,330", "1,330개 중 330개"),
        (
            surface.said,
            "3 (all sticky) (tmp, var/lock, and 1 more)",
            "3 (모두 sticky) (tmp, var/lock 외 1개)",
        ),
        (surface.said, "root (no user named)", "root (지정된 사용자 없음)"),
        (
            properties.said,
            "file, mode 4755, owner 0:0",
            "파일, 모드 4755, 소유자 0:0",
        ),
        (
            surface.said,
            "glibc (278 programs: glibc, 1 program: static)",
            "glibc (프로그램 278개: glibc, 프로그램 1개: 정적 링크)",
        ),
        (properties.said, "sh 1.37.0: link to bin/busybox", "sh 1.37.0: bin/busybox 링크"),
        (steps.said, "OS packages: 39 smaller changes", "OS 패키지: 작은 변화 39건"),
        (steps.said, "C library: libc6, libc-bin → musl", "C 라이브러리: libc6, libc-bin → musl"),
    ],
)
def test_a_phrase_is_said_with_the_names_in_it_as_they_are(said, english, korean) -> None:
    assert said(english) == english
    with languages.speaking("ko"):
        assert said(english) == korean


def test_a_name_out_of_a_report_is_no_phrase() -> None:
    with languages.speaking("ko"):
        for name in ("size", "{count}", "usr/bin/file", "of", "node-24-debian", "<b>"):
            assert properties.said(name) == steps.said(name) == name


def test_a_number_is_one_and_a_field_may_have_braces() -> None:
    with languages.speaking("ko"):
        assert phrases.said("some of many", ["{count} of {whole}"]) == "some of many"
        assert phrases.said("{x} (as stated)", ["{value} (as stated)"]) == "{x} (연구에 명시됨)"


@pytest.mark.parametrize("piece", [" (a)", " (", "(a, and 1 more)", "x: ", ", and 1 more)"])
def test_a_name_that_is_made_to_take_long_does_not(piece: str) -> None:
    with languages.speaking("ko"):
        began = time.process_time()
        for times in (900 // len(piece), 100_000):
            assert surface.said("x" + times * piece)
    assert time.process_time() - began < 2


def test_every_word_and_form_has_its_translation() -> None:
    known = set(pd.read_csv(paths.LANGUAGES, keep_default_na=False)["en"])
    words = {*properties.questions(), *groups.GROUPS, *steps.FORMS, *properties.FORMS}
    alike = {"npm", "yarn", "pip", "node", "python", "java", "php", "ruby", "perl"}
    assert words | set(groups.components()) - alike <= known
