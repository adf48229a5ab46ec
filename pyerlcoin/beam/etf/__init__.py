"""The External Term Format: Erlang's terms in Python, and their bytes. Pure; usable without a node."""

from pyerlcoin.beam.etf.decode import DEFAULT, Limits, binary_to_term, decode
from pyerlcoin.beam.etf.encode import encode, encode_into, term_to_binary
from pyerlcoin.beam.etf.terms import (
    ERROR,
    FALSE,
    NIL,
    OK,
    TRUE,
    UNDEFINED,
    Atom,
    BitString,
    Export,
    Fun,
    ImproperList,
    Map,
    Pid,
    Port,
    Reference,
    Term,
)

__all__ = [
    "DEFAULT",
    "ERROR",
    "FALSE",
    "NIL",
    "OK",
    "TRUE",
    "UNDEFINED",
    "Atom",
    "BitString",
    "Export",
    "Fun",
    "ImproperList",
    "Limits",
    "Map",
    "Pid",
    "Port",
    "Reference",
    "Term",
    "binary_to_term",
    "decode",
    "encode",
    "encode_into",
    "term_to_binary",
]
