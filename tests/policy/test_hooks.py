"""The hooks are those of Momentum, in its order; what nobody asks says what is missing."""

from angarium.core.reply import Reply
from angarium.policy import hooks
from angarium.policy.context import Session
from angarium.policy.hooks import ABSENT, HOOKS, Connect, DataSpool, Hook, marked, on
from angarium.policy.mail import Mail, empty


def test_a_hook_has_a_name_a_docstring_and_arguments() -> None:
    for name, hook in HOOKS.items():
        assert hook.name == name
        assert hook.__doc__
        assert not hook.__doc__.startswith(hook.__name__), "a dataclass wrote it"
        assert hook.asked in {hooks.SMTP, hooks.ALL, hooks.LOG, hooks.DIAL, hooks.SEEDS}
    assert not HOOKS.keys() & ABSENT.keys()


def test_reception_meets_them_in_order() -> None:
    steps = [hook.step for hook in HOOKS.values() if hook.asked == hooks.SMTP]
    ordered = [step for step in steps if step is not hooks.Dealloc.step]
    assert ordered == sorted(ordered)


def test_the_last_validations_come_in_the_order_of_version_5() -> None:
    names = list(HOOKS)
    assert (
        names.index("validate_set_binding")
        < names.index("core_final_validation2")
        < names.index("core_final_validation")
        < names.index("core_post_final_validation")
    )


def test_a_refusal_goes_to_the_session_or_else_to_the_message() -> None:
    session, mail = Session(), Mail(empty("", now=0.0, protocol="esmtp"), [])
    no = Reply(550, "no")
    DataSpool(mail, session).refuse(no)
    assert (session.reply, mail.reply) == (no, None)
    DataSpool(mail).refuse(no)
    assert mail.reply is no


def test_marked_methods_are_found_in_the_order_of_hooks() -> None:
    class Module:
        @on(DataSpool)
        def last(self, _event: DataSpool) -> None:
            """See below."""

        @on(Connect)
        def first(self, _event: Connect) -> None:
            """See below."""

        def other(self, _event: Hook) -> None:
            """Handles nothing."""

    found = [(hook, method.__name__) for hook, method in marked(Module())]
    assert found == [(Connect, "first"), (DataSpool, "last")]
