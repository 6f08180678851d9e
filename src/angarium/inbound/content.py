"""The content of one message while it comes in: collected, checked, made ready for the spool.

    content.add(piece)          as it arrives; False: wait, the disk is behind
    content.finish(traits)      the refusal, or None: then `body` and the rest are set

A message is in memory up to `large` octets; then, when its header is whole, it goes to a writer of
the spool, piece by piece, and is never whole in memory again. What is refused already is not kept:
the rest of it is counted and forgotten.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from angarium.core.body import Body, MemoryBody
from angarium.core.message import Trait
from angarium.core.reply import Reply
from angarium.inbound import replies
from angarium.journal.errors import SpoolError
from angarium.mail.format import conform
from angarium.mail.format.conform import Rules, Survey
from angarium.mail.format.header import CRLF, Header, limits
from angarium.mail.format.rewrite import Breaker

# Small pieces are joined: an object a piece would let a peer who sends octet by octet make us
# keep forty times what it sent.
_JOIN: Final = 16384
_LONE: Final = int(Trait.LONE)
_DOTS: Final = int(Trait.DOTS)
_NO_FINAL_CRLF: Final = int(Trait.NO_FINAL_CRLF)
_NO_FIELDS: Final[Mapping[bytes, bytes]] = {}


# Octets which may wait for the disk before reading from the peer stops: some trips to its thread.
_BACKLOG: Final = 1 << 20


class Writer(Protocol):
    """A large body on its way to disk, of `queue/spool`; what fails there fails when it is put."""

    on_room: Callable[[], None] | None

    @property
    def backlog(self) -> int:
        """Octets given and not yet written."""
        ...

    def write(self, piece: bytes) -> None: ...

    def finish(self) -> Body:
        """Return the body; it is durable when the message is."""
        ...

    def abort(self) -> None:
        """Forget it."""
        ...


class Content:
    """One message being received.

    Args:
        rules: what it must be like.
        limit: octets it may have; 0: any number.
        large: octets from which on it goes to disk.
        writer: opens a Writer; raises SpoolError.
        room: called when `add` has said False and there is room again.

    Attributes, when it is finished:
        bare: it has no header at all, so ours must end with an empty line.
        fields: values of the header fields which the rules want kept, by lower case name.
    """

    __slots__ = (
        "_breaker",
        "_large",
        "_limit",
        "_open",
        "_pieces",
        "_room",
        "_rules",
        "_seeking",
        "_writer",
        "bare",
        "body",
        "fault",
        "fields",
        "found",
        "header_is_ascii",
        "size",
        "traits",
    )

    body: Body
    found: Survey
    fields: Mapping[bytes, bytes]

    def __init__(
        self,
        rules: Rules,
        limit: int,
        large: int,
        writer: Callable[[], Writer],
        room: Callable[[], None],
    ) -> None:
        self.size = 0
        self.traits = 0
        self.fault: Reply | None = None
        self.bare = False
        self.header_is_ascii = True
        self._rules = rules
        self._limit = limit
        self._large = large
        self._open = writer
        self._room = room
        self._pieces: list[bytes] = []
        self._seeking = False  # past `large`, and the header has no end yet
        self._writer: Writer | None = None
        self._breaker: Breaker | None = None

    def add(self, piece: bytes) -> bool:
        """Take a piece, which cuts no CRLF; False: give no more before there is room."""
        self.size += len(piece)
        if self.fault is not None:
            return True
        if 0 < self._limit < self.size:
            return self._refuse(replies.TOO_LARGE)
        if self._writer is not None:
            return self._stream(piece)
        pieces = self._pieces
        if pieces and len(pieces[-1]) + len(piece) <= _JOIN:
            pieces[-1] += piece
        else:
            pieces.append(piece)
        return self.size <= self._large or self._spill()

    def finish(self, traits: int) -> Reply | None:
        """Say what is wrong with the whole message; None: it may go to the spool."""
        if self.fault is not None:
            return self.fault
        self.traits |= traits
        if self._writer is not None:
            self._finish_large(self._writer)
            return None
        pieces = self._pieces
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        content = self._judged(whole, lone=traits & _LONE != 0)
        if content is None:
            return self.fault
        if traits & _LONE or self._rules.line_limit:
            start = limits(content)[1]
            body = self._mended(content[start:])
            if body is None:
                return self.fault
            content = content[:start] + body
            if content.endswith(CRLF):
                self.traits &= ~_NO_FINAL_CRLF
            if not conform.has_lone(content):
                self.traits &= ~_LONE
        self.body = MemoryBody(content)
        return None

    def abort(self) -> None:
        """Forget what is kept."""
        self._pieces.clear()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.on_room = None
            writer.abort()

    def _refuse(self, reply: Reply) -> bool:
        self.fault = reply
        self.abort()
        return True

    # The header.

    def _judged(self, content: bytes, *, lone: bool) -> bytes | None:
        """Judge the header at the beginning; return the content with the header as it goes on.

        None: it is refused, and `fault` says why.
        """
        rules = self._rules
        if lone:
            end = conform.lenient_limits(content)[1]
            if conform.has_lone(content[:end]):
                if not rules.fix_lone_in_header:
                    self._refuse(conform.LONE_IN_HEADER)
                    return None
                content = conform.with_crlf(content[:end]) + content[end:]
        size, _ = limits(content)
        header = content[:size]
        self.header_is_ascii = header.isascii()
        self.found = found = conform.survey(header)
        self.fields = conform.values(header, rules.fields) if rules.fields else _NO_FIELDS
        self.bare = not found.begins and not content.startswith(CRLF)
        if (fault := conform.judge(header, found, rules)) is not None:
            self._refuse(fault)
            return None
        if rules.trace and found.return_path:
            header = Header(header).without(b"return-path")
        if rules.line_limit:
            breaker = Breaker(rules.line_limit, fold=True)
            header = breaker.feed(header)
            if breaker.broken and not rules.fix_lines:
                self._refuse(conform.LONG_IN_HEADER)
                return None
        return content if len(header) == size else header + content[size:]

    # The body.

    def _mended(self, piece: bytes) -> bytes | None:
        """Apply what the options say of lone CRs and LFs and of long lines to a piece of body."""
        rules = self._rules
        mended = piece
        if rules.lone_in_body != "ignore" and conform.has_lone(piece):
            if rules.lone_in_body == "pedantic":
                self._refuse(conform.LONE_IN_BODY)
                return None
            mended = conform.with_crlf(piece)
        if rules.line_limit:
            if self._breaker is None:
                self._breaker = Breaker(rules.line_limit)
            mended = self._breaker.feed(mended)
            if self._breaker.broken and not rules.fix_lines:
                self._refuse(conform.LONG_IN_BODY)
                return None
        if mended is not piece:
            self.traits |= _DOTS  # A new line may begin with one; stuffing looks again.
        return mended

    # A large message.

    def _spill(self) -> bool:
        """Begin to write to disk, if the header is whole."""
        pieces = self._pieces
        if not self._seeking:
            self._seeking = True
            pieces[:] = [b"".join(pieces)]
            # As if a line ended before the message: an empty line may be its first.
            begin = CRLF + pieces[0]
        else:
            begin = (pieces[-2][-3:] if len(pieces) > 1 else CRLF) + pieces[-1]
        if conform.EMPTY_LINE.search(begin) is None:
            if 0 < self._rules.header_limit < self.size:
                return self._refuse(conform.HEADER_TOO_LARGE)
            return True
        content = self._judged(b"".join(pieces), lone=True)
        pieces.clear()
        if content is None:
            return True
        start = limits(content)[1]
        try:
            self._writer = writer = self._open()
        except SpoolError as error:
            return self._refuse(replies.of(error))
        writer.on_room = self._room
        writer.write(content[:start])
        return self._stream(content[start:])

    def _stream(self, piece: bytes) -> bool:
        mended, writer = self._mended(piece), self._writer
        if mended is None or writer is None:
            return True
        if mended:
            writer.write(mended)
        return writer.backlog <= _BACKLOG

    def _finish_large(self, writer: Writer) -> None:
        self._writer = writer.on_room = None
        self.body = writer.finish()
        if self._rules.lone_in_body != "ignore":
            self.traits &= ~_LONE
