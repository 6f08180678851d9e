"""The client side of an ESMTP or LMTP session, without I/O.

RFC 5321, with the extensions of RFC 1870, 2920, 3030, 3207, 3461, 4954, 6531 and 8689, and
Postfix's XCLIENT; LMTP is RFC 2033.

    client.receive(data)         bytes from the peer
    client.finished()            transactions whose every recipient has a result
    client.submit(transaction)   when `client.free`: the next message
    client.introduce(...)        when `client.idle`: XCLIENT and AUTH
    client.data_to_send()        buffers for the peer
    client.lost                  why the session is over; `unfinished()` is what it leaves
    client.shaking               the handshake of TLS is due, then `secured()`

With PIPELINING the content of one message and the commands of the next go out together, so that
a busy session costs one write and one read per message. The rule of progress: a reply answers
the oldest entry of `_expected`, and a command gets there only when `data_to_send` hands it out.
So a reply that comes too early or twice finds nothing to answer, and ends the session before it
can be taken for the reply to something else.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from angarium.core.message import Trait
from angarium.core.reply import Reply
from angarium.wire.smtp_asked import STAGES, Asked, Expected, Lost, Step
from angarium.wire.smtp_introduction import Command, Introduction
from angarium.wire.smtp_opening import Opening, Tls
from angarium.wire.smtp_reply import MAX_LINES, ReplyReader
from angarium.wire.smtp_transaction import (
    Extensions,
    Phase,
    Stage,
    Transaction,
    content,
    mail_command,
    rcpt_command,
)

# One call of data_to_send gives about so much of a content: what a socket takes at once.
PIECE: Final = 65536
CLOSED: Final = Reply(451, "[internal] connection closed by remote host", "4.4.2")
QUIT_DONE: Final = Reply(221, "closing", "2.0.0")
INJECTED: Final = "something in clear after STARTTLS"
_BINARY: Final = int(Trait.BINARY)
_ALL: Final = -1  # the index of everyone
# An address with a line end in it would be a command of its own.
UNSAFE: Final = Reply(553, "[internal] address holds a line end", "5.1.3")


class SmtpClient:
    """One session with one peer.

    Args:
        name: what we call ourselves in EHLO.
        hello: "EHLO"; "HELO" to use no extension; "LHLO" for LMTP (RFC 2033), where the content
            is answered for each recipient.
        declare_8bit: say BODY=8BITMIME where it is true and the peer offers it.
        prefer_bdat: send by BDAT what could be sent by DATA.
        reply_lines: how long a reply may be.
        tls: whether the session becomes secure before anything is sent.
    """

    __slots__ = (
        "_chunked",
        "_closing",
        "_content",
        "_declare_8bit",
        "_done",
        "_envelope",
        "_expected",
        "_hello",
        "_introduction",
        "_most",
        "_opening",
        "_prefer_bdat",
        "_reader",
        "_reset",
        "_sending",
        "_steps",
        "_voided",
        "extensions",
        "lost",
    )

    def __init__(
        self,
        name: str,
        *,
        hello: str = "EHLO",
        declare_8bit: bool = True,
        prefer_bdat: bool = False,
        reply_lines: int = MAX_LINES,
        tls: Tls = Tls.NO,
    ) -> None:
        self.extensions: Extensions | None = None  # Known once the session is open.
        self.lost: Lost | None = None
        self._opening = Opening(name, hello, tls)
        self._hello = hello
        self._declare_8bit = declare_8bit
        self._prefer_bdat = prefer_bdat
        self._most = reply_lines
        self._reader = ReplyReader(reply_lines)
        self._expected: deque[Expected] = deque([(Asked.BANNER, None, 0)])
        self._steps: deque[Step] = deque()
        self._envelope: Transaction | None = None  # Its commands are not all answered.
        self._sending: Transaction | None = None  # Its content is under way or unconfirmed.
        self._content: Iterator[bytes] | None = None  # What is left of that content.
        self._done: list[Transaction] = []
        self._voided: list[Transaction] = []  # Their replies are not to be believed.
        self._reset = False  # The peer holds half a transaction.
        self._chunked = False  # What is being sent goes by BDAT.
        self._closing = False
        self._introduction: Introduction | None = None  # Under way.

    # What the driver asks.

    @property
    def free(self) -> bool:
        """Whether a transaction may be submitted now."""
        peer = self.extensions
        return (
            peer is not None
            and self._envelope is None
            and (self._sending is None or (peer.pipelining and not self._chunked))
            and self._introduction is None
            and not self._closing
            and self.lost is None
        )

    @property
    def idle(self) -> bool:
        """Whether the session is open and nothing is under way."""
        return self.free and not self._expected and not self._steps and self._content is None

    @property
    def midway(self) -> bool:
        """Whether a reply has begun and is not whole: octets alone are no progress."""
        return self._reader.inside

    @property
    def finishing(self) -> bool:
        """Whether QUIT was said, or will be when it may."""
        return self._closing

    @property
    def shaking(self) -> bool:
        """Whether the peer said yes to STARTTLS, and the handshake is due."""
        return self._opening.shaking

    @property
    def secure(self) -> bool:
        return self._opening.secure

    @property
    def stage(self) -> Stage:
        """What is awaited, of the peer or of us; decides which timeout runs."""
        if self._content is not None:
            return Stage.BODY
        if self._expected:
            return STAGES[self._expected[0][0]]
        return Stage.TLS if self.shaking else Stage.IDLE

    @property
    def sending(self) -> bool:
        """Whether there is more to send now."""
        return (self._content is not None and self.lost is None) or self._may_step()

    @property
    def current(self) -> Transaction | None:
        """The transaction whose content is being sent, or waits for its reply."""
        return self._sending

    def unfinished(self) -> list[Transaction]:
        """Return what was submitted and has recipients without a result, oldest first."""
        current = [each for each in (self._sending, self._envelope) if each and each.open]
        return self._voided + current

    def finished(self) -> list[Transaction]:
        """Take the transactions that ended since the last call."""
        if not self._done:
            return []
        done, self._done = self._done, []
        return done

    # What the driver does.

    def submit(self, transaction: Transaction) -> None:
        """Begin a transaction; only when `free`."""
        peer = self.extensions
        if peer is None or not self.free:
            raise ValueError("a transaction is submitted only when the session is free")
        commands = [mail_command(transaction, peer, declare_8bit=self._declare_8bit)]
        commands += [rcpt_command(each, peer) for each in transaction.recipients]
        expected: list[Expected] = [(Asked.MAIL, transaction, 0)]
        expected += [(Asked.RCPT, transaction, n) for n in range(len(transaction.recipients))]
        if not self._by_bdat(transaction):
            commands.append("DATA\r\n")
            expected.append((Asked.DATA, transaction, 0))
        group = "".join(commands)
        if group.count("\n") != len(commands) or group.count("\r") != len(commands):
            transaction.settle_all(UNSAFE, Stage.IDLE)
            self._done.append(transaction)
            return
        if self._reset:
            commands.insert(0, "RSET\r\n")
            expected.insert(0, (Asked.RSET, None, 0))
            self._reset = False
        self._envelope = transaction
        if peer.pipelining:
            self._steps.append(("".join(commands).encode(), expected))
        else:
            for command, asked in zip(commands, expected, strict=True):
                self._steps.append((command.encode(), [asked]))

    def introduce(self, introduction: Introduction) -> None:
        """Say for whom we speak and who we are; only when `idle`. Then `outcome` is there."""
        peer = self.extensions
        if peer is None or not self.idle:
            raise ValueError("an introduction begins only when nothing is under way")
        if self._reset:
            self._reset = False
            self._steps.append((b"RSET\r\n", [(Asked.RSET, None, 0)]))
        self._introduction = introduction
        self._introduced(introduction.begin(self._opening.hello, peer, secure=self.secure))

    def quit(self) -> None:
        """Say QUIT once nothing is under way; nothing may be submitted afterwards."""
        if not self._closing and self.lost is None:
            self._closing = True
            self._steps.append((b"QUIT\r\n", [(Asked.QUIT, None, 0)]))

    def data_to_send(self) -> list[bytes]:
        """Return what may be sent now, in order; empty if nothing.

        At most about PIECE octets of a content at once: call again when they are written.
        """
        out: list[bytes] = []
        if self._content is not None and self.lost is None:
            self._take_content(self._content, out)
        while self._may_step():
            command, expected = self._steps.popleft()
            out.append(command)
            self._expected.extend(expected)
            envelope = self._envelope
            if envelope is not None and expected and expected[-1][1] is envelope:
                envelope.phase = Phase.ENVELOPE
                envelope.octets += len(command)
        return out

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer. Whatever they are, nothing is raised."""
        for reply in self._reader.feed(data):
            if self.lost is not None:
                return
            self._answer(reply)
        if self._reader.fault and self.lost is None:
            self._wrong(self._reader.fault)
        if self.extensions is None and self.shaking and self._reader.inside:
            self._wrong(INJECTED)

    def secured(self, *, trusted: bool = False) -> None:
        """The handshake is done: the session begins anew, by EHLO (RFC 3207 section 4.2).

        Args:
            trusted: it is sure who the peer is.
        """
        step = self._opening.secured(trusted=trusted)
        self._steps.appendleft(step)  # QUIT may wait already.
        self._reader = ReplyReader(self._most)  # It may hold something said in clear.

    def lose(self, reply: Reply = CLOSED) -> None:
        """End the session: the connection is gone, or the driver gives up waiting."""
        if self.lost is None:
            self.lost = Lost(reply, self.stage)

    # How replies move it on.

    def _may_step(self) -> bool:
        if not self._steps or self._content is not None or self.lost is not None:
            return False
        if not self._expected:
            return self.extensions is not None or not self.shaking
        if self.extensions is None or not self.extensions.pipelining:
            return False
        # DATA is the last of its group: what follows it before the 354 would be content.
        return self._envelope is None or self._envelope.phase is Phase.NOTHING

    def _take_content(self, pieces: Iterator[bytes], out: list[bytes]) -> None:
        sending = self._sending
        assert sending is not None
        octets = 0
        for piece in pieces:
            out.append(piece)
            octets += len(piece)
            if octets >= PIECE:
                sending.octets += octets
                sending.phase = Phase.CONTENT
                return
        sending.octets += octets
        sending.phase = Phase.WHOLE
        self._content = None
        if self._hello == "LHLO":
            open_ones = [n for n, reply in enumerate(sending.replies) if reply is None]
            self._expected.extend((Asked.CONTENT, sending, n) for n in open_ones)
        else:
            self._expected.append((Asked.CONTENT, sending, _ALL))

    def _answer(self, reply: Reply) -> None:
        if not self._expected:
            self._unasked(reply)
            return
        asked, transaction, index = self._expected.popleft()
        if reply.code == 421:
            self._close(reply, asked, transaction)
            return
        refused = reply.code >= 400
        more = asked is Asked.DATA or (asked is Asked.AUTH and reply.code == 334)
        if not refused and (reply.code >= 300) is not more:
            self._expected.appendleft((asked, transaction, index))
            self._wrong(f"{reply.code} in reply to {asked.name}")
            return
        if transaction is not None:
            _TRANSACTION[asked](self, reply, transaction, index)
        elif self._introduction is not None and asked is not Asked.RSET:
            self._introduced(self._introduction.answered(reply))
        elif asked in _OPENING:
            self._open(asked, reply)
        else:
            _SESSION[asked](self, reply)

    def _unasked(self, reply: Reply) -> None:
        """A reply which answers nothing: a refusal in mid-content, a good-bye, or a fault."""
        stage = self.stage
        sending = self._sending
        if sending is not None and sending.phase is Phase.CONTENT and reply.code >= 400:
            # The peer does not want the rest. Where it will look for the next command nobody
            # knows, hence the session ends with it.
            self._finish(sending, reply, Stage.BODY)
            self.lost = Lost(reply, stage, said=True)
        elif self.shaking:
            self._wrong(INJECTED)  # Anybody can have put it there.
        elif reply.code == 421:
            self.lost = Lost(reply, stage, said=True)
        else:
            self._wrong("unsolicited reply")

    def _close(self, reply: Reply, asked: Asked, transaction: Transaction | None) -> None:
        """421: the peer closes the session, whatever was asked (RFC 5321 section 3.8)."""
        if asked is Asked.CONTENT and transaction is not None:
            self._finish(transaction, reply, Stage.CONFIRM)
        self.lost = Lost(reply, STAGES[asked], said=True)

    def _wrong(self, what: str) -> None:
        reply = Reply(451, f"[internal] protocol error: {what}", "4.5.0")
        self.lost = Lost(reply, self.stage, wrong=True)
        # A reply too many shifts those after it: a refusal that came just now may be another's.
        # What was confirmed stands, for a shift shows at the 354 before.
        for each in self._done:
            if each.phase is not Phase.WHOLE:
                each.reopen()
                self._voided.append(each)
        self._done = [each for each in self._done if each.phase is Phase.WHOLE]

    def _finish(self, transaction: Transaction, reply: Reply, stage: Stage) -> None:
        """Give the reply to every recipient still open, and let the transaction go."""
        transaction.settle_all(reply, stage)
        self._let_go(transaction)

    def _let_go(self, transaction: Transaction) -> None:
        self._done.append(transaction)
        if self._sending is transaction:
            self._sending = None

    def _open(self, asked: Asked, reply: Reply) -> None:
        opening = self._opening
        step = opening.answered(asked, reply)
        if step is not None:
            self._steps.append(step)
        self.extensions, self.lost = opening.extensions, opening.lost

    def _introduced(self, command: Command | None) -> None:
        """Say the next thing of an introduction, or let it be over."""
        introduction = self._introduction
        if command is not None:
            octets, asked = command
            self._steps.append((octets, [(asked, None, 0)]))
        elif introduction is not None and introduction.outcome is not None:
            self._introduction = None
            self.extensions = self._opening.believed(introduction.outcome.peer)

    def _rset(self, reply: Reply) -> None:
        if reply.code >= 400:
            self.lost = Lost(reply, Stage.RSET, said=True)

    def _quit(self, reply: Reply) -> None:
        self.lost = Lost(QUIT_DONE, Stage.IDLE, said=True)

    def _mail(self, reply: Reply, transaction: Transaction, index: int) -> None:
        if reply.code >= 400:
            self._finish(transaction, reply, Stage.MAIL)
            self._forget_steps(transaction)
        else:
            self._reset = True  # Until its content is sent.

    def _rcpt(self, reply: Reply, transaction: Transaction, index: int) -> None:
        if reply.code >= 400 and transaction.open:
            transaction.settle(index, reply, Stage.RCPT)
            if not transaction.open:
                self._let_go(transaction)
                self._forget_steps(transaction)
        if self._by_bdat(transaction) and index == len(transaction.recipients) - 1:
            self._envelope = None
            if transaction.open:
                self._begin_content(transaction, bdat=True)

    def _data(self, reply: Reply, transaction: Transaction, index: int) -> None:
        self._envelope = None
        if reply.code >= 400:
            if transaction.open:
                self._finish(transaction, reply, Stage.DATA)
        elif transaction.open:
            self._begin_content(transaction, bdat=False)
        else:
            # Nobody is to get it, but the peer waits for a content (RFC 2920 section 3.1).
            answers: list[Expected] = [(Asked.NOTHING_SENT, transaction, 0)]
            self._steps.appendleft((b".\r\n", [] if self._hello == "LHLO" else answers))
            self._reset = False

    def _begin_content(self, transaction: Transaction, *, bdat: bool) -> None:
        self._sending = transaction
        self._content = content(transaction, bdat=bdat)
        self._chunked = bdat
        self._reset = False  # Taken or refused, the transaction ends with it.

    def _confirmed(self, reply: Reply, transaction: Transaction, index: int) -> None:
        if reply.code >= 400 and self._chunked:
            self._reset = True  # "The resulting state is indeterminate" (RFC 3030 section 2).
        if index == _ALL:
            self._finish(transaction, reply, Stage.CONFIRM)
            return
        transaction.settle(index, reply, Stage.CONFIRM)
        if not transaction.open:
            self._let_go(transaction)

    def _nothing_sent(self, reply: Reply, transaction: Transaction, index: int) -> None:
        """The reply to an empty message to nobody matters to no one."""

    def _forget_steps(self, transaction: Transaction) -> None:
        """Drop what was not sent yet of a transaction that is over; only without PIPELINING."""
        if self._steps and self._envelope is transaction:
            self._steps = deque(
                s for s in self._steps if not s[1] or s[1][-1][1] is not transaction
            )
            self._envelope = None
        elif not any(each[1] is transaction for each in self._expected):
            self._envelope = None

    def _by_bdat(self, transaction: Transaction) -> bool:
        peer = self.extensions
        if peer is None or not peer.chunking:
            return False
        return self._prefer_bdat or (transaction.traits & _BINARY != 0 and peer.binary)


_OPENING: Final = frozenset((Asked.BANNER, Asked.EHLO, Asked.HELO, Asked.STARTTLS))
_SESSION: Final[Mapping[Asked, Callable[[SmtpClient, Reply], None]]] = {
    Asked.RSET: SmtpClient._rset,
    Asked.QUIT: SmtpClient._quit,
}
_TRANSACTION: Final[Mapping[Asked, Callable[[SmtpClient, Reply, Transaction, int], None]]] = {
    Asked.MAIL: SmtpClient._mail,
    Asked.RCPT: SmtpClient._rcpt,
    Asked.DATA: SmtpClient._data,
    Asked.CONTENT: SmtpClient._confirmed,
    Asked.NOTHING_SENT: SmtpClient._nothing_sent,
}
