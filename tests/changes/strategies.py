"""Any small image with its findings and packages, for laws of what compares two."""

from typing import Any

from hypothesis import strategies as st

from helpers import frames
from helpers.frames import SEVERITIES, Frames

NAMES = st.sampled_from(["a", "b"])
FINDING = st.fixed_dictionaries(
    {
        "vulnerability_id": st.sampled_from(["CVE-1", "CVE-2", None]),
        "package": NAMES,
        "installed_version": NAMES,
        "package_path": st.sampled_from([None, "x"]),
        "severity": st.sampled_from(SEVERITIES),
        "suppressed": st.booleans(),
        "fixed_version": st.sampled_from([None, "c"]),
    }
)
PACKAGE = st.fixed_dictionaries(
    {"package": NAMES, "version": NAMES, "package_path": st.sampled_from([None, "x"])}
)


@st.composite
def image(draw: Any) -> Frames:
    """The frames of an image, whose findings may be of packages that it does not list."""
    found = draw(st.lists(FINDING, max_size=6))
    listed = draw(st.lists(PACKAGE, min_size=1, max_size=4))
    known = {
        "variant": "app",
        "capture": "",
        "scanner": "trivy",
        "scanner_version": "1",
        "db_sha256": draw(st.sampled_from(["a", "b", None])),
        "image_id": draw(st.sampled_from(["1", "2", None])),
        "status": "scanned",
        "packages": len(listed),
    }
    common = {"variant": "app", "capture": "", "scanner": "trivy", "place": "os"}
    rows = {"images": [known], "findings": found, "packages": listed}
    made = []
    for frame, content in rows.items():
        full = [{**common, **row} for row in content]
        columns = frames.columns(frame)
        made.append(frames.make(frame, {name: [row.get(name) for row in full] for name in columns}))
    return Frames(*made)
