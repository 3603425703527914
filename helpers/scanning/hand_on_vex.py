"""VEX documents that a capture is given: read and checked before anything is captured."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from helpers import frames, given_file, paths
from helpers.errors import VexInvalid
from helpers.scanning import scan_input
from helpers.studies import load
from helpers.studies.study import Study
from helpers.vex import evidence
from helpers.vex.evidence import CYCLONEDX, Vex
from helpers.vex.statement import Document


class Given(NamedTuple):
    """A document as Trivy gets it, its text unzipped, and what is in it."""

    text: bytes
    vex: Vex

    @property
    def document(self) -> Document:
        """Return what is known of the document."""
        return self.vex.documents[0]


def given(study: Study, files: Sequence[Path] = ()) -> list[Given]:
    """Return the documents of a study, and those of other files.

    Raises `VexInvalid` for a file that cannot be read or is no document, for two of one name, and
    for one that Trivy cannot use with the study's variants.
    """
    named = [*(paths.study(study.name) / name for name in study.vex), *files]
    kinds = {variant.kind for variant in study.variants}
    found: dict[str, Given] = {}
    for path in dict.fromkeys(path.absolute() for path in named):
        content = given_file.read(path, evidence.MAX_BYTES, VexInvalid)
        name = paths.shown(Path(path.name.removesuffix(".gz") or path.name))
        if name in found:
            raise VexInvalid(path, f"a second document is named {name}", "Rename one of them")
        try:
            text = evidence.unzipped(content, name)
            found[name] = Given(text, evidence.parse(text, name))
        except VexInvalid as error:
            raise VexInvalid(path, error.problem, error.remedy) from error
        if kinds == {"report"}:
            problem = "a study of reports cannot use VEX, because the kit does not scan them again"
            raise VexInvalid(path, problem, "Pass it to the scanner that makes the reports")
        if found[name].document.format == CYCLONEDX and not kinds <= {"sbom", "report"}:
            problem = "Trivy uses CycloneDX VEX for SBOMs only, and this study has images"
            raise VexInvalid(path, problem, "Convert it to OpenVEX")
    return [*found.values()]


def settings(documents: Iterable[Given]) -> dict[str, str]:
    """Return what changes a variant's evidence: the digests of the documents, with their names."""
    digests = [f"{each.document.sha256} {each.document.name}" for each in documents]
    return {"vex": "\n".join(digests)} if digests else {}


def keep(documents: Collection[Given], folder: Path, sbom: Path | None = None) -> None:
    """Store documents beside a variant's report, with what they say of the ids that it has."""
    if documents:
        found = load.load_reports(folder / paths.REPORT).findings
        known = evidence.about(
            (each.vex for each in documents),
            frames.ids(found),
            _subject(sbom) if sbom else "",
        )
        evidence.write(folder / paths.VEX, known)


def _subject(sbom: Path) -> str:
    """Return the image that a CycloneDX SBOM is of: its package URL, else its name."""
    component = scan_input.component(sbom)
    return component.purl or (component.name if component.type == "container" else "")
