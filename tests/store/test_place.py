from pyerlcoin.store.place import default_path


def test_one_file_for_each_node_whatever_its_name() -> None:
    assert default_path("server@192.168.0.13").name == "server@192.168.0.13.ledger"
    assert default_path("a/../b@h").name == "a%2F..%2Fb@h.ledger"
    assert default_path("a@h") != default_path("b@h")
    assert default_path("a@h").is_absolute()
