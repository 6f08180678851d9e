import json
from pathlib import Path

from angarium.lab.received import Counts, Received, Recorder


def received(content: bytes) -> Received:
    return Received(session=3, peer="::1", helo="x", recipients=["b@y"], reply=250, content=content)


def test_a_message_is_recorded_octet_for_octet_with_its_envelope(tmp_path: Path) -> None:
    Recorder(tmp_path / "new")(received(b"a\r\n\xff\x00"))
    assert (tmp_path / "new" / "00000001.eml").read_bytes() == b"a\r\n\xff\x00"
    about = json.loads((tmp_path / "new" / "00000001.json").read_text())
    assert (about["number"], about["session"], about["recipients"]) == (1, 3, ["b@y"])
    assert "content" not in about


def test_numbers_go_on_where_an_earlier_run_stopped(tmp_path: Path) -> None:
    for content in (b"1", b"2"):
        Recorder(tmp_path)(received(content))
    assert (tmp_path / "00000002.eml").read_bytes() == b"2"


def test_counts_are_one_line_without_what_never_was() -> None:
    counts = Counts(messages=2)
    counts.replies["rcpt"][250] = 5
    line = counts.to_json({7: 1})
    assert b"\n" not in line
    shown = json.loads(line)
    assert (shown["replies"], shown["rules"], shown["messages"]) == (
        {"rcpt": {"250": 5}}, {"7": 1}, 2,
    )  # fmt: skip


def test_an_answer_of_nothing_is_no_acceptance() -> None:
    assert received(b"").accepted
    assert not Received(1, "", "", reply=0).accepted
    assert not Received(1, "", "", reply=451).accepted
