"""What fails, in words: each condition chooses what it says, alone and combined."""

import pytest

from helpers.errors import NotComparable, ParameterInvalid
from helpers.gate import fail_on, judgement
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding
from tests.gate.conftest import LODASH, listing, with_app
from tests.support.gate_example import loaded

HIGH = ("HIGH", "CRITICAL")


@pytest.mark.parametrize(
    ("words", "lens"),
    [
        ("fixable", Lens(fixable=True)),
        ("FIXABLE and Severity >= High", Lens(fixable=True, severities=HIGH)),
        ("fixable,severity>=high", Lens(fixable=True, severities=HIGH)),
        ("severity=critical", Lens(severities=("CRITICAL",))),
        ("severity>=low, severity=low", Lens(severities=("LOW",))),
        ("severity>=unknown", Lens()),
        ("exploited", Lens(exploited=True)),
        ("epss>=0.1", Lens(epss=0.1)),
        ("epss>=0.1 and epss>=.5", Lens(epss=0.5)),
        ("epss>=.5 and epss>=0.1", Lens(epss=0.5)),
        ("suppressed and fixable", Lens(suppressed=True, fixable=True)),
        ("re-rated and severity>=high", Lens(severities=HIGH)),
        ("place=app and fixable", Lens(place="app", fixable=True)),
    ],
)
def test_words_are_a_lens(words: str, lens: Lens) -> None:
    (rule,) = fail_on.parse([words])
    assert (rule.lens, rule.re_rated) == (lens, "re-rated" in words)


@pytest.mark.parametrize(
    "words",
    [
        *("", "all", "severity>high", "severity<=low", "severity>=worst", "fixable or exploited"),
        *("epss>=0", "epss>=2", "epss>=nan", "epss>=ten", "epss=0.1", "place=kernel", "place>=os"),
        *("fixable=yes", "fixable and none", "severity", "place=os and place=app", "fixable,"),
        "severity=low and severity=high",
    ],
)
def test_unknown_words_are_refused_with_those_that_are_known(words: str) -> None:
    with pytest.raises(
        ParameterInvalid, match=r"choose from fixable, .*none alone|no severity satisfies"
    ):
        fail_on.parse([words])


def test_none_never_fails_and_is_no_alternative() -> None:
    assert fail_on.parse(["None"]) == ()
    with pytest.raises(ParameterInvalid):
        fail_on.parse(["none", "fixable"])


BROUGHT = listing(
    finding(1, Severity="CRITICAL"),
    finding(2, FixedVersion="3.0.2"),
    finding(3, FixedVersion="3.0.2", Severity="LOW"),
)
"""Of a package that was not there before: unfixed, fixed and high, fixed and low; and one of
the app's, which is medium."""
with_app(BROUGHT, LODASH, Severity="MEDIUM")


def failing(*words: str) -> list[int]:
    given = loaded(listing(packages="zlib 1"), BROUGHT)
    found = judgement.judge(given, fail_on.parse(words)).failing
    return sorted(int(name[-3:]) for name in found["vulnerability_id"])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([fail_on.DEFAULT], [2]),
        (["fixable"], [2, 3, 100]),
        (["severity>=high"], [1, 2]),
        (["severity>=high", "place=app"], [1, 2, 100]),
        (["fixable and severity=low"], [3]),
        (["severity>=unknown"], [1, 2, 3, 100]),
        (["none"], []),
    ],
)
def test_all_conditions_of_a_rule_and_any_rule(words: list[str], found: list[int]) -> None:
    assert failing(*words) == found


@pytest.mark.parametrize("words", ["exploited", "epss>=0.1", "fixable and exploited"])
def test_what_is_not_known_is_not_zero(words: str) -> None:
    with pytest.raises(NotComparable, match=r"not recorded.*--(kev|epss) FILE"):
        failing(words)
