"""Titles: two lines, and no list of numbers that is cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.text import i18n, titles
from helpers.text.titles import Part

NAMES = st.text("abcdefgxyz-", min_size=1, max_size=70) | st.text(
    "가나다라마-", min_size=1, max_size=40
)
HEADS = (
    "Findings",
    "Executables and libraries, and fixable vulnerabilities",
    "A very long beginning " * 8,
    "수정 가능한 취약점",
)


@st.composite
def images(draw: st.DrawFn) -> list[Part]:
    """What a title says of 2, 4, 9 or 25 images: without digits in names, and some that are odd."""
    width = draw(st.integers(1, 2))
    found = []
    for _ in range(draw(st.sampled_from((2, 4, 9, 25)))):
        numbers = draw(st.lists(st.integers(0, 99_999), min_size=width, max_size=width))
        text = f"{titles.name(draw(NAMES))} {' and '.join(map('{:,}'.format, numbers))}"
        odd = draw(st.sampled_from(("", "", "", "{count:,} broken")))
        found.append(Part(text, tuple(numbers), odd))
    return found


@pytest.mark.parametrize("language", i18n.known())
@given(parts=images(), head=st.sampled_from(HEADS), in_the_end=st.booleans())
def test_a_title_fits_and_nothing_is_cut_out_between_its_numbers(
    language: str, parts: list[Part], head: str, in_the_end: bool
) -> None:
    with i18n.speaking(language):
        title = titles.fitted(head, parts, in_the_end=in_the_end)
        assert titles.fits(title)
    start, _, images_ = title.rpartition(": ")
    assert start[:8] == head[:8]
    numbers = [match.start() for match in re.finditer(r"\d", images_)]
    assert numbers
    assert titles.is_whole(images_[numbers[0] : numbers[-1]])
    shown = {int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", images_)}
    given_ = {int(number) for part in parts for number in part.numbers}
    assert shown <= given_ | set(range(26)), "no number loses digits"


def test_what_is_counted_is_cut_in_its_middle_where_a_title_would_be_too_long() -> None:
    def title(counted: str) -> str:
        return f"NVD rates 1,234 of 5,678 {counted} higher, 91 lower; 2,345 have no NVD rating"

    assert titles.around("findings", title) == title("findings")
    long = titles.around(f"fixable {'very ' * 20}vulnerabilities", title)
    assert titles.fits(long)
    assert long.startswith("NVD rates 1,234 of 5,678 fixable")
    assert long.endswith("vulnerabilities higher, 91 lower; 2,345 have no NVD rating")
    assert "…" in long


def test_all_are_named_else_the_largest_else_they_are_counted() -> None:
    def title(head: str, name: str, count: int) -> str:
        parts = [Part(f"{name}{n} {n}", (n,)) for n in range(1, count + 1)]
        return titles.fitted(head, parts)

    assert title("Findings", "image", 2) == "Findings: image1 1, image2 2"
    long = "an-image-with-quite-a-long-name-"
    assert title("Findings", long, 2) == f"Findings: {long}1 1, {long}2 2"
    assert title("Findings", long, 4) == f"Findings: {long}4 4, the other 3 from 1 to 3"
    assert title("x" * 90, long, 4) == f"{'x' * 90}: 4 images from 1 to 4"
    two = [Part("a-na…me 7", (7,)), Part("ano…er 9", (9,))]
    assert titles.fitted("Findings", two) == "Findings: ano…er 9, the other 7"
