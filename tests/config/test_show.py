"""A configuration as it is shown: the text is read again and means the same."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given

from angarium.config.difference import differences
from angarium.config.load import load, load_text
from angarium.config.resolve import Configuration
from angarium.config.section import Section
from angarium.config.show import Show, document, head
from helpers.configurations import SHIPPED, checked, stanzas

EXAMPLE = """
    message_expiration = 86400
    relay_hosts = ( 192.0.2.0/24 ::1 )
    binding_group "g" {
        retry_interval = 600
        binding "b" { domain "a.example" { max_outbound_connections = 5 } }
    }
    domain "/[.]example$/" { retry_interval = 300 }
    esmtp_listener {
        idle_time = 300
        listen ":25" { context = [ pool = "fast lane" ] }
        listen ":587" { enable = false }
    }
"""


def shown(text: str, *words: str, recurse: bool = False, **how: Any) -> str:
    conf = load_text(text)
    return Show(conf, **how).text(place(conf.root, *words), recurse=recurse)


def place(section: Section, *words: str) -> Section:
    for kind, instance in zip(words[::2], words[1::2], strict=True):
        found = section.get(kind, instance)
        assert found is not None
        section = found
    return section


def test_a_stanza_is_shown_as_the_console_does_with_inner_ones_closed() -> None:
    assert shown(EXAMPLE, "esmtp_listener", "") == (
        "idle_time = 300\n"
        'listen "*:25" { ... }\n'
        'listen "*:587" { ... }\n'
    )  # fmt: skip


def test_with_what_is_in_it_it_is_a_configuration() -> None:
    assert (
        shown(EXAMPLE, recurse=True)
        == """\
message_expiration = 86400
relay_hosts = (
  "192.0.2.0/24"
  "::1/128"
)
binding_group "g" {
  retry_interval = 600
  binding "b" {
    domain "a.example" {
      max_outbound_connections = 5
    }
  }
}
domain "/[.]example$/" {
  retry_interval = 300
}
esmtp_listener {
  idle_time = 300
  listen "*:25" {
    context = [
      pool = "fast lane"
    ]
  }
  listen "*:587" {
    enable = false
  }
}
"""
    )


def test_what_outer_stanzas_set_is_a_comment_that_says_who() -> None:
    domain = ("binding_group", "g", "binding", "b", "domain", "a.example")
    assert shown(EXAMPLE, *domain, effective=True) == (
        "max_outbound_connections = 5\n"
        "# message_expiration = 86400  (from global)\n"
        "# retry_interval = 600  (from binding_group g)\n"
    )


def test_what_nobody_sets_is_shown_with_defaults_only() -> None:
    default = shown(EXAMPLE, "domain", "/[.]example$/", defaults=True)
    assert "# max_retry_interval = " in default
    assert default.count("  (default)\n") > 10
    assert "# message_expiration = 86400  (from global)\n" in default
    assert "(default)" not in shown(EXAMPLE, "domain", "/[.]example$/", effective=True)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda each: each.parent.name)
@pytest.mark.parametrize("how", ["", "effective", "defaults"])
def test_what_we_ship_means_the_same_when_it_is_shown(path: Path, how: str) -> None:
    conf = load(path, environ={}, files=False)
    show = Show(conf, secrets=True, **({how: True} if how else {}))
    again = load_text(show.text(conf.root))
    assert differences(conf.root, again.root) == []
    assert [str(each) for each in again.notes] == []


@given(stanzas())
def test_any_configuration_means_the_same_when_it_is_shown(text: str) -> None:
    root = checked(text).root
    for defaults in (False, True):
        show = Show(Configuration(root), defaults=defaults, secrets=True)
        again = checked(show.text(root))
        assert [str(each) for each in again.document.faults()] == []
        assert differences(root, again.root) == []
        assert differences(again.root, root) == []
        assert show.text(root) == Show(
            Configuration(again.root), defaults=defaults, secrets=True
        ).text(again.root)


@given(stanzas())
def test_any_configuration_has_json_and_xml(text: str) -> None:
    root = checked(text).root
    show = Show(Configuration(root), defaults=True)
    json.dumps(show.plain(root), allow_nan=False)
    tree = ElementTree.fromstring("".join(document(show, root)))
    assert len(list(tree.iter("stanza"))) == len(list(root.walk())) - 1


def test_the_xml_names_stanzas_options_items_and_entries() -> None:
    conf = load_text(EXAMPLE)
    listen = place(conf.root, "esmtp_listener", "", "listen", "*:25")
    assert (
        "".join(document(Show(conf), listen))
        == """\
<?xml version="1.0" encoding="UTF-8"?>
<configuration of="esmtp_listener listen *:25">
  <option name="context">
    <entry key="pool">fast lane</entry>
  </option>
</configuration>
"""
    )
    tree = ElementTree.fromstring("".join(document(Show(conf, effective=True), conf.root)))
    found = tree.find("stanza[@name='esmtp_listener']/stanza[@instance='*:587']")
    assert found is not None
    assert [(each.get("name"), each.get("from"), each.text) for each in found][:2] == [
        ("enable", None, "false"),
        ("idle_time", "esmtp_listener", "300"),
    ]


def test_the_json_has_options_and_stanzas_by_name() -> None:
    conf = load_text(EXAMPLE)
    assert Show(conf).plain(place(conf.root, "esmtp_listener", "")) == {
        "idle_time": 300,
        "listen": {"*:25": {"context": {"pool": "fast lane"}}, "*:587": {"enable": False}},
    }


def test_the_head_of_a_stanza_has_its_name_in_quotes() -> None:
    conf = load_text('domain "/[.]a\\\\b$/" { } esmtp_listener { }')
    assert [head(each) for each in conf.root.walk()][1:] == [
        'domain "/[.]a\\\\b$/"',
        "esmtp_listener",
    ]
