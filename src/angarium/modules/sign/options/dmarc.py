"""Options of the module which asks what the author's domain wants; all of them are ours."""

from angarium.config.kinds import Bool, Choice, Duration, Int, List, Text
from angarium.config.option import OURS, option
from angarium.config.places import Cidr, DomainGlob
from angarium.config.scope import Naming
from angarium.modules.options import PolicyModule


class Dmarc(
    PolicyModule,
    stanza="dmarc",
    naming=Naming.NEVER,
    direction="receiving",
    since=OURS,
):
    """Asks whether the author's domain stands behind a message, by DMARC, RFC 7489."""

    action = option(
        Choice(("mark", "quarantine", "reject")),
        "mark",
        doc="The most that is done to what fails: nothing but to say so; to mark for quarantine"
        " what its domain wants in quarantine or refused; or to refuse what it wants refused.",
    )
    reply = option(
        Text(),
        "550 5.7.1 the DMARC policy of %d does not allow this message",
        doc="What is said to who is refused; %d is the author's domain.",
        example='"550 5.7.26 refused by the DMARC policy of %d"',
    )
    quarantine_header = option(
        Text(),
        "X-Quarantine",
        doc="Field which is added to a message in quarantine, with the reason; empty for none."
        " The variable `dmarc_disposition` says it in any case.",
    )
    defer_on_trouble = option(
        Bool(), False, doc="Put off what DNS cannot tell about, with 451, rather than take it."
    )
    exempt = option(
        List(Cidr()),
        (),
        doc="Clients whose mail is not looked at, beside those who may relay.",
        example='( "192.0.2.0/24" )',
    )
    arc_trusted = option(
        List(DomainGlob()),
        (),
        doc="Domains which are believed if they handed a message on and say by ARC that DMARC"
        " passed when they got it; *.domain is what is below it.",
        example='( "lists.example" )',
    )
    context_variable = option(
        Text(),
        "dmarc_status",
        doc="Context variable of the result: none, pass, fail, temperror or permerror.",
    )
    add_authentication_results = option(
        Bool(), True, doc="Add Authentication-Results with the result."
    )
    reports = option(
        Bool(),
        False,
        doc="Send each domain which asks for it a report of what was seen of it, once a day.",
    )
    report_sender = option(
        Text(),
        "",
        doc="Address in the From field of reports; empty: postmaster of this host.",
        example='"DMARC reports <dmarc@example.com>"',
    )
    report_organization = option(
        Text(), "", doc="Who reports; empty: the name of this host.", example='"Example Mail"'
    )
    report_contact = option(
        Text(), "", doc="Where to ask about a report.", example='"https://example.com/dmarc"'
    )
    report_delay = option(
        Duration(),
        1800.0,
        doc="How long after the end of a day, in UTC, its reports are made.",
    )
    report_limit = option(
        Int(0),
        10_485_760,
        doc="Octets of a report which is sent. A domain may set less; one which is larger is not"
        " sent.",
    )
    failure_reports = option(
        Bool(),
        False,
        doc="Send each domain which asks for it a report of each failure, with the header of the"
        " message. They tell strangers who writes to whom.",
    )
    failure_report_rate = option(
        Int(0), 60, doc="Reports of failures of a worker in an hour; others are left out."
    )
