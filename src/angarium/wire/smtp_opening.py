"""How a client opens its session: from the banner to the moment when a message may be sent.

    opening.answered(asked, reply)     what is said next; None: nothing
    opening.extensions                 what the peer offers, when it is ready for mail
    opening.shaking                    TLS is due now, then `secured()`
    opening.lost                       it comes to nothing

Nothing is pipelined here. What was said in clear counts for nothing once the session is secure
(RFC 3207 section 4.2), and a session which is to be secure sends nothing before it is.
"""

import enum
from dataclasses import replace
from typing import Final

from angarium.core.reply import Reply
from angarium.wire.smtp_asked import Asked, Lost, Step
from angarium.wire.smtp_transaction import Extensions, Stage, offered


class Tls(enum.Enum):
    """Whether a session becomes secure."""

    NO = "STARTTLS is not said"
    OFFERED = "where it is offered; after a refusal all goes on in clear"
    STRICT = "where it is offered; a refusal ends the session"
    REQUIRED = "or nothing is sent"
    STAYING = "as required, and the peer promises as much of the way on (RFC 8689)"


# Words of Momentum's, as those of `outbound/errors`.
NOT_OFFERED: Final = Reply(451, "[internal] STARTTLS required but not advertised", "4.7.6")
NO_GO_AHEAD: Final = Reply(451, "[internal] no tls go-ahead", "4.7.5")
# RFC 8689 section 4.2.1.
NOT_STAYING: Final = Reply(451, "[internal] host does not offer REQUIRETLS", "4.7.30")


class Opening:
    """One session's.

    Args:
        name: what we call ourselves.
        hello: "EHLO", "HELO" or "LHLO".

    Attributes:
        secure: TLS is done; `trusted`: and it is sure who the peer is.
    """

    __slots__ = (
        "_before", "_hello", "_name", "_tls", "extensions", "lost", "secure", "shaking", "trusted",
    )  # fmt: skip

    def __init__(self, name: str, hello: str, tls: Tls) -> None:
        self.extensions: Extensions | None = None
        self.lost: Lost | None = None
        self.shaking = self.secure = self.trusted = False
        self._name = name
        self._hello = hello
        self._tls = tls
        self._before = Extensions()  # offered in clear

    @property
    def hello(self) -> bytes:
        """Return the greeting, with its line end."""
        return f"{self._hello} {self._name}\r\n".encode()

    def answered(self, asked: Asked, reply: Reply) -> Step | None:
        """Take a reply; return what is said next, if anything is."""
        match asked:
            case Asked.BANNER if reply.code < 400:
                return self._greeting()
            case Asked.EHLO if reply.code < 400:
                return self._greeted(offered(reply))
            case Asked.EHLO if reply.code >= 500 and self._hello == "EHLO" and not self.secure:
                # It knows no EHLO (RFC 5321 section 3.2).
                return self._said("HELO", Asked.HELO)
            case Asked.HELO if reply.code < 400:
                return self._greeted(Extensions())
            case Asked.STARTTLS:
                self._allowed(reply)
            case _:
                stage = Stage.BANNER if asked is Asked.BANNER else Stage.EHLO
                self.lost = Lost(reply, stage, said=True)
        return None

    def secured(self, *, trusted: bool) -> Step:
        """The handshake is done; return what is said next."""
        if not self.shaking:
            raise ValueError("only a session whose handshake is due can become secure")
        self.shaking, self.secure, self.trusted = False, True, trusted
        return self._greeting()

    def _greeting(self) -> Step:
        return self._said(self._hello, Asked.HELO if self._hello == "HELO" else Asked.EHLO)

    def _said(self, word: str, asked: Asked) -> Step:
        return f"{word} {self._name}\r\n".encode(), [(asked, None, 0)]

    def _greeted(self, peer: Extensions) -> Step | None:
        peer = self.believed(peer)
        if self.secure or self._tls is Tls.NO:
            if self._tls is Tls.STAYING and not peer.requiretls:
                self.lost = Lost(NOT_STAYING, Stage.EHLO, said=True)
            else:
                self.extensions = peer
        elif "STARTTLS" in peer.words:
            self._before = peer
            return b"STARTTLS\r\n", [(Asked.STARTTLS, None, 0)]
        elif self._tls in (Tls.REQUIRED, Tls.STAYING):
            self.lost = Lost(NOT_OFFERED, Stage.EHLO, said=True)
        else:
            self.extensions = peer
        return None

    def believed(self, peer: Extensions) -> Extensions:
        """Return what counts of an offer: anybody can promise that all stays secure."""
        return replace(peer, requiretls=peer.requiretls and self.trusted)

    def _allowed(self, reply: Reply) -> None:
        if reply.code < 400:
            self.shaking = True
        elif self._tls is Tls.OFFERED:
            self.extensions = self._before
        else:
            self.lost = Lost(NO_GO_AHEAD, Stage.STARTTLS, said=True)
