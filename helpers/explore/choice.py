"""What is looked at in the explore notebook: as a value, as a text, and as code."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from helpers.errors import ParameterInvalid
from helpers.frames import SEVERITIES
from helpers.text.i18n import msg
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import EVER, FINDINGS, PLAIN, SCANNER, Lens

SEVERITY, OVERLAP, GROWTH = "severity", "overlap", "growth"
PICTURES = {
    SEVERITY: msg("How severe?"),
    OVERLAP: msg("In which images?"),
    GROWTH: msg("Since when?"),
}
"""The pictures, by what each asks: the method of a `Comparison` that answers with it."""

_KEYS = (
    *("capture", "beside", "images", "count", "fixable", "severity", "known_by", "place"),
    *("severities", "package", "exploited", "epss", "suppressed", "show"),
)


class Choice(NamedTuple):
    """What is looked at: images, a lens, and a picture.

    `beside` are captures of other studies, as `study/capture`. `variants` are the images that are
    looked at; `None` is all of them.
    """

    study: str
    capture: str
    beside: tuple[str, ...] = ()
    variants: tuple[str, ...] | None = None
    lens: Lens = PLAIN
    show: str = SEVERITY


def as_text(choice: Choice, known_by: str) -> str:
    """Return a choice as a text that `from_text` reads; `known_by` is the study's own day.

    What is as it is at first is left out, and so is the study.
    """
    lens = choice.lens
    given = {
        "capture": choice.capture,
        "beside": ",".join(choice.beside),
        "images": None if choice.variants is None else ",".join(choice.variants),
        "count": "" if lens.counted == FINDINGS else lens.counted,
        "fixable": "1" if lens.fixable else "",
        "severity": "" if lens.severity == SCANNER else lens.severity,
        "known_by": "" if lens.known_by == known_by else lens.known_by or EVER,
        "place": lens.place,
        "severities": None if lens.severities == SEVERITIES else ",".join(lens.severities),
        "package": lens.package,
        "exploited": "1" if lens.exploited else "",
        "epss": str(lens.epss) if lens.epss else "",
        "suppressed": "1" if lens.suppressed else "",
        "show": "" if choice.show == SEVERITY else choice.show,
    }
    # No image and no severity are choices too.
    kept = {key: value for key, value in given.items() if value or (
        value == "" and key in ("images", "severities")
    )}  # fmt: skip
    return "&".join(f"{key}={quote(value or '', safe=',/')}" for key, value in kept.items())


def from_text(study: str, text: str, known_by: str) -> Choice:
    """Return the choice of a study that a text says; what it does not say is as it is at first.

    That is the default capture, whose name is empty, the day that is given, every image and every
    finding. Raises `ParameterInvalid` for a text that says something else.
    """
    try:
        said = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)))
    except ValueError as error:
        raise ParameterInvalid(f"view {text!r} is not key=value&key=value: {error}") from error
    for key in said:
        if key not in _KEYS:
            raise ParameterInvalid(f"view: {key!r} is none of {', '.join(_KEYS)}")
    show = said.get("show", SEVERITY)
    if show not in PICTURES:
        raise ParameterInvalid(f"view: show {show!r} is none of {', '.join(PICTURES)}")
    chosen = _listed(said.get("severities", ",".join(SEVERITIES)))
    lens = Lens(
        said.get("count", FINDINGS),
        _flag(said, "fixable"),
        said.get("severity", SCANNER),
        lenses.day(said["known_by"]) if "known_by" in said else known_by,
        said.get("place", ""),
        (*(s for s in SEVERITIES if s in chosen), *(s for s in chosen if s not in SEVERITIES)),
        said.get("package", ""),
        exploited=_flag(said, "exploited"),
        epss=_score(said.get("epss", "0")),
        suppressed=_flag(said, "suppressed"),
    )
    return Choice(
        study,
        said.get("capture", ""),
        _listed(said.get("beside", "")),
        _listed(said["images"]) if "images" in said else None,
        lenses.checked(lens),
        show,
    )


def code(
    choice: Choice,
    known_by: str,
    reports: Sequence[str] = (),
    pressed: Sequence[str] = (),
    **opening: object,
) -> str:
    """Return lines of Python that make this very view in a notebook.

    `known_by` is the study's own day, `reports` the names of files that stand beside it, `pressed`
    the lines that choose the rows of a part of the picture, `opening` what `Comparison` is given
    besides.
    """
    lens = choice.lens
    given = [choice.study, choice.capture]
    lines = [
        "from helpers import Comparison",
        "",
        f"c = Comparison({_arguments(given, opening)})",
    ]
    if choice.beside or reports:
        if reports:
            lines.append("# The path of each report that was dropped:")
        lines.append(f"c = c.beside({_arguments([*choice.beside, *reports])})")
    if choice.variants is not None:
        lines.append(f"c = c.only({_arguments(choice.variants)})")
    changed = {
        "lens": lens.counted if lens.counted != FINDINGS else None,
        "fixable": lens.fixable or None,
        "severity": lens.severity if lens.severity != SCANNER else None,
        "known_by": (lens.known_by or EVER) if lens.known_by != known_by else None,
        "place": lens.place or None,
        "severities": [*lens.severities] if lens.severities != SEVERITIES else None,
        "package": lens.package or None,
        "exploited": lens.exploited or None,
        "epss": lens.epss or None,
        "suppressed": lens.suppressed or None,
    }
    kept = {name: value for name, value in changed.items() if value is not None}
    if kept:
        lines.append(f"c = c.counting({_arguments((), kept)})")
    if choice.show == GROWTH and lens.known_by:
        lines.append('findings = c.through(c.lens._replace(known_by="")).counted_findings')
    else:
        lines.append("findings = c.counted_findings")
    return "\n".join([*lines, *pressed, f"c.{choice.show}()"])


def _arguments(given: Iterable[object], named: Mapping[str, object] | None = None) -> str:
    words = [*map(repr, given), *(f"{name}={value!r}" for name, value in (named or {}).items())]
    return ", ".join(words)


def _flag(said: Mapping[str, str], key: str) -> bool:
    text = said.get(key, "0")
    if text not in ("0", "1"):
        raise ParameterInvalid(f"view: {key} {text!r} is none of 0, 1")
    return text == "1"


def _score(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ParameterInvalid(f"view: epss {text!r} is no number") from error


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)
