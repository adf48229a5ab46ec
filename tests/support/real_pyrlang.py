"""Whether the real Pyrlang is beside us, and what of the interop suite it cannot do, test by test."""

from __future__ import annotations

from typing import Final

from pyerlcoin.errors import WrongUsage
from pyerlcoin.runtimes.pyrlang.finding import find_pyrlang

__all__ = ["CANNOT", "OUR_NODE", "why_not_here"]


def why_not_here() -> str | None:
    """Why Pyrlang cannot be tested here; None when it can."""
    try:
        find_pyrlang()
    except WrongUsage as error:
        return str(error)
    return None


OUR_NODE: Final = ("test_node_and_beam.py", "test_dynamic_name.py", "test_over_tls.py", "test_without_epmd.py")
"""Files about what our own node alone has or lets see, which --runtime pyrlang does not use."""

CANNOT: Final[dict[str, str]] = {
    "test_multi_call_and_sys_return": "Pyrlang knows no system messages; of them the runtime adds get_state alone",
    "test_a_frame_of_a_hundred_megabytes": "Pyrlang has no limit to the size of a message",
    "test_an_integer_of_half_a_megabyte": "Pyrlang has no limit to the size of an integer",
    **dict.fromkeys(
        [f"test_each_wrong_request_is_answered_with_an_error[{release}]" for release in ("otp27", "otp29")],
        "Term cannot decode what is inside a fun of the evaluator since OTP 27: Pyrlang loses the call",
    ),
    "test_half_a_handshake": "Pyrlang has no setup timer: a socket that says nothing stays open",
}
"""Tests of the other files, by name (with a release in brackets: on that one), and what Pyrlang lacks for them."""
