"""Options of listeners which answer HTTP."""

from angarium.config.kinds import Bool, Size
from angarium.config.option import Options, planned
from angarium.config.scope import PATHWAYS, Scope

HERE = Scope.HTTP_LISTENER | Scope.LISTEN | PATHWAYS | Scope.PEER


class HttpRequests(Options, direction="both"):
    """What one client may ask, and how it is answered."""

    max_request_size = planned(
        Size(),
        None,
        scopes=HERE,
        example="50000",
        doc="Octets of a request; a longer one is refused. Unset: no limit.",
    )
    disable_chunked = planned(
        Bool(),
        False,
        scopes=HERE,
        doc="""
        Whether answers are sent in one piece with their length before them, for clients which
        cannot read chunks.
        """,
    )
    log_requests_to_paniclog = planned(
        Bool(),
        False,
        scopes=HERE,
        direction="sending",
        doc="Whether each request is written to paniclog, to find out what a client sends.",
    )
