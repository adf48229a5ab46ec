"""One epmd, and one BEAM for each release, for all that befalls the connections to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.conftest import epmd
from tests.support.beam import Beam, RealEpmd, Release

__all__ = ["beam", "epmd"]


@pytest.fixture(scope="session")
def beam(beam_release: Release, epmd: RealEpmd) -> Iterator[Beam]:
    """A BEAM node of this release. Tests share it: each leaves it as it was."""
    with Beam(beam_release, epmd_port=epmd.port) as running:
        yield running
