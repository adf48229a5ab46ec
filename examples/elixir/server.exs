# An ElixirCoin server, as a workshop would write it: one GenServer, its state in memory.
#
#     elixir --name server@192.168.0.13 --cookie c server.exs SECRET [WORKLOAD] [ZEROS]
#
# WORKLOAD is how many integers a miner gets at a time (1), ZEROS how many zeros a coin's hash starts with (5).
# Whoever knows the cookie can talk to it, from Elixir or with `pyerlcoin mine server@192.168.0.13`.
#
# It is simple, and trusting. It looks at no name when a unit is done, forgets nobody, takes a coin from any range and
# as often as it is told, and forgets every score when it crashes, which a coin from an unknown miner makes it do.
# `pyerlcoin serve` is the server without these five.

defmodule ElixirCoin.Server do
  use GenServer

  def start_link({_secret, _workload, _zeros} = game) do
    GenServer.start_link(__MODULE__, game, name: __MODULE__)
  end

  @impl true
  def init({secret, workload, zeros}) do
    IO.puts("#{node()} hands out integers")
    {:ok, %{secret: secret, workload: workload, zeros: zeros, miners: %{}}}
  end

  # A miner introduces itself: it gets the secret and its first unit of work.
  @impl true
  def handle_call({:hello, name}, _from, state) do
    if Map.has_key?(state.miners, name) do
      {:reply, {:error, "'#{name}' is already registered"}, state}
    else
      IO.puts("Miner '#{name}' has registered")
      {:reply, {:ok, state.secret, next_unit(state)}, put_in(state.miners[name], 0)}
    end
  end

  # It found a coin: the answer is how many it has now.
  def handle_call({:coin, name, n}, _from, state) do
    if coin?(state, n) do
      count = Map.fetch!(state.miners, name) + 1
      IO.puts("Miner '#{name}' has found a coin: #{n}")
      {:reply, {:ok, count}, put_in(state.miners[name], count)}
    else
      {:reply, {:error, "verification failed"}, state}
    end
  end

  # It searched its unit: the answer is the next one.
  def handle_call({:done, _name}, _from, state), do: {:reply, {:ok, next_unit(state)}, state}

  def handle_call(:leaderboard, _from, state) do
    {:reply, {:ok, Enum.sort_by(state.miners, fn {_name, coins} -> -coins end)}, state}
  end

  def handle_call(:worth, _from, state) do
    {:reply, {:ok, state.miners |> Map.values() |> Enum.sum()}, state}
  end

  # How many integers a unit has from now on.
  @impl true
  def handle_cast({:workload, n}, state) when is_integer(n) and n > 0 do
    IO.puts("The workload changes from #{state.workload} to #{n}")
    {:noreply, %{state | workload: n}}
  end

  # A unit is a bare integer, or a range with both its ends.
  defp next_unit(%{workload: 1}), do: ElixirCoin.Dispenser.take(1)

  defp next_unit(%{workload: n}) do
    first = ElixirCoin.Dispenser.take(n)
    {first, first + n - 1}
  end

  defp coin?(%{secret: secret, zeros: zeros}, n) do
    hash = :erlang.md5("#{secret}#{n}") |> Base.encode16(case: :lower)
    String.starts_with?(hash, String.duplicate("0", zeros))
  end
end

defmodule ElixirCoin.Dispenser do
  # The next integer that nobody has. A process of its own, so that a crash of the server repeats no work.
  use Agent

  def start_link(first), do: Agent.start_link(fn -> first end, name: __MODULE__)
  def take(n), do: Agent.get_and_update(__MODULE__, fn next -> {next, next + n} end)
end

{secret, workload, zeros} =
  case System.argv() do
    [secret] -> {secret, 1, 5}
    [secret, workload] -> {secret, String.to_integer(workload), 5}
    [secret, workload, zeros] -> {secret, String.to_integer(workload), String.to_integer(zeros)}
    _ -> raise "usage: elixir --name NAME@HOST --cookie COOKIE server.exs SECRET [WORKLOAD] [ZEROS]"
  end

children = [{ElixirCoin.Dispenser, 0}, {ElixirCoin.Server, {secret, workload, zeros}}]
{:ok, _} = Supervisor.start_link(children, strategy: :one_for_one, max_restarts: 1000)
Process.sleep(:infinity)
