from __future__ import annotations

import pytest

from pyerlcoin.beam import Node
from tests.support.cli import Run, refused
from tests.support.ports import free_port, fresh_node
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


def test_an_address_of_another_machine(run: Run) -> None:
    refused(run("epmd", "--port", str(free_port()), "--bind", "192.0.2.1"), 2, "is it an address of this machine?")


@pytest.mark.parametrize("bind", ["nosuch.invalid", "a..b", "x" * 70, "", "192.0.2.300"])
def test_what_is_no_address(run: Run, bind: str) -> None:
    refused(run("epmd", "--port", str(free_port()), "--bind", bind), 2, "give --bind an address of this machine")


def test_a_name_of_this_machine_is_as_good_as_its_address() -> None:
    port = str(free_port())
    with pyerlcoin("epmd", "--port", port, "--bind", "localhost") as child:
        child.wait_line_sync(f"epmd on port {port} of 127.0.0.1, ", stream="out")
        child.interrupt()
        assert child.wait_sync() == 130


async def test_it_answers_where_a_registered_node_is() -> None:
    port = free_port()
    with pyerlcoin("epmd", "--port", str(port), "--bind", "127.0.0.2", "--bind", "127.0.0.1") as child:
        await child.wait_line(f"epmd on port {port} of 127.0.0.1, ", stream="out")
        async with Node(fresh_node(host="127.0.0.3"), "c", epmd_port=port) as node:
            await child.wait_line(f"epmd on port {port} of 127.0.0.3 as well", stream="out")
            assert not node.serves_epmd
            async with Node(fresh_node(host="127.0.0.4"), "c", epmd_port=port) as other:
                await other.ping(node.name)


def test_every_address_and_one_of_them() -> None:
    port = str(free_port())
    with pyerlcoin("epmd", "--port", port, "--bind", "0.0.0.0", "--bind", "127.0.0.2") as child:
        child.wait_line_sync(f"epmd on port {port} of 0.0.0.0", stream="out")
        child.interrupt()
        assert child.wait_sync() == 130
