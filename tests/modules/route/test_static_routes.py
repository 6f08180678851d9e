"""static_routes: all mail goes to one server, but for what has a gateway."""

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.modules.route.static_routes import StaticRoutes
from angarium.outbound.options import Transport
from angarium.outbound.route import Router
from helpers.dns import FakeDns

ZONE = "a.test MX 10 mx.a.test\nmx.a.test A 192.0.2.7"


def routed(text: str) -> tuple[Router, StaticRoutes]:
    router = Router(FakeDns(ZONE), Random(1))
    options: Any = load_text(text).instances("static_routes")[0][1]
    means: Any = SimpleNamespace(router=router)
    return router, StaticRoutes("", options, means)


@pytest.mark.effect("static_routes.target")
async def test_all_mail_goes_there_while_it_is_in_force() -> None:
    router, module = routed('static_routes { target = "192.0.2.1:2525" }')
    transport = Transport.make()
    module.start()
    (hop,) = await router.route("a.test", transport)
    assert (hop.address, hop.port) == ("192.0.2.1", 2525)
    gateway = load_text('gateway = "192.0.2.9"').top(Transport)
    assert (await router.route("a.test", gateway))[0].address == "192.0.2.9"
    module.stop()
    assert (await router.route("a.test", transport))[0].address == "192.0.2.7"


async def test_without_a_target_mail_goes_its_way() -> None:
    router, module = routed("static_routes { }")
    module.start()
    assert (await router.route("a.test", Transport.make()))[0].address == "192.0.2.7"
