from __future__ import annotations

import pytest

from pyerlcoin.beam.dist import NameForm, NodeName
from pyerlcoin.beam.errors import InvalidNodeName, NameFormMismatch


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("server@192.168.0.13", NameForm.LONG),
        ("a-b_C9@host.local", NameForm.LONG),
        ("x@::1", NameForm.LONG),
        ("x@fancy-host", NameForm.SHORT),
        ("x@" + "h" * 253, NameForm.SHORT),
    ],
)
def test_valid_names(text: str, form: NameForm) -> None:
    name = NodeName.parse(text)
    assert name.full == str(name) == text
    assert name.form is form
    assert f"{name.alive}@{name.host}" == text
    assert NodeName.parse(text, form) == name


@pytest.mark.parametrize(
    "text",
    ["", "x", "@", "x@", "@h", "x@y@z", "a b@h", "ü@h", "x@hü", "x@h h", "x\n@h", "x@h\n", "a.b@h", "x@" + "h" * 254],
)
def test_invalid_names(text: str) -> None:
    with pytest.raises(InvalidNodeName):
        NodeName.parse(text)


def test_a_form_that_was_asked_for_is_kept_to() -> None:
    with pytest.raises(InvalidNodeName, match="--sname"):
        NodeName.parse("x@host", NameForm.LONG)
    with pytest.raises(InvalidNodeName, match="use --name"):
        NodeName.parse("x@host.local", NameForm.SHORT)


def test_a_bare_name_is_completed() -> None:
    assert NodeName.complete("x", NameForm.SHORT, "box.local").full == "x@box"
    assert NodeName.complete("x", NameForm.LONG, "box.local").full == "x@box.local"
    assert NodeName.complete("x@10.0.0.1", NameForm.LONG, "box.local").full == "x@10.0.0.1"
    with pytest.raises(InvalidNodeName, match="needs a dot"):
        NodeName.complete("x", NameForm.LONG, "box")


def test_a_node_without_a_name_gets_one_of_its_host() -> None:
    name = NodeName.dynamic("10.0.0.1", 0xABC)
    assert name.full == "0000000000000ABC@10.0.0.1"
    assert name == NodeName.parse(name.full, NameForm.LONG)
    assert NodeName.dynamic("h", 2**64 - 1) != NodeName.dynamic("h", 2**64 - 2)
    with pytest.raises(InvalidNodeName):
        NodeName.dynamic("", 1)


def test_long_and_short_names_never_connect() -> None:
    long, short = NodeName.parse("a@b.c"), NodeName.parse("a@b")
    long.require_same_form(NodeName.parse("z@127.0.0.1"))
    short.require_same_form(NodeName.parse("z@y"))
    for ours, theirs in [(long, short), (short, long)]:
        with pytest.raises(NameFormMismatch) as caught:
            ours.require_same_form(theirs)
        assert (caught.value.ours, caught.value.theirs) == (ours.full, theirs.full)
