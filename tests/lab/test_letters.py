import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.lab.letters import Letters, domains, filler, sizes, stuffed


@given(st.integers(0, 100_000))
def test_a_filler_has_its_size_and_whole_lines(size: int) -> None:
    body = filler(size)
    assert len(body) == (size if size >= 2 else 0)
    assert body == b"" or body.endswith(b"\r\n")
    assert b"\r\n." not in b"\r\n" + body
    assert body.count(b"\n") == body.count(b"\r\n")


@pytest.mark.parametrize("size", [500, 1024, 10240, 100_000])
def test_a_letter_has_its_size_and_a_recipient_of_its_own(size: int) -> None:
    letters = Letters([(size, 1)], ["a.test", "b.test"])
    first, second = letters.next("now"), letters.next("now")
    assert first.size == size == len(first.content) - 3
    assert first.content.endswith(b"\r\n.\r\n")
    assert first.recipients == ["u000000000001@a.test"]
    assert second.recipients == ["u000000000002@b.test"]
    assert b"\r\nMessage-ID: <u000000000002@load.sender.test>\r\n" in second.content


def test_several_recipients_share_a_domain() -> None:
    letters = Letters(domains=["a.test", "b.test"], recipients=2, prefix="run7-")
    letters.next("now")
    assert letters.next("now").recipients == [
        "run7-000000000002.1@b.test",
        "run7-000000000002.2@b.test",
    ]


def test_sizes_come_as_often_as_they_weigh() -> None:
    letters = Letters([(1000, 3), (2000, 1)])
    small = sum(letters.next("now").size == 1000 for _ in range(1000))
    assert 650 < small < 850


def test_sizes_are_read_with_their_weights() -> None:
    assert sizes("10k") == [(10240, 1.0)]
    assert sizes("1k:50,10k:0.5") == [(1024, 50.0), (10240, 0.5)]


@pytest.mark.parametrize("text", ["", "big", "1k:x", "1k:0", "1k:-1,2k:2"])
def test_what_are_no_sizes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no size|weight|float"):
        sizes(text)


def test_domains_are_counted_ranged_or_named() -> None:
    assert domains("2") == ["d1.sink.test", "d2.sink.test"]
    assert domains("m{8..10}.test,x.test") == ["m8.test", "m9.test", "m10.test", "x.test"]


@pytest.mark.parametrize("text", ["", ",", "0", "m{3..2}.test", "m{1..99999999}.test"])
def test_what_are_no_domains_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="domain"):
        domains(text)


@given(st.lists(st.sampled_from([b"\r\n", b".", b"a", b"\n"])).map(b"".join))
def test_stuffing_can_be_undone(content: bytes) -> None:
    framed = stuffed(content)
    assert framed.endswith(b".\r\n")
    undone = (b"\r\n" + framed[:-3]).replace(b"\r\n.", b"\r\n")[2:]
    assert undone in (content, content + b"\r\n")
