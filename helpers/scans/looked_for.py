"""Whether a report shows that its scanner looked for vulnerabilities."""

from helpers.scans.trivy_schema import Report

REMEDY = (
    "the report does not show that vulnerabilities were looked for: scan again with --scanners vuln"
)
"""What is said of a report that may be of a scan for something else."""

LIST_REMEDY = "it is read as a package list: scan it with `trivy sbom --format json`"
"""What is said of an SBOM, which says nothing of vulnerabilities."""

OS_TYPES = frozenset(
    "alma alpine amazon azurelinux bottlerocket cbl-mariner centos chainguard coreos debian echo "
    "fedora minimos opensuse opensuse-leap opensuse-tumbleweed opensuse.leap opensuse.tumbleweed "
    "oracle photon redhat rocky seal slem sles suse ubuntu wolfi".split()
) | {"suse linux enterprise server", "suse linux enterprise micro"}
"""Result types that are operating systems (Trivy's `ftypes.OSType`)."""

_NO_ADVISORIES = frozenset({"fedora"})
"""Those for which Trivy has no advisories, and writes no result."""

_OTHER_CLASSES = frozenset({"config", "custom", "license", "license-file", "secret"})
"""Result classes that hold no packages and no vulnerabilities."""


def looked_for(report: Report) -> bool:
    """Return whether a report shows that vulnerabilities were looked for.

    Grype looks for nothing else. A report of Trivy's does not name its scanners. One that found
    vulnerabilities looked for them, and so did one that says that a system has ended: no other
    scanner fills that in. Without both:

    - results of packages stand beside those of secrets, licences or misconfigurations: with lists
      of packages, which any scanner writes, it cannot be told, so it is not shown; without lists,
      Trivy writes such results for vulnerabilities alone;
    - there are only results of packages: it was clean, for all that one report can tell;
    - there is no result of packages: Trivy would have written one for a system that it knows.
    """
    if report.is_list:
        return False
    if report.scanner != "trivy":
        return True
    results = report.results or []
    system = report.metadata and report.metadata.os
    if (system and system.eosl) or any(each.vulnerabilities or each.suppressed for each in results):
        return True
    of_packages = [each for each in results if each.result_class not in _OTHER_CLASSES]
    if not of_packages:
        family = (system and system.family) or ""
        return not results and (family in _NO_ADVISORIES or family not in OS_TYPES)
    return len(of_packages) == len(results) or not any(each.packages for each in of_packages)
