"""What people and programs read."""

import json
from email import message_from_bytes
from email.policy import default

from hypothesis import given
from hypothesis import strategies as st

from angarium.modules.monitor.incidents import Incident, Incidents, Limits
from angarium.modules.monitor.notices import (
    MOST,
    Notice,
    as_json,
    as_mail,
    body,
    subject,
    trial,
)

AT = 1_700_000_000.0
DISK = Incident("disk", "/spool", "5 % is free", True, AT - 100, AT, count=3)
OVER = Incident("worker", "1", "worker died", False, AT - 4000, AT, over_at=AT)


def test_a_line_says_the_first_thing_that_is_wrong() -> None:
    assert subject(Notice("mx", AT, (DISK,))) == "[mx] disk: 5 % is free"
    assert subject(Notice("mx", AT, (OVER, DISK))) == "[mx] disk: 5 % is free (and 1 more)"
    assert subject(Notice("mx", AT, (OVER,))) == "[mx] OVER: worker died"
    long = Incident("spool", "", "x" * 500, False, AT, AT)
    assert len(subject(Notice("mx", AT, (long, DISK)))) == 120
    assert subject(Notice("mx", AT, (long, DISK))).endswith("... (and 1 more)")


def test_people_read_what_is_wrong_and_what_is_over() -> None:
    assert body(Notice("mx", AT, (OVER, DISK))) == (
        "mx, 2023-11-14 22:13:20 UTC\n\n"
        "Wrong:\n"
        "  disk /spool: 5 % is free (since 2023-11-14 22:11:40 UTC, 3 times)\n\n"
        "Over:\n"
        "  worker 1: over, lasted 1 h 6 min; it was: worker died\n\n"
        "angarium console and the paniclog have more.\n"
    )


def test_of_many_things_some_are_told_one_by_one() -> None:
    many = tuple(Incident("spool", str(n), "x", False, AT, AT) for n in range(MOST + 5))
    assert body(Notice("mx", AT, many)).count("\n  spool ") == MOST
    assert "  and 5 more\n" in body(Notice("mx", AT, many))
    document = json.loads(as_json(Notice("mx", AT, many)))
    assert len(document["alerts"]) == MOST
    assert document["left_out"] == 5
    assert len(Notice("mx", AT, many).states) == MOST + 5  # who has read it knows of all


def test_programs_read_json() -> None:
    document = json.loads(as_json(Notice("mx", AT, (DISK, OVER))))
    assert document["state"] == "raised"
    assert document["alerts"][0] == {
        "kind": "disk", "about": "/spool", "state": "raised", "text": "5 % is free",
        "since": AT - 100, "last": AT, "over": None, "count": 3,
    }  # fmt: skip
    assert document["alerts"][1]["over"] == AT
    assert json.loads(as_json(Notice("mx", AT, (OVER,))))["state"] == "over"
    assert json.loads(as_json(trial("mx", AT)))["state"] == "test"


@given(st.text(max_size=300), st.text(max_size=50))
def test_a_mail_is_ascii_with_lines_that_fit_whatever_is_in_it(text: str, about: str) -> None:
    incidents = Incidents(Limits())
    incidents.begin("spool", about, text, AT)
    notice = Notice("mx.test", AT, tuple(incidents))
    content = as_mail(notice, "alerts@mx.test", ["a@b.test", "c@d.test"])
    assert content.isascii()
    assert all(len(line) <= 998 and b"\r" not in line for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    mail = message_from_bytes(content, policy=default)
    assert set(mail.keys()) >= {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"}
    assert len(mail.get_all("Subject", [])) == 1
    assert mail["To"] == "a@b.test, c@d.test"
    assert mail["Auto-Submitted"] == "auto-generated"
