from __future__ import annotations

import logging

import pytest

from pyerlcoin.roles.events import Events, ServerGone


def test_every_subscriber_gets_every_event_in_order() -> None:
    events, seen = Events(), list[tuple[str, object]]()
    events.subscribe(lambda event: seen.append(("a", event)))
    events.subscribe(lambda event: seen.append(("b", event)))
    events.publish(1)
    events.publish(2)
    assert seen == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_a_subscriber_that_raises_breaks_nobody_and_stays(caplog: pytest.LogCaptureFixture) -> None:
    events, seen = Events(), list[object]()

    def broken(event: object) -> None:
        seen.append(("broken", event))
        raise RuntimeError("no paper")

    events.subscribe(broken)
    events.subscribe(seen.append)
    with caplog.at_level(logging.ERROR):
        events.publish(ServerGone("x"))
        events.publish(2)
    assert seen == [("broken", ServerGone("x")), ServerGone("x"), ("broken", 2), 2]
    assert "a subscriber failed on ServerGone" in caplog.text


def test_unsubscribing_twice_is_harmless() -> None:
    events, seen = Events(), list[object]()
    leave = events.subscribe(seen.append)
    leave()
    leave()
    events.publish(1)
    assert seen == []


def test_a_subscriber_may_leave_while_it_is_told() -> None:
    events, seen = Events(), list[object]()

    def once(event: object) -> None:
        seen.append(event)
        leave()

    leave = events.subscribe(once)
    events.subscribe(seen.append)
    events.publish(1)
    events.publish(2)
    assert seen == [1, 1, 2]
