"""A place as an operator names it, and the stanzas which are asked there."""

import pytest

from angarium.config.load import load_text
from angarium.config.option import OPTIONS
from angarium.config.path import words
from angarium.config.resolve import Configuration
from angarium.config.section import Section
from angarium.config.where import Chain, WhereError, around, where

CONF = load_text("""
    retry_interval = 1
    max_outbound_connections = 9
    binding_group "g" {
        retry_interval = 2
        binding "b" {
            domain "a.example" { retry_interval = 3 }
            host "mx.a.example" { max_outbound_connections = 4 }
        }
        binding "c" { }
        domain "/.example$/" { }
        domain "/./" { }
    }
    binding_group "h" { binding "c" { } }
    binding "b" { domain "/./" { } }
    binding "alone" { }
    domain "/.example$/" { retry_interval = 5 }
    host "/^mx/" { }
    pathway_group "pg" { pathway "p" { } pathway "q" { } }
    pathway "p" { }
    esmtp_listener {
        pathway = q
        listen ":25" { peer "192.0.2.0/24" { } }
        listen ":587" { pathway = p }
        peer "192.0.2.128/25" { }
        peer "0.0.0.0/0" { }
    }
    http_listener { listen ":80" { } }
    ec_logger "one" { mainlog = m }
""")


def asked(chain: Chain) -> list[str]:
    return [words(each) or "global" for each in chain.sections]


@pytest.mark.parametrize(
    ("said", "normal", "chain"),
    [
        ({}, "global", ["global"]),
        ({"domain": "A.Example."}, "domain a.example", ["domain /.example$/", "global"]),
        ({"binding": "b", "domain": "a.example"},
         "binding_group g binding b domain a.example",
         ["binding_group g binding b domain a.example", "binding b domain /./",
          "binding_group g domain /.example$/", "binding_group g binding b", "binding b",
          "binding_group g", "domain /.example$/", "global"]),
        ({"binding": "alone"}, "binding_group default binding alone", ["binding alone", "global"]),
        ({"group": "h", "binding": "c"}, "binding_group h binding c",
         ["binding_group h binding c", "binding_group h", "global"]),
        ({"listen": ":587"}, "esmtp_listener listen *:587",
         ["esmtp_listener listen *:587", "esmtp_listener", "pathway_group pg pathway p",
          "pathway p", "pathway_group pg", "global"]),
        ({"listener": "esmtp", "peer": "192.0.2.200"}, "esmtp_listener peer 192.0.2.200",
         ["esmtp_listener peer 192.0.2.128/25", "esmtp_listener", "pathway_group pg pathway q",
          "pathway_group pg", "global"]),
        ({"listen": ":80"}, "http_listener listen *:80",
         ["http_listener listen *:80", "http_listener", "global"]),
        ({"pathway": "p"}, "pathway p",
         ["pathway_group pg pathway p", "pathway p", "pathway_group pg", "global"]),
    ],
)  # fmt: skip
def test_a_place_is_asked_from_the_most_specific_stanza_on(
    said: dict[str, str], normal: str, chain: list[str]
) -> None:
    place = where(CONF, **said)
    assert str(place) == normal
    assert asked(place.chain(CONF)) == chain


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"binding": "alon"}, "there is no binding alon; did you mean alone?"),
        ({"binding": "c"}, "more than one group has a binding c: g, h"),
        ({"group": "x"}, "there is no binding group x"),
        ({"group": "h", "binding": "nobody"}, "there is no binding nobody"),
        ({"listen": ":26"}, "there is no listen stanza *:26; did you mean *:25?"),
        ({"listen": "26"}, "listen: '26' has no port"),
        ({"listener": "xmpp"}, "there is no listener xmpp_listener"),
        ({"peer": "me"}, "'me' is no address"),
        ({"pathway": "z"}, "there is no pathway z"),
        ({"domain": "a..b"}, "'a..b' is no domain"),
        ({"domain": "a.example", "peer": "::1"}, "domain is of mail on its way out, peer of a"),
    ],
)
def test_what_is_no_place_is_told_with_the_nearest(said: dict[str, str], message: str) -> None:
    with pytest.raises(WhereError) as caught:
        where(CONF, **said)
    assert str(caught.value).startswith(message)


def test_a_host_decides_alone_what_does_not_fall_back_from_it() -> None:
    connections, retry = OPTIONS["max_outbound_connections"], OPTIONS["retry_interval"]
    known = where(CONF, binding="b", host="MX.a.example").chain(CONF)
    other = where(CONF, host="relay.example").chain(CONF)
    assert [words(each) for each in known.hosts] == [
        "binding_group g binding b host mx.a.example", "host /^mx/"
    ]  # fmt: skip
    assert (known.value(connections), other.value(connections)) == (4, -1)
    assert other.winner(connections) is None
    assert (known.value(retry), other.value(retry)) == (2, 1)


def at(path: str) -> Section:
    return next(each for each in CONF.root.walk() if words(each) == path)


@pytest.mark.parametrize(
    ("path", "others"),
    [
        ("", []),
        ("binding_group g", [""]),
        ("binding_group g binding b", ["binding b", "binding_group g", ""]),
        ("binding_group g domain /./", ["binding_group g", ""]),
        ("binding b domain /./", ["binding b", ""]),
        ("domain /.example$/", [""]),
        ("pathway_group pg", [""]),
        ("pathway p", [""]),
        ("pathway_group pg pathway p", ["pathway p", "pathway_group pg", ""]),
        ("esmtp_listener", ["pathway_group pg pathway q", "pathway_group pg", ""]),
        ("esmtp_listener listen *:25 peer 192.0.2.0/24",
         ["esmtp_listener peer 0.0.0.0/0", "esmtp_listener listen *:25", "esmtp_listener",
          "pathway_group pg pathway q", "pathway_group pg", ""]),
        ("esmtp_listener peer 192.0.2.128/25",
         ["esmtp_listener", "pathway_group pg pathway q", "pathway_group pg", ""]),
        ("ec_logger one", None),
    ],
)  # fmt: skip
def test_around_a_stanza_it_is_asked_first(path: str, others: list[str] | None) -> None:
    chain = around(CONF, at(path))
    expected = [path, *others] if others is not None else [path]
    assert [words(each) for each in chain.sections] == expected


def test_around_a_host_other_host_stanzas_are_asked() -> None:
    chain = around(CONF, at("binding_group g binding b host mx.a.example"))
    assert chain.at_host
    assert [words(each) for each in chain.hosts][1:] == ["host /^mx/"]


def test_every_value_is_that_of_the_configuration() -> None:
    declared = OPTIONS["retry_interval"]
    assert declared.owner is not None
    for said in ({"binding": "b", "domain": "a.example"}, {"domain": "b.example"}, {"group": "g"}):
        place = where(CONF, **said)
        held = CONF.at(
            declared.owner, group=place.group, binding=place.binding, domain=place.domain
        )
        assert getattr(held, declared.attribute) == place.chain(CONF).value(declared)


def test_a_listener_of_an_empty_file_is_none() -> None:
    with pytest.raises(WhereError, match="there is no listener"):
        where(load_text(""), peer="::1")
    assert isinstance(CONF, Configuration)
