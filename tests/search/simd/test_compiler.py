"""Kernels on disk: used when they are ours and whole, else compiled again with a warning at most."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

llvm = pytest.importorskip("llvmlite.binding", reason="llvmlite is not installed: pip install 'pyerlcoin[simd]'")

from pyerlcoin.search.simd.compiler import Compiler, Target, host  # noqa: E402 - only where llvmlite is

ANSWER = "define i64 @answer() {\nret i64 42\n}"
OTHER = "define i64 @answer() {\nret i64 43\n}"


def answer(compiler: Compiler, text: str = ANSWER) -> int:
    import ctypes

    return int(ctypes.CFUNCTYPE(ctypes.c_int64)(compiler.address("answer", text))())


def compilers(directory: Path) -> Compiler:
    return Compiler(host()[0], directory)


def kept(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "a" / "kernels"


def test_kept_privately_and_used_again(
    directory: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not compilers(directory).is_cached("answer", ANSWER)
    assert answer(compilers(directory)) == 42
    assert compilers(directory).is_cached("answer", ANSWER)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert len(kept(directory)) == 1

    parse = llvm.parse_assembly
    monkeypatch.setattr(llvm, "parse_assembly", lambda text: parse("" if not text else pytest.fail("compiled again")))
    assert answer(compilers(directory)) == 42
    assert caplog.records == []


def test_another_module_processor_or_compiler_is_another_file(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, _ = host()
    assert answer(Compiler(target, directory)) == 42
    assert answer(Compiler(target, directory), OTHER) == 43
    assert answer(Compiler(Target("x86-64" if "x86" in target.triple else "generic", ""), directory)) == 42
    monkeypatch.setattr("llvmlite.__version__", "0.0")
    assert answer(Compiler(target, directory)) == 42
    assert len(kept(directory)) == 4


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "foreign", "garbage"])
def test_a_broken_or_foreign_file_is_compiled_again(
    directory: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert answer(compilers(directory)) == 42
    (path,) = kept(directory)
    whole = path.read_bytes()
    if damage == "foreign":
        path.unlink()
        assert answer(compilers(directory), OTHER) == 43
        (foreign,) = kept(directory)
        foreign.rename(path)
    else:
        flipped = whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:]
        path.write_bytes({"empty": b"", "cut": whole[:-1], "flipped": flipped, "garbage": os.urandom(5000)}[damage])
    with caplog.at_level(logging.WARNING):
        assert answer(compilers(directory)) == 42
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert path.read_bytes() == whole


@pytest.mark.skipif(os.name == "nt", reason="modes of directories are POSIX's")
def test_a_directory_that_others_can_write_to_is_not_trusted(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    directory.mkdir(parents=True)
    directory.chmod(0o777)
    assert answer(compilers(directory)) == 42
    assert kept(directory) == []
    assert ["alone" in record.message for record in caplog.records] == [True]


def test_no_directory_is_no_disaster(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a directory")
    assert answer(compilers(occupied / "kernels")) == 42
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_directory_that_cannot_be_looked_into_holds_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    unreadable = compilers(tmp_path / ("x" * 300))  # for root, too
    assert not unreadable.is_cached("answer", ANSWER)
    assert answer(unreadable) == 42
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_what_llvm_does_not_understand(directory: Path) -> None:
    with pytest.raises(RuntimeError):
        compilers(directory).address("answer", "define nonsense")
