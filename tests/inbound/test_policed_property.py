"""Whatever policy decides for each recipient, the queue holds that, and the reply says so."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from angarium.core.message import Message, Recipient, context_of
from angarium.core.reply import Reply
from angarium.policy import hooks
from angarium.policy.context import Which
from angarium.policy.hooks import on
from angarium.policy.parcels import Parcel
from angarium.queue.admit import Admit, refused_by_policy
from angarium.queue.rules import rules
from helpers.queues import Queues
from helpers.reception import Desk

CONTENT = b"From: a@client.example\r\nSubject: hello\r\n\r\nbody\r\n"
SENDER = "a@client.example"


@dataclass(frozen=True)
class Decision:
    """What becomes of one recipient."""

    end: str  # "keep", "drop", or the code it is refused with; "late" ones when all else is known
    header: bool = False
    body: bool = False
    sender: str = ""
    domain: str = ""
    binding: str = ""
    variable: str = ""
    priority: int = 0


DECISIONS = st.builds(
    Decision,
    st.sampled_from(["keep"] * 6 + ["drop", "550", "451", "late 550", "late 451"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", SENDER, "other@client.example", "third@client.example"]),
    st.sampled_from(["", "elsewhere.example"]),
    st.sampled_from(["", "b1", "b2"]),
    st.sampled_from(["", "v"]),
    st.sampled_from([0, 1]),
)


class Deciding:
    """Does for each recipient what was drawn, at the hook where scripts do it."""

    def __init__(self, decisions: list[Decision]) -> None:
        self.decisions = {f"r{at}": each for at, each in enumerate(decisions)}

    def of(self, event: hooks.OfMail) -> Decision:
        return self.decisions[event.mail.rcptto.partition("@")[0]]

    @on(hooks.EachRcpt)
    def each(self, event: hooks.EachRcpt) -> None:
        mail, found = event.mail, self.of(event)
        if found.header:
            mail.edited.append("X-For", mail.rcptto)
        if found.body:
            mail.edited.set_body(b"another body\r\n")
        if found.sender:
            mail.sender = found.sender
        if found.variable:
            mail.set(Which.MESSAGE, "mark", found.variable)
        mail.priority = found.priority
        if found.end == "drop":
            mail.discard()
        elif found.end.isdigit():
            event.refuse(Reply(int(found.end), "early"))

    @on(hooks.SetBinding)
    def bind(self, event: hooks.SetBinding) -> None:
        mail, found = event.mail, self.of(event)
        assert mail.recipient is not None
        if found.domain:
            mail.routing_domain = found.domain
        if found.binding:
            mail.recipient.binding_group, mail.recipient.binding = "g", found.binding

    @on(hooks.FinalValidation)
    def last(self, event: hooks.FinalValidation) -> None:
        found = self.of(event)
        if found.end.startswith("late"):
            event.refuse(Reply(int(found.end[5:]), "late"))


def kept(found: Decision, at: int) -> tuple[object, ...]:
    """Return what is to be found in the queue for a recipient who is kept."""
    content = CONTENT
    if found.body:
        content = content.replace(b"body\r\n", b"another body\r\n")
    if found.header:
        content = content.replace(b"\r\n\r\n", f"\r\nX-For: r{at}@mx.example\r\n\r\n".encode(), 1)
    return (
        f"r{at}@mx.example", found.sender or SENDER, found.domain or "mx.example",
        found.binding or "default", found.variable or None, found.priority, content,
    )  # fmt: skip


def actual(message: Message, recipient: Recipient) -> tuple[object, ...]:
    return (
        recipient.address, message.sender, recipient.domain, recipient.binding,
        context_of(message, recipient).get("mark"), message.priority, message.body.whole(),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(DECISIONS, min_size=1, max_size=8), st.booleans())
def test_the_queue_holds_what_was_decided_and_the_reply_says_so(
    decisions: list[Decision], compare: bool
) -> None:
    policy = Deciding(decisions)
    desk, queues = Desk(policy=policy), Queues()
    admit = Admit(queues.spool, queues.board)
    reports: list[tuple[str, int]] = []

    def report(_message: Message, recipient: Recipient, reply: Reply) -> Parcel | None:
        reports.append((recipient.address, reply.code))
        return None

    queues.spool.immediate = True
    admit.rules = rules(desk.services.policing.policy, report, refused_by_policy)
    desk.services.admit = admit
    desk.services.report = report
    desk.services.compares_batches = compare
    talk = desk.greeted()
    talk.send(f"MAIL FROM:<{SENDER}>\r\n".encode())
    for at in range(len(decisions)):
        talk.send(f"RCPT TO:<r{at}@mx.example>\r\n".encode())
    talk.send(b"DATA\r\n" + CONTENT + b".\r\n")
    reply = talk.heard()[-1][:3]

    ends = [each.end for each in decisions]
    expected: list[tuple[object, ...]] = []
    if "451" in ends:
        assert reply == "451"
    elif "keep" not in ends and not any(end.startswith("late") for end in ends):
        assert reply == ("550" if "550" in ends else "250")
    elif "late 451" in ends:
        assert reply == "451"
    elif "keep" not in ends:
        assert reply == "550"
    else:
        assert reply == "250"
        expected = [kept(each, at) for at, each in enumerate(decisions) if each.end == "keep"]
    found = [actual(message, recipient) for message, recipient in queues.spool.kept.values()]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert admit.submitted == 0
    told = {address for address, _ in reports}
    if reply == "250":
        late = {f"r{at}@mx.example" for at, end in enumerate(ends) if end == "late 550"}
        assert late <= told
    assert not desk.panics
