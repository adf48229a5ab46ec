# Evaluates Elixir for the tests. One request a line on standard input: `ID BASE64(code)`. One answer a line on
# standard output: `=> ID KIND BASE64(text)`, where KIND is ok, error, exit or throw. The end of the input ends the node.
defmodule PyerlcoinTest.Evaluator do
  def run do
    IO.puts("=> ready #{node()} #{System.otp_release()} #{System.version()}")
    loop()
  end

  defp loop do
    case IO.gets("") do
      line when is_binary(line) ->
        [id, code] = String.split(line)
        # A process for each request: a call that hangs does not hold up the next one. Another watches it: code that
        # is ended by a signal from elsewhere is answered, too.
        spawn(fn ->
          {pid, monitor} = spawn_monitor(fn -> evaluate(id, Base.decode64!(code)) end)

          receive do
            {:DOWN, ^monitor, :process, ^pid, :normal} -> :ok
            {:DOWN, ^monitor, :process, ^pid, reason} -> answer(id, :exit, show(reason))
          end
        end)

        loop()

      _end_of_input ->
        System.halt(0)
    end
  end

  defp evaluate(id, code) do
    {kind, text} =
      try do
        {value, _binding} = Code.eval_string(code)
        {:ok, show(value)}
      catch
        :error, reason -> {:error, Exception.format_banner(:error, reason, __STACKTRACE__)}
        kind, reason -> {kind, show(reason)}
      end

    answer(id, kind, text)
  end

  defp answer(id, kind, text), do: IO.puts("=> #{id} #{kind} #{Base.encode64(text)}")

  defp show(value) do
    inspect(value, limit: :infinity, printable_limit: :infinity, width: :infinity, charlists: :as_lists)
  end
end

PyerlcoinTest.Evaluator.run()
