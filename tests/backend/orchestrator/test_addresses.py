import pytest

from hearth_backend.orchestrator.addresses import is_loopback, is_public

pytestmark = pytest.mark.unit
PRIVATE = [
    *("127.0.0.1", "::1", "0.0.0.0", "::", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1"),
    *("224.0.0.1", "255.255.255.255", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "fe80::1", "fc00::1"),
    *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "192.0.2.1", "ff02::1", "3fff::1", "192.88.99.1", "240.0.0.1"),
]
PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", PRIVATE)
def test_nobody_out_there(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_somebody_out_there(address: str) -> None:
    assert is_public(address)


def test_this_machine_has_many_names() -> None:
    assert all(
        map(is_loopback, ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
    )
    assert not any(map(is_loopback, ["10.0.0.1", "1.1.1.1", "fe80::1%lo"]))
