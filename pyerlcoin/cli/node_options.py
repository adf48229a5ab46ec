"""What every command that is a node can be told: its name, its cookie, how others are found, what carries it.

Imports no node, as `options` does not.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

__all__ = ["NodeOptions", "with_node_options"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOptions:
    """The options, as they were given; `own_node` makes a node of them."""

    cookie: Annotated[
        str | None,
        typer.Option(
            "--cookie",
            envvar="PYERLCOIN_COOKIE",
            show_envvar=True,
            metavar="COOKIE",
            help="The cluster's cookie; else ~/.erlang.cookie, as erl does.",
        ),
    ] = field(default=None, repr=False)
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME@HOST", help="This node's long name: a dot in the host part."),
    ] = None
    sname: Annotated[
        str | None, typer.Option("--sname", metavar="NAME", help="This node's short name: no dot in the host part.")
    ] = None
    no_epmd: Annotated[
        int | None,
        typer.Option(
            "--no-epmd",
            min=1,
            max=65535,
            metavar="PORT",
            help="Ask no epmd: every node listens on PORT, as erl -start_epmd false -erl_epmd_port PORT.",
        ),
    ] = None
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            "--tls-cert",
            envvar="PYERLCOIN_TLS_CERT",
            show_envvar=True,
            metavar="FILE",
            help="Speak TLS, as erl -proto_dist inet_tls: this node's certificate, PEM.",
        ),
    ] = None
    tls_key: Annotated[
        Path | None,
        typer.Option(
            "--tls-key",
            envvar="PYERLCOIN_TLS_KEY",
            show_envvar=True,
            metavar="FILE",
            help="Its private key, PEM, without a passphrase.",
        ),
    ] = None
    tls_ca: Annotated[
        Path | None,
        typer.Option(
            "--tls-ca",
            envvar="PYERLCOIN_TLS_CA",
            show_envvar=True,
            metavar="FILE",
            help="The authorities that sign the certificates of the cluster, PEM.",
        ),
    ] = None


def with_node_options(command: Callable[..., R]) -> Callable[..., R]:
    """`command` with the options of `NodeOptions`, in the place of its parameter `me`, which gets them as one."""

    @functools.wraps(command)
    def with_options(**given: Any) -> R:
        me = NodeOptions(**{one.name: given.pop(one.name) for one in fields(NodeOptions)})
        return command(me=me, **given)

    hints = get_type_hints(command, include_extras=True)
    options = get_type_hints(NodeOptions, include_extras=True)
    parameters: list[inspect.Parameter] = []
    # What Typer reads. All by keyword, as one without a default may follow one that has one.
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name == "me":
            parameters += [
                inspect.Parameter(
                    one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=options[one.name]
                )
                for one in fields(NodeOptions)
            ]
        else:
            hint = hints[parameter.name]
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hint))
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect looks for it
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options
