"""What is counted, and which findings count once."""

import numpy as np
import pandas as pd

FINDINGS, VULNERABILITIES = "findings", "vulnerabilities"
PER_PACKAGE = "vulnerability-packages"
COUNTED = (FINDINGS, VULNERABILITIES, PER_PACKAGE)
"""What is counted: findings; vulnerabilities; vulnerabilities in distinct source packages.

Ids that name each other, as a CVE and a GHSA do, are one vulnerability."""

_IMAGE = ["capture", "variant", "scanner"]


def distinct(findings: pd.DataFrame, counted: str) -> pd.DataFrame:
    """Return the first row of each thing counted, in the order of the findings.

    That is one row an image and vulnerability, or one an image, vulnerability and source package.
    An unknown source package is replaced by the installed one.
    """
    return findings if counted == FINDINGS else findings[~_keys(findings, counted).duplicated()]


def highest(findings: pd.DataFrame, counted: str) -> pd.DataFrame:
    """Return one row of each thing counted: the finding with the highest severity."""
    if counted == FINDINGS:
        return findings
    order = np.argsort(-findings["severity"].cat.codes.to_numpy(), kind="stable")
    again = _keys(findings, counted).iloc[order].duplicated().to_numpy()
    return findings.iloc[np.sort(order[~again])]


def keys(findings: pd.DataFrame, counted: str) -> np.ndarray:
    """Return a number for each finding; findings with the same number count once."""
    if counted == FINDINGS:
        return np.arange(len(findings))
    keys = _keys(findings, counted)
    number = keys.groupby([*keys], dropna=False, observed=True).ngroup()
    return np.asarray(number, np.int64)


def _keys(findings: pd.DataFrame, counted: str) -> pd.DataFrame:
    """Return the columns that identify what counts once, a row a finding."""
    # A finding without an id equals no other.
    ids = findings["vulnerability"]
    if ids.isna().any():
        rows = pd.Series(range(len(findings)), index=findings.index).astype("str")
        ids = ids.where(ids.notna(), "row " + rows)
    keys = findings[_IMAGE].assign(id=ids)
    if counted == PER_PACKAGE:
        keys = keys.assign(source=findings["source_package"].fillna(findings["package"]))
    return keys
