from hypothesis import given
from hypothesis import strategies as st

from angarium.core.buffer import Buffer

LINES = st.lists(st.binary(max_size=8).map(lambda line: line.replace(b"\r\n", b"")), max_size=8)


@given(LINES, st.binary(max_size=5), st.integers(1, 9))
def test_lines_come_out_as_they_went_in_whatever_the_cuts(
    lines: list[bytes], tail: bytes, cut: int
) -> None:
    wire = b"".join(line + b"\r\n" for line in lines) + tail
    buffer, got, left = Buffer(), [], b""
    for start in range(0, len(wire), cut):
        buffer.append(wire[start : start + cut])
        while (line := buffer.take_line()) is not None:
            got.append(line)
    left = buffer.take_all()
    assert b"\r\n".join([*got, left]) == wire
    assert len(buffer) == 0


def test_octets_put_back_come_first() -> None:
    buffer = Buffer()
    buffer.append(b"one\r\ntwo")
    assert buffer.take(2) == b"on"
    buffer.push_back(b"tw")
    assert buffer.take_line() == b"twe"
    assert buffer.take_all() == b"two"
