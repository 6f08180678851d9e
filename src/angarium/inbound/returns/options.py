"""Options of what comes back: reports of failure which other servers send by mail."""

from angarium.config.compound import Joined
from angarium.config.kinds import Choice, Duration, Int, Pattern, Raw, Text
from angarium.config.option import Options, accepted, planned
from angarium.config.scope import DESTINATION, Scope

NO_RETURNS = "Reports which come back are taken for mail like any other yet."

NO_CACHE = "A reply is classified by its codes, which takes no time worth a cache."


class Suppressed(Text):
    """An address, or @ and a domain for all of its addresses."""

    def parse(self, raw: Raw) -> str:
        text = Text.parse(self, raw)
        if text.count("@") != 1 or text.endswith("@") or " " in text:
            raise ValueError(f"{text!r} is neither an address nor a domain after an @")
        return text

    def __str__(self) -> str:
        return "address, or @domain"


class Returns(Options, direction="sending"):
    """What of the mail for bounce_domains is a report, and what happens to it."""

    bounce_behavior = planned(
        Choice(("pass", "blackhole")),
        "pass",
        scopes=DESTINATION,
        reason=NO_RETURNS,
        doc="""
        What happens to a report once it was read and logged. `pass`: it goes on to its
        recipient. `blackhole`: it ends here.
        """,
    )
    bounce_pattern = planned(
        Pattern(),
        None,
        scopes=DESTINATION,
        example='"^bounces-[0-9]+-[0-9]+@"',
        reason=NO_RETURNS,
        doc="""
        What the address has to look like to which a report comes back, or for a failure in the
        session the sender's, to count as a bounce. Unset: every address at a bounce domain does.
        """,
    )
    bounce_suppress_list = planned(
        Joined(Suppressed(), ","),
        None,
        scopes=Scope.GLOBAL,
        example='"bounces@bounces.example.com,@bounces.example.org"',
        reason=NO_RETURNS,
        doc="""
        Addresses, and domains after an @, which are never the recipient that a report is about:
        your own, which stand in it too.
        """,
    )
    bounce_cache_size = accepted(
        Int(minimum=1),
        16384,
        direction="na",
        since="3.6.9",
        reason=NO_CACHE,
        doc="Replies whose class is remembered; version 3 only.",
    )
    bounce_cache_ttl = accepted(
        Duration(),
        60.0,
        direction="na",
        since="3.6.9",
        reason=NO_CACHE,
        doc="How long the class of a reply is remembered; version 3 only.",
    )
