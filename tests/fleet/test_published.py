"""Published numbers, read and compared; each refusal names the line."""

import pandas as pd
import pytest

from helpers.errors import TableInvalid
from helpers.fleet import entries, headline, published


@pytest.fixture
def numbers(tmp_path):
    def read(text):
        path = tmp_path / "published.csv"
        path.write_text(text)
        return published.read(path)

    return read


def made(**counts):
    """Return entries of two families: `counts` by family, an app each."""
    rows = [
        {"variant": f"{family}{at}", "app": f"app{at}:1", "family": family, "is_day": False}
        | dict.fromkeys(entries.QUANTITIES, value)
        for family, values in counts.items()
        for at, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def test_a_number_is_reproduced_within_its_rounding_and_not_measurable_without_its_group(numbers):
    given = numbers(
        "metric,group,value,tolerance\n"
        "mean findings,a,1.33,\n"
        "mean findings,a,1.3333,0.00001\n"
        "fewer findings,a -> b,2,\n"
        "reduction of mean findings,a -> b,0.25,\n"
        "images,,6,\n"
        "mean findings,c,1,\n"
        "fewer findings,a,1,\n"
    )
    table = published.compared(made(a=[1, 1, 2], b=[0, 3, 0]), given)
    assert table["outcome"].tolist() == [
        *("reproduced", "differs", "reproduced", "reproduced", "reproduced"),
        *("not measurable", "not measurable"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metric\nimages\n", "no column 'value'"),
        ("metric,value\nfindings per day,1\n", "'findings per day' in line 2 is not a metric"),
        ("metric,value\nimages,nan\n", "'nan' in line 2 is not a number"),
        ("metric,value\nimages,1\nimages,many\n", "'many' in line 3 is not a number"),
    ],
)
def test_a_wrong_line_is_named(numbers, text, said):
    with pytest.raises(TableInvalid, match=said):
        numbers(text)


def test_a_reader_sees_the_digits_that_decide(numbers):
    given = numbers("metric,group,value\nmean findings,a,1.33\nimages,,6\nmean findings,c,2.5e-3\n")
    shown = published.answer(made(a=[1, 1, 2], b=[0, 3, 0]), given).shown
    assert shown[["value", "tolerance", "measured"]].to_numpy().tolist() == [
        ["1.33", "0.005", "1.333"],
        ["6", "0", "6"],
        ["0.0025", "0.00005", ""],
    ]


def test_apps_that_share_packages_are_one_group_and_too_few_groups_give_no_interval():
    both = made(a=[5, 6, 7, 5, 6, 7], b=[1, 2, 1, 2, 1, 2])
    row = headline.table(both).iloc[0]
    assert (row["apps"], row["groups"], row["mean_difference"]) == (6, 6, -4.5)
    assert row["high"] < 0
    shared = {f"b{at}": ("same list",) for at in range(4)}
    row = headline.table(both, shared).iloc[0]
    assert (row["groups"], row["mean_difference"]) == (3, -4.5)
    assert pd.isna(row["low"])


def test_an_app_of_several_images_on_one_base_is_compared_with_none():
    both = made(a=[1, 2], b=[3, 4])
    twice = pd.concat([both, both[both["variant"].eq("a0")].assign(variant="other")])
    assert entries.between(twice, "a", "b")["app"].tolist() == ["app1:1"]
