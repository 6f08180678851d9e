"""Options of Lua: its scripts, and how its memory is kept clean."""

from angarium.config.kinds import Bool, Duration, Int, Text
from angarium.config.option import Options, option
from angarium.config.scope import Naming
from angarium.modules.options import Module, not_yet


class Scriptlet(
    Module,
    stanza="scriptlet",
    naming=Naming.MAYBE,
    direction="both",
    standing=not_yet(
        "There is no policy in scripts yet.",
        "its scripts do not run, and what they would refuse is taken",
    ),
):
    """Runs policy in Lua. It may be opened several times, with the same name."""

    script_ttl = option(Duration(), 300.0, doc="Time for which a script is kept.")
    always_gc = option(Bool(), False, doc="Collect garbage after each call.")
    gc_pause = option(
        Int(), 200, doc="Percent of its size at which a collection begins anew; Lua's own."
    )
    gc_stepmul = option(Int(), 200, doc="Speed of a collection in percent; Lua's own.")
    reap_interval = option(Duration(), 1.0, doc="Time between looks for spare threads to end.")
    max_spare_per_master = option(Int(), 5000, doc="Spare threads of Lua which are kept.")
    gc_every = option(Int(), None, since="4.3.0", doc="Calls between collections.", example="20")
    gc_step_on_recycle = option(
        Bool(),
        None,
        since="4.3.0",
        doc="Collect a little each time a thread of Lua is used again.",
        example="true",
    )
    gc_step_on_trash_state = option(
        Bool(),
        None,
        since="4.3.0",
        doc="Collect a little in the thread of what is thrown away, not all of it.",
        example="false",
    )
    gc_threadpool = option(
        Text(), None, since="4.3.0", doc="Pool of threads which collects.", example="gc"
    )
    gc_trace_thresh = option(
        Int(),
        None,
        since="4.3.0",
        doc="Size from which a collection is traced.",
        example="2147483647",
    )
    global_trace_interval = option(
        Duration(), None, since="4.3.0", doc="Time between traces of all.", example="13"
    )
    max_uses_per_thread = option(
        Int(), None, since="4.3.0", doc="Calls after which a thread is made anew.", example="5000"
    )
    pin_thread_for_completion_in_event_loop = option(
        Bool(),
        None,
        since="4.3.0",
        doc="Let a call which waited go on in the thread where it began.",
        example="false",
    )
    use_reusable_thread = option(
        Bool(), None, since="4.3.0", doc="Use threads of Lua again.", example="true"
    )
    warn_on_log_gc = option(
        Int(unit="milliseconds"),
        None,
        since="4.3.0",
        doc="Collections which take longer are logged.",
        example="100",
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
