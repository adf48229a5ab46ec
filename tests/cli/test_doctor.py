"""The doctor names the true cause: one staged fault after the other."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest

from pyerlcoin.beam import NO_REPLY, Atom, GenServer, NodeName, Sender, Term
from pyerlcoin.beam.dist import REQUIRED, DistributionFlags
from pyerlcoin.beam.dist.handshake_messages import Challenge
from pyerlcoin.beam.node import epmd_client
from pyerlcoin.beam.node.tls import TlsCarrier
from pyerlcoin.cli.doctor import Check, checks
from pyerlcoin.errors import ExitCode
from pyerlcoin.roles.messages import SERVER_NAME
from tests.cli.conftest import Served
from tests.support.beam import Beam, Release
from tests.support.certificates import Authority, Identity
from tests.support.cli import Run, refused
from tests.support.clock import UNIT
from tests.support.nodes import Cluster
from tests.support.ports import free_port, fresh_cookie, fresh_node

ALL = ("name form", "own node", "host", "epmd", "port", "handshake", "flags", "cookie", "ping", "server", "question")


@dataclass
class Staged:
    """What the doctor is asked about, and what is special about the node it asks from."""

    peer: str
    ours: str | None = None
    options: dict[str, object] = field(default_factory=dict)
    patience: float = 20 * UNIT
    """For the server's answer."""


Stage: TypeAlias = Callable[[Cluster], AbstractAsyncContextManager[Staged]]


class Wallet(GenServer):
    """A server of the game, as far as the doctor asks."""

    def __init__(self, answer: object = (Atom("ok"), 3)) -> None:
        self.answer = answer

    def handle_call(self, request: Term, sender: Sender) -> object:
        return self.answer


class Scripted(asyncio.Protocol):
    """Says its words to whoever connects, then listens; or closes."""

    def __init__(self, words: bytes, *, closes: bool) -> None:
        self.words = words
        self.closes = closes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self.words)
        if self.closes:
            transport.close()


@asynccontextmanager
async def scripted(words: bytes, *, closes: bool = False, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """A program that is no node: its port."""
    made: list[asyncio.BaseTransport] = []

    class Kept(Scripted):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.append(transport)
            super().connection_made(transport)

    server = await asyncio.get_running_loop().create_server(lambda: Kept(words, closes=closes), host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for transport in made:
            transport.close()


@asynccontextmanager
async def registered(cluster: Cluster, port: int, name: str | None = None) -> AsyncIterator[Staged]:
    """A name at the epmd of the cluster with that port."""
    await cluster.start()
    peer = NodeName.parse(name or fresh_node())
    registration = await epmd_client.register(
        peer, port, hidden=True, epmd_port=cluster.epmd_port, on_lost=lambda: None
    )
    try:
        yield Staged(peer.full)
    finally:
        await registration.close()


@asynccontextmanager
async def saying(cluster: Cluster, words: bytes, *, closes: bool = False, **options: object) -> AsyncIterator[Staged]:
    """A registered name, where that is said."""
    async with scripted(words, closes=closes) as port, registered(cluster, port) as staged:
        staged.options.update(options)
        yield staged


def frame(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


@asynccontextmanager
async def long_and_short(cluster: Cluster) -> AsyncIterator[Staged]:
    yield Staged(fresh_node(), ours="me@localhost")


@asynccontextmanager
async def own_name_taken(cluster: Cluster) -> AsyncIterator[Staged]:
    node = await cluster.start()
    yield Staged(fresh_node(), ours=node.name)


@asynccontextmanager
async def own_port_taken(cluster: Cluster) -> AsyncIterator[Staged]:
    node = await cluster.start()
    yield Staged(node.name, options={"port": node.port})


@asynccontextmanager
async def own_address_elsewhere(cluster: Cluster) -> AsyncIterator[Staged]:
    yield Staged(fresh_node(), ours=fresh_node(host="192.0.2.1"))


@asynccontextmanager
async def unknown_host(cluster: Cluster) -> AsyncIterator[Staged]:
    yield Staged("server@no-such-host.invalid")


@asynccontextmanager
async def no_epmd(cluster: Cluster) -> AsyncIterator[Staged]:
    yield Staged("server@127.0.0.2")


@asynccontextmanager
async def something_else_for_epmd(cluster: Cluster) -> AsyncIterator[Staged]:
    async with scripted(b"SSH-2.0-x\r\n", host="127.0.0.2", port=cluster.epmd_port):
        yield Staged("server@127.0.0.2")


@asynccontextmanager
async def not_registered(cluster: Cluster) -> AsyncIterator[Staged]:
    await cluster.start()
    yield Staged("nobody@127.0.0.1")


@asynccontextmanager
async def dead_port(cluster: Cluster) -> AsyncIterator[Staged]:
    async with registered(cluster, free_port()) as staged:
        yield staged


@asynccontextmanager
async def dead_port_without_epmd(cluster: Cluster) -> AsyncIterator[Staged]:
    yield Staged(fresh_node(), options={"peer_port": free_port()})


def silence(cluster: Cluster) -> AbstractAsyncContextManager[Staged]:
    return saying(cluster, b"", setup_time=UNIT)


def no_erlang_node(cluster: Cluster) -> AbstractAsyncContextManager[Staged]:
    return saying(cluster, b"SSH-2.0-OpenSSH_9.2\r\n")


def closing(cluster: Cluster) -> AbstractAsyncContextManager[Staged]:
    return saying(cluster, b"", closes=True)


def not_allowed(cluster: Cluster) -> AbstractAsyncContextManager[Staged]:
    return saying(cluster, frame(b"snot_allowed"), closes=True)


def nok(cluster: Cluster) -> AbstractAsyncContextManager[Staged]:
    return saying(cluster, frame(b"snok"), setup_time=UNIT)


@asynccontextmanager
async def too_old(cluster: Cluster) -> AsyncIterator[Staged]:
    old = NodeName.parse(fresh_node("old"))
    words = frame(b"sok", Challenge(REQUIRED & ~DistributionFlags.DFLAG_UNLINK_ID, 1, 4, old).encode())
    async with scripted(words) as port, registered(cluster, port, old.full) as staged:
        yield staged


@asynccontextmanager
async def another_way_of_writing_the_host(cluster: Cluster) -> AsyncIterator[Staged]:
    node = await cluster.start()
    yield Staged(f"{node.node_name.alive}@127.1")


@asynccontextmanager
async def another_cookie(cluster: Cluster) -> AsyncIterator[Staged]:
    node = await cluster.start()
    yield Staged(node.name, options={"cookie": fresh_cookie()})


@asynccontextmanager
async def no_net_kernel(cluster: Cluster) -> AsyncIterator[Staged]:
    node = await cluster.start()
    for process in list(node.registry):
        process.exit()
    yield Staged(node.name)


@asynccontextmanager
async def no_server(cluster: Cluster) -> AsyncIterator[Staged]:
    yield Staged((await cluster.start()).name)


@asynccontextmanager
async def serving(cluster: Cluster, answer: object, patience: float = 20 * UNIT) -> AsyncIterator[Staged]:
    node = await cluster.start()
    node.spawn(Wallet(answer), SERVER_NAME)
    yield Staged(node.name, patience=patience)


def no_answer(cluster: Cluster) -> AbstractAsyncContextManager[Staged]:
    return serving(cluster, NO_REPLY, patience=0.3 * UNIT)


def another_game(cluster: Cluster) -> AbstractAsyncContextManager[Staged]:
    return serving(cluster, Atom("what"))


def a_refusal(cluster: Cluster) -> AbstractAsyncContextManager[Staged]:
    return serving(cluster, (Atom("error"), b"ask me later"))


FAULTS: list[tuple[Stage, str, ExitCode, str]] = [
    # the fault, the step that fails, what the command ends with, what it says
    (long_and_short, "name form", ExitCode.REFUSED, "one has a long name and the other a short one"),
    (own_name_taken, "own node", ExitCode.REFUSED, "is already running on this host: choose another name"),
    (own_port_taken, "own node", ExitCode.WRONG_USAGE, "address already in use"),
    (own_address_elsewhere, "own node", ExitCode.WRONG_USAGE, "it is no address of this machine"),
    (unknown_host, "host", ExitCode.CANNOT_REACH, "the host no-such-host.invalid is not known here"),
    (no_epmd, "epmd", ExitCode.CANNOT_REACH, "no epmd answers at 127.0.0.2"),
    (something_else_for_epmd, "epmd", ExitCode.CANNOT_REACH, "what listens there is no epmd"),
    (not_registered, "epmd", ExitCode.CANNOT_REACH, "the epmd at 127.0.0.1 knows no node called nobody"),
    (dead_port, "port", ExitCode.CANNOT_REACH, "does not answer (connection refused)"),
    (dead_port_without_epmd, "port", ExitCode.CANNOT_REACH, "does not answer (connection refused)"),
    (silence, "handshake", ExitCode.CANNOT_REACH, "did not finish the handshake within"),
    (no_erlang_node, "handshake", ExitCode.CANNOT_REACH, "does not speak as an Erlang node"),
    (closing, "handshake", ExitCode.CANNOT_REACH, "hung up while the handshake waited for the status"),
    (not_allowed, "handshake", ExitCode.REFUSED, "does not allow this node to connect"),
    (nok, "handshake", ExitCode.REFUSED, "goes on with another connection to this node's name"),
    (another_way_of_writing_the_host, "handshake", ExitCode.REFUSED, "write the host as that node writes it"),
    (too_old, "flags", ExitCode.REFUSED, "is too old, it lacks UNLINK_ID: run it on OTP 25 or newer"),
    (another_cookie, "cookie", ExitCode.REFUSED, "has another cookie"),
    (no_net_kernel, "ping", ExitCode.CANNOT_REACH, "net_kernel"),
    (no_server, "server", ExitCode.CANNOT_REACH, "no ElixirCoin.Server on"),
    (no_answer, "question", ExitCode.CANNOT_REACH, "did not answer within"),
    (another_game, "question", ExitCode.REFUSED, "is it a server of this game"),
    (a_refusal, "question", ExitCode.REFUSED, "ask me later"),
]


async def examined(cluster: Cluster, staged: Staged) -> list[Check]:
    node = cluster.make(staged.ours, **staged.options)
    return [check async for check in checks(node, staged.peer, patience=staged.patience)]


@pytest.mark.parametrize(("stage", "step", "code", "words"), FAULTS, ids=[row[0].__name__ for row in FAULTS])
async def test_the_true_cause_is_named(stage: Stage, step: str, code: ExitCode, words: str) -> None:
    async with Cluster() as cluster, stage(cluster) as staged:
        done = await examined(cluster, staged)
    assert [each.step for each in done] == list(ALL[: ALL.index(step) + 1])
    assert [each.code for each in done[:-1]] == [ExitCode.DONE] * (len(done) - 1)
    assert words in done[-1].words
    assert done[-1].code is code


OVER_TLS = (*ALL[: ALL.index("handshake")], "tls", *ALL[ALL.index("handshake") :])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def identities(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Identity]:
    """By name. All trust the one authority, also the stranger, whom nobody trusts."""
    here = ("IP:127.0.0.1", "DNS:127.0.0.1")
    stranger = Authority(tmp_path_factory.mktemp("strange"), "strange").sign("stranger", *here)
    return {
        "good": authority.sign("good", *here),
        "elsewhere": authority.sign("elsewhere", "IP:192.0.2.1", "DNS:example.org"),
        "expired": authority.sign("expired", *here, expired=True),
        "stranger": dataclasses.replace(stranger, authority=authority.certificate),
    }


def carrier(identity: Identity) -> TlsCarrier:
    return TlsCarrier(identity.certificate, identity.key, identity.authority)


TLS_FAULTS = [
    # whose certificate asks (None: plain TCP), whose answers, the step that fails, what it says
    ("good", "stranger", "tls", ExitCode.REFUSED, "its certificate is not accepted here (unable to get local issuer"),
    ("good", "expired", "tls", ExitCode.REFUSED, "its certificate is not accepted here (certificate has expired)"),
    ("good", "elsewhere", "tls", ExitCode.REFUSED, "its certificate is not for the host part of its name: make one"),
    ("good", None, "tls", ExitCode.REFUSED, "or does not speak TLS: its log may say which"),
    ("stranger", "good", "tls", ExitCode.REFUSED, "had seen this node's certificate (its log may say why): is it"),
    ("expired", "good", "tls", ExitCode.REFUSED, "had seen this node's certificate (its log may say why): is it"),
    (
        "elsewhere",
        "good",
        "handshake",
        ExitCode.REFUSED,
        "this node's certificate is not for the host part of its name",
    ),
    (None, "good", "handshake", ExitCode.CANNOT_REACH, "or does one side use TLS and the other not"),
]


@pytest.mark.parametrize(("ours", "theirs", "step", "code", "words"), TLS_FAULTS)
async def test_the_true_cause_is_named_over_tls(
    identities: dict[str, Identity], ours: str | None, theirs: str | None, step: str, code: ExitCode, words: str
) -> None:
    carriers: dict[str | None, TlsCarrier | None] = {name: carrier(one) for name, one in identities.items()}
    steps = OVER_TLS if ours else ALL
    async with Cluster() as cluster:
        peer = await cluster.start(carrier=carriers.get(theirs))
        done = await examined(cluster, Staged(peer.name, options={"carrier": carriers.get(ours)}))
    assert [each.step for each in done] == list(steps[: steps.index(step) + 1])
    assert [each.code for each in done[:-1]] == [ExitCode.DONE] * (len(done) - 1)
    assert words in done[-1].words
    assert done[-1].code is code


async def test_a_peer_that_is_silent_before_tls(identities: dict[str, Identity]) -> None:
    async with Cluster() as cluster, silence(cluster) as staged:
        staged.options["carrier"] = carrier(identities["good"])
        done = await examined(cluster, staged)
    assert [each.step for each in done] == list(OVER_TLS[: OVER_TLS.index("tls") + 1])
    assert "did not finish the TLS handshake within" in done[-1].words
    assert done[-1].code is ExitCode.CANNOT_REACH


async def test_nothing_is_wrong_over_tls(identities: dict[str, Identity]) -> None:
    good = carrier(identities["good"])
    async with Cluster() as cluster:
        node = await cluster.start(carrier=good)
        node.spawn(Wallet(), SERVER_NAME)
        done = await examined(cluster, Staged(node.name, options={"carrier": good}))
    assert [(each.step, each.code) for each in done] == [(step, ExitCode.DONE) for step in OVER_TLS]


def test_nothing_is_wrong(near: Served, run: Run) -> None:
    code, out, err = run("doctor", near.node)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line[:6].rstrip() for line in lines] == ["ok"] * len(ALL)
    assert [line[8:17].rstrip() for line in lines] == list(ALL)
    assert "its wallet holds" in lines[-1]


def test_as_json(near: Served, run: Run) -> None:
    code, out, err = run("doctor", near.node, "--cookie", "another", "--json")
    assert (code, err) == (4, "")
    told = json.loads(out)
    assert (told["node"], told["ok"]) == (near.node, False)
    assert [step["step"] for step in told["steps"]] == list(ALL[: ALL.index("cookie") + 1])
    assert [step["ok"] for step in told["steps"]] == [True] * ALL.index("cookie") + [False]
    assert "has another cookie" in told["steps"][-1]["words"]


def test_the_host_is_a_finding_also_when_we_have_no_name_yet(own_epmd: int, run: Run) -> None:
    for peer in "server@no-such-host.invalid", "server@nosuchhost":
        code, out, err = run("doctor", peer)
        assert (code, err) == (3, "")
        assert "failed  host       the host" in out.splitlines()[-1]


def test_a_cookie_file_that_others_can_read(
    own_epmd: int, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".erlang.cookie").write_text("secret")
    (tmp_path / ".erlang.cookie").chmod(0o644)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYERLCOIN_COOKIE")
    answer = run("doctor", "server@127.0.0.1")
    refused(answer, 2, ".erlang.cookie")
    assert "secret" not in answer[2]


def test_what_is_no_node_name(own_epmd: int, run: Run) -> None:
    refused(run("doctor", "server"), 2, "is not a node name")


async def test_a_beam_is_examined(beam_release: Release) -> None:
    """The faults whose sentence rests on what a BEAM says or leaves unsaid."""
    async with Cluster() as cluster:
        await cluster.start()
        async with Beam(beam_release, epmd_port=cluster.epmd_port, cookie=cluster.cookie) as beam:
            alive = beam.node.partition("@")[0]
            done = await examined(cluster, Staged(beam.node))
            assert done[-1].step == "server"
            assert "no ElixirCoin.Server on" in done[-1].words
            done = await examined(cluster, Staged(beam.node, options={"cookie": fresh_cookie()}))
            assert done[-1].step == "cookie"
            assert "has another cookie" in done[-1].words
            done = await examined(cluster, Staged(f"{alive}@127.1"))
            assert done[-1].step == "handshake"
            assert f"{beam.node} answered at the address of {alive}@127.1" in done[-1].words
            # A short name, where the node has a long one.
            done = await examined(cluster, Staged(f"{alive}@localhost", ours="me@localhost"))
            assert done[-1].step == "handshake"
            assert f"{beam.node} answered at the address of {alive}@localhost" in done[-1].words
