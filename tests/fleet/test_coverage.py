"""How often intervals hold in simulated fleets."""

import pytest

from helpers.fleet import bootstrap, prediction
from tests.support import coverage

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(bootstrap, "DRAWS", 499)
    monkeypatch.setattr(prediction, "DRAWS", 499)


@pytest.mark.parametrize("effect", coverage.EFFECTS)
@pytest.mark.parametrize(("paired", "unpaired"), [(6, 4), (15, 15)])
def test_intervals_of_pairs_and_of_sums_hold_the_truth(effect, paired, unpaired):
    found = coverage.held(effect, paired, unpaired, fleets=150)
    # 90 of 100, less three standard errors of so few fleets.
    for each in ("pairs", "moves"):
        assert found[each] >= 0.9 - 3 * (0.9 * 0.1 / 150) ** 0.5
    assert found["mean"] < found["moves"]


def test_if_unpaired_images_change_otherwise_no_interval_holds_as_it_says():
    """Why the title states a condition."""
    assert coverage.held("skewed", 15, 30, pairing="the larger ones", fleets=100)["moves"] > 0.82
    assert (
        coverage.held("skewed", 15, 30, pairing="those that gain most", fleets=100)["moves"] < 0.7
    )
