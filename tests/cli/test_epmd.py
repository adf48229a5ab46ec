from __future__ import annotations

from tests.support.cli import Run, refused
from tests.support.ports import free_port
from tests.support.process import pyerlcoin


def test_it_answers_until_it_is_told_to_stop() -> None:
    port = str(free_port())
    with pyerlcoin("epmd", env={"ERL_EPMD_PORT": port}) as child:
        child.wait_line_sync(f"epmd on port {port} of 127.0.0.1", stream="out")
        with pyerlcoin("epmd", "--port", port) as second:
            assert second.wait_sync() == 2
            assert second.matches(f"cannot listen on 127.0.0.1 port {port}")
        child.interrupt()
        assert child.wait_sync() == 130
        assert child.err == []


def test_what_is_no_address(run: Run) -> None:
    refused(run("epmd", "--port", str(free_port()), "--bind", "a..b"), 2, "'a..b' is no address")


def test_an_address_of_another_machine(run: Run) -> None:
    refused(run("epmd", "--port", str(free_port()), "--bind", "192.0.2.1"), 2, "is it an address of this machine?")
