"""A fleet's frames on disk: parts in Parquet, what was read into each, and which images count.

`parts/<id>/` holds `fleet.parquet`, `images.parquet`, `findings.parquet`, `packages.parquet` and
`read.jsonl`, what was read into it. A part appears whole, by a rename, and its id is made of what
is in it: whoever writes it twice writes the same. `parts/counted.jsonl` says which images of which
parts count. It is replaced at the end of a run, so that readers see a run's result or the one
before. An image that was read twice, by whatever accident, counts in one part only.
"""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pandas as pd
from msgspec import Struct

from helpers import frames, paths, whole
from helpers.errors import FleetInvalid, KitError, disk_error
from helpers.fleet.partition import Partition, Reduction
from helpers.text.i18n import Message

FRAMES = ("fleet", "images", "findings", "packages")

PARTS, RECORD, COUNTED, PLACES = "parts", "read.jsonl", "counted.jsonl", "places.jsonl"
_LOCK = ".lock"

_FORMAT = 1


class Entry(Struct, array_like=True, frozen=True):
    """A scan that was read: where it lay and what it was then, and the image in the frames.

    `digest` is that of the file. `key` tells one image from all others: the digest of the scan's
    text, or, where more is known of it, of the text and that. `reason` says why a failed image has
    no findings.
    """

    place: str
    size: int
    stamp: str
    context: str
    digest: str
    key: str
    variant: str
    reason: str = ""

    @property
    def seen(self) -> tuple[str, int, str, str]:
        """What an unchanged scan has in common with this one."""
        return self.place, self.size, self.stamp, self.context


class Record(Struct):
    """What was read into a part, by which code, and the bytes of its files."""

    made_by: str
    sizes: dict[str, int]
    entries: list[Entry]


class Counted(Struct):
    """The images of a part that count, and where their scans lie now if they were moved.

    `variants` is `None` if all images of the part count.
    """

    variants: list[str] | None
    moved: dict[str, str]
    failed: int = 0
    images: int = 0


class Index(Struct):
    """Which images of which parts count."""

    parts: dict[str, Counted]


class Part(NamedTuple):
    """One part that is read: its folder and what counts of it."""

    folder: Path
    counted: Counted


class Store(NamedTuple):
    """The frames of a fleet as they count now."""

    folder: Path
    parts: tuple[Part, ...]

    @property
    def images(self) -> int:
        """The number of images that count, also failed ones."""
        return sum(part.counted.images for part in self.parts)

    @property
    def failed(self) -> int:
        """The number of images whose scan could not be read."""
        return sum(part.counted.failed for part in self.parts)


def open_store(name: str) -> Store:
    """Return a fleet's frames as the last run left them. Raises `FleetInvalid`."""
    folder = paths.fleet(name)
    path = folder / PARTS / COUNTED
    try:
        index = msgspec.json.decode(path.read_bytes(), type=Index)
    except FileNotFoundError:
        raise FleetInvalid(
            f"fleet {name!r} has not been read. Read it with: make fleet SCANS=… NAME={name}"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise damaged(path, error) from error
    parts = (Part(folder / PARTS / one, counted) for one, counted in sorted(index.parts.items()))
    return Store(folder, tuple(parts))


def damaged(path: Path, error: object) -> FleetInvalid:
    """Return the error of a part that cannot be read."""
    told = str(error).split("\n")[0]
    return FleetInvalid(f"{path}: damaged or removed ({told}). Run the fleet again to rebuild it")


def frame(part: Part | None, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Return some columns of a frame of a part, typed as in the data dictionary.

    Without a part, or without columns, it is empty. Raises `FleetInvalid`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if part is None or not columns:
        empty = frames.make(name, {})
        return empty[list(columns)] if columns else empty
    dtypes = {column.name: column.dtype for column in frames.dictionary()[name]}
    counted = part.counted
    places = {"file", "report"} & set(columns) if counted.moved else set()
    needed = list(columns)
    if (counted.variants is not None or places) and "variant" not in needed:
        needed.append("variant")
    path = part.folder / f"{name}.parquet"
    try:
        table = pq.read_table(path, columns=needed, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise damaged(path, error) from error
    if counted.variants is not None:
        table = table.filter(pc.is_in(table["variant"], pa.array(counted.variants)))
    read = table.to_pandas()
    typed = pd.DataFrame(
        {column: frames.plain(_typed(read[column], dtypes[column]).array) for column in needed},
        copy=False,
    )
    for column in places:
        moved = typed["variant"].map(counted.moved).astype(frames.TEXT)
        typed[column] = moved.fillna(typed[column])
    return typed[list(columns)]


def _typed(values: pd.Series, dtype: Any) -> pd.Series:
    if dtype is frames.SEVERITY:
        return values.astype(frames.TEXT).astype(dtype) if values.dtype != dtype else values
    if dtype == "object":
        decoded = [msgspec.json.decode(text) if isinstance(text, str) else None for text in values]
        told = [Message(one[0], **one[1]) if one else None for one in decoded]
        return pd.Series(told, dtype="object")
    return values if values.dtype == dtype else values.astype(dtype)


def to_table(name: str, made: pd.DataFrame) -> Any:
    """Return a frame as a PyArrow table."""
    import pyarrow as pa

    for column in frames.dictionary()[name]:
        if column.dtype == "object":
            told = [
                msgspec.json.encode((text.form, text.values)).decode()
                if isinstance(text, Message)
                else None
                for text in made[column.name]
            ]
            made = made.assign(**{column.name: pd.Series(told, dtype=frames.TEXT)})
    return pa.Table.from_pandas(made, preserve_index=False)


def write_part(folder: Path, entries: Sequence[Entry], made: Mapping[str, pd.DataFrame]) -> str:
    """Write a part whole or not at all; return its id. Raises `NoSpace` and `KitError`."""
    import pyarrow.parquet as pq

    made_by = code()
    keys = "\n".join(sorted(entry.key for entry in entries))
    name = hashlib.sha256(f"{made_by}\n{keys}".encode()).hexdigest()[:24]
    try:
        with whole.new_folder(folder / uuid.uuid4().hex) as staged:
            for frame_name, rows in made.items():
                pq.write_table(
                    to_table(frame_name, rows),
                    staged / f"{frame_name}.parquet",
                    compression="zstd",
                    compression_level=1,
                    write_page_checksum=True,
                )
            sizes = {path.name: path.stat().st_size for path in staged.iterdir()}
            record = Record(made_by, sizes, list(entries))
            (staged / RECORD).write_bytes(msgspec.json.encode(record))
            staged.rename(folder / name)
    except OSError as error:
        # Whoever was first has written the same.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise disk_error(error, folder) from error
    return name


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have a fleet's parts for oneself. Raises `FleetInvalid` if another run has them."""
    parts = folder / PARTS
    with ExitStack() as stack:
        try:
            parts.mkdir(parents=True, exist_ok=True)
            is_alone = stack.enter_context(whole.alone(parts / _LOCK, wait=False))
        except OSError as error:
            raise disk_error(error, parts) from error
        if not is_alone:
            raise FleetInvalid(
                f"{folder}: another run is reading this fleet. Wait until it ends, "
                "or use another NAME"
            )
        yield


def records(folder: Path) -> dict[str, Record]:
    """Return what was read into each part, by id; remove what is damaged, or made by other code.

    What killed runs left half-written is removed as well.
    """
    found = {}
    decoder = msgspec.json.Decoder(Record)
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    for name in names:
        path = folder / name
        with suppress(OSError, msgspec.MsgspecError):
            record = decoder.decode((path / RECORD).read_bytes())
            sizes = {file: (path / file).stat().st_size for file in record.sizes}
            is_whole = sizes == record.sizes and len(sizes) == len(FRAMES)
            if is_whole and record.made_by == code() and not name.startswith("."):
                found[name] = record
                continue
        shutil.rmtree(path, ignore_errors=True)
    return found


def tidy(folder: Path) -> None:
    """Remove what is half-written, unless another run writes."""
    with suppress(KitError), locked(folder):
        whole.clear_up(folder / PARTS, is_alone=True)


def count(folder: Path, current: Iterable[Entry], known: Mapping[str, Record]) -> None:
    """Write which images count: those of the current scans, each once. Removes all other parts.

    Raises `NoSpace` and `KitError`.
    """
    where: dict[str, tuple[str, Entry]] = {}
    for name in sorted(known):
        for entry in known[name].entries:
            where.setdefault(entry.key, (name, entry))
    now = list(current)
    lying: dict[str, set[str]] = {}
    for entry in now:
        lying.setdefault(entry.key, set()).add(entry.place)
    if missing := lying.keys() - where.keys():
        raise FleetInvalid(
            f"{folder}: {len(missing):,} images are missing after reading. Run the fleet again"
        )
    counted: dict[str, dict[str, Entry]] = {}
    moved: dict[str, dict[str, str]] = {}
    for key, there in lying.items():
        name, read = where[key]
        counted.setdefault(name, {})[read.variant] = read
        if read.place not in there:
            moved.setdefault(name, {})[read.variant] = min(there)
    parts = {
        name: Counted(
            None if len(images) == len(known[name].entries) else sorted(images),
            moved.get(name, {}),
            sum(bool(entry.reason) for entry in images.values()),
            len(images),
        )
        for name, images in counted.items()
    }
    _write(folder / PLACES, msgspec.json.encode(now))
    _write(folder / COUNTED, msgspec.json.encode(Index(parts)))
    for name in set(known) - set(parts):
        shutil.rmtree(folder / name, ignore_errors=True)


def places(folder: Path) -> list[Entry]:
    """Return the scans of the last run, each where it lay; none if that is not known."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((folder / PLACES).read_bytes(), type=list[Entry])
    return []


def _write(path: Path, text: bytes) -> None:
    try:
        whole.write(path, text)
    except OSError as error:
        raise disk_error(error, path) from error


@cache
def code() -> str:
    """Return a digest of the code that reads scans: parts of other code are made anew."""
    digest = hashlib.sha256(str(_FORMAT).encode())
    used = [paths.FRAMES, paths.HELPERS / "frames.py", paths.HELPERS / "fleet" / "batch.py"]
    used.append(paths.HELPERS / "fleet" / "table_parts.py")
    for folder in ("scans", "images", "studies", "exploitation", "vex"):
        used += sorted((paths.HELPERS / folder).glob("*.py"))
    for path in used:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def reduced(part: Part | None, reduction: Reduction) -> Any:
    """Return what a reduction keeps of a part; without one, of no images."""
    columns = reduction.columns
    return reduction.of(Partition(*(frame(part, name, columns.get(name, ())) for name in FRAMES)))
