"""Envelopes in files of the maildrop."""

import json
from dataclasses import asdict

import pytest

from angarium.run.submission.envelope import MOST_RECIPIENTS, Envelope

ONE = Envelope(
    "a@b.test", ("c@d.test", "jü@x.test"), 7, "ab12", 12.5, "FAILURE", "HDRS", "x+20", True
)


def test_what_was_written_is_read() -> None:
    assert Envelope.decode(ONE.encode()) == ONE
    assert ONE.encode().count(b"\n") == 1
    assert Envelope.decode(ONE.to(("z@z.test",)).encode()).recipients == ("z@z.test",)


@pytest.mark.parametrize(
    "change",
    [
        {"sender": "a@b.test> SIZE=1\r\nRCPT TO:<x@y"}, {"sender": 5}, {"sender": "a"},
        {"recipients": []}, {"recipients": ["a"]}, {"recipients": [None]},
        {"recipients": "a@b.test"}, {"recipients": [" a@b.test"]}, {"sender": "a@b.test "},
        {"recipients": ["a@b.test\n"]}, {"recipients": ["a@b.test"] * (MOST_RECIPIENTS + 1)},
        {"notify": "NEVER\r\nX"}, {"notify": "SUCCESS,NEVER"}, {"returned": "ALL"},
        {"envid": "a b"}, {"token": "x\r\n"}, {"uid": "0"}, {"uid": True}, {"at": 1e300},
        {"at": -1.0}, {"at": float("nan")},
    ],
)  # fmt: skip
def test_an_enemy_asks_for_nothing_a_command_line_could_not(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Envelope.decode(json.dumps(asdict(ONE) | change).encode())


@pytest.mark.parametrize("octets", [b"", b"null", b"[]", b"{}", b"\xff", b'{"sender": "a@b.test"}'])
def test_what_is_no_envelope(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Envelope.decode(octets)
