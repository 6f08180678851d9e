"""What hooks have in common: a session and a message to be asked about, and how to refuse."""

from angarium.core.reply import Reply
from angarium.policy.context import Session
from angarium.policy.hook import HOOKS, Hook
from angarium.policy.hooks import Connect, Data
from angarium.policy.mail import Mail, empty


def test_a_refusal_goes_to_the_session_and_without_one_to_the_message() -> None:
    no = Reply(550, "no")
    session = Session()
    mail = Mail(empty("a@b.example", now=0.0, protocol="esmtp"), [], session)
    session.mail = mail
    Connect(session).refuse(no)
    assert session.reply is no
    assert Connect(session).about == (session, mail)
    Data(mail).refuse(no)
    assert mail.reply is no


def test_each_hook_has_a_name_and_words_of_its_own() -> None:
    for name, each in HOOKS.items():
        assert issubclass(each, Hook)
        assert each.name == name
        assert each.__doc__
