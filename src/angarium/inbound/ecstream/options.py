"""Options of listeners for ECStream, Momentum's protocol for bringing many messages at once."""

from angarium.config.kinds import Duration, Int
from angarium.config.option import Options, planned
from angarium.config.scope import PATHWAYS, Scope

HERE = Scope.ECSTREAM_LISTENER | Scope.LISTEN | PATHWAYS | Scope.PEER
BY_SMTP = "Bring the mail by SMTP with PIPELINING, which is as fast."


class EcStreamSession(Options, direction="receiving"):
    """What one client may do."""

    ecstream_idle_time = planned(
        Duration(),
        300.0,
        scopes=HERE,
        reason=BY_SMTP,
        doc="A client which says nothing for this long is disconnected; 0 waits for ever.",
    )
    ecstream_max_batch_size = planned(
        Int(minimum=1),
        10000,
        scopes=HERE,
        reason=BY_SMTP,
        doc="Messages taken from one client before the others have their turn.",
    )
