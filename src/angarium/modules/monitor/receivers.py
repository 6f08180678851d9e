"""The ways to people: mail, a web service, a program. Each tells one notice, or says why not.

What comes from the log may be in a notice, so nothing of it becomes a command, a header of HTTP or
an address; and none of them may take longer than its options say.
"""

import asyncio
import hashlib
import hmac
import os
import signal
import smtplib
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from angarium.config.kinds import Place
from angarium.core.errors import Error
from angarium.modules.monitor.notices import Notice, as_json, as_mail
from angarium.modules.monitor.options.alerts import AlertCommand, AlertMail, AlertWebhook

RELAY_SECONDS: Final = 15.0
SMTP_PORT: Final = 25
# Alerts which say that our own queue may not bring mail to anybody.
OUR_FAULT: Final = frozenset({"intake", "spool", "disk", "worker", "stuck", "memory", "queue"})

Post = Callable[[Sequence[str], bytes], Awaitable[str]]  # returns why it was refused, or ""


class NotToldError(Error):
    """A receiver could not be told."""


class Receiver(Protocol):
    """A way to people."""

    async def tell(self, notice: Notice) -> None:
        """Tell it. Raises NotToldError."""
        ...


class ByMail:
    """Through our own queue; through a relay first where our own queue may be what is wrong.

    Args:
        post: puts mail into our own queue.
    """

    def __init__(self, options: AlertMail, host: str, post: Post) -> None:
        self._to = options.to
        self._sender = options.sender or f"angarium@{host}"
        self._relay: Place | None = options.relay
        self._post = post

    async def tell(self, notice: Notice) -> None:
        content = as_mail(notice, self._sender, self._to)
        ways: list[Callable[[bytes], Awaitable[str]]] = [self._by_queue]
        if self._relay is not None:
            ways.insert(0 if notice.kinds & OUR_FAULT else 1, self._by_relay)
        reasons = []
        for way in ways:
            reason = await way(content)
            if not reason:
                return
            reasons.append(reason)
        raise NotToldError("; ".join(reasons))

    async def _by_queue(self, content: bytes) -> str:
        reason = await self._post(self._to, content)
        return f"our own queue: {reason}" if reason else ""

    async def _by_relay(self, content: bytes) -> str:
        assert self._relay is not None
        host, port = self._relay.host, self._relay.port or SMTP_PORT
        try:
            await asyncio.to_thread(_relay, host, port, self._to, content)
        except (OSError, UnicodeError, smtplib.SMTPException) as error:
            return f"{self._relay}: {error}"
        return ""


def _relay(host: str, port: int, to: Sequence[str], content: bytes) -> None:
    with smtplib.SMTP(host, port, timeout=RELAY_SECONDS) as connection:
        connection.ehlo()
        if connection.has_extn("starttls"):
            # As between mail servers: whoever it is, rather than in clear.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection.starttls(context=context)
        refused = connection.sendmail("", list(to), content)
    if refused:
        raise smtplib.SMTPRecipientsRefused(refused)


class ByWebhook:
    """As JSON, by POST; nobody is followed to another place."""

    def __init__(self, options: AlertWebhook) -> None:
        self._url = options.url or ""
        self._secret = (options.secret or "").encode()
        self._timeout = options.timeout
        self._ca_file = options.ca_file

    async def tell(self, notice: Notice) -> None:
        import aiohttp  # noqa: PLC0415 - 100 ms and 15 MB, for who has webhooks

        payload = as_json(notice)
        headers = {"Content-Type": "application/json", "User-Agent": "angarium"}
        if self._secret:
            headers["X-Angarium-Signature"] = signature(self._secret, int(notice.at), payload)
        timeout = aiohttp.ClientTimeout(total=self._timeout)
        try:
            context = ssl.create_default_context(cafile=self._ca_file)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(
                    self._url, data=payload, headers=headers, ssl=context, allow_redirects=False
                ) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as error:
            raise NotToldError(f"{type(error).__name__} {error}".strip()) from error
        if not 200 <= status < 300:
            raise NotToldError(f"the web service answered {status}")


def signature(secret: bytes, at: int, payload: bytes) -> str:
    """Return what proves that a request is ours, and of when."""
    digest = hmac.new(secret, b"%d." % at + payload, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class ByCommand:
    """On the standard input of a program."""

    def __init__(self, options: AlertCommand) -> None:
        self._program: tuple[str, ...] = options.program or ()
        self._timeout = options.timeout

    async def tell(self, notice: Notice) -> None:
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "ANGARIUM_ALERT": notice.word,
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *self._program,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise NotToldError(f"{self._program[0]}: {error.strerror}") from error
        try:
            await asyncio.wait_for(process.communicate(as_json(notice)), self._timeout)
        except TimeoutError as error:
            raise NotToldError(f"{self._program[0]} took over {self._timeout:g} s") from error
        finally:
            # Whatever it left behind is in its session.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if process.returncode:
            raise NotToldError(f"{self._program[0]} ended with status {process.returncode}")
