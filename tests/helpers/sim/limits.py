"""Configurations of a simulated node: limits of every kind, by chance, often too narrow."""

from random import Random
from typing import Final

DOMAINS: Final = ("a.test", "b.test", "c.test", "d.test", "x.e.test", "y.e.test")
BINDINGS: Final = (("default", "default"), ("g", "b1"), ("g", "b2"))

ALWAYS: Final = {
    "retry_interval": (5, 20, 60),
    "max_retry_interval": (60, 300),
    "message_expiration": (600, 1800),
    "host_failure_retry": (5, 60),
    "dead_destination_delay": (1, 30),
    "idle_timeout": (2, 10),
    "soundness_interval": (1, 5),
    "max_outbound_connections": (1, 2, 5, 32),
    "server_max_outbound_connections": (1, 3, 8, 100),
    "server_reserve_outbound_connections": (0, 1, 2),
    "max_resident_active_queue": (0, 1, 5, 250),
    "max_recipients_per_batch": (1, 3, 100),
}
TIMEOUTS: Final = "\n".join(
    f"{each} = 20"
    for each in (
        "connect_timeout", "banner_timeout", "ehlo_timeout", "mailfrom_timeout", "rcptto_timeout",
        "body_timeout", "rset_timeout",
    )
)  # fmt: skip
SOMETIMES: Final = {
    "max_resident_messages": (1, 10),
    "max_resident_transfails": (0, 2),
    "outbound_throttle_messages": ('"1"', '"5/10"', '"100"'),
    "max_deliveries_per_connection": (1, 3),
    "max_recipients_per_connection": (1, 3),
    "connection_allocation_aggressiveness": ("high",),
    "never_attempt_expired_messages": ("true",),
    "max_retries": (0, 3, "none"),
    "delayed_binding_domain_fuzz": (5,),
    "generate_delay_dsn": ("true",),
    "gateway": ('"mx0.a.test"', '"mx0.d.test"'),
}


def limits(random: Random, *, calm: bool) -> str:
    """Return the text of a configuration.

    Args:
        calm: all mail must be able to end soon.
    """

    def maybe(name: str, *values: object) -> str:
        if calm and (name.startswith("outbound_throttle") or name == "suspend_delivery"):
            return ""
        return f"  {name} = {random.choice(values)}\n" if random.random() < 0.4 else ""

    text = "".join(f"{name} = {random.choice(some)}\n" for name, some in ALWAYS.items())
    text += TIMEOUTS + "\n"
    text += "".join(maybe(name, *some) for name, some in SOMETIMES.items())
    own = maybe("server_max_outbound_connections", 1, 2)
    second = calm or random.random() < 0.8
    text += f'binding_group "g" {{\n  binding "b1" {{\n{own}  }}\n'
    text += f'  binding "b2" {{\n{own}  }}\n}}\n' if second else "}\n"
    text += 'domain "a.test" {\n' + maybe("max_outbound_connections", 1, 2)
    text += maybe("outbound_throttle_messages", '"1/5"', '"10"')
    text += maybe("outbound_throttle_connections", '"1/3"', '"2"') + "}\n"
    text += 'domain "/e[.]test$/" {\n' + maybe("scope_max_outbound_connections", 1, 2)
    text += maybe("suspend_delivery", "true") + "}\n"
    text += 'host "mx0.b.test" {\n' + maybe("max_outbound_connections", 1, 2)
    text += maybe("outbound_throttle_messages", '"1/2"', '"20"')
    text += maybe("outbound_throttle_connections", '"1/3"') + "}\n"
    return text
