"""Mutants of documents and bytes: what a broken or hostile writer might leave in a file.

All is drawn from a `Random`, so that an input can be made again from its seed.
"""

import copy
import gzip
import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

_RAW = "\uf8ffraw{}\uf8ff"
"""Stands in a document for text that `json` does not write."""

RAW = (
    *("1e999", "-1e999", "1e-999", "NaN", "Infinity", "-Infinity"),
    *("-0", "-0.0", "0.1e1", "01", "+1"),
    *("9" * 5000, "-" + "9" * 5000, "1" + "0" * 400, "1." + "1" * 5000, "1e400", "2e308"),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x41"', '"\t"', '"\n"', "'x'", "nil"),
    *("[" * 900 + "]" * 900, "[" * 100_000, '{"a":' * 900 + "1" + "}" * 900, "", ",", "/**/1"),
)
"""JSON that is odd, or none."""

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 7, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63)),
    *(10**30, 0.5, -0.5, 1e300, 5e-324, [], {}, [[]], [None], [{}], {"": ""}, {"a": {"b": []}}),
)

TEXTS = (
    *("", " ", "\0", "a\0b", "\x1b[31mred", "\n", "a\nb", "\r", "\x7f", "\x85", "\u2028", "\ufeff"),
    *("\u202egnp.exe", "\u200b", "\ud800", "x\udcff", "é", "e\u0301", "\U0001f600", "\uffff"),
    *("None", "null", "NaN", "nan", "inf", "true", "0", "-1", "1e999", "9" * 400, "٣", "½"),
    *("/", "//", ".", "..", "../../etc/passwd", "/etc", "a/../b", "a//b", "a" * 300, "C:\\x"),
    *("=1+1", "@x", "-1", "$x$", "\\(x\\)", "<b>x</b>", "{x}", "%s", "`x`", "|", "a;b", "a,b", '"'),
    *("CVE-2021-1", "CVE-2021-44228", "cve-2021-44228", "GHSA-xxxx", "sha256:" + "a" * 64),
    *("CRITICAL", "critical", "UNKNOWN", "os-pkgs", "lang-pkgs", "debian", "x" * 10_000),
)

DATES = (
    *("0001-01-01T00:00:00Z", "0000-00-00", "0002-03-04T05:06:07Z", "9900-01-01T00:00:00Z"),
    *("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"),
    *("10000-01-01T00:00:00Z", "-2021-01-01", "2021-02-30", "2021-12-31T23:59:60Z", "2021-13-01"),
    *("2021-12-10", "2021-12-10T10:15:09", "2021-12-10T10:15:09.143Z", "2021-12-10T10:15:09+25:00"),
    *("2021-12-10T10:15:09.1234567890123Z", "1969-12-31T23:59:59Z", "2262-04-12T00:00:00Z"),
    *("1677-09-20T00:00:00Z", "Fri, 10 Dec 2021", "20211210", "1639131309", "2021-W50-5", "now"),
)

_IS_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Place = tuple[Any, Any]
"""A list or an object, and a place in it."""


def places(document: Any) -> list[Place]:
    """Return every place in a document, from the outside to the inside."""
    found: list[Place] = []
    todo = [document]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            found.append((node, key))
            if isinstance(node[key], dict | list):
                todo.append(node[key])
    return found


def alike(random: Random, old: Any) -> Any:
    """Return another value of the same type."""
    match old:
        case bool():
            return not old
        case int() | float():
            odd = (0, 1, -1, 2, old + 1, old * 2, 2**31, 2**32, 2**53, 2**63 - 1)
            return random.choice(odd if isinstance(old, int) else (*odd, old / 3, 0.5, 1e-9, 1e300))
        case str():
            return mixed(random, old) if random.random() < 0.5 else random.choice(TEXTS)
        case list():
            more = random.choices(old, k=random.randint(0, 3)) if old else []
            return [*old[1:], *copy.deepcopy(more)]
        case dict():
            return {name: old[name] for name in old if random.random() < 0.7}
    return random.choice((None, "", 0, {}, []))


def value(random: Random, old: Any) -> Any:
    """Return another value in place of one, half of the time of its type."""
    if random.random() < 0.5:
        return alike(random, old)
    match random.randrange(9):
        case 0:
            return _RAW.format(random.randrange(len(RAW)))
        case 1 | 2:
            return copy.deepcopy(random.choice(VALUES))
        case 3 | 4:
            return random.choice(TEXTS)
        case 5 if isinstance(old, str):
            return mixed(random, old)
        case 6 if isinstance(old, int | float) and not isinstance(old, bool):
            return random.choice((str(old), -old, old + 1, old * 10**9, float(old), [old]))
        case 7 if isinstance(old, dict):
            return [old, copy.deepcopy(old)]
        case 7 if isinstance(old, list):
            return old[0] if old else {"": old}
        case 7:
            return [old]
        case 8 if isinstance(old, dict | list):
            return {"x": old}
    return random.choice(DATES)


def mixed(random: Random, text: str) -> str:
    """Return a text with something odd in it."""
    if _IS_DATE.match(text):
        return random.choice(DATES)
    at = random.randint(0, len(text))
    return random.choice(
        (
            text[:at] + random.choice(TEXTS) + text[at:],
            text[:at],
            text[at:],
            text.upper(),
            text.lower(),
            text + " ",
            text * random.randint(2, 40),
        )
    )


def document(random: Random, seed: Any) -> Any:
    """Return a mutant of a JSON document: one to four places of it are others."""
    made = {"": copy.deepcopy(seed)}
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        _change(random, made)
    return made[""]


def _change(random: Random, made: dict[str, Any]) -> None:
    known = places(made)
    node, key = random.choice(known)
    old = node[key]
    match random.randrange(10):
        case 0:
            del node[key]
            if not made:
                made[""] = None
        case 1 if isinstance(node, dict) and node is not made:
            del node[key]
            node[random.choice((key.lower(), key.upper(), key + " ", key[:-1], "", *TEXTS))] = old
        case 2 if isinstance(node, list):
            node.insert(random.randint(0, len(node)), copy.deepcopy(old))
        case 2 if isinstance(old, list) and old:
            old.extend(copy.deepcopy(random.choices(old, k=random.choice((1, 2, 30)))))
        case 3:
            # Two of one key: which one counts?
            if isinstance(node, dict) and node is not made:
                node[f"{_DOUBLE}{random.randrange(10**6)}\uf8ff{key}"] = value(random, old)
        case 4:
            other, place = random.choice(known)
            if place in other if isinstance(other, dict) else place < len(other):
                # What is put into itself would have no end.
                node[key] = copy.deepcopy(other[place])
        case 5 if isinstance(old, list):
            random.shuffle(old)
        case 5 if isinstance(node, list) and len(node) > 1:
            node.pop(random.randrange(len(node)))
        case _:
            node[key] = value(random, old)


_DOUBLE = "\uf8ffdouble"
_DOUBLE_WRITTEN = re.compile(r"(?:\\uf8ff|\uf8ff)double\d+(?:\\uf8ff|\uf8ff)")
_RAW_WRITTEN = re.compile(r'"(?:\\uf8ff|\uf8ff)raw(\d+)(?:\\uf8ff|\uf8ff)"')


def written(random: Random, made: Any) -> bytes:
    """Return a document as JSON, in one of the ways in which writers write it."""
    ascii_only = random.random() < 0.5
    indent = 1 if random.random() < 0.2 else None
    text = json.dumps(made, ensure_ascii=ascii_only, indent=indent)
    if "uf8ff" in text or "\uf8ff" in text:
        text = _DOUBLE_WRITTEN.sub("", text)
        text = _RAW_WRITTEN.sub(lambda found: RAW[int(found[1]) % len(RAW)], text)
    return encoded(random, text)


_ENCODINGS = "utf-8-sig utf-16 utf-16-le utf-16-be utf-32 latin-1 cp1252 utf-7".split()


def encoded(random: Random, text: str) -> bytes:
    """Return a text in one of many encodings, mostly UTF-8."""
    encoding = "utf-8"
    if random.random() < 0.1:
        encoding = random.choice(_ENCODINGS)
    try:
        return text.encode(encoding, "surrogatepass")
    except UnicodeEncodeError:
        return text.encode(encoding, "replace")


def content(random: Random, given: bytes) -> bytes:
    """Return a mutant of a file's bytes."""
    if not given:
        return random.choice((b"\0", b" ", b"\n", b"{}"))
    at, end = sorted((random.randrange(len(given)), random.randrange(len(given))))
    odd = random.choice((b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\n", b'"', b"}", b"]", b"0"))
    ways: Sequence[Callable[[], bytes]] = (
        lambda: given[:at],
        lambda: given[:at],
        lambda: given[at:],
        lambda: given[:at] + given[end:],
        lambda: given[:end] + given[at:],
        lambda: given[:at] + odd + given[at:],
        lambda: given[:at] + odd * random.choice((1, 2, 512)) + given[at + 1 :],
        lambda: given[:at] + bytes([given[at] ^ (1 << random.randrange(8))]) + given[at + 1 :],
        lambda: given[:at] + random.randbytes(random.choice((1, 2, 8))) + given[at + 1 :],
        lambda: given + given,
        lambda: given + odd,
        lambda: odd + given,
        lambda: given.replace(b"\n", b"\r\n"),
    )
    return random.choice(ways)()


def wrapped(random: Random, given: bytes) -> bytes:
    """Return a file's bytes in something else: gzip, a list, beside a second one, with a mark."""
    ways: Sequence[Callable[[], bytes]] = (
        lambda: gzip.compress(given, 1, mtime=0),
        lambda: gzip.compress(given, 1, mtime=0),
        lambda: gzip.compress(gzip.compress(given, 1, mtime=0), 1, mtime=0),
        lambda: gzip.compress(given, 1, mtime=0)[: -random.randint(1, 12)],
        lambda: gzip.compress(given, 1, mtime=0) + b"x",
        lambda: gzip.compress(given[:9], 1, mtime=0) + gzip.compress(given[9:], 1, mtime=0),
        lambda: b"[" + given + b"]",
        lambda: b'{"x":' + given + b"}",
        lambda: given + b"\n" + given,
        lambda: b"\xef\xbb\xbf" + given,
        lambda: b" \n\t" * 50_000 + given,
        lambda: b"\0" + given,
    )
    return random.choice(ways)()


def finish(random: Random, given: bytes) -> bytes:
    """Return a file's bytes as they are, or seldom with other bytes in it or wrapped."""
    if random.random() < 0.08:
        given = content(random, given)
    if random.random() < 0.06:
        given = wrapped(random, given)
    return given


def of_json(random: Random, seeds: Sequence[Any]) -> bytes:
    """Return the file of a mutant of one of some JSON documents."""
    return finish(random, written(random, document(random, random.choice(seeds))))


def of_csv(random: Random, seeds: Sequence[Sequence[Sequence[str]]]) -> bytes:
    """Return the file of a mutant of one of some tables, given as rows of cells."""
    rows = [[*row] for row in random.choice(seeds)]
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        at = random.randrange(len(rows))
        row = rows[at]
        column = random.randrange(len(row) or 1)
        match random.randrange(9):
            case 0:
                rows.insert(at, [*row])
            case 1 if len(rows) > 1:
                rows.pop(at)
            case 2 if row:
                row.pop(column)
            case 3:
                row.append(random.choice(TEXTS))
            case 4:
                random.shuffle(row)
            case 5:
                row[column : column + 1] = [f'"{"".join(row[column : column + 1])}"']
            case 6 if row:
                row[column] = mixed(random, row[column])
            case _:
                odd = random.choice((TEXTS, RAW[:20], DATES))
                row[column : column + 1] = [random.choice(odd)]
    end = random.choice(("\n", "\n", "\n", "\n", "\r\n", "\r"))
    last = end if random.random() < 0.95 else ""
    separator = "," if random.random() < 0.97 else random.choice((";", "\t", " ,", ",,"))
    text = end.join(separator.join(row) for row in rows) + last
    return finish(random, encoded(random, text))


def of_lines(random: Random, seeds: Sequence[str], most: int = 3) -> bytes:
    """Return a mutant of one of some texts: some lines of it are others, twice or away."""
    lines = random.choice(seeds).split("\n")
    for _ in range(random.randint(1, most)):
        at = random.randrange(len(lines) or 1)
        match random.randrange(8):
            case 0:
                lines[at:at] = lines[at : at + random.randint(1, 4)] * random.choice((1, 2, 40))
            case 1:
                del lines[at : at + random.randint(1, 4)]
            case 2:
                random.shuffle(lines)
            case 3:
                lines[at:at] = [random.choice(TEXTS)]
            case 4 if lines:
                words = lines[at].split(" ")
                random.shuffle(words)
                lines[at] = " ".join(words)
            case 5 if lines:
                lines[at] = lines[at] * random.choice((2, 50))
            case _ if lines:
                lines[at] = mixed(random, lines[at])
    return finish(random, encoded(random, "\n".join(lines)))


_SETTING = re.compile(r"^(\s*[\w.-]+ = )(.*)$")


def of_toml(random: Random, seeds: Sequence[str]) -> bytes:
    """Return a mutant of one of some TOML texts: a value of it is another, or a line is."""
    if random.random() < 0.3:
        return of_lines(random, seeds)
    lines = random.choice(seeds).split("\n")
    settings = [(at, found) for at, line in enumerate(lines) if (found := _SETTING.match(line))]
    for at, found in random.choices(settings, k=random.choice((1, 1, 2, 3))):
        # JSON's texts, numbers and lists are TOML's as well; so are some of the odd ones.
        try:
            old = json.loads(found[2])
        except ValueError:
            old = found[2]
        made = value(random, old)
        text = RAW[random.randrange(len(RAW))] if random.random() < 0.1 else json.dumps(made)
        lines[at] = found[1] + _RAW_WRITTEN.sub(lambda raw: RAW[int(raw[1])], text)
        if random.random() < 0.1:
            lines.insert(at, lines[at])
    return finish(random, encoded(random, "\n".join(lines)))
