"""The ways to people, and what each does when it does not work."""

import asyncio
import datetime
import ipaddress
import json
import os
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from angarium.config.kinds import Place
from angarium.lab.sink import Sink
from angarium.modules.monitor.incidents import Incident
from angarium.modules.monitor.notices import Notice
from angarium.modules.monitor.options.alerts import AlertCommand, AlertMail, AlertWebhook
from angarium.modules.monitor.receivers import ByCommand, ByMail, ByWebhook, NotToldError, signature
from helpers.webhooks import SILENCE, Webhooks

AT = 1_700_000_000.0


def notice(kind: str = "configuration") -> Notice:
    return Notice("mx.test", AT, (Incident(kind, "", "it is wrong", False, AT, AT),))


# Mail.


class Queue:
    """Our own queue; `refusal` is why it takes nothing."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.taken: list[tuple[Sequence[str], bytes]] = []

    async def post(self, recipients: Sequence[str], content: bytes) -> str:
        if not self.refusal:
            self.taken.append((recipients, content))
        return self.refusal


def mail(queue: Queue, relay: Sink | None) -> ByMail:
    place = Place("127.0.0.1", relay.port) if relay is not None else None
    options = AlertMail.make(to=("op@example.com",), relay=place)
    return ByMail(options, "mx.test", queue.post)


async def test_mail_goes_through_our_own_queue() -> None:
    queue = Queue()
    async with Sink() as relay:
        await mail(queue, relay).tell(notice())
        assert relay.accepted == []
    [(recipients, content)] = queue.taken
    assert recipients == ("op@example.com",)
    assert b"From: Angarium <angarium@mx.test>" in content


@pytest.mark.parametrize(("kind", "refusal"), [("disk", ""), ("configuration", "the disk is full")])
async def test_mail_goes_through_the_relay_where_the_queue_is_at_fault(
    kind: str, refusal: str
) -> None:
    queue = Queue(refusal)
    async with Sink() as relay:
        await mail(queue, relay).tell(notice(kind))
        [message] = relay.accepted
    assert message.sender == ""
    assert message.recipients == ["op@example.com"]
    assert queue.taken == []


async def test_where_the_relay_fails_our_own_queue_is_tried() -> None:
    queue = Queue()
    async with Sink("at banner reply 554 5.7.1 no") as relay:
        await mail(queue, relay).tell(notice("disk"))
    assert len(queue.taken) == 1


async def test_where_no_way_works_all_reasons_are_told() -> None:
    async with Sink("at rcpt reply 550 5.1.1 nobody here") as relay:
        with pytest.raises(NotToldError, match=r"our own queue: full.*nobody here"):
            await mail(Queue("full"), relay).tell(notice())
    with pytest.raises(NotToldError, match="our own queue: full"):
        await mail(Queue("full"), None).tell(notice())


# A web service.


async def test_a_request_is_signed_and_its_body_is_json() -> None:
    async with Webhooks() as hooks:
        await ByWebhook(AlertWebhook.make(url=hooks.url, secret="key")).tell(notice())
        await ByWebhook(AlertWebhook.make(url=hooks.url)).tell(notice())
    (headers, payload), (unsigned, _) = hooks.requests
    assert headers["content-type"] == "application/json"
    assert headers["x-angarium-signature"] == signature(b"key", int(AT), payload)
    assert "x-angarium-signature" not in unsigned
    assert json.loads(payload)["alerts"][0]["text"] == "it is wrong"


def test_a_signature_is_an_hmac_of_the_time_and_the_body() -> None:
    # printf 5.body | openssl dgst -sha256 -hmac key
    digest = "bc1f25bceb7d997f3c5bcc30f038121e37fa6b8b279055e8a68e16b3a1c13f6d"
    assert signature(b"key", 5, b"body") == f"t=5,v1={digest}"
    assert signature(b"key", 5, b"body") != signature(b"key", 6, b"body")
    assert signature(b"key", 5, b"body") != signature(b"kez", 5, b"body")


@pytest.mark.parametrize("status", ["302 Found", "404 Not Found", "503 Busy"])
async def test_what_is_no_success_failed_and_nobody_is_followed(status: str) -> None:
    async with Webhooks(status) as hooks:
        with pytest.raises(NotToldError, match=status[:3]):
            await ByWebhook(AlertWebhook.make(url=hooks.url)).tell(notice())
        assert len(hooks.requests) == 1


async def test_a_relay_whose_name_is_none_is_a_failure() -> None:
    options = AlertMail.make(to=("op@example.com",), relay=Place("x" * 64 + ".test"))
    with pytest.raises(NotToldError, match="our own queue: full; x"):
        await ByMail(options, "mx.test", Queue("full").post).tell(notice())


async def test_nobody_who_listens_is_a_failure() -> None:
    async with Webhooks() as hooks:
        url = hooks.url
    with pytest.raises(NotToldError, match="Connect"):
        await ByWebhook(AlertWebhook.make(url=url)).tell(notice())


@pytest.mark.effect("alerting.webhook.timeout")
async def test_a_service_which_does_not_answer_in_time_failed() -> None:
    async with Webhooks(SILENCE) as hooks:
        with pytest.raises(NotToldError, match="Timeout"):
            await ByWebhook(AlertWebhook.make(url=hooks.url, timeout=0.2)).tell(notice())


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1; return the files of it and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.effect("alerting.webhook.ca_file")
async def test_a_certificate_is_checked(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    async with Webhooks(tls=context) as hooks:
        url = hooks.url.replace("http:", "https:")
        with pytest.raises(NotToldError, match=r"[Cc]ertificate"):
            await ByWebhook(AlertWebhook.make(url=url)).tell(notice())
        assert hooks.requests == []
        await ByWebhook(AlertWebhook.make(url=url, ca_file=str(cert))).tell(notice())
        assert len(hooks.requests) == 1


# A program.


def command(script: str, timeout: float = 10.0) -> ByCommand:
    return ByCommand(AlertCommand.make(program=("/bin/sh", "-c", script), timeout=timeout))


async def test_a_program_reads_json_and_sees_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "x")
    await command(f"cat > {tmp_path}/in; env > {tmp_path}/env; pwd > {tmp_path}/pwd").tell(notice())
    assert json.loads((tmp_path / "in").read_text())["host"] == "mx.test"
    assert (tmp_path / "pwd").read_text() == "/\n"
    lines = (tmp_path / "env").read_text().splitlines()
    assert "ANGARIUM_ALERT=raised" in lines
    assert not any("SECRET" in line for line in lines)


async def test_a_program_need_not_read() -> None:
    await command("exec <&-; exit 0").tell(notice())


async def test_a_program_that_fails_or_is_not_there_failed() -> None:
    with pytest.raises(NotToldError, match="ended with status 7"):
        await command("exit 7").tell(notice())
    with pytest.raises(NotToldError, match="/nowhere: No such file"):
        await ByCommand(AlertCommand.make(program=("/nowhere",))).tell(notice())


@pytest.mark.effect("alerting.command.timeout")
async def test_a_program_that_takes_too_long_is_killed_with_all_it_runs(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 600 & echo $$ $! > {pids}; wait"
    with pytest.raises(NotToldError, match="took over"):
        await command(script, timeout=4.0).tell(notice())
    numbers = [int(each) for each in pids.read_text().split()]
    assert len(numbers) == 2
    for _ in range(4500):
        if not any(map(_runs, numbers)):
            break
        await asyncio.sleep(0.02)
    assert not any(map(_runs, numbers))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"  # Whoever is nobody's child here may wait long for its burial.
