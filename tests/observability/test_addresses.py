import pytest

from observability.addresses import guard

PRIVATE = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("::1", "fe80::1", "fe80::1%2", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "::", "::a00:1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused(address: str) -> None:
    assert not guard("example.com", [])(address)
    assert not guard("example.com", ["other.example.com", "192.0.2.0/24"])(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_host_that_is_listed_may_be_anywhere(address: str) -> None:
    assert guard("Inside.example.com", ["inside.example.com"])(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_not(address: str) -> None:
    assert guard("example.com", [])(address)


@pytest.mark.parametrize(("listed", "address"), [("10.1.0.0/16", "10.1.2.3"), ("127.0.0.1", "::ffff:127.0.0.1")])
def test_a_network_may_be_listed(listed: str, address: str) -> None:
    assert guard("example.com", [listed])(address)
    assert not guard("example.com", [listed])("10.2.0.1")
