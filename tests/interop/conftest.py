"""One epmd for the session, one looking-on BEAM node for each module and release."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.beam import Beam, RealEpmd, Release
from tests.support.game import Table
from tests.support.real_pyrlang import CANNOT, OUR_NODE, why_not_here

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --runtime pyrlang, what Pyrlang cannot do is skipped by name, with the reason."""
    if config.getoption("--runtime") != "pyrlang":
        return
    absent = why_not_here()
    if absent is not None:
        raise pytest.UsageError(absent)
    for item in items:
        if item.path.parent == HERE:
            reason = CANNOT.get(item.name, CANNOT.get(getattr(item, "originalname", item.name)))
            if item.path.name in OUR_NODE:
                reason = "it is about our own node, which --runtime pyrlang does not use"
            if reason is not None:
                # The default, our own runtime, runs them all.
                item.add_marker(pytest.mark.skip(reason=reason))  # reason: Pyrlang cannot do what CANNOT names


@pytest.fixture(scope="session")
def epmd() -> Iterator[RealEpmd]:
    """OTP's own epmd, on a port that nobody else knows."""
    with RealEpmd() as running:
        yield running


@pytest.fixture(scope="module")
def beam(beam_release: Release, epmd: RealEpmd) -> Iterator[Beam]:
    """A BEAM node of this release. Tests share it, so they use names of their own."""
    with Beam(beam_release, epmd_port=epmd.port) as running:
        yield running


@pytest.fixture(scope="module")
def table(beam_release: Release, epmd: RealEpmd, beam: Beam, pytestconfig: pytest.Config) -> Table:
    """Where a game is played, with that node looking on."""
    return Table(beam_release, epmd.port, beam, pytestconfig.getoption("--runtime"))
