"""Words of sentences: a count with its noun, a share, a list, in the language that is spoken."""

import pytest

from helpers import languages, words


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["1 finding", "2,000 vulnerabilities", "all", "none", "3 of 9", "a and b"]),
        ("ko", ["발견 항목 1건", "취약점 2,000개", "전부", "없음", "9건 중 3건", "a 및 b"]),
    ],
)
def test_counts_shares_and_lists(language, told) -> None:
    with languages.speaking(language):
        assert [
            words.number(1, "finding"),
            words.number(2_000, "vulnerability"),
            words.share(9, 9),
            words.share(0, 9),
            words.share(3, 9),
            words.listed(["a", "b"], words.AND),
        ] == told


def test_a_noun_without_a_translation_is_an_english_one() -> None:
    with languages.speaking("ko"):
        assert words.number(2, "gizmo") == "2 gizmos"
