"""What makes no sense across options of logging in at hosts."""

import pytest

from angarium.config.load import load_text

USER = "outbound_smtp_auth_user = me\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (USER, "without outbound_smtp_auth_type nobody logs in"),
        (USER + "outbound_smtp_auth_type = PLAIN\n", "PLAIN goes over TLS only, and tls is no"),
        (USER + "outbound_smtp_auth_type = PLAIN\ntls = required\n", ""),
        (USER + "outbound_smtp_auth_type = PLAIN\noutbound_smtp_auth_in_clear = true\n", ""),
        (USER + "outbound_smtp_auth_type = SCRAM-SHA-256\n", ""),
        (
            f'tls = ifavailable\noutbound_smtp_auth_type = LOGIN\ndomain "d.test" {{ {USER} }}\n',
            "",
        ),
    ],
)
def test_a_password_that_has_no_way_to_go_is_told(text: str, said: str) -> None:
    found = [
        each.message
        for each in load_text(text).notes
        if "outbound" in each.message or "PLAIN" in each.message
    ]
    assert [each for each in found if said in each] if said else found == []
