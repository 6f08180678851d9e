"""mail_loop: ends mail which goes round in circles (RFC 5321 section 6.3).

Two signs of it: more Received fields than a message ever needs, and, with `use_ip`, a client that
has an address of ours, which is us delivering to ourselves. With the code 250 it is only marked, in
the connection's variables, and other policy decides.
"""

from typing import Final

from angarium.core.reply import Reply
from angarium.modules.guard.options import MailLoop as Options
from angarium.modules.means import Means
from angarium.net.address import is_local
from angarium.policy.context import Session
from angarium.policy.hooks import Connect, DataSpool, on
from angarium.policy.verdict import CONT, DONE, Verdict

COUNT: Final = "mail_loop_header_count"
MATCH: Final = "mail_loop_ip"


class MailLoop:
    """Looks at each message."""

    def __init__(self, name: str, options: Options, means: Means) -> None:
        self._limit = options.max_received_headers
        code = options.code
        self._reply = Reply(code, "mail loop detected", "5.4.6" if code >= 500 else "4.4.6")
        self._marks = code < 400
        self._looks_at_address = bool(options.use_ip)

    @on(Connect)
    def client(self, event: Connect) -> Verdict:
        session = event.session
        loopback = session.address.startswith("127.") or session.address == "::1"
        if not self._looks_at_address or loopback or not is_local(session.address):
            return CONT  # What runs on this machine hands in mail by the loopback address.
        session.variables[MATCH] = "match"
        return self._end(session)

    @on(DataSpool)
    def received(self, event: DataSpool) -> Verdict:
        # One of them is ours, which says nothing about where the message was before.
        count = event.mail.draft.names.count(b"received") - 1
        session = event.session
        if count <= self._limit or session is None:
            return CONT
        session.variables[COUNT] = str(count)
        return self._end(session)

    def _end(self, session: Session) -> Verdict:
        if self._marks:
            return CONT
        session.refuse(self._reply)
        return DONE
