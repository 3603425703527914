"""What a scan lists as installed: a digest of all of it, and a hash of each package.

What an image has before it is scanned is another thing: `fleet_capture.package_list`.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.scans.trivy_schema import Package, Report


def version(package: Package) -> str | None:
    """Return `[epoch:]version[-release]`, as Trivy writes an installed version."""
    if not package.version:
        return None
    epoch = f"{package.epoch}:" if package.epoch else ""
    release = f"-{package.release}" if package.release else ""
    return f"{epoch}{package.version}{release}"


def digest(report: Report) -> tuple[str | None, bool]:
    """Return a digest of an image's packages, and whether the scan has a list of them.

    Without a list they are the packages with findings; with neither there is no digest.
    """
    results = report.results or []
    is_known = any(result.packages is not None for result in results)
    if is_known:
        packages = {
            (package.name or "", version(package) or "", result.type or "")
            for result in results
            for package in result.packages or []
        }
    else:
        packages = {
            (found.pkg_name or "", found.installed_version or "", result.type or "")
            for result in results
            for found in result.vulnerabilities or []
        }
    return of(packages), is_known


def of(packages: Iterable[tuple[str, str, str]]) -> str | None:
    """Return the digest of packages, each with its version and type; of none there is none."""
    listed = "\n".join("\t".join(package) for package in sorted({*packages}))
    return f"sha256:{hashlib.sha256(listed.encode()).hexdigest()}" if listed else None


def hashes(*columns: pd.Series) -> np.ndarray:
    """Return a 64-bit hash of each row of columns that tell a package, such as name and version."""
    texts = {place: column.astype("str").fillna("") for place, column in enumerate(columns)}
    found: np.ndarray = pd.util.hash_pandas_object(pd.DataFrame(texts), index=False).to_numpy()
    return found
