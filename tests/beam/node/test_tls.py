"""Distribution over TLS: between nodes of ours, with BEAMs, and all the ways in which it is refused."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from pyerlcoin.beam import Atom, GenServer, Node, Sender, Term
from pyerlcoin.beam.errors import BeamError, HungUp, InvalidCertificate, NoErlangNode, SetupTimeout, TlsRefused
from pyerlcoin.beam.node.connection import Connection
from pyerlcoin.beam.node.diagnosis import Step, diagnose
from pyerlcoin.beam.node.events import HandshakeRefused, NodeDisconnected, NodeUp
from pyerlcoin.beam.node.tls import TlsCarrier
from tests.support.beam import Beam, Release
from tests.support.certificates import Authority, Identity, inet_tls
from tests.support.clock import UNIT
from tests.support.nodes import Cluster, EventLog, RawPeer
from tests.support.ports import fresh_node

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
EACH_VERSION = pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
HOST = "IP:127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def good(authority: Authority) -> Identity:
    # OTP 25 looks for an address among the names, later ones among the addresses.
    return authority.sign("good", HOST, "DNS:127.0.0.1", "DNS:localhost")


@pytest.fixture(scope="module")
def elsewhere(authority: Authority) -> Identity:
    return authority.sign("elsewhere", "IP:192.0.2.1", "DNS:example.org")


@pytest.fixture(scope="module")
def expired(authority: Authority) -> Identity:
    return authority.sign("expired", HOST, expired=True)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Of another authority, which nobody else trusts; it trusts the others' in turn, so that one side alone refuses."""
    return Authority(tmp_path_factory.mktemp("strange"), "strange").sign("stranger", HOST)


def carrier(identity: Identity, version: ssl.TLSVersion | None = None) -> TlsCarrier:
    versions = (V12, V13) if version is None else (version, version)
    return TlsCarrier(identity.certificate, identity.key, identity.authority, versions=versions)


class Echo(GenServer):
    def handle_call(self, request: Term, sender: Sender) -> object:
        return request


@EACH_VERSION
async def test_two_of_ours(good: Identity, version: ssl.TLSVersion) -> None:
    async with Cluster() as cluster:
        events = EventLog()
        a = await cluster.start(carrier=carrier(good, version), on_event=events)
        b = await cluster.start(carrier=carrier(good))
        a.spawn(Echo(), "echo")
        b.spawn(Echo(), "echo")
        assert await b.call(("echo", a.name), b"x" * 5_000_000, timeout=20 * UNIT) == b"x" * 5_000_000
        assert b.disconnect(a.name)
        await events.wait(NodeDisconnected)
        assert await a.call(("echo", b.name), [1, 2]) == [1, 2]
        assert await asyncio.gather(*(a.call(("echo", b.name), n) for n in range(100))) == list(range(100))


async def test_no_read_waits(good: Identity) -> None:
    """What is read was decrypted when it came: see `gathering`, whose tests have the same on TCP wait."""
    async with Cluster() as cluster:
        a, b = [await cluster.start(carrier=carrier(good), gather_time=1e-6) for _ in range(2)]
        a.spawn(Echo(), "echo")
        await b.call(("echo", a.name), 0)
        with b.process() as process:
            sent = [process.send_request(("echo", a.name), n) for n in range(5)]
            assert [await request for request in sent] == list(range(5))
        connections = [a.route_if_up(b.name), b.route_if_up(a.name)]
        assert [connection.gathered for connection in connections if isinstance(connection, Connection)] == [0, 0]


def test_on_uvloop(good: Identity) -> None:
    """Its transports, plain and of TLS, are of no class of asyncio's."""
    uvloop = pytest.importorskip("uvloop", reason="the extra pyerlcoin[uvloop] is not installed")

    async def scenario() -> None:
        async with Cluster() as cluster:
            for made in (None, carrier(good, V12), carrier(good, V13)):
                a, b = await cluster.start(carrier=made), await cluster.start(carrier=made)
                b.spawn(Echo(), "echo")
                assert await a.call(("echo", b.name), b"x" * 5_000_000, timeout=20 * UNIT) == b"x" * 5_000_000
                assert await asyncio.gather(*(a.call(("echo", b.name), n) for n in range(100))) == list(range(100))
            plain = await cluster.start()
            with pytest.raises(TlsRefused):
                await a.connect(plain.name)
            # It reads what comes before TLS is on the stream, and that must not be lost.
            for _ in range(20):
                with pytest.raises((NoErlangNode, HungUp)):
                    await plain.connect(a.name)
                await b.ping(a.name)
                b.disconnect(a.name)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


async def test_both_at_once(good: Identity) -> None:
    async with Cluster() as cluster:
        a = await cluster.start(carrier=carrier(good))
        b = await cluster.start(carrier=carrier(good))
        await asyncio.gather(a.ping(b.name), b.ping(a.name))
        assert (a.nodes(), b.nodes()) == ([b.name], [a.name])


async def test_a_short_name(good: Identity) -> None:
    async with Cluster() as cluster:
        a = await cluster.start(fresh_node(host="localhost"), carrier=carrier(good))
        b = await cluster.start(fresh_node(host="localhost"), carrier=carrier(good))
        await a.ping(b.name)


async def refusal(dialler: Node, acceptor: Node, events: EventLog) -> tuple[BeamError, HandshakeRefused | None]:
    """What each of the two says. A side that is closed on may have nothing to tell."""
    with pytest.raises(BeamError) as raised:
        await dialler.connect(acceptor.name)
    return raised.value, next(iter(events.of(HandshakeRefused)), None)


@EACH_VERSION
@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("stranger", "its certificate is not accepted here"),
        ("expired", "its certificate is not accepted here (certificate has expired)"),
        ("elsewhere", "its certificate is not for the host part of its name"),
    ],
)
async def test_a_dialler_refuses(
    good: Identity, version: ssl.TLSVersion, who: str, words: str, request: pytest.FixtureRequest
) -> None:
    bad: Identity = request.getfixturevalue(who)
    async with Cluster() as cluster:
        acceptor = await cluster.start(carrier=carrier(Identity(bad.certificate, bad.key, good.authority), version))
        dialler = await cluster.start(carrier=carrier(good))
        error, _ = await refusal(dialler, acceptor, EventLog())
        assert isinstance(error, TlsRefused)
        assert words in str(error)
        assert acceptor.name in str(error)
        assert (dialler.nodes(), acceptor.nodes()) == ([], [])


@EACH_VERSION
@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("stranger", "its certificate is not accepted here"),
        ("expired", "its certificate is not accepted here (certificate has expired)"),
        ("elsewhere", "its certificate is not for the host part of its name"),
    ],
)
async def test_an_acceptor_refuses(
    good: Identity, version: ssl.TLSVersion, who: str, words: str, request: pytest.FixtureRequest
) -> None:
    bad: Identity = request.getfixturevalue(who)
    events = EventLog()
    async with Cluster() as cluster:
        acceptor = await cluster.start(carrier=carrier(good, version), on_event=events)
        dialler = await cluster.start(carrier=carrier(Identity(bad.certificate, bad.key, good.authority)))
        with pytest.raises(BeamError):
            await dialler.connect(acceptor.name)
        told = (await events.wait(HandshakeRefused)).error
        assert isinstance(told, TlsRefused)
        assert words in str(told)
        assert (dialler.nodes(), acceptor.nodes()) == ([], [])
        assert acceptor.tables().handshakes == 0


async def test_a_client_without_a_certificate(good: Identity) -> None:
    events = EventLog()
    async with Cluster() as cluster:
        node = await cluster.start(carrier=carrier(good, V12), on_event=events)
        context = ssl.create_default_context(cafile=str(good.authority))
        with pytest.raises(OSError, match=r".*"):
            await asyncio.open_connection("127.0.0.1", node.port, ssl=context)
        assert "it shows no certificate" in str((await events.wait(HandshakeRefused)).error)


async def test_a_client_that_speaks_no_version_of_ours(good: Identity) -> None:
    events = EventLog()
    async with Cluster() as cluster:
        acceptor = await cluster.start(carrier=carrier(good, V13), on_event=events)
        dialler = await cluster.start(carrier=carrier(good, V12))
        with pytest.raises(TlsRefused):
            await dialler.connect(acceptor.name)
        assert "another version of TLS" in str((await events.wait(HandshakeRefused)).error)


async def test_tls_against_none(good: Identity) -> None:
    events = EventLog()
    async with Cluster() as cluster:
        tls = await cluster.start(carrier=carrier(good), on_event=events)
        plain = await cluster.start()
        with pytest.raises((NoErlangNode, HungUp), match="does one side use TLS and the other not"):
            await plain.connect(tls.name)
        assert "it does not speak TLS" in str((await events.wait(HandshakeRefused)).error)
        with pytest.raises(TlsRefused, match="or does not speak TLS"):
            await tls.connect(plain.name)


async def test_the_cookie_is_checked_all_the_same(good: Identity) -> None:
    async with Cluster() as cluster:
        a = await cluster.start(carrier=carrier(good))
        found = [finding async for finding in diagnose(cluster.make(carrier=carrier(good), cookie="x"), a.name)]
        assert [finding.step for finding in found] == list(Step)[: list(Step).index(Step.COOKIE) + 1]
        assert found[-1].error is not None


async def test_the_doctor_names_the_certificate(good: Identity, elsewhere: Identity) -> None:
    async with Cluster() as cluster:
        a = await cluster.start(carrier=carrier(elsewhere))
        found = [finding async for finding in diagnose(cluster.make(carrier=carrier(good)), a.name)]
        assert found[-1].step is Step.TLS
        assert isinstance(found[-1].error, TlsRefused)


async def test_a_peer_that_never_begins_tls(good: Identity) -> None:
    events = EventLog()
    async with Cluster() as cluster:
        node = await cluster.start(carrier=carrier(good), setup_time=0.2 * UNIT, on_event=events)
        peer: RawPeer = await cluster.socket(node)
        assert await peer.closed() == b""
        assert "did not finish the TLS handshake within" in str((await events.wait(HandshakeRefused)).error)


async def test_stopping_while_somebody_begins_tls(good: Identity) -> None:
    async with Cluster() as cluster:
        node = await cluster.start(carrier=carrier(good))
        peer = await cluster.socket(node)
        async with asyncio.timeout(20 * UNIT):
            while node.tables().handshakes == 0:  # noqa: ASYNC110  # there is no event
                await asyncio.sleep(0)
        await node.stop()
        assert await peer.closed() == b""


async def test_a_server_that_never_begins_tls(good: Identity) -> None:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    async with server, Cluster() as cluster:
        node = await cluster.start(carrier=carrier(good), setup_time=UNIT, peer_port=server.sockets[0].getsockname()[1])
        with pytest.raises(SetupTimeout, match="did not finish the TLS handshake within"):
            await node.connect("n@127.0.0.1")


def test_files_that_cannot_be_used(authority: Authority, good: Identity, elsewhere: Identity, tmp_path: Path) -> None:
    weak, locked = authority.sign("weak", HOST, bits=512), good.locked()
    text = tmp_path / "text"
    text.write_text("no certificate")
    damaged = tmp_path / "damaged"
    damaged.write_text(good.key.read_text().replace("A", "B"))
    missing = tmp_path / "missing"
    for files, path, words in (
        ((missing, good.key, good.authority), missing, "no such file"),
        ((good.certificate, missing, good.authority), missing, "no such file"),
        ((good.certificate, good.key, missing), missing, "no such file"),
        ((tmp_path, good.key, good.authority), tmp_path, "is a directory"),
        ((text, good.key, good.authority), text, "give a certificate, as PEM"),
        ((good.key, good.key, good.authority), good.key, "give a certificate, as PEM"),
        ((good.certificate, None, good.authority), good.certificate, "give a private key, as PEM"),
        ((good.certificate, text, good.authority), text, "give a private key, as PEM"),
        ((good.certificate, damaged, good.authority), damaged, "give a private key, as PEM"),
        ((good.certificate, good.key, text), text, "give certificates of authorities, as PEM"),
        ((good.certificate, good.key, good.key), good.key, "give certificates of authorities, as PEM"),
        ((good.certificate, elsewhere.key, good.authority), elsewhere.key, f"not the key of {good.certificate}"),
        ((good.certificate, locked, good.authority), locked, "it has a passphrase"),
        ((weak.certificate, weak.key, weak.authority), weak.certificate, "it is too weak"),
    ):
        with pytest.raises(InvalidCertificate, match=words) as raised:
            TlsCarrier(*files)
        assert raised.value.path == str(path)
    both = tmp_path / "both"
    both.write_text(good.certificate.read_text() + good.key.read_text())
    TlsCarrier(both, None, good.authority)


@pytest.mark.parametrize("version", ["'tlsv1.2'", "'tlsv1.3'"])
async def test_a_beam(beam_release: Release, good: Identity, stranger: Identity, version: str) -> None:
    with beam_release.folder() as folder:
        flags = inet_tls(folder, good, version)
        async with Cluster() as cluster:
            events = EventLog()
            node = await cluster.start(carrier=carrier(good), on_event=events)
            node.spawn(Echo(), "echo")
            async with Beam(beam_release, epmd_port=cluster.epmd_port, cookie=cluster.cookie, flags=flags) as beam:
                assert await node.ping(beam.node) > 0
                big = f'x = String.duplicate("x", 3_000_000); GenServer.call({{:echo, :"{node.name}"}}, x) == x'
                assert await beam.eval(big) == "true"
                assert await beam.eval(f'Node.disconnect(:"{node.name}")') == "true"
                assert await beam.eval(f'Node.ping(:"{node.name}")', timeout=60 * UNIT) == ":pong"
                assert [up.dialled for up in events.of(NodeUp)] == [True, False]
                assert await node.call(("net_kernel", beam.node), (Atom("is_auth"), Atom(node.name))) == Atom("yes")

                # One whose certificate that BEAM does not accept, and one without TLS.
                other = carrier(Identity(stranger.certificate, stranger.key, good.authority))
                with pytest.raises(TlsRefused, match="does not accept this node's certificate"):
                    await (await cluster.start(carrier=other)).connect(beam.node)
                with pytest.raises(BeamError, match="does one side use TLS and the other not"):
                    await (await cluster.start(setup_time=2 * UNIT)).connect(beam.node)


async def test_a_beam_that_renegotiates(beam_release: Release, good: Identity) -> None:
    """With TLS 1.2 Erlang's ssl does so after 2**28 records, by default, and OTP 25 speaks it by default."""
    with beam_release.folder() as folder:
        flags = inet_tls(folder, good, "'tlsv1.2'")
        conf = folder.path / "tls.conf"
        conf.write_text(conf.read_text().replace("{client, [", "{client, [{renegotiate_at, 50}, "))
        async with Cluster() as cluster:
            events = EventLog()
            node = await cluster.start(carrier=carrier(good), on_event=events)
            node.spawn(Echo(), "echo")
            async with Beam(beam_release, epmd_port=cluster.epmd_port, cookie=cluster.cookie, flags=flags) as beam:
                calls = f'Enum.all?(1..400, &(GenServer.call({{:echo, :"{node.name}"}}, &1) == &1))'
                assert await beam.eval(calls, timeout=60 * UNIT) == "true"
                assert events.of(NodeDisconnected) == []
