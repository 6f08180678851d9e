"""Whether variables of messages say as whom we log in."""

import pytest

from angarium.config.load import load_text
from angarium.modules.auth.outbound_smtp_auth import counts


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", False),
        ("outbound_smtp_auth { }", True),
        ("outbound_smtp_auth { enabled = false }", False),
        ('outbound_smtp_auth "name" { }', True),
    ],
)
def test_the_stanza_says_so(text: str, wanted: bool) -> None:
    assert counts(load_text(text)) is wanted
