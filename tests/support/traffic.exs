# The BEAM's half of the traffic: a server that echoes, callers of ours, and what this node keeps.
defmodule PyerlcoinTest.Traffic do
  use GenServer

  @patience 60_000

  # The server. A request is {{node, who}, n, payload}; of each caller, n only grows.

  def start, do: GenServer.start(__MODULE__, nil, name: :traffic)

  @impl true
  def init(_), do: {:ok, %{}}

  @impl true
  def handle_call({:counts, node}, _from, callers) do
    counts = for {{^node, _}, {_last, heard, twice}} <- callers, do: {heard, twice}
    {:reply, [counts |> Enum.map(&elem(&1, 0)) |> Enum.sum(), counts |> Enum.map(&elem(&1, 1)) |> Enum.sum()], callers}
  end

  def handle_call({who, n, _} = request, _from, callers) do
    {last, heard, twice} = Map.get(callers, who, {0, 0, 0})
    {:reply, request, Map.put(callers, who, {max(n, last), heard + 1, if(n <= last, do: twice + 1, else: twice)})}
  end

  # Calls of that node heard, and how many of them for the second time.
  def counts(node), do: GenServer.call(:traffic, {:counts, node})

  # The callers: half of the calls are GenServer's, half are monitor, request and demonitor by hand, whose reply comes
  # to the process itself: a second one would be found in its mailbox.

  # Until `ms` milliseconds have passed, or `stop(node)` is called, whichever comes first.
  def talk(node, firsts, ms) do
    Application.put_env(:pyerlcoin, node, :talk)
    until = System.monotonic_time(:millisecond) + ms

    firsts
    |> Enum.with_index(fn first, who ->
      Task.async(fn -> loop({:traffic, node}, who, first, until, %{}, []) end)
    end)
    |> Task.await_many(:infinity)
  end

  def stop(node), do: Application.delete_env(:pyerlcoin, node)

  defp loop({_, node} = to, who, n, until, counts, failed) do
    if System.monotonic_time(:millisecond) >= until or Application.get_env(:pyerlcoin, node) == nil do
      # What the server there sent to this process before is here once this is answered.
      :ok = settle(to, 100)
      {late, doubled} = strays(failed, 0, 0)
      [n | Enum.map([:answered, :failed, :timeout, :wrong, :other], &Map.get(counts, &1, 0))] ++ [late, doubled]
    else
      request = {who, n, String.duplicate("x", payload(n))}
      {outcome, ref} = if rem(n, 2) == 0, do: gen_call(to, request), else: call_by_hand(to, request)
      counts = Map.update(counts, outcome, 1, &(&1 + 1))

      receive do
      after
        40 -> :ok
      end

      loop(to, who, n + 1, until, counts, if(outcome == :failed and ref != nil, do: [ref | failed], else: failed))
    end
  end

  defp payload(n) when rem(n, 97) == 0, do: 200_000
  defp payload(n), do: rem(n, 13) * 100

  defp gen_call(to, request) do
    {judge(GenServer.call(to, request, @patience), request), nil}
  catch
    :exit, {reason, _} -> {ended(reason), nil}
  end

  defp call_by_hand(to, request) do
    ref = Process.monitor(to)
    send(to, {:"$gen_call", {self(), ref}, request})

    receive do
      {^ref, reply} ->
        Process.demonitor(ref, [:flush])
        {judge(reply, request), ref}

      {:DOWN, ^ref, :process, _, reason} ->
        {ended(reason), ref}
    after
      @patience -> {:timeout, ref}
    end
  end

  defp judge(reply, request), do: if(reply == request, do: :answered, else: :wrong)

  defp ended(:noconnection), do: :failed
  defp ended({:nodedown, _}), do: :failed
  defp ended(:timeout), do: :timeout

  defp ended(reason) do
    IO.puts(:stderr, "a call ended with #{inspect(reason)}")
    :other
  end

  defp settle(to, tries) do
    GenServer.call(to, :settle, @patience)
  catch
    :exit, {{:nodedown, _}, _} when tries > 0 -> settle(to, tries - 1)
  end

  # A late reply to a call that failed is in order; any other is one too many.
  defp strays(failed, late, doubled) do
    receive do
      {ref, _} when is_reference(ref) ->
        if ref in failed, do: strays(List.delete(failed, ref), late + 1, doubled), else: strays(failed, late, doubled + 1)

      _ ->
        strays(failed, late, doubled + 1)
    after
      0 -> {late, doubled}
    end
  end

  def measure do
    Enum.each(Process.list(), &:erlang.garbage_collect/1)

    [
      length(Process.list()),
      length(Port.list()),
      :erlang.memory(:total),
      :erlang.memory(:processes),
      :erlang.system_info(:atom_count)
    ]
  end
end
