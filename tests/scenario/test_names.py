"""What is asked of name servers for mail, how often, and what their faults cost."""

import asyncio
from pathlib import Path

import pytest

from helpers.dns import DnsServer
from helpers.outlook import Outlook, second


def asked(world: Outlook, name: str, rrtype: str) -> int:
    return sum(question[:2] == (name, rrtype) for question in world.dns.questions)


async def test_a_name_is_asked_for_once_however_many_want_it(tmp_path: Path) -> None:
    zone = "".join(f"d{number}.test MX 10 mx.test\n" for number in range(20))
    async with Outlook(tmp_path, "", zone + "mx.test A 127.0.0.1") as world:
        recipients = [f"b@d{number}.test" for number in range(20)]
        await asyncio.gather(*(world.mails(5, each) for each in recipients))
        await world.came("*", 100)
        assert asked(world, "d7.test", "MX") == 1
        assert asked(world, "mx.test", "A") == 1
        assert len(world.dns.questions) == 21


async def test_that_there_is_no_such_domain_is_remembered(tmp_path: Path) -> None:
    async with Outlook(tmp_path, "generate_bounces = false") as world:
        for _ in range(3):
            await world.mail("b@missing.test")
        failed = await world.records("mainlog", "P", "missing.test", 3)
        assert {row[13] for row in failed} == {"554 5.4.4 [internal] Domain Lookup Failed"}
        assert world.dns.questions == [("missing.test", "MX", "udp")]


async def test_an_answer_is_asked_for_again_when_its_time_is_over(tmp_path: Path) -> None:
    config = "max_deliveries_per_connection = 1"
    async with Outlook(tmp_path, config, "short.test 1 A 127.0.0.1") as world:
        sent = 0
        while asked(world, "short.test", "A") < 2:
            await world.mail("b@short.test")
            sent += 1
            await world.came("b@short.test", sent)
        assert sent > 2


async def test_a_long_answer_comes_over_tcp(tmp_path: Path) -> None:
    hosts = "".join(f"long.test MX {n} a-rather-long-name-{n}.long.test\n" for n in range(1, 60))
    zone = hosts + "a-rather-long-name-1.long.test A 127.0.0.1"
    async with Outlook(tmp_path, "", zone) as world:
        await world.mail("b@long.test")
        await world.came("b@long.test")
        assert ("long.test", "MX", "tcp") in world.dns.questions


async def test_forged_and_broken_answers_lead_nowhere(tmp_path: Path) -> None:
    zone = "".join(f"d{number}.test A 127.0.0.1\n" for number in range(8))
    config = "dns_timeout = 0.2\nmx_failures_fallback_to_a = -1"
    async with Outlook(tmp_path, config, zone) as world:
        faults = ["wrong id", "wrong question", "wrong source", "not an answer", "silence"]
        for number, fault in enumerate([*faults, "truncation", "no edns"]):
            world.dns.faults.append(fault)
            await world.mail(f"b@d{number}.test")
            await world.came(f"b@d{number}.test")
        assert {row[11] for row in world.rows("mainlog", "D")} <= {"127.0.0.1"}


async def test_names_which_nobody_answers_for_delay_no_other_mail(tmp_path: Path) -> None:
    zone = "".join(f"d{number}.test TIMEOUT\n" for number in range(30)) + "well.test A 127.0.0.1"
    config = "dns_timeout = 2\ndns_attempts = 1\nretry_interval = 60"
    async with Outlook(tmp_path, config, zone) as world:
        for number in range(30):
            await world.mail(f"b@d{number}.test")
        await world.mails(5, "b@well.test")
        await world.came("b@well.test", 5)
        deferred = await world.records("mainlog", "T", count=30)
        assert {row[13] for row in deferred} == {"454 4.4.4 [internal] no MX or A for domain"}
        assert world.rows("mainlog", "P") == []


async def test_a_server_which_is_away_is_followed_by_the_next(tmp_path: Path) -> None:
    with DnsServer("a.test A 127.0.0.1") as silent, DnsServer("a.test A 127.0.0.1") as well:
        silent.zone.add("a.test TIMEOUT")
        silent.zone.failures["a.test"] = "TIMEOUT"
        servers = f'dns_servers = ( "127.0.0.1:{silent.port}" "127.0.0.1:{well.port}" )'
        async with Outlook(tmp_path, servers + "\ndns_timeout = 0.2") as world:
            await world.mail("b@a.test")
            await world.came("b@a.test")
            assert silent.questions
            assert well.questions


@pytest.mark.effect("hosts_file")
async def test_the_hosts_file_is_read_before_dns_is_asked(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("127.0.1.1 mx.test\n")
    config = f'hosts_file = "{tmp_path}/hosts"'
    async with Outlook(tmp_path, config, "a.test MX 10 mx.test\nmx.test A 127.0.0.1") as world:
        sink = await second(world, "127.0.1.1")
        try:
            await world.mail("b@a.test")
            await sink.until(1)
            assert asked(world, "mx.test", "A") == 0
        finally:
            await sink.stop()


async def test_mail_goes_on_when_failing_name_servers_recover(tmp_path: Path) -> None:
    config = "max_retry_interval = 1\ndead_destination_delay = 1"
    async with Outlook(tmp_path, config, "sick.test SERVFAIL") as world:
        await world.mail("b@sick.test")
        deferred = await world.records("mainlog", "T", "sick.test")
        assert deferred[0][13] == "454 4.4.4 [internal] no MX or A for domain"
        world.dns.zone.remove("sick.test")
        world.dns.zone.add("sick.test A 127.0.0.1")
        await world.came("b@sick.test")
        # Failures are kept for five seconds: nobody is asked at each attempt (RFC 9520).
        assert asked(world, "sick.test", "MX") == 2
