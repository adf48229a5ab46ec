"""What `from pyerlcoin.beam import …` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pyerlcoin.beam as beam


@pytest.mark.parametrize("name", beam.__all__)
def test_every_name_is_where_it_is_said_to_be(name: str) -> None:
    assert getattr(beam, name) is not None


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(beam, "noth" + "ing")


def test_terms_alone_do_not_load_the_node() -> None:
    program = "import sys; from pyerlcoin.beam import Atom; print('pyerlcoin.beam.node' in sys.modules, Atom('ok'))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False ok\n"
