"""Scripts and modules hear how connections fare by the policy of a domain."""

import json

from angarium.net.tlspolicy.demand import STS, Demand
from angarium.outbound.demands import nobody
from angarium.outbound.hearing import hearing
from angarium.policy.hooks import TlsReport, on
from helpers.asking import asked

DEMAND = Demand(STS, "a.test", ("version: STSv1", "mode: enforce"), required=True, checked=True)


class Listener:
    def __init__(self) -> None:
        self.heard: list[TlsReport] = []

    @on(TlsReport)
    def hear(self, event: TlsReport) -> None:
        self.heard.append(event)


def test_nobody_is_asked_where_nobody_listens() -> None:
    assert hearing(asked(), lambda: 0.0) is nobody


def test_a_failure_is_told_in_the_words_of_the_manual() -> None:
    listener = Listener()
    hearing(asked(listener), lambda: 1700000000.5)(
        DEMAND, "mx.a.test", "192.0.2.1", "198.51.100.1", "certificate-expired", "it ended"
    )
    assert json.loads(listener.heard[0].json) == {
        "epoch": 1700000000,
        "type": 0,
        "policy": {
            "policy-type": "sts",
            "policy-domain": "a.test",
            "policy-string": ["version: STSv1", "mode: enforce"],
        },
        "sending-mta-ip": "198.51.100.1",
        "receiving-mx-hostname": "mx.a.test",
        "receiving-ip": "192.0.2.1",
        "result-type": "certificate-expired",
        "failure-reason-code": "it ended",
    }


def test_a_success_has_no_reason() -> None:
    listener = Listener()
    hearing(asked(listener), lambda: 1.0)(DEMAND, "mx.a.test", "192.0.2.1", "", "", "")
    told = json.loads(listener.heard[0].json)
    assert told["type"] == 1
    assert "result-type" not in told
