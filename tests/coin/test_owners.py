from pyerlcoin.coin.owners import Owners


def test_one_process_may_have_several_names() -> None:
    owners = Owners()
    owners.add("Ann", 1)
    owners.add("Bob", 1)
    assert list(owners.names(1)) == ["Ann", "Bob"]
    assert owners.remove("Ann") == 1
    assert list(owners.names(1)) == ["Bob"]
    assert "Ann" not in owners
    assert "Bob" in owners
    owners.remove("Bob")
    assert list(owners.names(1)) == []


def test_nobody_has_no_names() -> None:
    assert list(Owners().names("x")) == []
