import pytest

from angarium.policy.shared.blocks import BlockError, block, network, packed, shown


@pytest.mark.parametrize(
    ("written", "peer", "address", "bits"),
    [
        ("10.0.0.1", "", "10.0.0.1", 32),
        ("10.0.0.0/8", "", "10.0.0.0", 8),
        ("/24", "192.0.2.7", "192.0.2.7", 24),
        ("", "192.0.2.7", "192.0.2.7", 32),
        ("2001:db8::1", "", "2001:db8::1", 128),
        ("[2001:db8::1]/64", "", "2001:db8::1", 64),
        ("::ffff:192.0.2.1", "", "192.0.2.1", 32),
        ("fe80::1%eth0", "", "fe80::1", 128),
    ],
)
def test_blocks_are_written_as_momentum_writes_them(
    written: str, peer: str, address: str, bits: int
) -> None:
    key, found = block(written, peer)
    assert (shown(key), found) == (address, bits)


@pytest.mark.parametrize("written", ["/24", "", "localhost", "10.0.0.1/33", "10.0.0.1/x", "10/8"])
def test_what_is_no_block_is_an_error(written: str) -> None:
    with pytest.raises(BlockError):
        block(written)


def test_addresses_of_one_block_have_one_network() -> None:
    assert network(packed("10.1.2.3"), 24) == network(packed("10.1.2.200"), 24)
    assert network(packed("10.1.2.3"), 24) != network(packed("10.1.3.3"), 24)
    assert network(packed("10.1.2.3"), 0) == 0
