"""A kind of file, and one input of it: what a reader does with it, and whether that is right."""

import gzip
import json
import os
import resource
import signal
import time
import traceback
import unicodedata
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

from helpers.errors import FileInvalid, KitError

MOST_SECONDS, MOST_BYTES = 2.0, 500_000_000
"""What a file of a few kB may take of the processor, and of memory."""

LONGEST_MESSAGE = 2_000

_KILOBYTE = 1024
"""Unit of Linux's `ru_maxrss`."""

T = TypeVar("T")

Check = Callable[[Path, Random], None]
"""Reads a file and compares what it has with a count of its own; raises `Wrong` if they differ.

The kit's errors go through: the file is refused.
"""


class Kind(NamedTuple):
    """How a file of a kind is made, and how it is read.

    `name` is that of the file, which errors have to tell; or else they tell `told`. Of inputs a
    kind gets a share by its `weight`: more if much depends on it, less if it takes long.
    """

    mutant: Callable[[Random], bytes]
    check: Check
    name: str = "input.json"
    told: str | None = None
    weight: float = 2.0


class Wrong(AssertionError):
    """What is read differs from what is there, or cannot be taken by the next step."""


class TooLong(BaseException):
    """A reader that does not come to an end. No error, which a reader might catch."""


class Outcome(NamedTuple):
    """What became of an input: `wrong` is empty if all is right."""

    accepted: bool
    wrong: str
    seconds: float


def trial(kind: Kind, seed: str, folder: Path) -> Outcome:
    """Make the input of a seed in a folder, read it, and judge."""
    random = Random(seed)
    path = folder / kind.name
    path.write_bytes(kind.mutant(random))
    memory, start = _memory(), time.process_time()
    accepted, wrong = False, ""
    environment = dict(os.environ)
    try:
        kind.check(path, random)
        accepted = True
    except KitError as error:
        wrong = message_problem(error, path.name, kind.told)
    except TooLong:
        wrong = "".join(["it takes too long\n", *traceback.format_exc().splitlines(True)[-24:]])
    except Exception:
        wrong = traceback.format_exc()
    finally:
        # Some kinds have a data folder of their own.
        os.environ.clear()
        os.environ.update(environment)
    seconds, grown = time.process_time() - start, _memory() - memory
    if not wrong and seconds > MOST_SECONDS:
        wrong = f"it takes {seconds:.1f} s"
    if not wrong and grown > MOST_BYTES:
        wrong = f"it takes {grown:,} bytes"
    return Outcome(accepted, wrong, seconds)


def message_problem(error: KitError, name: str, told: str | None = None) -> str:
    """Return what is wrong with the message of an error; nothing if it is as it should be."""
    message = str(error)
    odd = [c for c in message if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    if odd:
        return f"characters that nobody sees in a message, {odd[:4]}: {message!r:.600}"
    if len(message) > LONGEST_MESSAGE:
        return f"a message of {len(message):,} characters: {message:.200}"
    if name not in message and (told is None or told not in message):
        return f"a message without the file's name: {message}"
    if isinstance(error, FileInvalid) and not (error.problem and error.remedy):
        return f"a message without a problem or a remedy: {message}"
    return ""


def tried(name: str, read: Callable[[], T]) -> T | None:
    """Return what a reader returns; `None` if it refuses a file with a message that has a name."""
    try:
        return read()
    except KitError as error:
        if problem := message_problem(error, name):
            raise Wrong(problem) from error
        return None


def stop_after(seconds: float) -> None:
    """Raise `TooLong` where an input takes that much of the processor; 0 takes it back."""
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _too_long(number: int, frame: Any) -> None:
    raise TooLong


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTE


def same(what: str, read: object, counted: object) -> None:
    """Raise `Wrong` if what a reader says differs from a count of our own."""
    if read != counted:
        raise Wrong(f"{what}: read {read!r:.300}, counted {counted!r:.300}")


def plain_json(content: bytes) -> Any:
    """Return the JSON in a file's bytes, decoded by Python's own library alone.

    What is wrong in a text that nobody reads is of no account: `strict` and bytes that are no text.
    """
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    text = content.decode(json.detect_encoding(content), "replace")
    return json.loads(text, strict=False, parse_int=_number)


def _number(digits: str) -> float:
    """Return a number of any length; Python refuses those of more than 4,300 digits."""
    return int(digits) if len(digits) < 40 else float(digits)
