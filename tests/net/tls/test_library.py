"""What is set by OpenSSL's own functions is in the context of Python."""

import ssl
from collections.abc import Callable

import pytest

from angarium.net.tls import library


def made() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def names(context: ssl.SSLContext) -> list[str]:
    return [str(each["name"]) for each in context.get_ciphers()]


def test_it_can_be_done_where_the_tests_run() -> None:
    assert library.available()


def test_suites_stand_first_and_in_their_order() -> None:
    context = made()
    wanted = ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]
    library.set_suites(context, ":".join(wanted))
    assert names(context)[:2] == wanted
    assert names(context).count("TLS_AES_256_GCM_SHA384") == 0


def test_what_openssl_does_not_know_is_refused() -> None:
    with pytest.raises(library.UnsupportedError, match="nonsense"):
        library.set_suites(made(), "nonsense")
    with pytest.raises(library.UnsupportedError, match="nonsense"):
        library.set_groups(made(), "X25519:nonsense")


def test_who_is_only_judged_is_asked_and_gets_no_tickets() -> None:
    context = made()
    library.judge_only(context)
    assert context.verify_mode is ssl.CERT_OPTIONAL
    assert context.options & ssl.OP_NO_TICKET
    assert context.num_tickets == 0


def test_where_the_functions_are_not_to_be_had_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_functions", lambda: None)
    assert not library.available()
    calls: list[Callable[[], None]] = [
        lambda: library.set_suites(made(), "TLS_AES_128_GCM_SHA256"),
        lambda: library.set_groups(made(), "X25519"),
        lambda: library.judge_only(made()),
    ]
    for call in calls:
        with pytest.raises(library.UnsupportedError, match="cannot be set in this Python"):
            call()
    library.set_own_dh(made())
    library.remember_few_sessions(made())
