"""Every exception the node wing raises, as one tree.

::

    BeamError
    ├── LocalFault                  we asked for something wrong; nothing was sent
    │   ├── InvalidNodeName         not `name@host`, or the wrong form of host
    │   ├── InvalidCookie           cookie text or cookie file that erl would refuse
    │   ├── UnencodableTerm         a Python value that has no external form
    │   ├── NameRegistered          another process of this node holds the name
    │   ├── NodeNotRunning          a node that was not started, or was stopped
    │   ├── TooMuchAtOnce           more connections being opened, or signals waiting for one, than `NodeLimits` allows
    │   ├── InvalidCertificate      certificate files of ours that TLS cannot use
    │   └── CannotListen            no socket for the distribution port or for epmd
    ├── RemoteFault                 the peer's bytes break the protocol; its connection is closed
    │   ├── MalformedTerm           bytes that are no external term
    │   ├── MalformedMessage        a frame, handshake, epmd or control message out of form or out of turn
    │   └── LimitExceeded           well formed, but larger than this node accepts
    ├── Unreachable                 no connection came about
    │   ├── HostUnknown             the host part does not resolve
    │   ├── EpmdUnreachable         nobody answers on the port mapper's port
    │   ├── NodeNotFound            the port mapper knows no such node
    │   ├── PortUnreachable         the node's distribution port does not answer
    │   ├── NoErlangNode            what answers on that port speaks another protocol
    │   ├── HungUp                  the other side closed in the middle of the handshake
    │   └── SetupTimeout            no complete handshake within net_setuptime
    ├── Refused                     the other side was reached and said no
    │   ├── CookieMismatch          the digests differ
    │   ├── NotAllowed              status `not_allowed`: a flag or our name is refused there
    │   ├── AlreadyConnected        status `nok` or `alive`: the other connection goes on
    │   ├── NameInUse               the port mapper holds that name for a living node
    │   ├── NameFormMismatch        a long name against a short one
    │   ├── WrongPeer               another node answered at that address
    │   └── TlsRefused              no TLS came about: a certificate, or none on the other side
    └── CallFailed                  a call that ends without its reply
        ├── NoProcess               `noproc`: no process of that name or pid
        ├── NodeDown                `nodedown`: the connection ended first
        ├── ProcessDown             the process ended first, with `reason`
        └── CallTimeout             the caller's own clock ran out

A `RemoteFault` is the only thing that may come out of decoding peer bytes. The exceptions carry
fields; the sentence is written in one place, `__str__`, for a person to act on.
"""

from __future__ import annotations

__all__ = [
    "AlreadyConnected",
    "BeamError",
    "CallFailed",
    "CallTimeout",
    "CannotListen",
    "CookieMismatch",
    "EpmdUnreachable",
    "HostUnknown",
    "HungUp",
    "InvalidCertificate",
    "InvalidCookie",
    "InvalidNodeName",
    "LimitExceeded",
    "LocalFault",
    "MalformedMessage",
    "MalformedTerm",
    "NameFormMismatch",
    "NameInUse",
    "NameRegistered",
    "NoErlangNode",
    "NoProcess",
    "NodeDown",
    "NodeNotFound",
    "NodeNotRunning",
    "NotAllowed",
    "PortUnreachable",
    "ProcessDown",
    "Refused",
    "RemoteFault",
    "SetupTimeout",
    "TlsRefused",
    "TooMuchAtOnce",
    "UnencodableTerm",
    "Unreachable",
    "WrongPeer",
]


class BeamError(Exception):
    """The root: whatever the node wing raises on purpose."""


class LocalFault(BeamError):
    """The caller asked for something wrong. Nothing was sent."""


class InvalidNodeName(LocalFault):
    """A node name that no node can have."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name!r} is not a node name: {self.reason}"


class InvalidCookie(LocalFault):
    """A cookie, or a cookie file, that erl would refuse. Never carries the cookie."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class UnencodableTerm(LocalFault):
    """A Python value without an external form (ETF)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"this value has no Erlang form: {self.reason}"


class NameRegistered(LocalFault):
    """The name already belongs to a living process of this node."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"a process of this node is already registered as {self.name}"


class NodeNotRunning(LocalFault):
    """The node was not started, or was stopped."""

    def __str__(self) -> str:
        return "the node is not running"


class TooMuchAtOnce(LocalFault):
    """More than `NodeLimits` allows this node's own program: it can wait, and try again."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(what, limit)
        self.what = what
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.what} would be more than {self.limit}: wait for the earlier ones"


class InvalidCertificate(LocalFault):
    """A certificate, key or authority file of ours that cannot be used. Never carries the key."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} cannot be used for TLS: {self.reason}"


class CannotListen(LocalFault):
    """No socket could be opened to listen on."""

    def __init__(self, address: str, port: int, reason: str) -> None:
        super().__init__(address, port, reason)
        self.address = address
        self.port = port
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot listen on {self.address} port {self.port}: {self.reason}"


class RemoteFault(BeamError):
    """The peer broke the protocol. Its connection cannot go on."""


class MalformedTerm(RemoteFault):
    """Bytes that are no external term. `offset` is where, in the bytes given to the decoder."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset

    def __str__(self) -> str:
        return f"malformed term at byte {self.offset}: {self.reason}"


class MalformedMessage(RemoteFault):
    """A frame, handshake, epmd or control message out of form or out of turn."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"malformed message: {self.reason}"


class LimitExceeded(RemoteFault):
    """Well formed so far, but larger than this node accepts."""

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(what, size, limit)
        self.what = what
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.what} is {self.size}, over the limit of {self.limit}"


class Unreachable(BeamError):
    """No connection came about."""


class HostUnknown(Unreachable):
    """The host part of a node name does not resolve."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host

    def __str__(self) -> str:
        return f"the host {self.host} is not known here: check its spelling, or use its IP address"


class EpmdUnreachable(Unreachable):
    """Nobody answers on the port mapper's port."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(host, port, reason)
        self.host = host
        self.port = port
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"no epmd answers at {self.host} port {self.port} ({self.reason}): "
            "is a node running there, and does the firewall let that port through?"
        )


class NodeNotFound(Unreachable):
    """The port mapper of that host knows no such node."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node

    def __str__(self) -> str:
        name, _, host = self.node.partition("@")
        return f"the epmd at {host} knows no node called {name}: is it running, under that name?"


class PortUnreachable(Unreachable):
    """The node's distribution port does not answer."""

    def __init__(self, node: str, port: int, reason: str) -> None:
        super().__init__(node, port, reason)
        self.node = node
        self.port = port
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"port {self.port}, where {self.node} is to be found, does not answer ({self.reason}): "
            "is that node still running, and does the firewall let the port through?"
        )


class NoErlangNode(Unreachable):
    """What answers on the node's port does not speak the distribution protocol."""

    def __init__(self, node: str, port: int, reason: str) -> None:
        super().__init__(node, port, reason)
        self.node = node
        self.port = port
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"what answers on port {self.port} for {self.node} does not speak as an Erlang node ({self.reason}): "
            "has another program that port, or does one side use TLS and the other not?"
        )


class HungUp(Unreachable):
    """The other side closed before the handshake was over, for no reason that its rules know of.

    `step` is what was to come next from it. `node` may be "a node", of one that had not said its name.
    """

    def __init__(self, node: str, step: str) -> None:
        super().__init__(node, step)
        self.node = node
        self.step = step

    def __str__(self) -> str:
        return (
            f"{self.node} hung up while the handshake waited for {self.step}: is it just stopping, does a tunnel or "
            "proxy on the way lead nowhere, or does one side use TLS and the other not?"
        )


class SetupTimeout(Unreachable):
    """No complete handshake within `net_setuptime` (kernel, 7 s). `what` it is that was not finished."""

    def __init__(self, node: str, seconds: float, what: str = "handshake") -> None:
        super().__init__(node, seconds, what)
        self.node = node
        self.seconds = seconds
        self.what = what

    def __str__(self) -> str:
        return (
            f"{self.node} did not finish the {self.what} within {self.seconds:g} s: "
            "is it overloaded, stopped, no Erlang node at all, or does one side use TLS and the other not?"
        )


class Refused(BeamError):
    """The other side was reached and said no."""


class CookieMismatch(Refused):
    """The digests differ, so the cookies do."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node

    def __str__(self) -> str:
        return f"{self.node} has another cookie: start both nodes with the same --cookie"


class NotAllowed(Refused):
    """Status `not_allowed`: the other node refuses our name or a flag; or `lacking` names the flags it lacks for us."""

    def __init__(self, node: str, lacking: tuple[str, ...] = ()) -> None:
        super().__init__(node, lacking)
        self.node = node
        self.lacking = lacking

    def __str__(self) -> str:
        if self.lacking:
            return f"{self.node} is too old, it lacks {', '.join(self.lacking)}: run it on OTP 25 or newer"
        return (
            f"{self.node} does not allow this node to connect: its log says which flag or name it refuses; most often "
            "both have one name, or over TLS this node's certificate is not for the host part of its name"
        )


class AlreadyConnected(Refused):
    """Status `nok` or an `alive` we gave up on: the other connection between the two goes on."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node

    def __str__(self) -> str:
        return f"{self.node} goes on with another connection to this node's name"


class NameInUse(Refused):
    """The port mapper holds that name for a living node."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node

    def __str__(self) -> str:
        return f"a node called {self.node} is already running on this host: choose another name"


class NameFormMismatch(Refused):
    """A long name against a short one: the two kinds never connect."""

    def __init__(self, ours: str, theirs: str) -> None:
        super().__init__(ours, theirs)
        self.ours = ours
        self.theirs = theirs

    def __str__(self) -> str:
        return (
            f"{self.ours} and {self.theirs} cannot connect, one has a long name and the other a short one: "
            "use --name with a dot in the host part on both, or --sname on both"
        )


class WrongPeer(Refused):
    """Another node than the one that was dialled answered."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(expected, actual)
        self.expected = expected
        self.actual = actual

    def __str__(self) -> str:
        return f"{self.actual} answered at the address of {self.expected}: write the host as that node writes it"


class TlsRefused(Refused):
    """TLS came to nothing: one side does not accept the other's certificate, or does not speak TLS."""

    def __init__(self, node: str, reason: str) -> None:
        super().__init__(node, reason)
        self.node = node
        self.reason = reason

    def __str__(self) -> str:
        return f"no TLS with {self.node}: {self.reason}"


class CallFailed(BeamError):
    """A call that ended without its reply."""


class NoProcess(CallFailed):
    """`noproc`: there is no process of that name or pid."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target

    def __str__(self) -> str:
        return f"no process {self.target} is running"


class NodeDown(CallFailed):
    """`nodedown`: the connection ended before the reply came."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node

    def __str__(self) -> str:
        return f"the connection to {self.node} was lost"


class ProcessDown(CallFailed):
    """The process ended, with `reason` (a term), before it replied."""

    def __init__(self, target: str, reason: object) -> None:
        super().__init__(target, reason)
        self.target = target
        self.reason = reason

    def __str__(self) -> str:
        try:
            reason = repr(self.reason)
        except ValueError:
            # Python prints no integer of more than 4,300 digits, and a peer may send one.
            reason = "for a reason too large to print"
        return f"the process {self.target} ended: {reason}"


class CallTimeout(CallFailed):
    """The caller's own clock ran out. A reply that comes later is dropped."""

    def __init__(self, target: str, seconds: float) -> None:
        super().__init__(target, seconds)
        self.target = target
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.target} did not answer within {self.seconds:g} s"
