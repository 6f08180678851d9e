"""Options of threads, loops, buffers and caches inside of Momentum; none has an effect here."""

from angarium.config.kinds import Bool, Duration, Int, List, Size, Text
from angarium.config.option import Options, accepted, option
from angarium.config.scope import Naming, Standing, State

ONE_LOOP = "A worker is one process with one loop, and does for its own mail all there is to do."
PYTHON = "The memory of a worker is Python's to manage; memory_goal says how much there may be."
COMPILED = "A pattern of the configuration is compiled once, when it is read, and kept."
THREADS = Standing(
    State.ACCEPTED,
    "Workers are processes, see eventloop; each has the few threads it needs for its disk.",
)


class Loops(Options, direction="na"):
    """Who does what inside of a process."""

    delivery_pool = accepted(
        Text(),
        None,
        direction="sending",
        dynamic=False,
        reason=ONE_LOOP,
        doc="Event loops which look after deliveries.",
        example="delivery_pool",
    )
    maintainer_pool = accepted(
        Text(),
        None,
        direction="both",
        dynamic=False,
        reason=ONE_LOOP,
        doc="Event loops which look after queues and names.",
        example="maintainer_pool",
    )
    scheduler = accepted(
        Text(),
        None,
        dynamic=False,
        reason="The best way of the system to wait for sockets is taken.",
        doc="How a process waits for its sockets.",
        example="epoll",
    )
    max_timed_events_per_iter = accepted(
        Int(minimum=1),
        1024,
        reason="Work on many things runs in slices of 2 ms, however many fit.",
        doc="Events that came due which are worked on in one turn.",
    )
    hot_domains = accepted(
        List(Text(), split=True),
        (),
        direction="sending",
        since="3.6",
        reason="Every worker has a part of each domain's mail, so none is busy with one alone.",
        doc="Domains with much mail, which are shared out among the threads at the start.",
        example="( gmail.com yahoo.com )",
    )
    clear_mail_queue_maintainers = accepted(
        Bool(),
        True,
        direction="both",
        reason="A queue has one next event and no runs which could be there twice.",
        doc="Forget runs over a queue which are superfluous.",
    )


class Stores(Options, direction="na"):
    """What is kept where in memory."""

    growbuf_size = accepted(
        Size(),
        16384,
        reason=PYTHON,
        doc="Octets of one piece of the buffer that a message is read into.",
    )
    malloc2mmap_threshold = accepted(
        Size(),
        4092,
        reason=PYTHON,
        doc="Octets from which memory is asked of the system page by page.",
    )
    initial_hash_buckets = accepted(
        Int(minimum=1), 32, reason=PYTHON, doc="Size with which a table in memory begins."
    )
    umem_reap_interval = accepted(
        Duration(),
        1800.0,
        reason="It went before 5.0. " + PYTHON,
        doc="Time between two returns of memory which is not used.",
    )
    generic_getter_cache_size = accepted(
        Int(minimum=1),
        None,
        reason="Options are resolved once for each place; match_cache_size says for how many.",
        doc="Options outside of bindings and domains whose values are kept.",
    )
    pcre_cache_size = accepted(
        Int(minimum=1), 100, reason=COMPILED, doc="Patterns which are kept compiled."
    )
    pcre_cache_ttl = accepted(
        Duration(), 300.0, reason=COMPILED, doc="How long a compiled pattern is kept."
    )


class ThreadPool(Options, stanza="threadpool", naming=Naming.ALWAYS, standing=THREADS):
    """Threads for one kind of work, such as SwapIn, SwapOut, Unlink, Close, CPU, IO and SpoolIn."""

    concurrency = option(Int(), 0, direction="receiving", doc="Threads of it.")
    stack_size = option(
        Size(), 0, dynamic=False, doc="Octets of a thread's stack; 0: as the system does."
    )
    backlog = option(
        Int(), 0, dynamic=False, doc="Pieces of work which may wait for a thread; 0: no limit."
    )
