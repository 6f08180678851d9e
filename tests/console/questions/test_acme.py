"""What the monitor is asked about certificates of ACME."""

from types import SimpleNamespace

from angarium.console.question import Of
from angarium.console.questions.acme import Certificate, Outcome, certificates, renew

KNOWN = Certificate("mx", "/mx.pem", ("a.test",), "https://ca.test/", "", 0.0, 0.0, "", 0.0,
                    ordering=False, failures=0, reason="")  # fmt: skip


class Certifier:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def status(self) -> list[Certificate]:
        return [KNOWN]

    async def renew(self, name: str) -> list[Outcome]:
        self.asked.append(name)
        return [Outcome("/mx.pem", "2027-01-01")]


async def test_the_monitor_answers_by_its_certifier() -> None:
    monitor = SimpleNamespace(certifier=Certifier())
    assert await certificates.function(monitor) == [KNOWN]
    assert await renew.function(monitor, "mx") == [Outcome("/mx.pem", "2027-01-01")]
    assert monitor.certifier.asked == ["mx"]
    assert certificates.of is renew.of is Of.AIDE
