"""`angarium sign`: put a signature before a message, by the engines which sign mail."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from angarium.core.errors import Error
from angarium.mail.auth import arc, results
from angarium.mail.auth.arc import Chain
from angarium.mail.auth.covered import Covered, FieldListError
from angarium.mail.auth.digest import hashed
from angarium.mail.auth.domainkeys import DomainKeysSigner
from angarium.mail.auth.fields import Fields, opened
from angarium.mail.auth.keys import PrivateKey, private
from angarium.mail.auth.seal import Sealer
from angarium.mail.auth.sign import Signer, Style
from angarium.mail.auth.tags import TagError, name_of
from angarium.run.messagefile import MessageFile, read
from angarium.run.names import asks_names, names

FAILED, WRONG_USAGE = 1, 2
SECONDS: Final = 60.0  # for all questions to DNS
CANONS: Final = click.Choice(("relaxed", "simple"))


@dataclass(frozen=True, slots=True)
class Work:
    """A message, and who signs it.

    Attributes:
        host: the authserv-id of ARC-Authentication-Results.
        results: what stands there; None: what the message says by that name.
    """

    file: MessageFile
    fields: Fields
    body: tuple[bytes, ...]
    domain: str
    selector: str
    key: PrivateKey
    covered: Covered
    style: Style
    now: float
    host: str
    results: str | None


@click.command("sign", short_help="sign a message: DKIM, ARC, DomainKeys")
@click.argument("message", metavar="MESSAGE", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--domain", required=True, help="Who signs (d=).")
@click.option("--selector", required=True, help="Which key of the domain (s=).")
@click.option(
    "--key", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="File of the private key: PEM, of RSA or Ed25519.",
)  # fmt: skip
@click.option("--header-canon", type=CANONS, default="relaxed", show_default=True, help="c=.")
@click.option("--body-canon", type=CANONS, default="relaxed", show_default=True, help="c=.")
@click.option("--headers", default="", help="Fields, with colons between; else those of RFC 6376.")
@click.option("--oversign", default="", help="Fields of which there may be no more than there are.")
@click.option("--identity", help="Who signs (i=): @ and the domain, or one below it.")
@click.option("--lifetime", type=click.IntRange(0), default=0, help="Seconds; 0: without end.")
@click.option("--length", is_flag=True, help="Say how much of the body is signed (l=).")
@click.option("--copy-headers", is_flag=True, help="Put the signed fields into the signature (z=).")
@click.option("--sha1", is_flag=True, help="Sign with rsa-sha1, which nobody has to accept.")
@click.option("--arc", "seals", is_flag=True, help="Add a set of ARC; DNS is asked for the chain.")
@click.option("--authserv-id", "host", help="Who says what was found, for --arc; else the domain.")
@click.option("--results", "said", help="What was found, for --arc; else what the message says.")
@click.option("--domainkeys", "older", is_flag=True, help="Sign with DomainKeys (RFC 4870).")
@click.option("--at", type=float, metavar="SECONDS", help="Unix time of the signature.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Else it is printed."
)
@asks_names
def command(message: str, zone: Path | None, servers: Sequence[str], **given: Any) -> None:
    """Sign a MESSAGE in a file, or from standard input (-), and write it with its signature.

    It is written with the line ends it came with. Exit code 0 if it was signed; 1 if not, as where
    the chain of ARC ends or the file of the key has none; 2 for wrong usage.
    """
    if given["seals"] and given["older"]:
        raise click.UsageError("--arc and --domainkeys are two signatures: sign twice")
    try:
        work = _work(read(message), given)
        if given["seals"]:
            made = asyncio.run(_sealed(work, zone, servers))
        else:
            made = _older(work) if given["older"] else _signed(work)
        _write(work.file.again(made + work.file.octets), given["output"])
    except TimeoutError:
        _end("DNS did not answer in time", FAILED)
    except (TagError, FieldListError, ValueError) as error:
        _end(error, WRONG_USAGE)
    except (Error, OSError) as error:
        _end(error, FAILED)


def _work(file: MessageFile, given: Mapping[str, Any]) -> Work:
    """Return a message with all that is known of its signature. Raises Error, OSError."""
    header, pieces = opened([file.octets])
    style = Style(
        given["header_canon"],
        given["body_canon"],
        "sha1" if given["sha1"] else "sha256",
        given["identity"],
        given["lifetime"],
        body_length=given["length"],
        copy_fields=given["copy_headers"],
    )
    return Work(
        file,
        Fields(header),
        tuple(pieces),
        _name(given["domain"], "d"),
        _name(given["selector"], "s"),
        private(given["key"].read_bytes()),
        Covered.of(given["headers"], given["oversign"]),
        style,
        time.time() if given["at"] is None else given["at"],
        given["host"] or given["domain"],
        given["said"],
    )


def _write(octets: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(octets)
    else:
        output.write_bytes(octets)


def _end(why: object, code: int) -> NoReturn:
    click.echo(str(why), err=True)
    sys.exit(code)


def _name(word: str, tag: str) -> str:
    """Return a name for DNS. Raises TagError."""
    return name_of(word.encode("utf-8", "surrogateescape"), tag)


def _signed(work: Work) -> bytes:
    signer = Signer(work.domain, work.selector, work.key, work.covered, work.style)
    hashes = hashed({signer.want}, work.body)
    return signer.prepare(work.fields, hashes, work.now).sign()


def _older(work: Work) -> bytes:
    form: Any = "simple" if work.style.body_canon == "simple" else "nofws"
    signer = DomainKeysSigner(work.domain, work.selector, work.key, form)
    return signer.prepare(work.fields, work.body).sign()


async def _sealed(work: Work, zone: Path | None, servers: Sequence[str]) -> bytes:
    """Return the next set of the chain. Raises Error where nobody may add one."""
    style = work.style
    sealer = Sealer(
        work.domain, work.selector, work.key, work.host, work.covered,
        header_canon=style.header_canon, body_canon=style.body_canon, hash_name=style.hash,
    )  # fmt: skip
    chain = arc.chain(work.fields)
    hashes = hashed(arc.wants(chain) | {sealer.want}, work.body)
    async with names(zone, servers) as ask, asyncio.timeout(SECONDS):
        await arc.judged(chain, work.fields, hashes, ask)
    made = sealer.prepare(work.fields, hashes, chain, _results(work, chain), work.now)
    if made is None:
        raise Error("the chain had failed before, or is full: nobody adds to it")
    return made.sign()


def _results(work: Work, chain: Chain) -> bytes:
    """Return what was found, the chain included (RFC 8617 section 4.1.1)."""
    if work.results is not None:
        return work.results.encode("utf-8", "surrogateescape")
    said = results.said(work.fields, work.host)
    found = results.clauses([arc.reported(chain)])
    return said + b";\r\n\t" + found if said else found
