"""ElixirCoin in Python: an Erlang node, the game it hosts and mines, and a search core."""
