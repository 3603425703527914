"""Markdown on slides: its words, what is bold, its lists, and nothing that acts."""

import pytest

from helpers.text import escape, i18n, markdown


def test_bold_words_stay_bold_and_names_lose_their_escapes() -> None:
    (line,) = markdown.lines(f"Ship **{escape.markdown('a_b*<i>')}** now.")
    assert line.pieces == (("Ship ", False), ("a_b*<i>", True), (" now.", False))


def test_lists_have_levels() -> None:
    told = markdown.lines("Head:\n\n- one\n    - two\n- three")
    assert [(line.level, line.text) for line in told] == [
        (0, "Head:"),
        (1, "one"),
        (2, "two"),
        (1, "three"),
    ]
    assert markdown.text("- one\n    - two") == "• one\n  • two"


def test_markup_is_text_and_an_address_is_no_link() -> None:
    told = markdown.lines("<script>x</script>\n\n[a](http://b) <b>c</b> ![d](http://e)")
    assert [line.text for line in told] == ["<script>x</script>", "a <b>c</b> d"]


def test_code_and_invisible_characters_are_text() -> None:
    assert markdown.lines("`x\u202ey\x1b`")[0].text == "x\\u202ey\\x1b"
    assert markdown.lines("```\na  b\n```")[0].text == "a b"


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["1 finding", "2,000 vulnerabilities", "all", "none", "3 of 9", "a and b"]),
        ("ko", ["발견 항목 1건", "취약점 2,000개", "전부", "없음", "9건 중 3건", "a 및 b"]),
    ],
)
def test_counts_shares_and_lists(language, told) -> None:
    with i18n.speaking(language):
        assert [
            markdown.number(1, "finding"),
            markdown.number(2_000, "vulnerability"),
            markdown.share(9, 9),
            markdown.share(0, 9),
            markdown.share(3, 9),
            markdown.listed(["a", "b"], markdown.AND),
        ] == told


def test_a_noun_without_a_translation_is_an_english_one() -> None:
    with i18n.speaking("ko"):
        assert markdown.number(2, "gizmo") == "2 gizmos"
