"""Values of environment variables and build arguments, which must not be in a build's output."""

from collections.abc import Iterable, Mapping
from typing import Any

from helpers.images import instructions, redact
from helpers.images.instructions import Instruction
from helpers.images.variables import assigned, fill


class Values:
    """The values that a build has set so far, of which `secrets` must not be shown.

    `arguments` are given to the build, `filled` are those that the builder fills in and no secret.
    """

    def __init__(
        self, arguments: Mapping[str, str], filled: Mapping[str, str] | None = None
    ) -> None:
        self.secrets: set[str] = set()
        self._arguments = arguments
        self._defaults = dict(filled or {})
        self._known: dict[str, str] = {}
        self._learn(arguments.items())

    def fill(self, text: str) -> str:
        """Return a text with its variables filled in."""
        return fill(text, self._known)

    def known(self) -> dict[str, str]:
        """Return the variables that are set."""
        return dict(self._known)

    def keep_as_defaults(self) -> None:
        """Keep what is known as the defaults of arguments that a stage declares without a value."""
        self._defaults |= self._known

    def begin_stage(self, known: Mapping[str, str]) -> None:
        """Forget what earlier stages set; `known` is what the new one begins with."""
        self._known = dict(known)

    def learn_image(self, image: Mapping[str, Any] | None) -> None:
        """Learn the values in an image's environment, and those that its triggers set."""
        config = (image or {}).get("Config") or {}
        self._learn(text.partition("=")[::2] for text in config.get("Env") or [])
        for instruction in triggers(image):
            self.learn_instruction(instruction)

    def learn_instruction(self, instruction: Instruction) -> None:
        """Learn the values that an instruction sets, also those composed of other values."""
        word, rest, _ = instruction.unwrapped()
        if word not in ("ENV", "ARG"):
            return
        for name, default in assigned(rest, word):
            value = self._arguments.get(name, default) if word == "ARG" else default
            if value is not None:
                self._learn([(name, value)])
                self._learn([(name, self.fill(value))])
            elif name in self._defaults:
                self._known[name] = self._defaults[name]

    def _learn(self, pairs: Iterable[tuple[str, str]]) -> None:
        for name, value in pairs:
            self._known[name] = value
            self.secrets.update(redact.values([f"{name}={value}"]))


def triggers(image: Mapping[str, Any] | None) -> list[Instruction]:
    """Return the instructions that an image gives to the builds on it (`ONBUILD`)."""
    texts = ((image or {}).get("Config") or {}).get("OnBuild") or []
    return [instruction for text in texts for instruction in instructions.read(text)]
