from __future__ import annotations

import pytest

from pyerlcoin.beam.etf import Atom
from pyerlcoin.errors import CannotReach, ExitCode
from pyerlcoin.roles.cluster import Address, CallEnded, CallTimedOut, NodeLost, NoServer, ServerEnded

SERVER = Address("Elixir.ElixirCoin.Server", "server@10.0.0.1")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NoServer(SERVER), "no ElixirCoin.Server on server@10.0.0.1 is running"),
        (ServerEnded(SERVER, Atom("shutdown")), "ElixirCoin.Server on server@10.0.0.1 ended before it answered"),
        (NodeLost("server@10.0.0.1"), "the connection to server@10.0.0.1 was lost"),
        (CallTimedOut(SERVER, 5.0), "did not answer within 5 s"),
    ],
)
def test_a_call_that_ended_says_how_in_the_users_words(error: CallEnded, sentence: str) -> None:
    assert sentence in str(error)
    assert isinstance(error, CannotReach)
    assert error.exit_code is ExitCode.CANNOT_REACH
