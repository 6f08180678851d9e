"""TLS to databases."""

import ssl

import pytest

from angarium.data import tls
from angarium.data.errors import UnreachableError


def test_without_a_word_there_is_none() -> None:
    assert tls.context({}) is None
    assert tls.context({"sslmode": "disable"}) is None


def test_who_the_server_is_matters_where_it_is_asked_for() -> None:
    loose, strict = tls.context({"sslmode": "require"}), tls.context({"sslmode": "verify-full"})
    assert loose is not None
    assert strict is not None
    assert (loose.verify_mode, loose.check_hostname) == (ssl.CERT_NONE, False)
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_file_which_is_not_there_is_told() -> None:
    with pytest.raises(UnreachableError, match="certificate"):
        tls.context({"sslmode": "verify-full", "sslrootcert": "/nonexistent"})
