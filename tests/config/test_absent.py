"""Names of the manuals which are refused: each with its reason, and none is declared."""

import pytest

from angarium.config import absent
from angarium.config.errors import ConfigError
from angarium.config.load import declarations, load_text
from angarium.config.option import OPTIONS
from angarium.config.scope import STANZAS

declarations()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("domain x.com { SMPP_SMSC_Server = 10.0.0.1 }", "product for telephones"),
        ('domain x.com { MM7_Version = "5.3.0" }', "product for telephones"),
        ("mstore { servers = ( 127.0.0.1:8098 ) }", "product for telephones"),
        ("sieve s { hook:x [ script = y ] }", 'write hook "NAME" { ... }'),
        ('binding b { binding_group = "g" }', "put the binding into a binding_group stanza"),
    ],
)
def test_the_reason_is_told_in_place_of_a_nearest_name(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(text)
    assert told in caught.value.faults[0].advice


def test_what_is_declared_is_not_absent() -> None:
    assert not [each for each in OPTIONS.values() if absent.why_no_option(each.name, "domain")]
    assert not [each for each in STANZAS.values() if absent.why_no_stanza(each.name)]


def test_of_other_names_nothing_is_known() -> None:
    assert not absent.why_no_option("smp", "domain")
    assert not absent.why_no_option("binding_group", "domain")
    assert not absent.why_no_stanza("nonsense")
