"""One epmd for the session, one looking-on BEAM node for each module and release."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.beam import Beam, RealEpmd, Release
from tests.support.game import Table


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
def table(beam_release: Release, epmd: RealEpmd, beam: Beam) -> Table:
    """Where a game is played, with that node looking on."""
    return Table(beam_release, epmd.port, beam)
