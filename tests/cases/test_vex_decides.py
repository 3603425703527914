"""Who declared how many harmless is said, and what the choice is without that."""

from helpers.frames import Frames, make
from helpers.verdict import cautions, decision
from helpers.verdict.decision import Decision, decide
from helpers.verdict.tradeoff import WEIGHTS
from helpers.vulnerabilities.lenses import Lens
from tests.cases.made import findings, report
from tests.conftest import suppressing

VULNERABILITIES = Lens("vulnerabilities")


def decided(frames: Frames, lens: Lens = VULNERABILITIES) -> Decision:
    return decide(frames, make("published", {}), "", lens, WEIGHTS)


def test_equal_images_one_with_twenty_declared_harmless(frames_of) -> None:
    twenty = findings(20, fix="3.0.2")
    found = decided(frames_of(plain=report(*twenty), vexed=suppressing(report(), *twenty)))
    assert (found.code, found.best) == (decision.SHIP, ["vexed"])
    told = found.caution(cautions.VEX_DECIDES)
    assert told is not None
    assert told.variants == ("vexed",)
    assert told.values["counts"] == {"vexed": 20}
    assert told.values["by"] == ("vex.json",)
    assert set(told.values["without"]) == {"plain", "vexed"}


def test_the_other_image_is_chosen_without_the_statements(frames_of) -> None:
    more, few = findings(30, fix="3.0.2"), findings(9, fix="3.0.2")
    found = decided(frames_of(plain=report(*few), vexed=suppressing(report(), *more)))
    told = found.caution(cautions.VEX_DECIDES)
    assert found.best == ["vexed"]
    assert told is not None
    assert told.values["without"] == ("plain",)


def test_statements_that_decide_nothing_are_counted_and_no_more(frames_of) -> None:
    more, few = findings(30, fix="3.0.2"), findings(2, fix="3.0.2")
    found = decided(frames_of(plain=report(*more), vexed=suppressing(report(), *few)))
    codes = {each.code for each in found.cautions}
    assert cautions.DECLARED in codes
    assert cautions.VEX_DECIDES not in codes


def test_with_what_is_suppressed_counted_nothing_hangs_on_it(frames_of) -> None:
    twenty = findings(20, fix="3.0.2")
    frames = frames_of(plain=report(*twenty), vexed=suppressing(report(), *twenty))
    found = decided(frames, VULNERABILITIES._replace(suppressed=True))
    assert found.code == decision.TIED
    assert not {each.code for each in found.cautions} & {cautions.DECLARED, cautions.VEX_DECIDES}
