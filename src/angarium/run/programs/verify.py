"""`angarium verify`: all checks of one message, by the engines which check mail."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from angarium.core.errors import Error
from angarium.mail.auth import arc, dkim, results
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.checks import Checks, checked
from angarium.mail.auth.dkim import Verdict
from angarium.mail.auth.dmarc.evaluate import Evaluation
from angarium.mail.auth.domainkeys import Check, Status
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.results import Result
from angarium.mail.auth.signature import Policy
from angarium.mail.auth.spf.check import Finding
from angarium.mail.auth.spf.client import UNKNOWN, Client, client_address
from angarium.modules.sign.dmarc import told as dmarc_told
from angarium.modules.sign.spf import told as spf_told
from angarium.run.messagefile import read
from angarium.run.names import asks_names, names

FAILED, WRONG_USAGE = 1, 2
SECONDS: Final = 60.0  # for all questions to DNS
MIN_BITS: Final = 1024  # RFC 8301 section 3.2
RETURN_PATH: Final = b"return-path"


@click.command("verify", short_help="check a message: SPF, DKIM, DomainKeys, ARC, DMARC")
@click.argument("message", metavar="MESSAGE", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--ip", help="The address of the host it came from; without it there is no SPF.")
@click.option("--helo", default="", help="What that host called itself.")
@click.option("--mail-from", "sender", help="The envelope's sender; that of Return-Path without.")
@click.option("--host", default=UNKNOWN, help="Who says so in Authentication-Results.")
@click.option("--at", type=float, metavar="SECONDS", help="Unix time of the check; now without.")
@click.option("--sha1", is_flag=True, help="Let signatures by rsa-sha1 count.")
@click.option(
    "--bits", type=click.IntRange(512, 8192), default=MIN_BITS, show_default=True,
    help="The shortest key of RSA which counts.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@asks_names
def command(message: str, zone: Path | None, servers: Sequence[str], **given: Any) -> None:
    """Check a MESSAGE in a file, or from standard input (-).

    A file may have line ends of either kind, and begin with a line as of an mbox. Without --zone
    or --dns the name servers of this machine are asked.

    Exit code 0 if somebody stands behind the message: the domain of its author, where that has a
    policy (DMARC passes), else whoever sent (SPF), signed (DKIM, DomainKeys) or handed it on (ARC).
    1 if nobody does, or DNS does not tell; 2 for wrong usage, or a file that cannot be read.
    """
    policy = Policy(sha1=given["sha1"], rsa_bits=given["bits"])
    now = time.time() if given["at"] is None else given["at"]
    try:
        header, pieces = opened([read(message).octets])
        fields = Fields(header)
        client = _client(fields, given, now)

        async def answered() -> Checks:
            async with names(zone, servers) as ask, asyncio.timeout(SECONDS):
                return await checked(fields, pieces, ask, now, client, policy)

        found = asyncio.run(answered())
    except TimeoutError:
        click.echo("DNS did not answer in time", err=True)
        sys.exit(FAILED)
    except (Error, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(WRONG_USAGE)
    if given["as_json"]:
        field = results.written(given["host"], reported(found, client))
        shown = as_object(found) | {"authentication_results": _line(field)}
        click.echo(json.dumps(shown))
    else:
        click.echo("\n".join(lines(found)))
    sys.exit(0 if found.good else FAILED)


def _client(fields: Fields, given: Mapping[str, Any], now: float) -> Client | None:
    """Return who sent the message. Raises Error."""
    ip, helo, sender = given["ip"], given["helo"], given["sender"]
    if ip is None:
        return None
    if sender is None and (rows := fields.rows(RETURN_PATH)):
        sender = fields.unfolded(rows[0]).decode("utf-8", "surrogateescape")
    if sender is None and not helo:
        raise Error("the message has no Return-Path: say --mail-from, or --helo")
    try:
        address = client_address(ip)
    except ValueError:
        raise Error(f"{ip} is no address of IP") from None
    return Client(address, helo, (sender or "").strip("<> "), given["host"], now)


def reported(found: Checks, client: Client | None) -> list[Result]:
    """Return what Authentication-Results says of a message."""
    said = []
    if found.spf is not None and client is not None:
        said.append(spf_told("spf", found.spf, client))
    said += dkim.reported(found.signatures)
    if found.chain.sets or found.chain.broken:
        said.append(arc.reported(found.chain))
    return [*said, dmarc_told(found.dmarc, found.dmarc.disposition)]


def _line(field: bytes) -> str:
    """Return the value of a field in one line."""
    value = field.partition(b":")[2].replace(b"\r\n\t", b" ").strip()
    return value.decode("utf-8", "backslashreplace")


# What is printed, as JSON.


def as_object(found: Checks) -> dict[str, Any]:
    """Return all that was found, as plain data."""
    return {
        "good": found.good,
        "spf": None if found.spf is None else _of_spf(found.spf),
        "dkim": [_of_signature(each) for each in found.signatures],
        "domainkeys": _of_domainkeys(found.domainkeys),
        "arc": _of_chain(found.chain),
        "dmarc": _of_dmarc(found.dmarc),
    }


def _of_spf(finding: Finding) -> dict[str, Any]:
    return {
        "result": str(finding.result),
        "domain": finding.domain,
        "identity": finding.identity,
        "reason": finding.reason,
        "mechanism": finding.mechanism,
    }


def _of_signature(verdict: Verdict) -> dict[str, Any]:
    shown: dict[str, Any] = {"result": str(verdict.outcome), "reason": verdict.reason}
    signature, key = verdict.signature, verdict.key
    if signature is not None:
        shown |= {
            "domain": signature.domain,
            "selector": signature.selector,
            "identity": signature.identity,
            "algorithm": signature.algorithm,
            "header_canon": signature.header_canon,
            "body_canon": signature.body_canon,
            "fields": [name.decode("utf-8", "replace") for name in signature.names],
            "signed_at": signature.made,
            "expires_at": signature.expires,
            "unsigned_octets": verdict.unsigned_octets,
        }
    if key is not None:
        shown |= {"bits": key.bits, "testing": key.testing}
    return shown


def _of_domainkeys(check: Check) -> dict[str, Any] | None:
    if check.status is Status.NONE:
        return None
    return {"status": str(check.status), "domain": check.domain, "selector": check.selector}


def _of_chain(chain: Chain) -> dict[str, Any]:
    return {
        "result": str(chain.outcome),
        "reason": chain.reason,
        "sets": [
            {"domain": each.domain, "cv": each.sealed.cv if each.sealed else ""}
            for each in chain.sets
        ],
    }


def _of_dmarc(found: Evaluation) -> dict[str, Any]:
    return {
        "result": str(found.result),
        "domain": found.domain,
        "policy": str(found.policy) if found.record else "",
        "disposition": str(found.disposition),
        "spf_aligned": found.spf,
        "dkim_aligned": found.dkim,
        "reason": found.reason,
    }


# What is printed for people.


def lines(found: Checks) -> list[str]:
    """Return what was found, a line for each check."""
    spf, check, chain, dmarc = found.spf, found.domainkeys, found.chain, found.dmarc
    said = [
        _said("spf", "not checked", "the address of the host is not known: --ip")
        if spf is None
        else _said("spf", spf.result, f"{spf.domain}: {spf.reason}")
    ]
    said += [
        _said("dkim", each.outcome, ": ".join(filter(None, (_signer(each), each.reason))))
        for each in found.signatures
    ] or [_said("dkim", "none", "there is no signature")]
    if check.status is not Status.NONE:
        said.append(_said("domainkeys", check.status, f"{check.domain} {check.selector}"))
    sealed = " ".join(each.domain or "?" for each in chain.sets)
    why = chain.reason or (f"sealed by {sealed}" if sealed else "there is no chain")
    said.append(_said("arc", chain.outcome, why))
    wanted = f" (p={dmarc.policy}, do: {dmarc.disposition})" if dmarc.record else ""
    said.append(_said("dmarc", dmarc.result, dmarc.reason + wanted))
    return said


def _said(what: str, result: str, more: str) -> str:
    seen = "".join(each if each.isprintable() else "?" for each in more.strip())
    return f"{what:11} {result:12} {seen}".rstrip()


def _signer(verdict: Verdict) -> str:
    """Return who signed and how, as far as that can be read."""
    signature, key = verdict.signature, verdict.key
    if signature is None:
        return ""
    words = [signature.domain, signature.selector, signature.algorithm]
    if key is not None and key.kind == "rsa":
        words.append(f"{key.bits} bits")
    if verdict.unsigned_octets:
        words.append(f"{verdict.unsigned_octets} octets of the body are not signed")
    if verdict.testing:
        words.append("a test")
    return ", ".join(words)
