"""What domains demand is asked by a worker as its options say."""

import ssl
from pathlib import Path

import pytest

from angarium.config.load import load_text
from angarium.core.errors import Error
from angarium.net.tlspolicy.demand import STS, Demand
from angarium.outbound.demands import Heard
from angarium.run.demanding import Demanding, store
from helpers import certificates
from helpers.clock import FakeClock
from helpers.dns import FakeDns


def hears(told: list[tuple[str, str, str]]) -> Heard:
    def heard(
        demand: Demand, host: str, address: str, source: str, result: str, reason: str
    ) -> None:
        told.append((demand.kind, host, result))

    return heard


@pytest.mark.effect("mta_sts_policy_store")
def test_policies_lie_in_the_state_directory_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    assert store(load_text(""), tmp_path) == tmp_path / "mtasts"
    other = load_text('mta_sts_policy_store = "/srv/mtasts"')
    assert store(other, tmp_path) == Path("/srv/mtasts")


async def test_a_policy_which_is_not_to_be_had_is_told(tmp_path: Path) -> None:
    dns = FakeDns("_mta-sts.a.test TXT v=STSv1; id=1")
    made = Demanding(load_text(""), tmp_path, dns, FakeClock(), lambda _: None)
    told: list[tuple[str, str, str]] = []
    made.hear(hears(told))
    assert await made.policies.of("a.test") is None
    assert told == [(STS, "mta-sts.a.test", "sts-policy-fetch-error")]
    await made.close()


async def test_the_authorities_are_those_of_tls_ca_and_change_with_it(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certificates.authority().pem)
    made = Demanding(
        load_text(f'tls_ca = "{ca}"'), tmp_path, FakeDns(), FakeClock(), lambda _: None
    )
    first = made._fetcher()
    names = {each["subject"] for each in first._context.get_ca_certs()}
    assert len(names) == 1
    assert first._context.verify_mode is ssl.CERT_REQUIRED
    made.use(load_text(""))
    assert made._fetcher() is not first
    with pytest.raises(Error, match="no record"):
        await made.policies.refresh("a.test")
    await made.close()
