"""What tells a module of scripts from one of marked methods."""

from angarium.modules.guard.mail_loop import MailLoop
from angarium.modules.means import Hooks
from angarium.modules.python.module import Python


def test_scripts_bring_their_handlers_themselves() -> None:
    assert issubclass(Python, Hooks)
    assert not issubclass(MailLoop, Hooks)
