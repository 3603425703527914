"""Colours: told apart in greyscale and by the colour-blind, and there for every code."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from helpers.charts import colours, look
from helpers.charts.theme import dark, oklab
from helpers.frames import SEVERITIES
from helpers.sizes.file_groups import GROUPS
from helpers.surface import checks
from helpers.vulnerabilities.lenses import PLACE_NAMES

# Simulated colour vision: Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


@pytest.mark.parametrize("vision", VISIONS)
def test_severities_differ_by_lightness_alone(vision: str) -> None:
    def lightness(colour: str) -> float:
        """CIE L* of a colour as that vision sees it."""
        rgb = np.array(to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        light = np.clip(VISIONS[vision] @ linear, 0, 1) @ [0.2126, 0.7152, 0.0722]
        return 116 * light ** (1 / 3) - 16

    steps = [lightness(colours.SEVERITY[severity]["color"]) for severity in SEVERITIES]
    assert min(lighter - darker for lighter, darker in pairwise(steps)) > 6


def is_red(colour: str) -> bool:
    _, a, b = oklab(to_rgb(colour))
    return bool(np.hypot(a, b) > 0.05 and -20 < np.degrees(np.arctan2(b, a)) < 45)


def test_red_is_the_colour_of_serious_findings_alone() -> None:
    severities = {style["color"] for style in colours.SEVERITY.values()}
    palettes = [styles for name, styles in colours.PALETTES.items() if name != "severity"]
    others = {colours.main(style) for styles in palettes for style in styles.values()}
    others |= {*colours.LINES, *colours.CELLS.values(), colours.UP, colours.DOWN}
    assert {colour for colour in severities if is_red(colour)} == {
        colours.SEVERITY[severity]["color"] for severity in ("CRITICAL", "HIGH")
    }
    assert {colour for colour in others if is_red(colour)} == set()


@pytest.mark.parametrize("theme", look.THEMES)
@pytest.mark.parametrize("vision", VISIONS)
def test_curves_are_told_apart(vision: str, theme: str) -> None:
    def shown(colour: str) -> np.ndarray:
        """OKLab of a curve's colour as that vision sees it."""
        rgb = np.array(to_rgb(dark(colour) if theme == look.DARK else colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        light = np.clip(VISIONS[vision] @ linear, 0, 1)
        seen = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        return np.array(oklab(tuple(seen)))

    pairs = combinations(map(shown, colours.LINES), 2)
    assert min(np.linalg.norm(one - other) for one, other in pairs) > 0.07


def test_neighbouring_curves_differ_in_greyscale() -> None:
    lights = [colours.luminance(colour) for colour in colours.LINES]
    assert all(abs(one - other) > 0.1 for one, other in pairwise(lights))


@pytest.mark.parametrize(
    ("palette", "codes"),
    [("severity", SEVERITIES), ("group", GROUPS), ("place", PLACE_NAMES)],
)
def test_every_code_has_a_style(palette: str, codes: tuple[str, ...]) -> None:
    assert set(colours.PALETTES[palette]) == set(codes)


def test_every_state_that_is_known_has_a_filling() -> None:
    assert set(colours.CELLS) == {checks.FOUND, checks.NONE, checks.PLAIN}


@pytest.mark.parametrize("severity", SEVERITIES)
def test_numbers_are_readable_on_their_parts(severity: str) -> None:
    colour = colours.SEVERITY[severity]["color"]
    dark, light = sorted(map(colours.luminance, (colour, colours.ink_on(colour))))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
