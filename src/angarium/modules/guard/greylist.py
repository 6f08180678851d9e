"""greylist: who sends for the first time is asked to come again, and who does is known (RFC 6647).

What is kept is the time at which a triplet of network, sender and recipient came first, then that
it came again. A network of which enough triplets did is let through at once.
"""

from hashlib import blake2b
from typing import Final

from angarium.core.address import split
from angarium.core.reply import Reply, from_text
from angarium.events.metrics import counter
from angarium.modules.guard.journal import Journal
from angarium.modules.guard.options import Greylist as Options
from angarium.modules.guard.peers import Domains, Exempt
from angarium.modules.means import Means
from angarium.policy.hooks import RcptTo, on
from angarium.policy.shared.blocks import network, packed
from angarium.policy.verdict import CONT, DONE, Verdict

NAME: Final = "greylist"
STATUS: Final = "greylist_status"  # of the recipient asked for last
DELAYED: Final = "greylist_seconds"  # for which the message was held off, where it was
PASSED: Final = 0  # in place of the time at which a triplet came first
DIGEST: Final = 12  # octets: that two triplets are taken for one is less likely than a bad disk
FOLDER: Final = "policy"

FIRST: Final = counter("greylist_first", "Recipients put off because nobody knew who sends.")
EARLY: Final = counter("greylist_early", "Recipients put off because the client came too soon.")
AGAIN: Final = counter("greylist_passed", "Recipients taken because the client came again in time.")


class Greylist:
    """The module."""

    def __init__(self, _name: str, options: Options, means: Means) -> None:
        self._clock = means.clock
        self._delay = options.delay
        self._window = options.retry_window
        self._lifetime = options.lifetime
        self._bits = {4: options.ipv4_prefix, 16: options.ipv6_prefix}
        self._enough = options.networks_after
        self._exempt = Exempt(options.exempt)
        self._domains = Domains(options.exempt_domains)
        self._text = options.reply
        self._known = means.shared.define_values(NAME, options.max_entries)
        metrics = means.metrics
        self._first, self._early = metrics.cell(FIRST), metrics.cell(EARLY)
        self._again = metrics.cell(AGAIN)
        self._reply(1)  # what is no reply is told now
        self._journal = Journal(
            means.shared, self._known, means.state / FOLDER / NAME, means.loop, means.tell
        )

    def start(self) -> None:
        self._journal.start()

    def stop(self) -> None:
        self._journal.stop()

    @on(RcptTo)
    def recipient(self, event: RcptTo) -> Verdict:
        session, mail = event.session, event.session.mail
        domain = split(event.text)[1].lower()
        if mail is None or self._exempt.has(session) or self._domains.has(domain):
            return CONT
        sender = mail.sender
        key = packed(session.address)
        bits = self._bits[len(key)]
        block = b"%d/%d/%x" % (len(key), bits, network(key, bits))
        if self._enough and self._count(block) >= self._enough:
            session.variables[STATUS] = "network"
            self._known.set(block, self._count(block), self._lifetime)
            return CONT
        wait, status = self._seen(block, sender, event.text)
        session.variables[STATUS] = status
        if wait <= 0:
            return CONT
        event.refuse(self._reply(wait))
        return DONE

    def _seen(self, block: bytes, sender: str, recipient: str) -> tuple[int, str]:
        """Return how many seconds a triplet has to wait, and what is known of it."""
        now = self._clock.time()
        triplet = _digest(block, sender, recipient)
        first = self._known.get(triplet)
        if first == PASSED:
            self._known.set(triplet, PASSED, self._lifetime)
            return 0, "known"
        if not isinstance(first, int) or first > now:
            self._known.set(triplet, int(now), self._window)
            self._first.value += 1
            return max(int(self._delay), 1), "first"
        left = int(first + self._delay - now)
        if left > 0:
            self._early.value += 1
            return left, "early"
        self._again.value += 1
        self._known.set(triplet, PASSED, self._lifetime)
        self._known.set(block, self._count(block) + 1, self._lifetime)
        return 0, "passed"

    def _count(self, block: bytes) -> int:
        """Return how many triplets of a network came again."""
        found = self._known.get(block)
        return found if isinstance(found, int) else 0

    def _reply(self, seconds: int) -> Reply:
        return from_text(self._text.replace("%s", str(seconds)), 451)


def _digest(block: bytes, sender: str, recipient: str) -> bytes:
    """Return the key of a triplet. Case does not count, nor what VERP puts into a sender."""
    local, domain = split(sender.lower())
    local = "".join("#" if each.isdigit() else each for each in local)
    text = f"{local}@{domain}\0{recipient.lower()}".encode("utf-8", "surrogateescape")
    return blake2b(text, digest_size=DIGEST, key=block).digest()
