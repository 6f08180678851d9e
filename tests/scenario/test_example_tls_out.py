"""The example of TLS to hosts works as it stands: only places are changed here."""

import ssl
from pathlib import Path

import pytest

from helpers.certificates import Authority, authority
from helpers.hosted import Hosted

EXAMPLE = Path(__file__).parent.parent.parent / "examples/tls-out/ecelerity.conf"
ZONE = """
partner.example.com A 127.0.3.1
bank.example.com A 127.0.3.2
other.example.com A 127.0.3.3
"""


class Sending(Hosted):
    def configure(self, extra: str) -> None:
        text = EXAMPLE.read_text("utf-8")
        text = text.replace("/etc/angarium", str(self.folder))
        text = text.replace("/var/log/angarium", str(self.logs))
        text = text.replace("127.0.0.1:2525", f"127.0.0.1:{self.port}")
        own = f"""
            remote_smtp_port = {self.sink.port}
            relay_hosts = ( "127.0.0.0/8" )
            dns_servers = ( "127.0.0.1:{self.dns.port}" )
            eventloop "pool" {{ concurrency = 1 }}
        """
        self.config.write_text(text + own, encoding="utf-8")


@pytest.mark.slow
async def test_each_domain_gets_the_tls_it_wants(tmp_path: Path) -> None:
    (tmp_path / "partner-ca.pem").write_bytes(authority().pem)
    authority().signed("client.node.test").write(tmp_path, "client")
    shown = {
        "partner": authority().signed("partner.example.com"),
        "bank": Authority("Bank").signed("bank.example.com"),
        "other": Authority("Nobody").signed("elsewhere.test"),
    }
    async with Sending(tmp_path, zone=ZONE) as world:
        for number, (name, pair) in enumerate(shown.items(), 1):
            context = world.showing(name, pair)
            if name == "bank" and context is not None:
                context.load_verify_locations(cadata=authority().pem.decode())
                context.verify_mode = ssl.CERT_REQUIRED
            await world.host(name, f"127.0.3.{number}", context)
        for name in shown:
            await world.mail(f"b@{name}.example.com")
            assert (await world.taken(name, f"b@{name}.example.com")).tls == "TLSv1.3"
        secured = world.sinks["bank"].sessions[0].secured
        assert secured is not None
        assert b"client.node.test" in secured.certificate

        def logged() -> list[list[str]]:
            path = world.logs / "tls.log"
            return [each.split()[1:] for each in path.read_text().splitlines()]

        await world.until(lambda: len(logged()) >= 3, "three lines")
        verified = {line[0]: line[-1] for line in logged()}
        assert verified == {
            "partner.example.com": "verified",
            "bank.example.com": "unverified",
            "other.example.com": "unverified",
        }
