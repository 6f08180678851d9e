"""The example of users who say who they are works as it stands: only places are changed here."""

import asyncio
import smtplib
import ssl
from pathlib import Path

import pytest

from helpers.certificates import authority
from helpers.world import World

EXAMPLE = Path(__file__).parent.parent.parent / "examples/submission/ecelerity.conf"
# Of `openssl passwd -6 -salt saltsalt`.
HASH = (
    "$6$saltsalt$pn.eNCAqRIao3pxsOGdjVa9wVR7Rb/3WnbxOluoQKVZPzLuyetx3yF6VIZDfQnn/"
    "arrFVfrq3BqRb9gLqhI5z0"
)


class Submission(World):
    def configure(self, extra: str) -> None:
        text = EXAMPLE.read_text("utf-8")
        text = text.replace("/etc/angarium", str(self.folder))
        text = text.replace("/var/log/angarium", str(self.logs))
        text = text.replace("*:587", f"127.0.0.1:{self.port}")
        own = f"""
            remote_smtp_port = {self.sink.port}
            dns_servers = ( "127.0.0.1:{self.dns.port}" )
            eventloop "pool" {{ concurrency = 1 }}
        """
        self.config.write_text(text + own, encoding="utf-8")


@pytest.mark.slow
async def test_users_send_their_mail_and_strangers_do_not(tmp_path: Path) -> None:
    authority().signed("localhost").write(tmp_path, "mx")
    (tmp_path / "users").write_text(f"tim:{HASH}\n")
    context = ssl.create_default_context(cadata=authority().pem.decode())

    def told(port: int, password: str) -> str:
        with smtplib.SMTP("localhost", port, source_address=("127.0.0.1", 0)) as smtp:
            smtp.starttls(context=context)
            try:
                if password:
                    smtp.login("tim", password)
                smtp.sendmail("tim@example.com", ["b@x.test"], "Subject: x\r\n\r\nhello\r\n")
            except smtplib.SMTPException as error:
                return str(error)
        return "sent"

    async with Submission(tmp_path, zone="* A 127.0.0.1") as world:
        assert await asyncio.to_thread(told, world.port, "Hello world!") == "sent"
        await world.arrived("b@x.test")
        assert "530" in await asyncio.to_thread(told, world.port, "")
        assert "535" in await asyncio.to_thread(told, world.port, "wrong")
        await world.until(lambda: len(world.log("acctlog")) >= 2, "acctlog")
        assert {line.rsplit("@", 1)[1] for line in world.log("acctlog")} == {"0", "1"}
