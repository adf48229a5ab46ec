"""The sentences of the node wing's exceptions."""

from __future__ import annotations

import inspect

import pytest

from pyerlcoin.beam import errors
from pyerlcoin.beam.errors import BeamError, ProcessDown

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, BeamError)]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = {line.strip(" │├└─").split()[0] for line in (errors.__doc__ or "").splitlines() if "── " in line}
    assert drawn == {cls.__name__ for cls in CLASSES} - {"BeamError"}


def test_all_of_them_are_public() -> None:
    assert sorted(errors.__all__) == sorted(cls.__name__ for cls in CLASSES)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_each_writes_its_sentence_from_its_fields(cls: type[BeamError]) -> None:
    names = [name for name in inspect.signature(cls.__init__).parameters if name not in ("self", "args", "kwargs")]
    numbers = {"lacking": ("DFLAG_A",), "offset": 7, "size": 8, "limit": 5, "port": 4369, "seconds": 7.0}
    fields = {name: numbers.get(name, f"<{name}>") for name in names}
    error = cls(**fields)
    sentence = str(error)
    for name, value in fields.items():
        assert getattr(error, name) == value
        if cls is not errors.NodeNotFound:
            shown = value[0] if isinstance(value, tuple) else format(value, "g" if isinstance(value, float) else "")
            assert shown in sentence


def test_a_node_that_epmd_does_not_know_is_named_in_its_two_parts() -> None:
    assert "epmd at 10.0.0.7 knows no node called alice" in str(errors.NodeNotFound("alice@10.0.0.7"))


def test_a_reason_that_python_does_not_print_is_no_second_error() -> None:
    assert "too large to print" in str(ProcessDown("p", 10**5000))
