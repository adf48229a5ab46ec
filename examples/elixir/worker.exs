# An ElixirCoin miner, as a team of the workshop would write it: a plain loop on one core.
#
#     elixir --name bob@192.168.0.20 --cookie c worker.exs Bob server@192.168.0.13 [ZEROS]
#
# It works with any server of the game: server.exs beside this file, or `pyerlcoin serve`. ZEROS (5) must be the
# server's.

defmodule Worker do
  def run(name, node, zeros) do
    server = {ElixirCoin.Server, node}
    {:ok, secret, unit} = GenServer.call(server, {:hello, name})
    IO.puts("#{name} mines")
    mine(%{name: name, server: server, secret: secret, zeros: String.duplicate("0", zeros)}, unit)
  end

  # A unit is a bare integer, or a range with both its ends; which of them may change at any time.
  defp mine(game, n) when is_integer(n), do: mine(game, {n, n})

  defp mine(game, {first, last}) do
    for n <- first..last, coin?(game, n), do: report(game, n)
    {:ok, unit} = GenServer.call(game.server, {:done, game.name})
    mine(game, unit)
  end

  defp coin?(game, n) do
    hash = :erlang.md5("#{game.secret}#{n}") |> Base.encode16(case: :lower)
    String.starts_with?(hash, game.zeros)
  end

  defp report(game, n) do
    {:ok, count} = GenServer.call(game.server, {:coin, game.name, n})
    IO.puts("#{game.name} found #{n}, coin #{count}")
  end
end

{name, node, zeros} =
  case System.argv() do
    [name, node] -> {name, node, 5}
    [name, node, zeros] -> {name, node, String.to_integer(zeros)}
    _ -> raise "usage: elixir --name NAME@HOST --cookie COOKIE worker.exs TEAM SERVER_NODE [ZEROS]"
  end

# Nothing can be sent before the nodes are connected: a wrong cookie or host shows here.
node = String.to_atom(node)
true = Node.connect(node)
Worker.run(name, node, zeros)
