"""What senders are told: failure, success, delay, in the form of RFC 3464, and when nobody is."""

from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
import pytest_asyncio

from angarium.lab.received import Received
from helpers.outlook import Outlook, Watched, second

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
mailerdaemon = "postmaster@mx.node.test"
domain "none.test" { bounces_inline_original = none }
domain "all.test" { bounces_inline_original = all }
domain "silent.test" { generate_bounces = false }
domain "told.test" { mdn_failures_notify = "ops@home.test" }
domain "slow.test" {
  generate_delay_dsn = true
  delay_dsn_retry_interval = 1
  max_retry_interval = 1
}
domain "wish.test" { delay_dsn_retry_interval = 1  max_retry_interval = 1 }
"""
SINK = """
at rcpt to gone@* reply 550 5.1.1 nobody\\nof that name here
at rcpt to gon\u00e9@* reply 550 5.1.1 nobody here
at rcpt to slow@wish.test first 2 reply 451 4.2.1 not now
at rcpt to slow@slow.test first 2 reply 451 4.2.1 not now
at rcpt to *@lost.test reply 550 5.1.1 the sender is gone too
"""
CONTENT = b"Subject: the original\r\nX-Mark: kept\r\n\r\nthe body of it\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outlook]:
    zone = "* A 127.0.0.1\nplain.test A 127.0.1.1"
    async with Outlook(tmp_path_factory.mktemp("reports"), CONFIG, zone, SINK) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def plain(world: Outlook) -> AsyncIterator[Watched]:
    """A host which knows nothing of reports."""
    sink = await second(world, "127.0.1.1", "without DSN SMTPUTF8")
    yield sink
    await sink.stop()


def parts(letter: Received) -> tuple[Message, list[Message]]:
    """Return a report and its parts."""
    report = message_from_bytes(letter.content or b"")
    found = report.get_payload()
    assert isinstance(found, list)
    return report, [each for each in found if isinstance(each, Message)]


def status(part: Message) -> list[Message]:
    """Return the groups of fields of a delivery-status part."""
    groups = part.get_payload()
    assert isinstance(groups, list)
    return [each for each in groups if isinstance(each, Message)]


async def report(world: Outlook, to: str, about: str, **mail: str) -> Received:
    """Send a message and return the report of it."""
    await world.mail(about, sender=to, content=CONTENT, parameters=mail.get("parameters", ""))
    return (await world.came(to))[0]


async def test_a_failure_is_reported_in_the_form_of_rfc_3464(world: Outlook) -> None:
    letter = await report(
        world,
        "one@home.test",
        "gone@a.test ORCPT=rfc822;first+2Bname@old.test",
        parameters="ENVID=id+3D7",
    )
    assert letter.sender == ""
    assert letter.recipient_parameters == ["NOTIFY=NEVER"]
    whole, (text, machine, original) = parts(letter)
    assert whole["From"].endswith("<postmaster@mx.node.test>")
    assert whole["To"] == "<one@home.test>"
    assert whole["Auto-Submitted"] == "auto-replied"
    assert whole.get_content_type() == "multipart/report"
    assert whole.get_param("report-type") == "delivery-status"
    assert "gone@a.test" in str(text.get_payload())
    assert "nobody" in str(text.get_payload())
    message, recipient = status(machine)
    assert message["Reporting-MTA"] == "dns; mx.node.test"
    assert message["Original-Envelope-Id"] == "id=7"
    assert message["Arrival-Date"]
    assert recipient["Original-Recipient"] == "rfc822; first+name@old.test"
    assert recipient["Final-Recipient"] == "rfc822; gone@a.test"
    assert recipient["Action"] == "failed"
    assert recipient["Status"] == "5.1.1"
    assert recipient["Remote-MTA"] == "dns; [127.0.0.1]"
    assert recipient["Diagnostic-Code"] == "smtp; 550 5.1.1 nobody of that name here"
    assert original.get_content_type() == "text/rfc822-headers"
    assert "X-Mark: kept" in str(original.get_payload())
    assert b"the body of it" not in (letter.content or b"")


@pytest.mark.parametrize(
    ("sender", "domain", "parameters", "returned"),
    [
        ("two@home.test", "none.test", "", ""),
        ("three@home.test", "all.test", "", "message/rfc822"),
        ("four@home.test", "all.test", "RET=HDRS", "text/rfc822-headers"),
        ("five@home.test", "b.test", "RET=FULL", "message/rfc822"),
    ],
)
async def test_option_and_sender_say_what_comes_back(
    world: Outlook, sender: str, domain: str, parameters: str, returned: str
) -> None:
    letter = await report(world, sender, f"gone@{domain}", parameters=parameters)
    _, (_, _, *originals) = parts(letter)
    assert [each.get_content_type() for each in originals] == ([returned] if returned else [])
    assert (b"the body of it" in (letter.content or b"")) is (returned == "message/rfc822")


async def test_nobody_is_told_who_does_not_want_it_or_must_not(world: Outlook) -> None:
    await world.mail("gone@a.test NOTIFY=NEVER", sender="six@home.test")
    await world.mail("gone@a.test NOTIFY=SUCCESS", sender="six@home.test")
    await world.mail("gone@silent.test", sender="six@home.test")
    await world.mail("gone@null.test", sender="")
    await world.mail("gone@a.test", sender="b@lost.test")  # Its report fails too.
    await world.records("mainlog", "P", "silent.test")
    await world.records("mainlog", "P", "null.test")
    [failed] = await world.records("mainlog", "P", "lost.test")
    assert "the sender is gone too" in failed[13]
    [arrival] = [row for row in world.rows("mainlog", "R", "lost.test") if row[11] == "internal"]
    assert (arrival[5], arrival[7], arrival[8]) == ("b", "", "")
    assert world.got("six@home.test") == []
    assert world.rows("mainlog", "R", "mx.node.test") == []


@pytest.mark.effect("mdn_failures_notify")
async def test_failures_of_mail_without_a_sender_go_where_the_option_says(world: Outlook) -> None:
    await world.mail("gone@told.test", sender="", content=CONTENT)
    [letter] = await world.came("ops@home.test")
    assert letter.sender == ""
    _, (_, machine, _) = parts(letter)
    assert status(machine)[1]["Final-Recipient"] == "rfc822; gone@told.test"


async def test_success_is_reported_by_the_last_host_that_can(
    world: Outlook, plain: Watched
) -> None:
    letter = await report(world, "seven@home.test", "b@plain.test NOTIFY=SUCCESS")
    _, (text, machine, _) = parts(letter)
    assert status(machine)[1]["Action"] == "relayed"
    assert status(machine)[1]["Status"] == "2.0.0"
    assert "passed on" in str(text.get_payload())
    await world.mail("b@c.test NOTIFY=SUCCESS", sender="eight@home.test")
    [passed] = await world.came("b@c.test")
    assert passed.recipient_parameters == ["NOTIFY=SUCCESS"]
    await world.mail("b@plain.test", sender="eight@home.test")
    await plain.until(2)
    assert world.got("eight@home.test") == []


async def test_a_delay_is_reported_where_option_or_sender_want_it(world: Outlook) -> None:
    wanted = {"nine@home.test": "slow@slow.test", "ten@home.test": "slow@wish.test"}
    await world.mail("slow@slow.test", sender="nine@home.test")
    await world.mail("slow@wish.test NOTIFY=DELAY", sender="ten@home.test")
    for sender, recipient in wanted.items():
        # Attempts are placed to two seconds, so with times as short as these there may be a second.
        letter, *_ = await world.came(sender)
        _, (text, machine, *_) = parts(letter)
        fields = status(machine)[1]
        assert fields["Final-Recipient"] == f"rfc822; {recipient}"
        assert fields["Action"] == "delayed"
        assert fields["Status"] == "4.2.1"
        assert fields["Will-Retry-Until"]
        assert "need not send it again" in str(text.get_payload())
        await world.came(recipient)


async def test_an_international_address_is_reported_by_rfc_6533(world: Outlook) -> None:
    await world.mail("gon\u00e9@a.test", sender="\u00e9lf@home.test", parameters="SMTPUTF8")
    [letter] = await world.came("\u00e9lf@home.test")
    assert letter.sender_parameters.endswith("SMTPUTF8")
    whole, (_, machine, original) = parts(letter)
    assert machine.get_content_type() == "message/global-delivery-status"
    assert original.get_content_type() == "message/global-headers"
    assert "Final-Recipient: utf-8; gon\u00e9@a.test".encode() in (letter.content or b"")
    assert whole["Subject"]


@pytest.mark.effect("external_hostname", "bounce_size_limit")
async def test_what_we_write_into_mail_has_the_name_and_the_size_which_are_set(
    tmp_path: Path,
) -> None:
    config = """
        external_hostname = "outside.test"
        bounces_inline_original = all
        bounce_size_limit = 600
    """
    sink = "at rcpt to gone@* reply 550 5.1.1 nobody here"
    async with Outlook(tmp_path, config, "* A 127.0.0.1", sink) as world:
        await world.mail("b@a.test")
        [letter] = await world.came("b@a.test")
        assert b"by outside.test" in (letter.content or b"")
        assert b"mx.node.test" not in (letter.content or b"")
        assert world.session(letter)[0] == "EHLO mx.node.test"
        returned = []
        for lines in (1, 40):
            to = f"sender{lines}@home.test"
            text = b"Subject: x\r\n\r\n" + b"the body of it\r\n" * lines
            await world.mail("gone@a.test", sender=to, content=text)
            [report] = await world.came(to)
            returned.append(b"the body of it" in (report.content or b""))
            assert b"Reporting-MTA: dns; outside.test" in (report.content or b"")
            assert b"mailer-daemon@outside.test" in (report.content or b"")
        assert returned == [True, False]
