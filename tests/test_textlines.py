"""Markdown on slides: its words, what is bold, its lists, and nothing that acts."""

from helpers import escape, textlines


def test_bold_words_stay_bold_and_names_lose_their_escapes() -> None:
    (line,) = textlines.lines(f"Ship **{escape.markdown('a_b*<i>')}** now.")
    assert line.pieces == (("Ship ", False), ("a_b*<i>", True), (" now.", False))


def test_lists_have_levels() -> None:
    told = textlines.lines("Head:\n\n- one\n    - two\n- three")
    assert [(line.level, line.text) for line in told] == [
        (0, "Head:"),
        (1, "one"),
        (2, "two"),
        (1, "three"),
    ]
    assert textlines.text("- one\n    - two") == "• one\n  • two"


def test_markup_is_text_and_an_address_is_no_link() -> None:
    told = textlines.lines("<script>x</script>\n\n[a](http://b) <b>c</b> ![d](http://e)")
    assert [line.text for line in told] == ["<script>x</script>", "a <b>c</b> d"]


def test_code_and_invisible_characters_are_text() -> None:
    assert textlines.lines("`x\u202ey\x1b`")[0].text == "x\\u202ey\\x1b"
    assert textlines.lines("```\na  b\n```")[0].text == "a b"
