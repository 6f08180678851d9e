"""`angarium tlscheck`: what a domain demands of TLS, and whether its hosts keep it."""

import asyncio
import json
import random
import ssl
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
from cryptography import x509

from angarium.config.load import load_text
from angarium.core.errors import Error
from angarium.mail.format.draft import Draft
from angarium.mail.format.tree import tree
from angarium.mail.report import tlsrpt
from angarium.mail.report.tlsrpt import Report, TlsReportError
from angarium.net.dnscache import Resolver
from angarium.net.loop import RealClock
from angarium.net.options.resolver import Resolver as ResolverOptions
from angarium.net.options.tls import TlsLibrary
from angarium.net.resolver import Naming
from angarium.net.tls.handshakes import Handshakes
from angarium.net.tlspolicy.demand import NOTHING, STS, TLSA
from angarium.net.tlspolicy.fetch import Fetch
from angarium.net.tlspolicy.policies import Policies
from angarium.net.tlspolicy.shelf import Kept, Shelf
from angarium.outbound.broken import Broken
from angarium.outbound.demands import Demands, Wanted
from angarium.outbound.errors import DeliveryError
from angarium.outbound.options import Transport
from angarium.outbound.route import Hop, Router
from angarium.outbound.secured import Securing
from angarium.outbound.tlsprobe import Looked, look
from angarium.policy.shared.node import Shared

FAILED, WRONG_USAGE = 1, 2
SECONDS: Final = 20.0  # for each host
MOST: Final = 16  # hosts which are looked at
_DEMANDS: Final = {
    STS: "MTA-STS",
    TLSA: "DANE",
    NOTHING.kind: "nothing",
}


@dataclass(slots=True)
class Found:
    """What came of it."""

    domain: str
    policy: Kept | None = None
    trouble: list[str] = field(default_factory=list)
    secure: bool = False
    hosts: list[tuple[Hop, Looked]] = field(default_factory=list)
    failure: str = ""

    @property
    def good(self) -> bool:
        """Whether mail would go somewhere."""
        return any(not looked.failure for _, looked in self.hosts)


@click.command("tlscheck", short_help="see what a domain demands of TLS, and try its hosts")
@click.argument("names", nargs=-1, required=True, metavar="DOMAIN")
@click.option("--report", is_flag=True, help="The arguments are files of reports, RFC 8460.")
@click.option(
    "--dns", "servers", multiple=True, metavar="ADDRESS[:PORT]",
    help="A name server which is asked instead of those of this machine.",
)  # fmt: skip
@click.option("--port", default=25, show_default=True, help="Port of the hosts.")
@click.option(
    "--ca", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Authorities, in PEM, instead of those of this machine.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    names: Sequence[str], servers: Sequence[str], port: int, ca: Path | None,
    *, report: bool, as_json: bool,
) -> None:  # fmt: skip
    """Look up what a domain publishes, connect to each of its hosts, and send nothing.

    The exit code is 0 if a host would take mail as it is demanded, 1 if none would, 2 for wrong
    usage. With --report it is 1 if a file is no report.
    """
    if report:
        told = [_report(Path(name), as_json=as_json) for name in names]  # all of them
        sys.exit(0 if all(told) else FAILED)
    good = True
    for name in names:
        domain = name.lower().removesuffix(".")
        try:
            found = asyncio.run(_checked(domain, servers, port, ca))
        except Error as error:
            click.echo(str(error), err=True)
            sys.exit(WRONG_USAGE)
        if as_json:
            click.echo(json.dumps(_plain(found)))
        else:
            _print(found)
        good = good and found.good
    sys.exit(0 if good else FAILED)


async def _checked(domain: str, servers: Sequence[str], port: int, ca: Path | None) -> Found:
    quoted = " ".join(f'"{each}"' for each in servers)
    lines = [f"dns_servers = ( {quoted} )"] if servers else []
    configuration = load_text("\n".join(lines))
    loop, clock = asyncio.get_running_loop(), RealClock()
    naming = Naming(configuration.top(ResolverOptions), loop, clock, random.SystemRandom())
    context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    fetch = Fetch(naming.resolver, context)
    broken = Broken(Shared(clock))
    securing = Securing(clock, Handshakes(loop), broken, configuration.top(TlsLibrary))
    found = Found(domain)
    with tempfile.TemporaryDirectory() as folder:
        policies = Policies(
            naming.resolver, lambda: fetch, Shelf(Path(folder)), clock,
            lambda _domain, result, why: found.trouble.append(f"{result}: {why}"),
            found.trouble.append,
        )  # fmt: skip
        try:
            await _look(found, naming.resolver, policies, securing, port, ca)
        finally:
            await policies.close()
            await fetch.close()
            naming.close()
    return found


async def _look(
    found: Found, resolver: Resolver, policies: Policies, securing: Securing, port: int,
    ca: Path | None,
) -> None:  # fmt: skip
    domain = found.domain
    found.policy = await policies.of(domain)
    found.secure = (await resolver.mx(domain)).authentic
    router = Router(resolver, random.Random(1))
    demands = Demands(resolver, lambda: policies)
    try:
        hops = await router.route(domain, Transport.make(remote_smtp_port=port))
        ruled = await demands.rule(domain, hops, Wanted(dane=True, sts=True))
    except DeliveryError as error:
        found.failure = error.reply.text
        return
    looks = (
        look(securing, hop, domain, "tlscheck.invalid", SECONDS, None if ca is None else str(ca))
        for hop in ruled[:MOST]
    )
    found.hosts = list(zip(ruled, await asyncio.gather(*looks), strict=False))


# What is printed.


def _print(found: Found) -> None:
    click.echo(f"{found.domain}{', signed by DNSSEC' if found.secure else ''}")
    if found.policy is not None:
        click.echo("  MTA-STS: " + "; ".join(found.policy.lines))
    for each in found.trouble:
        click.echo(f"  MTA-STS: {each}")
    if found.failure:
        click.echo(f"  no mail would go: {found.failure}")
    for hop, looked in found.hosts:
        click.echo(f"  {hop.host} [{hop.address}]:{hop.port} preference {hop.order[1]}")
        click.echo(f"    demanded: {_demanded(hop)}")
        if looked.version:
            click.echo(f"    TLS: {looked.version} {looked.cipher}")
            click.echo(f"    certificate: {_certificate(looked.certificate)}")
            if looked.result:
                click.echo(f"    which is not right: {looked.reason} ({looked.result})")
        click.echo(f"    mail {_verdict(looked)}")


def _demanded(hop: Hop) -> str:
    demand = hop.demand
    how = "nothing"
    if demand.named:
        how = "TLS, with a certificate which its TLSA records name"
    elif demand.required:
        how = "TLS, with a certificate that is right" if demand.checked else "TLS"
    elif demand.checked:
        how = "nothing, but failures are told"
    return how if demand is NOTHING else f"{how}, by {_DEMANDS[demand.kind]}"


def _certificate(octets: bytes) -> str:
    try:
        shown = x509.load_der_x509_certificate(octets)
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        called = ", ".join(names.value.get_values_for_type(x509.DNSName)[:10])
    except (ValueError, x509.ExtensionNotFound):
        return "one which cannot be read, or has no names"
    return f"{called}; until {shown.not_valid_after_utc:%Y-%m-%d}"


def _verdict(looked: Looked) -> str:
    if looked.failure:
        return f"would not go: {looked.failure}"
    return "would go in clear: STARTTLS is not offered" if looked.in_clear else "would go by TLS"


def _plain(found: Found) -> dict[str, Any]:
    return {
        "domain": found.domain,
        "good": found.good,
        "dnssec": found.secure,
        "mta_sts": None if found.policy is None else list(found.policy.lines),
        "trouble": found.trouble,
        "failure": found.failure,
        "hosts": [
            {
                "host": hop.host,
                "address": hop.address,
                "preference": hop.order[1],
                "policy": hop.demand.kind,
                "demand": list(hop.demand.text),
                "required": hop.demand.required,
                "version": looked.version,
                "cipher": looked.cipher,
                "result": looked.result,
                "reason": looked.reason,
                "in_clear": looked.in_clear,
                "failure": looked.failure,
            }
            for hop, looked in found.hosts
        ],
    }


def _report(path: Path, *, as_json: bool) -> bool:
    try:
        octets = path.read_bytes()
        inside = octets
        if not octets.startswith((b"\x1f\x8b", b"{")):
            lines = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            inside = tlsrpt.attached(tree(Draft(lines))) or octets
        found = tlsrpt.read(inside)
    except (OSError, TlsReportError) as error:
        click.echo(f"{path}: {error}", err=True)
        return False
    if as_json:
        click.echo(json.dumps(tlsrpt.plain(found)))
    else:
        _print_report(found)
    return True


def _print_report(found: Report) -> None:
    span = f"{found.date_range.start_datetime} to {found.date_range.end_datetime}"
    click.echo(f"{found.organization_name}, {span}")
    for judged in found.policies:
        of, counted = judged.policy, judged.summary
        click.echo(
            f"  {of.policy_domain} by {of.policy_type}: {counted.successes} good, "
            f"{counted.failures} failed"
        )
        for each in judged.failure_details:
            click.echo(
                f"{each.failed_session_count:9} {each.result_type} {each.receiving_mx_hostname}"
                f" [{each.receiving_ip}] from [{each.sending_mta_ip}] {each.failure_reason_code}"
            )
