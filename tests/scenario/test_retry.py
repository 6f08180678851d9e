"""Mail which cannot be delivered at once: when it is tried again, and when no longer."""

from pathlib import Path

import pytest

from helpers.outlook import Outlook, times

EVERYWHERE = "* A 127.0.0.1"


@pytest.mark.effect("retry_interval")
async def test_each_recipient_is_tried_again_by_itself_at_growing_intervals(
    tmp_path: Path,
) -> None:
    sink = """
        at rcpt to busy@a.test first 2 reply 451 4.2.1 not now
        at rcpt to gone@a.test reply 550 5.1.1 nobody here
    """
    async with Outlook(tmp_path, zone=EVERYWHERE, sink=sink) as world:
        await world.mail("well@a.test", "busy@a.test", "gone@a.test", sender="")
        await world.came("busy@a.test")
        delivered = await world.records("mainlog", "D", "a.test", 2)
        deferred = world.rows("mainlog", "T", "a.test")
        assert [row[10] for row in deferred] == ["0", "1"]
        assert [row[9] for row in delivered] == ["0", "2"]
        first, second = times(deferred)
        # retry_interval is 1 s: waits of 1 and 2 s, a part of a second for spreading, whole
        # seconds in the queue; a busy machine may be late.
        assert 1 <= second - first <= 30
        assert 2 <= times(delivered)[1] - second <= 30
        [refused] = world.rows("mainlog", "P", "a.test")
        assert refused[-1] == "550 5.1.1 nobody here"
        assert [each.recipients for each in world.got("*@a.test")] == [
            ["well@a.test"],
            ["busy@a.test"],
        ]


async def test_a_queued_message_keeps_its_time_its_attempts_and_its_parameters(
    tmp_path: Path,
) -> None:
    sink = "at rcpt to b@a.test first 1 reply 451 4.2.1 not now"
    async with Outlook(tmp_path, "retry_interval = 4", EVERYWHERE, sink) as world:
        await world.mail(
            "b@a.test NOTIFY=FAILURE,DELAY ORCPT=rfc822;old+2Bname@b.test",
            parameters="RET=HDRS ENVID=one+3Dtwo",
        )
        [deferred] = await world.records("mainlog", "T", "a.test")
        await world.again()
        await world.again(kill=True)
        [letter] = await world.came("b@a.test")
        assert letter.recipient_parameters == [
            "NOTIFY=FAILURE,DELAY ORCPT=rfc822;old+2Bname@b.test"
        ]
        assert letter.sender_parameters.endswith(" RET=HDRS ENVID=one+3Dtwo")
        [delivered] = await world.records("mainlog", "D", "a.test")
        assert delivered[9] == "1"
        assert delivered[1] == deferred[1]
        assert int(delivered[0]) - int(deferred[0]) >= 4


async def test_recipients_of_one_content_share_a_transaction_also_after_a_restart(
    tmp_path: Path,
) -> None:
    config = """
        domain "small.test" { max_recipients_per_batch = 2 }
        suspend_delivery = true
    """
    async with Outlook(tmp_path, config, EVERYWHERE) as world:
        for domain in ("a.test", "small.test"):
            await world.mail(*(f"{name}@{domain}" for name in "bcd"))
        await world.again()
        assert not world.sink.messages
        world.configure(config.replace("true", "false"))
        await world.again()
        [letter] = await world.came("*@a.test")
        assert letter.recipients == ["b@a.test", "c@a.test", "d@a.test"]
        parts = await world.came("*@small.test", 2)
        assert [len(each.recipients) for each in parts] == [2, 1]


async def test_recipients_deferred_together_are_tried_together_again(tmp_path: Path) -> None:
    sink = "at data first 1 reply 451 4.3.0 not now"
    async with Outlook(tmp_path, zone=EVERYWHERE, sink=sink) as world:
        await world.mail("b@a.test", "c@a.test", "d@a.test", "x@other.test")
        letters = await world.came("?@a.test")
        assert letters[-1].recipients == ["b@a.test", "c@a.test", "d@a.test"]
        assert len(await world.records("mainlog", "D", "a.test", 3)) == 3


@pytest.mark.effect(
    "message_expiration",
    "max_retries",
    "never_retry",
    "never_attempt_expired_messages",
)
async def test_what_is_not_delivered_in_time_comes_to_an_end(tmp_path: Path) -> None:
    config = """
        generate_bounces = false
        domain "old.test" { message_expiration = 2 max_retries = none }
        domain "often.test" { max_retries = 1 }
        domain "never.test" { never_retry = true }
        domain "late.test" {
          message_expiration = 2
          retry_interval = 2
          never_attempt_expired_messages = true
        }
    """
    sink = "at rcpt reply 451 4.2.1 not now"
    async with Outlook(tmp_path, config, EVERYWHERE, sink) as world:
        for domain in ("old.test", "often.test", "never.test", "late.test"):
            await world.mail(f"b@{domain}")
        await world.records("mainlog", "P", count=4)
        ends = {row[5]: (row[10], row[13]) for row in world.rows("mainlog", "P")}
        expired = "554 5.4.7 [internal] exceeded max time without delivery"
        retried = "554 5.4.7 [internal] exceeded max retries without delivery"
        assert ends["old.test"][1] == expired
        assert ends["often.test"] == ("1", retried)
        assert ends["never.test"] == ("0", retried)
        late = "554 5.4.5 [internal] Delivery not attempted (message expired)"
        assert ends["late.test"][1] == late
        counted = {row[6]: row[12] for row in await world.records("bouncelog", "B", count=4)}
        assert set(counted) == set(ends)


async def test_mail_which_expired_while_the_server_was_down_gets_one_last_attempt(
    tmp_path: Path,
) -> None:
    sink = "at rcpt first 1 reply 451 4.2.1 not now"
    async with Outlook(tmp_path, "message_expiration = 1", EVERYWHERE, sink) as world:
        await world.mail("b@a.test")
        [deferred] = await world.records("mainlog", "T", "a.test")
        await world.again()
        [delivered] = await world.records("mainlog", "D", "a.test")
        assert float(delivered[10]) >= 1
        assert len(world.got("b@a.test")) == 1
        assert deferred[1] == delivered[1]
