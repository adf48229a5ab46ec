"""The modules: LLVM understands them, and they are what their type says."""

from __future__ import annotations

import ctypes
import hashlib
import os
import struct

import pytest

from pyerlcoin.search.simd.driver import absorb_type
from pyerlcoin.search.simd.generator import Shape, absorb, kernel
from pyerlcoin.search.simd.steps import INITIAL, Forms

pytest.importorskip("llvmlite", reason="llvmlite is not installed: pip install 'pyerlcoin[simd]'")
from llvmlite import binding as llvm

from pyerlcoin.search.simd.compiler import Compiler, host


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("word", [0, 7, 15])
@pytest.mark.parametrize("ternary", [False, True])
@pytest.mark.parametrize(("width", "streams"), [(16, 4), (8, 3), (4, 1), (32, 2)])
def test_llvm_takes_every_kernel(width: int, streams: int, ternary: bool, word: int, blocks: int) -> None:
    module = llvm.parse_assembly(kernel(Shape(width, streams, Forms(ternary)), word, blocks))
    module.verify()
    assert module.get_function("kernel").name == "kernel"


def test_the_same_shape_is_the_same_text() -> None:
    """The cache's key is the text."""
    shape = Shape(8, 3, Forms(ternary=False))
    assert kernel(shape, 3, 1) == kernel(shape, 3, 1)
    assert kernel(shape, 3, 1) != kernel(shape, 4, 1)
    assert str(shape) == "8x3 binary"
    assert shape.group == 24


@pytest.mark.parametrize(("rows", "blocks"), [(1, 1), (1, 5), (7, 1), (3, 2)])
def test_absorb_is_md5_of_whole_blocks(tmp_path: object, rows: int, blocks: int) -> None:
    compiler = Compiler(host()[0], tmp_path / "kernels")  # type: ignore[operator]
    run = absorb_type(compiler.address("absorb", absorb()))
    texts = [os.urandom(64 * blocks - 9) for _ in range(rows)]
    padded = [text + b"\x80" + struct.pack("<Q", 8 * len(text)) for text in texts]
    states = ctypes.create_string_buffer(16 * rows)
    run(b"".join(padded), rows, 64 * blocks, blocks, struct.pack("<4I", *INITIAL), ctypes.addressof(states))
    assert states.raw == b"".join(hashlib.md5(text).digest() for text in texts)
