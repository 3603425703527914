"""Descriptions of ELF files, by their program headers alone."""

import io
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from helpers.images.elf import MAX_NEEDED, Elf, describe
from tests.support.image_archives import elf, flipped

LOADER = "/lib64/ld-linux-x86-64.so.2"
NEEDED = ("libm.so.6", "libc.so.6")
KINDS = ("executable", "static", "shared", "object", "other")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
def test_every_width_and_byte_order(wide: bool, order: str) -> None:
    content = elf(3, LOADER, NEEDED, pie=True, wide=wide, order=order)
    assert describe(content) == Elf("executable", LOADER, NEEDED)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (elf(2, LOADER), "executable"),
        (elf(2), "static"),
        (elf(3, LOADER), "executable"),
        (elf(3, LOADER, pie=True, soname="both"), "executable"),
        (elf(3, pie=True), "static"),
        (elf(3, soname="libc.so.6"), "shared"),
        (elf(3), "shared"),
        (elf(3, LOADER, soname="libc.so.6"), "shared"),
        (elf(1), "object"),
        (elf(4), "other"),
    ],
    ids=str,
)
def test_kind(content: bytes, kind: str) -> None:
    found = describe(content)
    assert found
    assert found.kind == kind


def test_other_files_and_cut_headers_are_no_elf_files() -> None:
    whole = elf(3, LOADER, NEEDED)
    of_no_width = whole[:4] + b"\x03" + whole[5:]
    others = (b"", b"\x7fELF", b"#!/bin/sh\n" * 9, whole[:51], b"\x7fELF" + b"\xff" * 99)
    for content in (*others, of_no_width):
        assert describe(content) is None
    assert describe(whole[:64]) == Elf("shared"), "segments outside the file count as absent"


@given(
    st.one_of(
        st.binary(max_size=300).map(lambda rest: b"\x7fELF\x02\x01" + rest),
        st.builds(
            lambda at, new, wide: flipped(elf(3, LOADER, NEEDED, wide=wide), [(at, new)]),
            st.integers(0, len(elf(3, LOADER, NEEDED))),
            st.binary(min_size=1, max_size=8),
            st.booleans(),
        ),
    )
)
def test_any_bytes_are_described_or_refused(content: bytes) -> None:
    found = describe(content)
    assert found is None or found.kind in KINDS


def test_files_of_this_machine_are_described_as_by_pyelftools() -> None:
    elffile = pytest.importorskip("elftools.elf.elffile", reason="pyelftools is not installed")
    compared = 0
    for path in sorted([*Path("/usr/bin").glob("*"), *Path("/usr/lib").glob("*/*.so*")]):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > 2**24:
            continue
        content = path.read_bytes()
        if content[:4] != b"\x7fELF":
            continue
        interpreter, needed = "", list[str]()
        for segment in elffile.ELFFile(io.BytesIO(content)).iter_segments():
            if segment["p_type"] == "PT_INTERP":
                interpreter = segment.get_interp_name()
            if segment["p_type"] == "PT_DYNAMIC":
                needed = [t.needed for t in segment.iter_tags() if t.entry.d_tag == "DT_NEEDED"]
        found = describe(content)
        assert found
        assert (found.interpreter, list(found.needed)) == (interpreter, needed), path
        compared += 1
        if compared == 200:
            break
    if not compared:
        pytest.skip("there are no ELF files here")


def test_needed_libraries_have_a_limit() -> None:
    found = describe(elf(3, needed=tuple(f"lib{n}.so" for n in range(MAX_NEEDED + 9))))
    assert found
    assert len(found.needed) == MAX_NEEDED
