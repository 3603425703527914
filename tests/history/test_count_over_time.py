"""The count of each image at each capture: lines, gaps, broken scans, and what was new."""

from helpers.answers.chart_data import Timeline
from helpers.history import broken_scans, count_over_time
from helpers.vulnerabilities.lenses import PLAIN
from tests.conftest import finding
from tests.gate.conftest import listing
from tests.history.conftest import kept, stepped


def test_gaps_interrupt_a_line_and_broken_scans_are_beside_it(captured) -> None:
    many = [finding(number) for number in range(12)]
    days = [many, [], many, many, many]
    frames = captured(*({"a": listing(*found)} for found in days))
    lost = frames.images["capture"].eq("2024-01-04")
    frames = frames._replace(
        images=frames.images.assign(status=frames.images["status"].mask(lost, "failed"))
    )
    found = kept(frames)
    _, whole = stepped(found)
    answer = count_over_time.answer(broken_scans.marked(found.scans), whole, PLAIN)
    assert isinstance(answer.chart, Timeline)
    (line,) = answer.chart.lines
    assert [[day.day for day, _ in piece] for piece in line.pieces] == [[1, 3], [5]]
    assert [(day.day, count) for day, count in line.broken] == [(2, 0.0)]
    ticks = {row.name: [day.day for day in row.days] for row in answer.chart.ticks}
    assert ticks == {"new database": [3, 5]}


def test_only_a_series_has_a_slide(captured) -> None:
    for number, slides in ((2, 0), (3, 1)):
        found = kept(captured(*({"a": listing(finding())} for _ in range(number))))
        _, whole = stepped(found)
        marked = broken_scans.marked(found.scans)
        assert len(count_over_time.answer(marked, whole, PLAIN).talks) == slides
