"""Which of the queued mail is meant: by its queue, by itself, by its content.

    Choice(domain="*.example.com", sender="news@*", attempts=3)

A word which stands for names is a name, a glob (`*` any octets, `?` one), or a regular expression
in slashes that is searched for; case never counts. What is left empty is any. Rule: **what costs
least is asked first**: the queue (a number), the slot (age, attempts), the envelope, which has to
be read, and the content last.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from angarium.core.errors import Error
from angarium.core.message import Message, Recipient, context_of
from angarium.queue.spool.routes import Key
from angarium.queue.spool.slot import TIMING

MAX_HEADER: Final = 1 << 20  # octets of a content in which its header is looked for
CAMPAIGN_KEYS: Final = ("mo_campaign_id", "campaign_id")
CAMPAIGN_FIELDS: Final = ("x-campaign-id", "x-campaign")

Says = Callable[[str], bool]


class ChoiceError(Error):
    """What is to be chosen by cannot be understood."""


class Choice(msgspec.Struct, frozen=True):
    """Which mail.

    Attributes:
        domain, binding, group, sender, recipient, campaign: words, see above; "": any.
        meta: a key of the context and its value, both exactly.
        header: a field of the header, and one of the lines which its value has.
        age: seconds since it came in, at least; `attempts`: made so far, at least.
        idents: of recipients; these and no others.
    """

    domain: str = ""
    binding: str = ""
    group: str = ""
    sender: str = ""
    recipient: str = ""
    campaign: str = ""
    meta: tuple[str, str] | None = None
    header: tuple[str, str] | None = None
    age: int = 0
    attempts: int = 0
    idents: list[int] = []

    @property
    def by_queue(self) -> bool:
        """Whether all mail of its queues is meant."""
        return not (self.age or self.attempts or self.idents or self.by_message)

    @property
    def by_message(self) -> bool:
        """Whether a message has to be read to see whether it is meant."""
        named = self.sender or self.recipient or self.campaign
        return bool(named) or self.meta is not None or self.header is not None

    @property
    def everything(self) -> bool:
        return self == Choice()

    def queues(self) -> Callable[[Key], bool]:
        """Return what says of a queue whether its mail may be meant. Raises ChoiceError."""
        names = [
            (place, word(text))
            for place, text in enumerate((self.group, self.binding, self.domain))
            if text
        ]
        if not names:
            return _any
        return lambda key: all(says(key[place]) for place, says in names)

    def slots(self, now: float) -> Callable[[int, bytes], bool]:
        """Return what says of an entry, by its id and slot, whether it may be meant."""
        # The clock may have been set back since it came in.
        before = int(now) - self.age if self.age else 1 << 32
        attempts = self.attempts

        def wanted(ident: int, slot: bytes) -> bool:
            return ident >> 32 <= before and TIMING.unpack_from(slot, 4)[1] >= attempts

        return wanted

    def messages(self) -> Callable[[Message, Recipient], bool]:
        """Return what says of a message and a recipient whether they are meant.

        It reads the content where a header is asked for. Raises ChoiceError.
        """
        sender, recipient = word(self.sender), word(self.recipient)
        campaign, meta, header = self.campaign, self.meta, self.header
        is_campaign = word(campaign)

        def wanted(message: Message, to: Recipient) -> bool:
            if not (sender(message.sender) and recipient(to.address)):
                return False
            if meta is not None and context_of(message, to).get(meta[0]) != meta[1]:
                return False
            if header is not None and not _has(message, header[0].lower(), header[1]):
                return False
            return not campaign or any(map(is_campaign, campaigns_of(message, to)))

        return wanted


def word(text: str) -> Says:
    """Return what says of a name whether it is meant by a word. Raises ChoiceError."""
    if not text:
        return _any
    try:
        if len(text) > 2 and text[0] == text[-1] == "/":
            search = re.compile(text[1:-1], re.IGNORECASE).search
            return lambda name: search(name) is not None
        if "*" in text or "?" in text:
            parts = (_GLOB.get(each) or re.escape(each) for each in re.split(r"([*?])", text))
            match = re.compile("".join(parts), re.IGNORECASE | re.DOTALL).fullmatch
            return lambda name: match(name) is not None
    except (re.error, RecursionError, OverflowError) as error:
        raise ChoiceError(f"{text} is no pattern: {error}") from None
    lower = text.lower()
    return lambda name: name.lower() == lower


_GLOB: Final = {"*": ".*", "?": "."}


def _any(_name: object) -> bool:
    return True


def campaigns_of(message: Message, recipient: Recipient) -> Iterator[str]:
    """Yield the campaign a message names: in its context, or else in its header."""
    context = context_of(message, recipient)
    named = [context[key] for key in CAMPAIGN_KEYS if key in context]
    if named:
        yield from named
        return
    for name, value in fields_of(message):
        if name in CAMPAIGN_FIELDS:
            yield value


def fields_of(message: Message) -> Iterator[tuple[str, str]]:
    """Yield the lines of the header: the field in lower case, and what one line has of its value.

    A continued line is one of its own, with the blanks it begins with.
    """
    name = ""
    for line in _lines(message):
        if line[:1] in (b" ", b"\t"):
            value = line
        else:
            field, colon, value = line.partition(b":")
            if not colon:
                return
            name = field.strip().lower().decode("utf-8", "replace")
            value = value.strip()
        yield name, value.decode("utf-8", "replace")


def _lines(message: Message) -> Iterator[bytes]:
    """Yield the lines of the header of a content, ours before it too."""
    rest, size = message.header, 0
    for piece in message.body.pieces():
        rest += piece
        size += len(piece)
        *lines, rest = rest.split(b"\n")
        for line in lines:
            if not line.rstrip(b"\r"):
                return
            yield line.rstrip(b"\r")
        if size > MAX_HEADER:
            return
    for line in filter(None, rest.split(b"\n")):
        yield line.rstrip(b"\r")


def _has(message: Message, name: str, line: str) -> bool:
    return any(field == name and value == line for field, value in fields_of(message))
