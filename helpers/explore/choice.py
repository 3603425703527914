"""What is looked at in the explore notebook: as a value, as a text, and as code."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

from helpers.errors import ParameterInvalid
from helpers.text.i18n import msg
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import EVER, FIELDS, PLAIN, Lens

SEVERITY, OVERLAP, GROWTH = "severity", "overlap", "growth"
PICTURES = {
    SEVERITY: msg("How severe?"),
    OVERLAP: msg("In which images?"),
    GROWTH: msg("Since when?"),
}
"""The pictures, by what each asks."""

ASKED = {
    SEVERITY: "vulnerabilities.severity",
    OVERLAP: "vulnerabilities.overlap",
    GROWTH: "history.growth",
}
"""The question of a `Comparison` that each picture answers."""

_KEYS = ("capture", "beside", "images", *(field.key for field in FIELDS.values()), "show")


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
    given = {
        "capture": choice.capture or None,
        "beside": ",".join(choice.beside) or None,
        "images": None if choice.variants is None else ",".join(choice.variants),
        **{FIELDS[name].key: _text(value) for name, value in _asked(choice.lens, known_by).items()},
        "show": None if choice.show == SEVERITY else choice.show,
    }
    # No image and no severity are choices too.
    kept = {key: value for key, value in given.items() if value is not None}
    return "&".join(f"{key}={quote(value, safe=',/')}" for key, value in kept.items())


def _asked(lens: Lens, known_by: str) -> dict[str, Any]:
    """Return the fields in which a lens is not as at first, by name; no day is `ever`."""
    changed = lenses.changed(lens, PLAIN._replace(known_by=known_by))
    return {name: value or EVER if name == "known_by" else value for name, value in changed.items()}


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else "1" if value is True else str(value)


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
            raise ParameterInvalid(f"view: {key!r} is not one of {', '.join(_KEYS)}")
    show = said.get("show", SEVERITY)
    if show not in PICTURES:
        raise ParameterInvalid(f"view: show {show!r} is not one of {', '.join(PICTURES)}")
    lens = PLAIN._replace(known_by=known_by)
    for name, field in FIELDS.items():
        if field.key in said:
            lens = lens._replace(**{name: _value(name, said[field.key])})
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
    mixed: bool = False,
    **style: object,
) -> str:
    """Return lines of Python that make this very view in a notebook.

    `known_by` is the study's own day, `reports` the names of files that stand beside it, `pressed`
    the lines that choose the rows of a part of the picture, `style` what `style` is given.
    """
    lens = choice.lens
    given = [choice.study, choice.capture]
    loaded = {"mixed": True} if mixed else {}
    styled = f".style({_arguments((), style)})" if style else ""
    lines = [
        "from helpers import Comparison",
        "",
        f"c = Comparison({_arguments(given, loaded)}){styled}",
    ]
    if choice.beside or reports:
        if reports:
            lines.append("# The path of each report that was dropped:")
        lines.append(f"c = c.with_images({_arguments([*choice.beside, *reports])})")
    if choice.variants is not None:
        lines.append(f"c = c.only({_arguments(choice.variants)})")
    kept = {
        FIELDS[name].parameter: [*value] if isinstance(value, tuple) else value
        for name, value in _asked(lens, known_by).items()
    }
    if kept:
        lines.append(f"c = c.where({_arguments((), kept)})")
    if choice.show == GROWTH and lens.known_by:
        lines.append('findings = c.where(known_by="ever").counted_findings')
    else:
        lines.append("findings = c.counted_findings")
    return "\n".join([*lines, *pressed, f"c.{ASKED[choice.show]}()"])


def _arguments(given: Iterable[object], named: Mapping[str, object] | None = None) -> str:
    words = [*map(repr, given), *(f"{name}={value!r}" for name, value in (named or {}).items())]
    return ", ".join(words)


def _value(name: str, text: str) -> Any:
    """Return the value of a lens's field that a text says. Raises `ParameterInvalid`."""
    field, first = FIELDS[name], getattr(PLAIN, name)
    match first:
        case bool():
            if text not in ("0", "1"):
                raise ParameterInvalid(f"view: {name} {text!r} must be 0 or 1")
            return text == "1"
        case float():
            try:
                return float(text)
            except ValueError as error:
                raise ParameterInvalid(f"view: {name} {text!r} is not a number") from error
        case tuple():
            chosen = _listed(text)
            return tuple(sorted(chosen, key=[*first, *chosen].index))
    return lenses.day(text) if field.is_day else text


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)
