from __future__ import annotations

import socket

import pytest

from pyerlcoin.beam import NodeName
from pyerlcoin.beam.dist import NameForm
from pyerlcoin.beam.errors import HostUnknown
from pyerlcoin.cli import own_node
from pyerlcoin.cli.node_options import NodeOptions
from pyerlcoin.errors import WrongUsage
from tests.support.cli import Run, refused


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.1.1"])
def test_on_this_machine_a_new_name_has_the_servers_own_host(host: str) -> None:
    server = NodeName("server", host)
    name = own_node.new_name("ask", server)
    assert name.host == host
    assert name.form is server.form
    assert NodeName.parse(name.full) == name


def test_two_new_names_differ() -> None:
    server = NodeName("server", "127.0.0.1")
    assert own_node.new_name("ask", server) != own_node.new_name("ask", server)


def test_for_another_machine_it_is_the_address_that_leads_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_node, "_addresses", lambda host: ("192.168.0.20", "192.168.0.13"))
    assert own_node.new_name("m", NodeName("server", "192.168.0.13")).host == "192.168.0.20"
    assert own_node.new_name("m", NodeName("server", "game.example.org")).host == "192.168.0.20"
    short = own_node.new_name("m", NodeName("server", "game"))
    assert short.form is NameForm.SHORT
    assert short.host == socket.gethostname().partition(".")[0]


def test_on_this_machine_by_its_outer_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_node, "_addresses", lambda host: ("192.168.0.13", "192.168.0.13"))
    assert own_node.new_name("m", NodeName("server", "game.example.org")).host == "game.example.org"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", f"{'x' * 70}.org"])
def test_a_host_that_nobody_knows(host: str) -> None:
    """Two of them are no names of hosts at all, which Python says in its own way."""
    with pytest.raises(HostUnknown):
        own_node.new_name("m", NodeName("server", host))


def test_names_are_completed_as_erl_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda: "game.example.org")
    monkeypatch.setattr(socket, "gethostname", lambda: "game.example.org")
    assert own_node.own_name(NodeOptions(name="server")) == NodeName("server", "game.example.org")
    assert own_node.own_name(NodeOptions(sname="server")) == NodeName("server", "game")
    assert own_node.own_name(NodeOptions(name="server@10.0.0.1")) == NodeName("server", "10.0.0.1")
    assert own_node.own_name(NodeOptions()) is None
    with pytest.raises(WrongUsage, match="not both"):
        own_node.own_name(NodeOptions(name="a@b.c", sname="a"))


def test_an_empty_cookie_is_no_cookie(run: Run) -> None:
    refused(run("ping", "nobody@127.0.0.1", "--cookie", ""), 2, "the cookie is empty: give --cookie COOKIE")
