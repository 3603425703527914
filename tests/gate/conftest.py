"""What the gate's tests share: pairs of reports, loaded and judged."""

from typing import Any

from tests.conftest import finding, trivy

LODASH = {
    "Name": "lodash",
    "Version": "4.17.10",
    "FilePath": "app/node_modules/lodash/package.json",
}


def listing(*found: dict[str, Any], packages: str = "openssl 3.0.1", **fields: Any) -> Any:
    """A report with findings, and the packages that are installed; empty: it lists none."""
    report = trivy(*found, Trivy={"Version": "0.76.0"}, **fields)
    named = [package.split() for package in packages.split(", ") if package]
    if named:
        listed = [{"Name": name, "Version": version} for name, version in named]
        report["Results"][0]["Packages"] = listed
    return report


def with_app(report: Any, *packages: dict[str, Any], **fields: Any) -> Any:
    """The report with packages of Node.js, each with one finding that can be fixed."""
    found = [
        finding(
            100,
            PkgName=each["Name"],
            InstalledVersion=each["Version"],
            PkgPath=each["FilePath"],
            FixedVersion="4.17.21",
            **fields,
        )
        for each in packages
    ]
    kind = {"Target": "Node.js", "Class": "lang-pkgs", "Type": "node-pkg"}
    report["Results"].append({**kind, "Packages": list(packages), "Vulnerabilities": found})
    return report
