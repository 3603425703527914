"""A figure whose bars are buttons: each part has one, where it is drawn."""

import io

import numpy as np
import pytest
from PIL import Image

from helpers.answers.chart import Bars
from helpers.charts import colours, figure
from helpers.explore import clickable_figure
from helpers.explore.clickable_figure import Picture
from helpers.frames import Frames
from helpers.text import i18n
from helpers.vulnerabilities import counting


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_part_has_a_button_where_it_is_drawn(blog: Frames, language: str) -> None:
    counts = counting.severity_counts(blog.findings, blog.images)
    with i18n.speaking(language):
        chart = counting.severity_bars(counts, "findings")
        drawn = figure.figure(chart, "A title", "a footer")
        png, buttons = figure.quick(drawn), clickable_figure.bars(chart, drawn)
    shown = counts[counts["count"].gt(0)].astype({"severity": "str"})
    expected = {(row.variant, row.severity): row.count for row in shown.itertuples(index=False)}
    assert {(bar.variant, bar.severity): bar.number for bar in buttons} == expected
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    height, width, _ = pixels.shape
    for bar in buttons:
        # Near the upper edge, where no number is written.
        x, y = int(width * (bar.left + 0.5 * bar.width)), int(height * (bar.top + 0.1 * bar.height))
        colour = "#{:02X}{:02X}{:02X}".format(*pixels[y, x])
        assert colour == colours.SEVERITY[bar.severity]["color"], bar


def test_a_button_says_what_it_is_in_the_language_that_is_spoken(blog: Frames) -> None:
    bar = clickable_figure.Bar("nodejs-alpine", "HIGH", "HIGH", 1031, 0, 0, 1, 1)
    assert bar.label == "nodejs-alpine HIGH: 1,031"
    with i18n.speaking("ko"):
        assert bar._replace(name="높음").label == "nodejs-alpine 높음: 1,031"


def test_a_sentence_in_place_of_a_figure_is_the_text_and_no_picture() -> None:
    picture = Picture()
    picture.show(b"png", "findings")
    picture.explain("nothing is counted")
    data, metadata = picture._repr_mimebundle_()
    assert (picture.png, picture.alt, picture.bars) == (b"", "nothing is counted", [])
    assert (data["text/plain"], "image/png" in data, metadata) == ("nothing is counted", False, {})


def test_another_figure_lifts_the_button_that_was_pressed(blog: Frames) -> None:
    chart = counting.severity_bars(counting.severity_counts(blog.findings, blog.images), "findings")
    assert isinstance(chart, Bars)
    buttons = clickable_figure.bars(chart, figure.figure(chart))
    picture = Picture()
    picture.pressed = ["nodejs-alpine", "HIGH"]
    picture.show(b"png", "findings", buttons)
    assert picture.pressed == []
    assert [bar["label"] for bar in picture.bars] == [bar.label for bar in buttons]
    data, metadata = picture._repr_mimebundle_()
    assert (data["text/plain"], metadata["image/png"]["alt"]) == ("findings", "findings")
