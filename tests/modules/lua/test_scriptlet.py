"""The module scriptlet: how scripts are loaded, asked and stopped."""

import asyncio
import gc
import re
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from angarium.core.body import MemoryBody
from angarium.core.reply import Reply
from angarium.modules.lua.bind import lua
from angarium.modules.lua.scriptlet import STANZA, Scriptlet
from angarium.policy import hooks
from angarium.policy.guard import PolicyError
from angarium.policy.verdict import AGAIN, CONT, DONE, Verdict
from helpers.guards import Place, session, until
from helpers.scripts import CONTENT, Scripts

Begin = Callable[..., Scripts]


@lua("test.scriptlet.nap")
async def nap() -> int:
    """Come back later."""
    await asyncio.sleep(0)
    return 7


@pytest.fixture
def place(tmp_path: Path) -> Begin:
    return lambda text, options="", name="mine": Scripts(tmp_path, {name: text}, options)


MODULE = """
require "msys.core"
require "msys.extended.message"
local mod = {}
%s
msys.registerModule("mine", mod)
"""


@pytest.mark.effect("scriptlet.script.source")
async def test_a_script_is_asked_by_the_names_of_its_callouts(place: Begin) -> None:
    scripts = place(MODULE % """
    function mod:validate_connect(ac, vctx)
      seen = ac.remote_addr .. " " .. msys.type(vctx)
      vctx:set_code(421, "4.3.2 not now")
      return msys.core.VALIDATE_DONE
    end
    """)  # fmt: skip
    assert scripts.ask(hooks.Connect(scripts.session)) is DONE
    assert scripts.session.reply == Reply(421, "not now", "4.3.2")
    assert scripts.global_of("seen").startswith(b"192.0.2.1:4711 ")
    assert not scripts.place.asks(hooks.Ehlo)


async def test_a_handshake_of_tls_is_judged_by_its_context(place: Begin) -> None:
    scripts = place(MODULE % """
    function mod:core_inbound_smtp_tls_post_accept(mc, event, eventtype, vclosure, now)
      if mc.ctx:get(msys.core.VCTX_CONN, "tls_client_verified") ~= "yes" then
        mc.ctx.code = 420
        mc.ctx.disconnect = 1
        mc.ctx:set(msys.core.VCTX_CONN, "_tls_note", "421 4.7.0 show a certificate")
      end
      given = tostring(event) .. tostring(vclosure) .. now
    end
    """)  # fmt: skip
    session = scripts.session
    assert scripts.ask(hooks.TlsAccepted(session, 7.0)) is CONT
    assert scripts.global_of("given") == b"nilnil7"
    assert session.disconnect
    assert session.reply is not None
    assert session.reply.code == 420
    assert session.variables["_tls_note"] == "421 4.7.0 show a certificate"


async def test_self_is_of_the_session_and_knows_the_module(place: Begin) -> None:
    scripts = place(MODULE % """
    mod.limit = 2
    function mod:more() self.n = (self.n or 0) + 1 return self.n end
    function mod:validate_ehlo(str, ac, vctx)
      if self:more() > self.limit then return msys.core.VALIDATE_DONE end
      return msys.core.VALIDATE_CONT
    end
    """)  # fmt: skip
    one, other = session(), session()
    answers = [scripts.ask(hooks.Ehlo(each, "x")) for each in (one, one, other, one)]
    assert answers == [CONT, CONT, CONT, DONE]


async def test_a_session_which_is_over_is_told_to_who_saw_it(place: Begin) -> None:
    scripts = place(MODULE % """
    gone = ""
    function mod:validate_ehlo(str, ac, vctx) self.name = str return msys.core.VALIDATE_CONT end
    function mod:validate_dealloc() gone = gone .. self.name end
    """)  # fmt: skip
    other = session()
    scripts.ask(hooks.Ehlo(scripts.session, "one"))
    for each in (scripts.session, other):
        assert scripts.ask(hooks.Dealloc(each)) is CONT
    assert scripts.global_of("gone") == b"one"
    assert STANZA not in scripts.session.tables


async def test_verdicts_are_those_of_the_constants(place: Begin) -> None:
    scripts = place(MODULE % """
    local said = {0, msys.core.VALIDATE_AGAIN, msys.core.VALIDATE_CONT}
    function mod:validate_ehlo(str) return said[tonumber(str)] end
    """)  # fmt: skip
    handler = scripts.module.handlers()[0][1]
    answers = [handler.call(hooks.Ehlo(scripts.session, str(n))) for n in (1, 2, 3)]
    assert answers == [CONT, AGAIN, CONT]


@pytest.mark.parametrize(
    "said", ["", "return", "return nil", "return 'x'", "return 7", "return true"]
)
async def test_no_answer_is_told_and_mail_goes_on(place: Begin, said: str) -> None:
    scripts = place(MODULE % f"function mod:validate_ehlo(str, ac, vctx) {said} end")
    assert scripts.ask(hooks.Ehlo(scripts.session, "x")) is CONT
    assert scripts.panics == ["validate_ehlo error: (null)"]


async def test_hooks_of_logs_want_no_answer(place: Begin) -> None:
    scripts = place(MODULE % """
    function mod:core_log_delivery_v1(msg, dr, now, note, notelen)
      seen = table.concat({tostring(dr), now, #note, notelen, note, msg:get_code()}, " ")
    end
    """)  # fmt: skip
    event = hooks.LogDelivery(scripts.mail(), None, domain="example.org", now=5.0, note="250 ok")
    assert scripts.ask(event) is CONT
    assert scripts.global_of("seen") == b"example.org 5 6 6 250 ok 250 ok"
    assert scripts.panics == []


async def test_an_error_is_told_with_its_place_and_the_call_fails(place: Begin) -> None:
    scripts = place(MODULE % "function mod:validate_ehlo(str, ac, vctx)\n error('oops') end")
    handler = scripts.module.handlers()[0][1]
    with pytest.raises(PolicyError) as raised:
        handler.call(hooks.Ehlo(scripts.session, "x"))
    assert raised.value.message == "oops"
    assert raised.value.fields["line"] == 6
    assert str(raised.value.fields["file"]).endswith("mine.lua")
    assert scripts.ask(hooks.Ehlo(scripts.session, "x")) is DONE
    assert scripts.session.reply is not None
    assert scripts.session.reply.code == 451


async def test_a_callout_which_waits_suspends_its_session_only(place: Begin) -> None:
    scripts = place(MODULE % """
    function mod:validate_ehlo(str, ac, vctx)
      local n = test.scriptlet.nap()
      vctx:set(msys.core.VCTX_CONN, "n", n .. str)
      if str == "bad" then error("later") end
      return msys.core.VALIDATE_DONE
    end
    """)  # fmt: skip
    sessions = [session() for _ in range(10)]
    coming = [scripts.ask(hooks.Ehlo(each, str(n))) for n, each in enumerate(sessions)]
    assert not any(isinstance(each, Verdict) for each in coming)
    assert await asyncio.gather(*coming) == [DONE] * 10  # type: ignore[arg-type]
    assert [each.variables["n"] for each in sessions] == [f"7{n}" for n in range(10)]
    failed = scripts.ask(hooks.Ehlo(scripts.session, "bad"))
    assert not isinstance(failed, Verdict)
    assert await failed is DONE
    assert scripts.session.refused


async def test_where_nothing_may_wait_a_script_is_told(place: Begin) -> None:
    scripts = place(MODULE % "function mod:validate_set_binding(msg) test.scriptlet.nap() end")
    mail = scripts.mail()
    assert scripts.ask(hooks.SetBinding(mail)) is DONE
    assert mail.reply is not None


async def test_messages_without_a_session_have_a_context_all_the_same(place: Begin) -> None:
    scripts = place(MODULE % """
    function mod:core_final_validation(msg, ac, vctx)
      local before = vctx:get(msys.core.VCTX_CONN, "known")
      vctx:set(msys.core.VCTX_CONN, "known", before .. "!")
      vctx:set(msys.core.VCTX_MESS, "m", "1")
      msg:header("X-New", "yes")
      if before == "no" then vctx:set_code(550, "no") return msys.core.VALIDATE_DONE end
    end
    """)  # fmt: skip
    mail = scripts.mail()
    mail.message.session_variables["known"] = "yes"
    assert scripts.ask(hooks.FinalValidation(mail)) is CONT
    assert mail.message.session_variables["known"] == "yes!"
    assert mail.message.variables["m"] == "1"
    assert mail.draft.text("X-New") == "yes"
    mail.message.session_variables["known"] = "no"
    assert scripts.ask(hooks.FinalValidation(mail)) is DONE
    assert mail.reply == Reply(550, "no")


async def test_a_routing_domain_is_put_into_the_buffer(place: Begin) -> None:
    scripts = place(MODULE % """
    function mod:core_config_get_message_routing_domain(scope, msg, buff)
      buff:set("Relay.Example.NET")
      return #buff
    end
    """)  # fmt: skip
    [one] = scripts.mail().each()
    assert scripts.ask(hooks.RoutingDomain(one)) is CONT
    assert one.routing_domain == "relay.example.net"


@pytest.mark.parametrize(
    ("answer", "verdict", "code"), [(0, CONT, 0), (1, DONE, 550), (2, DONE, 451)]
)
async def test_final_validation2_has_answers_of_its_own(
    place: Begin, answer: int, verdict: Verdict, code: int
) -> None:
    scripts = place(MODULE % f"function mod:core_final_validation2() return {answer} end")
    mail = scripts.mail()
    assert scripts.ask(hooks.FinalValidation2(mail)) is verdict
    assert (mail.reply.code if mail.reply else 0) == code


async def test_a_report_may_be_changed_or_kept_back(place: Begin) -> None:
    scripts = place(MODULE % """
    function mod:core_generate_rfc3464_message(message, action, mdn)
      if action == msys.core.DELAYED then return false end
      mdn:header("X-Ours", "1")
      return true
    end
    """)  # fmt: skip
    event = hooks.GenerateReport(scripts.mail(), None, action="failed", report=CONTENT)
    assert scripts.ask(event) is CONT
    assert b"X-Ours: 1\r\n" in (event.report or b"")
    delayed = hooks.GenerateReport(scripts.mail(), None, action="delayed", report=CONTENT)
    scripts.ask(delayed)
    assert delayed.report == CONTENT


async def test_the_list_of_recipients_is_gone_through(place: Begin) -> None:
    scripts = place(MODULE % """
    function mod:validate_rcptto_list(list, vctx)
      seen = #list
      for place, address in list do seen = seen .. " " .. place .. address end
      return msys.core.VALIDATE_CONT
    end
    """)  # fmt: skip
    scripts.session.mail = scripts.mail("a@x.test", "b@x.test", session=scripts.session)
    assert scripts.ask(hooks.RcptToList(scripts.session)) is CONT
    assert scripts.global_of("seen") == b"2 1a@x.test 2b@x.test"


# Loading.


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("local x =\n  1 +", "unexpected symbol", 2),
        ("\n\nerror('at once')", "at once", 3),
        (MODULE % "function mod:init() end", "init of script \"mine\" returned nothing", None),
        (MODULE % "function mod:init() return 1 end", "returned 1, and must return true", None),
        (MODULE % "function mod:init() error('x') end", "init failed: x", 5),
        (MODULE % "mod.rsrc_setup = function() return false end", "rsrc_setup of script", None),
        ("msys.registerModule('mine', {other = 1})", "no usable methods found for module mine", 1),
        ("while true do end", "ran for more than", None),
    ],
)  # fmt: skip
async def test_a_script_which_fails_refuses_the_configuration(
    place: Begin, text: str, said: str, line: int | None
) -> None:
    with pytest.raises(PolicyError) as raised:
        place(text, "time_limit = 0.1")
    assert said in raised.value.message
    assert "mine" in raised.value.message
    assert raised.value.fields.get("line") == line or line is None


async def test_a_script_which_is_not_there_refuses_it(tmp_path: Path) -> None:
    text = 'scriptlet { script "x" { source = "policy.none" } }'
    with pytest.raises(PolicyError, match=r"script \"x\": there is no script 'policy.none' in"):
        Place(tmp_path, text).module(Scriptlet)


async def test_init_runs_before_rsrc_setup_and_both_know_the_module(place: Begin) -> None:
    scripts = place(MODULE % """
    order = ""
    function mod:init() order = order .. "init " self.made = 1 return true end
    function mod:rsrc_setup() order = order .. "setup " .. self.made return true end
    function mod:deinit() order = order .. " deinit" return true end
    """)  # fmt: skip
    assert scripts.global_of("order") == b"init setup 1"
    scripts.place.policing.start()
    scripts.module.stop()
    assert scripts.global_of("order") == b"init setup 1 deinit"


async def test_boot_is_built_in(tmp_path: Path) -> None:
    text = 'scriptlet "scriptlet" { script "boot" { source = "msys.boot" } }'
    module = Place(tmp_path, text).module(Scriptlet)
    assert module.handlers() == []


async def test_a_name_nobody_asks_for_is_told(place: Begin) -> None:
    scripts = place("msys.registerModule('other', {validate_data = function() end})")
    assert scripts.panics == ["module 'other' is registered, and no script of that name is there"]
    assert scripts.module.handlers() == []


async def test_a_callout_which_is_never_called_is_told_with_what_is_missing(place: Begin) -> None:
    scripts = place(MODULE % "function mod:msg_gen_data_spool(msg) end")
    assert [each for each in scripts.panics if "msg_gen_data_spool is never called" in each]


async def test_scripts_are_asked_in_the_order_of_their_stanzas(tmp_path: Path) -> None:
    texts = {
        name: f"order = '' msys.registerModule('{name}', {{validate_ehlo = function() "
        f"order = order .. '{name}' return msys.core.VALIDATE_CONT end}})"
        for name in ("c", "a", "b")
    }
    scripts = Scripts(tmp_path, texts)
    scripts.ask(hooks.Ehlo(scripts.session, "x"))
    assert scripts.global_of("order") == b"cab"


async def test_modules_beside_the_script_are_required(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "one.lua").write_text("return {value = 1 | 2}")
    text = f"package.path = '{tmp_path}/?.lua'\nvalue = require('lib.one').value"
    scripts = Scripts(tmp_path, {"mine": text})
    assert scripts.global_of("value") == 3


async def test_what_is_printed_goes_to_paniclog(place: Begin) -> None:
    assert place("print('hello', 1)").panics == ["hello\t1"]


# Limits and memory.


async def test_a_callout_which_runs_away_is_stopped_and_refused(place: Begin) -> None:
    scripts = place(
        MODULE % "function mod:validate_ehlo() while true do end end", "time_limit = 0.05"
    )
    assert scripts.ask(hooks.Ehlo(scripts.session, "x")) is DONE
    assert scripts.session.refused


@pytest.mark.effect("scriptlet.time_limit", "scriptlet.memory_limit", "scriptlet.jit")
async def test_what_a_script_may_use_is_set(place: Begin) -> None:
    text = MODULE % """
    function mod:validate_ehlo(str)
      if str == "memory" then local t = {} for i = 1, 1e7 do t[i] = {i} end end
      if str == "time" then local x = 0 for i = 1, 2e6 do x = x + i % 7 end end
      return msys.core.VALIDATE_CONT
    end
    """  # fmt: skip
    generous = place(text, "time_limit = 60")
    assert generous.ask(hooks.Ehlo(generous.session, "time")) is CONT
    tight = place(text, "time_limit = 0.001 memory_limit = 8M")
    assert tight.ask(hooks.Ehlo(tight.session, "time")) is DONE
    small = place(text, "time_limit = 60 memory_limit = 8M")
    assert small.ask(hooks.Ehlo(small.session, "memory")) is DONE
    compiled = place(text, "time_limit = 0.001 jit = true")
    assert compiled.ask(hooks.Ehlo(compiled.session, "time")) is CONT


@pytest.mark.effect(
    "scriptlet.always_gc",
    "scriptlet.gc_every",
    "scriptlet.gc_step_on_recycle",
    "scriptlet.warn_on_log_gc",
)
async def test_garbage_is_collected_after_calls(place: Begin) -> None:
    text = MODULE % """
    collected = 0
    local function watch()
      setmetatable({}, {__mode = "k"})
      weak = setmetatable({{}}, {__mode = "v"})
    end
    function mod:validate_ehlo(str)
      if weak and not weak[1] then collected = collected + 1 end
      watch()
      return msys.core.VALIDATE_CONT
    end
    """  # fmt: skip
    counts = []
    for options in ("", "always_gc = true", "gc_every = 2", "gc_step_on_recycle = true"):
        scripts = place(text, options + " gc_pause = 10000")
        for _ in range(9):
            scripts.ask(hooks.Ehlo(scripts.session, "x"))
        counts.append(scripts.global_of("collected"))
    assert counts[0] == 0
    assert counts[1] == 8
    assert counts[2] == 4
    told = place(text, "always_gc = true warn_on_log_gc = 0")
    told.ask(hooks.Ehlo(told.session, "x"))
    assert re.match(r"collecting garbage took \d+ ms", told.panics[0])


@pytest.mark.effect("scriptlet.gc_pause", "scriptlet.gc_stepmul")
async def test_the_collector_of_lua_is_set(place: Begin) -> None:
    scripts = place("x = 1", "gc_pause = 150 gc_stepmul = 300")
    assert scripts.module.state.collect(b"setpause", 200) == 150
    assert scripts.module.state.collect(b"setstepmul", 200) == 300


@pytest.mark.effect(
    "scriptlet.max_spare_per_master",
    "scriptlet.max_uses_per_thread",
    "scriptlet.use_reusable_thread",
)
async def test_coroutines_are_kept_as_told(place: Begin) -> None:
    text = MODULE % "function mod:validate_ehlo() return test.scriptlet.nap() - 7 end"
    kept = []
    for options in (
        "", "max_spare_per_master = 2", "max_uses_per_thread = 1", "use_reusable_thread = false"
    ):  # fmt: skip
        scripts = place(text, options)
        coming = [scripts.ask(hooks.Ehlo(session(), "x")) for _ in range(5)]
        await asyncio.gather(*coming)  # type: ignore[arg-type]
        kept.append(scripts.module.state.counted()[0])
    assert kept == [5, 2, 0, 0]


@pytest.mark.effect("scriptlet.enabled")
async def test_a_module_which_is_off_asks_nobody(place: Begin) -> None:
    text = MODULE % "function mod:validate_ehlo() return 0 end"
    assert not place(text, "enabled = false").place.asks(hooks.Ehlo)
    assert place(text).place.asks(hooks.Ehlo)


class Watched(MemoryBody):
    """A body of which one sees when it is gone."""


async def test_messages_and_sessions_are_let_go(place: Begin) -> None:
    """Lua holds them by a few octets; it is told what they weigh."""
    scripts = place(MODULE % """
    function mod:validate_data(msg, ac, vctx) return msys.core.VALIDATE_CONT end
    function mod:core_final_validation(msg, ac, vctx) return msys.core.VALIDATE_CONT end
    """)  # fmt: skip
    large = b"Subject: x\r\n\r\n" + b"x" * (1 << 20)
    held: list[weakref.ref[Watched]] = []
    for number in range(100):
        mail = scripts.mail()
        mail.message.body = body = Watched(large + b"%d" % number)
        held.append(weakref.ref(body))
        del body
        peer = session()
        scripts.ask(hooks.Data(mail, peer))
        scripts.ask(hooks.FinalValidation(mail))
        scripts.ask(hooks.Dealloc(peer))
        del mail, peer
    gc.collect()
    assert sum(each() is not None for each in held) < 70


# Timers and what runs beside.


async def test_timers_begin_with_the_generation_and_end_with_it(place: Begin) -> None:
    scripts = place(MODULE % """
    ticks = 0
    function mod:init()
      kept = msys.timer.every(0.001, function() ticks = ticks + 1 end, "tick")
      msys.timer.every(0.001, function() lost = true end, "nobody keeps it")
      failing = msys.timer.after(0.001, function() error("in it") end, "fails")
      return true
    end
    """)  # fmt: skip
    scripts.module.state.collect()
    await asyncio.sleep(0.01)
    assert scripts.global_of("ticks") == 0
    scripts.module.start()
    await until(lambda: scripts.global_of("ticks") > 2)
    assert scripts.global_of("kept:name()") == b"tick"
    assert scripts.global_of("lost") is None
    assert [each for each in scripts.panics if each.startswith("timer 'fails': ")]
    scripts.module.stop()
    await asyncio.sleep(0)
    before = scripts.global_of("ticks")
    await asyncio.sleep(0.01)
    assert scripts.global_of("ticks") == before


async def test_functions_run_beside_a_script(place: Begin) -> None:
    scripts = place(MODULE % """
    done = ""
    function mod:validate_ehlo(str)
      msys.runInPool("IO", function() done = done .. "beside " return 5 end,
                     function(n) done = done .. "after " .. n end)
      msys.runInPool("IO", function() error("told") end, true)
      local good, value = msys.runInPool("IO", function() return test.scriptlet.nap() end)
      local bad, why = msys.runInPool("IO", function() error("no") end)
      done = done .. tostring(good) .. value .. tostring(bad) .. " "
      return msys.core.VALIDATE_CONT
    end
    """)  # fmt: skip
    coming = scripts.ask(hooks.Ehlo(scripts.session, "x"))
    assert not isinstance(coming, Verdict)
    assert await coming is CONT
    await until(lambda: b"after 5" in scripts.global_of("done"))
    assert b"true7false" in scripts.global_of("done")
    assert any("msys.runInPool" in each and "told" in each for each in scripts.panics)


async def test_a_mutex_is_kept_while_a_script_waits(place: Begin) -> None:
    scripts = place(MODULE % """
    log = ""
    local mutex = thread.mutex()
    function mod:validate_ehlo(str)
      mutex:lock()
      log = log .. "(" .. str
      test.scriptlet.nap()
      log = log .. str .. ")"
      mutex:unlock()
      msys.lock("named") msys.lock("named") msys.unlock("named") msys.unlock("named")
      return msys.core.VALIDATE_CONT
    end
    """)  # fmt: skip
    coming = [scripts.ask(hooks.Ehlo(session(), str(n))) for n in range(4)]
    await asyncio.gather(*coming)  # type: ignore[arg-type]
    assert scripts.global_of("log") == b"(00)(11)(22)(33)"
