"""Options of listeners which answer HTTP, and of traces which are sent by it."""

from typing import Final
from urllib.parse import urlsplit

from angarium.config.kinds import Bool, Float, List, Raw, Size, Text
from angarium.config.option import OURS, Options, accepted, option
from angarium.config.scope import PATHWAYS, Scope

HTTP: Final = "http_listener"
HERE: Final = Scope.HTTP_LISTENER | Scope.LISTEN | PATHWAYS | Scope.PEER


class Collector(Text):
    """The URL of a collector; who sees the configuration sees it, so it holds no password."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{text!r} is no URL: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise ValueError(f"{text!r} is no URL such as http://127.0.0.1:4318/v1/traces")
        if "@" in parts.netloc:
            raise ValueError(
                "a collector is not sent a password; let an agent on this machine be it"
            )
        return text

    def __str__(self) -> str:
        return "URL, such as http://127.0.0.1:4318/v1/traces"


class HttpRequests(Options, direction="both"):
    """What one client may ask, and how it is answered."""

    max_request_size = option(
        Size(),
        None,
        scopes=HERE,
        since="4.0",
        example="50000",
        doc="""
        Octets of a request with its header, and its content as it is announced; a longer one is
        answered with 413. Unset: no limit but that a header has 16 KB at most.
        """,
    )
    disable_chunked = accepted(
        Bool(),
        False,
        scopes=HERE,
        since="4.0",
        reason="No answer is sent in chunks: each has its length before it.",
        doc="""
        Whether answers are sent in one piece with their length before them, for clients which
        cannot read chunks.
        """,
    )
    log_requests_to_paniclog = option(
        Bool(),
        False,
        scopes=HERE,
        direction="sending",
        since="4.0",
        doc="""
        Whether each request is written to paniclog, to find out what a client sends: the address,
        the request line, the status, the octets of the answer and the milliseconds it took.
        """,
    )


class Observed(Options, direction="receiving"):
    """Who may look at the server by HTTP."""

    http_hosts = option(
        List(Text(), split=True),
        (),
        scopes=Scope.HTTP_LISTENER | Scope.LISTEN,
        since=OURS,
        doc="""
        Names by which browsers may call this server, beside addresses, localhost and our own
        hostname. A request for another name is refused: by a name of his own an attacker could
        make a browser in our network read what is listened on for this network only.
        """,
        example="( mta1.internal )",
    )
    only_challenges = option(
        Bool(),
        False,
        scopes=Scope.HTTP_LISTENER | Scope.LISTEN,
        since=OURS,
        doc="""
        Whether nothing is answered but challenges of ACME: for port 80, which an authority must
        reach from anywhere, and nobody else needs to. Every listener answers these.
        """,
    )


class Tracing(Options, direction="both"):
    """Traces of messages, for a collector of OpenTelemetry."""

    trace_endpoint = option(
        Collector(),
        None,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="""
        Where traces go by OTLP over HTTP, such as "http://127.0.0.1:4318/v1/traces". Unset: none
        are made.
        """,
        example="http://127.0.0.1:4318/v1/traces",
    )
    trace_sample = option(
        Float(minimum=0.0, maximum=1.0),
        0.01,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="""
        What part of all messages is traced: 0.01 is one of a hundred. A message is traced with all
        of its recipients or not at all.
        """,
    )
