# Evaluated in the nodes of a measurement: who is called, and who calls. Rates are in calls per second.

defmodule Bench.Server do
  use GenServer

  def init(n), do: {:ok, n}
  def handle_call({:done, _name}, _from, n), do: {:reply, {:ok, n + 1}, n + 1}
  def handle_call({:coin, _name, _n}, _from, n), do: {:reply, {:ok, n + 1}, n + 1}
  def handle_call({:hello, _name}, _from, n), do: {:reply, {:ok, "secret", {1, 1_000_000}}, n}
end

defmodule Bench do
  # One caller, `calls` calls, each of what `request` makes of its number.
  def sequential(to, calls, request) do
    rate(calls, fn -> each(to, 1..calls, request) end)
  end

  # `callers` processes at once, each with its own numbers.
  def concurrent(to, callers, calls, request) do
    rate(callers * calls, fn ->
      1..callers
      |> Enum.map(fn i -> Task.async(fn -> each(to, (i * calls)..(i * calls + calls - 1), &request.({i, &1})) end) end)
      |> Task.await_many(:infinity)
    end)
  end

  # `miners` processes that said hello to `to`; `coins` has each tell the next so many integers of its unit as coins.
  def miners(to, miners) do
    parent = self()
    pids = for i <- 1..miners, do: spawn(fn -> hello(to, "miner #{i}", parent) end)
    for pid <- pids, do: receive(do: ({:ready, ^pid} -> pid))
  end

  def coins(miners, coins) do
    rate(length(miners) * coins, fn ->
      for pid <- miners, do: send(pid, {:tell, coins, self()})
      for pid <- miners, do: receive(do: ({:told, ^pid} -> :ok))
    end)
  end

  defp hello(to, name, parent) do
    {:ok, _secret, {first, _last}} = GenServer.call(to, {:hello, name}, 60_000)
    send(parent, {:ready, self()})
    tell(to, name, first)
  end

  defp tell(to, name, next) do
    receive do
      {:tell, coins, from} ->
        each(to, next..(next + coins - 1), &{:coin, name, &1})
        send(from, {:told, self()})
        tell(to, name, next + coins)
    end
  end

  defp each(to, numbers, request) do
    for n <- numbers, do: {:ok, _} = GenServer.call(to, request.(n), 60_000)
    :ok
  end

  defp rate(calls, work) do
    {microseconds, _} = :timer.tc(work)
    calls * 1_000_000 / microseconds
  end
end
