"""External terms as a real BEAM wrote them, each with the Erlang expression it came from.

`WRITTEN` holds what `term_to_binary(Expression, [{minor_version, 2}])` gives on OTP 25, 27 and 29, or on those of them
that have such terms. `READ` holds forms that not all of them write, or none, but that they read as the expression's
value. tests/beam/etf/test_golden.py asks the BEAMs of this machine again.
"""

from __future__ import annotations

from typing import NamedTuple

from pyerlcoin.beam.etf import Atom, BitString, Export, Fun, ImproperList, Map, Pid, Port, Record, Reference, Term

__all__ = ["FUN", "READ", "RECORD", "WRITTEN", "Golden"]


class Golden(NamedTuple):
    """One external form. `ours` says that our encoder writes the same bytes, `since` which OTP was the first to."""

    tag: str
    erlang: str
    external: str
    term: Term
    ours: bool = True
    since: int = 25


FUN = (
    "7000000042010102030405060708090a0b0c0d0e0f100000000700000001"
    "7701616101610258770d6e6f6e6f6465406e6f686f737400000000000000000000000061ff"
)
"""A fun of module `a`, arity 1, with one free variable, 255. From OTP 27 on a BEAM puts this pid into all of them."""

RECORD = "4300000002017701637704636f696e77046e616d6577016e6d00000005416c69636561ff"
"""`#c:coin{name = <<"Alice">>, n = 255}`, exported."""
_BARE = "4300000000007701637704636f696e"
_NESTED = "4300000001007701637704757365647704636f696e" + RECORD

_PID = 'binary_to_term(<<131,88,119,3,"a@b",1:32,2:32,3:32>>)'
_PORT = 'binary_to_term(<<131,120,119,3,"a@b",1:64,3:32>>)'
_WIDE_PORT = 'binary_to_term(<<131,120,119,3,"a@b",(1 bsl 40):64,3:32>>)'
_REF1 = 'binary_to_term(<<131,90,1:16,119,3,"a@b",3:32,1:32>>)'
_REF2 = 'binary_to_term(<<131,90,2:16,119,3,"a@b",3:32,1:32,2:32>>)'
_REF5 = 'binary_to_term(<<131,90,5:16,119,3,"a@b",3:32,1:32,2:32,3:32,4:32,5:32>>)'
_LONG_NODE = (
    "binary_to_term(<<131,88,118,510:16,(unicode:characters_to_binary(lists:duplicate(255,233)))/binary,"
    "1:32,2:32,3:32>>)"
)

WRITTEN = [
    Golden("SMALL_INTEGER_EXT", "0", "836100", 0),
    Golden("SMALL_INTEGER_EXT", "255", "8361ff", 255),
    Golden("INTEGER_EXT", "256", "836200000100", 256),
    Golden("INTEGER_EXT", "-1", "8362ffffffff", -1),
    Golden("INTEGER_EXT", "2147483647", "83627fffffff", 2147483647),
    Golden("INTEGER_EXT", "-2147483648", "836280000000", -2147483648),
    Golden("SMALL_BIG_EXT", "2147483648", "836e040000000080", 2147483648),
    Golden("SMALL_BIG_EXT", "-2147483649", "836e040101000080", -2147483649),
    Golden("SMALL_BIG_EXT", "1 bsl 64", "836e0900000000000000000001", 1 << 64),
    Golden("SMALL_BIG_EXT", "(1 bsl 2040) - 1", "836eff00" + "ff" * 255, (1 << 2040) - 1),
    Golden("LARGE_BIG_EXT", "-(1 bsl 2040)", "836f0000010001" + "00" * 255 + "01", -(1 << 2040)),
    Golden("NEW_FLOAT_EXT", "1.5", "83463ff8000000000000", 1.5),
    Golden("NEW_FLOAT_EXT", "-0.0", "83468000000000000000", -0.0),
    Golden("NEW_FLOAT_EXT", "1.7976931348623157e308", "83467fefffffffffffff", 1.7976931348623157e308),
    Golden("SMALL_ATOM_UTF8_EXT", "ok", "8377026f6b", Atom("ok")),
    Golden("SMALL_ATOM_UTF8_EXT", "''", "837700", Atom("")),
    Golden("SMALL_ATOM_UTF8_EXT", "list_to_atom([233,8364])", "837705c3a9e282ac", Atom("é€")),
    Golden("SMALL_ATOM_UTF8_EXT", "list_to_atom(lists:duplicate(255, $a))", "8377ff" + "61" * 255, Atom("a" * 255)),
    Golden("ATOM_UTF8_EXT", "list_to_atom(lists:duplicate(255, 233))", "837601fe" + "c3a9" * 255, Atom("é" * 255)),
    Golden("SMALL_TUPLE_EXT", "{}", "836800", ()),
    Golden(
        "SMALL_TUPLE_EXT", '{done, <<"Alice">>}', "8368027704646f6e656d00000005416c696365", (Atom("done"), b"Alice")
    ),
    Golden("LARGE_TUPLE_EXT", "list_to_tuple(lists:duplicate(256, 7))", "836900000100" + "6107" * 256, (7,) * 256),
    Golden("NIL_EXT", "[]", "836a", []),
    Golden("STRING_EXT", "[1, 2, 3]", "836b0003010203", [1, 2, 3], ours=False),
    Golden("STRING_EXT", '"abc"', "836b0003616263", [97, 98, 99], ours=False),
    Golden("LIST_EXT", "[256]", "836c0000000162000001006a", [256]),
    Golden("LIST_EXT", "[a, [b]]", "836c000000027701616c000000017701626a6a", [Atom("a"), [Atom("b")]]),
    Golden("LIST_EXT", "[alias | b]", "836c000000017705616c696173770162", ImproperList([Atom("alias")], Atom("b"))),
    Golden("LIST_EXT", "[a, b | {}]", "836c000000027701617701626800", ImproperList([Atom("a"), Atom("b")], ())),
    Golden("BINARY_EXT", "<<>>", "836d00000000", b""),
    Golden("BINARY_EXT", '<<"Alice">>', "836d00000005416c696365", b"Alice"),
    Golden("BIT_BINARY_EXT", "<<5:3>>", "834d0000000103a0", BitString(b"\xa0", 3)),
    Golden("BIT_BINARY_EXT", "<<255, 1:1>>", "834d0000000201ff80", BitString(b"\xff\x80", 1)),
    Golden("MAP_EXT", "#{}", "837400000000", Map()),
    Golden("MAP_EXT", "#{a => 1}", "8374000000017701616101", Map({Atom("a"): 1})),
    Golden(
        "MAP_EXT",
        '#{1 => a, 1.0 => b, true => c, [1] => d, #{} => e, <<"k">> => f}',
        "8374000000066101770161463ff000000000000077016277047472756577016374000000007701656b0001017701646d000000016b770166",
        Map(
            [
                (1, Atom("a")),
                (1.0, Atom("b")),
                (Atom("true"), Atom("c")),
                ([1], Atom("d")),
                (Map(), Atom("e")),
                (b"k", Atom("f")),
            ]
        ),
        ours=False,
    ),
    Golden("NEW_PID_EXT", _PID, "83587703614062000000010000000200000003", Pid.make("a@b", 1, 2, 3)),
    Golden(
        "NEW_PID_EXT",
        _LONG_NODE,
        "83587601fe" + "c3a9" * 255 + "000000010000000200000003",
        Pid.make("é" * 255, 1, 2, 3),
    ),
    Golden("V4_PORT_EXT", _WIDE_PORT, "83787703614062000001000000000000000003", Port.make("a@b", 1 << 40, 3)),
    Golden("NEWER_REFERENCE_EXT", _REF1, "835a000177036140620000000300000001", Reference.make("a@b", 3, [1])),
    Golden(
        "NEWER_REFERENCE_EXT",
        _REF5,
        "835a00057703614062000000030000000100000002000000030000000400000005",
        Reference.make("a@b", 3, [1, 2, 3, 4, 5]),
    ),
    Golden(
        "NEW_FUN_EXT",
        f"binary_to_term(<<131, 16#{FUN}:{4 * len(FUN)}>>)",
        "83" + FUN,
        Fun(bytes.fromhex(FUN)),
    ),
    Golden(
        "EXPORT_EXT",
        "fun erlang:self/0",
        "8371770665726c616e67770473656c666100",
        Export(Atom("erlang"), Atom("self"), 0),
    ),
    Golden(
        "RECORD_EXT",
        'records:create(c, coin, [{name, <<"Alice">>}, {n, 255}], #{is_exported => true})',
        "83" + RECORD,
        Record(bytes.fromhex(RECORD)),
        since=29,
    ),
    Golden(
        "RECORD_EXT",
        "records:create(c, coin, [], #{is_exported => false})",
        "83" + _BARE,
        Record(bytes.fromhex(_BARE)),
        since=29,
    ),
    Golden(
        "RECORD_EXT",
        'records:create(c, used, [{coin, records:create(c, coin, [{name, <<"Alice">>}, {n, 255}],'
        " #{is_exported => true})}], #{is_exported => false})",
        "83" + _NESTED,
        Record(bytes.fromhex(_NESTED)),
        since=29,
    ),
    Golden(
        "SMALL_TUPLE_EXT",
        f"{{'$gen_call', {{{_PID}, [alias | {_REF2}]}}, {{done, <<\"Alice\">>}}}}",
        "83680377092467656e5f63616c6c68025877036140620000000100000002000000036c000000017705616c6961735a0002770361406200000003000000010000000268027704646f6e656d00000005416c696365",
        (
            Atom("$gen_call"),
            (Pid.make("a@b", 1, 2, 3), ImproperList([Atom("alias")], Reference.make("a@b", 3, [1, 2]))),
            (Atom("done"), b"Alice"),
        ),
    ),
]

READ = [
    Golden("FLOAT_EXT", "1.5", "8363312e3530303030303030303030303030303030303030652b30300000000000", 1.5),
    Golden("FLOAT_EXT", "-2.5e-10", "83632d322e3530303030303030303030303030303030303030652d313000000000", -2.5e-10),
    Golden("ATOM_EXT", "list_to_atom([233])", "83640001e9", Atom("é")),
    Golden("SMALL_ATOM_EXT", "list_to_atom([233])", "837301e9", Atom("é")),
    Golden("ATOM_UTF8_EXT", "ok", "837600026f6b", Atom("ok")),
    Golden("PID_EXT", _PID, "8367640003614062000000010000000203", Pid.make("a@b", 1, 2, 3)),
    Golden("NEW_PID_EXT", _PID, "8358760003614062000000010000000200000003", Pid.make("a@b", 1, 2, 3)),
    Golden("PORT_EXT", _PORT, "83666400036140620000000103", Port.make("a@b", 1, 3)),
    # OTP 25 still writes this of ports up to 28 bits, later ones write tag 120 of all.
    Golden("NEW_PORT_EXT", _PORT, "835973036140620000000100000003", Port.make("a@b", 1, 3)),
    Golden("REFERENCE_EXT", _REF1, "83656400036140620000000103", Reference.make("a@b", 3, [1])),
    Golden("NEW_REFERENCE_EXT", _REF2, "83720002640003614062030000000100000002", Reference.make("a@b", 3, [1, 2])),
    Golden(
        "NEWER_REFERENCE_EXT", _REF2, "835a0002640003614062000000030000000100000002", Reference.make("a@b", 3, [1, 2])
    ),
    Golden("INTEGER_EXT", "1", "836200000001", 1),
    Golden("SMALL_BIG_EXT", "0", "836e0000", 0),
    Golden("SMALL_BIG_EXT", "-5", "836e010205", -5),
    Golden("LARGE_BIG_EXT", "1", "836f00000002000100", 1),
    Golden("LARGE_TUPLE_EXT", "{}", "836900000000", ()),
    Golden("LARGE_TUPLE_EXT", "{1}", "8369000000016101", (1,)),
    Golden("STRING_EXT", "[]", "836b0000", []),
    Golden("LIST_EXT", "1", "836c000000006101", 1),
    Golden(
        "LIST_EXT",
        "[a, b, c]",
        "836c000000017701616c000000017701626c000000017701636a",
        [Atom("a"), Atom("b"), Atom("c")],
    ),
    Golden("LIST_EXT", "[a, 1, 2]", "836c000000017701616b00020102", [Atom("a"), 1, 2]),
    Golden(
        "LIST_EXT",
        "[a, b | c]",
        "836c000000017701616c00000001770162770163",
        ImproperList([Atom("a"), Atom("b")], Atom("c")),
    ),
    Golden("LIST_EXT", "[a | b]", "836c000000017701616c00000000770162", ImproperList([Atom("a")], Atom("b"))),
    Golden("BIT_BINARY_EXT", "<<5>>", "834d000000010805", b"\5"),
    Golden("BIT_BINARY_EXT", "<<1:1>>", "834d0000000101ff", BitString(b"\x80", 1)),
    Golden(
        "EXPORT_EXT",
        "fun erlang:self/0",
        "837164000665726c616e6764000473656c666100",
        Export(Atom("erlang"), Atom("self"), 0),
    ),
    # With atoms of old, and a number in more bytes than it needs. It keeps them, so it is equal to no other of ours.
    Golden(
        "RECORD_EXT",
        "records:create(c, coin, [{n, 1}], #{is_exported => true})",
        "8343000000010164000163640004636f696e73016e6200000001",
        Record(bytes.fromhex("43000000010164000163640004636f696e73016e6200000001")),
        since=29,
    ),
]
