"""An Erlang node in Python, for anybody: it knows nothing of coins."""
