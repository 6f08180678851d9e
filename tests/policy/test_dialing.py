"""The hooks of connections to hosts."""

from angarium.core.reply import Reply
from angarium.policy import hooks
from angarium.policy.dialing import OutboundVerify, TlsReport


def test_they_stand_with_all_the_others() -> None:
    dialed = [hook for hook in hooks.HOOKS.values() if hook.asked == hooks.DIAL]
    assert {hook.__module__ for hook in dialed} == {OutboundVerify.__module__}
    assert all(getattr(hooks, hook.__name__) is hook for hook in dialed)
    assert not any(hook.waits for hook in dialed)


def test_a_handler_which_fails_trusts_nobody() -> None:
    event = OutboundVerify(True, "mx.a.test", "a.test", "", "")
    event.refuse(Reply(451, "failed"))
    assert not event.good
    assert event.about == (None, None)


def test_a_report_is_json() -> None:
    told = TlsReport(1.5, "sts", "a.test", (), "mx.a.test", "192.0.2.1", "", "", "")
    assert '"type":1' in told.json
    told.refuse(Reply(451, "failed"))
    assert told.result == ""
