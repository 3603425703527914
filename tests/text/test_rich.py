"""Structured text: emphasis comes from messages alone, and every value is text."""

import pytest

from helpers.text import html
from helpers.text.rich import Run, bullets, code, join, marked, name, paragraph, say

HOSTILE = (
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "**bold** _it_ `code` # head | cell {count}",
    "&lt;b&gt;",
    "a\x1b[31m\u202e",
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_value_is_text_whatever_it_holds(hostile: str) -> None:
    phrase = say("**{variant}** of {count:,}", variant=hostile, count=1200)
    strong, rest = phrase.runs
    assert (strong.strong, rest) == (True, Run(" of 1,200"))
    assert not {"\x1b", "\u202e"} & set(phrase.plain)
    shown = html.of_phrase(phrase + name(hostile) + code(hostile))
    assert "<script" not in shown
    assert "<a" not in shown
    assert shown.count("<strong>") == 2, "the message's own and the name"


def test_marks_of_a_message_are_emphasis_and_a_phrase_keeps_its_own() -> None:
    phrase = say("**strong {inner}** *em* `a*b` plain", inner=code("x"))
    assert html.of_phrase(phrase) == (
        "<strong>strong </strong><strong><code>x</code></strong> <em>em</em> <code>a*b</code> plain"
    )
    assert phrase.plain == "strong x em a*b plain"


def test_lists_are_nested_by_their_level_and_paragraphs_end_them() -> None:
    text = join([bullets(["a"]), bullets(["b"], level=2), bullets(["c"]), paragraph("d")])
    assert html.of_text(text) == "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul><p>d</p>"
    assert text.plain == "• a\n  • b\n• c\nd"


def test_an_authors_text_keeps_its_marks_and_no_markup() -> None:
    shown = html.of_phrase(marked("**a** <b>\n[x](http://y)"))
    assert shown == "<strong>a</strong> &lt;b&gt; [x](http://y)"
