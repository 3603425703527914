"""The merged file system of an image's layers, as overlayfs and container engines make it.

A layer first hides files of lower layers, by whiteouts, then puts its entries on top.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec import Struct

from helpers.errors import ArchiveInvalid
from helpers.images.elf import Elf
from helpers.images.package_db import MAX_LINKS

MAX_PATH = 4096
"""Maximum bytes of a path, as in Linux."""

MAX_MADE = 500_000
MAX_MADE_NAMES = 2**26
"""Maximum folders without an own entry, and letters of their paths."""

MAX_STEPS = 2**24
"""Maximum path parts looked up, including links' targets: 33 per entry."""

HARDLINK = "hardlink"
IMPLICIT_MODE = 0o755

_WHITEOUT, _OPAQUE, _META = ".wh.", ".wh..wh..opq", ".wh..wh."

Fail = Callable[[str, str], ArchiveInvalid]
"""Makes the error for a path and its problem."""


class Node(Struct, gc=False):
    """A file or directory. A hard-linked file is one node with several names."""

    kind: str
    layer: int
    size: int = 0
    mode: int = IMPLICIT_MODE
    uid: int = 0
    gid: int = 0
    target: str = ""
    elf: Elf | None = None
    version: str = ""
    content: bytes | None = None
    children: "dict[str, Node] | None" = None


class Entry(NamedTuple):
    """A path of a layer and its node; the target of a `HARDLINK` is another path."""

    path: str
    node: Node


def folder(layer: int, mode: int = IMPLICIT_MODE, uid: int = 0, gid: int = 0) -> Node:
    """Return an empty directory."""
    return Node("dir", layer, mode=mode, uid=uid, gid=gid, children={})


class Overlay:
    """A merged file system, to which layers are added from the lowest to the highest."""

    def __init__(self) -> None:
        self.root = folder(0)
        self._made, self._made_names, self._steps = MAX_MADE, MAX_MADE_NAMES, MAX_STEPS

    def add(self, layer: int, entries: list[Entry], fail: Fail) -> None:
        """Put a layer on top. Raises `fail`'s error for an impossible entry."""
        # Whiteouts come first, whatever their position: they hide lower layers only.
        kept = [e for e in entries if _WHITEOUT not in e.path or not self._hide(e.path, fail)]
        for path, node in kept:
            parent, _, name = path.rpartition("/")
            children = self._folder(parent, layer, path, fail)
            if node.kind == HARDLINK:
                children[name] = self._linked(node.target, layer, path, fail)
                continue
            before = children.get(name)
            if node.children is not None and before is not None and before.children is not None:
                node.children = before.children
            children[name] = node

    def walk(self) -> Iterator[Entry]:
        """Yield all paths except the root's, unordered."""
        ahead = [("", self.root)]
        while ahead:
            path, node = ahead.pop()
            for name, child in (node.children or {}).items():
                yield Entry(path + name, child)
                if child.children is not None:
                    ahead.append((f"{path}{name}/", child))

    def _hide(self, path: str, fail: Fail) -> bool:
        """Apply a whiteout; return whether the path is one, or other AUFS metadata."""
        parent, _, name = path.rpartition("/")
        if name == _OPAQUE:
            if (found := self._find(parent)) and found.children is not None:
                found.children = {}
            return True
        if any(part.startswith(_META) for part in path.split("/")):
            return True
        if not name.startswith(_WHITEOUT):
            return False
        hidden = name.removeprefix(_WHITEOUT)
        if hidden in ("", ".", ".."):
            raise fail(path, "a whiteout of nothing")
        if (found := self._find(parent)) and found.children is not None:
            found.children.pop(hidden, None)
        return True

    def _find(self, path: str) -> Node | None:
        """Return the node at a path, following no link."""
        node = self.root
        for part in path.split("/") if path else ():
            found = (node.children or {}).get(part)
            if found is None:
                return None
            node = found
        return node

    def _linked(self, target: str, layer: int, path: str, fail: Fail) -> Node:
        """Return the node that a hard link leads to."""
        parent, _, name = target.rpartition("/")
        found = self._find(target) or self._folder(parent, layer, path, fail).get(name)
        if found is None or found.children is not None:
            kind = "nothing" if found is None else "a directory"
            raise fail(path, f"a hard link to {kind} ({target})")
        return found

    def _folder(self, path: str, layer: int, entry: str, fail: Fail) -> "dict[str, Node]":
        """Return the children of the directory at a path, which is created if missing.

        A symbolic link of the same layer is followed within the image; one of a lower layer is
        replaced, as in engines, which unpack layers separately. `entry` is for the error.
        """
        stack = [self.root]
        ahead = path.split("/")[::-1]
        left, length = MAX_LINKS, 0
        while ahead:
            part = ahead.pop()
            length += len(part) + 1
            self._steps -= 1
            if self._steps < 0:
                raise fail(entry, f"paths and links of more than {MAX_STEPS:,} parts in all")
            if part == "..":
                del stack[max(len(stack) - 1, 1) :]
            elif part not in ("", "."):
                children = stack[-1].children
                assert children is not None
                found = children.get(part)
                if found and found.kind == "symlink" and found.layer == layer:
                    left -= 1
                    if left < 0:
                        raise fail(entry, "a path below a loop of symbolic links")
                    if found.target.startswith("/"):
                        del stack[1:]
                    ahead += found.target.split("/")[::-1]
                    continue
                if found is None or found.children is None:
                    self._made -= 1
                    self._made_names -= length
                    if self._made < 0 or self._made_names < 0:
                        problem = f"more than {MAX_MADE:,} folders that are only part of a path"
                        raise fail(entry, f"{problem}, or {MAX_MADE_NAMES:,} letters of these")
                    found = children[part] = folder(layer)
                stack.append(found)
        assert stack[-1].children is not None
        return stack[-1].children
