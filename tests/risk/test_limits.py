"""Where scores mislead: a change of the model is no trend."""

import pandas as pd

from helpers import Comparison
from helpers.risk import limits
from helpers.vulnerabilities.lenses import Lens
from tests.conftest import finding, trivy
from tests.risk.conftest import DAY, known


def test_between_the_posts_captures_the_model_changed_and_nothing_else() -> None:
    answer = Comparison("blog-2022", "newest").where(lens="vulnerabilities").risk.limits()
    alpine, distroless = answer.table.itertuples()
    assert (alpine.both, alpine.was_likely, alpine.is_likely, alpine.same_model) == (
        25,
        0,
        7,
        False,
    )
    assert (distroless.both, distroless.was_likely, distroless.is_likely) == (13, 0, 0)
    assert "A difference is not a trend" in answer.text.plain


def test_two_days_of_one_model_are_told_without_the_alarm(frames_of) -> None:
    loaded = known(frames_of(app=trivy(finding(1))), {"CVE-2024-0001": 0.2})
    earlier = loaded.findings.assign(capture="2026-07", epss=0.05)
    later = loaded.findings.assign(capture="2026-08")
    images = loaded.images.assign(capture="2026-08", db_updated_at=DAY)
    before = images.assign(capture="2026-07", epss_day=DAY.replace(month=7))
    every = pd.concat([earlier, later]), pd.concat([before, images])
    answer = limits.answer(later, images, *every, Lens())
    (row,) = answer.table.itertuples()
    assert (row.was_likely, row.is_likely, row.same_model) == (0, 1, True)
    assert "trend" not in answer.text.plain
    assert "up to" not in answer.text.plain, "scores and database are of one day"


def test_a_catalog_that_is_older_than_the_database_is_told(frames_of) -> None:
    loaded = known(frames_of(app=trivy(finding(1))), {"CVE-2024-0001": 0.2})
    images = loaded.images.assign(db_updated_at=DAY + pd.Timedelta(days=30))
    answer = limits.answer(loaded.findings, images, loaded.findings, images, Lens())
    assert "up to 30 days" in answer.text.plain
