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
        # A process for each request: a call that hangs does not hold up the next one.
        spawn(fn -> answer(id, Base.decode64!(code)) end)
        loop()

      _end_of_input ->
        System.halt(0)
    end
  end

  defp answer(id, code) do
    {kind, text} =
      try do
        {value, _binding} = Code.eval_string(code)
        {:ok, show(value)}
      catch
        :error, reason -> {:error, Exception.format_banner(:error, reason, __STACKTRACE__)}
        kind, reason -> {kind, show(reason)}
      end

    IO.puts("=> #{id} #{kind} #{Base.encode64(text)}")
  end

  defp show(value) do
    inspect(value, limit: :infinity, printable_limit: :infinity, width: :infinity, charlists: :as_lists)
  end
end

PyerlcoinTest.Evaluator.run()
