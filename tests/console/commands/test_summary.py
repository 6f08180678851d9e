"""`summary`: what is counted, and what a reset does."""

from angarium.console.commands.summary import _line, _names, total
from angarium.console.statistics import Reset


def test_the_labels_of_a_metric_are_added_up() -> None:
    values = {"failures|bounced": 2.0, "failures|expired": 3.0, "failures_other": 9.0}
    assert total(values, "failures") == 5.0
    assert total(values, "nothing") == 0.0
    assert total({"deliveries": 4.0, "deliveries|x": [1]}, "deliveries") == 4.0


def test_dns_is_counted_from_the_last_reset_and_never_below_nothing() -> None:
    counts = {"queries.MX": 7.0, "queries.A": 1.0, "responses": 2.0, "time_us": 4000.0}
    found = _names(counts, 9500.0, Reset(1.0, {"dns.queries.MX": 5.0, "dns.queries.A": 3.0}))
    assert (found["DNS MX Queries"], found["DNS A Queries"]) == (2.0, 0.0)
    assert found["DNS Response Time Average (ms)"] == 2.0
    assert found["DNS Response Time Peak (ms)"] == 9.5


def test_rates_have_decimals_and_units() -> None:
    assert _line("Delivery Rate", 51.756) == "        Delivery Rate:  51.76 messages/second"
    assert _line("Uptime", 12.3) == "        Uptime:     12 seconds"
    assert _line("DNS Resolver", "angarium") == "        DNS Resolver: angarium"
