"""The file system that an image's layers make, as overlayfs and container engines merge them.

A layer hides, by whiteouts, what lower layers have, and puts entries on top of what is left.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec import Struct

from helpers.errors import ArchiveInvalid
from helpers.images.elf import Elf
from helpers.images.package_db import MAX_LINKS

MAX_PATH = 4096
"""Most bytes of a path, as in Linux."""

HARDLINK = "hardlink"
IMPLICIT_MODE = 0o755

_WHITEOUT, _OPAQUE, _META = ".wh.", ".wh..wh..opq", ".wh..wh."

Fail = Callable[[str, str], ArchiveInvalid]
"""Makes an error of a path and of what is wrong with it."""


class Node(Struct, gc=False):
    """What a name stands for. Several names may stand for one: that is what a hard link is."""

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
    """A path of a layer and what is there; for a `HARDLINK` its target is another path."""

    path: str
    node: Node


def folder(layer: int, mode: int = IMPLICIT_MODE, uid: int = 0, gid: int = 0) -> Node:
    """Return a directory with nothing in it."""
    return Node("dir", layer, mode=mode, uid=uid, gid=gid, children={})


class Overlay:
    """A merged file system, to which layers are added from the lowest to the highest."""

    def __init__(self) -> None:
        self.root = folder(0)

    def add(self, layer: int, entries: list[Entry], fail: Fail) -> None:
        """Put a layer on top. Raises `fail`'s error for an entry that cannot be."""
        # All whiteouts come first, wherever they stand, for they only hide what is lower.
        kept = [e for e in entries if _WHITEOUT not in e.path or not self._hide(e.path, fail)]
        for path, node in kept:
            above, _, name = path.rpartition("/")
            children = self._folder(above, layer, path, fail)
            if node.kind == HARDLINK:
                children[name] = self._linked(node.target, layer, path, fail)
                continue
            before = children.get(name)
            if node.children is not None and before is not None and before.children is not None:
                node.children = before.children
            children[name] = node

    def walk(self) -> Iterator[Entry]:
        """Yield all paths but the root's, in no order."""
        ahead = [("", self.root)]
        while ahead:
            path, node = ahead.pop()
            for name, child in (node.children or {}).items():
                yield Entry(path + name, child)
                if child.children is not None:
                    ahead.append((f"{path}{name}/", child))

    def _hide(self, path: str, fail: Fail) -> bool:
        """Do what a whiteout says; return whether the path is one, or other AUFS metadata."""
        above, _, name = path.rpartition("/")
        if name == _OPAQUE:
            if (found := self._find(above)) and found.children is not None:
                found.children = {}
            return True
        if any(part.startswith(_META) for part in path.split("/")):
            return True
        if not name.startswith(_WHITEOUT):
            return False
        hidden = name.removeprefix(_WHITEOUT)
        if hidden in ("", ".", ".."):
            raise fail(path, "a whiteout of nothing")
        if (found := self._find(above)) and found.children is not None:
            found.children.pop(hidden, None)
        return True

    def _find(self, path: str) -> Node | None:
        """Return what a path stands for, following no link."""
        node = self.root
        for part in path.split("/") if path else ():
            found = (node.children or {}).get(part)
            if found is None:
                return None
            node = found
        return node

    def _linked(self, target: str, layer: int, path: str, fail: Fail) -> Node:
        """Return what a hard link is to."""
        above, _, name = target.rpartition("/")
        found = self._find(target) or self._folder(above, layer, path, fail).get(name)
        if found is None or found.children is not None:
            what = "nothing" if found is None else "a directory"
            raise fail(path, f"a hard link to {what} ({target})")
        return found

    def _folder(self, path: str, layer: int, of: str, fail: Fail) -> "dict[str, Node]":
        """Return what is in the directory at a path, which is made if need be.

        A symbolic link of the same layer is followed, but inside of the image; one of a lower layer
        is replaced: so do engines, which unpack each layer on its own.
        """
        stack = [self.root]
        ahead = path.split("/")[::-1]
        left = MAX_LINKS
        while ahead:
            part = ahead.pop()
            if part == "..":
                del stack[max(len(stack) - 1, 1) :]
            elif part not in ("", "."):
                children = stack[-1].children
                assert children is not None
                found = children.get(part)
                if found and found.kind == "symlink" and found.layer == layer:
                    left -= 1
                    if left < 0:
                        raise fail(of, "below a loop of symbolic links")
                    if found.target.startswith("/"):
                        del stack[1:]
                    ahead += found.target.split("/")[::-1]
                    continue
                if found is None or found.children is None:
                    found = children[part] = folder(layer)
                stack.append(found)
        assert stack[-1].children is not None
        return stack[-1].children
