"""Questions about the attack surface, and what the scanner does not see of it."""

from helpers.notebook.question import question
from helpers.notebook.subject import Subject
from helpers.surface import attack_surface, dynamic_linking, exposure, scan_coverage


class Surface(Subject):
    """What does an attacker find in each image, and what does the scanner not see?"""

    tools = question("What can an attacker use?", attack_surface.answer)
    tools_evidence = question("Where are these files?", attack_surface.evidence_answer)
    c_library = question("Which C library do programs use?", dynamic_linking.libc_answer)
    unloadable = question(
        "Which files lack a loader or a library?", dynamic_linking.unloadable_answer
    )
    coverage = question("How much was scanned?", scan_coverage.answer)
    coverage_in_brief = question(
        "How much of each image was scanned, in one line?", scan_coverage.brief_answer
    )
    coverage_by_image = question("How much of each image is counted?", scan_coverage.totals_answer)
    not_scanned = question(
        "Which executables and libraries were not scanned?", scan_coverage.dark_answer
    )
    executables = question("Do more executables mean more vulnerabilities?", exposure.answer)
    totals = question(
        "How many executables, libraries and vulnerabilities does each image have?",
        exposure.totals_answer,
    )
    packages = question(
        "Which packages are vulnerable, and what did they install?", exposure.packages_answer
    )
    listing = question(
        "What did each affected package install, and does the app need it?",
        exposure.listing_answer,
    )
    slimmer = question("What would a slimmer image remove?", exposure.slimmer_answer)
    limits = question("What was not checked?", attack_surface.limits_answer)
