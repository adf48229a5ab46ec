"""Compiles modules for this processor with llvmlite, and keeps the code on disk.

What is on disk is code that we will run, so it is kept in a directory that belongs to the user alone, and a file
counts only when it names the very compiler, processor and module that are asked for and its checksum holds.
Nothing here sets an option of LLVM's that is global to the process.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
from platformdirs import user_cache_path

__all__ = ["Compiler", "Target", "host"]

_log = logging.getLogger(__name__)

_MAGIC = b"pyerlcoin kernel 1\n"


class Target:
    """The processor to compile for, as LLVM names it."""

    def __init__(self, cpu: str, features: str) -> None:
        self.triple: str = llvm.get_process_triple()
        self.cpu = cpu
        self.features = features

    def __str__(self) -> str:
        return f"{self.triple} {self.cpu} {self.features}"


def host() -> tuple[Target, dict[str, bool]]:
    """This processor, and which features it has."""
    features = llvm.get_host_cpu_features()
    return Target(llvm.get_host_cpu_name(), features.flatten()), dict(features)


class Compiler:
    """Turns the text of a module into the address of its function. Thread-safe."""

    def __init__(self, target: Target, directory: Path | None = None) -> None:
        """`directory` is where the code is kept: below the user's cache directory, unless given."""
        self._target = target
        self._directory = directory or user_cache_path("pyerlcoin") / "kernels"
        self._lock = threading.Lock()
        self._engines: list[Any] = []  # the code lives as long as they do
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()

    def is_cached(self, name: str, text: str) -> bool:
        """Whether the disk has a file for it, good or not, in a directory that is the user's alone."""
        # Not `Path.exists`, which raises where it may not look.
        return self._is_ours() and os.path.exists(self._path(name, self._key(text)))

    def address(self, name: str, text: str) -> int:
        """Where function `name` of the module `text` is; compiled, unless the disk has it.

        Raises RuntimeError when LLVM does not understand the text.
        """
        key = self._key(text)
        with self._lock:
            code = self._read(name, key)
            if code is None:
                code = self._machine().emit_object(llvm.parse_assembly(text))
                self._write(name, key, code)
            # Each engine owns its machine: a second engine on the same one crashes.
            engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._machine())
            engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            engine.finalize_object()
            self._engines.append(engine)
            return int(engine.get_function_address(name))

    def _machine(self) -> Any:
        target = llvm.Target.from_triple(self._target.triple)
        return target.create_target_machine(cpu=self._target.cpu, features=self._target.features, opt=2)

    def _key(self, text: str) -> bytes:
        llvm_version = ".".join(map(str, llvm.llvm_version_info))
        parts = (llvmlite.__version__, llvm_version, str(self._target), text)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest().encode()

    def _path(self, name: str, key: bytes) -> Path:
        return self._directory / f"{name}-{key[:32].decode()}"

    def _read(self, name: str, key: bytes) -> bytes | None:
        path = self._path(name, key)
        if not self._is_ours():
            return None
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as fault:
            _log.warning("cannot read a compiled kernel, compiling it again: %s", fault)
            return None
        expected = _MAGIC + key + b"\n"
        code = content[len(expected) + 65 :]
        checksum = hashlib.sha256(code).hexdigest().encode() + b"\n"
        if not content.startswith(expected + checksum):
            _log.warning("%s is broken or is another compiler's, compiling it again", path)
            return None
        return code

    def _write(self, name: str, key: bytes, code: bytes) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_ours():
                _log.warning("%s is not the user's alone: kernels are not kept there", self._directory)
                return
            checksum = hashlib.sha256(code).hexdigest().encode()
            handle, temporary = tempfile.mkstemp(dir=self._directory)
            try:
                with open(handle, "wb") as file:
                    file.write(_MAGIC + key + b"\n" + checksum + b"\n" + code)
                # Whole or not at all, also for another process that looks.
                os.replace(temporary, self._path(name, key))
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary)
                raise
        except OSError as fault:
            _log.warning("cannot keep a compiled kernel for the next time: %s", fault)

    def _is_ours(self) -> bool:
        """Whether nobody else can write to the directory."""
        try:
            status = self._directory.stat()
        except OSError:
            return False
        # Windows keeps a user's directories to the user by other means than modes.
        return os.name == "nt" or (status.st_uid == os.getuid() and status.st_mode & 0o077 == 0)
