"""`angarium doctor`: what keeps this machine from sending mail well."""

import asyncio
import json
import os
import random
import resource
import socket
import sys
import time
from functools import partial
from pathlib import Path

import click

from angarium.config.errors import ConfigError
from angarium.config.load import load, load_text
from angarium.config.resolve import Configuration
from angarium.modules.auth import ds_core
from angarium.net.loop import RealClock
from angarium.net.options.resolver import Resolver as ResolverOptions
from angarium.net.options.sockets import ListenSocket
from angarium.net.resolver import Naming
from angarium.outbound.options import Transport
from angarium.queue.options import ServerLimits
from angarium.queue.spool.options import Spooling
from angarium.run import checkup, checkup_data, checkup_network
from angarium.run.checkup import FAIL, SKIPPED, Finding
from angarium.run.checkup_network import Sender
from angarium.run.options import EventLoop, Node

FAULTY = 1
SMTP_PORT = 25
LISTENER = "esmtp_listener"


@click.command("doctor", short_help="find what keeps this machine from sending mail well")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="The ecelerity.conf to judge by; the defaults without.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the spool, as `serve --state`.",
)
@click.option(
    "--smtp",
    "hosts",
    multiple=True,
    metavar="HOST[:PORT]",
    help="A host which takes mail, to try port 25 outward; may be given more than once."
    " Without it the gateway of the configuration is tried, if it has one.",
)
@click.option("--offline", is_flag=True, help="Ask nothing of the network.")
@click.option("--json", "as_json", is_flag=True, help="The findings as a list of JSON.")
def command(
    config_path: Path | None,
    state: Path | None,
    hosts: tuple[str, ...],
    offline: bool,
    as_json: bool,
) -> None:
    """Look at the machine, its disk, its clock, its network and its names.

    Each finding is ok, warn, fail or skipped, with advice where something can be done. Exit code 0
    if nothing fails, 1 if something does. Nothing is changed; a file of 80 KB is written beside the
    spool to measure the disk, and removed. Of the network only the name servers, datasources, and
    hosts named, are asked.
    """
    try:
        conf = load(config_path) if config_path else load_text("")
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(FAULTY)
    findings = machine(conf, state)
    if offline:
        findings.append(Finding("network", SKIPPED, "not asked, as you wished"))
    else:
        findings += asyncio.run(network(conf, hosts))
        findings += asyncio.run(checkup_data.databases(partial(ds_core.settings_of, conf)))
    click.echo(_as_json(findings) if as_json else _as_text(findings))
    sys.exit(FAULTY if any(each.verdict is FAIL for each in findings) else 0)


def machine(conf: Configuration, state: Path | None) -> list[Finding]:
    """Return what can be found without the network."""
    folder = (state or Path(conf.top(Spooling).spoolbase)).absolute()
    listens = conf.listens(LISTENER)
    backlogs = [
        conf.at(ListenSocket, listener=LISTENER, listen=each.name).listen_backlog
        for each in listens
    ]
    pools = [options.concurrency for _, options in conf.instances(EventLoop)]
    workers = next(filter(None, pools), None) or len(os.sched_getaffinity(0))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        hard = sys.maxsize
    cap = conf.top(ServerLimits).server_max_outbound_connections
    return [
        checkup.descriptors(hard, workers, cap.count if cap is not None else None),
        *checkup.read_or_skip("ephemeral ports", lambda: checkup.ports(e.port for e in listens)),
        *checkup.read_or_skip(
            "accept backlog", lambda: [checkup.backlog(max(backlogs, default=500))]
        ),
        *checkup.read_or_skip("file system", lambda: checkup.filesystem(folder)),
        checkup.disk(folder),
        checkup.clock(checkup.clock_status(), time.time()),
    ]


async def network(conf: Configuration, hosts: tuple[str, ...]) -> list[Finding]:
    """Return what the network says: name servers, each binding, port 25 outward."""
    clock = RealClock()
    loop = asyncio.get_running_loop()
    options = conf.top(ResolverOptions)
    probe = Naming(options, loop, clock, random.SystemRandom())
    naming = Naming(options, loop, clock, random.SystemRandom())
    try:
        findings = await checkup_network.resolver(probe.stub, clock)
        senders = [sender(conf, group, binding) for group, binding in conf.bindings()]
        for each in senders:
            findings += await checkup_network.identity(naming.resolver, each)
        findings += await _outward(conf, naming, hosts, senders)
    finally:
        probe.close()
        naming.close()
    return findings


def sender(conf: Configuration, group: str, binding: str) -> Sender:
    """Return how a binding shows itself."""
    transport = conf.at(Transport, group=group, binding=binding)
    ehlo = transport.ehlo_hostname
    if ehlo == "__hostname__":
        ehlo = conf.top(Node).hostname or socket.gethostname()
    found = checkup_network.sources(transport.bind_address, transport.bind_address_secondary)
    return Sender(group, binding, found, "" if ehlo == "__message__" else ehlo)


async def _outward(
    conf: Configuration, naming: Naming, hosts: tuple[str, ...], senders: list[Sender]
) -> list[Finding]:
    targets = [_target(each) for each in hosts]
    if not targets:
        gateway = conf.top(Transport).gateway
        if gateway is not None:
            targets = [(gateway.host, gateway.port or SMTP_PORT)]
    if not targets:
        return [
            Finding(
                "port 25 outward", SKIPPED, "no host named", "name one by --smtp HOST to try it"
            )
        ]
    findings = []
    for host, port in targets:
        for address in dict.fromkeys(address for each in senders for address in each.sources):
            finding = await checkup_network.port_25(naming.resolver, host, port, address)
            findings.append(finding)
    return findings


def _target(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and "]" not in port and (":" not in host or host.startswith("[")):
        return host.strip("[]"), int(port)
    return text.strip("[]"), SMTP_PORT


def _as_json(findings: list[Finding]) -> str:
    return json.dumps(
        [
            {
                "check": each.check,
                "verdict": each.verdict.value,
                "found": each.found,
                "advice": each.advice,
            }
            for each in findings
        ],
        indent=2,
    )


def _as_text(findings: list[Finding]) -> str:
    lines = []
    for each in findings:
        lines.append(f"{each.verdict.value:8}{each.check}: {each.found}")
        if each.advice:
            lines.append(f"{'':8}-> {each.advice}")
    return "\n".join(lines)
