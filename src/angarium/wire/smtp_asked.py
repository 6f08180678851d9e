"""What a client has asked a host, and what it waits for: the words of `smtp_client`."""

import enum
from dataclasses import dataclass
from typing import Final

from angarium.core.reply import Reply
from angarium.wire.smtp_transaction import Stage, Transaction


class Asked(enum.IntEnum):
    """What a reply is the reply to."""

    BANNER = 0
    EHLO = 1
    HELO = 2
    MAIL = 3
    RCPT = 4
    DATA = 5
    CONTENT = 6
    NOTHING_SENT = 7  # A lone dot, after DATA was accepted with no recipient.
    RSET = 8
    QUIT = 9
    STARTTLS = 10
    XCLIENT = 11
    AUTH = 12


STAGES: Final = (
    Stage.BANNER,
    Stage.EHLO,
    Stage.EHLO,
    Stage.MAIL,
    Stage.RCPT,
    Stage.DATA,
    Stage.CONFIRM,
    Stage.CONFIRM,
    Stage.RSET,
    Stage.IDLE,
    Stage.STARTTLS,
    Stage.XCLIENT,
    Stage.EHLO,  # "after EHLO": the codes have none for AUTH.
)

# The command, the transaction it belongs to, the recipient's index.
Expected = tuple[Asked, Transaction | None, int]
# Bytes, and the replies which they ask for.
Step = tuple[bytes, list[Expected]]


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a session is over: `reply` stands for it, `said` whether it is the peer's own."""

    reply: Reply
    stage: Stage
    said: bool = False
    wrong: bool = False  # The peer broke the protocol.
