"""The configurations we ship are sound, say nothing twice, and mean what their comments say."""

import ipaddress
from pathlib import Path

import pytest

from angarium.config.load import load
from angarium.inbound.options import Reception
from angarium.modules.loggers.options.logs import BounceLogger, EcLogger
from angarium.outbound.options import Transport
from angarium.queue.options import HostLimits, Shape
from angarium.run.options import EventLoop, Sink

ETC = Path(__file__).parent.parent.parent / "etc"
SHIPPED = sorted(ETC.glob("*/ecelerity.conf"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda each: each.parent.name)
def test_a_shipped_configuration_has_no_faults_and_no_notes(path: Path) -> None:
    assert [str(each) for each in load(path, environ={}).notes] == []


# Configurations of programs beside the server.
OF_PROGRAMS = ("ec_rotate.conf", "sendmail.conf")
FILES = [each for each in sorted(ETC.rglob("*.conf")) if each.name not in OF_PROGRAMS]


@pytest.mark.parametrize("path", FILES, ids=lambda each: each.name)
def test_a_shipped_file_is_included_or_main(path: Path) -> None:
    mains = "".join(each.read_text() for each in SHIPPED)
    assert path in SHIPPED or f'include "{path.name}"' in mains


@pytest.mark.parametrize(
    ("domain", "routes"),
    [
        ("sink.test", ("smtp://127.0.0.1?port=2526",)),
        ("a.b.sink.test", ("smtp://127.0.0.1?port=2526",)),
        ("kitchensink.test", ()),
        ("example.com", ()),
    ],
)
def test_quickstart_sends_to_the_sink_what_is_below_sink_test(
    domain: str, routes: tuple[str, ...]
) -> None:
    conf = load(ETC / "quickstart/ecelerity.conf", environ={})
    found = conf.at(Transport, group="default", binding="default", domain=domain)
    assert found.routes == routes
    assert conf.top(Sink).listen == "127.0.0.1:2526"
    assert conf.top(EventLoop).concurrency == 2
    assert not conf.has("security")


def test_quickstart_takes_mail_from_this_machine_only_and_writes_under_its_state() -> None:
    conf = load(ETC / "quickstart/ecelerity.conf", environ={})
    assert [each.name for each in conf.listens("esmtp_listener")] == ["127.0.0.1:2525"]
    session = conf.at(
        Reception, listener="esmtp_listener", listen="127.0.0.1:2525", peer="127.0.0.1"
    )
    assert any(ipaddress.ip_address("127.0.0.1") in each for each in session.relay_hosts)
    for _, logger in conf.instances(EcLogger):
        assert not logger.mainlog.startswith("/")
    assert len(conf.instances(BounceLogger)) == 1


@pytest.mark.parametrize(
    ("domain", "connections", "shared"),
    [
        ("gmail.com", 25, None),
        ("yahoo.co.jp", 10, 20),
        ("aol.com", 10, 20),
        ("hotmail.fr", 10, 20),
        ("icloud.com", 10, 10),
        ("comcast.net", 10, None),
        ("gmx.net", 10, 15),
        ("web.de", 10, 15),
        ("orange.fr", 2, 3),
        ("mail.ru", 10, 15),
        ("qq.com", 5, 5),
        ("example.com", 10, None),
    ],
)
def test_production_shapes_the_large_providers(
    domain: str, connections: int, shared: int | None
) -> None:
    conf = load(ETC / "production/ecelerity.conf", environ={})
    shape = conf.at(Shape, group="default", binding="default", domain=domain)
    assert shape.max_outbound_connections == connections
    cap = shape.scope_max_outbound_connections
    assert (cap and cap.count) == shared


def test_production_counts_workspace_domains_by_their_servers() -> None:
    conf = load(ETC / "production/ecelerity.conf", environ={})
    limits = conf.at(HostLimits, group="default", binding="default", host="aspmx.l.google.com")
    assert limits.max_outbound_connections == 50


@pytest.mark.parametrize("name", ["quickstart", "production"])
def test_who_watches_the_server_does_so_from_this_machine(name: str) -> None:
    conf = load(str(ETC / name / "ecelerity.conf"))
    assert [each.name for each in conf.listens("http_listener")] == ["127.0.0.1:2081"]
