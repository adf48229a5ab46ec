# An Elixir worker's loop, without a server: prints how many integers it tries per second.
#
#     elixir worker.exs SECONDS WORKERS

defmodule Loop do
  @batch 20_000

  def run(secret, from, deadline, done) do
    if System.monotonic_time(:millisecond) >= deadline do
      done
    else
      Enum.each(from..(from + @batch - 1), &coin?(secret, &1))
      run(secret, from + @batch, deadline, done + @batch)
    end
  end

  # The words of examples/elixir/worker.exs.
  defp coin?(secret, n) do
    hash = :erlang.md5("#{secret}#{n}") |> Base.encode16(case: :lower)
    String.starts_with?(hash, "00000")
  end
end

[seconds, workers] = System.argv()
milliseconds = round(String.to_float(seconds) * 1000)
workers = String.to_integer(workers)
started = System.monotonic_time(:millisecond)

done =
  1..workers
  |> Enum.map(fn i ->
    Task.async(fn -> Loop.run("Serun+", i * 1_000_000_000, started + milliseconds, 0) end)
  end)
  |> Task.await_many(:infinity)
  |> Enum.sum()

took = System.monotonic_time(:millisecond) - started
IO.puts(done * 1000 / took)
