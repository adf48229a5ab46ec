from __future__ import annotations

import asyncio
import sys

import pytest

from pyerlcoin.cli.loop import VARIABLE, loop_factory, run


async def loop_module() -> str:
    return type(asyncio.get_running_loop()).__module__


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not made for it")
def test_uvloop_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    pytest.importorskip("uvloop", reason="the extra pyerlcoin[uvloop] is not installed")
    assert run(loop_module()).partition(".")[0] == "uvloop"


def test_asyncio_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None
    assert run(loop_module()).partition(".")[0] == "asyncio"


def test_asyncio_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "asyncio")
    assert run(loop_module()).partition(".")[0] == "asyncio"
