"""The made studies are studies: they load, and hold what was written."""

from helpers import Comparison
from tests.cases.made import findings, report, study


def test_a_made_study_is_read_as_any_other(empty_data) -> None:
    held = {"2026-11-01": {"a": report(*findings(3)), "b": report(*findings(1, fix="3.0.2"))}}
    c = Comparison(study(empty_data, held))
    assert c.findings["variant"].value_counts().to_dict() == {"a": 3, "b": 1}
    assert c.images["status"].tolist() == ["scanned", "scanned"]
    assert c.images["db_updated_at"].dt.strftime("%Y-%m-%d").tolist() == ["2026-11-01"] * 2
