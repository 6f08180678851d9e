"""Gauges of a worker: what they are read from, and that labels stay as they are declared."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from angarium.config.load import load_text
from angarium.events.metrics import Metrics
from angarium.policy import hooks
from angarium.policy.context import Session
from angarium.policy.hooks import on
from angarium.policy.module import NOBODY, Policing
from angarium.run.gauges import Gauges
from helpers.asking import asked


class Spool(SimpleNamespace):
    """A spool of so many entries."""

    def __len__(self) -> int:
        return int(self.entries)


def parts(**changed: Any) -> Any:
    spool = Spool(
        entries=7, recovering=0, intake=True, delivery=True, counts=lambda: {"quarantined": 3}
    )
    settle = SimpleNamespace(delivered_count=2, deferred_count=3, failures=Counter({10: 4}))
    pool = SimpleNamespace(
        connections=5,
        sources=SimpleNamespace(absent={}),
        dialer=SimpleNamespace(
            outcomes=Counter(refused=6),
            securing=SimpleNamespace(outcomes=Counter(resumed=8), versions=Counter({"TLSv1.3": 9})),
        ),
    )

    class Cache(list[int]):
        counters: ClassVar[Counter[str]] = Counter(lookups=10, hits=8)

    stub = SimpleNamespace(counters=Counter({"queries.MX": 1, "queries.A": 2}), pending=0)
    known: dict[str, Any] = {
        "configuration": load_text(""),
        "spool": spool,
        "board": SimpleNamespace(delayed=1, in_flight=2, lines={}),
        "settle": settle,
        "pool": pool,
        "services": SimpleNamespace(sessions=set(), policing=NOBODY),
        "naming": SimpleNamespace(resolver=Cache([1, 2]), stub=stub),
        "ledger": SimpleNamespace(denials=Counter(line=2)),
    }
    return SimpleNamespace(**(known | changed))


def seen(of: Any, *, leaving: bool = False) -> dict[str, Any]:
    metrics = Metrics()
    Gauges(metrics).look(of, 1.0, leaving=leaving)
    return dict(metrics.snapshot())


def test_each_part_is_asked_what_it_counts() -> None:
    values = seen(parts())
    found = {name: values[name] for name in ("queued", "delayed", "in_flight", "connections_out")}
    assert found == {"queued": 7, "delayed": 1, "in_flight": 2, "connections_out": 5}
    assert values["isolated"] == 3
    assert values["failures|10"] == 4
    assert values["dials|refused"] == 6
    assert values["outbound_tls|resumed"] == 8
    assert values["outbound_tls_versions|TLSv1.3"] == 9
    assert (values["dns_queries"], values["dns_entries"]) == (3, 2)
    assert values["limits_hit|line"] == 2


def test_a_spool_which_takes_nothing_is_told() -> None:
    stopped = parts()
    stopped.spool.intake = stopped.spool.delivery = False
    values = seen(stopped, leaving=True)
    assert (values["intake_stopped"], values["delivery_stopped"], values["leaving"]) == (1, 1, 1)


def test_limits_we_do_not_know_add_up_as_other() -> None:
    strange = parts(ledger=SimpleNamespace(denials=Counter({"of x": 1, "of y": 2})))
    assert seen(strange)["limits_hit|other"] == 3


def test_names_of_values_do_not_come_from_what_is_counted() -> None:
    strange = parts(ledger=SimpleNamespace(denials=Counter({f"k{n}": 1 for n in range(100_000)})))
    assert len(seen(strange)) == len(seen(parts()))


@pytest.mark.parametrize("text", ["force_fsync = false", "_unsafe_spool = true"])
def test_options_which_trade_safety_away_are_told(text: str) -> None:
    assert seen(parts())["not_durable"] == 0
    assert seen(parts(configuration=load_text(text)))["not_durable"] == 1


def test_what_policy_costs_is_told_by_hook_over_all_generations() -> None:
    class Module:
        @on(hooks.Connect)
        def look(self, event: hooks.Connect) -> None:
            raise ValueError("oh")

    policy = asked(Module())
    chain = policy.chain(hooks.Connect)
    assert chain is not None
    chain.ask(hooks.Connect(Session()))
    policing = Policing(policy, ())
    policing.before = {"validate_connect": (10, 2, 1.0), "validate_data": (3, 0, 0.5)}
    values = seen(parts(services=SimpleNamespace(sessions=set(), policing=policing)))
    assert values["policy_calls|validate_connect"] == 11
    assert values["policy_errors|validate_connect"] == 3
    assert values["policy|validate_connect"] > 1.0
    assert values["policy_calls|validate_data"] == 3
