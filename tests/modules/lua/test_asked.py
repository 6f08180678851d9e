"""A callout is asked in the short way as in the long one, whatever it says."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from angarium.modules.lua.asked import Asked
from angarium.modules.lua.callouts import Callout
from angarium.policy import hooks
from angarium.policy.guard import PolicyError
from angarium.policy.hooks import HOOKS, Hook
from angarium.policy.verdict import Verdict
from helpers.guards import session
from helpers.scripts import Scripts

SCRIPT = """
require "msys.core"
require "msys.extended.vctx"
local mod = {}
local function say(kind)
  if kind == "again" then return msys.core.VALIDATE_AGAIN end
  if kind == "done" then return msys.core.VALIDATE_DONE end
  if kind == "cont" then return msys.core.VALIDATE_CONT end
  if kind == "other" then return 7 end
  if kind == "half" then return 0.5 end
  if kind == "text" then return "0" end
  if kind == "bad" then error("as it was told") end
  if kind == "sleeps" then msys.sleep(0) return msys.core.VALIDATE_DONE end
end
function mod:validate_ehlo(str, ac, vctx)
  heard = tostring(str) .. " " .. vctx:get(msys.core.VCTX_CONN, "kind")
  return say(vctx:get(msys.core.VCTX_CONN, "kind"))
end
function mod:validate_data(msg, ac, vctx)
  heard = msg:mailfrom() .. " " .. vctx:get(msys.core.VCTX_CONN, "kind")
  return say(vctx:get(msys.core.VCTX_CONN, "kind"))
end
function mod:validate_set_binding(msg)
  heard = msg:mailfrom()
  return msys.core.VALIDATE_DONE
end
msys.registerModule("mine", mod)
"""
HOLDS = """
require "msys.core"
local mod, held = {}, nil
function mod:validate_mailfrom(str, ac, vctx)
  held = msys.core.accept_construct_get_message_construct(ac).message
  heard = held:mailfrom()
  return msys.core.VALIDATE_CONT
end
function mod:validate_rcptto(msg, str, ac, vctx)
  same, heard = rawequal(msg, held), msg:mailfrom()
  return msys.core.VALIDATE_CONT
end
function mod:validate_data(msg, ac, vctx)
  heard, held = msg:mailfrom(), nil
  return msys.core.VALIDATE_CONT
end
msys.registerModule("mine", mod)
"""
KINDS = ("again", "done", "cont", "other", "half", "text", "bad", "sleeps", "nothing")


def asked(scripts: Scripts, hook: type[Hook]) -> Asked:
    return scripts.module._asked(scripts.module._modules["mine"], hook)


async def outcome(scripts: Scripts, ask: Callable[[Any], Any], event: Any) -> object:
    """Return what came of asking, and what else is to be seen of it."""
    before = scripts.module.state.turn
    try:
        came = ask(event)
        said: object = came if isinstance(came, Verdict) else ("waited", await came)
    except PolicyError as error:
        said = (error.message, error.fields["line"])
    assert scripts.module.state.turn == before
    panics, scripts.place.panics[:] = list(scripts.place.panics), []
    return said, scripts.global_of("heard"), panics


@pytest.mark.parametrize("kind", KINDS)
async def test_the_short_way_is_as_the_long_one(tmp_path: Path, kind: str) -> None:
    scripts = Scripts(tmp_path, {"mine": SCRIPT})
    here = session()
    here.variables["kind"] = kind
    found: object = None
    for event in (
        hooks.Ehlo(here, "h\udce4llo"),
        hooks.Data(scripts.mail(session=here), here),
    ):
        each = asked(scripts, type(event))
        assert each.call != each.fully
        found = await outcome(scripts, each.call, event)
        assert found == await outcome(scripts, each.fully, event)
    assert isinstance(found, tuple)
    said, heard, panics = found
    expected = {
        "again": Verdict.AGAIN, "done": Verdict.DONE, "sleeps": ("waited", Verdict.DONE),
        "bad": ("as it was told", 12),
    }  # fmt: skip
    assert said == expected.get(kind, Verdict.CONT)
    assert bool(panics) == (kind in ("other", "text", "nothing"))
    assert heard == b"a@example.com " + kind.encode()


async def test_without_a_session_the_long_way_is_gone(tmp_path: Path) -> None:
    scripts = Scripts(tmp_path, {"mine": SCRIPT})
    each = asked(scripts, hooks.SetBinding)
    assert each.call(hooks.SetBinding(scripts.mail())) is Verdict.DONE
    assert scripts.global_of("heard") == b"a@example.com"


async def test_the_long_way_is_left_to_hooks_which_need_it(tmp_path: Path) -> None:
    scripts = Scripts(tmp_path, {"mine": SCRIPT})
    for hook in HOOKS.values():
        each = asked(scripts, hook)
        short = each.call != each.fully
        own = [
            name for name in hook.arguments
            if name not in ("accept", "ac", "vctx", "mc", "msg", "message", "list", "node", "str")
        ]  # fmt: skip
        assert short <= (Callout(hook).plain and not own)
    long = asked(scripts, hooks.PreEachRcpt)
    assert long.call == long.fully


@pytest.mark.parametrize("options", ["", "gc_every = 2"])
async def test_a_content_is_told_of_once_and_calls_where_they_are_counted(
    tmp_path: Path, options: str
) -> None:
    scripts = Scripts(tmp_path, {"mine": SCRIPT}, options)
    here = session()
    here.variables["kind"] = "cont"
    mail = scripts.mail(session=here)
    mail.message.batch = 5
    collecting = scripts.module._collecting
    for _ in range(3):
        scripts.ask(hooks.Data(mail, here))
    assert collecting.last == 5
    assert collecting._octets == mail.message.body.size
    assert collecting._calls == (3 if options else 0)


async def test_a_message_is_one_object_in_all_its_callouts(tmp_path: Path) -> None:
    scripts = Scripts(tmp_path, {"mine": HOLDS})
    here = session()
    for _ in range(2):
        here.mail = scripts.mail(session=here)
        scripts.ask(hooks.MailFrom(here, "a@example.com"))
        scripts.ask(hooks.RcptTo(here, "b@example.org"))
        assert scripts.global_of("same") is True
    assert not scripts.panics


async def test_each_message_is_itself_however_many_were_forgotten_before(tmp_path: Path) -> None:
    scripts = Scripts(tmp_path, {"mine": HOLDS})
    here = session()
    places = set()
    for number in range(300):
        mail = scripts.mail(session=here)
        mail.message.sender = f"{number}@example.com"
        places.add(id(mail))
        scripts.ask(hooks.Data(mail, here))
        assert scripts.global_of("heard") == f"{number}@example.com".encode()
        if number % 7 == 0:
            scripts.module.state.collect()
    assert len(places) < 300  # Else no place was used again, and nothing is proved.


async def test_a_message_nobody_holds_any_more_is_let_go(tmp_path: Path) -> None:
    scripts = Scripts(tmp_path, {"mine": HOLDS})
    here = session()
    mail = scripts.mail(session=here)
    before = sys.getrefcount(mail)
    here.mail = mail
    scripts.ask(hooks.MailFrom(here, "a@example.com"))
    here.mail = None
    scripts.ask(hooks.Data(mail, here))
    for _ in range(2):
        scripts.module.state.collect()
    scripts.module.state.named = None
    assert sys.getrefcount(mail) == before
