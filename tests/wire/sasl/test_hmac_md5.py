"""The states of HMAC-MD5: they prove what the password would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.wire.sasl import cram
from angarium.wire.sasl.hmac_md5 import contexts, proof


@given(st.text(max_size=100), st.binary(max_size=200))
def test_what_is_kept_proves_what_the_password_does(password: str, challenge: bytes) -> None:
    assert proof(contexts(password), challenge) == cram.proof(password, challenge)


def test_it_is_written_as_dovecot_writes_it() -> None:
    """Of its wiki, AuthDatabase.PasswdFile: doveadm pw -s CRAM-MD5 -p test."""
    kept = "e02d374fde0dc75a17a557039a3a5338c7743304777dccd376f332bee68d2cf6"
    assert contexts("test") == kept


@pytest.mark.parametrize("kept", ["", "zz", "00" * 31, "00" * 33])
def test_what_is_nothing_of_the_kind_proves_nothing(kept: str) -> None:
    assert proof(kept, b"x") == ""
