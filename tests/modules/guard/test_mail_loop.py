"""mail_loop: too many Received fields, and clients which are ourselves."""

from types import SimpleNamespace
from typing import Any

import pytest

from angarium.config.load import load_text
from angarium.modules.guard.mail_loop import MailLoop
from helpers.reception import Desk, Talk


def desk(options: str = "") -> Desk:
    stanza = load_text(f"mail_loop {{ {options} }}").instances("mail_loop")[0][1]
    means: Any = SimpleNamespace()
    return Desk(policy=MailLoop("", stanza, means))  # type: ignore[arg-type]


def content(hops: int) -> bytes:
    return b"Received: by somebody\r\n" * hops + b"Subject: x\r\n\r\ny\r\n"


@pytest.mark.effect("mail_loop.max_received_headers")
def test_mail_with_more_hops_than_allowed_is_ended() -> None:
    assert desk().greeted().deliver(content(20)).startswith("250")
    assert desk().greeted().deliver(content(21)) == "554 5.4.6 mail loop detected"
    few = "max_received_headers = 2"
    assert desk(few).greeted().deliver(content(2)).startswith("250")
    assert desk(few).greeted().deliver(content(3)).startswith("554")


@pytest.mark.effect("mail_loop.code")
def test_with_250_it_is_only_marked() -> None:
    here = desk("code = 250")
    talk = here.greeted()
    assert talk.deliver(content(21)).startswith("250")
    assert here.message.session_variables["mail_loop_header_count"] == "21"
    assert desk("code = 451").greeted().deliver(content(21)).startswith("451 4.4.6")


@pytest.mark.effect("mail_loop.use_ip")
def test_a_client_which_is_this_machine_is_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("angarium.modules.guard.mail_loop.is_local", "192.0.2.9".__eq__)

    def first(talk: Talk) -> str:
        return talk.heard()[0]

    assert first(desk("use_ip = true").connect()).startswith("554 5.4.6")
    assert first(desk("use_ip = false").connect()).startswith("220")
    assert first(desk("use_ip = true").connect(("127.0.0.1", 5))).startswith("220")
    assert first(desk("use_ip = true").connect(("192.0.2.8", 5))).startswith("220")
