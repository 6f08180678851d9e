"""What comes out: what a policy or records add to what the options want."""

import pytest

from angarium.net.tlspolicy.dane import Tlsa, Trust
from angarium.net.tlspolicy.demand import LOCAL, NOTHING, STS, TLSA, of_policy, of_records
from angarium.net.tlspolicy.sts import Mode, Policy

NAME = "_25._tcp.mx.example.com"


@pytest.mark.parametrize(
    ("mode", "required", "checked"),
    [(Mode.ENFORCE, True, True), (Mode.TESTING, False, True), (Mode.NONE, False, False)],
)
def test_a_policy_demands_by_its_mode(mode: Mode, required: bool, checked: bool) -> None:
    demand = of_policy("example.com", Policy(mode, 100, ("mx.example.com",)))
    assert (demand.required, demand.checked) == (required, checked)
    assert demand.kind == (LOCAL if mode is Mode.NONE else STS)


def test_a_report_can_quote_it() -> None:
    demand = of_policy("example.com", Policy(Mode.TESTING, 100, ("mx.example.com",)))
    assert demand.text == ("version: STSv1", "mode: testing", "mx: mx.example.com", "max_age: 100")


def test_records_demand_tls_and_the_usable_ones_say_with_whom() -> None:
    usable, useless = Tlsa(3, 1, 1, bytes(32)), Tlsa(1, 1, 1, bytes(32))
    demand = of_records("example.com", NAME, (usable,), ("mx.example.com", "mx.example.com"))
    assert (demand.kind, demand.required, demand.named) == (TLSA, True, True)
    assert demand.text == (f"_25._tcp.mx.example.com. IN TLSA 3 1 1 {'00' * 32}",)
    assert demand.names == ("mx.example.com",)
    assert demand.judge([b"what"], 0.0) is Trust.UNNAMED
    demand = of_records("example.com", NAME, (useless,), ())
    assert (demand.required, demand.named) == (True, False)
    assert of_records("example.com", NAME, (), ()) is NOTHING
