"""A server whose disk fills up: whom it cannot keep a coin of is told so, and nothing that it acknowledged is lost."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyerlcoin.coin.facts import CoinAccepted
from pyerlcoin.store.audit import audit
from pyerlcoin.store.reading import Reading
from tests.support.beam import Beam
from tests.support.clock import UNIT
from tests.support.ports import fresh_node
from tests.support.process import pyerlcoin

# A process that says hello, and tells the integers of its unit as coins whenever it is asked to: until one is refused,
# or `most` are not. The answer: the first, the next one to tell, and what refused it.
_TELLER = """
to = {ElixirCoin.Server, :"%s"}
pid = spawn(fn ->
  {:ok, _secret, {first, _last}} = GenServer.call(to, {:hello, "Ann"}, :infinity)
  tell = fn tell, n, left ->
    case left > 0 and GenServer.call(to, {:coin, "Ann", n}, :infinity) do
      {:ok, _count} -> tell.(tell, n + 1, left - 1)
      other -> {n, other}
    end
  end
  Stream.iterate(first, fn n ->
    receive do
      {:tell, from, most} ->
        {next, refusal} = tell.(tell, n, most)
        send(from, {:told, first, next, refusal})
        next
    end
  end)
  |> Stream.run()
end)
Process.register(pid, :teller)
"""
_TELL = """
send(:teller, {:tell, self(), %d})
receive do: ({:told, first, next, refusal} -> {first, next, refusal})
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A file system of its own, of the size that it is called with, and called with again."""
    mounted = False

    def of_size(size: str) -> Path:
        nonlocal mounted
        options = f"{'remount,' if mounted else ''}size={size}"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(tmp_path)]
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        if made.returncode != 0 and not mounted:
            pytest.skip(f"this user may make no file system: {made.stderr.strip()}")
        assert made.returncode == 0, made.stderr
        mounted = True
        return tmp_path

    yield of_size
    if mounted:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_a_full_disk_costs_nothing_that_was_acknowledged(
    beam: Beam, disk: Callable[[str], Path], durability: str
) -> None:
    ledger, node = disk("1m") / "ledger", fresh_node("serve")
    game = ("--secret", "Serun+", "--zeros", "0", "--workload", "1000000", "--durability", durability)
    env = {"ERL_EPMD_PORT": str(beam.epmd_port), "PYERLCOIN_COOKIE": beam.cookie}
    with pyerlcoin("serve", "--name", node, *game, "--ledger", str(ledger), "--quiet", env=env) as server:
        await server.wait_line("serving ElixirCoin.Server", timeout=30 * UNIT)
        await beam.eval(_TELLER % node)

        async def tell(most: int) -> tuple[int, int, str]:
            shown = await beam.eval(_TELL % most, timeout=60 * UNIT)
            match = re.fullmatch(r"\{(\d+), (\d+), (.*)\}", shown)
            assert match, shown
            return int(match[1]), int(match[2]), match[3]

        first, refused, refusal = await tell(1_000_000)
        assert re.fullmatch(r'\{:error, ".*disk is full.*"\}', refusal)
        assert refused > first, "some coins had room"
        assert (await tell(1_000_000))[1:] == (refused, refusal), "still full, and still there"
        disk("64m")
        _, end, refusal = await tell(100)
        assert (end, refusal) == (refused + 100, "false")
        await beam.eval("Process.exit(Process.whereis(:teller), :kill)")
        server.interrupt()
        assert await server.wait(30 * UNIT) == 130
    with Reading(ledger) as reading:
        assert audit(reading).found == []
        assert [fact.n for fact in reading.facts() if isinstance(fact, CoinAccepted)] == list(range(first, end))
