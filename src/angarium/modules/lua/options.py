"""Options of Lua: its scripts, what they may use, and how its memory is kept clean."""

from angarium.config.kinds import Bool, Duration, Int, Size, Text
from angarium.config.option import OURS, Options, accepted, option
from angarium.config.scope import Naming, Scope
from angarium.modules.options import PolicyModule

NO_THREADS = "A worker has one thread for its scripts; what waits is a coroutine."
ONE_COLLECTOR = "Garbage is collected where scripts run, in small steps between their instructions."


class Scriptlet(PolicyModule, stanza="scriptlet", naming=Naming.MAYBE, direction="both"):
    """Runs policy in Lua. It may be opened several times, with the same name."""

    time_limit = option(
        Duration(),
        1.0,
        since=OURS,
        doc="""
        Time of a processor which a script may use for one call, or between two waits of it. Then
        it is stopped, and the call has failed. Waiting does not count; policy_wait_limit is for it.
        """,
    )
    memory_limit = option(
        Size(),
        256 << 20,
        since=OURS,
        doc="Memory which all scripts of a worker may use together; 0 is no limit.",
    )
    jit = option(
        Bool(),
        False,
        since=OURS,
        doc="""
        Compile scripts to machine code. Loops with much arithmetic are several times as fast then,
        and nothing but the watchdog stops one that does not end.
        """,
    )
    always_gc = option(Bool(), False, doc="Collect garbage after each call.")
    gc_pause = option(
        Int(), 200, doc="Percent of its size at which a collection begins anew; Lua's own."
    )
    gc_stepmul = option(Int(), 200, doc="Speed of a collection in percent; Lua's own.")
    gc_every = option(Int(), None, since="4.3.0", doc="Calls between collections.", example="20")
    gc_step_on_recycle = option(
        Bool(),
        None,
        since="4.3.0",
        doc="Collect a little after each call.",
        example="true",
    )
    warn_on_log_gc = option(
        Int(unit="milliseconds"),
        None,
        since="4.3.0",
        doc="Collections after a call which take longer are told in paniclog.",
        example="100",
    )
    max_spare_per_master = option(Int(), 5000, doc="Coroutines which are kept to be used again.")
    max_uses_per_thread = option(
        Int(),
        None,
        since="4.3.0",
        doc="Calls after which a coroutine is made anew.",
        example="5000",
    )
    use_reusable_thread = option(
        Bool(), None, since="4.3.0", doc="Use coroutines again.", example="true"
    )
    script_ttl = accepted(
        Duration(),
        300.0,
        scopes=Scope.OWN,
        reason="Scripts are read with each generation of the configuration, and kept with it.",
        doc="Time for which a script is kept.",
    )
    reap_interval = accepted(
        Duration(),
        1.0,
        scopes=Scope.OWN,
        reason=NO_THREADS,
        doc="Time between looks for spare threads to end.",
    )
    gc_step_on_trash_state = accepted(
        Bool(),
        None,
        scopes=Scope.OWN,
        since="4.3.0",
        reason=ONE_COLLECTOR,
        doc="Collect a little in the thread of what is thrown away, not all of it.",
        example="false",
    )
    gc_threadpool = accepted(
        Text(),
        None,
        scopes=Scope.OWN,
        since="4.3.0",
        reason=ONE_COLLECTOR,
        doc="Pool of threads which collects.",
        example="gc",
    )
    gc_trace_thresh = accepted(
        Int(),
        None,
        scopes=Scope.OWN,
        since="4.3.0",
        reason=ONE_COLLECTOR,
        doc="Size from which a collection is traced.",
        example="2147483647",
    )
    global_trace_interval = accepted(
        Duration(),
        None,
        scopes=Scope.OWN,
        since="4.3.0",
        reason=ONE_COLLECTOR,
        doc="Time between traces of all.",
        example="13",
    )
    pin_thread_for_completion_in_event_loop = accepted(
        Bool(),
        None,
        scopes=Scope.OWN,
        since="4.3.0",
        reason=NO_THREADS,
        doc="Let a call which waited go on in the thread where it began.",
        example="false",
    )


class Script(
    Options,
    stanza="scriptlet.script",
    inside=("scriptlet",),
    naming=Naming.ALWAYS,
    free=True,
    direction="both",
):
    """One script, by the name it registers itself with. It may read options of its own here."""

    source = option(
        Text(),
        None,
        doc="Which file, without its end, looked for in Lua's path; dots stand for slashes.",
        example="msys.boot",
    )
