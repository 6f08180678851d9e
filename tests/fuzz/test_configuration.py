"""Octets nobody wrote, in the place of a configuration: faults with places, and nothing lost.

Short in CI; `make fuzz` runs it long. `one` is what another fuzzer would call.
"""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from angarium.config.load import check
from angarium.config.tree import Snapshot

ETC = Path(__file__).parent.parent.parent / "etc"
SEEDS = [path.read_bytes() for path in sorted(ETC.rglob("*.conf"))]
MARKS = st.sampled_from([bytes([each]) for each in b"{}()[]=\"'#/*\\,\n"] + [b"/*", b"*/", b"/("])
EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 40), MARKS | st.binary(max_size=4)), max_size=8
)


def one(octets: bytes) -> None:
    """Read and check a configuration. Raises AssertionError where a promise is broken."""
    checked = check("main", Snapshot("main", (), {"main": octets}, {}))
    assert checked.document.main.encode() == octets
    lines = octets.count(b"\n") + 1
    for fault in checked.faults:
        assert fault.file == "main"
        assert 1 <= fault.line <= lines
        assert fault.column >= 1
        assert fault.message


@given(st.sampled_from(SEEDS), EDITS)
def test_a_shipped_configuration_spoilt(seed: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    octets = seed
    for at, removed, added in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + added + octets[place + removed :]
    one(octets)


@given(st.binary(max_size=500))
def test_any_octets_at_all(octets: bytes) -> None:
    one(octets)
