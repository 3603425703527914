"""Parts of pictures are buttons: each is where it is drawn, and leaves the findings it is of."""

import io

import numpy as np
import pytest
from PIL import Image

from helpers import Comparison
from helpers.charts import colours, figure
from helpers.explore.parts import Part, parts
from helpers.notebook.display import ShownAnswer
from helpers.text import i18n


def drawn(answer: ShownAnswer) -> tuple[bytes, list[Part]]:
    assert answer.chart is not None
    made = figure.figure(answer.chart, tall=5.6, is_quick=True)
    return figure.quick(made), parts(answer.chart, made)


def colour_at(png: bytes, part: Part, right: float, down: float) -> str:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    height, width, _ = pixels.shape
    place = part.place
    x, y = width * (place.left + right * place.width), height * (place.top + down * place.height)
    return "#{:02X}{:02X}{:02X}".format(*pixels[int(y), int(x)])


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("question", ["severity", "overlap"])
def test_each_part_of_a_bar_has_a_button_where_it_is_drawn(question: str, language: str) -> None:
    compared = Comparison("blog-2022").style(language)
    with i18n.speaking(language):
        png, found = drawn(getattr(compared.vulnerabilities, question)())
    assert len(found) == 8 if question == "severity" else 7
    # Where no number is written.
    free = (0.5, 0.1) if question == "severity" else (0.5, 0.5)
    for part in found:
        assert colour_at(png, part, *free) == colours.SEVERITY[part.severity]["color"], part


def test_combinations_leave_the_findings_of_their_vulnerabilities() -> None:
    compared = Comparison("matched-2026").where(known_by="ever")
    _, found = drawn(compared.vulnerabilities.overlap())
    counted, listing = compared.counted_findings, compared.listing
    ids = [set(part.rows(counted, listing)["vulnerability_id"]) for part in found]
    for part, own in zip(found, ids, strict=True):
        assert part.label.endswith(f": {len(own):,}")
    assert sum(map(len, ids)) == len(set.union(*ids)) == len(listing), "each is in one part"


def test_rises_of_a_curve_leave_what_was_published_then() -> None:
    compared = Comparison("blog-2022", "2026-11")
    _, found = drawn(compared.history.growth())
    counted = compared.counted_findings
    for variant, total in (("nodejs-alpine", 49), ("nodejs-distroless", 107)):
        rises = [part for part in found if part.variant == variant]
        assert sum(len(part.rows(counted, None)) for part in rises) == total
        for part in rises:
            assert part.label.endswith(f": {len(part.rows(counted, None)):,}")
            assert part.place.width > 0.01
    assert found[0].label.startswith("nodejs-alpine until 2019-12-24: ")
