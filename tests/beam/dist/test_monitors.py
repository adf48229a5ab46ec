from __future__ import annotations

from pyerlcoin.beam.dist import DemonitorP, DemonitorReceived, MonitorP, MonitorReceived, monitor_key
from pyerlcoin.beam.etf import Atom, Pid, Reference

_FROM = Pid.make("peer@b", 1, 0, 7)
_REF = Reference.make("peer@b", 7, [1, 2, 3, 4, 5])
_NAME = Atom("é" * 255)
_PID = Pid.make("ours@b", 5, 0, 9)


def test_the_key_is_read_back() -> None:
    for target in (_NAME, _PID):
        key = monitor_key(MonitorP(_FROM, target, _REF))
        event = MonitorReceived(key, target)
        assert (event.from_pid, event.target, event.ref) == (_FROM, target, _REF)
        assert repr(event) == f"MonitorReceived({_FROM!r}, {target!r}, {_REF!r})"


def test_a_monitor_and_its_demonitor_have_one_key() -> None:
    assert monitor_key(MonitorP(_FROM, _NAME, _REF)) == monitor_key(DemonitorP(_FROM, _NAME, _REF))
    assert monitor_key(MonitorP(_FROM, _NAME, _REF)) != monitor_key(MonitorP(_FROM, _PID, _REF))


def test_events_are_compared_by_their_key() -> None:
    key = monitor_key(MonitorP(_FROM, _NAME, _REF))
    one, other = MonitorReceived(key, _NAME), MonitorReceived(key, _NAME)
    assert one == other
    assert len({one, other}) == 1
    assert one != DemonitorReceived(key, _NAME)
    assert one != MonitorReceived(key + b"x", _NAME)
