"""The tag bytes of the External Term Format, under OTP's own names (ERTS User's Guide, "External Term Format")."""

from __future__ import annotations

from typing import Final

VERSION: Final = 131
"""The byte before a term that stands alone."""

SMALL_INTEGER_EXT: Final = 97
INTEGER_EXT: Final = 98
FLOAT_EXT: Final = 99
NEW_FLOAT_EXT: Final = 70
SMALL_BIG_EXT: Final = 110
LARGE_BIG_EXT: Final = 111

SMALL_ATOM_UTF8_EXT: Final = 119
ATOM_UTF8_EXT: Final = 118
SMALL_ATOM_EXT: Final = 115
ATOM_EXT: Final = 100

SMALL_TUPLE_EXT: Final = 104
LARGE_TUPLE_EXT: Final = 105
NIL_EXT: Final = 106
STRING_EXT: Final = 107
LIST_EXT: Final = 108
MAP_EXT: Final = 116
BINARY_EXT: Final = 109
BIT_BINARY_EXT: Final = 77

NEW_PID_EXT: Final = 88
PID_EXT: Final = 103
V4_PORT_EXT: Final = 120
NEW_PORT_EXT: Final = 89
PORT_EXT: Final = 102
NEWER_REFERENCE_EXT: Final = 90
NEW_REFERENCE_EXT: Final = 114
REFERENCE_EXT: Final = 101

NEW_FUN_EXT: Final = 112
EXPORT_EXT: Final = 113
RECORD_EXT: Final = 67

# Known, and refused on purpose; decode.py says why.
COMPRESSED: Final = 80
ATOM_CACHE_REF: Final = 82
LOCAL_EXT: Final = 121
